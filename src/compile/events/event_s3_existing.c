/* `s3` with `existing: true`: notifications of a bucket that the service does not make. */
#include "compile/events/event_s3.h"

static const struct existing_kind kind = {.handler = &custom_s3,
                                          .type = "Custom::S3",
                                          .id_ending = "CustomS31",
                                          .what = "bucket",
                                          .key = "bucket",
                                          .property = "BucketName",
                                          .configured = "BucketConfigs"};

int s3_existing_compile(struct compilation *c, struct existing *e, const struct event *event,
                        struct err *err)
{
    struct arena *a = c->arena;
    const struct node *type = node_setting(event->node, NULL, "event");
    struct node *configuration = node_map(a), *rules = node_seq(a);
    node_each (rule, node_get_c(event->node, "rules"))
        member_each (m, node_entries(a, rule)) {
            struct node *r = node_map(a);
            node_put_at(a, r, str_upper_first(a, m->key), m->key_pos, m->value);
            node_push(a, rules, r);
            break;
        }
    struct node *created = node_c(a, "s3:ObjectCreated:*");
    created->pos = event->pos;
    node_put_c(a, configuration, "Event", type ? type : created);
    node_put_c(a, configuration, "Rules", rules);
    return existing_note(c, e, &kind, event, configuration, err) < 0 ? -1 : 0;
}

int s3_existing_finish(struct compilation *c, const struct existing *e, struct err *err)
{
    struct arena *a = c->arena;
    struct node *statements = node_seq(a);
    if (!e->uses.n)
        return 0;
    vec_each (&e->uses, use) {
        const struct node *bucket =
            node_join(a, ":",
                      NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")),
                                node_c(a, "s3"), node_c(a, ""), node_c(a, ""), use->thing));
        node_push(a, statements,
                  statement_new(a, TEXTS(a, "s3:PutBucketNotification", "s3:GetBucketNotification"),
                                bucket));
    }
    node_push(a, statements, existing_call_rights(c, e));
    if (existing_add(c, e, &kind, err) < 0)
        return -1;
    return custom_handler_add(c, &custom_s3, statements, e->uses.p->pos, err);
}
