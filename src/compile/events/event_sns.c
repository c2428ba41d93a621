/* `sns`: a topic of the service's own with its subscription, or a subscription to an existing one.
 */
#include "compile/compile_internal.h"

/* What one event says. */
struct subscription {
    const struct event *event;
    const struct node *arn;     /* of an existing topic, or NULL */
    const struct node *name;    /* of the topic */
    const struct node *region;  /* when it is another one */
    const struct node *redrive; /* RedrivePolicy, or NULL */
};

/* A topic of the service's own: its resource, which each further event adds to. */
struct topic {
    const struct node *name;
    struct node *resource, *properties;
    struct node *subscriptions; /* NULL: none yet */
    struct node *depends_on;
};

struct sns_state {
    struct map topics; /* logical id -> struct topic * */
};

static int sns_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->sns = ARENA_NEW(c->arena, struct sns_state);
    c->sns->topics = MAP(c->arena);
    return 0;
}

/* The parts of an ARN. "::" does not separate, so that ${AWS::AccountId} stays whole. Part `index`
 * counted from the front, or the last one for SIZE_MAX. */
static struct str arn_part(struct str arn, size_t index)
{
    size_t from = 0, part = 0;
    for (size_t i = 0; i <= arn.n; i++) {
        bool is_end = i == arn.n;
        bool is_double =
            !is_end && ((i > 0 && arn.p[i - 1] == ':') || (i + 1 < arn.n && arn.p[i + 1] == ':'));
        if (!is_end && (arn.p[i] != ':' || is_double))
            continue;
        if (part == index || (is_end && index == SIZE_MAX))
            return str_sub(arn, from, i - from);
        part++;
        from = i + 1;
    }
    return STR("");
}

static const struct node *derived(struct arena *a, struct str text, const struct node *from)
{
    return node_from(node_str(a, text), from);
}

static int read_event(struct compilation *c, const struct event *event, struct subscription *s,
                      struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = event->node, *topic = node_get_c(n, "topicName");
    s->event = event;
    if (node_is(n, NODE_STRING)) {
        bool is_arn = str_starts(n->text, STR("arn:"));
        s->arn = is_arn ? n : NULL;
        s->name =
            is_arn
                ? derived(a, str_sub(n->text, (size_t)(str_rfind_char(n->text, ':') + 1), SIZE_MAX),
                          n)
                : n;
        return 0;
    }
    s->arn = node_setting(n, NULL, "arn");
    if (node_is(s->arn, NODE_STRING)) {
        struct str region = arn_part(s->arn->text, 3);
        s->name = derived(a, arn_part(s->arn->text, SIZE_MAX), s->arn);
        if (region.n && !str_eq(region, c->service->region))
            s->region = derived(a, region, s->arn);
    }
    if (node_truthy(topic))
        s->name = topic;
    if (node_is(s->name, NODE_STRING) && s->name->text.n)
        return 0;
    if (s->name)
        return err_at(err, s->name->pos, ERR_CONFIG, "'topicName' must be a text, not %s",
                      node_kind_name(s->name));
    err_at(err, s->arn ? s->arn->pos : event->pos, ERR_CONFIG, "'topicName' is missing");
    return err_help(err, "an 'arn' that is a reference does not tell the name of the topic");
}

/* ---- dead letters ---- */

/* URL of the queue with this ARN: the last three parts, wherever the rest comes from. */
static const struct node *queue_url(struct arena *a, const struct node *arn)
{
    struct str rest = arn->text, parts[3];
    for (size_t i = 0; i < 3; i++) {
        ptrdiff_t colon = str_rfind_char(rest, ':');
        parts[i] = str_sub(rest, (size_t)(colon + 1), SIZE_MAX);
        rest = str_sub(rest, 0, colon < 0 ? 0 : (size_t)colon);
    }
    const struct node *host = node_strf(a, "https://sqs.%.*s.", STR_ARG(parts[2]));
    const struct node *path = node_strf(a, "/%.*s/%.*s", STR_ARG(parts[1]), STR_ARG(parts[0]));
    return node_from(node_join(a, "", NODE_LIST(a, host, node_ref(a, STR("AWS::URLSuffix")), path)),
                     arn);
}

/* Let the topic write into the queue of dead letters. */
static int add_queue_policy(struct compilation *c, const struct subscription *s,
                            const struct node *arn, const struct node *url, struct err *err)
{
    struct arena *a = c->arena;
    struct str id = str_fmt(a, "%.*sTo%.*s", STR_ARG(name_alphanumeric(a, node_text(s->name))),
                            STR_ARG(name_with(c, s->event->function, "DLQPolicy")));
    struct node *arn_equals = node_map(a);
    node_put_c(a, arn_equals, "aws:SourceArn", s->arn);
    struct node *statement = statement_new(a, node_c(a, "sqs:SendMessage"), arn);
    node_put_c(a, statement, "Principal", node_fn(a, "Service", node_c(a, "sns.amazonaws.com")));
    node_put_c(a, statement, "Condition", node_fn(a, "ArnEquals", arn_equals));
    struct node *document = node_map(a), *p = node_map(a);
    node_put_c(a, document, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, document, "Id", node_str(a, id));
    node_put_c(a, document, "Statement", NODE_LIST(a, statement));
    node_put_c(a, p, "PolicyDocument", document);
    node_put_c(a, p, "Queues", NODE_LIST(a, url));
    return resource_add(c, id, resource_new(a, "AWS::SQS::QueuePolicy", p), s->event->pos, err);
}

static int put_redrive(struct compilation *c, struct subscription *s, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *policy = node_get_c(s->event->node, "redrivePolicy");
    if (!node_truthy(policy))
        return 0;
    const struct node *literal = node_setting(policy, NULL, "deadLetterTargetArn");
    const struct node *ref = node_setting(policy, NULL, "deadLetterTargetRef");
    const struct node *import = node_setting(policy, NULL, "deadLetterTargetImport");
    const struct node *arn, *url;
    if (node_is(literal, NODE_STRING)) {
        arn = literal;
        url = queue_url(a, literal);
    } else if (ref) {
        arn = node_from(node_get_att(a, node_text(ref), "Arn"), ref);
        url = node_from(node_ref(a, node_text(ref)), ref);
    } else if (node_get_c(import, "arn") && node_get_c(import, "url")) {
        arn = node_fn(a, "Fn::ImportValue", node_get_c(import, "arn"));
        url = node_fn(a, "Fn::ImportValue", node_get_c(import, "url"));
    } else {
        return err_at(err, policy->pos, ERR_CONFIG,
                      "'redrivePolicy' needs 'deadLetterTargetArn', 'deadLetterTargetRef' or "
                      "'deadLetterTargetImport'");
    }
    s->redrive = node_fn(a, "deadLetterTargetArn", arn);
    return add_queue_policy(c, s, arn, url, err);
}

/* ---- topic and subscription ---- */

static int add_subscription(struct compilation *c, const struct subscription *s,
                            const struct node *topic, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = s->event->function;
    struct node *p = node_map(a);
    node_put_c(a, p, "TopicArn", topic);
    node_put_c(a, p, "Protocol", node_c(a, "lambda"));
    node_put_c(a, p, "Endpoint", target_arn(c, f));
    copy_member(a, p, "FilterPolicy", s->event->node, "filterPolicy");
    copy_member(a, p, "FilterPolicyScope", s->event->node, "filterPolicyScope");
    node_put_c(a, p, "RedrivePolicy", s->redrive);
    node_put_c(a, p, "Region", s->region);
    struct node *resource = resource_new(a, "AWS::SNS::Subscription", p);
    depend_on_alias(c, resource, f);
    struct str id =
        str_concat(a, name_with(c, f, "SnsSubscription"), name_alphanumeric(a, node_text(s->name)));
    return resource_add(c, id, resource, s->event->pos, err);
}

/* Add the alias of `f` to the topic's DependsOn, which is a text while only one function has an
 * alias, and a list from then on. */
static void depend_too(struct compilation *c, struct topic *topic, const struct function *f)
{
    struct arena *a = c->arena;
    struct function_alias alias;
    struct node *list = topic->depends_on;
    if (!function_alias(c, f, &alias))
        return;
    add_unique(a, list, node_str(a, alias.id));
    node_put_c(a, topic->resource, "DependsOn", list->count == 1 ? list->items[0] : list);
}

static struct topic *topic_new(struct compilation *c, const struct subscription *s, struct str id,
                               struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    struct topic *topic = ARENA_NEW(a, struct topic);
    *topic = (struct topic){s->name, resource_new(a, "AWS::SNS::Topic", p), p, NULL, node_seq(a)};
    node_put_c(a, p, "TopicName", s->name);
    node_put_c(a, p, "DisplayName", node_setting(s->event->node, NULL, "displayName"));
    if (resource_add(c, id, topic->resource, s->event->pos, err) < 0)
        return NULL;
    map_put(&c->sns->topics, id, topic);
    return topic;
}

static int add_own_topic(struct compilation *c, const struct subscription *s, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = s->event->function;
    struct str id = str_concat(a, STR("SNSTopic"), name_alphanumeric(a, node_text(s->name)));
    struct topic *topic = map_get(&c->sns->topics, id);
    if (!topic && !(topic = topic_new(c, s, id, err)))
        return -1;
    if (!node_equal(topic->name, s->name)) {
        err_at(err, s->event->pos, ERR_CONFIG, "topics '%.*s' and '%.*s' get the same logical id",
               STR_ARG(node_text(topic->name)), STR_ARG(node_text(s->name)));
        return err_note(err, topic->resource->pos, "the other one is here");
    }
    depend_too(c, topic, f);
    if (node_truthy(node_get_c(s->event->node, "filterPolicy")) || s->redrive)
        return add_subscription(c, s, node_ref(a, id), err);
    if (!topic->subscriptions)
        node_put_c(a, topic->properties, "Subscription", topic->subscriptions = node_seq(a));
    struct node *entry = node_map(a);
    node_put_c(a, entry, "Endpoint", target_arn(c, f));
    node_put_c(a, entry, "Protocol", node_c(a, "lambda"));
    node_push(a, topic->subscriptions, entry);
    return 0;
}

static int sns_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    struct subscription s = {0};
    if (read_event(c, event, &s, err) < 0 || put_redrive(c, &s, err) < 0)
        return -1;
    if ((s.arn ? add_subscription(c, &s, s.arn, err) : add_own_topic(c, &s, err)) < 0)
        return -1;
    const struct node *source =
        s.arn ? s.arn
              : node_join(a, "",
                          NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                                    node_c(a, ":sns:"), node_ref(a, STR("AWS::Region")),
                                    node_c(a, ":"), node_ref(a, STR("AWS::AccountId")),
                                    node_c(a, ":"), s.name));
    struct node *permission =
        permission_new(a, target_arn(c, f), node_c(a, "sns.amazonaws.com"), source);
    depend_on_alias(c, permission, f);
    struct str id = str_fmt(a, "%.*s%.*sSNS", STR_ARG(name_with(c, f, "LambdaPermission")),
                            STR_ARG(name_alphanumeric(a, node_text(s.name))));
    return resource_share(c, id, permission, event->pos, err);
}

const struct event_type event_sns = {"sns", sns_begin, sns_compile, NULL};
