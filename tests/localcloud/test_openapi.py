"""PutRestApi, ImportRestApi, ImportApi, ReimportApi."""

import json

import pytest

from cloud import function_arn, invocation_uri, name, refused


def document(paths=None, **sections):
    return {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "3"},
        "paths": paths or {},
        **sections,
    }


def operation(uri="arn:aws:apigateway:us-east-1:lambda:path/x", **more):
    return {
        "responses": {},
        "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": uri},
        **more,
    }


@pytest.fixture
def api(aws):
    return aws.rest.create_rest_api(name=name("api"), tags={"a": "1"})["id"]


def put(aws, api, doc, mode="overwrite", **kwargs):
    body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
    return aws.rest.put_rest_api(restApiId=api, mode=mode, body=body, **kwargs)


def methods(aws, api):
    """``{path: {METHOD: method}}``"""
    items = aws.rest.get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    return {item["path"]: item.get("resourceMethods", {}) for item in items}


def root_of(aws, api):
    items = aws.rest.get_resources(restApiId=api)["items"]
    return next(item["id"] for item in items if item["path"] == "/")


def test_overwrite_keeps_what_is_not_definition(aws, api):
    root = root_of(aws, api)
    put(aws, api, document({"/old": {"get": operation()}}))
    deployment = aws.rest.create_deployment(restApiId=api)["id"]
    aws.rest.create_stage(
        restApiId=api, stageName="dev", deploymentId=deployment, variables={"A": "b"}
    )
    answer = put(aws, api, document({"/new": {"get": operation()}}))
    assert (answer["id"], answer["name"], answer["version"], answer["tags"]) == (
        api,
        "imported",
        "3",
        {"a": "1"},
    )
    assert set(methods(aws, api)) == {"/", "/new"}
    assert root_of(aws, api) == root
    stage = aws.rest.get_stage(restApiId=api, stageName="dev")
    assert (stage["deploymentId"], stage["variables"]) == (deployment, {"A": "b"})
    assert [entry["id"] for entry in aws.rest.get_deployments(restApiId=api)["items"]] == [
        deployment
    ]


def test_merge_adds_and_replaces(aws, api):
    put(
        aws,
        api,
        document(
            {"/a": {"get": operation("arn:1"), "post": operation()}},
            **{"x-amazon-apigateway-binary-media-types": ["image/png"]},
        ),
    )
    put(
        aws,
        api,
        document(
            {"/a": {"get": operation("arn:2")}, "/b": {"put": operation()}},
            **{"x-amazon-apigateway-binary-media-types": ["image/gif"]},
        ),
        mode="merge",
    )
    found = methods(aws, api)
    assert {path: set(verbs) for path, verbs in found.items()} == {
        "/": set(),
        "/a": {"GET", "POST"},
        "/b": {"PUT"},
    }
    assert found["/a"]["GET"]["methodIntegration"]["uri"] == "arn:2"
    assert aws.rest.get_rest_api(restApiId=api)["binaryMediaTypes"] == ["image/png", "image/gif"]


def test_overwrite_is_idempotent(aws, api):
    doc = document({"/a/{id}": {"x-amazon-apigateway-any-method": operation()}})

    def resources():
        items = aws.rest.get_resources(restApiId=api, embed=["methods"])["items"]
        return sorted(items, key=lambda item: item["path"])

    put(aws, api, doc)
    before = resources()
    put(aws, api, doc)
    assert resources() == before


def test_integration_members(aws, api):
    integration = {
        "type": "aws",
        "httpMethod": "POST",
        "uri": "arn:x",
        "credentials": "arn:aws:iam::0:role/r",
        "timeoutInMillis": 5000,
        "passthroughBehavior": "never",
        "contentHandling": "CONVERT_TO_TEXT",
        "cacheNamespace": "ns",
        "cacheKeyParameters": ["method.request.querystring.q"],
        "requestParameters": {"integration.request.header.h": "'v'"},
        "requestTemplates": {"application/json": "{}"},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": {"method.response.header.h": "'v'"},
                "responseTemplates": {"application/json": "ok"},
            },
            ".*bad.*": {"statusCode": "400"},
        },
    }
    responses = {
        "200": {
            "description": "ok",
            "headers": {"h": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
        }
    }
    put(
        aws,
        api,
        document(
            {
                "/x/{id}": {
                    "post": {
                        "operationId": "makeX",
                        "responses": responses,
                        "x-amazon-apigateway-integration": integration,
                        "parameters": [
                            {"name": "q", "in": "query", "required": True},
                            {"name": "id", "in": "path", "required": True},
                        ],
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/Thing"}
                                }
                            }
                        },
                        "x-amazon-apigateway-request-validator": "all",
                    }
                }
            },
            **{
                "components": {"schemas": {"Thing": {"type": "object", "required": ["a"]}}},
                "x-amazon-apigateway-request-validators": {
                    "all": {"validateRequestBody": True, "validateRequestParameters": True}
                },
            },
        ),
    )
    method = methods(aws, api)["/x/{id}"]["POST"]
    found = method["methodIntegration"]
    assert {
        key: found[key]
        for key in (
            "type",
            "httpMethod",
            "uri",
            "credentials",
            "timeoutInMillis",
            "passthroughBehavior",
            "contentHandling",
            "cacheNamespace",
            "cacheKeyParameters",
            "requestParameters",
            "requestTemplates",
        )
    } == {
        **{
            key: integration[key]
            for key in (
                "httpMethod",
                "uri",
                "credentials",
                "timeoutInMillis",
                "contentHandling",
                "cacheNamespace",
                "cacheKeyParameters",
                "requestParameters",
                "requestTemplates",
            )
        },
        "type": "AWS",
        "passthroughBehavior": "NEVER",
    }
    assert found["integrationResponses"]["400"]["selectionPattern"] == ".*bad.*"
    assert "selectionPattern" not in found["integrationResponses"]["200"]
    assert method["operationName"] == "makeX"
    assert method["requestParameters"] == {
        "method.request.querystring.q": True,
        "method.request.path.id": True,
    }
    assert method["requestModels"] == {"application/json": "Thing"}
    assert method["methodResponses"]["200"]["responseModels"] == {"application/json": "Thing"}
    assert method["methodResponses"]["200"]["responseParameters"] == {
        "method.response.header.h": False
    }
    validators = aws.rest.get_request_validators(restApiId=api)["items"]
    assert [(v["name"], v["id"] == method["requestValidatorId"]) for v in validators] == [
        ("all", True)
    ]
    assert json.loads(aws.rest.get_model(restApiId=api, modelName="Thing")["schema"])[
        "required"
    ] == ["a"]


def test_security(aws, api):
    schemes = {
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        "iam": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "token": {
            "type": "apiKey",
            "name": "X-Token",
            "in": "header",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "token",
                "authorizerUri": "arn:auth",
                "authorizerResultTtlInSeconds": 7,
                "identityValidationExpression": "x.*",
            },
        },
        "pool": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": ["arn:pool"],
            },
        },
    }
    paths = {
        f"/{name_}": {"get": operation(security=[{name_: ["s"] if name_ == "pool" else []}])}
        for name_ in schemes
    }
    paths["/both"] = {"get": operation(security=[{"token": [], "key": []}])}
    paths["/open"] = {"get": operation()}
    put(aws, api, document(paths, components={"securitySchemes": schemes}, security=[{"key": []}]))
    found = {path: verbs["GET"] for path, verbs in methods(aws, api).items() if verbs}
    assert found["/key"]["apiKeyRequired"] is True
    assert found["/iam"]["authorizationType"] == "AWS_IAM"
    assert (found["/token"]["authorizationType"], found["/pool"]["authorizationType"]) == (
        "CUSTOM",
        "COGNITO_USER_POOLS",
    )
    assert found["/pool"]["authorizationScopes"] == ["s"]
    assert (found["/both"]["authorizationType"], found["/both"]["apiKeyRequired"]) == (
        "CUSTOM",
        True,
    )
    assert (found["/open"]["authorizationType"], found["/open"]["apiKeyRequired"]) == (
        "NONE",
        False,
    )
    token = aws.rest.get_authorizer(restApiId=api, authorizerId=found["/token"]["authorizerId"])
    assert (
        token["name"],
        token["type"],
        token["authorizerUri"],
        token["identitySource"],
        token["authorizerResultTtlInSeconds"],
        token["identityValidationExpression"],
    ) == ("token", "TOKEN", "arn:auth", "method.request.header.X-Token", 7, "x.*")
    # The authorizer keeps its id, so that permissions for it stay valid.
    put(aws, api, document(paths, components={"securitySchemes": schemes}))
    assert token["id"] in {
        entry["id"] for entry in aws.rest.get_authorizers(restApiId=api)["items"]
    }


def test_api_properties(aws, api):
    policy = {"Version": "2012-10-17", "Statement": []}
    put(
        aws,
        api,
        document(
            **{
                "x-amazon-apigateway-policy": policy,
                "x-amazon-apigateway-binary-media-types": ["image/*"],
                "x-amazon-apigateway-api-key-source": "AUTHORIZER",
                "x-amazon-apigateway-minimum-compression-size": 100,
                "servers": [
                    {
                        "url": "/",
                        "x-amazon-apigateway-endpoint-configuration": {
                            "disableExecuteApiEndpoint": True
                        },
                    }
                ],
                "x-amazon-apigateway-gateway-responses": {
                    "DEFAULT_4XX": {
                        "statusCode": 418,
                        "responseParameters": {"gatewayresponse.header.a": "'b'"},
                        "responseTemplates": {"application/json": "{}"},
                    }
                },
            }
        ),
    )
    found = aws.rest.get_rest_api(restApiId=api)
    assert (
        found["binaryMediaTypes"],
        found["apiKeySource"],
        found["minimumCompressionSize"],
        found["disableExecuteApiEndpoint"],
    ) == (["image/*"], "AUTHORIZER", 100, True)
    assert json.loads(json.loads(f'"{found["policy"]}"')) == policy
    assert (
        aws.rest.get_gateway_response(restApiId=api, responseType="DEFAULT_4XX")["statusCode"]
        == "418"
    )
    put(aws, api, document())
    found = aws.rest.get_rest_api(restApiId=api)
    assert (found.get("binaryMediaTypes"), found["apiKeySource"], found.get("policy")) == (
        [],
        "HEADER",
        None,
    )
    assert (
        aws.rest.get_gateway_response(restApiId=api, responseType="DEFAULT_4XX")["defaultResponse"]
        is True
    )


def test_warnings_fail_when_asked(aws, api):
    put(aws, api, document({"/a": {"get": operation()}}))
    bad = document({"/b": {"get": operation(security=[{"nobody": []}])}})
    status, code, message = refused(
        aws.rest.put_rest_api,
        restApiId=api,
        mode="overwrite",
        failOnWarnings=True,
        body=json.dumps(bad).encode(),
    )
    assert (status, code) == (400, "BadRequestException")
    assert message == "Warnings found during import:\n\tSecurity scheme 'nobody' is not defined"
    assert set(methods(aws, api)) == {"/", "/a"}
    assert put(aws, api, bad)["warnings"] == ["Security scheme 'nobody' is not defined"]
    assert set(methods(aws, api)) == {"/", "/b"}


@pytest.mark.parametrize(
    "doc, text",
    [
        (b"{not json or yaml: [", "Unable to parse"),
        (b"{}", "Invalid OpenAPI input"),
        ({"openapi": "3.0.1", "info": {}, "paths": {}}, "info.title is missing"),
        (
            document({"/a": {"get": {"x-amazon-apigateway-integration": {"type": "bogus"}}}}),
            "Invalid integration type",
        ),
        (
            document({"/a": {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy"}}}}),
            "Invalid HTTP endpoint",
        ),
        (document({"/a b": {"get": operation()}}), "path part only allow"),
        (document({"/{all+}/b": {"get": operation()}}), "greedy"),
        (
            document({"/u/{id}": {"get": operation()}, "/u/{user}/posts": {"get": operation()}}),
            "A sibling ({id}) of this resource already has a variable path part",
        ),
        (
            document({"/u/{id}": {"get": operation()}, "/u/{proxy+}": {"get": operation()}}),
            "A sibling ({id}) of this resource already has a variable path part",
        ),
        (
            document({f"/p{i}": {"get": operation()} for i in range(300)}),
            "Maximum number of resources",
        ),
    ],
)
def test_refused_documents_change_nothing(aws, api, doc, text):
    put(aws, api, document({"/kept": {"get": operation()}}))
    status, code, message = refused(
        aws.rest.put_rest_api,
        restApiId=api,
        mode="overwrite",
        body=doc if isinstance(doc, bytes) else json.dumps(doc).encode(),
    )
    assert (status, code) == (400, "BadRequestException") and text in message
    assert set(methods(aws, api)) == {"/", "/kept"}


def test_models_lose_keywords_in_an_import(aws, api):
    """Amazon API Gateway important notes; an update of the model takes all of them."""
    schema = {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "oneOf": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
            "b": {"type": "number", "minimum": 1, "exclusiveMinimum": True, "readOnly": True},
            "c": {"anyOf": [{"type": "string"}, {"type": "number"}]},
        },
    }
    paths = {"/a": {"get": operation()}}
    put(aws, api, document(paths, components={"schemas": {"Some": schema}}), failOnWarnings=True)

    def model():
        return json.loads(aws.rest.get_model(restApiId=api, modelName="Some")["schema"])

    assert model() == {
        "type": "object",
        "properties": {
            "oneOf": {"type": "array", "items": {"type": "string"}},
            "b": {"type": "number", "minimum": 1},
            "c": {},
        },
    }
    text = json.dumps(schema)
    change = [{"op": "replace", "path": "/schema", "value": text}]
    aws.rest.update_model(restApiId=api, modelName="Some", patchOperations=change)
    assert model() == schema
    for unknown in (
        {"type": ["string", "null"]},
        {"patternProperties": {"^x": {}}},
        {"definitions": {"x": {}}},
        {"properties": {"a": {"dependencies": {"b": ["c"]}}}},
    ):
        doc = document(paths, components={"schemas": {"Some": unknown}})
        assert "keyword" in refused(put, aws=aws, api=api, doc=doc, failOnWarnings=True)[2]


def test_overwrite_takes_vpc_endpoints_away(aws):
    made = aws.rest.create_rest_api(
        name=name("api"),
        endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]},
    )
    paths = {"/a": {"get": operation()}}

    def endpoints(doc, mode="overwrite"):
        return put(aws, made["id"], doc, mode)["endpointConfiguration"].get("vpcEndpointIds", [])

    extension = {"x-amazon-apigateway-endpoint-configuration": {"vpcEndpointIds": ["vpce-2"]}}
    server = [{"url": "/", **extension}]
    assert endpoints(document(paths), "merge") == ["vpce-1"]
    assert endpoints(document(paths, servers=server)) == ["vpce-2"]
    assert endpoints(document(paths)) == []


def test_lists_come_in_no_particular_order(aws, api):
    put(aws, api, document({f"/{part}": {"get": operation()} for part in "abcdefgh"}))
    seen = {
        tuple(item["path"] for item in aws.rest.get_resources(restApiId=api)["items"])
        for _ in range(20)
    }
    assert len(seen) > 1 and len({tuple(sorted(order)) for order in seen}) == 1


def test_yaml_and_swagger(aws, api):
    text = """
swagger: "2.0"
info: {title: old, version: "1"}
definitions: {M: {type: object}}
paths:
  /s:
    post:
      consumes: [application/json]
      parameters: [{in: body, name: body, schema: {$ref: "#/definitions/M"}}]
      responses: {"200": {description: ok, schema: {$ref: "#/definitions/M"}}}
      x-amazon-apigateway-integration: {type: mock}
"""
    put(aws, api, text.encode())
    method = methods(aws, api)["/s"]["POST"]
    assert method["requestModels"] == {"application/json": "M"}
    assert method["methodResponses"]["200"]["responseModels"] == {"application/json": "M"}


def test_import_rest_api(aws):
    made = aws.rest.import_rest_api(
        body=json.dumps(document({"/i": {"get": operation()}})).encode(),
        parameters={"endpointConfigurationTypes": "REGIONAL"},
    )
    assert made["name"] == "imported"
    assert set(methods(aws, made["id"])) == {"/", "/i"}
    before = len(aws.rest.get_rest_apis(limit=500)["items"])
    assert refused(aws.rest.import_rest_api, body=b"{}")[0] == 400
    assert len(aws.rest.get_rest_apis(limit=500)["items"]) == before


def test_missing_api(aws):
    assert refused(aws.rest.put_rest_api, restApiId="nothere", mode="overwrite", body=b"{}")[
        :2
    ] == (404, "NotFoundException")


# -- HTTP APIs -------------------------------------------------------------------------------------


def http_document(function):
    uri = invocation_uri(function_arn(function, "${stageVariables.alias}"))
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": uri,
        "payloadFormatVersion": "2.0",
    }
    return document(
        {
            "/a/{id}": {
                "get": {
                    "x-amazon-apigateway-integration": {
                        "$ref": "#/components/x-amazon-apigateway-integrations/f"
                    },
                    "security": [{"jwt": ["read"]}],
                }
            },
            "/b": {
                "x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}
            },
            "/$default": {
                "x-amazon-apigateway-any-method": {
                    "x-amazon-apigateway-integration": {
                        "$ref": "#/components/x-amazon-apigateway-integrations/f"
                    }
                }
            },
        },
        **{
            "components": {
                "x-amazon-apigateway-integrations": {"f": integration},
                "securitySchemes": {
                    "jwt": {
                        "type": "oauth2",
                        "x-amazon-apigateway-authorizer": {
                            "type": "jwt",
                            "identitySource": "$request.header.Authorization",
                            "jwtConfiguration": {"issuer": "https://i", "audience": ["a"]},
                        },
                    }
                },
            },
            "x-amazon-apigateway-cors": {"allowOrigins": ["*"], "allowMethods": ["GET"]},
        },
    )


def test_import_and_reimport_http_api(aws):
    function = aws.function()
    made = aws.http.import_api(Body=json.dumps(http_document(function)))
    api = made["ApiId"]
    assert (made["Name"], made["ProtocolType"], made["CorsConfiguration"]["AllowOrigins"]) == (
        "imported",
        "HTTP",
        ["*"],
    )
    routes = {route["RouteKey"]: route for route in aws.http.get_routes(ApiId=api)["Items"]}
    assert set(routes) == {"GET /a/{id}", "ANY /b", "$default"}
    assert routes["GET /a/{id}"]["AuthorizationType"] == "JWT"
    assert routes["GET /a/{id}"]["AuthorizationScopes"] == ["read"]
    assert (
        routes["GET /a/{id}"]["Target"]
        == routes["$default"]["Target"]
        != routes["ANY /b"]["Target"]
    )
    aws.http.create_stage(ApiId=api, StageName="dev", AutoDeploy=True)
    again = aws.http.reimport_api(ApiId=api, Body=json.dumps(document({"/only": {"get": {}}})))
    assert (again["ApiId"], again.get("CorsConfiguration")) == (api, None)
    assert [route["RouteKey"] for route in aws.http.get_routes(ApiId=api)["Items"]] == ["GET /only"]
    assert (
        aws.http.get_integrations(ApiId=api)["Items"]
        == aws.http.get_authorizers(ApiId=api)["Items"]
        == []
    )
    assert [stage["StageName"] for stage in aws.http.get_stages(ApiId=api)["Items"]] == ["dev"]


def test_reimport_replaces_tags(aws):
    http = aws.http
    api = http.create_api(Name=name("api"), ProtocolType="HTTP", Tags={"a": "1", "b": "2"})["ApiId"]
    doc = http_document(aws.function())
    http.reimport_api(ApiId=api, Body=json.dumps(doc))
    assert http.get_api(ApiId=api).get("Tags", {}) == {}
    doc["tags"] = [{"name": "c", "x-amazon-apigateway-tag-value": "3"}, {"name": "a word"}]
    http.reimport_api(ApiId=api, Body=json.dumps(doc))
    assert http.get_api(ApiId=api)["Tags"] == {"c": "3"}
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api}"
    assert http.get_tags(ResourceArn=arn)["Tags"] == {"c": "3"}


def test_refused_http_document_changes_nothing(aws):
    api = aws.http.import_api(Body=json.dumps(document({"/kept": {"get": {}}})))["ApiId"]
    bad = document({"/a": {"get": {"x-amazon-apigateway-integration": {"type": "aws"}}}})
    assert refused(aws.http.reimport_api, ApiId=api, Body=json.dumps(bad))[:2] == (
        400,
        "BadRequestException",
    )
    assert refused(aws.http.import_api, Body="{}")[:2] == (400, "BadRequestException")
    assert [route["RouteKey"] for route in aws.http.get_routes(ApiId=api)["Items"]] == ["GET /kept"]
