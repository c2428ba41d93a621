/* The steps of shifts, and which functions can be shifted. */
#include "parse.h"

#include "release/deploy/engine.h"
#include "release/deploy/shift_schedule.h"

static void check_steps(struct shift shift, bool judged, const char *want)
{
    struct arena *a = arena_new();
    struct buf text = BUF(a);
    struct shift_step *steps;
    size_t n;
    shift_schedule(a, &shift, judged, &steps, &n);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&text, "%u/%lld ", steps[i].percent, (long long)steps[i].hold_ms);
    check_str(buf_str(&text), want);
    arena_free(a);
}

static void test_steps(void **state)
{
    (void)state;
    check_steps((struct shift){0}, false, "");
    check_steps((struct shift){0}, true, "100/0 ");
    check_steps((struct shift){.kind = SHIFT_CANARY, .percent = 5, .pause_ms = 9}, true, "5/9 ");
    check_steps((struct shift){.kind = SHIFT_LINEAR, .percent = 30, .pause_ms = 7}, false,
                "30/7 60/7 90/7 ");
    check_steps((struct shift){.kind = SHIFT_LINEAR, .percent = 50, .pause_ms = 7}, false, "50/7 ");
    check_steps((struct shift){.kind = SHIFT_LINEAR, .percent = 99, .pause_ms = 1}, false, "99/1 ");
}

static void test_possible(void **state)
{
    (void)state;
    static const struct {
        const char *alias, *before, *after, *why;
    } cases[] = {
        {"{}", "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\"}",
         "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\",\"code\":\"c\"}", NULL},
        {"{}", "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\"}",
         "{\"Role\":\"x\",\"DeadLetterConfig\":\"b\"}", "its role changes"},
        {"{}", "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\"}",
         "{\"Role\":\"a\",\"DeadLetterConfig\":\"x\"}", "its dead letter configuration changes"},
        {"{}", "{\"Role\":\"a\"}", "{\"Role\":\"a\"}", "its dead letter configuration changes"},
        {"{}", "{}", "{}", "its role changes"},
        {"{\"Properties\":{\"ProvisionedConcurrencyConfig\":{}}}",
         "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\"}",
         "{\"Role\":\"a\",\"DeadLetterConfig\":\"b\"}", "it has provisioned concurrency"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = "?";
        bool possible = shift_possible(parse(a, cases[i].alias), parse(a, cases[i].before),
                                       parse(a, cases[i].after), &why);
        assert_int_equal(possible, !cases[i].why);
        if (cases[i].why)
            assert_string_equal(why, cases[i].why);
    }
    assert_false(shift_possible(NULL, NULL, NULL, NULL));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_possible),
    };
    return cmocka_run_group_tests_name("shift", tests, NULL, NULL);
}
