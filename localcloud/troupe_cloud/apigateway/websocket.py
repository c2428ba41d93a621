"""WebSocket APIs: a session is served by its stage's deployment, through the alias it may invoke.

What AWS does (API Gateway developer guide, "WebSocket APIs": changes need a new deployment;
integrations take stage variables; the function's policy names ``<api>/<stage>/<route key>``). A
stage that does not exist refuses the handshake; ``$default`` takes messages only; an answer reaches
the client only where the route has a route response). MiniStack serves the API as it is edited,
invokes whatever is named, and goes on with the worker an alias once had when the alias has moved.

Without it fails: ``test_http.py::test_websocket_sessions``
"""

import contextvars
import json

from ministack.core import lambda_runtime
from ministack.services import apigateway as http
from ministack.services import lambda_svc

from troupe_cloud.apigateway.http import SERVED, overlay_for, stage_of
from troupe_cloud.apigateway.permissions import permitted
from troupe_cloud.overlay import laid_over
from troupe_cloud.patching import patch, require

SESSION = contextvars.ContextVar("troupe_websocket_stage", default=None)

require(
    http, "_api_owner", "_match_ws_route", "_invoke_ws_lambda", "_integrations", "_route_responses"
)


def stage_name_of(scope, api_id, path_override, owner):
    """The stage in the URL, or ``$default``; None if the API has neither."""
    path = path_override if path_override is not None else scope.get("path", "")
    asked = path.lstrip("/").split("/", 1)[0] or "$default"
    stages = http._stages.get_scoped(owner[1], owner[2], api_id, {})
    return next((name for name in (asked, "$default") if name in stages), None)


@patch(http, "handle_websocket")
async def session(original, scope, receive, send, api_id, path_override=None):
    owner = http._api_owner(api_id)
    name = (
        stage_name_of(scope, api_id, path_override, owner)
        if owner and owner[0] == "WEBSOCKET"
        else "$default"
    )
    if name is None:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    token = SESSION.set(name)
    try:
        await original(scope, receive, send, api_id, path_override)
    finally:
        SESSION.reset(token)


def deployed(api_id):
    """What to lay over the stores for this session's stage."""
    stage = stage_of(api_id, SESSION.get()) if SESSION.get() else None
    return overlay_for(api_id, stage) if stage else []


@patch(http, "_match_ws_route")
def match_route(original, api_id, route_key):
    with laid_over(*deployed(api_id)):
        route = original(api_id, route_key)
    is_event = route_key in ("$connect", "$disconnect")
    return None if route and is_event and route.get("routeKey") != route_key else route


def refusal():
    return {"statusCode": 500, "body": json.dumps({"message": "Internal server error"})}


def responds(api_id, route):
    """Whether the client gets the integration's answer."""
    responses = http._route_responses.get(api_id, {}).get(route["routeId"])
    return bool(responses and route.get("routeResponseSelectionExpression"))


@patch(http, "_invoke_ws_lambda")
async def invoke(original, api_id, account_id, region, route, stage, *args, **kwargs):
    variables = (stage_of(api_id, stage) or {}).get("stageVariables") or {}
    token = SERVED.set({"api": api_id, "stage": stage, "variables": variables})
    try:
        with laid_over(*deployed(api_id)):
            integration = (
                http._integrations.get(api_id, {}).get(route.get("target", "").rsplit("/", 1)[-1])
                or {}
            )
            key = route.get("routeKey")
            source = f"arn:aws:execute-api:{region}:{account_id}:{api_id}/{stage}/{key}"
            if integration.get("integrationType") in ("AWS", "AWS_PROXY") and not permitted(
                http._extract_lambda_ref_from_integration_uri,
                integration.get("integrationUri"),
                [source],
                account_id,
                region,
            ):
                return refusal()
            answer = await original(api_id, account_id, region, route, stage, *args, **kwargs)
            return dict(answer, body="") if answer and not responds(api_id, route) else answer
    finally:
        SERVED.reset(token)


class Dispatched:
    """A stand-in for MiniStack's worker: a session's call goes the way of every other, by
    version.
    """

    def __init__(self, config, code_zip):
        self.record = {"config": config, "code_zip": code_zip}

    def invoke(self, event, _request_id):
        result = lambda_svc._execute_function_with_config_scope(self.record, event)
        return {"result": lambda_svc.lambda_execute_result_to_api_proxy_response(result)[0]}


@patch(lambda_runtime, "get_or_create_worker")
def dispatched(_original, _name, config, code_zip, qualifier="$LATEST"):
    return Dispatched(config, code_zip)
