"""Bad luck: what AWS refuses, what is in a wrong state, what does not answer."""

import json
import time

import pytest

from shop import append, eventually, served

BROKEN = """resources:
  Resources:
    Wrong:
      Type: AWS::Lambda::Permission
      Properties:
        FunctionName: no-such-function
        Action: lambda:InvokeFunction
        Principal: sns.amazonaws.com
"""


def test_a_failing_update_keeps_what_the_stage_served(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    before = troupe.stage("dev", "shop")
    good = (troupe.folder / "serverless.yml").read_text()
    troupe.edit("handler.js", "'one'", "'two'")
    append(troupe, BROKEN)
    result = troupe("deploy", "dev", check=1)
    assert "Wrong" in result.err and "no-such-function" in result.err, str(result)
    after = troupe.stage("dev", "shop")
    assert after["stack"]["status"] == "UPDATE_ROLLBACK_COMPLETE"
    assert (after["aliases"], after["rest"]) == (before["aliases"], before["rest"])
    assert served(troupe) == "one"
    history = troupe("history", "dev", "--json").json["deployments"]
    assert [(entry["outcome"], entry["current"]) for entry in history] == [
        ("failed", False),
        ("succeeded", True),
    ]
    # And the way on: repaired, the same command works.
    troupe.write({"serverless.yml": good})
    troupe("deploy", "dev")
    assert served(troupe) == "two"


def test_a_failing_update_leaves_the_role_that_the_stage_runs_under(troupe):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "  timeout: 10",
        "  timeout: 10\n  iam:\n    role:\n      statements:\n        - {Effect: Allow, Action:"
        " 's3:GetObject', Resource: 'arn:aws:s3:::x-${sls:stage}/*'}",
    )
    troupe("deploy", "dev")
    before = troupe.world()
    good = (troupe.folder / "serverless.yml").read_text().replace("s3:GetObject", "s3:ListBucket")
    troupe.write({"serverless.yml": good + BROKEN})
    troupe("deploy", "dev", check=1)
    assert "s3:GetObject" in str(troupe.world()["roles"])  # beside the new right, which came first
    troupe("repair", "dev")
    after = troupe.world()
    assert after["roles"] == before["roles"]
    assert after["stacks"]["shop-dev"]["template"] == before["stacks"]["shop-dev"]["template"]
    troupe.write({"serverless.yml": good})
    troupe("deploy", "dev")
    assert "s3:ListBucket" in str(troupe.world()["roles"])
    troupe("rollback", "dev")
    assert troupe.world()["roles"] == before["roles"]


def test_a_failing_first_deploy_can_be_repeated(troupe):
    troupe.use("shop")
    good = (troupe.folder / "serverless.yml").read_text()
    append(troupe, BROKEN)
    result = troupe("deploy", "dev", check=1)
    assert result.err.count("no-such-function") == 1 and "RequestToken" not in result.err, str(
        result
    )
    assert "deploy again" in result.err and "troupe remove" not in result.err
    troupe("deploy", "dev", check=1)  # as often as it takes
    troupe.write({"serverless.yml": good})
    troupe("deploy", "dev")
    assert served(troupe) == "one"


def test_a_failing_service_stack_is_made_again(troupe, account):
    troupe.use("shop")
    account.client("sqs").create_queue(QueueName="taken")
    append(
        troupe,
        "custom: {troupe: {resources: {service: [Jobs]}}}\n"
        "resources: {Resources: {Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: taken}}}}\n",
    )
    for command in (["deploy", "dev"], ["deploy", "--service"]):
        result = troupe(*command, check=1)
        assert (
            "stack 'shop' could not be created: Jobs" in result.err and "deploy again" in result.err
        ), str(result)
        assert "troupe remove" not in result.err
    account.client("sqs").delete_queue(
        QueueUrl=account.client("sqs").get_queue_url(QueueName="taken")["QueueUrl"]
    )
    troupe("deploy", "dev")
    assert served(troupe) == "one"


def test_why_a_stack_as_a_whole_failed(troupe, account):
    """No resource of it did: what it exports is exported elsewhere."""
    troupe.use("shop")
    account.client("cloudformation").create_stack(
        StackName="other",
        TemplateBody=json.dumps(
            {
                "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
                "Outputs": {"X": {"Value": "x", "Export": {"Name": "shared-x"}}},
            }
        ),
    )
    assert settled(account.client("cloudformation"), "other") == "CREATE_COMPLETE"
    good = (troupe.folder / "serverless.yml").read_text()
    bad = good + "resources: {Outputs: {X: {Value: y, Export: {Name: shared-x}}}}\n"
    for text in (bad, good, bad):  # a new stack, and one that is there
        troupe.write({"serverless.yml": text})
        result = troupe("deploy", "dev", "--quiet", check=int(text == bad))
        wanted = "Export with name shared-x is already exported by stack other"
        assert (
            result.err.count(wanted) == int(text == bad) and "Rollback requested" not in result.err
        ), str(result)


def test_a_stack_in_rollback_complete_is_made_again(troupe, account):
    troupe.use("shop")
    troupe("deploy")
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(
        StackName="shop-dev",
        TemplateBody=json.dumps(
            {
                "Resources": {
                    "Wrong": {
                        "Type": "AWS::Lambda::Permission",
                        "Properties": {
                            "FunctionName": "none",
                            "Action": "lambda:InvokeFunction",
                            "Principal": "sns.amazonaws.com",
                        },
                    }
                }
            }
        ),
        Tags=[{"Key": "troupe:service", "Value": "shop"}, {"Key": "troupe:stage", "Value": "dev"}],
    )
    assert settled(cloudformation, "shop-dev") == "ROLLBACK_COMPLETE"
    assert troupe("plan", "dev").out
    troupe("deploy", "dev")
    assert served(troupe) == "one"


def settled(cloudformation, stack):
    for _ in range(1200):
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(status)


@pytest.mark.parametrize(
    "stack, args",
    [
        ("shop", ["deploy"]),
        ("shop", ["deploy", "dev"]),
        ("shop-dev", ["deploy", "dev"]),
        ("shop-dev", ["remove", "dev", "--yes"]),
    ],
)
def test_a_stack_of_another_owner_is_left_alone(troupe, account, stack, args):
    troupe.use("shop")
    if stack == "shop-dev":
        troupe("deploy")
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}),
    )
    assert settled(cloudformation, stack) == "CREATE_COMPLETE"
    before = troupe.world()
    result = troupe(*args, check=3)
    assert f"'{stack}'" in result.err, str(result)
    assert troupe.world() == before


def test_a_busy_stack_is_not_touched(troupe, account, proxy):
    """Somebody else's update of our stack is under way while we come."""
    troupe.use("shop")
    troupe("deploy", "dev")
    cloudformation = account.client("cloudformation")
    template = cloudformation.get_template(StackName="shop-dev")["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else dict(template)
    template["Resources"]["Slow"] = {"Type": "AWS::SQS::Queue"}
    template["Resources"]["Waits"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "8", "Count": 1},
    }
    template["Resources"]["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    parameters = [
        {"ParameterKey": item["ParameterKey"], "UsePreviousValue": True}
        for item in cloudformation.describe_stacks(StackName="shop-dev")["Stacks"][0].get(
            "Parameters", []
        )
    ]
    troupe.edit("handler.js", "'one'", "'two'")
    proxy.rule(
        "call",
        operation="DescribeStacks",
        nth=1,
        function=lambda _: cloudformation.update_stack(
            StackName="shop-dev",
            TemplateBody=json.dumps(template),
            Parameters=parameters,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        ),
    )
    result = troupe("deploy", "dev", check=False)
    settled(cloudformation, "shop-dev")
    if result.code == 0:
        assert served(troupe) == "two"  # it waited for the other to finish
    else:
        assert result.code in (1, 4) and ("busy" in result.err or "IN_PROGRESS" in result.err), str(
            result
        )
        assert served(troupe) == "one"


def test_a_name_that_is_taken_is_named(troupe):
    """CloudFormation validates before it creates, and tells what it found by another call."""
    troupe.use("shop")
    append(
        troupe,
        "resources:\n  Resources:\n    Files:\n      Type: AWS::S3::Bucket\n"
        "      Properties: {BucketName: taken-by-the-first-stage}\n",
    )
    troupe("deploy", "dev")
    result = troupe("deploy", "prod", check=1)
    assert (
        "Files" in result.err and "already exists" in result.err and "deploy again" in result.err
    ), str(result)
    assert "as in NAME-${sls:stage}" in result.err, str(result)
    assert served(troupe) == "one"


# -- credentials and the network -------------------------------------------------------------------


def test_no_credentials(troupe, proxy):
    troupe.use("shop")
    result = troupe(
        "deploy", "dev", env={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, check=1
    )
    assert "credentials" in result.err and "help:" in result.err, str(result)
    assert proxy.records == []


def test_unknown_credentials(troupe, proxy):
    troupe.use("shop")
    proxy.check_signatures = False
    result = troupe("deploy", "dev", env={"AWS_ACCESS_KEY_ID": "AKIANOBODYNOBODYNOBO"}, check=1)
    assert "InvalidClientTokenId" in result.err or "credentials" in result.err, str(result)
    assert troupe.world()["stacks"] == {}
    assert len(proxy.records) <= 3, "wrong credentials were tried again"


def test_a_wrong_secret(troupe, account, proxy):
    troupe.use("shop")
    account.client("iam").create_user(UserName="someone")
    key = account.client("iam").create_access_key(UserName="someone")["AccessKey"]
    proxy.check_signatures = False
    result = troupe(
        "deploy",
        "dev",
        check=1,
        env={"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": "wrong"},
    )
    assert "SignatureDoesNotMatch" in result.err or "secret" in result.err, str(result)
    assert key["SecretAccessKey"] not in result.err


def test_expired_credentials(troupe, proxy):
    troupe.use("shop")
    proxy.fail(403, "ExpiredToken", message="The security token included in the request is expired")
    result = troupe("deploy", "dev", env={"AWS_SESSION_TOKEN": "old"}, check=1)
    assert "expired" in result.err and "help:" in result.err, str(result)
    assert len(proxy.records) <= 3


def test_a_session_token_is_sent_and_signed(troupe, account, proxy):
    troupe.use("shop")
    given = account.client("sts").get_session_token()["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    proxy.secrets[key], proxy.tokens[key] = secret, token
    troupe(
        "stages",
        env={"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token},
    )
    assert proxy.records


def test_credentials_of_a_profile(troupe, account, proxy):
    troupe.use("shop")
    aws = troupe.home / ".aws"
    aws.mkdir()
    (aws / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = x\n\n"
        f"[team]\naws_access_key_id = {account.id}\naws_secret_access_key = {proxy.secret}\n"
    )
    (aws / "config").write_text(
        f"[profile team]\nregion = us-east-1\nendpoint_url = {proxy.endpoint}\n"
    )
    nothing = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_ENDPOINT_URL": None}
    troupe("stages", "--aws-profile", "team", env=nothing)
    troupe("stages", env={**nothing, "AWS_PROFILE": "team"})
    assert {record.access_key for record in proxy.records} == {account.id}
    result = troupe("stages", "--aws-profile", "nobody", env=nothing, check=False)
    assert result.code in (1, 2) and "nobody" in result.err


def test_an_endpoint_that_does_not_answer(troupe):
    troupe.use("shop")
    result = troupe("deploy", "dev", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, check=1)
    assert "127.0.0.1:9" in result.err, str(result)


def test_the_request_id_is_in_the_error(troupe, proxy):
    troupe.use("shop")
    proxy.fail(403, "AccessDenied", service="cloudformation", message="not you")
    result = troupe("deploy", "dev", check=1)
    assert "not you" in result.err and "request" in result.err.lower()


def test_throttling_and_server_errors_are_waited_out(troupe, proxy):
    troupe.use("shop")
    proxy.throttle(0.05, seed=3)
    proxy.fail(500, "InternalFailure", probability=0.03, seed=4)
    troupe("deploy", "dev")
    proxy.clear()
    assert served(troupe) == "one"
    assert any(record.fault for record in proxy.records), "nothing was disturbed"


@pytest.mark.parametrize("seed", range(3))
def test_lost_connections_lead_to_the_same_end(troupe, proxy, seed):
    """Answers get lost after the call took effect, and connections before."""
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe.edit("handler.js", "'one'", "'two'")
    proxy.lose(probability=0.06, seed=seed)
    proxy.reset(probability=0.04, seed=seed + 100)
    result = troupe("deploy", "dev", check=False)
    proxy.clear()
    if result.code != 0:
        assert result.code in (1, 5), str(result)
        troupe("deploy", "dev")
    assert served(troupe) == "two"
    assert troupe("plan", "dev", "--json").json["nothing"] is True


def test_a_denied_call_names_the_permission(troupe, proxy):
    troupe.use("shop")
    proxy.fail(
        403,
        "AccessDeniedException",
        operation="PublishVersion",
        message="User: x is not authorized to perform: lambda:PublishVersion",
    )
    result = troupe("deploy", "dev", check=1)
    assert "lambda:PublishVersion" in result.err
    proxy.clear()
    troupe("deploy", "dev")
    assert served(troupe) == "one"


def test_somebody_else_publishes_meanwhile(troupe, account, proxy):
    """The head is changed between our update and our publication: we must notice and start over."""
    troupe.use("shop")
    lam = account.client("lambda")

    def meddle(record):
        name = {"FunctionName": record.params["FunctionName"]}
        lam.update_function_configuration(**name, Description="meddled", Timeout=3)
        eventually(
            lambda: lam.get_function_configuration(**name)["LastUpdateStatus"] == "Successful"
        )

    rule = proxy.rule("call", operation="PublishVersion", nth=1, function=meddle)
    troupe("deploy", "dev")
    assert rule.hits == 1
    for alias in troupe.stage("dev", "shop")["aliases"].values():
        assert alias["content"]["Timeout"] == 10
        assert alias["content"]["Description"] != "meddled"
    assert served(troupe) == "one"


def test_first_interrupt_stops_at_a_safe_point(troupe, proxy):
    import signal

    troupe.use("shop")
    troupe("deploy", "dev")
    troupe.edit("handler.js", "'one'", "'two'")
    running = []
    proxy.rule(
        "call",
        operation="UpdateFunctionCode",
        nth=1,
        function=lambda _: running[0].process.send_signal(signal.SIGINT),
    )
    running.append(troupe.start("deploy", "dev"))
    result = running[0].wait()
    assert result.code in (130, 5), str(result)
    assert served(troupe) == "one"
    proxy.clear()
    troupe("deploy", "dev")
    assert served(troupe) == "two"


def test_a_replacement_that_functions_need_is_announced(troupe):
    troupe.use("shop")
    append(
        troupe,
        "resources:\n  Resources:\n    Jobs:\n      Type: AWS::SQS::Queue\n      Properties:"
        " {QueueName: a}\n",
    )
    troupe.edit("serverless.yml", "STAGE: ${sls:stage}", "STAGE: !Ref Jobs")
    troupe("deploy", "dev")
    troupe.edit("serverless.yml", "QueueName: a", "QueueName: b")
    for command in ("plan", "deploy"):
        result = troupe(command, "dev", check=False)
        assert "'Jobs' is replaced before the functions that use it move" in result.err, str(result)
    assert "replaced" not in troupe("deploy", "dev").err
