/* Lambda's functions, versions and aliases; API Gateway's REST APIs. */
#include "check.h"

#include "fake_aws.h"

#include "base/hash.h"
#include "doc/json.h"

static const struct node *body_of(const struct fake_request *q)
{
    struct err err = {0};
    const struct node *n = q->body.n ? json_parse(q->arena, STR("body"), q->body, &err) : NULL;
    err_clear(&err);
    return n;
}

static struct str member(const struct node *n, const char *key)
{
    return node_text(node_get_c(n, key));
}

/* The n-th part of the path: "/2015-03-31/functions/f/aliases/dev" has "f" as 2. */
static struct str part(const struct fake_request *q, size_t i)
{
    struct str rest = str_sub(q->path, 1, q->path.n), one = {"", 0};
    for (size_t k = 0; k <= i; k++)
        if (!str_cut(&rest, '/', &one))
            return (struct str){"", 0};
    return one;
}

/* ---- state ---- */

struct fake_function *fake_function_find(struct fake_aws *aws, struct str name)
{
    for (size_t i = 0; i < aws->functions.n; i++)
        if (str_eq(aws->functions.p[i].name, name))
            return &aws->functions.p[i];
    return NULL;
}

static void touch(struct fake_aws *aws, struct node *n)
{
    node_put_str(aws->arena, n, "RevisionId", fake_id(aws, "revision-"));
}

struct fake_function *fake_function_add(struct fake_aws *aws, const char *name, const char *json,
                                        struct str code)
{
    struct err err = {0};
    struct arena *a = aws->arena;
    struct fake_function f = {.name = str_c(name)};
    f.head = node_deep(a, json_parse(a, STR("function"), str_c(json), &err));
    node_put_str(a, f.head, "FunctionName", f.name);
    node_put_str(a, f.head, "Version", STR("$LATEST"));
    node_put_str(a, f.head, "CodeSha256", sha256_base64(a, code));
    node_put_str(a, f.head, "State", STR("Active"));
    node_put_str(a, f.head, "LastUpdateStatus", STR("Successful"));
    touch(aws, f.head);
    vec_push(a, &aws->functions, f);
    return &aws->functions.p[aws->functions.n - 1];
}

static struct node *with_text(struct node **all, size_t n, const char *key, struct str value)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(member(all[i], key), value))
            return all[i];
    return NULL;
}

static struct node *qualified(struct fake_function *f, struct str qualifier)
{
    struct node *alias = with_text(f->aliases.p, f->aliases.n, "Name", qualifier);
    if (alias)
        qualifier = member(alias, "FunctionVersion");
    return !qualifier.n || str_eq(qualifier, STR("$LATEST"))
               ? f->head
               : with_text(f->versions.p, f->versions.n, "Version", qualifier);
}

/* ---- Lambda ---- */

const char *fake_lambda_operation(const struct fake_request *q)
{
    struct str what = part(q, 3);
    char m = q->method.p[1]; /* gEt, pUt, pOst, dElete */
    bool get = q->method.p[0] == 'G', put = m == 'U';
    if (str_eq(what, STR("configuration")))
        return "UpdateFunctionConfiguration";
    if (str_eq(what, STR("code")))
        return "UpdateFunctionCode";
    if (str_eq(what, STR("invocations")))
        return "Invoke";
    if (str_eq(what, STR("versions")))
        return get ? "ListVersionsByFunction" : "PublishVersion";
    if (str_eq(what, STR("aliases")))
        return put ? "UpdateAlias" : part(q, 4).n ? "GetAlias" : "ListAliases";
    return get ? "GetFunction" : "DeleteFunction";
}

static void precondition(const struct fake_request *q, struct reply *ret)
{
    fake_refuse(q, 412, "PreconditionFailedException",
                "The RevisionId provided does not match the latest RevisionId.", ret);
}

static void update(struct fake_aws *aws, struct fake_function *f, const struct fake_request *q,
                   struct reply *ret)
{
    const struct node *body = body_of(q);
    struct str key = member(body, "S3Key");
    struct fake_object *object =
        key.n ? fake_object_find_in(aws, member(body, "S3Bucket"), key) : NULL;
    if (key.n && !object) {
        fake_refuse(q, 400, "InvalidParameterValueException", "S3 Error Code: NoSuchKey.", ret);
        return;
    }
    member_each (m, body)
        if (!str_starts(m->key, STR("S3")) && !str_eq(m->key, STR("RevisionId")))
            node_put(aws->arena, f->head, str_dup(aws->arena, m->key),
                     node_deep(aws->arena, m->value));
    if (object)
        node_put_str(aws->arena, f->head, "CodeSha256", sha256_base64(aws->arena, object->body));
    node_put_str(aws->arena, f->head, "LastModified", fake_id(aws, "modified-"));
    node_put_str(aws->arena, f->head, "State", STR("Active"));
    node_put_str(aws->arena, f->head, "LastUpdateStatus",
                 f->failing > 0 ? STR("Failed") : STR("Successful"));
    node_put_str(aws->arena, f->head, "LastUpdateStatusReason", STR("no address is free"));
    f->failing -= f->failing > 0;
    touch(aws, f->head);
    fake_json(q, f->head, ret);
}

/* One that says the same as the newest version makes none. */
static bool is_published(struct arena *a, const struct fake_function *f)
{
    struct node *head = node_shallow(a, f->head), *last;
    if (!f->versions.n)
        return false;
    last = node_shallow(a, f->versions.p[f->versions.n - 1]);
    node_put_c(a, last, "Description", node_get_c(last, "HeadDescription"));
    node_put_c(a, head, "Description", node_get_c(head, "Description"));
    static const char *const own[] = {"Version", "RevisionId",   "HeadDescription",
                                      "State",   "LastModified", "StateReason"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        node_drop(head, str_c(own[i]));
        node_drop(last, str_c(own[i]));
    }
    return node_equal(head, last);
}

static void publish(struct fake_aws *aws, struct fake_function *f, const struct fake_request *q,
                    struct reply *ret)
{
    struct arena *a = aws->arena;
    const struct node *body = body_of(q);
    struct str sha = member(body, "CodeSha256"), has = member(f->head, "CodeSha256");
    if (sha.n && !str_eq(sha, has)) {
        fake_refuse(q, 400, "InvalidParameterValueException",
                    str_fmt(a,
                            "CodeSHA256 (%.*s) is different from current CodeSHA256 in "
                            "$LATEST (%.*s). Please try again with the CodeSHA256 in $LATEST.",
                            STR_ARG(sha), STR_ARG(has))
                        .p,
                    ret);
        return;
    }
    if (!is_published(q->arena, f)) {
        struct node *version = node_deep(a, f->head);
        int64_t last = 0;
        if (f->versions.n)
            str_to_int(member(f->versions.p[f->versions.n - 1], "Version"), &last);
        node_put_c(a, version, "Version", node_strf(a, "%lld", (long long)last + 1));
        node_put_str(a, version, "Description", str_dup(a, member(body, "Description")));
        node_put_c(a, version, "HeadDescription", node_get_c(f->head, "Description"));
        if (f->broken) {
            node_put_str(a, version, "State", STR("Failed"));
            node_put_str(a, version, "StateReason", STR("it does not start"));
        }
        touch(aws, version);
        vec_push(a, &f->versions, version);
    }
    touch(aws, f->head);
    fake_json(q, f->versions.p[f->versions.n - 1], ret);
}

static void describe(struct fake_function *f, const struct fake_request *q, struct reply *ret)
{
    const struct node *found = qualified(f, fake_param(q->arena, q->query, "Qualifier"));
    if (!found) {
        fake_refuse(q, 404, "ResourceNotFoundException", "Function not found", ret);
        return;
    }
    struct node *configuration = node_shallow(q->arena, found), *out = node_map(q->arena);
    if (f->pending > 0 && found != f->head) {
        f->pending--;
        node_put_str(q->arena, configuration, "State", STR("Pending"));
    }
    if (f->busy > 0) {
        f->busy--;
        node_put_str(q->arena, configuration, "LastUpdateStatus", STR("InProgress"));
    }
    node_put_c(q->arena, out, "Configuration", configuration);
    fake_json(q, out, ret);
}

static void items(const struct fake_request *q, const char *key, struct node **all, size_t n,
                  struct reply *ret)
{
    struct node *out = node_map(q->arena), *list = node_seq(q->arena);
    for (size_t i = 0; i < n; i++)
        node_push(q->arena, list, all[i]);
    node_put_c(q->arena, out, key, list);
    fake_json(q, out, ret);
}

static void alias(struct fake_aws *aws, struct fake_function *f, const struct fake_request *q,
                  struct reply *ret)
{
    struct node *found = with_text(f->aliases.p, f->aliases.n, "Name", part(q, 4));
    const struct node *body = body_of(q);
    struct str revision = member(body, "RevisionId");
    if (!found) {
        fake_refuse(q, 404, "ResourceNotFoundException", "Cannot find alias arn", ret);
        return;
    }
    if (revision.n && !str_eq(revision, member(found, "RevisionId"))) {
        precondition(q, ret);
        return;
    }
    member_each (m, body)
        node_put(aws->arena, found, str_dup(aws->arena, m->key), node_deep(aws->arena, m->value));
    if (body)
        touch(aws, found);
    fake_json(q, found, ret);
}

/* A version that was put away fails the call that wakes it. Source: Lambda developer guide, "Lambda
 * function states". */
static void invoke(struct fake_aws *aws, struct fake_function *f, const struct fake_request *q,
                   struct reply *ret)
{
    struct node *found = qualified(f, fake_param(q->arena, q->query, "Qualifier"));
    *ret = (struct reply){200, NULL, "{}"};
    if (!found) {
        fake_refuse(q, 404, "ResourceNotFoundException", "Function not found", ret);
    } else if (str_eq(member(found, "State"), STR("Inactive"))) {
        node_put_str(aws->arena, found, "State", STR("Active"));
        f->busy = 2;
        fake_refuse(q, 502, "ResourceNotReadyException", "The function is inactive.", ret);
    }
}

/* DeleteFunction of a version. Source: Lambda API reference, "DeleteFunction". */
static void delete_version(struct fake_function *f, const struct fake_request *q, struct reply *ret)
{
    struct str version = fake_param(q->arena, q->query, "Qualifier");
    for (size_t i = 0; i < f->aliases.n; i++) {
        const struct node *weights = node_path(f->aliases.p[i], "RoutingConfig");
        if (str_eq(member(f->aliases.p[i], "FunctionVersion"), version) ||
            node_get(node_get_c(weights, "AdditionalVersionWeights"), version)) {
            fake_refuse(q, 409, "ResourceConflictException",
                        "Version cannot be deleted: an alias points at it", ret);
            return;
        }
    }
    for (size_t i = 0; i < f->versions.n; i++)
        if (str_eq(member(f->versions.p[i], "Version"), version)) {
            memmove(&f->versions.p[i], &f->versions.p[i + 1],
                    (f->versions.n - i - 1) * sizeof *f->versions.p);
            f->versions.n--;
            break;
        }
    *ret = (struct reply){204, NULL, ""};
}

void fake_lambda(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct fake_function *f = fake_function_find(aws, part(q, 2));
    struct str revision = member(body_of(q), "RevisionId");
    if (!f)
        fake_refuse(q, 404, "ResourceNotFoundException", "Function not found", ret);
    else if (str_eq(q->operation, STR("GetFunction")))
        describe(f, q, ret);
    else if (str_eq(q->operation, STR("Invoke")))
        invoke(aws, f, q, ret);
    else if (str_eq(q->operation, STR("DeleteFunction")))
        delete_version(f, q, ret);
    else if (str_eq(q->operation, STR("ListAliases")))
        items(q, "Aliases", f->aliases.p, f->aliases.n, ret);
    else if (str_ends(q->operation, STR("Alias")))
        alias(aws, f, q, ret);
    else if (str_eq(q->operation, STR("ListVersionsByFunction")))
        items(q, "Versions", f->versions.p, f->versions.n, ret);
    else if (revision.n && !str_eq(revision, member(f->head, "RevisionId")))
        precondition(q, ret);
    else if (str_eq(q->operation, STR("PublishVersion")))
        publish(aws, f, q, ret);
    else
        update(aws, f, q, ret);
}

/* ---- API Gateway ---- */

struct fake_api *fake_api_add(struct fake_aws *aws, const char *id)
{
    vec_push(aws->arena, &aws->apis,
             (struct fake_api){.id = str_c(id), .resources = node_seq(aws->arena)});
    return &aws->apis.p[aws->apis.n - 1];
}

struct fake_api *fake_api_find(struct fake_aws *aws, struct str id)
{
    for (size_t i = 0; i < aws->apis.n; i++)
        if (str_eq(aws->apis.p[i].id, id))
            return &aws->apis.p[i];
    return NULL;
}

struct node *fake_api_stage(struct fake_api *api, struct str name)
{
    return with_text(api->stages.p, api->stages.n, "stageName", name);
}

/* "/restapis/<id>/…", or "/v2/apis/<id>/…", whose parts come one later. */
static bool is_http(const struct fake_request *q)
{
    return str_eq(part(q, 0), STR("v2"));
}

/* "/domainnames", "/domainnames/<domain>/basepathmappings" */
static void domains(const struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct node *out = node_map(a), *list = node_seq(a);
    struct str domain = part(q, 1);
    member_each (m, domain.n ? NULL : aws->domains) {
        struct node *one = node_map(a);
        node_put_str(a, one, "domainName", m->key);
        node_push(a, list, one);
    }
    node_each (api, domain.n ? node_get(aws->domains, domain) : NULL) {
        struct node *one = node_map(a);
        node_put_c(a, one, "restApiId", api);
        node_push(a, list, one);
    }
    node_put_c(a, out, "item", list);
    fake_json(q, out, ret);
}

/* "/account", which has one setting here. */
static void account(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct err err = {0};
    const struct node *body = json_parse(q->arena, STR("body"), q->body, &err);
    struct node *out = node_map(q->arena);
    if (q->method.p[0] == 'P')
        aws->log_role = str_dup(aws->arena, node_text(node_path(body, "patchOperations.0.value")));
    if (aws->log_role.n)
        node_put_str(q->arena, out, "cloudwatchRoleArn", aws->log_role);
    err_clear(&err);
    fake_json(q, out, ret);
}

const char *fake_gateway_operation(const struct fake_request *q)
{
    if (str_eq(part(q, 0), STR("account")))
        return q->method.p[0] == 'G' ? "GetAccount" : "UpdateAccount";
    if (str_eq(part(q, 0), STR("domainnames")))
        return part(q, 1).n ? "GetBasePathMappings" : "GetDomainNames";
    bool http = is_http(q);
    struct str what = part(q, http ? 3 : 2);
    char m = q->method.p[0];
    if (!what.n)
        return http ? "ReimportApi" : "PutRestApi";
    if (str_eq(what, STR("routes")))
        return "GetRoutes";
    if (str_eq(what, STR("integrations")))
        return "GetIntegrations";
    if (str_eq(what, STR("resources")))
        return "GetResources";
    if (str_eq(what, STR("stages")))
        return m == 'G' ? "GetStages" : "UpdateStage";
    return m == 'G' ? "GetDeployments" : m == 'P' ? "CreateDeployment" : "DeleteDeployment";
}

/* The document's paths, as GetResources has them. */
static void import(struct fake_aws *aws, struct fake_api *api, const struct node *document)
{
    struct arena *a = aws->arena;
    api->resources = node_seq(a);
    member_each (path, node_get_c(document, "paths")) {
        struct node *resource = node_map(a), *methods = node_map(a);
        member_each (m, path->value) {
            struct node *method = node_map(a);
            if (str_eq(m->key, STR("parameters")))
                continue;
            node_put_c(a, method, "methodIntegration",
                       node_get_c(m->value, "x-amazon-apigateway-integration"));
            node_put(a, methods, str_upper(a, m->key), method);
        }
        node_put_str(a, resource, "id", fake_id(aws, "resource-"));
        node_put_str(a, resource, "path", path->key);
        node_put_c(a, resource, "resourceMethods", methods);
        node_push(a, api->resources, node_deep(a, resource));
    }
}

static void delete_deployment(struct fake_api *api, const struct fake_request *q, struct reply *ret)
{
    struct str id = part(q, 3);
    if (with_text(api->stages.p, api->stages.n, "deploymentId", id)) {
        fake_refuse(q, 400, "BadRequestException",
                    "Active stages pointing to this deployment must be moved or deleted", ret);
        return;
    }
    for (size_t i = 0; i < api->deployments.n; i++)
        if (str_eq(member(api->deployments.p[i], "id"), id))
            api->deployments.p[i] = api->deployments.p[--api->deployments.n];
    *ret = (struct reply){202, NULL, ""};
}

void fake_gateway(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = aws->arena;
    if (str_eq(part(q, 0), STR("domainnames"))) {
        domains(aws, q, ret);
        return;
    }
    if (str_eq(part(q, 0), STR("account"))) {
        account(aws, q, ret);
        return;
    }
    bool http = is_http(q);
    struct fake_api *api = fake_api_find(aws, part(q, http ? 2 : 1));
    struct node *stage = api ? fake_api_stage(api, part(q, http ? 4 : 3)) : NULL;
    if (!api || api->http != http || (str_eq(q->operation, STR("UpdateStage")) && !stage)) {
        fake_refuse(q, 404, "NotFoundException", "Invalid identifier specified", ret);
    } else if (http) {
        fake_http_api(aws, api, q, ret);
    } else if (str_eq(q->operation, STR("PutRestApi"))) {
        import(aws, api, body_of(q));
        fake_json(q, node_map(a), ret);
    } else if (str_eq(q->operation, STR("GetResources"))) {
        struct node *out = node_map(q->arena);
        node_put_c(q->arena, out, "item", api->resources);
        fake_json(q, out, ret);
    } else if (str_eq(q->operation, STR("GetStages"))) {
        items(q, "item", api->stages.p, api->stages.n, ret);
    } else if (str_eq(q->operation, STR("GetDeployments"))) {
        items(q, "item", api->deployments.p, api->deployments.n, ret);
    } else if (str_eq(q->operation, STR("DeleteDeployment"))) {
        delete_deployment(api, q, ret);
    } else if (stage) {
        const struct node *value = node_path(body_of(q), "patchOperations.0.value");
        node_put_str(a, stage, "deploymentId", str_dup(a, node_text(value)));
        fake_json(q, stage, ret);
    } else {
        struct node *deployment = node_map(a);
        node_put_str(a, deployment, "id", fake_id(aws, "deployment-"));
        node_put_str(a, deployment, "description", str_dup(a, member(body_of(q), "description")));
        vec_push(a, &api->deployments, deployment);
        fake_json(q, deployment, ret);
    }
}
