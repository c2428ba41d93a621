/* What a template makes: functions and aliases, APIs and their stages, and values for its Outputs.
 */
#include "check.h"

#include "fake_aws.h"

#include "base/hash.h"
#include "base/map.h"
#include "doc/json.h"

struct making {
    struct fake_aws *aws;
    struct str stack, form; /* name; the request, which has the parameters */
    const struct node *template, *physical;
    const struct node *made;       /* the template before, NULL: none */
    const struct node *parameters; /* of the stack, where the request does not say them */
};

static struct str resolve(const struct making *m, const struct node *value);

static const struct node *resource_of(const struct node *template, struct str id)
{
    return node_get(node_get_c(template, "Resources"), id);
}

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

/* The number of the version that resource `id` has made; empty: none yet. */
static struct str version_of(const struct making *m, struct str id)
{
    const struct node *properties = node_get_c(resource_of(m->template, id), "Properties");
    struct fake_function *f =
        fake_function_find(m->aws, resolve(m, node_get_c(properties, "FunctionName")));
    for (size_t i = 0; f && i < f->resources.n; i++)
        if (str_eq(f->resources.p[i], id))
            return str_fmt(m->aws->arena, "%zu", i + 1);
    return (struct str){"", 0};
}

static struct str resolve(const struct making *m, const struct node *value)
{
    struct str ref = node_text(node_get_c(value, "Ref")), given;
    const struct node *attribute = node_get_c(value, "Fn::GetAtt");
    if (attribute && node_is_text(node_path(attribute, "1"), "Version"))
        return version_of(m, node_text(node_path(attribute, "0")));
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

/* What it has now, unless this update does not touch it: then the head stays as it is. */
static void make_function(const struct making *m, struct str id, const struct node *properties)
{
    struct arena *a = m->aws->arena;
    struct str name = physical(m, id), key = resolve(m, node_path(properties, "Code.S3Key"));
    struct fake_function *f = fake_function_find(m->aws, name);
    const struct fake_object *object =
        fake_object_find_in(m->aws, resolve(m, node_path(properties, "Code.S3Bucket")), key);
    struct node *head = node_map(a);
    if (f && node_equal(resource_of(m->made, id), resource_of(m->template, id)))
        return;
    member_each (p, properties)
        if (!str_eq(p->key, STR("Code")) && !str_eq(p->key, STR("Role")))
            node_put(a, head, p->key, p->value);
    node_put_str(a, head, "Role", resolve(m, node_get_c(properties, "Role")));
    if (!f)
        f = fake_function_add(m->aws, str_z(a, name), json_text(a, head, 0).p,
                              object ? object->body : STR("first"));
    else if (object)
        node_put_str(a, f->head, "CodeSha256", sha256_base64(a, object->body));
}

static void make_version(const struct making *m, struct str id, const struct node *properties)
{
    struct arena *a = m->aws->arena;
    struct fake_function *f =
        fake_function_find(m->aws, resolve(m, node_get_c(properties, "FunctionName")));
    if (!f || version_of(m, id).n)
        return;
    struct node *version = node_deep(a, f->head);
    node_put_c(a, version, "Version", node_strf(a, "%zu", f->versions.n + 1));
    while (f->resources.n < f->versions.n)
        vec_push(a, &f->resources, STR(""));
    vec_push(a, &f->versions, version);
    vec_push(a, &f->resources, str_dup(a, id));
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

/* ---- all of them ---- */

/* In this order: what points comes after what it points at. */
static const struct type {
    const char *name, *owner, *pointer; /* properties of a pointer */
} types[] = {{"AWS::Lambda::Function"},
             {"AWS::Lambda::Version"},
             {"AWS::Lambda::Alias", "FunctionName", "Name"},
             {"AWS::ApiGateway::RestApi"},
             {"AWS::ApiGatewayV2::Api"},
             {"AWS::ApiGateway::Stage", "RestApiId", "StageName"},
             {"AWS::ApiGatewayV2::Stage", "ApiId", "StageName"}};
enum { TYPES = sizeof types / sizeof *types };

static void make(const struct making *m, size_t type, struct str id, const struct node *properties)
{
    switch (type) {
    case 0:
        make_function(m, id, properties);
        break;
    case 1:
        make_version(m, id, properties);
        break;
    case 2:
        make_alias(m, properties);
        break;
    case 3:
    case 4:
        make_api(m, id, type == 4);
        break;
    default:
        make_api_stage(m, properties, type == 6);
    }
}

static struct making making_of(struct fake_aws *aws, const struct fake_stack *s)
{
    struct err err = {0};
    struct making m = {.aws = aws, .stack = s->name, .physical = s->physical};
    if (s->template.p != aws->parsed.p || s->template.n != aws->parsed.n) {
        aws->parsed = s->template;
        aws->parsed_value = NULL;
        if (s->template.n) /* else it is being created */
            aws->parsed_value = json_parse(aws->arena, STR("template"), s->template, &err);
    }
    m.template = aws->parsed_value;
    m.parameters = s->parameters;
    m.made = s->made;
    err_clear(&err);
    return m;
}

void fake_make(struct fake_aws *aws, struct fake_stack *s, struct str form)
{
    struct node *outputs = node_map(aws->arena);
    struct making m = making_of(aws, s);
    m.form = form;
    for (size_t i = 0; i < TYPES; i++)
        member_each (r, node_get_c(m.template, "Resources"))
            if (node_is_text(node_get_c(r->value, "Type"), types[i].name))
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

/* Take the one whose `key` is `name` out of `all`. */
static void drop(struct node **all, size_t *n, const char *key, struct str name)
{
    for (size_t i = 0; i < *n; i++)
        if (str_eq(node_text(node_get_c(all[i], key)), name)) {
            memmove(&all[i], &all[i + 1], (--*n - i) * sizeof *all);
            return;
        }
}

static void drop_pointer(const struct making *m, const struct node *properties, const char *owner,
                         const char *name)
{
    struct str of = resolve(m, node_get_c(properties, owner));
    struct str called = resolve(m, node_get_c(properties, name));
    struct fake_function *f = fake_function_find(m->aws, of);
    struct fake_api *api = fake_api_find(m->aws, of);
    if (f)
        drop(f->aliases.p, &f->aliases.n, "Name", called);
    if (api)
        drop(api->stages.p, &api->stages.n, "stageName", called);
}

static bool is_same(const struct type *t, const struct node *before, const struct node *after)
{
    const struct node *was = node_get_c(before, "Properties"),
                      *is = node_get_c(after, "Properties");
    return after &&
           (!t->owner || (node_equal(node_get_c(was, t->owner), node_get_c(is, t->owner)) &&
                          node_equal(node_get_c(was, t->pointer), node_get_c(is, t->pointer))));
}

void fake_unmake(struct fake_aws *aws, const struct fake_stack *s, const struct node *next)
{
    struct making m = making_of(aws, s);
    member_each (r, node_get_c(m.template, "Resources")) {
        const struct node *after = node_get(node_get_c(next, "Resources"), r->key);
        const struct type *t = types;
        while (t < types + TYPES && !node_is_text(node_get_c(r->value, "Type"), t->name))
            t++;
        if (stays(r->value) || (t < types + TYPES ? is_same(t, r->value, after) : after != NULL))
            continue;
        struct fake_function *f = fake_function_find(aws, physical(&m, r->key));
        vec_push(aws->arena, &aws->deleted, physical(&m, r->key));
        if (t < types + TYPES && t->owner)
            drop_pointer(&m, node_get_c(r->value, "Properties"), t->owner, t->pointer);
        else if (t == types && f)
            *f = aws->functions.p[--aws->functions.n];
    }
}

/* ---- importing ---- */

void fake_identifiers(struct arena *a, const struct node *template, struct buf *b)
{
    /* Others cannot be imported. Source: the registry's schemas, "primaryIdentifier". */
    static const struct {
        const char *type, *names[2];
    } importable[] = {{"AWS::DynamoDB::Table", {"TableName"}},
                      {"AWS::S3::Bucket", {"BucketName"}},
                      {"AWS::SQS::Queue", {"QueueUrl"}},
                      {"AWS::Cognito::UserPool", {"UserPoolId"}},
                      {"AWS::Cognito::UserPoolClient", {"UserPoolId", "ClientId"}}};
    struct map seen = MAP(a);
    buf_lit(b, "<ResourceIdentifierSummaries>");
    member_each (r, node_get_c(template, "Resources"))
        for (size_t i = 0; i < sizeof importable / sizeof *importable; i++) {
            struct str type = node_text(node_get_c(r->value, "Type"));
            if (!str_eq(type, str_c(importable[i].type)) || map_has(&seen, type))
                continue;
            map_put(&seen, type, b);
            buf_fmt(b, "<member><ResourceType>%s</ResourceType><ResourceIdentifiers>",
                    importable[i].type);
            for (size_t k = 0; k < 2 && importable[i].names[k]; k++)
                buf_fmt(b, "<member>%s</member>", importable[i].names[k]);
            buf_lit(b, "</ResourceIdentifiers></member>");
        }
    buf_lit(b, "</ResourceIdentifierSummaries>");
}
