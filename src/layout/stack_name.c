/* Names of stacks. */
#include "layout/layout_internal.h"

#include "base/hash.h"

struct str layout_stack_name(struct arena *a, const struct service *service, struct str stage)
{
    enum { STACK_NAME_MAX = 128 };
    struct str name = service->name;
    if (stage.n)
        name = str_fmt(a, "%.*s-%.*s", STR_ARG(name),
                       STR_ARG(str_replace(a, stage, STR("_"), STR("-"))));
    if (name.n <= STACK_NAME_MAX)
        return name;
    return str_fmt(a, "%.*s-%.8s", STACK_NAME_MAX - 9, name.p, sha256_hex(a, name).p);
}
