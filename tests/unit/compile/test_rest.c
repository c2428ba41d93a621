/* REST APIs: names without the stage, when there is a new deployment, places and flags, and what is
 * refused. That the templates are right is for the golden cases. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "base/fs.h"
#include "compile/compile.h"

static char folder[] = "/tmp/troupe-rest-XXXXXX";

static const struct compile_options flat = {.naming = NAMING_FLAT};
static const struct compile_options shared = {.naming = NAMING_SHARED};

/* Compile `yaml` for stage dev. */
static int compile(struct arena *a, struct str yaml, const struct compile_options *options,
                   struct compiled *ret, struct err *err)
{
    struct str dir = str_c(folder);
    struct config_options o = {.dir = dir, .default_stage = STR("dev"), .lenient = true};
    struct service *service = ARENA_NEW(a, struct service);
    if (fs_write(path_join(a, dir, STR("serverless.yml")), yaml, 0644, err) < 0 ||
        service_load(a, &o, service, err) < 0)
        return -1;
    return compile_service(a, service, NULL, options, ret, err);
}

#define check_text(c, path, want) check_str(node_text(node_path((c)->template, (path))), (want))

#define HEAD          \
    "service: shop\n" \
    "provider:\n"     \
    "  name: aws\n"
#define FUNCTION         \
    "functions:\n"       \
    "  f:\n"             \
    "    handler: a.b\n" \
    "    events:\n"
#define ORDERS HEAD FUNCTION "      - http: GET /orders\n"

/* ---- names ---- */

static void test_name_without_stage(void **state)
{
    (void)state;
    static const struct {
        const struct compile_options *options;
        const char *above, *below, *name;
        bool has_stage;
    } cases[] = {
        {&flat, "", "", "dev-shop", true},
        {&flat, "  apiGateway: {shouldStartNameWithService: true}\n", "", "shop-dev", true},
        {&shared, "", "", "shop", false},
        {&shared, "  apiName: front\n", "", "front", false},
        {&shared, "", "custom: {troupe: {apis: {rest: perStage}}}\n", "dev-shop", true},
    };
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiled c;
        struct str yaml = str_fmt(a, HEAD "%s" FUNCTION "      - http: GET /orders\n%s",
                                  cases[i].above, cases[i].below);
        check_ok(compile(a, yaml, cases[i].options, &c, &err), &err);
        const struct node *name =
            node_path(c.template, "Resources.ApiGatewayRestApi.Properties.Name");
        check_str(node_text(name), cases[i].name);
        assert_int_equal((name->flags & NODE_STAGE) != 0, cases[i].has_stage);
    }
}

static void test_what_the_template_does_not_say(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    check_ok(compile(a, STR(ORDERS), &flat, &c, &err), &err);
    check_str(c.rest_api_id, "ApiGatewayRestApi");
    const struct node *deployment =
        node_get(node_get_c(c.template, "Resources"), c.rest_deployment_id);
    check_str(node_text(node_get_c(deployment, "Type")), "AWS::ApiGateway::Deployment");
    struct str imported =
        STR(HEAD "  apiGateway: {restApiId: abc, restApiRootResourceId: def}\n" FUNCTION
                 "      - http: GET /orders\n");
    check_ok(compile(a, imported, &flat, &c, &err), &err);
    assert_int_equal(c.rest_api_id.n, 0);
    assert_true(c.rest_deployment_id.n > 0);
    assert_null(node_path(c.template, "Resources.ApiGatewayRestApi"));
    check_text(&c, "Resources.ApiGatewayResourceOrders.Properties.ParentId", "def");
}

/* ---- deployments ---- */

/* A deployment's id changes with what is deployed, and with nothing else. */
static void test_deployment_id(void **state)
{
    (void)state;
    static const struct {
        const char *what, *yaml;
        bool is_same;
    } cases[] = {
        {"the first one", ORDERS, true},
        {"again", ORDERS, true},
        {"a function's memory", HEAD "  memorySize: 512\n" FUNCTION "      - http: GET /orders\n",
         true},
        {"a table", ORDERS "resources:\n  Resources:\n    T: {Type: 'AWS::DynamoDB::Table'}\n",
         true},
        {"a method", HEAD FUNCTION "      - http: POST /orders\n", false},
        {"an authorizer",
         HEAD FUNCTION "      - http: {path: orders, method: get, authorizer: aws_iam}\n", false},
        {"a response of the API's own",
         ORDERS "resources:\n  Resources:\n    R: {Type: 'AWS::ApiGateway::GatewayResponse'}\n",
         false},
        {"an overridden method",
         ORDERS "resources:\n  extensions:\n    ApiGatewayMethodOrdersGet:\n"
                "      Properties: {ApiKeyRequired: true}\n",
         false},
        {"a merged method",
         ORDERS "resources:\n  - Resources:\n      ApiGatewayMethodOrdersGet:\n"
                "        Properties: {ApiKeyRequired: true}\n",
         false},
    };
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct str first = STR("");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct compiled c;
        check_ok(compile(a, str_c(cases[i].yaml), &flat, &c, &err), &err);
        if (!i)
            first = c.rest_deployment_id;
        if (str_eq(first, c.rest_deployment_id) != cases[i].is_same)
            fail_msg("%s", cases[i].what);
    }
}

/* ---- flags and places ---- */

static void test_resources_know_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        uint32_t line;
    } places[] = {
        {"ApiGatewayRestApi", 5},
        {"ApiGatewayApiKey1", 6},
        {"ApiGatewayUsagePlanKey1", 6},
        {"ApiGatewayResourceOrders", 11},
        {"ApiGatewayMethodOrdersGet", 11},
        {"ApiGatewayResourceOrdersIdVar", 12},
        {"ApiGatewayMethodOrdersIdVarPut", 12},
        {"ApiGatewayMethodOrdersIdVarOptions", 12},
        {"FApiGatewayAuthorizer", 12},
        {"ApiGatewayMethodOrdersIdVarPutApplicationJsonModel", 13},
    };
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct str yaml =
        STR(HEAD "  apiGateway:\n"
                 "    apiKeys:\n"
                 "      - one\n" FUNCTION "      - http: GET /orders\n"
                 "      - http: {path: 'orders/{id}', method: put, cors: true, authorizer: f,\n"
                 "          request: {schemas: {application/json: {type: object}}}}\n");
    check_ok(compile(a, yaml, &flat, &c, &err), &err);
    const struct node *resources = node_get_c(c.template, "Resources");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct node *r = node_get_c(resources, places[i].id);
        if (!r)
            fail_msg("no %s", places[i].id);
        if (r->pos.line != places[i].line)
            fail_msg("%s is at line %u, not %u", places[i].id, r->pos.line, places[i].line);
    }
}

/* A method depends on the stage only where the configuration does. */
static void test_stage_is_flagged(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct str yaml =
        STR(HEAD FUNCTION
            "      - http: {path: plain, method: get, cors: {origin: 'https://example.com'}}\n"
            "      - http: {path: staged, method: get,\n"
            "          cors: {origin: 'https://${sls:stage}.example.com'}}\n"
            "      - http: {path: 'in/${sls:stage}', method: get}\n"
            "      - http: {path: signed, method: get, authorizer: '${self:custom.${sls:stage}}'}\n"
            "      - http: {path: away, method: get, integration: http-proxy,\n"
            "          request: {uri: 'https://${sls:stage}.example.com'}}\n"
            "custom: {dev: aws_iam}\n");
    check_ok(compile(a, yaml, &shared, &c, &err), &err);
    static const struct {
        const char *path;
        bool has_stage;
    } cases[] = {
        {"ApiGatewayRestApi", false},
        {"ApiGatewayMethodPlainGet", false},
        {"ApiGatewayMethodPlainOptions", false},
        {"ApiGatewayMethodStagedOptions", true},
        {"ApiGatewayMethodStagedGet", false},
        {"ApiGatewayMethodAwayGet", true},
        {"ApiGatewayResourceInDev", true},
        {"ApiGatewayMethodSignedGet", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct node *r = node_get_c(node_get_c(c.template, "Resources"), cases[i].path);
        assert_non_null(r);
        if (((node_flags_deep(r) & NODE_STAGE) != 0) != cases[i].has_stage)
            fail_msg("%s", cases[i].path);
    }
    const struct node *deployment =
        node_get(node_get_c(c.template, "Resources"), c.rest_deployment_id);
    assert_true(node_path(deployment, "Properties.StageName")->flags & NODE_STAGE);
}

static void test_last_event_of_a_route_wins(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct compiled c;
    struct str yaml =
        STR(HEAD FUNCTION "      - http: GET /orders\n"
                          "      - http: {path: /orders/, method: GET, operationId: second}\n");
    check_ok(compile(a, yaml, &flat, &c, &err), &err);
    check_text(&c, "Resources.ApiGatewayMethodOrdersGet.Properties.OperationName", "second");
}

/* ---- what is refused ---- */

static const struct refusal {
    const char *provider; /* behind HEAD */
    const char *event;    /* behind FUNCTION, in line 8 when `provider` is empty */
    const char *message;  /* part of the error */
    uint32_t line;        /* where it points */
} refusals[] = {
    {"", "http: '*'", "'*' is not 'METHOD /path'", 8},
    {"", "http: GET", "'GET' is not 'METHOD /path'", 8},
    {"", "http: FETCH /x", "unknown method 'FETCH'", 8},
    {"", "http:\n          path: x\n          method: '*'", "unknown method '*'", 10},
    {"", "http: {path: x}", "'method' is missing", 8},
    {"", "http: {method: get}", "'path' is missing", 8},
    {"", "http: GET /a//b", "path '/a//b' has an empty part", 8},
    {"", "http: {path: x, method: get, integration: carrier-pigeon}",
     "unknown integration 'carrier-pigeon'", 8},
    {"", "http: {path: x, method: get, integration: http-proxy}", "needs 'request.uri'", 8},
    {"", "http: {path: x, method: get, integration: http, request: {uri: 'https://e'}}",
     "integration 'http' needs 'response'", 8},
    {"",
     "http:\n          path: x\n          method: get\n          integration: http-proxy\n"
     "          connectionType: vpc-link\n          request: {uri: 'https://e'}",
     "connection type 'vpc-link' needs 'connectionId'", 12},
    {"", "http: {path: x, method: get, response: {transferMode: fast}}",
     "'transferMode' must be BUFFERED or STREAM, not 'FAST'", 8},
    {"", "http: {path: x, method: get, integration: lambda, response: {transferMode: stream}}",
     "'transferMode' needs the integration lambda-proxy or http-proxy", 8},
    {"", "http:\n          path: x\n          method: get\n          authorizer: nobody",
     "there is no function 'nobody'", 11},
    {"", "http: {path: x, method: get, authorizer: {type: token}}",
     "the authorizer has neither 'name' nor 'arn'", 8},
    {"", "http: {path: x, method: get, authorizer: {type: COGNITO_USER_POOLS, arn: !GetAtt P.Arn}}",
     "the authorizer needs a 'name'", 8},
    {"",
     "http: {path: x, method: get,\n          authorizer: {claims: [email],\n"
     "            arn: 'arn:aws:cognito-idp:us-east-1:111111111111:userpool/p'}}",
     "'claims' work with the lambda integration only", 9},
    {"", "http: {path: x, method: get, cors: {origins: []}}", "'cors' allows no origin", 8},
    {"  endpointType: REGIONAL\n  vpcEndpointIds: [vpce-1]\n", "http: GET /x",
     "'vpcEndpointIds' needs 'endpointType: PRIVATE'", 5},
    {"  apiGateway: {restApiId: abc}\n", "http: GET /x",
     "'restApiId' needs 'restApiRootResourceId'", 4},
    {"  apiGateway: {restApiId: abc, restApiRootResourceId: def}\n  logs:\n    restApi: true\n",
     "http: GET /x", "'logs.restApi' has no effect on an existing REST API", 6},
    {"  apiGateway: {restApiId: abc, restApiRootResourceId: def}\n  tracing:\n"
     "    apiGateway: true\n",
     "http: GET /x", "'tracing.apiGateway' has no effect on an existing REST API", 6},
    {"  apiGateway:\n    restApiId: abc\n    restApiRootResourceId: def\n"
     "    restApiResources: {a/b: xyz}\n",
     "http: GET /a/c", "the id of resource '/a' is not known", 12},
    {"  apiGateway:\n    apiKeys:\n      - {name: one, value: short}\n", "http: GET /x",
     "has 20 to 128 characters, not 5", 6},
    {"  apiGateway:\n    apiKeys:\n      - gold: [one]\n", "http: GET /x",
     "API keys 'gold' have no usage plan of that name", 6},
    {"  apiGateway:\n    apiKeys:\n      - one\n    usagePlan:\n"
     "      - gold: {quota: {limit: 1}}\n      - red: {quota: {limit: 2}}\n",
     "http: GET /x", "the API key belongs to none of the usage plans", 6},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct compiled c;
        struct str yaml = str_fmt(a, HEAD "%s" FUNCTION "      - %s\n", r->provider, r->event);
        if (compile(a, yaml, &flat, &c, &err) == 0)
            fail_msg("accepted: %s%s", r->provider, r->event);
        if (err.kind != ERR_CONFIG || str_find(err.msg, str_c(r->message), 0) < 0)
            fail_msg("%s%s: %s", r->provider, r->event, str_z(a, err.msg));
        if (!err.pos.source || err.pos.line != r->line)
            fail_msg("%s%s: at line %u", r->provider, r->event, err.pos.line);
    }
}

/* ---- running ---- */

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
        cmocka_unit_test(test_name_without_stage),
        cmocka_unit_test(test_what_the_template_does_not_say),
        cmocka_unit_test(test_deployment_id),
        cmocka_unit_test(test_resources_know_their_place),
        cmocka_unit_test(test_stage_is_flagged),
        cmocka_unit_test(test_last_event_of_a_route_wins),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
