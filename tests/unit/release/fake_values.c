/* Parameters of SSM and secrets of Secrets Manager, by "ssm:NAME", "secure:NAME" and "secret:ID".
 */
#include "check.h"

#include "fake_aws.h"

#include "doc/json.h"

static struct str value_of(const struct fake_aws *aws, const struct fake_request *q,
                           const char *kind, struct str name)
{
    return node_text(node_get(aws->values, str_fmt(q->arena, "%s:%.*s", kind, STR_ARG(name))));
}

static void parameter(const struct fake_aws *aws, const struct fake_request *q, struct str name,
                      struct reply *ret)
{
    struct arena *a = q->arena;
    struct node *out = node_map(a), *one = node_map(a);
    struct str text = value_of(aws, q, "ssm", name), secure = value_of(aws, q, "secure", name);
    if (!text.n && !secure.n) {
        fake_refuse(q, 400, "ParameterNotFound", "", ret);
        return;
    }
    node_put_str(a, one, "Type", secure.n ? STR("SecureString") : STR("String"));
    node_put_str(a, one, "Value", secure.n ? secure : text);
    node_put_c(a, out, "Parameter", one);
    fake_json(q, out, ret);
}

void fake_values(const struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct err err = {0};
    const struct node *body = json_parse(a, STR("body"), q->body, &err);
    struct str id = node_text(node_get_c(body, "SecretId"));
    err_clear(&err);
    if (!id.n) {
        parameter(aws, q, node_text(node_get_c(body, "Name")), ret);
        return;
    }
    struct node *out = node_map(a);
    struct str secret = value_of(aws, q, "secret", id);
    node_put_str(a, out, "SecretString", secret);
    if (secret.n)
        fake_json(q, out, ret);
    else
        fake_refuse(q, 400, "ResourceNotFoundException",
                    "Secrets Manager can't find the specified secret.", ret);
}
