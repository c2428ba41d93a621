/* Checks of what custom resources ask for: notifications of a bucket that exclude each other, and
 * one trigger of a user pool for two functions. */
#include "layout/layout_internal.h"

#include "cfn/notifications.h"

struct notification {
    const struct node *bucket, *config;
};

static void refuse(const struct node *mine, const struct node *other, struct err *err)
{
    const struct node *event = node_get_c(mine, "Event"), *first = node_get_c(other, "Event");
    struct err one = {0};
    err_at(&one, node_pos(event), ERR_CONFIG,
           "'%.*s' and '%.*s' of one bucket overlap: a key could fit both",
           STR_ARG(node_text(first)), STR_ARG(node_text(event)));
    err_note(&one, node_pos(first), "the other one");
    err_help(&one,
             "S3 notifies one function of an event and a key: give each a prefix or suffix of "
             "its own in 'rules'");
    err_also(err, &one);
}

int check_notifications(const struct checking *k, struct err *err)
{
    VEC(struct notification) all = {0};
    member_each (m, k->resources) {
        const struct node *p = node_get_c(m->value, "Properties");
        if (!node_is_text(node_get_c(m->value, "Type"), "Custom::S3"))
            continue;
        node_each (config, node_get_c(p, "BucketConfigs")) {
            const struct node *bucket = node_get_c(p, "BucketName");
            vec_each (&all, other)
                if (node_equal(other->bucket, bucket) &&
                    cfn_notifications_overlap(other->config, config)) {
                    refuse(config, other->config, err);
                    break;
                }
            vec_push(k->arena, &all, (struct notification){bucket, config});
        }
    }
    return err->kind ? -1 : 0;
}

struct trigger {
    const struct node *pool, *name;
};

int check_triggers(const struct checking *k, struct err *err)
{
    VEC(struct trigger) all = {0};
    member_each (m, k->resources) {
        const struct node *p = node_get_c(m->value, "Properties");
        if (!node_is_text(node_get_c(m->value, "Type"), "Custom::CognitoUserPool"))
            continue;
        node_each (config, node_get_c(p, "UserPoolConfigs")) {
            struct trigger mine = {node_get_c(p, "UserPoolName"), node_get_c(config, "Trigger")};
            struct err one = {0};
            vec_each (&all, other) {
                if (!node_equal(other->pool, mine.pool) || !node_equal(other->name, mine.name))
                    continue;
                err_at(&one, node_pos(mine.name), ERR_CONFIG,
                       "user pool '%.*s' has trigger '%.*s' twice", STR_ARG(node_text(mine.pool)),
                       STR_ARG(node_text(mine.name)));
                err_note(&one, node_pos(other->name), "the other one");
                err_help(&one, "a user pool calls one function a trigger");
                break;
            }
            err_also(err, &one);
            vec_push(k->arena, &all, mine);
        }
    }
    return err->kind ? -1 : 0;
}
