/* Publishing deployments of shared REST APIs (docs/design.md, "Publishing a REST API"). */
#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/publish.h"

enum { TRIES = 4 };

/* "GET /users/{id} aws_proxy arn:…" for one method. */
static struct str method_line(struct arena *a, struct str path, struct str method, struct str type,
                              struct str uri)
{
    return str_fmt(a, "%.*s %.*s %.*s %.*s", STR_ARG(str_lower(a, method)), STR_ARG(path),
                   STR_ARG(str_lower(a, type)), STR_ARG(uri));
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

struct lines {
    VEC(struct str) all;
};

static struct str sorted(struct arena *a, struct lines *lines)
{
    struct buf b = BUF(a);
    if (lines->all.n)
        qsort(lines->all.p, lines->all.n, sizeof *lines->all.p, by_text);
    vec_each (&lines->all, line) {
        buf_add(&b, *line);
        buf_char(&b, '\n');
    }
    return buf_str(&b);
}

/* What the head consists of, from GetResources. */
static struct str head_lines(struct arena *a, const struct node *resources)
{
    struct lines lines = {0};
    node_each (resource, resources) {
        struct str path = node_text(node_get_c(resource, "path"));
        member_each (m, node_get_c(resource, "resourceMethods")) {
            const struct node *i = node_get_c(m->value, "methodIntegration");
            struct str method =
                str_eq(m->key, STR("ANY")) ? STR("x-amazon-apigateway-any-method") : m->key;
            vec_push(a, &lines.all,
                     method_line(a, path, method, node_text(node_get_c(i, "type")),
                                 node_text(node_get_c(i, "uri"))));
        }
    }
    return sorted(a, &lines);
}

/* The same from the document. */
static struct str document_lines(struct arena *a, const struct node *document)
{
    struct lines lines = {0};
    member_each (path, node_get_c(document, "paths")) {
        member_each (m, path->value) {
            if (str_eq(m->key, STR("parameters")))
                continue;
            const struct node *i = node_get_c(m->value, "x-amazon-apigateway-integration");
            vec_push(a, &lines.all,
                     method_line(a, path->key, m->key, node_text(node_get_c(i, "type")),
                                 node_text(node_get_c(i, "uri"))));
        }
    }
    return sorted(a, &lines);
}

static int read_head(struct arena *a, const struct release *r, const struct api_plan *api,
                     struct str *ret, struct str *ret_whole, struct err *err)
{
    const struct node *resources;
    if (restapi_resources(a, r->aws, api->rest_api, &resources, err) < 0)
        return -1;
    *ret = head_lines(a, resources);
    *ret_whole = json_canonical(a, resources);
    return 0;
}

/* A deployment that bears our very description was cut by a run that was stopped before it could
 * verify or record it, or by a round before this one. No stage points at it; it would stay for
 * ever. */
static int drop_unfinished(struct arena *a, const struct release *r, const struct api_plan *api,
                           struct str hint, struct err *err)
{
    const struct node *deployments;
    if (restapi_deployments(a, r->aws, api->rest_api, &deployments, err) < 0)
        return -1;
    node_each (d, deployments) {
        if (!str_eq(node_text(node_get_c(d, "description")), hint) ||
            restapi_delete_deployment(a, r->aws, api->rest_api, node_text(node_get_c(d, "id")),
                                      err) == 0)
            continue;
        if (err->kind != ERR_CONFLICT)
            return -1;
        err_clear(err); /* it is in use after all */
    }
    return 0;
}

/* One round: `*ret_same` false when somebody else changed the head meanwhile. */
static int publish_once(struct arena *a, const struct release *r, const struct api_plan *api,
                        struct str want, struct str hint, struct str *ret, bool *ret_same,
                        struct err *err)
{
    struct str before, after, before_whole, after_whole;
    *ret_same = false;
    if (restapi_put(a, r->aws, api->rest_api, api->document, err) < 0 ||
        read_head(a, r, api, &before, &before_whole, err) < 0)
        return -1;
    if (!str_eq(before, want))
        return 0;
    if (drop_unfinished(a, r, api, hint, err) < 0 ||
        restapi_deploy(a, r->aws, api->rest_api, hint, ret, err) < 0 ||
        read_head(a, r, api, &after, &after_whole, err) < 0)
        return -1;
    *ret_same = str_eq(before_whole, after_whole);
    return 0;
}

int publish_api(struct arena *a, const struct release *r, const struct api_plan *api,
                struct str hint, struct str *ret_deployment, struct err *err)
{
    const struct node *document = json_parse(a, api->api->id, api->document, err);
    if (!document)
        return -1;
    struct str want = document_lines(a, document);
    for (int round = 0; round < TRIES; round++) {
        bool same;
        if (publish_once(a, r, api, want, hint, ret_deployment, &same, err) < 0) {
            if (err->kind != ERR_CONFLICT)
                return err_wrap(err, "publish rest api '%.*s'", STR_ARG(api->api->id));
            err_clear(err);
            same = false;
        }
        if (same)
            return 0;
        enum { PAUSE_MS = 1000 };
        release_progress(r, "publish", "%.*s: it was changed meanwhile, trying again",
                         STR_ARG(api->api->id));
        if (clock_sleep_ms(PAUSE_MS) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
    err_set(err, ERR_FAILED,
            "publish rest api '%.*s': after the import it does not consist of what "
            "was sent",
            STR_ARG(api->api->id));
    return err_help(err, "something else changes API '%.*s': it belongs to troupe alone",
                    STR_ARG(api->rest_api));
}
