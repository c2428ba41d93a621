"""API Gateway stages, deployments and REST documents in templates: the rules of the API.

What AWS does (registry schemas ``AWS::ApiGateway::Stage``, ``::Deployment``, ``::RestApi``,
``AWS::ApiGatewayV2::Stage``, ``::Deployment``): the resources call the API, so a stage of a missing
deployment or of a taken name fails, a deployment that a stage points at is not deleted, a
deployment describes no stage that exists already, a stage can be imported, and a changed ``Body``
is put into the same API. MiniStack ignores what the API answers, makes a new API for a changed
Body, makes no request validators, writes v2 stages past the API and has no
``AWS::ApiGatewayV2::Deployment``.

Without it fails: ``test_cloudformation.py::test_api_body_in_a_stack``
"""

import json

from ministack.services import apigateway as http
from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import changesets, provisioners

from troupe_cloud.apigateway import openapi_http, openapi_import
from troupe_cloud.apigateway.http import route_taken
from troupe_cloud.apigateway.rest import canary_settings
from troupe_cloud.cloudformation.errors import handler_error, raise_if_failed
from troupe_cloud.patching import patch, patch_handler, require
from troupe_cloud.responses import body_of

require(
    provisioners,
    "_apigw_method_settings",
    "_tag_map",
    "_physical_name",
    "_apigw_rest_api_attrs",
    "_apigw_v2_stage_props",
    "_delete_predecessor",
    "_apigw_resource_delete",
)
require(changesets, "_IMPORT_LOOKUPS")


def lower_first(value):
    """CloudFormation's property names in the API's spelling (``DestinationArn`` ->
    ``destinationArn``).
    """
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_first(entry) for key, entry in value.items()}
    return value


# -- REST ------------------------------------------------------------------------------------------


@patch_handler("AWS::ApiGateway::Stage", "create")
def create_stage(_original, _logical_id, properties, _stack_name):
    api_id, name = properties.get("RestApiId", ""), properties.get("StageName", "")
    request = {
        "stageName": name,
        "deploymentId": properties.get("DeploymentId", ""),
        "description": properties.get("Description", ""),
        "variables": dict(properties.get("Variables") or {}),
        "methodSettings": provisioners._apigw_method_settings(properties.get("MethodSettings")),
        "tracingEnabled": properties.get("TracingEnabled", False),
        "accessLogSettings": lower_first(properties.get("AccessLogSetting") or {}),
        "cacheClusterEnabled": properties.get("CacheClusterEnabled", False),
        "cacheClusterSize": properties.get("CacheClusterSize"),
        "tags": provisioners._tag_map(properties.get("Tags")),
    }
    if properties.get("CanarySetting"):
        request["canarySettings"] = lower_first(properties["CanarySetting"])
    raise_if_failed(rest._create_stage(api_id, request), "ApiGateway")
    return name, {"StageName": name}


@patch_handler("AWS::ApiGateway::Stage", "update")
def update_stage(original, physical_id, old, new, stack_name):
    if any(new.get(key) != old.get(key) for key in ("RestApiId", "StageName")):
        return original(physical_id, old, new, stack_name)
    api_id, name = new.get("RestApiId", ""), new.get("StageName", "")
    raise_if_failed(rest._get_stage(api_id, name), "ApiGateway")
    if new.get("DeploymentId") != old.get("DeploymentId"):
        raise_if_failed(
            rest._update_stage(
                api_id,
                name,
                {
                    "patchOperations": [
                        {"op": "replace", "path": "/deploymentId", "value": new.get("DeploymentId")}
                    ]
                },
            ),
            "ApiGateway",
        )
    stage = rest._stages_v1.get(api_id, {}).get(name)
    if new.get("AccessLogSetting") != old.get("AccessLogSetting") and stage:
        stage["accessLogSettings"] = lower_first(new.get("AccessLogSetting") or {})
    if new.get("CanarySetting") != old.get("CanarySetting") and stage:
        canary = lower_first(new.get("CanarySetting") or {})
        stage.pop("canarySettings", None)
        if canary:
            stage["canarySettings"] = canary_settings(
                canary, canary.get("deploymentId") or stage["deploymentId"]
            )
    return original(physical_id, old, new, stack_name)


def describe_stage(properties):
    """``StageDescription``: settings of the stage that a deployment made."""
    described = properties.get("StageDescription")
    stage = rest._stages_v1.get(properties.get("RestApiId"), {}).get(properties.get("StageName"))
    if not stage or not isinstance(described, dict):
        return
    stage["tracingEnabled"] = described.get("TracingEnabled", False)
    stage["accessLogSettings"] = lower_first(described.get("AccessLogSetting") or {})
    stage["methodSettings"] = provisioners._apigw_method_settings(described.get("MethodSettings"))
    stage["cacheClusterEnabled"] = described.get("CacheClusterEnabled", False)
    if described.get("CacheClusterSize"):
        stage["cacheClusterSize"] = described["CacheClusterSize"]
    if described.get("Tags"):
        stage["tags"] = provisioners._tag_map(described["Tags"])


def refuse_description(properties):
    """``StageDescription`` is for a stage that the deployment makes (awsdocs/
    aws-cloudformation-user-guide#387).
    """
    name = properties.get("StageName")
    if properties.get("StageDescription") and name in rest._stages_v1.get(
        properties.get("RestApiId"), {}
    ):
        raise handler_error(
            "StageDescription cannot be specified when stage referenced by StageName already"
            " exists",
            "InvalidRequest",
        )


@patch_handler("AWS::ApiGateway::Deployment", "create")
def create_deployment(original, logical_id, properties, stack_name):
    refuse_description(properties)
    made = original(logical_id, properties, stack_name)
    describe_stage(properties)
    return made


@patch_handler("AWS::ApiGateway::Deployment", "update")
def update_deployment(original, physical_id, old, new, stack_name):
    """aws/serverless-application-model#168: the stage's name is fixed with the deployment."""
    if new.get("StageName") != old.get("StageName"):
        raise handler_error("StageName cannot be updated", "InvalidRequest")
    if new.get("StageDescription") != old.get("StageDescription"):
        refuse_description(new)
    return original(physical_id, old, new, stack_name)


@patch_handler("AWS::ApiGateway::Deployment", "delete")
def delete_deployment(_original, physical_id, properties):
    """A stage that the deployment itself made (``StageName``) goes with it; any other keeps it."""
    api_id = properties.get("RestApiId", "")
    own = rest._stages_v1.get(api_id, {}).get(properties.get("StageName"))
    if own and own.get("deploymentId") == physical_id:
        rest._delete_stage(api_id, properties["StageName"])
    if physical_id in rest._deployments_v1.get(api_id, {}):
        raise_if_failed(rest._delete_deployment(api_id, physical_id), "ApiGateway")


def import_stage(identifier):
    return identifier["StageName"], {"StageName": identifier["StageName"]}


def stage_import_problem(api_id, name):
    """Why a stage cannot be imported, or None."""
    if name in rest._stages_v1.get(api_id, {}):
        return None
    return f"Resource of type 'AWS::ApiGateway::Stage' with identifier '{name}' was not found"


provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Stage"]["import"] = import_stage
changesets._IMPORT_LOOKUPS["AWS::ApiGateway::Stage"] = (
    ("RestApiId", "StageName"),
    stage_import_problem,
)

# MiniStack makes up an id for a validator, and no validator.


def validator_settings(properties):
    """Boolean properties may come as text from parameters."""
    return {
        key: str(properties.get(key[:1].upper() + key[1:], False)).lower() == "true"
        for key in ("validateRequestBody", "validateRequestParameters")
    }


@patch_handler("AWS::ApiGateway::RequestValidator", "create")
def create_validator(_original, _logical_id, properties, _stack_name):
    request = {"name": properties.get("Name", ""), **validator_settings(properties)}
    made = body_of(
        raise_if_failed(
            rest._create_request_validator(properties.get("RestApiId", ""), request), "ApiGateway"
        )
    )
    return made["id"], {"RequestValidatorId": made["id"]}


@patch_handler("AWS::ApiGateway::RequestValidator", "update")
def update_validator(_original, physical_id, old, new, stack_name):
    if any(new.get(key) != old.get(key) for key in ("RestApiId", "Name")):
        return create_validator(None, physical_id, new, stack_name)
    validator = rest._request_validators.get(new.get("RestApiId", ""), {}).get(physical_id)
    if validator is not None:
        validator.update(validator_settings(new))
    return physical_id, {"RequestValidatorId": physical_id}


@patch_handler("AWS::ApiGateway::RequestValidator", "delete")
def delete_validator(_original, physical_id, properties):
    rest._delete_request_validator(properties.get("RestApiId", ""), physical_id)


def complete_method(properties):
    """What MiniStack drops of a method's properties."""
    resource = rest._resources.get(properties.get("RestApiId"), {}).get(
        properties.get("ResourceId")
    )
    method = (resource or {}).get("resourceMethods", {}).get(properties.get("HttpMethod"))
    if not method:
        return
    method["requestValidatorId"] = properties.get("RequestValidatorId")
    wanted = properties.get("Integration") or {}
    for key in ("ContentHandling", "ConnectionType", "ConnectionId"):
        if wanted.get(key) and method.get("methodIntegration"):
            method["methodIntegration"].update(lower_first({key: wanted[key]}))


# What another stack made stays: MiniStack's handlers do not look at the API's answer, and write
# methods and routes past the API.


@patch_handler("AWS::ApiGateway::Resource", "create")
def create_resource(original, logical_id, properties, stack_name):
    """What API Gateway refuses fails here; MiniStack's handler goes on without an id."""
    answer = rest._create_resource(
        properties.get("RestApiId", ""),
        properties.get("ParentId", ""),
        {"pathPart": properties.get("PathPart", "")},
    )
    made = body_of(raise_if_failed(answer, "ApiGateway"))["id"]
    return made, {"ResourceId": made}


@patch_handler("AWS::ApiGateway::Resource", "update")
def update_resource(original, physical_id, old, new, stack_name):
    """Every property replaces: the new one is made while the old one is there."""
    made = create_resource(None, physical_id, new, stack_name)
    provisioners._delete_predecessor(provisioners._apigw_resource_delete, physical_id, old)
    return made


@patch_handler("AWS::ApiGateway::Method", "create")
def create_method(original, logical_id, properties, stack_name):
    resource = rest._resources.get(properties.get("RestApiId"), {}).get(
        properties.get("ResourceId")
    )
    if properties.get("HttpMethod") in (resource or {}).get("resourceMethods", {}):
        taken = rest._v1_error("ConflictException", "Method already exists for this resource", 409)
        raise_if_failed(taken, "ApiGateway")
    made = original(logical_id, properties, stack_name)
    complete_method(properties)
    return made


@patch_handler("AWS::ApiGateway::Method", "update")
def update_method(original, physical_id, old, new, stack_name):
    changed = original(physical_id, old, new, stack_name)
    complete_method(new)
    return changed


@patch_handler("AWS::ApiGateway::RestApi", "create")
def create_rest_api(original, logical_id, properties, stack_name):
    """A Body is the document PutRestApi takes; the API's other properties apply as they are."""
    body = properties.get("Body")
    if not body:
        api_id, attributes = original(logical_id, properties, stack_name)
    else:
        api_id, attributes = original(
            logical_id,
            {
                **properties,
                "Body": None,
                "Name": properties.get("Name") or (body.get("info") or {}).get("title"),
            },
            stack_name,
        )
        put_body(api_id, properties)
    api = rest._rest_apis[api_id]
    api["endpointConfiguration"] = lower_first(properties.get("EndpointConfiguration")) or {
        "types": ["EDGE"]
    }
    for key, field in (
        ("ApiKeySourceType", "apiKeySource"),
        ("DisableExecuteApiEndpoint", "disableExecuteApiEndpoint"),
    ):
        if properties.get(key) is not None:
            api[field] = properties[key]
    return api_id, attributes


def put_body(api_id, properties):
    try:
        raise_if_failed(
            openapi_import.put_rest_api(
                api_id,
                json.dumps(properties["Body"]).encode(),
                "overwrite",
                bool(properties.get("FailOnWarnings")),
            ),
            "ApiGateway",
        )
    except Exception:
        rest._delete_rest_api(api_id)
        raise


@patch_handler("AWS::ApiGateway::RestApi", "update")
def update_rest_api(original, physical_id, old, new, stack_name, logical_id=None):
    """A changed Body is an overwrite of the same API, which keeps its id and stages."""
    if new.get("Body") and new.get("Body") != old.get("Body"):
        raise_if_failed(
            openapi_import.put_rest_api(
                physical_id,
                json.dumps(new["Body"]).encode(),
                "overwrite",
                bool(new.get("FailOnWarnings")),
            ),
            "ApiGateway",
        )
    result = original(
        physical_id, {**old, "Body": None}, {**new, "Body": None}, stack_name, logical_id
    )
    if new.get("EndpointConfiguration") != old.get("EndpointConfiguration"):
        rest._rest_apis[physical_id]["endpointConfiguration"] = lower_first(
            new.get("EndpointConfiguration")
        ) or {"types": ["EDGE"]}
    return result


# -- HTTP and WebSocket ----------------------------------------------------------------------------


@patch(provisioners, "_apigw_v2_stage_props")
def stage_properties(original, properties):
    """Settings of routes in the API's spelling; MiniStack keeps CloudFormation's, which nobody
    reads.
    """
    stage = original(properties)
    stage["defaultRouteSettings"] = lower_first(stage["defaultRouteSettings"])
    stage["routeSettings"] = {
        route: lower_first(settings) for route, settings in (stage["routeSettings"] or {}).items()
    }
    return stage


@patch_handler("AWS::ApiGatewayV2::Stage", "create")
def create_http_stage(_original, _logical_id, properties, _stack_name):
    request = {
        key: value
        for key, value in provisioners._apigw_v2_stage_props(properties).items()
        if value is not None
    }
    request.pop("lastUpdatedDate", None)
    request.update(
        stageName=properties.get("StageName", "$default"), tags=dict(properties.get("Tags") or {})
    )
    raise_if_failed(http._create_stage(properties.get("ApiId", ""), request), "ApiGatewayV2")
    return request["stageName"], {"StageName": request["stageName"]}


@patch_handler("AWS::ApiGatewayV2::Stage", "update")
def update_http_stage(original, physical_id, old, new, stack_name, logical_id=None):
    """UpdateStage merges variables: name the dropped ones, so that they go."""
    dropped = set(old.get("StageVariables") or {}) - set(new.get("StageVariables") or {})
    if dropped:
        new = {
            **new,
            "StageVariables": {**(new.get("StageVariables") or {}), **dict.fromkeys(dropped, "")},
        }
    stage = http._stages.get(new.get("ApiId", ""), {}).get(new.get("StageName", "$default")) or {}
    automatic = stage.get("deploymentId") if new.get("AutoDeploy") else None
    result = original(physical_id, old, new, stack_name, logical_id)
    if automatic:
        stage["deploymentId"] = automatic
    return result


def create_http_deployment(_logical_id, properties, _stack_name):
    request = {"description": properties.get("Description", "")}
    if properties.get("StageName"):
        request["stageName"] = properties["StageName"]
    response = raise_if_failed(
        http._create_deployment(properties.get("ApiId", ""), request), "ApiGatewayV2"
    )
    deployment_id = body_of(response)["deploymentId"]
    return deployment_id, {"DeploymentId": deployment_id}


def update_http_deployment(physical_id, old, new, stack_name, logical_id=None):
    """ApiId is create-only; description and stage change in place."""
    if new.get("ApiId") != old.get("ApiId"):
        created = create_http_deployment(logical_id, new, stack_name)
        provisioners._delete_predecessor(delete_http_deployment, physical_id, old)
        return created
    deployment = http._deployments.get(new.get("ApiId", ""), {}).get(physical_id)
    if deployment is not None:
        deployment["description"] = new.get("Description", "")
        stage = http._stages.get(new["ApiId"], {}).get(new.get("StageName"))
        if stage is not None:
            stage["deploymentId"] = physical_id
    return physical_id, {"DeploymentId": physical_id}


def delete_http_deployment(physical_id, properties):
    api_id = properties.get("ApiId", "")
    if physical_id in http._deployments.get(api_id, {}):
        raise_if_failed(http._delete_deployment(api_id, physical_id), "ApiGatewayV2")


provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Deployment"] = {
    "create": create_http_deployment,
    "update": update_http_deployment,
    "delete": delete_http_deployment,
    "update_with_logical_id": True,
}


def route_of(properties):
    """The route's id; MiniStack's Ref of a route has the API's in front."""
    return properties["RouteId"].rsplit("/", 1)[-1]


def create_route_response(_logical_id, properties, _stack_name):
    request = {
        "routeResponseKey": properties.get("RouteResponseKey"),
        "modelSelectionExpression": properties.get("ModelSelectionExpression"),
        "responseModels": properties.get("ResponseModels") or {},
        "responseParameters": properties.get("ResponseParameters") or {},
    }
    response = raise_if_failed(
        http._create_route_response(properties["ApiId"], route_of(properties), request),
        "ApiGatewayV2",
    )
    return body_of(response)["routeResponseId"], {}


def update_route_response(physical_id, old, new, stack_name, logical_id=None):
    """ApiId and RouteId are create-only; for the rest a new one is as good here."""
    created = create_route_response(logical_id, new, stack_name)
    provisioners._delete_predecessor(delete_route_response, physical_id, old)
    return created


def delete_route_response(physical_id, properties):
    http._delete_route_response(properties["ApiId"], route_of(properties), physical_id)


provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::RouteResponse"] = {
    "create": create_route_response,
    "update": update_route_response,
    "delete": delete_route_response,
    "update_with_logical_id": True,
}


def as_api(properties):
    """CORS with the API's names of members. MiniStack keeps the template's and finds none
    of them.
    """
    cors = properties.get("CorsConfiguration")
    return {**properties, "CorsConfiguration": lower_first(cors)} if cors else properties


@patch_handler("AWS::ApiGatewayV2::Route", "create")
def create_route(original, logical_id, properties, stack_name):
    refusal = route_taken(properties.get("ApiId", ""), properties.get("RouteKey", "$default"))
    if refusal:
        raise_if_failed(refusal, "ApiGatewayV2")
    return original(logical_id, properties, stack_name)


@patch_handler("AWS::ApiGatewayV2::Api", "create")
def create_http_api(original, logical_id, properties, stack_name):
    """With a Body the API is what ImportApi makes of the document."""
    body, properties = properties.get("Body"), as_api(properties)
    if not body:
        return original(logical_id, properties, stack_name)
    info = body.get("info") or {}
    api_id, attributes = original(
        logical_id,
        {**properties, "ProtocolType": "HTTP", "Name": properties.get("Name") or info.get("title")},
        stack_name,
    )
    raise_if_failed(openapi_http.put_api(api_id, body), "ApiGatewayV2")
    return api_id, attributes


@patch_handler("AWS::ApiGatewayV2::Api", "update")
def update_http_api(original, physical_id, old, new, stack_name, logical_id=None):
    result = original(physical_id, as_api(old), as_api(new), stack_name, logical_id)
    if new.get("Body") and new.get("Body") != old.get("Body") and result[0] == physical_id:
        raise_if_failed(openapi_http.put_api(physical_id, new["Body"]), "ApiGatewayV2")
    return result
