"""Nested stacks are stacks.

What AWS does (CloudFormation user guide, "Work with nested stacks", "Understand stack creation
events"): the template of an ``AWS::CloudFormation::Stack`` is checked like any other; the nested
stack's resources are created, updated, rolled back and deleted by its own operation, with events of
its own; what an update drops in a nested stack is deleted when the whole update has succeeded. The
root says ``Embedded stack <id> was not successfully ...`` and nothing more. MiniStack has a second,
simpler engine for them: no checks, every resource of an updated nested stack reported, dropped ones
deleted while the rest may still fail, what a failed creation left behind stays, failures to delete
are swallowed.

Without it fails: ``test_nested.py::test_only_what_changes_is_reported_in_the_part``
"""

import asyncio
import contextlib
import contextvars
import copy
import re

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, helpers, provisioners, stacks

from troupe_cloud import settings
from troupe_cloud.cloudformation.errors import ResourceError
from troupe_cloud.cloudformation.stack_events import ROLLING_BACK, STACK
from troupe_cloud.patching import patch, require

require(cloudformation, "_stacks", "_stack_events")
require(
    engine,
    "_parse_template",
    "_resolve_parameters",
    "_evaluate_conditions",
    "validate_template_support",
)
require(helpers, "_resolve_template")
require(
    provisioners,
    "_check_nested_stack_capabilities",
    "_inherited_capabilities",
    "_nested_stack_lookup_name",
    "_cr_stack_id",
    "_tag_map",
)
LOOP = contextvars.ContextVar("troupe_stack_loop", default=None)
CHANGES = contextvars.ContextVar("troupe_stack_changes", default=None)
BEFORE = "_troupe_before"  # of an updated nested stack: what its root's rollback goes back to
KEPT = (
    "_template",
    "_template_body",
    "_resolved_params",
    "_conditions",
    "_resources",
    "Parameters",
    "Tags",
    "Outputs",
)


def counting(name):
    """Let an operation on a stack that is nested in no other one count its changes from 0."""

    @patch(stacks, name)
    async def operation(original, stack_name, *args, **kwargs):
        if "ParentId" in (cloudformation._stacks.get(stack_name) or {}):
            return await original(stack_name, *args, **kwargs)
        token = CHANGES.set([0])
        try:
            return await original(stack_name, *args, **kwargs)
        finally:
            CHANGES.reset(token)


counting("_deploy_stack_async")
counting("_delete_stack_async")


@patch(stacks, "_runs_on_worker_thread")
def runs_on_worker_thread(original, resource_type):
    """Remember the operation's loop; an operation calls this when it is about to hand a nested
    stack to a thread.
    """
    with contextlib.suppress(RuntimeError):  # it runs on a thread itself, without a loop
        LOOP.set(asyncio.get_running_loop())
    return original(resource_type)


def run(operation):
    """Run a stack's operation to its end, on the server's loop like every other one."""
    loop = LOOP.get()
    asyncio.run_coroutine_threadsafe(operation, loop).result()


def checked_template(properties, parent):
    """The template, its text, parameters and conditions; what AWS refuses is refused."""
    url = properties.get("TemplateURL")
    if not url:
        raise ResourceError("Property TemplateURL cannot be empty.")
    text, refusal = helpers._resolve_template({"TemplateURL": [url]})
    if refusal is not None or not text:
        raise ResourceError(f"S3 error: The specified key does not exist ({url})")
    template = engine._parse_template(text)
    provisioners._check_nested_stack_capabilities(parent, template)
    given = properties.get("Parameters") or {}
    if any(isinstance(value, (list, dict)) for value in given.values()):
        raise ResourceError(
            "Value of property Parameters must be an object with String (or simple type) properties"
        )
    values = engine._resolve_parameters(
        template,
        [
            {"Key": key, "Value": "" if value is None else str(value)}
            for key, value in given.items()
        ],
    )
    conditions = engine._evaluate_conditions(template, values)
    engine.validate_template_support(template, conditions, params=values)
    return template, text, values, conditions


def describe(stack, properties, template, text, values, conditions):
    stack.update(
        {
            "StackStatusReason": "",
            "LastUpdatedTime": now_iso(),
            "Description": template.get("Description", ""),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
                for key, value in values.items()
            ],
            "Tags": [
                {"Key": key, "Value": value}
                for key, value in provisioners._tag_map(properties.get("Tags")).items()
                if not key.startswith("aws:")
            ],
            "_template": template,
            "_template_body": text,
            "_resolved_params": values,
            "_conditions": conditions,
        }
    )


def count(changed):
    """Add ``changed`` resources of a nested stack to those of the running operation, which fails
    when they are too many.

    Source of the limit: CloudFormation user guide, "Understand CloudFormation quotas". The wording
    of the refusal is not known.
    """
    total = CHANGES.get()
    if total is None:
        return
    total[0] += changed
    if total[0] > settings.STACK_CHANGES:
        raise ResourceError(
            f"The operation changes {total[0]} resources in nested stacks, the maximum is"
            f" {settings.STACK_CHANGES}"
        )


def changes(before, after):
    names = set(before) | set(after)
    return sum(before.get(name) != after.get(name) for name in names)


def begin(stack, status, reason=""):
    stack["StackStatus"] = status
    stacks._add_event(
        stack["StackId"], stack["StackName"], stack["StackName"], STACK, status, reason,
        stack["StackId"],
    )  # fmt: skip


def failed_resources(stack, verb):
    """What the last operation's events say has failed, as the root words it."""
    names = []
    for event in reversed(cloudformation._stack_events.get(stack["StackId"], [])):
        status, name = event["ResourceStatus"], event["LogicalResourceId"]
        if name == stack["StackName"] and status in (
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
            "DELETE_IN_PROGRESS",
        ):
            break
        if status.endswith("_FAILED") and name != stack["StackName"] and name not in names:
            names.append(name)
    if names:
        return f"The following resource(s) failed to {verb}: [{', '.join(reversed(names))}]. "
    return stack.get("StackStatusReason") or "Unknown failure. "


def outputs_of(stack):
    return {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in stack["Outputs"]}


def create(logical_id, properties, parent):
    checked = checked_template(properties, parent)
    count(len(checked[0]["Resources"]))
    name = f"{parent}-{logical_id}-{new_uuid().replace('-', '')[:12].upper()}"
    stack_id = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/{new_uuid()}"
    parent_id = provisioners._cr_stack_id(parent)
    stack = {
        "StackName": name,
        "StackId": stack_id,
        "CreationTime": now_iso(),
        "Outputs": [],
        "DisableRollback": True,
        "RootId": (cloudformation._stacks.get(parent) or {}).get("RootId", parent_id),
        "ParentId": parent_id,
        "Capabilities": provisioners._inherited_capabilities(parent),
        "_parent_stack_name": parent,
        "_region": get_region(),
        "_resources": {},
    }
    describe(stack, properties, *checked)
    cloudformation._stacks[name] = stack
    cloudformation._stack_events[stack_id] = []
    begin(stack, "CREATE_IN_PROGRESS")
    template, _, values, _ = checked
    run(stacks._deploy_stack_async(name, stack_id, template, values, True, stack["Tags"]))
    if stack["StackStatus"] != "CREATE_COMPLETE":
        reason = failed_resources(stack, "create")
        # The root's rollback deletes only what was created, and this stack never was: delete it
        # here.
        run(stacks._delete_stack_async(name, stack_id))
        raise ResourceError(f"Embedded stack {stack_id} was not successfully created: {reason}")
    return stack_id, outputs_of(stack)


def roll_back(stack, properties):
    """Take a nested stack back because another resource of the root's update has failed."""
    before = stack.pop(BEFORE, None)
    if before is None:  # it went back when its own update failed
        return
    # What the update dropped has not been deleted yet.
    dropped = {
        key: value for key, value in before["_resources"].items() if key not in stack["_resources"]
    }
    current = {key: copy.deepcopy(stack.get(key)) for key in KEPT}
    current["_resources"] = {**dropped, **current["_resources"]}
    stack["_resources"] = copy.deepcopy(current["_resources"])
    for key in KEPT:
        if key != "_resources":
            stack[key] = before[key]
    begin(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
    run_update(stack, current)
    if stack["StackStatus"] != "UPDATE_COMPLETE":
        stack["StackStatus"] = "UPDATE_ROLLBACK_FAILED"
        raise ResourceError(
            f"Embedded stack {stack['StackId']} was not successfully updated: "
            + failed_resources(stack, "update")
        )
    begin(stack, "UPDATE_ROLLBACK_COMPLETE")


def run_update(stack, previous):
    run(
        stacks._deploy_stack_async(
            stack["StackName"], stack["StackId"], stack["_template"], stack["_resolved_params"],
            False, stack["Tags"], is_update=True, previous_stack=previous,
        )
    )  # fmt: skip


def update(stack, properties, parent):
    if ROLLING_BACK.get():
        roll_back(stack, properties)
        return stack["StackId"], outputs_of(stack)
    checked = checked_template(properties, parent)
    count(changes(stack["_template"].get("Resources", {}), checked[0]["Resources"]))
    stack.pop(BEFORE, None)
    previous = {key: copy.deepcopy(stack.get(key)) for key in KEPT}
    describe(stack, properties, *checked)
    begin(stack, "UPDATE_IN_PROGRESS")
    run_update(stack, copy.deepcopy(previous))
    if stack["StackStatus"] != "UPDATE_COMPLETE":
        raise ResourceError(
            f"Embedded stack {stack['StackId']} was not successfully updated. Currently in "
            f"{stack['StackStatus']} with reason: {failed_resources(stack, 'update')}"
        )
    stack[BEFORE] = previous
    return stack["StackId"], outputs_of(stack)


@patch(provisioners, "_cfn_nested_stack_deploy")
def deploy(
    original,
    logical_id,
    properties,
    parent_stack_name,
    *,
    previous_physical_id=None,
    previous_props=None,
):
    stack = cloudformation._stacks.get(previous_physical_id) if previous_physical_id else None
    if stack is None:
        return create(logical_id, properties, parent_stack_name)
    return update(stack, properties, parent_stack_name)


@patch(provisioners, "_cfn_nested_stack_delete")
def delete(original, physical_id, properties):
    stack = cloudformation._stacks.get(provisioners._nested_stack_lookup_name(physical_id))
    if stack is None or stack.get("StackStatus") == "DELETE_COMPLETE":
        return
    if not ROLLING_BACK.get():
        count(len(stack["_resources"]))
    run(stacks._delete_stack_async(stack["StackName"], stack["StackId"]))
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise ResourceError(
            f"Embedded stack {stack['StackId']} was not successfully deleted: "
            + failed_resources(stack, "delete")
        )


@patch(stacks, "_add_event")
def add_event(
    original,
    stack_id,
    stack_name,
    logical_id,
    resource_type,
    status,
    reason="",
    physical_id="",
    detailed_status="",
):
    """The root's event of a nested stack that failed names it."""
    embedded = re.match(r"Embedded stack (arn:\S+) was not", reason or "")
    if embedded and resource_type == STACK and not physical_id:
        physical_id = embedded[1]
    return original(
        stack_id,
        stack_name,
        logical_id,
        resource_type,
        status,
        reason,
        physical_id,
        detailed_status,
    )
