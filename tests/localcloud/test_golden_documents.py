"""Golden OpenAPI documents are imported, and the API then consists of what the flat template would
make.

Two independent readers: the document was made by troupe from the reference's template; here the
same template is read again, and what PutRestApi made of the document is compared with it, method by
method.
"""

import json
import re
from pathlib import Path

import pytest

from cloud import name

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = sorted(
    path.stem for path in (GOLDEN / "openapi").glob("*.json") if not path.stem.endswith(".http")
)
HTTP_CASES = sorted(
    path.stem.removesuffix(".http") for path in (GOLDEN / "openapi").glob("*.http.json")
)
KNOWN = {
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "x",
}


def literal(value):
    """Intrinsic functions as text: any will do, so long as both sides get the same."""
    if isinstance(value, list):
        return [literal(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inside),) = value.items()
        if key == "Fn::Join":
            return inside[0].join(str(literal(part)) for part in inside[1])
        if key == "Ref":
            return KNOWN.get(inside, inside)
        if key == "Fn::Sub" and isinstance(inside, str):
            return re.sub(r"\$\{([\w:]+)\}", lambda match: KNOWN.get(match[1], match[1]), inside)
        if key.startswith("Fn::"):
            return re.sub(r"\W+", "-", json.dumps(inside))
    return {key: literal(inside) for key, inside in value.items()}


def with_stage_variable(value, resources):
    """References to functions as the document has them: through the stage variable of the alias."""
    if isinstance(value, list):
        return [with_stage_variable(item, resources) for item in value]
    if not isinstance(value, dict):
        return value
    target = (value.get("Fn::GetAtt") or [None])[0] if "Fn::GetAtt" in value else value.get("Ref")
    if isinstance(target, str) and resources.get(target, {}).get("Type", "").startswith(
        "AWS::Lambda::"
    ):
        return f"arn:aws:lambda:us-east-1:123456789012:function:{target}:${{stageVariables.alias}}"
    return {key: with_stage_variable(inside, resources) for key, inside in value.items()}


def path_of(resources, reference):
    if "Fn::GetAtt" in reference:
        return ""
    properties = resources[reference["Ref"]]["Properties"]
    return path_of(resources, properties["ParentId"]) + "/" + properties["PathPart"]


def templates(items):
    """Without empty ones, which give an empty body as none at all does."""
    return {key: text for key, text in (items or {}).items() if text}


def responses(items, pattern):
    return {
        (item.get(pattern) or "", str(item["StatusCode"])): (
            item.get("ResponseParameters") or {},
            templates(item.get("ResponseTemplates")),
        )
        for item in items or []
    }


def wanted(resources):
    """{(path, METHOD): what the template says of it}"""
    result = {}
    for resource in resources.values():
        if resource["Type"] != "AWS::ApiGateway::Method":
            continue
        method = resource["Properties"]
        integration = literal(with_stage_variable(method["Integration"], resources))
        # The dialect's own alias of a function with provisioned concurrency: the stage's takes its
        # place.
        integration["Uri"] = (
            re.sub(r"}:(provisioned|snapstart|durable)/", "}/", integration["Uri"])
            if "Uri" in integration
            else None
        )
        result[path_of(resources, method["ResourceId"]) or "/", method["HttpMethod"].upper()] = {
            "authorization": method["AuthorizationType"],
            "scopes": literal(method.get("AuthorizationScopes") or []),
            "key": method.get("ApiKeyRequired", False),
            "parameters": literal(method.get("RequestParameters") or {}),
            "models": sorted(method.get("RequestModels") or {}),
            "validated": "RequestValidatorId" in method,
            "statuses": sorted(
                str(item["StatusCode"]) for item in method.get("MethodResponses") or []
            ),
            "type": integration["Type"],
            "uri": integration.get("Uri"),
            "verb": integration.get("IntegrationHttpMethod"),
            "timeout": integration.get("TimeoutInMillis", 29000),
            "request": literal(integration.get("RequestParameters") or {}),
            "templates": literal(integration.get("RequestTemplates") or {}),
            "responses": responses(integration.get("IntegrationResponses"), "SelectionPattern"),
        }
    return result


def found(aws, api):
    result = {}
    for resource in aws.rest.get_resources(restApiId=api, embed=["methods"], limit=500)["items"]:
        for verb, method in resource.get("resourceMethods", {}).items():
            integration = method["methodIntegration"]
            answers = integration.get("integrationResponses") or {}
            result[resource["path"], verb] = {
                "authorization": method["authorizationType"],
                "scopes": method.get("authorizationScopes") or [],
                "key": method.get("apiKeyRequired", False),
                "parameters": method.get("requestParameters") or {},
                "models": sorted(method.get("requestModels") or {}),
                "validated": bool(method.get("requestValidatorId")),
                "statuses": sorted(method.get("methodResponses") or {}),
                "type": integration["type"],
                "uri": integration.get("uri"),
                "verb": integration.get("httpMethod"),
                "timeout": integration.get("timeoutInMillis", 29000),
                "request": integration.get("requestParameters") or {},
                "templates": integration.get("requestTemplates") or {},
                "responses": {
                    (item.get("selectionPattern") or "", item["statusCode"]): (
                        item.get("responseParameters") or {},
                        templates(item.get("responseTemplates")),
                    )
                    for item in answers.values()
                },
            }
    return result


def differences(got, want):
    return [
        f"{route} {member}: {got.get(route, {}).get(member)!r}, not"
        f" {want.get(route, {}).get(member)!r}"
        for route in sorted({*got, *want})
        for member in sorted({*got.get(route, {}), *want.get(route, {})})
        if got.get(route, {}).get(member) != want.get(route, {}).get(member)
    ]


def test_there_are_cases():
    assert len(CASES) >= 50 and len(HTTP_CASES) >= 20


@pytest.mark.parametrize("case", CASES)
def test_import(aws, case):
    resources = json.loads((GOLDEN / "compile" / case / "expected.json").read_text())["Resources"]
    document = literal(json.loads((GOLDEN / "openapi" / f"{case}.json").read_text()))
    for schema in document.get("components", {}).get("schemas", {}).values():
        schema.pop(
            "definitions", None
        )  # imports warn of it: troupe gives it to the model afterwards
    api = aws.rest.create_rest_api(name=name("api"))["id"]
    aws.rest.put_rest_api(
        restApiId=api, mode="overwrite", failOnWarnings=True, body=json.dumps(document).encode()
    )
    problems = differences(found(aws, api), wanted(resources))
    assert not problems, "\n".join(problems)
    authorizers = {item["name"]: item for item in aws.rest.get_authorizers(restApiId=api)["items"]}
    expected = {}
    for key, resource in resources.items():
        if resource["Type"] == "AWS::ApiGateway::Authorizer":
            properties = literal(with_stage_variable(resource["Properties"], resources))
            if "AuthorizerUri" in properties:
                properties["AuthorizerUri"] = re.sub(
                    r"}:(provisioned|snapstart|durable)/", "}/", properties["AuthorizerUri"]
                )
            expected[properties["Name"]] = properties
    assert set(authorizers) == set(expected)
    for key, properties in expected.items():
        assert authorizers[key]["type"] == properties["Type"]
        assert (authorizers[key].get("authorizerUri") or None) == properties.get("AuthorizerUri")
        assert (authorizers[key].get("identitySource") or None) == properties.get("IdentitySource")
        assert authorizers[key].get("authorizerResultTtlInSeconds", 300) == properties.get(
            "AuthorizerResultTtlInSeconds", 300
        )
    aws.rest.delete_rest_api(restApiId=api)


# -- HTTP APIs -------------------------------------------------------------------------------------


def authorizer_facts(properties):
    jwt = properties.get("JwtConfiguration") or {}
    return {
        "type": properties["AuthorizerType"],
        "source": properties.get("IdentitySource") or [],
        "uri": re.sub(
            r"}:(provisioned|snapstart|durable)/", "}/", properties.get("AuthorizerUri") or ""
        ),
        "payload": (
            properties.get("AuthorizerPayloadFormatVersion")
            if properties.get("AuthorizerUri")
            else None
        ),
        "simple": properties.get("EnableSimpleResponses", False),
        "ttl": (
            (properties.get("AuthorizerResultTtlInSeconds") or 0)
            if properties.get("AuthorizerUri")
            else None
        ),
        "issuer": jwt.get("Issuer"),
        "audience": jwt.get("Audience") or [],
    }


def integration_facts(properties):
    return {
        "type": properties["IntegrationType"],
        "uri": properties["IntegrationUri"],
        "payload": properties.get("PayloadFormatVersion", "1.0"),
        "timeout": properties.get("TimeoutInMillis", 30000),
        "credentials": properties.get("CredentialsArn"),
    }


def is_http(resource, kind):
    """A WebSocket API's parts have the same types."""
    return resource["Type"] == f"AWS::ApiGatewayV2::{kind}" and resource["Properties"].get(
        "ApiId"
    ) != {"Ref": "WebsocketsApi"}


def http_wanted(resources):
    """({route key: what the template says of it}, {name: authorizer})"""
    of_type = lambda kind: {
        key: r["Properties"] for key, r in resources.items() if is_http(r, kind)
    }
    integrations, authorizers, routes = {}, {}, {}
    for key, properties in of_type("Integration").items():
        facts = integration_facts(literal(with_stage_variable(properties, resources)))
        arn = re.sub(r"}:(provisioned|snapstart|durable)$", "}", facts["uri"])
        facts["uri"] = (
            f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
        )
        integrations[key] = facts
    for key, properties in of_type("Authorizer").items():
        authorizers[key] = authorizer_facts(literal(with_stage_variable(properties, resources)))
    for properties in of_type("Route").values():
        by = (properties.get("AuthorizerId") or {}).get("Ref")
        routes[properties["RouteKey"]] = {
            "integration": integrations[properties["Target"]["Fn::Join"][1][1]["Ref"]],
            "authorization": properties.get("AuthorizationType", "NONE"),
            "authorizer": by and resources[by]["Properties"]["Name"],
            "scopes": literal(properties.get("AuthorizationScopes") or []),
        }
    return routes, {
        resources[key]["Properties"]["Name"]: facts for key, facts in authorizers.items()
    }


def http_found(aws, api):
    integrations = {
        item["IntegrationId"]: integration_facts(item)
        for item in aws.http.get_integrations(ApiId=api, MaxResults="500")["Items"]
    }
    authorizers = {
        item["AuthorizerId"]: item for item in aws.http.get_authorizers(ApiId=api)["Items"]
    }
    routes = {
        item["RouteKey"]: {
            "integration": integrations[item["Target"].removeprefix("integrations/")],
            "authorization": item.get("AuthorizationType", "NONE"),
            "authorizer": item.get("AuthorizerId") and authorizers[item["AuthorizerId"]]["Name"],
            "scopes": item.get("AuthorizationScopes") or [],
        }
        for item in aws.http.get_routes(ApiId=api, MaxResults="500")["Items"]
    }
    return (
        routes,
        {item["Name"]: authorizer_facts(item) for item in authorizers.values()},
        len(integrations),
    )


@pytest.mark.parametrize("case", HTTP_CASES)
def test_import_http(aws, case):
    resources = json.loads((GOLDEN / "compile" / case / "expected.json").read_text())["Resources"]
    document = literal(json.loads((GOLDEN / "openapi" / f"{case}.http.json").read_text()))
    api = aws.http.create_api(Name=name("api"), ProtocolType="HTTP")["ApiId"]
    aws.http.reimport_api(ApiId=api, FailOnWarnings=True, Body=json.dumps(document))
    routes, authorizers, integrations = http_found(aws, api)
    wanted_routes, wanted_authorizers = http_wanted(resources)
    problems = differences(routes, wanted_routes) + differences(authorizers, wanted_authorizers)
    assert not problems, "\n".join(problems)
    assert integrations == sum(is_http(r, "Integration") for r in resources.values())
    aws.http.delete_api(ApiId=api)
