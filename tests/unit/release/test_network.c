/* Which networks a template drops. */
#include "parse.h"

#include "release/dispose/network.h"

#define VPC "\"Vpc\":{\"Type\":\"AWS::EC2::VPC\"}"
#define GROUP                                                                                  \
    "\"Group\":{\"Type\":\"AWS::EC2::SecurityGroup\",\"Properties\":{\"VpcId\":{\"Ref\":\"Vpc" \
    "\"}},\"DependsOn\":\"Topic\"}"
#define TOPIC "\"Topic\":{\"Type\":\"AWS::SNS::Topic\"}"
#define TABLE "\"Table\":{\"Type\":\"AWS::DynamoDB::Table\"}"
#define KEPT "\"Kept\":{\"Type\":\"AWS::EC2::Subnet\",\"DeletionPolicy\":\"Retain\"}"
#define NOW                                                                                 \
    "{\"Parameters\":{\"P\":{}},\"Resources\":{" VPC "," GROUP "," TOPIC "," TABLE "," KEPT \
    "},\"Outputs\":{\"O\":{}}}"

static void test_what_is_dropped(void **state)
{
    static const struct {
        const char *next, *want; /* NULL: nothing */
    } rows[] = {
        /* with what it refers to, whether that goes or not; what is retained does not go */
        {"{\"Resources\":{" VPC "," TABLE "}}", "{" GROUP "," VPC "," TOPIC "}"},
        {"{\"Resources\":{" GROUP "}}", "{" VPC "}"},
        {"{\"Resources\":{" VPC "," GROUP "}}", NULL},
        {NULL, "{" VPC "," GROUP "," TOPIC "}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new();
        const struct node *next = rows[i].next ? parse(a, rows[i].next) : NULL;
        const struct node *got = network_dropped(a, parse(a, NOW), next);
        if (!rows[i].want) {
            assert_null(got);
        } else {
            check_str(json_text(a, node_get_c(got, "Resources"), 0),
                      json_text(a, parse(a, rows[i].want), 0).p);
            assert_non_null(node_path(got, "Parameters.P"));
            assert_null(node_get_c(got, "Outputs"));
        }
        arena_free(a);
    }
    struct arena *a = arena_new();
    assert_null(network_dropped(a, NULL, parse(a, NOW)));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_dropped),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
