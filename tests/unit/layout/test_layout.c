/* Layout: from hand-written flat templates to both stacks. */
#include "check.h"

#include "cfn/template.h"
#include "doc/json.h"
#include "layout/layout.h"

struct fixture {
    struct arena *a;
    struct service service;
    struct function functions[2];
    struct artifact artifact;
    struct compiled_function compiled_functions[2];
    struct compiled compiled;
    struct layout layout;
    struct err err;
};

static const struct node *parse(struct fixture *f, const char *text)
{
    const struct node *n = json_parse(f->a, STR("flat"), str_c(text), &f->err);
    check_ok(n ? 0 : -1, &f->err);
    return n;
}

/* Two functions, `api` and `job`, and whatever `extra` holds: further resources as JSON members. */
static int lay_out(struct fixture *f, const char *environment, const char *extra)
{
    struct str flat =
        str_fmt(f->a,
                "{\"Resources\":{"
                "\"ServerlessDeploymentBucket\":{\"Type\":\"AWS::S3::Bucket\"},"
                "\"ApiLogGroup\":{\"Type\":\"AWS::Logs::LogGroup\",\"Properties\":{"
                "\"LogGroupName\":\"/aws/lambda/shop-api\"}},"
                "\"ApiLambdaFunction\":{\"Type\":\"AWS::Lambda::Function\",\"DependsOn\":["
                "\"ApiLogGroup\"],\"Properties\":{"
                "\"FunctionName\":\"shop-api\",\"Handler\":\"h.api\",\"Runtime\":\"nodejs22.x\","
                "\"Role\":{\"Fn::GetAtt\":[\"IamRoleLambdaExecution\",\"Arn\"]},\"Environment\":{"
                "\"Variables\":%s}}},"
                "\"ApiLambdaVersionX\":{\"Type\":\"AWS::Lambda::Version\",\"Properties\":{"
                "\"FunctionName\":{\"Ref\":\"ApiLambdaFunction\"}}},"
                "\"JobLambdaFunction\":{\"Type\":\"AWS::Lambda::Function\",\"Properties\":{"
                "\"FunctionName\":\"shop-job\",\"Handler\":\"h.job\",\"Runtime\":\"nodejs22.x\","
                "\"Role\":{\"Fn::GetAtt\":[\"IamRoleLambdaExecution\",\"Arn\"]}}}%s},"
                "\"Outputs\":{\"ServerlessDeploymentBucketName\":{\"Value\":{\"Ref\":"
                "\"ServerlessDeploymentBucket\"}},"
                "\"ApiArn\":{\"Value\":{\"Ref\":\"ApiLambdaVersionX\"}}}}",
                environment, extra);
    f->functions[0] = (struct function){.key = STR("api"), .node = node_map(f->a)};
    f->functions[1] = (struct function){.key = STR("job"), .node = node_map(f->a)};
    f->service = (struct service){.name = STR("shop"),
                                  .stage = STR("dev"),
                                  .root = node_map(f->a),
                                  .functions = f->functions,
                                  .function_count = 2};
    f->artifact = (struct artifact){.sha256_hex = STR("abc")};
    f->compiled_functions[0] = (struct compiled_function){.function = &f->functions[0],
                                                          .logical_id = STR("ApiLambdaFunction"),
                                                          .log_group_id = STR("ApiLogGroup"),
                                                          .version_id = STR("ApiLambdaVersionX"),
                                                          .artifact = &f->artifact};
    f->compiled_functions[1] = (struct compiled_function){.function = &f->functions[1],
                                                          .logical_id = STR("JobLambdaFunction"),
                                                          .artifact = &f->artifact};
    f->compiled = (struct compiled){
        .template = parse(f, flat.p), .functions = f->compiled_functions, .function_count = 2};
    return layout_service(f->a, &f->service, &f->compiled, &f->layout, &f->err);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    err_clear(&f->err);
    arena_free(f->a);
    free(f);
    return 0;
}

#define ROLE(statement)                                                         \
    ",\"IamRoleLambdaExecution\":{\"Type\":\"AWS::IAM::Role\",\"Properties\":{" \
    "\"Statement\":" statement "}}"

static const struct node *service_resource(struct fixture *f, const char *id)
{
    return node_get_c(node_get_c(f->layout.service_template, "Resources"), id);
}

static const struct node *stage_resource(struct fixture *f, const char *id)
{
    return node_get_c(node_get_c(f->layout.stage_template, "Resources"), id);
}

static bool has_prefixed(const struct node *resources, const char *prefix)
{
    member_each (m, resources)
        if (str_starts(m->key, str_c(prefix)))
            return true;
    return false;
}

static void test_heads_and_aliases(void **state)
{
    struct fixture *f = *state;
    check_ok(lay_out(f, "{}", ROLE("\"plain\"")), &f->err);
    const struct node *head = service_resource(f, "ApiLambdaFunction");
    check_str(node_text(node_path(head, "Properties.FunctionName")), "shop-api");
    assert_non_null(node_path(head, "Properties.Code.ZipFile"));
    assert_null(node_path(head, "Properties.Environment"));
    assert_non_null(service_resource(f, "ApiLogGroup"));
    assert_non_null(service_resource(f, "ServerlessDeploymentBucket"));
    assert_null(stage_resource(f, "ApiLambdaFunction"));
    assert_null(stage_resource(f, "ApiLambdaVersionX"));
    check_str(json_text(f->a, stage_resource(f, "ApiLambdaAlias"), 0),
              "{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"FunctionName\":\"shop-api\","
              "\"FunctionVersion\":{\"Troupe::Version\":\"api\"},\"Name\":\"dev\"}}");
    check_str(json_text(f->a, node_path(f->layout.stage_template, "Outputs.ApiArn"), 0),
              "{\"Value\":{\"Ref\":\"ApiLambdaAlias\"}}");
    assert_null(node_path(f->layout.stage_template, "Outputs.ServerlessDeploymentBucketName"));
}

/* A role that is the same for every stage is made once, under a name with a hash of its content. */
static void test_role_in_service(void **state)
{
    struct fixture *f = *state;
    check_ok(lay_out(f, "{}", ROLE("\"plain\"")), &f->err);
    const struct node *resources = node_get_c(f->layout.service_template, "Resources");
    assert_null(node_get_c(resources, "IamRoleLambdaExecution"));
    assert_true(has_prefixed(resources, "IamRoleLambdaExecution"));
    assert_true(
        has_prefixed(node_get_c(f->layout.stage_template, "Parameters"), "IamRoleLambdaExecution"));
    const struct node *role = node_path(f->layout.functions[0].definition, "Role.Ref");
    assert_true(str_ends(node_text(role), STR("Arn")));
    assert_int_equal(f->layout.value_count, 0);
}

static void test_role_in_stage(void **state)
{
    struct fixture *f = *state;
    check_ok(
        lay_out(
            f, "{}",
            ROLE("[{\"Fn::GetAtt\":[\"Table\",\"Arn\"]},"
                 "{\"Fn::GetAtt\":[\"JobLambdaFunction\",\"Arn\"]}]") ",\"Table\":{\"Type\":\"AWS::"
                                                                      "DynamoDB::Table\","
                                                                      "\"Properties\":{}}"),
        &f->err);
    const struct node *role = stage_resource(f, "IamRoleLambdaExecution");
    assert_non_null(role);
    check_str(
        node_text(node_path(role, "Properties.Statement.1.Fn::Sub")),
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:shop-job:dev");
    assert_int_equal(f->layout.value_count, 1);
    const struct node *output =
        node_get(node_get_c(f->layout.stage_template, "Outputs"), f->layout.values[0].output);
    check_str(json_text(f->a, output, 0),
              "{\"Value\":{\"Fn::GetAtt\":[\"IamRoleLambdaExecution\",\"Arn\"]}}");
}

static void test_references(void **state)
{
    struct fixture *f = *state;
    check_ok(
        lay_out(
            f,
            "{\"JOB\":{\"Ref\":\"JobLambdaFunction\"},\"ARN\":{\"Fn::GetAtt\":["
            "\"JobLambdaFunction\",\"Arn\"]}}",
            ROLE("1") ",\"Rule\":{\"Type\":\"AWS::Events::Rule\",\"DependsOn\":["
                      "\"ApiLambdaFunction\",\"ApiLogGroup\"],"
                      "\"Properties\":{\"Arn\":{\"Fn::GetAtt\":[\"ApiLambdaFunction\",\"Arn\"]},"
                      "\"Text\":{\"Fn::Sub\":\"${ApiLambdaFunction} ${ApiLambdaFunction.Arn} "
                      "${!keep} ${AWS::Region}\"},"
                      "\"Bucket\":{\"Ref\":\"ServerlessDeploymentBucket\"}}}"),
        &f->err);
    check_str(
        json_text(f->a, stage_resource(f, "Rule"), 0),
        "{\"Type\":\"AWS::Events::Rule\",\"Properties\":{\"Arn\":{\"Ref\":\"ApiLambdaAlias\"},"
        "\"Text\":{\"Fn::Sub\":\"shop-api:dev ${ApiLambdaAlias} ${!keep} ${AWS::Region}\"},"
        "\"Bucket\":{\"Ref\":\"ServerlessDeploymentBucket\"}},\"DependsOn\":[\"ApiLambdaAlias\"]}");
    assert_non_null(node_path(f->layout.stage_template, "Parameters.ServerlessDeploymentBucket"));
    check_str(
        json_text(f->a, node_path(f->layout.functions[0].definition, "Environment.Variables"), 0),
        "{\"JOB\":\"shop-job:dev\",\"ARN\":{\"Fn::Sub\":\"arn:${AWS::Partition}:lambda:${AWS::"
        "Region}:"
        "${AWS::AccountId}:function:shop-job:dev\"}}");
}

static const struct node *known(void *context, struct arena *a, struct str name)
{
    (void)context;
    if (str_eq(name, STR("AWS::Region")))
        return node_str(a, STR("eu-west-1"));
    return str_starts(name, STR("TroupeValue")) ? node_str(a, STR("true")) : NULL;
}

static void test_resolve(void **state)
{
    struct fixture *f = *state;
    const struct node *n =
        layout_resolve(f->a,
                       parse(f, "{\"a\":{\"Fn::Join\":[\"-\",[\"x\",{\"Ref\":\"AWS::Region\"}]]},"
                                "\"b\":{\"Fn::Sub\":[\"${X} ${AWS::Region} ${!x}\",{\"X\":\"y\"}]},"
                                "\"c\":{\"Fn::If\":[\"C\",\"then\",\"else\"]},"
                                "\"d\":{\"Ref\":\"AWS::NoValue\"},\"e\":{\"Fn::If\":[\"C\",{"
                                "\"Ref\":\"AWS::NoValue\"},1]}}"),
                       known, NULL, &f->err);
    check_ok(n ? 0 : -1, &f->err);
    check_str(json_text(f->a, n, 0),
              "{\"a\":\"x-eu-west-1\",\"b\":\"y eu-west-1 ${x}\",\"c\":\"then\"}");
}

static const struct node *nothing_known(void *context, struct arena *a, struct str name)
{
    (void)context, (void)a, (void)name;
    return NULL;
}

static void test_unknown_value(void **state)
{
    struct fixture *f = *state;
    assert_null(
        layout_resolve(f->a, parse(f, "[{\"Ref\":\"Table\"}]"), nothing_known, NULL, &f->err));
    assert_int_equal(f->err.kind, ERR_NOT_FOUND);
}

#define TABLE ",\"Table\":{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{\"X\":1}}"

static void test_expand(void **state)
{
    struct fixture *f = *state;
    struct map waiting = MAP(f->a);
    check_ok(lay_out(f, "{\"TABLE\":{\"Ref\":\"Table\"}}", ROLE("1") TABLE), &f->err);
    const struct node *target = f->layout.stage_template;
    const struct node *expanded = layout_expand(f->a, &f->layout, target, NULL, NULL, &waiting);
    assert_non_null(expanded);
    const struct node *resources = node_get_c(expanded, "Resources");
    assert_int_equal(node_count(resources), 1);
    assert_non_null(node_get_c(resources, "Table"));
    /* when the stack is made, nothing has to be done first */
    assert_null(layout_expand(f->a, &f->layout, target, target, NULL, &waiting));
    assert_int_equal(waiting.n, 0);
}

/* CloudFormation takes no template in which a parameter has the name of a resource. */
static void test_names_of_both(void **state)
{
    struct fixture *f = *state;
    const struct node *target =
        parse(f, "{\"Parameters\":{\"Api\":{\"Type\":\"String\"},\"Unused\":{\"Type\":\"String\"}},"
                 "\"Resources\":{\"New\":{\"Type\":\"T\",\"Properties\":{\"A\":{\"Ref\":\"Api\"},"
                 "\"S\":{\"Fn::Sub\":\"x ${Api} ${!Api}\"}}},\"Table\":{\"Type\":\"T\"}}}");
    const struct node *old =
        parse(f, "{\"Parameters\":{\"Table\":{\"Type\":\"String\"}},\"Resources\":{"
                 "\"Api\":{\"Type\":\"T\"},\"Unused\":{\"Type\":\"T\"},\"Old\":{\"Type\":\"T\","
                 "\"Properties\":{\"A\":{\"Ref\":\"Api\"},\"T\":{\"Ref\":\"Table\"}}}}}");
    const struct node *both = layout_beside(f->a, target, old);
    const struct node *parameters = node_get_c(both, "Parameters");
    assert_int_equal(node_count(parameters), 2);
    assert_non_null(node_get_c(parameters, "TroupeServiceApi"));
    assert_non_null(node_get_c(parameters, "TroupeServiceTable"));
    assert_int_equal(node_count(node_get_c(both, "Resources")), 5);
    check_str(json_text(f->a, node_path(both, "Resources.New.Properties"), 0),
              "{\"A\":{\"Ref\":\"TroupeServiceApi\"},"
              "\"S\":{\"Fn::Sub\":\"x ${TroupeServiceApi} ${!Api}\"}}");
    check_str(json_text(f->a, node_path(both, "Resources.Old.Properties"), 0),
              "{\"A\":{\"Ref\":\"Api\"},\"T\":{\"Ref\":\"TroupeServiceTable\"}}");
}

/* What stands for resources that a macro makes refers to aliases as resources do, and what a
 * function is to wait for its alias waits for. */
static void test_macros_and_dependencies(void **state)
{
    struct fixture *f = *state;
    int laid =
        lay_out(f, "{}",
                ROLE("[]") ",\"Marker\":{\"Type\":\"AWS::SQS::Queue\"},"
                           "\"JobLambdaFunctionUrl\":{\"Type\":\"AWS::SQS::Queue\","
                           "\"DependsOn\":\"JobLambdaFunction\"},"
                           "\"Fn::ForEach::Rights\":[\"Who\",[\"a\"],{\"May${Who}\":{"
                           "\"Type\":\"AWS::Lambda::Permission\",\"Properties\":{"
                           "\"FunctionName\":{\"Fn::GetAtt\":[\"JobLambdaFunction\",\"Arn\"]}}}}]");
    check_ok(laid, &f->err);
    const struct node *loop = node_path(f->layout.stage_template, "Resources");
    loop = node_get_c(loop, "Fn::ForEach::Rights");
    assert_true(node_is(loop, NODE_SEQ) && loop->count == 3);
    const struct node *name =
        node_path(node_get_c(loop->items[2], "May${Who}"), "Properties.FunctionName.Ref");
    check_str(node_text(name), "JobLambdaAlias");
    check_str(node_text(node_path(stage_resource(f, "JobLambdaFunctionUrl"), "DependsOn.0")),
              "JobLambdaAlias");

    struct compiled waits = f->compiled;
    const struct node *resources = node_get_c(waits.template, "Resources");
    const struct node *job = cfn_with(f->a, node_get_c(resources, "JobLambdaFunction"), "DependsOn",
                                      node_str(f->a, STR("Marker")));
    waits.template = cfn_with(f->a, waits.template, "Resources",
                              cfn_with(f->a, resources, "JobLambdaFunction", job));
    check_ok(layout_service(f->a, &f->service, &waits, &f->layout, &f->err), &f->err);
    check_str(node_text(node_path(stage_resource(f, "JobLambdaAlias"), "DependsOn.0")), "Marker");
    assert_null(node_get_c(stage_resource(f, "ApiLambdaAlias"), "DependsOn"));
}

static void test_cycle(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        lay_out(f, "{\"BUCKET\":{\"Ref\":\"Bucket\"}}",
                ROLE("1") ",\"Bucket\":{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{\"Notify\":"
                          "{\"Fn::GetAtt\":[\"ApiLambdaFunction\",\"Arn\"]}}}"),
        -1);
    assert_int_equal(f->err.kind, ERR_CONFIG);
    assert_true(str_find(f->err.msg, STR("a cycle"), 0) > 0);
    check_str(f->err.note->text, "api -> Bucket -> ApiLambdaAlias -> api");
}

/* `api` needs a bucket that notifies `job`: the bucket is made when `job` is published. */
static void test_waves(void **state)
{
    struct fixture *f = *state;
    struct map waiting = MAP(f->a);
    check_ok(
        lay_out(f, "{\"BUCKET\":{\"Ref\":\"Bucket\"}}",
                ROLE("1") ",\"Bucket\":{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{\"Notify\":"
                          "{\"Fn::GetAtt\":[\"JobLambdaFunction\",\"Arn\"]}}}"),
        &f->err);
    assert_true(f->layout.functions[0].waits);
    assert_false(f->layout.functions[1].waits);
    const struct node *target = f->layout.stage_template;
    assert_null(layout_expand(f->a, &f->layout, target, NULL, NULL, &waiting));
    assert_int_equal(waiting.n, 1);
}

/* Lay out `extra` again with settings. 0: it was accepted. */
static int lay_out_with(struct fixture *f, const char *extra, const char *settings)
{
    check_ok(lay_out(f, "{}", ROLE("1")), &f->err);
    struct str flat = json_text(f->a, f->compiled.template, 0);
    struct str user = str_fmt(f->a, "{\"resources\":{\"Resources\":{%s}}}", extra);
    struct node *template = node_shallow(f->a, parse(f, str_z(f->a, flat)));
    const struct node *root = parse(f, user.p), *given = parse(f, settings);
    node_put_c(f->a, template, "Resources",
               node_merge(f->a, node_get_c(template, "Resources"),
                          node_path(root, "resources.Resources")));
    node_put_c(f->a, template, "Conditions", parse(f, "{\"Big\":{\"Fn::Equals\":[1,1]}}"));
    f->service.root = root;
    struct settings *s = &f->service.settings;
    *s = (struct settings){.node = given,
                           .service_resources = ARENA_ARRAY(f->a, 4, struct str),
                           .unqualified = ARENA_ARRAY(f->a, 4, struct str)};
    node_each (item, node_path(given, "resources.service"))
        s->service_resources[s->service_resource_count++] = node_text(item);
    node_each (item, node_path(given, "references.unqualified"))
        s->unqualified[s->unqualified_count++] = node_text(item);
    f->compiled.template = template;
    return layout_service(f->a, &f->service, &f->compiled, &f->layout, &f->err);
}

static void refused(struct fixture *f, const char *extra, const char *settings, const char *message)
{
    assert_int_equal(lay_out_with(f, extra, settings), -1);
    assert_int_equal(f->err.kind, ERR_CONFIG);
    if (str_find(f->err.msg, str_c(message), 0) < 0)
        check_str(f->err.msg, message);
    err_clear(&f->err);
}

#define ONCE "{\"resources\":{\"service\":[\"Once*\"]}}"
#define ONCE_WITH(members) "\"Once\":{\"Type\":\"AWS::SNS::Topic\"," members "}"
#define OTHER ",\"Other\":{\"Type\":\"AWS::SQS::Queue\"}"

static void test_service_scope_is_checked(void **state)
{
    struct fixture *f = *state;
    static const char *const references[] = {
        "\"Properties\":{\"X\":[{\"Ref\":\"Other\"}]}",
        "\"Properties\":{\"X\":{\"Fn::GetAtt\":[\"Other\",\"Arn\"]}}",
        "\"Properties\":{\"X\":{\"Fn::Sub\":\"a ${Other.Arn}\"}}",
        "\"DependsOn\":\"Other\"",
        "\"DependsOn\":[\"OnceMore\",\"Other\"]",
    };
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct str extra =
            str_fmt(f->a, "\"Once\":{\"Type\":\"AWS::SNS::Topic\",%s}" OTHER, references[i]);
        refused(f, extra.p, ONCE, "'Once' of the service refers to 'Other' of the stage");
    }
    refused(f, ONCE_WITH("\"Properties\":{\"X\":{\"Fn::GetAtt\":[\"ApiLambdaFunction\",\"Arn\"]}}"),
            ONCE, "refers to function 'api', which serves by the stages' aliases only");
    refused(f, ONCE_WITH("\"DependsOn\":[\"ApiLambdaVersionX\"]"), ONCE,
            "refers to function 'api'");
}

/* A reference to what a head does not have, and one that cannot be passed on, is refused in every
 * spelling. */
static void test_attributes_that_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *value, *message;
    } rows[] = {
        {"{\"Fn::GetAtt\":[\"ApiLambdaFunction\",\"Name\"]}", "has no attribute 'Name'"},
        {"{\"Fn::GetAtt\":\"ApiLambdaFunction.Name\"}", "has no attribute 'Name'"},
        {"{\"Fn::Sub\":\"a ${ApiLambdaFunction.Name}\"}", "has no attribute 'Name'"},
        {"{\"Fn::Sub\":[\"${x}${ApiLambdaFunction.Name}\",{\"x\":1}]}", "has no attribute 'Name'"},
        {"{\"Fn::Sub\":\"${ApiLambdaFunction.Version}\"}", "has no attribute 'Version'"},
        {"{\"Fn::GetAtt\":[\"ApiLambdaFunction\",{\"Ref\":\"Other\"}]}", "has no attribute '?'"},
        {"{\"Fn::GetAtt\":[\"ServerlessDeploymentBucket\",{\"Ref\":\"Other\"}]}",
         "needs its attribute written out"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str extra =
            str_fmt(f->a, "\"Mine\":{\"Type\":\"AWS::SNS::Topic\",\"Properties\":{\"X\":%s}}" OTHER,
                    rows[i].value);
        refused(f, extra.p, "{}", rows[i].message);
    }
}

static void test_service_scope(void **state)
{
    struct fixture *f = *state;
    check_ok(
        lay_out_with(
            f,
            ONCE_WITH(
                "\"Condition\":\"Big\",\"DependsOn\":\"OnceMore\"") ",\"OnceMore\":{\"Type\":\"AWS:"
                                                                    ":SQS::Queue\"},\"User\":{"
                                                                    "\"Type\":\"AWS::SNS::"
                                                                    "Subscription\",\"Properties\":"
                                                                    "{\"TopicArn\":{\"Ref\":"
                                                                    "\"Once\"}},"
                                                                    "\"DependsOn\":[\"Once\","
                                                                    "\"OnceMore\"]}",
            "{\"resources\":{\"service\":[\"Once*\",\"Never\"]}}"),
        &f->err);
    check_str(json_text(f->a, service_resource(f, "Once"), 0),
              "{\"Type\":\"AWS::SNS::Topic\",\"Condition\":\"Big\",\"DependsOn\":[\"OnceMore\"]}");
    assert_non_null(node_path(f->layout.service_template, "Conditions.Big"));
    check_str(json_text(f->a, node_path(f->layout.service_template, "Outputs.Once"), 0),
              "{\"Value\":{\"Ref\":\"Once\"},\"Condition\":\"Big\"}");
    check_str(json_text(f->a, node_path(f->layout.stage_template, "Parameters.Once"), 0),
              "{\"Type\":\"String\",\"Default\":\"\"}");
    check_str(
        json_text(f->a, stage_resource(f, "User"), 0),
        "{\"Type\":\"AWS::SNS::Subscription\",\"Properties\":{\"TopicArn\":{\"Ref\":\"Once\"}}}");
    assert_int_equal(f->layout.warning_count, 1);
    assert_true(str_starts(f->layout.warnings[0], STR("'Never' in custom.troupe")));
}

/* A condition that depends on the stage cannot decide about what exists once. */
static void test_condition_of_the_stage(void **state)
{
    struct fixture *f = *state;
    check_ok(lay_out(f, "{}",
                     ROLE("1") ",\"Once\":{\"Type\":\"AWS::SNS::Topic\",\"Condition\":\"Prod\"}"),
             &f->err);
    struct node *template = node_shallow(f->a, f->compiled.template), *conditions = node_map(f->a);
    struct node *equals = node_seq(f->a), *name = node_str(f->a, STR("dev"));
    name->flags = NODE_STAGE;
    node_push(f->a, equals, name);
    node_push(f->a, equals, node_str(f->a, STR("prod")));
    node_put_c(f->a, conditions, "Prod", node_fn(f->a, "Fn::Equals", equals));
    node_put_c(f->a, template, "Conditions", conditions);
    f->compiled.template = template;
    struct str globs[] = {STR("Once")};
    f->service.settings =
        (struct settings){.service_resources = globs, .service_resource_count = 1};
    assert_int_equal(layout_service(f->a, &f->service, &f->compiled, &f->layout, &f->err), -1);
    assert_true(str_starts(f->err.msg, STR("condition 'Prod' is to live once")));
}

#define REPORT(value)                                                                              \
    "\"Report\":{\"Type\":\"AWS::Events::Rule\",\"Properties\":{\"Targets\":[{\"Arn\":" value "}]" \
    "}}"
#define API_ARN "{\"Fn::GetAtt\":[\"ApiLambdaFunction\",\"Arn\"]}"

static void test_unqualified(void **state)
{
    struct fixture *f = *state;
    check_ok(lay_out_with(f, REPORT(API_ARN), "{}"), &f->err);
    assert_false(f->layout.functions[0].per_stage);
    static const char *const patterns[] = {"Report.Properties.Targets", "Rep*",
                                           "Report.*.Targets.0.Arn"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct str settings =
            str_fmt(f->a, "{\"references\":{\"unqualified\":[\"%s\"]}}", patterns[i]);
        check_ok(lay_out_with(f, REPORT(API_ARN), settings.p), &f->err);
        assert_true(f->layout.functions[0].per_stage && !f->layout.functions[1].per_stage);
        check_str(
            json_text(f->a, node_path(stage_resource(f, "Report"), "Properties.Targets.0.Arn"), 0),
            API_ARN);
        assert_true(str_find(f->layout.warnings[0],
                             STR("'api' is one of each stage's own, because 'Report'"), 0) > 0);
    }
    refused(f, REPORT(API_ARN), "{\"references\":{\"unqualified\":[\"Report.Properties.Name\"]}}",
            "'Report.Properties.Name' has no reference to a function");
}

/* CloudFront takes the ARN of a version and nothing else. */
static void test_edge(void **state)
{
    struct fixture *f = *state;
    check_ok(
        lay_out_with(f,
                     "\"Cdn\":{\"Type\":\"AWS::CloudFront::Distribution\",\"Properties\":{"
                     "\"DistributionConfig\":{\"CacheBehaviors\":[{\"LambdaFunctionAssociations\":["
                     "{\"LambdaFunctionARN\":{\"Ref\":\"ApiLambdaFunction\"}}]}]}}}",
                     "{}"),
        &f->err);
    assert_true(f->layout.functions[0].per_stage && !f->layout.functions[1].per_stage);
    const struct node *arn =
        node_path(stage_resource(f, "Cdn"), "Properties.DistributionConfig.CacheBehaviors.0."
                                            "LambdaFunctionAssociations.0.LambdaFunctionARN.Ref");
    assert_true(str_starts(node_text(arn), STR("ApiLambdaVersionX")));
    assert_true(node_member(node_get_c(f->layout.stage_template, "Resources"), node_text(arn)));
}

static void check_dimensions(struct fixture *f, const char *id, const char *path, const char *want)
{
    const struct node *got = node_path(stage_resource(f, id), path);
    assert_non_null(got);
    assert_true(node_equal(got, parse(f, want)));
}

/* Metrics of an alias have two dimensions; "shop-api:dev" is the name of no function. */
static void test_alarms(void **state)
{
#define DIMENSIONS(ref) "\"Dimensions\":[{\"Name\":\"FunctionName\",\"Value\":" ref "}]"
#define API "{\"Name\":\"FunctionName\",\"Value\":\"shop-api\"}"
#define ALIAS ",{\"Name\":\"Resource\",\"Value\":\"shop-api:dev\"}"
    struct fixture *f = *state;
    check_ok(
        lay_out_with(
            f,
            "\"Errors\":{\"Type\":\"AWS::CloudWatch::Alarm\",\"Properties\":{"
            "\"Namespace\":\"AWS/Lambda\"," DIMENSIONS(
                "{\"Ref\":\"ApiLambdaFunction\"}") "}},"
                                                   "\"Own\":{\"Type\":\"AWS::CloudWatch::Alarm\","
                                                   "\"Properties\":{"
                                                   "\"Namespace\":\"Shop\"," DIMENSIONS(
                                                       "{\"Ref\":\"ApiLambdaFunction\"}") "}},"
                                                                                          "\"Fixed"
                                                                                          "\":{"
                                                                                          "\"Type\""
                                                                                          ":\"AWS::"
                                                                                          "CloudWat"
                                                                                          "ch::"
                                                                                          "Alarm\","
                                                                                          "\"Proper"
                                                                                          "ties\":{"
                                                                                          "\"Namesp"
                                                                                          "ace\":"
                                                                                          "\"AWS/"
                                                                                          "Lambda\""
                                                                                          "," DIMENSIONS(
                                                                                              "\"ot"
                                                                                              "her"
                                                                                              "\"") "}},"
                                                                                                    "\"Rate\":{\"Type\":\"AWS::CloudWatch::Alarm\",\"Properties\":{\"Metrics\":["
                                                                                                    "{\"Id\":\"e\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/Lambda\"," DIMENSIONS(
                                                                                                        "{\"Fn::Sub\":\"${ApiLambdaFunction}\"}") "}}}]}}",
            "{}"),
        &f->err);
    check_dimensions(f, "Errors", "Properties.Dimensions", "[" API ALIAS "]");
    check_dimensions(f, "Own", "Properties.Dimensions", "[" API "]");
    check_dimensions(f, "Fixed", "Properties.Dimensions",
                     "[{\"Name\":\"FunctionName\",\"Value\":\"other\"}]");
    check_dimensions(f, "Rate", "Properties.Metrics.0.MetricStat.Metric.Dimensions",
                     "[" API ALIAS "]");
}

/* As AWS::ApiGateway::Stage has it: defaults of methods are the settings of all methods. */
static void test_stages_made_by_deployments(void **state)
{
    static const struct {
        const char *deployment, *stage;
    } cases[] = {
        {"{\"Type\":\"AWS::ApiGateway::Deployment\",\"Properties\":{\"RestApiId\":{\"Ref\":\"A\"},"
         "\"StageName\":\"dev\",\"StageDescription\":{\"TracingEnabled\":true,\"LoggingLevel\":"
         "\"INFO\",\"CachingEnabled\":false,\"MethodSettings\":[{\"ResourcePath\":\"/a\"}]}}}",
         "{\"Type\":\"AWS::ApiGateway::Stage\",\"Properties\":{\"TracingEnabled\":true,"
         "\"MethodSettings\":[{\"CachingEnabled\":false,\"LoggingLevel\":\"INFO\",\"ResourcePath\":"
         "\"/*\",\"HttpMethod\":\"*\"},{\"ResourcePath\":\"/a\"}],\"RestApiId\":{\"Ref\":\"A\"},"
         "\"StageName\":\"dev\",\"DeploymentId\":{\"Ref\":\"D\"}}}"},
        {"{\"Type\":\"AWS::ApiGateway::Deployment\",\"Properties\":{\"RestApiId\":{\"Ref\":\"A\"},"
         "\"StageName\":\"dev\"}}",
         "{\"Type\":\"AWS::ApiGateway::Stage\",\"Properties\":{\"RestApiId\":{\"Ref\":\"A\"},"
         "\"StageName\":\"dev\",\"DeploymentId\":{\"Ref\":\"D\"}}}"},
        {"{\"Type\":\"AWS::ApiGateway::Deployment\",\"Properties\":{\"RestApiId\":{\"Ref\":\"A\"}}"
         "}",
         NULL},
        {"{\"Type\":\"AWS::ApiGateway::Deployment\",\"Properties\":{\"RestApiId\":\"abc\","
         "\"StageName\":\"dev\"}}",
         NULL},
        {"{\"Type\":\"AWS::ApiGatewayV2::Deployment\",\"Properties\":{\"RestApiId\":{\"Ref\":"
         "\"A\"},\"StageName\":\"dev\"}}",
         NULL},
        {"{}", NULL}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct node *stage =
            layout_stage_made_by(f->a, STR("D"), parse(f, cases[i].deployment));
        assert_true(cases[i].stage ? node_equal(stage, parse(f, cases[i].stage)) : !stage);
    }
}

static void test_stack_names(void **state)
{
    struct fixture *f = *state;
    f->service.name = STR("shop");
    check_str(layout_stack_name(f->a, &f->service, STR("a_b")), "shop-a-b");
    char stage[129];
    memset(stage, 'x', 128);
    stage[128] = 0;
    assert_int_equal(layout_stack_name(f->a, &f->service, str_c(stage)).n, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heads_and_aliases, setup, teardown),
        cmocka_unit_test_setup_teardown(test_role_in_service, setup, teardown),
        cmocka_unit_test_setup_teardown(test_role_in_stage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resolve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_of_both, setup, teardown),
        cmocka_unit_test_setup_teardown(test_macros_and_dependencies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cycle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_service_scope_is_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attributes_that_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_service_scope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_condition_of_the_stage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unqualified, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alarms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stages_made_by_deployments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stack_names, setup, teardown),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
