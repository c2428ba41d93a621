"""PublishVersion, revisions, updates in progress, creation limits."""

import json
import time

import pytest

from cloud import function_arn, name, node_zip, refused, trust


def config(aws, function, **kwargs):
    found = aws.lam.get_function_configuration(FunctionName=function, **kwargs)
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def test_publish_without_change_returns_the_same_version(aws):
    function = aws.function()
    first = aws.lam.publish_version(FunctionName=function, Description="first")
    again = aws.lam.publish_version(FunctionName=function, Description="ignored")
    assert (first["Version"], again["Version"], again["Description"]) == ("1", "1", "first")
    assert again["FunctionArn"] == function_arn(function, "1")


def test_description_of_the_call_replaces_the_functions_own(aws):
    function = aws.function(Description="mine")
    assert aws.lam.publish_version(FunctionName=function)["Description"] == "mine"
    aws.code(function, "two")
    assert (
        aws.lam.publish_version(FunctionName=function, Description="theirs")["Description"]
        == "theirs"
    )
    assert config(aws, function)["Description"] == "mine"


def test_only_the_last_version_is_compared(aws):
    function = aws.two_versions()
    aws.code(function, "one")
    assert aws.publish(function) == "3"


def test_identical_update_makes_no_version(aws):
    function = aws.function("same")
    aws.publish(function)
    aws.code(function, "same")
    assert aws.publish(function) == "1"


@pytest.mark.parametrize(
    "change",
    [
        {"MemorySize": 256},
        {"Timeout": 9},
        {"Description": "new"},
        {"Environment": {"Variables": {"STAGE": "x"}}},
    ],
)
def test_changed_configuration_makes_a_version(aws, change):
    function = aws.function()
    aws.publish(function)
    aws.configure(function, **change)
    assert aws.publish(function) == "2"


def test_numbers_are_never_reused(aws):
    function = aws.two_versions()
    aws.lam.delete_function(FunctionName=function, Qualifier="2")
    aws.code(function, "three")
    assert aws.publish(function) == "3"


def test_wrong_hash_is_refused(aws):
    function = aws.function()
    actual = config(aws, function)["CodeSha256"]
    assert refused(aws.lam.publish_version, FunctionName=function, CodeSha256="AAAA") == (
        400,
        "InvalidParameterValueException",
        (
            f"CodeSHA256 (AAAA) is different from current CodeSHA256 in $LATEST ({actual}). "
            "Please try again with the CodeSHA256 in $LATEST."
        ),
    )
    assert aws.lam.publish_version(FunctionName=function, CodeSha256=actual)["Version"] == "1"


def test_stale_revision_is_refused(aws):
    function = aws.function()
    stale = config(aws, function)["RevisionId"]
    aws.code(function, "two")
    status, code, message = refused(
        aws.lam.publish_version, FunctionName=function, RevisionId=stale
    )
    assert (status, code) == (412, "PreconditionFailedException")
    assert message.startswith("The RevisionId provided does not match the latest RevisionId")
    for call in (aws.lam.update_function_configuration, aws.lam.update_function_code):
        arguments = {"ZipFile": node_zip("x")} if "code" in call.__name__ else {"Timeout": 5}
        assert refused(call, FunctionName=function, RevisionId=stale, **arguments)[0] == 412


def test_revision_moves_with_every_step(aws):
    function = aws.function()
    seen = [config(aws, function)["RevisionId"]]
    seen.append(
        aws.lam.update_function_configuration(FunctionName=function, Timeout=5)["RevisionId"]
    )
    seen.append(aws.ready(function)["RevisionId"])
    aws.publish(function)
    seen.append(config(aws, function)["RevisionId"])
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    assert len(set(seen)) == 4
    assert config(aws, function)["RevisionId"] == seen[-1]


def test_creation_takes_time(slow):
    function = name("f")
    made = slow.lam.create_function(
        FunctionName=function,
        Runtime="nodejs20.x",
        Role=slow.role,
        Handler="index.handler",
        Code={"ZipFile": node_zip("x")},
    )
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert refused(slow.lam.publish_version, FunctionName=function) == (
        409,
        "ResourceConflictException",
        (
            "The operation cannot be performed at this time. The function is currently "
            "in the following state: Pending"
        ),
    )
    assert refused(slow.lam.invoke, FunctionName=function, Payload=b"{}")[:2] == (
        409,
        "ResourceConflictException",
    )
    ready = slow.ready(function)
    assert "StateReason" not in ready
    assert ready["RevisionId"] != made["RevisionId"]


def test_update_in_progress_excludes_updates_and_publishing(slow):
    function = slow.function()
    slow.publish(function)
    answer = slow.lam.update_function_code(FunctionName=function, ZipFile=node_zip("two"))
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    message = (
        "The operation cannot be performed at this time. An update is in progress for resource: "
        f"{function_arn(function)}"
    )
    for call, arguments in (
        (slow.lam.update_function_configuration, {"Timeout": 5}),
        (slow.lam.publish_version, {}),
        (slow.lam.update_function_code, {"ZipFile": node_zip("x")}),
    ):
        assert refused(call, FunctionName=function, **arguments) == (
            409,
            "ResourceConflictException",
            message,
        )
    assert slow.call(function, qualifier="1")[2]["tag"] == "one"
    slow.ready(function)
    assert slow.publish(function) == "2"


def test_dry_run_changes_nothing(aws):
    function = aws.function()
    before = config(aws, function)
    answer = aws.lam.update_function_code(
        FunctionName=function, ZipFile=node_zip("other"), DryRun=True
    )
    assert answer["CodeSha256"] != before["CodeSha256"]
    assert config(aws, function) == before


def test_create_and_update_with_publish(aws):
    function = name("f")
    made = aws.lam.create_function(
        FunctionName=function,
        Runtime="nodejs20.x",
        Role=aws.role,
        Handler="index.handler",
        Code={"ZipFile": node_zip("one")},
        Publish=True,
    )
    assert (made["Version"], made["FunctionArn"]) == ("1", function_arn(function, "1"))
    assert aws.ready(function)["Version"] == "$LATEST"
    answer = aws.lam.update_function_code(
        FunctionName=function, ZipFile=node_zip("two"), Publish=True
    )
    assert (answer["Version"], answer["FunctionArn"]) == ("2", function_arn(function, "2"))
    aws.ready(function)
    assert [aws.call(function, qualifier=v)[2]["tag"] for v in ("1", "2")] == ["one", "two"]
    assert config(aws, function)["LastUpdateStatus"] == "Successful"


LIMITS = [
    ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
    ({"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
    ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
    ({"MemorySize": 10241}, "ValidationException", "less than or equal to 10240"),
    ({"EphemeralStorage": {"Size": 100}}, "ValidationException", "greater than or equal to 512"),
    ({"FunctionName": "a" * 65}, "ValidationException", "length less than or equal to 64"),
    ({"FunctionName": "a.b"}, "ValidationException", "regular expression"),
    ({"Handler": "h" * 129}, "ValidationException", "length less than or equal to 128"),
    ({"Runtime": "nodejs99.x"}, "InvalidParameterValueException", "nodejs99.x at 'runtime'"),
    (
        {"Runtime": "go1.x"},
        "InvalidParameterValueException",
        "go1.x is no longer supported for creating or updating",
    ),
    (
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        "InvalidParameterValueException",
        "Reserved keys used in this request: AWS_REGION",
    ),
    (
        {"Environment": {"Variables": {"BIG": "x" * 4096}}},
        "InvalidParameterValueException",
        "exceeded the 4KB limit",
    ),
    ({"Environment": {"Variables": {"1X": "x"}}}, "ValidationException", "Map keys"),
    (
        {"Code": {"S3Bucket": "not-there", "S3Key": "k"}},
        "InvalidParameterValueException",
        "S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist",
    ),
    ({"Code": {}}, "InvalidParameterValueException", "source for function code"),
    (
        {"Layers": [f"arn:aws:lambda:us-east-1:000000000000:layer:l{i}:1" for i in range(6)]},
        "InvalidParameterValueException",
        "more than 5 layers",
    ),
    (
        {"Role": "arn:aws:iam::000000000000:role/none"},
        "InvalidParameterValueException",
        "cannot be assumed by Lambda",
    ),
]


@pytest.mark.parametrize("change, code, text", LIMITS)
def test_creation_limits(aws, change, code, text):
    request = dict(
        FunctionName=name("f"),
        Runtime="nodejs20.x",
        Role=aws.role,
        Handler="index.handler",
        Code={"ZipFile": node_zip("x")},
    )
    status, found, message = refused(aws.lam.create_function, **{**request, **change})
    assert (status, found) == (400, code)
    assert text in message


def test_durable_from_the_beginning(aws, shared_function):
    durable = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 1}
    request = dict(
        Runtime="nodejs24.x",
        Role=aws.role,
        Handler="index.handler",
        Code={"ZipFile": node_zip("x")},
    )
    _, _, message = refused(
        aws.lam.create_function,
        FunctionName=name("f"),
        **request,
        DurableConfig={"RetentionPeriodInDays": 1},
    )
    assert "without an executionTimeout" in message
    made = aws.lam.create_function(FunctionName=name("f"), **request, DurableConfig=durable)[
        "FunctionName"
    ]
    aws.lam.get_waiter("function_active_v2").wait(FunctionName=made, WaiterConfig={"Delay": 1})
    changed = aws.lam.update_function_configuration(
        FunctionName=made, DurableConfig={**durable, "ExecutionTimeout": 90}
    )
    assert changed["DurableConfig"]["ExecutionTimeout"] == 90
    status, code, _ = refused(
        aws.lam.update_function_configuration, FunctionName=shared_function, DurableConfig=durable
    )
    assert (status, code) == (400, "InvalidParameterValueException")


@pytest.mark.parametrize(
    "change, code, text",
    [limit for limit in LIMITS if not set(limit[0]) & {"FunctionName", "Code", "Role"}],
)
def test_update_limits(aws, shared_function, change, code, text):
    status, found, message = refused(
        aws.lam.update_function_configuration, FunctionName=shared_function, **change
    )
    assert (status, found) == (400, code)
    assert text in message


@pytest.fixture(scope="module")
def shared_function(aws):
    return aws.function()


def test_missing_object_names_the_key(aws):
    bucket = name("b")
    aws.s3.create_bucket(Bucket=bucket)
    function = aws.function()
    assert refused(
        aws.lam.update_function_code, FunctionName=function, S3Bucket=bucket, S3Key="k.zip"
    ) == (
        400,
        "InvalidParameterValueException",
        (
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error "
            "Message: The specified key does not exist."
        ),
    )


def test_role_that_does_not_trust_lambda(aws):
    role = aws.iam.create_role(
        RoleName=name("r"), AssumeRolePolicyDocument=json.dumps(trust("ec2.amazonaws.com"))
    )
    function = aws.function()
    message = "The role defined for the function cannot be assumed by Lambda."
    assert refused(
        aws.lam.update_function_configuration, FunctionName=function, Role=role["Role"]["Arn"]
    ) == (400, "InvalidParameterValueException", message)


def test_fresh_role_cannot_be_assumed_for_a_while(tmp_path):
    from cloud import Cloud, Tools

    cloud = Cloud(tmp_path, TROUPE_CLOUD_ROLE_DELAY_MS="3000")
    try:
        aws = Tools(cloud)
        request = dict(
            FunctionName="f",
            Runtime="nodejs20.x",
            Role=aws.role,
            Handler="index.handler",
            Code={"ZipFile": node_zip("x")},
        )
        assert (
            refused(aws.lam.create_function, **request)[2]
            == "The role defined for the function cannot be assumed by Lambda."
        )
        for _ in range(200):
            try:
                assert aws.lam.create_function(**request)["State"] == "Pending"
                return
            except aws.lam.exceptions.InvalidParameterValueException:
                time.sleep(0.1)
        raise AssertionError("the role stays new")
    finally:
        cloud.stop()


def test_zip_that_is_none(aws):
    function = aws.function()
    status, code, _ = refused(
        aws.lam.update_function_code, FunctionName=function, ZipFile=b"no zip"
    )
    assert (status, code) == (400, "InvalidParameterValueException")
