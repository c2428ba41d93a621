/* The operations that troupe uses, one file per service: aws/services/<service>.c. Each function is
 * one call (or one paginated series, or one wait) and says so; results live in `a`. See aws.h for
 * threads and errors. Source of members and limits: the services' API references. */
#ifndef TROUPE_AWS_SERVICES_SERVICES_H
#define TROUPE_AWS_SERVICES_SERVICES_H

#include "aws/aws.h"

/* ---- STS ---- */

/* Account number of the caller. */
int sts_account(struct arena *a, struct aws *aws, struct str *ret_account, struct str *ret_arn,
                struct err *err);

/* ARN of the caller, for records. Remembered for each access key in the user's cache directory, so
 * that it takes a call only the first time. */
int sts_caller(struct arena *a, struct aws *aws, struct str *ret_arn, struct err *err);

/* ---- CloudFormation ---- */

struct stack {
    struct str name, id, status;
    const struct node *outputs;    /* map key -> string node; empty while IN_PROGRESS */
    const struct node *parameters; /* map */
    const struct node *tags;       /* map */
    bool nested;                   /* part of another stack, whose tags it has */
    bool guarded;                  /* its termination protection is on: it cannot be deleted */
};

/* One stack. NOT_FOUND when there is none. `name` may be a stack id. */
int cloudformation_describe(struct arena *a, struct aws *aws, struct str name, struct stack *ret,
                            struct err *err);

/* All stacks that are there, all pages. */
int cloudformation_list(struct arena *a, struct aws *aws, struct stack **ret, size_t *ret_n,
                        struct err *err);

struct stack_change {
    struct str name;
    struct str template_body; /* or */
    struct str template_url;
    const struct node *parameters; /* map of strings, or NULL; a null keeps the stack's value */
    const struct node *tags;       /* map; NULL: unchanged */
    struct str role_arn;           /* CloudFormation's role, empty: the caller's */
    struct str token;              /* ClientRequestToken: marks the events of this call */
    const struct node *notification_arns;      /* seq, or NULL */
    const struct node *rollback_configuration; /* map as in serverless.yml, or NULL */
    struct str policy; /* JSON: what updates may do to resources; empty: as it is */
};

/* CreateStack and UpdateStack with every IAM capability and CAPABILITY_AUTO_EXPAND.
 * cloudformation_update: `*ret_nothing` true (and 0) for "No updates are to be performed.".
 * CONFLICT when the stack is busy or in a state that cannot be updated. */
int cloudformation_create(struct arena *a, struct aws *aws, const struct stack_change *change,
                          struct str *ret_id, struct err *err);
int cloudformation_update(struct arena *a, struct aws *aws, const struct stack_change *change,
                          bool *ret_nothing, struct err *err);
/* UpdateTerminationProtection: DeleteStack is refused from now on, or is not. */
int cloudformation_guard(struct arena *a, struct aws *aws, struct str name, bool on,
                         struct err *err);
int cloudformation_continue_rollback(struct arena *a, struct aws *aws, struct str name,
                                     struct err *err);

struct stack_event {
    struct str id, logical_id, physical_id, type, status, reason;
    bool root; /* of the stack itself, not of a resource */
};

/* Which events of a stack. */
struct stack_events {
    struct str stack;       /* name or id */
    struct str token;       /* those of the call that it marks; empty: of all */
    const struct map *seen; /* without those whose ids are keys of it; may be NULL */
};

/* Oldest first. AWS has the newest first: the page with one that is left out is the last one read,
 * because what is older was seen before, or is of earlier calls. */
int cloudformation_events(struct arena *a, struct aws *aws, const struct stack_events *which,
                          struct stack_event **ret, size_t *ret_n, struct err *err);

/* The first resource that CloudFormation's checks before an operation refused; `ret->reason` empty:
 * none. Source: CloudFormation user guide, "Validate stack deployments". */
int cloudformation_refused(struct arena *a, struct aws *aws, struct str stack,
                           struct stack_event *ret, struct err *err);

struct stack_resource {
    struct str logical_id, physical_id, type, status;
};
int cloudformation_resources(struct arena *a, struct aws *aws, struct str name,
                             struct stack_resource **ret, size_t *ret_n, struct err *err);
/* The template as it was sent. */
int cloudformation_template(struct arena *a, struct aws *aws, struct str name, struct str *ret,
                            struct err *err);
/* Names of the stacks that import the value exported as `export_name`, as a seq; all pages. */
int cloudformation_importers(struct arena *a, struct aws *aws, struct str export_name,
                             const struct node **ret, struct err *err);

struct change_set {
    struct str status, execution_status, reason;
    const struct node *changes; /* seq of ResourceChange; empty unless CREATE_COMPLETE */
};
/* CreateChangeSet: of type UPDATE, or, with `imports`, a seq of {id, type, identifier: {key:
 * value}}, of type IMPORT. AWS makes it in the background: describe it until its status ends
 * neither in _PENDING nor in _IN_PROGRESS. `name` has to be new: a change set of this name that is
 * there is taken for one of this very call, whose first answer was lost. Source: CloudFormation
 * user guide, "Import AWS resources". */
int change_set_create(struct arena *a, struct aws *aws, const struct stack_change *change,
                      struct str name, const struct node *imports, struct str *ret_id,
                      struct err *err);
/* DescribeChangeSet, all pages of its changes once it is complete. */
int change_set_describe(struct arena *a, struct aws *aws, struct str id, struct change_set *ret,
                        struct err *err);
int change_set_execute(struct arena *a, struct aws *aws, struct str id, struct str token,
                       struct err *err);
int change_set_delete(struct arena *a, struct aws *aws, struct str id, struct err *err);
/* GetTemplateSummary: resource type -> seq of the names that identify one for an import. Types that
 * cannot be imported are missing. `body`: at most 51,200 bytes. */
int template_identifiers(struct arena *a, struct aws *aws, struct str body, const struct node **ret,
                         struct err *err);

/* ---- S3 ---- */

struct s3_object {
    struct str key, etag;
    int64_t size, modified_ms;
};
/* An object to write. */
enum s3_condition { S3_ALWAYS, S3_IF_NONE_MATCH_ANY, S3_IF_MATCH };
struct s3_put {
    struct str bucket, key, body;
    const char *content_type;
    enum s3_condition condition;
    struct str etag; /* for S3_IF_MATCH */
    /* The key says what the content is: parts that an earlier run sent are not sent again. */
    bool resumes;
    const struct aws_meter *meter; /* told how much is sent; may be NULL */
    /* Told once how much an earlier run had sent; may be NULL. */
    void (*found)(void *context, uint64_t bytes);
    void *found_context;
    /* Told of each part of `body` that is not needed for the moment: its memory may be let go, if
     * it comes back when it is looked at. Any thread; may be NULL. */
    void (*let_go)(struct str part);
};
/* What S3 says of an object that it gives or takes. */
struct s3_stamp {
    struct str etag;
    int64_t date_ms; /* of the answer, by the server's clock; 0: it did not say */
};

/* Whole object. NOT_FOUND for a missing key or bucket. `ret_stamp` may be NULL. */
int s3_get(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str *ret,
           struct s3_stamp *ret_stamp, struct err *err);
/* HeadObject: is the object there? */
int s3_head(struct arena *a, struct aws *aws, struct str bucket, struct str key, bool *ret,
            struct str *ret_etag, struct err *err);
/* Write, with x-amz-checksum-sha256; over 16 MiB in parallel parts. An upload in parts that cannot
 * be finished stays, for the next run, where the content `resumes` and the network is to blame (or
 * the user); else it is aborted. PRECONDITION when the condition does not hold, NOT_FOUND for
 * S3_IF_MATCH on a missing key; a 409 of racing writers is retried. When an answer is lost and the
 * call sent again, a conditional write may meet its own first success and report PRECONDITION:
 * callers compare the content (a nonce). `ret` may be NULL. */
int s3_put(struct arena *a, struct aws *aws, const struct s3_put *put, struct s3_stamp *ret,
           struct err *err);
/* Copy an object, up to 5 GiB, to `to` under the same key; the buckets may be in different regions,
 * `aws` is that of `to`. */
int s3_copy(struct arena *a, struct aws *aws, struct str from, struct str key, struct str to,
            struct err *err);
/* An upload in parts that was begun and neither completed nor aborted. */
struct s3_upload {
    struct str key, id;
    struct str checksum; /* "SHA256"; empty: S3 does not say */
    int64_t begun_ms;
};
/* Those of keys that begin with `prefix`, all pages. `*ret_now_ms` (may be NULL): S3's clock. */
int s3_uploads(struct arena *a, struct aws *aws, struct str bucket, struct str prefix,
               struct s3_upload **ret, size_t *ret_n, int64_t *ret_now_ms, struct err *err);
/* All objects below `prefix`, by key, all pages. */
int s3_list(struct arena *a, struct aws *aws, struct str bucket, struct str prefix,
            struct s3_object **ret, size_t *ret_n, struct err *err);
/* CreateBucket in the client's region. CONFLICT: there is one of this name. */
int s3_create_bucket(struct arena *a, struct aws *aws, struct str bucket, struct err *err);
/* What is set on a bucket. */
enum s3_setting {
    S3_ENCRYPTION,
    S3_VERSIONING,
    S3_ACCELERATION,
    S3_LOGGING,
    S3_TAGGING,
    S3_PUBLIC_ACCESS,
    S3_POLICY, /* only put: its content is a text, JSON */
};
/* As a tree of S3's XML; `*ret` NULL: nothing is set. */
int s3_setting_get(struct arena *a, struct aws *aws, struct str bucket, enum s3_setting which,
                   const struct node **ret, struct err *err);
int s3_setting_put(struct arena *a, struct aws *aws, struct str bucket, enum s3_setting which,
                   const struct node *content, struct err *err);
/* HeadBucket: is there a bucket of this name that we may use? `ret_region` may be NULL. DENIED: it
 * is somebody else's, or the caller may not look. */
int s3_bucket_exists(struct arena *a, struct aws *aws, struct str bucket, bool *ret,
                     struct str *ret_region, struct err *err);

/* ---- Lambda ---- */

/* A function, version or alias target as GetFunction describes it. */
struct lambda_function {
    struct str arn, version, code_sha256, revision_id, state, state_reason, state_reason_code;
    struct str last_update_status, last_update_reason, last_update_reason_code;
    struct str image_uri;             /* for images: the resolved one */
    const struct node *configuration; /* everything AWS answered */
    const struct node *tags;
};

/* GetFunction; `qualifier` may be empty. */
int lambda_get(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
               struct lambda_function *ret, struct err *err);
/* UpdateFunctionConfiguration with `configuration` (members as in the API) and an optional
 * RevisionId. */
int lambda_update_configuration(struct arena *a, struct aws *aws, struct str function,
                                const struct node *configuration, struct lambda_function *ret,
                                struct err *err);
/* UpdateFunctionCode: `code` holds S3Bucket/S3Key or ImageUri, Architectures, RevisionId. */
int lambda_update_code(struct arena *a, struct aws *aws, struct str function,
                       const struct node *code, struct lambda_function *ret, struct err *err);
/* How long AWS's own waiters wait: botocore's function_updated_v2 for an update,
 * published_version_active for a version, whose VPC connection, snapshot or image may take long. */
enum { LAMBDA_UPDATE_MS = 5 * 60 * 1000, LAMBDA_VERSION_MS = 26 * 60 * 1000 };
/* Poll GetFunction until nothing is in progress, whatever came of it. `qualifier` empty: $LATEST.
 * FAILED after `timeout_ms`. */
int lambda_wait_idle(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
                     int64_t timeout_ms, struct lambda_function *ret, struct err *err);
/* Did its creation or its last update fail? */
bool lambda_has_failed(const struct lambda_function *f);
/* Set FAILED with AWS's reason, and its code as err->code; -1. */
int lambda_failure(const struct lambda_function *f, struct str function, struct err *err);
/* Both: FAILED, too, when it has failed. */
int lambda_wait(struct arena *a, struct aws *aws, struct str function, struct str qualifier,
                int64_t timeout_ms, struct lambda_function *ret, struct err *err);
/* PublishVersion; empty strings are left out. PRECONDITION: revision is old, or $LATEST holds
 * another code than `code_sha256`. */
struct lambda_publication {
    struct str function, code_sha256, revision_id, description; /* all but the first may be empty */
};
int lambda_publish(struct arena *a, struct aws *aws, const struct lambda_publication *what,
                   struct lambda_function *ret, struct err *err);

struct lambda_alias {
    struct str name, version, revision_id, arn;
    struct str weighted_version; /* empty: none */
    double weight;
};
int lambda_alias_get(struct arena *a, struct aws *aws, struct str function, struct str alias,
                     struct lambda_alias *ret, struct err *err);
/* Where an alias is to point: `percent` (1-100) of the calls go to `beside`, the others to
 * `version`. Both have to be published, with the same role and dead letter configuration (Lambda
 * developer guide, "Lambda function aliases"). `percent` 0: all to `version`. */
struct lambda_move {
    struct str function, alias, version, beside;
    unsigned percent;
};
/* UpdateAlias: weights as it says, others are cleared. */
int lambda_alias_move(struct arena *a, struct aws *aws, const struct lambda_move *to,
                      struct err *err);
int lambda_aliases(struct arena *a, struct aws *aws, struct str function, struct lambda_alias **ret,
                   size_t *ret_n, struct err *err);
struct lambda_version {
    struct str number, description;
    const struct node *configuration; /* everything AWS answered */
};
/* All versions, $LATEST excluded. */
int lambda_versions(struct arena *a, struct aws *aws, struct str function,
                    struct lambda_version **ret, size_t *ret_n, struct err *err);

struct lambda_call {
    struct str function, qualifier, payload;
    bool log_tail; /* the end of what it logs is wanted, too */
};
struct lambda_invocation {
    struct str payload;
    struct str function_error; /* empty: none */
    struct str log_tail;       /* decoded, when asked for */
};
/* Sent once: where the answer is lost, Lambda may have run the function all the same. */
int lambda_invoke(struct arena *a, struct aws *aws, const struct lambda_call *call,
                  struct lambda_invocation *ret, struct err *err);

/* ---- EC2 ---- */

struct network_interface {
    struct str id, description, subnet;
    const struct node *groups; /* ids of its security groups */
};
/* DescribeNetworkInterfaces, all pages: those that Lambda made and that are in one of `ids`, which
 * are what the filter `filter` takes: "group-id", "subnet-id", "vpc-id". */
int ec2_lambda_interfaces(struct arena *a, struct aws *aws, const char *filter,
                          const struct node *ids, struct network_interface **ret, size_t *ret_n,
                          struct err *err);

/* ---- CloudWatch ---- */

struct cloudwatch_alarm {
    struct str name, state; /* "OK", "ALARM", "INSUFFICIENT_DATA" */
    struct str reason;
};
/* DescribeAlarms, metric and composite ones, a hundred names a call. Those that do not exist are
 * not in the answer. */
int cloudwatch_alarms(struct arena *a, struct aws *aws, const struct str *names, size_t n,
                      struct cloudwatch_alarm **ret, size_t *ret_n, struct err *err);

/* ---- CloudWatch Logs ---- */

struct log_event {
    struct str id, stream, message; /* message without its line end */
    int64_t time_ms;                /* when it was written, since 1970 */
    size_t order;                   /* how many were answered before it */
};
struct log_events {
    struct log_event *p;
    size_t n, cap;
};
struct log_filter {
    struct str group;
    struct str prefix;  /* of the names of streams */
    struct str pattern; /* in CloudWatch's language; empty: all events */
    int64_t start_ms;   /* since 1970 */
};
/* FilterLogEvents, all pages. Appended in the order of the answers. NOT_FOUND when there is no such
 * group. */
int logs_filter(struct arena *a, struct aws *aws, const struct log_filter *filter,
                struct log_events *ret, struct err *err);
struct log_group {
    struct str name, arn;    /* arn without ":*" */
    int64_t retention_days;  /* 0: for ever */
    const struct node *tags; /* map */
};
/* DescribeLogGroups and ListTagsForResource of the group of exactly this name; `ret->name` empty:
 * there is none. */
int logs_group(struct arena *a, struct aws *aws, struct str name, struct log_group *ret,
               struct err *err);

/* ---- API Gateway: what both kinds of API have is in gateway.h ---- */

/* Names of the custom domains with a base path mapping to `api`, as a seq. A call for each domain
 * of the account. */
int restapi_domains(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                    struct err *err);

/* Names of all custom domains of the account in the region, as a seq of texts. */
int domains_list(struct arena *a, struct aws *aws, const struct node **ret, struct err *err);
/* Mappings of one, {path, api, stage, id}; the path of the root is "(none)". `is_http`: as API
 * Gateway v2 has them, which knows paths of several parts, and gives an id. */
int domain_mappings(struct arena *a, struct aws *aws, struct str domain, bool is_http,
                    const struct node **ret, struct err *err);

/* Certificates of the region that are in use or may be, {arn, names}; the first name is the
 * certificate's own. Source: ACM API reference, ListCertificates. */
int acm_certificates(struct arena *a, struct aws *aws, const struct node **ret, struct err *err);

/* Zones of the account, {id, name, private}; the name has no dot at its end. Source: Route 53 API
 * reference, ListHostedZones. */
int route53_zones(struct arena *a, struct aws *aws, const struct node **ret, struct err *err);

/* ARN of the role with which API Gateway writes logs, a setting of the account in a region (empty:
 * none). Source: API Gateway API reference, GetAccount, UpdateAccount. */
int apigateway_log_role(struct arena *a, struct aws *aws, struct str *ret, struct err *err);
int apigateway_log_role_set(struct arena *a, struct aws *aws, struct str arn, struct err *err);

/* ---- values for variables ---- */

/* How a parameter is read; or-ed. */
enum ssm_form {
    SSM_PARSED = 0,
    SSM_RAW = 1,       /* as text, whatever it holds */
    SSM_ENCRYPTED = 2, /* a SecureString as it is stored */
};
/* Parameter value; SecureString decrypted, read as JSON where it is an object, and marked
 * NODE_SECRET; StringList split. NULL: none such. */
int ssm_parameter(struct arena *a, struct aws *aws, struct str name, unsigned form,
                  const struct node **ret, struct err *err);

/* ---- Container Registry ---- */

struct ecr_repository {
    struct str uri, arn; /* "123456789012.dkr.ecr.us-east-1.amazonaws.com/troupe/shop" */
};
/* NOT_FOUND: there is none. */
int ecr_repository(struct arena *a, struct aws *aws, struct str name, struct ecr_repository *ret,
                   struct err *err);
/* Make it; `tags` is a map of texts. CONFLICT: somebody was faster. */
int ecr_create(struct arena *a, struct aws *aws, struct str name, bool scan_on_push,
               const struct node *tags, struct ecr_repository *ret, struct err *err);
/* "sha256:…" of the image that has the tag. `registry`: the account that has it; empty: the
 * caller's. NOT_FOUND: no such repository, or no such tag. */
int ecr_digest(struct arena *a, struct aws *aws, struct str registry, struct str repository,
               struct str tag, struct str *ret, struct err *err);
/* Tags of the repository: a map of texts. */
int ecr_tags(struct arena *a, struct aws *aws, struct str arn, const struct node **ret,
             struct err *err);
/* All tags that images of the caller's repository have: a seq of texts. */
int ecr_image_tags(struct arena *a, struct aws *aws, struct str repository, const struct node **ret,
                   struct err *err);
/* The password of user "AWS" for the caller's registry, good for twelve hours. */
int ecr_login(struct arena *a, struct aws *aws, struct str *ret_password, struct err *err);

/* Text of a secret, marked NODE_SECRET. `id`: name or ARN; `stage` and `version` empty: the current
 * one. NOT_FOUND: no such secret or version, or it is no text. */
int secretsmanager_secret(struct arena *a, struct aws *aws, struct str id, struct str stage,
                          struct str version, const struct node **ret, struct err *err);

#endif
