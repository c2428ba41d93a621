/* Values that AWS knows: ${aws:accountId}, ${aws:region}, ${cf:stack.output}, ${s3:bucket/key},
 * ${ssm:/path}. The caller's callback asks; the region needs no asking. */
#include "config/variables/variables.h"

static int ask_now(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    const struct remote_values *remote = r->options->remote;
    if (!remote) {
        err_at(err, q->pos, ERR_CONFIG, "'%.*s' needs AWS, which is not asked here",
               STR_ARG(q->text));
        return err_help(err, "give a value without AWS, for example '${env:NAME}'");
    }
    ret->why = str_fmt(r->arena, "AWS has no value for '%.*s'", STR_ARG(q->text));
    struct found profile;
    if (resolve_region(r, err) < 0 ||
        resolve_path(r, r->root, STR("provider.profile"), STR(""), &profile, err) < 0)
        return -1;
    const struct remote_query query = {.source = q->type,
                                       .address = q->address,
                                       .params = query_params(r->arena, q),
                                       .region = r->region,
                                       .stage = r->stage,
                                       .profile = profile.node};
    if (remote->get(remote->context, r->arena, &query, &ret->value, err) < 0) {
        err_wrap(err, "resolve '%.*s'", STR_ARG(q->text));
        if (!err->pos.source)
            err->pos = q->pos;
        return -1;
    }
    return 0;
}

static int ask(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    struct str text = recorded_text(r, q);
    ret->what = str_fmt(r->arena, "'%.*s'", STR_ARG(q->text));
    switch (recorded_value(r, r->options->bundle, q, text, &ret->value)) {
    case RECORDED_NOT:
        if (ask_now(r, q, ret, err) < 0)
            return -1;
        break;
    case RECORDED_ABSENT:
        ret->why = str_fmt(r->arena, "AWS had no value for '%.*s' when this was recorded",
                           STR_ARG(q->text));
        break;
    case RECORDED_VALUE:
        ret->what = str_concat(r->arena, ret->what, STR(", as recorded"));
        break;
    }
    record_value(r, q, text, ret->value);
    return 0;
}

int source_aws(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (str_eq(q->address, STR("accountId")))
        return ask(r, q, ret, err);
    if (!str_eq(q->address, STR("region"))) {
        err_at(err, q->pos, ERR_CONFIG, "'aws' has no '%.*s'", STR_ARG(q->address));
        return err_help(err, "it has 'aws:accountId' and 'aws:region'");
    }
    if (resolve_region(r, err) < 0)
        return -1;
    ret->value = node_str(r->arena, r->region);
    ret->what = STR("the region");
    return 0;
}

int source_remote(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    static const struct {
        const char *type;
        char separator;
        const char *form;
    } forms[] = {
        {"cf", '.', "cf:STACK.OUTPUT"}, {"s3", '/', "s3:BUCKET/KEY"}, {"ssm", 0, "ssm:NAME"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!str_eq(q->type, str_c(forms[i].type)))
            continue;
        char separator = forms[i].separator;
        if (!q->has_address || (separator && str_find_char(q->address, separator, 0) < 0))
            return err_at(err, q->pos, ERR_CONFIG, "'%.*s' must have the form '${%s}'",
                          STR_ARG(q->text), forms[i].form);
    }
    return ask(r, q, ret, err);
}
