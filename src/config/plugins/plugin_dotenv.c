/* serverless-dotenv-plugin: what .env files say is in the environment of all functions.
 *
 * The plugin reads the files of the environment's name, the most particular one first, with dotenv
 * 16 and dotenv-expand 10, and puts what it reads into its own environment on the way: so the first
 * file that has a name wins, and before all of them the environment that the command has. Without
 * expansion the last file wins.
 *
 * What came of the files is recorded, for the environment's name and for names without a file of
 * their own, because a recorded service is made again without them. */
#include "config/plugins/plugins.h"

#include <stdlib.h>

#include "config/variables/variables.h"

enum {
    REPLACED_MAX = 10000,       /* references in all; the plugin knows no limit, and hangs */
    EXPANDED_BYTES_MAX = 65536, /* of a value with references */
};

struct reading {
    struct resolver *r;
    struct arena *arena;
    const struct node *options;
    struct map environment; /* what the files have put into it: name -> struct str * */
    struct node *values;    /* what the plugin makes of them */
    bool expands;
    bool any_file;
    size_t replaced;
};

/* ---- expansion, as dotenv-expand 10 does it ---- */

/* NULL: it is not set. */
static const struct str *environment_of(struct reading *x, struct str name)
{
    const struct str *own = map_get(&x->environment, name);
    const char *value =
        !own && str_find_char(name, 0, 0) < 0 ? getenv(str_z(x->arena, name)) : NULL;
    if (!value)
        return own;
    struct str *copy = ARENA_NEW(x->arena, struct str);
    *copy = str_dup(x->arena, str_c(value));
    return copy;
}

static void set_environment(struct reading *x, struct str name, struct str value)
{
    struct str *copy = ARENA_NEW(x->arena, struct str);
    *copy = value;
    map_put(&x->environment, name, copy);
}

static bool is_word(char ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
           ch == '_';
}

/* The last "$NAME", "${NAME}" or "${NAME:-word}" whose sign has no backslash before it. False: what
 * follows the last such sign is none. */
static bool last_reference(struct str s, struct str *ret, struct str *name, struct str *word)
{
    size_t at = s.n;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '$' && (!i || s.p[i - 1] != '\\'))
            at = i;
    size_t from = at + 1 + (at + 1 < s.n && s.p[at + 1] == '{'), end = from;
    while (end < s.n && is_word(s.p[end]))
        end++;
    if (at == s.n || end == from)
        return false;
    *name = str_sub(s, from, end - from);
    *word = (struct str){"", 0};
    if (str_starts(str_sub(s, end, s.n), STR(":-"))) {
        size_t begin = end += 2;
        while (end < s.n && s.p[end] != '}' && s.p[end] != '\\')
            end++;
        *word = str_sub(s, begin, end - begin);
    }
    end += end < s.n && s.p[end] == '}';
    *ret = str_sub(s, at, end - at);
    return true;
}

static int expand(struct reading *x, const struct map *parsed, struct str s, struct str *ret,
                  struct err *err)
{
    struct str reference, name, word;
    while (last_reference(s, &reference, &name, &word)) {
        const struct str *set = environment_of(x, name);
        const struct dotenv_assignment *other = map_get(parsed, name);
        struct str value = set && set->n ? *set : word.n ? word : other ? other->value : STR("");
        if (x->replaced++ == REPLACED_MAX || s.n > EXPANDED_BYTES_MAX)
            return err_set(err, ERR_CONFIG, "its references do not end, '%.*s' is the last",
                           STR_ARG(reference));
        s = dotenv_replace(x->arena, s, reference, value);
    }
    *ret = str_replace(x->arena, s, STR("\\$"), STR("$"));
    return 0;
}

/* ---- files ---- */

static int take(struct reading *x, struct str file, struct str text, unsigned flags,
                struct err *err)
{
    struct arena *a = x->arena;
    struct map parsed = dotenv_assignments(a, text);
    for (size_t i = 0; i < parsed.n; i++) {
        struct dotenv_assignment *item = parsed.entries[i].value;
        item->value = item->raw;
        if (!environment_of(x, parsed.entries[i].key))
            set_environment(x, parsed.entries[i].key, item->raw);
    }
    for (size_t i = 0; i < parsed.n; i++) {
        struct str name = parsed.entries[i].key;
        struct dotenv_assignment *item = parsed.entries[i].value;
        const struct str *set = environment_of(x, name);
        if (x->expands && expand(x, &parsed, set ? *set : item->raw, &item->value, err) < 0)
            return err_wrap(err, "'%.*s': variable '%.*s'", STR_ARG(file), STR_ARG(name));
        struct node *value = node_str(a, item->value);
        value->flags = (uint8_t)flags;
        node_put(a, x->values, name, value);
    }
    for (size_t i = 0; x->expands && i < parsed.n; i++) {
        const struct dotenv_assignment *item = parsed.entries[i].value;
        set_environment(x, parsed.entries[i].key, item->value);
    }
    return 0;
}

static int read_file(struct reading *x, struct str name, unsigned flags, struct err *err)
{
    struct str text;
    if (dotenv_file(x->r, name, &text, err) < 0)
        return -1;
    if (!text.p)
        return 0;
    x->any_file = true;
    return take(x, name, text, flags, err);
}

/* All files for `environment`; empty: those that belong to none. `*ret` has what they say. */
static int read_files(struct resolver *r, const struct node *options, struct str environment,
                      bool by_stage, const struct node **ret, bool *any_file, struct err *err)
{
    struct arena *a = r->arena;
    struct reading x = {.r = r,
                        .arena = a,
                        .options = options,
                        .environment = MAP(a),
                        .values = node_map(a),
                        .expands = node_bool_or(node_get_c(options, "variableExpansion"), true)};
    const struct node *paths = node_get_c(options, "path");
    struct str base = node_text(node_get_c(options, "basePath"));
    struct str names[] = {str_fmt(a, "%.*s.env.%.*s.local", STR_ARG(base), STR_ARG(environment)),
                          str_fmt(a, "%.*s.env.%.*s", STR_ARG(base), STR_ARG(environment)),
                          str_concat(a, base, STR(".env.local")), str_concat(a, base, STR(".env"))};
    node_each (path, paths)
        if (read_file(&x, node_text(path), 0, err) < 0)
            return -1;
    for (size_t i = environment.n ? 0 : 2; node_empty(paths) && i < sizeof names / sizeof *names;
         i++) {
        /* what all stages have in a file another stage's own file may say otherwise */
        unsigned flags = by_stage ? NODE_STAGE : 0;
        if (i == 2 && str_eq(environment, STR("test")))
            continue;
        if (read_file(&x, names[i], flags, err) < 0)
            return -1;
    }
    *ret = x.values;
    *any_file = x.any_file;
    return 0;
}

/* ---- for which environment ---- */

/* NODE_ENV, --env, the stage of the command line, "development". */
static struct str environment_name(struct resolver *r, bool *by_stage)
{
    const char *node = getenv("NODE_ENV");
    const struct str *option =
        r->options->options ? map_get(r->options->options, STR("env")) : NULL;
    *by_stage = false;
    if (node && *node)
        return str_dup(r->arena, str_c(node));
    if (option && option->n)
        return *option;
    *by_stage = r->options->stage.n > 0;
    return *by_stage ? r->options->stage : STR("development");
}

/* By which the values are recorded: "dotenv(prod):" those of a stage, "dotenv():" those of stages
 * without a file, "dotenv:test" those of an environment that no stage has named. */
static struct str recorded_name(struct resolver *r, struct str environment, bool by_stage)
{
    return str_fmt(r->arena, by_stage ? "dotenv(%.*s):" : "dotenv:%.*s", STR_ARG(environment));
}

static bool had_file(const struct source_bundle *b, struct arena *a, struct str stage)
{
    struct str name = str_fmt(a, ".env.%.*s", STR_ARG(stage));
    node_each (file, b ? b->dotenv : NULL)
        if (str_eq(node_text(file), name) ||
            str_eq(node_text(file), str_concat(a, name, STR(".local"))))
            return true;
    return false;
}

static const struct node *of_no_stage(const struct source_bundle *b)
{
    member_each (m, b->externals)
        if (str_starts(m->key, STR("dotenv:")))
            return m->value;
    return NULL;
}

/* What the bundle, or the stage's own one, has for the stage that is made now. */
static int find_recorded(struct resolver *r, struct str stage, const struct node **ret,
                         struct err *err)
{
    const struct source_bundle *b = r->options->bundle;
    struct str name = recorded_name(r, stage, true);
    *ret = node_get(b->externals, name);
    if (!*ret && b->own)
        *ret = node_get(b->own->externals, name);
    if (!*ret && (b->own || had_file(b, r->arena, stage))) {
        err_set(err, ERR_CONFIG, "what the .env files of stage '%.*s' say was not recorded",
                STR_ARG(stage));
        return err_help(err, "deploy the stage from its files first");
    }
    if (!*ret)
        *ret = node_get(b->externals, recorded_name(r, STR(""), true));
    return 0;
}

/* The same texts, without what they have in the record. */
static const struct node *marked(struct arena *a, const struct node *values, unsigned flags)
{
    struct node *out = node_map(a);
    member_each (m, values) {
        struct node *one = node_str(a, node_text(m->value));
        one->flags = (uint8_t)flags;
        node_put(a, out, m->key, one);
    }
    return out;
}

static int take_recorded(struct resolver *r, const struct node **ret, struct err *err)
{
    const struct source_bundle *b = r->options->bundle;
    struct str stage = r->options->stage, none = recorded_name(r, STR(""), true);
    const struct node *found = of_no_stage(b);
    bool by_stage = !found;
    if (!found && find_recorded(r, stage, &found, err) < 0)
        return -1;
    *ret = marked(r->arena, found, by_stage ? NODE_STAGE : 0);
    if (by_stage)
        node_put(r->arena, r->externals, recorded_name(r, stage, true), *ret);
    member_each (m, b->externals)
        if (str_starts(m->key, STR("dotenv:")) || str_eq(m->key, none))
            node_put(r->arena, r->externals, m->key, m->value);
    return 0;
}

static int find_values(struct resolver *r, const struct node *options, const struct node **ret,
                       struct err *err)
{
    const struct node *common = NULL;
    bool by_stage, any_file;
    r->lists_dotenv = true;
    if (r->options->bundle)
        return take_recorded(r, ret, err);
    struct str environment = environment_name(r, &by_stage);
    if (read_files(r, options, STR(""), false, &common, &any_file, err) < 0 ||
        read_files(r, options, environment, by_stage, ret, &any_file, err) < 0)
        return -1;
    if (!any_file && node_bool_or(node_path(options, "required.file"), false))
        return err_set(err, ERR_CONFIG, "there is no .env file, and 'required.file' asks for one");
    node_put(r->arena, r->externals, recorded_name(r, environment, by_stage), *ret);
    if (by_stage)
        node_put(r->arena, r->externals, recorded_name(r, STR(""), true), common);
    return 0;
}

/* ---- what becomes of them ---- */

static bool names(const struct node *list, struct str name)
{
    node_each (item, list)
        if (str_eq(node_text(item), name))
            return true;
    return false;
}

static int check_required(struct arena *a, const struct node *options, const struct node *values,
                          struct err *err)
{
    node_each (name, node_path(options, "required.env")) {
        struct str text = node_text(name);
        const char *set = text.n && str_find_char(text, 0, 0) < 0 ? getenv(str_z(a, text)) : NULL;
        if (!node_text(node_get(values, text)).n && !(set && *set))
            return err_at(err, node_pos(name), ERR_CONFIG,
                          "required variable '%.*s' is in no .env file", STR_ARG(text));
    }
    return 0;
}

int plugin_dotenv(struct resolver *r, struct node *root, const struct node *options,
                  struct err *err)
{
    struct arena *a = r->arena;
    const struct node *values = NULL, *old = node_path(root, "provider.environment");
    const struct node *include = node_get_c(options, "include");
    const struct node *exclude = node_get_c(options, "exclude");
    bool all = node_empty(include) || node_is_text(include, "*") ||
               (node_count(include) == 1 && node_is_text(node_path(include, "0"), "*"));
    if (find_values(r, options, &values, err) < 0 || check_required(a, options, values, err) < 0)
        return -1;
    struct node *provider = node_shallow(a, node_get_c(root, "provider"));
    struct node *environment = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    member_each (m, values)
        if (all ? !names(exclude, m->key) : names(include, m->key))
            node_put(a, environment, m->key, m->value);
    node_put_c(a, provider, "environment", environment);
    node_put_c(a, root, "provider", provider);
    return 0;
}
