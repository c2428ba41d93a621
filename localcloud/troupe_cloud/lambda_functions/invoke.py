"""Invoking through an alias: weights and the ARN the function sees.

What AWS does (Lambda developer guide, "Lambda function aliases", "Implement Lambda canary
deployments using a weighted alias"):

- An alias with a weight sends that share of the calls to its additional version, whoever calls;
  ``x-amz-executed-version`` names the version that ran.
- ``invokedFunctionArn`` is the ARN that was called: the alias's.
- A function that is still Pending cannot be invoked.
- A reservation of no concurrency stops the function ("Configuring reserved concurrency"): 429
  TooManyRequestsException for whoever waits for the answer.

MiniStack stores weights and never applies them, gives the version's ARN to functions that a
service calls, and counts concurrency of containers only.

Without it fails: ``test_alias.py::test_weights_split_concurrent_calls``
"""

import contextvars
import random

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.names import base_record, split_reference
from troupe_cloud.overlay import laid_over
from troupe_cloud.patching import patch

# Set while an event source mapping looks up what to call.
POLLING = contextvars.ContextVar("troupe_polling", default=False)


def draw(alias):
    """The version that answers this call of the alias."""
    for version, weight in (
        (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    ).items():
        if random.random() < float(weight):
            return version
    return alias["FunctionVersion"]


def drawn(function, alias):
    """The function's record with the alias pointing at the version drawn for this call."""
    settled = dict(alias, FunctionVersion=draw(alias))
    return dict(function, aliases={**function["aliases"], alias["Name"]: settled})


def waits_for_the_answer(headers):
    given = {key.lower(): value for key, value in headers.items()}
    return given.get("x-amz-invocation-type", "RequestResponse") == "RequestResponse"


@patch(lambda_svc, "_invoke")
async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
    function = lambda_svc._functions.get(name)
    if function is None:
        return await original(name, event, headers, path_qualifier, query_params)
    qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
    if not qualifier and function["config"].get("State") == "Pending":
        return error_response_json(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in "
            "the following state: Pending",
            409,
        )
    if function.get("concurrency") == 0 and waits_for_the_answer(headers):
        return error_response_json("TooManyRequestsException", "Rate Exceeded.", 429)
    alias = function["aliases"].get(qualifier) if qualifier else None
    if not alias:
        return await original(name, event, headers, path_qualifier, query_params)
    with laid_over((lambda_svc._functions, name, drawn(function, alias))):
        return await original(name, event, headers, path_qualifier, query_params)


@patch(lambda_svc, "_get_func_record_for_ref")
def record_for_reference(original, reference):
    """How services find what they invoke: with the weights applied and under the ARN they named."""
    record, config, name = original(reference)
    function = base_record(reference)
    _, qualifier = split_reference(reference)
    if record is None or function is None or not qualifier:
        return record, config, name
    alias = function["aliases"].get(qualifier)
    version = draw(alias) if alias else qualifier
    record = function["versions"].get(version, function)
    config = dict(record["config"], FunctionArn=f"{function['config']['FunctionArn']}:{qualifier}")
    return dict(record, config=config, concurrency=function.get("concurrency")), config, name


@patch(lambda_svc, "_get_func_record_for_qualifier")
def record_for_qualifier(original, name, qualifier):
    """Event source mappings poll with their qualifier's record: the weights apply there too."""
    function = lambda_svc._functions.get(name)
    alias = (function or {}).get("aliases", {}).get(qualifier) if qualifier else None
    record, config = original(name, qualifier)
    if not alias or record is None or not POLLING.get():
        return record, config
    version = draw(alias)
    record = function["versions"].get(version, function)
    config = dict(record["config"], FunctionArn=alias["AliasArn"])
    return dict(record, config=config, concurrency=function.get("concurrency")), config


def polling(original, *args):
    token = POLLING.set(True)
    try:
        return original(*args)
    finally:
        POLLING.reset(token)


for poller in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
    patch(lambda_svc, poller)(polling)
