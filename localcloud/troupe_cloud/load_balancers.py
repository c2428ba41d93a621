"""Load balancers call what they may, and a listener has a priority once.

What AWS does (Elastic Load Balancing API reference, CreateRule, RegisterTargets; Application Load
Balancers guide, "Lambda functions as targets"): a function is registered, and later called, only
when its policy lets ``elasticloadbalancing.amazonaws.com`` call exactly the ARN that is registered
(a permission with a source names the target group); a target group of functions has one; a rule
whose priority another rule of the listener has is refused. A target group in a template registers
its ``Targets``. MiniStack does none of it.

Without it fails: ``test_load_balancers.py::test_target_is_called_by_its_alias``
"""

import json

from ministack.services import alb, lambda_svc
from ministack.services.cloudformation import provisioners

from troupe_cloud.lambda_functions.policies import may_invoke
from troupe_cloud.patching import patch, patch_handler, require

require(alb, "_tgs", "_targets", "_rules", "_tg_attrs", "_error")
require(provisioners, "_RESOURCE_HANDLERS")
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def permitted(function, group):
    account = group.split(":")[4]
    return may_invoke(function, "elasticloadbalancing.amazonaws.com", [group], account)


def denial(function, group):
    return (
        f"elasticloadbalancing principal does not have permission to invoke {function} "
        f"from target group {group}"
    )


# -- targets ---------------------------------------------------------------------------------------


def refused_targets(group, targets):
    """Why ``targets``, ids, may not be those of target group ``group``; None: they may."""
    if alb._tgs[group].get("TargetType") != "lambda":
        return None
    if len(targets) > 1:
        return "You can specify only one Lambda function per target group"
    for function in targets:
        if lambda_svc._get_func_record_for_ref(function)[0] is None:
            return f"Function not found: {function}"
        if not permitted(function, group):
            return denial(function, group)
    return None


@patch(alb, "_register_targets")
def register_targets(original, params):
    group = alb._p(params, "TargetGroupArn")
    new = [target["Id"] for target in alb._parse_targets_param(params)]
    had = [target["Id"] for target in alb._targets.get(group, [])]
    problem = refused_targets(group, sorted({*had, *new})) if group in alb._tgs else None
    return alb._error("AccessDenied", problem, 403) if problem else original(params)


def set_targets(group, props):
    ids = [target["Id"] for target in props.get("Targets") or []]
    problem = refused_targets(group, ids)
    if problem:
        raise ValueError(problem)
    alb._targets[group] = [{"Id": function} for function in ids]
    for attribute in alb._tg_attrs[group]:  # templates have truth values there, too
        attribute["Value"] = str(attribute["Value"]).lower()


@patch_handler(TARGET_GROUP, "create")
def create_target_group(original, logical_id, props, stack_name):
    group, attributes = original(logical_id, props, stack_name)
    try:
        set_targets(group, props)
    except ValueError:
        provisioners._RESOURCE_HANDLERS[TARGET_GROUP]["delete"](group, props)
        raise
    return group, attributes


@patch_handler(TARGET_GROUP, "update")
def update_target_group(original, physical_id, old_props, new_props, stack_name, logical_id=None):
    result = original(physical_id, old_props, new_props, stack_name, logical_id)
    set_targets(result[0], new_props)
    return result


@patch(alb, "_invoke_lambda_target")
async def invoke_target(original, function_ref, tg_arn, *args, **kwargs):
    if permitted(function_ref, tg_arn):
        return await original(function_ref, tg_arn, *args, **kwargs)
    message = json.dumps({"message": denial(function_ref, tg_arn)})
    return 502, {"Content-Type": "application/json"}, message.encode()


# -- rules -----------------------------------------------------------------------------------------


def priority_in_use(listener, priority, but=None):
    """The refusal of ``priority`` on ``listener``; None: no rule but ``but`` has it."""
    for arn, rule in alb._rules.items():
        same = rule.get("ListenerArn") == listener and str(rule.get("Priority")) == str(priority)
        if same and arn != but:
            return f"Priority '{priority}' is currently in use"
    return None


@patch(alb, "_create_rule")
def create_rule(original, params):
    problem = priority_in_use(alb._p(params, "ListenerArn"), alb._p(params, "Priority", "1"))
    return alb._error("PriorityInUse", problem) if problem else original(params)


@patch_handler(RULE, "create")
def create_listener_rule(original, logical_id, props, stack_name):
    problem = priority_in_use(props.get("ListenerArn"), props.get("Priority"))
    if problem:
        raise ValueError(problem)
    return original(logical_id, props, stack_name)


@patch_handler(RULE, "update")
def update_listener_rule(original, physical_id, old_props, new_props, stack_name, logical_id=None):
    problem = priority_in_use(
        new_props.get("ListenerArn"), new_props.get("Priority"), but=physical_id
    )
    if problem:
        raise ValueError(problem)
    return original(physical_id, old_props, new_props, stack_name, logical_id)
