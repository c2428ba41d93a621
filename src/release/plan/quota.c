/* How many stages a shared API may have. Source: "Amazon API Gateway quotas": 10 stages per API,
 * REST and HTTP alike, can be raised. */
#include "release/plan/plan.h"

static int check(const struct release *r, struct plan *plan, const struct api_plan *api,
                 size_t there, struct err *err)
{
    const struct settings *s = &r->service->settings;
    bool http = api->api->kind == API_HTTP;
    size_t most = (size_t)(http ? s->http_stages : s->rest_stages);
    struct str id = api->api->id;
    if (there >= most) {
        const char *kind = http ? "http" : "rest";
        err_set(err, ERR_REFUSED, "API '%.*s' has %zu stages, and AWS allows it %zu", STR_ARG(id),
                there, most);
        return err_help(
            err,
            "set custom.troupe.apis.%s: perStage, remove a stage that is not needed, or "
            "have AWS raise 'Stages per API' and say so in custom.troupe.apis.%sStages",
            kind, kind);
    }
    if (there + 3 >= most)
        plan_note(r->arena, plan,
                  str_fmt(r->arena, "this is stage %zu of API '%.*s', and AWS allows it %zu",
                          there + 1, STR_ARG(id), most));
    return 0;
}

int plan_api_quota(const struct release *r, struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct api_plan *api = &plan->apis[i];
        const struct node *stages;
        if (api->from.n || !api->aws_id.n)
            continue;
        if (api_gateway(api->api->kind)->stages(r->arena, r->aws, api->aws_id, &stages, err) < 0) {
            if (err->kind != ERR_NOT_FOUND)
                return -1;
            err_clear(err);
        } else if (check(r, plan, api, node_count(stages), err) < 0) {
            return -1;
        }
    }
    return 0;
}
