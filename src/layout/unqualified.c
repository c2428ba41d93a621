/* Functions that each stage has for itself because something refers to the function and cannot name
 * an alias, or because they reserve concurrency. config/sharing.c decides which, from the file;
 * here the flat template is checked against that, and CloudFront's references are turned. */
#include "layout/layout_internal.h"

#include "config/sharing.h"

struct check {
    struct laying *l;
    size_t references;
    struct layout_function *shared; /* the first shared function that a reference means */
    struct str resource;
};

static void count(void *context, struct str resource, const struct cfn_value *v)
{
    struct check *c = context;
    const struct placement *p = placement_of(c->l, v->id);
    if (!p || !p->function)
        return;
    c->references++;
    if (!p->function->per_stage && !c->shared) {
        c->shared = p->function;
        c->resource = resource;
    }
}

static int check_pattern(struct laying *l, size_t i, struct err *err)
{
    const struct settings *s = &l->service->settings;
    const struct node *list = node_path(s->node, "references.unqualified");
    struct pos pos = i < node_count(list) ? list->items[i]->pos : (struct pos){0};
    struct check c = {.l = l};
    sharing_each_unqualified(s, i, l->flat, count, &c);
    if (!c.references)
        return err_at(err, pos, ERR_CONFIG, "'%.*s' has no reference to a function",
                      STR_ARG(s->unqualified[i]));
    if (!c.shared)
        return 0;
    err_at(err, pos, ERR_CONFIG,
           "'%.*s' is made of an event, and function '%.*s' is one for all stages",
           STR_ARG(c.resource), STR_ARG(c.shared->key));
    return err_help(err, "add '%.*s' to custom.troupe.functions.perStage", STR_ARG(c.shared->key));
}

/* Warn that `f` is a stage's own. A user who wants it so lists the function in functions.perStage,
 * or names it after the stage, and is not told again. */
static void tell(struct laying *l, const struct layout_function *f)
{
    struct unqualified by;
    struct str why = {"", 0};
    struct pos pos = {0};
    const struct function *given = l->compiled->functions[f - l->out->functions].function;
    const struct node *reserved = sharing_reserved(l->service, given);
    if (sharing_is_listed(&l->service->settings, f->key) || (given->name_explicit && f->of_stage))
        return;
    if (sharing_find_unqualified(l->service, f->key, &by)) {
        why =
            str_fmt(l->arena, "'%.*s' refers to it and cannot name an alias", STR_ARG(by.resource));
        pos = by.pos;
    } else if (sharing_is_edge(given)) {
        why = STR("CloudFront calls versions, never an alias");
        pos = f->pos;
    } else if (reserved) {
        why = STR("Lambda reserves concurrency for a whole function");
        pos = reserved->pos;
    }
    if (why.n)
        vec_push(l->arena, &l->warnings,
                 str_fmt(l->arena, "function '%.*s' is one of each stage's own, because %.*s%.*s",
                         STR_ARG(f->key), STR_ARG(why), STR_ARG(place_text(l->arena, pos))));
}

int unqualified_check(struct laying *l, struct err *err)
{
    for (size_t i = 0; i < l->service->settings.unqualified_count; i++)
        if (check_pattern(l, i, err) < 0)
            return -1;
    for (size_t i = 0; i < l->out->function_count; i++)
        tell(l, &l->out->functions[i]);
    return 0;
}

struct str place_text(struct arena *a, struct pos pos)
{
    return pos.source ? str_fmt(a, " (%.*s:%u:%u)", STR_ARG(pos.source->path), pos.line, pos.column)
                      : (struct str){"", 0};
}

/* ---- CloudFront: the version's ARN ---- */

static const struct compiled_function *referred(const struct laying *l, const struct node *n)
{
    struct cfn_value v;
    bool is_value = cfn_is_value(n, &v);
    for (size_t i = 0; is_value && i < l->compiled->function_count; i++)
        if (str_eq(l->compiled->functions[i].logical_id, v.id))
            return &l->compiled->functions[i];
    return NULL;
}

static const struct node *version_child(void *context, struct str key, const struct node *child)
{
    struct laying *l = context;
    const struct compiled_function *f =
        str_eq(key, STR("LambdaFunctionARN")) ? referred(l, child) : NULL;
    return f ? node_from(node_ref(l->arena, f->version_id), child) : unqualified_versions(l, child);
}

const struct node *unqualified_versions(struct laying *l, const struct node *n)
{
    return node_change_children(l->arena, n, version_child, l);
}
