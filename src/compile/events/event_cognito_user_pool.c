/* `cognitoUserPool`: triggers of a user pool. A pool of the service's own is a resource with the
 * triggers of all functions; one that exists already is configured by a custom resource. */
#include "compile/custom_resources.h"

struct trigger {
    const struct function *function;
    const struct node *pool, *source; /* name of the pool, name of the trigger */
    struct node *configuration;       /* for LambdaConfig */
    struct pos pos;
};

/* The key of a pool's custom senders. */
struct pool_key {
    const struct node *pool, *key;
    bool is_existing;
};

struct user_pool_state {
    VEC(struct trigger) triggers; /* of the service's own pools, in order */
    VEC(struct pool_key) keys;
    struct existing existing;
    struct node *rights; /* statements that the handler needs for them, in order */
};

static const struct existing_kind kind = {.handler = &custom_user_pool,
                                          .type = "Custom::CognitoUserPool",
                                          .id_ending = "CustomCognitoUserPool1",
                                          .what = "user pool",
                                          .key = "pool",
                                          .property = "UserPoolName",
                                          .configured = "UserPoolConfigs"};

static int user_pool_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->user_pools = ARENA_NEW(c->arena, struct user_pool_state);
    c->user_pools->rights = node_seq(c->arena);
    return 0;
}

/* ---- what a trigger may say ---- */

static bool is_sender(const struct node *trigger)
{
    return node_is_text(trigger, "CustomSMSSender") || node_is_text(trigger, "CustomEmailSender");
}

static bool is_token(const struct node *trigger)
{
    return node_is_text(trigger, "PreTokenGeneration");
}

/* Versions of the event that a trigger gets. Source: Cognito API reference, CustomSMSLambdaVersion-
 * ConfigType and PreTokenGenerationVersionConfigType. */
static int check_version(const struct node *trigger, const struct node *version, struct err *err)
{
    static const char *const versions[] = {"V1_0", "V2_0", "V3_0"};
    size_t known = is_sender(trigger) ? 1 : is_token(trigger) ? 3 : 0;
    if (!version)
        return 0;
    for (size_t i = 0; i < known; i++)
        if (node_is_text(version, versions[i]))
            return 0;
    err_at(err, version->pos, ERR_CONFIG, "trigger '%.*s' has no version '%.*s'",
           STR_ARG(node_text(trigger)), STR_ARG(node_text(version)));
    return err_help(err, known == 1   ? "custom senders have 'V1_0'"
                         : known == 3 ? "'PreTokenGeneration' has 'V1_0', 'V2_0' and 'V3_0'"
                                      : "remove 'lambdaVersion': only custom senders and "
                                        "'PreTokenGeneration' have versions");
}

/* Cognito encrypts what custom senders get, with one key a pool. */
static int check_key(struct compilation *c, const struct event *event, bool is_existing,
                     struct err *err)
{
    const struct node *pool = node_get_c(event->node, "pool");
    const struct node *key = node_setting(event->node, NULL, "kmsKeyId");
    if (!key) {
        err_at(err, event->pos, ERR_CONFIG, "'kmsKeyId' is missing");
        return err_help(err, "name the key that Cognito encrypts codes with for '%.*s'",
                        STR_ARG(node_text(node_get_c(event->node, "trigger"))));
    }
    vec_each (&c->user_pools->keys, other) {
        if (other->is_existing != is_existing || !node_equal(other->pool, pool) ||
            node_equal(other->key, key))
            continue;
        err_at(err, key->pos, ERR_CONFIG, "user pool '%.*s' can have one key, not two",
               STR_ARG(node_text(pool)));
        return err_note(err, other->key->pos, "the other one is here");
    }
    vec_push(c->arena, &c->user_pools->keys, (struct pool_key){pool, key, is_existing});
    return 0;
}

/* ---- pools that exist already ---- */

static struct node *function_rights(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    struct str arn = str_concat(a, STR("arn:${AWS::Partition}:lambda:*:*:function:"),
                                node_text(name_function(c, f)));
    return statement_new(a, TEXTS(a, "lambda:AddPermission", "lambda:RemovePermission"),
                         node_sub(a, arn, name_function(c, f)));
}

/* Rights are asked for in the reference's order: a key and the pools at a function's first event,
 * the function itself after its last. */
static int existing_compile(struct compilation *c, const struct event *event,
                            const struct node *version, struct err *err)
{
    struct arena *a = c->arena;
    struct user_pool_state *s = c->user_pools;
    const struct node *trigger = node_get_c(event->node, "trigger");
    struct node *configuration = node_map(a);
    node_put_c(a, configuration, "Trigger", trigger);
    if (is_sender(trigger)) {
        if (check_key(c, event, true, err) < 0)
            return -1;
        node_put_c(a, configuration, "KMSKeyID", node_get_c(event->node, "kmsKeyId"));
        version = version ? version : node_c(a, "V1_0");
    }
    node_put_c(a, configuration, "LambdaVersion", version);
    int is_first = existing_note(c, &s->existing, &kind, event, configuration, err);
    if (is_first < 0)
        return -1;
    if (!is_first || c->options->naming == NAMING_SHARED)
        return 0;
    if (is_sender(trigger))
        node_push(
            a, s->rights,
            statement_new(a, TEXTS(a, "kms:CreateGrant"), node_get_c(event->node, "kmsKeyId")));
    node_push(a, s->rights,
              statement_new(a,
                            TEXTS(a, "cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool",
                                  "cognito-idp:UpdateUserPool"),
                            node_c(a, "*")));
    node_push(a, s->rights, function_rights(c, event->function));
    return 0;
}

/* With stages each has a handler, with the least rights: pools have no ARN before they are found,
 * and what a pool is told again are the roles with which it sends messages. */
static void ask_least(struct compilation *c, struct node *rights)
{
    struct arena *a = c->arena;
    vec_each (&c->user_pools->keys, key)
        if (key->is_existing)
            add_unique(a, rights, statement_new(a, TEXTS(a, "kms:CreateGrant"), key->key));
    node_push(a, rights, statement_new(a, TEXTS(a, "cognito-idp:ListUserPools"), node_c(a, "*")));
    node_push(a, rights,
              statement_new(a,
                            TEXTS(a, "cognito-idp:DescribeUserPool", "cognito-idp:UpdateUserPool"),
                            custom_arn(a, "cognito-idp", "userpool/*", NULL)));
    struct node *pass = statement_new(
        a, TEXTS(a, "iam:PassRole"),
        node_fn(a, "Fn::Sub", node_c(a, "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*")));
    node_put_c(a, pass, "Condition",
               node_fn(a, "StringEquals",
                       node_fn(a, "iam:PassedToService", node_c(a, "cognito-idp.amazonaws.com"))));
    node_push(a, rights, pass);
    node_push(a, rights, existing_call_rights(c, &c->user_pools->existing));
}

static void ask_as_reference(struct compilation *c, struct node *rights)
{
    struct arena *a = c->arena;
    static const struct {
        const char *action, *arn;
    } more[] = {{"lambda:RemovePermission",
                 "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"},
                {"iam:PassRole", "arn:${AWS::Partition}:iam::*:role/*"}};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        node_push(a, rights,
                  statement_new(a, TEXTS(a, more[i].action),
                                node_fn(a, "Fn::Sub", node_c(a, more[i].arn))));
}

static int existing_finish(struct compilation *c, struct err *err)
{
    struct user_pool_state *s = c->user_pools;
    if (!s->existing.uses.n)
        return 0;
    if (c->options->naming == NAMING_SHARED)
        ask_least(c, s->rights);
    else
        ask_as_reference(c, s->rights);
    if (existing_add(c, &s->existing, &kind, err) < 0)
        return -1;
    return custom_handler_add(c, &custom_user_pool, s->rights, s->existing.uses.p->pos, err);
}

/* ---- pools of the service's own ---- */

static struct node *version_config(struct compilation *c, const struct function *f,
                                   const struct node *version)
{
    struct arena *a = c->arena;
    struct node *out = node_map(a);
    node_put_c(a, out, "LambdaArn", target_arn(c, f));
    node_put_c(a, out, "LambdaVersion", version);
    return out;
}

/* What LambdaConfig of the pool gets for one trigger. */
static int own_compile(struct compilation *c, const struct event *event, const struct node *version,
                       struct err *err)
{
    struct arena *a = c->arena;
    const struct node *trigger = node_get_c(event->node, "trigger");
    const struct function *f = event->function;
    struct node *configuration = node_map(a);
    if (is_sender(trigger)) {
        if (check_key(c, event, false, err) < 0)
            return -1;
        node_put(a, configuration, trigger->text,
                 version_config(c, f, version ? version : node_c(a, "V1_0")));
        node_put_c(a, configuration, "KMSKeyID", node_get_c(event->node, "kmsKeyId"));
    } else if (version) {
        node_put_c(a, configuration, "PreTokenGenerationConfig", version_config(c, f, version));
    } else {
        node_put(a, configuration, trigger->text, target_arn(c, f));
    }
    vec_push(a, &c->user_pools->triggers,
             (struct trigger){.function = f,
                              .pool = node_get_c(event->node, "pool"),
                              .source = trigger,
                              .configuration = configuration,
                              .pos = event->pos});
    return 0;
}

static int user_pool_compile(struct compilation *c, const struct event *event, struct err *err)
{
    static const char *const needed[] = {"pool", "trigger"};
    const struct node *trigger = node_get_c(event->node, "trigger");
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (node_empty(node_get_c(event->node, needed[i])))
            return err_at(err, event->pos, ERR_CONFIG, "'%s' is missing", needed[i]);
    const struct node *version = node_setting(event->node, NULL, "lambdaVersion");
    if (!node_is(trigger, NODE_STRING))
        return err_at(err, trigger->pos, ERR_CONFIG, "'trigger' must be a text, not %s",
                      node_kind_name(trigger));
    if (check_version(trigger, version, err) < 0)
        return -1;
    if (node_truthy(node_get_c(event->node, "existing")))
        return existing_compile(c, event, version, err);
    return own_compile(c, event, version, err);
}

static struct str pool_id(struct arena *a, const struct node *pool)
{
    return str_concat(a, STR("CognitoUserPool"), name_alphanumeric(a, node_text(pool)));
}

/* The pool of `first`, with the triggers of all functions. */
static int add_pool(struct compilation *c, const struct trigger *first, struct err *err)
{
    struct arena *a = c->arena;
    struct node *configuration = node_map(a), *depends_on = node_seq(a), *p = node_map(a);
    vec_each (&c->user_pools->triggers, t) {
        struct function_alias alias;
        if (!node_equal(t->pool, first->pool))
            continue;
        member_each (m, t->configuration)
            node_put(a, configuration, m->key, m->value);
        node_push(a, depends_on,
                  node_str(a, function_alias(c, t->function, &alias)
                                  ? alias.id
                                  : name_function_id(c, t->function)));
    }
    node_put_c(a, p, "UserPoolName", first->pool);
    node_put_c(a, p, "LambdaConfig", configuration);
    struct node *resource = resource_new(a, "AWS::Cognito::UserPool", p);
    node_put_c(a, resource, "DependsOn", depends_on);
    return resource_add(c, pool_id(a, first->pool), resource, first->pos, err);
}

static int add_permission(struct compilation *c, const struct trigger *t, struct err *err)
{
    struct arena *a = c->arena;
    struct node *permission =
        permission_new(a, target_arn(c, t->function), node_c(a, "cognito-idp.amazonaws.com"),
                       node_get_att(a, pool_id(a, t->pool), "Arn"));
    depend_on_alias(c, permission, t->function);
    struct str id =
        str_fmt(a, "%.*s%.*sTriggerSource%.*s",
                STR_ARG(name_with(c, t->function, "LambdaPermissionCognitoUserPool")),
                STR_ARG(name_alphanumeric(a, node_text(t->pool))), STR_ARG(node_text(t->source)));
    return resource_share(c, id, permission, t->pos, err);
}

static bool is_first_of_pool(const struct user_pool_state *s, const struct trigger *t)
{
    for (const struct trigger *other = s->triggers.p; other < t; other++)
        if (node_equal(other->pool, t->pool))
            return false;
    return true;
}

static int user_pool_finish(struct compilation *c, struct err *err)
{
    const struct user_pool_state *s = c->user_pools;
    vec_each (&s->triggers, t) {
        if (is_first_of_pool(s, t) && add_pool(c, t, err) < 0)
            return -1;
        if (add_permission(c, t, err) < 0)
            return -1;
    }
    return existing_finish(c, err);
}

const struct event_type event_cognito_user_pool = {"cognitoUserPool", user_pool_begin,
                                                   user_pool_compile, user_pool_finish};
