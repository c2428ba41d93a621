/* ${env:NAME}: the environment, then what .env files add to it. */
#include "config/variables/variables.h"

/* Is `file` for one stage? Then what it says, or does not say, depends on the stage. */
static bool is_of_stage(struct str file)
{
    return str_starts(file, STR(".env."));
}

/* Ask the environment, then the .env file. `*text`: the name under which the answer is recorded. */
static int ask_now(struct resolver *r, const struct query *q, struct str *text, struct answer *ret,
                   struct err *err)
{
    struct str value;
    size_t bad;
    bool own = str_find_char(q->address, 0, 0) < 0 && getenv(str_z(r->arena, q->address)) &&
               !(r->dotenv && map_has(r->dotenv, q->address));
    if (!own && r->dotenv_name.n) {
        *text = dotenv_text(r, r->dotenv_name, q->address);
        ret->flags |= is_of_stage(r->dotenv_name) ? NODE_STAGE : 0;
        ret->what =
            str_fmt(r->arena, "%.*s in '%.*s'", STR_ARG(ret->what), STR_ARG(r->dotenv_name));
    }
    if (!environment_get(r, q->address, &value)) {
        ret->why = str_fmt(r->arena, "environment variable '%.*s' is not set", STR_ARG(q->address));
        return 0;
    }
    if (!str_utf8_ok(value, &bad))
        return err_at(err, q->pos, ERR_CONFIG, "environment variable '%.*s' is not UTF-8",
                      STR_ARG(q->address));
    ret->value = node_str(r->arena, value);
    return 0;
}

static bool was_there(const struct source_bundle *b, struct str file)
{
    node_each (name, b ? b->dotenv : NULL)
        if (str_eq(node_text(name), file))
            return true;
    return false;
}

/* The .env file that the stage which is made now had when the bundle, or the stage's own one, was
 * recorded; empty: none. */
static struct str recorded_dotenv(struct resolver *r)
{
    const struct source_bundle *b = r->options->bundle;
    struct str own = str_fmt(r->arena, ".env.%.*s", STR_ARG(r->stage));
    if (!b || !r->use_dotenv)
        return STR("");
    if (was_there(b, own) || was_there(b->own, own))
        return own;
    return was_there(b, STR(".env")) ? STR(".env") : STR("");
}

/* Look for a recorded value, for the stage that is made now. */
static enum recorded look_up(struct resolver *r, const struct query *q, struct str *text,
                             struct answer *ret)
{
    const struct source_bundle *b = r->options->bundle;
    struct str file = recorded_dotenv(r);
    enum recorded found = recorded_value(r, b, q, *text, &ret->value);
    if (found == RECORDED_VALUE || !file.n)
        return found;
    struct str of_file = dotenv_text(r, file, q->address);
    found = recorded_value(r, b, q, of_file, &ret->value);
    if (found == RECORDED_NOT && is_of_stage(file))
        found = recorded_value(r, b->own, q, of_file, &ret->value);
    if (found == RECORDED_NOT)
        return found;
    *text = of_file;
    ret->flags |= is_of_stage(file) ? NODE_STAGE : 0;
    return found;
}

/* Add a note for a variable that was recorded for another stage: this stage's value has to be in
 * the environment now. */
static void say_of_other_stage(struct resolver *r, const struct query *q, struct answer *ret)
{
    const struct node *externals = r->options->bundle ? r->options->bundle->externals : NULL;
    struct str end = str_fmt(r->arena, "):%.*s", STR_ARG(q->address));
    member_each (m, externals) {
        struct str file = m->key;
        if (!str_skip(&file, STR("env(")) || !str_strip(&file, end))
            continue;
        ret->why = str_fmt(r->arena,
                           "%.*s; when this was recorded it was in '%.*s', which is not "
                           "for stage '%.*s'",
                           STR_ARG(ret->why), STR_ARG(file), STR_ARG(r->stage));
        ret->help = str_fmt(r->arena, "set it for this command: %.*s=VALUE troupe ...",
                            STR_ARG(q->address));
        return;
    }
}

/* Does recorded `text` ("env:NAME", "env(.env.dev):NAME") name this variable, or one that differs
 * only by having the bundle's stage in place of this one's? Names often have stages in capitals. */
static bool names_variable(struct resolver *r, struct str text, struct str name)
{
    struct arena *a = r->arena;
    struct str rest = text, there = r->options->bundle->stage;
    bool is_variable = str_skip(&rest, STR("env"));
    ptrdiff_t end = str_starts(rest, STR("(")) ? str_find(rest, STR("):"), 0) : -1;
    if (end > 0)
        rest = str_sub(rest, (size_t)end + 1, rest.n);
    if (!is_variable || !str_starts(rest, STR(":")))
        return false;
    rest = str_sub(rest, 1, rest.n);
    if (str_eq(rest, name))
        return true;
    return r->stage.n && there.n &&
           str_eq(str_lower(a, rest),
                  str_replace(a, str_lower(a, name), str_lower(a, r->stage), str_lower(a, there)));
}

/* Did the recorded deployment ask for it, in the environment or in a .env file? */
static bool was_asked_for(struct resolver *r, struct str name)
{
    const struct source_bundle *b = r->options->bundle;
    member_each (m, b->externals)
        if (names_variable(r, m->key, name))
            return true;
    node_each (text, b->absent)
        if (names_variable(r, node_text(text), name))
            return true;
    return false;
}

/* May a recorded source ask the environment for this variable? Whoever wrote the source may not be
 * meant to know what the environment of this command holds. The source gets the variables that its
 * own deployment used, also those named with this stage in place of that one; it never gets those
 * of AWS's tools. */
static int check_may_ask(struct resolver *r, const struct query *q, struct err *err)
{
    const struct source_bundle *b = r->options->bundle;
    struct str name = q->address;
    if (!b || str_find_char(name, 0, 0) >= 0 || !getenv(str_z(r->arena, name)))
        return 0;
    if (str_starts(name, STR("AWS_"))) {
        err_at(err, q->pos, ERR_CONFIG,
               "recorded sources get no variable of AWS's from the environment: '%.*s'",
               STR_ARG(name));
        return err_help(err, "deploy from the sources instead");
    }
    if (was_asked_for(r, name))
        return 0;
    err_at(err, q->pos, ERR_CONFIG,
           "the recorded deployment did not use the environment variable '%.*s'", STR_ARG(name));
    return err_help(err,
                    "unset it, so that the fallback applies, or deploy from the sources instead");
}

int source_env(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (!q->has_address)
        return err_at(err, q->pos, ERR_CONFIG, "'env' needs a name: '${env:NAME}'");
    struct str text = recorded_text(r, q);
    ret->what = str_fmt(r->arena, "environment variable '%.*s'", STR_ARG(q->address));
    switch (look_up(r, q, &text, ret)) {
    case RECORDED_NOT:
        if (check_may_ask(r, q, err) < 0 || ask_now(r, q, &text, ret, err) < 0)
            return -1;
        if (!ret->value)
            say_of_other_stage(r, q, ret);
        break;
    case RECORDED_ABSENT:
        ret->why =
            str_fmt(r->arena, "environment variable '%.*s' was not set when this was recorded",
                    STR_ARG(q->address));
        break;
    case RECORDED_VALUE:
        ret->what = str_concat(r->arena, ret->what, STR(", as recorded"));
        break;
    }
    record_value(r, q, text, ret->value);
    return 0;
}
