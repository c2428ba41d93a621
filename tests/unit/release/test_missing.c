/* The template of a stage without pointers that somebody has deleted. */
#include "parse.h"

#include "release/plan/without_pointers.h"

/* The template without the alias of `hello` and, with `stage`, without the API's stage. */
static const struct node *without(struct arena *a, const char *template, bool stage)
{
    static struct layout_function hello = {
        .key = {"hello", 5}, .name = {"shop-hello", 10}, .alias_id = {"HelloAlias", 10}};
    static struct layout_api rest = {.id = {"Rest", 4}, .stage_id = {"RestStage", 9}};
    static struct function_plan function = {.function = &hello};
    static struct api_plan api = {.api = &rest};
    static const struct pointer alias = {
        .key = {"hello", 5}, .owner = {"shop-hello", 10}, .stage = {"dev", 3}};
    static const struct pointer stage_of_api = {
        .gateway = &gateway_rest, .key = {"Rest", 4}, .owner = {"abc", 3}, .stage = {"dev", 3}};
    const struct pointer *const gone[] = {&alias, &stage_of_api};
    struct plan plan = {.functions = &function, .function_count = 1, .apis = &api, .api_count = 1};
    plan.world.account = STR("123456789012");
    plan.world.partition = STR("aws");
    return missing_without(a, &plan, parse(a, template), STR("eu-west-1"), gone, stage ? 2 : 1);
}

static void check_without(const char *template, bool stage, const char *want)
{
    struct arena *a = arena_new();
    const struct node *got = without(a, template, stage);
    assert_non_null(got);
    check_str(json_text(a, got, 0), json_text(a, parse(a, want), 0).p);
    arena_free(a);
}

#define ARN "arn:aws:lambda:eu-west-1:123456789012:function:shop-hello:dev"
#define ALIAS "\"HelloAlias\":{\"Type\":\"AWS::Lambda::Alias\"}"

static void test_what_goes(void **state)
{
    (void)state;
    /* what Lambda deletes with an alias: found by a reference, and by a name behind DependsOn */
    check_without("{\"Resources\":{" ALIAS ","
                  "\"P\":{\"Type\":\"AWS::Lambda::Permission\",\"Properties\":{\"FunctionName\":"
                  "{\"Ref\":\"HelloAlias\"}}},"
                  "\"U\":{\"Type\":\"AWS::Lambda::Url\",\"DependsOn\":[\"HelloAlias\"]},"
                  "\"Q\":{\"Type\":\"AWS::Lambda::Permission\",\"Properties\":{\"FunctionName\":"
                  "\"another\"}}},"
                  "\"Outputs\":{\"Url\":{\"Value\":{\"Fn::GetAtt\":[\"U\",\"FunctionUrl\"]}},"
                  "\"Arn\":{\"Value\":{\"Ref\":\"HelloAlias\"}}}}",
                  false,
                  "{\"Resources\":{\"Q\":{\"Type\":\"AWS::Lambda::Permission\",\"Properties\":"
                  "{\"FunctionName\":\"another\"}}},"
                  "\"Outputs\":{\"Arn\":{\"Value\":\"" ARN "\"}}}");
}

static void test_what_stays(void **state)
{
    (void)state;
    /* everything else keeps its values: a bucket that calls the function is not touched */
    check_without(
        "{\"Resources\":{" ALIAS ",\"RestStage\":{\"Type\":\"AWS::ApiGateway::Stage\"},"
        "\"B\":{\"Type\":\"AWS::S3::Bucket\",\"DependsOn\":[\"HelloAlias\",\"T\"],"
        "\"Properties\":{\"F\":{\"Ref\":\"HelloAlias\"},"
        "\"G\":{\"Fn::GetAtt\":[\"HelloAlias\",\"AliasArn\"]}}},"
        "\"M\":{\"Type\":\"AWS::ApiGateway::BasePathMapping\",\"DependsOn\":\"RestStage\","
        "\"Properties\":{\"Stage\":{\"Ref\":\"RestStage\"},"
        "\"X\":{\"Fn::Sub\":\"${RestStage}/${HelloAlias}/${AWS::Region}\"}}},"
        "\"T\":{\"Type\":\"AWS::SNS::Topic\"}}}",
        true,
        "{\"Resources\":{\"B\":{\"Type\":\"AWS::S3::Bucket\","
        "\"Properties\":{\"F\":\"" ARN "\",\"G\":\"" ARN "\"},\"DependsOn\":[\"T\"]},"
        "\"M\":{\"Type\":\"AWS::ApiGateway::BasePathMapping\","
        "\"Properties\":{\"Stage\":\"dev\","
        "\"X\":{\"Fn::Sub\":\"dev/" ARN "/${AWS::Region}\"}}},"
        "\"T\":{\"Type\":\"AWS::SNS::Topic\"}},\"Outputs\":{}}");
}

static void test_nothing_else(void **state)
{
    (void)state;
    check_without("{\"Resources\":{" ALIAS "}}", false,
                  "{\"Resources\":{\"TroupePlaceholder\":{\"Type\":"
                  "\"AWS::CloudFormation::WaitConditionHandle\"}},\"Outputs\":{}}");
}

static void test_what_cannot_stay(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    assert_null(without(a,
                        "{\"Resources\":{" ALIAS ","
                        "\"U\":{\"Type\":\"AWS::Lambda::Url\",\"DependsOn\":[\"HelloAlias\"]},"
                        "\"P\":{\"Type\":\"AWS::SSM::Parameter\",\"Properties\":{\"Value\":"
                        "{\"Fn::GetAtt\":[\"U\",\"FunctionUrl\"]}}}}}",
                        false));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes),
        cmocka_unit_test(test_what_stays),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_what_cannot_stay),
    };
    return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
