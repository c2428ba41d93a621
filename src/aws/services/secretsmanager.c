/* Secrets Manager's one operation. */
#include "aws/client/aws_internal.h"

int secretsmanager_secret(struct arena *a, struct aws *aws, struct str id, struct str stage,
                          struct str version, const struct node **ret, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "SecretId", id);
    if (stage.n)
        node_put_str(a, body, "VersionStage", stage);
    if (version.n)
        node_put_str(a, body, "VersionId", version);
    const struct node *answer;
    *ret = NULL;
    if (aws_json(a, aws, "secretsmanager", "GetSecretValue", body, &answer, err) < 0)
        return -1;
    if (!node_get_c(answer, "SecretString"))
        return err_set(err, ERR_NOT_FOUND, "the secret is no text");
    struct node *text = node_str(a, text_of(answer, "SecretString"));
    text->flags |= NODE_SECRET;
    *ret = text;
    return 0;
}
