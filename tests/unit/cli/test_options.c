/* Options anywhere, commands found, mistakes named. */
#include "check.h"

#include "cli/cli.h"

/* Words are separated by single spaces; '' is an empty one. */
static int parse(struct arena *a, const char *line, struct options *o,
                 const struct command **command, struct err *err)
{
    char *argv[30] = {"troupe"};
    int argc = 1;
    struct str rest = str_c(line), word;
    while (str_cut(&rest, ' ', &word))
        argv[argc++] = str_z(a, str_replace(a, word, STR("''"), STR("")));
    return options_parse(a, argc, argv, o, command, err);
}

static void test_anywhere(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct options o;
    const struct command *command;
    struct err err = {0};
    check_ok(
        parse(a, "--local deploy -s prod --param a=1 --param b=x=y --param c= --jobs 4 extra --yes",
              &o, &command, &err),
        &err);
    assert_ptr_equal(command, &cmd_deploy);
    check_str(o.stage, "prod");
    check_str(o.args[0], "extra");
    assert_int_equal(o.jobs, 4);
    assert_true(o.local && o.yes && !o.json);
    check_str(*(struct str *)map_get(&o.params, STR("b")), "x=y");
    check_str(*(struct str *)map_get(&o.params, STR("c")), "");
    check_str(*(struct str *)map_get(&o.given, STR("stage")), "prod");
    check_ok(parse(a, "invoke -lsdev --data={\"a\":1} -- --odd", &o, &command, &err), &err);
    assert_true(o.logs);
    check_str(o.stage, "dev");
    check_str(o.data, "{\"a\":1}");
    check_str(o.args[0], "--odd");
    check_ok(parse(a, "invoke f -d -1", &o, &command, &err), &err);
    check_str(o.data, "-1");
    arena_free(a);
}

static void test_one_name_for_several_commands(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct options o;
    const struct command *command;
    struct err err = {0};
    check_ok(parse(a, "-p x.json invoke f", &o, &command, &err), &err);
    check_str(o.path, "x.json");
    check_ok(parse(a, "package -p dir", &o, &command, &err), &err);
    check_str(o.package_dir, "dir");
    check_ok(parse(a, "print --path a.b", &o, &command, &err), &err);
    check_str(o.key, "a.b");
    check_ok(parse(a, "remove dev --dry-run", &o, &command, &err), &err);
    assert_true(o.plan);
    arena_free(a);
}

static void test_help_and_version(void **state)
{
    static const struct {
        const char *line;
        const struct command *command;
        bool help, version;
    } cases[] = {
        {"deploy dev --help", &cmd_deploy, true, false},
        {"deploy -h dev prod --purge", &cmd_deploy, true, false},
        {"-h", NULL, true, false},
        {"-v", NULL, false, true}, /* as the Serverless Framework has it */
        {"--version", NULL, false, true},
        {"info dev -v", &cmd_info, false, false},
        {"invoke f -d --help", NULL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new();
        struct options o;
        const struct command *command;
        struct err err = {0};
        int done = parse(a, cases[i].line, &o, &command, &err);
        assert_ptr_equal(command, cases[i].command);
        assert_int_equal(o.help, cases[i].help);
        assert_int_equal(o.version, cases[i].version);
        assert_int_equal(done, command || o.help || o.version ? 0 : -1);
        err_clear(&err);
        arena_free(a);
    }
}

static const struct {
    const char *line, *message;
} mistakes[] = {
    {"deploy --stge dev", "unknown option '--stge'\n  = help: did you mean '--stage'? All "
                          "options: troupe help deploy"},
    {"deploy --xyzzyxyzzy",
     "unknown option '--xyzzyxyzzy'\n  = help: all options: troupe help deploy"},
    {"deploy --foo", "unknown option '--foo'\n  = help: all options: troupe help deploy"},
    {"--foo x deploy", "unknown option '--foo'\n  = help: all options: troupe help"},
    {"deploy --stage", "'--stage' needs a value: NAME"},
    {"deploy --jobs many", "'--jobs' needs a number above 0, not 'many'"},
    {"deploy --yes=no", "'--yes' takes no value"},
    {"deploy --param size", "'--param size' is not of the form name=value"},
    {"deploy 1 2 3 4 5 6 7 8 9",
     "'deploy' takes 1 argument, '2' is too many\n  = help: troupe deploy [STAGE]"},
    {"dpeloy", "unknown command 'dpeloy'\n  = help: did you mean 'deploy'? All commands: troupe "
               "help"},
    {"deploy -s dev --stage prod", "'--stage' is given twice: 'dev' and 'prod'"},
    {"--local", "'--local' needs a command\n  = help: all commands: troupe help"},
    /* options of other commands */
    {"stages --purge", "'stages' has no option '--purge'\n  = help: it belongs to: remove. What "
                       "'stages' has: troupe help stages"},
    {"remove dev --weight 10", "'remove' has no option '--weight'\n  = help: it belongs to: shift. "
                               "What 'remove' has: troupe help remove"},
    {"deploy --detailed-exitcode", "--detailed-exitcode belongs to a plan\n  = help: troupe deploy "
                                   "… --plan --detailed-exitcode"},
    /* as a shell leaves it of a variable that is not set */
    {"remove '' -y", "argument 1 of 'remove' is empty\n  = help: is a variable not set? troupe "
                     "remove [STAGE]"},
    {"'' dev", "unknown command ''\n  = help: all commands: troupe help"},
    {"remove --stage --yes", "'--stage' needs a value, and '--yes' is an option\n  = help: is a "
                             "variable not set? If that is the value: --stage=--yes"},
    {"remove -s -y", "'--stage' needs a value, and '-y' is an option\n  = help: is a variable not "
                     "set? If that is the value: --stage=-y"},
    /* words of the Serverless Framework */
    {"deploy --force",
     "'--force' is an option of the Serverless Framework\n  = help: not needed: what changed is "
     "found by its content"},
    {"info --service", "'info' has no option '--service'\n  = help: go to the service's folder, or "
                       "name its file with --config"},
    {"deploy list functions --stage dev",
     "'deploy list functions' is a command of the Serverless Framework\n  = help: here: troupe "
     "stages. A stage of that name: troupe deploy --stage list"},
    {"offline --httpPort 3000",
     "'offline' is a command of the Serverless Framework\n  = help: here: troupe deploy STAGE "
     "--local, a cloud on this machine; then the same with each change"},
};

static void check_mistake(const char *line, const char *message)
{
    struct arena *a = arena_new();
    struct options o;
    const struct command *command;
    struct err err = {0};
    assert_int_equal(parse(a, line, &o, &command, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (message)
        check_str(err_render(a, &err, false), str_fmt(a, "error: %s\n", message).p);
    err_clear(&err);
    arena_free(a);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        check_mistake(mistakes[i].line, mistakes[i].message);
}

/* Every option that takes a text, in every spelling, of every command that has it. */
static void test_nothing_may_be_empty(void **state)
{
    static const char *const options[] = {
        "deploy --stage",  "deploy -s",       "deploy --region",    "deploy --aws-profile",
        "deploy --config", "deploy --param",  "deploy --verify",    "deploy --function",
        "rollback --to",   "reset --to",      "package -p",         "invoke --data",
        "invoke -d",       "invoke --path",   "print --path",       "print --format",
        "logs --since",    "logs --filter",   "prune --unused-for", "deploy --jobs",
        "shift --weight",  "history --limit", "deploy --timeout",
    };
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct arena *a = arena_new();
        check_mistake(str_fmt(a, "%s ''", options[i]).p, NULL);
        if (str_find(str_c(options[i]), STR("--"), 0) >= 0)
            check_mistake(str_fmt(a, "%s=", options[i]).p, NULL);
        arena_free(a);
    }
    for (size_t i = 0; commands[i]; i++) {
        struct arena *a = arena_new();
        check_mistake(str_fmt(a, "%s ''", commands[i]->name).p, NULL);
        arena_free(a);
    }
}

/* People follow a suggestion without thinking, so nothing that deletes may be one. */
static void test_nothing_drastic_is_suggested(void **state)
{
    static const char *const lines[] = {"remove --purg",   "shift --promot",   "shift --abrt",
                                        "deploy --profil", "deploy --forc",    "remove --ye",
                                        "reset --exat",    "deploy --no-shif", "shift --wight",
                                        "remove --servic", "prune --unused-fo"};
    static const char *const words[] = {"remov", "prun", "shif", "rollbak", "reste", "unlok"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct arena *a = arena_new();
        struct options o;
        const struct command *command;
        struct err err = {0};
        assert_int_equal(parse(a, lines[i], &o, &command, &err), -1);
        static const char *const never[] = {"--purge",  "--promote", "--abort",
                                            "--yes",    "--exact",   "--no-shift",
                                            "--weight", "--service", "--unused"};
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            assert_true(str_find(err.help, str_c(never[k]), 0) < 0);
        err_clear(&err);
        arena_free(a);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const struct command *near = command_nearest(str_c(words[i]));
        assert_true(!near || !near->drastic);
    }
}

/* Help is printed from the rows; so are the documents' examples. */
static void test_every_command_has_help(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        assert_true(*c->summary && c->run && c->arguments &&
                    c->examples[c == &cmd_version ? 1 : EXAMPLES_MAX - 1]);
        assert_int_equal(command_find(str_c(c->name)), i);
        for (size_t k = 0; k < EXAMPLES_MAX && c->examples[k]; k++) {
            struct arena *a = arena_new();
            struct options o;
            const struct command *command;
            struct err err = {0};
            assert_true(str_starts(str_c(c->examples[k]), STR("troupe ")));
            check_ok(parse(a, c->examples[k] + strlen("troupe "), &o, &command, &err), &err);
            assert_ptr_equal(command, c);
            arena_free(a);
        }
    }
    assert_int_equal(command_find(STR("deplyo")), COMMAND_COUNT);
    assert_string_equal(command_nearest(STR("deplyo"))->name, "deploy");
    assert_null(command_nearest(STR("xyzzy")));
}

/* Terminals have 80 columns, and a line that is longer is one that nobody has looked at. */
static void test_help_is_narrow(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct cli cli = {.arena = a, .out = BUF(a)};
        cli.options.args[cli.options.arg_count++] = str_c(commands[i]->name);
        assert_int_equal(cmd_help.run(&cli, &err), 0);
        struct str rest = buf_str(&cli.out), line;
        while (str_cut(&rest, '\n', &line) && !str_eq(line, STR("examples")))
            assert_in_range(line.n, 0, 80 + 2); /* one of them has a sign of three bytes */
        assert_true(rest.n > 0);
    }
}

/* Every command that changes something can show first what it would change, by either name. */
static void test_what_changes_has_a_plan(void **state)
{
    static const char *const changing[] = {
        "deploy d", "rollback d", "reset d",  "clone a b",        "shift d", "adopt d",
        "repair d", "unlock d",   "remove d", "remove --service", "prune",   "local down"};
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof changing / sizeof *changing); i++) {
        struct arena *a = arena_new();
        struct options o;
        const struct command *command;
        struct err err = {0};
        const char *line = str_fmt(a, "%s %s", changing[i / 2], i % 2 ? "--plan" : "--dry-run").p;
        check_ok(parse(a, line, &o, &command, &err), &err);
        assert_true(o.plan);
        arena_free(a);
    }
}

static void test_names_that_are_nearly_the_same(void **state)
{
    static const struct {
        const char *name, *other;
        bool nearly;
    } cases[] = {
        {"prdo", "prod", true},     {"prob", "prod", true}, {"prd", "prod", true},
        {"dve", "dev", true},       {"de", "dev", true},    {"staging1", "stagin", true},
        {"dev", "qa", false},       {"qa", "uat", false},   {"pr-12", "pr-13", false},
        {"dev2", "dev", false},     {"demo", "dev", false}, {"pre", "prod", false},
        {"prod-eu", "prod", false}, {"dev", "dev", false},  {"aq", "qa", true},
    };
    (void)state;
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (stage_is_nearly(a, str_c(cases[i].name), str_c(cases[i].other)) != cases[i].nearly)
            fail_msg("%s, %s", cases[i].name, cases[i].other);
    arena_free(a);
}

static void test_stages_are_counted(void **state)
{
    static const char *const sorted[] = {"dev",    "pr-2",   "pr-9", "pr-10",
                                         "pr-10a", "pr-112", "prod"};
    (void)state;
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
        for (size_t k = 0; k < sizeof sorted / sizeof *sorted; k++) {
            int order = stage_compare(str_c(sorted[i]), str_c(sorted[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anywhere),
        cmocka_unit_test(test_one_name_for_several_commands),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_nothing_may_be_empty),
        cmocka_unit_test(test_nothing_drastic_is_suggested),
        cmocka_unit_test(test_every_command_has_help),
        cmocka_unit_test(test_help_is_narrow),
        cmocka_unit_test(test_what_changes_has_a_plan),
        cmocka_unit_test(test_names_that_are_nearly_the_same),
        cmocka_unit_test(test_stages_are_counted),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
