/* What a deployment records of a service; see bundle.h. */
#include "bundle.h"

#include "check.h"
#include "doc/json.h"

struct str bundle_text(struct arena *a, const struct service *s)
{
    const struct node *n = service_bundle(s);
    assert_int_equal(n->size, 7);
    return json_text(a, n, 0);
}

struct source_bundle bundle_read(struct arena *a, struct str text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("bundle.json"), text, &err);
    check_ok(n ? 0 : -1, &err);
    return source_bundle_read(n, STR(""));
}

struct source_bundle bundle_of(struct arena *a, const struct service *s)
{
    return bundle_read(a, bundle_text(a, s));
}
