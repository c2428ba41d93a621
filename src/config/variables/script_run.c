/* Running a script: what it asks for on the way is resolved here, and what it fails with becomes an
 * error with the place in it. */
#include "config/variables/scripts.h"

#include "base/fs.h"
#include "doc/yaml.h"
#include "config/script/script.h"

enum { SHOWN_MAX = 300 }; /* bytes of a script's own message */

struct question {
    int64_t number;
    struct err err;
};

/* A script that runs. */
struct run {
    struct resolver *r;
    const struct script_call *call;
    int64_t id;
    unsigned flags; /* of what it asked for */
    VEC(struct question *) failed;
};

/* ---- what scripts ask for ---- */

static const struct node *host_of(const struct run *run, struct str text)
{
    struct node *host = node_str(run->r->arena, text);
    host->pos = run->call->pos;
    return host;
}

static int resolve_text(struct run *run, struct str text, bool is_variable, const struct node **ret,
                        struct err *err)
{
    struct template t;
    struct template_error bad;
    if (is_variable && template_read(run->r->arena, text, &t, &bad) && !t.variable_count)
        return err_set(err, ERR_CONFIG, "'%.*s' is no variable", STR_ARG(text));
    *ret = resolve_all(run->r, host_of(run, text), err);
    return *ret ? 0 : -1;
}

static int resolve_keys(struct run *run, const struct node *keys, const struct node **ret,
                        struct err *err)
{
    const struct node *n = run->r->root;
    node_each (key, keys) {
        if (n && resolve_step(run->r, n, node_text(key), &n, err) < 0)
            return -1;
        n = node_empty(n) ? NULL : n;
    }
    if (node_count(keys) == 2 && node_is_text(keys->items[0], "provider") &&
        node_is_text(keys->items[1], "stage"))
        run->flags |= NODE_STAGE;
    *ret = n ? resolve_all(run->r, n, err) : NULL;
    return n && !*ret ? -1 : 0;
}

static int resolve_question(struct run *run, const struct node *m, const struct node **ret,
                            struct err *err)
{
    const struct node *variable = node_get_c(m, "variable"), *text = node_get_c(m, "text");
    if (text)
        return resolve_text(run, node_text(text), false, ret, err);
    if (variable)
        return resolve_text(run, str_fmt(run->r->arena, "${%.*s}", STR_ARG(node_text(variable))),
                            true, ret, err);
    return resolve_keys(run, node_get_c(m, "keys"), ret, err);
}

static int answer(struct run *run, const struct node *m, struct err *err)
{
    struct arena *a = run->r->arena;
    struct question *q = ARENA_NEW(a, struct question);
    struct node *reply = node_map(a);
    const struct node *value = NULL;
    *q = (struct question){.number = node_int_or(node_get_c(m, "ask"), 0)};
    node_put_c(a, reply, "answer", node_int(a, q->number));
    if (resolve_question(run, m, &value, &q->err) < 0) {
        if (q->err.kind == ERR_CANCELLED)
            return err_move(err, &q->err), -1;
        node_put_str(a, reply, "error", str_dup(a, q->err.msg));
        vec_push(a, &run->failed, q);
    } else {
        node_put_c(a, reply, "value", value);
        run->flags |= node_flags_deep(value);
    }
    return script_send(run->r->host, reply, err);
}

/* ---- what scripts fail with ---- */

static struct str first_line(struct str text)
{
    struct str line;
    str_cut(&text, '\n', &line);
    return line.n > SHOWN_MAX ? str_sub(line, 0, SHOWN_MAX) : line;
}

static struct pos place_of(const struct run *run, const struct node *error)
{
    struct arena *a = run->r->arena;
    struct source *source = ARENA_NEW(a, struct source);
    struct str file = node_text(node_get_c(error, "file"));
    cleanup_err struct err ignored = {0};
    if (!file.n || fs_read(a, file, DOC_BYTES_MAX, &source->text, &ignored) < 0)
        return (struct pos){0};
    source->path = file_shown(run->r, file);
    return (struct pos){source, (uint32_t)node_int_or(node_get_c(error, "line"), 1),
                        (uint32_t)node_int_or(node_get_c(error, "column"), 1), 0};
}

static int no_typescript(const struct run *run, struct err *err)
{
    err_at(err, run->call->pos, ERR_CONFIG,
           "'%.*s' is TypeScript, and nothing is installed here that runs it",
           STR_ARG(run->call->shown));
    return err_help(err, "install tsx (npm install --save-dev tsx), esbuild or ts-node in the "
                         "service's directory, or Node.js 22.18 or later");
}

static int script_failed(const struct run *run, const struct node *error, struct err *err)
{
    static const struct {
        const char *what, *before, *after;
    } texts[] = {{"function", "a function failed in ", ""},
                 {"load", "cannot load ", ""},
                 {"promise", "a promise was rejected in ", ""},
                 {"property", "a property cannot be read in ", ""},
                 {"value", "", " gives what no configuration holds"},
                 {"service", "", " gives no service"}};
    const struct script_call *call = run->call;
    struct str what = node_text(node_get_c(error, "what"));
    struct pos pos = place_of(run, error);
    size_t found = 0;
    if (str_eq(what, STR("typescript")))
        return no_typescript(run, err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_eq(what, str_c(texts[i].what)))
            found = i;
    err_at(err, pos.source ? pos : call->pos, ERR_CONFIG, "%s'%.*s'%s: %.*s", texts[found].before,
           STR_ARG(call->shown), texts[found].after,
           STR_ARG(first_line(node_text(node_get_c(error, "message")))));
    return pos.source && call->pos.source ? err_note(err, call->pos, "the file is used here") : -1;
}

/* The script threw `error`. When it did because a variable that it asked for could not be resolved,
 * the user is told what was wrong with the variable. */
static int tell(struct run *run, const struct node *error, struct err *err)
{
    int64_t number = node_int_or(node_get_c(error, "question"), 0);
    vec_each (&run->failed, q)
        if ((*q)->number == number) {
            err_move(err, &(*q)->err);
            return err_note(err, run->call->pos, "it is asked for by '%.*s', which is used here",
                            STR_ARG(run->call->shown));
        }
    return script_failed(run, error, err);
}

/* Node itself failed: no other script can be run then, and none is tried. */
static int node_failed(const struct run *run, struct err *err)
{
    const struct script_call *call = run->call;
    bool missing = err->kind == ERR_NOT_FOUND;
    if (err->kind == ERR_CANCELLED)
        return -1;
    err_wrap(err, "cannot run '%.*s'", STR_ARG(call->shown));
    err->kind = call->is_service ? ERR_CONFIG : ERR_FAILED;
    err->pos = call->pos;
    if (missing && call->is_service)
        return err_help(err,
                        "scripts need Node.js: install it, or put its directory into PATH; for "
                        "what is recorded, a serverless.yml with 'service' and 'provider' "
                        "does instead");
    return missing ? err_help(err, "scripts need Node.js: install it, or put its directory into "
                                   "PATH; values in YAML or JSON need none")
                   : -1;
}

/* ---- the conversation ---- */

static bool is_for(const struct node *m, int64_t id)
{
    return node_int_or(node_get_c(m, "id"), 0) == id || node_int_or(node_get_c(m, "of"), 0) == id;
}

/* The next message for `run`. Those for scripts that wait for this one are kept for them. */
static int next(struct run *run, const struct node **ret, struct err *err)
{
    struct resolver *r = run->r;
    for (size_t i = 0; i < r->script_inbox.n; i++)
        if (is_for(r->script_inbox.p[i], run->id)) {
            *ret = r->script_inbox.p[i];
            memmove(&r->script_inbox.p[i], &r->script_inbox.p[i + 1],
                    (r->script_inbox.n - i - 1) * sizeof *r->script_inbox.p);
            r->script_inbox.n--;
            return 0;
        }
    for (;;) {
        if (script_receive(r->host, ret, err) < 0)
            return -1;
        if (is_for(*ret, run->id))
            return 0;
        vec_push(r->arena, &r->script_inbox, *ret);
    }
}

static const struct node *options_argv(struct arena *a, const struct node *options)
{
    struct node *argv = node_seq(a);
    node_push(a, argv, node_str(a, STR("deploy")));
    member_each (m, options) {
        node_push(a, argv, node_strf(a, "--%.*s", STR_ARG(m->key)));
        node_push(a, argv, m->value);
    }
    return argv;
}

static void open_host(struct resolver *r)
{
    const struct node *options = options_all(r);
    if (!r->host)
        r->host = script_host_new(r->arena, r->dir, options_argv(r->arena, options), options);
}

static const struct node *request(struct run *run)
{
    struct resolver *r = run->r;
    struct node *m = node_map(r->arena), *env = node_map(r->arena);
    for (size_t i = 0; r->dotenv && i < r->dotenv->n; i++)
        node_put(r->arena, env, r->dotenv->entries[i].key,
                 node_str(r->arena, *(const struct str *)r->dotenv->entries[i].value));
    node_put_c(r->arena, m, "id", node_int(r->arena, run->id));
    node_put_str(r->arena, m, "do", str_c(run->call->is_service ? "service" : "file"));
    node_put_str(r->arena, m, "path", run->call->path);
    node_put_c(r->arena, m, "keys", run->call->keys);
    node_put_c(r->arena, m, "env", env);
    node_put_c(r->arena, m, "ofStage",
               node_bool(r->arena, str_starts(r->dotenv_name, STR(".env."))));
    return m;
}

/* Names and hashes of the files in the service's directory that were loaded. */
static const struct node *modules_of(struct resolver *r, const struct node *files)
{
    struct node *out = node_map(r->arena);
    struct str text, prefix = str_concat(r->arena, r->dir, STR("/"));
    node_each (file, files) {
        struct str name = node_text(file);
        cleanup_err struct err ignored = {0};
        if (str_skip(&name, prefix) &&
            fs_read(r->arena, node_text(file), DOC_BYTES_MAX, &text, &ignored) == 0)
            node_put(r->arena, out, name, node_str(r->arena, sha256_hex(r->arena, text)));
    }
    return out;
}

int script_run(struct resolver *r, const struct script_call *call, struct script_result *ret,
               struct err *err)
{
    struct run run = {.r = r, .call = call, .id = ++r->script_calls};
    const struct node *m;
    open_host(r);
    if (script_send(r->host, request(&run), err) < 0)
        return node_failed(&run, err);
    for (;;) {
        if (next(&run, &m, err) < 0)
            return node_failed(&run, err);
        if (!node_get_c(m, "ask"))
            break;
        if (answer(&run, m, err) < 0)
            return node_failed(&run, err);
    }
    const struct node *error = node_get_c(m, "error");
    int done = error ? tell(&run, error, err) : 0;
    vec_each (&run.failed, q)
        err_clear(&(*q)->err);
    *ret = (struct script_result){
        .value = node_get_c(m, "value"),
        .flags = run.flags | (node_bool_or(node_get_c(m, "stage"), false) ? NODE_STAGE : 0u),
        .modules = modules_of(r, node_get_c(m, "modules"))};
    return done;
}
