/* Parameter Store's one operation. */
#include "aws/client/aws_internal.h"

#include "doc/json.h"

static const struct node *split_list(struct arena *a, struct str text)
{
    struct node *list = node_seq(a);
    struct str part;
    while (str_cut(&text, ',', &part))
        node_push(a, list, node_str(a, part));
    return list;
}

static const struct node *as_secret(void *context, struct str key, const struct node *child)
{
    struct node *copy =
        node_shallow(context, node_change_children(context, child, as_secret, context));
    (void)key;
    copy->flags |= NODE_SECRET;
    return copy;
}

/* What is written as a JSON object is one, as secrets of Secrets Manager are. */
static const struct node *secret_value(struct arena *a, struct str value, unsigned form)
{
    cleanup_err struct err ignored = {0};
    const struct node *map = !(form & SSM_RAW) && str_starts(value, STR("{"))
                                 ? json_parse(a, STR("parameter"), value, &ignored)
                                 : NULL;
    return as_secret(a, STR(""), map ? map : node_str(a, value));
}

int ssm_parameter(struct arena *a, struct aws *aws, struct str name, unsigned form,
                  const struct node **ret, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "Name", name);
    node_put_c(a, body, "WithDecryption", node_bool(a, !(form & SSM_ENCRYPTED)));
    const struct node *answer;
    *ret = NULL;
    if (aws_json(a, aws, "ssm", "GetParameter", body, &answer, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    const struct node *parameter = node_get_c(answer, "Parameter");
    struct str value = text_of(parameter, "Value"), type = text_of(parameter, "Type");
    if (str_eq(type, STR("SecureString")))
        *ret = secret_value(a, value, form);
    else if (!(form & SSM_RAW) && str_eq(type, STR("StringList")))
        *ret = split_list(a, value);
    else
        *ret = node_str(a, value);
    return 0;
}
