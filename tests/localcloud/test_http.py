"""HTTP APIs: snapshots, stage variables, stages, events, permissions."""

import json

import pytest

from cloud import ACCOUNT, REGION, function_arn, invocation_uri, name, refused
from test_rest import AUTHORIZER


class Api:
    def __init__(self, aws):
        self.aws, self.http = aws, aws.http
        self.function = aws.two_versions()
        for alias, version in (("dev", "1"), ("prod", "2")):
            aws.lam.create_alias(FunctionName=self.function, Name=alias, FunctionVersion=version)
        self.id = self.http.create_api(Name=name("h"), ProtocolType="HTTP")["ApiId"]
        for alias in ("dev", "prod"):
            aws.allow(
                self.function, alias, source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}/*"
            )

    def route(self, key, qualifier, version="2.0", **route):
        integration = self.http.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            PayloadFormatVersion=version,
            IntegrationUri=invocation_uri(function_arn(self.function, qualifier)),
        )["IntegrationId"]
        self.http.create_route(
            ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **route
        )
        return integration

    def deploy(self, **kwargs):
        return self.http.create_deployment(ApiId=self.id, **kwargs)["DeploymentId"]

    def stage(self, stage, **kwargs):
        return self.http.create_stage(ApiId=self.id, StageName=stage, **kwargs)

    def get(self, path, **kwargs):
        return self.aws.cloud.get(path, host=f"{self.id}.execute-api.localhost", **kwargs)

    def tag(self, path):
        answer = self.get(path)
        return answer.status_code, json.loads(answer.text).get("tag")


@pytest.fixture
def api(aws):
    return Api(aws)


def test_deployments_are_snapshots(api):
    integration = api.route("GET /h", "dev")
    first = api.deploy()
    api.stage("dev", DeploymentId=first)
    api.stage("$default", AutoDeploy=True)
    api.http.update_integration(
        ApiId=api.id, IntegrationId=integration, IntegrationUri=function_arn(api.function, "prod")
    )
    assert (api.tag("/dev/h"), api.tag("/h")) == ((200, "one"), (200, "two"))
    second = api.deploy()
    api.http.update_stage(ApiId=api.id, StageName="dev", DeploymentId=second)
    assert api.tag("/dev/h") == (200, "two")
    api.http.update_stage(ApiId=api.id, StageName="dev", DeploymentId=first)
    assert api.tag("/dev/h") == (200, "one")
    assert api.get("/nowhere").status_code == 404


def test_stage_variables(api):
    api.route("GET /h", "${stageVariables.alias}")
    deployment = api.deploy()
    for stage in ("dev", "prod"):
        api.stage(stage, DeploymentId=deployment, StageVariables={"alias": stage, "x": "y"})
    assert (api.tag("/dev/h"), api.tag("/prod/h")) == ((200, "one"), (200, "two"))
    changed = api.http.update_stage(
        ApiId=api.id, StageName="dev", StageVariables={"alias": "prod", "x": ""}
    )
    assert changed["StageVariables"] == {"alias": "prod"}
    assert api.tag("/dev/h") == (200, "two")


def test_stage_rules(api):
    deployment = api.deploy()
    api.stage("dev", DeploymentId=deployment)
    assert refused(api.http.create_stage, ApiId=api.id, StageName="dev")[:2] == (
        409,
        "ConflictException",
    )
    assert refused(api.http.create_stage, ApiId=api.id, StageName="x", DeploymentId="nope")[:2] == (
        404,
        "NotFoundException",
    )
    assert (
        refused(
            api.http.create_stage,
            ApiId=api.id,
            StageName="x",
            DeploymentId=deployment,
            AutoDeploy=True,
        )[0]
        == 400
    )
    assert (
        refused(api.http.update_stage, ApiId=api.id, StageName="dev", DeploymentId="nope")[0] == 404
    )
    assert refused(api.http.delete_deployment, ApiId=api.id, DeploymentId=deployment)[:2] == (
        400,
        "BadRequestException",
    )
    automatic = api.stage("auto", AutoDeploy=True)
    assert automatic["DeploymentId"] != deployment
    assert (
        refused(api.http.update_stage, ApiId=api.id, StageName="auto", DeploymentId=deployment)[0]
        == 400
    )


def test_deployment_moves_a_named_stage(api):
    api.route("GET /h", "dev")
    api.stage("dev")
    assert api.get("/dev/h").status_code == 404
    deployment = api.deploy(StageName="dev")
    assert api.http.get_stage(ApiId=api.id, StageName="dev")["DeploymentId"] == deployment
    assert api.tag("/dev/h") == (200, "one")


def test_event_format_2(api):
    api.route("GET /h/{id}", "dev")
    api.stage("dev", DeploymentId=api.deploy(), StageVariables={"a": "b"})
    event = api.get("/dev/h/7?q=1&q=2", headers={"Cookie": "c=1; d=2"}).json()["event"]
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == (
        "2.0",
        "/dev/h/7",
        "q=1&q=2",
    )
    assert event["requestContext"]["http"]["path"] == "/dev/h/7"
    assert event["stageVariables"] == {"a": "b"}
    assert event["queryStringParameters"] == {"q": "1,2"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["pathParameters"] == {"id": "7"}


def test_event_format_1(api):
    api.route("GET /h/{id}", "dev", version="1.0")
    api.stage("dev", DeploymentId=api.deploy())
    event = api.get("/dev/h/7?q=1&q=2").json()["event"]
    assert (event["version"], event["httpMethod"], event["path"], event["resource"]) == (
        "1.0",
        "GET",
        "/dev/h/7",
        "/h/{id}",
    )
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["requestContext"]["stage"] == "dev"


def test_permission_is_needed_for_exactly_the_alias(api):
    api.aws.lam.create_alias(FunctionName=api.function, Name="test", FunctionVersion="1")
    api.route("GET /h", "test")
    api.stage("$default", AutoDeploy=True)
    answer = api.get("/h")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    api.aws.allow(
        api.function, "test", source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/*/*/h"
    )
    assert api.tag("/h") == (200, "one")


def test_request_authorizer(api, aws):
    function = aws.function(files={"index.js": AUTHORIZER})
    authorizer = api.http.create_authorizer(
        ApiId=api.id,
        AuthorizerType="REQUEST",
        Name="a",
        IdentitySource=["$request.header.Authorization"],
        AuthorizerPayloadFormatVersion="2.0",
        AuthorizerUri=invocation_uri(function_arn(function)),
    )["AuthorizerId"]
    api.route("GET /s", "dev", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    api.stage("$default", AutoDeploy=True)
    good = {"headers": {"Authorization": "good"}}
    assert api.get("/s", **good).status_code == 500
    aws.allow(
        function,
        None,
        source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/authorizers/{authorizer}",
    )
    assert api.get("/s", **good).status_code == 200
    assert api.get("/s", headers={"Authorization": "bad"}).status_code == 403


def test_deployment_resource_in_a_stack(api):
    """API, deployment and stage in a stack; a new deployment moves the stage, the old one goes."""
    aws, stack = api.aws, name("http")

    def resources(deployment, **stage):
        return {
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"Name": stack, "ProtocolType": "HTTP"},
            },
            "Integration": {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "IntegrationType": "AWS_PROXY",
                    "PayloadFormatVersion": "2.0",
                    "IntegrationUri": function_arn(api.function, "${stageVariables.alias}"),
                },
            },
            "Route": {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "RouteKey": "GET /h",
                    "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]},
                },
            },
            deployment: {
                "Type": "AWS::ApiGatewayV2::Deployment",
                "DependsOn": "Route",
                "Properties": {"ApiId": {"Ref": "Api"}},
            },
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {
                    "ApiId": {"Ref": "Api"},
                    "StageName": "dev",
                    "DeploymentId": {"Ref": deployment},
                    "StageVariables": {"alias": "dev", **stage},
                },
            },
        }

    outputs = {"Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    assert aws.create(stack, resources("One", old="x"), sections=outputs) == ("CREATE_COMPLETE", "")
    id_ = aws.outputs(stack)["Api"]
    aws.allow(api.function, "dev", source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{id_}/*")
    assert aws.cloud.get("/dev/h", host=f"{id_}.execute-api.localhost").json()["tag"] == "one"
    assert aws.update(stack, resources("Two"), sections=outputs) == ("UPDATE_COMPLETE", "")
    assert len(aws.http.get_deployments(ApiId=id_)["Items"]) == 1
    assert aws.http.get_stage(ApiId=id_, StageName="dev")["StageVariables"] == {"alias": "dev"}
    assert aws.delete(stack)[0] == "GONE"


def handshake(aws, api, stage, host="127.0.0.1"):
    """The status of a WebSocket handshake."""
    import socket

    with socket.create_connection(("127.0.0.1", aws.cloud.port), timeout=60) as connection:
        connection.sendall(
            (
                f"GET /_aws/execute-api/{api}/{stage} HTTP/1.1\r\nHost: {host}\r\nUpgrade:"
                " websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key:"
                " dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        return int(connection.recv(500).split()[1])


def test_websocket_sessions(aws):
    function = aws.two_versions()
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    api = aws.http.create_api(
        Name=name("w"), ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    integration = aws.http.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=invocation_uri(function_arn(function, "${stageVariables.alias}")),
    )["IntegrationId"]
    route = aws.http.create_route(
        ApiId=api, RouteKey="$connect", Target=f"integrations/{integration}"
    )["RouteId"]
    deployment = aws.http.create_deployment(ApiId=api)["DeploymentId"]
    aws.http.create_stage(
        ApiId=api, StageName="dev", DeploymentId=deployment, StageVariables={"alias": "dev"}
    )
    aws.http.delete_route(ApiId=api, RouteId=route)
    assert handshake(aws, api, "nostage") == 403
    assert handshake(aws, api, "dev") == 403
    aws.allow(function, "dev", source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/dev/$connect")
    assert handshake(aws, api, "dev") == 101
