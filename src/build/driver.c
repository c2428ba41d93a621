/* Scripts of the program itself that node runs, with modules of the project. */
#include "build/build_internal.h"

#include "base/fs.h"
#include "doc/json.h"

enum { RESULT_BYTES_MAX = 64 * 1024 * 1024 };

int driver_run(struct arena *a, const struct build *b, const char *driver, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    const char *const first[] = {"node", "--input-type=commonjs", "-e", driver};
    struct node *job = node_shallow(a, b->options), *words = node_seq(a);
    struct str path = path_join(a, place, STR(".troupe-result.json")), text, output;
    node_put_str(a, job, "place", place);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        node_push(a, words, node_str(a, str_c(first[i])));
    struct command_line c = {.words = words,
                             .input = json_text(a, job, 0),
                             .dir = b->service_dir,
                             .limit = b->limit,
                             .limit_ms = b->limit_ms};
    if (process_group_run(a, &c, &output, err) < 0 ||
        fs_read(a, path, RESULT_BYTES_MAX, &text, err) < 0 || fs_remove_all(path, err) < 0)
        return -1;
    const struct node *all = json_parse(a, STR("what the builder says"), text, err);
    if (!all)
        return -1;
    if (!node_empty(node_get_c(all, "files")))
        *inputs = (struct build_inputs){node_get_c(all, "files"), node_get_c(all, "dirs")};
    struct node *rest = node_map(a);
    member_each (m, all)
        if (!str_eq(m->key, STR("files")) && !str_eq(m->key, STR("dirs")))
            node_put(a, rest, m->key, m->value);
    *result = rest;
    return 0;
}
