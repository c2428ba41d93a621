/* ${env:NAME}: the environment, then what .env files add to it. */
#include "config/variables.h"

#include <stdlib.h>

bool environment_get(const struct resolver *r, struct str name, struct str *ret)
{
    if (str_find_char(name, '\0', 0) >= 0)
        return false;
    const char *value = getenv(str_z(r->arena, name));
    const struct str *more = !value && r->dotenv ? map_get(r->dotenv, name) : NULL;
    if (value)
        *ret = str_dup(r->arena, str_c(value));
    else if (more)
        *ret = *more;
    return value || more;
}

static int ask_now(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    struct str value;
    size_t bad;
    if (!environment_get(r, q->address, &value)) {
        ret->why = str_fmt(r->arena, "environment variable '%.*s' is not set", STR_ARG(q->address));
        return 0;
    }
    if (!str_utf8_ok(value, &bad))
        return err_at(err, q->pos, ERR_CONFIG, "environment variable '%.*s' is not UTF-8",
                      STR_ARG(q->address));
    ret->value = node_str(r->arena, value);
    return 0;
}

int source_env(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (!q->has_address)
        return err_at(err, q->pos, ERR_CONFIG, "'env' needs a name: '${env:NAME}'");
    struct str text = recorded_text(r, q);
    ret->what = str_fmt(r->arena, "environment variable '%.*s'", STR_ARG(q->address));
    switch (recorded_value(r, q, text, &ret->value)) {
    case RECORDED_NOT:
        if (ask_now(r, q, ret, err) < 0)
            return -1;
        break;
    case RECORDED_ABSENT:
        ret->why =
            str_fmt(r->arena, "environment variable '%.*s' was not set when this was recorded",
                    STR_ARG(q->address));
        break;
    case RECORDED_VALUE:
        ret->what = str_concat(r->arena, ret->what, STR(", as recorded"));
        break;
    }
    record_value(r, q, text, ret->value);
    return 0;
}
