#include "cfn/dynamic_reference.h"

#define OPENING "{{resolve:"
#define CLOSING "}}"

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static struct str part(struct str *rest)
{
    struct str out = {"", 0};
    str_cut(rest, ':', &out);
    return out;
}

static void read_parameter(struct str key, struct cfn_dynamic *d)
{
    bool versioned = str_find_char(key, ':', 0) >= 0;
    d->name = part(&key);
    d->version = key;
    if (!d->name.n)
        d->problem = "it names no parameter";
    else if (versioned && !is_number(d->version))
        d->problem = "the version of a parameter is a number";
}

static void read_secret(struct str key, struct cfn_dynamic *d)
{
    enum { COLONS_OF_ARN = 6 };
    size_t end = 0;
    for (int i = 0; i < COLONS_OF_ARN && str_starts(key, STR("arn:")); i++) {
        ptrdiff_t colon = str_find_char(key, ':', end);
        end = colon < 0 ? key.n : (size_t)colon + 1;
    }
    ptrdiff_t colon = str_find_char(key, ':', end);
    size_t name_end = colon < 0 ? key.n : (size_t)colon;
    struct str rest = str_sub(key, colon < 0 ? key.n : name_end + 1, key.n);
    d->name = str_sub(key, 0, name_end);
    struct str what = part(&rest);
    d->key = part(&rest);
    d->stage = part(&rest);
    d->version = part(&rest);
    if (!d->name.n)
        d->problem = "it names no secret";
    else if (what.n && !str_eq(what, STR("SecretString")))
        d->problem = "behind the secret stands SecretString";
    else if (rest.n)
        d->problem = "a reference to a secret has at most five parts";
}

bool cfn_dynamic_next(struct str text, size_t from, struct cfn_dynamic *ret)
{
    static const struct {
        const char *name;
        enum cfn_dynamic_service service;
        void (*read)(struct str key, struct cfn_dynamic *d);
    } services[] = {{"ssm", CFN_SSM, read_parameter},
                    {"ssm-secure", CFN_SSM_SECURE, read_parameter},
                    {"secretsmanager", CFN_SECRETS_MANAGER, read_secret}};
    ptrdiff_t at = str_find(text, STR(OPENING), from);
    ptrdiff_t end = at < 0 ? -1 : str_find(text, STR(CLOSING), (size_t)at);
    if (end < 0)
        return false;
    size_t length = (size_t)(end - at);
    struct str whole = str_sub(text, (size_t)at, length + sizeof CLOSING - 1);
    struct str key = str_sub(whole, sizeof OPENING - 1, length - (sizeof OPENING - 1));
    struct str name = part(&key);
    *ret = (struct cfn_dynamic){.whole = whole,
                                .at = (size_t)at,
                                .service = CFN_UNKNOWN_SERVICE,
                                .problem = "there are ssm, ssm-secure and secretsmanager"};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (!str_eq(name, str_c(services[i].name)))
            continue;
        ret->service = services[i].service;
        ret->problem = NULL;
        services[i].read(key, ret);
    }
    return true;
}
