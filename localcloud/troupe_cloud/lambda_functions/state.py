"""Functions take time: Pending after creation, InProgress after every update.

What AWS does (Lambda developer guide, "Lambda function states"; recorded answers: localstack's
``test_lambda_concurrent_code_updates``, ``test_function_revisions_*``):

- While ``State`` is Pending or ``LastUpdateStatus`` is InProgress, updates and PublishVersion fail
  with ResourceConflictException; an update leaves ``State`` Active and the old code serving.
- ``RevisionId`` moves with every update call and once more when that update finishes.

MiniStack sets State back to Pending on updates, allows anything meanwhile and keeps the RevisionId.
CloudFormation waits for its functions, so inside a stack operation the change is finished at once.

Without it fails: ``test_publish.py::test_creation_takes_time``
"""

import contextlib
import contextvars
import copy
import threading
import time

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import lambda_svc

from troupe_cloud import settings
from troupe_cloud.overlay import laid_over, make_overlayable
from troupe_cloud.patching import patch
from troupe_cloud.responses import failed

make_overlayable(lambda_svc._functions)

REASONS = ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode")
AT_ONCE = contextvars.ContextVar("troupe_lambda_at_once", default=False)


@contextlib.contextmanager
def finished_at_once():
    """Within the block an update is finished when its call returns, as CloudFormation sees it."""
    token = AT_ONCE.set(True)
    try:
        yield
    finally:
        AT_ONCE.reset(token)


def settle(config):
    """The change is over; $LATEST gets a new RevisionId for that.

    The states come last: who reads meanwhile and sees it ready has its final RevisionId.
    """
    if config.get("Version") == "$LATEST":
        config["RevisionId"] = new_uuid()
    for reason in REASONS:
        config.pop(reason, None)
    ended(config)


def ended(config):
    config["State"], config["LastUpdateStatus"] = "Active", "Successful"


@patch(lambda_svc, "_schedule_state_transition")
def schedule(original, name, _delay):
    function = lambda_svc._functions.get(name)
    if function is None:
        return
    config = function["config"]
    if AT_ONCE.get():
        settle(config)
        return
    revision = config["RevisionId"]

    def later():
        time.sleep(settings.FUNCTION_UPDATE)
        if config.get("RevisionId") == revision:
            settle(config)

    threading.Thread(target=later, daemon=True).start()


@patch(lambda_svc, "load_persisted_state")
def load_persisted_state(original, data):
    """Finish every update that was in progress when the server before this one was stopped."""
    original(data)
    for function in lambda_svc._functions.all_values():
        config = function["config"]
        if "Pending" in config.get("State", "") or config.get("LastUpdateStatus") == "InProgress":
            settle(config)


def busy(name):
    """The conflict that an update or publish meets now, or None."""
    config = (lambda_svc._functions.get(name) or {}).get("config") or {}
    if config.get("State") == "Pending":
        text = "The function is currently in the following state: Pending"
    elif config.get("LastUpdateStatus") == "InProgress":
        text = f"An update is in progress for resource: {config['FunctionArn']}"
    else:
        return None
    return error_response_json(
        "ResourceConflictException", f"The operation cannot be performed at this time. {text}", 409
    )


def updated(response, name):
    """The answer of an update: the function stays Active while its update is in progress."""
    if failed(response):
        return response
    config = lambda_svc._functions[name]["config"]
    if config["LastUpdateStatus"] == "InProgress":
        config["State"] = "Active"
        for reason in REASONS:
            config.pop(reason, None)
        config["LastUpdateStatusReason"] = "The function is being created."
        config["LastUpdateStatusReasonCode"] = "Creating"
    return json_response(config)


@patch(lambda_svc, "_update_code")
def update_code(original, name, data):
    if data.get("DryRun") and name in lambda_svc._functions:
        return dry_run(original, name, data)
    return busy(name) or updated(original(name, data), name)


def dry_run(original, name, data):
    """``DryRun`` checks everything and changes nothing: run it on a copy laid over the function."""
    function = lambda_svc._functions[name]
    twin = dict(function, config=copy.deepcopy(function["config"]))
    with laid_over((lambda_svc._functions, name, twin)), finished_at_once():
        response = busy(name) or original(name, data)
        return response if failed(response) else json_response(twin["config"])


@patch(lambda_svc, "_update_config")
def update_config(original, name, data):
    return busy(name) or updated(original(name, data), name)
