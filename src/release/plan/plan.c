/* Planning: comparing the target with the world. Reads only. */
#include "release/plan/plan.h"

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "cfn/cfn.h"
#include "release/publish/definition.h"

/* ---- values ---- */

struct known {
    const struct release *r;
    const struct plan *plan;
};

static const struct node *lookup(void *context, struct arena *a, struct str name)
{
    const struct known *k = context;
    const struct world *w = &k->plan->world;
    const struct {
        struct str name, value;
    } pseudo[] = {{STR("AWS::Region"), aws_region(k->r->aws)},
                  {STR("AWS::AccountId"), w->account},
                  {STR("AWS::Partition"), w->partition},
                  {STR("AWS::URLSuffix"), aws_url_suffix(k->r->aws)},
                  {STR("AWS::StackName"), w->stage_name}};
    for (size_t i = 0; i < sizeof pseudo / sizeof *pseudo; i++)
        if (str_eq(name, pseudo[i].name))
            return node_str(a, pseudo[i].value);
    if (map_has(&k->plan->waiting, name)) /* the stack may still have an old one */
        return NULL;
    if (str_starts(name, STR("TroupeValue")))
        return node_get(w->stage.outputs, name);
    /* The service may still show a value that has the name of a resource of the stage. */
    const struct node *parameters =
        node_get_c(k->plan->target.layout->stage_template, "Parameters");
    return node_get(parameters, name) ? node_get(w->service.outputs, name) : NULL;
}

static int resolve_one(struct known *k, struct function_plan *f, struct err *err)
{
    struct arena *a = k->r->arena;
    const struct node *image = NULL;
    const struct node *properties = layout_resolve(a, f->function->definition, lookup, k, err);
    if (!properties)
        return -1;
    if (f->function->image && !(image = layout_resolve(a, f->function->image, lookup, k, err)))
        return -1;
    if (definition_complete(a, f->function, properties, image, &f->configuration, &f->code, err) <
        0)
        return -1;
    f->code_sha256 = f->function->artifact ? f->function->artifact->sha256_base64 : STR("");
    return 0;
}

/* Values are hashed with the service's key. */
static int fingerprint_all(const struct release *r, struct plan *plan, bool create, struct err *err)
{
    struct arena *a = r->arena;
    bool values = false;
    for (size_t i = 0; i < plan->function_count; i++)
        values |= definition_has_values(plan->functions[i].configuration);
    if (values && !plan->key.n && store_secret(a, &plan->world.store, create, &plan->key, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        const struct node *c = f->configuration;
        if (f->pinned || !c)
            continue;
        f->unkeyed = definition_fingerprint(a, STR(""), c, f->code, f->code_sha256);
        f->fingerprint = definition_fingerprint(a, plan->key, c, f->code, f->code_sha256);
        f->parts = definition_parts(a, plan->key, c, f->code, f->code_sha256);
    }
    return 0;
}

/* Of what was recorded before there were keys, only hashes without one can be compared. */
static const struct node *parts_like(struct arena *a, const struct function_plan *f,
                                     const struct node *before)
{
    bool keyed = false;
    member_each (m, before)
        keyed |= definition_is_keyed(m->value);
    return keyed || !f->configuration
               ? f->parts
               : definition_parts(a, STR(""), f->configuration, f->code, f->code_sha256);
}

/* What an import would take from the whole API goes into it as the service stack has it. */
static const struct node *with_cors(struct arena *a, const struct plan *plan,
                                    const struct api_plan *p, const struct node *document,
                                    struct err *err)
{
    struct str name = str_concat(a, p->api->id, STR(LAYOUT_CORS));
    struct str text = node_text(node_get(plan->world.service.outputs, name));
    if (p->api->kind != API_HTTP || !text.n)
        return document;
    const struct node *cors = json_parse(a, name, text, err);
    struct node *out = node_shallow(a, document);
    node_put_c(a, out, "x-amazon-apigateway-cors", cors);
    return cors ? out : NULL;
}

static int resolve_api(struct known *k, struct api_plan *p, struct err *err)
{
    struct arena *a = k->r->arena;
    const struct node *document = layout_resolve(a, p->api->document, lookup, k, err);
    if (!document)
        return -1;
    p->aws_id = node_text(node_get(k->plan->world.service.outputs, p->api->id));
    if (!p->aws_id.n)
        return err_set(err, ERR_NOT_FOUND, "the service stack has no API '%.*s' yet",
                       STR_ARG(p->api->id));
    if (!(document = with_cors(a, k->plan, p, document, err)))
        return -1;
    p->document = json_text(a, document, 0);
    p->fingerprint = sha256_hex(a, json_canonical(a, document));
    return 0;
}

static int tolerate(int result, bool strict, struct err *err)
{
    if (result == 0 || strict || err->kind != ERR_NOT_FOUND)
        return result;
    err_clear(err);
    return 0;
}

int plan_resolve(const struct release *r, struct plan *plan, bool strict, struct err *err)
{
    struct known k = {r, plan};
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        if (!f->pinned && tolerate(resolve_one(&k, f, err), strict, err) < 0)
            return err_wrap(err, "function '%.*s'", STR_ARG(f->function->key));
    }
    if (fingerprint_all(r, plan, strict, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->api_count; i++)
        if (!plan->apis[i].pinned &&
            tolerate(resolve_api(&k, &plan->apis[i], err), strict, err) < 0)
            return -1;
    return 0;
}

/* ---- templates ---- */

static const struct node *filler(void *context, struct arena *a, struct str kind, struct str name)
{
    const struct plan *plan = context;
    struct str with = {"", 0};
    if (str_eq(kind, STR("Troupe::Bucket")))
        with = plan->world.bucket;
    for (size_t i = 0; i < plan->function_count && str_eq(kind, STR("Troupe::Version")); i++)
        if (str_eq(plan->functions[i].function->key, name))
            with = plan->functions[i].to;
    for (size_t i = 0; i < plan->api_count && str_eq(kind, STR("Troupe::Deployment")); i++)
        if (str_eq(plan->apis[i].api->id, name))
            with = plan->apis[i].to;
    const struct layout *l = plan->target.layout;
    for (size_t i = 0; i < l->function_count && str_eq(kind, STR("Troupe::ArtifactKey")); i++)
        if (str_eq(l->functions[i].key, name))
            with = store_key(a, &plan->world.store, "artifacts/%.*s.zip",
                             STR_ARG(l->functions[i].artifact->sha256_hex));
    return with.n ? node_str(a, with) : NULL;
}

const struct node *plan_stage_template(const struct release *r, const struct plan *plan,
                                       int64_t number)
{
    struct arena *a = r->arena;
    const struct node *filled =
        layout_fill(a, plan->target.layout->stage_template, filler, (void *)plan);
    return number ? plan_numbered(a, filled, number, plan->digest) : plan_unnumbered(a, filled);
}

const struct node *plan_parameters(const struct release *r, const struct plan *plan,
                                   const struct node *template)
{
    struct node *values = node_map(r->arena);
    member_each (m, node_get_c(template, "Parameters")) {
        struct str name = str_starts(m->key, STR(LAYOUT_RENAMED))
                              ? str_sub(m->key, sizeof LAYOUT_RENAMED - 1, m->key.n)
                              : m->key;
        const struct node *value = node_get(plan->world.service.outputs, name);
        if (!value && name.n < m->key.n) /* of the service once; the stack still has it */
            value = node_get(plan->world.stage.parameters, name);
        if (!value && name.n < m->key.n)
            value = node_get(plan->world.stage.parameters, m->key);
        node_put(r->arena, values, m->key, value);
    }
    return values;
}

const struct node *plan_unnumbered(struct arena *a, const struct node *template)
{
    const struct node *old = node_get_c(template, "Outputs");
    if (!node_get_c(old, DEPLOYMENT_OUTPUT) && !node_get_c(old, RECORD_OUTPUT))
        return template;
    struct node *out = node_shallow(a, template), *outputs = node_shallow(a, old);
    node_drop(outputs, STR(DEPLOYMENT_OUTPUT));
    node_drop(outputs, STR(RECORD_OUTPUT));
    node_drop(out, STR("Outputs"));
    if (outputs->size)
        node_put_c(a, out, "Outputs", outputs);
    return out;
}

static void put_output(struct arena *a, struct node *outputs, const char *name, struct str value)
{
    struct node *output = node_map(a);
    node_put_str(a, output, "Value", value);
    node_put_c(a, outputs, name, output);
}

const struct node *plan_numbered(struct arena *a, const struct node *template, int64_t number,
                                 struct str digest)
{
    template = plan_unnumbered(a, template);
    struct node *out = node_shallow(a, template);
    const struct node *old = node_get_c(template, "Outputs");
    struct node *outputs = old ? node_shallow(a, old) : node_map(a);
    put_output(a, outputs, DEPLOYMENT_OUTPUT, str_fmt(a, "%lld", (long long)number));
    if (digest.n)
        put_output(a, outputs, RECORD_OUTPUT, digest);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

/* SHA-256 of stage template and parameters, without the deployment's number. */
static struct str stage_hash(struct arena *a, const struct node *template,
                             const struct node *parameters)
{
    struct node *both = node_map(a);
    node_put_c(a, both, "template", plan_unnumbered(a, template));
    node_put_c(a, both, "parameters", parameters);
    return sha256_hex(a, json_canonical(a, both));
}

/* What the stack has for parameters that nobody gives a value. */
static const struct node *with_defaults(struct arena *a, const struct node *template,
                                        const struct node *given)
{
    struct node *out = node_shallow(a, given);
    member_each (m, node_get_c(template, "Parameters")) {
        const struct node *value = node_get_c(m->value, "Default");
        if (value && !node_get(given, m->key))
            node_put(a, out, m->key, node_str(a, node_text(value)));
    }
    return out;
}

/* Is the stage's stack what the target says, by its own words? Somebody may have changed it. */
static bool is_in_line(const struct release *r, const struct plan *plan)
{
    const struct world *w = &plan->world;
    const struct node *given = w->stage.parameters, *target = plan_stage_template(r, plan, 0);
    if (!w->stage_template)
        return false;
    return str_eq(stage_hash(r->arena, target,
                             with_defaults(r->arena, target, plan_parameters(r, plan, target))),
                  stage_hash(r->arena, w->stage_template, given ? given : node_map(r->arena)));
}

const struct node *plan_service_additions(struct arena *a, const struct node *current,
                                          const struct node *today)
{
    static const char *const sections[] = {"Mappings", "Parameters", "Conditions", "Resources",
                                           "Outputs"};
    struct node *out = node_shallow(a, current);
    bool more = false;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const struct node *old = node_get_c(current, sections[i]);
        struct node *merged = old ? node_shallow(a, old) : node_map(a);
        size_t before = merged->size;
        member_each (m, node_get_c(today, sections[i]))
            if (!node_member(merged, m->key))
                node_put(a, merged, m->key, m->value);
        if (merged->size > before) {
            node_put_c(a, out, sections[i], merged);
            more = true;
        }
    }
    return more ? out : NULL;
}

/* ---- changes ---- */

struct planning {
    const struct release *r;
    struct plan *plan;
    VEC(struct change) changes;
};

static void add_change(struct planning *p, struct change change)
{
    vec_push(p->r->arena, &p->changes, change);
}

static struct str arrow(struct arena *a, const char *letter, struct str from, struct str to)
{
    struct str new = to.n ? str_fmt(a, "%s%.*s", letter, STR_ARG(to)) : STR("new");
    if (!from.n)
        return new;
    return str_fmt(a, "%s%.*s -> %.*s", letter, STR_ARG(from), STR_ARG(new));
}

static int list_functions(struct planning *p, struct err *err)
{
    struct arena *a = p->r->arena;
    if (p->r->explain && world_want(p->r, WORLD_RECORD, &p->plan->world, err) < 0)
        return -1;
    const struct node *record = p->plan->world.record.body;
    for (size_t i = 0; i < p->plan->function_count; i++) {
        const struct function_plan *f = &p->plan->functions[i];
        if (f->to.n && str_eq(f->to, f->from)) {
            p->plan->unchanged++;
            continue;
        }
        const struct node *before =
            node_get_c(node_get(node_get_c(record, "functions"), f->function->key), "parts");
        struct str reason = f->parts ? definition_reason(a, before, parts_like(a, f, before))
                            : before ? STR("a resource it needs changes")
                                     : STR("new");
        add_change(p, (struct change){.action = f->to.n ? CHANGE_MOVE : CHANGE_PUBLISH,
                                      .kind = STR("function"),
                                      .name = f->function->key,
                                      .detail = arrow(a, "v", f->from, f->to),
                                      .reason = reason,
                                      .pos = f->function->pos});
    }
    return 0;
}

static void list_apis(struct planning *p)
{
    for (size_t i = 0; i < p->plan->api_count; i++) {
        const struct api_plan *api = &p->plan->apis[i];
        if (api->to.n && str_eq(api->to, api->from)) {
            p->plan->unchanged++;
            continue;
        }
        add_change(p,
                   (struct change){.action = api->to.n ? CHANGE_MOVE : CHANGE_PUBLISH,
                                   .kind = str_c(api_gateway(api->api->kind)->name),
                                   .name = api->api->id,
                                   .detail = arrow(p->r->arena, "", api->from, api->to),
                                   .reason = api->from.n ? STR("definition changed") : STR("new"),
                                   .pos = api->api->pos});
    }
}

void target_note(struct arena *a, struct target *t, struct str note)
{
    struct str *notes = ARENA_ARRAY(a, t->note_count + 1, struct str);
    for (size_t i = 0; i < t->note_count; i++)
        notes[i] = t->notes[i];
    notes[t->note_count++] = note;
    t->notes = notes;
}

void plan_note(struct arena *a, struct plan *plan, struct str note)
{
    target_note(a, &plan->target, note);
}

/* Do definitions of functions hold a value of it? */
static bool is_in_definitions(const struct planning *p, struct str id)
{
    const struct layout *l = p->plan->target.layout;
    for (size_t i = 0; i < l->value_count; i++) {
        struct str text = json_text(p->r->arena, l->values[i].expression, 0);
        if (str_find(text, str_fmt(p->r->arena, "\"%.*s\"", STR_ARG(id)), 0) >= 0 ||
            str_find(text, str_fmt(p->r->arena, "${%.*s", STR_ARG(id)), 0) >= 0)
            return true;
    }
    return false;
}

static void note_replacement(struct planning *p, struct str id)
{
    if (is_in_definitions(p, id))
        plan_note(p->r->arena, p->plan,
                  str_fmt(p->r->arena,
                          "'%.*s' is replaced before the functions that use it move: what serves "
                          "now loses it, for good if the deployment then fails",
                          STR_ARG(id)));
}

static void list_resource(struct planning *p, const char *kind, struct str id,
                          const struct node *before, const struct node *after, bool pending)
{
    const struct node *some = after ? after : before;
    struct change c = {.kind = str_c(kind),
                       .name = id,
                       .detail = node_text(node_get_c(some, "Type")),
                       .pos = node_pos(after),
                       .stateful = cfn_is(cfn_type_of(some), CFN_HOLDS_DATA)};
    bool replaces = false;
    if (node_equal(before, after)) {
        p->plan->unchanged++;
        return;
    }
    if (before && after)
        c.reason = cfn_difference(p->r->arena, before, after, &replaces);
    c.action = !before    ? CHANGE_ADD
               : !after   ? CHANGE_REMOVE
               : replaces ? CHANGE_REPLACE
                          : CHANGE_UPDATE;
    c.stateful = c.stateful && (replaces || !after) && !cfn_is_retained(before);
    if (replaces && !pending)
        note_replacement(p, id);
    if (pending) {
        c.reason = after ? c.reason : STR("no longer in serverless.yml");
        c.action = CHANGE_PENDING;
        c.stateful = false;
    }
    add_change(p, c);
}

static bool is_pointer(const struct plan *plan, struct str id)
{
    const struct layout *l = plan->target.layout;
    for (size_t i = 0; i < plan->function_count; i++)
        if (str_eq(plan->functions[i].function->alias_id, id))
            return true;
    for (size_t i = 0; i < l->api_count; i++)
        if (str_eq(l->apis[i].stage_id, id))
            return true;
    return false;
}

static void list_stage(struct planning *p, const struct node *old, const struct node *target)
{
    const struct node *before = node_get_c(old, "Resources"),
                      *after = node_get_c(target, "Resources");
    member_each (m, after)
        if (!is_pointer(p->plan, m->key))
            list_resource(p, "resource", m->key, node_get(before, m->key), m->value, false);
    member_each (m, before)
        if (!node_member(after, m->key))
            list_resource(p, "resource", m->key, m->value, NULL, false);
}

/* A head's text is what it was created with, whatever today's would be. */
static bool is_head(const struct node *before, const struct node *after)
{
    return layout_is_head(before) && layout_is_head(after);
}

static void list_service(struct planning *p, const struct node *old, const struct node *target,
                         bool only_added)
{
    const struct node *before = node_get_c(old, "Resources"),
                      *after = node_get_c(target, "Resources");
    member_each (m, after) {
        const struct node *was = node_get(before, m->key);
        if (!was || !is_head(was, m->value) ||
            !node_equal(node_path(was, "Properties.Tags"), node_path(m->value, "Properties.Tags")))
            list_resource(p, "service", m->key, was, m->value, was && only_added);
    }
    member_each (m, before)
        if (!node_member(after, m->key) && !only_added)
            list_resource(p, "service", m->key, m->value, NULL, false);
}

/* ---- the plan ---- */

static struct str recorded(const struct node *versions, const char *section, struct str key,
                           const char *what)
{
    return node_text(node_get_c(node_get(node_get_c(versions, section), key), what));
}

/* What the stage's stack says a pointer of it points at. */
static struct str points_at(const struct plan *plan, struct str id, const char *property)
{
    const struct node *resources = node_get_c(plan->world.stage_template, "Resources");
    return node_text(node_get_c(node_get_c(node_get(resources, id), "Properties"), property));
}

/* An alias of that name may be another function's: of the stage's own before it was shared. */
static struct str serves_now(const struct plan *plan, const struct layout_function *f)
{
    struct str of = points_at(plan, f->alias_id, "FunctionName");
    return str_eq(of, f->name) ? points_at(plan, f->alias_id, "FunctionVersion")
                               : (struct str){"", 0};
}

static void init_snapshots(const struct release *r, struct plan *plan)
{
    const struct layout *l = plan->target.layout;
    plan->functions = ARENA_ARRAY(r->arena, l->function_count + 1, struct function_plan);
    plan->apis = ARENA_ARRAY(r->arena, l->api_count + 1, struct api_plan);
    for (size_t i = 0; i < l->function_count; i++) {
        if (l->functions[i].per_stage)
            continue;
        struct function_plan *f = &plan->functions[plan->function_count++];
        f->function = &l->functions[i];
        f->from = serves_now(plan, f->function);
    }
    for (size_t i = 0; i < l->api_count; i++) {
        struct api_plan *p = &plan->apis[plan->api_count++];
        p->api = &l->apis[i];
        p->from = points_at(plan, p->api->stage_id, "DeploymentId");
    }
}

/* The snapshots of the target's record, as they are. */
static void pin(const struct release *r, struct plan *plan)
{
    const struct record *origin = plan->target.origin;
    /* A definition names the functions that a stage has of its own: it is no other stage's. */
    bool has_own = plan->function_count < plan->target.layout->function_count;
    bool calls_others = has_own && !str_eq(origin->stage, r->service->address);
    const struct node *functions = node_get_c(origin->body, "functions");
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        struct str key = f->function->key;
        f->to = recorded(origin->versions, "functions", key, "version");
        f->pinned = f->to.n && !str_eq(key, plan->target.unpinned);
        if (!f->pinned) {
            f->to = (struct str){"", 0};
            continue;
        }
        f->fingerprint = recorded(origin->versions, "functions", key, "fingerprint");
        f->parts = node_get_c(node_get(functions, key), "parts");
    }
    for (size_t i = 0; i < plan->api_count && !calls_others; i++) {
        struct api_plan *p = &plan->apis[i];
        p->to = recorded(origin->versions, "apis", p->api->id, "deployment");
        p->aws_id = recorded(origin->versions, "apis", p->api->id, "id");
        p->fingerprint = recorded(origin->versions, "apis", p->api->id, "fingerprint");
        p->pinned = p->to.n > 0;
    }
}

/* What the stages' records need of the service stack: logical ids, with a record each. */
static int needed_by_records(const struct release *r, const struct world *w, struct map *ret,
                             struct err *err)
{
    for (size_t i = 0; i < w->record_count; i++) {
        struct record record;
        if (w->records[i].collected)
            continue;
        if (record_read(r->arena, &w->store, w->records[i].stage, w->records[i].number, false,
                        false, &record, err) < 0)
            return -1;
        node_each (id, node_get_c(record.body, "needs"))
            if (!map_has(ret, node_text(id)))
                map_put(ret, node_text(id), &w->records[i]);
    }
    return 0;
}

/* Functions, their roles and logs stay for old versions without a word. */
static void note_kept(const struct release *r, struct plan *plan, const struct member *m,
                      const struct record_ref *by)
{
    if (cfn_is(cfn_type_of(m->value), CFN_FOLLOWS))
        return;
    plan_note(r->arena, plan,
              str_fmt(r->arena, "'%.*s' stays in the service: deployment %.*s#%lld needs it",
                      STR_ARG(m->key), STR_ARG(by->stage), (long long)by->number));
}

/* What kept resources may refer to. */
static void keep_sections(struct arena *a, struct node *out, const struct node *old)
{
    static const char *const names[] = {"Mappings", "Parameters", "Conditions"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct node *before = node_get_c(old, names[i]), *now = node_get_c(out, names[i]);
        node_put_c(a, out, names[i],
                   before && now ? node_merge(a, before, now)
                   : before      ? before
                                 : now);
    }
}

/* Today's service part and what records still need of the one that is there. Heads keep their text.
 */
static int service_union(const struct release *r, struct plan *plan, struct err *err)
{
    struct arena *a = r->arena;
    const struct world *w = &plan->world;
    const struct node *today = plan->target.layout->service_template, *old = w->service_template;
    plan->service_target = today;
    if (!old)
        return 0;
    struct map needed = MAP(a);
    bool kept = false;
    if (needed_by_records(r, w, &needed, err) < 0)
        return -1;
    struct node *resources = node_shallow(a, node_get_c(today, "Resources"));
    struct node *outputs = node_shallow(a, node_get_c(today, "Outputs"));
    member_each (m, node_get_c(old, "Resources")) {
        const struct node *now = node_get(resources, m->key);
        if (!now && map_has(&needed, m->key)) {
            node_put(a, resources, m->key, m->value);
            note_kept(r, plan, m, map_get(&needed, m->key));
            kept = true;
        }
        if (is_head(m->value, now)) {
            struct node *head = node_shallow(a, now);
            struct node *properties = node_shallow(a, node_get_c(m->value, "Properties"));
            node_drop(properties, STR("Tags"));
            node_put_c(a, properties, "Tags", node_path(now, "Properties.Tags"));
            node_put_c(a, head, "Properties", properties);
            node_put(a, resources, m->key, head);
        }
    }
    member_each (m, node_get_c(old, "Outputs")) {
        const struct node *ref = node_path(m->value, "Value.Ref");
        struct str id = ref ? node_text(ref) : node_text(node_path(m->value, "Value.Fn::GetAtt.0"));
        if (!node_member(outputs, m->key) && node_member(resources, id))
            node_put(a, outputs, m->key, m->value);
    }
    struct node *out = node_shallow(a, today);
    if (kept)
        keep_sections(a, out, old);
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    plan->service_target = node_equal(out, old) ? NULL : out;
    return 0;
}

/* Has the service stack all that the target needs of it, as far as a deployment that stands and its
 * Outputs tell? Then its template need not be read. */
static bool has_all(const struct plan *plan)
{
    const struct record *like = plan->target.origin ? plan->target.origin : &plan->world.record;
    const struct node *today = plan->target.layout->service_template;
    const struct node *needs = node_get_c(like->body, "needs");
    member_each (m, node_get_c(today, "Outputs"))
        if (!node_get(plan->world.service.outputs, m->key))
            return false;
    member_each (m, node_get_c(today, "Resources")) {
        bool known = false;
        node_each (id, needs)
            known |= str_eq(node_text(id), m->key);
        if (!known)
            return false;
    }
    return true;
}

static int plan_service(struct planning *p, struct err *err)
{
    struct plan *plan = p->plan;
    if ((p->r->explain || !p->r->service->address.n || !has_all(plan)) &&
        world_want(p->r, WORLD_SERVICE, &plan->world, err) < 0)
        return -1;
    const struct node *old = plan->world.service_template;
    const struct node *today = plan->target.layout->service_template;
    if (!p->r->service->address.n) {
        if (service_union(p->r, plan, err) < 0)
            return -1;
        list_service(p, old, plan->service_target ? plan->service_target : old, false);
        return 0;
    }
    if (old || !plan->world.service_exists) {
        plan->service_target = old ? plan_service_additions(p->r->arena, old, today) : today;
        list_service(p, old, today, true);
    }
    return 0;
}

/* Deploying one function leaves the recorded sources as they are: only its code may differ. */
static int check_only_code(const struct planning *p, struct err *err)
{
    struct str key = p->plan->target.unpinned, stage = p->r->service->address;
    for (size_t i = 0; i < p->plan->function_count && key.n; i++) {
        const struct function_plan *f = &p->plan->functions[i];
        const struct node *before = node_get_c(
            node_get(node_get_c(p->plan->world.record.body, "functions"), f->function->key),
            "parts");
        if (!str_eq(f->function->key, key))
            continue;
        struct node *was = node_shallow(p->r->arena, before ? before : node_map(p->r->arena));
        const struct node *like = parts_like(p->r->arena, f, before);
        struct node *now = node_shallow(p->r->arena, like ? like : node_map(p->r->arena));
        node_drop(was, STR("code"));
        node_drop(now, STR("code"));
        if (f->parts && node_equal(was, now))
            continue;
        struct str what = f->parts ? definition_reason(p->r->arena, was, now)
                                   : STR("it needs a resource that is not there yet");
        err_set(err, ERR_REFUSED, "more than the code of function '%.*s' changed: %.*s",
                STR_ARG(key), STR_ARG(what));
        return err_help(err, "deploy the whole stage: troupe deploy %.*s", STR_ARG(stage));
    }
    return 0;
}

static bool all_known(const struct plan *plan)
{
    for (size_t i = 0; i < plan->function_count; i++)
        if (!plan->functions[i].to.n)
            return false;
    for (size_t i = 0; i < plan->api_count; i++)
        if (!plan->apis[i].to.n)
            return false;
    return true;
}

static int plan_stage(struct planning *p, struct err *err)
{
    struct plan *plan = p->plan;
    if (plan_scope(p->r, plan, err) < 0 || plan_resolve(p->r, plan, false, err) < 0 ||
        plan_reuse(p->r, plan, err) < 0 || check_only_code(p, err) < 0 ||
        list_functions(p, err) < 0 || plan_api_quota(p->r, plan, err) < 0 ||
        plan_external_api(p->r, plan, err) < 0)
        return -1;
    list_apis(p);
    /* A stack that names no deployment was changed by hand: it gets a number again. */
    if (all_known(plan) && is_in_line(p->r, plan) && plan->world.current) {
        plan->unchanged += node_count(node_get_c(plan->target.layout->stage_template, "Resources"));
        return 0;
    }
    const struct node *target = plan_stage_template(p->r, plan, 0);
    list_stage(p, plan->world.stage_template, target);
    plan->nothing = false;
    return 0;
}

int plan_make(const struct release *r, const struct target *target, const struct world *world,
              struct plan *ret, struct err *err)
{
    struct planning p = {.r = r, .plan = ret};
    *ret = (struct plan){
        .target = *target, .world = *world, .nothing = true, .digest = world_digest(&world->stage)};
    if (r->service->address.n)
        init_snapshots(r, ret);
    if (target->pinned)
        pin(r, ret);
    if (plan_service(&p, err) < 0 || (r->service->address.n && plan_stage(&p, err) < 0))
        return -1;
    ret->nothing = ret->nothing && !ret->service_target;
    ret->number = world->last_number > world->current ? world->last_number + 1 : world->current + 1;
    ret->changes = p.changes.p;
    ret->change_count = p.changes.n;
    return 0;
}
