/* Resources that exist once because resources.service lists them: they may neither depend on the
 * stage nor refer to what each stage has. */
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
    struct str id; /* of the resource that is checked */
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

static void find_foreign(const struct checked *c, struct str id, const struct node *at)
{
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

static void find_foreign_value(void *context, const struct cfn_value *v)
{
    find_foreign(context, v->id, v->at);
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

/* ---- conditions and parameters ---- */

struct gathering {
    struct checked checked;
    const struct node *conditions, *parameters; /* of the flat template */
    struct node *used_conditions, *used_parameters;
};

static void use_parameter(void *context, const struct cfn_value *v)
{
    struct gathering *g = context;
    struct laying *l = g->checked.l;
    const struct node *parameter = node_get(g->parameters, v->id);
    const struct node *given = layout_given_parameter(l->service, v->id);
    if (parameter && g->checked.err->kind == ERR_NONE)
        check_stage(&g->checked, "parameter", v->id, node_pos(given), given);
    node_put(l->arena, g->used_parameters, v->id, parameter);
}

static void use_condition(void *context, const struct node *name)
{
    struct gathering *g = context;
    struct str id = name->text;
    const struct node *condition = node_get(g->conditions, id);
    if (!condition || node_member(g->used_conditions, id) || g->checked.err->kind != ERR_NONE ||
        check_stage(&g->checked, "condition", id, name->pos, condition) < 0)
        return;
    node_put(g->checked.l->arena, g->used_conditions, id, condition);
    cfn_each_condition(condition, use_condition, g);
    cfn_each_value(condition, use_parameter, g);
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
        cfn_each_condition(m->value, use_condition, &g);
        cfn_each_value(m->value, use_parameter, &g);
        if (err->kind != ERR_NONE)
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
    cfn_each_value(resource, find_foreign_value, &c);
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++)
        find_foreign(&c, node_text(ids[i]), ids[i]);
    if (err->kind != ERR_NONE)
        return -1;
    return check_stage(&c, "resource", id, place_of(l, resource, id), resource);
}

const struct node *service_part_depends_on(struct laying *l, const struct node *resource)
{
    struct node *out = node_seq(l->arena);
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++) {
        const struct placement *p = placement_of(l, node_text(ids[i]));
        if (p && (p->scope == SCOPE_SERVICE || p->scope == SCOPE_API))
            node_push(l->arena, out, node_str(l->arena, p->id.n ? p->id : node_text(ids[i])));
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
