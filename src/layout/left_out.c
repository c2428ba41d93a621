/* Functions whose `condition` does not hold. The service is laid out as if the file did not have
 * them: nothing of them is made, so nothing has to be found and deleted later. */
#include "layout/layout_internal.h"

#include "layout/conditions.h"

struct leaving {
    struct arena *arena;
    const struct service *service;
    struct conditions conditions;
    struct service *out;
    struct map gone; /* logical ids that are not made */
    VEC(struct str) warnings;
};

/* ---- the functions that are left out ---- */

static int say_undecided(const struct function *f, struct str name, struct err *err)
{
    err_wrap(err, "condition '%.*s' of function '%.*s'", STR_ARG(name), STR_ARG(f->key));
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err->kind = ERR_CONFIG;
    return err_help(err, "troupe publishes functions itself and decides from the file: compare "
                         "variables, as in !Equals ['${aws:accountId}', '123456789012']");
}

/* 1: the function stays; 0: it is left out; -1: `err`. */
static int stays(struct leaving *x, const struct function *f, struct err *err)
{
    const struct node *n = node_get_c(f->node, "condition");
    struct str name = node_text(n);
    if (node_empty(n))
        return 1;
    x->conditions.of_stage = false;
    int holds = conditions_hold(&x->conditions, name, n->pos, err);
    if (holds < 0)
        return say_undecided(f, name, err);
    if (holds || (!x->service->stage.n && x->conditions.of_stage)) /* it may hold for some stage */
        return 1;
    vec_push(x->arena, &x->warnings,
             str_fmt(x->arena,
                     "function '%.*s' is left out: its condition '%.*s' is false here%.*s",
                     STR_ARG(f->key), STR_ARG(name), STR_ARG(place_text(x->arena, n->pos))));
    return 0;
}

static int choose(struct leaving *x, struct err *err)
{
    const struct service *s = x->service;
    x->out->function_count = 0;
    x->out->functions = ARENA_ARRAY(x->arena, s->function_count + 1, struct function);
    for (size_t i = 0; i < s->function_count; i++) {
        int stay = stays(x, &s->functions[i], err);
        if (stay < 0)
            return -1;
        if (!stay)
            continue;
        struct function *f = &x->out->functions[x->out->function_count++];
        *f = s->functions[i];
        f->node = cfn_with(x->arena, f->node, "condition", NULL);
    }
    return 0;
}

/* ---- the user's resources without those that the same conditions leave out ---- */

/* 1 or 0; -1: only CloudFormation knows. An error is not told here: the condition may be one that
 * CloudFormation understands and troupe does not. */
static int holds(struct leaving *x, const struct node *condition)
{
    struct err ignored = {0};
    int answer = node_is(condition, NODE_STRING)
                     ? conditions_hold(&x->conditions, condition->text, condition->pos, &ignored)
                     : -1;
    err_clear(&ignored);
    return answer;
}

static const struct node *fold(void *context, struct str key, const struct node *n)
{
    struct leaving *x = context;
    (void)key;
    const struct node *args = node_is(n, NODE_MAP) && n->size == 1 ? node_get_c(n, "Fn::If") : NULL;
    if (node_is(args, NODE_SEQ) && args->count == 3) {
        int answer = holds(x, args->items[0]);
        if (answer >= 0)
            return fold(x, key, args->items[answer ? 1 : 2]);
    }
    return node_change_children(x->arena, n, fold, x);
}

static bool is_gone(const void *context, struct str id)
{
    const struct leaving *x = context;
    return map_has(&x->gone, id);
}

/* One section of `resources` (Resources, extensions or Outputs) without what false conditions leave
 * out. */
static const struct node *section(struct leaving *x, struct str name, const struct node *n)
{
    struct node *out = node_map(x->arena);
    bool extends = str_eq(name, STR("extensions"));
    member_each (m, n)
        if (extends ? !map_has(&x->gone, m->key) : holds(x, node_get_c(m->value, "Condition")) != 0)
            node_put_at(x->arena, out, m->key, m->key_pos,
                        fold(x, m->key, cfn_without_dependencies(x->arena, m->value, is_gone, x)));
    return node_from(out, n);
}

static const struct node *part(struct leaving *x, const struct node *n, bool extended)
{
    struct node *out = node_map(x->arena);
    if (!node_is(n, NODE_MAP))
        return n;
    member_each (m, n) {
        bool extends = str_eq(m->key, STR("extensions"));
        if (extends && !extended)
            continue;
        bool changes =
            extends || str_eq(m->key, STR("Resources")) || str_eq(m->key, STR("Outputs"));
        node_put_at(x->arena, out, m->key, m->key_pos,
                    changes ? section(x, m->key, m->value) : m->value);
    }
    return node_from(out, n);
}

static void put_resources(struct leaving *x, bool extended)
{
    const struct node *given = node_get_c(x->service->root, "resources");
    if (!given)
        return;
    const struct node *changed = part(x, given, extended);
    if (node_is(given, NODE_SEQ)) {
        struct node *list = node_seq(x->arena);
        node_each (one, given)
            node_push(x->arena, list, part(x, one, extended));
        changed = node_from(list, given);
    }
    x->out->root = cfn_with(x->arena, x->service->root, "resources", changed);
}

/* ---- references to what is left out ---- */

struct dangling {
    const struct leaving *x;
    struct err *err;
};

static void find_dangling(void *context, const struct cfn_value *v)
{
    struct dangling *d = context;
    if (!map_has(&d->x->gone, v->id) || d->err->kind != ERR_NONE)
        return;
    err_at(d->err, v->at->pos, ERR_CONFIG, "'%.*s' is left out with its function, by its condition",
           STR_ARG(v->id));
    err_help(d->err, "give what refers to it the same condition, or use Fn::If with it");
}

static int compile(struct leaving *x, const struct service *s, struct compiled *ret,
                   struct err *err)
{
    struct compile_options options = {.naming = NAMING_SHARED, .artifact_dir = STR("artifacts")};
    return compile_service(x->arena, s, NULL, &options, ret, err);
}

static int leave(struct leaving *x, const struct compiled *whole, struct err *err)
{
    struct compiled rest;
    put_resources(x, false);
    if (compile(x, x->out, &rest, err) < 0)
        return -1;
    member_each (m, node_get_c(whole->template, "Resources"))
        if (!node_get(node_get_c(rest.template, "Resources"), m->key))
            map_put(&x->gone, m->key, x);
    put_resources(x, true);
    if (compile(x, x->out, &rest, err) < 0)
        return -1;
    struct dangling d = {x, err};
    cfn_each_value(rest.template, find_dangling, &d);
    return err->kind == ERR_NONE ? 0 : -1;
}

int layout_leave_out(struct arena *a, const struct service *service, struct left_out *ret,
                     struct err *err)
{
    struct service *out = ARENA_NEW(a, struct service);
    struct compiled whole;
    struct leaving x = {.arena = a, .service = service, .out = out, .gone = MAP(a)};
    bool any = false;
    *out = *service;
    *ret = (struct left_out){service, NULL, 0};
    for (size_t i = 0; i < service->function_count; i++)
        any |= !node_empty(node_get_c(service->functions[i].node, "condition"));
    if (!any)
        return 0;
    if (compile(&x, service, &whole, err) < 0)
        return -1;
    x.conditions = (struct conditions){.arena = a, .service = service, .template = whole.template};
    if (choose(&x, err) < 0)
        return -1;
    *ret = (struct left_out){out, x.warnings.p, x.warnings.n};
    if (out->function_count == service->function_count)
        return 0;
    return leave(&x, &whole, err);
}
