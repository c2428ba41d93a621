/* ${file(x.js):key}: each file and key is computed once; see script_run.c. */
#include "config/variables/scripts.h"

struct script_cell {
    bool busy, known;
    struct script_result result;
};

static const struct node *keys_of(struct arena *a, struct str address)
{
    struct node *keys = node_seq(a);
    struct str key;
    while (str_cut(&address, '.', &key))
        node_push(a, keys, node_str(a, key));
    return keys;
}

static int compute(struct resolver *r, const struct query *q, struct str text, struct str name,
                   struct str path, struct script_result *ret, struct err *err)
{
    const struct script_call call = {.path = path,
                                     .shown = file_shown(r, path),
                                     .keys = q->has_address ? keys_of(r->arena, q->address) : NULL,
                                     .pos = q->pos};
    if (r->options->bundle)
        return script_recorded(r, text, name, q->pos, ret, err);
    if (r->probing) {
        *ret = (struct script_result){.value = node_null(r->arena)};
        return 0;
    }
    return script_run(r, &call, ret, err);
}

static struct script_cell *cell_of(struct resolver *r, struct str text)
{
    struct script_cell *cell = map_get(&r->script_cells, text);
    if (!cell) {
        cell = ARENA_NEW(r->arena, struct script_cell);
        *cell = (struct script_cell){0};
        map_put(&r->script_cells, text, cell);
    }
    return cell;
}

int script_value(struct resolver *r, const struct query *q, struct str name, struct str path,
                 struct answer *ret, struct err *err)
{
    struct str text = str_fmt(r->arena, "file(%.*s)%s%.*s", STR_ARG(name),
                              q->has_address ? ":" : "", STR_ARG(q->address));
    struct script_cell *cell = cell_of(r, text);
    if (cell->busy)
        return err_at(err, q->pos, ERR_CONFIG,
                      "'%.*s' needs itself: the script asks for what it is computing",
                      STR_ARG(q->text));
    cell->busy = true;
    int done = cell->known ? 0 : compute(r, q, text, name, path, &cell->result, err);
    cell->busy = false;
    if (done < 0)
        return -1;
    cell->known = !r->probing;
    struct source *source = ARENA_NEW(r->arena, struct source); /* no more is known than its name */
    source->path = name;
    ret->value = node_placed(r->arena, cell->result.value, (struct pos){source, 1, 1, 0});
    ret->flags |= cell->result.flags;
    if (r->options->bundle)
        ret->what = str_concat(r->arena, ret->what, STR(", as recorded"));
    ret->why = str_fmt(r->arena, "'%.*s' gives no value", STR_ARG(q->text));
    if (!q->secret && !r->probing)
        script_record(r, text, &cell->result);
    return 0;
}
