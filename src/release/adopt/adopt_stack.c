/* One step of the stack that is taken over. */
#include "release/adopt/adopt_internal.h"

#include "base/clock.h"
#include "release/stack/stack.h"

const struct node *adopt_previous_parameters(struct arena *a, const struct node *template,
                                             const struct node *given, bool all)
{
    struct node *out = given ? node_shallow(a, given) : node_map(a);
    member_each (m, node_get_c(template, "Parameters"))
        if (!node_get(out, m->key) && (all || !node_get_c(m->value, "Default")))
            node_put(a, out, m->key, node_null(a));
    return out;
}

int adopt_step(struct deploying *d, const struct node *template, const char *what, struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    bool changed;
    if (template == w->stage_template)
        return 0;
    release_progress(d->r, "adopt", "%s", what);
    struct stack_update update = {.name = w->stage_name,
                                  .template = template,
                                  .parameters =
                                      adopt_previous_parameters(d->arena, template, NULL, true),
                                  .store = &w->store};
    if (lease_check(d->lease, err) < 0 ||
        stack_apply(d->r, &update, &w->stage_nesting, &changed, err) < 0 ||
        cloudformation_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err) < 0)
        return -1;
    if (!changed) /* then nothing is safe that is to be taken out */
        return err_set(err, ERR_FAILED, "CloudFormation sees no update of stack '%.*s' in it: %s",
                       STR_ARG(w->stage_name), what);
    w->stage_template = template;
    d->stage_now = NULL;
    release_finished(d->r, "adopt", "%s in %.1fs", what, (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

int adopt_list_imports(struct deploying *d, const struct node *moving, const struct node *now,
                       struct node *imports, struct node *resources, struct err *err)
{
    struct arena *a = d->arena;
    const struct node *identifiers;
    struct node *definitions = node_map(a);
    member_each (m, moving)
        if (!node_get(now, m->key))
            node_put(a, definitions, m->key, node_get_c(m->value, "Definition"));
    if (!definitions->size)
        return 0;
    if (adopt_identifiers(d->r, definitions, &identifiers, err) < 0)
        return -1;
    member_each (m, definitions) {
        const struct node *type = node_get_c(m->value, "Type");
        const struct node *keys = node_get(identifiers, node_text(type));
        const struct node *identifier =
            keys ? adopt_identifier(a, moving, node_get(moving, m->key), keys) : NULL;
        if (!identifier)
            return err_set(err, ERR_FAILED, "'%.*s' (%.*s) cannot be imported", STR_ARG(m->key),
                           STR_ARG(node_text(type)));
        struct node *one = node_map(a);
        node_put_str(a, one, "id", m->key);
        node_put_c(a, one, "type", type);
        node_put_c(a, one, "identifier", identifier);
        node_push(a, imports, one);
        node_put(a, resources, m->key, m->value);
    }
    return 0;
}
