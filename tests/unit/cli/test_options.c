/* Options anywhere, commands found, mistakes named. */
#include "check.h"

#include "cli/cli.h"

static int parse(struct arena *a, const char *line, struct options *o, struct str *command,
                 struct err *err)
{
    char *argv[20] = {"troupe"};
    int argc = 1;
    struct str rest = str_c(line), word;
    while (str_cut(&rest, ' ', &word))
        argv[argc++] = (char *)str_z(a, word);
    return options_parse(a, argc, argv, o, command, err);
}

static void test_anywhere(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct options o;
    struct str command;
    struct err err = {0};
    check_ok(parse(a, "--local deploy -s prod --param a=1 --param b=x=y --jobs 4 extra --yes", &o,
                   &command, &err),
             &err);
    check_str(command, "deploy");
    check_str(o.stage, "prod");
    check_str(o.args[0], "extra");
    assert_int_equal(o.jobs, 4);
    assert_true(o.local && o.yes && !o.json);
    check_str(*(struct str *)map_get(&o.params, STR("b")), "x=y");
    check_str(*(struct str *)map_get(&o.given, STR("stage")), "prod");
    check_ok(parse(a, "invoke -lsdev --data={\"a\":1} -- --odd", &o, &command, &err), &err);
    assert_true(o.logs);
    check_str(o.stage, "dev");
    check_str(o.data, "{\"a\":1}");
    check_str(o.args[0], "--odd");
    arena_free(a);
}

static const struct {
    const char *line, *message;
} mistakes[] = {
    {"deploy --stge dev", "error: unknown option '--stge'\n  = help: did you mean '--stage'? All "
                          "options: troupe help\n"},
    {"deploy --xyzzyxyzzy",
     "error: unknown option '--xyzzyxyzzy'\n  = help: all options: troupe help\n"},
    {"deploy --stage", "error: '--stage' needs a value: NAME\n"},
    {"deploy --jobs many", "error: '--jobs' needs a number above 0, not 'many'\n"},
    {"deploy --yes=no", "error: '--yes' takes no value\n"},
    {"deploy --param size", "error: '--param size' is not of the form name=value\n"},
    {"deploy 1 2 3 4 5 6 7 8 9", "error: too many arguments\n"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct arena *a = arena_new();
        struct options o;
        struct str command;
        struct err err = {0};
        assert_int_equal(parse(a, mistakes[i].line, &o, &command, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        check_str(err_render(a, &err, false), mistakes[i].message);
        err_clear(&err);
        arena_free(a);
    }
}

static void test_every_command_has_help(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        assert_true(*commands[i]->summary && commands[i]->run && commands[i]->arguments);
        assert_ptr_equal(command_find(str_c(commands[i]->name)), commands[i]);
    }
    assert_null(command_find(STR("deplyo")));
    assert_string_equal(command_nearest(STR("deplyo"))->name, "deploy");
    assert_null(command_nearest(STR("xyzzy")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_anywhere),
                                       cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_every_command_has_help)};
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
