/* What a framework leaves behind when it packages: serverless-state.json and the flat template. */
#include "compile/bridge/bridge_internal.h"

#include "base/fs.h"
#include "doc/json.h"

enum { STATE_BYTES_MAX = 256 * 1024 * 1024, NODES_MAX = 2000000 };

/* ---- values that are written once ---- */

/* What is being unfolded, innermost first. */
struct open {
    const struct open *up;
    const struct node *target;
};

struct unfolding {
    struct arena *arena;
    const struct node *root;
    const struct open *open;
    size_t nodes;
    bool circular; /* or too large */
};

static const struct node *unfold(struct unfolding *u, const struct node *n);

/* What `$["service"]["custom"][0]` names, from the root. NULL: it is no such path, or names
 * nothing. */
static const struct node *named(const struct unfolding *u, struct str path)
{
    const struct node *n = u->root;
    struct err ignored = {0};
    if (!str_skip(&path, STR("$")))
        return NULL;
    while (n && path.n) {
        ptrdiff_t end = 0;
        bool quoted = str_starts(path, STR("[\""));
        do
            end = str_find(path, quoted ? STR("\"]") : STR("]"), (size_t)end + 1);
        while (quoted && end > 0 && path.p[end - 1] == '\\');
        if (path.p[0] != '[' || end < 0)
            return NULL;
        struct str key = str_sub(path, 1, (size_t)end - (quoted ? 0 : 1));
        int64_t index;
        if (quoted) {
            const struct node *text = json_parse(u->arena, STR("path"), key, &ignored);
            err_clear(&ignored);
            n = node_get(n, node_text(text));
        } else {
            n = str_to_int(key, &index) && node_is(n, NODE_SEQ) && index >= 0 &&
                        (size_t)index < n->count
                    ? n->items[index]
                    : NULL;
        }
        path = str_sub(path, (size_t)end + (quoted ? 2 : 1), path.n);
    }
    return n;
}

static const struct node *change(void *context, struct str key, const struct node *child)
{
    (void)key;
    return unfold(context, child);
}

static bool is_open(const struct unfolding *u, const struct node *target)
{
    for (const struct open *o = u->open; o; o = o->up)
        if (o->target == target)
            return true;
    return false;
}

/* The framework writes an object that stands in two places once, and {"$ref": path} for the other.
 */
static const struct node *unfold(struct unfolding *u, const struct node *n)
{
    const struct node *reference = node_count(n) == 1 ? node_get_c(n, "$ref") : NULL;
    const struct node *target = node_is(reference, NODE_STRING) ? named(u, reference->text) : NULL;
    u->circular = u->circular || ++u->nodes > NODES_MAX || (target && is_open(u, target));
    if (u->circular)
        return n;
    if (!target)
        return node_change_children(u->arena, n, change, u);
    struct open open = {u->open, target};
    u->open = &open;
    const struct node *out = unfold(u, target);
    u->open = open.up;
    return out;
}

/* ---- reading ---- */

static const struct node *read_json(struct arena *a, struct str dir, const char *name,
                                    struct err *err)
{
    struct str text, path = path_join(a, dir, str_c(name));
    struct source *source = ARENA_NEW(a, struct source);
    const struct node *n = NULL;
    if (fs_read(a, path, STATE_BYTES_MAX, &text, err) == 0) {
        *source = (struct source){str_c(name), text};
        n = json_read(a, source, err);
    }
    if (n && n->kind != NODE_MAP) {
        err_set(err, ERR_CONFIG, "'%s' has %s in place of a map", name, node_kind_name(n));
        n = NULL;
    }
    if (!n) {
        err->kind = ERR_CONFIG;
        err_help(err, "a folder that 'package' of the Serverless Framework wrote has "
                      "serverless-state.json, cloudformation-template-update-stack.json and zips");
        err_wrap(err, "'%.*s' is no complete package", STR_ARG(dir));
    }
    return n;
}

/* Plugins keep what they like below `custom`; of that nothing is needed. */
static const struct node *custom_parts(struct unfolding *u, const struct node *custom)
{
    struct node *out = node_map(u->arena);
    member_each (m, custom) {
        struct unfolding one = {.arena = u->arena, .root = u->root};
        const struct node *value = unfold(&one, m->value);
        if (!one.circular)
            node_put(u->arena, out, m->key, value);
    }
    return out;
}

/* Of the framework's object, only what a service file has, before anything is unfolded: the rest is
 * large and holds itself. */
static const struct node *parts(struct unfolding *u, const struct node *service)
{
    static const char *const keys[] = {"service",   "provider", "custom", "functions",
                                       "resources", "layers",   "outputs"};
    static const char *const own[] = {"compiledCloudFormationTemplate",
                                      "coreCloudFormationTemplate"};
    struct node *out = node_map(u->arena);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *value = node_get_c(service, keys[i]);
        if (!strcmp(keys[i], "provider") && node_is(value, NODE_MAP)) {
            struct node *provider = node_shallow(u->arena, value);
            for (size_t k = 0; k < sizeof own / sizeof *own; k++)
                node_drop(provider, str_c(own[k]));
            value = provider;
        }
        if (!strcmp(keys[i], "custom"))
            value = custom_parts(u, value);
        else if (value)
            value = unfold(u, value);
        node_put_c(u->arena, out, keys[i], value);
    }
    return out;
}

static const struct node *initial_parts(struct unfolding *u, const struct node *initial)
{
    static const char *const keys[] = {"frameworkVersion", "package"};
    struct node *out = node_map(u->arena);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *value = node_get_c(initial, keys[i]);
        node_put_c(u->arena, out, keys[i], value ? unfold(u, value) : NULL);
    }
    return out;
}

int package_state_read(struct arena *a, struct str dir, struct package_state *ret, struct err *err)
{
    const struct node *state = read_json(a, dir, "serverless-state.json", err);
    const struct node *template =
        state ? read_json(a, dir, "cloudformation-template-update-stack.json", err) : NULL;
    if (!template)
        return -1;
    const struct node *service = node_get_c(state, "service");
    struct unfolding u = {.arena = a, .root = state};
    *ret = (struct package_state){
        .dir = dir,
        .service = parts(&u, service),
        .package = node_get_c(state, "package"),
        .initial = initial_parts(&u, node_get_c(service, "initialServerlessConfig")),
        .template = template};
    if (u.circular)
        return err_set(err, ERR_CONFIG,
                       "'%.*s' is no package: serverless-state.json holds itself, or far too much",
                       STR_ARG(dir));
    if (!node_text(node_get_c(ret->service, "service")).n ||
        !node_is(node_get_c(ret->service, "provider"), NODE_MAP) ||
        !node_is(node_get_c(template, "Resources"), NODE_MAP)) {
        err_set(err, ERR_CONFIG,
                "'%.*s' is no package: its state or its template is not what the Serverless "
                "Framework writes",
                STR_ARG(dir));
        return err_help(err,
                        "package it again with version 3 of the Serverless Framework, or osls");
    }
    return 0;
}

/* ---- whose it is ---- */

/* From "prefix/service/stage/1700000000000-2023…": where the framework would upload it. False: it
 * does not say. */
static bool uploads_to(const struct package_state *p, struct str *service, struct str *stage)
{
    struct str dir = node_text(node_get_c(p->package, "artifactDirectoryName"));
    struct str pieces[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        ptrdiff_t at = str_rfind_char(dir, '/');
        pieces[i] = str_sub(dir, (size_t)(at + 1), dir.n);
        dir = str_sub(dir, 0, at < 0 ? 0 : (size_t)at);
    }
    *stage = pieces[1];
    *service = pieces[2];
    return stage->n > 0;
}

int package_state_check(const struct package_state *p, struct str service, struct str stage,
                        struct err *err)
{
    struct str its = node_text(node_get_c(p->service, "service")), said = {"", 0};
    struct str its_stage = node_text(node_path(p->service, "provider.stage"));
    if (uploads_to(p, &said, &its_stage))
        its = said.n ? said : its;
    if (!str_eq(its, service))
        err_set(err, ERR_CONFIG, "'%.*s' is a package of service '%.*s', not of '%.*s'",
                STR_ARG(p->dir), STR_ARG(its), STR_ARG(service));
    else if (its_stage.n && !str_eq(its_stage, stage))
        err_set(err, ERR_CONFIG, "'%.*s' was packaged for stage '%.*s', not for '%.*s'",
                STR_ARG(p->dir), STR_ARG(its_stage), STR_ARG(stage));
    else
        return 0;
    return err_help(err, "package it for the stage that it is deployed to: package --stage %.*s",
                    STR_ARG(stage));
}
