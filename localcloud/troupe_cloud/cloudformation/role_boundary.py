"""A role of a stack has the permissions boundary that its template says.

What AWS does (CloudFormation template reference, AWS::IAM::Role): ``PermissionsBoundary`` is set
when the role is made, changed with it, and taken away with the property. MiniStack's roles of
stacks have none, so that nothing shows whether a role has the boundary that an account wants.

Without it fails: ``test_roles.py::test_a_role_of_a_stack_has_its_boundary``
"""

from ministack.services import iam

from troupe_cloud.patching import patch_handler


def bound(name, properties):
    role = iam._roles.get(name)
    if role is not None:
        role["PermissionsBoundary"] = properties.get("PermissionsBoundary")


@patch_handler("AWS::IAM::Role", "create")
def create(original, logical_id, properties, stack_name):
    name, attributes = original(logical_id, properties, stack_name)
    bound(name, properties)
    return name, attributes


@patch_handler("AWS::IAM::Role", "update")
def update(original, physical_id, old, new, stack_name, logical_id=None):
    answer = original(physical_id, old, new, stack_name, logical_id)
    bound(answer[0], new)
    return answer
