/* What the files of compile/ share: the template under construction, names, and the table of event
 * compilers. Nothing outside compile/ includes this. */
#ifndef TROUPE_COMPILE_COMPILE_INTERNAL_H
#define TROUPE_COMPILE_COMPILE_INTERNAL_H

#include "cfn/template.h"
#include "compile/compile.h"

/* A compilation under way. */
struct compilation {
    struct arena *arena;
    const struct service *service;
    const struct packed *packed;
    const struct compile_options *options;
    struct compiled *out;
    const struct node *provider; /* service->root.provider */
    struct node *resources;      /* Resources of the template, open for building */
    struct node *outputs;        /* Outputs, likewise */
    /* Further state of one subject lives behind an opaque pointer, made by its `begin`. */
    struct rest_state *rest;
    struct http_state *http;
    struct websocket_state *websocket;
    struct node
        *role_statements;       /* statements that functions and events add to the role, in order */
    struct node *role;          /* the role for functions, open for building; NULL: none is made */
    struct node *role_services; /* who may assume it */
    struct node *custom_statements; /* of the role of custom resources; NULL: none is made */
    struct node *destinations;      /* targets of events that the role may send to already */
    struct schedule_state *schedule;
    struct s3_state *s3;
    struct sns_state *sns;
    struct sqs_state *sqs;
    struct mapping_rights *mapping_rights; /* of the kind of event being compiled */
    struct cloud_front_state *cloud_front;
    struct user_pool_state *user_pools;
    struct rules_state *rules; /* of eventBridge, made by a custom resource */
    struct alb_state *alb;
    struct log_state *log;
};

/* One event of a function, as its compiler sees it. */
struct event {
    const struct function *function;
    size_t function_index;
    size_t index;            /* among the function's events */
    const struct node *node; /* the value: `http: GET hello` -> the string, or the map */
    struct pos pos;          /* of the event's key */
};

/* A kind of event. `begin` runs before any event when the service has at least one of this kind;
 * `compile` for each in order; `finish` afterwards. Any but `compile` may be NULL. */
struct event_type {
    const char *key; /* "http", "sqs" … */
    int (*begin)(struct compilation *c, struct err *err);
    int (*compile)(struct compilation *c, const struct event *event, struct err *err);
    int (*finish)(struct compilation *c, struct err *err);
};

/* One file per kind: events/event_<key>.c. The table is in events/events.c. */
extern const struct event_type event_http, event_http_api, event_schedule, event_sns, event_sqs,
    event_s3, event_stream, event_cognito_user_pool, event_event_bridge, event_websocket,
    event_kafka, event_msk, event_activemq, event_rabbitmq, event_cloud_front, event_alb,
    event_alexa_skill, event_alexa_smart_home, event_iot, event_iot_fleet_provisioning,
    event_cloudwatch_event, event_cloudwatch_log;

/* Which of its kind the event is in its function, from 1: events/event_entry.c. */
size_t event_number(const struct event *event);
/* That of `input`, `inputPath` and `inputTransformer` one is said at most. */
int event_check_input(const struct event *event, struct err *err);

/* ---- names (compile/names.c): the reference's rules for logical ids ---- */

/* Alphanumeric characters only, first letter upper case. */
struct str name_alphanumeric(struct arena *a, struct str s);
/* "users/{id}" -> "UsersIdVar" */
struct str name_path(struct arena *a, struct str path);
/* FooLambdaFunction of a function. */
struct str name_function_id(struct compilation *c, const struct function *f);
/* The same with another ending: "Foo" + `suffix`. */
struct str name_with(struct compilation *c, const struct function *f, const char *suffix);
/* The stage-dependent prefix of generated names: "<service>-<stage>" (NAMING_FLAT). */
struct str name_prefix(struct compilation *c);

/* Does `f` get a name without the stage (NAMING_SHARED, and not per stage)? */
bool name_is_shared(struct compilation *c, const struct function *f);
enum { FUNCTION_NAME_MAX = 64 }; /* characters. Source: Lambda API reference, CreateFunction */
/* FunctionName of `f` as a string node, flagged NODE_STAGE when the stage is in it. */
const struct node *name_function(struct compilation *c, const struct function *f);
/* Its log group: of the function, or with custom.troupe.logs: stage of the function in this stage,
 * named as the dialect names that of a stage's own function. */
const struct node *name_log_group(struct compilation *c, const struct function *f);
/* A generated text that contains the stage: a string node flagged NODE_STAGE. Not copied. */
struct node *node_staged(struct compilation *c, struct str text);

/* ---- the parts of a compilation, in the order they run ---- */

void bucket_compile(struct compilation *c); /* bucket.c */
/* Those of provider.cloudFront, used or not: event_cloud_front.c */
int cache_policies_compile(struct compilation *c, struct err *err);
int log_groups_compile(struct compilation *c, struct err *err); /* log_groups.c */
int iam_compile(struct compilation *c, struct err *err);        /* iam.c */
/* A log group with what `provider` says of retention and protection: log_groups.c */
int provider_log_group_add(struct compilation *c, struct str id, const struct node *name,
                           struct pos pos, struct err *err);
int layers_compile(struct compilation *c, struct err *err);    /* layers.c */
int functions_compile(struct compilation *c, struct err *err); /* functions.c */
int events_compile(struct compilation *c, struct err *err);    /* events.c */
/* Those of serverless-iam-roles-per-function, when the service lists it: own_roles.c */
int own_roles_compile(struct compilation *c, struct err *err);
/* Those of serverless-step-functions, when the service lists it: state machines, their roles and
 * activities behind the functions, what starts them behind all events. step_functions/ */
int state_machines_compile(struct compilation *c, struct err *err);
int state_machine_events_compile(struct compilation *c, struct err *err);
/* Mappings of serverless-domain-manager, when the service lists it: domain_mappings.c */
int domains_compile(struct compilation *c, struct err *err);
void outputs_export(struct compilation *c); /* outputs.c */
/* What warmers of serverless-plugin-warmup are in stages: warmers.c */
const struct node *warmers_finish(struct compilation *c, const struct node *template);
/* What serverless-pseudo-parameters makes of the finished template, when the service lists it:
 * pseudo_parameters.c */
const struct node *pseudo_parameters_replace(struct compilation *c, const struct node *template);
/* What plugins that were bridged have changed in it, and names of functions that only the framework
 * gives; `template` itself when the service is not bridged. NULL: error. bridged.c */
const struct node *bridged_finish(struct compilation *c, const struct node *template,
                                  struct err *err);
int limits_check(struct compilation *c, struct err *err); /* limits.c */
/* `err` and those behind it say what AWS is certain to refuse: -1, or, when only the template is
 * wanted, warnings of all of them and 0. aws_refuses.c */
int aws_refuses(const struct compilation *c, struct err *err);
/* The user's `resources` merged in, `extensions` applied; gives the finished template. */
const struct node *resources_finish(struct compilation *c, struct err *err); /* user_resources.c */

/* The layer of the service's own that `reference`, an item of Layers, refers to; NULL: none.
 * layers.c */
const struct compiled_layer *layer_referred(const struct compilation *c,
                                            const struct node *reference);
/* ---- what version 4 of the dialect does otherwise (dialect_4.c) ---- */

bool is_dialect_4(const struct compilation *c);
/* There, whatever is made for a function has the function's `condition`. */
void put_condition(struct compilation *c, struct node *resource, const struct function *f);
/* The function's `durableConfig`, or NULL. Version 3 has none. */
const struct node *durable_config(const struct compilation *c, const struct function *f);
/* Refuse what Lambda does not let a durable function have. CONFIG. */
int durable_check(struct compilation *c, const struct function *f, struct err *err);

/* ---- parts of functions_compile ---- */

/* A function under construction. */
struct building {
    const struct function *f;
    size_t index;            /* in service->functions */
    struct node *resource;   /* the AWS::Lambda::Function */
    struct node *properties; /* its Properties */
    struct node *depends_on; /* a sequence */
    struct str image_sha;    /* digest of an image, empty for zips */
    struct str code_sha;     /* base64 hash of the zip, empty when not packed */
};

/* Code, Handler, Runtime, or the image: function_code.c */
int function_code(struct compilation *c, struct building *b, struct err *err);
/* Everything else of the function resource: function_properties.c */
int function_properties(struct compilation *c, struct building *b, struct err *err);
/* Its version, and the alias of provisioned concurrency and SnapStart: function_version.c */
int function_version(struct compilation *c, struct building *b, struct err *err);
bool function_is_versioned(struct compilation *c, const struct function *f);
/* `url`: function_url.c */
int function_url(struct compilation *c, const struct function *f, struct err *err);
/* `destinations`, `maximumEventAge`, `maximumRetryAttempts`: function_async.c */
int function_async(struct compilation *c, const struct function *f, struct err *err);

/* ---- shared pieces ---- */

/* The alias that the dialect itself makes for provisioned concurrency or SnapStart. */
struct function_alias {
    struct str id;   /* logical id: FooProvConcLambdaAlias, FooSnapStartLambdaAlias */
    struct str name; /* provisioned, snapstart */
};
/* False: `f` has none. */
bool function_alias(struct compilation *c, const struct function *f, struct function_alias *ret);
/* {"Fn::GetAtt": [FooLambdaFunction, Arn]}, whatever alias there is. */
struct node *function_arn(struct compilation *c, const struct function *f);
/* The function whose key is `key`, or NULL. */
const struct function *function_by_key(struct compilation *c, struct str key);
/* Set DependsOn of `resource` to the alias of `f`, if it has one: `"DependsOn": id`. */
void depend_on_alias(struct compilation *c, struct node *resource, const struct function *f);
/* {"Fn::Join": [separator, parts]}; `parts` is a sequence. */
struct node *node_join(struct arena *a, const char *separator, const struct node *parts);
/* A sequence of `n` nodes, NULL ones left out. */
struct node *node_list(struct arena *a, size_t n, const struct node *const *items);
#define NODE_LIST(a, ...)                                                                \
    node_list((a), sizeof((const struct node *[]){__VA_ARGS__}) / sizeof(struct node *), \
              (const struct node *[]){__VA_ARGS__})
/* {"Fn::Sub": text}, with place and flags of `from`. */
struct node *node_sub(struct arena *a, struct str text, const struct node *from);
/* A string node of a literal: node_c(a, "arn:"). */
struct node *node_c(struct arena *a, const char *text);
/* Copy the member `from` of configuration map `map` to `to` of `out`, as it is; absent or null is
 * skipped. */
void copy_member(struct arena *a, struct node *out, const char *to, const struct node *map,
                 const char *from);
/* JavaScript's `x || y`. */
const struct node *node_or(const struct node *x, const struct node *y);
/* Setting `key` of `x`, else of `y` (function, then provider); NULL when neither is true. */
const struct node *node_setting(const struct node *x, const struct node *y, const char *key);
/* `n` as JavaScript's Object.entries has it: a map as it is, letters of a text and items of a list
 * with their index as key, else nothing. */
const struct node *node_entries(struct arena *a, const struct node *n);
/* `map` with its members as JavaScript walks them: integer-like keys first, nulls last. */
struct node *node_javascript_order(struct arena *a, const struct node *map);
/* The same as a string node with all flags of `n`. */
struct node *node_stringified(struct arena *a, const struct node *n);
/* The text `n` without line ends. */
const struct node *node_one_line(struct arena *a, const struct node *n);
/* `n` as it comes out of a JSON text template into which it was pasted unescaped, as the reference
 * does it: backslash sequences are resolved once. What would break such a template stays as it is.
 */
const struct node *node_templated(struct arena *a, const struct node *n, bool escape_quotes);
/* Append `item` unless an equal one is there. */
void add_unique(struct arena *a, struct node *seq, const struct node *item);
/* Put `filterPatterns` of an event source mapping into `properties`. */
void put_mapping_filters(struct arena *a, struct node *properties, const struct node *settings);
/* The same for `functionResponseType`. */
void put_mapping_response(struct arena *a, struct node *properties, const struct node *settings);
/* The same for what the mappings of all brokers have: batches, `enabled`, filters. */
void put_broker_settings(struct arena *a, struct node *properties, const struct node *settings);
/* DependsOn of an event source mapping: the role and the alias of `f`, as far as the template has
 * them. */
struct node *mapping_depends_on(struct compilation *c, const struct function *f);
/* What a kind of mapping may need of the function role. */
struct mapping_right {
    const char *actions[8]; /* NULL-terminated */
    bool is_everywhere;     /* on '*', not on the resources it is needed for */
};
/* To reach a cluster or broker in its network. */
#define MAPPING_RIGHT_NETWORK                                                      \
    {                                                                              \
        .actions = {"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", \
                    "ec2:DescribeVpcs",           "ec2:DeleteNetworkInterface",    \
                    "ec2:DescribeSubnets",        "ec2:DescribeSecurityGroups"},   \
        .is_everywhere = true                                                      \
    }
/* Start collecting for the events of one kind. The role gets a statement for each of the `count`
 * `kinds` that a function needs, function by function, in the order of the table. */
void mapping_rights_begin(struct compilation *c, const struct mapping_right *kinds, size_t count);
/* The function of `event` needs `kinds[kind]`, on `resource` where that is not NULL. */
void mapping_rights_need(struct compilation *c, const struct event *event, size_t kind,
                         const struct node *resource);
/* Hand what the last function needs to the role. */
void mapping_rights_finish(struct compilation *c);
/* DependsOn of what AWS takes only once it may call `f`: `permission` and the alias of `f`. */
struct node *depends_on_permission(struct compilation *c, const struct function *f,
                                   struct str permission);
/* [{Key, Value}] of a map, as tags and conditions of queries have it; empty for what is no map. */
struct node *key_value_list(struct arena *a, const struct node *map);
/* A statement {Effect: Allow, Action: actions, Resource: resources} for the function role. */
struct node *statement_new(struct arena *a, const struct node *actions,
                           const struct node *resources);
/* Add a statement to the function role. `unique`: not when an equal one is there already. */
void role_allow(struct compilation *c, struct node *statement, bool unique);
/* The role that `f` is told to use, or NULL: the generated one. */
const struct node *role_of_function(struct compilation *c, const struct function *f);
/* Logical id of the role resource that `f` runs under; empty when it is not in the template. */
struct str role_resource_name(struct compilation *c, const struct function *f);
/* Name of the bucket that `provider.deploymentBucket` names, or NULL: the service's own. */
const struct node *bucket_given(const struct node *provider);
/* {AWSTemplateFormatVersion, Description, Resources, Outputs} */
struct node *template_new(struct arena *a, const struct node *resources,
                          const struct node *outputs);

/* Where events aim: {"Fn::GetAtt": ["FooLambdaFunction", "Arn"]}, or the alias for provisioned
 * concurrency as the reference does it. */
const struct node *target_arn(struct compilation *c, const struct function *f);
/* What an API calls a function by, given the function's ARN. */
struct node *invocation_uri(struct arena *a, const struct node *function);
/* Add a resource {Type, Properties, …}; an existing id is an error that shows both places. `from`
 * gives the position. */
int resource_add(struct compilation *c, struct str id, struct node *resource, struct pos from,
                 struct err *err);
/* The same, but one that is there already is replaced. */
void resource_set(struct compilation *c, struct str id, struct node *resource, struct pos from);
/* The same, but an equal resource that is there already is fine: several events may need it. */
int resource_share(struct compilation *c, struct str id, struct node *resource, struct pos from,
                   struct err *err);
/* {"Type": type, "Properties": properties} */
struct node *resource_new(struct arena *a, const char *type, const struct node *properties);
/* AWS::Lambda::Permission for `target`: Action lambda:InvokeFunction, Principal, SourceArn (may be
 * NULL). */
struct node *permission_new(struct arena *a, const struct node *target,
                            const struct node *principal, const struct node *source_arn);

#endif
