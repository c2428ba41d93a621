/* Parameter Store's one operation. */
#include "aws/client/aws_internal.h"

static const struct node *split_list(struct arena *a, struct str text)
{
    struct node *list = node_seq(a);
    struct str part;
    while (str_cut(&text, ',', &part))
        node_push(a, list, node_str(a, part));
    return list;
}

int ssm_parameter(struct arena *a, struct aws *aws, struct str name, bool raw,
                  const struct node **ret, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "Name", name);
    node_put_c(a, body, "WithDecryption", node_bool(a, !raw));
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
    if (!raw && str_eq(type, STR("StringList"))) {
        *ret = split_list(a, value);
        return 0;
    }
    struct node *text = node_str(a, value);
    if (str_eq(type, STR("SecureString")))
        text->flags |= NODE_SECRET;
    *ret = text;
    return 0;
}
