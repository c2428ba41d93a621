/* Small questions that routes, authorizers and the HTTP API itself share. */
#include "compile/http_api/http_api.h"

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"};
enum { METHOD_COUNT = sizeof methods / sizeof *methods };

struct node *http_api_set(struct arena *a, const struct node *items)
{
    struct node *set = node_seq(a);
    if (!node_is(items, NODE_SEQ))
        node_push(a, set, items);
    node_each (item, items)
        add_unique(a, set, item);
    return node_from(set, items);
}

bool http_api_is_shared(const struct compilation *c)
{
    return c->options->naming == NAMING_SHARED && c->service->settings.http_shared;
}

struct node *http_api_source_arn(struct compilation *c)
{
    struct arena *a = c->arena;
    return node_join(a, "",
                     NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                               node_c(a, ":execute-api:"), node_ref(a, STR("AWS::Region")),
                               node_c(a, ":"), node_ref(a, STR("AWS::AccountId")), node_c(a, ":"),
                               c->http->id, node_c(a, "/*")));
}

bool http_api_is_method(struct str s)
{
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (str_eq(s, str_c(methods[i])))
            return true;
    return str_eq(s, STR("ANY"));
}

void http_api_allow_method(struct compilation *c, struct str method)
{
    struct arena *a = c->arena;
    if (!c->http->allowed_methods)
        return;
    bool is_any = !method.n || str_eq(method, STR("ANY"));
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (is_any || str_eq(method, str_c(methods[i])))
            add_unique(a, c->http->allowed_methods, node_c(a, methods[i]));
}
