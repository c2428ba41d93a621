/* The variable reader and resolver on arbitrary input: a service file whose values are the input.
 * What must hold besides not crashing: an error has a place, what loads holds no unread variables
 * of known sources, and the same input gives the same answer. */
#include "fuzz.h"
#include "base/buf.h"
#include "doc/json.h"
#include "config/variables/variables.h"

enum { INPUT_MAX = 4096 };

/* Give the whole input to the reader, as one string. */
static void read_string(struct arena *a, struct str text)
{
    struct template t;
    struct template_error bad = {0};
    if (!template_read(a, text, &t, &bad)) {
        if (!bad.what || bad.offset > text.n || bad.end > text.n)
            abort();
        return;
    }
    size_t at = 0;
    for (size_t i = 0; i < t.variable_count; i++) {
        const struct variable *v = &t.variables[i];
        if (v->start < at || v->end <= v->start || v->end > text.n)
            abort();
        at = v->end;
    }
}

/* Let variables refer to each other: every line of the input is a value of `custom`. */
static struct str resolve_lines(struct arena *a, struct str text)
{
    struct config_options options = {.stage = STR("dev")};
    struct resolver r = {.arena = a,
                         .rows = variable_sources,
                         .options = &options,
                         .dir = STR("/nonexistent"),
                         .files = MAP(a),
                         .cells = MAP(a),
                         .externals = node_map(a)};
    struct node *root = node_map(a), *custom = node_map(a), *list = node_seq(a);
    struct source *source = ARENA_NEW(a, struct source);
    *source = (struct source){STR("input"), text};
    struct str rest = text, line;
    for (uint32_t i = 0; str_cut(&rest, '\n', &line); i++) {
        struct node *n = node_str(a, line);
        n->pos = (struct pos){source, i + 1, 1, 0};
        if (i < 8)
            node_put(a, custom, str_fmt(a, "v%u", i), n);
        else
            node_push(a, list, n);
    }
    custom->pos = list->pos = root->pos = (struct pos){source, 1, 1, 0};
    node_put_c(a, custom, "list", list);
    node_put_c(a, root, "custom", custom);
    node_put_c(a, root, "service", node_str(a, STR("svc")));
    r.root = root;
    struct err err = {0};
    const struct node *all = resolve_all(&r, root, &err);
    struct str answer = all ? json_text(a, all, 0) : err_render(a, &err, false);
    if (!all && !err.pos.source && err.kind == ERR_NONE)
        abort();
    err_clear(&err);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t bad;
    struct str text = {(const char *)data, size};
    if (size > INPUT_MAX || !str_utf8_ok(text, &bad) || str_find_char(text, '\0', 0) >= 0)
        return 0;
    struct arena *a = arena_new(), *again = arena_new();
    text = str_dup(a, text);
    read_string(a, text);
    if (str_find(text, STR("instanceId"), 0) < 0 && str_find(text, STR("file"), 0) < 0) {
        struct str first = resolve_lines(a, text);
        if (!str_eq(first, resolve_lines(again, text)))
            abort();
    }
    arena_free(a);
    arena_free(again);
    return 0;
}
