/* Deployments: what is published, moved and made, and what is left when something fails; and the
 * user's command that judges a step of a shift. */
#include "check.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "release/deploy/verify.h"
#include "story.h"

static int verify(const char *command, struct err *err)
{
    struct arena *a = arena_new();
    struct verification v = {.command = str_c(command),
                             .service = STR("shop"),
                             .stage = STR("dev"),
                             .region = STR("eu-central-1"),
                             .deployment = 17,
                             .percent = 5};
    int done = verify_run(a, &v, err);
    arena_free(a);
    return done;
}

/* What troupe says of itself comes instead of what has these names already; the rest stays. */
static void test_environment(void **state)
{
    struct err err = {0};
    (void)state;
    setenv("TROUPE_WEIGHT", "100", 1);
    setenv("COLOUR", "red", 1);
    check_ok(verify("test $(env | grep -c ^TROUPE_WEIGHT=) = 1", &err), &err);
    check_ok(verify("test \"$TROUPE_SERVICE $TROUPE_STAGE $TROUPE_REGION $TROUPE_DEPLOYMENT "
                    "$TROUPE_WEIGHT $COLOUR\" = 'shop dev eu-central-1 17 5 red'",
                    &err),
             &err);
    unsetenv("TROUPE_WEIGHT");
    unsetenv("COLOUR");
}

/* It reads nothing of what the user types. */
static void test_no_input(void **state)
{
    struct err err = {0};
    (void)state;
    check_ok(verify("test \"$(cat)\" = ''", &err), &err);
}

static void test_judgements(void **state)
{
    static const struct {
        const char *command, *words;
    } cases[] = {
        {"exit 3", "verification 'exit 3' failed: exit 3"},
        {"no-such-command-at-all", "failed: exit 127"},
        {"kill -9 $$", "verification 'kill -9 $$' was killed by signal 9"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        assert_int_equal(verify(cases[i].command, &err), -1);
        assert_int_equal(err.kind, ERR_FAILED);
        assert_true(str_find(err.msg, str_c(cases[i].words), 0) >= 0);
        err_clear(&err);
    }
}

static void on_signal(int number)
{
    (void)number;
    cancel_request();
}

/* ^C while it runs: it is told to end, and waited for, whatever it does about it. */
static void test_stopped(void **state)
{
    static const char *const commands[] = {
        "kill -USR1 $PPID; exec sleep 600",
        "trap 'exit 0' TERM; kill -USR1 $PPID; while :; do sleep 0.01; done",
    };
    struct sigaction action = {.sa_handler = on_signal}, before;
    (void)state;
    sigaction(SIGUSR1, &action, &before);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct err err = {0};
        assert_int_equal(verify(commands[i], &err), -1);
        assert_int_equal(err.kind, ERR_CANCELLED);
        check_str(err.msg, "stopped while verifying");
        err_clear(&err);
        cancel_clear();
    }
    sigaction(SIGUSR1, &before, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_no_input),
        cmocka_unit_test(test_judgements),
        cmocka_unit_test(test_stopped),
    };
    int failed = cmocka_run_group_tests_name("verify", tests, NULL, NULL);
    return argc < 2 || story_run(argv[1], "deploy") || failed;
}
