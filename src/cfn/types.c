/* Questions about resource types and about resources by their type. */
#include "cfn/cfn.h"

static const struct cfn_type *row(struct str name)
{
    size_t low = 0, high = cfn_type_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(name, str_c(cfn_types[middle].name));
        if (order == 0)
            return &cfn_types[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* "AWS::Lambda::" of "AWS::Lambda::Alias", "Custom::" of "Custom::Thing". */
static struct str service_of(struct str type)
{
    while (type.n && !str_ends(type, STR("::")))
        type.n--;
    return type;
}

bool cfn_is_known(struct str type)
{
    return !str_ends(type, STR("::")) && row(type);
}

bool cfn_is(struct str type, enum cfn_trait trait)
{
    const struct cfn_type *t = row(type);
    if (!t)
        t = row(service_of(type));
    return t && (t->traits & trait);
}

bool cfn_replaces(struct str type, struct str property)
{
    const struct cfn_type *t = row(type);
    struct str rest = str_c(t ? t->create_only : ""), word;
    while (str_cut(&rest, ' ', &word))
        if (word.n && str_eq(word, property))
            return true;
    return false;
}

struct str cfn_type_of(const struct node *resource)
{
    return node_text(node_get_c(resource, "Type"));
}

static const struct node *property(const struct node *resource, struct str name)
{
    return node_get(node_get_c(resource, "Properties"), name);
}

const struct node *cfn_given_name(const struct node *resource)
{
    const struct cfn_type *t = row(cfn_type_of(resource));
    return t && t->named_by ? property(resource, str_c(t->named_by)) : NULL;
}

bool cfn_is_retained(const struct node *resource)
{
    struct str policy = node_text(node_get_c(resource, "DeletionPolicy"));
    return str_eq(policy, STR("Retain")) || str_eq(policy, STR("RetainExceptOnCreate")) ||
           str_eq(policy, STR("Snapshot"));
}

bool cfn_goes_with_stack(const struct node *resource)
{
    const struct node *policy = node_get_c(resource, "DeletionPolicy");
    return !policy || node_is_text(policy, "Delete");
}

struct str cfn_difference(struct arena *a, const struct node *before, const struct node *after,
                          bool *ret_replaces)
{
    struct node_change *changes;
    size_t n;
    struct str first = {"", 0}, type = cfn_type_of(after);
    node_diff(a, before, after, &changes, &n);
    *ret_replaces = !str_eq(type, cfn_type_of(before));
    for (size_t i = 0; i < n; i++) {
        struct str rest = changes[i].path, section, name = {"", 0};
        str_cut(&rest, '.', &section);
        str_cut(&rest, '.', &name);
        bool replaces = cfn_replaces(type, name);
        if (!name.n)
            name = section;
        if (replaces) {
            *ret_replaces = true;
            return str_fmt(a, "%.*s changed", STR_ARG(name));
        }
        if (!first.n)
            first = name;
    }
    return str_fmt(a, "%.*s changed", STR_ARG(first));
}

bool cfn_keeps_identity(const struct node *before, const struct node *after)
{
    const struct cfn_type *t = row(cfn_type_of(after));
    struct str rest = str_c(t ? t->create_only : ""), word;
    if (!t || !str_eq(cfn_type_of(before), cfn_type_of(after)) ||
        !node_equal(node_get_c(before, "Condition"), node_get_c(after, "Condition")))
        return false;
    while (str_cut(&rest, ' ', &word))
        if (word.n && !node_equal(property(before, word), property(after, word)))
            return false;
    return true;
}
