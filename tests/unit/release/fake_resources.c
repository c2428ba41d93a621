/* What a template makes: functions and aliases, and the values of its Outputs. */
#include "check.h"

#include "fake_aws.h"

#include "base/hash.h"
#include "doc/json.h"

struct making {
    struct fake_aws *aws;
    struct str stack, form; /* name of the stack; the request with the parameters */
    const struct node *template;
};

static struct str resolve(const struct making *m, const struct node *value);

static struct str parameter(const struct making *m, struct str name)
{
    struct arena *a = m->aws->arena;
    for (size_t i = 1;; i++) {
        struct str key =
            fake_param(a, m->form, str_fmt(a, "Parameters.member.%zu.ParameterKey", i).p);
        if (!key.n)
            return (struct str){"", 0};
        if (str_eq(key, name))
            return fake_param(a, m->form, str_fmt(a, "Parameters.member.%zu.ParameterValue", i).p);
    }
}

static struct str physical(const struct making *m, struct str id)
{
    const struct node *resource = node_get(node_get_c(m->template, "Resources"), id);
    const struct node *properties = node_get_c(resource, "Properties");
    if (node_is_text(node_get_c(resource, "Type"), "AWS::S3::Bucket"))
        return STR(FAKE_BUCKET);
    struct str name = resolve(m, node_get_c(properties, "FunctionName"));
    return name.n ? name : str_fmt(m->aws->arena, "%.*s-%.*s", STR_ARG(m->stack), STR_ARG(id));
}

static struct str resolve(const struct making *m, const struct node *value)
{
    struct str ref = node_text(node_get_c(value, "Ref")), given;
    const struct node *attribute = node_get_c(value, "Fn::GetAtt");
    if (attribute) {
        given = physical(m, node_text(node_path(attribute, "0")));
        return str_fmt(m->aws->arena, "arn:aws:x:eu-central-1:" FAKE_ACCOUNT ":%.*s",
                       STR_ARG(given));
    }
    if (!ref.n)
        return node_text(value);
    given = parameter(m, ref);
    return given.n ? given : physical(m, ref);
}

static void make_function(const struct making *m, struct str id, const struct node *properties)
{
    struct arena *a = m->aws->arena;
    struct str name = physical(m, id);
    struct node *head = node_map(a);
    if (fake_function_find(m->aws, name))
        return;
    member_each (p, properties)
        if (!str_eq(p->key, STR("Code")) && !str_eq(p->key, STR("Role")))
            node_put(a, head, p->key, p->value);
    node_put_str(a, head, "Role", resolve(m, node_get_c(properties, "Role")));
    fake_function_add(m->aws, str_z(a, name), json_text(a, head, 0).p, STR("first"));
}

static void make_alias(const struct making *m, const struct node *properties)
{
    struct arena *a = m->aws->arena;
    struct fake_function *f =
        fake_function_find(m->aws, resolve(m, node_get_c(properties, "FunctionName")));
    struct str name = resolve(m, node_get_c(properties, "Name"));
    struct node *alias = NULL;
    if (!f)
        return;
    for (size_t i = 0; i < f->aliases.n; i++)
        if (str_eq(node_text(node_get_c(f->aliases.p[i], "Name")), name))
            alias = f->aliases.p[i];
    if (!alias) {
        alias = node_map(a);
        node_put_str(a, alias, "Name", name);
        vec_push(a, &f->aliases, alias);
    }
    node_put_str(a, alias, "FunctionVersion",
                 resolve(m, node_get_c(properties, "FunctionVersion")));
}

void fake_make(struct fake_aws *aws, struct fake_stack *s, struct str form)
{
    struct err err = {0};
    struct node *outputs = node_map(aws->arena);
    struct making m = {aws, s->name, form,
                       json_parse(aws->arena, STR("template"), s->template, &err)};
    static const char *const types[] = {"AWS::Lambda::Function", "AWS::Lambda::Alias"};
    for (size_t i = 0; i < 2; i++)
        member_each (r, node_get_c(m.template, "Resources")) {
            const struct node *properties = node_get_c(r->value, "Properties");
            if (!node_is_text(node_get_c(r->value, "Type"), types[i]))
                continue;
            if (i == 0)
                make_function(&m, r->key, properties);
            else
                make_alias(&m, properties);
        }
    member_each (o, node_get_c(m.template, "Outputs"))
        node_put(aws->arena, outputs, o->key,
                 node_str(aws->arena, resolve(&m, node_get_c(o->value, "Value"))));
    s->outputs = outputs;
    err_clear(&err);
}
