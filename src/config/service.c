/* Loading a service: find, read, resolve, check, and fill the model. */
#include "config/config_internal.h"

#include "base/fs.h"
#include "doc/json.h"
#include "config/script/script.h"

/* ---- limits ---- */

static int check_depth(const struct node *n, unsigned depth, struct pos pos, struct err *err)
{
    if (n->pos.source)
        pos = n->pos;
    if (depth > DOC_DEPTH_MAX)
        return err_at(err, pos, ERR_CONFIG, "values are nested more than %d deep here",
                      DOC_DEPTH_MAX);
    node_each (item, n)
        if (check_depth(item, depth + 1, pos, err) < 0)
            return -1;
    member_each (m, n)
        if (check_depth(m->value, depth + 1, m->key_pos, err) < 0)
            return -1;
    return 0;
}

/* A text that several nodes share counts for each: it is written out for each. */
static int check_text(const struct node *n, size_t *total, struct err *err)
{
    if (n->kind == NODE_STRING)
        *total += n->text.n;
    if (*total > RESOLVE_TEXT_MAX)
        return err_at(err, n->pos, ERR_CONFIG,
                      "variables make too much text: more than %d MiB in all",
                      RESOLVE_TEXT_MAX >> 20);
    node_each (item, n)
        if (check_text(item, total, err) < 0)
            return -1;
    member_each (m, n)
        if (check_text(m->value, total, err) < 0)
            return -1;
    return 0;
}

/* ---- what the dialect's loader does before checking ---- */

/* `functions` and `resources` may be lists of maps, which are merged. */
static int merge_list(struct arena *a, struct node *root, const char *key, struct err *err)
{
    const struct node *list = node_get_c(root, key);
    if (!node_is(list, NODE_SEQ))
        return 0;
    const struct node *merged = node_from(node_map(a), list);
    node_each (item, list) {
        if (item->kind == NODE_NULL)
            continue;
        if (item->kind != NODE_MAP)
            return err_at(err, item->pos, ERR_CONFIG, "an entry of '%s' must be a map, not %s", key,
                          node_kind_name(item));
        merged = node_merge(a, merged, item);
    }
    node_put_c(a, root, key, merged);
    return 0;
}

/* How a function got its name when the file does not set one, for `troupe explain`. */
static const struct origin *default_name(struct arena *a, const struct node *name)
{
    struct origin *origin = ARENA_NEW(a, struct origin);
    *origin = (struct origin){.what = name->flags & NODE_STAGE
                                          ? STR("the default name, of service, stage and key")
                                          : STR("the default name, of service and key"),
                              .value = node_shallow(a, name),
                              .at = name->pos,
                              .flags = name->flags};
    return origin;
}

static int function_named(struct arena *a, const struct member *m, struct str service,
                          struct str stage, struct node *functions, struct err *err)
{
    if (m->value->kind == NODE_NULL)
        return 0;
    if (m->value->kind != NODE_MAP)
        return err_at(err, m->value->pos.source ? m->value->pos : m->key_pos, ERR_CONFIG,
                      "function '%.*s' must be a map, not %s", STR_ARG(m->key),
                      node_kind_name(m->value));
    struct node *fn = node_shallow(a, m->value);
    if (node_empty(node_get_c(fn, "events")))
        node_put_c(a, fn, "events", node_seq(a));
    const struct node *own = node_get_c(fn, "name");
    if (node_empty(own) || node_is_text(own, "") || str_eq(node_text(own), STR("0"))) {
        struct node *name = stage.n ? node_strf(a, "%.*s-%.*s-%.*s", STR_ARG(service),
                                                STR_ARG(stage), STR_ARG(m->key))
                                    : node_strf(a, "%.*s-%.*s", STR_ARG(service), STR_ARG(m->key));
        name->flags = stage.n ? NODE_STAGE : 0;
        name->pos = m->key_pos;
        name->origin = default_name(a, name);
        node_put_c(a, fn, "name", name);
    }
    node_put_at(a, functions, m->key, m->key_pos, fn);
    return 0;
}

static int add_function_names(struct arena *a, struct node *root, struct str stage, struct err *err)
{
    const struct node *old = node_get_c(root, "functions");
    if (node_empty(old))
        return 0;
    if (old->kind != NODE_MAP)
        return err_at(err, old->pos, ERR_CONFIG, "'functions' must be a map, not %s",
                      node_kind_name(old));
    struct node *functions = node_from(node_map(a), old);
    struct str service = node_text(node_get_c(root, "service"));
    member_each (m, old)
        if (function_named(a, m, service, stage, functions, err) < 0)
            return -1;
    node_put_c(a, root, "functions", functions);
    return 0;
}

static void put_provider(struct arena *a, struct node *provider, const char *key, struct str value,
                         unsigned flags)
{
    const struct node *old = node_get_c(provider, key);
    if (node_is(old, NODE_STRING) && str_eq(old->text, value) && (old->flags & flags) == flags)
        return;
    struct node *n = node_from(node_str(a, value), old);
    n->flags |= (uint8_t)flags;
    node_put_c(a, provider, key, n);
}

/* `provider: aws` becomes a map, and stage, region and versionFunctions are added when they are
 * missing. provider.stage stays as the file has it, whatever the command line says. */
static int complete_provider(struct resolver *r, struct node *root, struct err *err)
{
    struct arena *a = r->arena;
    const struct node *old = node_get_c(root, "provider");
    if (node_empty(old))
        return 0;
    struct node *provider;
    if (old->kind == NODE_MAP) {
        provider = node_shallow(a, old);
    } else if (old->kind == NODE_STRING) {
        provider = node_from(node_map(a), old);
        node_put_c(a, provider, "name", old);
    } else {
        return err_at(err, old->pos, ERR_CONFIG, "'provider' must be a map, not %s",
                      node_kind_name(old));
    }
    struct str stage = node_text_or(node_get_c(old, "stage"), STR("dev"));
    if (r->stage.n)
        put_provider(a, provider, "stage", stage, NODE_STAGE);
    put_provider(a, provider, "region", r->region, 0);
    if (node_empty(node_get_c(provider, "versionFunctions")))
        node_put_c(a, provider, "versionFunctions", node_bool(a, true));
    node_put_c(a, root, "provider", provider);
    return 0;
}

/* ---- checking ---- */

static int check_core_keys(const struct node *root, const struct source *source, struct err *err)
{
    const struct node *name = node_get_c(root, "service");
    if (node_empty(name)) {
        err_at(err, (struct pos){source, 1, 1, 0}, ERR_CONFIG, "'service' is missing");
        return err_help(err, "name the service: service: NAME");
    }
    if (name->kind == NODE_MAP) {
        err_at(err, name->pos, ERR_CONFIG, "'service' must be a string, not a map");
        return err_help(err, "write the name directly: service: NAME");
    }
    if (node_empty(node_get_c(root, "provider"))) {
        err_at(err, (struct pos){source, 1, 1, 0}, ERR_CONFIG, "'provider' is missing");
        return err_help(err, "say where the service runs: provider: {name: aws}");
    }
    return 0;
}

/* How strict the check is: as configValidationMode says, by default "warn" for 3.x of the dialect
 * and "error" for 4.x; the command line goes before it. Commands that only look for the service's
 * stacks say nothing of what they do not use. */
static int check_schema(struct resolver *r, enum dialect dialect, const struct node **root,
                        struct err *err)
{
    struct err one = {0};
    const struct config_options *o = r->options;
    const struct node *mode = node_get_c(*root, "configValidationMode");
    bool of_place = o->part != LOAD_ALL || r->to_bridge;
    bool error = node_is_text(mode, "error") || (dialect == DIALECT_4 && node_empty(mode));
    struct checker c = {.arena = r->arena,
                        .options = o,
                        .dialect = dialect,
                        .strict = o->strict || (error && !o->lenient),
                        .lenient = o->lenient || o->only_compiles,
                        .silent = node_is_text(mode, "off") || of_place,
                        .names = of_place};
    plugins_answer(&c, *root, !of_place || r->to_bridge);
    schema_check(&c, &schema_root, STR(""), root, &one);
    checker_free(&c);
    return err_also(err, &one);
}

/* ---- regions ---- */

static struct map *without_region(struct arena *a, const struct map *options)
{
    struct map *out = ARENA_NEW(a, struct map);
    *out = MAP(a);
    for (size_t i = 0; options && i < options->n; i++)
        if (!str_eq(options->entries[i].key, STR("region")))
            map_put(out, options->entries[i].key, options->entries[i].value);
    return out;
}

/* The service's home: provider.region without --region. For a file that sets no region, the region
 * that is given. */
static struct str find_home(const struct resolver *r, const struct settings *settings)
{
    struct arena *a = r->arena;
    struct config_options options = *r->options;
    cleanup_err struct err unsaid = {0};
    if (options.home.n || !options.region.n || settings->regions_independent)
        return options.home.n ? options.home : r->region;
    options.region = (struct str){"", 0};
    options.options = without_region(a, options.options);
    options.stage = r->stage;
    struct resolver other = {.arena = a,
                             .rows = variable_sources,
                             .options = &options,
                             .dir = r->dir,
                             .root = r->root,
                             .use_dotenv = r->use_dotenv,
                             .dotenv = r->dotenv,
                             .dotenv_name = r->dotenv_name,
                             .files = MAP(a),
                             .cells = MAP(a),
                             .script_cells = MAP(a),
                             .scripts = MAP(a),
                             .host = r->host,
                             .externals = node_map(a)};
    bool known = resolve_stage(&other, &unsaid) == 0 && resolve_region(&other, &unsaid) == 0;
    if (other.host != r->host)
        script_close(other.host);
    return known ? other.region : r->region;
}

/* Set home and address. A remote stage has functions and APIs of its own: they cannot be shared
 * across regions. */
static void place_service(const struct resolver *r, struct service *s)
{
    static struct str all_functions[] = {{"*", 1}};
    s->home = find_home(r, &s->settings);
    s->remote = s->stage.n && !str_eq(s->home, s->region);
    s->address = s->remote ? str_fmt(r->arena, "%.*s@%.*s", STR_ARG(s->stage), STR_ARG(s->region))
                           : s->stage;
    if (!s->remote)
        return;
    s->settings.per_stage_functions = all_functions;
    s->settings.per_stage_function_count = 1;
    s->settings.rest_per_stage = true;
    s->settings.http_shared = false;
}

/* ---- the model ---- */

static void fill_functions(struct arena *a, struct service *s, const struct node *given)
{
    const struct node *functions = node_get_c(s->root, "functions");
    s->functions = ARENA_ARRAY(a, node_count(functions), struct function);
    member_each (m, functions) {
        struct function *fn = &s->functions[s->function_count++];
        const struct node *own = node_get(given, m->key); /* NULL: a plugin has made it */
        const struct node *before =
            own ? node_get_c(own, "name") : node_path(m->value, "warmer.name");
        *fn = (struct function){.key = m->key,
                                .name = node_text(node_get_c(m->value, "name")),
                                .name_explicit = !node_empty(before) && node_text(before).n > 0,
                                .node = m->value,
                                .pos = m->key_pos};
    }
}

/* ---- where it is ---- */

/* A copy of `map` with `value` at the dotted `path`; a new map when `map` is none. */
static const struct node *into(struct arena *a, const struct node *map, struct str path,
                               const struct node *value)
{
    struct str key, rest = path;
    struct node *out = node_is(map, NODE_MAP) ? node_shallow(a, map) : node_map(a);
    str_cut(&rest, '.', &key);
    node_put(a, out, key, rest.n ? into(a, node_get(map, key), rest, value) : value);
    return out;
}

static const struct node *keys_of(struct arena *a, const struct node *map)
{
    struct node *out = node_from(node_map(a), map);
    member_each (m, map)
        node_put_at(a, out, m->key, m->key_pos, node_null(a));
    return out;
}

/* The functions there are, without what the file says of them. */
static const struct node *function_keys(struct arena *a, const struct node *functions)
{
    struct node *out = node_from(node_map(a), functions);
    member_each (m, functions)
        node_put_at(a, out, m->key, m->key_pos, node_map(a));
    return out;
}

/* Put `path` of the file, its variables resolved, into `*root`; nothing when the file has no such
 * path. */
static int take(struct resolver *r, const struct node **root, struct str path, struct err *err)
{
    struct found found;
    if (resolve_path(r, r->root, path, STR(""), &found, err) < 0)
        return -1;
    const struct node *value = found.node ? resolve_all(r, found.node, err) : NULL;
    if (found.node && !value)
        return -1;
    if (value)
        *root = into(r->arena, *root, path, value);
    return 0;
}

/* Take the plugins that say something of the place, and what they read. */
static int take_plugins(struct resolver *r, const struct node **root, struct err *err)
{
    if (take(r, root, STR("plugins"), err) < 0)
        return -1;
    for (const struct plugin *p = plugin_rows; p->names; p++)
        if (p->for_location && plugin_listed(*root, p->names[0]) &&
            take(r, root, str_fmt(r->arena, "custom.%s", p->key), err) < 0)
            return -1;
    return 0;
}

/* Resolve only what tells where the stacks are and what protects them, and with LOAD_STACKS what is
 * sent with them; of everything else the result has the keys. */
static int resolve_place(struct resolver *r, const struct node **ret, struct err *err)
{
    static const char *const paths[] = {"service", "configValidationMode", "frameworkVersion",
                                        "provider.name", "provider.profile"};
    static const char *const settings[] = {"regions", "protect", "history"};
    static const char *const of_stacks[] = {"custom.troupe",
                                            "provider.iam.deploymentRole",
                                            "provider.cfnRole",
                                            "provider.stackPolicy",
                                            "provider.rollbackConfiguration",
                                            "provider.stackTags",
                                            "provider.notificationArns",
                                            "provider.logs"};
    static const char *const of_bucket[] = {"name", "serverSideEncryption", "sseKMSKeyId"};
    struct arena *a = r->arena;
    struct found bucket, provider, section;
    const struct node *functions = node_get_c(r->root, "functions");
    *ret = keys_of(a, r->root);
    if (node_is(functions, NODE_MAP))
        *ret = into(a, *ret, STR("functions"), function_keys(a, functions));
    if (resolve_path(r, r->root, STR("custom.troupe"), STR(""), &section, err) < 0)
        return -1;
    if (node_is(section.node, NODE_MAP))
        *ret = into(a, *ret, STR("custom.troupe"), keys_of(a, section.node));
    if (resolve_path(r, r->root, STR("provider"), STR(""), &provider, err) < 0)
        return -1;
    if (!node_is(provider.node, NODE_MAP) && take(r, ret, STR("provider"), err) < 0)
        return -1;
    if (node_get_c(provider.node, "ecr")) /* so there may be a repository */
        *ret = into(a, *ret, STR("provider.ecr"), node_null(a));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (take(r, ret, str_c(paths[i]), err) < 0)
            return -1;
    if (resolve_path(r, r->root, STR("provider.deploymentBucket"), STR(""), &bucket, err) < 0)
        return -1;
    if (!node_is(bucket.node, NODE_MAP) && take(r, ret, STR("provider.deploymentBucket"), err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof of_bucket / sizeof *of_bucket; i++)
        if (node_is(bucket.node, NODE_MAP) &&
            take(r, ret, str_fmt(a, "provider.deploymentBucket.%s", of_bucket[i]), err) < 0)
            return -1;
    if (take_plugins(r, ret, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (take(r, ret, str_fmt(a, "custom.troupe.%s", settings[i]), err) < 0 ||
            (r->stage.n &&
             take(r, ret,
                  str_fmt(a, "custom.troupe.stages.%.*s.%s", STR_ARG(r->stage), settings[i]),
                  err) < 0))
            return -1;
    if (r->to_bridge && (take(r, ret, STR("custom.troupe.bridge"), err) < 0 ||
                         take(r, ret, STR("custom.troupe.build"), err) < 0))
        return -1;
    for (size_t i = 0; r->options->part == LOAD_STACKS && i < sizeof of_stacks / sizeof *of_stacks;
         i++)
        if (take(r, ret, str_c(of_stacks[i]), err) < 0)
            return -1;
    return 0;
}

/* Is the rest made from what the framework packages? Then the file says no more than the place. */
static int find_bridged(struct resolver *r, bool *ret, struct err *err)
{
    const struct node *plugins = node_map(r->arena);
    if (r->options->bundle || r->options->part != LOAD_ALL)
        return *ret = false, 0;
    if (take(r, &plugins, STR("plugins"), err) < 0)
        return -1;
    return *ret = r->options->packaged || plugins_bridged(plugins), 0;
}

static int resolve_root(struct resolver *r, const struct node **ret, struct err *err)
{
    if (resolve_stage(r, err) < 0)
        return -1;
    struct found dotenv;
    if (resolve_path(r, r->root, STR("useDotenv"), STR(""), &dotenv, err) < 0)
        return -1;
    r->use_dotenv = node_bool_or(dotenv.node, false);
    if (r->use_dotenv && !r->options->bundle && dotenv_load(r, err) < 0)
        return -1;
    if (resolve_region(r, err) < 0 || find_bridged(r, &r->to_bridge, err) < 0)
        return -1;
    if (r->options->part != LOAD_ALL || r->to_bridge)
        return resolve_place(r, ret, err);
    *ret = resolve_all(r, r->root, err);
    if (!*ret)
        return resolve_errors(r, r->root, err);
    size_t total = 0;
    return check_depth(*ret, 0, r->root->pos, err) < 0 ? -1 : check_text(*ret, &total, err);
}

static const struct node *key_list(struct arena *a, const struct node *map)
{
    struct node *list = node_seq(a);
    member_each (m, map)
        node_push(a, list, node_str(a, m->key));
    return list;
}

/* What was packaged for one region may have its name anywhere. */
static int check_packaged_region(const struct resolver *r, const struct node *root, struct err *err)
{
    struct str packaged = node_text(node_path(root, "provider.region"));
    if (!packaged.n || str_eq(packaged, r->region))
        return 0;
    err_set(err, ERR_CONFIG, "it was packaged by the project's framework for %.*s, not for %.*s",
            STR_ARG(packaged), STR_ARG(r->region));
    return err_help(err, "deploy from the files: troupe deploy %.*s --region %.*s",
                    STR_ARG(r->stage), STR_ARG(r->region));
}

static int make_model(struct resolver *r, const struct node *resolved, const struct source *source,
                      struct service *ret, struct err *err)
{
    struct arena *a = r->arena;
    struct err one = {0};
    if (check_core_keys(resolved, source, err) < 0)
        return -1;
    struct node *root = node_shallow(a, resolved);
    if (merge_list(a, root, "functions", err) < 0 || merge_list(a, root, "resources", err) < 0 ||
        complete_provider(r, root, err) < 0)
        return -1;
    const struct node *given = node_get_c(root, "functions");
    const struct node *patches = r->options->bundle ? node_get_c(root, "patches") : NULL;
    if (patches && check_packaged_region(r, root, err) < 0)
        return -1;
    if (patches) /* of a service file that the bridge has made: no file of a user has any */
        node_drop(root, STR("patches"));
    if (add_function_names(a, root, r->stage, err) < 0)
        return -1;
    const struct node *checked = root;
    enum dialect dialect = framework_version_dialect(a, root, r->options);
    if (check_schema(r, dialect, &checked, &one) == 0) {
        struct node *applied = node_shallow(a, checked);
        plugins_apply(r, applied, &one);
        checked = applied;
    }
    err_also(err, &one);
    *ret = (struct service){.name = node_text(node_get_c(checked, "service")),
                            .stage = r->stage,
                            .stage_named = r->stage_named,
                            .region = r->region,
                            .dir = r->dir,
                            .file = source->path,
                            .dialect = dialect,
                            .root = checked,
                            .to_bridge = r->to_bridge,
                            .patches = patches,
                            .externals = r->externals,
                            .absent = key_list(a, r->absent),
                            .params = r->given_params ? r->given_params : node_map(a),
                            .options = r->given_options ? r->given_options : node_map(a)};
    settings_read(a, checked, r->stage, &ret->settings, &one);
    if (err_also(err, &one) < 0)
        return -1;
    place_service(r, ret);
    fill_functions(a, ret, given);
    return 0;
}

static int make_service(struct resolver *r, struct str path, struct source *source,
                        struct service *ret, struct err *err)
{
    const struct node *resolved;
    r->root = service_read(r, path, source, err);
    if (!r->root)
        return -1;
    record_file(r, source->path, source->text);
    if (resolve_root(r, &resolved, err) == 0 && make_model(r, resolved, source, ret, err) == 0)
        return 0;
    err->kind = err->kind == ERR_CANCELLED ? ERR_CANCELLED : ERR_CONFIG;
    return -1;
}

int service_load(struct arena *a, const struct config_options *options, struct service *ret,
                 struct err *err)
{
    struct str path;
    if ((options->bundle && bundle_check(options->bundle, err) < 0) ||
        service_find(a, options, &path, err) < 0)
        return -1;
    struct source *source = ARENA_NEW(a, struct source);
    source->path = path_base(path);
    struct resolver *r = ARENA_NEW(a, struct resolver);
    struct config_options *kept = ARENA_NEW(a, struct config_options);
    *kept = *options;
    *r = (struct resolver){.arena = a,
                           .rows = variable_sources,
                           .options = kept,
                           .dir = path_dir(a, path),
                           .files = MAP(a),
                           .cells = MAP(a),
                           .script_cells = MAP(a),
                           .scripts = MAP(a),
                           .externals = node_map(a)};
    int done = make_service(r, path, source, ret, err);
    script_close(r->host);
    if (done < 0)
        return -1;
    ret->files = r->sources.p;
    ret->file_count = r->sources.n;
    ret->resolver = r;
    return 0;
}

void service_alone(struct service *service)
{
    service->stage = service->address = (struct str){"", 0};
    service->region = service->home;
    service->remote = false;
}
