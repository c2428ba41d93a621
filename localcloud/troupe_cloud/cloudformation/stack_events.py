"""Stack events: only what happens to a resource, under its own name.

What AWS does (CloudFormation user guide, "Stack event status codes"): an update reports nothing for
a resource that does not change, ``CREATE_*`` for a new one, ``DELETE_*`` for a dropped one in the
phase ``UPDATE_COMPLETE_CLEANUP_IN_PROGRESS``. MiniStack reports ``UPDATE_*`` for every resource of
the template and nothing for deleted ones.

Without it fails: ``test_cloudformation.py::test_events_of_an_update``
"""

import contextvars

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation import stacks

from troupe_cloud.patching import patch, require

require(cloudformation, "_stacks")
require(stacks, "_update_keeping_seed", "_delete_resource", "_runs_on_worker_thread")
STACK = "AWS::CloudFormation::Stack"
ROLLING_BACK = contextvars.ContextVar("troupe_stack_rollback", default=False)
RUNNING = contextvars.ContextVar("troupe_stack_operation", default=None)


class Operation:
    """One running update: which resources were there, which turned out unchanged."""

    def __init__(self, stack_name, stack_id, before):
        self.stack_name, self.stack_id, self.before = stack_name, stack_id, before
        self.held, self.unchanged, self.cleaning = {}, set(), False
        self.root = None  # the operation of the stack that this one is nested in
        self.deferred = []  # deletions in nested stacks, for the clean-up of the root

    def begins(self, logical_id, physical_id):
        """Report the beginning of a change, which was held back until it was clear that there is
        one.
        """
        held = self.held.pop(logical_id, None)
        if held:
            held(physical_id)

    def clean_nested(self):
        """Delete what nested stacks have dropped: they leave it until the root's update has
        succeeded.
        """
        for _, clean_up in self.deferred:
            clean_up()
        for nested in {id(operation): operation for operation, _ in self.deferred}.values():
            stack = cloudformation._stacks[nested.stack_name]
            stack["StackStatus"] = "UPDATE_COMPLETE"
            stacks._add_event(
                nested.stack_id,
                nested.stack_name,
                nested.stack_name,
                STACK,
                "UPDATE_COMPLETE",
                physical_id=nested.stack_id,
            )

    def clean(self):
        """Enter the clean-up phase, once."""
        if not self.cleaning:
            self.cleaning = True
            phase = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            stack = cloudformation._stacks.get(self.stack_name)
            if stack is not None:
                stack["StackStatus"] = phase
            stacks._add_event(
                self.stack_id,
                self.stack_name,
                self.stack_name,
                STACK,
                phase,
                physical_id=self.stack_id,
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
    def emit(status=status, physical_id=physical_id):
        original(
            stack_id,
            stack_name,
            logical_id,
            resource_type,
            status,
            reason,
            physical_id,
            detailed_status,
        )

    operation = RUNNING.get()
    if operation is None or operation.stack_id != stack_id:
        return emit()
    if logical_id == stack_name and resource_type == STACK:
        if status == "UPDATE_COMPLETE":
            if operation.root is None:
                operation.clean()
                operation.clean_nested()
            cloudformation._stacks[stack_name]["StackStatus"] = status
        return emit()
    before = operation.before.get(logical_id)
    if before is None and status.startswith("UPDATE_"):
        return emit(status.replace("UPDATE_", "CREATE_"))
    if status == "UPDATE_IN_PROGRESS" and not reason:
        operation.held[logical_id] = lambda physical: emit(physical_id=physical)
        return None
    if status == "UPDATE_IN_PROGRESS":
        operation.held.pop(logical_id, None)
    if status == "UPDATE_FAILED":
        operation.begins(logical_id, before.get("PhysicalResourceId", ""))
        return emit(physical_id=physical_id or before.get("PhysicalResourceId", ""))
    if status == "UPDATE_COMPLETE" and logical_id in operation.unchanged:
        return None
    return emit()


@patch(stacks, "_update_keeping_seed")
def update_resource(original, resource_type, physical_id, old, new, stack_name, logical_id, *rest):
    operation = RUNNING.get()
    if operation is not None and operation.stack_name == stack_name:
        if old == new:
            operation.unchanged.add(logical_id)
            operation.held.pop(logical_id, None)
        else:
            operation.begins(logical_id, physical_id)
    return original(resource_type, physical_id, old, new, stack_name, logical_id, *rest)


@patch(provisioners, "_delete_resource")
def delete_resource(
    original, resource_type, physical_id, properties, stack_name=None, logical_id=None
):
    """The clean-up of an update reports each deletion (a stack's own deletion does so already)."""
    operation = RUNNING.get()
    if operation is None or operation.stack_name != stack_name:
        return original(resource_type, physical_id, properties, stack_name, logical_id)

    def report(status, reason=""):
        stacks._add_event(
            operation.stack_id,
            stack_name,
            logical_id,
            resource_type,
            status,
            reason,
            physical_id=physical_id,
        )

    def clean_up():
        operation.clean()
        report("DELETE_IN_PROGRESS")
        result = original(resource_type, physical_id, properties, stack_name, logical_id)
        report("DELETE_COMPLETE")
        return result

    def clean_up_later():
        try:
            clean_up()
        except Exception as error:
            report("DELETE_FAILED", str(error))
            kept = operation.before.get(logical_id)
            if kept is not None:
                resources = cloudformation._stacks[stack_name]["_resources"]
                resources.setdefault(logical_id, {**kept, "ResourceStatus": "DELETE_FAILED"})

    if operation.root is None or stacks._runs_on_worker_thread(resource_type):
        return clean_up()
    operation.root.deferred.append((operation, clean_up_later))
    return None


def settle_statuses(operation):
    """After an update: unchanged resources keep their status and time, new ones were created."""
    stack = cloudformation._stacks.get(operation.stack_name) or {}
    for logical_id, resource in (stack.get("_resources") or {}).items():
        before = operation.before.get(logical_id)
        if before is None:
            if resource.get("ResourceStatus") == "UPDATE_COMPLETE":
                resource["ResourceStatus"] = "CREATE_COMPLETE"
        elif logical_id in operation.unchanged:
            for key in ("ResourceStatus", "Timestamp"):
                if key in before:
                    resource[key] = before[key]
