/* The role with which API Gateway writes logs is a setting of the whole account in a region.
 * Without one AWS refuses stages of REST and WebSocket APIs that log, late in a deployment, so it
 * is asked for before anything is made. */
#include "release/plan/plan.h"

#include "cfn/cfn.h"

static bool logs_calls(const struct node *settings)
{
    struct str level = node_text(node_get_c(settings, "LoggingLevel"));
    return level.n && !str_eq(level, STR("OFF"));
}

/* Access logs of HTTP APIs need no role. */
static bool needs_role(const struct node *resources, const struct node *resource)
{
    const struct node *p = node_get_c(resource, "Properties");
    struct str type = cfn_type_of(resource);
    if (str_eq(type, STR("AWS::ApiGateway::Stage"))) {
        node_each (setting, node_get_c(p, "MethodSettings"))
            if (logs_calls(setting))
                return true;
        return node_get_c(p, "AccessLogSetting");
    }
    const struct node *api = node_get(resources, node_text(node_path(p, "ApiId.Ref")));
    return str_eq(type, STR("AWS::ApiGatewayV2::Stage")) &&
           node_is_text(node_path(api, "Properties.ProtocolType"), "WEBSOCKET") &&
           (node_get_c(p, "AccessLogSettings") ||
            logs_calls(node_get_c(p, "DefaultRouteSettings")));
}

bool api_logs_need_role(const struct node *template)
{
    const struct node *resources = node_get_c(template, "Resources");
    member_each (m, resources)
        if (needs_role(resources, m->value))
            return true;
    return false;
}

static bool sets_role(const struct node *resources)
{
    member_each (m, resources)
        if (str_eq(cfn_type_of(m->value), STR("AWS::ApiGateway::Account")))
            return true;
    return false;
}

/* The first stage of an API that begins to log with this plan. NULL: none, or the service sets the
 * role itself. */
static const struct node *begins_to_log(const struct plan *plan)
{
    const struct node *new = node_get_c(plan->target.layout->stage_template, "Resources");
    const struct node *old = node_get_c(plan->world.stage_template, "Resources"), *found = NULL;
    if (sets_role(new) || sets_role(node_get_c(plan->target.layout->service_template, "Resources")))
        return NULL;
    member_each (m, new) {
        if (!found && needs_role(new, m->value) && !needs_role(old, node_get(old, m->key)))
            found = m->value;
    }
    return found;
}

static int refuse(const struct release *r, const struct node *stage, struct err *err)
{
    const struct node *logs = node_path(r->service->root, "provider.logs");
    err_at(err, logs ? node_pos(logs) : node_pos(stage), ERR_REFUSED,
           "API Gateway has no role to write logs with in this account in %.*s",
           STR_ARG(r->service->region));
    return err_help(err,
                    "set one that apigateway.amazonaws.com may assume and that has the policy "
                    "service-role/AmazonAPIGatewayPushToCloudWatchLogs, by its ARN in "
                    "provider.logs.restApi.role "
                    "or once with: aws apigateway update-account --region %.*s --patch-operations "
                    "op=replace,path=/cloudwatchRoleArn,value=ARN",
                    STR_ARG(r->service->region));
}

/* The account's role is set only where there is none: another service may rely on the one that is
 * there. */
static void take(const struct release *r, struct plan *plan, struct str given, struct str now)
{
    if (!now.n)
        plan->log_role = given;
    plan_note(r->arena, plan,
              now.n
                  ? str_fmt(r->arena,
                            "API Gateway writes logs as '%.*s' in this account already: it stays, "
                            "and provider.logs.restApi.role is not used",
                            STR_ARG(now))
                  : str_fmt(r->arena,
                            "API Gateway has no role to write logs with in this account in %.*s: "
                            "it is set to '%.*s', for all services",
                            STR_ARG(r->service->region), STR_ARG(given)));
}

int plan_api_logs(const struct release *r, struct plan *plan, struct err *err)
{
    const struct node *settings = node_path(r->service->root, "provider.logs.restApi");
    struct str given = node_text(node_get_c(settings, "role")), now;
    const struct node *stage = begins_to_log(plan);
    if (!stage || node_bool_or(node_get_c(settings, "roleManagedExternally"), false))
        return 0;
    if (apigateway_log_role(r->arena, r->aws, &now, err) < 0) {
        if (err->kind != ERR_DENIED)
            return -1;
        err_clear(err);
        plan_note(r->arena, plan,
                  STR("whether API Gateway has a role to write logs with cannot be seen "
                      "(apigateway:GET on /account); without one AWS refuses the API's stage"));
        return 0;
    }
    if (!now.n && !given.n)
        return refuse(r, stage, err);
    if (given.n && !str_eq(given, now))
        take(r, plan, given, now);
    return 0;
}
