/* Compiling: stage-free names, places and flags, and what is refused. That the templates are right
 * is for the golden cases. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "base/fs.h"
#include "doc/json.h"
#include "compile/compile.h"

static char folder[] = "/tmp/troupe-compile-XXXXXX";

/* Compile `yaml` for stage dev. */
static int compile(struct arena *a, const char *yaml, const struct compile_options *options,
                   struct compiled *ret, struct err *err)
{
    struct str dir = str_c(folder);
    struct config_options o = {.dir = dir, .default_stage = STR("dev"), .lenient = true};
    struct service *service = ARENA_NEW(a, struct service);
    if (fs_write(path_join(a, dir, STR("serverless.yml")), str_c(yaml), 0644, err) < 0 ||
        service_load(a, &o, service, err) < 0)
        return -1;
    return compile_service(a, service, NULL, options, ret, err);
}

/* Text at a dotted path of the template. */
#define check_text(c, path, want) check_str(node_text(node_path((c)->template, (path))), (want))

#define HEAD                  \
    "service: shop\n"         \
    "provider: {name: aws}\n" \
    "functions:\n"

/* ---- names without the stage ---- */

static void test_shared_names(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_SHARED};
    check_ok(compile(a,
                     "custom: {troupe: {functions: {perStage: [worker]}}}\n" HEAD
                     "  api: {handler: a.b}\n"
                     "  worker: {handler: a.b}\n"
                     "  named: {handler: a.b, name: other-name}\n",
                     &o, &c, &err),
             &err);
    check_text(&c, "Resources.ApiLambdaFunction.Properties.FunctionName", "shop-api");
    check_text(&c, "Resources.ApiLogGroup.Properties.LogGroupName", "/aws/lambda/shop-api");
    check_text(&c, "Resources.WorkerLambdaFunction.Properties.FunctionName", "shop-dev-worker");
    check_text(&c, "Resources.NamedLambdaFunction.Properties.FunctionName", "other-name");
    const struct node *role = node_path(c.template, "Resources.IamRoleLambdaExecution.Properties");
    assert_null(node_get_c(role, "RoleName"));
    const struct node *logs = node_path(role, "Policies.0.PolicyDocument.Statement.0.Resource");
    assert_int_equal(node_count(logs), 2);
    check_str(node_text(node_path(logs, "0.Fn::Sub")),
              "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
              ":log-group:/aws/lambda/other-name:*");
    /* the one pattern covers shop-api and shop-dev-worker */
    check_str(node_text(node_path(logs, "1.Fn::Sub")),
              "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
              ":log-group:/aws/lambda/shop-*:*");
    assert_int_equal(node_flags_deep(role) & NODE_STAGE, 0);
}

static void test_shared_role_keeps_given_name(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_SHARED};
    check_ok(compile(a,
                     "service: shop\n"
                     "provider: {name: aws, iam: {role: {name: mine}}}\n"
                     "functions: {api: {handler: a.b}}\n",
                     &o, &c, &err),
             &err);
    check_text(&c, "Resources.IamRoleLambdaExecution.Properties.RoleName", "mine");
}

static void test_shared_names_are_capped(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_SHARED};
    struct function functions[] = {
        {.key = STR("an-endless-name-that-goes-on-and-on-and-never-comes-to-an-end-1")},
        {.key = STR("an-endless-name-that-goes-on-and-on-and-never-comes-to-an-end-2")},
    };
    struct service service = {.name = STR("shop"),
                              .stage = STR("dev"),
                              .region = STR("us-east-1"),
                              .functions = functions,
                              .function_count = 2};
    service.root = json_parse(a, STR("root"), STR("{\"provider\": {\"name\": \"aws\"}}"), &err);
    functions[0].node = functions[1].node =
        json_parse(a, STR("function"), STR("{\"handler\": \"a.b\"}"), &err);
    check_ok(compile_service(a, &service, NULL, &o, &c, &err), &err);
    struct str names[2];
    for (size_t i = 0; i < 2; i++) {
        const struct node *f =
            node_get(node_get_c(c.template, "Resources"), c.functions[i].logical_id);
        names[i] = node_text(node_path(f, "Properties.FunctionName"));
        assert_int_equal(names[i].n, 64);
        assert_true(str_starts(names[i], STR("shop-an-endless-name")));
    }
    assert_false(str_eq(names[0], names[1]));
}

/* The rules of two stages for one shared function have different names. */
static void test_rules_belong_to_the_stage(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_SHARED};
    check_ok(compile(a,
                     HEAD "  api: {handler: a.b, name: fixed, events: [{eventBridge: "
                          "{schedule: rate(1 hour)}}]}\n",
                     &o, &c, &err),
             &err);
    const struct node *rule =
        node_path(c.template, "Resources.Shopdevapirule1EventBridgeRule.Properties.Name");
    check_str(node_text(rule), "shop-dev-api-rule-1");
    assert_true(rule->flags & NODE_STAGE);
}

/* ---- flags and places ---- */

static void test_stage_is_flagged(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_FLAT};
    check_ok(compile(a,
                     HEAD "  api: {handler: a.b, environment: {STAGE_NAME: '${sls:stage}', "
                          "OTHER: x}}\n",
                     &o, &c, &err),
             &err);
    const struct node *p = node_path(c.template, "Resources.ApiLambdaFunction.Properties");
    assert_true(node_get_c(p, "FunctionName")->flags & NODE_STAGE);
    assert_true(node_path(p, "Environment.Variables.STAGE_NAME")->flags & NODE_STAGE);
    assert_false(node_path(p, "Environment.Variables.OTHER")->flags & NODE_STAGE);
    assert_false(node_flags_deep(node_get_c(p, "Handler")) & NODE_STAGE);
    assert_true(node_flags_deep(node_path(c.template, "Resources.IamRoleLambdaExecution")) &
                NODE_STAGE);
}

static void test_resources_know_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        uint32_t line;
    } places[] = {
        {"ApiLambdaFunction", 4},          {"ApiLogGroup", 4},
        {"ApiEventsRuleSchedule1", 7},     {"ApiEventSourceMappingSQSJobs", 8},
        {"ApiLambdaPermissionNewsSNS", 9}, {"Jobs", 12},
    };
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_FLAT};
    check_ok(compile(a,
                     HEAD "  api:\n"
                          "    handler: a.b\n"
                          "    events:\n"
                          "      - schedule: rate(1 hour)\n"
                          "      - sqs: {arn: !GetAtt Jobs.Arn}\n"
                          "      - sns: news\n"
                          "resources:\n"
                          "  Resources:\n"
                          "    Jobs: {Type: 'AWS::SQS::Queue'}\n",
                     &o, &c, &err),
             &err);
    const struct node *resources = node_get_c(c.template, "Resources");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct node *r = node_get_c(resources, places[i].id);
        assert_non_null(r);
        if (r->pos.line != places[i].line)
            fail_msg("%s is at line %u, not %u", places[i].id, r->pos.line, places[i].line);
    }
}

static void test_what_the_template_does_not_say(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_FLAT};
    check_ok(compile(a,
                     HEAD "  one: {handler: a.b}\n"
                          "  two: {handler: a.b, disableLogs: true, versionFunction: false}\n",
                     &o, &c, &err),
             &err);
    assert_int_equal(c.function_count, 2);
    check_str(c.functions[0].logical_id, "OneLambdaFunction");
    check_str(c.functions[0].log_group_id, "OneLogGroup");
    assert_true(str_starts(c.functions[0].version_id, STR("OneLambdaVersion")));
    const struct node *resources = node_get_c(c.template, "Resources");
    assert_non_null(node_get(resources, c.functions[0].version_id));
    assert_int_equal(c.functions[1].log_group_id.n, 0);
    assert_int_equal(c.functions[1].version_id.n, 0);
}

/* A version is a new one exactly when something frozen into it changes. */
static void test_version_ids(void **state)
{
    (void)state;
    static const struct {
        const char *function;
        bool is_same;
    } cases[] = {
        {"{handler: a.b}", true},
        {"{handler: a.b, reservedConcurrency: 3}", true},
        {"{handler: a.b, tags: {a: b}}", true},
        {"{handler: a.c}", false},
        {"{handler: a.b, timeout: 7}", false},
        {"{handler: a.b, environment: {AB: c}}", false},
    };
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compile_options o = {.naming = NAMING_FLAT};
    struct str first = STR("");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiled c;
        struct str yaml = str_fmt(a, HEAD "  f: %s\n", cases[i].function);
        check_ok(compile(a, str_z(a, yaml), &o, &c, &err), &err);
        if (!i)
            first = c.functions[0].version_id;
        if (str_eq(first, c.functions[0].version_id) != cases[i].is_same)
            fail_msg("%s", cases[i].function);
    }
}

static void test_create_stack(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct config_options o = {.dir = str_c(folder), .default_stage = STR("dev"), .lenient = true};
    static const char *const buckets[] = {"", ", deploymentBucket: mine"};
    for (size_t i = 0; i < 2; i++) {
        struct service service;
        struct str yaml =
            str_fmt(a, "service: shop\nprovider: {name: aws%s}\nfunctions: {f: {handler: a.b}}\n",
                    buckets[i]);
        struct str path = path_join(a, str_c(folder), STR("serverless.yml"));
        check_ok(fs_write(path, yaml, 0644, &err), &err);
        check_ok(service_load(a, &o, &service, &err), &err);
        const struct node *template = compile_create_stack(a, &service);
        if (i) {
            assert_null(template);
            continue;
        }
        assert_int_equal(node_count(node_get_c(template, "Resources")), 2);
        check_str(node_text(node_path(template, "Resources.ServerlessDeploymentBucket.Type")),
                  "AWS::S3::Bucket");
    }
}

/* ---- what is refused ---- */

static const struct refusal {
    const char *functions; /* behind HEAD */
    const char *message;   /* part of the error */
    uint32_t line;         /* where it points */
} refusals[] = {
    {"  f: {memorySize: 128}\n", "neither 'handler' nor 'image' is set", 4},
    {"  foo-bar: {handler: a.b}\n  fooDashbar: {handler: a.b}\n", "is made twice", 5},
    {"  f:\n    handler: a.b\n    timeout: 901\n", "'timeout' must be between 1 and 900 seconds",
     6},
    {"  f:\n    handler: a.b\n    memorySize: 64\n", "between 128 and 10240 MB, not 64", 6},
    {"  f:\n    handler: a.b\n    name: "
     "n123456789012345678901234567890123456789012345678901234567890123456789\n",
     "has 70 characters", 6},
    {"  f:\n    handler: a.b\n    runtime: go1.x\n", "no code for runtime 'go1.x' any more", 6},
    {"  f:\n    handler: a.b\n    layers:\n      - arn:aws:lambda:us-east-1:1:layer:a:1\n"
     "      - arn:aws:lambda:us-east-1:1:layer:a:2\n"
     "      - arn:aws:lambda:us-east-1:1:layer:a:3\n"
     "      - arn:aws:lambda:us-east-1:1:layer:a:4\n"
     "      - arn:aws:lambda:us-east-1:1:layer:a:5\n"
     "      - arn:aws:lambda:us-east-1:1:layer:a:6\n",
     "can have 5 layers, not 6", 12},
    {"  f:\n    handler: a.b\n    fileSystemConfig:\n      arn: "
     "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0d0d0d0d0d0d0d0d0\n"
     "      localMountPath: /mnt/x\n",
     "'fileSystemConfig' needs a 'vpc'", 6},
    {"  f:\n    handler: a.b\n    destinations:\n      onSuccess: nobody\n",
     "destination 'nobody' is no ARN and no function", 7},
    {"  f:\n    handler: a.b\n    provisionedConcurrency: 1\n    snapStart: true\n",
     "'provisionedConcurrency' and 'snapStart' exclude each other", 6},
    {"  f:\n    handler: a.b\n    events:\n      - cognitoUserPool: word\n", "'pool' is missing",
     7},
    {"  f:\n    handler: a.b\n    events:\n      - cognitoUserPool: {pool: p}\n",
     "'trigger' is missing", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cognitoUserPool: {pool: p, trigger: {a: b}}\n",
     "'trigger' must be a text, not a map", 7},
    {"  f:\n    handler: a.b\n    events:\n      - schedule: rate(1 minutes)\n", "is no schedule",
     7},
    {"  f:\n    handler: a.b\n    events:\n      - schedule: cron(0 12 * * ?)\n", "is no schedule",
     7},
    {"  f:\n    handler: a.b\n    events:\n      - schedule:\n          name: x\n"
     "          rate: [rate(1 hour), rate(2 hours)]\n",
     "'name' cannot belong to 2 expressions", 8},
    {"  f:\n    handler: a.b\n    events:\n      - schedule: {rate: rate(1 hour), timezone: UTC}\n",
     "'timezone' needs 'method: scheduler'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - sqs: arn:aws:sqs:us-east-1:111111111111:q\n"
     "      - sqs: arn:aws:sqs:eu-west-1:111111111111:q\n",
     "'FEventSourceMappingSQSQ' is made twice", 8},
    {"  f:\n    handler: a.b\n    events:\n      - s3: Upper_Case\n", "is no name for a bucket", 7},
    {"  f:\n    handler: a.b\n    events:\n      - s3: {bucket: !Ref Bucket}\n",
     "'bucket' must be a name", 7},
    {"  f:\n    handler: a.b\n    events:\n      - s3: {bucket: one, existing: true}\n"
     "      - s3: {bucket: two, existing: true}\n",
     "events of one existing bucket, not of two", 8},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - cognitoUserPool: {pool: one, trigger: PreSignUp, existing: true}\n"
     "      - cognitoUserPool: {pool: two, trigger: PreSignUp, existing: true}\n",
     "events of one existing user pool, not of two", 8},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - cognitoUserPool: {pool: p, trigger: CustomSMSSender}\n",
     "'kmsKeyId' is missing", 7},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - cognitoUserPool: {pool: p, trigger: CustomSMSSender, existing: true}\n",
     "'kmsKeyId' is missing", 7},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - cognitoUserPool: {pool: p, trigger: CustomSMSSender, kmsKeyId: 'arn:aws:kms:a'}\n"
     "      - cognitoUserPool: {pool: p, trigger: CustomEmailSender, kmsKeyId: 'arn:aws:kms:b'}\n",
     "user pool 'p' can have one key, not two", 8},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - cognitoUserPool: {pool: p, trigger: PreSignUp, lambdaVersion: V1_0}\n",
     "trigger 'PreSignUp' has no version 'V1_0'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cognitoUserPool: {pool: p, trigger: "
     "CustomSMSSender, lambdaVersion: V2_0, kmsKeyId: 'arn:aws:kms:a'}\n",
     "trigger 'CustomSMSSender' has no version 'V2_0'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cognitoUserPool: {pool: p, trigger: "
     "PreTokenGeneration, existing: true, lambdaVersion: V4_0}\n",
     "trigger 'PreTokenGeneration' has no version 'V4_0'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - sns: {arn: !Ref Topic}\n",
     "'topicName' is missing", 7},
    {"  f:\n    handler: a.b\n    events:\n      - stream: {type: kinesis, arn: !Ref S, consumer: "
     "true,\n          startingPosition: AT_TIMESTAMP}\n",
     "needs 'startingPositionTimestamp'", 8},
    {"  f:\n    handler: a.b\n    events:\n      - eventBridge:\n          schedule: rate(1 hour)\n"
     "          input: {a: 1}\n          inputPath: $.x\n",
     "exclude each other", 10},
    {"  f:\n    handler: a.b\n    events:\n      - cloudwatchLog: g\n      - cloudwatchLog: g\n"
     "  g:\n    handler: a.b\n    events:\n      - cloudwatchLog: {logGroup: g}\n",
     "log group 'g' gets more than 2 subscription filters", 12},
    {"  f:\n    handler: a.b\n    events:\n      - cloudwatchEvent:\n          event: {source: "
     "[a]}\n"
     "          input: {a: 1}\n          inputPath: $.x\n",
     "exclude each other", 10},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - iotFleetProvisioning: {templateBody: {}, provisioningRoleArn: 'arn:x'}\n"
     "      - iotFleetProvisioning: {templateBody: {}, provisioningRoleArn: 'arn:x'}\n",
     "the hook of one 'iotFleetProvisioning' only", 8},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - alb: {listenerArn: !Ref L, priority: 1, conditions: {}}\n",
     "'conditions' needs at least one condition", 7},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - alb: {listenerArn: !Ref L, priority: 1, conditions: {path: /}}\n"
     "      - alb: {listenerArn: !Ref M, priority: 1, conditions: {path: /}}\n",
     "priority 1 is used twice by function 'f'", 8},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - alb: {listenerArn: !Ref L, priority: 1, conditions: {path: /}}\n"
     "  g:\n    handler: a.b\n    events:\n"
     "      - alb: {listenerArn: !Ref L, priority: 1, conditions: {path: /}}\n",
     "priority 1 is used already on the listener of function 'g'", 11},
    {"  f:\n    handler: a.b\n    events:\n"
     "      - alb: {listenerArn: !Ref L, priority: 1, conditions: {path: /}, authorizer: x}\n",
     "there is no authorizer 'x'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - kafka: {bootstrapServers: [a:1], topic: t, "
     "accessConfigurations: {vpcSubnet: [subnet-1]}}\n",
     "needs 'vpcSecurityGroup' beside 'vpcSubnet'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - kafka: {bootstrapServers: [a:1], topic: t, "
     "accessConfigurations: {vpcSecurityGroup: [sg-1]}}\n",
     "needs 'vpcSubnet' beside 'vpcSecurityGroup'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - kafka:\n          {bootstrapServers: [a:1], "
     "topic: t, startingPosition: AT_TIMESTAMP,\n          accessConfigurations: {saslPlainAuth: "
     "[arn:aws:secretsmanager:us-east-1:1:secret:s]}}\n",
     "needs 'startingPositionTimestamp'", 8},
    {"  f:\n    handler: a.b\n    events:\n      - msk: {arn: "
     "'arn:aws:kafka:us-east-1:1:cluster/c/1', topic: t, startingPosition: AT_TIMESTAMP}\n",
     "needs 'startingPositionTimestamp'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - msk: {arn: 'arn:aws:kafka:us-east-1:1:cluster', "
     "topic: t}\n",
     "must be the ARN of an MSK cluster", 7},
    {"  f:\n    handler: a.b\n    events:\n      - msk: {arn: !GetAtt Cluster.Arn, topic: t}\n",
     "must be the ARN of an MSK cluster", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "example.com}\n",
     "'origin' must be a URL with a host", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://e.com', cachePolicy: {name: none}}\n",
     "there is no cache policy 'none'", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://a.com', pathPattern: /a, isDefaultOrigin: true}\n      - cloudFront: {eventType: "
     "viewer-request, origin: 'https://b.com', pathPattern: /b, isDefaultOrigin: true}\n",
     "a second origin has 'isDefaultOrigin'", 8},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://a.com', pathPattern: /a}\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://b.com', pathPattern: /b}\n",
     "there are several origins, and none is for all other paths", 7},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://a.com', pathPattern: /a}\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://b.com', pathPattern: /a}\n",
     "'pathPattern' '/a' stands here twice", 8},
    {"  f:\n    handler: a.b\n    events:\n      - cloudFront: {eventType: viewer-request, origin: "
     "'https://a.com'}\n      - cloudFront: {eventType: viewer-request, origin: 'https://a.com', "
     "includeBody: true}\n",
     "'eventType' 'viewer-request' stands here twice", 8},
    {"  f: {handler: a.b, memorySize: 129, events: [{cloudFront: {eventType: viewer-request, "
     "origin: 'https://a.com'}}]}\n",
     "'memorySize' is more than the 128 MB", 4},
    {"  f: {handler: a.b, timeout: 31, events: [{cloudFront: {eventType: origin-request, "
     "origin: 'https://a.com'}}]}\n",
     "'timeout' is more than the 30 seconds", 4},
    {"  f: {handler: a.b}\nresources:\n  extensions:\n    Nobody:\n      DependsOn: [A]\n",
     "cannot extend 'Nobody': there is no such resource", 7},
    {"  f: {handler: a.b}\nresources:\n  extensions:\n    FLambdaFunction:\n      Type: X\n",
     "attribute 'Type' cannot be extended", 8},
    {"  f: {handler: a.b}\nresources:\n  Resources:\n    Text: hello\n",
     "resource 'Text' must be a map", 7},
    {"  f:\n    handler: a.b\n    environment:\n      AB: x\n      AWS_REGION: x\n",
     "environment variable 'AWS_REGION' is set by Lambda itself", 8},
    {"  f: {image: nothing}\n", "image 'nothing' is not in 'provider.ecr.images'", 4},
};

/* The same in version 4 of the dialect; the line counts from the function's on. */
#define DURABLE "  f:\n    handler: a.b\n    durableConfig: {executionTimeout: 901}\n"
static const struct refusal refusals_4[] = {
    {DURABLE "    runtime: nodejs20.x\n", "does not work with this runtime", 6},
    {DURABLE "    snapStart: true\n", "durable functions with SnapStart run under", 7},
    {DURABLE "    runtime: java21\n    snapStart: true\n    ephemeralStorageSize: 513\n",
     "no 'ephemeralStorageSize' above 512", 8},
    {DURABLE "    destinations: {onSuccess: f}\n", "'destinations' do not work with", 7},
    {DURABLE "    events: [sqs: arn:aws:sqs:us-east-1:1:q]\n", "must be at most 900", 6},
    {DURABLE "    maximumRetryAttempts: 0\n", "'maximumRetryAttempts' does not work", 7},
    {"  f: {handler: a.b, destinations: {onSuccess: g}}\n  g: {handler: a.b, condition: C}\n",
     "destination 'g' is there under condition 'C' only", 4},
};

/* What a rule cannot have that a custom resource makes. */
static void test_custom_rules(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *message;
    } cases[] = {
        {"retryPolicy: {maximumEventAge: 60}", "'retryPolicy' needs a rule that"},
        {"deadLetterQueueArn: 'arn:aws:sqs:q'", "'deadLetterQueueArn' needs a rule that"},
        {"eventBus: !Ref Bus", "a bus from a CloudFormation function needs a rule that"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct compile_options o = {.naming = i % 2 ? NAMING_SHARED : NAMING_FLAT};
        struct compiled c;
        struct str yaml = str_fmt(a,
                                  "service: s\n"
                                  "provider: {name: aws, eventBridge: {useCloudFormation: false}}\n"
                                  "functions:\n  f:\n    handler: a.b\n    events:\n"
                                  "      - eventBridge:\n          schedule: rate(1 hour)\n"
                                  "          %s\n",
                                  cases[i / 2].setting);
        assert_int_equal(compile(a, yaml.p, &o, &c, &err), -1);
        if (str_find(err.msg, str_c(cases[i / 2].message), 0) < 0 || err.pos.line != 9)
            fail_msg("%s", str_z(a, err_render(a, &err, false)));
    }
}

/* With stages a handler may do what its stage needs, and nothing else. */
static void test_rights_of_handlers(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_SHARED};
    check_ok(compile(a,
                     "custom: {troupe: {functions: {perStage: [own]}}}\n" HEAD
                     "  one:\n    handler: a.b\n    events:\n"
                     "      - s3: {bucket: photos, existing: true, forceDeploy: true}\n"
                     "  own:\n    handler: a.b\n    events:\n"
                     "      - s3: {bucket: photos, existing: true, event: 's3:ObjectRemoved:*'}\n",
                     &o, &c, &err),
             &err);
    const struct node *statements = node_path(
        c.template, "Resources.IamRoleCustomResourcesLambdaExecution.Properties.Policies.0."
                    "PolicyDocument.Statement");
    const struct node *functions = node_path(statements, "2.Resource");
    static const char *const names[] = {"shop-one", "shop-one:dev", "shop-dev-own"};
    assert_int_equal(node_count(statements), 3);
    assert_int_equal(node_count(functions), 3);
    for (size_t i = 0; i < 3; i++)
        check_str(node_text(node_get_c(functions->items[i], "Fn::Sub")),
                  str_fmt(a,
                          "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
                          "function:%s",
                          names[i])
                      .p);
    check_text(&c, "Resources.OneCustomS31.Properties.FunctionName.Ref", "OneLambdaFunction");
    assert_null(node_path(c.template, "Resources.OneCustomS31.Properties.ForceDeploy"));
    assert_non_null(node_path(c.template, "Resources.CustomDashresourceDashexistingDashs3Lambda"
                                          "Function.Properties.Code.ZipFile"));
    assert_true(c.has_handlers);
}

static void check_refused(const struct refusal *table, size_t n, const char *end)
{
    struct compile_options o = {.naming = NAMING_FLAT};
    for (size_t i = 0; i < n; i++) {
        const struct refusal *r = &table[i];
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct compiled c;
        struct str yaml = str_fmt(a, "%s%s%s", HEAD, r->functions, end);
        if (compile(a, yaml.p, &o, &c, &err) == 0)
            fail_msg("not refused:\n%s", yaml.p);
        if (str_find(err.msg, str_c(r->message), 0) < 0 || err.kind != ERR_CONFIG ||
            err.pos.line != r->line)
            fail_msg("expected '%s' at line %u:\n%s", r->message, r->line,
                     str_z(a, err_render(a, &err, false)));
    }
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused(refusals, sizeof refusals / sizeof *refusals, "");
    check_refused(refusals_4, sizeof refusals_4 / sizeof *refusals_4,
                  "frameworkVersion: '4'\nresources: {Conditions: {C: true}}\n");
}

/* CloudFront calls functions of one region only. */
static void test_the_edge_is_in_one_region(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compile_options o = {.naming = NAMING_FLAT};
    struct compiled c;
    const char *yaml = "service: shop\nprovider: {name: aws, region: eu-west-1}\nfunctions:\n"
                       "  f: {handler: a.b, events: [{cloudFront: {eventType: viewer-request, "
                       "origin: 'https://a.com'}}]}\n";
    assert_int_equal(compile(a, yaml, &o, &c, &err), -1);
    assert_true(str_find(err.msg, STR("must be in region us-east-1, not in eu-west-1"), 0) >= 0);
    assert_int_equal(err.pos.line, 4);
}

static void compile_odd(struct arena *a, struct str function)
{
    cleanup_err struct err err = {0};
    struct compiled c;
    struct compile_options o = {.naming = NAMING_FLAT};
    struct function f = {.key = STR("f"), .name = STR("shop-dev-f")};
    struct service service = {.name = STR("shop"),
                              .stage = STR("dev"),
                              .region = STR("us-east-1"),
                              .functions = &f,
                              .function_count = 1};
    service.root = json_parse(a, STR("root"), STR("{\"provider\": {\"name\": \"aws\"}}"), &err);
    f.node = json_parse(a, STR("function"), function, &err);
    check_ok(f.node ? 0 : -1, &err);
    int rc = compile_service(a, &service, NULL, &o, &c, &err);
    if (rc < 0)
        assert_int_equal(err.kind, ERR_CONFIG);
    else
        assert_non_null(c.template);
}

/* A value that the schema lets through gives an error with a place or a template, never a crash. */
static void test_odd_types(void **state)
{
    (void)state;
    static const char *const keys[] = {"handler",
                                       "image",
                                       "name",
                                       "memorySize",
                                       "timeout",
                                       "layers",
                                       "tags",
                                       "environment",
                                       "events",
                                       "role",
                                       "vpc",
                                       "fileSystemConfig",
                                       "onError",
                                       "kmsKeyArn",
                                       "tracing",
                                       "url",
                                       "destinations",
                                       "dependsOn",
                                       "condition",
                                       "logs",
                                       "runtimeManagement",
                                       "description",
                                       "package",
                                       "provisionedConcurrency",
                                       "snapStart",
                                       "maximumEventAge",
                                       "disableLogs"};
    static const char *const events[] = {"schedule",
                                         "sns",
                                         "sqs",
                                         "s3",
                                         "stream",
                                         "eventBridge",
                                         "alb",
                                         "alexaSkill",
                                         "alexaSmartHome",
                                         "cloudwatchEvent",
                                         "cloudwatchLog",
                                         "iot",
                                         "iotFleetProvisioning"};
    static const char *const members[] = {"arn",
                                          "rate",
                                          "bucket",
                                          "topicName",
                                          "redrivePolicy",
                                          "pattern",
                                          "eventBus",
                                          "input",
                                          "inputTransformer",
                                          "destinations",
                                          "consumer",
                                          "rules",
                                          "filterPatterns",
                                          "event",
                                          "logGroup",
                                          "filter",
                                          "sql",
                                          "templateBody",
                                          "appId",
                                          "listenerArn",
                                          "conditions",
                                          "healthCheck",
                                          "authorizer",
                                          "name"};
    static const char *const values[] = {"null",
                                         "true",
                                         "7",
                                         "\"text\"",
                                         "\"arn:x\"",
                                         "[]",
                                         "[7]",
                                         "{}",
                                         "{\"a\": [1]}",
                                         "{\"Fn::GetAtt\": \"A.B\"}",
                                         "{\"Ref\": {}}",
                                         "{\"uri\": {}}",
                                         "[{\"a\": 1, \"b\": 2}]"};
    enum { KEYS = sizeof keys / sizeof *keys, VALUES = sizeof values / sizeof *values };
    enum { EVENTS = sizeof events / sizeof *events, MEMBERS = sizeof members / sizeof *members };
    for (size_t k = 0; k < KEYS + EVENTS + EVENTS * MEMBERS; k++)
        for (size_t v = 0; v < VALUES; v++) {
            cleanup_arena struct arena *a = arena_new();
            size_t e = k - KEYS, m = k - KEYS - EVENTS;
            struct str text;
            if (k < KEYS)
                text = str_fmt(a, "{\"handler\": \"a.b\", \"%s\": %s}", keys[k], values[v]);
            else if (k < KEYS + EVENTS)
                text = str_fmt(a, "{\"handler\": \"a.b\", \"events\": [{\"%s\": %s}]}", events[e],
                               values[v]);
            else
                text = str_fmt(a,
                               "{\"handler\": \"a.b\", \"events\": [{\"%s\": {\"arn_\": 1, "
                               "\"%s\": %s}}]}",
                               events[m / MEMBERS], members[m % MEMBERS], values[v]);
            if (k == 0)
                text = str_fmt(a, "{\"handler\": %s}", values[v]);
            compile_odd(a, text);
        }
}

static void test_environment_limit(void **state)
{
    (void)state;
    struct compile_options o = {.naming = NAMING_FLAT};
    cleanup_arena struct arena *a = arena_new();
    static const struct {
        int bytes;
        bool is_fine;
    } cases[] = {{4096 - 4, true}, {4096 - 3, false}};
    for (size_t i = 0; i < 2; i++) {
        cleanup_err struct err err = {0};
        struct compiled c;
        struct str yaml =
            str_fmt(a, HEAD "  f: {handler: a.b, environment: {NAME: %0*d}}\n", cases[i].bytes, 7);
        /* in quotes, so that it is a text */
        yaml = str_replace(a, yaml, STR("NAME: 0"), STR("NAME: 'x"));
        yaml = str_replace(a, yaml, STR("7}}"), STR("7'}}"));
        assert_int_equal(compile(a, yaml.p, &o, &c, &err) == 0, cases[i].is_fine);
        if (!cases[i].is_fine)
            assert_true(str_find(err.msg, STR("has 4097 bytes, Lambda takes 4096"), 0) >= 0);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    cleanup_err struct err err = {0};
    return fs_remove_all(str_c(folder), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_names),
        cmocka_unit_test(test_shared_role_keeps_given_name),
        cmocka_unit_test(test_shared_names_are_capped),
        cmocka_unit_test(test_rules_belong_to_the_stage),
        cmocka_unit_test(test_stage_is_flagged),
        cmocka_unit_test(test_resources_know_their_place),
        cmocka_unit_test(test_what_the_template_does_not_say),
        cmocka_unit_test(test_version_ids),
        cmocka_unit_test(test_create_stack),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_the_edge_is_in_one_region),
        cmocka_unit_test(test_custom_rules),
        cmocka_unit_test(test_rights_of_handlers),
        cmocka_unit_test(test_odd_types),
        cmocka_unit_test(test_environment_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
