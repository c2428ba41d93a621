/* What all stages share, and what each has of its own.
 *
 * A function is a stage's own where something means the function itself, not an alias of it: in
 * places listed in references.unqualified, and in properties for which AWS takes no alias. A shared
 * function serves nothing by itself. So it is with reserved concurrency: calls of all aliases of a
 * function count together, and one stage's 0 would stop every other. */
#include "config/sharing.h"

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

/* Position of a walk: the logical id, then the path inside the resource. */
struct path {
    struct str parts[DEPTH_MAX];
    size_t depth;
};

/* Does `pattern` match the path, or the path of something that contains it? */
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
    struct str type; /* of the resource that the walk is in */
    const struct settings *settings;
    /* index of the only pattern that counts; SIZE_MAX: all patterns, and the table */
    size_t pattern;
    sharing_visit *visit;
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

static void tell(void *context, const struct cfn_value *v)
{
    const struct walk *w = context;
    w->visit(w->context, w->path.parts[0], v);
}

static void walk(struct walk *w, const struct node *n)
{
    if (cfn_is_function(n) && is_unqualified(w)) {
        cfn_each_value(n, tell, w);
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

void sharing_each_unqualified(const struct settings *s, size_t pattern,
                              const struct node *resources, sharing_visit *visit, void *context)
{
    struct walk w = {.settings = s, .pattern = pattern, .visit = visit, .context = context};
    member_each (m, resources) {
        w.type = node_text(node_get_c(m->value, "Type"));
        if (pattern == SIZE_MAX && !s->unqualified_count && !is_table_type(w.type))
            continue;
        w.path.parts[0] = m->key;
        w.path.depth = 1;
        walk(&w, m->value);
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
    struct unqualified *found;
    bool any;
};

static void find(void *context, struct str resource, const struct cfn_value *v)
{
    struct search *s = context;
    if (s->any || !is_id_of(v->id, s->key))
        return;
    s->any = true;
    *s->found = (struct unqualified){resource, v->at->pos};
}

bool sharing_find_unqualified(const struct service *service, struct str key,
                              struct unqualified *ret)
{
    static const char *const sections[] = {"Resources", "extensions"};
    const struct node *user = node_get_c(service->root, "resources");
    bool list = node_is(user, NODE_SEQ);
    struct search s = {.key = key, .found = ret};
    for (size_t i = 0; i < (list ? user->count : 1) && !s.any; i++)
        for (size_t k = 0; k < sizeof sections / sizeof *sections; k++)
            sharing_each_unqualified(&service->settings, SIZE_MAX,
                                     node_get_c(list ? user->items[i] : user, sections[k]), find,
                                     &s);
    return s.any;
}

/* ---- what is shared ---- */

bool sharing_is_listed(const struct settings *s, struct str key)
{
    for (size_t i = 0; i < s->per_stage_function_count; i++)
        if (settings_glob(s->per_stage_functions[i], key))
            return true;
    return false;
}

static const struct node *reserved_by_extension(const struct node *resources, struct str key)
{
    const struct node *found = NULL;
    member_each (m, node_get_c(resources, "extensions"))
        if (str_ends(m->key, STR("LambdaFunction")) && is_id_of(m->key, key))
            found = node_path(m->value, "Properties.ReservedConcurrentExecutions");
    return found;
}

const struct node *sharing_reserved(const struct service *service, const struct function *f)
{
    const struct node *user = node_get_c(service->root, "resources");
    const struct node *own = node_get_c(f->node, "reservedConcurrency");
    const struct node *extended = reserved_by_extension(user, f->key);
    node_each (part, user)
        extended = extended ? extended : reserved_by_extension(part, f->key);
    return !node_empty(extended) ? extended : !node_empty(own) ? own : NULL;
}

bool sharing_is_edge(const struct function *f)
{
    node_each (event, node_get_c(f->node, "events"))
        if (node_truthy(node_get_c(event, "cloudFront")))
            return true;
    return false;
}

bool sharing_is_per_stage(const struct service *service, const struct function *f)
{
    struct unqualified by;
    return sharing_is_listed(&service->settings, f->key) ||
           (f->name_explicit && (node_flags_deep(node_get_c(f->node, "name")) & NODE_STAGE)) ||
           sharing_is_edge(f) || sharing_reserved(service, f) ||
           sharing_find_unqualified(service, f->key, &by);
}
