"""Stacks: what is refused, what rolls back, what events say, which operations exclude others."""

import json
import os
import subprocess
import sys
import time

import pytest

from cloud import (
    ACCOUNT,
    REGION,
    ROOT,
    allow,
    document,
    function_arn,
    name,
    node_zip,
    refused,
    trust,
)

FORMAT = "Template format error: "


def queue(queue_name=None, **properties):
    if queue_name:
        properties["QueueName"] = queue_name
    return {"Type": "AWS::SQS::Queue", **({"Properties": properties} if properties else {})}


def role(*statements):
    properties = {"AssumeRolePolicyDocument": trust()}
    if statements:
        policy = {"PolicyName": "p", "PolicyDocument": json.loads(document(*statements))}
        properties["Policies"] = [policy]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


@pytest.fixture(scope="module")
def artifacts(aws):
    bucket = name("artifacts")
    aws.s3.create_bucket(Bucket=bucket)
    for tag in ("one", "two"):
        aws.s3.put_object(Bucket=bucket, Key=f"{tag}.zip", Body=node_zip(tag))
    return bucket


def function(artifacts, function_name, key="one.zip", **properties):
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": function_name,
            "Runtime": "nodejs20.x",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"S3Bucket": artifacts, "S3Key": key},
            "Timeout": 6,
            **properties,
        },
    }


def version():
    return {
        "Type": "AWS::Lambda::Version",
        "DeletionPolicy": "Retain",
        "Properties": {"FunctionName": {"Ref": "Fn"}},
    }


# -- templates -------------------------------------------------------------------------------------

IN_RESOURCES = (
    FORMAT + "Unresolved resource dependencies [Nope] in the Resources block of the template"
)
LOOKUP = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key"
    " and the attribute for return value"
)
MAPPINGS = {
    "Mappings": {"Map": {"a": {"b": "c"}}},
    "Conditions": {"Is": {"Fn::Equals": ["a", "a"]}},
}
BAD_LOOKUPS = [
    ["Map", {"Fn::If": ["Is", "a", "a"]}, "b"],
    ["Map", "a", {"Fn::Sub": "b"}],
    ["Map", "a", "z", {"DefaultValue": "c"}],
]
BAD_TEMPLATES = [
    ({"Q": queue({"Ref": "Nope"})}, {}, IN_RESOURCES),
    ({"Q": queue({"Fn::GetAtt": ["Nope", "Arn"]})}, {}, IN_RESOURCES),
    ({"Q": queue({"Fn::Sub": "${Nope}-${AWS::Region}-${!Literal}"})}, {}, IN_RESOURCES),
    ({"Q": {**queue(), "DependsOn": "Nope"}}, {}, IN_RESOURCES),
    (
        {"Q": queue()},
        {"Outputs": {"O": {"Value": {"Ref": "Nope"}}}},
        FORMAT + "Unresolved resource dependencies [Nope] in the Outputs block of the template",
    ),
    (
        {"Q": {**queue(), "Condition": "Nope"}},
        {},
        FORMAT + "Unresolved condition dependency Nope in the Resources block of the template",
    ),
    (
        {"A": {**queue(), "DependsOn": "B"}, "B": {**queue(), "DependsOn": "A"}},
        {},
        "Circular dependency between resources: [A, B]",
    ),
    (
        {"Q": queue()},
        {"Parameters": {"Q": {"Type": "String", "Default": "x"}}},
        FORMAT + "Parameters and resources must have different logical ids [Q]",
    ),
    ({}, {}, FORMAT + "At least one Resources member must be defined."),
    *(({"Q": queue({"Fn::FindInMap": keys})}, MAPPINGS, LOOKUP) for keys in BAD_LOOKUPS),
]


@pytest.mark.parametrize("resources, sections, message", BAD_TEMPLATES)
def test_bad_template_is_refused_everywhere(aws, resources, sections, message):
    stack, body = name("s"), aws.template(resources, **sections)
    assert refused(aws.cf.create_stack, StackName=stack, TemplateBody=body) == (
        400,
        "ValidationError",
        message,
    )
    assert refused(aws.cf.validate_template, TemplateBody=body) == (400, "ValidationError", message)
    assert refused(
        aws.cf.create_change_set,
        StackName=stack,
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=body,
    ) == (400, "ValidationError", message)
    assert (
        refused(aws.cf.describe_stacks, StackName=stack)[2]
        == f"Stack with id {stack} does not exist"
    )


def test_dynamic_references_that_are_refused(aws):
    """Before anything is made, but for a key that a secret lacks: that fails the resource."""
    ssm, secrets = aws.cloud.client("ssm"), aws.cloud.client("secretsmanager")
    plain, secure, secret = name("/plain"), name("/secure"), name("secret")
    ssm.put_parameter(Name=plain, Value="v", Type="String")
    ssm.put_parameter(Name=secure, Value="v", Type="SecureString")
    secrets.create_secret(Name=secret, SecretString='{"user": "u"}')

    def parameter(reference, extra=""):
        return {
            "P": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Name": name("/p"), "Value": reference + extra},
            }
        }

    unsupported = "SSM Secure reference is not supported in: [AWS::SSM::Parameter/Properties/Value]"
    label = f"{{{{resolve:ssm:{plain}:prod}}}}"
    prefix = f"Non-secure ssm prefix was used for secure parameter {secure}"
    for reference, message in (
        (f"{{{{resolve:ssm-secure:{secure}}}}}", unsupported),
        (f"x-{{{{resolve:ssm-secure:{secure}:1}}}}", unsupported),
        (label, f"Incorrect format is used in the following SSM reference: [{label}]"),
        (f"{{{{resolve:ssm:{secure}:1}}}}", prefix),
    ):
        answer = refused(
            aws.cf.create_stack,
            StackName=name("s"),
            TemplateBody=aws.template(parameter(reference)),
        )
        assert answer == (400, "ValidationError", message)
    key = f"{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}"
    assert aws.create(name("s"), parameter(key)) == (
        "ROLLBACK_COMPLETE",
        "Could not find a value associated with JSONKey in SecretString",
    )
    stack, whole = name("s"), f"{{{{resolve:secretsmanager:{secret}:SecretString:user}}}}"
    made = parameter(f"{{{{resolve:ssm:{plain}:1}}}}-", whole)
    outputs = {"Outputs": {"O": {"Value": whole}}}
    assert aws.create(stack, made, sections=outputs)[0] == "CREATE_COMPLETE"
    value = ssm.get_parameter(Name=made["P"]["Properties"]["Name"])["Parameter"]["Value"]
    assert (value, aws.outputs(stack)) == ("v-u", {"O": whole})


def test_bad_update_leaves_the_stack(aws):
    stack = name("s")
    aws.create(stack, {"Q": queue()})
    assert (
        refused(
            aws.cf.update_stack,
            StackName=stack,
            TemplateBody=aws.template({"Q": queue({"Ref": "Nope"})}),
        )[2]
        == IN_RESOURCES
    )
    assert aws.finished(stack)[0] == "CREATE_COMPLETE"


def test_made_up_names_differ_from_region_to_region(aws):
    """IAM has no regions: two stacks of one name have two roles, each its own."""
    stack, trust = name("s"), {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    names = set()
    for client in (aws.cf, aws.cloud.client("cloudformation", "eu-central-1")):
        client.create_stack(
            StackName=stack,
            TemplateBody=aws.template({"R": role}),
            Capabilities=["CAPABILITY_IAM"],
        )
        client.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 0.1}
        )
        resource = client.describe_stack_resource(StackName=stack, LogicalResourceId="R")
        names.add(resource["StackResourceDetail"]["PhysicalResourceId"])
    assert len(names) == 2


def test_made_up_names_never_come_back(aws):
    """Whatever was deleted is gone: a second resource of the same logical id is another one."""
    stack, keep = name("s"), {"Keep": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    trust = {"Version": "2012-10-17", "Statement": []}
    keys = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    resources = {
        "Q": queue(),
        "T": {"Type": "AWS::SNS::Topic"},
        "R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "B": {"Type": "AWS::S3::Bucket"},
        "D": {"Type": "AWS::DynamoDB::Table", "Properties": keys},
        "L": {"Type": "AWS::Logs::LogGroup"},
        "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}},
    }

    def physical(operation, template):
        body = aws.template(template)
        operation(StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        assert aws.finished(stack)[0].endswith("_COMPLETE")
        found = aws.cf.describe_stack_resources(StackName=stack)["StackResources"]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}

    first = physical(aws.cf.create_stack, {**keep, **resources})
    more = {**resources, "Q": queue(DelaySeconds=1)}
    more["L"] = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 1}}
    assert physical(aws.cf.update_stack, {**keep, **more}) == first
    physical(aws.cf.update_stack, keep)
    second = physical(aws.cf.update_stack, {**keep, **resources})
    aws.cf.delete_stack(StackName=stack)
    aws.cf.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})
    third = physical(aws.cf.create_stack, {**keep, **resources})
    for logical in resources:
        assert len({first[logical], second[logical], third[logical]}) == 3, logical


def test_unknown_parameter_is_refused(aws):
    assert refused(
        aws.cf.create_stack,
        StackName=name("s"),
        TemplateBody=aws.template({"Q": queue()}),
        Parameters=[{"ParameterKey": "Nope", "ParameterValue": "1"}],
    ) == (400, "ValidationError", "Parameters: [Nope] do not exist in the template")


def test_capabilities(aws):
    assert refused(
        aws.cf.create_stack, StackName=name("s"), TemplateBody=aws.template({"R": role()})
    )[:2] == (400, "InsufficientCapabilitiesException")


@pytest.mark.parametrize(
    "host",
    [
        "https://s3.amazonaws.com/{bucket}/{key}",
        "https://{bucket}.s3.amazonaws.com/{key}",
        "https://s3.us-east-1.amazonaws.com/{bucket}/{key}",
        "https://{bucket}.s3.us-east-1.amazonaws.com/{key}",
    ],
)
def test_template_urls(aws, artifacts, host):
    aws.s3.put_object(Bucket=artifacts, Key="t.json", Body=aws.template({"Q": queue()}))
    stack = name("s")
    aws.cf.create_stack(StackName=stack, TemplateURL=host.format(bucket=artifacts, key="t.json"))
    assert aws.finished(stack)[0] == "CREATE_COMPLETE"


# -- states ----------------------------------------------------------------------------------------


def test_no_updates(aws):
    stack = name("s")
    aws.create(
        stack, {"Q": queue(VisibilityTimeout=5)}, sections={"Outputs": {"O": {"Value": "1"}}}
    )
    same = dict(
        StackName=stack,
        TemplateBody=json.dumps(
            {
                "Outputs": {"O": {"Value": "1"}},
                "Resources": {"Q": queue(VisibilityTimeout=5)},
                "AWSTemplateFormatVersion": "2010-09-09",
            },
            indent=2,
        ),
    )
    assert refused(aws.cf.update_stack, **same) == (
        400,
        "ValidationError",
        "No updates are to be performed.",
    )
    aws.cf.create_change_set(ChangeSetName="c", **same)
    for _ in range(1200):
        found = aws.cf.describe_change_set(StackName=stack, ChangeSetName="c")
        if found["Status"] == "FAILED":
            break
        time.sleep(0.05)
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_busy_stack(slow):
    stack = name("s")
    body = slow.template({"Q": queue()}, Outputs={"O": {"Value": "old"}})
    identity = slow.cf.create_stack(StackName=stack, TemplateBody=body)["StackId"]
    assert (
        slow.cf.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    )
    changed = slow.template({"Q": queue(VisibilityTimeout=7)}, Outputs={"O": {"Value": "new"}})
    assert refused(slow.cf.update_stack, StackName=stack, TemplateBody=changed) == (
        400,
        "ValidationError",
        f"Stack:{identity} is in CREATE_IN_PROGRESS state and can not be updated.",
    )
    assert refused(slow.cf.create_stack, StackName=stack, TemplateBody=body)[:2] == (
        400,
        "AlreadyExistsException",
    )
    assert slow.finished(stack)[0] == "CREATE_COMPLETE"
    assert slow.outputs(stack) == {"O": "old"}
    slow.cf.update_stack(StackName=stack, TemplateBody=changed)
    found = slow.cf.describe_stacks(StackName=stack)["Stacks"][0]
    assert (found["StackStatus"], found.get("Outputs", [])) == ("UPDATE_IN_PROGRESS", [])
    for call in (
        slow.cf.update_stack,
        lambda **kw: slow.cf.create_change_set(ChangeSetName="c", **kw),
    ):
        assert (
            refused(call, StackName=stack, TemplateBody=body)[2]
            == f"Stack:{identity} is in UPDATE_IN_PROGRESS state and can not be updated."
        )
    assert (
        refused(slow.cf.delete_stack, StackName=stack)[2]
        == f"Stack [{identity}] cannot be deleted while in status UPDATE_IN_PROGRESS"
    )
    assert slow.finished(stack)[0] == "UPDATE_COMPLETE"
    assert slow.outputs(stack) == {"O": "new"}
    slow.cf.delete_stack(StackName=stack)
    assert (
        slow.cf.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"]
        == "DELETE_IN_PROGRESS"
    )
    assert slow.finished(stack)[0] == "GONE"


def test_delete_while_creating(aws):
    stack, queue_name = name("s"), name("q")
    aws.cf.create_stack(StackName=stack, TemplateBody=aws.template({"Q": queue(queue_name)}))
    assert aws.delete(stack)[0] in ("GONE", "CREATE_COMPLETE")
    for _ in range(40):
        if aws.finished(stack)[0] == "GONE":
            break
        time.sleep(0.05)
    assert aws.finished(stack)[0] == "GONE"
    assert not aws.sqs.list_queues(QueueNamePrefix=queue_name).get("QueueUrls")


def test_rolled_back_stack_can_only_be_deleted(aws, artifacts):
    stack, queue_name = name("s"), name("q")
    resources = {
        "Q": queue(queue_name),
        "Role": role(),
        "Fn": {**function(artifacts, name("f"), "missing.zip"), "DependsOn": "Q"},
    }
    status, reason = aws.create(stack, resources)
    assert status == "ROLLBACK_COMPLETE"
    assert "S3 Error Code: NoSuchKey" in reason and "HandlerErrorCode: InvalidRequest" in reason
    assert not aws.sqs.list_queues(QueueNamePrefix=queue_name).get("QueueUrls")
    good = dict(StackName=stack, TemplateBody=aws.template({"Q": queue()}))
    assert (
        "is in ROLLBACK_COMPLETE state and can not be updated."
        in refused(aws.cf.update_stack, **good)[2]
    )
    assert refused(aws.cf.create_stack, **good) == (
        400,
        "AlreadyExistsException",
        f"Stack [{stack}] already exists",
    )
    assert aws.delete(stack)[0] == "GONE"


# -- order -----------------------------------------------------------------------------------------


def order_of(aws, stack, status):
    """The stack's resources in the order in which they had ``status``, by the last operation."""
    return [
        event["LogicalResourceId"]
        for event in reversed(aws.events_of(stack))
        if event["ResourceStatus"] == status and event["LogicalResourceId"] != stack
    ]


def test_independent_resources_come_in_any_order(aws):
    """Nor does an update or a deletion keep to the template's order or the alphabet; what depends
    on another resource comes after it, and goes before it."""
    many = {f"Q{letter}": queue(VisibilityTimeout=5) for letter in "ABCDEFGHIJKL"}
    chain = {
        "Z4": queue(),
        "Z3": {**queue(), "DependsOn": "Z4"},
        "Z2": queue(MessageRetentionPeriod=60, KmsMasterKeyId={"Fn::GetAtt": ["Z3", "QueueName"]}),
        "Z1": queue(KmsMasterKeyId={"Fn::Sub": "${Z2}"}),
        "Z0": queue(KmsMasterKeyId={"Ref": "Z1"}),
    }
    stack = name("s")
    created, deleted = [], []
    for _ in range(2):
        assert aws.create(stack, {**many, **chain})[0] == "CREATE_COMPLETE"
        created.append(order_of(aws, stack, "CREATE_COMPLETE"))
        changed = {id: queue(VisibilityTimeout=6) for id in many}
        assert aws.update(stack, {**changed, **chain})[0] == "UPDATE_COMPLETE"
        updated = order_of(aws, stack, "UPDATE_COMPLETE")
        assert sorted(updated) == sorted(many) != updated
        id = aws.cf.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
        assert aws.delete(id)[0] == "DELETE_COMPLETE"
        deleted.append(order_of(aws, id, "DELETE_COMPLETE"))
    for order, wanted in ((created, sorted(chain, reverse=True)), (deleted, sorted(chain))):
        assert order[0] == order[1], "the same seed gives the same order"
        assert [id for id in order[0] if id in chain] == wanted
        independent = [id for id in order[0] if id in many]
        assert sorted(independent) == sorted(many)
        assert independent not in (sorted(many), sorted(many, reverse=True))


def test_the_order_follows_from_the_seed():
    code = (
        "from troupe_cloud.cloudformation import order;"
        "from ministack.services.cloudformation import stacks;"
        "print(stacks._topological_sort({f'R{i}': {} for i in range(9)}, {}))"
    )

    def order(seed):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "localcloud"),
                       "TROUPE_CLOUD_SEED": seed}  # fmt: skip
        return subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)

    assert order("1") == order("1") != order("2")


# -- events ----------------------------------------------------------------------------------------


def test_events_of_an_update(aws):
    stack = name("s")
    aws.create(stack, {"Same": queue(), "Changed": queue(VisibilityTimeout=5), "Dropped": queue()})
    status = aws.update(
        stack,
        {"Same": queue(), "Changed": queue(VisibilityTimeout=6), "New": queue()},
        ClientRequestToken="token-1",
    )
    assert status == ("UPDATE_COMPLETE", "")
    events = aws.events_of(stack)
    told = [
        (event["LogicalResourceId"].replace(stack, "STACK"), event["ResourceStatus"])
        for event in reversed(events)
    ]
    assert told[0] == ("STACK", "UPDATE_IN_PROGRESS")
    assert sorted(told[1:5]) == [
        ("Changed", "UPDATE_COMPLETE"),
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
    ]
    assert told[5:] == [
        ("STACK", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Dropped", "DELETE_IN_PROGRESS"),
        ("Dropped", "DELETE_COMPLETE"),
        ("STACK", "UPDATE_COMPLETE"),
    ]
    assert {event.get("ClientRequestToken") for event in events} == {"token-1"}
    found = {
        entry["LogicalResourceId"]: entry["ResourceStatus"]
        for entry in aws.cf.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    }
    assert found == {
        "Same": "CREATE_COMPLETE",
        "Changed": "UPDATE_COMPLETE",
        "New": "CREATE_COMPLETE",
    }


def test_rollback_restores_and_says_why(aws, artifacts):
    stack, function_name = name("s"), name("f")
    base = {
        "Role": role(),
        "Fn": function(artifacts, function_name),
        "V1": version(),
        "Al": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Name": "dev",
                "FunctionVersion": {"Fn::GetAtt": ["V1", "Version"]},
            },
        },
    }
    assert aws.create(stack, base)[0] == "CREATE_COMPLETE"
    broken = {
        **base,
        "Fn": function(artifacts, function_name, "two.zip", Timeout=9),
        "V2": version(),
        "Al": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Name": "dev",
                "FunctionVersion": {"Fn::GetAtt": ["V2", "Version"]},
            },
        },
        "Bad": {"Type": "AWS::SQS::Queue", "DependsOn": "Al", "Properties": {"NoSuchThing": 1}},
    }
    status, reason = aws.update(stack, broken)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "extraneous key [NoSuchThing] is not permitted" in reason
    found = aws.lam.get_function_configuration(FunctionName=function_name)
    assert found["Timeout"] == 6
    assert aws.call(function_name)[2]["tag"] == "one"
    assert aws.lam.get_alias(FunctionName=function_name, Name="dev")["FunctionVersion"] == "1"
    # V2 was kept by its DeletionPolicy, nobody points at it.
    assert [
        v["Version"]
        for v in aws.lam.list_versions_by_function(FunctionName=function_name)["Versions"]
    ] == ["$LATEST", "1", "2"]


# -- functions, versions, aliases ------------------------------------------------------------------


def test_refused_function_updates_roll_back(aws, artifacts):
    stack, function_name = name("s"), name("f")
    base = {"Role": role(), "Fn": function(artifacts, function_name)}
    aws.create(stack, base)
    for change, text in (
        ({"Runtime": "nope1.x"}, "nope1.x at 'runtime'"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
        ({"Code": {"S3Bucket": artifacts, "S3Key": "missing.zip"}}, "NoSuchKey"),
        ({"Code": {"S3Bucket": artifacts, "S3Key": "two.zip"}, "MemorySize": 1}, "'memorySize'"),
    ):
        status, reason = aws.update(
            stack, {**base, "Fn": function(artifacts, function_name, **change)}
        )
        assert status == "UPDATE_ROLLBACK_COMPLETE" and text in reason
        assert aws.call(function_name)[2]["tag"] == "one"


def test_function_properties_reach_lambda(aws, artifacts):
    stack, function_name, queue_name = name("s"), name("f"), name("q")
    dead = {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}"}
    base = {"Role": role(allow("sqs:*", "xray:*")), "Q": queue(queue_name)}
    full = function(
        artifacts,
        function_name,
        DeadLetterConfig=dead,
        ReservedConcurrentExecutions=3,
        MemorySize=256,
        Description="d",
        Environment={"Variables": {"STAGE": "x"}},
        EphemeralStorage={"Size": 600},
        Architectures=["arm64"],
        TracingConfig={"Mode": "Active"},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert aws.create(stack, {**base, "Fn": full}) == ("CREATE_COMPLETE", "")
    found = aws.lam.get_function(FunctionName=function_name)
    config = found["Configuration"]
    assert (
        config["DeadLetterConfig"],
        config["MemorySize"],
        config["Description"],
        config["EphemeralStorage"],
        config["TracingConfig"],
        config["Environment"]["Variables"],
        config["Architectures"],
        config["State"],
    ) == (dead, 256, "d", {"Size": 600}, {"Mode": "Active"}, {"STAGE": "x"}, ["arm64"], "Active")
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert found["Tags"]["a"] == "b"
    assert aws.update(stack, {**base, "Fn": function(artifacts, function_name)}) == (
        "UPDATE_COMPLETE",
        "",
    )
    found = aws.lam.get_function(FunctionName=function_name)
    assert "Concurrency" not in found
    assert not (found["Configuration"].get("DeadLetterConfig") or {}).get("TargetArn")
    assert found["Configuration"]["MemorySize"] == 128
    assert found["Configuration"]["Architectures"] == ["x86_64"]


@pytest.mark.parametrize("missing", ["Role", "Code"])
def test_required_properties(aws, artifacts, missing):
    resource = function(artifacts, name("f"))
    del resource["Properties"][missing]
    status, reason = aws.create(name("s"), {"Role": role(), "Fn": resource})
    assert status == "ROLLBACK_COMPLETE"
    assert f"#: required key [{missing}] not found" in reason


def test_version_resource(aws, artifacts):
    stack, function_name = name("s"), name("f")
    base = {"Role": role(), "Fn": function(artifacts, function_name)}
    aws.create(stack, base)
    wrong = {
        "Type": "AWS::Lambda::Version",
        "Properties": {"FunctionName": {"Ref": "Fn"}, "CodeSha256": "AAAA"},
    }
    status, reason = aws.update(stack, {**base, "V": wrong})
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "CodeSHA256 (AAAA) is different" in reason
    aws.publish(function_name)
    status, reason = aws.update(stack, {**base, "V": version()})
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Version already exists: [{function_arn(function_name, '1')}]" in reason


def test_alias_of_missing_function_or_version(aws):
    function_name = aws.function()
    aws.publish(function_name)

    def alias(of, number):
        return {
            "A": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {"FunctionName": of, "Name": "dev", "FunctionVersion": number},
            }
        }

    for of, number in ((function_name, "9"), (name("none"), "1")):
        status, reason = aws.create(name("s"), alias(of, number))
        assert status == "ROLLBACK_COMPLETE"
        assert "Function not found" in reason and "HandlerErrorCode: NotFound" in reason
    stack = name("s")
    assert aws.create(stack, alias(function_name, "1")) == ("CREATE_COMPLETE", "")
    status, reason = aws.create(name("s"), alias(function_name, "1"))
    assert status == "ROLLBACK_COMPLETE" and "Alias already exists" in reason
    assert aws.lam.get_alias(FunctionName=function_name, Name="dev")["FunctionVersion"] == "1"


def test_alias_weights_and_provisioned_concurrency(aws):
    function_name, stack = aws.two_versions(), name("s")

    def alias(**more):
        return {
            "A": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": function_name,
                    "Name": "dev",
                    "FunctionVersion": "1",
                    **more,
                },
            }
        }

    weights = {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.25}]}
    assert aws.create(stack, alias(RoutingConfig=weights)) == ("CREATE_COMPLETE", "")
    assert aws.lam.get_alias(FunctionName=function_name, Name="dev")["RoutingConfig"] == {
        "AdditionalVersionWeights": {"2": 0.25}
    }
    assert (
        aws.update(
            stack, alias(ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 1})
        )[0]
        == "UPDATE_COMPLETE"
    )
    assert "RoutingConfig" not in aws.lam.get_alias(FunctionName=function_name, Name="dev")
    assert (
        aws.lam.get_provisioned_concurrency_config(FunctionName=function_name, Qualifier="dev")[
            "Status"
        ]
        == "READY"
    )


def test_import_of_function_and_alias(aws):
    function_name, stack = aws.function(), name("s")
    aws.publish(function_name)
    aws.lam.create_alias(FunctionName=function_name, Name="dev", FunctionVersion="1")
    arn = function_arn(function_name, "dev")
    body = aws.template(
        {
            "A": {
                "Type": "AWS::Lambda::Alias",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "FunctionName": function_name,
                    "Name": "dev",
                    "FunctionVersion": "1",
                },
            }
        }
    )
    aws.imported(stack, body, "AWS::Lambda::Alias", "A", {"AliasArn": arn})
    assert (
        aws.cf.describe_stack_resources(PhysicalResourceId=arn)["StackResources"][0]["StackName"]
        == stack
    )


# -- what is already there -------------------------------------------------------------------------


def existing(aws, artifacts):
    """Resources made outside stacks: type, template properties."""
    made = {
        kind: name(kind)
        for kind in ("queue", "group", "role", "table", "topic", "bucket", "rule", "parameter")
    }
    aws.sqs.create_queue(QueueName=made["queue"])
    aws.logs.create_log_group(logGroupName=made["group"])
    aws.iam.create_role(RoleName=made["role"], AssumeRolePolicyDocument=json.dumps(trust()))
    keys = dict(
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.ddb.create_table(TableName=made["table"], **keys)
    aws.sns.create_topic(Name=made["topic"])
    aws.s3.create_bucket(Bucket=made["bucket"])
    aws.events.put_rule(Name=made["rule"], ScheduleExpression="rate(1 hour)")
    aws.ssm.put_parameter(Name=made["parameter"], Value="x", Type="String")
    return {
        "AWS::SQS::Queue": {"QueueName": made["queue"]},
        "AWS::Logs::LogGroup": {"LogGroupName": made["group"]},
        "AWS::IAM::Role": {"RoleName": made["role"], "AssumeRolePolicyDocument": trust()},
        "AWS::DynamoDB::Table": {"TableName": made["table"], **keys},
        "AWS::SNS::Topic": {"TopicName": made["topic"]},
        "AWS::S3::Bucket": {"BucketName": made["bucket"]},
        "AWS::Events::Rule": {"Name": made["rule"], "ScheduleExpression": "rate(1 hour)"},
        "AWS::SSM::Parameter": {"Name": made["parameter"], "Value": "y", "Type": "String"},
        "AWS::Lambda::Function": {
            "FunctionName": aws.function(),
            "Runtime": "nodejs20.x",
            "Handler": "index.handler",
            "Role": aws.role,
            "Code": {"S3Bucket": artifacts, "S3Key": "two.zip"},
        },
    }


def test_nothing_is_created_over_what_exists(aws, artifacts):
    for kind, properties in existing(aws, artifacts).items():
        stack = name("s")
        status, reason = aws.create(stack, {"X": {"Type": kind, "Properties": properties}})
        assert status == "ROLLBACK_COMPLETE", kind
        # A bucket's name is checked before the stack begins; the event says only that.
        assert (
            "Validation failed" if kind == "AWS::S3::Bucket" else "HandlerErrorCode: AlreadyExists"
        ) in reason
        aws.delete(stack)
        if kind == "AWS::Lambda::Function":
            assert aws.call(properties["FunctionName"])[2]["tag"] == "one"


def test_an_api_has_one_resource_method_and_route_of_a_name(aws):
    """What another stack made in an API that both only name."""
    rest = aws.rest.create_rest_api(name=name("api"))["id"]
    root = aws.rest.get_resources(restApiId=rest)["items"][0]["id"]
    http = aws.http.create_api(Name=name("api"), ProtocolType="HTTP")["ApiId"]
    method = {"HttpMethod": "GET", "AuthorizationType": "NONE", "Integration": {"Type": "MOCK"}}
    kinds = {
        "AWS::ApiGateway::Resource": ({"RestApiId": rest, "ParentId": root}, "PathPart", "a", "b"),
        "AWS::ApiGateway::Method": (
            {**method, "RestApiId": rest, "ResourceId": root},
            "HttpMethod",
            "GET",
            "POST",
        ),
        "AWS::ApiGatewayV2::Route": ({"ApiId": http}, "RouteKey", "GET /a", "GET /b"),
    }
    for kind, (properties, key, value, other) in kinds.items():

        def resources(value, kind=kind, properties=properties, key=key):
            return {"X": {"Type": kind, "Properties": {**properties, key: value}}}

        first, second, third = name("s"), name("s"), name("s")
        assert aws.create(first, resources(value))[0] == "CREATE_COMPLETE", kind
        status, reason = aws.create(second, resources(value))
        assert status == "ROLLBACK_COMPLETE" and "Status Code: 409" in reason, kind
        assert "already" in reason
        assert aws.create(third, resources(other))[0] == "CREATE_COMPLETE", kind
        # The one that failed took nothing of the first with it.
        assert aws.update(first, {**resources(value), "Q": queue()})[0] == "UPDATE_COMPLETE", kind
    assert [item["path"] for item in aws.rest.get_resources(restApiId=rest)["items"]].count(
        "/a"
    ) == 1
    assert refused(aws.http.create_route, ApiId=http, RouteKey="GET /a")[0] == 409


def test_renaming_onto_something_existing_rolls_back(aws):
    stack, mine, other = name("s"), name("q"), name("q")
    aws.sqs.create_queue(QueueName=other)
    aws.create(stack, {"Q": queue(mine)})
    status, reason = aws.update(stack, {"Q": queue(other)})
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "already exists" in reason
    assert len(aws.sqs.list_queues(QueueNamePrefix=mine)["QueueUrls"]) == 1


def test_bucket_with_objects_keeps_its_stack(aws):
    stack, bucket = name("s"), name("b")
    aws.create(stack, {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}})
    aws.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    status, reason = aws.delete(stack)
    assert status == "DELETE_FAILED"
    assert "The bucket you tried to delete is not empty" in reason
    assert aws.s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    aws.s3.delete_object(Bucket=bucket, Key="k")
    assert aws.delete(stack)[0] == "GONE"


# -- exports ---------------------------------------------------------------------------------------


def test_exports(aws):
    export, exporter, importer = name("e"), name("s"), name("s")

    def exporting(value, export_name=export):
        return {"Outputs": {"O": {"Value": value, "Export": {"Name": export_name}}}}

    aws.create(exporter, {"Q": queue()}, sections=exporting("one"))
    aws.create(importer, {"Q": queue({"Fn::ImportValue": export})})
    status, reason = aws.update(exporter, {"Q": queue()}, sections=exporting("two"))
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Export {export} cannot be updated as it is in use by {importer}" in reason
    status, reason = aws.update(exporter, {"Q": queue()}, sections=exporting("one", name("other")))
    assert f"Export {export} cannot be deleted as it is in use by {importer}" in reason
    second = name("s")
    status, reason = aws.create(second, {"Q": queue()}, sections=exporting("x"))
    assert status == "ROLLBACK_COMPLETE" and "already exported by stack" in reason
    assert export in refused(aws.cf.delete_stack, StackName=exporter)[2]
    aws.delete(importer)
    assert (
        aws.update(exporter, {"Q": queue(VisibilityTimeout=9)}, sections={})[0] == "UPDATE_COMPLETE"
    )
    assert export not in {entry["Name"] for entry in aws.cf.list_exports()["Exports"]}


# -- API Gateway -----------------------------------------------------------------------------------


def test_api_per_stage_in_a_stack(aws):
    """A deployment with a new logical id moves the stage; the old one goes in the clean-up."""
    stack = name("s")

    def resources(deployment, *paths):
        found = {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack}},
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": [f"Get{path}" for path in paths],
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "dev"},
            },
        }
        for path in paths:
            found[f"Path{path}"] = {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": path,
                },
            }
            found[f"Get{path}"] = {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ResourceId": {"Ref": f"Path{path}"},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "MethodResponses": [{"StatusCode": "200"}],
                    "Integration": {
                        "Type": "MOCK",
                        "RequestTemplates": {"application/json": '{"statusCode":200}'},
                        "IntegrationResponses": [{"StatusCode": "200"}],
                    },
                },
            }
        return found

    outputs = {"Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    assert aws.create(stack, resources("D1", "a"), sections=outputs) == ("CREATE_COMPLETE", "")
    api = aws.outputs(stack)["Api"]
    assert aws.cloud.get(f"/restapis/{api}/dev/_user_request_/a").status_code == 200
    assert aws.update(stack, resources("D1", "a", "b"), sections=outputs) == ("UPDATE_COMPLETE", "")
    assert aws.cloud.get(f"/restapis/{api}/dev/_user_request_/b").status_code == 403
    assert aws.update(stack, resources("D2", "a", "b"), sections=outputs) == ("UPDATE_COMPLETE", "")
    assert aws.cloud.get(f"/restapis/{api}/dev/_user_request_/b").status_code == 200
    assert len(aws.rest.get_deployments(restApiId=api)["items"]) == 1
    assert aws.delete(stack)[0] == "GONE"


def test_a_deployment_describes_a_new_stage_only(aws):
    """Where it exists already, AWS::ApiGateway::Stage imports it and changes it from then on."""
    stack = name("s")
    api = {"Ref": "Api"}
    method = {"RestApiId": api, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]}}
    method.update(HttpMethod="GET", AuthorizationType="NONE", Integration={"Type": "MOCK"})

    def resources(ids, described=None, stage=None, **policy):
        made = {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": stack}},
            "Root": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        }
        for id in ids:
            properties = {"RestApiId": api}
            if described is not None:
                properties.update(StageName="dev", StageDescription=described)
            made[id] = {"Type": "AWS::ApiGateway::Deployment", "Properties": properties}
            made[id]["DependsOn"] = "Root"
        if stage:
            settings = {"RestApiId": api, "StageName": "dev", "DeploymentId": {"Ref": stage}}
            made["Stage"] = {"Type": "AWS::ApiGateway::Stage", "Properties": settings, **policy}
        return made

    traced, plain = {"TracingEnabled": True}, {"TracingEnabled": False}
    outputs = {"Outputs": {"Api": {"Value": api}}}
    assert aws.create(stack, resources("D", traced), sections=outputs) == ("CREATE_COMPLETE", "")
    id = aws.outputs(stack)["Api"]

    def stage():
        found = aws.rest.get_stage(restApiId=id, stageName="dev")
        return found["deploymentId"], found["tracingEnabled"]

    first = stage()
    taken = "StageDescription cannot be specified when stage referenced by StageName already exists"
    for wanted, message in (
        (resources("E", traced), taken),
        (resources("D", plain), taken),
        (resources("D"), "StageName cannot be updated"),
    ):
        status, reason = aws.update(stack, wanted, sections=outputs)
        assert status == "UPDATE_ROLLBACK_COMPLETE" and message in reason
        assert stage() == first == (first[0], True)
    status, reason = aws.update(stack, resources("E", None, "E"), sections=outputs)
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "already exists" in reason

    both = resources("D", traced, "D", DeletionPolicy="Retain")
    identifier = {"RestApiId": id, "StageName": "dev"}
    body = aws.template(both, **outputs)
    aws.imported(stack, body, "AWS::ApiGateway::Stage", "Stage", identifier)
    assert stage() == first
    assert aws.update(stack, resources("E", None, "E"), sections=outputs)[0] == "UPDATE_COMPLETE"
    assert stage()[0] != first[0]
    assert len(aws.rest.get_deployments(restApiId=id)["items"]) == 1


def test_api_body_in_a_stack(aws):
    stack = name("s")

    def api(path):
        return {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Body": {
                        "openapi": "3.0.1",
                        "info": {"title": "body", "version": "1"},
                        "paths": {
                            path: {
                                "get": {
                                    "responses": {},
                                    "x-amazon-apigateway-integration": {"type": "mock"},
                                }
                            }
                        },
                    }
                },
            }
        }

    outputs = {"Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    assert aws.create(stack, api("/a"), sections=outputs) == ("CREATE_COMPLETE", "")
    first = aws.outputs(stack)["Api"]
    assert aws.rest.get_rest_api(restApiId=first)["name"] == "body"
    assert aws.update(stack, api("/b"), sections=outputs) == ("UPDATE_COMPLETE", "")
    assert aws.outputs(stack)["Api"] == first
    assert {item["path"] for item in aws.rest.get_resources(restApiId=first)["items"]} == {
        "/",
        "/b",
    }


def test_a_vpc_link_in_use_stays(aws):
    """By a stage's deployment of a REST API, by a route of an HTTP API; not by what is not
    served.
    """
    stack = name("s")
    targets = {"Name": "x", "TargetArns": ["arn:aws:elasticloadbalancing:x"]}
    links = {
        "Rest": {"Type": "AWS::ApiGateway::VpcLink", "Properties": targets},
        "Http": {
            "Type": "AWS::ApiGatewayV2::VpcLink",
            "Properties": {"Name": "x", "SubnetIds": ["subnet-1"]},
        },
    }
    outputs = {"Outputs": {key: {"Value": {"Ref": key}} for key in links}}
    assert aws.create(stack, links, sections=outputs) == ("CREATE_COMPLETE", "")
    ids = aws.outputs(stack)
    api = aws.rest.create_rest_api(name=stack)["id"]
    root = aws.rest.get_resources(restApiId=api)["items"][0]["id"]
    at = dict(restApiId=api, resourceId=root, httpMethod="GET")
    aws.rest.put_method(**at, authorizationType="NONE")
    through = dict(type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://a.example")
    aws.rest.put_integration(**at, **through, connectionType="VPC_LINK", connectionId=ids["Rest"])
    first = aws.rest.create_deployment(restApiId=api, stageName="dev")["id"]
    http = aws.http.create_api(Name=stack, ProtocolType="HTTP")["ApiId"]
    integration = aws.http.create_integration(
        ApiId=http, IntegrationType="HTTP_PROXY", IntegrationMethod="GET", IntegrationUri="arn:x",
        ConnectionType="VPC_LINK", ConnectionId=ids["Http"], PayloadFormatVersion="1.0",
    )["IntegrationId"]  # fmt: skip
    route = aws.http.create_route(
        ApiId=http, RouteKey="GET /a", Target=f"integrations/{integration}"
    )["RouteId"]
    for key, where in (("Rest", f"{api}:GET:{root}:dev"), ("Http", f"GET:{route}")):
        status, reason = aws.delete(stack)
        assert status == "DELETE_FAILED"
        found = aws.cf.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in found]
        assert any(f"'{ids[key]}', is referenced in [{where}]" in reason for reason in reasons)
    aws.rest.put_integration(**at, **through)
    aws.rest.create_deployment(restApiId=api, stageName="dev")
    aws.rest.delete_deployment(restApiId=api, deploymentId=first)
    aws.http.delete_route(ApiId=http, RouteId=route)
    assert aws.delete(stack)[0] == "GONE"


def test_an_activity_of_a_stack(aws):
    stack, other = name("s"), name("s")
    resources = {"Work": {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": stack}}}
    outputs = {"Outputs": {"Arn": {"Value": {"Ref": "Work"}}}}
    assert aws.create(stack, resources, sections=outputs) == ("CREATE_COMPLETE", "")
    arn = aws.outputs(stack)["Arn"]
    assert arn.endswith(f":activity:{stack}")
    assert aws.create(other, resources)[0] != "CREATE_COMPLETE"
    assert aws.delete(stack)[0] == "GONE"
    assert aws.create(name("s"), resources)[0] == "CREATE_COMPLETE"


def test_stage_resources_follow_the_api(aws):
    rest = aws.rest
    api = rest.create_rest_api(name=name("api"))["id"]
    rest.put_rest_api(
        restApiId=api,
        mode="overwrite",
        body=json.dumps(
            {
                "openapi": "3.0.1",
                "info": {"title": "t", "version": "1"},
                "paths": {
                    "/a": {
                        "get": {
                            "responses": {},
                            "x-amazon-apigateway-integration": {"type": "mock"},
                        }
                    }
                },
            }
        ).encode(),
    )
    first, second = (rest.create_deployment(restApiId=api)["id"] for _ in range(2))

    def stage(deployment, **properties):
        return {
            "S": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": api,
                    "StageName": "dev",
                    "DeploymentId": deployment,
                    **properties,
                },
            }
        }

    stack = name("s")
    assert aws.create(stack, stage(first, Variables={"a": "1", "b": "2"}, TracingEnabled=True)) == (
        "CREATE_COMPLETE",
        "",
    )
    status, reason = aws.create(name("s"), stage(first))
    assert status == "ROLLBACK_COMPLETE" and "Stage already exists" in reason
    assert aws.update(stack, stage(second, Variables={"a": "1"})) == ("UPDATE_COMPLETE", "")
    found = rest.get_stage(restApiId=api, stageName="dev")
    assert (found["deploymentId"], found["variables"], found["tracingEnabled"]) == (
        second,
        {"a": "1"},
        False,
    )
    rest.delete_deployment(restApiId=api, deploymentId=first)
    status, reason = aws.update(stack, stage(first))
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "Deployment id does not exist" in reason
    assert rest.get_stage(restApiId=api, stageName="dev")["deploymentId"] == second


# -- event source mappings -------------------------------------------------------------------------


def test_event_source_mapping_resource(aws):
    function_name, stack = aws.two_versions(), name("s")
    for alias, number in (("dev", "1"), ("prod", "2")):
        aws.lam.create_alias(FunctionName=function_name, Name=alias, FunctionVersion=number)

    def resources(alias, **properties):
        return {
            "Q": queue(),
            "E": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]},
                    "FunctionName": function_arn(function_name, alias),
                    "BatchSize": "2",
                    **properties,
                },
            },
        }

    outputs = {"Outputs": {"E": {"Value": {"Ref": "E"}}}}
    assert aws.create(stack, resources("dev", Enabled=False), sections=outputs) == (
        "CREATE_COMPLETE",
        "",
    )
    identity = aws.outputs(stack)["E"]
    found = aws.lam.get_event_source_mapping(UUID=identity)
    assert (found["State"], found["FunctionArn"], found["BatchSize"]) == (
        "Disabled",
        function_arn(function_name, "dev"),
        2,
    )
    assert aws.update(stack, resources("prod"), sections=outputs) == ("UPDATE_COMPLETE", "")
    found = aws.lam.get_event_source_mapping(UUID=identity)
    assert (found["State"], found["FunctionArn"]) == (
        "Enabled",
        function_arn(function_name, "prod"),
    )
    assert (
        len(
            aws.lam.list_event_source_mappings(FunctionName=f"{function_name}:prod")[
                "EventSourceMappings"
            ]
        )
        == 1
    )
    again = {**resources("prod"), "Twice": resources("prod")["E"]}
    status, reason = aws.update(stack, again, sections=outputs)
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "already exists" in reason


def test_ssm_parameters_show_name_and_value(aws):
    parameter, stack = name("/p"), name("s")
    aws.ssm.put_parameter(Name=parameter, Value="a&b", Type="String")
    sections = {
        "Parameters": {
            "P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": parameter},
            "Secret": {"Type": "String", "NoEcho": True, "Default": "hidden"},
        }
    }
    assert aws.create(stack, {"Q": queue()}, sections=sections) == ("CREATE_COMPLETE", "")
    found = aws.cf.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    shown = {entry["ParameterKey"]: entry for entry in found}
    assert (shown["P"]["ParameterValue"], shown["P"]["ResolvedValue"]) == (parameter, "a&b")
    assert shown["Secret"]["ParameterValue"] == "****"


def test_template_summary_names_identifiers(aws):
    """API reference, GetTemplateSummary: ResourceIdentifierSummaries, of types that can be
    imported.
    """
    resources = {
        "A": {"Type": "AWS::S3::Bucket"},
        "B": {"Type": "AWS::S3::Bucket"},
        "C": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": "x"}},
        "D": {"Type": "AWS::SecretsManager::Secret"},
    }
    answer = aws.cf.get_template_summary(TemplateBody=json.dumps({"Resources": resources}))
    assert answer["ResourceIdentifierSummaries"] == [
        {
            "ResourceType": "AWS::S3::Bucket",
            "LogicalResourceIds": ["A", "B"],
            "ResourceIdentifiers": ["BucketName"],
        },
        {
            "ResourceType": "AWS::Cognito::UserPoolClient",
            "LogicalResourceIds": ["C"],
            "ResourceIdentifiers": ["UserPoolId", "ClientId"],
        },
    ]


def distribution(arn):
    behavior = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "LambdaFunctionAssociations": [{"EventType": "viewer-request", "LambdaFunctionARN": arn}],
    }
    origin = {
        "Id": "o",
        "DomainName": "example.com",
        "CustomOriginConfig": {"OriginProtocolPolicy": "match-viewer"},
    }
    config = {"Enabled": True, "DefaultCacheBehavior": behavior, "Origins": [origin]}
    return {
        "D": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": config},
        }
    }


def test_functions_at_the_edge(aws):
    """A distribution calls versions only, of functions that may run there, and holds them fast."""
    function = aws.function()
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    version = function_arn(function, "1")
    for arn, why in (
        (function_arn(function, "dev"), "must reference a specific function version"),
        (function_arn(function), "must reference a specific function version"),
        (function_arn(function, "7"), "does not exist"),
        (version, "must be assumable with edgelambda.amazonaws.com"),
    ):
        status, reason = aws.create(name("s"), distribution(arn))
        assert status == "ROLLBACK_COMPLETE" and why in reason, (arn, reason)
    aws.lam.delete_alias(FunctionName=function, Name="dev")
    trusted = trust("lambda.amazonaws.com")
    trusted["Statement"][0]["Principal"]["Service"] = [
        "lambda.amazonaws.com",
        "edgelambda.amazonaws.com",
    ]
    role = aws.iam.create_role(RoleName=name("edge"), AssumeRolePolicyDocument=json.dumps(trusted))[
        "Role"
    ]["Arn"]
    for properties, why in (
        ({"Environment": {"Variables": {"NAME": "a"}}}, "cannot have environment variables"),
        ({}, None),
    ):
        function = aws.function(Role=role, **properties)
        aws.publish(function)
        version, stack = function_arn(function, "1"), name("s")
        status, reason = aws.create(stack, distribution(version))
        assert (why in reason) if why else status == "CREATE_COMPLETE", reason
    for qualifier in ({}, {"Qualifier": "1"}):
        assert refused(aws.lam.delete_function, FunctionName=function, **qualifier) == (
            400,
            "InvalidParameterValueException",
            (
                f"Lambda was unable to delete {version} because it is a replicated function. Please"
                " see our documentation for Deleting Lambda@Edge Functions and Replicas."
            ),
        )
    aws.cf.delete_stack(StackName=stack)
    assert aws.finished(stack)[0] == "GONE"
    aws.lam.delete_function(FunctionName=function, Qualifier="1")
    aws.lam.delete_function(FunctionName=function)


def test_mappings_of_brokers_need_rights(aws):
    """The role of the version that a mapping calls must reach the broker, and read its secret."""
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"
    broker = "arn:aws:mq:us-east-1:123456789012:broker:b:b-1"
    cluster = "arn:aws:kafka:us-east-1:123456789012:cluster/c/1"
    access = [{"Type": "BASIC_AUTH", "URI": secret}]
    subnet = [{"Type": "VPC_SUBNET", "URI": "subnet:subnet-1"}]
    network = ["ec2:CreateNetworkInterface", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]
    read = "secretsmanager:GetSecretValue"
    for source, needs in (
        (
            {"EventSourceArn": broker, "Queues": ["q"], "SourceAccessConfigurations": access},
            ["mq:DescribeBroker", *network, read],
        ),
        (
            {"EventSourceArn": cluster, "Topics": ["t"]},
            ["kafka:DescribeCluster", "kafka:GetBootstrapBrokers", *network],
        ),
        (
            {
                "SelfManagedEventSource": {"Endpoints": {"KafkaBootstrapServers": ["a:1"]}},
                "Topics": ["t"],
                "SourceAccessConfigurations": access + subnet,
            },
            [*network, read],
        ),
    ):
        for allowed in (needs[:-1], needs):
            role = aws.role_with({"Effect": "Allow", "Action": allowed, "Resource": "*"})
            function = aws.function(Role=role)
            mapping = {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {"FunctionName": function, **source},
            }
            status, reason = aws.create(name("s"), {"M": mapping})
            lacking = needs[-1].split(":")[1]
            if allowed == needs:
                assert status == "CREATE_COMPLETE", reason
            else:
                assert f"does not have permissions to call {lacking} on" in reason, reason


def test_a_protected_stack_is_not_deleted(aws):
    """Nor by its id; and updates go on."""
    stack = name("guarded")
    template = {"Resources": {"Q": queue()}}
    aws.cf.create_stack(
        StackName=stack, TemplateBody=json.dumps(template), EnableTerminationProtection=True
    )
    aws.cf.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})
    (shown,) = aws.cf.describe_stacks(StackName=stack)["Stacks"]
    assert shown["EnableTerminationProtection"]
    for given in (stack, shown["StackId"]):
        assert refused(aws.cf.delete_stack, StackName=given) == (
            400,
            "ValidationError",
            f"Stack [{shown['StackId']}] cannot be deleted while TerminationProtection is enabled",
        )
    aws.cf.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    aws.cf.delete_stack(StackName=stack)
