/* What was disposed of, and why it was ours. */
#include "release/dispose/dispose_internal.h"

const char *const dispose_reasons[OURS_COUNT] = {
    [OURS_FOLDER] = "below the service's folder in the deployment bucket",
    [OURS_STACK] = "a stack with the service's owner tags",
    [OURS_ADOPTED] = "an alias stack of the stack that was taken over",
    [OURS_RESOURCE] = "a resource that is deleted with its stack",
    [OURS_TAGGED] = "a function with the owner tags of the stage",
    [OURS_IMAGES] = "the service's repository, with images that troupe pushed",
    [OURS_RECORD] = "named by a record of the service",
    [OURS_INTENT] = "made by a deployment of the service that was cut off",
};
static const char *const fates[FATE_COUNT] = {
    [FATE_DELETED] = "deleted", [FATE_EMPTIED] = "emptied", [FATE_KEPT] = "kept"};

void dispose_note(const struct release *r, enum fate fate, struct str type, struct str name,
                  struct str why)
{
    if (r->disposals)
        vec_push(r->arena, &r->disposals->all, (struct disposed){fate, type, name, why});
}

void dispose_keep(const struct release *r, struct str type, struct str name, struct str why)
{
    if (r->disposals)
        vec_each (&r->disposals->all, d)
            if (d->fate == FATE_KEPT && str_eq(d->type, type) && str_eq(d->name, name)) {
                d->why = why; /* what is known last */
                return;
            }
    dispose_note(r, FATE_KEPT, type, name, why);
}

void disposals_put(struct arena *a, const struct disposals *all, struct node *into)
{
    for (size_t fate = 0; fate < FATE_COUNT; fate++) {
        struct node *list = node_seq(a);
        for (size_t i = 0; i < all->all.n; i++) {
            const struct disposed *d = &all->all.p[i];
            struct node *n = node_map(a);
            if (d->fate != fate)
                continue;
            node_put_str(a, n, "type", d->type);
            node_put_str(a, n, "name", d->name);
            node_put_str(a, n, "why", d->why);
            node_push(a, list, n);
        }
        if (list->count)
            node_put_c(a, into, fates[fate], list);
    }
}

static record_disposed_list all_of(struct arena *a, const struct disposals *all, enum fate fate)
{
    VEC(struct record_disposed) out = {0};
    vec_each (&all->all, d)
        if (d->fate == fate)
            vec_push(a, &out,
                     (struct record_disposed){.type = d->type, .name = d->name, .why = d->why});
    return (record_disposed_list){out.p, out.n};
}

void disposals_record(struct arena *a, const struct disposals *all, struct record_body *ret)
{
    ret->deleted = all_of(a, all, FATE_DELETED);
    ret->emptied = all_of(a, all, FATE_EMPTIED);
    ret->kept = all_of(a, all, FATE_KEPT);
}

int dispose_refuse(const char *what, struct str name, enum ours why, struct err *err)
{
    return err_set(err, ERR_FAILED, "%s '%.*s' is not deleted: it is not %s", what, STR_ARG(name),
                   dispose_reasons[why]);
}

struct str dispose_hint(struct arena *a, struct str stage, int64_t number, struct str fingerprint)
{
    enum { SHOWN = 8 };
    if (fingerprint.n < SHOWN)
        return STR("");
    return str_fmt(a, "%.*s#%lld %.*s", STR_ARG(stage), (long long)number, SHOWN, fingerprint.p);
}
