/* Secrets Manager's one operation. */
#include "aws/client/aws_internal.h"

#include "base/hash.h"

int secret_value(struct arena *a, struct aws *aws, struct str id, const struct node **ret,
                 struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "SecretId", id);
    const struct node *answer;
    *ret = NULL;
    if (aws_json(a, aws, "secretsmanager", "GetSecretValue", body, &answer, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    struct str value = text_of(answer, "SecretString");
    if (!node_get_c(answer, "SecretString") &&
        !base64_decode(a, text_of(answer, "SecretBinary"), &value))
        return err_set(err, ERR_FAILED, "GetSecretValue: the answer holds no value");
    struct node *text = node_str(a, value);
    text->flags |= NODE_SECRET;
    *ret = text;
    return 0;
}
