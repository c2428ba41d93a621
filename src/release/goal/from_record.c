/* From records back to targets. */
#include "release/goal/from_record.h"

#include "build/build.h"
#include "release/image/image.h"

/* ---- reading ---- */

static bool is_pruned(struct world *w, struct str stage, int64_t number)
{
    for (size_t i = 0; i < w->record_count; i++)
        if (w->records[i].number == number && str_eq(w->records[i].stage, stage))
            return w->records[i].pruned;
    return false;
}

/* Something of it is there, whatever somebody deleted. */
static bool is_listed(const struct world *w, struct str stage, int64_t number)
{
    for (size_t i = 0; i < w->record_count; i++)
        if (w->records[i].number == number && str_eq(w->records[i].stage, stage))
            return true;
    return false;
}

/* A rollback whose stack did not follow served all the same: what it restored counts. */
static bool served(const struct record *record)
{
    bool switches = record->body->switches && !record->body->shifts;
    return record_succeeded(record) || (record->outcome && switches && record->versions);
}

int recorded_read(const struct release *r, struct world *w, struct chain *chain, int64_t number,
                  bool known, struct record *ret, struct err *err)
{
    struct str stage = chain->stage;
    number = number ? number : chain->current;
    if (chain_find(r, w, chain, number, ret, err) < 0)
        return -1;
    if (record_read_more(r->arena, &w->store, RECORD_VERSIONS | (!known ? RECORD_OUTCOME : 0), ret,
                         err) < 0) {
        if (err->kind != ERR_NOT_FOUND || is_listed(w, stage, number))
            return -1;
        err_clear(err);
        err_set(err, ERR_NOT_FOUND, "there is no deployment %.*s#%lld", STR_ARG(stage),
                (long long)number);
        return err_help(err, "which there are: troupe history %.*s", STR_ARG(stage));
    }
    known = known || (number == w->current && str_eq(stage, r->service->address));
    if (record_is_removal(ret))
        err_set(err, ERR_REFUSED, "%.*s#%lld was a removal", STR_ARG(stage), (long long)number);
    else if (is_pruned(w, stage, number))
        err_set(err, ERR_REFUSED, "the versions of %.*s#%lld were pruned", STR_ARG(stage),
                (long long)number);
    else if (!ret->versions || !(known || served(ret)))
        err_set(
            err, ERR_REFUSED, "%.*s#%lld never served: it %.*s", STR_ARG(stage), (long long)number,
            STR_ARG(ret->outcome ? outcome_word(ret->outcome->outcome) : STR("was interrupted")));
    else if (chain->passed)
        err_set(err, ERR_REFUSED, "%.*s#%lld never served: the stack of '%.*s' was never at it",
                STR_ARG(stage), (long long)number, STR_ARG(stage));
    else
        return 0;
    return err_help(err, "which there are: troupe history %.*s", STR_ARG(stage));
}

int recorded_template(const struct release *r, struct world *w, const struct record *record,
                      const struct node **ret, struct err *err)
{
    struct str sha = record_stage_template(record);
    *ret = NULL;
    if (!sha.n)
        return 0;
    if (store_get_json(r->arena, &w->store, "templates", sha, ret, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

/* ---- pointers of a template ---- */

static struct str find_alias(const struct node *resources, struct str function)
{
    member_each (m, resources)
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Alias") &&
            str_eq(node_text(node_path(m->value, "Properties.FunctionName")), function))
            return m->key;
    return (struct str){"", 0};
}

static struct str find_api_stage(const struct node *resources, enum api_kind kind, struct str api)
{
    static const struct {
        const char *type, *owner;
    } kinds[] = {[API_REST] = {"AWS::ApiGateway::Stage", "Properties.RestApiId.Ref"},
                 [API_HTTP] = {"AWS::ApiGatewayV2::Stage", "Properties.ApiId.Ref"}};
    member_each (m, resources)
        if (node_is_text(node_get_c(m->value, "Type"), kinds[kind].type) &&
            str_eq(node_text(node_path(m->value, kinds[kind].owner)), api))
            return m->key;
    return (struct str){"", 0};
}

static const struct artifact *artifact_of(struct arena *a, struct str key, struct str sha256)
{
    if (!sha256.n)
        return NULL;
    struct artifact *artifact = ARENA_NEW(a, struct artifact);
    *artifact =
        (struct artifact){.name = str_fmt(a, "%.*s.zip", STR_ARG(key)), .sha256_hex = sha256};
    return artifact;
}

static void add_values(struct arena *a, const struct node *template, struct layout *l)
{
    VEC(struct layout_value) values = {0};
    member_each (m, node_get_c(template, "Outputs"))
        if (str_starts(m->key, STR(LAYOUT_VALUE)))
            vec_push(a, &values, (struct layout_value){m->key, node_get_c(m->value, "Value"), {0}});
    l->values = values.p;
    l->value_count = values.n;
}

void recorded_layout(const struct release *r, const struct record *record,
                     const struct node *template, struct layout *ret)
{
    struct arena *a = r->arena;
    const struct record_body *body = record->body;
    const struct node *resources = node_get_c(template, "Resources");
    *ret = (struct layout){.stage_template = template};
    ret->functions = ARENA_ARRAY(a, body->functions.n + 1, struct layout_function);
    ret->apis = ARENA_ARRAY(a, body->apis.n + 1, struct layout_api);
    vec_each (&body->functions, f)
        ret->functions[ret->function_count++] =
            (struct layout_function){.key = f->object.key,
                                     .name = f->name,
                                     .alias_id = find_alias(resources, f->name),
                                     .per_stage = f->layout == LAYOUT_PER_STAGE,
                                     .artifact = artifact_of(a, f->object.key, f->artifact)};
    vec_each (&body->apis, p)
        ret->apis[ret->api_count++] =
            (struct layout_api){.kind = p->kind,
                                .id = p->object.key,
                                .stage_id = find_api_stage(resources, p->kind, p->object.key)};
    ret->layers = ARENA_ARRAY(a, body->layers.n + 1, struct layout_layer);
    vec_each (&body->layers, layer)
        ret->layers[ret->layer_count++] =
            (struct layout_layer){.key = layer->object.key,
                                  .id = layer->id,
                                  .artifact = artifact_of(a, layer->object.key, layer->artifact),
                                  .per_stage = node_get(resources, layer->id) != NULL};
    add_values(a, template, ret);
}

/* ---- sources ---- */

static int read_bundle(const struct release *r, struct world *w, const struct record *record,
                       struct source_bundle *ret, struct err *err)
{
    struct str sha = record->body->sources;
    struct str key = store_key(r->arena, &w->store, "sources/%.*s.json", STR_ARG(sha));
    const struct node *n;
    if (store_get_json(r->arena, &w->store, "sources", sha, &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        err_set(err, ERR_FAILED, "the recorded sources are gone from the bucket: s3://%.*s/%.*s",
                STR_ARG(w->bucket), STR_ARG(key));
        return err_help(err, "deploy from the sources instead: troupe deploy %.*s",
                        STR_ARG(r->service->address));
    }
    return source_bundle_read(r->arena, key, n, record->body->stage, ret, err);
}

static bool is_bridged(const struct source_bundle *bundle)
{
    member_each (m, bundle->externals)
        if (str_starts(m->key, STR("bridged(")))
            return true;
    return false;
}

/* Another stage's bundle has nothing of this stage's .env file, of what scripts computed for this
 * stage, and of what plugins made for it; its own last one has. Where that is gone, the values are
 * asked for. */
static int add_own(const struct release *r, struct world *w, struct source_bundle *bundle,
                   struct err *err)
{
    struct arena *a = r->arena;
    struct record *record = ARENA_NEW(a, struct record);
    struct source_bundle *own = ARENA_NEW(a, struct source_bundle);
    cleanup_err struct err gone = {0};
    if ((!node_count(bundle->dotenv) && !node_count(bundle->scripts) && !is_bridged(bundle)) ||
        str_eq(bundle->stage, r->service->stage) || !w->current)
        return 0;
    *record = (struct record){
        .stage = r->service->address, .number = w->current, .digest = world_digest(&w->stage)};
    if (record_read_more(a, &w->store, 0, record, &gone) == 0 &&
        read_bundle(r, w, record, own, &gone) == 0)
        bundle->own = own;
    else if (gone.kind != ERR_FAILED && gone.kind != ERR_NOT_FOUND)
        return err_move(err, &gone), -1;
    return 0;
}

/* Load the recorded files as the service of this release's stage and region, whatever stage and
 * region the record is of. */
static int load(const struct release *r, const struct source_bundle *bundle, struct service *ret,
                struct err *err)
{
    struct config_options options = r->config ? *r->config : (struct config_options){0};
    options.path = (struct str){"", 0};
    options.stage = r->service->stage;
    options.home = r->service->home;
    options.region = r->service->region;
    options.bundle = bundle;
    if (service_load(r->arena, &options, ret, err) < 0)
        return err_wrap(err, "the recorded sources, for stage '%.*s'", STR_ARG(options.stage));
    return 0;
}

/* URIs of images as recorded; what the file names otherwise for this stage is asked for anew. */
static int images_of(const struct release *r, const struct record *record,
                     const struct service *service, const struct node **ret, struct err *err)
{
    struct compile_image *images;
    size_t n, asked = 0;
    const struct node *recorded = record->body->images, *anew;
    *ret = recorded;
    if (compile_images(r->arena, service, &images, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (node_get(recorded, images[i].key))
            continue;
        if (!images[i].uri.n) {
            err_at(err, images[i].pos, ERR_CONFIG, "image '%.*s' was not part of that deployment",
                   STR_ARG(images[i].key));
            return err_help(err, "deploy the stage from its files instead: troupe deploy STAGE");
        }
        images[asked++] = images[i];
    }
    struct image_request request = {.images = images, .count = asked, .look_only = true};
    if (!asked)
        return 0;
    if (images_resolve(r, &request, &anew, err) < 0)
        return -1;
    struct node *all = node_map(r->arena);
    member_each (m, recorded)
        node_put(r->arena, all, m->key, m->value);
    member_each (m, anew)
        node_put(r->arena, all, m->key, m->value);
    *ret = all;
    return 0;
}

int recorded_target(const struct release *r, struct world *w, const struct record *record,
                    struct target *ret, struct err *err)
{
    struct arena *a = r->arena;
    struct source_bundle *bundle = ARENA_NEW(a, struct source_bundle);
    struct service *service = ARENA_NEW(a, struct service);
    struct packed *packed = ARENA_NEW(a, struct packed);
    struct compiled *compiled = ARENA_NEW(a, struct compiled);
    struct layout *layout = ARENA_NEW(a, struct layout);
    struct compile_options options = {.naming = NAMING_SHARED, .artifact_dir = STR("artifacts")};
    struct map recorded = MAP(a), layers = MAP(a);
    struct left_out rest;
    vec_each (&record->body->functions, f)
        map_put(&recorded, f->object.key, &f->artifact);
    vec_each (&record->body->layers, x)
        map_put(&layers, x->object.key, &x->artifact);
    if (read_bundle(r, w, record, bundle, err) < 0 || add_own(r, w, bundle, err) < 0 ||
        load(r, bundle, service, err) < 0 || layout_leave_out(a, service, &rest, err) < 0 ||
        images_of(r, record, rest.service, &options.images, err) < 0 ||
        pack_recorded(a, rest.service, &recorded, &layers, build_texts(a, rest.service), packed,
                      err) < 0 ||
        compile_service(a, rest.service, packed, &options, compiled, err) < 0 ||
        layout_service(a, rest.service, compiled, layout, err) < 0)
        return -1;
    *ret = (struct target){.layout = layout,
                           .images = options.images,
                           .service = service,
                           .origin = record,
                           .notes = rest.warnings,
                           .note_count = rest.warning_count};
    return 0;
}
