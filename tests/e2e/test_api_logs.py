"""The role with which API Gateway writes logs belongs to the whole account."""

import pytest

SERVICE = """service: logged
provider:
  name: aws
  runtime: nodejs22.x
  logs: {LOGS}
custom: {troupe: {apis: {rest: REST}}}
functions:
  a: {handler: handler.main, events: [EVENT]}
"""
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"
REST, WEBSOCKET = "{http: GET /a}", "{websocket: $connect}"
ACCOUNT = """resources:
  Resources:
    LogRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}]
    ApiGatewayAccount:
      Type: AWS::ApiGateway::Account
      Properties: {CloudWatchRoleArn: !GetAtt LogRole.Arn}
"""


def write(troupe, logs, rest="shared", event=REST):
    text = SERVICE.replace("LOGS", logs).replace("REST", rest).replace("EVENT", event)
    troupe.write({"serverless.yml": text, "handler.js": HANDLER})


def role(troupe):
    return troupe.account.client("apigateway").get_account().get("cloudwatchRoleArn")


@pytest.mark.parametrize(
    "logs, rest, event",
    [
        ("restApi: true", "shared", REST),
        ("restApi: {accessLogging: false}", "perStage", REST),
        ("websocket: true", "shared", WEBSOCKET),
    ],
)
def test_an_account_without_a_role_for_logs_is_known_before_anything_is_made(
    troupe, logs, rest, event
):
    """Item 13."""
    write(troupe, logs, rest, event)
    for command in ("plan", "deploy"):
        refused = troupe(command, "dev", check=3)
        assert "API Gateway has no role to write logs with" in refused.err, str(refused)
        assert (
            "serverless.yml:5:" in refused.err
            and "op=replace,path=/cloudwatchRoleArn" in refused.err
        )
    assert troupe.world()["stacks"] == {} and not role(troupe)
    troupe.account.let_apis_log()
    before = role(troupe)
    assert "no role" not in troupe("deploy", "dev").err
    assert role(troupe) == before
    calls = troupe.proxy.mark()
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    assert not [call for call in troupe.proxy.calls(since=calls) if "GetAccount" in str(call)]


def test_a_role_for_logs_that_the_file_names_is_set_where_there_is_none(troupe):
    """Item 13: and only there, since other services rely on the one that is."""
    given = f"arn:aws:iam::{troupe.account.id}:role/mine"
    write(troupe, f"restApi: {{role: '{given}'}}")
    assert given in troupe("plan", "dev").err and not role(troupe)
    assert (
        f"API Gateway writes logs as '{given}'" in troupe("deploy", "dev").err
        and role(troupe) == given
    )
    other = given.replace("mine", "other")
    write(troupe, f"restApi: {{role: '{other}'}}")
    assert f"as '{given}' in this account already: it stays" in troupe("deploy", "prod").err
    assert role(troupe) == given
    troupe("remove", "--service", "--yes")
    assert role(troupe) == given


def test_whoever_manages_the_role_for_logs_otherwise_is_believed(troupe):
    """Item 13: AWS then refuses the stage, and its message says why."""
    write(troupe, "restApi: {roleManagedExternally: true}")
    failed = troupe("deploy", "dev", check=1)
    assert (
        "CloudWatch Logs role ARN must be set in account settings to enable logging" in failed.err
    )
    write(troupe, "restApi: true")
    with open(troupe.folder / "serverless.yml", "a", encoding="utf-8") as file:
        file.write(ACCOUNT)
    assert "no role to write logs" not in troupe("plan", "prod").err
