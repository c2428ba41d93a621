"""VPC links: AWS deletes none that an API names."""

import pytest

from world import leftovers

SERVICE = """service: linked
provider: {name: aws, runtime: nodejs22.x}
custom:
  troupe:
    apis: {rest: SHARED, http: SHARED}
    resources: {service: [OTHERS]}
functions:
  a: {handler: handler.main, events: [{http: GET /a}, {httpApi: GET /a}]}
resources:
  Resources:
    RestLink:
      Type: AWS::ApiGateway::VpcLink
      Properties: {Name: linked, TargetArns: ['arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b']}
    HttpLink:
      Type: AWS::ApiGatewayV2::VpcLink
      Properties: {Name: linked, SubnetIds: [subnet-1]}
    Inside:
      Type: AWS::ApiGateway::Resource
      Properties: {RestApiId: !Ref ApiGatewayRestApi, ParentId: !GetAtt ApiGatewayRestApi.RootResourceId, PathPart: in}
    InsideGet:
      Type: AWS::ApiGateway::Method
      Properties:
        RestApiId: !Ref ApiGatewayRestApi
        ResourceId: !Ref Inside
        HttpMethod: GET
        AuthorizationType: NONE
        Integration: {Type: HTTP_PROXY, IntegrationHttpMethod: GET, Uri: 'http://in.example',
                      ConnectionType: VPC_LINK, ConnectionId: !Ref RestLink}
    InsideIntegration:
      Type: AWS::ApiGatewayV2::Integration
      Properties: {ApiId: !Ref HttpApi, IntegrationType: HTTP_PROXY, IntegrationMethod: GET, PayloadFormatVersion: '1.0',
                   IntegrationUri: 'arn:aws:servicediscovery:us-east-1:1:service/a', ConnectionType: VPC_LINK,
                   ConnectionId: !Ref HttpLink}
    InsideRoute:
      Type: AWS::ApiGatewayV2::Route
      Properties: {ApiId: !Ref HttpApi, RouteKey: GET /in, Target: !Sub 'integrations/${InsideIntegration}'}
"""
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"


def write(troupe, shared, others):
    text = SERVICE.replace("SHARED", shared).replace("OTHERS", others)
    troupe.write({"serverless.yml": text, "handler.js": HANDLER})


@pytest.mark.parametrize(
    "link, others, api", [("RestLink", "HttpLink", "rest"), ("HttpLink", "RestLink", "http")]
)
def test_a_vpc_link_of_the_stage_behind_a_shared_api_is_refused_from_the_file(
    troupe, link, others, api
):
    """Item 14."""
    write(troupe, "shared", others)
    for command in (["validate", "--stage", "dev"], ["plan", "dev"], ["deploy", "dev"]):
        result = troupe(*command, check=2)
        assert (
            f"VPC link '{link}' is the stage's" in result.err
            and "--> serverless.yml:" in result.err
        ), str(result)
        assert (
            f"resources.service: [{link}]" in result.err and f"apis.{api}: perStage" in result.err
        )
    assert troupe.world()["stacks"] == {}


@pytest.mark.parametrize("shared, others", [("shared", "RestLink, HttpLink"), ("perStage", "")])
def test_stages_with_vpc_links_are_removed_and_so_is_the_service(troupe, shared, others):
    """Item 14: links of the service's stack outlive stages, links of the stage go after its API."""
    write(troupe, shared, others)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    methods = troupe.world()["rest_apis"]
    assert all(
        api["methods"]["/in"]["GET"]["methodIntegration"]["connectionType"] == "VPC_LINK"
        for api in methods.values()
    )
    troupe("remove", "prod", "--yes")
    assert troupe.call_rest("dev", "/a").status_code == 200
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}
