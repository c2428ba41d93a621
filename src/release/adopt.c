/* Taking a stack over: looking at it, and the steps before and around a deployment. */
#include "release/adopt.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/engine.h"
#include "release/resources.h"
#include "release/stack.h"

/* ---- whose it is ---- */

static int say_strange(const struct release *r, const struct stack *stack, struct err *err)
{
    err_set(err, ERR_REFUSED, "stack '%.*s' does not look like stage '%.*s' of a service",
            STR_ARG(stack->name), STR_ARG(r->service->stage));
    return err_help(err, "a stack that serverless deploy made has the tag STAGE with the stage's "
                         "name and the Output ServerlessDeploymentBucketName");
}

/* "a-b" may be stage "b" of "a": the tag tells. Without tag, what the framework always writes. */
static int recognize(const struct release *r, struct adoption *adoption, const struct world *w,
                     struct err *err)
{
    struct str stage = node_text(node_get_c(w->stage.tags, "STAGE"));
    bool framework = node_get_c(w->stage.outputs, "ServerlessDeploymentBucketName") ||
                     str_find(node_text(node_get_c(w->stage_template, "Description")),
                              STR("Serverless application"), 0) >= 0;
    adoption->foreign = !node_get_c(w->stage.tags, TAG_SERVICE);
    adoption->by = adoption->foreign ? STR("serverless deploy") : STR("troupe");
    if (adoption->foreign && (stage.n ? !str_eq(stage, r->service->stage) : !framework))
        return say_strange(r, &w->stage, err);
    return 0;
}

/* serverless-aws-alias: a stack `<stack>-<alias>` for each alias, with a tag that says so. */
static int find_alias_stacks(const struct release *r, struct adoption *adoption,
                             const struct world *w, struct err *err)
{
    struct stack *all;
    size_t n;
    VEC(struct stack) found = {0};
    struct str prefix = str_concat(r->arena, w->stage_name, STR("-"));
    if (!adoption->foreign)
        return 0;
    if (stack_list(r->arena, r->aws, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str alias = node_text(node_get_c(all[i].tags, "ALIAS"));
        if (alias.n && str_starts(all[i].name, prefix) &&
            str_eq(str_sub(all[i].name, prefix.n, all[i].name.n), alias) &&
            stack_condition(all[i].status) != STACK_GONE)
            vec_push(r->arena, &found, all[i]);
    }
    adoption->alias_stacks = found.p;
    adoption->alias_stack_count = found.n;
    if (found.n)
        adoption->by = STR("serverless-aws-alias");
    return 0;
}

/* ---- what AWS says about it ---- */

static void refuse(struct arena *a, struct adoption *adoption, struct adopt_item item)
{
    struct adopt_item *items = ARENA_ARRAY(a, adoption->count + 1, struct adopt_item);
    items[0] = item;
    items[0].fate = ADOPT_REFUSED;
    for (size_t i = 0; i < adoption->count; i++)
        items[i + 1] = adoption->items[i];
    adoption->items = items;
    adoption->count++;
    adoption->refused++;
}

static bool is_alias_stack(const struct adoption *adoption, struct str name)
{
    for (size_t i = 0; i < adoption->alias_stack_count; i++)
        if (str_eq(adoption->alias_stacks[i].name, name))
            return true;
    return false;
}

/* CloudFormation changes no export that another stack imports. */
static int check_exports(const struct release *r, struct adoption *adoption,
                         const struct adopt_input *in, struct err *err)
{
    member_each (m, node_get_c(in->old, "Outputs")) {
        const struct node *export = node_path(m->value, "Export.Name"), *importers;
        const struct node *after = node_get(node_get_c(in->target, "Outputs"), m->key);
        if (!node_is(export, NODE_STRING) || node_equal(m->value, after))
            continue;
        if (stack_importers(r->arena, r->aws, export->text, &importers, err) < 0)
            return -1;
        node_each (importer, importers)
            if (!is_alias_stack(adoption, node_text(importer)))
                refuse(r->arena, adoption,
                       (struct adopt_item){.id = export->text,
                                           .type = STR("export"),
                                           .reason = str_fmt(r->arena, "stack '%.*s' imports it",
                                                             STR_ARG(node_text(importer)))});
    }
    return 0;
}

/* An alias stack holds aliases and versions; with `aliasResources` also the user's own. */
static int check_alias_stacks(const struct release *r, struct adoption *adoption, struct err *err)
{
    for (size_t i = 0; i < adoption->alias_stack_count; i++) {
        struct str text, name = adoption->alias_stacks[i].name;
        if (stack_template(r->arena, r->aws, name, &text, err) < 0)
            return -1;
        const struct node *template = json_parse(r->arena, name, text, err);
        if (!template)
            return -1;
        member_each (m, node_get_c(template, "Resources")) {
            struct str type = node_text(node_get_c(m->value, "Type"));
            if (resource_is_recreatable(type) || resource_is_retained(m->value))
                continue;
            refuse(r->arena, adoption,
                   (struct adopt_item){.id = m->key,
                                       .type = type,
                                       .reason =
                                           str_fmt(r->arena,
                                                   "alias stack '%.*s' has it and would delete it: "
                                                   "give it DeletionPolicy Retain there",
                                                   STR_ARG(name))});
        }
    }
    return 0;
}

/* A custom domain is often mapped by a plugin, outside of the stack: it would lead to an API that
 * is gone. One whose mapping is in the stack follows. */
static int check_domains(const struct release *r, struct adoption *adoption, struct target *target,
                         const struct adopt_input *in, struct err *err)
{
    const struct node *domains;
    struct str known = json_text(r->arena, in->physical, 0);
    for (size_t i = 0; i < adoption->count; i++) {
        struct adopt_item item = adoption->items[i];
        if (item.fate != ADOPT_ADDRESS || !str_eq(item.type, STR("AWS::ApiGateway::RestApi")))
            continue;
        if (restapi_domains(r->arena, r->aws, item.physical, &domains, err) < 0) {
            if (err->kind != ERR_DENIED)
                return -1;
            err_clear(err);
            target->notes = ARENA_NEW(r->arena, struct str);
            target->notes[target->note_count++] =
                STR("custom domains may not be looked at: whether one leads to the REST API that "
                    "goes is not known");
            return 0;
        }
        node_each (domain, domains)
            if (str_find(known, str_fmt(r->arena, "\"%.*s|", STR_ARG(node_text(domain))), 0) < 0) {
                item.reason = str_fmt(r->arena,
                                      "custom domain '%.*s' leads to it: keep it with "
                                      "custom.troupe.apis.rest: perStage",
                                      STR_ARG(node_text(domain)));
                refuse(r->arena, adoption, item);
                return 0;
            }
    }
    return 0;
}

/* Its aliases and API stages have the names that ours would have, on the same function or API. */
static void check_alias_owners(const struct release *r, struct adoption *adoption)
{
    static const char *const owners[] = {"AWS::Lambda::Function", "AWS::ApiGateway::RestApi"};
    for (size_t i = adoption->refused; adoption->alias_stack_count && i < adoption->count; i++) {
        struct adopt_item item = adoption->items[i];
        bool stays = item.fate == ADOPT_KEPT || item.fate == ADOPT_CHANGED;
        if (!stays ||
            (!str_eq(item.type, str_c(owners[0])) && !str_eq(item.type, str_c(owners[1]))))
            continue;
        item.reason = str_fmt(r->arena,
                              "alias stack '%.*s' has the alias of it: share it between "
                              "stages (not perStage) while adopting",
                              STR_ARG(adoption->alias_stacks[0].name));
        adoption->items[i].fate = ADOPT_REFUSED;
        adoption->items[i].reason = item.reason;
        struct adopt_item first = adoption->items[adoption->refused];
        adoption->items[adoption->refused++] = adoption->items[i];
        adoption->items[i] = first;
    }
}

/* ---- identifiers ---- */

/* A literal, or the physical id of what moves along. */
static struct str property_value(const struct node *moving, const struct node *definition,
                                 struct str key)
{
    const struct node *value = node_get(node_get_c(definition, "Properties"), key);
    const struct node *ref = node_get_c(value, "Ref");
    if (node_is(value, NODE_STRING))
        return value->text;
    return ref ? node_text(node_get_c(node_get(moving, node_text(ref)), "PhysicalId"))
               : (struct str){"", 0};
}

/* One key is the physical id; of several, those that are no properties. NULL: not to be known. */
static const struct node *identifier_of(struct arena *a, const struct node *moving,
                                        const struct node *entry, const struct node *keys)
{
    struct node *identifier = node_map(a);
    size_t unknown = 0;
    node_each (key, keys) {
        struct str value = {"", 0};
        if (keys->count > 1)
            value = property_value(moving, node_get_c(entry, "Definition"), node_text(key));
        unknown += !value.n;
        node_put(a, identifier, node_text(key),
                 value.n ? node_str(a, value) : node_get_c(entry, "PhysicalId"));
    }
    return unknown > 1 ? NULL : identifier;
}

static int ask_identifiers(const struct release *r, const struct node *resources,
                           const struct node **ret, struct err *err)
{
    struct node *bare = node_map(r->arena), *template = node_map(r->arena);
    member_each (m, resources) {
        struct node *resource = node_map(r->arena);
        node_put_c(r->arena, resource, "Type", node_get_c(m->value, "Type"));
        node_put(r->arena, bare, m->key, resource);
    }
    node_put_c(r->arena, template, "Resources", bare);
    return template_identifiers(r->arena, r->aws, json_text(r->arena, template, 0), ret, err);
}

/* Before anything changes: what moves must be importable. A policy is written over its like. */
static int check_importable(const struct release *r, struct adoption *adoption,
                            const struct adopt_input *in, struct err *err)
{
    struct arena *a = r->arena;
    struct node *moving = node_map(a), *resources = node_map(a);
    const struct node *identifiers;
    for (size_t i = 0; i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        const struct node *there = node_get(adopt_moving(in->old), item->id);
        const struct node *old = node_get(node_get_c(in->old, "Resources"), item->id);
        if (item->fate != ADOPT_MOVED)
            continue;
        struct node *entry = node_map(a);
        node_put_str(a, entry, "PhysicalId", item->physical);
        node_put_c(a, entry, "Definition", old);
        node_put(a, moving, item->id, there ? there : entry);
        node_put(a, resources, item->id, there ? node_get_c(there, "Definition") : old);
    }
    if (!moving->size)
        return 0;
    if (ask_identifiers(r, resources, &identifiers, err) < 0)
        return -1;
    for (size_t i = 0; i < adoption->count; i++) {
        struct adopt_item *item = &adoption->items[i];
        if (item->fate != ADOPT_MOVED)
            continue;
        const struct node *keys = node_get(identifiers, item->type);
        if (keys && identifier_of(a, moving, node_get(moving, item->id), keys))
            continue;
        if (!keys && str_ends(item->type, STR("Policy"))) {
            item->fate = ADOPT_LEFT;
            item->reason = STR("the service writes its own");
            continue;
        }
        struct adopt_item refused = *item;
        *item = adoption->items[--adoption->count];
        refused.reason = STR("CloudFormation cannot import it: take it out of "
                             "custom.troupe.resources.service");
        refuse(a, adoption, refused);
        i = (size_t)-1; /* the items are new ones */
    }
    return 0;
}

/* ---- the goal ---- */

static int read_physical(const struct release *r, struct str stack, const struct node **ret,
                         struct err *err)
{
    struct stack_resource *all;
    struct node *physical = node_map(r->arena);
    size_t n;
    if (stack_resources(r->arena, r->aws, stack, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(all[i].status, STR("DELETE_COMPLETE")) && all[i].physical_id.n)
            node_put_str(r->arena, physical, str_z(r->arena, all[i].logical_id),
                         all[i].physical_id);
    *ret = physical;
    return 0;
}

static bool has_secret(const struct layout *l)
{
    unsigned flags = node_flags_deep(l->stage_template);
    for (size_t i = 0; i < l->function_count; i++)
        flags |= node_flags_deep(l->functions[i].definition);
    for (size_t i = 0; i < l->api_count; i++)
        flags |= node_flags_deep(l->apis[i].document);
    return flags & NODE_SECRET;
}

static void note_original(const struct release *r, struct adoption *adoption, const struct world *w,
                          const struct layout *layout)
{
    adoption->original_sha = adopt_original(w->stage_template);
    if (adoption->original_sha.n)
        return;
    adoption->original_sha = sha256_hex(r->arena, json_text(r->arena, w->stage_template, 0));
    adoption->original = has_secret(layout) ? NULL : w->stage_template;
}

static int find(const struct goal *goal, const struct release *r, struct world *w,
                struct target *ret, struct err *err)
{
    struct adoption *adoption = ARENA_NEW(r->arena, struct adoption);
    *ret = *goal->ready;
    if (!w->stage_exists) {
        err_set(err, ERR_REFUSED, "there is no stack '%.*s' to take over", STR_ARG(w->stage_name));
        return err_help(err, "make the stage with: troupe deploy %.*s", STR_ARG(r->service->stage));
    }
    if (recognize(r, adoption, w, err) < 0 || find_alias_stacks(r, adoption, w, err) < 0)
        return -1;
    struct adopt_input in = {.old = w->stage_template,
                             .target = ret->layout->stage_template,
                             .service_today = ret->layout->service_template,
                             .service_now = w->service_template,
                             .outputs = w->stage.outputs,
                             .layout = ret->layout,
                             .settings = &r->service->settings,
                             .stage = r->service->stage};
    if (read_physical(r, w->stage_name, &in.physical, err) < 0)
        return -1;
    adopt_classify(r->arena, &in, adoption);
    note_original(r, adoption, w, ret->layout);
    if (check_importable(r, adoption, &in, err) < 0 || check_exports(r, adoption, &in, err) < 0 ||
        check_alias_stacks(r, adoption, err) < 0 || check_domains(r, adoption, ret, &in, err) < 0)
        return -1;
    check_alias_owners(r, adoption);
    ret->what = STR("adopt");
    ret->adoption = adoption;
    return 0;
}

struct goal goal_adopt(const struct target *ready)
{
    return (struct goal){
        .verb = "adopt", .parts = WORLD_RECORD | WORLD_SERVICE, .find = find, .ready = ready};
}

/* ---- doing it ---- */

/* What is on its way, as ids; NULL: nothing. */
static const struct node *withheld(struct arena *a, const struct deploying *d)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct node *ids = node_map(a);
    for (size_t i = 0; adoption && i < adoption->count; i++)
        if (adoption->items[i].fate == ADOPT_MOVED)
            node_put_c(a, ids, str_z(a, adoption->items[i].id), node_null(a));
    return ids;
}

const struct node *engine_adopt_withhold(const struct deploying *d, const struct node *service)
{
    if (!d->plan->target.adoption || d->imported)
        return service;
    return adopt_withhold(d->arena, service, withheld(d->arena, d));
}

static const struct node *previous_parameters(struct arena *a, const struct node *template,
                                              const struct node *given, bool all)
{
    struct node *out = given ? node_shallow(a, given) : node_map(a);
    member_each (m, node_get_c(template, "Parameters"))
        if (!node_get(out, m->key) && (all || !node_get_c(m->value, "Default")))
            node_put(a, out, m->key, node_null(a));
    return out;
}

const struct node *engine_adopt_parameters(const struct deploying *d, const struct node *template,
                                           const struct node *given)
{
    struct node *known = node_map(d->arena);
    if (!d->plan->target.adoption)
        return given;
    member_each (m, node_get_c(template, "Parameters"))
        if (node_get(d->plan->world.stage.parameters, m->key))
            node_put(d->arena, known, m->key, m->value);
    struct node *some = node_map(d->arena);
    node_put_c(d->arena, some, "Parameters", known);
    return previous_parameters(d->arena, some, given, false);
}

/* "Conditional": it depends on the property, or on a value that is not known before. What the table
 * knows of the property counts; of a type that it does not know, nothing does. */
static bool may_replace(const struct node *change)
{
    struct str type = node_text(node_get_c(change, "ResourceType"));
    node_each (detail, node_get_c(change, "Details")) {
        const struct node *target = node_get_c(detail, "Target");
        struct str property = node_text(node_get_c(target, "Name"));
        if (node_is_text(node_get_c(target, "RequiresRecreation"), "Never"))
            continue;
        if (node_is_text(node_get_c(target, "RequiresRecreation"), "Always") ||
            !resource_is_known(type) || resource_replaces(type, property))
            return true;
    }
    return false;
}

static bool is_lost(const struct deploying *d, const struct node *change, const char **ret_how)
{
    const struct node *old = node_get_c(d->plan->world.stage_template, "Resources");
    struct str action = node_text(node_get_c(change, "Action"));
    struct str replaces = node_text(node_get_c(change, "Replacement"));
    struct str id = node_text(node_get_c(change, "LogicalResourceId"));
    if (resource_is_recreatable(node_text(node_get_c(change, "ResourceType"))))
        return false;
    *ret_how = str_eq(action, STR("Remove")) ? "deleted" : "replaced";
    if (str_eq(action, STR("Remove")))
        return !resource_is_retained(node_get(old, id));
    if (!str_eq(action, STR("Modify")))
        return false;
    return str_eq(replaces, STR("True")) ||
           (str_eq(replaces, STR("Conditional")) && may_replace(change));
}

int engine_adopt_foresee(struct deploying *d, const struct node *template,
                         const struct node *parameters, const struct node *tags, struct err *err)
{
    const struct world *w = &d->plan->world;
    const struct node *changes;
    const char *how;
    if (!d->plan->target.adoption)
        return 0;
    if (stack_foresee(d->r, w->stage_name, template, parameters, tags, &w->store, &changes, err) <
        0)
        return -1;
    node_each (change, changes) {
        if (!is_lost(d, change, &how))
            continue;
        err_set(err, ERR_REFUSED, "'%.*s' (%.*s) would be %s, says CloudFormation",
                STR_ARG(node_text(node_get_c(change, "LogicalResourceId"))),
                STR_ARG(node_text(node_get_c(change, "ResourceType"))), how);
        return err_help(err, "the stage serves what it served; leave the resource as it was "
                             "deployed, and change it after the stage is adopted");
    }
    return 0;
}

static int take_step(struct deploying *d, const struct node *template, const char *what,
                     struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    bool changed;
    if (template == w->stage_template)
        return 0;
    release_progress(d->r, "adopt", "%s", what);
    if (lease_check(d->lease, err) < 0 ||
        stack_apply(d->r, w->stage_name, false, template,
                    previous_parameters(d->arena, template, NULL, true), NULL, &w->store,
                    &w->stage_placed, &changed, err) < 0 ||
        stack_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err) < 0)
        return -1;
    if (!changed) /* then nothing is safe that is to be taken out */
        return err_set(err, ERR_FAILED, "CloudFormation sees no update of stack '%.*s' in it: %s",
                       STR_ARG(w->stage_name), what);
    w->stage_template = template;
    release_finished(d->r, "adopt", "%s in %.1fs", what, (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

static int list_imports(struct deploying *d, const struct node *moving, const struct node *now,
                        struct node *imports, struct node *resources, struct err *err)
{
    struct arena *a = d->arena;
    const struct node *identifiers;
    struct node *definitions = node_map(a);
    member_each (m, moving)
        if (!node_get(now, m->key))
            node_put(a, definitions, m->key, node_get_c(m->value, "Definition"));
    if (!definitions->size)
        return 0;
    if (ask_identifiers(d->r, definitions, &identifiers, err) < 0)
        return -1;
    member_each (m, definitions) {
        const struct node *type = node_get_c(m->value, "Type");
        const struct node *keys = node_get(identifiers, node_text(type));
        const struct node *identifier =
            keys ? identifier_of(a, moving, node_get(moving, m->key), keys) : NULL;
        if (!identifier)
            return err_set(err, ERR_FAILED, "'%.*s' (%.*s) cannot be imported", STR_ARG(m->key),
                           STR_ARG(node_text(type)));
        struct node *one = node_map(a);
        node_put_str(a, one, "id", m->key);
        node_put_c(a, one, "type", type);
        node_put_c(a, one, "identifier", identifier);
        node_push(a, imports, one);
        node_put(a, resources, m->key, m->value);
    }
    return 0;
}

/* Under the service's lease: what is in no stack becomes the service's. */
static int import_moving(struct deploying *d, const struct node *moving, struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    struct str text;
    cleanup_lease struct lease *lease = NULL;
    struct node *imports = node_seq(a);
    if (lease_take(&w->store, STR("service"), STR("import into the service stack"), SERVICE_WAIT_MS,
                   &lease, err) < 0 ||
        stack_settle(d->r, w->service_name, &w->service, err) < 0 ||
        stack_template(a, d->r->aws, w->service_name, &text, err) < 0)
        return -1;
    const struct node *now = json_parse(a, w->service_name, text, err);
    if (!now)
        return -1;
    struct node *out = node_shallow(a, now);
    struct node *resources = node_shallow(a, node_get_c(now, "Resources"));
    if (list_imports(d, moving, node_get_c(now, "Resources"), imports, resources, err) < 0)
        return -1;
    if (!imports->count)
        return 0;
    node_put_c(a, out, "Resources", resources);
    if (lease_check(d->lease, err) < 0 || lease_check(lease, err) < 0 ||
        stack_import(d->r, w->service_name, out, NULL, imports, &w->store, err) < 0)
        return -1;
    release_finished(d->r, "adopt", "%zu resource%s moved into stack '%.*s'", imports->count,
                     imports->count == 1 ? "" : "s", STR_ARG(w->service_name));
    return 0;
}

static int keep_original(struct deploying *d, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    if (!adoption->original)
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "templates", adoption->original_sha,
                          "json", json_text(d->arena, adoption->original, 0), NULL, err);
}

int engine_adopt(struct deploying *d, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct world *w = &d->plan->world;
    const struct node *template;
    if (!adoption)
        return 0;
    if (keep_original(d, err) < 0)
        return -1;
    template = adopt_retain(d->arena, w->stage_template, adoption);
    if (take_step(d, template, "what is left or moves is retained", err) < 0)
        return -1;
    template = adopt_release(d->arena, w->stage_template, adoption, w->stage.outputs, err);
    if (!template || take_step(d, template, "what moves is taken out of the stage", err) < 0)
        return -1;
    const struct node *moving = adopt_moving(w->stage_template);
    if (moving && import_moving(d, moving, err) < 0) {
        if (err->kind == ERR_FAILED)
            err->kind = ERR_HALF_DONE;
        return err_help(err, "what moves is kept, in no stack; run the same command again to go "
                             "on");
    }
    d->imported = true;
    return moving ? engine_service_again(d, err) : 0;
}

/* ---- serverless-aws-alias ---- */

int engine_adopt_aliases(struct deploying *d, const struct node *template, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct world *w = &d->plan->world;
    if (!adoption || !adoption->alias_stack_count)
        return 0;
    const struct node *both =
        layout_beside(d->arena, plan_numbered(d->arena, template, 0), w->stage_template);
    if (engine_apply_stage(d, both, err) < 0)
        return -1;
    w->stage_template = both;
    for (size_t i = 0; i < adoption->alias_stack_count; i++) {
        const struct stack *stack = &adoption->alias_stacks[i];
        if (lease_check(d->lease, err) < 0 || stack_remove(d->r, stack->name, stack->id, err) < 0)
            return -1;
        release_finished(d->r, "adopt", "alias stack '%.*s' removed", STR_ARG(stack->name));
    }
    return 0;
}
