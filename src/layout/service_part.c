/* What lives once by the user's wish (resources.service): it may neither depend on the stage nor
 * refer to what each stage has. */
#include "layout/layout_internal.h"

static struct pos setting_place(const struct laying *l, struct str id)
{
    const struct node *list = node_path(l->service->settings.node, "resources.service");
    size_t i = scope_asked_for(l, id);
    return i < node_count(list) ? list->items[i]->pos : (struct pos){0};
}

static struct pos place_of(const struct laying *l, const struct node *n, struct str id)
{
    if (n && n->pos.source)
        return n->pos;
    const struct member *m = node_member(l->flat, id);
    return m && m->key_pos.source ? m->key_pos : node_pos(m ? m->value : NULL);
}

struct checked {
    struct laying *l;
    struct str id; /* of the resource */
    struct err *err;
};

static int say_where(const struct checked *c)
{
    struct pos pos = setting_place(c->l, c->id);
    if (pos.source)
        err_note(c->err, pos, "'%.*s' is to live once by this", STR_ARG(c->id));
    return -1;
}

static void say_function(const struct checked *c, struct pos pos, const struct layout_function *f)
{
    err_at(c->err, pos, ERR_CONFIG,
           "'%.*s' of the service refers to function '%.*s', which serves by the stages' aliases "
           "only",
           STR_ARG(c->id), STR_ARG(f->key));
    say_where(c);
    err_help(c->err, "leave '%.*s' to the stages, or let each stage's resources refer to it",
             STR_ARG(c->id));
}

static void find_foreign(void *context, struct str id, const struct node *at)
{
    const struct checked *c = context;
    const struct placement *p = placement_of(c->l, id);
    if (c->err->kind != ERR_NONE || !p || p->scope == SCOPE_SERVICE || p->scope == SCOPE_API)
        return;
    struct pos pos = place_of(c->l, at, c->id);
    if (p->function) {
        say_function(c, pos, p->function);
        return;
    }
    err_at(c->err, pos, ERR_CONFIG, "'%.*s' of the service refers to '%.*s' of the stage",
           STR_ARG(c->id), STR_ARG(id));
    say_where(c);
    err_help(c->err, "add '%.*s' to custom.troupe.resources.service as well", STR_ARG(id));
}

static int check_stage(const struct checked *c, const char *kind, struct str name, struct pos pos,
                       const struct node *n)
{
    const struct origin *cause;
    const struct node *value = node_stage_value(n, &cause);
    if (!value)
        return 0;
    err_at(c->err, pos, ERR_CONFIG,
           "%s '%.*s' is to live once, but a value in it depends on the stage", kind,
           STR_ARG(name));
    if (value->pos.source)
        err_note(c->err, value->pos, "this value");
    if (cause && cause->at.source)
        err_note(c->err, cause->at, "by '${%.*s}'", STR_ARG(cause->text));
    return say_where(c);
}

/* A single text stands for a list of one. */
static const struct node *as_list(struct arena *a, const struct node *n)
{
    if (!node_is(n, NODE_STRING))
        return n;
    struct node *list = node_seq(a);
    node_push(a, list, n);
    return list;
}

/* ---- conditions and parameters ---- */

struct gathering {
    struct checked checked;
    const struct node *conditions, *parameters; /* of the flat template */
    struct node *used_conditions, *used_parameters;
};

static int gather(struct gathering *g, const struct node *n);

static int use_condition(struct gathering *g, const struct node *name)
{
    struct str id = node_text(name);
    const struct member *m = node_member(g->conditions, id);
    if (!m || node_member(g->used_conditions, id))
        return 0;
    if (check_stage(&g->checked, "condition", id, name->pos, m->value) < 0)
        return -1;
    node_put(g->checked.l->arena, g->used_conditions, id, m->value);
    return gather(g, m->value);
}

static void use_parameter(void *context, struct str id, const struct node *at)
{
    (void)at;
    struct gathering *g = context;
    node_put(g->checked.l->arena, g->used_parameters, id, node_get(g->parameters, id));
}

/* In conditions and branches: {"Condition": name}, and the first item of Fn::If. */
static int gather(struct gathering *g, const struct node *n)
{
    const struct node *condition = node_get_c(n, "Condition");
    const struct node *branches = node_get_c(n, "Fn::If");
    if (node_is(branches, NODE_SEQ) && branches->count)
        condition = branches->items[0];
    if (node_is(condition, NODE_STRING) && use_condition(g, condition) < 0)
        return -1;
    if (node_is(n, NODE_MAP) && n->size == 1)
        references_each(g->checked.l->arena, n, use_parameter, g);
    node_each (item, n)
        if (gather(g, item) < 0)
            return -1;
    member_each (m, n)
        if (gather(g, m->value) < 0)
            return -1;
    return 0;
}

static struct gathering gathering(struct laying *l, struct str id, struct err *err)
{
    return (struct gathering){.checked = {l, id, err},
                              .conditions = node_get_c(l->compiled->template, "Conditions"),
                              .parameters = node_get_c(l->compiled->template, "Parameters"),
                              .used_conditions = node_map(l->arena),
                              .used_parameters = node_map(l->arena)};
}

int service_part_sections(struct laying *l, struct node *template, struct err *err)
{
    struct gathering g = gathering(l, STR(""), err);
    member_each (m, l->service_resources) {
        g.checked.id = m->key;
        if (gather(&g, m->value) < 0)
            return -1;
    }
    if (g.used_parameters->size)
        node_put_c(l->arena, template, "Parameters", g.used_parameters);
    if (g.used_conditions->size)
        node_put_c(l->arena, template, "Conditions", g.used_conditions);
    return 0;
}

/* ---- the resource ---- */

int service_part_check(struct laying *l, struct str id, const struct node *resource,
                       struct err *err)
{
    struct checked c = {l, id, err};
    if (str_starts(id, STR("ServerlessDeploymentBucket")))
        return 0;
    references_each(l->arena, resource, find_foreign, &c);
    const struct node *depends = as_list(l->arena, node_get_c(resource, "DependsOn"));
    node_each (item, depends)
        find_foreign(&c, node_text(item), item);
    if (err->kind != ERR_NONE)
        return -1;
    return check_stage(&c, "resource", id, place_of(l, resource, id), resource);
}

const struct node *service_part_depends_on(struct laying *l, const struct node *depends_on)
{
    struct node *out = node_seq(l->arena);
    const struct node *list = as_list(l->arena, depends_on);
    node_each (item, list) {
        const struct placement *p = placement_of(l, node_text(item));
        if (p && (p->scope == SCOPE_SERVICE || p->scope == SCOPE_API))
            node_push(l->arena, out, node_str(l->arena, p->id.n ? p->id : node_text(item)));
    }
    return out->count ? out : NULL;
}

void service_part_warn(struct laying *l)
{
    const struct settings *s = &l->service->settings;
    const struct node *list = node_path(s->node, "resources.service");
    for (size_t i = 0; i < s->service_resource_count; i++) {
        bool any = false;
        member_each (m, l->flat)
            any |= settings_glob(s->service_resources[i], m->key);
        struct pos pos = i < node_count(list) ? list->items[i]->pos : (struct pos){0};
        if (!any)
            vec_push(l->arena, &l->warnings,
                     str_fmt(l->arena,
                             "'%.*s' in custom.troupe.resources.service matches no resource%.*s",
                             STR_ARG(s->service_resources[i]), STR_ARG(place_text(l->arena, pos))));
    }
}
