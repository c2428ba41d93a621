/* What AWS's refusals mean for a caller, and what a user can do about them. */
#include "aws/client/aws_internal.h"

#include "base/buf.h"
#include "doc/json.h"
#include "aws/client/xml.h"

/* ---- reading ---- */

/* "com.amazonaws#Code:http://…" -> "Code" */
static struct str bare_code(struct str code)
{
    ptrdiff_t hash = str_rfind_char(code, '#');
    if (hash >= 0)
        code = str_sub(code, (size_t)hash + 1, code.n);
    ptrdiff_t colon = str_find_char(code, ':', 0);
    return colon < 0 ? code : str_sub(code, 0, (size_t)colon);
}

static struct str first_text(const struct node *map, const char *const *keys)
{
    for (; *keys; keys++)
        if (node_is(node_get_c(map, *keys), NODE_STRING))
            return text_of(map, *keys);
    return (struct str){"", 0};
}

/* {"__type": …, "message": …} of the JSON protocols. */
static void read_json(struct arena *a, const struct aws_answer *answer, struct refusal *ret)
{
    struct err ignored cleanup_err = {0};
    const struct node *body = json_parse(a, STR("answer"), answer->body, &ignored);
    ret->code = bare_code(first_text(body, (const char *const[]){"__type", "code", "Code", NULL}));
    ret->message = first_text(body, (const char *const[]){"message", "Message", NULL});
}

/* <ErrorResponse><Error>… of the query protocol, <Error>… of S3. */
static void read_xml(struct arena *a, const struct aws_answer *answer, struct refusal *ret)
{
    struct err ignored cleanup_err = {0};
    struct str root = {0};
    const struct node *body = xml_read(a, answer->body, &root, &ignored);
    const struct node *error = node_get_c(body, "Error");
    if (!error && str_eq(root, STR("Error")))
        error = body;
    if (!error)
        error = node_get_c(node_get_c(body, "Errors"), "Error");
    ret->code = bare_code(text_of(error, "Code"));
    ret->message = text_of(error, "Message");
    ret->region = text_of(error, "Region");
    ret->request_id = text_of(body, "RequestId");
}

void refusal_read(struct arena *a, const struct aws_answer *answer, struct refusal *ret)
{
    *ret = (struct refusal){0};
    struct str body = str_trim(answer->body);
    if (body.n && body.p[0] == '<')
        read_xml(a, answer, ret);
    else if (body.n)
        read_json(a, answer, ret);
    struct str type = bare_code(aws_header(answer, "x-amzn-errortype"));
    if (type.n)
        ret->code = type;
    static const char *const ids[] = {"x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"};
    for (size_t i = 0; !ret->request_id.n && i < sizeof ids / sizeof *ids; i++)
        ret->request_id = aws_header(answer, ids[i]);
}

/* ---- judging ---- */

#define LOGIN \
    "log in again, e.g. with: aws sso login; or choose other credentials with --aws-profile NAME"
#define KEYS "check the access key; choose another one with --aws-profile NAME or AWS_PROFILE"
#define ALLOW                                                                                    \
    "allow this action to the caller ('troupe iam' prints what it takes), or use --aws-profile " \
    "NAME"
#define CLOCK "check this machine's clock, e.g. with: date -u"

/* The first row that matches holds. NULL and 0 match all, `words` is a piece of the message. */
static const struct {
    const char *service, *code;
    int status;
    const char *words;
    enum err_kind kind;
    const char *help;
} rules[] = {
    /* credentials */
    {NULL, "ExpiredToken", 0, NULL, ERR_DENIED, LOGIN},
    {NULL, "ExpiredTokenException", 0, NULL, ERR_DENIED, LOGIN},
    {NULL, "TokenRefreshRequired", 0, NULL, ERR_DENIED, LOGIN},
    {NULL, "RequestExpired", 0, NULL, ERR_DENIED, CLOCK},
    {NULL, "RequestTimeTooSkewed", 0, NULL, ERR_DENIED, CLOCK},
    {NULL, "InvalidClientTokenId", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "UnrecognizedClientException", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "InvalidAccessKeyId", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "InvalidToken", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "MissingAuthenticationToken", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "MissingAuthenticationTokenException", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "AuthFailure", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "NotSignedUp", 0, NULL, ERR_DENIED, NULL},
    {NULL, "OptInRequired", 0, NULL, ERR_DENIED,
     "enable the region for this account, or choose another one with --region"},
    {NULL, "InvalidSignatureException", 0, "expired", ERR_DENIED, CLOCK},
    {NULL, "InvalidSignatureException", 0, NULL, ERR_DENIED,
     "check the secret key; choose another one with --aws-profile NAME"},
    {NULL, "SignatureDoesNotMatch", 0, NULL, ERR_DENIED,
     "check the secret key; choose another one with --aws-profile NAME"},
    {NULL, "IncompleteSignature", 0, NULL, ERR_DENIED, KEYS},
    {NULL, "AccessDenied", 0, NULL, ERR_DENIED, ALLOW},
    {NULL, "AccessDeniedException", 0, NULL, ERR_DENIED, ALLOW},
    {NULL, "UnauthorizedOperation", 0, NULL, ERR_DENIED, ALLOW},
    {NULL, "UnauthorizedException", 0, NULL, ERR_DENIED, LOGIN},
    /* CloudFormation */
    {"cloudformation", "ValidationError", 0, "does not exist", ERR_NOT_FOUND, NULL},
    {"cloudformation", "ValidationError", 0, "state and can not be", ERR_CONFLICT, NULL},
    {"cloudformation", "ValidationError", 0, "state and cannot be", ERR_CONFLICT, NULL},
    {"cloudformation", "ValidationError", 0, "current stack status", ERR_CONFLICT, NULL},
    {"cloudformation", "AlreadyExistsException", 0, NULL, ERR_CONFLICT, NULL},
    {"cloudformation", "OperationInProgressException", 0, NULL, ERR_CONFLICT, NULL},
    {"cloudformation", "TokenAlreadyExistsException", 0, NULL, ERR_CONFLICT, NULL},
    {"cloudformation", "InsufficientCapabilitiesException", 0, NULL, ERR_DENIED, NULL},
    {"cloudformation", "LimitExceededException", 0, NULL, ERR_FAILED,
     "remove stacks that are not needed, or raise the quota of stacks"},
    /* Lambda */
    {"lambda", "InvalidParameterValueException", 0, "is different from current CodeSHA256",
     ERR_PRECONDITION, NULL},
    {"lambda", "InvalidParameterValueException", 0, "replicated function", ERR_CONFLICT, NULL},
    {"lambda", "CodeStorageExceededException", 0, NULL, ERR_FAILED,
     "free space with: troupe prune"},
    /* API Gateway */
    {"apigateway", "BadRequestException", 0, "Active stages pointing to this deployment",
     ERR_CONFLICT, NULL},
    {"apigateway", "LimitExceededException", 0, "Maximum number", ERR_FAILED,
     "raise the quota, or give stages an API of their own"},
    /* S3 */
    {"s3", "NoSuchKey", 0, NULL, ERR_NOT_FOUND, NULL},
    {"s3", "BucketNotEmpty", 0, NULL, ERR_CONFLICT, NULL},
    {"s3", "PermanentRedirect", 0, NULL, ERR_FAILED, "use the region of the bucket with --region"},
    /* values */
    {"ecr", "ImageNotFoundException", 0, NULL, ERR_NOT_FOUND, NULL},
    {"ecr", "RepositoryAlreadyExistsException", 0, NULL, ERR_CONFLICT, NULL},
    {"ecr", "RepositoryNotFoundException", 0, NULL, ERR_NOT_FOUND, NULL},
    {"ssm", "ParameterNotFound", 0, NULL, ERR_NOT_FOUND, NULL},
    {"ssm", "ParameterVersionNotFound", 0, NULL, ERR_NOT_FOUND, NULL},
    {NULL, "NoSuchEntity", 0, NULL, ERR_NOT_FOUND, NULL},
    {NULL, "ResourceNotFoundException", 0, NULL, ERR_NOT_FOUND, NULL},
    {NULL, "ConditionalCheckFailedException", 0, NULL, ERR_PRECONDITION, NULL},
    /* what is left, by status */
    {NULL, NULL, 401, NULL, ERR_DENIED, KEYS},
    {NULL, NULL, 403, NULL, ERR_DENIED, ALLOW},
    {NULL, NULL, 404, NULL, ERR_NOT_FOUND, NULL},
    {NULL, NULL, 409, NULL, ERR_CONFLICT, NULL},
    {NULL, NULL, 412, NULL, ERR_PRECONDITION, NULL},
    {NULL, NULL, 429, NULL, ERR_THROTTLED, "wait a moment and run the same command again"},
};

static size_t find_rule(const char *service, int status, const struct refusal *r)
{
    size_t n = sizeof rules / sizeof *rules;
    for (size_t i = 0; i < n; i++) {
        if ((!rules[i].service || strcmp(rules[i].service, service) == 0) &&
            (!rules[i].code || str_eq(r->code, str_c(rules[i].code))) &&
            (!rules[i].status || rules[i].status == status) &&
            (!rules[i].words || str_find(r->message, str_c(rules[i].words), 0) >= 0))
            return i;
    }
    return n;
}

/* AWS's message as a sentence like troupe's: without full stop. */
static struct str sentence(struct arena *a, int status, const struct refusal *r)
{
    struct str text = str_trim(r->message);
    /* With a wrong signature AWS answers with what was signed: the session token is in it. */
    bool shows = str_eq(r->code, STR("SignatureDoesNotMatch")) ||
                 str_eq(r->code, STR("InvalidSignatureException"));
    ptrdiff_t line = str_find_char(text, '\n', 0);
    if (shows && line > 0)
        text = str_sub(text, 0, (size_t)line);
    while (str_ends(text, STR(".")))
        text.n--;
    if (text.n)
        return text;
    return r->code.n ? r->code : str_fmt(a, "HTTP status %d", status);
}

int refusal_err(const struct call *call, const struct aws_answer *answer, const struct refusal *r,
                struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    size_t i = find_rule(call->service->name, answer->status, r);
    bool ruled = i < sizeof rules / sizeof *rules;
    struct outcome outcome = {answer->status, r->code, r->message, {0}, {0}};
    bool throttled = retry_class(call->service->name, &outcome) == RETRY_THROTTLED;
    enum err_kind kind = ruled ? rules[i].kind : throttled ? ERR_THROTTLED : ERR_FAILED;
    err_set(err, kind, "%s: %.*s", call->operation, STR_ARG(sentence(a, answer->status, r)));
    if (ruled && rules[i].help)
        err_help(err, "%s", rules[i].help);
    err->code = str_dup(err->arena, r->code);
    err->request_id = str_dup(err->arena, r->request_id);
    err->http_status = answer->status;
    err_note(err, (struct pos){0}, "AWS answered %d%s%.*s", answer->status, r->code.n ? " " : "",
             STR_ARG(r->code));
    return -1;
}
