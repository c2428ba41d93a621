/* How values came about: lists of what took part, and what follows from them. */
#include "config/variables/variables.h"

void origin_add(struct arena *a, struct origin_list *list, enum origin_role role,
                const struct origin *origin)
{
    if (!origin)
        return;
    struct origin_link *link = ARENA_NEW(a, struct origin_link);
    *link = (struct origin_link){role, origin, NULL};
    if (list->last)
        list->last->next = link;
    else
        list->first = link;
    list->last = link;
}

void origin_add_all(struct arena *a, struct origin_list *list, const struct origin_list *more)
{
    for (const struct origin_link *l = more->first; l; l = l->next)
        origin_add(a, list, l->role, l->origin);
}

/* Members of a value that is a container do not count: a variable that looks into it takes only one
 * of them. */
unsigned origin_chosen(const struct origin_list *links, unsigned flags)
{
    for (const struct origin_link *l = links->first; l; l = l->next) {
        const struct origin *o = l->origin;
        flags |= o->flags | o->chosen | (o->value ? o->value->flags : 0u);
        flags |= o->pattern.n ? NODE_STAGE : 0;
    }
    return flags;
}

void answer_found(struct answer *ret, const struct found *found)
{
    ret->value = found->node;
    ret->via = found->via;
    ret->why = found->missing;
    ret->help = found->help;
}

/* The pattern of a text that was made with the stage. A text that the stage chose as a whole has
 * none. */
static struct str made_pattern(const struct origin *o)
{
    while (o && !o->pattern.n && o->what.n && !(o->chosen & NODE_STAGE))
        o = o->from;
    return o && !(o->chosen & NODE_STAGE) ? o->pattern : STR("");
}

void origin_pattern(struct buf *b, const struct node *value)
{
    struct str text = node_text(value);
    struct str pattern = made_pattern(value->origin);
    if (!(node_flags_deep(value) & NODE_STAGE)) {
        buf_add(b, text);
    } else if (pattern.n) {
        buf_add(b, pattern);
    } else {
        struct str piece;
        for (bool more = false; str_cut(&text, '/', &piece); more = true) {
            if (more)
                buf_char(b, '/');
            if (piece.n)
                buf_char(b, 0);
        }
    }
}
