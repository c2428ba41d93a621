/* serverless-plugin-warmup: the code of warmers. In a zip for stages it is the same for all of
 * them: what is called is in the environment (compile/warmers.c). */
#include "build/build_internal.h"

#include "base/fs.h"
#include "doc/json.h"

extern const char warmer_code[]; /* warmer_code.mjs */

bool build_is_warmer(const struct function *fn)
{
    return node_is(node_get_c(fn->node, "warmer"), NODE_MAP);
}

bool warmers_needed(const struct service *service)
{
    for (size_t i = 0; i < service->function_count; i++)
        if (build_is_warmer(&service->functions[i]))
            return true;
    return false;
}

int warmers_check(struct building *b, struct err *err)
{
    (void)b, (void)err;
    return 0;
}

static struct str code_of(struct arena *a, const struct node *of)
{
    struct node *in_zip = node_map(a), *functions = node_seq(a);
    if (node_bool_or(node_get_c(of, "shared"), false))
        return str_c(warmer_code);
    node_each (call, node_get_c(of, "calls")) {
        struct node *one = node_map(a);
        node_put_c(a, one, "name", node_get_c(call, "name"));
        node_put_c(a, one, "config", node_get_c(call, "config"));
        node_push(a, functions, one);
    }
    node_put_c(a, in_zip, "verbose", node_get_c(of, "verbose"));
    node_put_c(a, in_zip, "functions", functions);
    return str_replace(a, str_c(warmer_code), STR("inZip = null"),
                       str_concat(a, STR("inZip = "), json_text(a, in_zip, 2)));
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    member_each (m, b->options)
        if (fs_mkdirs(path_join(a, place, m->key), err) < 0 ||
            fs_write(path_join(a, place, path_join(a, m->key, STR("index.mjs"))),
                     node_text(m->value), 0644, err) < 0)
            return -1;
    inputs->files = node_seq(a);
    return *result = node_map(a), 0;
}

int warmers_plan(struct building *b, struct err *err)
{
    struct node *codes = node_map(b->arena);
    (void)err;
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (build_is_warmer(fn))
            node_put_str(b->arena, codes, str_z(b->arena, fn->key),
                         code_of(b->arena, node_get_c(fn->node, "warmer")));
    }
    vec_push(b->arena, &b->builds,
             (struct build){
                 .name = STR("warmers"), .what = STR("the warmers"), .options = codes, .run = run});
    return 0;
}

int warmers_hand_out(struct building *b, struct err *err)
{
    struct arena *a = b->arena;
    file_vec files = {0};
    (void)err;
    vec_each (&b->builds, build) {
        if (build->run != run)
            continue;
        for (size_t i = 0; i < b->service->function_count; i++) {
            const struct function *fn = &b->service->functions[i];
            struct str name = STR("index.mjs");
            if (!build_is_warmer(fn))
                continue;
            struct str folder = path_dir(a, node_text(node_get_c(fn->node, "handler")));
            vec_push(a, &files,
                     (struct pack_file){path_join(a, build->folder, path_join(a, fn->key, name)),
                                        path_clean(a, path_join(a, folder, name))});
        }
    }
    build_beside(b, &files);
    return 0;
}

/* A warmer that a stage gets by a reset may be one that the other stage did not have. */
const struct pack_text *build_texts(struct arena *a, const struct service *service)
{
    struct pack_text *texts = ARENA_ARRAY(a, service->function_count, struct pack_text);
    for (size_t i = 0; i < service->function_count; i++) {
        const struct function *fn = &service->functions[i];
        const struct node *patterns = node_path(fn->node, "package.patterns");
        struct str folder = path_dir(a, node_text(node_get_c(fn->node, "handler")));
        enum { OWN_PATTERNS = 2 }; /* nothing, and its folder */
        if (build_is_warmer(fn) && node_count(patterns) == OWN_PATTERNS)
            texts[i] = (struct pack_text){path_clean(a, path_join(a, folder, STR("index.mjs"))),
                                          code_of(a, node_get_c(fn->node, "warmer"))};
    }
    return texts;
}
