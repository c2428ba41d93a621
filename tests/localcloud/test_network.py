"""Networks: what functions and versions use stays until Lambda has given its interfaces back."""

import time

import pytest

from cloud import name, node_zip, refused


@pytest.fixture(scope="module")
def ec2(aws):
    return aws.cloud.client("ec2")


def group(vpc, description="d"):
    return {"Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": description, "VpcId": vpc}}  # fmt: skip


NETWORK = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.0.0/24"},
    },
    "Group": group({"Ref": "Vpc"}),
    "Other": group({"Ref": "Vpc"}),
}
OUTPUTS = {"Outputs": {id: {"Value": {"Ref": id}} for id in NETWORK}}


def interfaces(ec2, filter, value):
    found = ec2.describe_network_interfaces(Filters=[{"Name": filter, "Values": [value]}])
    return [(item["InterfaceType"], item["Status"]) for item in found["NetworkInterfaces"]]


def test_what_functions_use_stays(aws, ec2):
    """A version counts as $LATEST does, and the interface is there for a while after the
    last use.
    """
    stack = name("s")
    assert aws.create(stack, NETWORK, sections=OUTPUTS) == ("CREATE_COMPLETE", "")
    ids = aws.outputs(stack)
    inside = {"SubnetIds": [ids["Subnet"]], "SecurityGroupIds": [ids["Group"]]}
    outside = {"SubnetIds": [], "SecurityGroupIds": []}
    assert interfaces(ec2, "group-id", ids["Group"]) == []
    function = aws.function("one", VpcConfig=inside)
    version = aws.publish(function)
    aws.configure(function, VpcConfig=outside)

    for call, key, id, message in (
        (ec2.delete_security_group, "GroupId", "Group", "resource {} has a dependent object"),
        (ec2.delete_subnet, "SubnetId", "Subnet",
         "The subnet '{}' has dependencies and cannot be deleted."),
        (ec2.delete_vpc, "VpcId", "Vpc", "The vpc '{}' has dependencies and cannot be deleted."),
    ):  # fmt: skip
        wanted = (400, "DependencyViolation", message.format(ids[id]))
        assert refused(call, **{key: ids[id]}) == wanted
    for filter, id in (("group-id", "Group"), ("subnet-id", "Subnet"), ("vpc-id", "Vpc")):
        assert interfaces(ec2, filter, ids[id]) == [("lambda", "in-use")]
    assert interfaces(ec2, "group-id", ids["Other"]) == []
    found = ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])
    interface = found["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert refused(ec2.delete_network_interface, NetworkInterfaceId=interface)[:2] == (
        400, "InvalidParameterValue")  # fmt: skip
    wrong = [{"Name": "nonsense", "Values": ["x"]}]
    assert refused(ec2.describe_network_interfaces, Filters=wrong)[1] == "InvalidParameterValue"

    id = aws.cf.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    status, reason = aws.delete(stack)
    assert status == "DELETE_FAILED"
    failed = {
        event["LogicalResourceId"]: event["ResourceStatusReason"]
        for event in aws.events_of(stack, last_operation=False)
        if event["ResourceStatus"] == "DELETE_FAILED" and event["LogicalResourceId"] in NETWORK
    }
    assert set(failed) == {"Group", "Subnet", "Vpc"}
    assert f"resource {ids['Group']} has a dependent object" in failed["Group"]

    aws.lam.delete_function(FunctionName=function, Qualifier=version)
    assert interfaces(ec2, "group-id", ids["Group"]) == [("lambda", "in-use")], "not at once"
    while interfaces(ec2, "group-id", ids["Group"]):
        time.sleep(0.02)
    assert aws.delete(id)[0] == "DELETE_COMPLETE"


def test_a_stack_waits_for_the_interfaces_of_its_functions(aws, ec2):
    """CloudFormation deletes the function first, and what it was in only when Lambda is done; what
    an update replaces stays while a version elsewhere uses it."""
    stack, bucket = name("s"), name("code")
    aws.s3.create_bucket(Bucket=bucket)
    aws.s3.put_object(Bucket=bucket, Key="one.zip", Body=node_zip("one"))
    resources = {
        **NETWORK,
        "Fn": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "nodejs20.x", "Handler": "index.handler", "Role": aws.role,
                "Code": {"S3Bucket": bucket, "S3Key": "one.zip"},
                "VpcConfig": {"SubnetIds": [{"Ref": "Subnet"}],
                              "SecurityGroupIds": [{"Ref": "Group"}]},
            },
        },
    }  # fmt: skip
    assert aws.create(stack, resources, sections=OUTPUTS) == ("CREATE_COMPLETE", "")
    first = aws.outputs(stack)["Group"]
    other = aws.function("two", VpcConfig={"SubnetIds": [aws.outputs(stack)["Subnet"]],
                                           "SecurityGroupIds": [first]})  # fmt: skip
    resources["Group"] = group({"Ref": "Vpc"}, "another")
    status, reason = aws.update(stack, resources, sections=OUTPUTS)
    assert status == "UPDATE_COMPLETE" and "has a dependent object" in reason
    assert aws.outputs(stack)["Group"] != first
    aws.lam.delete_function(FunctionName=other)
    while interfaces(ec2, "group-id", first):
        time.sleep(0.02)
    ec2.delete_security_group(GroupId=first)
    id = aws.cf.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    assert aws.delete(id)[0] == "DELETE_COMPLETE"
