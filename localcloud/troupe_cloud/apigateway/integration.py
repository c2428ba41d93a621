"""Lambda integrations that are no proxies: the integration responses decide the answer.

What AWS does (API Gateway developer guide, "Set up an integration response in API Gateway"): the
``selectionPattern`` of an integration response is matched with the function's ``errorMessage``; a
success takes the response without a pattern; header mappings and body templates of the chosen
response apply; with none to choose the answer is 500. MiniStack always answers with the default
response's status and the bare payload. Request templates stay unrendered: the function gets the
proxy event.

Without it fails: ``test_rest.py::test_integration_responses_choose_by_error_message``
"""

import contextvars
import json
import re

from ministack.services import apigateway_v1 as rest

from troupe_cloud.patching import patch, require

RESULT = contextvars.ContextVar("troupe_lambda_result", default=None)
require(rest, "_invoke_lambda_custom_v1", "_render_request_template_v1")


@patch(rest, "_call_lambda_raw")
async def remember_result(original, *args, **kwargs):
    result, error = await original(*args, **kwargs)
    RESULT.set(result)
    return result, error


def error_message(result):
    """The text that patterns are matched with, or None after a success."""
    if not result.get("error"):
        return None
    body = result.get("body")
    return str(body.get("errorMessage", "")) if isinstance(body, dict) else str(body or "")


def chosen_response(integration, message):
    responses = [r for r in (integration.get("integrationResponses") or {}).values() if r]
    if message is not None:
        for response in responses:
            pattern = response.get("selectionPattern")
            if pattern and re.fullmatch(pattern, message):
                return response
    return next((r for r in responses if not r.get("selectionPattern")), None)


def mapped_headers(response, payload):
    """The chosen response's headers: quoted literals and members of the payload."""
    headers = {"Content-Type": "application/json"}
    for target, source in (response.get("responseParameters") or {}).items():
        name = target.removeprefix("method.response.header.")
        if source.startswith("'") and source.endswith("'"):
            headers[name] = source[1:-1]
        elif source.startswith("integration.response.body."):
            value = payload
            for part in source.removeprefix("integration.response.body.").split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                headers[name] = value if isinstance(value, str) else json.dumps(value)
    return headers


@patch(rest, "_invoke_lambda_custom_v1")
async def lambda_integration(original, integration, *args, **kwargs):
    RESULT.set(None)
    response = await original(integration, *args, **kwargs)
    result = RESULT.get()
    if not isinstance(response, tuple) or response[0] >= 500 or not result:
        return response
    if not integration.get("integrationResponses"):
        return response
    chosen = chosen_response(integration, error_message(result))
    if chosen is None:
        return rest._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    template = (chosen.get("responseTemplates") or {}).get("application/json")
    text = response[2]
    if template:
        text = rest._render_request_template_v1(template, text.decode(), {}).encode()
    return int(chosen["statusCode"]), mapped_headers(chosen, result.get("body")), text
