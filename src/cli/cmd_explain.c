/* explain: how a value of the configuration came about. */
#include "cli/cli.h"

#include "doc/json.h"
#include "config/explain.h"

enum { VALUE_SHOWN_MAX = 72 };

static void put_value(struct buf *b, struct arena *a, const struct node *value)
{
    if (value->kind == NODE_MAP || value->kind == NODE_SEQ) {
        buf_fmt(b, "a %s of %zu", value->kind == NODE_MAP ? "map" : "list", node_count(value));
        return;
    }
    struct str text = json_text(a, value, 0);
    size_t n = text.n;
    if (n > VALUE_SHOWN_MAX)
        for (n = VALUE_SHOWN_MAX; n && ((unsigned char)text.p[n] & 0xC0) == 0x80;)
            n--;
    buf_add(b, str_sub(text, 0, n));
    if (n < text.n)
        buf_lit(b, "…");
}

static void put_place(struct buf *b, const struct node *place)
{
    buf_fmt(b, "%.*s:%lld:%lld", STR_ARG(node_text(node_get_c(place, "file"))),
            (long long)node_int_or(node_get_c(place, "line"), 0),
            (long long)node_int_or(node_get_c(place, "column"), 0));
}

static void put_indent(struct buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_lit(b, "  ");
}

static bool is_fallback(const struct node *step)
{
    return node_is_text(node_get_c(step, "says"), "the fallback");
}

/* "${self:custom.table}", the fallback, or the text as it is written. */
static void put_name(struct buf *b, struct arena *a, const struct node *step)
{
    const struct node *text = node_get_c(step, "text");
    struct str variable = node_text(node_get_c(step, "variable"));
    if (text)
        put_value(b, a, text);
    else if (!variable.n)
        buf_add(b, node_text(node_get_c(step, "says")));
    else
        buf_fmt(b, is_fallback(step) ? "fallback %.*s" : "${%.*s}", STR_ARG(variable));
}

static void put_said(struct buf *b, struct arena *a, const struct node *step)
{
    struct str says = node_text(node_get_c(step, "says"));
    bool is_variable = node_text(node_get_c(step, "variable")).n && !is_fallback(step);
    const struct node *from = is_variable ? node_get_c(step, "from") : NULL;
    const struct node *holds = node_get_c(step, "holds");
    buf_lit(b, " is ");
    if (holds)
        buf_add(b, node_text(holds));
    else
        put_value(b, a, node_get_c(step, "value"));
    if (says.n && is_variable)
        buf_fmt(b, ": %.*s", STR_ARG(says));
    if (from) {
        buf_lit(b, ", from ");
        put_place(b, from);
    }
    if (node_bool_or(node_get_c(step, "stage"), false))
        buf_lit(b, " [stage]");
}

static void put_step(struct buf *b, struct arena *a, const struct node *step, const char *role,
                     unsigned depth);

static void put_steps(struct buf *b, struct arena *a, const struct node *steps, const char *role,
                      unsigned depth)
{
    node_each (step, steps)
        put_step(b, a, step, role, depth);
}

static void put_step(struct buf *b, struct arena *a, const struct node *step, const char *role,
                     unsigned depth)
{
    const struct node *missing = node_get_c(step, "missing");
    const struct node *then = node_get_c(step, "then");
    struct str key = node_text(node_get_c(step, "key"));
    put_indent(b, depth);
    if (node_get_c(step, "place")) {
        put_place(b, node_get_c(step, "place"));
        buf_lit(b, "  ");
    }
    if (key.n)
        buf_fmt(b, "in %.*s: ", STR_ARG(key));
    buf_fmt(b, "%s", role);
    put_name(b, a, step);
    if (node_get_c(step, "again"))
        buf_lit(b, ", as above");
    else if (missing)
        buf_fmt(b, " has no value: %.*s", STR_ARG(node_text(missing)));
    else if (node_get_c(step, "value") || node_get_c(step, "holds"))
        put_said(b, a, step);
    buf_char(b, '\n');
    put_steps(b, a, node_get_c(step, "before"), "before: ", depth + 1);
    put_steps(b, a, node_get_c(step, "address"), "address: ", depth + 1);
    put_steps(b, a, node_get_c(step, "via"), "through ", depth + 1);
    put_steps(b, a, node_get_c(step, "parts"), "", depth + 1);
    if (then)
        put_step(b, a, then, "", depth + 1);
}

static void put_members(struct buf *b, struct arena *a, const struct node *members)
{
    node_each (m, members) {
        buf_fmt(b, "  %.*s = ", STR_ARG(node_text(node_get_c(m, "key"))));
        put_value(b, a, node_get_c(m, "value"));
        buf_fmt(b, "%s\n", node_bool_or(node_get_c(m, "stage"), false) ? " [stage]" : "");
    }
}

static void put_because(struct buf *b, const struct node *because)
{
    bool first = true;
    node_each (cause, because) {
        const struct node *place = node_get_c(cause, "place");
        struct str text = node_text(node_get_c(cause, "variable"));
        buf_fmt(b, place ? "%s${%.*s} (" : "%s%.*s", first ? ": " : ", ", STR_ARG(text));
        if (place) {
            put_place(b, place);
            buf_char(b, ')');
        }
        first = false;
    }
}

/* Did variables make the value itself, not only a map that it is in? */
static bool is_made(const struct node *steps)
{
    node_each (step, steps)
        if (!node_get_c(step, "key"))
            return true;
    return false;
}

static void put_explained(struct buf *b, struct arena *a, const struct node *x)
{
    const struct node *place = node_get_c(x, "place"), *members = node_get_c(x, "members");
    const struct node *steps = node_get_c(x, "steps");
    struct str inherited = node_text(node_get_c(x, "inherited"));
    bool stage = node_bool_or(node_get_c(x, "stage"), false);
    buf_fmt(b, "%.*s = ", STR_ARG(node_text(node_get_c(x, "key"))));
    put_value(b, a, node_get_c(x, "value"));
    buf_char(b, '\n');
    if (inherited.n)
        buf_fmt(b, "  the function does not say it: that is %.*s\n", STR_ARG(inherited));
    put_steps(b, a, steps, "", 1);
    if (!is_made(steps)) {
        buf_lit(b, "  ");
        if (place)
            put_place(b, place);
        buf_fmt(b, "%s\n", place ? "  written there" : "not written: a default");
    }
    if (node_count(members)) {
        buf_lit(b, "made of variables in it:\n");
        put_members(b, a, members);
    }
    buf_fmt(b, "%s", stage ? "depends on the stage" : "does not depend on the stage");
    if (stage)
        put_because(b, node_get_c(x, "because"));
    buf_char(b, '\n');
}

static int run_explain(struct cli *cli, struct err *err)
{
    struct service service;
    const struct options *o = &cli->options;
    if (!o->arg_count) {
        err_set(err, ERR_USAGE, "explain needs a key");
        return err_help(err, "troupe explain functions.NAME.environment.VARIABLE");
    }
    if (context_service(cli, o->arg_count == 2 ? 0 : SIZE_MAX, STAGE_DEFAULT, &service, err) < 0)
        return -1;
    struct str key = o->args[o->arg_count - 1];
    const struct node *explained = service_explain(cli->arena, &service, key, err);
    if (!explained)
        return -1;
    if (o->json) {
        json_write(&cli->out, explained, 2);
        buf_char(&cli->out, '\n');
    } else {
        put_explained(&cli->out, cli->arena, explained);
    }
    return 0;
}

const struct command cmd_explain = {
    .name = "explain",
    .arguments = "[STAGE] KEY",
    .summary = "how a value of the configuration came about",
    .details = "KEY is a path: functions.api.environment.TABLE, functions.api.events.0.http. "
               "Shows the variables, files and fallbacks that took part, and whether it depends "
               "on the stage.",
    .examples = {"troupe explain functions.hello.timeout",
                 "troupe explain prod functions.hello.environment.TABLE",
                 "troupe explain provider.region --json"},
    .args_max = 2,
    .run = run_explain,
};
