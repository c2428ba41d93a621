/* Variables whose values AWS knows: ${aws:accountId}, ${cf:…}, ${s3:…}, ${ssm:…}. */
#include "cli/cli.h"

struct asked {
    struct cli *cli;
    struct aws *aws; /* client for the region that the variable asks in */
    struct str region, params, address;
};

static bool has_param(struct str params, const char *word)
{
    struct str part;
    while (str_cut(&params, ',', &part))
        if (str_eq(str_trim(part), str_c(word)))
            return true;
    return false;
}

/* The region among the parameters of a variable: the one with two dashes, as in "us-west-2". */
static struct str region_of(struct str params, struct str standard)
{
    struct str part;
    while (str_cut(&params, ',', &part)) {
        ptrdiff_t dash = str_find_char(part, '-', 0);
        if (dash >= 0 && str_find_char(part, '-', (size_t)dash + 1) >= 0)
            return str_trim(part);
    }
    return standard;
}

static int get_account(struct arena *a, const struct asked *q, const struct node **ret,
                       struct err *err)
{
    struct str account, arn;
    if (sts_account(a, q->aws, &account, &arn, err) < 0)
        return -1;
    *ret = node_str(a, account);
    return 0;
}

/* Value of "stack.output". */
static int get_output(struct arena *a, const struct asked *q, const struct node **ret,
                      struct err *err)
{
    struct str rest = q->address, name;
    struct stack stack;
    str_cut(&rest, '.', &name);
    if (cloudformation_describe(a, q->aws, name, &stack, err) < 0)
        return -1;
    *ret = node_get(stack.outputs, rest);
    return 0;
}

/* Content of "bucket/key". */
static int get_object(struct arena *a, const struct asked *q, const struct node **ret,
                      struct err *err)
{
    struct str rest = q->address, bucket, text;
    str_cut(&rest, '/', &bucket);
    if (s3_get(a, q->aws, bucket, rest, &text, NULL, err) < 0)
        return -1;
    *ret = node_str(a, text);
    return 0;
}

static int get_parameter(struct arena *a, const struct asked *q, const struct node **ret,
                         struct err *err)
{
    unsigned form = (has_param(q->params, "raw") ? SSM_RAW : SSM_PARSED) |
                    (has_param(q->params, "noDecrypt") ? SSM_ENCRYPTED : SSM_PARSED);
    return ssm_parameter(a, q->aws, q->address, form, ret, err);
}

static int get(void *context, struct arena *a, const struct remote_query *query,
               const struct node **ret, struct err *err)
{
    static const struct {
        const char *source;
        int (*get)(struct arena *, const struct asked *, const struct node **, struct err *);
    } sources[] = {
        {"aws", get_account}, {"cf", get_output}, {"s3", get_object}, {"ssm", get_parameter}};
    struct asked q = {.cli = context,
                      .region = region_of(query->params, query->region),
                      .params = query->params,
                      .address = query->address};
    *ret = NULL;
    if (context_check_variables(q.cli, query->stage, err) < 0)
        return -1;
    cleanup_aws struct aws *aws = context_client(q.cli, q.region, query->profile, err);
    if (!aws)
        return -1;
    q.aws = aws;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!str_eq(query->source, str_c(sources[i].source)))
            continue;
        if (sources[i].get(a, &q, ret, err) == 0)
            return 0;
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err); /* no such stack, object or parameter: the fallback applies */
        return 0;
    }
    return err_set(err, ERR_CONFIG, "unknown variable source '%.*s'", STR_ARG(query->source));
}

const struct remote_values *remote_values(struct cli *cli)
{
    struct remote_values *values = ARENA_NEW(cli->arena, struct remote_values);
    *values = (struct remote_values){cli, get};
    return values;
}
