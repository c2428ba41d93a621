"""API Gateway invokes a function only with a permission for exactly the ARN in the integration.

What AWS does (API Gateway developer guide, "Lambda authorizers", "REST API: grant permission to
invoke a Lambda function"): without a matching statement of the function's, version's or alias's
policy a call answers 500 "Internal server error" (HTTP APIs: "Internal Server Error"). An
integration or authorizer with credentials uses that role instead. MiniStack invokes whatever the
URI names.

Without it fails: ``test_rest.py::test_permission_is_needed_for_exactly_the_alias``
"""

import json

from ministack.services import apigateway as http
from ministack.services import apigateway_v1 as rest
from ministack.services import lambda_svc

from troupe_cloud.apigateway.http import served as http_served
from troupe_cloud.apigateway.rest import SERVED
from troupe_cloud.patching import patch, require
from troupe_cloud.lambda_functions.policies import may_invoke

require(rest, "_gw_error", "_extract_lambda_ref_from_integration_uri")
require(lambda_svc, "_get_func_record_for_ref_in_scope")
GATEWAY = "apigateway.amazonaws.com"


def source_arns(account, region, api_id, stage, method, *paths):
    """A call's ARN with the path as requested, as declared, and with ``*`` for its parameters."""
    spellings = set(paths)
    for path in paths:
        spellings.add("/".join("*" if part.startswith("{") else part for part in path.split("/")))
    return [
        f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{method}/{path.lstrip('/')}"
        for path in spellings
    ]


def permitted(uri_reader, uri, sources, account, region):
    """Whether API Gateway may invoke what the URI names, looked at in the API's own scope."""
    reference = uri_reader(uri or "")
    with lambda_svc_scope(account, region):
        return may_invoke(reference, GATEWAY, sources, account)


def lambda_svc_scope(account, region):
    from ministack.core.responses import get_account_id, get_region, request_scope

    return request_scope(account or get_account_id(), region or get_region())


async def rest_integration(
    original, integration, api_id, stage_name, stage, resource, path, method, *args, **kwargs
):
    account, region = kwargs.get("owner_account_id"), kwargs.get("owner_region")
    sources = source_arns(account, region, api_id, stage_name, method, path, resource["path"])
    if not integration.get("credentials") and not permitted(
        rest._extract_lambda_ref_from_integration_uri,
        integration.get("uri"),
        sources,
        account,
        region,
    ):
        return rest._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    return await original(
        integration, api_id, stage_name, stage, resource, path, method, *args, **kwargs
    )


patch(rest, "_invoke_lambda_proxy_v1")(rest_integration)
patch(rest, "_invoke_lambda_custom_v1")(rest_integration)


def authorizer_sources(account, region, api_id, authorizer_id):
    return [f"arn:aws:execute-api:{region}:{account}:{api_id}/authorizers/{authorizer_id}"]


@patch(rest, "_invoke_authorizer_lambda")
async def rest_authorizer(original, authorizer, event, account_id, region):
    """None is MiniStack's word for an authorizer that cannot be invoked: the call answers 500."""
    sources = authorizer_sources(
        account_id, region, (SERVED.get() or {}).get("api"), authorizer.get("id")
    )
    if not authorizer.get("authorizerCredentials") and not permitted(
        rest._extract_lambda_ref_from_integration_uri,
        authorizer.get("authorizerUri"),
        sources,
        account_id,
        region,
    ):
        return None
    return await original(authorizer, event, account_id, region)


def http_error():
    return (
        500,
        {"Content-Type": "application/json"},
        json.dumps({"message": "Internal Server Error"}).encode(),
    )


@patch(http, "_invoke_lambda_proxy")
async def http_integration(
    original,
    integration,
    api_id,
    stage,
    path,
    method,
    headers,
    body,
    query_params,
    route_key="$default",
    path_params=None,
    **kwargs,
):
    account, region = kwargs.get("owner_account_id"), kwargs.get("owner_region")
    declared = route_key.split(" ", 1)[1] if " " in route_key else route_key
    sources = source_arns(account, region, api_id, stage, method, path, declared)
    sources.append(
        f"arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/{declared.lstrip('/')}"
    )
    if not integration.get("credentialsArn") and not permitted(
        http._extract_lambda_ref_from_integration_uri,
        integration.get("integrationUri"),
        sources,
        account,
        region,
    ):
        return http_error()
    return await original(
        integration,
        api_id,
        stage,
        path,
        method,
        headers,
        body,
        query_params,
        route_key,
        path_params,
        **kwargs,
    )


@patch(http, "_invoke_request_authorizer_lambda")
async def http_authorizer(original, authorizer, event, account_id, region):
    sources = authorizer_sources(
        account_id, region, (http_served() or {}).get("api"), authorizer.get("authorizerId")
    )
    if not authorizer.get("authorizerCredentialsArn") and not permitted(
        http._extract_lambda_ref_from_integration_uri,
        authorizer.get("authorizerUri"),
        sources,
        account_id,
        region,
    ):
        return None
    return await original(authorizer, event, account_id, region)
