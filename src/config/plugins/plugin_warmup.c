/* serverless-plugin-warmup: a function for each warmer, and its role. What it calls stands in the
 * function as `warmer`, for build/build_warmers.c, which makes its code, and for
 * compile/warmers.c, which has the names that functions have in stages. */
#include "config/plugins/plugins.h"

#include "base/fs.h"
#include "config/variables/variables.h"
#include "doc/json.h"

#define PAYLOAD "{\"source\":\"serverless-plugin-warmup\"}"

static const struct schema off = {.type = TYPE_BOOLEAN, .constant = "false"};

#define FUNCTION_OPTIONS                                                                      \
    {"enabled", EITHER(&any_boolean, &any_string, &list_of_strings)}, {"alias", &any_string}, \
        {"clientContext", EITHER(&off, &any_map)}, {"payload", &any_map},                     \
        {"payloadRaw", &any_boolean},                                                         \
    {                                                                                         \
        "concurrency", WHOLE_FROM(0)                                                          \
    }

static const struct schema warmer_options = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        FUNCTION_OPTIONS, {"folderName", &any_string},
        {"cleanFolder", &any_boolean, .no_effect = "nothing is written into the service's folder"},
        {"name", &any_string}, {"roleName", &any_string}, {"role", &aws_role}, {"tags", &aws_tags},
        {"vpc", EITHER(&off, &aws_vpc)}, {"events", &any_list}, {"architecture", &aws_architecture},
        {"package",
         CLOSED_MAP({"individually", &any_boolean}, {"patterns", &list_of_strings},
                    {"artifact", &any_string, .no_effect = "the plugin makes the warmer's code"})},
        {"memorySize", &aws_memory}, {"timeout", &aws_timeout}, {"environment", &aws_environment},
        {"tracing", &aws_tracing}, {"verbose", &any_boolean},
        {"logRetentionInDays", &aws_log_retention},
        {"prewarm", &any_boolean,
         .no_effect = "deployments do not call it: 'troupe invoke' does"})};

const struct schema warmup_options = {.type = TYPE_MAP, .values = &warmer_options};

const struct field warmup_function_keys[] = {{"warmup", MAP_OF(CLOSED_MAP(FUNCTION_OPTIONS))}, {0}};

struct warming {
    struct resolver *r;
    struct arena *arena;
    struct node *root;
    const struct node *functions; /* those of the file */
    const struct node *warmers;   /* custom.warmup */
};

/* ---- what is called ---- */

static const struct node *either(const struct node *own, const struct node *common, const char *key)
{
    const struct node *value = node_get_c(own, key);
    return value ? value : node_get_c(common, key);
}

static bool is_enabled(const struct warming *w, const struct node *enabled)
{
    if (node_is(enabled, NODE_BOOL))
        return enabled->boolean;
    node_each (stage, enabled)
        if (str_eq(node_text(stage), w->r->stage))
            return true;
    return node_is_text(enabled, "true") ||
           (node_is(enabled, NODE_STRING) && str_eq(enabled->text, w->r->stage));
}

/* What `payload` says, as the text that is sent; a raw one is sent as it is. */
static const struct node *payload_of(struct arena *a, const struct node *config)
{
    const struct node *payload = node_get_c(config, "payload");
    if (!payload)
        return NULL;
    if (node_truthy(node_get_c(config, "payloadRaw")))
        return payload;
    return node_from(node_str(a, json_text(a, payload, 0)), payload);
}

static const struct node *context_of(struct arena *a, const struct node *config)
{
    const struct node *context = node_get_c(config, "clientContext");
    return node_is(context, NODE_MAP) ? node_str(a, json_text(a, context, 0)) : context;
}

/* An alias that is not the stage's would be no stage at all. */
static int check_alias(const struct warming *w, const struct node *alias, struct err *err)
{
    if (!node_text(alias).n || w->r->options->only_compiles ||
        str_eq(node_text(alias), w->r->stage))
        return 0;
    err_at(err, node_pos(alias), ERR_CONFIG, "'alias' names another alias than the stage's");
    return err_help(err, "leave it away: a warmer calls the aliases of its own stage");
}

/* How a warmer calls a function; NULL: not at all, or not as the file says. */
static const struct node *config_of(const struct warming *w, const struct node *own,
                                    const struct node *common, struct err *err)
{
    struct arena *a = w->arena;
    struct node *config = node_map(a);
    const struct node *enabled = either(own, common, "enabled"), *one;
    const struct node *alias = either(own, common, "alias");
    if (!is_enabled(w, enabled) || check_alias(w, alias, err) < 0)
        return NULL;
    node_put_c(a, config, "enabled", enabled);
    node_put_c(a, config, "alias", alias);
    one = context_of(a, own);
    node_put_c(a, config, "clientContext", one ? one : context_of(a, common));
    one = payload_of(a, own);
    one = one ? one : payload_of(a, common);
    node_put_c(a, config, "payload", one ? one : node_str(a, STR(PAYLOAD)));
    one = either(own, common, "concurrency");
    node_put_c(a, config, "concurrency", one ? one : node_int(a, 1));
    return config;
}

/* The functions that a warmer calls, in the file's order. */
static const struct node *calls_of(const struct warming *w, const struct member *warmer,
                                   struct err *err)
{
    struct arena *a = w->arena;
    struct node *calls = node_seq(a);
    member_each (m, w->functions) {
        struct node *call = node_map(a);
        struct err one = {0};
        const struct node *own = node_get(node_get_c(m->value, "warmup"), warmer->key);
        const struct node *config = config_of(w, own, warmer->value, &one);
        err_also(err, &one);
        if (!config)
            continue;
        node_put_str(a, call, "key", m->key);
        node_put_c(a, call, "name", node_get_c(m->value, "name"));
        node_put_c(a, call, "config", config);
        node_push(a, calls, call);
    }
    return calls;
}

/* ---- its role ---- */

static struct node *staged(const struct warming *w, struct str text)
{
    struct node *n = node_str(w->arena, text);
    n->flags |= NODE_STAGE;
    return n;
}

static const struct node *list_of(struct arena *a, const struct node *const *items, size_t n)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, list, items[i]);
    return list;
}
#define LIST(a, ...)                                        \
    list_of((a), (const struct node *const[]){__VA_ARGS__}, \
            sizeof((const struct node *const[]){__VA_ARGS__}) / sizeof(const struct node *))

static const struct node *text(struct arena *a, const char *s)
{
    return node_str(a, str_c(s));
}

static const struct node *joined(struct arena *a, const struct node *parts)
{
    return node_fn(a, "Fn::Join", LIST(a, text(a, "-"), parts));
}

static const struct node *arn_of(const struct warming *w, const char *service, struct str rest)
{
    return node_fn(
        w->arena, "Fn::Sub",
        staged(w,
               str_fmt(w->arena, "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%.*s",
                       service, STR_ARG(rest))));
}

static const struct node *statement(struct arena *a, const struct node *actions,
                                    const struct node *resource)
{
    struct node *s = node_map(a);
    node_put_str(a, s, "Effect", STR("Allow"));
    node_put_c(a, s, "Action", actions);
    node_put_c(a, s, "Resource", resource);
    return s;
}

static const struct node *log_statement(const struct warming *w, const struct node *actions,
                                        struct str name, const char *ending)
{
    struct str rest = str_fmt(w->arena, "log-group:/aws/lambda/%.*s%s", STR_ARG(name), ending);
    return statement(w->arena, actions, LIST(w->arena, arn_of(w, "logs", rest)));
}

static const struct node *document(struct arena *a, const struct node *statements)
{
    struct node *d = node_map(a);
    node_put_str(a, d, "Version", STR("2012-10-17"));
    node_put_c(a, d, "Statement", statements);
    return d;
}

static const struct node *rights(const struct warming *w, struct str name, const struct node *calls)
{
    struct arena *a = w->arena;
    struct node *called = node_seq(a);
    node_each (call, calls)
        node_push(
            a, called,
            arn_of(w, "lambda",
                   str_fmt(a, "function:%.*s*", STR_ARG(node_text(node_get_c(call, "name"))))));
    const struct node *network =
        LIST(a, text(a, "ec2:CreateNetworkInterface"), text(a, "ec2:DescribeNetworkInterfaces"),
             text(a, "ec2:DetachNetworkInterface"), text(a, "ec2:DeleteNetworkInterface"));
    return document(
        a, LIST(a,
                log_statement(
                    w, LIST(a, text(a, "logs:CreateLogGroup"), text(a, "logs:CreateLogStream")),
                    name, ":*"),
                log_statement(w, LIST(a, text(a, "logs:PutLogEvents")), name, ":*:*"),
                statement(a, LIST(a, text(a, "lambda:InvokeFunction")), called),
                statement(a, network, text(a, "*"))));
}

static const struct node *trust(struct arena *a)
{
    struct node *s = node_map(a), *principal = node_map(a);
    node_put_c(a, principal, "Service", LIST(a, text(a, "lambda.amazonaws.com")));
    node_put_str(a, s, "Effect", STR("Allow"));
    node_put_c(a, s, "Principal", principal);
    node_put_str(a, s, "Action", STR("sts:AssumeRole"));
    return document(a, LIST(a, s));
}

static const struct node *role_of(const struct warming *w, const struct member *warmer,
                                  struct str name, const struct node *calls)
{
    struct arena *a = w->arena;
    struct node *role = node_map(a), *properties = node_map(a), *policy = node_map(a);
    const struct node *service = node_get_c(w->root, "service");
    const struct node *stage = staged(w, w->r->stage);
    const struct node *lower = node_str(a, str_lower(a, warmer->key));
    const struct node *given = node_get_c(warmer->value, "roleName");
    node_put_c(a, policy, "PolicyName",
               joined(a, LIST(a, service, stage, text(a, "warmer"), lower, text(a, "policy"))));
    node_put_c(a, policy, "PolicyDocument", rights(w, name, calls));
    node_put_str(a, properties, "Path", STR("/"));
    node_put_c(a, properties, "RoleName",
               given ? given
                     : joined(a, LIST(a, service, stage, node_ref(a, STR("AWS::Region")), lower,
                                      text(a, "role"))));
    node_put_c(a, properties, "AssumeRolePolicyDocument", trust(a));
    node_put_c(a, properties, "Policies", LIST(a, policy));
    node_put_str(a, role, "Type", STR("AWS::IAM::Role"));
    node_put_c(a, role, "Properties", properties);
    role->pos = properties->pos = warmer->key_pos;
    return role;
}

static struct node *copy_of(struct arena *a, const struct node *map)
{
    return node_is(map, NODE_MAP) ? node_shallow(a, map) : node_map(a);
}

static void add_resource(const struct warming *w, struct str id, struct pos pos,
                         const struct node *resource)
{
    struct arena *a = w->arena;
    struct node *resources = copy_of(a, node_get_c(w->root, "resources"));
    struct node *all = copy_of(a, node_get_c(resources, "Resources"));
    node_put_at(a, all, id, pos, resource);
    node_put_c(a, resources, "Resources", all);
    node_put_c(a, w->root, "resources", resources);
}

/* ---- its function ---- */

static const struct node *package_of(struct arena *a, const struct node *given, struct str folder)
{
    struct node *package = node_map(a), *patterns = node_seq(a);
    struct str all = str_concat(a, folder, STR("/**"));
    const struct node *individually = node_get_c(given, "individually");
    bool has = false;
    node_push(a, patterns, text(a, "!**"));
    node_each (item, node_get_c(given, "patterns")) {
        node_push(a, patterns, item);
        has = has || str_eq(node_text(item), all);
    }
    if (!has)
        node_push(a, patterns, node_str(a, all));
    node_put_c(a, package, "individually", individually ? individually : node_bool(a, true));
    node_put_c(a, package, "patterns", patterns);
    return package;
}

static const struct node *events_of(struct arena *a, const struct node *given, struct pos pos)
{
    struct node *event = node_map(a), *schedule = node_str(a, STR("rate(5 minutes)"));
    schedule->pos = event->pos = pos;
    node_put_at(a, event, STR("schedule"), pos, schedule);
    return node_is(given, NODE_SEQ) ? given : LIST(a, event);
}

/* What the provider's environment has is taken away, unless the warmer has one of its own. */
static const struct node *environment_of(const struct warming *w, const struct node *given)
{
    struct node *none = node_map(w->arena);
    if (given)
        return node_count(given) ? given : NULL;
    member_each (m, node_path(w->root, "provider.environment"))
        node_put(w->arena, none, m->key, node_null(w->arena));
    return none->size ? none : NULL;
}

static const struct node *network_of(struct arena *a, const struct node *given)
{
    struct node *none = node_map(a);
    if (!node_is(given, NODE_BOOL))
        return given;
    node_put_c(a, none, "securityGroupIds", node_seq(a));
    node_put_c(a, none, "subnetIds", node_seq(a));
    return none;
}

static const struct node *number_or(struct arena *a, const struct node *given, int otherwise)
{
    return given ? given : node_int(a, otherwise);
}

static void warn_tracing(const struct warming *w, const struct node *tracing)
{
    const struct config_options *o = w->r->options;
    if (node_truthy(tracing) && o->warn)
        o->warn(o->warn_context, node_pos(tracing),
                STR("'tracing' traces the warmer, not what it calls"), (struct str){0});
}

static void add_function(const struct warming *w, const struct member *warmer, struct str name,
                         const struct node *role, const struct node *calls)
{
    static const char *const copied[] = {"architecture", "tracing", "logRetentionInDays", "tags"};
    struct arena *a = w->arena;
    const struct node *given = warmer->value, *folder_given = node_get_c(given, "folderName");
    struct node *fn = node_map(a), *functions = copy_of(a, node_get_c(w->root, "functions"));
    struct node *kept = node_map(a);
    struct str folder =
        path_clean(a, node_text_or(folder_given, path_join(a, STR(".warmup"), warmer->key)));
    node_put_c(a, fn, "description",
               node_strf(a, "Serverless WarmUp Plugin (warmer \"%.*s\")", STR_ARG(warmer->key)));
    node_put_c(a, fn, "events", events_of(a, node_get_c(given, "events"), warmer->key_pos));
    node_put_str(a, fn, "handler", str_concat(a, folder, STR("/index.warmUp")));
    node_put_c(a, fn, "memorySize", number_or(a, node_get_c(given, "memorySize"), 128));
    node_put_c(a, fn, "name",
               node_get_c(given, "name") ? node_get_c(given, "name") : staged(w, name));
    node_put_str(a, fn, "runtime", STR("nodejs24.x"));
    node_put_c(a, fn, "package", package_of(a, node_get_c(given, "package"), folder));
    node_put_c(a, fn, "timeout", number_or(a, node_get_c(given, "timeout"), 10));
    node_put_c(a, fn, "environment", environment_of(w, node_get_c(given, "environment")));
    node_put_c(a, fn, "role", role);
    node_put_c(a, fn, "vpc", network_of(a, node_get_c(given, "vpc")));
    node_put_c(a, fn, "layers", node_seq(a));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        node_put_c(a, fn, copied[i], node_get_c(given, copied[i]));
    node_put_c(a, kept, "name", node_get_c(given, "name"));
    node_put_c(a, kept, "verbose", node_bool(a, node_bool_or(node_get_c(given, "verbose"), true)));
    node_put_c(a, kept, "shared", node_bool(a, !w->r->options->only_compiles));
    node_put_c(a, kept, "ownRole", node_bool(a, !node_get_c(given, "role")));
    node_put_c(a, kept, "calls", calls);
    node_put_c(a, fn, "warmer", kept);
    warn_tracing(w, node_get_c(given, "tracing"));
    struct str key = str_concat(a, STR("warmUpPlugin"), str_upper_first(a, warmer->key));
    node_put_at(a, functions, key, warmer->key_pos, fn);
    node_put_c(a, w->root, "functions", functions);
}

static int add_warmer(const struct warming *w, const struct member *warmer, struct err *err)
{
    struct arena *a = w->arena;
    const struct config_options *o = w->r->options;
    const struct node *calls = calls_of(w, warmer, err);
    const struct node *role = node_get_c(warmer->value, "role");
    struct str name = node_text_or(node_get_c(warmer->value, "name"),
                                   str_fmt(a, "%.*s-%.*s-warmup-plugin-%.*s",
                                           STR_ARG(node_text(node_get_c(w->root, "service"))),
                                           STR_ARG(w->r->stage), STR_ARG(warmer->key)));
    if (err->kind)
        return -1;
    if (!node_count(calls)) {
        if (o->warn)
            o->warn(o->warn_context, warmer->key_pos,
                    str_fmt(a, "warmer '%.*s' is left out: it has no functions in this stage",
                            STR_ARG(warmer->key)),
                    (struct str){0});
        return 0;
    }
    if (!role) {
        struct str id =
            str_fmt(a, "WarmUpPlugin%.*sRole", STR_ARG(str_upper_first(a, warmer->key)));
        add_resource(w, id, warmer->key_pos, role_of(w, warmer, name, calls));
        role = node_str(a, id);
    }
    add_function(w, warmer, name, role, calls);
    return 0;
}

static int check_names(const struct warming *w, struct err *err)
{
    member_each (fn, w->functions)
        member_each (m, node_get_c(fn->value, "warmup")) {
            struct err one = {0};
            if (!node_get(w->warmers, m->key)) {
                err_at(&one, m->key_pos, ERR_CONFIG, "there is no warmer '%.*s'", STR_ARG(m->key));
                err_help(&one, "describe it under 'custom.warmup'");
            }
            err_also(err, &one);
        }
    return err->kind ? -1 : 0;
}

int plugin_warmup(struct resolver *r, struct node *root, const struct node *options,
                  struct err *err)
{
    struct warming w = {r, r->arena, root, node_get_c(root, "functions"), options};
    if (check_names(&w, err) < 0)
        return -1;
    member_each (warmer, options) {
        struct err one = {0};
        add_warmer(&w, warmer, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
