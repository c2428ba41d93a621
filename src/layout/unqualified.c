/* Places that mean a function itself, not a stage's alias of it: those listed in
 * references.unqualified, and properties for which AWS takes no alias. A shared function serves
 * nothing by itself, so one that is referred to there is a function of each stage's own. */
#include "layout/layout_internal.h"

enum { DEPTH_MAX = 32 };

/* Sources: CloudFront API reference, LambdaFunctionAssociation ("you must specify the ARN of a
 * function version; you can't specify an alias or $LATEST"); Lambda API reference, PublishVersion
 * and CreateAlias (they take a function's name). Whatever else refers to functions takes the ARN
 * of an alias, or is not documented to refuse it. */
static const struct {
    const char *type, *path;
} no_alias[] = {
    {"AWS::CloudFront::Distribution",
     "Properties.DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations"},
    {"AWS::CloudFront::Distribution",
     "Properties.DistributionConfig.CacheBehaviors.*.LambdaFunctionAssociations"},
    {"AWS::Lambda::Version", "Properties.FunctionName"},
    {"AWS::Lambda::Alias", "Properties.FunctionName"},
};
enum { NO_ALIAS_COUNT = sizeof no_alias / sizeof *no_alias };

/* Where a walk is: logical id, then the path inside. */
struct path {
    struct str parts[DEPTH_MAX];
    size_t depth;
};

/* Is `pattern` the path, or what stands above it? */
static bool covers(struct str pattern, const struct path *path, size_t from)
{
    struct str part;
    while (str_cut(&pattern, '.', &part)) {
        if (from >= path->depth || !settings_glob(part, path->parts[from]))
            return false;
        from++;
    }
    return true;
}

struct walk {
    struct path path;
    struct str type; /* of the resource */
    const struct settings *settings;
    size_t pattern; /* the only one that counts; SIZE_MAX: all, and the table */
    cfn_visit *visit;
    void *context;
};

static bool is_unqualified(const struct walk *w)
{
    const struct settings *s = w->settings;
    if (w->pattern != SIZE_MAX)
        return covers(s->unqualified[w->pattern], &w->path, 0);
    for (size_t i = 0; i < s->unqualified_count; i++)
        if (covers(s->unqualified[i], &w->path, 0))
            return true;
    for (size_t i = 0; i < NO_ALIAS_COUNT; i++)
        if (str_eq(w->type, str_c(no_alias[i].type)) &&
            covers(str_c(no_alias[i].path), &w->path, 1))
            return true;
    return false;
}

static void walk(struct walk *w, const struct node *n)
{
    if (cfn_is_function(n) && is_unqualified(w)) {
        cfn_each_value(n, w->visit, w->context);
        return;
    }
    if (w->path.depth == DEPTH_MAX)
        return;
    for (size_t i = 0; i < node_count(n); i++) {
        char digits[24];
        bool listed = n->kind == NODE_SEQ;
        int length = snprintf(digits, sizeof digits, "%zu", i);
        w->path.parts[w->path.depth++] =
            listed ? (struct str){digits, (size_t)length} : n->members[i].key;
        walk(w, listed ? n->items[i] : n->members[i].value);
        w->path.depth--;
    }
}

static bool is_table_type(struct str type)
{
    for (size_t i = 0; i < NO_ALIAS_COUNT; i++)
        if (str_eq(type, str_c(no_alias[i].type)))
            return true;
    return false;
}

static void walk_resources(struct walk *w, const struct node *resources)
{
    member_each (m, resources) {
        w->type = node_text(node_get_c(m->value, "Type"));
        if (w->pattern == SIZE_MAX && !w->settings->unqualified_count && !is_table_type(w->type))
            continue;
        w->path.parts[0] = m->key;
        w->path.depth = 1;
        walk(w, m->value);
    }
}

/* ---- of one function, in what the user wrote: names are made before anything is compiled ---- */

/* Is `id` the logical id of the function `key` or of its version? "foo-bar" -> "FooDashbar…" */
static bool is_id_of(struct str id, struct str key)
{
    size_t at = 0;
    for (size_t i = 0; i < key.n; i++) {
        struct str want = key.p[i] == '-'   ? STR("Dash")
                          : key.p[i] == '_' ? STR("Underscore")
                                            : str_sub(key, i, 1);
        bool upper = i == 0 && want.p[0] >= 'a' && want.p[0] <= 'z';
        char first = upper ? (char)(want.p[0] - 'a' + 'A') : want.p[0];
        if (at + want.n > id.n || id.p[at] != first ||
            !str_eq(str_sub(id, at + 1, want.n - 1), str_sub(want, 1, want.n)))
            return false;
        at += want.n;
    }
    struct str rest = str_sub(id, at, id.n);
    return str_eq(rest, STR("LambdaFunction")) || str_starts(rest, STR("LambdaVersion"));
}

struct search {
    struct str key;
    const struct walk *walk;
    struct unqualified *found;
    bool any;
};

static void find(void *context, const struct cfn_value *v)
{
    struct search *s = context;
    if (s->any || !is_id_of(v->id, s->key))
        return;
    s->any = true;
    *s->found = (struct unqualified){s->walk->path.parts[0], v->at->pos};
}

bool unqualified_find(const struct service *service, struct str key, struct unqualified *ret)
{
    const struct node *user = node_get_c(service->root, "resources");
    struct search s = {.key = key, .found = ret};
    struct walk w = {
        .settings = &service->settings, .pattern = SIZE_MAX, .visit = find, .context = &s};
    s.walk = &w;
    for (size_t i = 0; i < (node_is(user, NODE_SEQ) ? user->count : 1) && !s.any; i++) {
        const struct node *one = node_is(user, NODE_SEQ) ? user->items[i] : user;
        walk_resources(&w, node_get_c(one, "Resources"));
        walk_resources(&w, node_get_c(one, "extensions"));
    }
    return s.any;
}

/* ---- in the flat template ---- */

struct check {
    struct laying *l;
    size_t references;
    struct layout_function *shared; /* the first that is, with the place */
    struct str resource;
    const struct walk *walk;
};

static void count(void *context, const struct cfn_value *v)
{
    struct check *c = context;
    const struct placement *p = placement_of(c->l, v->id);
    if (!p || !p->function)
        return;
    c->references++;
    if (!p->function->per_stage && !c->shared) {
        c->shared = p->function;
        c->resource = c->walk->path.parts[0];
    }
}

static int check_pattern(struct laying *l, size_t i, struct err *err)
{
    const struct settings *s = &l->service->settings;
    const struct node *list = node_path(s->node, "references.unqualified");
    struct pos pos = i < node_count(list) ? list->items[i]->pos : (struct pos){0};
    struct check c = {.l = l};
    struct walk w = {.settings = s, .pattern = i, .visit = count, .context = &c};
    c.walk = &w;
    walk_resources(&w, l->flat);
    if (!c.references)
        return err_at(err, pos, ERR_CONFIG, "'%.*s' has no reference to a function",
                      STR_ARG(s->unqualified[i]));
    if (!c.shared)
        return 0;
    err_at(err, pos, ERR_CONFIG,
           "'%.*s' is made of an event, and function '%.*s' is one for all stages",
           STR_ARG(c.resource), STR_ARG(c.shared->key));
    return err_help(err, "add '%.*s' to custom.troupe.functions.perStage", STR_ARG(c.shared->key));
}

/* Who wants it otherwise lists the function, and is not told any more. */
static void tell(struct laying *l, const struct layout_function *f)
{
    const struct settings *s = &l->service->settings;
    struct unqualified by;
    for (size_t i = 0; i < s->per_stage_function_count; i++)
        if (settings_glob(s->per_stage_functions[i], f->key))
            return;
    if (unqualified_find(l->service, f->key, &by))
        vec_push(l->arena, &l->warnings,
                 str_fmt(l->arena,
                         "function '%.*s' is one of each stage's own, because '%.*s' refers to it "
                         "and cannot name an alias%.*s",
                         STR_ARG(f->key), STR_ARG(by.resource),
                         STR_ARG(place_text(l->arena, by.pos))));
}

int unqualified_check(struct laying *l, struct err *err)
{
    for (size_t i = 0; i < l->service->settings.unqualified_count; i++)
        if (check_pattern(l, i, err) < 0)
            return -1;
    for (size_t i = 0; i < l->out->function_count; i++)
        tell(l, &l->out->functions[i]);
    return 0;
}

struct str place_text(struct arena *a, struct pos pos)
{
    return pos.source ? str_fmt(a, " (%.*s:%u:%u)", STR_ARG(pos.source->path), pos.line, pos.column)
                      : (struct str){"", 0};
}

/* ---- CloudFront: the version's ARN ---- */

static const struct compiled_function *referred(const struct laying *l, const struct node *n)
{
    struct cfn_value v;
    bool is_value = cfn_is_value(n, &v);
    for (size_t i = 0; is_value && i < l->compiled->function_count; i++)
        if (str_eq(l->compiled->functions[i].logical_id, v.id))
            return &l->compiled->functions[i];
    return NULL;
}

static const struct node *version_child(void *context, struct str key, const struct node *child)
{
    struct laying *l = context;
    const struct compiled_function *f =
        str_eq(key, STR("LambdaFunctionARN")) ? referred(l, child) : NULL;
    return f ? node_from(node_ref(l->arena, f->version_id), child) : unqualified_versions(l, child);
}

const struct node *unqualified_versions(struct laying *l, const struct node *n)
{
    return node_change_children(l->arena, n, version_child, l);
}
