"""What REST APIs have beside routes, for each stage of a shared API and for an API of each stage's
own.
"""

import pytest
import requests

from shop import append, code
from world import leftovers

OWN = "custom:\n  troupe:\n    apis: {rest: perStage}\n"


@pytest.fixture(params=["shared", "own"])
def features(request, troupe):
    troupe.use("features")
    troupe.account.let_apis_log()
    if request.param == "own":
        append(troupe, OWN)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    return troupe


def api_of(troupe, stage):
    """The id of the API that serves the stage."""
    return next(id for id, api in troupe.world()["rest_apis"].items() if stage in api["stages"])


class Stage:
    """A stage's REST API, called as a browser would."""

    def __init__(self, troupe, name):
        self.troupe, self.name, self.id = troupe, name, api_of(troupe, name)
        self.rest = troupe.account.client("apigateway")

    def call(self, path, method="GET", **kwargs):
        url = f"{self.troupe.proxy.endpoint}/restapis/{self.id}/{self.name}/_user_request_{path}"
        return requests.request(method, url, timeout=30, **kwargs)

    def status(self, path, method="GET", **kwargs):
        return self.call(path, method, **kwargs).status_code

    def keys(self):
        return {
            key["name"]: key["value"]
            for key in self.rest.get_api_keys(includeValues=True)["items"]
            if key["name"].endswith(f"-{self.name}")
        }

    def with_key(self, key):
        return self.status("/keyed", headers={"x-api-key": key})

    def settings(self):
        return self.rest.get_stage(restApiId=self.id, stageName=self.name)


def check(stage, other, word):
    """Everything the service asks for, of one stage."""
    assert stage.call("/open").json() == {"code": word, "stage": stage.name}
    assert stage.status("/keyed") == 403 and len(stage.keys()) == 2
    assert [stage.with_key(key) for key in stage.keys().values()] == [200, 200]
    assert [stage.with_key(key) for key in other.keys().values()] == [403, 403]
    (plan,) = [
        plan
        for plan in stage.rest.get_usage_plans()["items"]
        if {"apiId": stage.id, "stage": stage.name}
        in [{"apiId": at["apiId"], "stage": at["stage"]} for at in plan["apiStages"]]
    ]
    assert (
        len(plan["apiStages"]) == 1
        and plan["quota"]["limit"] == 100
        and plan["throttle"]["burstLimit"] == 20
    )
    assert (
        stage.status("/order", "POST", json={}) == 400
        and stage.status("/order", "POST", json={"id": "1"}) == 200
    )
    refused = stage.call("/asked")
    assert refused.status_code == 400 and refused.headers["x-refused"] == word
    assert stage.status("/asked?word=1") == 200
    assert [stage.status("/token", headers={"X-Word": given}) for given in ("one", "two")] == [
        200 if given == word else 401 for given in ("one", "two")
    ]
    assert stage.status("/token") == 401
    methods = stage.troupe.world()["rest_apis"][stage.id]["methods"]
    assert (
        methods["/signed"]["GET"]["authorizationType"] == "AWS_IAM"
        and stage.status("/pooled") == 401
    )
    settings = stage.settings()
    assert (
        settings["tracingEnabled"] and settings["methodSettings"]["*/*"]["loggingLevel"] == "ERROR"
    )
    assert settings["cacheClusterEnabled"] and settings["cacheClusterSize"] == "0.5"
    method = {key.lstrip("/"): value for key, value in settings["methodSettings"].items()}[
        "~1open/GET"
    ]
    assert method["cachingEnabled"] and (
        method["cacheTtlInSeconds"],
        method["throttlingRateLimit"],
    ) == (60, 5)
    assert "/features-" in settings["accessLogSettings"]["destinationArn"]
    assert stage.name in settings["accessLogSettings"]["destinationArn"]
    api = stage.rest.get_rest_api(restApiId=stage.id)
    assert api["binaryMediaTypes"] == ["image/*"] and api["minimumCompressionSize"] == 1024
    assert "execute-api:Invoke" in api["policy"]
    (mapping,) = stage.rest.get_base_path_mappings(domainName=f"{stage.name}.features.example.com")[
        "items"
    ]
    assert (mapping["basePath"], mapping["restApiId"], mapping["stage"]) == (
        "v1",
        stage.id,
        stage.name,
    )


def test_two_stages(features):
    stages = {name: Stage(features, name) for name in ("dev", "prod")}
    assert len({stage.id for stage in stages.values()}) == len(features.world()["rest_apis"])
    for name, other in (("dev", "prod"), ("prod", "dev")):
        check(stages[name], stages[other], "one")
    assert features("plan", "dev", "--json").json["nothing"] is True
    code(features, "two")
    features.edit("serverless.yml", "\"'one'\"", "\"'two'\"")
    features("deploy", "dev")
    check(stages["dev"], stages["prod"], "two")
    check(stages["prod"], stages["dev"], "one")
    features("rollback", "dev")
    check(stages["dev"], stages["prod"], "one")
    features("reset", "prod", "--to", "dev#2")
    check(stages["prod"], stages["dev"], "two")
    features("remove", "prod", "--yes")
    assert stages["dev"].call("/open").json()["stage"] == "dev"
    assert len(stages["dev"].keys()) == 2 and not stages["prod"].keys()
    assert [domain["domainName"] for domain in stages["dev"].rest.get_domain_names()["items"]] == [
        "dev.features.example.com"
    ]
    features("remove", "--service", "--yes")
    assert leftovers(features.world()) == {} and not stages["dev"].rest.get_usage_plans()["items"]


def test_a_stage_of_another_name(troupe):
    troupe.use("features")
    troupe.edit("serverless.yml", "StageName: ${sls:stage}", "StageName: v1")
    result = troupe("plan", "dev", check=2)
    assert (
        "the API has one stage here, which is named 'dev'" in result.err
        and "StageName: v1" in result.err
    ), str(result)
