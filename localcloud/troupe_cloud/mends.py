"""Every mend, in the order in which they are applied (a later one is around an earlier one)."""

import importlib

MENDS = (
    "lambda_state",
    "lambda_limits",
    "lambda_publish",
    "lambda_alias",
    "lambda_versions",
    "lambda_invoke",
    "lambda_async",
    "policies",
    "lambda_settings",
    "runtime",
    "apigateway_rest",
    "apigateway_http",
    "apigateway_http_event",
    "gateway_permissions",
    "apigateway_websocket",
    "apigateway_integration",
    "event_sources",
    "events",
    "logs",
    "s3",
    "openapi_import",
    "openapi_http",
    "cloudformation_lambda",
    "cloudformation_apigateway",
    "cloudformation_template",
    "cloudformation_exports",
    "cloudformation_events",
    "cloudformation_stacks",
    "cloudformation_existing",
    "cloudformation_import",
    "cloudformation_nested",
    "secret",
    "gate",
)


def apply() -> None:
    for name in MENDS:
        importlib.import_module(f"troupe_cloud.{name}")
