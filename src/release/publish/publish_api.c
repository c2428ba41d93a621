/* Publishing deployments of shared APIs (docs/design.md, "Publishing a REST API"). */
#include "release/publish/publish.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/dispose/dispose.h"
#include "release/publish/publish_models.h"

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

static void add_models(struct arena *a, struct lines *lines, const struct node *models)
{
    node_each (model, models)
        vec_push(a, &lines->all, node_text(model));
}

/* The lines of the methods and models that the API has in AWS now. */
static struct str head_lines(struct arena *a, const struct node *methods, const struct node *models)
{
    struct lines lines = {0};
    add_models(a, &lines, models);
    node_each (m, methods)
        vec_push(a, &lines.all,
                 method_line(a, node_text(node_get_c(m, "path")),
                             node_text(node_get_c(m, "method")), node_text(node_get_c(m, "type")),
                             node_text(node_get_c(m, "uri"))));
    return sorted(a, &lines);
}

/* An integration of its own, or one of the document's collection. */
static const struct node *integration_of(const struct node *document, const struct node *operation)
{
    const struct node *n = node_get_c(operation, "x-amazon-apigateway-integration");
    struct str reference = node_text(node_get_c(n, "$ref"));
    if (!str_skip(&reference, STR("#/components/x-amazon-apigateway-integrations/")))
        return n;
    return node_get(node_path(document, "components.x-amazon-apigateway-integrations"), reference);
}

/* The same from the document. */
static struct str document_lines(struct arena *a, struct str api, const struct node *document)
{
    struct lines lines = {0};
    add_models(a, &lines, models_wanted(a, api, document));
    member_each (path, node_get_c(document, "paths")) {
        member_each (m, path->value) {
            if (str_eq(m->key, STR("parameters")))
                continue;
            const struct node *i = integration_of(document, m->value);
            vec_push(a, &lines.all,
                     method_line(a, path->key, m->key, node_text(node_get_c(i, "type")),
                                 node_text(node_get_c(i, "uri"))));
        }
    }
    return sorted(a, &lines);
}

struct head {
    struct str lines; /* methods and models, to compare with those of the document */
    struct str whole; /* another one when somebody has written to the methods */
};

/* One API that is being published. */
struct importing {
    struct arena *arena;
    const struct release *r;
    const struct api_plan *api;
    const struct gateway *gateway;
    const struct node *document;
    struct str hint; /* the description of the deployment */
};

static int read_head(const struct importing *x, struct head *ret, struct err *err)
{
    struct arena *a = x->arena;
    struct str id = x->api->aws_id;
    const struct node *methods, *models;
    if (x->gateway->methods(a, x->r->aws, id, &methods, &ret->whole, err) < 0 ||
        models_now(a, x->r, x->gateway, id, x->document, &models, err) < 0)
        return -1;
    ret->lines = head_lines(a, methods, models);
    return 0;
}

/* A deployment that bears our very description was cut by a run that was stopped before it could
 * verify or record it, or by a round before this one. No stage points at it; it would stay for
 * ever. */
static int drop_unfinished(const struct importing *x, struct err *err)
{
    struct str id = x->api->aws_id;
    const struct node *deployments;
    if (x->gateway->deployments(x->arena, x->r->aws, id, &deployments, err) < 0)
        return -1;
    node_each (d, deployments) {
        struct claim claim = {OURS_INTENT, .wrote = x->hint,
                              .says = node_text(node_get_c(d, "description"))};
        if (!str_eq(claim.says, x->hint) ||
            dispose_deployment(x->arena, x->r->aws, &claim, x->gateway, id,
                               node_text(node_get_c(d, "id")), err) == 0)
            continue;
        if (err->kind != ERR_CONFLICT)
            return -1;
        err_clear(err); /* a stage points at it after all: AWS deletes none of those */
    }
    return 0;
}

/* One round: `*ret_same` false when somebody else changed the head meanwhile. */
static int publish_once(const struct importing *x, struct str *ret, bool *ret_same, struct err *err)
{
    struct arena *a = x->arena;
    struct aws *aws = x->r->aws;
    struct str id = x->api->aws_id;
    struct head before, after;
    *ret_same = false;
    if (x->gateway->put(a, aws, id, models_withhold(a, x->document), err) < 0 ||
        models_bring(a, x->r, x->gateway, id, x->document, err) < 0 ||
        read_head(x, &before, err) < 0)
        return -1;
    if (!str_eq(before.lines, document_lines(a, id, x->document)))
        return 0;
    if (drop_unfinished(x, err) < 0 || x->gateway->deploy(a, aws, id, x->hint, ret, err) < 0 ||
        read_head(x, &after, err) < 0)
        return -1;
    *ret_same = str_eq(before.whole, after.whole) && str_eq(before.lines, after.lines);
    return 0;
}

int publish_api(struct arena *a, const struct release *r, const struct api_plan *api,
                struct str hint, struct str *ret_deployment, struct err *err)
{
    const struct node *document = json_parse(a, api->api->id, api->document, err);
    if (!document)
        return -1;
    const struct gateway *gateway = api_gateway(api->api->kind);
    const struct importing x = {a, r, api, gateway, document, hint};
    const char *what = gateway->name;
    for (int round = 0; round < TRIES; round++) {
        bool same;
        if (publish_once(&x, ret_deployment, &same, err) < 0) {
            if (str_find(err->msg, STR("Warnings found during import"), 0) >= 0)
                err_help(err,
                         "AWS would leave a part of the API out; with custom.troupe.apis.%s: "
                         "perStage CloudFormation makes it, without an import",
                         api->api->kind == API_HTTP ? "http" : "rest");
            if (err->kind != ERR_CONFLICT)
                return err_wrap(err, "publish %s '%.*s'", what, STR_ARG(api->api->id));
            err_clear(err);
            same = false;
        }
        if (same)
            return 0;
        enum { PAUSE_MS = 1000 };
        release_tell(r, TOLD_NOTICE, "publish", "%.*s: it was changed meanwhile, trying again",
                     STR_ARG(api->api->id));
        if (clock_sleep_ms(PAUSE_MS) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
    err_set(err, ERR_FAILED,
            "publish %s '%.*s': after the import it does not consist of what was sent", what,
            STR_ARG(api->api->id));
    return err_help(err, "something else changes API '%.*s': it belongs to troupe alone",
                    STR_ARG(api->aws_id));
}
