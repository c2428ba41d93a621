"""What an import of a definition would take from the API that stages share: it is there after every
deployment.
"""

import json

import pytest

SERVICE = """service: imp
provider:
  name: aws
  runtime: nodejs22.x
  endpointType: PRIVATE
  vpcEndpointIds: [vpce-1, vpce-2]
  tags: {team: one}
  stackTags: {cost: two}
custom: {troupe: {apis: {http: shared}}}
functions:
  a:
    handler: handler.main
    events:
      - httpApi: GET /a
      - http:
          path: /orders
          method: post
          request: {schemas: {application/json: '${file(schema.json)}'}}
      - http: GET /b
      - http: GET /c/{id}/d
"""
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 2,
    "patternProperties": {"^x-": {"type": "string"}},
    "definitions": {
        "line": {
            "type": "object",
            "required": ["sku"],
            "properties": {
                "sku": {"type": ["string", "null"]},
                "count": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            },
        }
    },
    "properties": {
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {"$ref": "#/definitions/line"},
        },
        "to": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    },
    "dependencies": {"to": ["lines"]},
}
ONE = [{"sku": "a"}]
ACCEPTED = [
    {"lines": ONE},
    {"lines": ONE * 2, "to": 1},
    {"lines": [{"sku": None, "count": 1}]},
    {"lines": ONE, "x-a": "b"},
]
REFUSED = [
    {},
    {"lines": []},
    {"lines": ONE * 3},
    {"lines": ONE, "to": []},
    {"lines": ONE, "more": 1},
    {"to": "x"},
    {"lines": ONE, "x-a": 1},
    {"lines": [{"sku": "a", "count": 0}]},
    {"lines": [{}]},
    {"lines": ONE, "to": 1, "x-a": "b"},
]


@pytest.fixture
def imp(troupe):
    troupe.write(
        {"serverless.yml": SERVICE, "handler.js": HANDLER, "schema.json": json.dumps(SCHEMA)}
    )
    return troupe


def check(troupe, stages):
    """All of it, by what AWS says and by what callers get."""
    (rest,) = troupe.account.client("apigateway").get_rest_apis()["items"]
    assert rest["endpointConfiguration"] == {
        "types": ["PRIVATE"],
        "vpcEndpointIds": ["vpce-1", "vpce-2"],
    }
    (http,) = troupe.account.client("apigatewayv2").get_apis()["Items"]
    tags = {key: value for key, value in http["Tags"].items() if not key.startswith("aws:")}
    assert tags == {"team": "one", "cost": "two", "troupe:service": "imp"}
    for stage in stages:
        for body, status in [
            *((body, 200) for body in ACCEPTED),
            *((body, 400) for body in REFUSED),
        ]:
            assert troupe.call_rest(stage, "/orders", "POST", json=body).status_code == status, (
                stage,
                body,
            )


def test_vpc_endpoints_models_and_tags_outlive_imports_in_any_order_of_lists(imp):
    """Items 6, 8, 22, 23."""
    for round, stages in enumerate((["dev"], ["dev", "prod"], ["dev", "prod"])):
        imp.edit("serverless.yml", "/d\n", f"/d\n      - http: GET /round{round}\n")
        imp.edit(
            "serverless.yml",
            "- httpApi: GET /a\n",
            f"- httpApi: GET /a\n      - httpApi: GET /r{round}\n",
        )
        for stage in stages:
            assert "changed meanwhile" not in imp("deploy", stage).err
        check(imp, stages)
        if round == 1:  # one deployment at each change, none that was given up
            world = imp.world()
            (rest,), (http,) = world["rest_apis"].values(), world["http_apis"].values()
            assert len(rest["deployments"]) == len(http["deployments"]) == 2


def test_a_model_of_one_stage_is_not_the_other_ones(imp):
    imp("deploy", "prod")
    imp.write({"schema.json": json.dumps({"type": "object", "minProperties": 1})})
    imp("deploy", "dev")
    assert imp.call_rest("dev", "/orders", "POST", json={"anything": 1}).status_code == 200
    assert imp.call_rest("dev", "/orders", "POST", json={}).status_code == 400
    check(imp, ["prod"])
    imp("rollback", "prod", "--to", "1", check=False)
    imp("reset", "dev", "--to", "prod")
    check(imp, ["dev", "prod"])


def test_killed_between_the_import_and_its_models(imp):
    """The models of the import allow everything: none of it is served."""
    imp("deploy", "prod")
    imp.write({"schema.json": json.dumps({**SCHEMA, "description": "another"})})
    for operation in ("UpdateModel", "CreateDeployment"):
        imp.proxy.kill(1, operation=operation)
        assert imp("deploy", "prod", check=False).code == -9
        imp.proxy.clear()
        check(imp, ["prod"])
    imp("deploy", "prod")
    check(imp, ["prod"])


UNKNOWN = """resources:
  Resources:
    Unknown:
      Type: AWS::ApiGateway::GatewayResponse
      Properties: {RestApiId: {Ref: ApiGatewayRestApi}, ResponseType: NO_SUCH}
"""


def test_warnings_of_an_import_are_shown_and_nothing_of_it_is_served(imp):
    """Item 24: what an import leaves out may be an authorizer."""
    imp("deploy", "dev")
    before = imp.stage("dev", "imp")
    imp.write({"serverless.yml": SERVICE + UNKNOWN})
    result = imp("deploy", "dev", check=1)
    assert "Warnings found during import" in result.err and "NO_SUCH" in result.err, str(result)
    assert "apis.rest: perStage" in result.err, str(result)
    assert imp.stage("dev", "imp") == before
