"""Exports: unique in a region, and fixed while another stack imports them.

What AWS does (CloudFormation user guide, "Get exported outputs from a deployed stack"; known
messages): an update that removes or changes an export in use fails and rolls back; an export's name
exists once. MiniStack checks only the deletion of a stack, and keeps exports that an update
dropped.

Without it fails: ``test_cloudformation.py::test_exports``
"""

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers
from ministack.services.cloudformation import stacks

from troupe_cloud.patching import patch, require

require(cloudformation, "_exports", "_stacks")
require(handlers, "_imported_export_names")


def importers(export, own_stack):
    """The names of live stacks that import an export."""
    return sorted(
        name
        for name, stack in cloudformation._stacks.items()
        if name != own_stack
        and not stack.get("StackStatus", "").startswith("DELETE_COMPLETE")
        and export in handlers._imported_export_names(stack, name)
    )


def own_exports(stack_id):
    return {
        name: export
        for name, export in cloudformation._exports.items()
        if export["StackId"] == stack_id
    }


@patch(stacks, "_resolve_stack_outputs")
def resolve_outputs(
    original, definitions, conditions, resources, params, mappings, stack_name, stack_id
):
    outputs, exports = original(
        definitions, conditions, resources, params, mappings, stack_name, stack_id
    )
    for name in exports:
        other = cloudformation._exports.get(name)
        if other and other["StackId"] != stack_id:
            raise ValueError(
                f"Export with name {name} is already exported by stack "
                f"{other['StackId'].split('/')[-2]}. Rollback requested by user."
            )
    for name, old in own_exports(stack_id).items():
        users = importers(name, stack_name)
        if users and name not in exports:
            raise ValueError(
                f"Export {name} cannot be deleted as it is in use by {' and '.join(users)}"
            )
        if users and exports[name]["Value"] != old["Value"]:
            raise ValueError(
                f"Export {name} cannot be updated as it is in use by {' and '.join(users)}"
            )
    return outputs, exports


def forget_dropped(stack):
    """After an operation the stack exports exactly what its outputs say."""
    named = {output.get("ExportName") for output in stack.get("Outputs") or []}
    for name in own_exports(stack["StackId"]):
        if name not in named:
            cloudformation._exports.pop(name, None)
