/* Kinds of shared APIs. */
#include "release/publish/api_kind.h"

const struct gateway *api_gateway(enum api_kind kind)
{
    return kind == API_HTTP ? &gateway_http : &gateway_rest;
}

void api_kind_record(struct arena *a, struct node *entry, enum api_kind kind)
{
    if (kind == API_HTTP)
        node_put_str(a, entry, "kind", STR("http"));
}

enum api_kind api_kind_recorded(const struct node *entry)
{
    return node_is_text(node_get_c(entry, "kind"), "http") ? API_HTTP : API_REST;
}
