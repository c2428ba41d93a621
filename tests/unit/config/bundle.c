/* What a deployment records of a service; see bundle.h. */
#include "bundle.h"

#include "check.h"
#include "doc/json.h"

struct str bundle_text(struct arena *a, const struct service *s)
{
    struct node *n = node_map(a), *files = node_map(a);
    for (size_t i = 0; i < s->file_count; i++)
        node_put(a, files, s->files[i].path, node_str(a, s->files[i].text));
    assert_int_equal(files->size, s->file_count);
    node_put_str(a, n, "main", s->file);
    node_put_c(a, n, "files", files);
    node_put_c(a, n, "externals", s->externals);
    node_put_c(a, n, "absent", s->absent);
    node_put_c(a, n, "params", s->params);
    node_put_c(a, n, "options", s->options);
    assert_int_equal(n->size, 6);
    return json_text(a, n, 0);
}

struct source_bundle bundle_read(struct arena *a, struct str text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("bundle.json"), text, &err);
    check_ok(n ? 0 : -1, &err);
    return (struct source_bundle){.main = node_text(node_get_c(n, "main")),
                                  .files = node_get_c(n, "files"),
                                  .externals = node_get_c(n, "externals"),
                                  .absent = node_get_c(n, "absent"),
                                  .params = node_get_c(n, "params"),
                                  .options = node_get_c(n, "options")};
}

struct source_bundle bundle_of(struct arena *a, const struct service *s)
{
    return bundle_read(a, bundle_text(a, s));
}
