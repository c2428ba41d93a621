/* The policies of a deployer, for whole services: what each allows, and on what. */
#include "fixture.h"

#include "release/policy/policy.h"

#define ROLE "arn:aws:iam::123456789012:role/cloudformation"

static void make(struct fixture *f, const char *file, bool every_stage, struct policies *ret)
{
    fixture_load(f, file, "dev", "exports.api = exports.hello = exports.main = 1;");
    struct policy_request request = {.service = &f->service,
                                     .layout = &f->layout,
                                     .every_stage = every_stage,
                                     .account = STR("123456789012"),
                                     .partition = STR("aws")};
    check_ok(policies_make(f->arena, &request, ret, &f->err), &f->err);
}

static bool names(const struct node *value, const char *text)
{
    bool found = node_is_text(value, text);
    node_each (item, value)
        found |= node_is_text(item, text);
    return found;
}

/* The resources, as JSON, on which `holder` ("": who calls troupe) may do `action`; p NULL: none.
 */
static struct str resources_of(struct fixture *f, const struct policies *all, const char *holder,
                               const char *action)
{
    struct buf out = BUF(f->arena);
    for (size_t i = 0; i < all->n; i++)
        node_each (s, node_get_c(all->p[i].document, "Statement"))
            if (str_eq(all->p[i].holder, str_c(holder)) && names(node_get_c(s, "Action"), action))
                json_write(&out, node_get_c(s, "Resource"), 0);
    return out.n ? buf_str(&out) : (struct str){NULL, 0};
}

/* What IAM takes, and what people can check: no document is too long, each statement has a Sid of
 * its own, a reason, actions with a service and a name, and resources. */
static void check_documents(const struct policies *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct policy *p = &all->p[i];
        cleanup_arena struct arena *a = arena_new();
        struct map sids = MAP(a);
        assert_true(p->size <= POLICY_MAX);
        assert_int_equal(p->size, json_text(a, p->document, 0).n);
        node_each (s, node_get_c(p->document, "Statement")) {
            struct str sid = node_text(node_get_c(s, "Sid"));
            const struct node *actions = node_get_c(s, "Action");
            assert_false(map_has(&sids, sid));
            map_put(&sids, sid, s);
            assert_true(node_text(node_get(p->reasons, sid)).n > 0);
            assert_non_null(node_get_c(s, "Resource"));
            assert_false(names(actions, "*"));
            node_each (action, actions)
                assert_true(str_find_char(node_text(action), ':', 0) > 0);
        }
    }
}

static void test_documents(void **state)
{
    static const char *const files[] = {"files.yml",       "orders.yml", "network.yml",
                                        "url.yml",         "policy.yml", "files-later.yml",
                                        "orders-stage.yml"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int every = 0; every < 2; every++) {
            struct policies all;
            make(f, files[i], every, &all);
            assert_true(all.n > 0);
            check_documents(&all);
        }
}

/* troupe publishes as who calls it; what stacks make is CloudFormation's role's to do. */
static void test_whose_rights(void **state)
{
    struct fixture *f = *state;
    struct policies all;
    make(f, "policy.yml", false, &all);
    check_has(resources_of(f, &all, "", "lambda:PublishVersion"), "function:shop-");
    check_has(resources_of(f, &all, "", "iam:PassRole"), ROLE);
    check_has(resources_of(f, &all, "", "cloudformation:UpdateStack"), "stack/shop-dev/");
    assert_null(resources_of(f, &all, "", "sqs:CreateQueue").p);
    assert_null(resources_of(f, &all, ROLE, "lambda:PublishVersion").p);
    check_has(resources_of(f, &all, ROLE, "sqs:CreateQueue"), ":shop-dev-");
    check_has(resources_of(f, &all, ROLE, "dynamodb:CreateTable"), "table/shop-dev-");
    assert_true(str_find(resources_of(f, &all, "", "cloudformation:UpdateStack"),
                         STR("stack/shop-prod"), 0) < 0);
    check_has(json_text(f->arena, all.notes, 0), "Third::Party::Thing");
    make(f, "policy.yml", true, &all);
    check_has(resources_of(f, &all, "", "cloudformation:UpdateStack"), "stack/shop-*");
    check_has(resources_of(f, &all, ROLE, "sqs:CreateQueue"), ":shop-*");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_documents),
        FIXTURE_TEST(test_whose_rights),
    };
    (void)argc;
    return FIXTURE_RUN("policy", tests, argv);
}
