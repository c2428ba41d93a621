/* Options: one table, from which parsing, refusal and help follow. They may stand anywhere. */
#include "cli/cli.h"

#include "base/vec.h"

enum kind { FLAG, TEXT, NUMBER, PARAM };

/* Sets of commands, for the rows below. */
#define ON(name) (1u << COMMAND_##name)
enum {
    EVERY = (1u << COMMAND_COUNT) - 1,
    SERVICE = EVERY & ~(ON(local) | ON(version) | ON(help)), /* those that load a service */
    CHANGES = ON(deploy) | ON(rollback) | ON(reset) | ON(clone) | ON(shift) | ON(adopt) |
              ON(repair) | ON(unlock) | ON(remove) | ON(prune),
    GOALS = ON(deploy) | ON(plan) | ON(rollback) | ON(reset) | ON(clone) | ON(shift),
    PACKS = ON(deploy) | ON(plan) | ON(package) | ON(validate) | ON(adopt) | ON(iam),
    NO_JSON = ON(invoke) | ON(package) | ON(validate) | ON(help),
};

/* The options. Rows of one name are for different commands, and are read the same way. */
static const struct option {
    const char *name;
    char letter;
    enum kind kind;
    size_t offset; /* in struct options */
    uint32_t on;   /* commands that have it */
    const char *value, *help;
    bool drastic; /* loses something or moves what is served: never suggested for another */
} table[] = {
#define AT(field) offsetof(struct options, field)
    {"function", 'f', TEXT, AT(function), ON(deploy) | ON(plan), "NAME",
     "only this function, and only its code"},
    {"function", 'f', TEXT, AT(function), ON(invoke) | ON(logs), "NAME",
     "the function, if not given as argument"},
    {"service", 0, FLAG, AT(service), ON(deploy) | ON(plan), NULL,
     "what all stages share, instead of a stage"},
    {"all", 0, FLAG, AT(all), ON(deploy) | ON(info) | ON(plan) | ON(remove) | ON(stages), NULL,
     "all services of serverless-compose.yml"},
    {"service", 0, FLAG, AT(service), ON(iam), NULL, "all stages, and what they share"},
    {"service", 0, FLAG, AT(service), ON(remove), NULL, "all stages, and what they share", true},
    {"to", 0, TEXT, AT(to), ON(rollback) | ON(shift), "N", "the deployment"},
    {"to", 0, TEXT, AT(to), ON(reset), "OTHER[#N]", "the stage, or deployment, to become like"},
    {"exact", 0, FLAG, AT(exact), ON(reset) | ON(clone), NULL,
     "the very versions of the other stage", true},
    {"weight", 0, NUMBER, AT(weight), ON(shift), "PERCENT", "so much of the calls", true},
    {"promote", 0, FLAG, AT(promote), ON(shift), NULL, "move everything there", true},
    {"abort", 0, FLAG, AT(abort), ON(shift), NULL, "take it back", true},
    {"verify", 0, TEXT, AT(verify), ON(deploy) | ON(reset), "COMMAND",
     "judges every step of the shift"},
    {"no-shift", 0, FLAG, AT(no_shift), ON(deploy) | ON(reset), NULL,
     "move at once, whatever custom.troupe.shift says", true},
    {"purge", 0, FLAG, AT(purge), ON(remove), NULL, "delete what is in the stage's buckets", true},
    {"package", 'p', TEXT, AT(package_dir), ON(package), "DIR", "where to write (.serverless)"},
    {"package", 'p', TEXT, AT(packaged), (PACKS | ON(migrate)) & ~ON(package), "DIR",
     "what 'package' of another tool has written there"},
    {"no-cache", 0, FLAG, AT(no_cache), PACKS, NULL,
     "read and compress all files, whatever earlier runs kept"},
    {"with-secrets", 0, FLAG, AT(with_secrets), ON(package), NULL,
     "write secret values in the clear", true},
    {"data", 'd', TEXT, AT(data), ON(invoke), "TEXT", "the event"},
    {"path", 'p', TEXT, AT(path), ON(invoke), "FILE", "a file with the event; -: stdin"},
    {"path", 0, TEXT, AT(key), ON(print), "KEY", "only this part: functions.hello"},
    {"log", 'l', FLAG, AT(logs), ON(invoke), NULL, "show the end of the log"},
    {"tail", 't', FLAG, AT(tail), ON(logs), NULL, "go on showing what comes"},
    {"since", 0, TEXT, AT(since), ON(logs), "TIME",
     "from so long ago (10m), or from a point in time"},
    {"filter", 0, TEXT, AT(filter), ON(logs), "PATTERN",
     "lines that match a CloudWatch Logs pattern"},
    {"format", 0, TEXT, AT(format), ON(print), "NAME", "yaml or json"},
    {"limit", 'n', NUMBER, AT(limit), ON(history), "N", "so many (20)"},
    {"unused-for", 0, TEXT, AT(unused_for), ON(prune), "TIME",
     "what nothing pointed at for so long (1h)", true},
    {"persist", 0, FLAG, AT(persist), ON(local), NULL, "up: keep what is in it when it stops"},
    {"plan", 0, FLAG, AT(plan), CHANGES | ON(local), NULL, "say what would change, and stop"},
    {"dry-run", 0, FLAG, AT(plan), CHANGES | ON(local), NULL, "the same as --plan"},
    {"detailed-exitcode", 0, FLAG, AT(detailed_exitcode), GOALS, NULL,
     "of a plan: exit 2 when there are changes, 1 for any error"},
    {"yes", 'y', FLAG, AT(yes), CHANGES, NULL, "do not ask", true},
    {"jobs", 0, NUMBER, AT(jobs), (GOALS | ON(adopt)) & ~ON(plan), "N",
     "publish so many functions at once (8)"},
    {"timeout", 0, NUMBER, AT(timeout_s), CHANGES & ~(ON(unlock) | ON(prune)), "SECONDS",
     "give up watching a stack after this (3600)"},
    {"stage", 's', TEXT, AT(stage), SERVICE & ~(ON(stages) | ON(diff) | ON(prune)), "NAME",
     "the stage, if not given as argument"},
    {"stage", 's', TEXT, AT(stage), ON(stages) | ON(diff) | ON(prune), "NAME",
     "read serverless.yml as for this stage; all are meant"},
    {"region", 'r', TEXT, AT(region), SERVICE, "NAME", "the region"},
    {"aws-profile", 0, TEXT, AT(profile), SERVICE, "NAME", "profile for credentials and region"},
    {"config", 'c', TEXT, AT(config), SERVICE, "FILE", "the service's file (serverless.yml)"},
    {"param", 0, PARAM, AT(params), SERVICE, "K=V", "a value for ${param:K}"},
    {"dialect", 0, TEXT, AT(dialect), SERVICE, "3|4",
     "what serverless.yml is written for (frameworkVersion)"},
    {"strict", 0, FLAG, AT(strict), SERVICE, NULL, "unknown keys and doubtful values are errors"},
    {"lenient", 0, FLAG, AT(lenient), SERVICE, NULL, "wrong keys and values are warnings"},
    {"local", 0, FLAG, AT(local), SERVICE, NULL, "use the local cloud, starting it if need be"},
    {"json", 0, FLAG, AT(json), EVERY & ~NO_JSON, NULL, "one JSON document on stdout"},
    {"json-progress", 0, FLAG, AT(json_progress), SERVICE | ON(local), NULL,
     "progress as JSON lines"},
    {"quiet", 'q', FLAG, AT(quiet), SERVICE | ON(local), NULL, "no progress, no warnings"},
    {"verbose", 'v', FLAG, AT(verbose), SERVICE | ON(local), NULL, "every event"},
    {"debug-http", 0, FLAG, AT(debug_http), SERVICE, NULL,
     "show requests and answers, secrets masked"},
    {"help", 'h', FLAG, AT(help), EVERY, NULL, "help, also for a command"},
    {"version", 0, FLAG, AT(version), EVERY, NULL, "the version"},
#undef AT
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

/* ---- looking up ---- */

static bool has_name(const struct option *o, struct str name)
{
    return name.n == 1 ? o->letter == name.p[0] : str_eq(name, str_c(o->name));
}

/* The row of a long name or a letter that one of `on` has, or NULL. */
static const struct option *find(struct str name, uint32_t on)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (table[i].on & on && has_name(&table[i], name))
            return &table[i];
    return NULL;
}

/* ---- reading ---- */

/* An option as it was typed. */
struct typed {
    struct str arg, name, value; /* "--stage=dev": "stage", "dev" */
    bool known;
};

struct scan {
    struct arena *arena;
    int argc, at;
    char **argv;
    VEC(struct typed) options;
    VEC(struct str) words;
    bool lost; /* an unknown option came before the command: the next word may be its value */
};

static bool is_option(struct str arg)
{
    struct str rest = str_sub(arg, arg.n > 2 ? 2 : 1, arg.n), name;
    if (arg.n < 2 || arg.p[0] != '-' || (arg.n > 2 && arg.p[1] != '-'))
        return false;
    str_cut(&rest, '=', &name);
    return find(name, EVERY) != NULL;
}

static int take_value(struct scan *s, const struct option *o, struct str *ret, struct err *err)
{
    struct str next = s->at + 1 < s->argc ? str_c(s->argv[s->at + 1]) : (struct str){NULL, 0};
    if (next.p && !is_option(next)) {
        s->at++;
        *ret = next;
        return 0;
    }
    if (!next.p)
        return err_set(err, ERR_USAGE, "'--%s' needs a value: %s", o->name, o->value);
    err_set(err, ERR_USAGE, "'--%s' needs a value, and '%.*s' is an option", o->name,
            STR_ARG(next));
    return err_help(err, "is a variable not set? If that is the value: --%s=%.*s", o->name,
                    STR_ARG(next));
}

static int take(struct scan *s, struct str arg, struct str name, bool has_value, struct str value,
                struct err *err)
{
    const struct option *o = find(name, EVERY);
    s->lost |= !o && !s->words.n;
    if (o && o->kind == FLAG && has_value)
        return err_set(err, ERR_USAGE, "'--%s' takes no value", o->name);
    if (o && o->kind != FLAG && !has_value && take_value(s, o, &value, err) < 0)
        return -1;
    vec_push(s->arena, &s->options, (struct typed){arg, name, value, o != NULL});
    return 0;
}

/* "--stage=prod", "--stage prod" */
static int take_long(struct scan *s, struct str arg, struct err *err)
{
    struct str rest = str_sub(arg, 2, arg.n), name;
    bool has_value = str_find_char(rest, '=', 0) >= 0;
    str_cut(&rest, '=', &name);
    if (name.n == 1) /* a letter is no long name */
        name = arg;
    return take(s, arg, name, has_value, rest, err);
}

/* "-lv", "-s prod", "-sprod" */
static int take_letters(struct scan *s, struct str arg, struct err *err)
{
    for (size_t i = 1; i < arg.n; i++) {
        struct str name = str_sub(arg, i, 1), rest = str_sub(arg, i + 1, arg.n);
        const struct option *o = find(name, EVERY);
        bool ends = !o || o->kind != FLAG;
        if (take(s, arg, name, o && ends && rest.n, ends ? rest : STR(""), err) < 0)
            return -1;
        if (ends)
            break;
    }
    return 0;
}

static int scan(struct scan *s, struct err *err)
{
    bool words_only = false;
    for (s->at = 1; s->at < s->argc; s->at++) {
        struct str arg = str_c(s->argv[s->at]);
        bool is_word = words_only || arg.n < 2 || arg.p[0] != '-';
        if (is_word)
            vec_push(s->arena, &s->words, arg);
        else if (str_eq(arg, STR("--")))
            words_only = true;
        else if ((arg.p[1] == '-' ? take_long(s, arg, err) : take_letters(s, arg, err)) < 0)
            return -1;
    }
    return 0;
}

/* ---- checking ---- */

static int say_unknown(const struct typed *t, enum command_number command, struct err *err)
{
    const char *best = NULL, *here = serverless_option(command, t->name);
    size_t distance = (t->name.n + 1) / 3 + 1; /* up to a third of the letters may differ */
    if (here) {
        err_set(err, ERR_USAGE, "'%.*s' is an option of the Serverless Framework", STR_ARG(t->arg));
        return err_help(err, "%s", here);
    }
    err_set(err, ERR_USAGE, "unknown option '%.*s'", STR_ARG(t->arg));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        bool fits = command == COMMAND_COUNT || table[i].on & 1u << command;
        size_t d =
            fits && !table[i].drastic ? str_distance(t->name, str_c(table[i].name), 3) : SIZE_MAX;
        if (d < distance) {
            distance = d;
            best = table[i].name;
        }
    }
    const char *about = command == COMMAND_COUNT ? "" : commands[command]->name;
    const char *gap = *about ? " " : "";
    return best ? err_help(err, "did you mean '--%s'? All options: troupe help%s%s", best, gap,
                           about)
                : err_help(err, "all options: troupe help%s%s", gap, about);
}

/* Refuse an option of other commands. It has no effect here, and whoever typed it expects one. */
static int say_foreign(struct arena *a, const struct typed *t, enum command_number command,
                       struct err *err)
{
    struct buf names = BUF(a);
    const char *here = serverless_option(command, t->name);
    err_set(err, ERR_USAGE, "'%s' has no option '%.*s'", commands[command]->name, STR_ARG(t->arg));
    if (here)
        return err_help(err, "%s", here);
    for (size_t c = 0; c < COMMAND_COUNT; c++)
        if (find(t->name, 1u << c))
            buf_fmt(&names, "%s%s", names.n ? ", " : "", commands[c]->name);
    return err_help(err, "it belongs to: %.*s. What '%s' has: troupe help %s",
                    STR_ARG(buf_str(&names)), commands[command]->name, commands[command]->name);
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
    const struct str *before = map_get(&o->given, str_c(opt->name));
    if (opt->kind == PARAM)
        return set_param(a, o, value, err);
    if (opt->kind != FLAG && before && !str_eq(*before, value))
        return err_set(err, ERR_USAGE, "'--%s' is given twice: '%.*s' and '%.*s'", opt->name,
                       STR_ARG(*before), STR_ARG(value));
    map_put(&o->given, str_c(opt->name), boxed(a, opt->kind == FLAG ? STR("true") : value));
    if (opt->kind == FLAG)
        *(bool *)field = true;
    else if (opt->kind == TEXT)
        *(struct str *)field = value;
    else if (!str_to_int(value, field) || *(int64_t *)field <= 0)
        return err_set(err, ERR_USAGE, "'--%s' needs a number above 0, not '%.*s'", opt->name,
                       STR_ARG(value));
    return 0;
}

static int set_all(struct scan *s, enum command_number command, struct options *o, struct err *err)
{
    for (size_t i = 0; i < s->options.n; i++) {
        const struct typed *t = &s->options.p[i];
        const struct option *row = find(t->name, 1u << command);
        if (!t->known)
            return say_unknown(t, command, err);
        if (!row)
            return say_foreign(s->arena, t, command, err);
        if (row->kind != FLAG && !t->value.n) {
            err_set(err, ERR_USAGE, "'--%s' is empty", row->name);
            return err_help(err, "is a variable not set? It needs a value: %s", row->value);
        }
        if (set(s->arena, o, row, t->value, err) < 0)
            return -1;
    }
    if (o->strict && o->lenient)
        return err_set(err, ERR_USAGE, "--strict and --lenient exclude each other");
    if (o->dialect.n && !str_eq(o->dialect, STR("3")) && !str_eq(o->dialect, STR("4")))
        return err_set(err, ERR_USAGE, "'--dialect' is 3 or 4, not '%.*s'", STR_ARG(o->dialect));
    if (!o->detailed_exitcode || o->plan || command == COMMAND_plan)
        return 0;
    err_set(err, ERR_USAGE, "--detailed-exitcode belongs to a plan");
    return err_help(err, "troupe %s … --plan --detailed-exitcode", commands[command]->name);
}

static int say_unknown_command(struct str name, struct err *err)
{
    const struct command *near = command_nearest(name);
    err_set(err, ERR_USAGE, "unknown command '%.*s'", STR_ARG(name));
    return near ? err_help(err, "did you mean '%s'? All commands: troupe help", near->name)
                : err_help(err, "all commands: troupe help");
}

static int say_serverless(struct str first, const char *words, const char *here, struct err *err)
{
    struct str rest = str_c(words), stage;
    str_cut(&rest, ' ', &stage);
    err_set(err, ERR_USAGE, "'%s' is a command of the Serverless Framework", words);
    if (command_find(first) == COMMAND_COUNT || !str_cut(&rest, ' ', &stage))
        return err_help(err, "here: %s", here);
    return err_help(err, "here: %s. A stage of that name: troupe %.*s --stage %.*s", here,
                    STR_ARG(first), STR_ARG(stage));
}

static int check_words(const struct scan *s, enum command_number command, struct err *err)
{
    const struct command *c = commands[command];
    size_t n = s->words.n - 1;
    for (size_t i = 1; i <= n; i++)
        if (!s->words.p[i].n) {
            err_set(err, ERR_USAGE, "argument %zu of '%s' is empty", i, c->name);
            return err_help(err, "is a variable not set? troupe %s %s", c->name, c->arguments);
        }
    if (n <= c->args_max)
        return 0;
    err_set(err, ERR_USAGE, "'%s' takes %zu argument%s, '%.*s' is too many", c->name, c->args_max,
            c->args_max == 1 ? "" : "s", STR_ARG(s->words.p[c->args_max + 1]));
    return err_help(err, "troupe %s %s", c->name, c->arguments);
}

/* Is help asked for? Then nothing else on the line matters. */
static bool asks_for(const struct scan *s, const char *name, const char *letter)
{
    for (size_t i = 0; i < s->options.n; i++)
        if (str_eq(s->options.p[i].name, str_c(name)) ||
            str_eq(s->options.p[i].name, str_c(letter)))
            return true;
    return false;
}

static int check_nothing_else(const struct scan *s, struct err *err)
{
    if (!s->options.n)
        return 0;
    for (size_t i = 0; i < s->options.n; i++)
        if (!s->options.p[i].known)
            return say_unknown(&s->options.p[i], COMMAND_COUNT, err);
    err_set(err, ERR_USAGE, "'%.*s' needs a command", STR_ARG(s->options.p[0].arg));
    return err_help(err, "all commands: troupe help");
}

int options_parse(struct arena *a, int argc, char **argv, struct options *ret,
                  const struct command **ret_command, struct err *err)
{
    struct scan s = {.arena = a, .argc = argc, .argv = argv};
    const char *words, *here;
    *ret = (struct options){.given = MAP(a), .params = MAP(a)};
    *ret_command = NULL;
    for (int i = 1; i < argc; i++) /* so that 2 means changes, also when this line is refused */
        ret->detailed_exitcode |= str_eq(str_c(argv[i]), STR("--detailed-exitcode"));
    if (scan(&s, err) < 0)
        return -1;
    if (s.lost)
        return check_nothing_else(&s, err);
    struct str first = s.words.n ? s.words.p[0] : STR("");
    enum command_number command = command_find(first);
    ret->help = asks_for(&s, "help", "h");
    ret->version = asks_for(&s, "version", s.words.n || s.options.n > 1 ? "version" : "v");
    if (!s.words.n)
        return ret->help || ret->version ? 0 : check_nothing_else(&s, err);
    here = serverless_command(a, first, s.words.p + 1, s.words.n - 1, &words);
    if (here)
        return say_serverless(first, words, here, err);
    if (command == COMMAND_COUNT)
        return say_unknown_command(first, err);
    *ret_command = commands[command];
    if (ret->help || ret->version)
        return 0;
    if (set_all(&s, command, ret, err) < 0 || check_words(&s, command, err) < 0)
        return -1;
    ret->arg_count = s.words.n - 1;
    for (size_t i = 0; i < ret->arg_count; i++)
        ret->args[i] = s.words.p[i + 1];
    return 0;
}

const struct str *options_typed(struct arena *a, const struct options *o,
                                enum command_number command, size_t *ret_n)
{
    VEC(struct str) words = {0};
    for (size_t i = 0; i < o->given.n; i++) {
        struct str name = o->given.entries[i].key;
        const struct str *value = o->given.entries[i].value;
        const struct option *row = find(name, 1u << command);
        if (!row || str_eq(name, STR("all")) || str_eq(name, STR("config")))
            continue;
        vec_push(a, &words,
                 row->kind == FLAG ? str_fmt(a, "--%.*s", STR_ARG(name))
                                   : str_fmt(a, "--%.*s=%.*s", STR_ARG(name), STR_ARG(*value)));
    }
    *ret_n = words.n;
    return words.p;
}

/* ---- help ---- */

static void write_row(struct buf *out, const struct option *o)
{
    enum { COLUMN = 28 };
    struct buf left = BUF(out->arena);
    buf_fmt(&left, "  %s%c%s--%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ',
            o->letter ? ", " : "  ", o->name);
    if (o->value)
        buf_fmt(&left, " %s", o->value);
    buf_fmt(out, "%-*s %s\n", COLUMN, buf_str(&left).p, o->help);
}

void options_help(struct buf *out, enum command_number command)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (command == COMMAND_COUNT ? (table[i].on & CHANGES) == CHANGES
                                     : table[i].on & 1u << command)
            write_row(out, &table[i]);
}
