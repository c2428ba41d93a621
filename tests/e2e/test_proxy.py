"""The proxy itself: what boto3 sends is right, what is wrong is found, faults happen as told."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture
def client(proxy, account):
    def made(service, attempts=1, secret=None, **kwargs):
        config = Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path"},
            **kwargs,
        )
        return boto3.client(
            service,
            endpoint_url=proxy.endpoint,
            region_name="us-east-1",
            config=config,
            aws_access_key_id=account.id,
            aws_secret_access_key=secret or account.cloud.secret,
        )

    return made


def refused(call, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return caught.value.response


def taken(proxy):
    """The violations so far, which then do not fail the test."""
    found, proxy.violations[:] = list(proxy.violations), []
    return found


def test_boto3_is_right_in_every_protocol(client, proxy):
    s3 = client("s3")
    s3.create_bucket(Bucket="a-bucket")
    s3.put_object(
        Bucket="a-bucket", Key="a b/c+d.txt", Body=b"text", Metadata={"who": "me"}, IfNoneMatch="*"
    )
    s3.list_objects_v2(Bucket="a-bucket", Prefix="a b/", MaxKeys=10)
    assert s3.get_object(Bucket="a-bucket", Key="a b/c+d.txt")["Body"].read() == b"text"
    assert s3.head_object(Bucket="a-bucket", Key="a b/c+d.txt")["ContentLength"] == 4
    s3.delete_objects(
        Bucket="a-bucket", Delete={"Objects": [{"Key": "a b/c+d.txt"}], "Quiet": True}
    )
    client("iam").create_role(
        RoleName="r", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}]
    )
    client("cloudformation").create_stack(
        StackName="s",
        TemplateBody=TOPIC,
        Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client("dynamodb").list_tables(Limit=5)
    client("logs").create_log_group(logGroupName="/g", tags={"a": "b"})
    client("ssm").put_parameter(Name="/p", Value="v", Type="String")
    client("lambda").list_functions(MaxItems=5)
    api = client("apigateway").create_rest_api(name="api")["id"]
    client("apigateway").get_resources(restApiId=api, embed=["methods"])
    client("apigateway").put_rest_api(
        restApiId=api,
        mode="overwrite",
        failOnWarnings=True,
        body=json.dumps(
            {"openapi": "3.0.1", "info": {"title": "api", "version": "1"}, "paths": {}}
        ),
    )
    client("apigatewayv2").create_api(Name="http", ProtocolType="HTTP")
    client("events").put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    client("sns").create_topic(Name="t", Attributes={"DisplayName": "x"})
    client("sts").get_caller_identity()
    assert proxy.violations == []
    assert proxy.names()[:6] == [
        "s3.CreateBucket",
        "s3.PutObject",
        "s3.ListObjectsV2",
        "s3.GetObject",
        "s3.HeadObject",
        "s3.DeleteObjects",
    ]
    put = proxy.calls("s3.PutObject")[0]
    assert (
        put.params["Key"],
        put.params["Body"],
        put.params["Metadata"],
        put.params["IfNoneMatch"],
    ) == ("a b/c+d.txt", b"text", {"who": "me"}, "*")
    stack = proxy.calls("cloudformation.CreateStack")[0].params
    assert stack["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert proxy.calls("apigateway.PutRestApi")[0].params["failOnWarnings"] is True
    assert {record.status for record in proxy.records} <= {200, 201, 204}


@pytest.mark.parametrize(
    "service, operation, arguments, problem",
    [
        (
            "lambda",
            "publish_version",
            {"FunctionName": "f", "Nonsense": 1},
            "unknown member 'Nonsense'",
        ),
        (
            "lambda",
            "update_function_configuration",
            {"FunctionName": "f", "Timeout": "ten"},
            "Timeout",
        ),
        ("lambda", "create_alias", {"FunctionName": "f", "Name": "a"}, "FunctionVersion"),
        (
            "cloudformation",
            "describe_stacks",
            {"StackName": "s", "Colour": "red"},
            "unknown parameter 'Colour'",
        ),
        ("cloudformation", "create_stack", {}, "StackName"),
        ("dynamodb", "list_tables", {"Limit": "many"}, "Limit"),
        ("s3", "delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Size": 4}]}}, "Key"),
    ],
)
def test_a_wrong_call_is_a_violation(client, proxy, service, operation, arguments, problem):
    session_client = client(service, parameter_validation=False)
    shape = session_client.meta.service_model.operation_model(
        session_client.meta.method_to_api_mapping[operation]
    ).input_shape
    unknown = {name: value for name, value in arguments.items() if name not in shape.members}

    def inject(request, **_):
        if unknown and service == "lambda":
            request.data = json.dumps(unknown)
        elif unknown:
            request.data = {**request.data, **{key: str(value) for key, value in unknown.items()}}

    session_client.meta.events.register(f"request-created.{service}", inject)
    try:
        getattr(session_client, operation)(
            **{key: value for key, value in arguments.items() if key not in unknown}
        )
    except (ClientError, KeyError):
        pass
    found = taken(proxy)
    assert any(problem in text for text in found), found


def test_a_wrong_secret_is_a_violation(client, proxy):
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client("sts", secret="wrong").get_caller_identity()
    assert taken(proxy) == [
        "call 1 sts.GetCallerIdentity: the signature is not the one botocore computes"
    ]


def test_unsigned_and_unknown_calls_are_violations(proxy, cloud):
    connection = http.client.HTTPConnection("127.0.0.1", int(proxy.endpoint.rpartition(":")[2]))
    connection.request("GET", "/2015-03-31/functions")
    connection.getresponse().read()
    assert "unsigned request GET /2015-03-31/functions" in taken(proxy)[0]


def test_an_unknown_path_is_a_violation(client, proxy):
    lam = client("lambda")
    lam.meta.events.register(
        "before-sign.lambda",
        lambda request, **_: setattr(
            request, "url", request.url.replace("/functions", "/procedures")
        ),
    )
    with pytest.raises(ClientError):
        lam.list_functions()
    assert "lambda has no operation GET /2015-03-31/procedures" in taken(proxy)[0]


def test_a_body_that_is_not_the_signed_one_is_a_violation(client, proxy):
    s3 = client("s3")
    s3.create_bucket(Bucket="b-tampered")

    def tamper(request, **_):
        request.headers["X-Amz-Content-SHA256"] = "0" * 64

    s3.meta.events.register("before-send.s3", tamper)
    try:
        s3.put_object(Bucket="b-tampered", Key="k", Body=b"x")
    except ClientError:
        pass
    assert "x-amz-content-sha256 is not the body's" in taken(proxy)[0]


def test_half_a_request_is_none(proxy):
    place = urlsplit(proxy.endpoint)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(b"PUT /b/k HTTP/1.1\r\nHost: b\r\nContent-Length: 10\r\n\r\nfive.")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert proxy.records == [] and proxy.violations == []


def test_the_nth_call_fails_and_boto3_understands(client, proxy):
    proxy.fail(503, "ServiceUnavailable", nth=2, service="cloudformation")
    proxy.fail(429, "TooManyRequestsException", nth=1, service="lambda")
    proxy.fail(409, "ConditionalRequestConflict", nth=1, service="s3")
    assert client("cloudformation").list_stacks()["StackSummaries"] == []
    assert refused(client("cloudformation").list_stacks)["Error"]["Code"] == "ServiceUnavailable"
    assert client("cloudformation").list_stacks()["StackSummaries"] == []
    assert refused(client("lambda").list_functions)["Error"]["Code"] == "TooManyRequestsException"
    assert refused(client("s3").list_buckets)["Error"]["Code"] == "ConditionalRequestConflict"


def test_throttling_repeats_with_its_seed(client, proxy):
    def pattern():
        proxy.clear()
        proxy.throttle(0.5, seed=7)
        mark = proxy.mark()
        for _ in range(12):
            try:
                client("sts").get_caller_identity()
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ThrottlingException"
        return [record.status for record in proxy.calls(since=mark)]

    first = pattern()
    assert first == pattern() and set(first) == {200, 400}


def test_a_reset_call_did_not_take_effect_and_a_lost_one_did(client, proxy, account):
    proxy.reset(operation="CreateLogGroup", nth=1)
    proxy.lose(operation="CreateLogGroup", nth=2)
    groups = lambda: [
        group["logGroupName"] for group in account.client("logs").describe_log_groups()["logGroups"]
    ]
    with pytest.raises(ConnectionClosedError):
        client("logs").create_log_group(logGroupName="one")
    assert groups() == []
    with pytest.raises(ConnectionClosedError):
        client("logs").create_log_group(logGroupName="two")
    assert groups() == ["two"]
    assert [record.fault for record in proxy.records] == ["reset", "lose"]


def test_delay_and_function(client, proxy):
    seen = []
    proxy.delay(0.3, operation="ListStacks")
    proxy.rule("call", function=lambda record: seen.append(record.name))
    started = time.monotonic()
    client("cloudformation").list_stacks()
    assert time.monotonic() - started > 0.3 and seen == ["cloudformation.ListStacks"]


@pytest.mark.parametrize("after, left", [(False, []), (True, ["made"])])
def test_kill_before_and_after_the_effect(client, proxy, account, after, left):
    victim = subprocess.Popen(["sleep", "60"])
    proxy.victim = victim.pid
    proxy.kill(2, after=after)
    client("sts").get_caller_identity()
    with pytest.raises(ConnectionClosedError):
        client("logs").create_log_group(logGroupName="made")
    assert victim.wait(60) == -signal.SIGKILL
    assert [
        group["logGroupName"] for group in account.client("logs").describe_log_groups()["logGroups"]
    ] == left


def test_accounts_are_apart_and_their_world_is_empty(account, cloud):
    from conftest import Account
    from world import leftovers

    other = Account(cloud, str(int(account.id) + 500))
    assert leftovers(account.world()) == {}
    account.client("sqs").create_queue(QueueName="q")
    account.client("s3").create_bucket(Bucket=f"b-{account.id}")
    assert set(leftovers(account.world())) == {"queues", "buckets"}
    assert leftovers(other.world()) == {}


def test_output_and_code_of_a_process_are_kept(tmp_path, monkeypatch):
    import program

    monkeypatch.setattr(program, "PROGRAM", "/bin/sh")
    result = program.Running(
        ["-c", "cat; echo warned >&2; exit 3"], tmp_path, dict(os.environ), "hello"
    ).wait()
    assert (result.code, result.out, result.err) == (3, "hello", "warned\n")
