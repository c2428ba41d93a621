/* Checks of what custom resources ask for: notifications of a bucket that exclude each other. */
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
    err_help(&one, "S3 notifies one function of an event and a key: give each a prefix or suffix of "
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
