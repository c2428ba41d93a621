/* STS's operations. */
#include "aws/internal.h"

int sts_account(struct arena *a, struct aws *aws, struct str *ret_account, struct str *ret_arn,
                struct err *err)
{
    const struct node *answer;
    if (aws_query(a, aws, "sts", "GetCallerIdentity", NULL, &answer, err) < 0)
        return -1;
    if (ret_account)
        *ret_account = text_of(answer, "Account");
    if (ret_arn)
        *ret_arn = text_of(answer, "Arn");
    return 0;
}
