/* References that name nothing. Sources: CloudFormation user guide, "Intrinsic function reference",
 * "Condition functions", "DependsOn attribute". */
#include "layout/layout_internal.h"

#include "base/buf.h"
#include "base/near.h"
#include "doc/place.h"

/* Sections whose names a reference may mean; bits, because Ref takes several. */
enum section { RESOURCES = 1, PARAMETERS = 2, CONDITIONS = 4, MAPPINGS = 8 };

static const struct {
    enum section section;
    const char *name, *what;
} sections[] = {
    {RESOURCES, "Resources", "resource"},
    {PARAMETERS, "Parameters", "parameter"},
    {CONDITIONS, "Conditions", "condition"},
    {MAPPINGS, "Mappings", "mapping"},
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections };

struct walk {
    const struct checking *checking;
    struct pos at;     /* position for what has none: that of what it is in */
    bool is_condition; /* below Conditions */
    struct err *err;
};

/* Layout makes the aliases after this check, under names that are known: the user's resources may
 * refer to them. */
static bool is_pointer(const struct checking *k, struct str id)
{
    for (size_t i = 0; i < k->compiled->function_count; i++)
        if (str_eq(id, layout_alias_id(k->arena, k->compiled->functions[i].logical_id)))
            return true;
    return false;
}

static bool is_known(const struct checking *k, unsigned in, struct str name)
{
    if (in & PARAMETERS && str_starts(name, STR("AWS::")))
        return true;
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (in & sections[i].section &&
            node_get(node_get_c(k->compiled->template, sections[i].name), name))
            return true;
    return in & RESOURCES && is_pointer(k, name);
}

static void refuse(const struct walk *w, unsigned in, struct str name, struct pos pos)
{
    struct err one = {0};
    struct near near = {.name = name};
    struct buf what = BUF(w->checking->arena);
    const char *first = NULL;
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (!(in & sections[i].section))
            continue;
        buf_fmt(&what, "%s%s", first ? " or " : "", sections[i].what);
        first = first ? first : sections[i].name;
        member_each (m, node_get_c(w->checking->compiled->template, sections[i].name))
            near_offer(&near, m->key);
    }
    err_at(&one, pos.source ? pos : w->at, ERR_CONFIG, "there is no %.*s '%.*s'",
           STR_ARG(buf_str(&what)), STR_ARG(name));
    if (near.best.n)
        err_help(&one, "did you mean '%.*s'?", STR_ARG(near.best));
    else
        err_help(&one, "declare it in 'resources.%s', or check the name", first);
    err_also(w->err, &one);
}

static void check_name(const struct walk *w, unsigned in, const struct node *name)
{
    if (node_is(name, NODE_STRING) && !is_known(w->checking, in, name->text))
        refuse(w, in, name->text, name->pos);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
            !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_' && s.p[i] != ':')
            return false;
    return s.n > 0;
}

/* A Ref or "${…}" may name a parameter or a resource, an attribute belongs to a resource. */
static void check_value(void *context, const struct cfn_value *v)
{
    const struct walk *w = context;
    unsigned in = v->attribute.n    ? RESOURCES
                  : w->is_condition ? PARAMETERS
                                    : RESOURCES | PARAMETERS;
    size_t from = (size_t)(v->id.p - v->text->text.p);
    if ((v->form == CFN_IN_SUB && !is_name(v->id)) || is_known(w->checking, in, v->id))
        return;
    refuse(w, in, v->id,
           v->id.n == v->text->text.n ? v->text->pos : string_pos(v->text, from, from + v->id.n));
}

static const struct node *first_of(const struct node *list)
{
    return node_is(list, NODE_SEQ) && list->count ? list->items[0] : NULL;
}

/* Only a transform lets Fn::FindInMap have other functions in it, or a default (template reference,
 * "Fn::FindInMap enhancements"). */
static bool check_lookup(const struct walk *w, const struct node *args)
{
    const struct node *wrong = node_count(args) > 3 ? args->items[3] : NULL;
    for (size_t i = 0; i < node_count(args) && !wrong; i++)
        if (node_is(args->items[i], NODE_MAP) && !node_get_c(args->items[i], "Ref") &&
            !node_get_c(args->items[i], "Fn::FindInMap"))
            wrong = args->items[i];
    if (!wrong)
        return true;
    struct err one = {0};
    err_at(&one, wrong->pos.source ? wrong->pos : w->at, ERR_CONFIG,
           "Fn::FindInMap takes three texts, of which each may be a Ref or an Fn::FindInMap");
    err_help(&one, "write the function around Fn::FindInMap, or declare "
                   "'resources.Transform: AWS::LanguageExtensions'");
    err_also(w->err, &one);
    return false;
}

/* The keys of an Fn::FindInMap, as far as they are written out. */
static void check_keys(const struct walk *w, const struct node *args)
{
    if (!check_lookup(w, args))
        return;
    const struct node *at = node_get_c(w->checking->compiled->template, "Mappings");
    for (size_t i = 0; i < node_count(args) && node_is(args->items[i], NODE_STRING); i++) {
        const struct node *key = args->items[i], *next = node_get(at, key->text);
        if (!next && i > 0) {
            struct err one = {0};
            struct near near = {.name = key->text};
            member_each (m, at)
                near_offer(&near, m->key);
            err_at(&one, key->pos.source ? key->pos : w->at, ERR_CONFIG,
                   "mapping '%.*s' has no '%.*s'", STR_ARG(args->items[0]->text),
                   STR_ARG(key->text));
            if (near.best.n)
                err_help(&one, "did you mean '%.*s'?", STR_ARG(near.best));
            err_also(w->err, &one);
        }
        if (!(at = next))
            return;
    }
}

static void check_function(const struct walk *w, struct str key, const struct node *value)
{
    if (str_eq(key, STR("Fn::If")))
        check_name(w, CONDITIONS, first_of(value));
    else if (str_eq(key, STR("Fn::FindInMap"))) {
        check_name(w, MAPPINGS, first_of(value));
        if (node_is(value, NODE_SEQ))
            check_keys(w, value);
    } else if (w->is_condition && str_eq(key, STR("Condition")))
        check_name(w, CONDITIONS, value);
}

static void walk(struct walk w, const struct node *n)
{
    if (node_pos(n).source)
        w.at = n->pos;
    cfn_values_at(n, check_value, &w);
    if (node_is(n, NODE_MAP) && n->size == 1)
        check_function(&w, n->members[0].key, n->members[0].value);
    node_each (item, n)
        walk(w, item);
    member_each (m, n)
        walk(w, m->value);
}

static void check_attributes(struct walk w, const struct node *owner)
{
    size_t n;
    const struct node *const *ids = cfn_dependencies(owner, &n);
    check_name(&w, CONDITIONS, node_get_c(owner, "Condition"));
    for (size_t i = 0; i < n; i++)
        check_name(&w, RESOURCES, ids[i]);
}

int check_references(const struct checking *k, struct err *err)
{
    const struct node *template = k->compiled->template;
    struct walk w = {.checking = k, .err = err};
    if (k->is_open)
        return 0;
    member_each (m, k->resources) {
        w.at = m->value->pos.source ? m->value->pos : m->key_pos;
        check_attributes(w, m->value);
        walk(w, node_get_c(m->value, "Properties"));
    }
    member_each (m, node_get_c(template, "Outputs")) {
        w.at = m->key_pos;
        check_attributes(w, m->value);
        walk(w, m->value);
    }
    w.is_condition = true;
    member_each (m, node_get_c(template, "Conditions")) {
        w.at = m->key_pos;
        walk(w, m->value);
    }
    return err->kind ? -1 : 0;
}
