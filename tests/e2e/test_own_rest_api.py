"""A REST API of the stage's own, with settings of its stage: each deployment has the settings once
more.
"""

import threading

import pytest

from legacy import apply, serverless_deploy, settle, template
from world import without

SERVICE = """service: own
provider:
  name: aws
  runtime: nodejs22.x
  region: us-east-1
  tags: {team: one}
  tracing: {apiGateway: true}
  apiGateway: {metrics: true}
custom: {troupe: {apis: {rest: perStage}}}
functions:
  a:
    handler: handler.main
    events:
      - http: GET /a
      - http: {path: /keyed, method: get, private: true}
"""
KEYS = "  apiGateway: {metrics: true, apiKeys: ['own-${sls:stage}']}\n"
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"
STAGE, DEPLOYMENT = "AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment"


def of_type(resources, kind):
    return {key: item for key, item in resources.items() if item["Type"] == kind}


class Own:
    """A stage's own API and its stage, as AWS has them."""

    def __init__(self, troupe, stage, region="us-east-1"):
        self.troupe, self.stage, self.region = troupe, stage, region
        self.rest = troupe.account.client("apigateway", region)
        self.id = next(
            api["id"]
            for api in self.rest.get_rest_apis()["items"]
            if any(
                item["stageName"] == stage
                for item in self.rest.get_stages(restApiId=api["id"])["item"]
            )
        )

    def status(self, path):
        url = f"/restapis/{self.id}/{self.stage}/_user_request_{path}"
        return self.troupe.account.cloud.get(url).status_code

    def settings(self):
        return without(self.rest.get_stage(restApiId=self.id, stageName=self.stage))

    def check(self, team, tracing, *paths):
        assert {path: self.status(path) for path in paths} == dict.fromkeys(paths, 200)
        assert self.status("/keyed") == 403
        settings = self.settings()
        assert settings["tags"]["team"] == team and settings["tracingEnabled"] is tracing
        assert settings["methodSettings"]["*/*"]["metricsEnabled"] is True
        assert len(self.rest.get_deployments(restApiId=self.id)["items"]) == 1


def write(troupe, service=SERVICE, team="one", tracing=True, paths=(), resources=""):
    service += "".join(f"      - http: GET {path}\n" for path in paths) + resources
    service = service.replace("team: one", f"team: {team}")
    service = service.replace("  apiGateway: {metrics: true}\n", KEYS)
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": service.replace(
                "apiGateway: true", f"apiGateway: {str(tracing).lower()}"
            ),
        }
    )


@pytest.mark.parametrize("where", ["home", "remote"])
def test_an_own_api_with_settings_is_changed_again_and_again(troupe, where):
    """Item 2: a deployment can describe a stage only when it makes it."""
    remote = where == "remote"
    service = (
        SERVICE.replace("custom: {troupe: {apis: {rest: perStage}}}\n", "") if remote else SERVICE
    )
    region = "eu-west-1" if remote else "us-east-1"
    place = ["--region", region] if remote else []
    write(troupe, service)
    troupe("deploy", "prod", *place)
    prod = Own(troupe, "prod", region)
    neighbour = prod.settings()
    troupe("deploy", "dev", *place)
    dev = Own(troupe, "dev", region)
    dev.check("one", True, "/a")
    for team, tracing, paths in (
        ("one", True, ["/b"]),
        ("two", False, ["/b"]),
        ("two", False, ["/b", "/c"]),
    ):
        write(troupe, service, team, tracing, paths)
        troupe("deploy", "dev", *place)
        assert Own(troupe, "dev", region).id == dev.id
        dev.check(team, tracing, "/a", *paths)
    troupe("rollback", "dev", "--to", "2", "--yes", *place)
    dev.check("one", True, "/a", "/b")
    assert prod.settings() == neighbour
    troupe("remove", "--service", "--yes")


def as_older(troupe, stack):
    """The stack as it was when its deployments made the stage: without a resource for it, which
    cannot be taken out in the update that makes another.
    """
    account = troupe.account
    tags = {item["Key"]: item["Value"] for item in settle(account, stack)["Tags"]}
    body = template(account, stack)
    ((stage, made),) = of_type(body["Resources"], STAGE).items()
    ((deployment, snapshot),) = of_type(body["Resources"], DEPLOYMENT).items()
    settings = {
        key: value
        for key, value in made["Properties"].items()
        if key not in ("RestApiId", "StageName", "DeploymentId")
    }
    for item in body["Resources"].values():
        if stage in item.get("DependsOn", []):
            item["DependsOn"].remove(stage)
    keyed = {
        key: body["Resources"].pop(key)
        for key, item in list(body["Resources"].items())
        if item["Type"].startswith("AWS::ApiGateway::UsagePlan")
    }
    del body["Resources"][stage], body["Resources"][deployment]
    apply(account, stack, body, tags)
    older = {
        **snapshot,
        "Properties": {
            **snapshot["Properties"],
            "StageName": made["Properties"]["StageName"],
            "StageDescription": settings,
        },
    }
    body["Resources"][deployment[:-8]] = older
    apply(account, stack, body, tags)
    for item in keyed.values():
        item["DependsOn"] = [deployment[:-8]]
    body["Resources"].update(keyed)
    apply(account, stack, body, tags)


class Caller(threading.Thread):
    """Calls one path until it is stopped, and keeps every status."""

    def __init__(self, own, path):
        super().__init__()
        self.own, self.path, self.seen, self.over = own, path, [], threading.Event()

    def run(self):
        while not self.over.is_set():
            self.seen.append(self.own.status(self.path))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


WRONG = """resources:
  Resources:
    Wrong:
      Type: AWS::Lambda::Permission
      Properties: {FunctionName: nobody, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}
"""


def test_a_stage_that_a_deployment_made_becomes_a_resource_while_it_serves(troupe):
    """Item 2: stages of an older troupe. CloudFormation makes no stage of a name that is taken."""
    write(troupe)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    as_older(troupe, "own-dev")
    dev, prod = Own(troupe, "dev"), troupe.stage("prod", "own")
    dev.check("one", True, "/a")
    # A deployment that fails leaves the stage as it is, and can be repeated or taken back.
    write(troupe, paths=["/b"], resources=WRONG)
    with Caller(dev, "/a") as caller:
        troupe("deploy", "dev", check=1)
        dev.check("one", True, "/a")
        write(troupe, team="two", tracing=False, paths=["/b"])
        troupe("deploy", "dev")
    assert set(caller.seen) == {200}
    dev.check("two", False, "/a", "/b")
    resources = template(troupe.account, "own-dev")["Resources"]
    ((stage, made),) = of_type(resources, STAGE).items()
    assert "DeletionPolicy" not in made
    (deployment,) = of_type(resources, DEPLOYMENT).values()
    assert not {"StageName", "StageDescription"} & set(deployment["Properties"])
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    write(troupe, team="two", tracing=False, paths=["/b", "/c"])
    troupe("deploy", "dev")
    dev.check("two", False, "/a", "/b", "/c")
    assert troupe.stage("prod", "own") == prod
    troupe("remove", "dev", "--yes")
    assert dev.id not in troupe.world()["rest_apis"]


def test_a_stage_that_went_over_half_way_is_taken_back(troupe):
    write(troupe)
    troupe("deploy", "dev")
    as_older(troupe, "own-dev")
    dev = Own(troupe, "dev")
    write(troupe, paths=["/b"], resources=WRONG)
    troupe("deploy", "dev", check=1)
    with Caller(dev, "/a") as caller:
        troupe("repair", "dev", check=False)
    assert set(caller.seen) == {200}
    dev.check("one", True, "/a")
    troupe("remove", "--service", "--yes")
    assert troupe.world()["rest_apis"] == {}


def test_a_stage_that_the_reference_made_is_adopted_with_its_api(troupe):
    write(troupe)
    serverless_deploy(troupe, "dev", "own")
    dev = Own(troupe, "dev")
    with Caller(dev, "/a") as caller:
        troupe("adopt", "dev", "--yes")
        write(troupe, paths=["/b"])
        troupe("deploy", "dev")
    assert set(caller.seen) == {200}
    dev.check("one", True, "/a", "/b")
