"""Callers with policies are held to them, in every service.

What AWS does (Service Authorization Reference; IAM user guide, "Policy evaluation logic" and
"Troubleshoot access denied error messages"): a call needs its action on its resource, and whatever
it uses on the way: a role that is handed on needs ``iam:PassRole`` for the service that gets it,
code in a bucket ``s3:GetObject``, a network ``ec2:Describe..``, a layer ``lambda:GetLayerVersion``.
The answer names caller, action and resource, and which kind of policy is the reason.

MiniStack's evaluator decides. MiniStack asks it for one action per call, takes many calls of Lambda
for others (``UpdateAlias`` for ``ListAliases``, several for none), knows neither qualifiers nor
paths of roles, and names the resource in few services only.

``TROUPE_CLOUD_ACTIONS_LOG`` names a file that gets a line of JSON for every decision, with
``principal``, ``action``, ``resource`` and ``allowed``; also for accounts' own keys, which may do
everything.

Without it fails: ``test_callers.py::test_actions_and_resources_of_calls``
"""

import contextvars
import json
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import unquote

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, sts

from troupe_cloud import settings
from troupe_cloud.patching import patch, require

require(iam_actions, "_match_rest_action", "_BOTOCORE_SERVICE_MAP")
require(iam_evaluator, "resolve_principal", "EvalContext", "EvalResult", "evaluate", "AuthError")

iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]
# Operations of Lambda whose action has another name.
LAMBDA_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
# Actions of Lambda that are asked for the version or alias that the call names.
OF_QUALIFIERS = frozenset(
    f"lambda:{name}"
    for name in (
        "InvokeFunction GetFunction GetFunctionConfiguration DeleteFunction AddPermission GetPolicy"
        " RemovePermission PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig"
        " DeleteProvisionedConcurrencyConfig"
    ).split()
)
RPC_PATH = re.compile(r"/service/[^/]+/operation/([A-Za-z]+)")

CALL = contextvars.ContextVar("troupe_call", default=None)
DENIED = contextvars.ContextVar("troupe_denied", default="")


@dataclass
class Check:
    """An action that a call needs; ``answer`` is the text when it is not the usual one."""

    action: str
    resource: str = "*"
    keys: dict = field(default_factory=dict)
    answer: str = ""


# -- what a call is --------------------------------------------------------------------------------


@patch(iam_actions, "extract_iam_action")
def action_of(original, service, method, path, headers, body, params):
    call = SimpleNamespace(
        service=service, method=method, path=path, body=body, params=params,
        key=ministack.extract_access_key_id(headers, params), action=None,
    )  # fmt: skip
    CALL.set(call)
    rpc = RPC_PATH.search(path)
    if service == "lambda":
        name = iam_actions._match_rest_action("lambda", method, path, params)
        call.action = f"lambda:{LAMBDA_ACTIONS.get(name, name)}" if name else None
    elif service == "monitoring" and rpc:
        call.action = f"cloudwatch:{rpc[1]}"
    else:
        call.action = original(service, method, path, headers, body, params)
    return call.action


def parameter(call, name):
    return iam_actions._query_param(call.params, name)


def content(call):
    try:
        decoded = json.loads(call.body or b"{}")
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def lambda_resource(call, region, account):
    """``function:NAME``, with its qualifier where the action is asked for that."""
    arn = f"arn:aws:lambda:{region}:{account}"
    parts = [unquote(part) for part in call.path.strip("/").split("/")]
    kind, name = (parts[1:3] + ["", ""])[:2]
    if kind == "event-source-mappings" and name:
        return f"{arn}:event-source-mapping:{name}"
    if kind == "layers" and name:
        number = parts[4:5] if parts[3:4] == ["versions"] else []
        return ":".join([f"{arn}:layer:{name}", *number])
    if kind == "tags" and name:
        return "/".join(parts[2:])
    if kind != "functions":
        return "*"
    name = name or content(call).get("FunctionName", "")
    if not name:
        return "*"
    words = name.split(":")
    if "function" in words:
        words = words[words.index("function") + 1 :]
    qualifier = words[1:] or [q for q in [parameter(call, "Qualifier")] if q]
    if call.action not in OF_QUALIFIERS:
        qualifier = []
    return ":".join([f"{arn}:function:{words[0]}", *qualifier])


def role_arn(account, name, path="/"):
    role = iam._roles.get_scoped(account, None, name)
    return role["Arn"] if role else f"arn:aws:iam::{account}:role{path or '/'}{name}"


@patch(iam_actions, "extract_resource_arn")
def resource_of(original, service, method, path, headers, body, params, region, account):
    call = CALL.get()
    if service == "lambda" and call is not None:
        return lambda_resource(call, region, account)
    if service == "iam" and call is not None and parameter(call, "RoleName"):
        return role_arn(account, parameter(call, "RoleName"), parameter(call, "Path"))
    return original(service, method, path, headers, body, params, region, account)


# -- what else a call needs ------------------------------------------------------------------------


def pass_role(arn, service):
    return Check("iam:PassRole", arn, {"iam:PassedToService": f"{service}.amazonaws.com"})


def no_access(service, operation, what, code, text):
    return (
        f"Your access has been denied by {service}, please make sure your request credentials have"
        f" permission to {operation} for {what}. {service} Error Code: {code}. {service} Error"
        f" Message: {text}"
    )


def code_object(bucket, key):
    return Check(
        "s3:GetObject",
        f"arn:aws:s3:::{bucket}/{key}",
        answer=no_access("S3", "GetObject", f"{bucket}/{key}", "AccessDenied", "Access Denied"),
    )


def template_object(url):
    place = re.match(r"https?://([^/]+)/([^?]+)", url or "")
    if place:
        bucket = re.match(r"(.+)\.s3[.-]", place[1])
        path = f"{bucket[1]}/{place[2]}" if bucket else place[2]
        answer = (
            "S3 error: Access Denied\nFor more information check"
            " http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
        )
        yield Check("s3:GetObject", f"arn:aws:s3:::{path}", answer=answer)


def function_needs(wanted):
    """What a caller needs who creates or changes a function to this."""
    if wanted.get("Role"):
        yield pass_role(wanted["Role"], "lambda")
    network = wanted.get("VpcConfig") or {}
    if network.get("SubnetIds"):
        for kind, ids in (("SecurityGroups", "SecurityGroupIds"), ("Subnets", "SubnetIds")):
            for id in network.get(ids) or []:
                text = "You are not authorized to perform this operation."
                answer = no_access("EC2", f"Describe{kind}", id, "UnauthorizedOperation", text)
                yield Check(f"ec2:Describe{kind}", answer=answer)
        yield Check("ec2:DescribeVpcs")
    for layer in wanted.get("Layers") or []:
        yield Check("lambda:GetLayerVersion", layer)
    code = wanted.get("Code") or wanted
    if code.get("S3Bucket"):
        yield code_object(code["S3Bucket"], code.get("S3Key", ""))


def lambda_needs(call, resource):
    wanted = content(call)
    if call.action in (
        "lambda:CreateFunction",
        "lambda:UpdateFunctionConfiguration",
        "lambda:UpdateFunctionCode",
    ):
        yield from function_needs(wanted)
    if call.action == "lambda:CreateFunction" and wanted.get("Tags"):
        yield Check("lambda:TagResource", resource)


def cloudformation_needs(call, _resource):
    if parameter(call, "RoleARN"):
        yield pass_role(parameter(call, "RoleARN"), "cloudformation")
    yield from template_object(parameter(call, "TemplateURL"))


def apigateway_needs(call, resource):
    """A definition that says who may call the API sets its policy."""
    if call.method in ("PUT", "POST") and re.fullmatch(r"/restapis(/[^/]+)?", call.path):
        if b"x-amazon-apigateway-policy" in (call.body or b""):
            yield Check("apigateway:UpdateRestApiPolicy", resource)


NEEDS = {
    "lambda": lambda_needs,
    "cloudformation": cloudformation_needs,
    "apigateway": apigateway_needs,
}


def keys_of(call):
    """The condition keys of IAM's own actions on roles."""
    if call is None or call.service != "iam":
        return {}
    role = iam._roles.get(parameter(call, "RoleName")) or {}
    boundary = parameter(call, "PermissionsBoundary") or role.get("PermissionsBoundary")
    keys = {"iam:PermissionsBoundary": boundary, "iam:PolicyARN": parameter(call, "PolicyArn")}
    return {key: value for key, value in keys.items() if value}


@patch(iam_evaluator, "pin_request_origin")
def pin_request_origin(original, source_ip, _secure_transport):
    """AWS is called through TLS, nothing here is: ``aws:SecureTransport`` is what it is there."""
    original(source_ip, True)


# -- the decision ----------------------------------------------------------------------------------


def record(principal, check, allowed):
    if not settings.ACTIONS_LOG:
        return
    line = {"principal": principal, "action": check.action, "resource": check.resource}
    with open(settings.ACTIONS_LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps({**line, "allowed": allowed}) + "\n")


def kinds_of(principal, key):
    """The layers of a decision with what messages call them."""
    kinds = ["identity-based policy"] + ["permissions boundary"] * len(principal.limits)
    if (sts._sessions.get(key) or {}).get("SessionPolicies") is not None:
        kinds[-1] = "session policy"
    return list(zip(kinds, (principal.policies, *principal.limits)))


def context_of(principal, check):
    return iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=check.action,
        resource_arn=check.resource,
        region=get_region(),
        service_context={name.lower(): value for name, value in check.keys.items()},
        principal_keys=principal.keys,
    )


def allows(principal, check):
    """Whether the caller's own policies, boundary and session allow this."""
    if principal.policies is None:
        return True
    context = context_of(principal, check)
    result = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
    return result.decision == "Allow"


def refusal(principal, key, check):
    """What AWS says to a caller that may not do this."""
    context = context_of(principal, check)
    reason = f"because no identity-based policy allows the {check.action} action"
    decisions = [
        (kind, iam_evaluator.evaluate(context, layer).decision)
        for kind, layer in kinds_of(principal, key)
    ]
    denied = next((kind for kind, decision in decisions if decision == "Deny"), None)
    missing = next((kind for kind, decision in decisions if decision != "Allow"), None)
    if denied:
        article = "an" if denied.startswith("i") else "a"
        reason = f"with an explicit deny in {article} {denied}"
    elif missing:
        reason = f"because no {missing} allows the {check.action} action"
    return (
        f"User: {principal.arn} is not authorized to perform: {check.action} on resource:"
        f" {named(check)} {reason}"
    )


def named(check):
    """Services spell resources in their own ways."""
    service, action = check.action.split(":")
    if service == "s3":
        return f'"{check.resource}"'
    if service == "iam" and ":role/" in check.resource and action not in ("CreateRole", "PassRole"):
        return f"role {check.resource.rsplit('/', 1)[-1]}"
    return check.resource


def principal_of(key):
    return iam_evaluator.resolve_principal(key, get_account_id())


@patch(iam_evaluator, "enforce")
def enforce(
    original, access_key_id, iam_action, service, region, resource_arn="*", service_context=None
):
    call = CALL.get()
    own = call is not None and call.action == iam_action
    checks = [Check(iam_action, resource_arn, {**(service_context or {}), **keys_of(call)})]
    if own and service in NEEDS:
        checks += NEEDS[service](call, resource_arn)
    for check in checks:
        denied = original(access_key_id, check.action, service, region, check.resource, check.keys)
        principal = principal_of(access_key_id) if access_key_id else None
        known = principal is not None and not isinstance(principal, iam_evaluator.AuthError)
        if known:
            record(principal.arn, check, not denied)
        if isinstance(denied, iam_evaluator.EvalResult):
            if known and not denied.resource_policy_arn:
                DENIED.set(check.answer or refusal(principal, access_key_id, check))
            return denied
        if denied:
            return denied
    return None


@patch(iam_actions, "access_denied_response")
def denied_response(original, service, action, principal_arn, request_id, **kwargs):
    """Every service names the resource; a template that cannot be read is no valid request."""
    text = DENIED.get()
    if not text or kwargs.get("error_code") or kwargs.get("message"):
        return original(service, action, principal_arn, request_id, **kwargs)
    if text.startswith("S3 error:"):
        answer = original(
            service, action, principal_arn, request_id,
            **{**kwargs, "error_code": "ValidationError", "message": text},
        )  # fmt: skip
        return 400, *answer[1:]
    if service in ("ssm", "logs"):
        # MiniStack words these two itself, and takes no other text.
        return original(service, action, principal_arn, request_id, **kwargs)
    return original(service, action, principal_arn, request_id, **{**kwargs, "message": text})
