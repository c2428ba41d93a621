/* Checks of names that AWS has only once: those of functions and of resources with a fixed name, of
 * variables below one part of a REST path; and names of environment variables. */
#include "layout/layout_internal.h"

#include "base/map.h"

/* The resource's name, when it is a plain text: of an expression nothing is known before
 * CloudFormation evaluates it. */
static const struct node *fixed_name(const struct node *resource)
{
    const struct node *name = cfn_given_name(resource);
    return cfn_is(cfn_type_of(resource), CFN_UNIQUE_NAME) && node_is(name, NODE_STRING) ? name
                                                                                        : NULL;
}

/* "function 'api'", or "resource 'Orders'". */
static struct str subject(const struct checking *k, struct str id)
{
    for (size_t i = 0; i < k->compiled->function_count; i++)
        if (str_eq(k->compiled->functions[i].logical_id, id))
            return str_fmt(k->arena, "function '%.*s'",
                           STR_ARG(k->compiled->functions[i].function->key));
    return str_fmt(k->arena, "resource '%.*s'", STR_ARG(id));
}

static struct pos place_of(const struct member *m, const struct node *inner)
{
    return node_pos(inner).source ? inner->pos : m->value->pos.source ? m->value->pos : m->key_pos;
}

int check_fixed_names(const struct checking *k, struct err *err)
{
    struct map seen = MAP(k->arena);
    member_each (m, k->resources) {
        const struct node *name = fixed_name(m->value);
        /* a resource under a condition may never exist together with the other one */
        if (!name || !node_empty(node_get_c(m->value, "Condition")))
            continue;
        struct str key =
            str_fmt(k->arena, "%.*s %.*s", STR_ARG(cfn_type_of(m->value)), STR_ARG(name->text));
        const struct member *old = map_get(&seen, key);
        if (!old) {
            map_put(&seen, key, m);
            continue;
        }
        struct err one = {0};
        err_at(&one, place_of(m, name), ERR_CONFIG, "%.*s and %.*s have the same name '%.*s'",
               STR_ARG(subject(k, old->key)), STR_ARG(subject(k, m->key)), STR_ARG(name->text));
        err_note(&one, place_of(old, fixed_name(old->value)), "%.*s is named",
                 STR_ARG(subject(k, old->key)));
        err_help(&one, "give one of them another name: AWS has it once in account and region");
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

/* ---- REST paths ---- */

/* "/users/{id}", as far as the parents are in the template. */
static struct str path_of(const struct checking *k, const struct node *resource, unsigned depth)
{
    enum { PATH_DEPTH_MAX = 50 };
    const struct node *p = node_get_c(resource, "Properties");
    const struct node *parent = node_get(k->resources, node_text(node_path(p, "ParentId.Ref")));
    struct str above =
        parent && depth < PATH_DEPTH_MAX ? path_of(k, parent, depth + 1) : (struct str){"", 0};
    return str_fmt(k->arena, "%.*s/%.*s", STR_ARG(above),
                   STR_ARG(node_text(node_get_c(p, "PathPart"))));
}

static bool is_variable(const struct node *resource)
{
    return node_is_text(node_get_c(resource, "Type"), "AWS::ApiGateway::Resource") &&
           node_empty(node_get_c(resource, "Condition")) &&
           str_starts(node_text(node_path(resource, "Properties.PathPart")), STR("{"));
}

static bool are_siblings(const struct node *x, const struct node *y)
{
    const struct node *p = node_get_c(x, "Properties"), *q = node_get_c(y, "Properties");
    const struct node *above = node_get_c(p, "ParentId"), *api = node_get_c(p, "RestApiId");
    return above && api && node_equal(above, node_get_c(q, "ParentId")) &&
           node_equal(api, node_get_c(q, "RestApiId"));
}

static void refuse_sibling(const struct checking *k, const struct member *old,
                           const struct member *m, struct err *err)
{
    struct str first = path_of(k, old->value, 0), second = path_of(k, m->value, 0);
    struct err one = {0};
    err_at(&one, place_of(m, node_path(m->value, "Properties.PathPart")), ERR_CONFIG,
           "REST routes '%.*s' and '%.*s' have different variables in one place", STR_ARG(first),
           STR_ARG(second));
    err_note(&one, place_of(old, node_path(old->value, "Properties.PathPart")),
             "the other route is");
    err_help(&one, "API Gateway takes one variable below a part of a path: give it the same name "
                   "in all routes");
    err_also(err, &one);
}

/* Source: API Gateway, CreateResource: "A sibling ({id}) of this resource already has a variable
 * path part -- only one is allowed". */
int check_routes(const struct checking *k, struct err *err)
{
    VEC(const struct member *) variables = {0};
    member_each (m, k->resources) {
        if (!is_variable(m->value))
            continue;
        vec_each (&variables, old)
            if (are_siblings((*old)->value, m->value)) {
                refuse_sibling(k, *old, m, err);
                break;
            }
        vec_push(k->arena, &variables, m);
    }
    return err->kind ? -1 : 0;
}

/* ---- environment variables ---- */

/* Source: Lambda API reference, Environment: [a-zA-Z]([a-zA-Z0-9_])+ */
static bool is_variable_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool is_letter = (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z';
        if (!is_letter && (i == 0 || !((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_')))
            return false;
    }
    return s.n > 1;
}

/* A variable that is {Ref: AWS::NoValue}, or may be, is no variable for Lambda. */
static bool may_be_none(const struct node *value)
{
    return node_get_c(value, "Fn::If") || cfn_is_no_value(value);
}

int check_environments(const struct checking *k, struct err *err)
{
    member_each (m, k->resources) {
        if (!node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Function"))
            continue;
        member_each (v, node_path(m->value, "Properties.Environment.Variables")) {
            struct err one = {0};
            if (is_variable_name(v->key) || may_be_none(v->value) ||
                /* a whole map by a function: its names are not known */
                str_starts(v->key, STR("Fn::")))
                continue;
            err_at(&one, v->key_pos.source ? v->key_pos : place_of(m, v->value), ERR_CONFIG,
                   "Lambda takes no environment variable '%.*s'", STR_ARG(v->key));
            err_help(&one, "names have at least two characters, the first a letter, the others "
                           "letters, digits and '_'");
            err_also(err, &one);
        }
    }
    return err->kind ? -1 : 0;
}
