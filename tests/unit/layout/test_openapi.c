/* OpenAPI documents of every golden template with a REST or HTTP API, compared with
 * tests/golden/openapi.
 * BLESS=1 rewrites them. tests/localcloud imports the same documents and compares what the API then
 * consists of. */
#include "check.h"

#include "base/fs.h"
#include "doc/json.h"
#include "layout/openapi/openapi.h"

static struct str tests_dir;

static const struct node *alias_arn(void *context, struct arena *a, struct str id)
{
    (void)context;
    return node_strf(a,
                     "arn:aws:lambda:us-east-1:123456789012:function:%.*s:${stageVariables.alias}",
                     STR_ARG(id));
}

static const struct node *read_json(struct arena *a, struct str path, struct err *err)
{
    struct str text;
    return fs_read(a, path, 1 << 24, &text, err) < 0 ? NULL : json_parse(a, path, text, err);
}

static const struct kind {
    const char *type, *ending;
    const struct node *(*build)(struct arena *, const struct node *, struct str,
                                const struct openapi_options *, struct err *);
    int at_least; /* how many cases there are at least */
} kinds[] = {{"AWS::ApiGateway::RestApi", "json", openapi_build, 40},
             {"AWS::ApiGatewayV2::Api", "http.json", openapi_build_http, 12}};

static struct str api_of(const struct node *template, const struct kind *kind)
{
    member_each (m, node_get_c(template, "Resources")) {
        struct str protocol = node_text(node_path(m->value, "Properties.ProtocolType"));
        if (node_is_text(node_get_c(m->value, "Type"), kind->type) &&
            !str_eq(protocol, STR("WEBSOCKET")))
            return m->key;
    }
    return (struct str){"", 0};
}

/* Does the template refer to an authorizer by its id? Only an API made elsewhere has one. */
static bool is_foreign(struct str name)
{
    return str_eq(name, STR("http-authorizer-names"));
}

/* Check one case. 1: it has an API, 0: it has none. */
static int check_case(struct arena *a, const struct kind *kind, struct str name)
{
    struct err err = {0};
    struct openapi_options options = {.title = STR("title"), .function_arn = alias_arn};
    struct str dir = path_join(a, tests_dir, STR("golden"));
    struct str path = str_fmt(a, "%.*s/compile/%.*s/expected.json", STR_ARG(dir), STR_ARG(name));
    struct str golden =
        str_fmt(a, "%.*s/openapi/%.*s.%s", STR_ARG(dir), STR_ARG(name), kind->ending);
    const struct node *template = fs_is_file(path) ? read_json(a, path, &err) : NULL;
    struct str api = api_of(template, kind);
    if (!api.n || is_foreign(name))
        return 0;
    const struct node *document = kind->build(a, template, api, &options, &err);
    check_ok(document ? 0 : -1, &err);
    struct str text = str_concat(a, json_text(a, document, 1), STR("\n")), want;
    if (getenv("BLESS"))
        check_ok(fs_write(golden, text, 0644, &err), &err);
    check_ok(fs_read(a, golden, 1 << 24, &want, &err), &err);
    if (!str_eq(text, want))
        print_error("%.*s differs; BLESS=1 rewrites it\n", STR_ARG(golden));
    assert_true(str_eq(text, want));
    return 1;
}

static void test_golden(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    struct str *names;
    size_t n;
    check_ok(fs_list(a, path_join(a, tests_dir, STR("golden/compile")), &names, &n, &err), &err);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int checked = 0;
        for (size_t i = 0; i < n; i++)
            checked += check_case(a, &kinds[k], names[i]);
        assert_true(checked >= kinds[k].at_least);
    }
    arena_free(a);
}

static int refuse(const char *resources, const char *part)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct openapi_options options = {.title = STR("title"), .function_arn = alias_arn};
    const struct node *template = json_parse(a, STR("test"), str_c(resources), &err);
    check_ok(template ? 0 : -1, &err);
    bool refused = !openapi_build(a, template, STR("Api"), &options, &err);
    int right = refused && err.kind == ERR_CONFIG && str_find(err.msg, str_c(part), 0) >= 0;
    err_clear(&err);
    arena_free(a);
    return right;
}

#define METHOD(more)                                                                              \
    "{\"Resources\":{\"Api\":{\"Type\":\"AWS::ApiGateway::RestApi\"},\"M\":{\"Type\":"            \
    "\"AWS::ApiGateway::Method\",\"Properties\":{\"RestApiId\":{\"Ref\":\"Api\"},\"HttpMethod\":" \
    "\"GET\",\"ResourceId\":{\"Fn::GetAtt\":[\"Api\",\"RootResourceId\"]}" more "}}}}"

/* A property without a counterpart in OpenAPI is refused, so nothing is lost. */
static void test_refused(void **state)
{
    (void)state;
    assert_true(refuse(METHOD(",\"Frob\":1"), "'Frob' of a method"));
    assert_true(refuse(METHOD(",\"Integration\":{\"Frob\":1}"), "'Frob' of an integration"));
    assert_true(refuse(METHOD(",\"AuthorizerId\":\"abc\""), "authorizer of another API"));
    assert_true(refuse(METHOD(",\"RequestParameters\":{\"method.request.body.x\":true}"),
                       "unknown request parameter"));
    assert_true(
        refuse(METHOD(",\"Integration\":{\"IntegrationResponses\":[{\"StatusCode\":\"200\"},"
                      "{\"StatusCode\":\"201\"}]}"),
               "two responses have the pattern 'default'"));
}

/* Methods name the models that every API is made with, which no template has. */
static void test_built_in_models(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct openapi_options options = {.title = STR("title"), .function_arn = alias_arn};
    const struct node *template =
        json_parse(a, STR("test"),
                   STR(METHOD(",\"MethodResponses\":[{\"StatusCode\":\"200\",\"ResponseModels\":"
                              "{\"application/json\":\"Empty\"}}]")),
                   &err);
    check_ok(template ? 0 : -1, &err);
    const struct node *document = openapi_build(a, template, STR("Api"), &options, &err);
    check_ok(document ? 0 : -1, &err);
    check_str(json_text(a, node_path(document, "components.schemas"), 0),
              "{\"Empty\":{\"type\":\"object\"}}");
}

int main(int argc, char **argv)
{
    assert_true(argc > 1);
    tests_dir = str_c(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_built_in_models)};
    return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}
