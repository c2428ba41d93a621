/* Taking a stack over: the steps before and around a deployment. */
#include "base/clock.h"
#include "doc/json.h"
#include "cfn/cfn.h"
#include "release/adopt/adopt_internal.h"
#include "release/dispose/dispose.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

/* ---- what the engine asks ---- */

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

const struct node *adopt_previous_parameters(struct arena *a, const struct node *template,
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
    return adopt_previous_parameters(d->arena, some, given, false);
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
            !cfn_is_known(type) || cfn_replaces(type, property))
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
    if (cfn_is(node_text(node_get_c(change, "ResourceType")), CFN_RECREATABLE))
        return false;
    *ret_how = str_eq(action, STR("Remove")) ? "deleted" : "replaced";
    if (str_eq(action, STR("Remove")))
        return !cfn_is_retained(node_get(old, id));
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

int adopt_step(struct deploying *d, const struct node *template, const char *what, struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    bool changed;
    if (template == w->stage_template)
        return 0;
    release_progress(d->r, "adopt", "%s", what);
    if (lease_check(d->lease, err) < 0 ||
        stack_apply(d->r, w->stage_name, false, template,
                    adopt_previous_parameters(d->arena, template, NULL, true), NULL, &w->store,
                    &w->stage_placed, &changed, err) < 0 ||
        stack_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err) < 0)
        return -1;
    if (!changed) /* then nothing is safe that is to be taken out */
        return err_set(err, ERR_FAILED, "CloudFormation sees no update of stack '%.*s' in it: %s",
                       STR_ARG(w->stage_name), what);
    w->stage_template = template;
    d->stage_now = NULL;
    release_finished(d->r, "adopt", "%s in %.1fs", what, (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

int adopt_list_imports(struct deploying *d, const struct node *moving, const struct node *now,
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
    if (adopt_identifiers(d->r, definitions, &identifiers, err) < 0)
        return -1;
    member_each (m, definitions) {
        const struct node *type = node_get_c(m->value, "Type");
        const struct node *keys = node_get(identifiers, node_text(type));
        const struct node *identifier =
            keys ? adopt_identifier(a, moving, node_get(moving, m->key), keys) : NULL;
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
    if (adopt_list_imports(d, moving, node_get_c(now, "Resources"), imports, resources, err) < 0)
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
    if (keep_original(d, err) < 0 || adopt_take_back(d, err) < 0)
        return -1;
    template = adopt_retain(d->arena, w->stage_template, adoption);
    if (adopt_step(d, template, "what is left or moves is retained", err) < 0)
        return -1;
    template = adopt_release(d->arena, w->stage_template, adoption, w->stage.outputs, err);
    if (!template || adopt_step(d, template, "what moves is taken out of the stage", err) < 0)
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
        layout_beside(d->arena, plan_unnumbered(d->arena, template), w->stage_template);
    if (engine_apply_stage(d, both, err) < 0)
        return -1;
    w->stage_template = both;
    for (size_t i = 0; i < adoption->alias_stack_count; i++) {
        const struct stack *stack = &adoption->alias_stacks[i];
        if (lease_check(d->lease, err) < 0 ||
            dispose_stack(d->r, stack, OURS_ADOPTED, NULL, err) < 0)
            return -1;
        release_finished(d->r, "adopt", "alias stack '%.*s' removed", STR_ARG(stack->name));
    }
    return 0;
}
