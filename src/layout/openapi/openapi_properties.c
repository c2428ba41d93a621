/* Properties of resources of an API, and where a definition has them. */
#include "layout/openapi/openapi_internal.h"

/* The alias that the dialect makes for provisioned concurrency, SnapStart or a durable function. */
static bool is_own_alias(const struct node *n)
{
    return node_is_text(n, "provisioned") || node_is_text(n, "snapstart") ||
           node_is_text(n, "durable");
}

/* Items of a Join with ARNs replaced. The new ARN ends with an alias, so the dialect's own alias
 * behind the old one goes. */
static const struct node *items_with_arns(struct building *b, const struct node *n)
{
    struct node *out = node_seq(b->arena);
    bool is_replaced = false;
    for (size_t i = 0; i < n->count; i++) {
        bool has_colon = i + 1 < n->count && node_is_text(n->items[i], ":");
        if (is_replaced && is_own_alias(n->items[i]))
            continue;
        if (is_replaced && has_colon && is_own_alias(n->items[i + 1])) {
            i++;
            continue;
        }
        const struct node *item = openapi_with_arns(b, n->items[i]);
        is_replaced = item != n->items[i] && node_get_c(n->items[i], "Fn::GetAtt");
        node_push(b->arena, out, item);
    }
    return node_from(out, n);
}

static const struct node *children_with_arns(struct building *b, const struct node *n)
{
    if (n->kind == NODE_SEQ)
        return items_with_arns(b, n);
    struct node *out = node_shallow(b->arena, n);
    for (size_t i = 0; n->kind == NODE_MAP && i < n->size; i++)
        out->members[i].value = openapi_with_arns(b, n->members[i].value);
    return out;
}

const struct node *openapi_with_arns(struct building *b, const struct node *n)
{
    struct str id = node_text(node_path(n, "Fn::GetAtt.0"));
    if (!id.n || !node_is_text(node_path(n, "Fn::GetAtt.1"), "Arn"))
        id = node_text(node_get_c(n, "Ref"));
    struct str type = node_text(node_get_c(node_get(b->resources, id), "Type"));
    if (id.n && str_starts(type, STR("AWS::Lambda::"))) {
        const struct node *arn = b->options->function_arn(b->options->context, b->arena, id);
        return arn ? arn : n;
    }
    return node_is(n, NODE_SEQ) || node_is(n, NODE_MAP) ? children_with_arns(b, n) : n;
}

struct str openapi_lower_first(struct arena *a, struct str s)
{
    return s.n ? str_concat(a, str_lower(a, str_sub(s, 0, 1)), str_sub(s, 1, s.n)) : s;
}

static const struct node *formed(struct building *b, const struct node *n, enum form form)
{
    if (form == FORM_LOWER && node_is(n, NODE_STRING))
        return node_from(node_str(b->arena, str_lower(b->arena, n->text)), n);
    if (form == FORM_MEMBER && node_is(n, NODE_MAP)) {
        struct node *out = node_map(b->arena);
        member_each (m, n)
            node_put_at(b->arena, out, openapi_lower_first(b->arena, m->key), m->key_pos, m->value);
        return node_from(out, n);
    }
    return form == FORM_ARNS ? openapi_with_arns(b, n) : n;
}

int openapi_put(struct building *b, struct node *to, const struct node *from,
                const struct property *table, const char *what, struct err *err)
{
    member_each (m, from) {
        const struct property *p = table;
        while (p->from && !str_eq(m->key, str_c(p->from)))
            p++;
        if (!p->from)
            return err_at(err, m->key_pos.source ? m->key_pos : m->value->pos, ERR_CONFIG,
                          "'%.*s' of %s cannot be part of %s", STR_ARG(m->key), what, b->what);
        if (p->form != FORM_DONE)
            node_put_c(b->arena, to, p->to, formed(b, m->value, p->form));
    }
    return 0;
}

/* ---- security ---- */

void openapi_require(struct building *b, struct node *security, struct str scheme,
                     const struct node *scopes)
{
    struct node *entry = node_map(b->arena);
    node_put(b->arena, entry, scheme, scopes ? scopes : node_seq(b->arena));
    node_push(b->arena, security, entry);
}

void openapi_scheme(struct building *b, const char *name, const char *header, const char *authtype)
{
    struct node *scheme = node_map(b->arena);
    if (node_get_c(b->schemes, name))
        return;
    node_put_str(b->arena, scheme, "type", STR("apiKey"));
    node_put_str(b->arena, scheme, "name", str_c(header));
    node_put_str(b->arena, scheme, "in", STR("header"));
    if (authtype)
        node_put_str(b->arena, scheme, "x-amazon-apigateway-authtype", str_c(authtype));
    node_put_c(b->arena, b->schemes, name, scheme);
}

/* ---- parts ---- */

const struct openapi_part *openapi_part_of(const struct openapi_part *parts, const char *owner,
                                           const struct node *resource, struct str api)
{
    const struct node *named = node_get_c(node_get_c(resource, "Properties"), owner);
    if (!str_eq(node_text(node_get_c(named, "Ref")), api))
        return NULL;
    while (parts->type && !node_is_text(node_get_c(resource, "Type"), parts->type))
        parts++;
    return parts->type ? parts : NULL;
}

int openapi_parts(struct building *b, const struct openapi_part *parts, const char *owner,
                  struct err *err)
{
    for (const struct openapi_part *part = parts; part->type; part++) {
        member_each (m, b->resources) {
            if (openapi_part_of(parts, owner, m->value, b->api) != part)
                continue;
            if (part->add(b, m->key, node_get_c(m->value, "Properties"), err) < 0) {
                if (!err->pos.source)
                    err->pos = m->value->pos;
                return -1;
            }
        }
    }
    return 0;
}

void openapi_put_any(struct arena *a, struct node *to, const char *key, const struct node *map)
{
    if (node_count(map))
        node_put_c(a, to, key, map);
}

void openapi_operation(struct building *b, struct str path, struct str method,
                       const struct node *operation)
{
    struct arena *a = b->arena;
    struct str verb = str_lower(a, method);
    struct node *item = map_get(&b->items, path);
    if (!item) {
        item = node_map(a);
        map_put(&b->items, path, item);
        node_put(a, b->paths, path, item);
    }
    node_put(a, item, str_eq(verb, STR("any")) ? STR("x-amazon-apigateway-any-method") : verb,
             operation);
}

void openapi_endpoint(struct arena *a, struct node *document, const struct node *endpoint)
{
    struct node *servers = node_seq(a), *server = node_map(a);
    if (!node_count(endpoint))
        return;
    node_put_str(a, server, "url", STR("/"));
    node_put_c(a, server, "x-amazon-apigateway-endpoint-configuration", endpoint);
    node_push(a, servers, server);
    node_put_c(a, document, "servers", servers);
}
