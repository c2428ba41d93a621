/* Dynamic references in texts. */
#include "check.h"

#include "cfn/dynamic_reference.h"

static struct str shown(struct arena *a, const struct cfn_dynamic *d)
{
    if (d->problem)
        return str_fmt(a, "%zu refused", d->at);
    return str_fmt(a, "%zu %d %.*s|%.*s|%.*s|%.*s", d->at, d->service, STR_ARG(d->name),
                   STR_ARG(d->version), STR_ARG(d->stage), STR_ARG(d->key));
}

static void test_parts(void **state)
{
    static const struct {
        const char *text, *parts;
    } rows[] = {
        {"{{resolve:ssm:/a/b}}", "0 0 /a/b|||"},
        {"x-{{resolve:ssm:/a/b:12}}-y", "2 0 /a/b|12||"},
        {"{{resolve:ssm-secure:/a:1}}", "0 1 /a|1||"},
        {"{{resolve:secretsmanager:app/db}}", "0 2 app/db|||"},
        {"{{resolve:secretsmanager:app/db:SecretString}}", "0 2 app/db|||"},
        {"{{resolve:secretsmanager:db:SecretString:pass}}", "0 2 db|||pass"},
        {"{{resolve:secretsmanager:db:SecretString::AWSPREVIOUS}}", "0 2 db||AWSPREVIOUS|"},
        {"{{resolve:secretsmanager:db:SecretString:k::v1}}", "0 2 db|v1||k"},
        {"{{resolve:secretsmanager:arn:aws:secretsmanager:r:1:secret:db-x:SecretString:k}}",
         "0 2 arn:aws:secretsmanager:r:1:secret:db-x|||k"},
        {"{{resolve:secretsmanager:arn:aws:secretsmanager:r:1:secret:db-x}}",
         "0 2 arn:aws:secretsmanager:r:1:secret:db-x|||"},
        {"{{resolve:ssm:/a:prod}}", "0 refused"},
        {"{{resolve:ssm:/a:}}", "0 refused"},
        {"{{resolve:ssm:}}", "0 refused"},
        {"{{resolve:}}", "0 refused"},
        {"{{resolve:vault:/a}}", "0 refused"},
        {"{{resolve:secretsmanager:}}", "0 refused"},
        {"{{resolve:secretsmanager:db:SecretBinary}}", "0 refused"},
        {"{{resolve:secretsmanager:db:SecretString:k:s:v:more}}", "0 refused"},
        {"{{resolve:ssm:/a}", NULL},
        {"{{resolve", NULL},
        {"{resolve:ssm:/a}}", NULL},
        {"", NULL},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cfn_dynamic d;
        bool found = cfn_dynamic_next(str_c(rows[i].text), 0, &d);
        assert_true(found == (rows[i].parts != NULL));
        if (found)
            check_str(shown(a, &d), rows[i].parts);
    }
    arena_free(a);
}

static void test_one_after_the_other(void **state)
{
    struct str text = STR("a{{resolve:ssm:/x}}{{resolve:ssm:/y:2}}b");
    struct cfn_dynamic d;
    (void)state;
    assert_true(cfn_dynamic_next(text, 0, &d));
    check_str(d.whole, "{{resolve:ssm:/x}}");
    assert_true(cfn_dynamic_next(text, d.at + d.whole.n, &d));
    check_str(d.whole, "{{resolve:ssm:/y:2}}");
    assert_false(cfn_dynamic_next(text, d.at + d.whole.n, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
