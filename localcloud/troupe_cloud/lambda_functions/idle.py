"""Versions that nobody called for weeks are put away: the first call fails and wakes them.

What AWS does (Lambda developer guide, "Lambda function states"; API reference, Invoke:
``ResourceNotReadyException``, ``SnapStartNotReadyException``): ``State`` is Inactive with the
reason code Idle. A call of such a version fails, whoever calls; with it the version is Pending,
where calls fail, too, and after a while Active. MiniStack knows no state of versions but that of
SnapStart.

Nothing is idle here by itself: ``POST /_ministack/lambda-inactive`` with ``{"versions": [ARN,
..]}`` puts versions away.

Without it fails: ``test_states.py::test_an_idle_version_is_woken_by_a_call_that_fails``
"""

import json
import threading
import time

from ministack import app as ministack
from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from troupe_cloud import settings
from troupe_cloud.patching import patch, require

require(lambda_svc, "_function_config_scope_mismatch")

PATH = "/_ministack/lambda-inactive"


def put_away(arn):
    _, _, _, region, account, _, name, version = arn.split(":")
    function = lambda_svc._functions.get_scoped(account, region, name)
    function["versions"][version]["config"].update(
        State="Inactive", StateReason="The function is idle.", StateReasonCode="Idle"
    )


@patch(ministack, "_handle_admin_config_request")
async def handle_admin(original, path, method, body):
    if (method, path) != ("POST", PATH):
        return await original(path, method, body)
    for arn in json.loads(body)["versions"]:
        put_away(arn)
    return 200, {"Content-Type": "application/json"}, b"{}"


def wake(config):
    config.update(
        State="Pending", StateReason="The function is being restored.", StateReasonCode="Restoring"
    )

    def later():
        time.sleep(settings.FUNCTION_UPDATE)
        config["State"] = "Active"
        for reason in ("StateReason", "StateReasonCode"):
            config.pop(reason, None)

    threading.Thread(target=later, daemon=True).start()


def not_ready(config):
    """The answer to a call of a version in this state, which wakes it; None: it may run."""
    if config.get("Version") == "$LATEST" or config.get("State") not in ("Inactive", "Pending"):
        return None
    if config["State"] == "Inactive":
        wake(config)
    if config.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        return error_response_json(
            "SnapStartNotReadyException",
            "Lambda is initializing your function. You can invoke the function when the function"
            " state becomes Active.",
            409,
        )
    return error_response_json(
        "ResourceNotReadyException",
        "The function is inactive and its VPC connection is no longer available. Wait for the VPC"
        " connection to reestablish and try again.",
        502,
    )


@patch(lambda_svc, "_invoke")
async def invoke(original, name, event, headers, path_qualifier=None, query_params=None):
    """Within the choice of the version by weights (``invoke``)."""
    qualifier = path_qualifier or lambda_svc._qp_first(query_params or {}, "Qualifier")
    function = lambda_svc._functions.get(name) or {}
    alias = function.get("aliases", {}).get(qualifier) or {}
    record = function.get("versions", {}).get(alias.get("FunctionVersion", qualifier))
    error = not_ready(record["config"]) if record else None
    return error or await original(name, event, headers, path_qualifier, query_params)


@patch(lambda_svc, "_execute_function")
def execute(original, function, event):
    """For services, which do not go through Invoke."""
    config = function.get("config") or function
    if lambda_svc._function_config_scope_mismatch(config):
        return original(function, event)
    stored = lambda_svc._functions.get(config.get("FunctionName")) or {}
    record = stored.get("versions", {}).get(config.get("Version"))
    error = not_ready(record["config"]) if record else None
    if error is None:
        return original(function, event)
    body = json.loads(error[2])
    return {"body": {"errorMessage": body["message"]}, "error": True, "log": ""}
