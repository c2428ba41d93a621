"""Stack operations take time, exclude each other, and follow the states AWS has.

What AWS does (CloudFormation user guide, "Understand stack creation events", "Outputs"; recorded
messages: localstack's cloudformation snapshots): an operation on a stack that is busy is refused, a
stack in ROLLBACK_COMPLETE can only be deleted, outputs are not shown while an operation runs.
MiniStack finishes within milliseconds (``TROUPE_CLOUD_STACK_MS`` sets the least time here), creates
over a rolled-back stack and always shows outputs.

Without it fails: ``test_cloudformation.py::test_busy_stack``
"""

import asyncio
import contextlib

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets
from ministack.services.cloudformation import handlers
from ministack.services.cloudformation import stacks

from troupe_cloud import settings
from troupe_cloud.cloudformation.stack_events import (
    ROLLING_BACK,
    RUNNING,
    Operation,
    settle_statuses,
)
from troupe_cloud.cloudformation.exports import forget_dropped
from troupe_cloud.patching import patch, require

require(handlers, "_p", "_error", "_resolve_stack", "_describe_stacks", "_esc")
require(cloudformation, "_stacks", "_stack_events")
UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)


# -- states ----------------------------------------------------------------------------------------


def not_updatable(params):
    """The refusal of an update of a stack that is busy or beyond updating, or None."""
    stack = handlers._resolve_stack(handlers._p(params, "StackName"))
    status = (stack or {}).get("StackStatus", "DELETE_COMPLETE")
    if status in UPDATABLE or status == "DELETE_COMPLETE":
        return None
    return handlers._error(
        "ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated."
    )


@patch(handlers, "_create_stack")
def create_stack(original, params):
    name = handlers._p(params, "StackName")
    existing = cloudformation._stacks.get(name)
    if existing and existing.get("StackStatus") != "DELETE_COMPLETE":
        return handlers._error("AlreadyExistsException", f"Stack [{name}] already exists")
    return original(params)


@patch(handlers, "_update_stack")
def update_stack(original, params):
    return not_updatable(params) or original(params)


@patch(changesets, "_create_change_set")
def create_change_set(original, params):
    kind = handlers._p(params, "ChangeSetType") or "UPDATE"
    return (not_updatable(params) if kind == "UPDATE" else None) or original(params)


@patch(handlers, "_delete_stack")
def delete_stack(original, params):
    stack = handlers._resolve_stack(handlers._p(params, "StackName")) or {}
    status = stack.get("StackStatus", "")
    if status.startswith(("UPDATE_", "IMPORT_")) and status.endswith("IN_PROGRESS"):
        return handlers._error(
            "ValidationError",
            f"Stack [{stack['StackId']}] cannot be deleted while in status {status}",
        )
    if status == "DELETE_IN_PROGRESS":
        return handlers._xml(200, "DeleteStackResponse", "")
    return original(params)


# -- outputs ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def outputs_hidden():
    """Within the block stacks that are busy have no outputs to show."""
    busy = [
        stack
        for stack in cloudformation._stacks.values()
        if stack.get("StackStatus", "").endswith("IN_PROGRESS") and stack.get("Outputs")
    ]
    kept = [stack["Outputs"] for stack in busy]
    for stack in busy:
        stack["Outputs"] = []
    try:
        yield
    finally:
        for stack, outputs in zip(busy, kept):
            stack["Outputs"] = outputs


@patch(handlers, "_describe_stacks")
def describe_stacks(original, params):
    with outputs_hidden():
        response = original(params)
    stack = handlers._resolve_stack(handlers._p(params, "StackName"))
    if response[0] != 200:
        return response
    return with_parents(with_resolved_values(response, stack or {}))


def with_parents(response):
    """A nested stack says whose it is."""
    body = response[2].decode()
    for stack in cloudformation._stacks.values():
        if "ParentId" not in stack:
            continue
        own = f"<StackId>{handlers._esc(stack['StackId'])}</StackId>"
        parent, root = handlers._esc(stack["ParentId"]), handlers._esc(stack["RootId"])
        body = body.replace(own, f"{own}<ParentId>{parent}</ParentId><RootId>{root}</RootId>")
    return response[0], response[1], body.encode()


def with_resolved_values(response, stack):
    """A parameter of an SSM type shows the parameter's name, and its value as ResolvedValue."""
    body = response[2].decode()
    for key, resolved in (stack.get("_resolved_params") or {}).items():
        if not isinstance(resolved, dict) or "SsmName" not in resolved:
            continue
        start = f"<ParameterKey>{handlers._esc(key)}</ParameterKey><ParameterValue>"
        value = handlers._esc(str(resolved["Value"]))
        shown = handlers._esc(str(resolved["SsmName"]))
        body = body.replace(
            f"{start}{value}</ParameterValue>",
            f"{start}{shown}</ParameterValue><ResolvedValue>{value}</ResolvedValue>",
        )
    return response[0], response[1], body.encode()


@patch(handlers, "_describe_stack_resources")
def describe_stack_resources(original, params):
    """A resource may be asked for by its physical id alone."""
    physical = handlers._p(params, "PhysicalResourceId")
    if physical and not handlers._p(params, "StackName"):
        for name, stack in cloudformation._stacks.items():
            owned = {
                resource.get("PhysicalResourceId")
                for resource in stack.get("_resources", {}).values()
            }
            if physical in owned and stack.get("StackStatus") != "DELETE_COMPLETE":
                return original(
                    {
                        **params,
                        "StackName": (
                            [name] if isinstance(params.get("PhysicalResourceId"), list) else name
                        ),
                    }
                )
        return handlers._error("ValidationError", f"Stack for {physical} does not exist")
    return original(params)


def is_nested(stack_name):
    return "ParentId" in (cloudformation._stacks.get(stack_name) or {})


# -- time ------------------------------------------------------------------------------------------


@patch(stacks, "_deploy_stack_async")
async def deploy(
    original,
    stack_name,
    stack_id,
    template,
    param_values,
    disable_rollback,
    tags,
    is_update=False,
    previous_stack=None,
    **kwargs,
):
    operation = (
        Operation(stack_name, stack_id, (previous_stack or {}).get("_resources", {}))
        if is_update
        else None
    )
    parent = RUNNING.get()
    if operation is not None and parent is not None:
        operation.root = parent.root or parent
    if not is_nested(stack_name):
        await asyncio.sleep(settings.STACK_OPERATION)
    token = RUNNING.set(operation)
    try:
        await original(
            stack_name,
            stack_id,
            template,
            param_values,
            disable_rollback,
            tags,
            is_update=is_update,
            previous_stack=previous_stack,
            **kwargs,
        )
    finally:
        RUNNING.reset(token)
        if operation is not None:
            settle_statuses(operation)
        stack = cloudformation._stacks.get(stack_name)
        if stack is not None:
            forget_dropped(stack)


@patch(stacks, "_roll_back_operation")
async def roll_back(original, *args, **kwargs):
    """What a rollback does is reported as it is."""
    token, back = RUNNING.set(None), ROLLING_BACK.set(True)
    try:
        await original(*args, **kwargs)
    finally:
        ROLLING_BACK.reset(back)
        RUNNING.reset(token)


@patch(stacks, "_sends_back_failed_update")
def sends_back(original, resource_type):
    """A function whose update fails half way (new code, refused configuration) gets its old
    properties again.
    """
    return resource_type == "AWS::Lambda::Function" or original(resource_type)


@patch(stacks, "_delete_stack_async")
async def delete(original, stack_name, stack_id, *args, **kwargs):
    """A stack that is still being created is deleted when that is over."""
    stack = cloudformation._stacks.get(stack_name)
    while stack and stack.get("StackStatus") in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
        await asyncio.sleep(0.05)
    if stack:
        stack["StackStatus"] = "DELETE_IN_PROGRESS"
    if not is_nested(stack_name):
        await asyncio.sleep(settings.STACK_OPERATION / 2)
    await original(stack_name, stack_id, *args, **kwargs)
