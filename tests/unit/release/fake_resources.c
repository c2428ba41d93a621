/* What a template makes: functions and aliases, APIs and their stages, and values for its Outputs.
 */
#include "check.h"

#include "fake_aws.h"

#include "base/hash.h"
#include "base/map.h"
#include "doc/json.h"

struct making {
    struct fake_aws *aws;
    struct str stack, form; /* name of the stack; the request with the parameters */
    const struct node *template, *physical;
    const struct node *made;       /* the template before, NULL: none */
    const struct node *parameters; /* of the stack, where the request does not say them */
};

static struct str resolve(const struct making *m, const struct node *value);

static struct str parameter(const struct making *m, struct str name)
{
    struct arena *a = m->aws->arena;
    for (size_t i = 1;; i++) {
        struct str key =
            fake_param(a, m->form, str_fmt(a, "Parameters.member.%zu.ParameterKey", i).p);
        if (!key.n)
            return node_text(node_get(m->parameters, name));
        struct str value =
            fake_param(a, m->form, str_fmt(a, "Parameters.member.%zu.ParameterValue", i).p);
        if (str_eq(key, name))
            return value.n ? value : node_text(node_get(m->parameters, name));
    }
}

static struct str physical(const struct making *m, struct str id)
{
    const struct node *resource = node_get(node_get_c(m->template, "Resources"), id);
    const struct node *properties = node_get_c(resource, "Properties");
    struct str own = node_text(node_get(m->physical, id));
    bool bucket = node_is_text(node_get_c(resource, "Type"), "AWS::S3::Bucket");
    if (own.n)
        return own;
    if (bucket && str_starts(id, STR("ServerlessDeploymentBucket")))
        return STR(FAKE_BUCKET);
    static const char *const names[] = {"FunctionName", "BucketName", "TableName", "QueueName",
                                        "LogGroupName"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str name = resolve(m, node_get_c(properties, names[i]));
        if (name.n && !node_is_text(node_get_c(resource, "Type"), "AWS::Lambda::Alias"))
            return name;
    }
    return str_fmt(m->aws->arena, "%.*s-%.*s", STR_ARG(m->stack), STR_ARG(id));
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

/* CloudFormation takes one that somebody deleted for one that is there. */
static bool is_made(const struct making *m, const struct node *properties)
{
    member_each (r, node_get_c(m->made, "Resources")) {
        const struct node *before = node_get_c(r->value, "Properties");
        if (node_is_text(node_get_c(r->value, "Type"), "AWS::Lambda::Alias") &&
            node_equal(node_get_c(before, "Name"), node_get_c(properties, "Name")) &&
            node_equal(node_get_c(before, "FunctionName"), node_get_c(properties, "FunctionName")))
            return true;
    }
    return false;
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
    if (!alias && is_made(m, properties))
        return;
    if (!alias) {
        alias = node_map(a);
        node_put_str(a, alias, "Name", name);
        vec_push(a, &f->aliases, alias);
    }
    node_put_str(a, alias, "FunctionVersion",
                 resolve(m, node_get_c(properties, "FunctionVersion")));
}

static void make_api(const struct making *m, struct str id, bool http)
{
    struct arena *a = m->aws->arena;
    struct str name = physical(m, id);
    if (fake_api_find(m->aws, name))
        return;
    struct fake_api *api = fake_api_add(m->aws, str_z(a, name));
    api->http = http;
    api->integrations = node_seq(a);
}

static void make_api_stage(const struct making *m, const struct node *properties, bool http)
{
    struct arena *a = m->aws->arena;
    struct str owner = resolve(m, node_get_c(properties, http ? "ApiId" : "RestApiId"));
    struct str name = resolve(m, node_get_c(properties, "StageName"));
    struct fake_api *api = fake_api_find(m->aws, owner);
    struct node *stage = api ? fake_api_stage(api, name) : NULL;
    if (!api)
        return;
    if (!stage) {
        stage = node_map(a);
        node_put_str(a, stage, "stageName", name);
        vec_push(a, &api->stages, stage);
    }
    node_put_str(a, stage, "deploymentId", resolve(m, node_get_c(properties, "DeploymentId")));
}

/* In this order: what points comes after what it points at. */
static void make(const struct making *m, size_t type, struct str id, const struct node *properties)
{
    switch (type) {
    case 0:
        make_function(m, id, properties);
        break;
    case 1:
        make_alias(m, properties);
        break;
    case 2:
    case 3:
        make_api(m, id, type == 3);
        break;
    default:
        make_api_stage(m, properties, type == 5);
    }
}

void fake_make(struct fake_aws *aws, struct fake_stack *s, struct str form)
{
    struct err err = {0};
    struct making m = {.aws = aws, .stack = s->name, .physical = s->physical};
    if (s->template.n) /* else it is being created */
        m.template = json_parse(aws->arena, STR("template"), s->template, &err);
    m.parameters = s->parameters;
    m.made = s->made;
    err_clear(&err);
    return m;
}

void fake_make(struct fake_aws *aws, struct fake_stack *s, struct str form)
{
    struct node *outputs = node_map(aws->arena);
    struct making m = {aws, s->name, form,
                       json_parse(aws->arena, STR("template"), s->template, &err)};
    static const char *const types[] = {"AWS::Lambda::Function",    "AWS::Lambda::Alias",
                                        "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api",
                                        "AWS::ApiGateway::Stage",   "AWS::ApiGatewayV2::Stage"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        member_each (r, node_get_c(m.template, "Resources"))
            if (node_is_text(node_get_c(r->value, "Type"), types[i]))
                make(&m, i, r->key, node_get_c(r->value, "Properties"));
    member_each (o, node_get_c(m.template, "Outputs"))
        node_put(aws->arena, outputs, o->key,
                 node_str(aws->arena, resolve(&m, node_get_c(o->value, "Value"))));
    s->outputs = outputs;
    s->made = m.template;
}

struct str fake_physical(struct fake_aws *aws, const struct fake_stack *s, struct str id)
{
    struct making m = making_of(aws, s);
    return physical(&m, id);
}

/* ---- what goes ---- */

/* By its DeletionPolicy, which only counts when it leaves the stack. */
static bool stays(const struct node *resource)
{
    const struct node *policy = node_get_c(resource, "DeletionPolicy");
    return policy && !node_is_text(policy, "Delete");
}

struct str fake_full_bucket(struct fake_aws *aws, const struct fake_stack *s)
{
    struct making m = making_of(aws, s);
    member_each (r, node_get_c(m.template, "Resources")) {
        if (!node_is_text(node_get_c(r->value, "Type"), "AWS::S3::Bucket") || stays(r->value))
            continue;
        for (size_t i = 0; i < aws->objects.n; i++)
            if (str_eq(aws->objects.p[i].bucket, physical(&m, r->key)))
                return r->key;
    }
    return (struct str){NULL, 0};
}

static void drop_alias(const struct making *m, const struct node *properties)
{
    struct fake_function *f =
        fake_function_find(m->aws, resolve(m, node_get_c(properties, "FunctionName")));
    struct str name = resolve(m, node_get_c(properties, "Name"));
    for (size_t i = 0; f && i < f->aliases.n; i++)
        if (str_eq(node_text(node_get_c(f->aliases.p[i], "Name")), name))
            f->aliases.p[i--] = f->aliases.p[--f->aliases.n];
}

void fake_unmake(struct fake_aws *aws, const struct fake_stack *s, const struct node *next)
{
    struct making m = making_of(aws, s);
    member_each (r, node_get_c(m.template, "Resources")) {
        const struct node *type = node_get_c(r->value, "Type");
        if (stays(r->value) || node_get(node_get_c(next, "Resources"), r->key))
            continue;
        struct fake_function *f = fake_function_find(aws, physical(&m, r->key));
        vec_push(aws->arena, &aws->deleted, physical(&m, r->key));
        if (node_is_text(type, "AWS::Lambda::Alias"))
            drop_alias(&m, node_get_c(r->value, "Properties"));
        else if (node_is_text(type, "AWS::Lambda::Function") && f)
            *f = aws->functions.p[--aws->functions.n];
    }
}

/* ---- importing ---- */

void fake_identifiers(struct arena *a, const struct node *template, struct buf *b)
{
    /* Others cannot be imported. Source: the registry's schemas, "primaryIdentifier". */
    static const struct {
        const char *type, *names[2];
    } types[] = {{"AWS::DynamoDB::Table", {"TableName"}},
                 {"AWS::S3::Bucket", {"BucketName"}},
                 {"AWS::SQS::Queue", {"QueueUrl"}},
                 {"AWS::Cognito::UserPool", {"UserPoolId"}},
                 {"AWS::Cognito::UserPoolClient", {"UserPoolId", "ClientId"}}};
    struct map seen = MAP(a);
    buf_lit(b, "<ResourceIdentifierSummaries>");
    member_each (r, node_get_c(template, "Resources"))
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            struct str type = node_text(node_get_c(r->value, "Type"));
            if (!str_eq(type, str_c(types[i].type)) || map_has(&seen, type))
                continue;
            map_put(&seen, type, b);
            buf_fmt(b, "<member><ResourceType>%s</ResourceType><ResourceIdentifiers>",
                    types[i].type);
            for (size_t k = 0; k < 2 && types[i].names[k]; k++)
                buf_fmt(b, "<member>%s</member>", types[i].names[k]);
            buf_lit(b, "</ResourceIdentifiers></member>");
        }
    buf_lit(b, "</ResourceIdentifierSummaries>");
}
