"""What HTTP APIs have beside routes, for an API of each stage's own and for one that all share."""

import pytest

from shop import append
from test_shared_http_api import SHARED, code
from world import leftovers

FEATURES = """resources:
  Resources:
    Domain:
      Type: AWS::ApiGatewayV2::DomainName
      Properties:
        DomainName: ${sls:stage}.web.example.com
        DomainNameConfigurations:
          - EndpointType: REGIONAL
            CertificateArn: arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012
    Mapping:
      Type: AWS::ApiGatewayV2::ApiMapping
      DependsOn: HttpApiStage
      Properties:
        DomainName: !Ref Domain
        ApiId: !Ref HttpApi
        Stage: !Ref HttpApiStage
        ApiMappingKey: v1
    Plain:
      Type: AWS::ApiGatewayV2::ApiMapping
      DependsOn: HttpApiStage
      Properties: {DomainName: !Ref Domain, ApiId: !Ref HttpApi, Stage: $default, ApiMappingKey: v2}
  extensions:
    HttpApiStage:
      Properties:
        DefaultRouteSettings: {ThrottlingBurstLimit: 7, ThrottlingRateLimit: 5}
"""


@pytest.fixture(params=["shared", "own"])
def web(request, troupe):
    troupe.use("web")
    append(troupe, (SHARED if request.param == "shared" else "") + FEATURES)
    troupe.edit(
        "serverless.yml",
        "  runtime: nodejs20.x\n",
        "  runtime: nodejs20.x\n  logs: {httpApi: true}\n",
    )
    troupe.edit(
        "serverless.yml",
        "    cors: true\n",
        """    cors: true
    metrics: true
    authorizers:
      guard: {type: request, functionName: guard, enableSimpleResponses: true, identitySource: $request.header.X-Word, resultTtlInSeconds: 0}
""",
    )
    troupe.edit("serverless.yml", "functions:\n", "functions:\n  guard: {handler: guard.main}\n")
    troupe.edit(
        "serverless.yml",
        "      - httpApi: GET /time\n",
        """      - httpApi: GET /time
      - httpApi: {path: /guarded, method: get, authorizer: {name: guard}}
      - httpApi: {path: /signed, method: get, authorizer: {type: aws_iam}}
""",
    )
    guard(troupe, "one")
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    return troupe


def guard(troupe, word):
    troupe.write(
        {
            "guard.js": (
                "exports.main = async (event) => ({isAuthorized: event.headers['x-word'] ==="
                f" '{word}'}});\n"
            )
        }
    )


def check(troupe, stage, word):
    call = lambda path, **headers: troupe.call_http_api(stage, path, headers=headers).status_code
    assert troupe.call_http_api(stage, "/time").json()["code"] == word
    assert call("/guarded") == 401
    assert [call("/guarded", **{"X-Word": given}) for given in ("one", "two")] == [
        200 if given == word else 403 for given in ("one", "two")
    ]
    gateway = troupe.account.client("apigatewayv2")
    mapping, plain = sorted(
        gateway.get_api_mappings(DomainName=f"{stage}.web.example.com")["Items"],
        key=lambda item: item["ApiMappingKey"],
    )
    assert (plain["ApiId"], plain["Stage"]) == (mapping["ApiId"], mapping["Stage"])
    routes = {
        route["RouteKey"]: route for route in gateway.get_routes(ApiId=mapping["ApiId"])["Items"]
    }
    assert (
        routes["GET /signed"]["AuthorizationType"] == "AWS_IAM" and mapping["ApiMappingKey"] == "v1"
    )
    settings = gateway.get_stage(ApiId=mapping["ApiId"], StageName=mapping["Stage"])
    assert f"{mapping['ApiId']}/{mapping['Stage']}" in troupe.http_api_url(stage, "/")
    assert settings["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 7, "ThrottlingRateLimit": 5}
    assert f"/aws/http-api/web-{stage}" in settings["AccessLogSettings"]["DestinationArn"]


def test_two_stages(web):
    for stage in ("dev", "prod"):
        check(web, stage, "one")
    assert web("plan", "dev", "--json").json["nothing"] is True
    code(web, "two")
    guard(web, "two")
    web("deploy", "dev")
    check(web, "dev", "two")
    check(web, "prod", "one")
    web("rollback", "dev")
    check(web, "dev", "one")
    web("reset", "prod", "--to", "dev#2")
    check(web, "prod", "two")
    web("remove", "prod", "--yes")
    check(web, "dev", "one")
    web("remove", "--service", "--yes")
    assert (
        leftovers(web.world()) == {}
        and not web.account.client("apigatewayv2").get_domain_names()["Items"]
    )
