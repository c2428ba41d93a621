/* Comparing two deployments. */
#include "release/diff.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "cfn/cfn.h"
#include "compile/compile.h"
#include "release/publish/definition.h"

/* ---- names of stages ---- */

enum { FORMS = 6 };
struct names {
    struct str from[FORMS], to[FORMS]; /* as written, and as logical ids have it */
};

/* At each place either both have their stage's name, or the same letter; which of the two is tried
 * when both hold. `*budget` bounds the trying for texts made to be hard. */
static bool walk(struct str x, struct str y, const struct names *n, unsigned *budget)
{
    while (x.n && y.n && *budget) {
        for (int form = 0; form < FORMS; form++) {
            struct str from = n->from[form], to = n->to[form];
            if (!from.n || !to.n || !str_starts(x, from) || !str_starts(y, to))
                continue;
            --*budget;
            if (walk(str_sub(x, from.n, x.n), str_sub(y, to.n, y.n), n, budget))
                return true;
            if (!*budget)
                return false;
        }
        if (*x.p != *y.p)
            return false;
        x = str_sub(x, 1, x.n);
        y = str_sub(y, 1, y.n);
    }
    return !x.n && !y.n;
}

/* Logical ids have letters and digits only: what is between them is left out, or spelled. Source:
 * the reference's naming of buckets and topics, and of functions. */
static struct str spelled(struct arena *a, struct str name, bool out)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] != '-' && name.p[i] != '_')
            buf_char(&b, name.p[i]);
        else if (!out)
            buf_fmt(&b, name.p[i] == '-' ? "Dash" : "Underscore");
    return buf_str(&b);
}

static void add_forms(struct arena *a, struct str name, struct str *ret)
{
    struct str written[] = {name, spelled(a, name, true), spelled(a, name, false)};
    for (size_t i = 0; i < FORMS; i++)
        ret[i] = i % 2 ? str_upper_first(a, written[i / 2]) : written[i / 2];
}

static struct names names_of(struct arena *a, struct str from, struct str to)
{
    struct names n;
    add_forms(a, from, n.from);
    add_forms(a, to, n.to);
    return n;
}

bool diff_renamed(struct arena *a, struct str x, struct str from, struct str y, struct str to)
{
    struct names n = names_of(a, from, to);
    unsigned budget = 1000;
    if (!from.n || !to.n)
        return str_eq(x, y);
    return walk(x, y, &n, &budget);
}

struct comparing {
    struct arena *arena;
    const struct diff_side *side[2];
    struct diff *diff;
};

static struct str stage_of(const struct comparing *c, int side)
{
    return c->side[side]->record.stage;
}

static bool same_but_for_name(const struct comparing *c, const struct node_change *change)
{
    return node_is(change->before, NODE_STRING) && node_is(change->after, NODE_STRING) &&
           diff_renamed(c->arena, node_text(change->before), stage_of(c, 0),
                        node_text(change->after), stage_of(c, 1));
}

/* ---- functions ---- */

/* One without body has nothing. */
static const struct record_body *body_of(const struct comparing *c, int side)
{
    static const struct record_body none;
    const struct record_body *body = c->side[side]->record.body;
    return body ? body : &none;
}

static bool is_code(struct str part)
{
    return str_eq(part, STR("code")) || str_eq(part, STR("ImageUri"));
}

/* A value that was recorded without a key, and with one: whether it is the same cannot be said. */
static struct str name_part(struct arena *a, const struct member *m, const struct node *other)
{
    bool comparable = !other || !definition_is_value(m->key) ||
                      definition_is_keyed(m->value) == definition_is_keyed(other);
    return comparable ? m->key : str_concat(a, m->key, STR(" (?)"));
}

/* Does the setting differ by the stage's name only? The record has hashes, so both values are read
 * from the two versions, which AWS keeps. */
static bool part_is_renamed(const struct comparing *c, struct str key, struct str part)
{
    const struct node *value[2];
    struct str variable = STR("variable ");
    for (int i = 0; i < 2; i++) {
        const struct node *n = node_get(c->side[i]->configurations, key);
        value[i] = str_starts(part, variable) ? node_get(node_path(n, "Environment.Variables"),
                                                         str_sub(part, variable.n, part.n))
                                              : node_get(n, part);
        if (!node_is(value[i], NODE_STRING))
            return false;
    }
    return diff_renamed(c->arena, node_text(value[0]), stage_of(c, 0), node_text(value[1]),
                        stage_of(c, 1));
}

static size_t drop_renamed(const struct comparing *c, struct diff_function *f)
{
    size_t kept = 0, n = f->part_count;
    for (size_t i = 0; i < n; i++)
        if (!part_is_renamed(c, f->key, f->parts[i]))
            f->parts[kept++] = f->parts[i];
    f->part_count = kept;
    return n - kept;
}

/* Names whose hashes differ, or that only one has. Where code lies is no difference of its own. */
static void compare_parts(struct comparing *c, const struct node *x, const struct node *y,
                          struct diff_function *ret)
{
    VEC(struct str) names = {0};
    const struct node *trees[2][2] = {{y, x}, {x, y}};
    for (int t = 0; t < 2 && x && y; t++)
        member_each (m, trees[t][0]) {
            const struct node *other = node_get(trees[t][1], m->key);
            if ((t ? other != NULL : node_equal(other, m->value)) || str_eq(m->key, STR("S3Key")))
                continue;
            if (is_code(m->key))
                ret->code = true;
            else
                vec_push(c->arena, &names, name_part(c->arena, m, other));
        }
    ret->parts = names.p;
    ret->part_count = names.n;
}

static void side_of_function(struct comparing *c, int side, const struct record_function *entry,
                             struct diff_function *f)
{
    f->layout[side] = entry->layout;
    f->version[side] = record_version(c->side[side]->record.versions, f->key)->version;
}

static const struct node *own_resource(const struct comparing *c, int side, struct str name)
{
    const struct node *all = node_get_c(c->side[side]->template, "Resources");
    return node_get(all, str_fmt(c->arena, "%.*sLambdaFunction", STR_ARG(name)));
}

/* A function of the stages' own: CloudFormation has its settings, so the two templates are
 * compared, not the records. */
static void compare_own(struct comparing *c, struct diff_function *f)
{
    struct str name = name_normalize(c->arena, f->key);
    const struct node *x = node_get_c(own_resource(c, 0, name), "Properties");
    const struct node *y = node_get_c(own_resource(c, 1, name), "Properties");
    struct node_change *all = NULL;
    struct map names = MAP(c->arena);
    size_t n = 0;
    if (x && y && f->layout[0] == f->layout[1])
        node_diff(c->arena, x, y, &all, &n);
    for (size_t i = 0; i < n; i++) {
        struct str rest = all[i].path, property;
        str_cut(&rest, '.', &property);
        if (!str_eq(property, STR("Code")) && !same_but_for_name(c, &all[i]))
            map_put(&names, property, c);
    }
    if (!names.n)
        return;
    f->part_count = names.n;
    f->parts = ARENA_ARRAY(c->arena, names.n, struct str);
    for (size_t i = 0; i < names.n; i++)
        f->parts[i] = names.entries[i].key;
}

static void compare_function(struct comparing *c, const struct record_function *x,
                             const struct record_function *y, struct diff_function *f)
{
    side_of_function(c, 0, x, f);
    side_of_function(c, 1, y, f);
    compare_parts(c, x->parts, y->parts, f);
    if (!f->part_count)
        compare_own(c, f);
    size_t renamed = drop_renamed(c, f);
    if (x->artifact.n && y->artifact.n)
        f->code = !str_eq(x->artifact, y->artifact);
    bool same = x->fingerprint.n && y->fingerprint.n ? str_eq(x->fingerprint, y->fingerprint)
                                                     : !f->code && !f->part_count;
    bool moved = f->layout[0] != f->layout[1];
    if (same && !moved)
        c->diff->same_functions++;
    else if (renamed && !f->part_count && !f->code && !moved)
        c->diff->named_functions++;
    else
        c->diff->functions[c->diff->function_count++] = *f;
}

static void compare_functions(struct comparing *c)
{
    const struct record_body *x = body_of(c, 0), *y = body_of(c, 1);
    c->diff->functions =
        ARENA_ARRAY(c->arena, x->functions.n + y->functions.n + 1, struct diff_function);
    vec_each (&y->functions, of_y) {
        struct diff_function f = {.key = of_y->object.key};
        const struct record_function *other = record_function(x, f.key);
        if (other->object.read) {
            compare_function(c, other, of_y, &f);
            continue;
        }
        f.where = DIFF_ONLY_B;
        side_of_function(c, 1, of_y, &f);
        c->diff->functions[c->diff->function_count++] = f;
    }
    vec_each (&x->functions, of_x) {
        struct diff_function f = {.key = of_x->object.key, .where = DIFF_ONLY_A};
        if (record_function(y, f.key)->object.read)
            continue;
        side_of_function(c, 0, of_x, &f);
        c->diff->functions[c->diff->function_count++] = f;
    }
}

/* ---- APIs ---- */

static void add_api(struct comparing *c, struct str id, enum diff_where where)
{
    struct diff_api *api = &c->diff->apis[c->diff->api_count++];
    *api = (struct diff_api){.id = id, .where = where};
    for (int i = 0; i < 2; i++)
        api->deployment[i] = record_deployment(c->side[i]->record.versions, id)->deployment;
}

static void compare_apis(struct comparing *c)
{
    const struct record_body *x = body_of(c, 0), *y = body_of(c, 1);
    c->diff->apis = ARENA_ARRAY(c->arena, x->apis.n + y->apis.n + 1, struct diff_api);
    vec_each (&y->apis, api) {
        const struct record_api *other = record_api(x, api->object.key);
        if (!other->object.read)
            add_api(c, api->object.key, DIFF_ONLY_B);
        else if (str_eq(other->fingerprint, api->fingerprint))
            c->diff->same_apis++;
        else
            add_api(c, api->object.key, DIFF_BOTH);
    }
    vec_each (&x->apis, api)
        if (!record_api(y, api->object.key)->object.read)
            add_api(c, api->object.key, DIFF_ONLY_A);
}

/* ---- resources ---- */

static const struct {
    const char *type;
    const char *property; /* NULL: the whole resource; it has a hash in its logical id */
} told_elsewhere[] = {
    {"AWS::Lambda::Alias", "Properties.FunctionVersion"},
    {"AWS::ApiGateway::Stage", "Properties.DeploymentId"},
    {"AWS::Lambda::Function", "Properties.Code."},
    {"AWS::Lambda::Version", NULL},
    {"AWS::ApiGateway::Deployment", NULL},
};
enum { TOLD_COUNT = sizeof told_elsewhere / sizeof *told_elsewhere };

static bool is_told(struct str type, struct str path)
{
    for (size_t i = 0; i < TOLD_COUNT; i++) {
        struct str property = str_c(told_elsewhere[i].property);
        if (str_eq(type, str_c(told_elsewhere[i].type)) &&
            (!told_elsewhere[i].property || (path.n && str_starts(path, property))))
            return true;
    }
    return false;
}

static void compare_resource(struct comparing *c, const struct member *x, const struct member *y)
{
    struct diff_resource r = {.id = y->key, .type = cfn_type_of(y->value)};
    struct node_change *all;
    size_t n, named = 0;
    node_diff(c->arena, x->value, y->value, &all, &n);
    for (size_t i = 0; i < n; i++) {
        if (is_told(r.type, all[i].path))
            continue;
        if (same_but_for_name(c, &all[i]))
            named++;
        else
            all[r.change_count++] = all[i];
    }
    r.changes = all;
    if (r.change_count)
        c->diff->resources[c->diff->resource_count++] = r;
    else if (named || !str_eq(x->key, y->key))
        c->diff->named_resources++;
    else
        c->diff->same_resources++;
}

/* The one of the same logical id, or of the same but for the stage's name. */
static const struct member *find_pair(const struct comparing *c, const struct node *x,
                                      const struct node *y, const struct member *m)
{
    const struct member *same = node_member(x, m->key);
    if (same || str_eq(stage_of(c, 0), stage_of(c, 1)))
        return same;
    member_each (other, x)
        if (!node_get(y, other->key) && str_eq(cfn_type_of(other->value), cfn_type_of(m->value)) &&
            diff_renamed(c->arena, other->key, stage_of(c, 0), m->key, stage_of(c, 1)))
            return other;
    return NULL;
}

static void add_resource(struct comparing *c, const struct member *m, enum diff_where where)
{
    c->diff->resources[c->diff->resource_count++] =
        (struct diff_resource){.id = m->key, .type = cfn_type_of(m->value), .where = where};
}

static void compare_resources(struct comparing *c)
{
    const struct node *x = node_get_c(c->side[0]->template, "Resources");
    const struct node *y = node_get_c(c->side[1]->template, "Resources");
    struct map paired = MAP(c->arena);
    c->diff->templates = c->side[0]->template && c->side[1]->template;
    if (!c->diff->templates)
        return;
    c->diff->resources =
        ARENA_ARRAY(c->arena, node_count(x) + node_count(y) + 1, struct diff_resource);
    member_each (m, y) {
        const struct member *other = find_pair(c, x, y, m);
        if (other)
            map_put(&paired, other->key, other);
        if (is_told(cfn_type_of(m->value), STR("")))
            continue;
        if (other)
            compare_resource(c, other, m);
        else
            add_resource(c, m, DIFF_ONLY_B);
    }
    member_each (m, x)
        if (!map_has(&paired, m->key) && !is_told(cfn_type_of(m->value), STR("")))
            add_resource(c, m, DIFF_ONLY_A);
}

void diff_make(struct arena *a, const struct diff_side *from, const struct diff_side *to,
               struct diff *ret)
{
    *ret = (struct diff){0};
    struct comparing c = {a, {from, to}, ret};
    compare_functions(&c);
    compare_apis(&c);
    compare_resources(&c);
}
