/* ${bridged:NAME}, in a service file that the bridge has made and in no other: a value that another
 * stage has otherwise, and not only by its own name in it. Each stage has those of its own last
 * deployment. */
#include "config/variables/variables.h"

/* "a_2fb" -> "a/b": the bridge writes what a variable cannot have as two hexadecimal digits. */
static struct str shown(struct arena *a, struct str address)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < address.n; i++) {
        unsigned byte;
        struct str digits = str_sub(address, i + 1, 2);
        if (address.p[i] == '_' && digits.n == 2 && sscanf(str_z(a, digits), "%2x", &byte) == 1) {
            buf_char(&b, (char)byte);
            i += 2;
        } else {
            buf_char(&b, address.p[i]);
        }
    }
    return buf_str(&b);
}

int source_bridged(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    const struct source_bundle *b = r->options->bundle;
    if (!b)
        return err_at(err, q->pos, ERR_CONFIG, "unknown variable source 'bridged'");
    if (resolve_stage(r, err) < 0)
        return -1;
    struct str name =
        str_fmt(r->arena, "bridged(%.*s):%.*s", STR_ARG(r->stage), STR_ARG(q->address));
    const struct node *value = node_get(b->externals, name);
    if (!value && b->own)
        value = node_get(b->own->externals, name);
    struct str path = shown(r->arena, q->address);
    if (!value) {
        err_at(err, q->pos, ERR_CONFIG,
               "what '%.*s' is for stage '%.*s' was not recorded: plugins make it, and not from "
               "the stage's name alone",
               STR_ARG(path), STR_ARG(r->stage));
        return err_help(err, "deploy the stage from its files: troupe deploy %.*s",
                        STR_ARG(r->stage));
    }
    node_put(r->arena, r->externals, name, value);
    ret->value = node_placed(r->arena, value, (struct pos){0});
    ret->flags = NODE_STAGE;
    ret->resolved = true;
    ret->what = str_fmt(r->arena, "'%.*s' as it was packaged for the stage", STR_ARG(path));
    return 0;
}
