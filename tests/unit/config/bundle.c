/* What a deployment records of a service; see bundle.h. */
#include "bundle.h"

#include "check.h"
#include "doc/json.h"

struct str bundle_text(struct arena *a, const struct service *s)
{
    struct source_bundle bundle = service_bundle(s);
    return object_text(a, &source_bundle_table, &bundle);
}

struct source_bundle bundle_read(struct arena *a, struct str text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("bundle.json"), text, &err);
    struct source_bundle ret;
    check_ok(n ? 0 : -1, &err);
    check_ok(source_bundle_read(a, STR("bundle.json"), n, STR(""), &ret, &err), &err);
    return ret;
}

struct source_bundle bundle_of(struct arena *a, const struct service *s)
{
    return bundle_read(a, bundle_text(a, s));
}
