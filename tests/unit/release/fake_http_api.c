/* API Gateway v2: HTTP APIs, whose stages point at deployments like those of REST APIs. */
#include "check.h"

#include "fake_aws.h"

#include "doc/json.h"

static struct str member(const struct node *n, const char *key)
{
    return node_text(node_get_c(n, key));
}

/* "GET /items" for an operation of the document, "$default" for "/$default". */
static struct str route_key(struct arena *a, struct str path, struct str method)
{
    struct str any = STR("x-amazon-apigateway-any-method");
    if (str_eq(path, STR("/$default")))
        return STR("$default");
    return str_fmt(a, "%.*s %.*s", STR_ARG(str_eq(method, any) ? STR("ANY") : str_upper(a, method)),
                   STR_ARG(path));
}

static const struct node *integration_of(const struct node *document, const struct node *operation)
{
    struct str prefix = STR("#/components/x-amazon-apigateway-integrations/");
    const struct node *n = node_get_c(operation, "x-amazon-apigateway-integration");
    struct str reference = member(n, "$ref");
    return reference.n
               ? node_get(node_path(document, "components.x-amazon-apigateway-integrations"),
                          str_sub(reference, prefix.n, reference.n))
               : n;
}

/* Routes and integrations of the document, with ids of their own each time. */
static void import(struct fake_aws *aws, struct fake_api *api, const struct node *document)
{
    struct arena *a = aws->arena;
    api->resources = node_seq(a);
    api->integrations = node_seq(a);
    member_each (path, node_get_c(document, "paths")) {
        member_each (m, path->value) {
            const struct node *from = integration_of(document, m->value);
            struct node *route = node_map(a), *integration = node_map(a);
            struct str id = fake_id(aws, "integration-");
            if (str_eq(m->key, STR("parameters")))
                continue;
            node_put_str(a, integration, "integrationId", id);
            node_put_str(a, integration, "integrationType", str_dup(a, member(from, "type")));
            node_put_str(a, integration, "integrationUri", str_dup(a, member(from, "uri")));
            node_put_str(a, route, "routeId", fake_id(aws, "route-"));
            node_put_str(a, route, "routeKey", route_key(a, path->key, m->key));
            node_put_str(a, route, "target", str_concat(a, STR("integrations/"), id));
            node_push(a, api->integrations, integration);
            node_push(a, api->resources, route);
        }
    }
}

static void items(const struct fake_request *q, const struct node *all, struct reply *ret)
{
    struct node *out = node_map(q->arena);
    node_put_c(q->arena, out, "items", all);
    fake_json(q, out, ret);
}

static const struct node *list(const struct fake_request *q, struct node **all, size_t n)
{
    struct node *out = node_seq(q->arena);
    for (size_t i = 0; i < n; i++)
        node_push(q->arena, out, all[i]);
    return out;
}

/* The last part of the path. */
static struct str last_part(const struct fake_request *q)
{
    return str_sub(q->path, (size_t)(str_rfind_char(q->path, '/') + 1), q->path.n);
}

static void deployment(struct fake_aws *aws, struct fake_api *api, const struct fake_request *q,
                       const struct node *body, struct reply *ret)
{
    struct arena *a = aws->arena;
    struct node *made = node_map(a);
    node_put_str(a, made, "deploymentId", fake_id(aws, "deployment-"));
    node_put_str(a, made, "description", str_dup(a, member(body, "description")));
    node_put_str(a, made, "deploymentStatus", STR("PENDING"));
    vec_push(a, &api->deployments, made);
    fake_json(q, made, ret);
    ret->status = 201;
}

/* It is made in the background: done when it is asked for. */
static void get_deployment(struct fake_aws *aws, struct fake_api *api, const struct fake_request *q,
                           struct reply *ret)
{
    for (size_t i = 0; i < api->deployments.n; i++) {
        struct node *one = api->deployments.p[i];
        if (!str_eq(member(one, "deploymentId"), last_part(q)))
            continue;
        node_put_str(aws->arena, one, "deploymentStatus", STR("DEPLOYED"));
        fake_json(q, one, ret);
        return;
    }
    fake_refuse(q, 404, "NotFoundException", "Invalid deployment identifier specified", ret);
}

static void delete_deployment(struct fake_api *api, const struct fake_request *q, struct reply *ret)
{
    for (size_t i = 0; i < api->stages.n; i++)
        if (str_eq(member(api->stages.p[i], "deploymentId"), last_part(q))) {
            fake_refuse(q, 400, "BadRequestException",
                        "Active stages pointing to this deployment must be moved or deleted", ret);
            return;
        }
    for (size_t i = 0; i < api->deployments.n; i++)
        if (str_eq(member(api->deployments.p[i], "deploymentId"), last_part(q)))
            api->deployments.p[i] = api->deployments.p[--api->deployments.n];
    *ret = (struct reply){204, NULL, ""};
}

void fake_http_api(struct fake_aws *aws, struct fake_api *api, const struct fake_request *q,
                   struct reply *ret)
{
    struct err err = {0};
    struct arena *a = aws->arena;
    const struct node *body = q->body.n ? json_parse(a, STR("body"), q->body, &err) : NULL;
    if (str_eq(q->operation, STR("ReimportApi"))) {
        import(aws, api, json_parse(a, STR("document"), member(body, "body"), &err));
        fake_json(q, node_map(a), ret);
        ret->status = 201;
    } else if (str_eq(q->operation, STR("GetRoutes"))) {
        items(q, api->resources, ret);
    } else if (str_eq(q->operation, STR("GetIntegrations"))) {
        items(q, api->integrations, ret);
    } else if (str_eq(q->operation, STR("GetStages"))) {
        items(q, list(q, api->stages.p, api->stages.n), ret);
    } else if (str_eq(q->operation, STR("GetDeployments"))) {
        if (str_eq(last_part(q), STR("deployments")))
            items(q, list(q, api->deployments.p, api->deployments.n), ret);
        else
            get_deployment(aws, api, q, ret);
    } else if (str_eq(q->operation, STR("DeleteDeployment"))) {
        delete_deployment(api, q, ret);
    } else if (str_eq(q->operation, STR("UpdateStage"))) {
        struct node *stage = fake_api_stage(api, last_part(q));
        node_put_str(a, stage, "deploymentId", str_dup(a, member(body, "deploymentId")));
        fake_json(q, stage, ret);
    } else {
        deployment(aws, api, q, body, ret);
    }
    err_clear(&err);
}
