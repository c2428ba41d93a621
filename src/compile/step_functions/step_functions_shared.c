/* What all parts of serverless-step-functions use. */
#include "compile/step_functions/step_functions.h"

#include "base/buf.h"

bool is_intrinsic(const struct node *n)
{
    member_each (m, n)
        if (str_starts(m->key, STR("Fn::")) || str_eq(m->key, STR("Ref")))
            return true;
    return false;
}

static const struct node *id_translated(struct compilation *c, const struct node *id)
{
    const struct function *f =
        node_get(c->resources, node_text(id)) ? NULL : function_by_key(c, node_text(id));
    return f ? node_from(node_str(c->arena, name_function_id(c, f)), id) : id;
}

const struct node *function_keys_translated(struct compilation *c, const struct node *value)
{
    struct arena *a = c->arena;
    const struct node *ref = node_get_c(value, "Ref"), *att = node_get_c(value, "Fn::GetAtt");
    if (ref)
        return node_from(node_fn(a, "Ref", id_translated(c, ref)), value);
    if (!node_is(att, NODE_SEQ) || !att->count)
        return value;
    const struct node *attribute = att->count > 1 ? att->items[1] : NULL;
    return node_from(
        node_fn(a, "Fn::GetAtt", NODE_LIST(a, id_translated(c, att->items[0]), attribute)), value);
}

const struct node *function_arn_by_name(struct compilation *c, const struct function *f,
                                        const char *ending)
{
    const struct node *name = name_function(c, f);
    struct str arn = str_fmt(c->arena,
                             "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
                             ":function:%.*s%s",
                             STR_ARG(node_text(name)), ending);
    return node_sub(c->arena, arn, name);
}

struct str script_text(struct arena *a, const struct node *n)
{
    if (!n)
        return STR("undefined");
    if (node_is(n, NODE_MAP))
        return STR("[object Object]");
    if (node_is(n, NODE_NULL))
        return STR("null");
    struct buf b = BUF(a);
    if (!node_is(n, NODE_SEQ))
        return node_text(n);
    node_each (item, n) {
        if (i_item)
            buf_char(&b, ',');
        buf_add(&b, node_empty(item) ? STR("") : script_text(a, item));
    }
    return buf_str(&b);
}

struct node *sub_with(struct arena *a, struct str text, const struct node *values)
{
    return node_fn(a, "Fn::Sub", NODE_LIST(a, node_str(a, text), values));
}

void resource_merge(struct compilation *c, struct str id, const struct node *resource,
                    struct pos from)
{
    const struct node *old = node_get(c->resources, id);
    struct node *merged =
        node_shallow(c->arena, old ? node_merge(c->arena, old, resource) : resource);
    resource_set(c, id, merged, old ? old->pos : from);
}

struct str machine_id_with(struct compilation *c, const struct state_machine *machine,
                           const char *suffix)
{
    return str_concat(c->arena, name_normalize(c->arena, machine->key), str_c(suffix));
}

void warn_at(struct compilation *c, const struct node *at, struct str msg, const char *help)
{
    if (c->options->warn)
        c->options->warn(c->options->warn_context, node_pos(at), msg, str_c(help));
}
