#include "release/policy/policy_internal.h"

#include "release/image/image.h"

#include "aws/services/operations.h"
#include "base/buf.h"
#include "cfn/cfn.h"
#include "cfn/expression.h"
#include "cfn/template.h"
#include "doc/json.h"
#include "layout/split/split.h"
#include "release/dispose/network.h"
#include "release/plan/plan.h"
#include "release/world/deployment_bucket.h"
#include "release/stack/stack.h"

struct making {
    struct arena *arena;
    const struct policy_request *request;
    struct str role; /* provider.iam.deploymentRole, or empty */
    struct policy_stack stage, service;
    struct str bucket;                         /* ARN */
    struct str objects[2];                     /* ARN; the second of a remote stage, or empty */
    const struct node *functions, *log_groups; /* ARNs */
    struct node *stacks;                       /* ARNs */
    struct grants caller, cloudformation;      /* the second with a deployment role */
    struct node *notes;
    struct map unknown; /* types that nobody knows the actions of */
};

static void grant(struct making *x, struct grants *to, struct str action, struct str resource,
                  const struct node *condition, struct str why)
{
    if (resource.n)
        vec_push(x->arena, &to->all, (struct grant){action, resource, condition, why});
}

static void grant_each(struct making *x, struct grants *to, struct str action,
                       const struct node *resources, const struct node *condition, struct str why)
{
    node_each (resource, resources)
        grant(x, to, action, node_text(resource), condition, why);
}

/* {"StringEquals": {key: value}} */
static const struct node *equals(struct arena *a, const char *key, struct str value)
{
    struct node *keys = node_map(a);
    node_put_str(a, keys, key, value);
    return node_fn(a, "StringEquals", keys);
}

/* ---- what CloudFormation calls ---- */

struct visiting {
    struct making *x;
    struct grants *to;
    const struct policy_stack *stack;
    const struct node *resource, *arns;
    struct str type, why;
    bool published; /* a definition: troupe itself calls Lambda for it */
};

/* Actions that IAM lets a condition on the role's boundary hold for. Source: Service Authorization
 * Reference, "Actions, resources, and condition keys for AWS IAM". */
static bool knows_boundary(struct str action)
{
    static const char *const actions[] = {"iam:AttachRolePolicy",           "iam:CreateRole",
                                          "iam:DeleteRolePolicy",           "iam:DetachRolePolicy",
                                          "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (str_eq(action, str_c(actions[i])))
            return true;
    return false;
}

static const struct node *condition_of(const struct visiting *v, struct str action)
{
    struct str boundary =
        policy_text(v->stack, node_path(v->resource, "Properties.PermissionsBoundary"));
    return boundary.n && str_eq(v->type, STR("AWS::IAM::Role")) && knows_boundary(action)
               ? equals(v->x->arena, "iam:PermissionsBoundary", boundary)
               : NULL;
}

/* What the action of another service than the resource's is for. */
static void grant_foreign(const struct visiting *v, struct str action)
{
    struct making *x = v->x;
    struct str arn = STR("*");
    if (str_eq(action, STR("iam:CreateServiceLinkedRole")))
        arn = policy_arn(v->stack, STR("iam::{account}:role/aws-service-role/*"), STR(""), STR(""));
    bool code =
        str_starts(action, STR("s3:GetObject")) && str_starts(v->type, STR("AWS::Lambda::"));
    for (size_t i = 0; code && i < sizeof x->objects / sizeof *x->objects; i++)
        grant(x, v->to, action, x->objects[i], NULL, v->why);
    if (!code)
        grant(x, v->to, action, arn, NULL, v->why);
}

static void grant_layers(const struct visiting *v)
{
    struct str other =
        policy_arn(v->stack, STR("lambda:{region}:{account}:layer:*"), STR(""), STR(""));
    node_each (layer, node_path(v->resource, "Properties.Layers")) {
        struct str arn = policy_text(v->stack, layer);
        grant(v->x, v->to, STR("lambda:GetLayerVersion"), arn.n ? arn : other, NULL, v->why);
    }
}

static void grant_action(void *context, struct str action)
{
    const struct visiting *v = context;
    const struct cfn_arn *arn = cfn_arn_of(v->type);
    struct str rest = arn ? str_c(arn->form) : STR("*"), own, rest_of_action = action, service;
    str_cut(&rest, ':', &own);
    str_cut(&rest_of_action, ':', &service);
    if (str_eq(action, STR("lambda:GetLayerVersion")))
        grant_layers(v);
    else if (v->published && str_eq(service, STR("lambda")))
        return;
    else if (cfn_asks_for_all(action))
        grant(v->x, v->to, action, STR("*"), NULL, v->why);
    else if (arn && !str_eq(service, own))
        grant_foreign(v, action);
    else
        grant_each(v->x, v->to, action, v->arns, condition_of(v, action), v->why);
}

static void pass_role(struct making *x, struct grants *to, struct str role, struct str service,
                      struct str why)
{
    struct str principal = str_fmt(x->arena, "%.*s.amazonaws.com", STR_ARG(service));
    grant(x, to, STR("iam:PassRole"), role,
          service.n ? equals(x->arena, "iam:PassedToService", principal) : NULL, why);
}

static void grant_role(void *context, const struct node *role, struct str service)
{
    const struct visiting *v = context;
    pass_role(v->x, v->to, policy_role(v->stack, role), service, v->why);
}

static void add_resource(struct making *x, struct grants *to, const struct policy_stack *stack,
                         struct str id, const struct node *resource, bool published)
{
    struct arena *a = x->arena;
    struct str type = cfn_type_of(resource);
    struct visiting v = {x, to, stack, resource, policy_arns(stack, id, resource), type};
    v.published = published;
    v.why =
        published ? STR("publish functions") : str_fmt(a, "CloudFormation: %.*s", STR_ARG(type));
    struct str token = policy_text(stack, node_path(resource, "Properties.ServiceToken"));
    if (str_starts(type, STR("Custom::")) ||
        str_eq(type, STR("AWS::CloudFormation::CustomResource")))
        grant(x, to, STR("lambda:InvokeFunction"),
              token.n ? token : node_text(x->functions->items[0]), NULL, v.why);
    else if (!cfn_each_action(resource, grant_action, &v) &&
             !str_starts(type, STR("AWS::CloudFormation::Wait")))
        map_put(&x->unknown, type, x);
    cfn_each_passed(resource, grant_role, &v);
}

/* The nested stacks of a template that is too large for one. */
static int add_nested(struct making *x, struct grants *to, const struct policy_stack *stack,
                      const struct node *template, struct err *err)
{
    struct split split;
    if (layout_split(x->arena, template, NULL, &split_limits, &split, err) < 0)
        return -1;
    if (!split.nested_count)
        return 0;
    struct str name = str_fmt(x->arena, "%.*s-TroupePart*", STR_ARG(stack->name));
    struct str form = STR("cloudformation:{region}:{account}:stack/{name}/*");
    node_push(x->arena, x->stacks, node_str(x->arena, policy_arn(stack, form, STR(""), name)));
    member_each (m, node_get_c(split.root, "Resources"))
        if (str_eq(cfn_type_of(m->value), STR("AWS::CloudFormation::Stack")))
            add_resource(x, to, stack, STR("TroupePart"), m->value, false);
    return 0;
}

/* What CloudFormation is asked to look up: "{{resolve:ssm:/shop/key:2}}". Source: CloudFormation
 * user guide, "Get values stored in other services using dynamic references". */
static const struct reference {
    const char *begin;
    const char *action, *own; /* CloudFormation's, and troupe's for functions that it publishes */
    const char *form;
} references[] = {
    {"{{resolve:ssm:", "ssm:GetParameters", "ssm:GetParameter",
     "ssm:{region}:{account}:parameter/{name}"},
    {"{{resolve:ssm-secure:", "ssm:GetParameters", "ssm:GetParameter",
     "ssm:{region}:{account}:parameter/{name}"},
    {"{{resolve:secretsmanager:", "secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue",
     "secretsmanager:{region}:{account}:secret:{name}*"},
};

/* `rest` begins behind "{{resolve:ssm:". */
static void add_reference(struct making *x, struct grants *to, const struct policy_stack *stack,
                          const struct reference *r, bool own, struct str rest)
{
    ptrdiff_t end = str_find(rest, STR("}}"), 0), field = str_find(rest, STR(":SecretString"), 0);
    struct str name = str_sub(rest, 0, end < 0 ? rest.n : (size_t)end);
    if (str_starts(name, STR("arn:"))) {
        name = str_sub(name, 0, field < 0 ? name.n : (size_t)field);
    } else {
        str_cut(&(struct str){name.p, name.n}, ':', &name);
        str_skip(&name, STR("/"));
        if (str_find_char(name, '$', 0) >= 0) /* a variable of Fn::Sub */
            name = STR("*");
        name = policy_arn(stack, str_c(r->form), STR(""), name);
    }
    grant(x, to, str_c(own ? r->own : r->action), name, NULL,
          own ? STR("values of dynamic references in shared functions")
              : STR("CloudFormation: dynamic references"));
}

/* `own`: troupe looks them up. */
static void add_references(struct making *x, struct grants *to, const struct policy_stack *stack,
                           bool own, const struct node *n)
{
    node_each (item, n)
        add_references(x, to, stack, own, item);
    member_each (m, n)
        add_references(x, to, stack, own, m->value);
    struct str text = node_is(n, NODE_STRING) ? n->text : (struct str){"", 0};
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct str begin = str_c(references[i].begin);
        for (ptrdiff_t at = 0; (at = str_find(text, begin, (size_t)at)) >= 0;
             at += (ptrdiff_t)begin.n)
            add_reference(x, to, stack, &references[i], own,
                          str_sub(text, (size_t)at + begin.n, text.n));
    }
}

static int add_template(struct making *x, const struct policy_stack *stack,
                        const struct node *template, struct err *err)
{
    struct grants *to = x->role.n ? &x->cloudformation : &x->caller;
    member_each (m, stack->resources)
        add_resource(x, to, stack, m->key, m->value, false);
    add_references(x, to, stack, false, template);
    return add_nested(x, to, stack, template, err);
}

/* Shared functions: what Lambda asks of whoever publishes one. */
static void add_definitions(struct making *x)
{
    struct arena *a = x->arena;
    const struct layout *layout = x->request->layout;
    for (size_t i = 0; i < layout->function_count; i++) {
        const struct layout_function *f = &layout->functions[i];
        struct node *function = node_map(a), *code = node_map(a);
        if (f->per_stage)
            continue;
        add_references(x, &x->caller, &x->stage, true, f->definition);
        node_put_c(a, code, f->image ? "ImageUri" : "S3Bucket", node_str(a, STR("code")));
        node_put_str(a, function, "Type", STR("AWS::Lambda::Function"));
        node_put_c(a, function, "Properties", cfn_with(a, f->definition, "Code", code));
        add_resource(x, &x->caller, &x->stage, f->logical_id, function, true);
    }
}

/* ---- what troupe calls ---- */

static bool has_api(const struct layout *layout, enum api_kind kind)
{
    for (size_t i = 0; i < layout->api_count; i++)
        if (layout->apis[i].kind == kind)
            return true;
    return false;
}

static bool has_network(const struct node *template)
{
    member_each (m, node_get_c(template, "Resources"))
        if (network_is(cfn_type_of(m->value)))
            return true;
    return false;
}

static bool has_images(const struct layout *layout)
{
    for (size_t i = 0; i < layout->function_count; i++)
        if (layout->functions[i].image &&
            !compile_image_digest(node_text(layout->functions[i].image)).n)
            return true;
    return false;
}

static bool may_make_domain(const struct node *template)
{
    member_each (m, node_get_c(template, "Resources"))
        if (custom_domain_is(m->value))
            return true;
    return false;
}

static bool is_used(const struct making *x, enum aws_purpose purpose)
{
    const struct layout *layout = x->request->layout;
    switch (purpose) {
    case AWS_LIFE:
        return true;
    case AWS_LIFE_REST:
        return has_api(layout, API_REST);
    case AWS_LIFE_HTTP:
        return has_api(layout, API_HTTP);
    case AWS_LIFE_ALARMS:
        return x->request->service->settings.shift.alarms != NULL;
    case AWS_LIFE_API_LOGS:
        return api_logs_need_role(layout->stage_template);
    case AWS_LIFE_NETWORK:
        return has_network(layout->stage_template);
    case AWS_LIFE_IMAGES:
        return has_images(layout);
    case AWS_LIFE_GUARDED:
        return x->request->service->settings.has_terminations;
    case AWS_LIFE_BUCKET:
        return deployment_bucket_is_made(x->request->service);
    case AWS_LIFE_DOMAINS:
        return may_make_domain(layout->stage_template);
    case AWS_VARIABLES:
    case AWS_OTHERS:
    case AWS_FREE:
        break;
    }
    return false;
}

static struct node *one_item(struct arena *a, const struct node *item)
{
    struct node *list = node_seq(a);
    node_push(a, list, item);
    return list;
}

static const struct node *one(struct arena *a, struct str text)
{
    return one_item(a, node_str(a, text));
}

static const struct node *gateways(struct making *x, const char *type)
{
    struct node *resource = node_map(x->arena);
    node_put_str(x->arena, resource, "Type", str_c(type));
    return policy_arns(&x->service, STR(""), resource);
}

static const struct node *objects_of(struct making *x, enum aws_object on)
{
    struct arena *a = x->arena;
    struct node *objects = node_seq(a);
    switch (on) {
    case AWS_STACKS:
        return x->stacks;
    case AWS_BUCKET:
        return one(a, x->bucket);
    case AWS_OBJECTS:
        for (size_t i = 0; i < sizeof x->objects / sizeof *x->objects; i++)
            node_push(a, objects, node_str(a, x->objects[i]));
        return objects;
    case AWS_FUNCTIONS:
        return x->functions;
    case AWS_LOG_GROUPS:
        return x->log_groups;
    case AWS_REST_APIS:
        return gateways(x, "AWS::ApiGateway::RestApi");
    case AWS_HTTP_APIS:
        return gateways(x, "AWS::ApiGatewayV2::Api");
    case AWS_API_ACCOUNT:
        return one(a,
                   policy_arn(&x->service, STR("apigateway:{region}::/account"), STR(""), STR("")));
    case AWS_REPOSITORIES:
        return one(a, policy_arn(&x->service,
                                 str_fmt(a, "ecr:{region}:{account}:repository/%.*s",
                                         STR_ARG(image_repository(a, x->request->service))),
                                 STR(""), STR("")));
    case AWS_ANYTHING:
    case AWS_PARAMETERS:
        break;
    }
    return one(a, STR("*"));
}

static void add_operations(struct making *x)
{
    for (size_t i = 0; i < aws_operation_count; i++) {
        const struct aws_operation *o = &aws_operations[i];
        struct str rest = str_c(o->actions), action;
        while (is_used(x, o->purpose) && str_cut(&rest, ' ', &action))
            grant_each(x, &x->caller, action, objects_of(x, o->on), NULL, str_c(o->why));
    }
    const struct layout *layout = x->request->layout;
    for (size_t i = 0; i < layout->api_count; i++)
        if (layout->apis[i].kind == API_REST &&
            node_get_c(layout->apis[i].document, "x-amazon-apigateway-policy"))
            grant_each(x, &x->caller, STR("apigateway:UpdateRestApiPolicy"),
                       objects_of(x, AWS_REST_APIS), NULL, STR("write the API's definition"));
    const struct node *provider = node_get_c(x->request->service->root, "provider");
    if (node_count(node_get_c(provider, "stackPolicy")))
        grant_each(x, &x->caller, STR("cloudformation:SetStackPolicy"), x->stacks, NULL,
                   STR("set provider.stackPolicy"));
    struct str log_role = node_text(node_path(provider, "logs.restApi.role"));
    if (log_role.n && is_used(x, AWS_LIFE_API_LOGS))
        pass_role(x, &x->caller, log_role, STR("apigateway"),
                  STR("give provider.logs.restApi.role to API Gateway"));
    if (x->role.n)
        pass_role(x, &x->caller, x->role, STR("cloudformation"),
                  STR("give provider.iam.deploymentRole to CloudFormation"));
}

/* "ssm(raw,eu-west-1):/app/key" -> source, its parameters, the address. */
static void cut_variable(struct str text, struct str *ret_source, struct str *ret_params,
                         struct str *ret_address)
{
    ptrdiff_t colon = str_find_char(text, ':', 0);
    struct str head = str_sub(text, 0, colon < 0 ? text.n : (size_t)colon);
    *ret_address = str_sub(text, head.n + 1, text.n);
    str_cut(&head, '(', ret_source);
    str_strip(&head, STR(")"));
    *ret_params = head;
}

/* Values that variables ask AWS for. */
static void add_variables(struct making *x)
{
    struct arena *a = x->arena;
    const struct policy_stack *s = &x->service;
    member_each (m, x->request->service->externals) {
        struct str source, params, address, name = {"", 0};
        cut_variable(m->key, &source, &params, &address);
        struct str why = str_fmt(a, "${%.*s} in serverless.yml", STR_ARG(m->key));
        struct str secret = STR("/aws/reference/secretsmanager/"), rest = address;
        if (str_eq(source, STR("ssm"))) {
            bool is_secret = str_skip(&rest, secret);
            str_skip(&rest, STR("/"));
            grant(x, &x->caller, STR("ssm:GetParameter"),
                  policy_arn(s, STR("ssm:*:{account}:parameter/{name}"), STR(""),
                             is_secret ? str_sub(address, 1, address.n) : rest),
                  NULL, why);
            if (is_secret)
                grant(
                    x, &x->caller, STR("secretsmanager:GetSecretValue"),
                    policy_arn(s, STR("secretsmanager:*:{account}:secret:{name}-*"), STR(""), rest),
                    NULL, why);
        } else if (str_eq(source, STR("s3"))) {
            grant(x, &x->caller, STR("s3:GetObject"),
                  policy_arn(s, STR("s3:::{name}"), STR(""), address), NULL, why);
        } else if (str_eq(source, STR("cf")) && str_cut(&rest, '.', &name)) {
            grant(x, &x->caller, STR("cloudformation:DescribeStacks"), STR("*"), NULL, why);
        }
    }
}

/* ---- the service's things ---- */

static struct policy_stack stack_of(struct making *x, const struct policy_stack *service)
{
    const struct policy_request *q = x->request;
    const struct service *s = q->service;
    struct str stage = service ? s->stage : (struct str){"", 0};
    struct policy_stack stack = {.request = q, .arena = x->arena, .service = service};
    const struct node *template = service ? q->layout->stage_template : q->layout->service_template;
    stack.resources = node_get_c(template, "Resources");
    stack.name = layout_stack_name(x->arena, s, stage);
    if (service && q->every_stage)
        stack.name = str_fmt(x->arena, "%.*s-*", STR_ARG(service->name));
    stack.region = service ? s->region : s->home;
    return stack;
}

static const struct node *named(struct making *x, const char *type, const char *property,
                                struct str name)
{
    struct node *resource = node_map(x->arena), *properties = node_map(x->arena);
    node_put_str(x->arena, properties, property, name);
    node_put_str(x->arena, resource, "Type", str_c(type));
    node_put_c(x->arena, resource, "Properties", properties);
    return policy_arns(&x->stage, STR(""), resource);
}

static void find_functions(struct making *x)
{
    struct arena *a = x->arena;
    const struct layout *layout = x->request->layout;
    struct node *functions = node_seq(a), *groups = node_seq(a);
    for (size_t i = 0; i < layout->function_count; i++) {
        struct str name = layout->functions[i].name;
        struct str group = str_concat(a, STR("/aws/lambda/"), name);
        node_each (arn, named(x, "AWS::Lambda::Function", "FunctionName", name))
            node_push(a, functions, arn);
        node_each (arn, named(x, "AWS::Logs::LogGroup", "LogGroupName", group))
            node_push(a, groups, arn);
    }
    x->functions = functions;
    x->log_groups = groups;
}

static struct str bucket_arn(const struct policy_stack *s, const char *id)
{
    const struct node *bucket = node_get_c(s->resources, id);
    return bucket ? node_text(policy_arns(s, str_c(id), bucket)->items[0]) : (struct str){"", 0};
}

static void find_buckets(struct making *x)
{
    struct arena *a = x->arena;
    const struct service *service = x->request->service;
    const struct node *given = node_path(service->root, "provider.deploymentBucket");
    struct str name = node_text(node_is(given, NODE_MAP) ? node_get_c(given, "name") : given);
    struct str remote = bucket_arn(&x->stage, REMOTE_BUCKET);
    x->bucket = name.n ? policy_arn(&x->service, STR("s3:::{name}"), STR(""), name)
                       : bucket_arn(&x->service, SERVICE_BUCKET);
    x->objects[0] = str_fmt(a, "%.*s/troupe/%.*s/*", STR_ARG(x->bucket), STR_ARG(service->name));
    if (remote.n)
        x->objects[1] = str_fmt(a, "%.*s/troupe/%.*s/*", STR_ARG(remote), STR_ARG(service->name));
}

static void find_stacks(struct making *x)
{
    struct str form = STR("cloudformation:{region}:{account}:stack/{name}/*");
    const struct policy_stack *stacks[] = {&x->service, &x->stage};
    x->stacks = node_seq(x->arena);
    for (size_t i = 0; i < 2; i++)
        node_push(x->arena, x->stacks,
                  node_str(x->arena, policy_arn(stacks[i], form, STR(""), stacks[i]->name)));
}

/* ---- documents ---- */

static const struct node *document_of(struct arena *a, const struct node *statements)
{
    struct node *document = node_map(a);
    node_put_str(a, document, "Version", STR("2012-10-17"));
    node_put_c(a, document, "Statement", statements);
    return document;
}

static size_t size_of(struct arena *a, const struct node *statements)
{
    struct str text = json_text(a, document_of(a, statements), 0);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] != ' ';
    return n;
}

struct packing {
    struct making *x;
    struct str holder;
    size_t first; /* of this holder's, in ret */
    const struct node *reasons;
    struct node *page; /* statements of the document that is filled */
    VEC(struct policy) all;
};

static void pack(struct packing *p, const struct node *statements)
{
    struct arena *a = p->x->arena;
    struct node *reasons = node_map(a);
    node_each (statement, statements) {
        struct str sid = node_text(node_get_c(statement, "Sid"));
        node_put(a, reasons, sid, node_get(p->reasons, sid));
    }
    vec_push(a, &p->all,
             (struct policy){.holder = p->holder,
                             .document = document_of(a, statements),
                             .reasons = reasons,
                             .size = size_of(a, statements)});
}

/* `statement` with `n` of its resources from `from` on. */
static const struct node *part_of(struct arena *a, const struct node *statement, size_t from,
                                  size_t n)
{
    const struct node *all = node_get_c(statement, "Resource");
    struct node *some = node_seq(a);
    for (size_t i = from; i < from + n; i++)
        node_push(a, some, all->items[i]);
    return cfn_with(a, statement, "Resource", n == 1 ? some->items[0] : some);
}

/* Put the statement into the document that is filled, or into the next one. One that is too long
 * for any becomes two: each half is more than half a document, so that no document has both. */
static void pack_statement(struct packing *p, const struct node *statement)
{
    struct arena *a = p->x->arena;
    struct node *more = node_shallow(a, p->page);
    size_t n = node_is(node_get_c(statement, "Resource"), NODE_SEQ)
                   ? node_count(node_get_c(statement, "Resource"))
                   : 1;
    if (n > 1 && size_of(a, one_item(a, statement)) > POLICY_MAX) {
        pack_statement(p, part_of(a, statement, 0, n / 2));
        pack_statement(p, part_of(a, statement, n / 2, n - n / 2));
        return;
    }
    node_push(a, more, statement);
    if (p->page->count && size_of(a, more) > POLICY_MAX) {
        pack(p, p->page);
        more = one_item(a, statement);
    }
    p->page = more;
}

static void pack_all(struct packing *p, const struct grants *grants)
{
    struct arena *a = p->x->arena;
    const struct node *statements = grants_statements(a, grants, &p->reasons);
    p->page = node_seq(a);
    node_each (statement, statements)
        pack_statement(p, statement);
    if (p->page->count)
        pack(p, p->page);
}

static void name_policies(struct packing *p, const char *ending)
{
    struct arena *a = p->x->arena;
    const struct policy_request *q = p->x->request;
    struct str stage = q->every_stage ? STR("all-stages") : q->service->stage;
    size_t n = p->all.n - p->first;
    for (size_t i = 0; i < n; i++) {
        struct str number = n > 1 ? str_fmt(a, "-%zu", i + 1) : (struct str){"", 0};
        p->all.p[p->first + i].name = str_fmt(a, "%.*s-%.*s-%s%.*s", STR_ARG(q->service->name),
                                              STR_ARG(stage), ending, STR_ARG(number));
    }
    p->first = p->all.n;
}

static void add_note(struct making *x, struct str text)
{
    node_push(x->arena, x->notes, node_str(x->arena, text));
}

static void add_notes(struct making *x, size_t policies)
{
    enum { ATTACHED_MAX = 10 };
    struct arena *a = x->arena;
    if (policies > ATTACHED_MAX)
        add_note(x,
                 str_fmt(a, "a role has at most %d policies, unless the account's quota is raised",
                         ATTACHED_MAX));
    for (size_t i = 0; i < x->unknown.n; i++)
        add_note(x, str_fmt(a,
                            "what CloudFormation needs for %.*s is not known here, and not in it: "
                            "add it",
                            STR_ARG(x->unknown.entries[i].key)));
    if (x->request->every_stage)
        add_note(x, str_fmt(a,
                            "serverless.yml was read as for stage '%.*s': what only other stages "
                            "have is not in it",
                            STR_ARG(x->request->service->stage)));
    if (str_eq(x->request->account, STR("*")))
        add_note(x, STR("nobody said which account it is for: '*' stands in its place"));
    if (x->role.n)
        add_note(x, str_fmt(a,
                            "stacks are changed as %.*s, whose trust policy has to name "
                            "cloudformation.amazonaws.com; troupe publishes with the caller's "
                            "rights",
                            STR_ARG(x->role)));
    add_note(x, STR("adopt, logs and remove --purge need more: see docs/aws.md"));
}

int policies_make(struct arena *a, const struct policy_request *request, struct policies *ret,
                  struct err *err)
{
    struct making x = {.arena = a, .request = request, .notes = node_seq(a), .unknown = MAP(a)};
    x.role = stack_role(request->service);
    x.service = stack_of(&x, NULL);
    x.stage = stack_of(&x, &x.service);
    find_stacks(&x);
    find_functions(&x);
    find_buckets(&x);
    if (add_template(&x, &x.service, request->layout->service_template, err) < 0 ||
        add_template(&x, &x.stage, request->layout->stage_template, err) < 0)
        return -1;
    add_definitions(&x);
    add_operations(&x);
    add_variables(&x);
    struct packing p = {.x = &x};
    pack_all(&p, &x.caller);
    name_policies(&p, "deployer");
    p.holder = x.role;
    pack_all(&p, &x.cloudformation);
    name_policies(&p, "cloudformation");
    add_notes(&x, p.all.n);
    *ret = (struct policies){p.all.p, p.all.n, x.notes};
    return 0;
}
