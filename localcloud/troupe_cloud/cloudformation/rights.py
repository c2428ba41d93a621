"""A stack does what its caller may, or what the role may that it was given.

What AWS does (CloudFormation user guide, "Control access with AWS Identity and Access Management",
"CloudFormation service role"): every resource is made with the rights of whoever called, or of
``RoleARN``, which the stack keeps for later operations; handing it over needs ``iam:PassRole``. A
resource that may not be made fails with the message of its service (recorded form:
aws/aws-cdk#27067). A stack's tags are put on its resources, which takes the right to tag those
(convox/rack#2199). MiniStack asks only whether CreateStack may be called.

``resource_rights.json`` says what a type's operations need: ``create``, ``update`` and ``delete``
always, ``read`` where CloudFormation looks at what it made, ``with`` for properties that are set or
change (``changed`` instead for an update, when it differs), ``gone`` for properties at the end,
``passes`` for roles that are handed to a service. ``arn`` is the resource, ``member`` the one of an
update or a deletion where that is another, and ``name`` the property with its name. A type that is
not in it needs ``service:CreateType`` and the like.

Without it fails: ``test_callers.py::test_a_stack_does_what_its_caller_may``
"""

import contextlib
import contextvars
import functools
import json
import re
from pathlib import Path
from urllib.parse import quote

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudformation, iam
from ministack.services.cloudformation import changesets, handlers, provisioners

from troupe_cloud.cloudformation.errors import handler_error
from troupe_cloud.iam import callers, roles
from troupe_cloud.iam.callers import Check, function_needs, pass_role, template_object
from troupe_cloud.patching import patch, require

require(iam_evaluator, "PrincipalInfo", "_gather_role_policies", "_permissions_boundary")
require(provisioners, "_replacing_change", "_physical_name")

ROLE = "_troupe_role"
SERVICE = "cloudformation.amazonaws.com"
OPERATIONS = {"create": "Create", "update": "Update", "delete": "Delete"}
_checked = contextvars.ContextVar("troupe_rights_checked", default=False)
_change_set_roles = {}  # (stack name, change set name): RoleARN


@functools.cache
def table():
    return json.loads(Path(__file__).with_name("resource_rights.json").read_text())


# -- who acts --------------------------------------------------------------------------------------


def service_role(arn):
    account, name = roles.split(arn)
    return iam_evaluator.PrincipalInfo(
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/AWSCloudFormation",
        type="AssumedRole",
        account=account,
        policies=iam_evaluator._gather_role_policies(name, account),
        limits=iam_evaluator._permissions_boundary(iam._roles, name, account),
    )


def actor(stack_name):
    """``(principal, its key)``; None when nobody is held to anything (a server's own restart)."""
    stack = cloudformation._stacks.get(stack_name) or {}
    root = cloudformation._stacks.get(stack["RootId"].split("/")[1]) if "RootId" in stack else None
    arn = stack.get(ROLE) or (root or {}).get(ROLE)
    if arn:
        return service_role(arn), ""
    call = callers.CALL.get()
    if call is None or not call.key:
        return None, ""
    principal = callers.principal_of(call.key)
    if isinstance(principal, iam_evaluator.AuthError):
        raise handler_error(principal.message, "AccessDenied")
    return principal, call.key


# -- what an operation needs -----------------------------------------------------------------------


def words(text):
    return (text or "").split()


def at(properties, path):
    for part in path.split("."):
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


def function_name(reference, qualified):
    parts = str(reference).split(":")
    if "function" in parts:
        parts = parts[parts.index("function") + 1 :]
    return ":".join(parts) if qualified else parts[0]


def made_up_name(row, stack, logical):
    """The name that MiniStack is about to give to what has none in the template."""
    if "name" not in row:
        return "*"
    lower = bool(row.get("lower"))
    return provisioners._physical_name(stack, logical, lowercase=lower, max_len=64 - lower)


def resource_arn(row, template, properties, physical, logical, stack):
    """The ARN that the template of the table means; what is not known is ``*``."""
    name = properties.get(row.get("name", "")) or (physical or "").rsplit("/", 1)[-1]
    name = name or made_up_name(row, stack, logical)
    values = {
        "account": get_account_id(),
        "region": get_region(),
        "stack": stack,
        "name": str(name).lstrip("/"),
        "id": physical or "*",
        "path": properties.get("Path") or "/",
    }

    def value(found):
        key, _, default = found[1].partition("|")
        if key in values:
            return values[key]
        given = properties.get(key)
        if isinstance(given, list):
            given = given[0] if given else None
        if key in ("FunctionName", "TargetFunctionArn"):
            given = function_name(given, row.get("qualified"))
        return str(given) if given else default or "*"

    if "{name}" in template and str(physical or "").startswith("arn:"):
        return physical
    if template.endswith("log-group:{name}"):
        values["name"] = str(name)
    return re.sub(r"\{([A-Za-z|]+)\}", value, template)


def policies_of(action, properties):
    """Every managed policy is a call of its own, with its ARN as a key."""
    if action == "iam:AttachRolePolicy":
        for arn in properties.get("ManagedPolicyArns") or []:
            yield {"iam:PolicyARN": arn}
    else:
        yield {}


def fallback(resource_type):
    """The rights of a type that is not in the table."""
    _, service, name = (resource_type.split("::") + ["", ""])[:3]
    actions = {key: f"{service.lower()}:{verb}{name}" for key, verb in OPERATIONS.items()}
    return {"arn": "*", **actions}


def without_own_tags(properties):
    """CloudFormation's own tags, which it puts on everything, need no right to tag."""
    tags = properties.get("Tags")
    if isinstance(tags, list):
        tags = [tag for tag in tags if not str(tag.get("Key")).startswith("aws:")]
    elif isinstance(tags, dict):
        tags = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    rest = {key: value for key, value in properties.items() if key != "Tags"}
    return {**rest, "Tags": tags} if tags else rest


def with_stack_tags(properties, stack):
    """What is made has the tags of its stack as well."""
    tags = (cloudformation._stacks.get(stack) or {}).get("Tags")
    return properties if properties.get("Tags") or not tags else {**properties, "Tags": tags}


def actions_of(row, operation, old, new):
    """The actions of an operation that changes ``old`` into ``new`` (empty: there is none)."""
    yield from words(row.get(operation))
    chosen = {
        "create": row.get("with", {}),
        "update": row.get("changed", row.get("with", {})),
        "delete": row.get("gone", {}),
    }[operation]
    seen = set()
    for name, actions in chosen.items():
        differs = old.get(name) != new.get(name)
        if differs and (operation != "delete" or old.get(name)) and actions not in seen:
            seen.add(actions)
            yield from words(actions)


def needs(resource_type, operation, logical, physical, old, new, stack):
    """Every Check of one operation on one resource."""
    old, new = without_own_tags(old), without_own_tags(new)
    new = with_stack_tags(new, stack) if operation == "create" else new
    if resource_type.startswith("Custom::") or resource_type.endswith("::CustomResource"):
        yield Check("lambda:InvokeFunction", (new or old).get("ServiceToken", "*"))
        return
    if re.match(r"AWS::CloudFormation::(WaitCondition|Macro)", resource_type):
        return
    row = table().get(resource_type) or fallback(resource_type)
    properties = new or old
    template = row["arn"] if operation == "create" else row.get("member", row["arn"])
    resource = resource_arn(row, template, properties, physical, logical, stack)
    boundary = {"iam:PermissionsBoundary": properties.get("PermissionsBoundary")}
    shared = boundary if boundary["iam:PermissionsBoundary"] else {}
    for action in actions_of(row, operation, old, new):
        for keys in policies_of(action, properties):
            yield Check(action, resource, {**shared, **keys})
    if new and row.get("read"):
        member = row.get("member", row["arn"])
        yield Check(row["read"], resource_arn(row, member, properties, physical, logical, stack))
    tagged = new.get("Tags") and new["Tags"] != old.get("Tags")
    if tagged and row["arn"].startswith("arn:aws:apigateway:"):
        yield Check("apigateway:PUT", tags_of(resource, operation))
    for path, service in row.get("passes", {}).items():
        if at(new, path) and at(new, path) != at(old, path):
            yield pass_role(at(new, path), service)
    if resource_type == "AWS::CloudFormation::Stack":
        yield from template_object(new.get("TemplateURL"))
    if resource_type == "AWS::Lambda::Function" and operation != "delete":
        changed = {key: value for key, value in new.items() if old.get(key) != value}
        yield from (c for c in function_needs(changed) if c.action != "iam:PassRole")


def tags_of(resource, operation):
    """API Gateway's tags have a path of their own (mattclay/aws-terminator#284)."""
    arn = resource.split("::")[0]
    tagged = resource if operation == "update" else f"{resource}/*"
    return f"{arn}::/tags/{quote(tagged, safe='*')}"


def check(resource_type, operation, logical, physical, old, new, stack):
    """Refuse the operation when whoever acts may not do it."""
    principal, key = actor(stack)
    if principal is None:
        return
    for wanted in needs(resource_type, operation, logical, physical, old, new, stack):
        denied = not callers.allows(principal, wanted)
        callers.record(principal.arn, wanted, not denied)
        if denied:
            text = wanted.answer or callers.refusal(principal, key, wanted)
            service = wanted.action.split(":")[0].capitalize()
            raise handler_error(
                f"{text} (Service: {service}, Status Code: 403, Request ID: {new_uuid()})",
                "AccessDenied",
            )


# -- where it is asked -----------------------------------------------------------------------------


@contextlib.contextmanager
def checked():
    token = _checked.set(True)
    try:
        yield
    finally:
        _checked.reset(token)


@patch(provisioners, "_provision_resource")
def provision(original, resource_type, logical_id, properties, stack_name):
    if not _checked.get():
        check(resource_type, "create", logical_id, None, {}, properties or {}, stack_name)
    return original(resource_type, logical_id, properties, stack_name)


@patch(provisioners, "_update_resource")
def update(original, resource_type, physical_id, old, new, stack_name, logical_id=None, *rest):
    arguments = (resource_type, physical_id, old, new, stack_name, logical_id, *rest)
    if old == new or provisioners._replacing_change(resource_type, old, new):
        return original(*arguments)
    check(resource_type, "update", logical_id, physical_id, old or {}, new or {}, stack_name)
    with checked():
        return original(*arguments)


@patch(provisioners, "_delete_resource")
def delete(original, resource_type, physical_id, properties, stack_name=None, logical_id=None):
    if not _checked.get():
        check(
            resource_type, "delete", logical_id, physical_id, properties or {}, {}, stack_name or ""
        )
    return original(resource_type, physical_id, properties, stack_name, logical_id)


# -- the role of a stack ---------------------------------------------------------------------------


def unusable(arn):
    if not arn or roles.usable(arn, SERVICE) is not None:
        return None
    return handlers._error("ValidationError", f"Role {arn} is invalid or cannot be assumed")


def with_role(original, params, given):
    """Run an operation with the role it names, or with the one that the stack has."""
    name = handlers._p(params, "StackName")
    before = handlers._resolve_stack(name) or {}
    arn = given or before.get(ROLE)
    error = unusable(arn)
    if error:
        return error
    if arn:
        before[ROLE] = arn
    response = original(params)
    after = handlers._resolve_stack(name)
    if arn and after is not None:
        after[ROLE] = arn
    return response


@patch(handlers, "_create_stack")
def create_stack(original, params):
    return with_role(original, params, handlers._p(params, "RoleARN"))


@patch(handlers, "_update_stack")
def update_stack(original, params):
    return with_role(original, params, handlers._p(params, "RoleARN"))


@patch(handlers, "_delete_stack")
def delete_stack(original, params):
    return with_role(original, params, handlers._p(params, "RoleARN"))


def change_set_of(params):
    return (
        get_account_id(),
        get_region(),
        *(
            handlers._p(params, key).split("/")[
                1 if handlers._p(params, key).startswith("arn:") else 0
            ]
            for key in ("StackName", "ChangeSetName")
        ),
    )


@patch(changesets, "_create_change_set")
def create_change_set(original, params):
    arn = handlers._p(params, "RoleARN")
    error = unusable(arn)
    if error:
        return error
    _change_set_roles[change_set_of(params)] = arn
    return original(params)


@patch(changesets, "_execute_change_set")
def execute_change_set(original, params):
    key = change_set_of(params)
    arn = next(
        (role for known, role in _change_set_roles.items()
         if known[:2] == key[:2] and known[3] == key[3] and key[2] in ("", known[2])),
        "",
    )  # fmt: skip
    return with_role(original, params, arn)
