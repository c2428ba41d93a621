/* Rolling back: which record, and whether its snapshots can serve at once. */
#include "release/goal/from_record.h"

#include "base/pool.h"
#include "base/vec.h"
#include "cfn/expression.h"
#include "release/plan/plan.h"
#include "release/publish/definition.h"
#include "release/publish/pointers.h"

/* ---- which record ---- */

/* Is the current record a rollback that was interrupted? Then the same command goes on with it. */
static bool continues(struct world *w)
{
    const struct record_body *body = w->record.body;
    return body && body->restores &&
           (w->unclosed || (w->cut_off.n && str_eq(w->cut_off, body->lease)));
}

/* What served before was never a deployment of ours: there is only its template. */
static int say_adopted(const struct release *r, const struct world *w, const struct record *at,
                       struct err *err)
{
    const struct record_adoption *adopted = at->body->adopted;
    struct str key =
        store_key(r->arena, &w->store, "templates/%.*s.json", STR_ARG(adopted->template));
    bool kept = false;
    if (store_head(r->arena, &w->store, key, &kept, NULL, err) < 0)
        return -1;
    err_set(err, ERR_REFUSED,
            "what was before %.*s#%lld was made by %.*s: it cannot be rolled "
            "back to",
            STR_ARG(at->stage), (long long)at->number, STR_ARG(adopted->by));
    if (!kept)
        return err_help(err, "its template is in the old deployment bucket");
    return err_help(err, "its template is kept in s3://%.*s/%.*s", STR_ARG(w->store.bucket),
                    STR_ARG(key));
}

/* The number of the deployment that the stage was at before its current one. A rollback counts as
 * the deployment that it restored, so a second rollback goes one further back. */
static int find_before(const struct release *r, struct world *w, struct chain *chain, int64_t *ret,
                       struct err *err)
{
    struct record at = w->record;
    for (int64_t n; (n = at.body->restores);) {
        if (n >= at.number)
            return err_set(err, ERR_FAILED, "record %.*s#%lld restores a later one",
                           STR_ARG(at.stage), (long long)at.number);
        if (chain_find(r, w, chain, n, &at, err) < 0 ||
            record_read_more(r->arena, &w->store, 0, &at, err) < 0)
            return -1;
    }
    *ret = at.body->before;
    if (*ret)
        return 0;
    if (at.body->adopted)
        return say_adopted(r, w, &at, err);
    struct str stage = r->service->address;
    if (at.number == w->record.number)
        err_set(err, ERR_NOT_FOUND, "nothing is older than %.*s#%lld", STR_ARG(stage),
                (long long)at.number);
    else
        err_set(err, ERR_NOT_FOUND, "%.*s#%lld is %.*s#%lld again, and nothing is older",
                STR_ARG(stage), (long long)w->record.number, STR_ARG(stage), (long long)at.number);
    return err_help(err,
                    "name a deployment: troupe rollback %.*s --to N; which there are: troupe "
                    "history %.*s",
                    STR_ARG(stage), STR_ARG(stage));
}

static int find_number(const struct goal *goal, const struct release *r, struct world *w,
                       struct chain *chain, int64_t *ret, struct err *err)
{
    if (!w->current) {
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed", STR_ARG(r->service->address));
        return err_help(err, "which stages there are: troupe stages");
    }
    *ret = *(const int64_t *)goal->context;
    if (*ret)
        return 0;
    if (world_shift(w)) { /* what was shifted is what goes */
        *ret = w->current;
        return 0;
    }
    if (!continues(w))
        return find_before(r, w, chain, ret, err);
    *ret = w->record.body->restores;
    return 0;
}

/* ---- can it serve at once? ---- */

struct checking {
    const struct release *r;
    const struct record *record;
    VEC(struct pointer) all; /* versions that are not what serves now */
    struct str unusable;     /* the first one that is: says why */
    struct str *why_not;     /* by version of `all`; empty: it can */
    bool *awake;             /* by version of `all` */
};

static int check_version(size_t i, void *context, struct arena *a, struct err *err)
{
    struct checking *c = context;
    const struct pointer *p = &c->all.p[i];
    struct lambda_function got;
    const char *why;
    if (pointer_unusable(a, c->r, c->record, p, &got, &why, err) < 0)
        return -1;
    c->awake[i] = str_eq(got.state, STR("Active"));
    if (why)
        c->why_not[i] =
            str_fmt(a, "version %.*s of '%.*s' %s", STR_ARG(p->want), STR_ARG(p->key), why);
    return 0;
}

/* Are the versions that do not serve now, and are to, there and able to? */
static int check_versions(struct checking *c, const struct world *w, const struct record *record,
                          const struct layout *layout, struct err *err)
{
    const struct node *now = node_get_c(w->stage_template, "Resources");
    for (size_t i = 0; i < layout->function_count; i++) {
        const struct layout_function *f = &layout->functions[i];
        struct str version = record_version(record->versions, f->key)->version;
        const struct node *alias = node_get(now, f->alias_id);
        if (version.n &&
            !str_eq(version, node_text(node_path(alias, "Properties.FunctionVersion"))))
            vec_push(c->r->arena, &c->all,
                     (struct pointer){.key = f->key,
                                      .owner = f->name,
                                      .stage = c->r->service->stage,
                                      .want = version});
    }
    c->why_not = ARENA_ARRAY(c->r->arena, c->all.n + 1, struct str);
    c->awake = ARENA_ARRAY(c->r->arena, c->all.n + 1, bool);
    if (pool_run_into(c->r->arena, c->all.n, 16, check_version, c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->all.n && !c->unusable.n; i++)
        c->unusable = c->why_not[i];
    return 0;
}

static int check_deployments(struct checking *c, const struct world *w, const struct record *record,
                             const struct layout *layout, struct err *err)
{
    const struct node *now = node_get_c(w->stage_template, "Resources");
    for (size_t i = 0; i < layout->api_count; i++) {
        const struct node *deployments = NULL;
        const struct record_api_deployment *entry =
            record_deployment(record->versions, layout->apis[i].id);
        struct str id = entry->deployment;
        bool there = false;
        const struct node *stage = node_get(now, layout->apis[i].stage_id);
        if (str_eq(id, node_text(node_path(stage, "Properties.DeploymentId"))))
            continue;
        const struct gateway *gateway = api_gateway(layout->apis[i].kind);
        if (gateway->deployments(c->r->arena, c->r->aws, entry->id, &deployments, err) < 0) {
            if (err->kind != ERR_NOT_FOUND)
                return -1;
            err_clear(err);
        }
        node_each (d, deployments)
            there |= str_eq(node_text(node_get_c(d, "id")), id);
        if (!there && !c->unusable.n)
            c->unusable = str_fmt(c->r->arena, "deployment %.*s of the API is gone", STR_ARG(id));
    }
    return 0;
}

/* What the record needs of the service stack and of the stage's resources stands as it did. */
static int check_needs(struct checking *c, struct world *w, const struct record *record,
                       const struct layout *layout, struct err *err)
{
    struct map waiting = MAP(c->r->arena);
    const struct node *needs = record->body->needs;
    bool same = node_equal(needs, w->record.body->needs);
    if (!same && world_want(c->r, WORLD_SERVICE, w, err) < 0)
        return -1;
    const struct node *resources = node_get_c(w->service_template, "Resources");
    node_each (id, needs)
        if (!same && !c->unusable.n && !node_member(resources, node_text(id)))
            c->unusable = str_fmt(c->r->arena, "'%.*s' is no longer in the service's stack",
                                  STR_ARG(node_text(id)));
    bool first = layout_expand(c->r->arena, layout, layout->stage_template, w->stage_template,
                               /* changed= */ NULL, &waiting) != NULL;
    if ((first || waiting.n) && !c->unusable.n)
        c->unusable = STR("resources that its functions need have changed since");
    return 0;
}

/* The resource that the record's definitions took the value from, for people. */
static struct str value_of(const struct layout *layout, struct str name)
{
    for (size_t i = 0; i < layout->value_count; i++) {
        struct cfn_value v;
        if (str_eq(layout->values[i].output, name))
            return cfn_is_value(layout->values[i].expression, &v) ? v.id : name;
    }
    return name;
}

/* The stacks have the values that the record's snapshots were published with. A queue that was
 * deleted and made again is another one, with another name, and the old versions would send into
 * one that is gone. */
static int check_values(struct checking *c, const struct world *w, const struct record *record,
                        const struct layout *layout, struct err *err)
{
    struct arena *a = c->r->arena;
    const struct node *values = record->versions->values;
    struct str key = {0};
    if (c->unusable.n)
        return 0;
    if (!values && layout->value_count)
        c->unusable = STR("an older troupe made it, which did not keep what its values were");
    if (!node_count(values))
        return 0;
    if (store_secret(a, &w->store, false, &key, err) < 0)
        return -1;
    member_each (m, values) {
        const struct node *now = values_now(w, m->key);
        if (c->unusable.n ||
            (now && str_eq(node_text(m->value), definition_value_hash(a, key, m->key, now))))
            continue;
        c->unusable = str_fmt(a, "'%.*s' is no longer the one that its functions know",
                              STR_ARG(value_of(layout, m->key)));
    }
    return 0;
}

/* A function that the record has in the other stack than today: until the stack is updated, its API
 * would call a function that is not there. */
static void check_layouts(struct checking *c, const struct world *w, const struct record *record)
{
    vec_each (&record->body->functions, f) {
        const struct record_function *now = record_function(w->record.body, f->object.key);
        if (now->object.read && !c->unusable.n && now->layout != f->layout)
            c->unusable = str_fmt(c->r->arena, "'%.*s' moves between service and stage",
                                  STR_ARG(f->object.key));
    }
}

/* A deployment that makes its API's stage can be made once: later on the stage is there. */
static void check_api_stages(struct checking *c, const struct world *w, const struct node *template)
{
    const struct node *now = node_get_c(w->stage_template, "Resources");
    member_each (m, node_get_c(template, "Resources"))
        if (!c->unusable.n && layout_stage_made_by(c->r->arena, m->key, m->value) &&
            !node_equal(node_get(now, m->key), m->value))
            c->unusable = STR("there the stage of its API was made by a deployment, and it is a "
                              "resource of its own now");
}

static int check_usable(struct checking *c, struct world *w, const struct record *record,
                        const struct node *template, struct layout *layout, struct err *err)
{
    if (!template) {
        c->unusable = STR("its template was not kept");
        return 0;
    }
    check_layouts(c, w, record);
    check_api_stages(c, w, template);
    recorded_layout(c->r, record, template, layout);
    if (check_needs(c, w, record, layout, err) < 0 || check_values(c, w, record, layout, err) < 0)
        return -1;
    if (c->unusable.n)
        return 0;
    return check_versions(c, w, record, layout, err) < 0 ||
                   check_deployments(c, w, record, layout, err) < 0
               ? -1
               : 0;
}

/* ---- the target ---- */

static int find(const struct goal *goal, const struct release *r, struct world *w,
                struct target *ret, struct err *err)
{
    struct record *record = ARENA_NEW(r->arena, struct record);
    struct layout *layout = ARENA_NEW(r->arena, struct layout);
    struct checking c = {.r = r, .record = record};
    struct chain chain;
    const struct node *template;
    int64_t number;
    if (chain_begin(r, w, r->service->address, &chain, err) < 0 ||
        find_number(goal, r, w, &chain, &number, err) < 0 ||
        recorded_read(r, w, &chain, number, !*(const int64_t *)goal->context, record, err) < 0 ||
        recorded_template(r, w, record, &template, err) < 0)
        return -1;
    template = template ? plan_unnumbered(r->arena, template) : NULL;
    if (check_usable(&c, w, record, template, layout, err) < 0)
        return -1;
    if (c.unusable.n && recorded_target(r, w, record, ret, err) < 0)
        return -1;
    if (!c.unusable.n) {
        *ret = (struct target){.layout = layout,
                               .origin = record,
                               .pinned = true,
                               .awake = MAP(r->arena),
                               .switches = true,
                               .sources = record->body->sources,
                               .needs = record->body->needs};
        for (size_t i = 0; i < c.all.n; i++)
            if (c.awake[i])
                map_put(&ret->awake, c.all.p[i].key, record);
    }
    if (record->unvouched.n)
        target_note(r->arena, ret, record->unvouched);
    if (c.unusable.n)
        target_note(r->arena, ret,
                    str_fmt(r->arena, "not at once, but from the recorded sources: %.*s",
                            STR_ARG(c.unusable)));
    ret->what = str_fmt(r->arena, "rollback to %lld", (long long)number);
    ret->restores = number;
    return 0;
}

struct goal goal_rollback(struct arena *a, int64_t number)
{
    int64_t *asked = ARENA_NEW(a, int64_t);
    *asked = number;
    return (struct goal){.verb = "roll back",
                         .parts = WORLD_RECORD,
                         .find = find,
                         .context = asked,
                         .ends_shift = true};
}
