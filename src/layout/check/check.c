/* What AWS is certain to refuse, known from the flat template: said before anything is made.
 *
 * Not part of compiling: `package` writes what the dialect's reference writes, and leaves it to
 * others what they make of it. */
#include "layout/layout_internal.h"

static int (*const checks[])(const struct checking *, struct err *) = {
    check_parts,      check_references,    check_fixed_names,
    check_routes,     check_environments,  check_parameters,
    check_bucket_key, check_stack_policy,  check_dynamic_references,
    check_edge,       check_notifications, check_triggers,
};

/* Macros and modules add resources that the template does not show: no reference in such a template
 * can be called wrong. */
static bool is_open(const struct node *n)
{
    node_each (item, n)
        if (is_open(item))
            return true;
    member_each (m, n) {
        bool is_macro = str_starts(m->key, STR("Fn::ForEach")) ||
                        str_eq(m->key, STR("Fn::Transform")) || str_eq(m->key, STR("Transform"));
        bool is_module = str_eq(m->key, STR("Type")) && node_is(m->value, NODE_STRING) &&
                         str_ends(m->value->text, STR("::MODULE"));
        if (is_macro || is_module || is_open(m->value))
            return true;
    }
    return false;
}

int layout_check(struct arena *a, const struct service *service, const struct compiled *compiled,
                 struct err *err)
{
    struct checking k = {.arena = a,
                         .service = service,
                         .compiled = compiled,
                         .resources = node_get_c(compiled->template, "Resources"),
                         .is_open = is_open(compiled->template)};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct err one = {0};
        checks[i](&k, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
