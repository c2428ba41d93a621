"""ImportApi and ReimportApi: an HTTP API from an OpenAPI 3.0 document.

What AWS does (API Gateway developer guide, "Working with OpenAPI definitions for HTTP APIs";
service model of API Gateway v2): the body is ``{"body": "<document>"}``; Reimport overwrites
routes, integrations, authorizers and CORS and keeps the API's id and stages; a route per operation,
the path ``/$default`` is the ``$default`` route. The document's tags
(``x-amazon-apigateway-tag-value``) take the place of all that the API has but those of ``aws:``
(hashicorp/terraform-provider-aws#40506 and its ``reimportOpenAPIDefinition``, which sets them
again). MiniStack answers 404 to both.

Without it fails: ``test_openapi.py::test_import_and_reimport_http_api``
"""

import json

from ministack.services import apigateway as http

from troupe_cloud.apigateway import openapi_document as openapi
from troupe_cloud.apigateway.openapi_document import ImportProblem
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed

require(
    http,
    "_apis",
    "_routes",
    "_integrations",
    "_authorizers",
    "_create_api",
    "_create_route",
    "_create_integration",
    "_create_authorizer",
    "_apigw_response",
    "_delete_api",
    "_api_arn",
    "_api_tags",
)

EXTENSION = "x-amazon-apigateway-"
CORS_FIELDS = (
    "allowOrigins",
    "allowMethods",
    "allowHeaders",
    "exposeHeaders",
    "maxAge",
    "allowCredentials",
)


def bad_request(message):
    return http._apigw_error("BadRequestException", message, 400)


def made(response):
    """The record a create call answered; its refusal refuses the document."""
    if failed(response):
        raise ImportProblem((body_of(response) or {}).get("message", "invalid API definition"))
    return body_of(response)


def authorizer_request(name, scheme):
    wanted = scheme.get(EXTENSION + "authorizer") or {}
    kind = str(wanted.get("type") or "").lower()
    source = wanted.get("identitySource")
    sources = (
        source
        if isinstance(source, list)
        else [part.strip() for part in str(source or "").split(",") if part]
    )
    request = {"name": name, "identitySource": sources}
    if kind == "jwt":
        jwt = wanted.get("jwtConfiguration") or {}
        request.update(
            authorizerType="JWT",
            jwtConfiguration={
                "issuer": jwt.get("issuer"),
                "audience": list(jwt.get("audience") or []),
            },
        )
    elif kind == "request":
        request.update(
            authorizerType="REQUEST",
            authorizerUri=wanted.get("authorizerUri"),
            authorizerPayloadFormatVersion=str(
                wanted.get("authorizerPayloadFormatVersion") or "1.0"
            ),
            enableSimpleResponses=bool(wanted.get("enableSimpleResponses", False)),
            authorizerResultTtlInSeconds=int(wanted.get("authorizerResultTtlInSeconds") or 0),
        )
        if wanted.get("authorizerCredentials"):
            request["authorizerCredentialsArn"] = wanted["authorizerCredentials"]
    else:
        raise ImportProblem(f"Unsupported authorizer type '{wanted.get('type')}' for '{name}'")
    return request


def read_authorizers(api_id, document):
    """Scheme name -> what a route of it says."""
    found = {}
    for name, scheme in openapi.security_schemes(document).items():
        if EXTENSION + "authorizer" in scheme:
            record = made(http._create_authorizer(api_id, authorizer_request(name, scheme)))
            kind = "JWT" if record["authorizerType"] == "JWT" else "CUSTOM"
            found[name] = {"authorizationType": kind, "authorizerId": record["authorizerId"]}
        elif str(scheme.get(EXTENSION + "authtype")).lower() == "awssigv4":
            found[name] = {"authorizationType": "AWS_IAM"}
    return found


def integration_request(document, operation):
    wanted = openapi.dereference(document, operation.get(openapi.INTEGRATION))
    if not wanted:
        return None
    kind = str(wanted.get("type") or "").upper()
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise ImportProblem(
            f"Unsupported integration type '{wanted.get('type')}'. HTTP APIs support AWS_PROXY and "
            "HTTP_PROXY"
        )
    request = {
        "integrationType": kind,
        "integrationUri": wanted.get("uri", ""),
        "integrationMethod": wanted.get("httpMethod") or "POST",
        "payloadFormatVersion": str(wanted.get("payloadFormatVersion") or "1.0"),
        "timeoutInMillis": int(wanted.get("timeoutInMillis") or 30000),
        "connectionType": str(wanted.get("connectionType") or "INTERNET").upper(),
    }
    for key, field in (
        ("credentials", "credentialsArn"),
        ("connectionId", "connectionId"),
        ("requestParameters", "requestParameters"),
        ("responseParameters", "responseParameters"),
    ):
        if wanted.get(key):
            request[field] = wanted[key]
    return request


def route_request(path, method, operation, schemes):
    key = "$default" if path == "/$default" else f"{method} {path}"
    request = {"routeKey": key, "operationName": operation.get("operationId", "")}
    for requirement in operation.get("security") or []:
        for name, scopes in requirement.items():
            if name in schemes:
                request.update(schemes[name])
                if scopes and schemes[name]["authorizationType"] == "JWT":
                    request["authorizationScopes"] = list(scopes)
    return request


def read_routes(api_id, document, schemes):
    """One integration per distinct request, shared by the routes that name it by ``$ref``."""
    integrations = {}
    for path, method, operation, _ in openapi.operations(document):
        request = route_request(path, method, operation, schemes)
        wanted = integration_request(document, operation)
        if wanted:
            shared = (
                isinstance(operation.get(openapi.INTEGRATION), dict)
                and "$ref" in operation[openapi.INTEGRATION]
            )
            key = json.dumps(wanted, sort_keys=True) if shared else object()
            if key not in integrations:
                integrations[key] = made(http._create_integration(api_id, wanted))["integrationId"]
            request["target"] = f"integrations/{integrations[key]}"
        made(http._create_route(api_id, request))


def put_api(api_id, document):
    """Overwrite the definition of an HTTP API; the old one stays if the document is refused."""
    api = http._apis.get(api_id)
    if api is None:
        return http._api_not_found(api_id)
    if api.get("protocolType") != "HTTP":
        return bad_request("Only HTTP APIs can be imported")
    stores = (http._routes, http._integrations, http._authorizers)
    before = [store.get(api_id, {}) for store in stores]
    for store in stores:
        store[api_id] = {}
    try:
        read_routes(api_id, document, read_authorizers(api_id, document))
    except (ImportProblem, AttributeError, TypeError, ValueError) as problem:
        for store, old in zip(stores, before):
            store[api_id] = old
        return bad_request(f"Invalid OpenAPI definition: {problem}")
    info, cors = document.get("info") or {}, document.get(EXTENSION + "cors")
    api.update(
        name=str(info.get("title") or api["name"]),
        description=str(info.get("description") or ""),
        version=str(info.get("version") or ""),
    )
    replace_tags(api, document)
    api.pop("corsConfiguration", None)
    if cors:
        api["corsConfiguration"] = {key: cors[key] for key in CORS_FIELDS if key in cors}
    redeploy(api_id)
    return http._apigw_response(api, 201)


def replace_tags(api, document):
    tags = {key: value for key, value in (api.get("tags") or {}).items() if key.startswith("aws:")}
    for tag in document.get("tags") or []:
        if EXTENSION + "tag-value" in tag:
            tags[tag["name"]] = str(tag[EXTENSION + "tag-value"])
    api["tags"] = tags
    http._api_tags[http._api_arn(api["apiId"])] = dict(tags)


def redeploy(api_id):
    """Stages that deploy automatically get a deployment of the new definition."""
    from troupe_cloud.apigateway.http import deploy_automatically

    for stage in http._stages.get(api_id, {}).values():
        if stage.get("autoDeploy"):
            deploy_automatically(api_id, stage)


def import_api(body):
    document = openapi.parse(json.loads(body or b"{}").get("body") or "")
    api = made(http._create_api({"name": document["info"]["title"], "protocolType": "HTTP"}))
    response = put_api(api["apiId"], document)
    if failed(response):
        http._delete_api(api["apiId"])
    return response


def reimport_api(api_id, body):
    return put_api(api_id, openapi.parse(json.loads(body or b"{}").get("body") or ""))


@patch(http, "handle_request")
async def handle_request(original, method, path, headers, body, query_params):
    parts = [part for part in path.strip("/").split("/") if part]
    if method == "PUT" and parts[:2] == ["v2", "apis"] and len(parts) in (2, 3):
        try:
            return import_api(body) if len(parts) == 2 else reimport_api(parts[2], body)
        except (ImportProblem, ValueError) as problem:
            return bad_request(f"Invalid OpenAPI definition: {problem}")
    return await original(method, path, headers, body, query_params)
