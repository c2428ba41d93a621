"""PublishVersion: preconditions, idempotence, revisions.

What AWS does (Lambda API reference, PublishVersion; recorded answers: localstack's
``test_version_lifecycle``, ``test_publish_with_wrong_sha256``, ``test_function_revisions_*``):

- ``CodeSha256`` and ``RevisionId`` are preconditions (400 and 412).
- With nothing changed since the last version, that version comes back and a new description is
  ignored. Only the *last* version is compared: A, B, A gives a third number.
- ``Description`` of the call replaces the function's own in that version.
- Publishing moves the RevisionId of $LATEST.

MiniStack ignores both preconditions and compares revisions, so an identical update makes a version.
Whether it does on AWS is reported both ways; here the content decides.

Without it fails: ``test_publish.py::test_wrong_hash_is_refused``
"""

import copy
import json

from ministack.core.responses import error_response_json, json_response, new_uuid
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.names import latest_version, qualified_arn
from troupe_cloud.lambda_functions.state import busy
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed, invalid_parameter

FINGERPRINT = "_troupe_fingerprint"
VOLATILE = frozenset(
    (
        "Version",
        "FunctionArn",
        "RevisionId",
        "LastModified",
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "SnapStart",
        "RuntimeVersionConfig",
    )
)

require(lambda_svc, "_stamp_snapstart_published_version", "_snapstart_provision_version_async")


def fingerprint(config):
    """What a version freezes, as one comparable text."""
    snap_start = (config.get("SnapStart") or {}).get("ApplyOn")
    frozen = {
        key: value
        for key, value in config.items()
        if key not in VOLATILE and value not in (None, "", [], {})
    }
    return json.dumps([frozen, snap_start], sort_keys=True, default=str)


def precondition(name, data):
    config = lambda_svc._functions[name]["config"]
    error = lambda_svc._check_revision(config, data) if data.get("RevisionId") else None
    if error:
        return error
    sha = data.get("CodeSha256")
    if sha and sha != config.get("CodeSha256"):
        return invalid_parameter(
            f"CodeSHA256 ({sha}) is different from current CodeSHA256 in $LATEST"
            f" ({config.get('CodeSha256')}). Please try again with the CodeSHA256 in $LATEST."
        )
    return None


def unchanged_since(function):
    """The last version's number if $LATEST is still what it was when that was published."""
    number = latest_version(function)
    if number and function["versions"][number].get(FINGERPRINT) == fingerprint(function["config"]):
        return number
    return None


def publish(function, name, description=None):
    """Freeze $LATEST as the next version, whatever its state; the version's configuration."""
    number = str(function["next_version"])
    function["next_version"] += 1
    config = copy.deepcopy(function["config"])
    config.update(Version=number, FunctionArn=qualified_arn(name, number), RevisionId=new_uuid())
    if description:
        config["Description"] = description
    record = {
        "config": config,
        "code_zip": function.get("code_zip"),
        FINGERPRINT: fingerprint(function["config"]),
    }
    function["versions"][number] = record
    if lambda_svc._stamp_snapstart_published_version(config):
        lambda_svc._snapstart_provision_version_async(name, record)
    function["config"]["RevisionId"] = new_uuid()
    return config


@patch(lambda_svc, "_publish_version")
def publish_version(original, name, data):
    function = lambda_svc._functions.get(name)
    if function is None:
        return original(name, data)
    error = busy(name) or precondition(name, data)
    if error:
        return error
    same = unchanged_since(function)
    if same:
        return json_response(function["versions"][same]["config"], 201)
    return json_response(publish(function, name, data.get("Description")), 201)


def published_with(response, name, wanted):
    """``Publish`` in CreateFunction and UpdateFunctionCode: the answer is the version's."""
    if failed(response) or not wanted:
        return response
    function = lambda_svc._functions[name]
    config = function["config"]
    before = config["RevisionId"]
    version = publish(function, name)
    version.update(State="Active", LastUpdateStatus="Successful")
    # The pending update is recognised by its revision when it finishes: leave that to it.
    config["RevisionId"] = before
    return json_response(
        {**body_of(response), "Version": version["Version"], "FunctionArn": version["FunctionArn"]},
        response[0],
    )


@patch(lambda_svc, "_create_function")
def create_function(original, data):
    return published_with(
        original({**data, "Publish": False}), data.get("FunctionName"), data.get("Publish")
    )


@patch(lambda_svc, "_update_code")
def update_code(original, name, data):
    return published_with(
        original(name, {**data, "Publish": False}),
        name,
        data.get("Publish") and not data.get("DryRun"),
    )


@patch(lambda_svc, "_check_revision")
def check_revision(original, current, data):
    """An empty RevisionId is none (SDKs leave it out, shells send it empty)."""
    return original(current, data) if data.get("RevisionId") else None


@patch(lambda_svc, "_update_config")
def update_configuration(original, name, data):
    """Only PreconditionFailedException is about the RevisionId; everything else comes after it."""
    function = lambda_svc._functions.get(name)
    error = lambda_svc._check_revision(function["config"], data) if function else None
    return error or original(name, data)


def conflict(message):
    return error_response_json("ResourceConflictException", message, 409)
