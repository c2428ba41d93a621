"""What the role of a function must be allowed, and from when on it is."""

import os
import subprocess
import sys
import time

import pytest

from cloud import ACCOUNT, REGION, ROOT, Cloud, Tools
from cloud import allow, deny, document, name, node_zip, refused, trust

INVALID = (400, "InvalidParameterValueException")
CANNOT = "The role defined for the function cannot be assumed by Lambda."
NO_CALL = "The provided execution role does not have permissions to call {}"
VPC = {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
TRACING = {"TracingConfig": {"Mode": "Active"}}
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:"
QUEUE, TOPIC = ARN.format("sqs") + "dead", ARN.format("sns") + "dead"
INTERFACES = ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface")

# The change, statements that are not enough, what AWS says to them, statements that are.
CONFIGURATIONS = {
    "network": (VPC, [], "CreateNetworkInterface on EC2", [allow("ec2:*")]),
    "network, listing": (
        VPC, [allow(*INTERFACES)], "DescribeNetworkInterfaces on EC2",
        [allow(*INTERFACES, resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:*/*"),
         allow("ec2:DescribeNetworkInterfaces")],
    ),
    "network, listing of one": (
        VPC, [allow("ec2:*", resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:*/*")],
        "DescribeNetworkInterfaces on EC2", [allow("ec2:*")],
    ),
    "network, deletion": (
        VPC, [allow("ec2:C*", "ec2:Describe*")], "DeleteNetworkInterface on EC2",
        [allow("ec2:C*", "ec2:De*")],
    ),
    "tracing": (
        TRACING, [allow("xray:Get*")], "PutTraceSegments on XRAY", [allow("xray:PutTraceSegments")],
    ),
    "denied": (
        TRACING, [allow("*"), deny("xray:*")], "PutTraceSegments on XRAY", [allow("*")],
    ),
    "queue": (
        {"DeadLetterConfig": {"TargetArn": QUEUE}},
        [allow("sqs:SendMessage", resource=QUEUE + "-neighbour")], "SendMessage on SQS",
        [allow("sqs:SendMessage", resource=QUEUE)],
    ),
    "topic": (
        {"DeadLetterConfig": {"TargetArn": TOPIC}},
        [allow("sns:Publish", resource=QUEUE)], "Publish on SNS", [allow("sns:Pub*")],
    ),
}  # fmt: skip


def replace_policy(aws, role, statements):
    aws.put_policy(role, *(statements or [allow("logs:*")]))


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_what_a_functions_role_must_be_allowed(aws, case):
    change, too_little, text, enough = CONFIGURATIONS[case]
    role = aws.role_with()
    replace_policy(aws, role, too_little)
    function = aws.function(Role=role)
    expected = (*INVALID, NO_CALL.format(text))
    update = aws.lam.update_function_configuration
    assert refused(update, FunctionName=function, **change) == expected
    assert refused(
        aws.lam.create_function, FunctionName=name("f"), Runtime="nodejs20.x", Role=role,
        Handler="index.handler", Code={"ZipFile": node_zip("x")}, **change,
    ) == expected  # fmt: skip
    update(FunctionName=function, Description="nothing of it")
    aws.ready(function)
    replace_policy(aws, role, enough)
    update(FunctionName=function, **change)
    aws.ready(function)
    # What is there already is asked of another role, too.
    other = aws.role_with()
    replace_policy(aws, other, too_little)
    assert refused(update, FunctionName=function, Role=other) == expected


def test_managed_policies_and_boundaries_count(aws):
    role = aws.role_with()
    function = aws.function(Role=role)
    role_name = role.rsplit("/", 1)[-1]
    update = aws.lam.update_function_configuration
    for policy, change in (
        ("service-role/AWSLambdaVPCAccessExecutionRole", VPC),
        ("AWSXRayDaemonWriteAccess", TRACING),
    ):
        assert refused(update, FunctionName=function, **change)[:2] == INVALID
        aws.iam.attach_role_policy(
            RoleName=role_name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}"
        )
        update(FunctionName=function, **change)
        aws.ready(function)
    boundary = aws.iam.create_policy(
        PolicyName=name("boundary"), PolicyDocument=document(allow("ec2:*"))
    )["Policy"]["Arn"]
    aws.iam.put_role_permissions_boundary(RoleName=role_name, PermissionsBoundary=boundary)
    update(FunctionName=function, **VPC)
    aws.ready(function)
    assert refused(update, FunctionName=function, **TRACING) == (
        *INVALID, NO_CALL.format("PutTraceSegments on XRAY"),
    )  # fmt: skip


def test_policies_of_aws_count(aws):
    role = aws.role_with()
    role_name = role.rsplit("/", 1)[-1]
    function = aws.function(Role=role)
    arn = "arn:aws:iam::aws:policy/"
    for policy, change in (
        ("service-role/AWSLambdaENIManagementAccess", VPC), ("AWSXrayWriteOnlyAccess", TRACING),
    ):  # fmt: skip
        aws.iam.attach_role_policy(RoleName=role_name, PolicyArn=arn + policy)
        aws.lam.update_function_configuration(FunctionName=function, **change)
        aws.ready(function)


def test_a_role_of_a_stack_has_its_boundary(aws):
    stack, role = name("stack"), name("role")
    boundary = aws.iam.create_policy(
        PolicyName=name("boundary"), PolicyDocument=document(allow("*"))
    )["Policy"]["Arn"]

    def bound(**properties):
        """What the role's boundary is when the stack has it with these properties."""
        operation = aws.update if bound.made else aws.create
        properties = {"RoleName": role, "AssumeRolePolicyDocument": trust(), **properties}
        status, reason = operation(
            stack, {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}
        )
        assert status.endswith("COMPLETE") and "ROLLBACK" not in status, reason
        bound.made = True
        found = aws.iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {})
        return found.get("PermissionsBoundaryArn")

    bound.made = False
    assert bound(PermissionsBoundary=boundary) == boundary
    assert bound() is None
    assert bound(PermissionsBoundary=boundary, Description="again") == boundary
    aws.delete(stack)


DESTINATIONS = (
    (QUEUE, "sqs:SendMessage"),
    (TOPIC, "sns:Publish"),
    (ARN.format("events") + "event-bus/b", "events:PutEvents"),
    (ARN.format("lambda") + "function:f", "lambda:InvokeFunction"),
)


@pytest.mark.parametrize("target", ["OnSuccess", "OnFailure"])
def test_destinations_are_asked_of_the_versions_role(aws, target):
    role, other = aws.role_with(), aws.role_with()
    function = aws.function(Role=role)
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    aws.configure(function, Role=other)
    for destination, action in DESTINATIONS:
        request = dict(
            FunctionName=function, Qualifier="dev",
            DestinationConfig={target: {"Destination": destination}},
        )  # fmt: skip
        aws.put_policy(other, allow("*"))
        replace_policy(aws, role, [allow(action, resource=destination + "-neighbour")])
        assert refused(aws.lam.put_function_event_invoke_config, **request) == (
            *INVALID,
            "The function's execution role does not have permissions to call"
            f" {action.split(':')[1]} on {destination}",
        )
        aws.put_policy(role, allow(action, resource=destination))
        aws.lam.put_function_event_invoke_config(**request)


def test_sources_are_asked_of_the_role(aws):
    queue = aws.sqs.create_queue(QueueName=name("q"))["QueueUrl"]
    source = ARN.format("sqs") + queue.rsplit("/", 1)[-1]
    role = aws.role_with()
    function = aws.function(Role=role)
    request = dict(FunctionName=function, EventSourceArn=source)
    allowed = []
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        assert refused(aws.lam.create_event_source_mapping, **request) == (
            *INVALID, NO_CALL.format(f"{action} on SQS"),
        )  # fmt: skip
        allowed.append(f"sqs:{action}")
        aws.put_policy(role, allow(*allowed, resource=source))
    id = aws.lam.create_event_source_mapping(**request)["UUID"]
    replace_policy(aws, role, [])
    assert refused(aws.lam.update_event_source_mapping, UUID=id, BatchSize=2)[:2] == INVALID
    aws.lam.delete_event_source_mapping(UUID=id)


def test_streams_are_asked_of_the_role(aws):
    table = aws.ddb.create_table(
        TableName=name("t"), BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]  # fmt: skip
    kinesis = aws.cloud.client("kinesis")
    stream = name("s")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    role = aws.role_with()
    function = aws.function(Role=role)
    for source, actions, wanted in (
        (table["LatestStreamArn"], "GetRecords, GetShardIterator, DescribeStream, and ListStreams",
         ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")),
        (ARN.format("kinesis") + f"stream/{stream}",
         "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
         ("GetRecords", "GetShardIterator", "DescribeStreamSummary", "ListShards")),
        (ARN.format("kinesis") + f"stream/{stream}",
         "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
         ("GetRecords", "GetShardIterator", "DescribeStream")),
    ):  # fmt: skip
        request = dict(FunctionName=function, EventSourceArn=source, StartingPosition="LATEST")
        service = source.split(":")[2]
        for last in range(len(wanted)):
            replace_policy(aws, role, [allow(*(f"{service}:{a}" for a in wanted[:last]))]
                           if last else [])  # fmt: skip
            assert refused(aws.lam.create_event_source_mapping, **request) == (
                *INVALID,
                f"Cannot access stream {source}. Please ensure the role can perform the"
                f" {actions} Actions on your stream in IAM.",
            )
        aws.put_policy(role, allow(*(f"{service}:{a}" for a in wanted), resource=source))
        id = aws.lam.create_event_source_mapping(**request)["UUID"]
        aws.lam.delete_event_source_mapping(UUID=id)


def test_a_stack_is_refused_like_the_api(aws):
    """A destination without an order to the role's new policy fails the update."""
    function = aws.function(Role=aws.role_with())
    aws.publish(function)
    resource = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": function, "Qualifier": "1",
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        },
    }  # fmt: skip
    status, reason = aws.create(name("s"), {"Config": resource})
    assert status == "ROLLBACK_COMPLETE"
    text = f"The function's execution role does not have permissions to call SendMessage on {QUEUE}"
    assert f'Resource handler returned message: "{text}"' in reason
    assert reason.endswith("HandlerErrorCode: InvalidRequest)")


# -- when ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("slow"), TROUPE_CLOUD_ROLE_DELAY_MS="1500")
    yield Tools(cloud)
    cloud.stop()


def until_taken(call, expected, **request):
    """How long the call is refused as expected, until it is taken."""
    started = time.monotonic()
    while True:
        try:
            call(**request)
            return time.monotonic() - started
        except Exception as error:
            assert expected in str(error)
            assert time.monotonic() - started < 20, "it stays refused"
            time.sleep(0.05)


def test_a_policy_counts_after_a_while(slow):
    role = slow.role_with()
    request = dict(FunctionName=name("f"), Runtime="nodejs20.x", Role=role,
                   Handler="index.handler", Code={"ZipFile": node_zip("x")})  # fmt: skip
    assert until_taken(slow.lam.create_function, CANNOT, **request) > 0.3
    slow.ready(request["FunctionName"])
    update = dict(FunctionName=request["FunctionName"], **TRACING)
    expected = NO_CALL.format("PutTraceSegments on XRAY")
    assert refused(slow.lam.update_function_configuration, **update) == (*INVALID, expected)
    slow.put_policy(role, allow("xray:*"))
    assert until_taken(slow.lam.update_function_configuration, expected, **update) > 0.3
    slow.ready(request["FunctionName"])
    # What is taken away still counts for a while, too.
    slow.put_policy(role, allow("logs:*"))
    slow.lam.update_function_configuration(**update)


def test_a_key_does_not_know_a_fresh_role(slow):
    request = dict(
        FunctionName=name("f"), Runtime="nodejs20.x", Role=slow.role_with(),
        Handler="index.handler", Code={"ZipFile": node_zip("x")},
        KMSKeyArn=ARN.format("kms") + "key/k", Environment={"Variables": {"AB": "1"}},
    )  # fmt: skip
    assert until_taken(slow.lam.create_function, "KMS key is invalid for CreateGrant", **request)


def test_a_stack_waits_for_its_roles(slow):
    """Within a stack a role can be used at once; whoever comes by API has to wait."""
    role, function = name("r"), name("f")
    resources = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": role, "AssumeRolePolicyDocument": trust()},
        },
        "Fn": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": function, "Runtime": "nodejs20.x", "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "exports.handler = async () => 1"},
            },
        },
    }  # fmt: skip
    stack = name("s")
    assert slow.create(stack, resources) == ("CREATE_COMPLETE", "")
    resources["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                                               "Statement": [allow("xray:*")]}}
    ]  # fmt: skip
    resources["Fn"]["Properties"].update(TRACING)
    assert slow.update(stack, resources) == ("UPDATE_COMPLETE", "")


def test_the_delay_follows_from_the_seed():
    """The same seed, role and change: the same delay, within the limits."""
    code = (
        "from troupe_cloud.iam.propagation import delay_of;"
        "print([delay_of(f'r{i}', 0) for i in range(50)])"
    )

    def delays(seed):
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT / "localcloud"), "TROUPE_CLOUD_SEED": seed,
            "TROUPE_CLOUD_ROLE_DELAY_MS": "1000",
        }  # fmt: skip
        return eval(subprocess.check_output([sys.executable, "-c", code], env=environment))

    first = delays("1")
    assert first == delays("1") != delays("2")
    assert all(0.5 <= delay <= 1 for delay in first) and len(set(first)) > 40
