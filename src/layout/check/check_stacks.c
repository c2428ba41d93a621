/* What `provider` says of stacks and of the bucket. Sources: CloudFormation API reference,
 * CreateStack: "Parameters: [x] must have values", "Parameters: [x] do not exist in the template";
 * S3 API reference, PutObject. */
#include "layout/layout_internal.h"

#include "base/near.h"

static void refuse_unknown(const struct node *parameters, const struct node *name, struct err *err)
{
    struct err one = {0};
    struct near near = {.name = node_text(name)};
    member_each (m, parameters)
        near_offer(&near, m->key);
    err_at(&one, node_pos(name), ERR_CONFIG, "there is no parameter '%.*s'",
           STR_ARG(node_text(name)));
    if (near.best.n)
        err_help(&one, "did you mean '%.*s'?", STR_ARG(near.best));
    else
        err_help(&one, "declare it in 'resources.Parameters', or remove it");
    err_also(err, &one);
}

static void refuse_valueless(const struct member *m, struct err *err)
{
    struct err one = {0};
    err_at(&one, m->key_pos.source ? m->key_pos : node_pos(m->value), ERR_CONFIG,
           "parameter '%.*s' has no value", STR_ARG(m->key));
    err_help(&one, "give it one in 'provider.stackParameters', or a 'Default'");
    err_also(err, &one);
}

int check_parameters(const struct checking *k, struct err *err)
{
    const struct node *parameters = node_get_c(k->compiled->template, "Parameters");
    node_each (given, node_path(k->service->root, "provider.stackParameters")) {
        const struct node *name = node_get_c(given, "ParameterKey");
        if (!k->is_open && !node_member(parameters, node_text(name)))
            refuse_unknown(parameters, name ? name : given, err);
    }
    member_each (m, parameters)
        if (!node_get_c(m->value, "Default") && !layout_given_parameter(k->service, m->key))
            refuse_valueless(m, err);
    return err->kind ? -1 : 0;
}

/* S3 takes a key with aws:kms only. */
int check_bucket_key(const struct checking *k, struct err *err)
{
    const struct node *bucket = node_path(k->service->root, "provider.deploymentBucket");
    const struct node *key = node_get_c(bucket, "sseKMSKeyId");
    if (!key || node_is_text(node_get_c(bucket, "serverSideEncryption"), "aws:kms"))
        return 0;
    err_at(err, node_pos(key), ERR_CONFIG, "'sseKMSKeyId' is a key for another encryption");
    return err_help(err, "add 'serverSideEncryption: aws:kms' to 'provider.deploymentBucket'");
}

/* Everything that a stack's policy does not allow is denied. Source: CloudFormation user guide,
 * "Prevent updates to stack resources". */
int check_stack_policy(const struct checking *k, struct err *err)
{
    const struct member *policy =
        node_member(node_get_c(k->service->root, "provider"), STR("stackPolicy"));
    if (!policy || !node_count(policy->value))
        return 0;
    node_each (statement, policy->value)
        if (node_is_text(node_get_c(statement, "Effect"), "Allow"))
            return 0;
    err_at(err, policy->key_pos, ERR_CONFIG,
           "no statement of 'provider.stackPolicy' allows anything: nothing could be updated");
    return err_help(err, "add '{Effect: Allow, Principal: \"*\", Action: \"Update:*\", "
                         "Resource: \"*\"}'");
}
