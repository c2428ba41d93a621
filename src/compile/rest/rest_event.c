/* What all steps ask of an `http` event that was read. */
#include "compile/rest/rest.h"

const struct node *rest_setting(const struct rest_event *e, const char *key)
{
    const struct node *n = node_get_c(e->settings, key);
    return node_empty(n) ? NULL : n;
}

struct str rest_method_id(struct arena *a, struct str path, struct str method)
{
    return str_fmt(a, "ApiGatewayMethod%.*s%.*s", STR_ARG(name_path(a, path)),
                   STR_ARG(str_upper_first(a, str_lower(a, method))));
}
