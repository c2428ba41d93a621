"""An API that is outside the service: all stages that name it meet in it."""

import pytest

HANDLER = (
    "exports.main = async (event, context) => ({ statusCode: 200, body: context.invokedFunctionArn"
    " });\n"
)
SERVICE = """service: ext
provider:
  name: aws
  runtime: nodejs22.x
  {where}
functions:
  a: {{handler: handler.main, events: [{event}]}}
"""


def rest(account):
    client = account.client("apigateway")
    api = client.create_rest_api(name="external")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    return f"apiGateway: {{restApiId: {api}, restApiRootResourceId: {root}}}", "http: GET /{}"


def http(account):
    api = account.client("apigatewayv2").create_api(Name="external", ProtocolType="HTTP")["ApiId"]
    return f"httpApi: {{id: {api}}}", "httpApi: GET /{}"


def websocket(account):
    client = account.client("apigatewayv2")
    api = client.create_api(
        Name="external", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    for stage in ("dev", "prod"):  # deployments go to a stage that is there
        client.create_stage(ApiId=api, StageName=stage)
    return f"apiGateway: {{websocketApiId: {api}}}", "websocket: {}"


@pytest.mark.parametrize("make", [rest, http, websocket])
def test_two_stages_do_not_share_a_path_of_one_api(troupe, account, make):
    where, event = make(account)

    def write(path):
        written = event.format(path)
        troupe.write(
            {
                "handler.js": HANDLER,
                "serverless.yml": SERVICE.format(where=where, event=f"{{{written}}}"),
            }
        )

    write("a")
    troupe("deploy", "dev")
    before = troupe.world()
    for command in ("plan", "deploy"):
        result = troupe(command, "prod", check=3)
        assert "stage 'dev' has '" in result.err and "'prod' cannot have it" in result.err, str(
            result
        )
        assert "--> serverless.yml:7:" in result.err and "${param:apiId}" in result.err
    assert troupe.world() == before
    assert "nothing to do" in troupe("deploy", "dev").out
    write("b")
    troupe("deploy", "prod")
    # Nor does a stage take what another has by now.
    result = troupe("deploy", "dev", check=3)
    assert "stage 'prod' has '" in result.err
