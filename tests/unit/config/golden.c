/* Reading golden cases; see golden.h. */
#include <stdlib.h>

#include "golden.h"
#include "base/buf.h"
#include "config/variables/variables.h"

#include "base/fs.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

bool golden_text(struct golden *g, const char *name, struct str *ret)
{
    cleanup_err struct err err = {0};
    return fs_read(g->arena, path_join(g->arena, g->dir, str_c(name)), FILE_MAX, ret, &err) == 0;
}

/* The next word of a command line; quotes group. */
static bool word(struct arena *a, struct str *rest, struct str *ret)
{
    struct buf b = BUF(a);
    *rest = str_trim(*rest);
    if (!rest->n)
        return false;
    char quote = 0;
    size_t i = 0;
    buf_lit(&b, "");
    for (; i < rest->n && (quote || !strchr(" \n\t", rest->p[i])); i++) {
        char c = rest->p[i];
        if (quote ? c == quote : c == '\'' || c == '"')
            quote = quote ? 0 : c;
        else
            buf_char(&b, c);
    }
    *ret = b.p ? buf_str(&b) : (struct str){"", 0};
    *rest = str_sub(*rest, i, rest->n);
    return true;
}

static void put(struct arena *a, struct map *m, struct str key, struct str value)
{
    struct str *stored = ARENA_NEW(a, struct str);
    *stored = value;
    map_put(m, key, stored);
}

static void option(struct golden *g, struct str name, struct str value)
{
    struct str key, rest = value;
    if (str_eq(name, STR("s")))
        name = STR("stage");
    if (str_eq(name, STR("r")))
        name = STR("region");
    if (str_eq(name, STR("param"))) {
        str_cut(&rest, '=', &key);
        put(g->arena, &g->params, key, rest);
        return;
    }
    put(g->arena, &g->options, name, value);
    if (str_eq(name, STR("stage")))
        g->stage = value;
    if (str_eq(name, STR("region")))
        g->region = value;
}

static void read_args(struct golden *g, struct str text)
{
    struct str arg, value;
    while (word(g->arena, &text, &arg)) {
        struct str name = str_sub(arg, str_starts(arg, STR("--")) ? 2 : 1, arg.n);
        if (str_eq(name, STR("lenient"))) {
            g->lenient = true;
        } else if (str_eq(name, STR("strict"))) {
            g->strict = true;
        } else if (str_eq(name, STR("no-stage"))) {
            g->no_stage = true;
        } else {
            ptrdiff_t equals = str_find_char(name, '=', 0);
            if (equals > 0)
                option(g, str_sub(name, 0, (size_t)equals),
                       str_sub(name, (size_t)equals + 1, name.n));
            else if (word(g->arena, &text, &value))
                option(g, name, value);
        }
    }
}

static void read_env(struct golden *g, struct str text)
{
    struct str line, name;
    while (str_cut(&text, '\n', &line)) {
        if (!line.n || line.p[0] == '#')
            continue;
        str_cut(&line, '=', &name);
        assert_true(g->env_count < sizeof g->env / sizeof *g->env);
        g->env[g->env_count++] = name;
        setenv(str_z(g->arena, name), str_z(g->arena, line), 1);
    }
}

void golden_open(struct golden *g, struct arena *a, struct str dir, struct str name)
{
    struct str text;
    *g = (struct golden){.arena = a,
                         .dir = path_join(a, dir, name),
                         .name = name,
                         .options = MAP(a),
                         .params = MAP(a),
                         .warnings = BUF(a)};
    if (golden_text(g, "args", &text))
        read_args(g, text);
    if (golden_text(g, "env", &text))
        read_env(g, text);
}

void golden_close(struct golden *g)
{
    for (size_t i = 0; i < g->env_count; i++)
        unsetenv(str_z(g->arena, g->env[i]));
}

static void warn(void *context, struct pos pos, struct str msg, struct str help)
{
    struct golden *g = context;
    if (str_ends(msg, STR(" has no effect"))) /* it has one in the reference, which is silent */
        g->without_effect++;
    else
        g->other_warnings++;
    buf_add(&g->warnings, warning_render(g->arena, pos, msg, help, false));
}

struct config_options golden_options(struct golden *g)
{
    return (struct config_options){
        .dir = g->dir,
        .stage = g->stage,
        .default_stage = g->no_stage ? (struct str){0} : STR("dev"),
        .region = g->region,
        .options = &g->options,
        .params = &g->params,
        .lenient = g->lenient,
        .strict = g->strict,
        .dialect = fs_exists(path_join(g->arena, g->dir, STR("dialect"))) ? DIALECT_4 : 0,
        .warn = warn,
        .warn_context = g};
}

int golden_load(struct golden *g, struct service *ret, struct err *err)
{
    struct config_options options = golden_options(g);
    return service_load(g->arena, &options, ret, err);
}
