/* Layout: building both templates. */
#include "layout/layout_internal.h"

#include "config/sharing.h"
#include "doc/json.h"

/* ---- functions ---- */

/* Properties that belong to the function as a whole, or are no configuration: publishing does not
 * set them. */
static const char *const not_in_definition[] = {"Code",        "FunctionName",
                                                "Tags",        "ReservedConcurrentExecutions",
                                                "PackageType", "CodeSigningConfigArn"};

struct str layout_alias_id(struct arena *a, struct str logical_id)
{
    struct str ending = STR("LambdaFunction"), stem = logical_id;
    if (str_ends(stem, ending))
        stem = str_sub(stem, 0, stem.n - ending.n);
    return str_concat(a, stem, STR("LambdaAlias"));
}

static void init_functions(struct laying *l)
{
    struct layout *out = l->out;
    out->function_count = l->compiled->function_count;
    out->functions = ARENA_ARRAY(l->arena, out->function_count + 1, struct layout_function);
    for (size_t i = 0; i < out->function_count; i++) {
        const struct compiled_function *c = &l->compiled->functions[i];
        const struct node *properties = node_get_c(node_get(l->flat, c->logical_id), "Properties");
        out->functions[i] = (struct layout_function){
            .key = c->function->key,
            .name = node_text(node_get_c(properties, "FunctionName")),
            .logical_id = c->logical_id,
            .alias_id = layout_alias_id(l->arena, c->logical_id),
            .of_stage = node_flags_deep(node_get_c(properties, "FunctionName")) & NODE_STAGE,
            .per_stage = sharing_is_per_stage(l->service, c->function),
            .image = node_path(properties, "Code.ImageUri"),
            .artifact = c->artifact,
            .pos = c->function->pos,
        };
    }
}

/* With log groups of the stage, put a Ref of the stage's group into the function's LoggingConfig,
 * so that CloudFormation makes the group before the function. */
static void log_into_stage(struct laying *l, const struct layout_function *f,
                           struct node *properties)
{
    struct arena *a = l->arena;
    const struct compiled_function *c = &l->compiled->functions[f - l->out->functions];
    const struct node *given = node_get_c(properties, "LoggingConfig");
    const struct placement *p = placement_of(l, c->log_group_id);
    if (!p || p->scope != SCOPE_STAGE || node_get_c(given, "LogGroup"))
        return;
    node_put_c(a, properties, "LoggingConfig", cfn_with(a, given, "LogGroup", node_ref(a, p->id)));
}

/* A head is made with code of troupe's own, which nobody has signed: where unsigned code is
 * refused, it could not be made. Source: Lambda developer guide, "Using code signing". */
static int signing_check(struct laying *l, const struct layout_function *f,
                         const struct node *properties, struct err *err)
{
    const struct node *arn = node_get_c(properties, "CodeSigningConfigArn");
    struct cfn_value v;
    if (!arn || f->image)
        return 0;
    if (!cfn_value_of(arn, &v)) {
        vec_push(l->arena, &l->warnings,
                 str_fmt(l->arena,
                         "function '%.*s' cannot be made when its code signing refuses unsigned "
                         "code: all stages share a function that troupe makes with code of its own",
                         STR_ARG(f->key)));
        return 0;
    }
    const struct node *policy = node_path(
        node_get(l->flat, v.id), "Properties.CodeSigningPolicies.UntrustedArtifactOnDeployment");
    if (!node_is_text(policy, "Enforce"))
        return 0;
    err_at(err, arn->pos.source ? arn->pos : f->pos, ERR_CONFIG,
           "code signing refuses the unsigned code that shared function '%.*s' is made with",
           STR_ARG(f->key));
    return err_help(err,
                    "make the function one of each stage: custom.troupe.functions.perStage: [%.*s]",
                    STR_ARG(f->key));
}

static int define_function(struct laying *l, struct layout_function *f, struct err *err)
{
    const struct node *flat = node_get(l->flat, f->logical_id);
    struct node *properties = node_shallow(l->arena, node_get_c(flat, "Properties"));
    if (signing_check(l, f, properties, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof not_in_definition / sizeof *not_in_definition; i++)
        node_drop(properties, str_c(not_in_definition[i]));
    if (published_check(f, properties, err) < 0)
        return -1;
    log_into_stage(l, f, properties);
    const struct node *turned =
        references_rewrite(l, dynamic_names_rewrite(l, properties), REFERENCE_LITERAL, err);
    if (!turned)
        return err_wrap(err, "function '%.*s'", STR_ARG(f->key));
    f->definition = list_values_rewrite(l, turned);
    return 0;
}

/* ---- templates ---- */

/* Types with one property for the function and another for its qualifier. Both become literals, so
 * the resource depends on the alias to be made after it. */
static const struct qualified {
    const char *type, *function, *qualifier;
} qualified_types[] = {{"AWS::Lambda::Url", "TargetFunctionArn", "Qualifier"},
                       {"AWS::Lambda::EventInvokeConfig", "FunctionName", "Qualifier"}};

static const struct qualified *qualified_type(struct str type)
{
    for (size_t i = 0; i < sizeof qualified_types / sizeof *qualified_types; i++)
        if (str_eq(type, str_c(qualified_types[i].type)))
            return &qualified_types[i];
    return NULL;
}

static struct layout_function *function_referred(struct laying *l, const struct node *value)
{
    struct cfn_value v;
    const struct placement *p = cfn_is_value(value, &v) ? placement_of(l, v.id) : NULL;
    return p ? p->function : NULL;
}

static const struct node *qualify(struct laying *l, const struct node *resource,
                                  const struct qualified *q, struct str *ret_alias)
{
    struct arena *a = l->arena;
    const struct node *properties = node_get_c(resource, "Properties");
    struct layout_function *f = function_referred(l, node_get_c(properties, q->function));
    /* such a resource of a per-stage function is for $LATEST, which this stage alone has */
    if (!f || f->per_stage)
        return resource;
    *ret_alias = f->alias_id;
    return cfn_with_property(a, cfn_with_property(a, resource, q->function, node_str(a, f->name)),
                             q->qualifier, node_str(a, l->service->stage));
}

/* `resource`, a per-stage function, with its zip in the bucket as code. The key is a hash of the
 * zip, so changed code is a changed property. */
static const struct node *with_artifact(struct laying *l, const struct node *resource,
                                        const struct layout_function *f)
{
    struct arena *a = l->arena;
    struct node *code = node_map(a);
    node_put_c(a, code, "S3Bucket",
               l->service->remote ? node_ref(a, STR(REMOTE_BUCKET))
                                  : node_fn(a, "Troupe::Bucket", node_null(a)));
    node_put_c(a, code, "S3Key", node_fn(a, "Troupe::ArtifactKey", node_str(a, f->key)));
    return cfn_with_property(a, resource, "Code", code);
}

/* Turn the references of a resource of the stage: a per-stage function means its alias, except
 * where the function itself is meant. */
static const struct node *rewrite_stage_resource(struct laying *l, struct str id,
                                                 const struct node *resource, struct err *err)
{
    struct arena *a = l->arena;
    struct str type = node_text(node_get_c(resource, "Type")), alias = {"", 0};
    const struct placement *p = placement_of(l, id);
    const struct qualified *q = qualified_type(type);
    if (q)
        resource = qualify(l, resource, q, &alias);
    if (p->function && str_eq(p->id, p->function->logical_id) && p->function->artifact)
        resource = with_artifact(l, resource, p->function);
    /* CloudFront keeps copies of its versions for hours: it could not be deleted with the stack. */
    if (p->function && str_eq(p->id, p->function->logical_id) && cfn_is_at_edge(l->flat, id))
        resource = cfn_with(a, resource, "DeletionPolicy", node_str(a, STR("Retain")));
    resource = own_layers_content(l, id, resource);
    if (str_eq(id, l->compiled->rest_deployment_id) ||
        str_eq(id, l->compiled->websocket_deployment_id))
        resource = own_deployment(l, resource);
    if (str_eq(type, STR("AWS::ApiGatewayV2::ApiMapping")))
        resource = api_users_mapping(l, resource);
    if (str_eq(type, STR("AWS::Logs::SubscriptionFilter")) &&
        !(resource = log_filter_rewrite(l, resource, err)))
        return NULL;
    bool policy = str_starts(type, STR("AWS::IAM::"));
    struct node *out = node_shallow(a, resource);
    const struct node *properties = node_get_c(resource, "Properties");
    if (properties) {
        if (str_eq(type, STR("AWS::CloudFront::Distribution")))
            properties = unqualified_versions(l, properties);
        if (str_starts(type, STR("AWS::CloudWatch::")))
            properties = metrics_rewrite(l, properties);
        properties =
            references_rewrite(l, properties, policy ? REFERENCE_LITERAL : REFERENCE_POINTER, err);
        if (!properties)
            return NULL;
        node_put_c(a, out, "Properties", properties);
    }
    node_drop(out, STR("DependsOn"));
    node_put_c(a, out, "DependsOn",
               references_depends_on(l, api_users_depends_on(l, resource), alias));
    return out;
}

/* Add the bucket of a remote stage: Lambda takes code only from buckets of its own region. */
static void add_remote_bucket(struct laying *l)
{
    struct arena *a = l->arena;
    static const char *const blocks[] = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
                                         "RestrictPublicBuckets"};
    struct node *bucket = node_map(a), *properties = node_map(a), *block = node_map(a);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        node_put_c(a, block, blocks[i], node_bool(a, true));
    const struct node *own = node_get(l->flat, STR("ServerlessDeploymentBucket"));
    node_put_c(a, properties, "BucketEncryption", node_path(own, "Properties.BucketEncryption"));
    node_put_c(a, properties, "PublicAccessBlockConfiguration", block);
    node_put_str(a, bucket, "Type", STR("AWS::S3::Bucket"));
    node_put_c(a, bucket, "Properties", properties);
    node_put(a, l->stage_resources, STR(REMOTE_BUCKET), bucket);
    node_put(a, l->stage_outputs, STR(REMOTE_BUCKET_OUTPUT),
             node_fn(a, "Value", node_ref(a, STR(REMOTE_BUCKET))));
}

static int add_stage_resources(struct laying *l, struct err *err)
{
    if (l->service->remote)
        add_remote_bucket(l);
    member_each (m, l->flat) {
        if (placement_of(l, m->key)->scope != SCOPE_STAGE || shared_api_stage(l, m->key))
            continue;
        const struct node *resource =
            str_starts(m->key, STR("Fn::")) /* stands for resources that a macro makes */
                ? references_rewrite(l, m->value, REFERENCE_POINTER, err)
                : rewrite_stage_resource(l, m->key, m->value, err);
        if (!resource)
            return -1;
        node_put_at(l->arena, l->stage_resources, placement_of(l, m->key)->id, m->key_pos,
                    resource);
    }
    return pointers_add(l, err);
}

/* ---- service ---- */

/* Parts of uploads that nobody went on with cost money until they are aborted. A bucket that has
 * rules of its own keeps to these. */
static const struct node *with_expiry_of_uploads(struct arena *a, const struct node *bucket)
{
    enum { DAYS = 7 };
    const struct node *properties = node_get_c(bucket, "Properties");
    if (node_get_c(properties, "LifecycleConfiguration"))
        return bucket;
    struct node *rule = node_map(a), *rules = node_seq(a);
    node_put_c(a, rule, "AbortIncompleteMultipartUpload",
               node_fn(a, "DaysAfterInitiation", node_int(a, DAYS)));
    node_put_str(a, rule, "Id", STR("uploads"));
    node_put_str(a, rule, "Status", STR("Enabled"));
    node_push(a, rules, rule);
    return cfn_with_property(a, bucket, "LifecycleConfiguration", node_fn(a, "Rules", rules));
}

static int add_service_resource(struct laying *l, struct str id, const struct placement *p,
                                struct err *err)
{
    struct arena *a = l->arena;
    const struct node *flat = own_layers_content(l, id, node_get(l->flat, id));
    bool asked_for = scope_asked_for(l, id) != SIZE_MAX;
    if (str_eq(id, STR(SERVICE_BUCKET)))
        flat = with_expiry_of_uploads(a, flat);
    if (asked_for && service_part_check(l, id, flat, err) < 0)
        return -1;
    const struct node *rewritten = references_rewrite(l, flat, REFERENCE_SERVICE, err);
    if (!rewritten)
        return -1;
    struct node *out = node_shallow(a, rewritten);
    if (!asked_for)
        node_drop(out, STR("Condition"));
    node_drop(out, STR("DependsOn"));
    node_put_c(a, out, "DependsOn", service_part_depends_on(l, flat));
    const struct node *name = node_path(out, "Properties.RoleName");
    /* a role gets another name than the roles that older versions run under */
    if (!str_eq(p->id, id) && node_is(name, NODE_STRING)) {
        enum { ROLE_NAME_MAX = 64 };
        size_t keep = name->text.n > ROLE_NAME_MAX - 9 ? ROLE_NAME_MAX - 9 : name->text.n;
        out = cfn_with_property(
            a, out, "RoleName",
            node_strf(a, "%.*s-%.*s", (int)keep, name->text.p, 8, p->id.p + id.n));
    }
    node_put(a, l->service_resources, p->id, out);
    return 0;
}

static int add_service_resources(struct laying *l, struct err *err)
{
    struct arena *a = l->arena;
    member_each (m, l->flat) {
        const struct placement *p = placement_of(l, m->key);
        if (p->scope == SCOPE_SERVICE && add_service_resource(l, m->key, p, err) < 0)
            return -1;
        if (p->scope == SCOPE_HEAD)
            node_put(a, l->service_resources, m->key, head_of_function(l, p->function, m->value));
        if (p->scope == SCOPE_API)
            node_put(a, l->service_resources, m->key, shared_api_head(l, p->api));
    }
    for (size_t i = 0; i < l->out->function_count; i++)
        if (!l->out->functions[i].per_stage && !head_given_role(l, &l->out->functions[i])) {
            node_put(a, l->service_resources, STR(LAYOUT_HEAD_ROLE), head_role(l));
            break;
        }
    return 0;
}

/* ---- outputs and values ---- */

static const struct node *known_before_deploy(void *context, struct arena *a, struct str name)
{
    const struct laying *l = context;
    static const char *const pseudo[] = {"AWS::Region",    "AWS::AccountId", "AWS::Partition",
                                         "AWS::URLSuffix", "AWS::StackName", NULL};
    for (size_t i = 0; pseudo[i]; i++)
        if (str_eq(name, str_c(pseudo[i])))
            return node_str(a, name);
    return node_get(l->stage_parameters, name) ? node_str(a, name) : NULL;
}

static int gather_values(struct laying *l, struct err *err)
{
    struct layout *out = l->out;
    struct needed_values *needed =
        ARENA_ARRAY(l->arena, out->function_count + out->api_count + 1, struct needed_values);
    l->needed = needed;
    for (size_t i = 0; i < out->function_count; i++, needed++)
        if (out->functions[i].definition &&
            values_gather(l, out->functions[i].definition, known_before_deploy, l, needed, err) < 0)
            return -1;
    for (size_t i = 0; i < out->api_count; i++, needed++)
        if (values_gather(l, out->apis[i].document, known_before_deploy, l, needed, err) < 0)
            return -1;
    vec_each (&l->values, v) {
        struct node *output = node_map(l->arena);
        node_put_c(l->arena, output, "Value", v->expression);
        node_put(l->arena, l->stage_outputs, v->output, output);
    }
    return 0;
}

/* `output`, the address of a shared HTTP API, with the stage's name at its end. */
static const struct node *stage_address(struct laying *l, const struct node *output)
{
    struct arena *a = l->arena;
    const struct node *parts = node_path(output, "Value.Fn::Join.1");
    if (!node_is(parts, NODE_SEQ))
        return output;
    struct node *longer = node_shallow(a, parts), *join = node_seq(a);
    node_push(a, longer, node_strf(a, "/%.*s", STR_ARG(l->service->stage)));
    node_push(a, join, node_str(a, STR("")));
    node_push(a, join, longer);
    return cfn_with(a, output, "Value", node_fn(a, "Fn::Join", join));
}

static int add_outputs(struct laying *l, struct err *err)
{
    const struct node *flat = node_get_c(l->compiled->template, "Outputs");
    member_each (m, flat) {
        if (str_eq(m->key, STR("ServerlessDeploymentBucketName"))) {
            struct node *output = node_map(l->arena);
            node_put_c(l->arena, output, "Value", node_get_c(m->value, "Value"));
            node_put(l->arena, l->service_outputs, m->key, output);
            continue;
        }
        const struct node *output = references_rewrite(l, m->value, REFERENCE_POINTER, err);
        if (!output)
            return -1;
        if (str_eq(m->key, STR("HttpApiUrl")) && shared_api_is_http(l))
            output = stage_address(l, output);
        node_put(l->arena, l->stage_outputs, m->key, output);
    }
    return 0;
}

static void put_section(struct arena *a, struct node *template, const char *name,
                        const struct node *section)
{
    if (node_count(section))
        node_put_c(a, template, name, section);
}

static const struct node *finish_service(struct laying *l, struct err *err)
{
    struct arena *a = l->arena;
    struct node *t = node_map(a);
    node_put_str(a, t, "AWSTemplateFormatVersion", STR("2010-09-09"));
    node_put_c(a, t, "Description",
               node_strf(a, "%.*s: what is independent of its stages", STR_ARG(l->service->name)));
    put_section(a, t, "Mappings", node_get_c(l->compiled->template, "Mappings"));
    if (service_part_sections(l, t, err) < 0)
        return NULL;
    put_section(a, t, "Resources", l->service_resources);
    put_section(a, t, "Outputs", l->service_outputs);
    return layout_with_a_resource(a, t);
}

static const struct node *finish_stage(struct laying *l)
{
    struct arena *a = l->arena;
    struct node *t = node_map(a);
    node_put_str(a, t, "AWSTemplateFormatVersion", STR("2010-09-09"));
    member_each (m, l->compiled->template) /* Conditions, Mappings, Transform, … */
        if (!str_eq(m->key, STR("Resources")) && !str_eq(m->key, STR("Outputs")) &&
            !str_eq(m->key, STR("Parameters")))
            node_put(a, t, m->key, m->value);
    node_put_c(
        a, t, "Description",
        node_strf(a, "%.*s, stage %.*s", STR_ARG(l->service->name), STR_ARG(l->service->stage)));
    struct node *parameters = l->stage_parameters;
    member_each (m, node_get_c(l->compiled->template, "Parameters"))
        node_put(a, parameters, m->key, m->value);
    put_section(a, t, "Parameters", parameters);
    put_section(a, t, "Resources", l->stage_resources);
    put_section(a, t, "Outputs", l->stage_outputs);
    return layout_with_a_resource(a, t);
}

static int lay_out(struct laying *l, struct err *err)
{
    struct layout *out = l->out;
    init_functions(l);
    shared_api_init(l);
    if (stage_settings_init(l, err) < 0)
        return -1;
    scope_decide(l);
    if (unqualified_check(l, err) < 0)
        return -1;
    service_part_warn(l);
    edge_warn(l);
    stage_settings_warn(l);
    attributes_warn(l);
    for (size_t i = 0; i < out->api_count; i++)
        if (shared_api_define(l, &out->apis[i], err) < 0)
            return -1;
    for (size_t i = 0; i < out->function_count; i++) {
        struct err one = {0};
        if (!out->functions[i].per_stage)
            define_function(l, &out->functions[i], &one);
        err_also(err, &one);
    }
    if (err->kind || add_service_resources(l, err) < 0 || add_outputs(l, err) < 0)
        return -1;
    if (l->service->stage.n && (add_stage_resources(l, err) < 0 || gather_values(l, err) < 0))
        return -1;
    return 0;
}

int layout_service(struct arena *a, const struct service *service, const struct compiled *compiled,
                   struct layout *ret, struct err *err)
{
    *ret = (struct layout){0};
    struct laying l = {.arena = a,
                       .service = service,
                       .compiled = compiled,
                       .flat = node_get_c(compiled->template, "Resources"),
                       .placements = MAP(a),
                       .out = ret,
                       .service_resources = node_map(a),
                       .service_outputs = node_map(a),
                       .stage_resources = node_map(a),
                       .stage_outputs = node_map(a),
                       .stage_parameters = node_map(a)};
    if (lay_out(&l, err) < 0)
        return -1;
    if (!(ret->service_template = finish_service(&l, err)))
        return -1;
    if (service->stage.n) {
        ret->stage_template = finish_stage(&l);
        if (waves_check(&l, err) < 0)
            return -1;
    }
    ret->values = l.values.p;
    ret->value_count = l.values.n;
    ret->warnings = l.warnings.p;
    ret->warning_count = l.warnings.n;
    return 0;
}

/* ---- holes ---- */

struct filling {
    struct arena *arena;
    layout_filler *filler;
    void *context;
};

static const struct node *fill_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    const struct filling *f = context;
    return layout_fill(f->arena, child, f->filler, f->context);
}

const struct node *layout_fill(struct arena *a, const struct node *n, layout_filler *filler,
                               void *context)
{
    if (node_is(n, NODE_MAP) && n->size == 1 && str_starts(n->members[0].key, STR("Troupe::"))) {
        const struct node *with =
            filler(context, a, n->members[0].key, node_text(n->members[0].value));
        return with ? with : n;
    }
    return node_change_children(a, n, fill_child, &(struct filling){a, filler, context});
}
