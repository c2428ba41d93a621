"""Function URLs, provisioned concurrency lists and runtime management, per qualifier.

What AWS does (Lambda API reference): the qualifier of these calls stands in the query; a URL's
FunctionArn is the alias's, its calls need ``lambda:InvokeFunctionUrl`` on exactly that ARN.
MiniStack reads the qualifier only from the path, so a URL for an alias becomes the function's own;
it knows neither ListProvisionedConcurrencyConfigs nor runtime management.

Without it fails: ``test_policies.py::test_function_urls_per_alias``
"""

import contextvars
import re

from ministack.core.responses import json_response
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.names import qualified_arn
from troupe_cloud.patching import patch, require
from troupe_cloud.lambda_functions.policies import ENFORCED, statements_for
from troupe_cloud.responses import failed

QUERY = contextvars.ContextVar("troupe_lambda_query", default=None)
RUNTIME_MANAGEMENT = "_troupe_runtime_management"
MANAGEMENT_PATH = re.compile(r"/[^/]+/functions/([^/]+)/runtime-management-config")

require(
    lambda_svc,
    "resolve_function_url",
    "_resolve_request_scoped_name_and_qualifier",
    "_url_config_key",
)


@patch(lambda_svc, "handle_request")
async def handle_request(original, method, path, headers, body, query_params):
    token = QUERY.set(query_params)
    try:
        managed = MANAGEMENT_PATH.fullmatch(lambda_svc.unquote(path))
        if managed:
            return runtime_management(method, managed[1], body, query_params)
        return await original(method, path, headers, body, query_params)
    finally:
        QUERY.reset(token)


def asked_qualifier(qualifier):
    return qualifier or lambda_svc._qp_first(QUERY.get() or {}, "Qualifier") or None


# -- runtime management ----------------------------------------------------------------------------


def runtime_management(method, reference, body, query_params):
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(reference)
    qualifier = qualifier or lambda_svc._qp_first(query_params, "Qualifier") or "$LATEST"
    function = lambda_svc._functions.get(name)
    error = lambda_svc._validate_function_qualifier_exists(name, qualifier)
    if error:
        return error
    kept = function.setdefault(RUNTIME_MANAGEMENT, {})
    if method == "PUT":
        wanted = lambda_svc.json.loads(body or b"{}")
        kept[qualifier] = {
            "UpdateRuntimeOn": wanted.get("UpdateRuntimeOn", "Auto"),
            "RuntimeVersionArn": wanted.get("RuntimeVersionArn"),
        }
    found = kept.get(qualifier, {"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": None})
    return json_response(dict(found, FunctionArn=qualified_arn(name, qualifier)))


# -- provisioned concurrency -----------------------------------------------------------------------


@patch(lambda_svc, "_get_provisioned_concurrency")
def get_provisioned_concurrency(original, name, qualifier):
    """``List=ALL`` asks for every qualifier's."""
    function = lambda_svc._functions.get(name)
    if function is None or lambda_svc._qp_first(QUERY.get() or {}, "List") != "ALL":
        return original(name, qualifier)
    configured = function.get("provisioned_concurrency") or {}
    return json_response(
        {
            "ProvisionedConcurrencyConfigs": [
                dict(config, FunctionArn=qualified_arn(name, key))
                for key, config in configured.items()
            ]
        }
    )


# -- URLs ------------------------------------------------------------------------------------------


@patch(lambda_svc, "_create_function_url_config")
def create_url(original, name, data, qualifier):
    qualifier = asked_qualifier(qualifier)
    response = original(name, data, qualifier)
    if failed(response) or not qualifier:
        return response
    config = lambda_svc._function_urls[lambda_svc._url_config_key(name, qualifier)]
    config["FunctionArn"] = qualified_arn(name, qualifier)
    return json_response(config, 201)


@patch(lambda_svc, "_get_function_url_config")
def get_url(original, name, qualifier):
    return original(name, asked_qualifier(qualifier))


@patch(lambda_svc, "_update_function_url_config")
def update_url(original, name, data, qualifier):
    return original(name, data, asked_qualifier(qualifier))


@patch(lambda_svc, "_delete_function_url_config")
def delete_url(original, name, qualifier):
    return original(name, asked_qualifier(qualifier))


def url_is_public(arn, function):
    return any(
        s.get("Effect") == "Allow"
        and s.get("Principal") == "*"
        and s.get("Action") in ("lambda:InvokeFunctionUrl", "lambda:*", "*")
        for s in statements_for(function, arn)
    )


@patch(lambda_svc, "handle_function_url_request")
async def call_url(original, url_id, *args, resolved=None, **kwargs):
    """A public URL answers 403 until the policy of its qualifier lets everybody invoke it."""
    found = resolved or lambda_svc.resolve_function_url(url_id)
    if found and found[4].get("AuthType") == "NONE" and ENFORCED:
        account, region, name, qualifier, config = found
        function = lambda_svc._functions.get_scoped(account, region, name)
        if function is not None and not url_is_public(config["FunctionArn"], function):
            return (
                403,
                {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"},
                (
                    b'{"Message":"Forbidden. For troubleshooting Function URL authorization issues,'
                    b' see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}'
                ),
            )
    return await original(url_id, *args, resolved=found, **kwargs)
