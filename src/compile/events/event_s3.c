/* `s3`: a bucket of the service's own that notifies functions. The notifications of all functions
 * belong to the one bucket resource, so buckets are written when all events are known. */
#include "compile/events/event_s3.h"

struct s3_bucket {
    const struct node *name; /* BucketName */
    struct str ref;          /* what logical ids are made of: key in provider.s3, else the name */
    const struct node *settings; /* provider.s3.<key>, or NULL */
    struct pos pos;
    struct node *configurations; /* LambdaConfigurations */
    struct node *depends_on;
};

struct s3_use {
    const struct function *function;
    struct str name; /* of the bucket */
    struct pos pos;
};

struct s3_state {
    VEC(struct s3_bucket) buckets;
    VEC(struct s3_use) uses; /* in order, one an event */
    struct existing existing;
};

static int s3_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->s3 = ARENA_NEW(c->arena, struct s3_state);
    return 0;
}

/* ---- names of buckets ---- */

static bool is_label(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool is_inner = ch == '-' && i > 0 && i + 1 < s.n;
        if (!is_inner && !(ch >= '0' && ch <= '9') && !(ch >= 'a' && ch <= 'z'))
            return false;
    }
    return s.n > 0;
}

static bool is_octet(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n >= 1 && s.n <= 3;
}

/* Labels of a DNS name, but no IP address. Source: S3 user guide, bucket naming rules; the dialect
 * has no limits of its length. */
static int check_name(const struct compilation *c, const struct node *name, struct err *err)
{
    struct str rest = node_text(name), label;
    size_t labels = 0, octets = 0;
    bool fits = rest.n >= 3 && rest.n <= 63, ok = true;
    while (str_cut(&rest, '.', &label)) {
        ok = ok && is_label(label);
        labels++;
        octets += is_octet(label);
    }
    ok = ok && !(labels == 4 && octets == 4);
    if (ok && fits)
        return 0;
    err_at(err, node_pos(name), ERR_CONFIG, "'%.*s' is no name for a bucket",
           STR_ARG(node_text(name)));
    err_help(err, "use 3 to 63 lower-case letters, digits, '-' and '.'");
    return ok ? aws_refuses(c, err) : -1;
}

static struct s3_bucket *bucket_by_name(struct compilation *c, struct str name)
{
    vec_each (&c->s3->buckets, b)
        if (str_eq(node_text(b->name), name))
            return b;
    return NULL;
}

static struct s3_bucket *bucket_of(struct compilation *c, const struct node *ref, struct pos pos,
                                   struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = node_get(node_get_c(c->provider, "s3"), node_text(ref));
    const struct node *name = node_or(node_get_c(settings, "name"), ref);
    if (check_name(c, name, err) < 0)
        return NULL;
    struct s3_bucket *b = bucket_by_name(c, node_text(name));
    if (!b) {
        vec_push(a, &c->s3->buckets,
                 (struct s3_bucket){.name = name,
                                    .ref = node_text(name),
                                    .pos = pos,
                                    .configurations = node_seq(a),
                                    .depends_on = node_seq(a)});
        b = &c->s3->buckets.p[c->s3->buckets.n - 1];
    }
    if (settings) {
        b->settings = settings;
        b->ref = node_text(ref);
    }
    return b;
}

/* ---- the event ---- */

/* {"Filter": …} of `rules`, or NULL. */
static const struct node *filter(struct arena *a, const struct node *rules)
{
    if (!node_truthy(rules))
        return NULL;
    struct node *list = node_seq(a);
    node_each (rule, rules) {
        const struct node *entries = node_entries(a, rule);
        struct node *r = node_map(a);
        if (entries->size) {
            node_put_c(a, r, "Name", node_str(a, entries->members[0].key));
            node_put_c(a, r, "Value", entries->members[0].value);
        }
        node_push(a, list, r);
    }
    return node_fn(a, "S3Key", node_fn(a, "Rules", list));
}

static int s3_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = event->node;
    const struct node *ref = node_is(n, NODE_MAP) ? node_get_c(n, "bucket") : n;
    if (node_truthy(node_get_c(n, "existing")))
        return s3_existing_compile(c, &c->s3->existing, event, err);
    if (!node_is(ref, NODE_STRING)) {
        err_at(err, ref ? ref->pos : event->pos, ERR_CONFIG, "'bucket' must be a name, not %s",
               node_kind_name(ref));
        return err_help(err, "a bucket of the service is named by its BucketName or a key of "
                             "'provider.s3'; one that it does not make has 'existing: true'");
    }
    struct s3_bucket *b = bucket_of(c, ref, event->pos, err);
    if (!b)
        return -1;
    const struct node *kind = node_setting(n, NULL, "event");
    struct node *configuration = node_map(a);
    node_put_c(a, configuration, "Event", kind ? kind : node_c(a, "s3:ObjectCreated:*"));
    node_put_c(a, configuration, "Function", target_arn(c, event->function));
    node_put_c(a, configuration, "Filter", filter(a, node_get_c(n, "rules")));
    node_push(a, b->configurations, configuration);
    vec_push(a, &c->s3->uses, (struct s3_use){event->function, node_text(b->name), event->pos});
    return 0;
}

/* ---- writing the buckets, when all events are known ---- */

static int add_permission(struct compilation *c, const struct s3_use *use,
                          const struct s3_bucket *b, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = use->function;
    struct function_alias alias;
    struct str id = str_fmt(a, "%.*s%.*sS3", STR_ARG(name_with(c, f, "LambdaPermission")),
                            STR_ARG(name_alphanumeric(a, b->ref)));
    node_push(a, b->depends_on, node_str(a, id));
    if (function_alias(c, f, &alias))
        node_push(a, b->depends_on, node_str(a, alias.id));
    const struct node *suffix =
        node_from(node_strf(a, ":s3:::%.*s", STR_ARG(node_text(b->name))), b->name);
    struct node *permission = permission_new(
        a, target_arn(c, f), node_c(a, "s3.amazonaws.com"),
        node_join(a, "",
                  NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")), suffix)));
    permission =
        cfn_with_property(a, permission, "SourceAccount", node_ref(a, STR("AWS::AccountId")));
    depend_on_alias(c, permission, f);
    return resource_share(c, id, permission, use->pos, err);
}

static int add_bucket(struct compilation *c, const struct s3_bucket *b, struct err *err)
{
    struct arena *a = c->arena;
    struct node *notifications = node_map(a), *p = node_map(a);
    node_put_c(a, notifications, "LambdaConfigurations", b->configurations);
    node_put_c(a, p, "BucketName", b->name);
    node_put_c(a, p, "NotificationConfiguration", notifications);
    member_each (m, b->settings) {
        struct str key = str_upper_first(a, m->key);
        if (str_eq(key, STR("NotificationConfiguration")))
            member_each (n, m->value)
                node_put_at(a, notifications, n->key, n->key_pos, n->value);
        else if (!str_eq(m->key, STR("name")))
            node_put_at(a, p, key, m->key_pos, m->value);
    }
    struct node *resource = resource_new(a, "AWS::S3::Bucket", p);
    node_put_c(a, resource, "DependsOn", b->depends_on);
    struct str id = str_concat(a, STR("S3Bucket"), name_alphanumeric(a, b->ref));
    return resource_add(c, id, resource, b->pos, err);
}

static int s3_finish(struct compilation *c, struct err *err)
{
    vec_each (&c->s3->uses, use)
        if (add_permission(c, use, bucket_by_name(c, use->name), err) < 0)
            return -1;
    vec_each (&c->s3->buckets, b)
        if (add_bucket(c, b, err) < 0)
            return -1;
    return s3_existing_finish(c, &c->s3->existing, err);
}

const struct event_type event_s3 = {"s3", s3_begin, s3_compile, s3_finish};
