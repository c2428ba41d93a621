/* `iotFleetProvisioning`: a provisioning template of AWS IoT whose hook is the function. */
#include "compile/compile_internal.h"

static int provisioning_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    const struct node *settings = event->node, *enabled = node_get_c(settings, "enabled");
    const struct node *body = node_get_c(settings, "templateBody");
    const struct node *role = node_get_c(settings, "provisioningRoleArn");
    struct str id = name_with(c, f, "IotProvisioningTemplate");
    struct str permission_id = name_with(c, f, "LambdaPermissionIotProvisioningTemplate");
    if (node_empty(body) || node_empty(role))
        return err_at(err, event->pos, ERR_CONFIG,
                      "'templateBody' and 'provisioningRoleArn' are needed");
    if (node_get(c->resources, id)) {
        err_at(err, event->pos, ERR_CONFIG,
               "a function can be the hook of one 'iotFleetProvisioning' only");
        return err_note(err, node_pos(node_get(c->resources, id)), "the first one is here");
    }
    struct node *p = node_map(a);
    node_put_c(a, p, "Enabled", node_empty(enabled) ? node_bool(a, true) : enabled);
    node_put_c(a, p, "PreProvisioningHook", node_fn(a, "TargetArn", target_arn(c, f)));
    node_put_c(a, p, "ProvisioningRoleArn", role);
    node_put_c(a, p, "TemplateBody", node_stringified(a, body));
    node_put_c(a, p, "TemplateName", node_setting(settings, NULL, "templateName"));
    struct node *template = resource_new(a, "AWS::IoT::ProvisioningTemplate", p);
    node_put_c(a, template, "DependsOn", depends_on_permission(c, f, permission_id));
    struct node *permission =
        permission_new(a, target_arn(c, f), node_c(a, "iot.amazonaws.com"), NULL);
    depend_on_alias(c, permission, f);
    if (resource_add(c, id, template, event->pos, err) < 0)
        return -1;
    return resource_add(c, permission_id, permission, event->pos, err);
}

const struct event_type event_iot_fleet_provisioning = {"iotFleetProvisioning", NULL,
                                                        provisioning_compile, NULL};
