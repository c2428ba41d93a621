"""HTTP and WebSocket APIs: deployments are snapshots, stages have variables.

What AWS does (service model of API Gateway v2; developer guide, "Stages for HTTP APIs", "Use stage
variables for HTTP APIs"): a stage serves its deployment unless it deploys automatically; stage
variables work in integration and authorizer URIs; a stage cannot be created twice or name a missing
deployment, its DeploymentId cannot change while AutoDeploy is on, a deployment in use stays. In the
event a named stage is part of ``rawPath``, and ``stageVariables`` is present. MiniStack serves the
API as it is edited and does not know the rest.

Without it fails: ``test_http.py::test_deployments_are_snapshots``
"""

import contextvars
import copy

from ministack.services import apigateway as http

from troupe_cloud.apigateway.rest import substitute
from troupe_cloud.overlay import laid_over, make_overlayable
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed, without_private

SNAPSHOT = "_troupe_snapshot"
SERVED = contextvars.ContextVar("troupe_http_stage", default=None)

require(http, "_stages", "_deployments", "_apis", "_apigw_error", "find_api_scope")
FROZEN = {
    "routes": http._routes,
    "routeResponses": http._route_responses,
    "integrations": http._integrations,
    "authorizers": http._authorizers,
}
make_overlayable(*FROZEN.values())


def served():
    """The stage this request is served through: ``{"api", "stage", "variables"}``, or None."""
    return SERVED.get()


@patch(http, "_apigw_response")
def hide_private_fields(original, data, status=200):
    return original(without_private(data), status)


# -- routes ----------------------------------------------------------------------------------------


def route_taken(api_id, key):
    """The refusal of a second route of one key, or None."""
    for route in http._routes.get(api_id, {}).values():
        if route.get("routeKey") == key:
            message = f"Route with key {key} already exists for this API"
            return http._apigw_error("ConflictException", message, 409)
    return None


@patch(http, "_create_route")
def create_route(original, api_id, data):
    return route_taken(api_id, data.get("routeKey", "$default")) or original(api_id, data)


# -- deployments and stages ------------------------------------------------------------------------


def snapshot_of(api_id):
    return copy.deepcopy({part: store.get(api_id, {}) for part, store in FROZEN.items()})


def deployment_of(api_id, deployment_id):
    return http._deployments.get(api_id, {}).get(deployment_id)


def bad_request(message):
    return http._apigw_error("BadRequestException", message, 400)


@patch(http, "_create_deployment")
def create_deployment(original, api_id, data):
    """With ``StageName`` the stage moves to the new deployment at once."""
    stage_name = data.get("stageName")
    stage = http._stages.get(api_id, {}).get(stage_name) if stage_name else None
    if stage_name and stage is None and api_id in http._apis:
        return http._apigw_error(
            "NotFoundException",
            f"Unable to find Stage by name {stage_name} within the provided {api_id}",
            404,
        )
    response = original(api_id, data)
    if failed(response):
        return response
    deployment_id = body_of(response)["deploymentId"]
    deployment_of(api_id, deployment_id)[SNAPSHOT] = snapshot_of(api_id)
    if stage is not None:
        stage["deploymentId"] = deployment_id
    return response


@patch(http, "_delete_deployment")
def delete_deployment(original, api_id, deployment_id):
    if api_id in http._apis and deployment_of(api_id, deployment_id) is None:
        return http._apigw_error(
            "NotFoundException", "Invalid Deployment identifier specified", 404
        )
    if any(
        stage.get("deploymentId") == deployment_id
        for stage in http._stages.get(api_id, {}).values()
    ):
        return bad_request("Active stages pointing to this deployment must be moved or deleted")
    return original(api_id, deployment_id)


def missing_deployment(api_id, deployment_id):
    if not deployment_id or deployment_of(api_id, deployment_id) is not None:
        return None
    return http._apigw_error("NotFoundException", "Invalid Deployment identifier specified", 404)


def deploy_automatically(api_id, stage):
    """A stage with AutoDeploy has a deployment too; it is made for it."""
    response = http._create_deployment(
        api_id,
        {"description": "Automatic deployment triggered by changes to the Api configuration"},
    )
    deployment_id = body_of(response)["deploymentId"]
    deployment_of(api_id, deployment_id)["autoDeployed"] = True
    stage["deploymentId"] = deployment_id


@patch(http, "_create_stage")
def create_stage(original, api_id, data):
    if api_id not in http._apis:
        return original(api_id, data)
    name = data.get("stageName", "$default")
    if name in http._stages.get(api_id, {}):
        return http._apigw_error("ConflictException", "Stage already exists", 409)
    if data.get("autoDeploy") and data.get("deploymentId"):
        return bad_request("DeploymentId cannot be set when AutoDeploy is enabled")
    error = missing_deployment(api_id, data.get("deploymentId"))
    if error:
        return error
    response = original(api_id, data)
    if not failed(response) and data.get("autoDeploy"):
        stage = http._stages[api_id][name]
        deploy_automatically(api_id, stage)
        return http._apigw_response(stage, 201)
    return response


@patch(http, "_update_stage")
def update_stage(original, api_id, stage_name, data):
    stage = http._stages.get(api_id, {}).get(stage_name)
    if stage is None:
        return original(api_id, stage_name, data)
    deployment_id = data.get("deploymentId")
    automatic = data.get("autoDeploy", stage.get("autoDeploy"))
    if automatic and deployment_id and deployment_id != stage.get("deploymentId"):
        return bad_request("DeploymentId cannot be updated when AutoDeploy is enabled")
    error = missing_deployment(api_id, deployment_id)
    if error:
        return error
    if data.get("stageVariables") is not None:
        data = dict(data, stageVariables=changed_variables(stage, data["stageVariables"]))
    return original(api_id, stage_name, data)


def changed_variables(stage, wanted):
    """UpdateStage merges variables; an empty value removes one."""
    merged = {**(stage.get("stageVariables") or {}), **wanted}
    return {name: value for name, value in merged.items() if value != ""}


@patch(http, "_delete_stage")
def delete_stage(original, api_id, stage_name):
    if api_id in http._apis and stage_name not in http._stages.get(api_id, {}):
        return http._apigw_error(
            "NotFoundException",
            f"Unable to find Stage by name {stage_name} within the provided {api_id}",
            404,
        )
    return original(api_id, stage_name)


# -- serving ---------------------------------------------------------------------------------------


def overlay_for(api_id, stage):
    if stage.get("autoDeploy"):
        return []
    snapshot = (deployment_of(api_id, stage.get("deploymentId")) or {}).get(SNAPSHOT)
    return [(store, api_id, (snapshot or {}).get(part, {})) for part, store in FROZEN.items()]


def stage_of(api_id, stage_name):
    return http._stages.get(api_id, {}).get(stage_name)


@patch(http, "_handle_execute_in_scope")
async def execute(original, api_id, stage_name, *args, **kwargs):
    stage = stage_of(api_id, stage_name)
    if stage is None:
        return (
            http._http_api_not_found()
            if api_id in http._apis
            else await original(api_id, stage_name, *args, **kwargs)
        )
    token = SERVED.set(
        {"api": api_id, "stage": stage_name, "variables": stage.get("stageVariables") or {}}
    )
    try:
        with laid_over(*overlay_for(api_id, stage)):
            return await original(api_id, stage_name, *args, **kwargs)
    finally:
        SERVED.reset(token)


@patch(http, "route_authorization_type")
def route_authorization_type(original, api_id, stage_name, method, path):
    scope = http.find_api_scope(api_id)
    if scope is None:
        return original(api_id, stage_name, method, path)
    with http.request_scope(*scope):
        stage = stage_of(api_id, stage_name)
        entries = overlay_for(api_id, stage) if stage else []
    with laid_over(*entries):
        return original(api_id, stage_name, method, path)


@patch(http, "_extract_lambda_ref_from_integration_uri")
def lambda_of_uri(original, uri):
    current = SERVED.get()
    return original(
        substitute(uri, current["variables"]) if current and isinstance(uri, str) else uri
    )


@patch(http, "_invoke_http_proxy")
async def http_integration(original, integration, *args, **kwargs):
    current = SERVED.get()
    if current and isinstance(integration.get("integrationUri"), str):
        integration = dict(
            integration,
            integrationUri=substitute(integration["integrationUri"], current["variables"]),
        )
    return await original(integration, *args, **kwargs)
