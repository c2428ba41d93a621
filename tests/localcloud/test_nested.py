"""Nested stacks: checked, created, updated, taken back and deleted like stacks."""

import pytest

from cloud import name, refused

STACK = "AWS::CloudFormation::Stack"


@pytest.fixture(scope="module")
def bucket(aws):
    bucket = name("templates")
    aws.s3.create_bucket(Bucket=bucket)
    return bucket


@pytest.fixture
def nested(aws, bucket):
    """A resource whose nested stack has `resources`."""

    def make(resources, parameters=None, **sections):
        key = f"{name('part')}.json"
        aws.s3.put_object(Bucket=bucket, Key=key, Body=aws.template(resources, **sections))
        url = f"https://{bucket}.s3.us-east-1.amazonaws.com/{key}"
        properties = {"TemplateURL": url, **({"Parameters": parameters} if parameters else {})}
        return {"Type": STACK, "Properties": properties}

    return make


def queue(queue_name=None, depends=None, **properties):
    if queue_name:
        properties["QueueName"] = queue_name
    return {
        "Type": "AWS::SQS::Queue",
        **({"Properties": properties} if properties else {}),
        **({"DependsOn": depends} if depends else {}),
    }


BROKEN = {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": "x"}}


def part_of(aws, stack, logical_id="Part"):
    return aws.cf.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)[
        "StackResourceDetail"
    ]["PhysicalResourceId"]


def there(aws, queue_name):
    try:
        aws.sqs.get_queue_url(QueueName=queue_name)
    except aws.sqs.exceptions.QueueDoesNotExist:
        return False
    return True


def status(aws, stack_id):
    return aws.cf.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]


def events(aws, stack_id):
    got = aws.cf.describe_stack_events(StackName=stack_id)["StackEvents"]
    return [(item["LogicalResourceId"], item["ResourceStatus"]) for item in reversed(got)]


def test_values_go_in_and_out(aws, nested):
    stack, inner = name("values"), name("inner")
    part = nested(
        {"Queue": queue({"Ref": "Name"})},
        {"Name": inner},
        Parameters={"Name": {"Type": "String"}},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    )
    parameter = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Type": "String",
            "Name": stack,
            "Value": {"Fn::GetAtt": ["Part", "Outputs.Arn"]},
        },
    }
    assert aws.create(stack, {"Part": part, "Parameter": parameter}) == ("CREATE_COMPLETE", "")
    assert (
        aws.cloud.client("ssm")
        .get_parameter(Name=stack)["Parameter"]["Value"]
        .endswith(f":{inner}")
    )
    part_id = part_of(aws, stack)
    got = aws.cf.describe_stacks(StackName=part_id)["Stacks"][0]
    root = aws.cf.describe_stacks(StackName=stack)["Stacks"][0]
    assert got["ParentId"] == got["RootId"] == root["StackId"] and "ParentId" not in root
    assert got["Parameters"] == [{"ParameterKey": "Name", "ParameterValue": inner}]
    assert aws.delete(stack)[0] == "GONE"
    assert not there(aws, inner) and status(aws, part_id) == "DELETE_COMPLETE"


def test_tags_are_handed_on(aws, nested):
    stack = name("tags")
    aws.create(stack, {"Part": nested({"Queue": queue()})}, Tags=[{"Key": "team", "Value": "a"}])
    got = aws.cf.describe_stacks(StackName=part_of(aws, stack))["Stacks"][0]
    assert got["Tags"] == [{"Key": "team", "Value": "a"}]
    aws.delete(stack)


@pytest.mark.parametrize(
    ("sections", "parameters", "message"),
    [
        (
            {"resources": {f"Q{n}": queue() for n in range(501)}},
            None,
            "Number of resources, 501, is greater than maximum allowed, 500",
        ),
        (
            {
                "resources": {"Q": queue()},
                "Parameters": {f"P{n}": {"Type": "String", "Default": "x"} for n in range(201)},
            },
            None,
            "Number of parameters, 201, is greater than maximum allowed, 200",
        ),
        (
            {"resources": {"Q": queue()}, "Outputs": {f"O{n}": {"Value": "x"} for n in range(201)}},
            None,
            "Number of outputs, 201, is greater than maximum allowed, 200",
        ),
        (
            {"resources": {"Q": queue({"Ref": "Nope"})}},
            None,
            "Unresolved resource dependencies [Nope]",
        ),
        (
            {"resources": {"Q": queue()}},
            {"Nope": "x"},
            "Parameters: [Nope] do not exist in the template",
        ),
        ({"resources": {"Q": queue()}, "Parameters": {"P": {"Type": "String"}}}, None, "P"),
    ],
)
def test_templates_are_checked(aws, nested, sections, parameters, message):
    stack = name("checked")
    sections = dict(sections)
    part = nested(sections.pop("resources"), parameters, **sections)
    assert aws.create(stack, {"Part": part})[0] == "ROLLBACK_COMPLETE"
    assert message in aws.failure(stack)
    aws.delete(stack)


def test_limits_hold_for_every_stack(aws):
    resources = {f"Q{n}": queue() for n in range(501)}
    got = refused(
        aws.cf.create_stack, StackName=name("large"), TemplateBody=aws.template(resources)
    )
    assert "Number of resources, 501, is greater than maximum allowed, 500" in str(got)


def test_a_failed_creation_leaves_nothing_and_names_the_nested_stack(aws, nested):
    stack, inner = name("broken"), name("inner")
    part = nested({"Good": queue(inner), "Bad": {**BROKEN, "DependsOn": "Good"}})
    assert aws.create(stack, {"Part": part})[0] == "ROLLBACK_COMPLETE"
    assert not there(aws, inner)
    failed = next(
        event
        for event in aws.cf.describe_stack_events(StackName=stack)["StackEvents"]
        if event["ResourceStatus"] == "CREATE_FAILED" and event["LogicalResourceId"] == "Part"
    )
    assert failed["ResourceStatusReason"].endswith(
        "was not successfully created: The following resource(s) failed to create: [Bad]. "
    )
    inside = events(aws, failed["PhysicalResourceId"])
    assert ("Bad", "CREATE_FAILED") in inside and inside[-1][1] == "DELETE_COMPLETE"
    aws.delete(stack)


def test_only_what_changes_is_reported_in_the_part(aws, nested):
    stack, one = name("events"), name("one")
    aws.create(stack, {"Part": nested({"A": queue(one), "B": queue()})})
    part = part_of(aws, stack)
    before = len(events(aws, part))
    assert (
        aws.update(stack, {"Part": nested({"A": queue(one, DelaySeconds=3), "C": queue()})})[0]
        == "UPDATE_COMPLETE"
    )
    new = events(aws, part)[before:]
    assert (
        ("A", "UPDATE_COMPLETE") in new
        and ("C", "CREATE_COMPLETE") in new
        and ("B", "DELETE_COMPLETE") in new
    )
    assert ("B", "UPDATE_COMPLETE") not in new and status(aws, part) == "UPDATE_COMPLETE"
    aws.delete(stack)


def test_a_failure_takes_every_part_back(aws, nested):
    """What one part dropped is still there when another one fails."""
    stack, kept, dropped, new = name("back"), name("kept"), name("dropped"), name("new")
    first = {"Kept": queue(kept), "Dropped": queue(dropped)}
    aws.create(stack, {"One": nested(first), "Two": nested({"Queue": queue()})})
    parts = [part_of(aws, stack, "One"), part_of(aws, stack, "Two")]
    url = aws.sqs.get_queue_url(QueueName=dropped)["QueueUrl"]
    aws.sqs.send_message(QueueUrl=url, MessageBody="x")
    changed = {
        "One": nested({"Kept": queue(kept, DelaySeconds=5), "New": queue(new)}),
        "Two": {**nested({"Queue": queue(), "Bad": BROKEN}), "DependsOn": "One"},
    }
    assert aws.update(stack, changed)[0] == "UPDATE_ROLLBACK_COMPLETE"
    assert [status(aws, part) for part in parts] == ["UPDATE_ROLLBACK_COMPLETE"] * 2
    assert there(aws, dropped) and not there(aws, new)
    assert len(aws.sqs.receive_message(QueueUrl=url).get("Messages", [])) == 1
    kept_url = aws.sqs.get_queue_url(QueueName=kept)["QueueUrl"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=kept_url, AttributeNames=["DelaySeconds"])[
        "Attributes"
    ]
    assert attributes["DelaySeconds"] == "0"
    assert sorted(
        item["LogicalResourceId"]
        for item in aws.cf.list_stack_resources(StackName=parts[0])["StackResourceSummaries"]
    ) == ["Dropped", "Kept"]
    # and it can be updated again
    assert (
        aws.update(
            stack, {"One": nested({"Kept": queue(kept)}), "Two": nested({"Queue": queue()})}
        )[0]
        == "UPDATE_COMPLETE"
    )
    assert not there(aws, dropped)
    assert aws.delete(stack)[0] == "GONE"


def test_a_dropped_part_goes_with_its_resources(aws, nested):
    stack, inner = name("drop"), name("inner")
    aws.create(stack, {"Part": nested({"Queue": queue(inner)}), "Other": queue()})
    part = part_of(aws, stack)
    assert aws.update(stack, {"Other": queue()})[0] == "UPDATE_COMPLETE"
    assert not there(aws, inner) and status(aws, part) == "DELETE_COMPLETE"
    aws.delete(stack)


def test_a_failed_deletion_is_told(aws, nested):
    stack, inner = name("full"), name("bucket")
    aws.create(
        stack,
        {
            "Part": nested(
                {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": inner}}}
            )
        },
    )
    aws.s3.put_object(Bucket=inner, Key="x", Body=b"x")
    part = part_of(aws, stack)
    assert aws.delete(stack)[0] == "DELETE_FAILED"
    assert status(aws, part) == "DELETE_FAILED"
    failed = [
        event
        for event in aws.cf.describe_stack_events(StackName=stack)["StackEvents"]
        if event["ResourceStatus"] == "DELETE_FAILED" and event["LogicalResourceId"] == "Part"
    ]
    assert "failed to delete: [Bucket]" in failed[0]["ResourceStatusReason"]
    aws.s3.delete_object(Bucket=inner, Key="x")
    assert aws.delete(stack)[0] == "GONE"
    assert inner not in [item["Name"] for item in aws.s3.list_buckets()["Buckets"]]


def test_an_operation_changes_so_many_resources(aws, nested):
    """The cloud of these tests takes a tenth of what AWS does (conftest.py)."""
    stack = name("many")
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    parts = {f"Part{n}": nested({f"H{i}": handle for i in range(50)}) for n in range(6)}
    assert aws.create(stack, parts)[0] == "ROLLBACK_COMPLETE"
    assert "300" in aws.failure(stack)
    aws.delete(stack)
    half = dict(list(parts.items())[:3])
    assert aws.create(stack, half) == ("CREATE_COMPLETE", "")
    assert aws.update(stack, parts) == ("UPDATE_COMPLETE", "")
    assert aws.delete(stack)[0] == "DELETE_FAILED"
    assert aws.delete(stack)[0] == "GONE"
