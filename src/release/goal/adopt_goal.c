/* Taking a stack over: looking at it, and what AWS says about it. Reads only. */
#include "release/adopt/adopt_internal.h"

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "cfn/cfn.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

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
    if (cloudformation_list(r->arena, r->aws, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str alias = node_text(node_get_c(all[i].tags, "ALIAS"));
        struct str rest = all[i].name;
        if (alias.n && str_skip(&rest, prefix) && str_eq(rest, alias) &&
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
        if (cloudformation_importers(r->arena, r->aws, export->text, &importers, err) < 0)
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
        if (cloudformation_template(r->arena, r->aws, name, &text, err) < 0)
            return -1;
        const struct node *template = json_parse(r->arena, name, text, err);
        if (!template)
            return -1;
        member_each (m, node_get_c(template, "Resources")) {
            struct str type = node_text(node_get_c(m->value, "Type"));
            if (cfn_is(type, CFN_RECREATABLE) || cfn_is_retained(m->value))
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
    if (adopt_identifiers(r, resources, &identifiers, err) < 0)
        return -1;
    for (size_t i = 0; i < adoption->count; i++) {
        struct adopt_item *item = &adoption->items[i];
        if (item->fate != ADOPT_MOVED)
            continue;
        const struct node *keys = node_get(identifiers, item->type);
        if (keys && adopt_identifier(a, moving, node_get(moving, item->id), keys))
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

/* Logical ids -> physical ids of what stack `stack` has. */
static int physical_ids(const struct release *r, struct str stack, const struct node **ret,
                        struct err *err)
{
    struct stack_resource *all;
    struct node *physical = node_map(r->arena);
    size_t n;
    if (nested_resources(r->arena, r->aws, stack, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(all[i].status, STR("DELETE_COMPLETE")) && all[i].physical_id.n)
            node_put(r->arena, physical, all[i].logical_id, node_str(r->arena, all[i].physical_id));
    *ret = physical;
    return 0;
}

/* The resources that the stage takes from the service stack, with their physical ids: they are
 * still in it, or an interrupted run has taken them out and noted them. */
static int look_at_taken(const struct release *r, struct adoption *adoption, const struct world *w,
                         const struct adopt_input *in, struct err *err)
{
    struct arena *a = r->arena;
    struct node *taken = node_map(a), *resources = node_map(a);
    const struct node *physical = NULL, *identifiers;
    for (size_t i = adoption->refused; i < adoption->count; i++) {
        struct adopt_item *item = &adoption->items[i];
        const struct node *moving = node_get(adopt_moving(in->service_now), item->id);
        const struct node *there = node_get(node_get_c(in->service_now, "Resources"), item->id);
        if (item->fate != ADOPT_TAKEN)
            continue;
        if (!physical && physical_ids(r, w->service_name, &physical, err) < 0)
            return -1;
        struct node *entry = node_map(a);
        node_put_c(a, entry, "PhysicalId", node_get(physical, item->id));
        node_put_c(a, entry, "Definition", there);
        node_put(a, taken, item->id, there ? entry : moving);
        node_put(a, resources, item->id, there ? there : node_get_c(moving, "Definition"));
        item->physical = node_text(node_get_c(node_get(taken, item->id), "PhysicalId"));
    }
    adoption->taken = taken;
    if (!taken->size)
        return 0;
    if (adopt_identifiers(r, resources, &identifiers, err) < 0)
        return -1;
    for (size_t i = adoption->refused; i < adoption->count; i++) {
        struct adopt_item item = adoption->items[i];
        const struct node *keys = node_get(identifiers, item.type);
        if (item.fate != ADOPT_TAKEN ||
            (keys && adopt_identifier(a, taken, node_get(taken, item.id), keys)))
            continue;
        item.reason = STR("CloudFormation cannot import it: leave it in "
                          "custom.troupe.resources.service");
        refuse(a, adoption, item);
        return 0;
    }
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
    *ret = *(const struct target *)goal->context;
    if (!w->stage_exists) {
        err_set(err, ERR_NOT_FOUND, "there is no stack '%.*s' to take over",
                STR_ARG(w->stage_name));
        return err_help(err, "make the stage with: troupe deploy %.*s", STR_ARG(r->service->stage));
    }
    if (recognize(r, adoption, w, err) < 0 || find_alias_stacks(r, adoption, w, err) < 0)
        return -1;
    struct adopt_input in = {.old = w->stage_template,
                             .target = ret->layout->stage_template,
                             .service_today = ret->layout->service_template,
                             .service_now = w->service_template,
                             .outputs = w->stage.outputs,
                             .needs = w->record.body ? w->record.body->needs : NULL,
                             .layout = ret->layout,
                             .settings = &r->service->settings,
                             .stage = r->service->stage};
    if (physical_ids(r, w->stage_name, &in.physical, err) < 0)
        return -1;
    adopt_classify(r->arena, &in, adoption);
    note_original(r, adoption, w, ret->layout);
    if (look_at_taken(r, adoption, w, &in, err) < 0 ||
        check_importable(r, adoption, &in, err) < 0 || check_exports(r, adoption, &in, err) < 0 ||
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
        .verb = "adopt", .parts = WORLD_RECORD | WORLD_SERVICE, .find = find, .context = ready};
}
