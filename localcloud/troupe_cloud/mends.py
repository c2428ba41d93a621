"""Every mend, in the order in which they are applied (a later one is around an earlier one)."""

import importlib

from troupe_cloud import signatures

MENDS = (
    "iam.managed_policies",
    "iam.propagation",
    "lambda_functions.state",
    "lambda_functions.execution_role",
    "lambda_functions.limits",
    "lambda_functions.snapstart",
    "lambda_functions.publish",
    "lambda_functions.failed_update",
    "lambda_functions.alias",
    "lambda_functions.versions",
    "lambda_functions.idle",
    "lambda_functions.invoke",
    "lambda_functions.asynchronous",
    "lambda_functions.policies",
    "lambda_functions.qualified_settings",
    "runtime.environment",
    "apigateway.rest",
    "apigateway.http",
    "apigateway.http_event",
    "apigateway.permissions",
    "apigateway.websocket",
    "apigateway.integration",
    "lambda_functions.event_sources",
    "ecr",
    "events",
    "load_balancers",
    "logs",
    "s3",
    "cognito",
    "apigateway.openapi_import",
    "apigateway.openapi_http",
    "apigateway.listings",
    "apigateway.domains",
    "cloudformation.lambda_resources",
    "cloudformation.edge",
    "lambda_functions.provisioned_concurrency",
    "cloudformation.apigateway_resources",
    "apigateway.account",
    "cloudformation.vpc_links",
    "cloudformation.activities",
    "cloudformation.template",
    "cloudformation.order",
    "cloudformation.dynamic_references",
    "cloudformation.exports",
    "cloudformation.stack_events",
    "cloudformation.stacks",
    "cloudformation.names",
    "cloudformation.role_boundary",
    "cloudformation.existing",
    "cloudformation.import_summary",
    "cloudformation.nested",
    "network",
    "iam.callers",
    "iam.bucket_policies",
    "lambda_functions.encrypted_environment",
    "cloudformation.rights",
    "secret",
    "gate",
)


def load() -> None:
    for name in MENDS:
        importlib.import_module(f"troupe_cloud.{name}")


def apply() -> None:
    signatures.check()
    load()
    signatures.check_record()
