"""Activities of Step Functions as resources.

What AWS does (registry schema ``AWS::StepFunctions::Activity``; Step Functions API reference,
CreateActivity): Ref is the ARN, another name is another activity, and one that is there cannot be
made by a stack. MiniStack has activities, but no type for them.

Without it fails: ``test_cloudformation.py::test_an_activity_of_a_stack``
"""

from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from troupe_cloud.cloudformation.errors import handler_error
from troupe_cloud.patching import LEFT_OUT, require
from troupe_cloud.responses import body_of, failed

require(stepfunctions, "_create_activity", "_delete_activity")
require(provisioners, "_RESOURCE_HANDLERS", "_delete_predecessor")


def create(_logical_id, properties, _stack_name):
    tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags") or []]
    response = stepfunctions._create_activity({"name": properties["Name"], "tags": tags})
    if failed(response):
        raise handler_error(f"Activity Already Exists: '{properties['Name']}'", "AlreadyExists")
    made = body_of(response)["activityArn"]
    return made, {"Arn": made, "Name": properties["Name"]}


def delete(physical_id, _properties):
    stepfunctions._delete_activity({"activityArn": physical_id})


def update(physical_id, old, new, stack_name):
    if new["Name"] == old["Name"]:
        return physical_id, {"Arn": physical_id, "Name": new["Name"]}
    made = create("", new, stack_name)
    provisioners._delete_predecessor(delete, physical_id, old)
    return made


if __name__ not in LEFT_OUT:
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::Activity"] = {
        "create": create,
        "update": update,
        "delete": delete,
    }
