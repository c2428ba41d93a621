/* Secrets that the framework has resolved: its package has them in the clear. What is recorded has
 * the variable instead, as the user's file has, and AWS is asked as for any service. */
#include "compile/bridge/bridge_internal.h"

#define SECTION "secretsOfThePackage" /* below `custom`: those that are maps */

/* A shorter one may stand in other texts by chance: it has to be the whole. */
enum { PART_MIN = 6 };

struct hiding {
    struct arena *arena;
    const struct secrets *secrets;
    struct node *maps; /* variables whose values are maps */
};

/* The variable of a secret, between marks. Of one in a map it is a reference to the map. */
static struct str variable(struct hiding *h, const struct secret *s)
{
    struct arena *a = h->arena;
    size_t at = 0;
    if (!s->path.n)
        return str_fmt(a, "%c%.*s%c", SECRET_MARK, STR_ARG(s->variable), SECRET_MARK);
    struct str text = str_fmt(a, "%c%.*s%c", SECRET_MARK, STR_ARG(s->variable), SECRET_MARK);
    while (at < h->maps->count && !str_eq(h->maps->items[at]->text, text))
        at++;
    if (at == h->maps->count)
        node_push(a, h->maps, node_str(a, text));
    return str_fmt(a, "%cself:custom." SECTION ".%zu.%.*s%c", SECRET_MARK, at, STR_ARG(s->path),
                   SECRET_MARK);
}

static const struct node *hide_text(struct hiding *h, const struct node *n)
{
    struct str text = n->text;
    for (size_t i = 0; i < h->secrets->n; i++) {
        const struct secret *s = &h->secrets->p[i];
        if (str_eq(text, s->text))
            return node_str(h->arena, variable(h, s));
        if (s->text.n >= PART_MIN && str_find(text, s->text, 0) >= 0)
            text = str_replace(h->arena, text, s->text, variable(h, s));
    }
    return str_eq(text, n->text) ? n : node_str(h->arena, text);
}

static const struct node *hide(void *context, struct str key, const struct node *n)
{
    struct hiding *h = context;
    (void)key;
    return n->kind == NODE_STRING ? hide_text(h, n)
                                  : node_change_children(h->arena, n, hide, context);
}

const struct node *secrets_hide(struct arena *a, const struct node *file,
                                const struct secrets *secrets)
{
    struct hiding h = {a, secrets, node_seq(a)};
    if (!secrets->n)
        return file;
    file = hide(&h, STR(""), file);
    if (!h.maps->count)
        return file;
    const struct node *old = node_get_c(file, "custom");
    struct node *out = node_shallow(a, file);
    struct node *custom = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    node_put_c(a, custom, SECTION, h.maps);
    node_put_c(a, out, "custom", custom);
    return out;
}
