/* APIs that stages share: a head in the service stack, a definition for each stage. */
#include "layout/layout_internal.h"
#include "layout/openapi/openapi.h"

#include "doc/json.h"

static const struct kind {
    const char *owner;       /* property by which its resources name it */
    const char *const *kept; /* properties that stay in the head */
    const struct node *(*build)(struct arena *a, const struct node *template, struct str api_id,
                                const struct openapi_options *options, struct err *err);
    bool (*takes)(const struct node *resource, struct str api_id);
} kinds[] = {
    [API_REST] = {"RestApiId",
                  (const char *const[]){"Name", "EndpointConfiguration", "SecurityPolicy",
                                        "EndpointAccessMode", NULL},
                  openapi_build, openapi_takes},
    [API_HTTP] = {"ApiId",
                  (const char *const[]){"Name", "ProtocolType", "IpAddressType",
                                        "CorsConfiguration", NULL},
                  openapi_build_http, openapi_takes_http},
};

bool shared_api_defines(const struct layout_api *api, const struct node *resource)
{
    return kinds[api->kind].takes(resource, api->id);
}

bool shared_api_points(const struct layout_api *api, const struct node *resource)
{
    const struct node *owner =
        node_get_c(node_get_c(resource, "Properties"), kinds[api->kind].owner);
    struct cfn_value v;
    return cfn_is(cfn_type_of(resource), CFN_API_POINTER) && cfn_is_value(owner, &v) &&
           !v.attribute.n && str_eq(v.id, api->id);
}

static void share(struct laying *l, enum api_kind kind, struct str id, const char *stage_id)
{
    if (id.n && node_get(l->flat, id))
        l->out->apis[l->out->api_count++] =
            (struct layout_api){.kind = kind,
                                .id = id,
                                .stage_id = str_c(stage_id),
                                .pos = node_pos(node_get(l->flat, id))};
}

void shared_api_init(struct laying *l)
{
    const struct settings *s = &l->service->settings;
    l->out->apis = ARENA_ARRAY(l->arena, 2, struct layout_api);
    if (!s->rest_per_stage)
        share(l, API_REST, l->compiled->rest_api_id, REST_STAGE_ID);
    if (s->http_shared)
        share(l, API_HTTP, l->compiled->http_api_id, "HttpApiStage");
}

const struct layout_api *shared_api_stage(const struct laying *l, struct str id)
{
    for (size_t i = 0; i < l->out->api_count; i++)
        if (str_eq(l->out->apis[i].stage_id, id))
            return &l->out->apis[i];
    return NULL;
}

bool shared_api_is_http(const struct laying *l)
{
    return shared_api_stage(l, STR("HttpApiStage")) != NULL;
}

/* ---- the definition ---- */

static const struct node *stage_variable_arn(void *context, struct arena *a, struct str id)
{
    struct laying *l = context;
    const struct placement *p = placement_of(l, id);
    if (!p || !p->function || p->function->per_stage)
        return NULL;
    /* "${!x}" in an Fn::Sub is the text "${x}" */
    return node_fn(a, "Fn::Sub",
                   node_strf(a,
                             "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
                             "function:%.*s:${!stageVariables.alias}",
                             STR_ARG(p->function->name)));
}

/* CORS holds for the whole API, whatever deployment a stage has, so it is the head's. An import of
 * a definition overwrites it; publishing therefore adds the CORS settings to the definition, and
 * reads them from this Output. */
static int keep_cors(struct laying *l, const struct layout_api *api, struct err *err)
{
    struct arena *a = l->arena;
    const struct node *cors = node_path(node_get(l->flat, api->id), "Properties.CorsConfiguration");
    if (!cors)
        return 0;
    if (node_flags_deep(cors) & NODE_STAGE || cfn_has_function(cors)) {
        err_at(err, node_pos(cors), ERR_CONFIG,
               "CORS of a shared HTTP API is the same for all stages, and made of plain values");
        return err_help(err, "set custom.troupe.apis.http: perStage");
    }
    struct node *output = node_map(a);
    node_put_str(a, output, "Value", json_canonical(a, openapi_cors(a, cors)));
    node_put(a, l->service_outputs, str_concat(a, api->id, STR(LAYOUT_CORS)), output);
    return 0;
}

/* One API has one name. Where the file has a name for each stage, the API is called like the
 * service. */
static const struct node *name_of(const struct laying *l, const struct layout_api *api)
{
    const struct node *name = node_path(node_get(l->flat, api->id), "Properties.Name");
    if (name && !(node_flags_deep(name) & NODE_STAGE))
        return name;
    struct node *one = node_str(l->arena, l->service->name);
    one->pos = node_pos(name);
    return one;
}

static void warn_of_name(struct laying *l, const struct layout_api *api)
{
    const struct node *name = node_path(node_get(l->flat, api->id), "Properties.Name");
    if (!name || !(node_flags_deep(name) & NODE_STAGE))
        return;
    vec_push(
        l->arena, &l->warnings,
        str_fmt(l->arena,
                "the name of '%.*s' depends on the stage%.*s, and all stages share the API: it "
                "is called '%.*s'; for an API of each stage's own set custom.troupe.apis.%s: "
                "perStage",
                STR_ARG(api->id), STR_ARG(place_text(l->arena, node_pos(name))),
                STR_ARG(l->service->name), api->kind == API_REST ? "rest" : "http"));
}

/* ---- VPC links ---- */

/* Is `m` a VPC link that the definition names? */
static bool is_link_of(const struct laying *l, const struct layout_api *api, const struct member *m)
{
    struct str type = cfn_type_of(m->value);
    if (!str_eq(type, STR("AWS::ApiGateway::VpcLink")) &&
        !str_eq(type, STR("AWS::ApiGatewayV2::VpcLink")))
        return false;
    member_each (part, l->flat)
        if (shared_api_defines(api, part->value) &&
            cfn_mentions(node_get_c(part->value, "Properties"), m->key))
            return true;
    return false;
}

/* AWS deletes no VPC link that an API names. The API keeps the definition that was published last,
 * so the link of a stage could not go with the stage. */
static int check_links(const struct laying *l, const struct layout_api *api, struct err *err)
{
    member_each (m, l->flat) {
        if (!is_link_of(l, api, m) || placement_of(l, m->key)->scope != SCOPE_STAGE)
            continue;
        err_at(err, m->key_pos, ERR_CONFIG,
               "VPC link '%.*s' is the stage's, and the API that names it is shared: AWS would not "
               "delete the link with the stage",
               STR_ARG(m->key));
        return err_help(err,
                        "let all stages have one link, with custom.troupe.resources.service: "
                        "[%.*s], or each an API of its own, with custom.troupe.apis.%s: perStage",
                        STR_ARG(m->key), api->kind == API_REST ? "rest" : "http");
    }
    return 0;
}

/* CloudFormation deletes the API before the links that it names. */
static const struct node *links_of(const struct laying *l, const struct layout_api *api)
{
    struct node *ids = node_seq(l->arena);
    member_each (m, l->flat)
        if (is_link_of(l, api, m))
            node_push(l->arena, ids, node_str(l->arena, m->key));
    return ids->count ? ids : NULL;
}

int shared_api_define(struct laying *l, struct layout_api *api, struct err *err)
{
    if (check_links(l, api, err) < 0)
        return -1;
    warn_of_name(l, api);
    struct openapi_options options = {
        .title = node_text(name_of(l, api)), .function_arn = stage_variable_arn, .context = l};
    const struct node *document =
        kinds[api->kind].build(l->arena, l->compiled->template, api->id, &options, err);
    if (!document)
        return -1;
    if (api->kind == API_HTTP && keep_cors(l, api, err) < 0)
        return -1;
    api->document = references_rewrite(l, document, REFERENCE_LITERAL, err);
    return api->document ? 0 : -1;
}

/* ---- the head ---- */

const struct node *shared_api_head(struct laying *l, const struct layout_api *api)
{
    struct arena *a = l->arena;
    const struct node *flat = node_get(l->flat, api->id), *from = node_get_c(flat, "Properties");
    struct node *properties = node_map(a), *head = node_map(a);
    for (const char *const *name = kinds[api->kind].kept; *name; name++)
        node_put_c(a, properties, *name, node_get_c(from, *name));
    node_put_c(a, properties, "Name", name_of(l, api));
    if (!(node_flags_deep(node_get_c(from, "Tags")) & NODE_STAGE))
        node_put_c(a, properties, "Tags", node_get_c(from, "Tags"));
    node_put_c(a, head, "Type", node_get_c(flat, "Type"));
    node_put_c(a, head, "Properties", properties);
    node_put_c(a, head, "DependsOn", links_of(l, api));
    return node_from(head, flat);
}
