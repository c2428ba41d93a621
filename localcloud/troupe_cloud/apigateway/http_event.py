"""The event a function gets from an HTTP API.

What AWS does (API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs";
measured: aws-powertools/powertools-lambda-python#621): a named stage is the first part of
``rawPath``, stage variables are in the event, and an integration with payload format 1.0 gets the
older form. MiniStack has neither, and format 2.0 only.

Without it fails: ``test_http.py::test_event_format_1``
"""

import contextvars

from ministack.services import apigateway as http
from ministack.services import lambda_svc

from troupe_cloud.apigateway.http import served
from troupe_cloud.patching import patch

INTEGRATION = contextvars.ContextVar("troupe_http_integration", default=None)


@patch(http, "_invoke_lambda_proxy")
async def remember_integration(original, integration, api_id, stage, path, *args, **kwargs):
    """Remember the integration: the original builds the event and hands it to
    ``_execute_function_with_config_scope``, which is replaced below.
    """
    query = args[3] if len(args) > 3 else None
    token = INTEGRATION.set(
        {
            "format": str(integration.get("payloadFormatVersion") or "2.0"),
            "query": query,
            "variables": (served() or {}).get("variables") or {},
        }
    )
    try:
        return await original(integration, api_id, stage, path, *args, **kwargs)
    finally:
        INTEGRATION.reset(token)


@patch(lambda_svc, "_execute_function_with_config_scope")
def execute(original, record, event):
    current = INTEGRATION.get()
    if current is None or not isinstance(event, dict) or event.get("version") != "2.0":
        return original(record, event)
    token = INTEGRATION.set(None)
    try:
        completed = complete(event, current["variables"])
        return original(
            record,
            as_format_1(completed, current["query"]) if current["format"] == "1.0" else completed,
        )
    finally:
        INTEGRATION.reset(token)


def complete(event, variables):
    """Format 2.0 with the stage in the path and the stage's variables."""
    context = event["requestContext"]
    if context["stage"] != "$default":
        path = f"/{context['stage']}{event['rawPath']}"
        event = dict(
            event, rawPath=path, requestContext=dict(context, http=dict(context["http"], path=path))
        )
    event = {key: value for key, value in event.items() if value is not None}
    if variables:
        event["stageVariables"] = dict(variables)
    cookies = event["headers"].get("cookie")
    if cookies:
        headers = {key: value for key, value in event["headers"].items() if key != "cookie"}
        event.update(headers=headers, cookies=[part.strip() for part in cookies.split(";")])
    return event


def as_format_1(event, query):
    """The same request in format 1.0."""
    context, call = event["requestContext"], event["requestContext"]["http"]
    headers = dict(event["headers"])
    if event.get("cookies"):
        headers["cookie"] = "; ".join(event["cookies"])
    resource = event["routeKey"].split(" ", 1)[-1]
    query = query or {}
    authorizer = context.get("authorizer") or {}
    return {
        "version": "1.0",
        "resource": resource,
        "path": event["rawPath"],
        "httpMethod": call["method"],
        "headers": headers,
        "multiValueHeaders": {key: [value] for key, value in headers.items()},
        "queryStringParameters": {key: values[-1] for key, values in query.items()} or None,
        "multiValueQueryStringParameters": (
            {key: list(values) for key, values in query.items()} or None
        ),
        "pathParameters": event.get("pathParameters"),
        "stageVariables": event.get("stageVariables"),
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {
            "accountId": context["accountId"],
            "apiId": context["apiId"],
            "domainName": context["domainName"],
            "domainPrefix": context["apiId"],
            "extendedRequestId": context["requestId"],
            "httpMethod": call["method"],
            "path": event["rawPath"],
            "protocol": call["protocol"],
            "identity": {"sourceIp": call["sourceIp"], "userAgent": call["userAgent"]},
            "requestId": context["requestId"],
            "requestTime": context["time"],
            "requestTimeEpoch": context["timeEpoch"],
            "resourceId": None,
            "resourcePath": resource,
            "stage": context["stage"],
            **({"authorizer": authorizer.get("lambda") or authorizer} if authorizer else {}),
        },
    }
