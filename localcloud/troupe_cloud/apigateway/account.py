"""Stages of REST and WebSocket APIs log with the account's role, or not at all.

What AWS does (API Gateway developer guide, "Set up CloudWatch logging for REST APIs"; recorded:
anomalyco/sst#1556, aws-samples/amazon-bedrock-knowledgebase-slackbot#6): while the account's
settings have no ``cloudwatchRoleArn``, a stage with access logs, or with a logging level but
``OFF``, is refused, by the API and in stacks. Stages of HTTP APIs need no role. MiniStack takes all
of them.

Without it fails: ``test_rest.py::test_stages_log_with_the_role_of_the_account``
"""

from ministack.services import apigateway as http
from ministack.services import apigateway_v1 as rest

from troupe_cloud.cloudformation.errors import raise_if_failed
from troupe_cloud.patching import patch, patch_handler, require

require(rest, "_account_settings", "_v1_error")
require(http, "_apis", "_apigw_error")
MESSAGE = "CloudWatch Logs role ARN must be set in account settings to enable logging"


def has_role():
    return bool((rest._account_settings.get("settings") or {}).get("cloudwatchRoleArn"))


def any_of(settings, *names):
    """The first of the members, as CloudFormation or the API spells them."""
    return next((settings[name] for name in names if (settings or {}).get(name)), None)


def logs_calls(settings):
    return any_of(settings, "loggingLevel", "LoggingLevel") not in (None, "OFF")


def rest_stage_logs(settings):
    methods = any_of(settings, "methodSettings", "MethodSettings") or []
    methods = methods.values() if isinstance(methods, dict) else methods
    access = any_of(settings, "accessLogSettings", "AccessLogSetting")
    return bool(access) or any(logs_calls(method) for method in methods)


def websocket_stage_logs(api_id, settings):
    api = http._apis.get(api_id) or {}
    return api.get("protocolType") == "WEBSOCKET" and (
        bool(any_of(settings, "accessLogSettings", "AccessLogSettings"))
        or logs_calls(any_of(settings, "defaultRouteSettings", "DefaultRouteSettings"))
    )


def rest_refusal(logs):
    return rest._v1_error("BadRequestException", MESSAGE, 400) if logs and not has_role() else None


def websocket_refusal(logs):
    if not logs or has_role():
        return None
    return http._apigw_error("BadRequestException", MESSAGE, 400)


@patch(rest, "_create_stage")
def create_rest_stage(original, api_id, data):
    return rest_refusal(rest_stage_logs(data)) or original(api_id, data)


@patch(rest, "_update_stage")
def update_rest_stage(original, api_id, name, data):
    logs = any(
        operation.get("op") != "remove"
        and (
            operation.get("path", "").startswith("/accessLogSettings")
            or operation.get("path", "").endswith("/logging/loglevel")
            and operation.get("value") != "OFF"
        )
        for operation in data.get("patchOperations") or []
    )
    return rest_refusal(logs) or original(api_id, name, data)


@patch(http, "_create_stage")
def create_websocket_stage(original, api_id, data):
    return websocket_refusal(websocket_stage_logs(api_id, data)) or original(api_id, data)


@patch(http, "_update_stage")
def update_websocket_stage(original, api_id, name, data):
    return websocket_refusal(websocket_stage_logs(api_id, data)) or original(api_id, name, data)


# Stacks change stages past the API.


@patch_handler("AWS::ApiGateway::Stage", "update")
def update_rest_resource(original, physical_id, old, new, *rest_of_it):
    if rest_stage_logs(new) and not rest_stage_logs(old):
        raise_if_failed(rest_refusal(True) or (200,), "ApiGateway")
    return original(physical_id, old, new, *rest_of_it)


@patch_handler("AWS::ApiGateway::Deployment", "create")
def create_described_stage(original, logical_id, properties, stack_name):
    raise_if_failed(
        rest_refusal(rest_stage_logs(properties.get("StageDescription") or {})) or (200,),
        "ApiGateway",
    )
    return original(logical_id, properties, stack_name)


@patch_handler("AWS::ApiGatewayV2::Stage", "update")
def update_websocket_resource(original, physical_id, old, new, *rest_of_it):
    logs = websocket_stage_logs(new.get("ApiId"), new)
    if logs and not websocket_stage_logs(old.get("ApiId"), old):
        raise_if_failed(websocket_refusal(True) or (200,), "ApiGatewayV2")
    return original(physical_id, old, new, *rest_of_it)
