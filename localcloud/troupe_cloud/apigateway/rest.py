"""REST APIs: deployments are snapshots, stages have variables and canaries.

What AWS does (API Gateway developer guide, "Updates to a REST API that require redeployment",
"API Gateway stage variables reference", "Set up a canary release deployment"; recorded answers:
localstack's snapshots ``TestDeployments``, ``TestStageCrudCanary``):

- CreateDeployment freezes resources, methods, integrations, authorizers, models, validators and the
  API's properties; a stage serves the deployment it names, and moving it means naming another.
- ``${stageVariables.x}`` works in integration and authorizer URIs, evaluated per call.
- A canary takes ``percentTraffic`` of the calls to its own deployment with its own variables.
- A stage cannot name a deployment that does not exist, a stage's name is unique, a deployment that
  a stage or canary points at cannot be deleted.
- Below one resource there is at most one with a variable path part.
- A base path mapping cannot name a stage that does not exist.

MiniStack serves the API as it is edited, and checks none of this.

Without it fails: ``test_rest.py::test_deployments_are_snapshots``
"""

import contextvars
import copy
import json
import random
import re

from ministack.services import apigateway_v1 as rest

from troupe_cloud.overlay import laid_over, make_overlayable
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed, without_private

SNAPSHOT = "_troupe_snapshot"
FROZEN_PROPERTIES = ("binaryMediaTypes", "minimumCompressionSize", "apiKeySource", "policy")
STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{1,512}")

# The stage a request is served through: {"variables", "source_arn"}.
SERVED = contextvars.ContextVar("troupe_rest_stage", default=None)

require(
    rest,
    "_stages_v1",
    "_deployments_v1",
    "_models",
    "_request_validators",
    "_v1_error",
    "_apply_patch",
    "_new_id",
    "_now_unix",
    "find_api_scope",
)
make_overlayable(
    rest._resources,
    rest._authorizers_v1,
    rest._models,
    rest._request_validators,
    rest._rest_apis,
    rest._stages_v1,
)


def substitute(text, variables):
    """``text`` with every ``${stageVariables.x}`` replaced; an unknown variable becomes empty."""
    return re.sub(
        r"\$\{stageVariables\.([A-Za-z0-9_]+)\}", lambda m: str(variables.get(m[1], "")), text
    )


@patch(rest, "_v1_response")
def hide_private_fields(original, data, status=200):
    """The snapshot lives inside the deployment's record, so that it is persisted with it; never
    shown.
    """
    return original(without_private(data), status)


# -- deployments -----------------------------------------------------------------------------------


def snapshot_of(api_id):
    api = rest._rest_apis.get(api_id) or {}
    return copy.deepcopy(
        {
            "resources": rest._resources.get(api_id, {}),
            "authorizers": rest._authorizers_v1.get(api_id, {}),
            "models": rest._models.get(api_id, {}),
            "validators": rest._request_validators.get(api_id, {}),
            "properties": {name: api.get(name) for name in FROZEN_PROPERTIES},
        }
    )


def empty_api(api_id):
    """Whether no method of the API could serve anything: CreateDeployment refuses such an API."""
    return not any(
        resource.get("resourceMethods") for resource in rest._resources.get(api_id, {}).values()
    )


def method_without_integration(api_id):
    return any(
        not method.get("methodIntegration")
        for resource in rest._resources.get(api_id, {}).values()
        for method in (resource.get("resourceMethods") or {}).values()
    )


def bad_request(message):
    return rest._v1_error("BadRequestException", message, 400)


def no_deployment():
    return bad_request("Deployment id does not exist")


@patch(rest, "_create_deployment")
def create_deployment(original, api_id, data):
    """Freeze the API; with ``canarySettings`` the stage keeps its deployment and the new one is the
    canary.
    """
    if api_id in rest._rest_apis:
        if empty_api(api_id):
            return bad_request("The REST API doesn't contain any methods")
        if method_without_integration(api_id):
            return bad_request("No integration defined for method")
    error = bad_variables(data.get("variables") or {})
    if error:
        return error
    canary, stage_name = data.get("canarySettings"), data.get("stageName")
    stage = rest._stages_v1.get(api_id, {}).get(stage_name) if stage_name else None
    before = stage and stage.get("deploymentId")
    if canary and not before:
        return bad_request("Deployment canary must be set on an existing stage")
    response = original(api_id, data)
    if failed(response):
        return response
    deployment_id = body_of(response)["id"]
    rest._deployments_v1[api_id][deployment_id][SNAPSHOT] = snapshot_of(api_id)
    if canary:
        stage["deploymentId"] = before
        stage["canarySettings"] = canary_settings(canary, deployment_id)
    elif stage_name and data.get("variables") and stage:
        stage["variables"] = {**(stage.get("variables") or {}), **data["variables"]}
    return response


def canary_settings(settings, deployment_id):
    return {
        "percentTraffic": float(settings.get("percentTraffic") or 0),
        "deploymentId": deployment_id,
        "stageVariableOverrides": settings.get("stageVariableOverrides") or {},
        "useStageCache": bool(settings.get("useStageCache", False)),
    }


@patch(rest, "_delete_deployment")
def delete_deployment(original, api_id, deployment_id):
    for stage in rest._stages_v1.get(api_id, {}).values():
        canary = stage.get("canarySettings") or {}
        if deployment_id in (stage.get("deploymentId"), canary.get("deploymentId")):
            return bad_request("Active stages pointing to this deployment must be moved or deleted")
    return original(api_id, deployment_id)


# -- stages ----------------------------------------------------------------------------------------


def bad_variables(variables):
    for name, value in variables.items():
        if not VARIABLE_NAME.fullmatch(str(name)):
            return bad_request(
                f"Invalid stage variable name: {name}. "
                "Please use only alphanumeric characters and underscores"
            )
        if value and not VARIABLE_VALUE.fullmatch(str(value)):
            return bad_request(
                f"Invalid stage variable value: {value}. "
                "Please use values with alphanumeric characters and the symbols ,-._~:/?#&="
            )
    return None


@patch(rest, "_create_stage")
def create_stage(original, api_id, data):
    name = data.get("stageName", "")
    if api_id not in rest._rest_apis:
        return original(api_id, data)
    if not STAGE_NAME.fullmatch(name):
        return bad_request("Stage name only allows a-zA-Z0-9_-")
    if data.get("deploymentId") not in rest._deployments_v1.get(api_id, {}):
        return no_deployment()
    if name in rest._stages_v1.get(api_id, {}):
        return rest._v1_error("ConflictException", "Stage already exists", 409)
    error = bad_variables(data.get("variables") or {})
    if error:
        return error
    response = original(api_id, data)
    canary = data.get("canarySettings")
    if canary and not failed(response):
        stage = rest._stages_v1[api_id][name]
        stage["canarySettings"] = canary_settings(
            canary, canary.get("deploymentId") or data["deploymentId"]
        )
        return rest._v1_response(stage, 201)
    return response


def canary_patch(stage, operation):
    """Apply an UpdateStage operation that touches the canary. True if it was one."""
    path, op = operation.get("path", ""), operation.get("op")
    if op == "copy":
        source = operation.get("from", "")
        if path == "/deploymentId" and source == "/canarySettings/deploymentId":
            stage["deploymentId"] = (stage.get("canarySettings") or {}).get("deploymentId")
        elif path == "/variables" and source == "/canarySettings/stageVariableOverrides":
            overrides = (stage.get("canarySettings") or {}).get("stageVariableOverrides") or {}
            stage["variables"] = {**(stage.get("variables") or {}), **overrides}
        return True
    if path == "/canarySettings" and op == "remove":
        stage.pop("canarySettings", None)
        return True
    if not path.startswith("/canarySettings/"):
        return False
    if not stage.get("canarySettings"):
        stage["canarySettings"] = canary_settings({}, stage.get("deploymentId"))
    field, _, rest_of_path = path.removeprefix("/canarySettings/").partition("/")
    value = operation.get("value")
    if field == "stageVariableOverrides" and rest_of_path:
        overrides = stage["canarySettings"]["stageVariableOverrides"]
        (
            overrides.pop(rest_of_path, None)
            if op == "remove"
            else overrides.update({rest_of_path: value})
        )
    else:
        convert = {"percentTraffic": float, "useStageCache": lambda v: str(v).lower() == "true"}
        stage["canarySettings"][field] = convert.get(field, lambda v: v)(value)
    return True


@patch(rest, "_update_stage")
def update_stage(original, api_id, stage_name, data):
    """All operations or none: UpdateStage is checked before anything of it is applied."""
    stage = rest._stages_v1.get(api_id, {}).get(stage_name)
    if stage is None:
        return original(api_id, stage_name, data)
    operations = data.get("patchOperations") or []
    for operation in operations:
        path, value = operation.get("path", ""), operation.get("value")
        if operation.get("op") == "remove":
            continue
        if (
            path in ("/deploymentId", "/canarySettings/deploymentId")
            and operation.get("op") != "copy"
            and value not in rest._deployments_v1.get(api_id, {})
        ):
            return no_deployment()
        if path.startswith("/variables/"):
            error = bad_variables({path.removeprefix("/variables/"): value})
            if error:
                return error
    others = [operation for operation in operations if not canary_patch(stage, operation)]
    for operation in others:
        # A patch replaces whole maps it creates: start from a copy, the record may be shared.
        if operation.get("path", "").startswith("/variables"):
            stage["variables"] = dict(stage.get("variables") or {})
    return original(api_id, stage_name, {**data, "patchOperations": others})


STAGES_QUERY = contextvars.ContextVar("troupe_rest_stages_query", default=None)


@patch(rest, "handle_request")
async def remember_query(original, method, path, headers, body, query_params):
    """MiniStack does not hand GetStages its query; ``_get_stages`` below reads it from here."""
    token = STAGES_QUERY.set(query_params)
    try:
        return await original(method, path, headers, body, query_params)
    finally:
        STAGES_QUERY.reset(token)


@patch(rest, "_get_stages")
def get_stages(original, api_id):
    """``deploymentId`` keeps the stages that point at that deployment."""
    wanted = rest._qp(STAGES_QUERY.get() or {}, "deploymentId")
    response = original(api_id)
    if not wanted or failed(response):
        return response
    items = [stage for stage in body_of(response)["item"] if stage.get("deploymentId") == wanted]
    return rest._v1_response({"item": items})


@patch(rest, "_create_base_path_mapping")
def create_base_path_mapping(original, domain_name, data):
    """The message is API Gateway's; CloudFormation's users know it well."""
    stage = data.get("stage")
    if stage and stage not in rest._stages_v1.get(data.get("restApiId", ""), {}):
        return bad_request("Invalid stage identifier specified")
    return original(domain_name, data)


# -- serving ---------------------------------------------------------------------------------------


def served_stage(stage):
    """The stage as this one call sees it: the canary's deployment and variables, or its own."""
    canary = stage.get("canarySettings") or {}
    variables = dict(stage.get("variables") or {})
    if canary.get("deploymentId") and random.random() * 100 < float(
        canary.get("percentTraffic") or 0
    ):
        variables.update(canary.get("stageVariableOverrides") or {})
        return dict(stage, deploymentId=canary["deploymentId"], variables=variables)
    return dict(stage, variables=variables)


def overlay_for(api_id, stage_name, stage):
    """What to lay over the stores so that the call is answered by the stage's deployment."""
    entries = [(rest._stages_v1, api_id, {**rest._stages_v1.get(api_id, {}), stage_name: stage})]
    deployment = rest._deployments_v1.get(api_id, {}).get(stage.get("deploymentId")) or {}
    snapshot = deployment.get(SNAPSHOT)
    if snapshot:
        api = rest._rest_apis.get(api_id) or {}
        entries += [
            (rest._resources, api_id, snapshot["resources"]),
            (rest._authorizers_v1, api_id, snapshot["authorizers"]),
            (rest._models, api_id, snapshot["models"]),
            (rest._request_validators, api_id, snapshot["validators"]),
            (rest._rest_apis, api_id, {**api, **snapshot["properties"]}),
        ]
    return entries


@patch(rest, "_execute_in_scope")
async def execute(original, request, api_id, stage_name, method, path, *args, **kwargs):
    stage = rest._stages_v1.get(api_id, {}).get(stage_name)
    if stage is None:
        return await original(request, api_id, stage_name, method, path, *args, **kwargs)
    stage = served_stage(stage)
    token = SERVED.set(
        {
            "api": api_id,
            "stage": stage_name,
            "method": method,
            "path": path,
            "variables": stage["variables"],
        }
    )
    try:
        with laid_over(*overlay_for(api_id, stage_name, stage)):
            return await original(request, api_id, stage_name, method, path, *args, **kwargs)
    finally:
        SERVED.reset(token)


@patch(rest, "method_authorization_type")
def method_authorization_type(original, api_id, stage_name, method, path):
    """Whether a call must be signed is also frozen in the deployment."""
    scope = rest.find_api_scope(api_id)
    if scope is None:
        return original(api_id, stage_name, method, path)
    with rest.request_scope(*scope):
        stage = rest._stages_v1.get(api_id, {}).get(stage_name)
        entries = overlay_for(api_id, stage_name, stage) if stage else []
    with laid_over(*entries):
        return original(api_id, stage_name, method, path)


@patch(rest, "_get_export")
def get_export(original, api_id, stage_name, *args):
    """GetExport shows what the stage serves, not what is being edited."""
    stage = rest._stages_v1.get(api_id, {}).get(stage_name)
    with laid_over(*(overlay_for(api_id, stage_name, stage) if stage else [])):
        return original(api_id, stage_name, *args)


@patch(rest, "_extract_lambda_ref_from_integration_uri")
def lambda_of_uri(original, uri):
    served = SERVED.get()
    return original(
        substitute(uri, served["variables"]) if served and isinstance(uri, str) else uri
    )


@patch(rest, "_invoke_http_proxy_v1")
async def http_integration(original, integration, *args, **kwargs):
    served = SERVED.get()
    if served and isinstance(integration.get("uri"), str):
        integration = dict(integration, uri=substitute(integration["uri"], served["variables"]))
    return await original(integration, *args, **kwargs)


# -- resources with their methods ------------------------------------------------------------------


def sibling_variable(siblings, part):
    """Why a variable part of a path cannot stand beside ``siblings``, or None: there is one of
    another name (``{proxy+}`` counts as one).
    """
    for sibling in siblings:
        other = sibling.get("pathPart") or ""
        if part.startswith("{") and other.startswith("{") and other != part:
            return (
                f"A sibling ({other}) of this resource already has a variable path part -- "
                "only one is allowed"
            )
    return None


@patch(rest, "_create_resource")
def create_resource(original, api_id, parent_id, data):
    siblings = [
        r for r in rest._resources.get(api_id, {}).values() if r.get("parentId") == parent_id
    ]
    problem = sibling_variable(siblings, data.get("pathPart") or "")
    if problem:
        return rest._v1_error("BadRequestException", problem, 400)
    return original(api_id, parent_id, data)


@patch(rest, "_get_resources")
def get_resources(original, api_id, query_params):
    """GetResources shows methods only with ``embed=methods``, then with their integrations.

    Without it a resource carries only the names of its methods, each an empty object.
    """
    response = original(api_id, query_params)
    if failed(response):
        return response
    embed = query_params.get("embed") or []
    embed = [embed] if isinstance(embed, str) else embed
    wanted = any("methods" in value for value in embed)
    page = body_of(response)
    for item in page.get("item", page.get("items", [])):
        tidy_resource(item, wanted)
    return response[0], response[1], json.dumps(page).encode()


def tidy_resource(resource, with_methods):
    if resource.get("parentId") is None:
        resource.pop("parentId", None)
        resource.pop("pathPart", None)
    methods = resource.get("resourceMethods") or {}
    if not methods:
        resource.pop("resourceMethods", None)
    elif not with_methods:
        resource["resourceMethods"] = {name: {} for name in methods}
    else:
        resource["resourceMethods"] = {name: tidy(method) for name, method in methods.items()}


def tidy(record):
    """Without the members AWS leaves out when they are empty."""
    found = {
        key: tidy(value) if isinstance(value, dict) else value for key, value in record.items()
    }
    return {
        key: value
        for key, value in found.items()
        if value not in (None, "", {})
        and not (key == "authorizationScopes" and not value)
        and not (key == "connectionType" and value == "INTERNET")
    }
