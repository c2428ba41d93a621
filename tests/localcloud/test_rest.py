"""REST APIs: snapshots, stages, variables, canaries, permissions, authorizers."""

import json

import pytest

from cloud import ACCOUNT, REGION, function_arn, invocation_uri, name, refused

AUTHORIZER = """
exports.handler = async event => {
  const token = event.authorizationToken || (event.headers || {}).authorization || '';
  const arn = event.methodArn || event.routeArn;
  return {principalId: 'me', policyDocument: {Version: '2012-10-17', Statement: [
    {Action: 'execute-api:Invoke', Effect: token === 'good' ? 'Allow' : 'Deny', Resource: arn}]}};
};
"""


class Api:
    """A REST API over a function with aliases dev (1, tag one) and prod (2, tag two)."""

    def __init__(self, aws):
        self.aws, self.rest = aws, aws.rest
        self.function = aws.two_versions()
        for alias, version in (("dev", "1"), ("prod", "2")):
            aws.lam.create_alias(FunctionName=self.function, Name=alias, FunctionVersion=version)
        self.id = self.rest.create_rest_api(name=name("api"))["id"]
        self.root = self.rest.get_resources(restApiId=self.id)["items"][0]["id"]
        for alias in ("dev", "prod"):
            aws.allow(
                self.function,
                alias,
                source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.id}/*/*/*",
            )

    def uri(self, qualifier):
        return invocation_uri(function_arn(self.function, qualifier))

    def route(self, part, qualifier, **method):
        resource = self.rest.create_resource(restApiId=self.id, parentId=self.root, pathPart=part)[
            "id"
        ]
        self.rest.put_method(
            restApiId=self.id,
            resourceId=resource,
            httpMethod="GET",
            **{"authorizationType": "NONE", **method},
        )
        self.integrate(resource, self.uri(qualifier))
        return resource

    def integrate(self, resource, uri):
        self.rest.put_integration(
            restApiId=self.id,
            resourceId=resource,
            httpMethod="GET",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=uri,
        )

    def deploy(self, **kwargs):
        return self.rest.create_deployment(restApiId=self.id, **kwargs)["id"]

    def stage(self, stage, deployment, **kwargs):
        self.rest.create_stage(
            restApiId=self.id, stageName=stage, deploymentId=deployment, **kwargs
        )

    def patch(self, stage, *operations):
        return self.rest.update_stage(
            restApiId=self.id,
            stageName=stage,
            patchOperations=[
                dict(zip(("op", "path", "value"), operation)) for operation in operations
            ],
        )

    def get(self, stage, path, **kwargs):
        """``(status, tag or text)``."""
        answer = self.aws.cloud.get(f"/restapis/{self.id}/{stage}/_user_request_{path}", **kwargs)
        try:
            return answer.status_code, answer.json().get("tag") or answer.text
        except ValueError:
            return answer.status_code, answer.text


@pytest.fixture
def api(aws):
    return Api(aws)


def test_deployments_are_snapshots(api):
    resource = api.route("hello", "dev")
    first = api.deploy()
    api.stage("dev", first)
    api.stage("prod", first)
    api.integrate(resource, api.uri("prod"))
    api.route("bye", "dev")
    assert api.get("dev", "/hello") == (200, "one")
    assert api.get("dev", "/bye")[0] == 403
    second = api.deploy(stageName="prod")
    assert (api.get("dev", "/hello"), api.get("prod", "/hello")) == ((200, "one"), (200, "two"))
    assert (api.get("dev", "/bye")[0], api.get("prod", "/bye")[0]) == (403, 200)
    api.rest.delete_resource(restApiId=api.id, resourceId=resource)
    api.patch("dev", ("replace", "/deploymentId", second))
    assert api.get("dev", "/hello") == (200, "two")
    api.patch("dev", ("replace", "/deploymentId", first))
    assert api.get("dev", "/hello") == (200, "one")


def test_stage_rules(api):
    api.route("hello", "dev")
    deployment = api.deploy()
    api.stage("dev", deployment)
    stage = dict(restApiId=api.id, deploymentId=deployment)
    assert refused(api.rest.create_stage, **stage, stageName="dev") == (
        409,
        "ConflictException",
        "Stage already exists",
    )
    assert refused(api.rest.create_stage, **stage, stageName="a.b")[:2] == (
        400,
        "BadRequestException",
    )
    assert refused(
        api.rest.create_stage, restApiId=api.id, stageName="new", deploymentId="nope"
    ) == (400, "BadRequestException", "Deployment id does not exist")
    assert (
        refused(
            api.rest.update_stage,
            restApiId=api.id,
            stageName="dev",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": "nope"}],
        )[2]
        == "Deployment id does not exist"
    )
    assert refused(api.rest.delete_deployment, restApiId=api.id, deploymentId=deployment) == (
        400,
        "BadRequestException",
        "Active stages pointing to this deployment must be moved or deleted",
    )
    assert refused(api.rest.create_stage, **stage, stageName="new", variables={"A": "ä"})[0] == 400
    assert (
        refused(api.rest.create_stage, **stage, stageName="new", variables={"A-B": "x"})[0] == 400
    )


def test_deployment_of_an_unusable_api_is_refused(aws):
    rest = aws.rest
    api = rest.create_rest_api(name=name("api"))["id"]
    assert refused(rest.create_deployment, restApiId=api) == (
        400,
        "BadRequestException",
        "The REST API doesn't contain any methods",
    )
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    rest.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    assert refused(rest.create_deployment, restApiId=api)[2] == "No integration defined for method"


def test_stage_variables_choose_the_alias(api):
    api.route("hello", "${stageVariables.alias}")
    deployment = api.deploy()
    for stage in ("dev", "prod"):
        api.stage(stage, deployment, variables={"alias": stage, "other": "x"})
    assert (api.get("dev", "/hello"), api.get("prod", "/hello")) == ((200, "one"), (200, "two"))
    api.patch("dev", ("replace", "/variables/alias", "prod"), ("remove", "/variables/other"))
    assert api.get("dev", "/hello") == (200, "two")
    assert api.rest.get_stage(restApiId=api.id, stageName="dev")["variables"] == {"alias": "prod"}
    assert api.rest.get_stage(restApiId=api.id, stageName="prod")["variables"] == {
        "alias": "prod",
        "other": "x",
    }


def test_stages_of_a_deployment(api):
    api.route("hello", "dev")
    first, second = api.deploy(), api.deploy()
    api.stage("dev", first)
    api.stage("prod", second)
    found = api.rest.get_stages(restApiId=api.id, deploymentId=second)["item"]
    assert [stage["stageName"] for stage in found] == ["prod"]
    assert set(api.rest.get_deployments(restApiId=api.id)["items"][0]) <= {
        "id",
        "description",
        "createdDate",
        "apiSummary",
    }


def test_canary(api):
    api.route("hello", "${stageVariables.alias}")
    deployment = api.deploy()
    api.stage("prod", deployment, variables={"alias": "dev"})
    canary = api.deploy(
        stageName="prod",
        canarySettings={"percentTraffic": 50.0, "stageVariableOverrides": {"alias": "prod"}},
    )
    stage = api.rest.get_stage(restApiId=api.id, stageName="prod")
    assert (stage["deploymentId"], stage["canarySettings"]["deploymentId"]) == (deployment, canary)
    tags = [api.get("prod", "/hello")[1] for _ in range(40)]
    assert tags.count("one") > 6 and tags.count("two") > 6
    assert refused(api.rest.delete_deployment, restApiId=api.id, deploymentId=canary)[0] == 400
    api.rest.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
            {"op": "remove", "path": "/canarySettings"},
        ],
    )
    assert {api.get("prod", "/hello") for _ in range(10)} == {(200, "two")}


def test_permission_is_needed_for_exactly_the_alias(api):
    api.aws.lam.create_alias(FunctionName=api.function, Name="test", FunctionVersion="1")
    api.route("hello", "${stageVariables.alias}")
    deployment = api.deploy()
    api.stage("test", deployment, variables={"alias": "test"})
    error = (500, '{"message": "Internal server error"}')
    assert api.get("test", "/hello") == error
    api.aws.allow(api.function, None)
    assert api.get("test", "/hello") == error
    api.aws.allow(
        api.function,
        "test",
        source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/prod/GET/hello",
    )
    assert api.get("test", "/hello") == error
    api.aws.allow(
        api.function,
        "test",
        source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/test/GET/hello",
    )
    assert api.get("test", "/hello") == (200, "one")


def test_missing_alias_answers_500(api):
    api.route("hello", "${stageVariables.alias}")
    api.stage("dev", api.deploy(), variables={"alias": "gone"})
    assert api.get("dev", "/hello")[0] == 500


def test_authorizer_by_stage_variable(api, aws):
    function = aws.function(files={"index.js": AUTHORIZER})
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    authorizer = api.rest.create_authorizer(
        restApiId=api.id,
        name="a",
        type="TOKEN",
        identitySource="method.request.header.Authorization",
        authorizerResultTtlInSeconds=0,
        authorizerUri=invocation_uri(function_arn(function, "${stageVariables.alias}")),
    )["id"]
    api.route("secret", "dev", authorizationType="CUSTOM", authorizerId=authorizer)
    api.stage("dev", api.deploy(), variables={"alias": "dev"})
    good = {"headers": {"Authorization": "good"}}
    assert api.get("dev", "/secret", **good)[0] == 500
    aws.allow(
        function,
        "dev",
        source=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/authorizers/{authorizer}",
    )
    assert api.get("dev", "/secret", **good) == (200, "one")
    assert api.get("dev", "/secret", headers={"Authorization": "bad"})[0] == 403
    assert api.get("dev", "/secret")[0] == 401
    # The authorizer is part of the snapshot.
    api.rest.delete_authorizer(restApiId=api.id, authorizerId=authorizer)
    assert api.get("dev", "/secret", **good) == (200, "one")


def test_lambda_integration_needs_the_permission_too(api):
    resource = api.rest.create_resource(restApiId=api.id, parentId=api.root, pathPart="plain")["id"]
    api.rest.put_method(
        restApiId=api.id, resourceId=resource, httpMethod="GET", authorizationType="NONE"
    )
    api.rest.put_integration(
        restApiId=api.id,
        resourceId=resource,
        httpMethod="GET",
        type="AWS",
        integrationHttpMethod="POST",
        uri=api.uri("dev"),
    )
    api.stage("dev", api.deploy())
    answer = api.aws.cloud.get(f"/restapis/{api.id}/dev/_user_request_/plain")
    assert answer.status_code == 200 and "statusCode" in answer.json()
    api.aws.lam.remove_permission(
        FunctionName=api.function,
        Qualifier="dev",
        StatementId=json.loads(
            api.aws.lam.get_policy(FunctionName=api.function, Qualifier="dev")["Policy"]
        )["Statement"][0]["Sid"],
    )
    assert api.aws.cloud.get(f"/restapis/{api.id}/dev/_user_request_/plain").status_code == 500


def test_methods_only_when_asked_for(api):
    api.route("hello", "dev")
    plain = {item["path"]: item for item in api.rest.get_resources(restApiId=api.id)["items"]}
    assert plain["/hello"]["resourceMethods"] == {"GET": {}}
    assert "resourceMethods" not in plain["/"] and "parentId" not in plain["/"]
    embedded = {
        item["path"]: item
        for item in api.rest.get_resources(restApiId=api.id, embed=["methods"])["items"]
    }
    method = embedded["/hello"]["resourceMethods"]["GET"]
    assert (method["httpMethod"], method["authorizationType"], method["apiKeyRequired"]) == (
        "GET",
        "NONE",
        False,
    )
    assert method["methodIntegration"]["uri"] == api.uri("dev")


def test_export_shows_what_the_stage_serves(api):
    api.route("hello", "dev")
    api.stage("dev", api.deploy())
    api.route("later", "dev")
    export = api.rest.get_export(restApiId=api.id, stageName="dev", exportType="oas30")[
        "body"
    ].read()
    assert set(json.loads(export)["paths"]) == {"/hello"}


def test_every_url_form(api):
    api.route("hello", "dev")
    api.stage("dev", api.deploy())
    get = api.aws.cloud.get
    assert get(f"/_aws/execute-api/{api.id}/dev/hello").status_code == 200
    assert get("/dev/hello", host=f"{api.id}.execute-api.localhost").status_code == 200


def test_integration_responses_choose_by_error_message(api, aws):
    code = """exports.handler = async event => {
      if ((event.queryStringParameters || {}).bad) throw new Error('[404] gone');
      return {a: 1};
    };"""
    function = aws.function(files={"index.js": code})
    aws.allow(function, None)
    responses = {
        "default": {
            "statusCode": "200",
            "responseParameters": {
                "method.response.header.X-Literal": "'v'",
                "method.response.header.X-A": "integration.response.body.a",
            },
        },
        r"[\s\S]*\[404\][\s\S]*": {
            "statusCode": "404",
            "responseTemplates": {"application/json": '{"m":"$input.path(\'$.errorMessage\')"}'},
        },
    }
    document = {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/p": {
                "get": {
                    "responses": {},
                    "x-amazon-apigateway-integration": {
                        "type": "aws",
                        "httpMethod": "POST",
                        "uri": invocation_uri(function_arn(function)),
                        "responses": responses,
                    },
                }
            }
        },
    }
    api.rest.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(document).encode())
    api.stage("dev", api.deploy())
    good = aws.cloud.get(f"/restapis/{api.id}/dev/_user_request_/p")
    assert (good.status_code, good.json()) == (200, {"a": 1})
    assert (good.headers["X-Literal"], good.headers["X-A"]) == ("v", "1")
    bad = aws.cloud.get(f"/restapis/{api.id}/dev/_user_request_/p?bad=1")
    assert (bad.status_code, bad.json()) == (404, {"m": "[404] gone"})


def test_one_variable_below_a_part(api):
    """Also when CloudFormation renames it: the new one is made before the old one goes."""

    def template(*parts):
        resources = {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": name("api")}}
        }
        for number, part in enumerate(parts):
            resources[f"Part{number}"] = {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": part,
                },
            }
        return resources

    said = (
        "A sibling ({id}) of this resource already has a variable path part -- only one is allowed"
    )
    api.rest.create_resource(restApiId=api.id, parentId=api.root, pathPart="{id}")
    api.rest.create_resource(restApiId=api.id, parentId=api.root, pathPart="plain")
    for part in ("{name}", "{proxy+}"):
        assert refused(
            api.rest.create_resource, restApiId=api.id, parentId=api.root, pathPart=part
        ) == (400, "BadRequestException", said)
    both, one = name("stack"), name("stack")
    status, reason = api.aws.create(both, template("{id}", "{proxy+}"))
    assert status == "ROLLBACK_COMPLETE" and "already has a variable path part" in reason
    assert api.aws.create(one, template("{id}", "plain"))[0] == "CREATE_COMPLETE"
    status, reason = api.aws.update(one, template("{name}", "plain"))
    assert status == "UPDATE_ROLLBACK_COMPLETE" and said in reason
    assert api.aws.update(one, template("{id}", "other"))[0] == "UPDATE_COMPLETE"


def test_stages_log_with_the_role_of_the_account(aws):
    """Refused by the API and in stacks until the account has one; HTTP APIs need none."""
    message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
    stack, api = name("s"), Api(aws)
    api.route("a", "dev")
    deployment = api.deploy()
    api.stage("dev", deployment)
    web = aws.http.create_api(
        Name=name("ws"), ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    plain = aws.http.create_api(Name=name("http"), ProtocolType="HTTP")["ApiId"]
    access = {
        "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:x",
        "Format": "$context",
    }

    def rest_stage(**settings):
        properties = {
            "RestApiId": api.id,
            "StageName": "new",
            "DeploymentId": deployment,
            **settings,
        }
        return {"S": {"Type": "AWS::ApiGateway::Stage", "Properties": properties}}

    def stage_of(owner, stage):
        properties = {"ApiId": owner, "StageName": stage, "AccessLogSettings": access}
        return {"S": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": properties}}

    logged = [{"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "ERROR"}]
    assert aws.create(stack, rest_stage(TracingEnabled=True))[0] == "CREATE_COMPLETE"
    for wanted in (rest_stage(AccessLogSetting=access), rest_stage(MethodSettings=logged)):
        status, reason = aws.update(stack, wanted)
        assert status == "UPDATE_ROLLBACK_COMPLETE" and message in reason
    status, reason = aws.create(name("s"), stage_of(web, "new"))
    assert status == "ROLLBACK_COMPLETE" and message in reason
    assert aws.create(name("s"), stage_of(plain, "new")) == ("CREATE_COMPLETE", "")
    for path, value in (
        ("/accessLogSettings/destinationArn", "arn:x"),
        ("/*/*/logging/loglevel", "INFO"),
    ):
        with pytest.raises(Exception, match=message):
            api.patch("dev", ("replace", path, value))
    api.patch("dev", ("replace", "/*/*/logging/loglevel", "OFF"))
    settings = {"DefaultRouteSettings": {"LoggingLevel": "INFO"}}
    assert refused(aws.http.create_stage, ApiId=web, StageName="a", **settings)[2] == message

    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::1:role/logs"}
    try:
        aws.rest.update_account(patchOperations=[role])
        assert aws.update(stack, rest_stage(MethodSettings=logged)) == ("UPDATE_COMPLETE", "")
        aws.http.create_stage(ApiId=web, StageName="a", **settings)
    finally:
        aws.rest.update_account(patchOperations=[{**role, "op": "remove"}])


def test_a_custom_domain_of_any_account(aws, cloud):
    other = cloud.client("apigateway", credentials=("700000000099", cloud.secret, None))
    domain = f"{name('www')}.example.test"
    api = other.create_rest_api(name=domain)["id"]
    root = other.get_resources(restApiId=api)["items"][0]["id"]
    at = dict(restApiId=api, resourceId=root, httpMethod="GET")
    other.put_method(**at, authorizationType="NONE")
    other.put_integration(**at, type="MOCK", requestTemplates={"application/json": "{}"})
    other.put_integration_response(**at, statusCode="200")
    other.put_method_response(**at, statusCode="200")
    other.create_deployment(restApiId=api, stageName="live")
    other.create_domain_name(
        domainName=domain,
        regionalCertificateArn="arn:aws:acm:us-east-1:1:certificate/x",
        endpointConfiguration={"types": ["REGIONAL"]},
    )
    other.create_base_path_mapping(domainName=domain, basePath="v1", restApiId=api, stage="live")
    assert cloud.get("/v1/", host=domain).status_code == 200
    assert cloud.get("/v2/", host=domain).status_code != 200
