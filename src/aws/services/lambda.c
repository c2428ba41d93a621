/* Lambda's operations. */
#include "aws/client/aws_internal.h"
#include "aws/services/destroy.h"

#include "base/backoff.h"
#include "base/hash.h"
#include "base/vec.h"

#define FUNCTION "/2015-03-31/functions/{}"

enum {
    POLL_FIRST_MS = 200,
    POLL_MOST_MS = 5000,
    INVOKE_MS = 920 * 1000, /* a function runs for at most 15 minutes */
};

static struct node *qualified(struct arena *a, struct str qualifier)
{
    struct node *query = node_map(a);
    if (qualifier.n)
        node_put_str(a, query, "Qualifier", qualifier);
    return query;
}

static int send(struct arena *a, struct aws *aws, const char *operation,
                const struct aws_rest *request, const struct node **ret, struct err *err)
{
    struct aws_answer answer;
    if (aws_rest_json(a, aws, "lambda", operation, request, &answer, err) < 0)
        return -1;
    if (ret)
        *ret = answer.node;
    return 0;
}

/* ---- functions ---- */

static void read_function(const struct node *c, struct lambda_function *ret)
{
    *ret = (struct lambda_function){.arn = text_of(c, "FunctionArn"),
                                    .version = text_of(c, "Version"),
                                    .code_sha256 = text_of(c, "CodeSha256"),
                                    .revision_id = text_of(c, "RevisionId"),
                                    .state = text_of(c, "State"),
                                    .state_reason = text_of(c, "StateReason"),
                                    .state_reason_code = text_of(c, "StateReasonCode"),
                                    .last_update_status = text_of(c, "LastUpdateStatus"),
                                    .last_update_reason = text_of(c, "LastUpdateStatusReason"),
                                    .last_update_reason_code =
                                        text_of(c, "LastUpdateStatusReasonCode"),
                                    .configuration = c};
}

int lambda_get(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
               struct lambda_function *ret, struct err *err)
{
    const struct node *answer;
    struct aws_rest request = {
        .method = "GET", .path = AWS_PATH(a, FUNCTION, function), .query = qualified(a, qualifier)};
    if (send(a, aws, "GetFunction", &request, &answer, err) < 0)
        return -1;
    read_function(node_get_c(answer, "Configuration"), ret);
    ret->image_uri = text_of(node_get_c(answer, "Code"), "ResolvedImageUri");
    ret->tags = node_get_c(answer, "Tags");
    return 0;
}

static int change(struct arena *a, struct aws *aws, const char *operation,
                  const struct aws_rest *request, struct lambda_function *ret, struct err *err)
{
    const struct node *answer;
    if (send(a, aws, operation, request, &answer, err) < 0)
        return -1;
    if (ret)
        read_function(answer, ret);
    return 0;
}

int lambda_update_configuration(struct arena *a, struct aws *aws, struct str function,
                                const struct node *configuration, struct lambda_function *ret,
                                struct err *err)
{
    struct aws_rest request = {.method = "PUT",
                               .path = AWS_PATH(a, FUNCTION "/configuration", function),
                               .json = configuration};
    return change(a, aws, "UpdateFunctionConfiguration", &request, ret, err);
}

int lambda_update_code(struct arena *a, struct aws *aws, struct str function,
                       const struct node *code, struct lambda_function *ret, struct err *err)
{
    struct aws_rest request = {
        .method = "PUT", .path = AWS_PATH(a, FUNCTION "/code", function), .json = code};
    return change(a, aws, "UpdateFunctionCode", &request, ret, err);
}

int lambda_publish(struct arena *a, struct aws *aws, const struct lambda_publication *what,
                   struct lambda_function *ret, struct err *err)
{
    struct node *body = node_map(a);
    if (what->code_sha256.n)
        node_put_str(a, body, "CodeSha256", what->code_sha256);
    if (what->description.n)
        node_put_str(a, body, "Description", what->description);
    if (what->revision_id.n)
        node_put_str(a, body, "RevisionId", what->revision_id);
    struct aws_rest request = {
        .method = "POST", .path = AWS_PATH(a, FUNCTION "/versions", what->function), .json = body};
    return change(a, aws, "PublishVersion", &request, ret, err);
}

static int delete_function(struct arena *a, struct aws *aws, const struct aws_rest *request,
                           struct err *err)
{
    if (send(a, aws, "DeleteFunction", request, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

int lambda_delete_function(struct arena *a, struct aws *aws, struct str function, struct err *err)
{
    struct aws_rest request = {.method = "DELETE", .path = AWS_PATH(a, FUNCTION, function)};
    return delete_function(a, aws, &request, err);
}

int lambda_delete_version(struct arena *a, struct aws *aws, struct str function, struct str version,
                          struct err *err)
{
    int64_t number;
    /* without a number DeleteFunction would delete the whole function */
    if (!str_to_int(version, &number) || number < 1)
        return err_set(err, ERR_FAILED, "DeleteFunction: '%.*s' is no version number",
                       STR_ARG(version));
    struct aws_rest request = {.method = "DELETE",
                               .path = AWS_PATH(a, FUNCTION, function),
                               .query = qualified(a, version)};
    return delete_function(a, aws, &request, err);
}

/* ---- waiting ---- */

static bool is_busy(const struct lambda_function *f)
{
    return str_eq(f->state, STR("Pending")) || str_eq(f->last_update_status, STR("InProgress"));
}

bool lambda_has_failed(const struct lambda_function *f)
{
    return str_eq(f->state, STR("Failed")) || str_eq(f->last_update_status, STR("Failed"));
}

int lambda_failure(const struct lambda_function *f, struct str function, struct err *err)
{
    struct str failed = STR("Failed"), number = f->version;
    bool update = str_eq(f->last_update_status, failed) && !str_eq(f->state, failed);
    int64_t version;
    struct str code = update ? f->last_update_reason_code : f->state_reason_code;
    struct str reason = update ? f->last_update_reason : f->state_reason;
    reason = reason.n ? reason : code.n ? code : STR("AWS gave no reason");
    if (str_to_int(number, &version))
        err_set(err, ERR_FAILED, "version %.*s of function '%.*s' failed: %.*s", STR_ARG(number),
                STR_ARG(function), STR_ARG(reason));
    else
        err_set(err, ERR_FAILED, "function '%.*s': %s failed: %.*s", STR_ARG(function),
                update ? "its update" : "its creation", STR_ARG(reason));
    err->code = str_dup(err->arena, code);
    return -1;
}

int lambda_wait(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
                int64_t timeout_ms, struct lambda_function *ret, struct err *err)
{
    if (lambda_wait_idle(a, aws, function, qualifier, timeout_ms, ret, err) < 0)
        return -1;
    return lambda_has_failed(ret) ? lambda_failure(ret, function, err) : 0;
}

int lambda_wait_idle(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
                     int64_t timeout_ms, struct lambda_function *ret, struct err *err)
{
    struct backoff wait = backoff_begin(POLL_FIRST_MS, POLL_MOST_MS, timeout_ms);
    for (;;) {
        if (lambda_get(a, aws, function, qualifier, ret, err) < 0)
            return -1;
        if (!is_busy(ret))
            return 0;
        if (backoff_is_over(&wait))
            return err_set(err, ERR_FAILED, "function '%.*s': still busy after %lld s",
                           STR_ARG(function), (long long)(timeout_ms / 1000));
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

/* ---- aliases and versions ---- */

static void read_alias(const struct node *n, struct lambda_alias *ret)
{
    *ret = (struct lambda_alias){text_of(n, "Name"),
                                 text_of(n, "FunctionVersion"),
                                 text_of(n, "RevisionId"),
                                 text_of(n, "AliasArn"),
                                 {"", 0},
                                 0};
    member_each (weight, node_path(n, "RoutingConfig.AdditionalVersionWeights")) {
        ret->weighted_version = weight->key;
        ret->weight = strtod(node_text(weight->value).p, NULL);
    }
}

int lambda_alias_get(struct arena *a, struct aws *aws, struct str function, struct str alias,
                     struct lambda_alias *ret, struct err *err)
{
    const struct node *answer;
    struct aws_rest request = {.method = "GET",
                               .path = AWS_PATH(a, FUNCTION "/aliases/{}", function, alias)};
    if (send(a, aws, "GetAlias", &request, &answer, err) < 0)
        return -1;
    read_alias(answer, ret);
    return 0;
}

int lambda_alias_move(struct arena *a, struct aws *aws, const struct lambda_move *to,
                      struct err *err)
{
    struct node *weights = node_map(a), *routing = node_map(a), *body = node_map(a);
    if (to->percent)
        node_put(a, weights, to->beside,
                 node_number(a, str_fmt(a, "%u.%02u", to->percent / 100, to->percent % 100)));
    node_put_c(a, routing, "AdditionalVersionWeights", weights);
    node_put_str(a, body, "FunctionVersion", to->version);
    node_put_c(a, body, "RoutingConfig", routing);
    struct aws_rest request = {.method = "PUT",
                               .path = AWS_PATH(a, FUNCTION "/aliases/{}", to->function, to->alias),
                               .json = body};
    return send(a, aws, "UpdateAlias", &request, NULL, err);
}

/* Items of `list` on all pages, in one sequence. */
static const struct node *all_pages(struct arena *a, struct aws *aws, const char *operation,
                                    struct str path, const char *list, struct err *err)
{
    struct node *items = node_seq(a);
    struct pages p = {0};
    const struct node *answer;
    do {
        struct node *query = node_map(a);
        if (p.token.n)
            node_put_str(a, query, "Marker", p.token);
        struct aws_rest request = {.method = "GET", .path = path, .query = query};
        if (send(a, aws, operation, &request, &answer, err) < 0)
            return NULL;
        node_each (item, node_get_c(answer, list))
            node_push(a, items, item);
    } while (page_next(&p, operation, text_of(answer, "NextMarker"), err));
    return err->kind ? NULL : items;
}

int lambda_aliases(struct arena *a, struct aws *aws, struct str function, struct lambda_alias **ret,
                   size_t *ret_n, struct err *err)
{
    const struct node *items = all_pages(
        a, aws, "ListAliases", AWS_PATH(a, FUNCTION "/aliases", function), "Aliases", err);
    if (!items)
        return -1;
    *ret = ARENA_ARRAY(a, items->count, struct lambda_alias);
    *ret_n = items->count;
    for (size_t i = 0; i < items->count; i++)
        read_alias(items->items[i], &(*ret)[i]);
    return 0;
}

int lambda_versions(struct arena *a, struct aws *aws, struct str function,
                    struct lambda_version **ret, size_t *ret_n, struct err *err)
{
    const struct node *items =
        all_pages(a, aws, "ListVersionsByFunction", AWS_PATH(a, FUNCTION "/versions", function),
                  "Versions", err);
    if (!items)
        return -1;
    VEC(struct lambda_version) all = {0};
    node_each (item, items)
        if (!node_is_text(node_get_c(item, "Version"), "$LATEST"))
            vec_push(a, &all,
                     (struct lambda_version){text_of(item, "Version"), text_of(item, "Description"),
                                             item});
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}

/* ---- calling ---- */

int lambda_invoke(struct arena *a, struct aws *aws, const struct lambda_call *call,
                  struct lambda_invocation *ret, struct err *err)
{
    struct node *headers = node_map(a);
    node_put_str(a, headers, "X-Amz-Invocation-Type", STR("RequestResponse"));
    if (call->log_tail)
        node_put_str(a, headers, "X-Amz-Log-Type", STR("Tail"));
    struct aws_rest request = {.method = "POST",
                               .path = AWS_PATH(a, FUNCTION "/invocations", call->function),
                               .query = qualified(a, call->qualifier),
                               .headers = headers,
                               .body = call->payload,
                               .content_type = "application/octet-stream",
                               .timeout_ms = INVOKE_MS,
                               .once = true,
                               .raw_answer = true};
    struct aws_answer answer;
    if (aws_rest_json(a, aws, "lambda", "Invoke", &request, &answer, err) < 0)
        return -1;
    *ret = (struct lambda_invocation){
        .payload = answer.body, .function_error = aws_header(&answer, "x-amz-function-error")};
    struct str tail = aws_header(&answer, "x-amz-log-result");
    if (tail.n && !base64_decode(a, tail, &ret->log_tail))
        ret->log_tail = (struct str){"", 0};
    return 0;
}
