#include "compile/patches.h"

#include <ctype.h>

#include "base/buf.h"
#include "cfn/template.h"

/* ---- applying ---- */

struct applying {
    struct arena *arena;
    const struct node *patch, *path;
};

static const struct node *nothing_there(const struct applying *x, struct err *err)
{
    struct buf path = BUF(x->arena);
    node_each (key, x->path)
        buf_fmt(&path, "%s%.*s", path.n ? "." : "", STR_ARG(node_text(key)));
    err_at(err, node_pos(x->patch), ERR_CONFIG,
           "a plugin changes '%s' of the template, which is not there", buf_str(&path).p);
    return NULL;
}

static const struct node *spliced(const struct applying *x, const struct node *list,
                                  struct err *err)
{
    int64_t at = node_int_or(node_get_c(x->patch, "at"), -1);
    int64_t gone = node_int_or(node_get_c(x->patch, "remove"), -1);
    if (!node_is(list, NODE_SEQ) || at < 0 || gone < 0 || at + gone > (int64_t)list->count)
        return nothing_there(x, err);
    struct node *out = node_seq(x->arena);
    for (int64_t i = 0; i < at; i++)
        node_push(x->arena, out, list->items[i]);
    node_each (item, node_get_c(x->patch, "insert"))
        node_push(x->arena, out, item);
    for (int64_t i = at + gone; i < (int64_t)list->count; i++)
        node_push(x->arena, out, list->items[i]);
    return node_from(out, list);
}

/* What stands at the end of the path: NULL for nothing. */
static int changed(const struct applying *x, const struct node *old, const struct node **ret,
                   struct err *err)
{
    const struct node *value = node_get_c(x->patch, "value");
    *ret = value;
    if (value || node_bool_or(node_get_c(x->patch, "absent"), false))
        return 0;
    return (*ret = spliced(x, old, err)) ? 0 : -1;
}

static const struct node *apply_at(const struct applying *x, const struct node *n, size_t depth,
                                   struct err *err)
{
    struct arena *a = x->arena;
    struct str key = node_text(x->path->items[depth]);
    bool last = depth + 1 == x->path->count;
    int64_t index = -1;
    if (node_is(n, NODE_SEQ)) {
        if (!str_to_int(key, &index) || index < 0 || index >= (int64_t)n->count)
            return nothing_there(x, err);
    } else if (!node_is(n, NODE_MAP)) {
        return nothing_there(x, err);
    }
    const struct node *old = index >= 0 ? n->items[index] : node_get(n, key), *made = NULL;
    if (last) {
        if (changed(x, old, &made, err) < 0)
            return NULL;
        if (!made && index >= 0)
            return nothing_there(x, err);
    } else if (!old || !(made = apply_at(x, old, depth + 1, err))) {
        return old ? NULL : nothing_there(x, err);
    }
    struct node *out = node_shallow(a, n);
    if (index >= 0)
        out->items[index] = made;
    else if (made)
        node_put(a, out, key, made);
    else
        node_drop(out, key);
    return out;
}

const struct node *patch_apply(struct arena *a, const struct node *template,
                               const struct node *patch, struct err *err)
{
    struct applying x = {a, patch, node_get_c(patch, "path")};
    if (node_is(x.path, NODE_SEQ) && x.path->count)
        return apply_at(&x, template, 0, err);
    err_at(err, node_pos(patch), ERR_CONFIG, "a patch of a plugin has no path");
    return NULL;
}

/* ---- ids that are made anew ---- */

/* The framework writes the time, compile a hash. */
static bool is_hexadecimal(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
            return false;
    return s.n > 0;
}

static struct str with_suffix(struct arena *a, struct str id)
{
    return str_concat(a, id, STR(PATCHES_SUFFIX));
}

/* The id without its hash or time; empty: it has none. */
static struct str steady_id(struct arena *a, struct str id, const struct node *resource)
{
    const struct node *type = node_get_c(resource, "Type");
    struct str function = node_text(node_path(resource, "Properties.FunctionName.Ref"));
    struct str rest = id, version, digits = str_sub(id, id.n > 40 ? id.n - 40 : id.n, 40);
    if (node_is_text(type, "AWS::Lambda::Version") && str_strip(&function, STR("LambdaFunction"))) {
        version = str_concat(a, function, STR("LambdaVersion"));
        return str_skip(&rest, version) && rest.n ? with_suffix(a, version) : (struct str){"", 0};
    }
    if (node_is_text(type, "AWS::Lambda::LayerVersion") ||
        node_is_text(type, "AWS::Lambda::LayerVersionPermission")) {
        bool hashed = digits.n == 40 && is_hexadecimal(digits);
        bool retained = node_is_text(node_get_c(resource, "DeletionPolicy"), "Retain");
        return hashed     ? with_suffix(a, str_sub(id, 0, id.n - 40))
               : retained ? with_suffix(a, id) /* where names are shared it has none */
                          : (struct str){"", 0};
    }
    if (node_is_text(type, "AWS::ApiGateway::Deployment") &&
        str_skip(&rest, STR("ApiGatewayDeployment")) && is_hexadecimal(rest))
        return STR("ApiGatewayDeployment" PATCHES_SUFFIX);
    if (node_is_text(type, "AWS::ApiGatewayV2::Deployment") &&
        str_skip(&rest, STR("WebsocketsDeployment")) && rest.n)
        return STR("WebsocketsDeployment" PATCHES_SUFFIX);
    return (struct str){"", 0};
}

const struct node *patches_steady(struct arena *a, const struct node *template,
                                  const struct node **ret_names)
{
    struct node *there = node_map(a), *back = node_map(a);
    member_each (m, node_get_c(template, "Resources")) {
        struct str name = steady_id(a, m->key, m->value);
        if (!name.n || node_get(back, name))
            continue;
        node_put(a, there, m->key, node_str(a, name));
        node_put(a, back, name, node_str(a, m->key));
    }
    if (ret_names)
        *ret_names = back;
    return there->size ? patches_rename(a, template, there) : template;
}

struct renaming {
    struct arena *arena;
    const struct node *names;
};

static struct str renamed(const struct renaming *x, struct str text)
{
    const struct node *whole = node_get(x->names, text);
    if (whole)
        return whole->text;
    if (str_find(text, STR("${"), 0) >= 0) /* of an Fn::Sub */
        member_each (m, x->names) {
            struct str to[] = {str_fmt(x->arena, "${%.*s}", STR_ARG(m->value->text)),
                               str_fmt(x->arena, "${%.*s.", STR_ARG(m->value->text))};
            text =
                str_replace(x->arena, text, str_fmt(x->arena, "${%.*s}", STR_ARG(m->key)), to[0]);
            text =
                str_replace(x->arena, text, str_fmt(x->arena, "${%.*s.", STR_ARG(m->key)), to[1]);
        }
    return text;
}

static const struct node *rename_in(void *context, struct str key, const struct node *n)
{
    const struct renaming *x = context;
    (void)key;
    if (n->kind == NODE_STRING) {
        struct str text = renamed(x, n->text);
        return str_eq(text, n->text) ? n : node_from(node_str(x->arena, text), n);
    }
    if (n->kind != NODE_MAP)
        return node_change_children(x->arena, n, rename_in, context);
    struct node *out = node_map(x->arena);
    bool differs = false;
    member_each (m, n) {
        const struct node *name = node_get(x->names, m->key);
        const struct node *value = rename_in(context, m->key, m->value);
        differs = differs || name || value != m->value;
        node_put_at(x->arena, out, name ? name->text : m->key, m->key_pos, value);
    }
    return differs ? node_from(out, n) : n;
}

const struct node *patches_rename(struct arena *a, const struct node *n, const struct node *names)
{
    struct renaming x = {a, names};
    return node_count(names) ? rename_in(&x, STR(""), n) : n;
}
