/* Options: one table, from which parsing and help follow. They may stand anywhere. */
#include "cli/cli.h"

enum kind { FLAG, TEXT, NUMBER, PARAM };

static const struct option {
    const char *name;
    char letter;
    enum kind kind;
    size_t offset; /* in struct options */
    const char *value, *help;
} table[] = {
    {"stage", 's', TEXT, offsetof(struct options, stage), "NAME",
     "the stage, if not given as argument"},
    {"region", 'r', TEXT, offsetof(struct options, region), "NAME", "the region"},
    {"aws-profile", 0, TEXT, offsetof(struct options, profile), "NAME",
     "profile for credentials and region"},
    {"config", 'c', TEXT, offsetof(struct options, config), "FILE",
     "the service's file (serverless.yml)"},
    {"param", 0, PARAM, offsetof(struct options, params), "K=V", "a value for ${param:K}"},
    {"function", 'f', TEXT, offsetof(struct options, function), "NAME", "the function"},
    {"service", 0, FLAG, offsetof(struct options, service), NULL,
     "the service itself instead of a stage"},
    {"to", 0, TEXT, offsetof(struct options, to), "N",
     "rollback, shift: the deployment; reset: the stage, or STAGE#N"},
    {"exact", 0, FLAG, offsetof(struct options, exact), NULL,
     "reset, clone: the very versions of the other stage"},
    {"weight", 0, NUMBER, offsetof(struct options, weight), "PERCENT",
     "shift: so much of the calls"},
    {"promote", 0, FLAG, offsetof(struct options, promote), NULL, "shift: move everything there"},
    {"abort", 0, FLAG, offsetof(struct options, abort), NULL, "shift: take it back"},
    {"verify", 0, TEXT, offsetof(struct options, verify), "COMMAND",
     "deploy, reset: judges every step of the shift"},
    {"no-shift", 0, FLAG, offsetof(struct options, no_shift), NULL,
     "deploy, reset: move at once, whatever custom.troupe.shift says"},
    {"plan", 0, FLAG, offsetof(struct options, plan), NULL, "say what would change, and stop"},
    {"yes", 'y', FLAG, offsetof(struct options, yes), NULL, "do not ask"},
    {"purge", 0, FLAG, offsetof(struct options, purge), NULL,
     "remove: delete what is in the stage's buckets"},
    {"package", 0, TEXT, offsetof(struct options, package_dir), "DIR",
     "package: where to write (.serverless)"},
    {"data", 'd', TEXT, offsetof(struct options, data), "TEXT", "invoke: the event"},
    {"path", 'p', TEXT, offsetof(struct options, path), "FILE", "invoke: a file with the event"},
    {"log", 'l', FLAG, offsetof(struct options, logs), NULL, "invoke: show the end of the log"},
    {"tail", 't', FLAG, offsetof(struct options, tail), NULL, "logs: go on showing what comes"},
    {"since", 0, TEXT, offsetof(struct options, since), "TIME",
     "logs: from so long ago (10m), or from a point in time"},
    {"filter", 0, TEXT, offsetof(struct options, filter), "PATTERN",
     "logs: lines that match a CloudWatch Logs pattern"},
    {"format", 0, TEXT, offsetof(struct options, format), "NAME", "print: yaml or json"},
    {"limit", 'n', NUMBER, offsetof(struct options, limit), "N", "history: so many"},
    {"dry-run", 0, FLAG, offsetof(struct options, dry_run), NULL, "prune: say what would go"},
    {"unused-for", 0, TEXT, offsetof(struct options, unused_for), "TIME",
     "prune: what nothing pointed at for so long (1h)"},
    {"detailed-exitcode", 0, FLAG, offsetof(struct options, detailed_exitcode), NULL,
     "plan: exit 2 when there are changes"},
    {"no-detailed-exitcode", 0, FLAG, offsetof(struct options, no_detailed_exitcode), NULL,
     "plan: exit 0 all the same"},
    {"local", 0, FLAG, offsetof(struct options, local), NULL,
     "use the local cloud, starting it if need be"},
    {"persist", 0, FLAG, offsetof(struct options, persist), NULL,
     "local up: keep what is in it when it stops"},
    {"lenient", 0, FLAG, offsetof(struct options, lenient), NULL, "unknown keys are warnings"},
    {"json", 0, FLAG, offsetof(struct options, json), NULL, "one JSON document on stdout"},
    {"json-progress", 0, FLAG, offsetof(struct options, json_progress), NULL,
     "progress as JSON lines"},
    {"quiet", 'q', FLAG, offsetof(struct options, quiet), NULL, "no progress"},
    {"verbose", 'v', FLAG, offsetof(struct options, verbose), NULL, "every event"},
    {"debug-http", 0, FLAG, offsetof(struct options, debug_http), NULL,
     "show requests and answers, secrets masked"},
    {"jobs", 0, NUMBER, offsetof(struct options, jobs), "N",
     "publish so many functions at once (8)"},
    {"timeout", 0, NUMBER, offsetof(struct options, timeout_s), "SECONDS",
     "give up watching a stack after this (3600)"},
    {"help", 'h', FLAG, offsetof(struct options, help), NULL, "help, also for a command"},
    {"version", 0, FLAG, offsetof(struct options, version), NULL, "the version"},
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

static const struct option *find_long(struct str name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (str_eq(name, str_c(table[i].name)))
            return &table[i];
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (table[i].letter && table[i].letter == letter)
            return &table[i];
    return NULL;
}

static int say_unknown(struct str arg, struct str name, struct err *err)
{
    const char *best = NULL;
    size_t distance = 4;
    err_set(err, ERR_USAGE, "unknown option '%.*s'", STR_ARG(arg));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t d = str_distance(name, str_c(table[i].name), 3);
        if (d < distance) {
            distance = d;
            best = table[i].name;
        }
    }
    return best ? err_help(err, "did you mean '--%s'? All options: troupe help", best)
                : err_help(err, "all options: troupe help");
}

static struct str *boxed(struct arena *a, struct str s)
{
    struct str *p = ARENA_NEW(a, struct str);
    *p = s;
    return p;
}

static int set_param(struct arena *a, struct options *o, struct str value, struct err *err)
{
    ptrdiff_t eq = str_find_char(value, '=', 0);
    if (eq <= 0)
        return err_set(err, ERR_USAGE, "'--param %.*s' is not of the form name=value",
                       STR_ARG(value));
    map_put(&o->params, str_sub(value, 0, (size_t)eq),
            boxed(a, str_sub(value, (size_t)eq + 1, value.n)));
    return 0;
}

static int set(struct arena *a, struct options *o, const struct option *opt, struct str value,
               struct err *err)
{
    void *field = (char *)o + opt->offset;
    if (opt->kind != PARAM)
        map_put(&o->given, str_c(opt->name), boxed(a, opt->kind == FLAG ? STR("true") : value));
    switch (opt->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case TEXT:
        *(struct str *)field = value;
        return 0;
    case NUMBER:
        if (str_to_int(value, field) && *(int64_t *)field > 0)
            return 0;
        return err_set(err, ERR_USAGE, "'--%s' needs a number above 0, not '%.*s'", opt->name,
                       STR_ARG(value));
    case PARAM:
        return set_param(a, o, value, err);
    }
    return 0;
}

struct scan {
    struct arena *arena;
    int argc, at;
    char **argv;
    struct options *options;
    struct str command;
};

static int take_option(struct scan *s, const struct option *opt, bool has_value, struct str value,
                       struct err *err)
{
    if (opt->kind == FLAG && has_value)
        return err_set(err, ERR_USAGE, "'--%s' takes no value", opt->name);
    if (opt->kind != FLAG && !has_value) {
        if (s->at + 1 >= s->argc)
            return err_set(err, ERR_USAGE, "'--%s' needs a value: %s", opt->name, opt->value);
        value = str_c(s->argv[++s->at]);
    }
    return set(s->arena, s->options, opt, value, err);
}

static int take_long(struct scan *s, struct str arg, struct err *err)
{
    struct str rest = str_sub(arg, 2, arg.n), name;
    bool has_value = str_find_char(rest, '=', 0) >= 0;
    str_cut(&rest, '=', &name);
    const struct option *opt = find_long(name);
    return opt ? take_option(s, opt, has_value, rest, err) : say_unknown(arg, name, err);
}

/* "-lv", "-s prod", "-sprod" */
static int take_letters(struct scan *s, struct str arg, struct err *err)
{
    for (size_t i = 1; i < arg.n; i++) {
        const struct option *opt = find_letter(arg.p[i]);
        if (!opt)
            return say_unknown(arg, str_sub(arg, 1, arg.n), err);
        struct str rest = str_sub(arg, i + 1, arg.n);
        if (opt->kind != FLAG)
            return take_option(s, opt, rest.n > 0, rest, err);
        if (take_option(s, opt, false, rest, err) < 0)
            return -1;
    }
    return 0;
}

static int take_word(struct scan *s, struct str arg, struct err *err)
{
    struct options *o = s->options;
    if (!s->command.n) {
        s->command = arg;
        return 0;
    }
    if (o->arg_count == ARGS_MAX)
        return err_set(err, ERR_USAGE, "too many arguments");
    o->args[o->arg_count++] = arg;
    return 0;
}

int options_parse(struct arena *a, int argc, char **argv, struct options *ret,
                  struct str *ret_command, struct err *err)
{
    struct scan s = {.arena = a, .argc = argc, .argv = argv, .options = ret};
    bool words_only = false;
    *ret = (struct options){.given = MAP(a), .params = MAP(a)};
    for (s.at = 1; s.at < argc; s.at++) {
        struct str arg = str_c(argv[s.at]);
        int done;
        if (!words_only && str_eq(arg, STR("--"))) {
            words_only = true;
            continue;
        }
        if (words_only || arg.n < 2 || arg.p[0] != '-')
            done = take_word(&s, arg, err);
        else
            done = arg.p[1] == '-' ? take_long(&s, arg, err) : take_letters(&s, arg, err);
        if (done < 0)
            return -1;
    }
    *ret_command = s.command;
    return 0;
}

void options_help(struct buf *out)
{
    enum { COLUMN = 28 };
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        struct buf left = BUF(out->arena);
        buf_fmt(&left, "  %s%c%s--%s", table[i].letter ? "-" : " ",
                table[i].letter ? table[i].letter : ' ', table[i].letter ? ", " : "  ",
                table[i].name);
        if (table[i].value)
            buf_fmt(&left, " %s", table[i].value);
        buf_fmt(out, "%-*s %s\n", COLUMN, buf_str(&left).p, table[i].help);
    }
}
