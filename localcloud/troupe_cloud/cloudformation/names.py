"""A name that CloudFormation makes up never comes back.

What AWS does (CloudFormation user guide, "Name type": the stack's name, the logical id and a random
id): whatever is created without a name gets one that nothing had before it; also a resource that
was dropped from the template and is there again, and one of a stack that was deleted and made
again. The name stays through updates, until the resource is replaced.
MiniStack makes the random id of the stack's name and the logical id, so the second resource has the
name of the first; and the same in every region, so stacks of one name in two regions get one role,
and the deletion of either stack deletes it.

Without it fails: ``test_cloudformation.py::test_made_up_names_never_come_back``
"""

import uuid

from ministack.services.cloudformation import provisioners, stacks

from troupe_cloud.patching import patch, require

require(provisioners, "_NAME_SEED", "_provision_resource")


@patch(stacks, "_provision_keeping_seed")
def provision_keeping_seed(original, *args):
    # the record of the resource keeps the seed, so its updates make up the same name
    token = provisioners._NAME_SEED.set(uuid.uuid4().hex[:8])
    try:
        return provisioners._provision_resource(*args), provisioners._NAME_SEED.get()
    finally:
        provisioners._NAME_SEED.reset(token)


# -- types that MiniStack names after the logical id alone -----------------------------------------


def named(key, logical_id, properties, stack_name):
    made_up = provisioners._physical_name(stack_name, logical_id)
    return {**properties, key: properties.get(key) or made_up}


@patch(provisioners, "_cwlogs_create")
def create_log_group(original, logical_id, props, stack_name):
    return original(logical_id, named("LogGroupName", logical_id, props, stack_name), stack_name)


@patch(provisioners, "_cwlogs_update")
def update_log_group(original, physical_id, old_props, new_props, *rest):
    if not old_props.get("LogGroupName") and not new_props.get("LogGroupName"):
        old_props = {**old_props, "LogGroupName": physical_id}
        new_props = {**new_props, "LogGroupName": physical_id}
    return original(physical_id, old_props, new_props, *rest)


@patch(provisioners, "_ssm_create")
def create_parameter(original, logical_id, props, stack_name):
    return original(logical_id, named("Name", logical_id, props, stack_name), stack_name)
