/* Reading serverless-compose.yml: services, their order, and the values that they are given. */
#include "config/compose.h"

#include <stdlib.h>

#include "base/fs.h"
#include "base/near.h"
#include "base/vec.h"
#include "config/schema/schema.h"
#include "doc/encoding.h"
#include "doc/json.h"
#include "doc/place.h"
#include "doc/yaml.h"

static const char *const names[] = {"serverless-compose.yml", "serverless-compose.yaml",
                                    "serverless-compose.json"};
static const char *const scripts[] = {"serverless-compose.js", "serverless-compose.ts"};

/* ---- the file ---- */

static const struct schema service_schema = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"path", &any_string, REQUIRED}, {"config", &any_string},
                     {"component", CHOICE("serverless-framework")}, {"dependsOn", &list_of_strings},
                     {"params", &any_map})};

static const struct schema root_schema = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"name", &any_string, .no_effect = "services have names of their own"},
               {"state", &any_map, .no_effect = "outputs are asked of AWS each time"},
               {"services",
                SCHEMA(.type = TYPE_MAP, .closed = true, .keys = "^[a-zA-Z0-9_-]+$",
                       .keys_expected = "letters, digits, '-' and '_'", .values = &service_schema),
                REQUIRED})};

static int find(struct arena *a, struct str path, struct str *ret, struct err *err)
{
    struct str here = path_absolute(a, STR("."));
    if (path.n) {
        *ret = path_absolute(a, path);
        return fs_is_file(*ret) ? 0 : err_set(err, ERR_NOT_FOUND, "no file '%.*s'", STR_ARG(path));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *ret = path_join(a, here, str_c(names[i]));
        if (fs_is_file(*ret))
            return 0;
    }
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (fs_is_file(path_join(a, here, str_c(scripts[i])))) {
            err_set(err, ERR_CONFIG, "'%s' is a script, and scripts are not run", scripts[i]);
            return err_help(err, "write the services into %s", names[0]);
        }
    err_set(err, ERR_NOT_FOUND, "no %s in '%.*s'", names[0], STR_ARG(here));
    return err_help(err, "it lists services that belong together: 'services: {api: {path: api}}'");
}

static const struct node *read_file(struct arena *a, struct str path, struct err *err)
{
    struct source *source = ARENA_NEW(a, struct source);
    struct map patterns = MAP(a);
    source->path = path_base(path);
    if (fs_read(a, path, DOC_BYTES_MAX, &source->text, err) < 0)
        return NULL;
    source->text = encoding_skip_mark(source->text);
    const struct node *root =
        str_ends(path, STR(".json")) ? json_read(a, source, err) : yaml_read(a, source, err);
    struct config_options options = {0};
    struct checker checker = {.arena = a, .options = &options, .patterns = &patterns};
    int failed = root ? schema_check(&checker, &root_schema, source->path, &root, err) : -1;
    checker_free(&checker);
    return failed < 0 ? NULL : root;
}

/* ---- variables ---- */

struct variable {
    size_t from, end;         /* of "${…}" in its text */
    struct str service, name; /* ${service.name}; without a service: ${env:name} or ${sls:stage} */
    bool is_env;
};

static bool next_variable(struct str text, size_t from, struct variable *ret)
{
    ptrdiff_t open = str_find(text, STR("${"), from);
    ptrdiff_t close = open < 0 ? -1 : str_find_char(text, '}', (size_t)open);
    if (close < 0)
        return false;
    struct str in = str_trim(str_sub(text, (size_t)open + 2, (size_t)(close - open) - 2));
    *ret = (struct variable){.from = (size_t)open, .end = (size_t)close + 1, .name = in};
    if (str_skip(&ret->name, STR("env:")))
        ret->is_env = true;
    else if (!str_eq(in, STR("sls:stage"))) {
        struct str rest = in;
        str_cut(&rest, '.', &ret->service);
        ret->name = rest;
    }
    return true;
}

static size_t service_of(const struct compose *c, struct str name)
{
    size_t i = 0;
    while (i < c->count && !str_eq(c->services[i].name, name))
        i++;
    return i;
}

static int refuse_service(const struct compose *c, struct str name, struct pos pos, struct err *err)
{
    struct near near = {.name = name};
    for (size_t i = 0; i < c->count; i++)
        near_offer(&near, c->services[i].name);
    err_at(err, pos, ERR_CONFIG, "there is no service '%.*s'", STR_ARG(name));
    return near.best.n ? err_help(err, "did you mean '%.*s'?", STR_ARG(near.best)) : -1;
}

/* ---- order ---- */

typedef VEC(size_t) service_list;

static int need(struct arena *a, struct compose *c, service_list *needs, struct str name,
                struct pos pos, struct err *err)
{
    size_t i = service_of(c, name);
    if (i == c->count)
        return refuse_service(c, name, pos, err);
    vec_each (needs, known)
        if (*known == i)
            return 0;
    vec_push(a, needs, i);
    return 0;
}

static int need_outputs(struct arena *a, struct compose *c, service_list *needs,
                        const struct member *param, struct err *err)
{
    struct variable v;
    if (node_is(param->value, NODE_MAP) || node_is(param->value, NODE_SEQ))
        return err_at(err, node_pos(param->value), ERR_CONFIG,
                      "param '%.*s' must be a text, a number or a truth value, not %s",
                      STR_ARG(param->key), node_kind_name(param->value));
    for (size_t from = 0; next_variable(node_text(param->value), from, &v); from = v.end) {
        struct pos pos = string_pos(param->value, v.from, v.end);
        if (!v.service.n)
            continue;
        if (!v.name.n || str_find_char(v.service, ':', 0) >= 0) {
            err_at(err, pos, ERR_CONFIG, "unknown variable");
            return err_help(err, "variables are ${service.output}, ${sls:stage} and ${env:NAME}");
        }
        if (need(a, c, needs, v.service, pos, err) < 0)
            return -1;
        c->services[service_of(c, v.service)].is_asked = true;
    }
    return 0;
}

static int find_needs(struct arena *a, struct compose *c, struct compose_service *s,
                      const struct node *from, struct err *err)
{
    service_list needs = {0};
    node_each (name, node_get_c(from, "dependsOn"))
        if (need(a, c, &needs, node_text(name), name->pos, err) < 0)
            return -1;
    member_each (param, s->params)
        if (need_outputs(a, c, &needs, param, err) < 0)
            return -1;
    s->needs = needs.p;
    s->need_count = needs.n;
    return 0;
}

/* Services that need each other: what is left when those that need nothing are taken away. */
static int check_cycles(struct arena *a, const struct compose *c, const struct node *services,
                        struct err *err)
{
    bool *gone = ARENA_ARRAY(a, c->count + 1, bool);
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < c->count; i++) {
            size_t open = 0;
            for (size_t k = 0; k < c->services[i].need_count; k++)
                open += !gone[c->services[i].needs[k]];
            if (!gone[i] && !open)
                gone[i] = any = true;
        }
    }
    for (size_t i = 0; i < c->count; i++)
        if (!gone[i]) {
            err_at(err, services->members[i].key_pos, ERR_CONFIG,
                   "service '%.*s' needs services that need it", STR_ARG(c->services[i].name));
            return err_help(err, "take one out of 'dependsOn', or one ${service.output} away");
        }
    return 0;
}

static int read_service(struct arena *a, struct str base, const struct member *m,
                        struct compose_service *ret, struct err *err)
{
    const struct node *path = node_get_c(m->value, "path");
    struct str config = node_text(node_get_c(m->value, "config"));
    *ret = (struct compose_service){.name = m->key,
                                    .dir = path_absolute(a, path_join(a, base, node_text(path))),
                                    .params = node_get_c(m->value, "params")};
    if (!fs_exists(ret->dir))
        return err_at(err, node_pos(path), ERR_CONFIG, "service '%.*s': there is no folder '%.*s'",
                      STR_ARG(m->key), STR_ARG(node_text(path)));
    ret->file = config.n ? path_join(a, ret->dir, config) : (struct str){"", 0};
    if (config.n && !fs_is_file(ret->file))
        return err_at(err, node_pos(node_get_c(m->value, "config")), ERR_CONFIG,
                      "service '%.*s': there is no file '%.*s' in '%.*s'", STR_ARG(m->key),
                      STR_ARG(config), STR_ARG(node_text(path)));
    return 0;
}

int compose_load(struct arena *a, struct str path, struct compose *ret, struct err *err)
{
    *ret = (struct compose){0};
    if (find(a, path, &ret->file, err) < 0)
        return -1;
    const struct node *root = read_file(a, ret->file, err);
    const struct node *services = node_get_c(root, "services");
    if (!root)
        return -1;
    ret->count = services->size;
    ret->services = ARENA_ARRAY(a, ret->count + 1, struct compose_service);
    for (size_t i = 0; i < ret->count; i++) {
        struct err one = {0};
        read_service(a, path_dir(a, ret->file), &services->members[i], &ret->services[i], &one);
        err_also(err, &one);
    }
    for (size_t i = 0; i < ret->count; i++) {
        struct err one = {0};
        find_needs(a, ret, &ret->services[i], services->members[i].value, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : check_cycles(a, ret, services, err);
}

/* ---- values ---- */

struct filling {
    struct arena *arena;
    const struct compose *compose;
    struct str stage;
    compose_output *output;
    void *context;
};

static int value_of(const struct filling *f, const struct variable *v, struct pos pos,
                    struct str *ret, struct err *err)
{
    if (v->is_env) {
        const char *value = getenv(str_z(f->arena, v->name));
        if (!value)
            return err_at(err, pos, ERR_CONFIG, "environment variable '%.*s' is not set",
                          STR_ARG(v->name));
        *ret = str_c(value);
        return 0;
    }
    if (!v->service.n) {
        *ret = f->stage;
        return f->stage.n ? 0 : err_at(err, pos, ERR_CONFIG, "no stage is named");
    }
    const struct node *output = f->output(f->context, service_of(f->compose, v->service), v->name);
    if (!output) {
        err_at(err, pos, ERR_CONFIG, "service '%.*s' has no output '%.*s'", STR_ARG(v->service),
               STR_ARG(v->name));
        return err_help(err, "'troupe info' in its folder shows what it has; before it is deployed "
                             "to the stage it has none");
    }
    *ret = node_text(output);
    return 0;
}

static int fill(const struct filling *f, const struct node *from, struct str *ret, struct err *err)
{
    struct str text = node_text(from), value;
    struct buf b = BUF(f->arena);
    struct variable v;
    size_t at = 0;
    for (; next_variable(text, at, &v); at = v.end) {
        if (value_of(f, &v, string_pos(from, v.from, v.end), &value, err) < 0)
            return -1;
        buf_add(&b, str_sub(text, at, v.from - at));
        buf_add(&b, value);
    }
    buf_add(&b, str_sub(text, at, SIZE_MAX));
    *ret = buf_str(&b);
    return 0;
}

int compose_params(struct arena *a, const struct compose *compose, size_t service, struct str stage,
                   compose_output *output, void *context, struct map *ret, struct err *err)
{
    struct filling f = {a, compose, stage, output, context};
    member_each (param, compose->services[service].params) {
        struct str *value = ARENA_NEW(a, struct str);
        if (fill(&f, param->value, value, err) < 0)
            return -1;
        map_put(ret, param->key, value);
    }
    return 0;
}
