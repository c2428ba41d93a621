/* Coercion, as the dialect's validator does it: "5" becomes 5 where a number is expected. */
#include "config/schema/schema_internal.h"

#include <math.h>
#include <stdlib.h>

static bool is_type(const struct node *n, enum schema_type type)
{
    int64_t whole;
    switch (type) {
    case TYPE_STRING:
        return n->kind == NODE_STRING;
    case TYPE_NUMBER:
        return n->kind == NODE_NUMBER;
    case TYPE_INTEGER:
        return n->kind == NODE_NUMBER && node_to_int(n, &whole);
    case TYPE_BOOLEAN:
        return n->kind == NODE_BOOL;
    case TYPE_MAP:
        return n->kind == NODE_MAP;
    case TYPE_LIST:
        return n->kind == NODE_SEQ;
    case TYPE_NULL:
        return n->kind == NODE_NULL;
    default:
        return true;
    }
}

/* JavaScript's +text for a text, or false when that is no number. */
static bool text_number(struct arena *a, struct str text, struct str *ret)
{
    const char *z = str_z(a, str_trim(text));
    char *end;
    if (!*z || strspn(z, "0123456789.eE+-") != strlen(z))
        return false;
    double v = strtod(z, &end);
    if (*end || !isfinite(v))
        return false;
    *ret = number_canonical(a, v);
    return true;
}

static struct node *to_number(struct arena *a, const struct node *n)
{
    struct str number;
    if (n->kind == NODE_BOOL)
        return node_int(a, n->boolean);
    if (n->kind == NODE_NULL)
        return node_int(a, 0);
    if (n->kind == NODE_STRING && n->text.n && text_number(a, n->text, &number))
        return node_number(a, number);
    return NULL;
}

static struct node *to_boolean(struct arena *a, const struct node *n)
{
    bool number = n->kind == NODE_NUMBER;
    if (node_is_text(n, "false") || (number && str_eq(n->text, STR("0"))) || n->kind == NODE_NULL)
        return node_bool(a, false);
    if (node_is_text(n, "true") || (number && str_eq(n->text, STR("1"))))
        return node_bool(a, true);
    return NULL;
}

static struct node *to_type(struct arena *a, const struct node *n, enum schema_type type)
{
    struct node *made;
    switch (type) {
    case TYPE_STRING:
        return n->kind == NODE_NUMBER || n->kind == NODE_BOOL ? node_str(a, node_text(n))
               : n->kind == NODE_NULL                         ? node_str(a, STR(""))
                                                              : NULL;
    case TYPE_NUMBER:
    case TYPE_INTEGER:
        made = to_number(a, n);
        return made && is_type(made, type) ? made : NULL;
    case TYPE_BOOLEAN:
        return to_boolean(a, n);
    case TYPE_NULL:
        return (n->kind == NODE_STRING && !n->text.n) || (n->kind == NODE_BOOL && !n->boolean) ||
                       (n->kind == NODE_NUMBER && str_eq(n->text, STR("0")))
                   ? node_null(a)
                   : NULL;
    case TYPE_LIST:
        if (n->kind == NODE_MAP || n->kind == NODE_SEQ)
            return NULL;
        made = node_seq(a);
        node_push(a, made, n);
        return made;
    default:
        return NULL;
    }
}

bool schema_coerce(struct arena *a, enum schema_type type, const struct node **value)
{
    const struct node *n = *value;
    if (is_type(n, type))
        return true;
    /* of a list of one, only the item itself or what can be made from it is taken */
    if (n->kind == NODE_SEQ && n->count == 1 && type != TYPE_MAP) {
        n = n->items[0];
        if (is_type(n, type)) {
            *value = n;
            return true;
        }
    }
    struct node *made = to_type(a, n, type);
    if (!made)
        return false;
    *value = node_from(made, n);
    return true;
}
