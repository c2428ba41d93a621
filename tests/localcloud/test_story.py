"""Two stages share heads, versions and one REST API, and cannot disturb each other."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cloud import (
    ACCOUNT,
    REGION,
    function_arn,
    invocation_uri,
    name,
    node_zip,
    refused,
    trust,
    zipped,
)

PYTHON = """
import json, os
def handler(event, context):
    body = {"python": True, "version": context.function_version, "path": event.get("path"),
            "arn": context.invoked_function_arn, "stage": os.environ.get("STAGE")}
    return {"statusCode": 200, "body": json.dumps(body)}
"""


@pytest.fixture(scope="module")
def native_zip(tmp_path_factory):
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is needed for the native function"
    binary = tmp_path_factory.mktemp("native") / "bootstrap"
    source = Path(__file__).with_name("bootstrap.c")
    subprocess.run([compiler, "-O1", "-std=gnu17", "-o", binary, source], check=True)
    return zipped({"bootstrap": binary.read_bytes()})


def head(function):
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": function,
            "Runtime": "nodejs20.x",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["HeadRole", "Arn"]},
            "Code": {"ZipFile": "exports.handler = async () => 'placeholder'"},
        },
    }


def role():
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust()}}


class Service:
    """One service as troupe lays it out: service stack, published definitions, stage stacks."""

    def __init__(self, aws, native_zip):
        self.aws, self.service = aws, name("svc")
        self.names = {kind: f"{self.service}-{kind}" for kind in ("node", "python", "native")}
        self.zips = {
            "node": node_zip("one"),
            "python": zipped({"app.py": PYTHON}),
            "native": native_zip,
        }
        self.runtimes = {
            "node": ("nodejs20.x", "index.handler"),
            "python": ("python3.11", "app.handler"),
            "native": ("provided.al2023", "bootstrap"),
        }
        self.resources = {
            "HeadRole": role(),
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": self.service}},
        }
        for kind, function in self.names.items():
            self.resources[f"{kind.title()}Function"] = head(function)
        status = aws.create(
            self.service,
            self.resources,
            sections={
                "Outputs": {
                    "Api": {"Value": {"Ref": "Api"}},
                    "Role": {"Value": {"Fn::GetAtt": ["HeadRole", "Arn"]}},
                }
            },
        )
        assert status == ("CREATE_COMPLETE", ""), status
        outputs = aws.outputs(self.service)
        self.api, self.role = outputs["Api"], outputs["Role"]

    def document(self):
        paths = {
            f"/{kind}/{{id}}": {
                "get": {
                    "responses": {},
                    "x-amazon-apigateway-integration": {
                        "type": "aws_proxy",
                        "httpMethod": "POST",
                        "passthroughBehavior": "when_no_match",
                        "uri": invocation_uri(function_arn(function, "${stageVariables.alias}")),
                    },
                }
            }
            for kind, function in self.names.items()
        }
        return {"openapi": "3.0.1", "info": {"title": self.service, "version": "1"}, "paths": paths}

    def publish(self, kind, stage):
        """Configure, wait, upload, wait, read back, publish with both guards."""
        lam, function = self.aws.lam, self.names[kind]
        runtime, handler = self.runtimes[kind]
        self.aws.configure(
            function,
            Role=self.role,
            Runtime=runtime,
            Handler=handler,
            Timeout=10,
            MemorySize=128,
            Description="",
            Environment={"Variables": {"STAGE": stage}},
            Layers=[],
            VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
            DeadLetterConfig={"TargetArn": ""},
            KMSKeyArn="",
            TracingConfig={"Mode": "PassThrough"},
            EphemeralStorage={"Size": 512},
        )
        lam.update_function_code(FunctionName=function, ZipFile=self.zips[kind])
        config = self.aws.ready(function)
        version = lam.publish_version(
            FunctionName=function,
            CodeSha256=config["CodeSha256"],
            RevisionId=config["RevisionId"],
            Description=f"{stage}#1",
        )
        assert version["CodeSha256"] == config["CodeSha256"]
        assert version["Environment"]["Variables"] == {"STAGE": stage}
        return version["Version"]

    def publish_api(self):
        rest = self.aws.rest
        rest.put_rest_api(
            restApiId=self.api,
            mode="overwrite",
            failOnWarnings=True,
            body=json.dumps(self.document()).encode(),
        )
        resources = rest.get_resources(restApiId=self.api, embed=["methods"], limit=500)["items"]
        methods = {
            item["path"]: item["resourceMethods"]["GET"]
            for item in resources
            if "resourceMethods" in item
        }
        assert set(methods) == set(self.document()["paths"])
        for path, method in methods.items():
            wanted = self.document()["paths"][path]["get"]["x-amazon-apigateway-integration"]
            assert method["methodIntegration"]["uri"] == wanted["uri"]
            assert method["methodIntegration"]["type"] == "AWS_PROXY"
        return rest.create_deployment(restApiId=self.api)["id"]

    def stage_resources(self, stage, versions, deployment):
        resources = {
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": self.api,
                    "StageName": stage,
                    "DeploymentId": deployment,
                    "Variables": {"alias": stage},
                },
            }
        }
        for kind, function in self.names.items():
            resources[f"{kind.title()}Alias"] = {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": function,
                    "Name": stage,
                    "FunctionVersion": versions[kind],
                },
            }
            resources[f"{kind.title()}Permission"] = {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": f"{kind.title()}Alias"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api}/{stage}/*/*",
                },
            }
        return resources

    def call(self, stage, kind):
        answer = self.aws.cloud.get(f"/restapis/{self.api}/{stage}/_user_request_/{kind}/7?q=1")
        return answer.status_code, json.loads(answer.text)


@pytest.fixture(scope="module")
def service(aws, native_zip):
    return Service(aws, native_zip)


@pytest.fixture(scope="module")
def stages(service):
    """Both stages deployed; stage name -> (versions, deployment)."""
    deployed = {}
    for stage in ("dev", "prod"):
        versions = {kind: service.publish(kind, stage) for kind in service.names}
        deployment = service.publish_api()
        status = service.aws.create(
            f"{service.service}-{stage}", service.stage_resources(stage, versions, deployment)
        )
        assert status == ("CREATE_COMPLETE", ""), status
        deployed[stage] = (versions, deployment)
    return deployed


@pytest.mark.parametrize("kind", ["node", "python", "native"])
def test_every_runtime_answers_on_both_stages(service, stages, kind):
    for stage in ("dev", "prod"):
        status, body = service.call(stage, kind)
        assert status == 200
        assert (body["version"], body["stage"]) == (stages[stage][0][kind], stage)


def test_function_sees_the_alias_it_was_called_by(service, stages):
    _, body = service.call("dev", "node")
    assert body["arn"] == function_arn(service.names["node"], "dev")
    assert body["event"]["stageVariables"] == {"alias": "dev"}
    assert body["event"]["pathParameters"] == {"id": "7"}


def test_redeploying_one_stage_leaves_the_other(service, stages):
    before = service.call("prod", "node")[1]
    service.zips["node"] = node_zip("changed")
    versions = {**stages["dev"][0], "node": service.publish("node", "dev")}
    service.names["extra"] = service.names["node"]
    deployment = service.publish_api()
    assert (
        service.aws.cloud.get(f"/restapis/{service.api}/prod/_user_request_/extra/1").status_code
        == 403
    )
    del service.names["extra"]
    status = service.aws.update(
        f"{service.service}-dev", service.stage_resources("dev", versions, deployment)
    )
    assert status == ("UPDATE_COMPLETE", ""), status
    assert service.call("dev", "node")[1]["tag"] == "changed"
    assert (
        service.aws.cloud.get(f"/restapis/{service.api}/dev/_user_request_/extra/1").status_code
        == 200
    )
    after = service.call("prod", "node")[1]
    assert (after["tag"], after["version"]) == (before["tag"], before["version"])
    assert (
        service.aws.cloud.get(f"/restapis/{service.api}/prod/_user_request_/extra/1").status_code
        == 403
    )


def test_service_stack_update_leaves_published_heads_alone(service, stages):
    """A new resource in the service stack does not reset the code or configuration of a head."""
    function = service.names["python"]
    before = service.aws.lam.get_function(FunctionName=function)["Configuration"]
    service.resources["More"] = {"Type": "AWS::SQS::Queue"}
    status = service.aws.update(service.service, service.resources)
    assert status == ("UPDATE_COMPLETE", ""), status
    after = service.aws.lam.get_function(FunctionName=function)["Configuration"]
    assert after == before
    assert after["Runtime"] == "python3.11"


def test_names_and_root_survive_the_import(service, stages):
    api = service.aws.rest.get_rest_api(restApiId=service.api)
    assert api["name"] == service.service
    assert [
        item["stageName"] for item in service.aws.rest.get_stages(restApiId=service.api)["item"]
    ] == ["dev", "prod"]


def test_alias_of_a_missing_version_rolls_the_stage_back(service, stages):
    versions, deployment = stages["prod"]
    broken = service.stage_resources("prod", {**versions, "python": "99"}, deployment)
    status, reason = service.aws.update(f"{service.service}-prod", broken)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Function not found: {function_arn(service.names['python'], '99')}" in reason
    assert service.call("prod", "python")[1]["version"] == versions["python"]


def test_stage_of_a_missing_deployment_rolls_back(service, stages):
    versions, _ = stages["prod"]
    status, reason = service.aws.update(
        f"{service.service}-prod", service.stage_resources("prod", versions, "nothere")
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "Deployment id does not exist" in reason
    assert service.call("prod", "node")[0] == 200


def test_pointer_flip_by_api(service, stages):
    """UpdateAlias and UpdateStage move a stage at once."""
    function = service.names["node"]
    old, new = (
        stages["dev"][0]["node"],
        service.aws.lam.get_alias(FunctionName=function, Name="dev")["FunctionVersion"],
    )
    assert old != new
    service.aws.lam.update_alias(FunctionName=function, Name="dev", FunctionVersion=old)
    assert service.call("dev", "node")[1]["tag"] == "one"
    service.aws.rest.update_stage(
        restApiId=service.api,
        stageName="dev",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": stages["dev"][1]}],
    )
    assert (
        service.aws.cloud.get(f"/restapis/{service.api}/dev/_user_request_/extra/1").status_code
        == 403
    )
    assert (
        service.aws.cloud.get(
            "/dev/node/1", host=f"{service.api}.execute-api.localhost"
        ).status_code
        == 200
    )


def test_in_use_versions_and_deployments_stay(service, stages):
    function = service.names["node"]
    version, deployment = stages["prod"][0]["node"], stages["prod"][1]
    assert refused(service.aws.lam.delete_function, FunctionName=function, Qualifier=version)[
        :2
    ] == (409, "ResourceConflictException")
    assert refused(
        service.aws.rest.delete_deployment, restApiId=service.api, deploymentId=deployment
    ) == (
        400,
        "BadRequestException",
        "Active stages pointing to this deployment must be moved or deleted",
    )


def test_removing_stages_then_the_service_leaves_nothing(service, stages):
    aws = service.aws
    for stage in ("dev", "prod"):
        assert aws.delete(f"{service.service}-{stage}")[0] == "GONE"
    assert aws.lam.list_aliases(FunctionName=service.names["node"])["Aliases"] == []
    assert aws.delete(service.service)[0] == "GONE"
    for function in service.names.values():
        assert refused(aws.lam.get_function, FunctionName=function)[:2] == (
            404,
            "ResourceNotFoundException",
        )
    assert refused(aws.rest.get_rest_api, restApiId=service.api)[0] == 404
