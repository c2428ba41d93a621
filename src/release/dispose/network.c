/* Leaving a network before it is deleted. */
#include "release/dispose/network.h"

#include "base/backoff.h"
#include "base/pool.h"
#include "cfn/cfn.h"
#include "cfn/expression.h"
#include "cfn/template.h"
#include "release/dispose/dispose_internal.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

enum { JOBS = 16 };

static const struct {
    const char *type, *filter, *member; /* of VpcConfig */
} kinds[NETWORK_KINDS] = {
    {"AWS::EC2::SecurityGroup", "group-id", "SecurityGroupIds"},
    {"AWS::EC2::Subnet", "subnet-id", "SubnetIds"},
    {"AWS::EC2::VPC", "vpc-id", "VpcId"},
};

static int kind_of(struct str type)
{
    for (int i = 0; i < NETWORK_KINDS; i++)
        if (str_eq(type, str_c(kinds[i].type)))
            return i;
    return -1;
}

bool network_is(struct str type)
{
    return kind_of(type) >= 0;
}

/* ---- what a template drops ---- */

struct dropping {
    struct arena *arena;
    const struct node *now;
    struct node *resources;
};

static void drop(struct dropping *x, struct str id);

static void drop_value(void *context, const struct cfn_value *v)
{
    drop(context, v->id);
}

static void drop(struct dropping *x, struct str id)
{
    const struct node *resource = node_get(x->now, id);
    size_t n;
    if (!resource || node_get(x->resources, id))
        return;
    node_put(x->arena, x->resources, id, resource);
    cfn_each_value(node_get_c(resource, "Properties"), drop_value, x);
    const struct node *const *ids = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++)
        drop(x, node_text(ids[i]));
}

const struct node *network_dropped(struct arena *a, const struct node *now, const struct node *next)
{
    struct dropping x = {a, node_get_c(now, "Resources"), node_map(a)};
    member_each (m, x.now)
        if (network_is(cfn_type_of(m->value)) && cfn_goes_with_stack(m->value) &&
            !node_get(node_get_c(next, "Resources"), m->key))
            drop(&x, m->key);
    if (!x.resources->size)
        return NULL;
    struct node *out = cfn_with(a, now, "Outputs", NULL);
    node_put_c(a, out, "Resources", x.resources);
    return out;
}

/* ---- who is in it ---- */

struct finding {
    const struct release *r;
    const struct world *w;
    const struct contents *contents;
    const struct node *stays;
    struct network *n;
    VEC(struct str) functions; /* of the service's stack, then `own_from` on of the stage's */
    size_t own_from;
    struct found {
        bool head;
        VEC(struct lambda_version) versions;
        struct lambda_alias *aliases;
        size_t alias_count;
    } * found; /* by function */
    struct record *records;
    size_t record_count;
};

static bool has(const struct node *ids, struct str id)
{
    node_each (one, ids)
        if (str_eq(node_text(one), id))
            return true;
    return false;
}

static bool is_inside(const struct network *n, const struct node *configuration)
{
    const struct node *vpc = node_get_c(configuration, "VpcConfig");
    for (size_t i = 0; i < NETWORK_KINDS; i++) {
        const struct node *used = node_get_c(vpc, kinds[i].member);
        if (has(n->ids[i], node_text(used)))
            return true;
        node_each (id, used)
            if (has(n->ids[i], node_text(id)))
                return true;
    }
    return false;
}

static bool find_networks(struct finding *f)
{
    struct arena *a = f->r->arena;
    struct node *ids[NETWORK_KINDS];
    bool any = false;
    for (size_t i = 0; i < NETWORK_KINDS; i++)
        f->n->ids[i] = ids[i] = node_seq(a);
    for (size_t i = 0; i < f->contents->n; i++) {
        const struct content *c = &f->contents->p[i];
        int kind = kind_of(c->type);
        if (kind < 0 || !c->goes || node_get(f->stays, c->id))
            continue;
        node_push(a, ids[kind], node_str(a, c->physical_id));
        any = true;
    }
    return any;
}

static bool is_gone(int done, struct err *err)
{
    if (done == 0 || err->kind != ERR_NOT_FOUND)
        return false;
    err_clear(err);
    return true;
}

static int look_inside(size_t i, void *context, struct arena *a, struct err *err)
{
    struct finding *f = context;
    struct found *found = &f->found[i];
    struct lambda_version *all;
    struct lambda_function head;
    size_t n;
    int done = lambda_get(a, f->r->aws, f->functions.p[i], STR(""), &head, err);
    if (done == 0)
        done = lambda_versions(a, f->r->aws, f->functions.p[i], &all, &n, err);
    if (done < 0)
        return is_gone(done, err) ? 0 : -1;
    found->head = is_inside(f->n, head.configuration);
    for (size_t k = 0; k < n; k++)
        if (is_inside(f->n, all[k].configuration))
            vec_push(a, &found->versions, all[k]);
    return found->versions.n ? lambda_aliases(a, f->r->aws, f->functions.p[i], &found->aliases,
                                              &found->alias_count, err)
                             : 0;
}

static void add_functions(struct finding *f, const struct contents *contents)
{
    for (size_t i = 0; i < contents->n; i++)
        if (str_eq(contents->p[i].type, STR("AWS::Lambda::Function")))
            vec_push(f->r->arena, &f->functions, contents->p[i].physical_id);
}

static int find_functions(struct finding *f, struct err *err)
{
    struct arena *a = f->r->arena;
    struct contents service = {0};
    /* a remote stage's functions are its own */
    if (!f->r->service->remote && stack_contents(f->r, f->w->service_name, &service, err) < 0 &&
        !is_gone(-1, err))
        return -1;
    add_functions(f, &service);
    f->own_from = f->functions.n;
    if (f->stays)
        add_functions(f, f->contents);
    f->found = ARENA_ARRAY(a, f->functions.n + 1, struct found);
    return pool_run_into(a, f->functions.n, JOBS, look_inside, f, err);
}

/* The stack's own functions stay in the network until the stack deletes them: their interfaces are
 * not waited for. */
static int find_own(struct finding *f, struct err *err)
{
    for (size_t i = 0; i < f->contents->n; i++) {
        const struct content *c = &f->contents->p[i];
        struct lambda_function got;
        if (!str_eq(c->type, STR("AWS::Lambda::Function")))
            continue;
        if (lambda_get(f->r->arena, f->r->aws, c->physical_id, STR(""), &got, err) == 0)
            vec_push(f->r->arena, &f->n->inside, node_get_c(got.configuration, "VpcConfig"));
        else if (!is_gone(-1, err))
            return -1;
    }
    return 0;
}

/* ---- whose the versions are ---- */

static int read_record(size_t i, void *context, struct arena *a, struct err *err)
{
    struct finding *f = context;
    return record_read_more(a, &f->w->store, RECORD_VERSIONS, &f->records[i], err);
}

static int read_records(struct finding *f, struct err *err)
{
    struct arena *a = f->r->arena;
    struct record_ref *refs;
    size_t n;
    if (!f->w->bucket.n)
        return 0;
    if (records_list(a, &f->w->store, &refs, &n, err) < 0)
        return -1;
    f->records = ARENA_ARRAY(a, n + 1, struct record);
    for (size_t i = 0; i < n; i++)
        if (refs[i].has_body)
            f->records[f->record_count++] =
                (struct record){.stage = refs[i].stage, .number = refs[i].number};
    return pool_run_into(a, f->record_count, JOBS, read_record, f, err);
}

/* The description that the record's deployment gave its versions of the function; or empty. */
static struct str hint_of(struct arena *a, const struct record *record, struct str function)
{
    if (record->body)
        vec_each (&record->body->functions, f)
            if (str_eq(f->name, function))
                return dispose_hint(a, record->stage, record->number, f->fingerprint);
    return STR("");
}

/* A record names the version, or its description says which deployment of ours made it. */
static bool find_claim(const struct finding *f, struct str function,
                       const struct lambda_version *version, struct claim *ret)
{
    for (size_t i = 0; i < f->record_count; i++)
        if (record_names_version(&f->records[i], function, version->number)) {
            *ret = (struct claim){OURS_RECORD, .record = &f->records[i]};
            return true;
        }
    for (size_t i = 0; i < f->record_count; i++) {
        struct str wrote = hint_of(f->r->arena, &f->records[i], function);
        if (wrote.n && str_eq(wrote, version->description)) {
            *ret = (struct claim){OURS_INTENT, &f->records[i], wrote, version->description};
            return true;
        }
    }
    return false;
}

/* The stack's alias of this ARN; empty: it is none of the stack's. */
static struct str id_of(const struct finding *f, struct str arn)
{
    for (size_t i = 0; i < f->contents->n; i++)
        if (str_eq(f->contents->p[i].physical_id, arn) && f->contents->p[i].goes)
            return f->contents->p[i].id;
    return (struct str){"", 0};
}

static void say_needed(struct finding *f, struct str function, struct str version, const char *why,
                       struct str who)
{
    if (!f->n->why_not.n)
        f->n->why_not =
            str_fmt(f->r->arena, "version %.*s of '%.*s' is in it, %s%.*s%s", STR_ARG(version),
                    STR_ARG(function), why, STR_ARG(who), who.n ? "' points at it" : "");
}

static void find_aliases(struct finding *f, struct str function, const struct found *found,
                         struct str version)
{
    for (size_t i = 0; i < found->alias_count; i++) {
        const struct lambda_alias *alias = &found->aliases[i];
        if (!str_eq(alias->version, version) && !str_eq(alias->weighted_version, version))
            continue;
        struct str id = id_of(f, alias->arn);
        if (id.n && !f->stays)
            map_put(&f->n->aliases, id, node_str(f->r->arena, alias->arn));
        else
            say_needed(f, function, version, "and alias '", alias->name);
    }
}

static void gather(struct finding *f, struct str function, const struct found *found)
{
    struct arena *a = f->r->arena;
    if (found->head)
        vec_push(a, &f->n->heads, function);
    for (size_t i = 0; i < found->versions.n; i++) {
        const struct lambda_version *v = &found->versions.p[i];
        struct network_version version = {function, v->number, {0}};
        find_aliases(f, function, found, v->number);
        if (find_claim(f, function, v, &version.claim))
            vec_push(a, &f->n->versions, version);
        else
            say_needed(f, function, v->number, "and no record of the service names it",
                       (struct str){"", 0});
    }
}

int network_find(const struct release *r, const struct world *w, const struct contents *contents,
                 const struct node *stays, struct network *ret, struct err *err)
{
    struct finding f = {.r = r, .w = w, .contents = contents, .stays = stays, .n = ret};
    bool versions = false;
    *ret = (struct network){.aliases = MAP(r->arena)};
    if (!find_networks(&f))
        return 0;
    if (find_functions(&f, err) < 0 || find_own(&f, err) < 0)
        return -1;
    for (size_t i = 0; i < f.functions.n; i++)
        versions |= f.found[i].versions.n > 0;
    if (versions && read_records(&f, err) < 0)
        return -1;
    for (size_t i = 0; i < f.functions.n; i++) {
        f.found[i].head &= i < f.own_from; /* the stack itself sets what its functions are in */
        gather(&f, f.functions.p[i], &f.found[i]);
    }
    return 0;
}

/* ---- leaving ---- */

/* Without the aliases the stack stays as it is: whatever else names them has their ARNs written
 * out. */
static int drop_aliases(const struct release *r, const struct world *w, const struct network *n,
                        struct err *err)
{
    struct arena *a = r->arena;
    struct map gone = MAP(a), nesting = MAP(a);
    const struct map *there = &nesting;
    const struct node *now;
    if (nested_read(r, &w->stage_store, w->stage.name, &now, &nesting, err) < 0)
        return -1;
    const struct node *resources = node_get_c(now, "Resources");
    for (size_t i = 0; i < n->aliases.n; i++) {
        cfn_behind_alias(resources, n->aliases.entries[i].key, &gone);
        map_put(&gone, n->aliases.entries[i].key, n->aliases.entries[i].value);
    }
    const struct node *without = cfn_without_resources(a, now, &gone);
    if (!without)
        return err_set(err, ERR_FAILED,
                       "something in stack '%.*s' needs more of an alias than its "
                       "ARN",
                       STR_ARG(w->stage.name));
    struct node *parameters = node_map(a);
    member_each (m, node_get_c(now, "Parameters"))
        node_put(a, parameters, m->key, node_null(a)); /* as they are */
    struct stack_update update = {.name = w->stage.name,
                                  .template = without,
                                  .parameters = parameters,
                                  .store = &w->stage_store};
    release_progress(r, "network",
                     "first the aliases go: their versions are in a network of the "
                     "stage's");
    return stack_apply(r, &update, &there, NULL, err);
}

static const struct node *no_network(struct arena *a, struct str revision)
{
    struct node *vpc = node_map(a), *out = node_map(a);
    node_put_c(a, vpc, "SubnetIds", node_seq(a));
    node_put_c(a, vpc, "SecurityGroupIds", node_seq(a));
    node_put_c(a, out, "VpcConfig", vpc);
    node_put_str(a, out, "RevisionId", revision);
    return out;
}

/* Take the head out of the network, unless somebody has published something else meanwhile: that
 * sent all settings anew. */
static int reset_head(const struct release *r, const struct network *n, struct str function,
                      struct err *err)
{
    enum { READY_MS = 5 * 60 * 1000, FIRST_MS = 200, MOST_MS = 2000 };
    struct arena *a = r->arena;
    struct backoff wait = backoff_begin(FIRST_MS, MOST_MS, READY_MS);
    struct lambda_function head;
    for (;;) {
        if (lambda_get(a, r->aws, function, STR(""), &head, err) < 0)
            return is_gone(-1, err) ? 0 : -1;
        if (!is_inside(n, head.configuration))
            return 0;
        if (lambda_update_configuration(a, r->aws, function, no_network(a, head.revision_id), NULL,
                                        err) == 0)
            return lambda_wait(a, r->aws, function, STR(""), READY_MS, &head, err);
        if ((err->kind != ERR_CONFLICT && err->kind != ERR_PRECONDITION) || backoff_is_over(&wait))
            return err_wrap(err, "take function '%.*s' out of the network", STR_ARG(function));
        err_clear(err);
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

static int delete_versions(const struct release *r, struct lease *lease, const struct network *n,
                           struct err *err)
{
    for (size_t i = 0; i < n->versions.n; i++) {
        const struct network_version *v = &n->versions.p[i];
        release_progress(r, "network", "version %.*s of '%.*s' goes: it is in the stage's network",
                         STR_ARG(v->number), STR_ARG(v->function));
        if (lease_check(lease, err) < 0 ||
            dispose_version(r->arena, r->aws, &v->claim, v->function, v->number, err) < 0)
            return err_wrap(err, "delete version %.*s of '%.*s'", STR_ARG(v->number),
                            STR_ARG(v->function));
        dispose_note(r, FATE_DELETED, STR("AWS::Lambda::Version"),
                     str_fmt(r->arena, "%.*s:%.*s", STR_ARG(v->function), STR_ARG(v->number)),
                     str_c(dispose_reasons[v->claim.why]));
    }
    return 0;
}

/* ---- waiting for the interfaces ---- */

/* Is it the interface of a function which the stack itself deletes? */
static bool is_own(const struct network *n, const struct network_interface *interface)
{
    for (size_t i = 0; i < n->inside.n; i++) {
        const struct node *vpc = n->inside.p[i];
        bool all = has(node_get_c(vpc, "SubnetIds"), interface->subnet);
        node_each (group, interface->groups)
            all &= has(node_get_c(vpc, "SecurityGroupIds"), node_text(group));
        if (all && node_count(interface->groups) == node_count(node_get_c(vpc, "SecurityGroupIds")))
            return true;
    }
    return false;
}

/* How many interfaces Lambda still has there, and the id of the first. */
static int count_interfaces(struct arena *a, const struct release *r, const struct network *n,
                            struct network_interface *ret, size_t *ret_n, struct err *err)
{
    struct map seen = MAP(a);
    for (size_t i = 0; i < NETWORK_KINDS; i++) {
        struct network_interface *all;
        size_t count;
        if (!node_count(n->ids[i]))
            continue;
        if (ec2_lambda_interfaces(a, r->aws, kinds[i].filter, n->ids[i], &all, &count, err) < 0)
            return -1;
        for (size_t k = 0; k < count; k++)
            if (!is_own(n, &all[k])) {
                if (!seen.n)
                    *ret = all[k];
                map_put(&seen, all[k].id, a);
            }
    }
    *ret_n = seen.n;
    return 0;
}

static int say_kept(const struct network_interface *interface, struct err *err)
{
    err_set(err, ERR_FAILED, "Lambda keeps network interface '%.*s' (%.*s) in the stage's network",
            STR_ARG(interface->id), STR_ARG(interface->description));
    return err_help(err, "another function may be in that network; take it out, then run the same "
                         "command again");
}

static int wait_for_interfaces(const struct release *r, const struct network *n, struct err *err)
{
    enum { FIRST_MS = 200, MOST_MS = 10 * 1000, RELEASE_MS = 40 * 60 * 1000 };
    struct backoff wait = backoff_begin(FIRST_MS, MOST_MS, RELEASE_MS);
    struct network_interface first = {0};
    for (size_t left;;) {
        if (count_interfaces(r->arena, r, n, &first, &left, err) < 0) {
            if (err->kind != ERR_DENIED)
                return -1;
            release_tell(r, TOLD_NOTICE, "network",
                         "not waiting for Lambda's network interfaces: "
                         "the caller may not list them");
            err_clear(err);
            return 0;
        }
        if (!left)
            return 0;
        if (backoff_is_over(&wait))
            return say_kept(&first, err);
        release_progress(r, "network",
                         "waiting until Lambda gives back %zu network interface%s; that may take "
                         "20 minutes",
                         left, left == 1 ? "" : "s");
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

static bool is_there(const struct network *n)
{
    for (size_t i = 0; i < NETWORK_KINDS; i++)
        if (node_count(n->ids[i]))
            return true;
    return false;
}

int network_leave(const struct release *r, const struct world *w, struct lease *lease,
                  const struct network *n, struct err *err)
{
    if (!is_there(n))
        return 0;
    if (lease_check(lease, err) < 0 || (n->aliases.n && drop_aliases(r, w, n, err) < 0))
        return -1;
    for (size_t i = 0; i < n->heads.n; i++)
        if (lease_check(lease, err) < 0 || reset_head(r, n, n->heads.p[i], err) < 0)
            return -1;
    return delete_versions(r, lease, n, err) < 0 ? -1 : wait_for_interfaces(r, n, err);
}
