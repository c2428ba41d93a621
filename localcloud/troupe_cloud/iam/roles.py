"""What a role may, decided by its policies, its boundary and the resource's own policy."""

import json

from ministack.core import iam_evaluator
from ministack.core.responses import get_region

from troupe_cloud.iam import propagation
from troupe_cloud.patching import require

require(
    iam_evaluator,
    "EvalContext",
    "evaluate",
    "evaluate_trust_policy",
    "combine_resource_policy",
    "parse_policy_document",
    "_resource_policy",
)


def split(arn):
    """``(account, name)`` of a role's ARN."""
    parts = str(arn).split(":", 5)
    return (parts[4], parts[5].rsplit("/", 1)[-1]) if len(parts) == 6 else ("", str(arn))


def trusts(role, service):
    """Whether the service may assume the role."""
    document = json.loads(role.trust or "{}")
    statements = document.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("Service", []) if isinstance(principal, dict) else principal
        named = [named] if isinstance(named, str) else named or []
        if statement.get("Effect") == "Allow" and (service in named or "*" in named):
            return True
    return False


def usable(arn, service):
    """The role as the service knows it, or None when the service cannot assume it."""
    role = propagation.effective(*split(arn))
    return role if role is not None and trusts(role, service) else None


def may(arn, role, action, resource):
    """Whether the role of this ARN may do the action on the resource."""
    account, name = split(arn)
    parse = iam_evaluator.parse_policy_document
    policies = [parse(document) for document in role.policies]
    limits = [] if role.boundary is None else [[parse(role.boundary)]]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/lambda",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
    )
    result = iam_evaluator.evaluate(context, policies, *limits)
    own = iam_evaluator._resource_policy(action.split(":")[0], resource)
    if own is not None:
        result = iam_evaluator.combine_resource_policy(result, context, *own, limits=limits)
    return result.decision == "Allow"
