"""Aliases: what they may be called, what they may point at, and how lists filter them.

What AWS does (Lambda developer guide, "Lambda function aliases"; recorded answers: localstack's
``test_alias_naming``, ``test_alias_lifecycle``, ``test_notfound_and_invalid_routingconfigs``): a
name is not a number, versions must exist, at most one additional version with a weight from 0 to 1,
never $LATEST, and both versions have the same role and dead-letter target. MiniStack checks none of
it. Deleting an alias that is not there succeeds; deleting one takes its policy with it.

Without it fails: ``test_alias.py::test_missing_and_duplicate_aliases``
"""

import re

from ministack.core.responses import error_response_json, json_response
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.names import qualified_arn
from troupe_cloud.patching import patch
from troupe_cloud.responses import constraint, failed, invalid_parameter

NAME = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9_-]+)")
PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
LATEST = "$LATEST is not supported for an alias pointing to more than 1 version"


def not_found(text):
    return error_response_json("ResourceNotFoundException", text, 404)


def bad_name(name):
    if len(name or "") > 128:
        return constraint(name, "name", "Member must have length less than or equal to 128")
    if not NAME.fullmatch(name or ""):
        return constraint(
            name, "name", f"Member must satisfy regular expression pattern: {PATTERN}"
        )
    return None


def missing_version(function, name, version):
    if version == "$LATEST" or version in function["versions"]:
        return None
    return not_found(f"Function not found: {qualified_arn(name, version)}")


def bad_weight(weights):
    for weight in weights.values():
        if not 0 <= float(weight) <= 1:
            return constraint(
                weights,
                "routingConfig.additionalVersionWeights",
                "Map value must satisfy constraint: [Member must have value less than or equal to "
                "1.0, Member must have value greater than or equal to 0.0, Member must not be"
                " null]",
            )
    return None


def bad_routing(function, name, version, weights):
    if not weights:
        return None
    if len(weights) > 1:
        return invalid_parameter(
            "Number of items in AdditionalVersionWeights cannot be greater than 1"
        )
    other = next(iter(weights))
    if version == "$LATEST" or other == "$LATEST":
        return invalid_parameter(LATEST)
    if other == version:
        return invalid_parameter(
            f"Invalid function version {version}. Function version {version} is already "
            "included in routing configuration."
        )
    return (
        bad_weight(weights)
        or missing_version(function, name, other)
        or unlike(function, version, other)
    )


def unlike(function, version, other):
    """Versions that share an alias run under one role and report to one dead-letter target."""
    first, second = function["versions"][version]["config"], function["versions"][other]["config"]
    for key, what in (("Role", "execution role"), ("DeadLetterConfig", "dead-letter queue")):
        if (first.get(key) or None) != (second.get(key) or None):
            return invalid_parameter(
                f"The function versions of an alias must have the same {what}."
            )
    return None


def check_target(name, data, current=None):
    """The error of the version and weights an alias would have, or None. ``current`` is the alias
    before.
    """
    function, before = lambda_svc._functions[name], current or {}
    version = data.get("FunctionVersion") or before.get("FunctionVersion")
    if not version:
        return constraint("null", "functionVersion", "Member must not be null")
    routing = (
        data["RoutingConfig"]
        if data.get("RoutingConfig") is not None
        else before.get("RoutingConfig")
    )
    weights = (routing or {}).get("AdditionalVersionWeights") or {}
    if provisioned(function, before.get("Name")) and weights:
        return invalid_parameter("Alias with weights can not be used with Provisioned Concurrency")
    return missing_version(function, name, version) or bad_routing(function, name, version, weights)


def provisioned(function, alias_name):
    return alias_name in (function.get("provisioned_concurrency") or {})


@patch(lambda_svc, "_create_alias")
def create_alias(original, name, data):
    function = lambda_svc._functions.get(name)
    if function is None:
        return original(name, data)
    alias_name = data.get("Name")
    error = bad_name(alias_name) or check_target(name, data)
    if error:
        return error
    if alias_name in function["aliases"]:
        return error_response_json(
            "ResourceConflictException",
            f"Alias already exists: {qualified_arn(name, alias_name)}",
            409,
        )
    return original(name, data)


@patch(lambda_svc, "_update_alias")
def update_alias(original, name, alias_name, data):
    alias = (lambda_svc._functions.get(name) or {}).get("aliases", {}).get(alias_name)
    if alias is None:
        return (
            no_alias(name, alias_name)
            if name in lambda_svc._functions
            else original(name, alias_name, data)
        )
    # A wrong revision is reported before anything else.
    error = lambda_svc._check_revision(alias, data) or check_target(name, data, alias)
    return error or original(name, alias_name, data)


def no_alias(name, alias_name):
    return not_found(f"Cannot find alias arn: {qualified_arn(name, alias_name)}")


@patch(lambda_svc, "_get_alias")
def get_alias(original, name, alias_name):
    response = original(name, alias_name)
    return (
        no_alias(name, alias_name)
        if failed(response) and name in lambda_svc._functions
        else response
    )


@patch(lambda_svc, "_delete_alias")
def delete_alias(original, name, alias_name):
    function = lambda_svc._functions.get(name)
    if function is None:
        return original(name, alias_name)
    if alias_name not in function["aliases"]:
        return 204, {}, b""
    response = original(name, alias_name)
    forget_qualifier(function, name, alias_name)
    return response


def forget_qualifier(function, name, qualifier):
    """What Lambda keeps per qualifier goes when the alias or version goes."""
    arn = qualified_arn(name, qualifier)
    function["policy"]["Statement"] = [
        s for s in function["policy"]["Statement"] if s.get("Resource") != arn
    ]
    for kept in ("event_invoke_configs", "provisioned_concurrency"):
        (function.get(kept) or {}).pop(qualifier, None)
    lambda_svc._function_urls.pop(lambda_svc._url_config_key(name, qualifier), None)


@patch(lambda_svc, "_list_aliases")
def list_aliases(original, name, query_params):
    """``FunctionVersion`` keeps the aliases that point at that version, mainly or by weight."""
    version = lambda_svc._qp_first(query_params, "FunctionVersion")
    if not version or name not in lambda_svc._functions:
        return original(name, query_params)
    aliases = [
        alias
        for alias in lambda_svc._functions[name]["aliases"].values()
        if points_at(alias, version)
    ]
    return json_response({"Aliases": aliases})


def points_at(alias, version):
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return version == alias.get("FunctionVersion") or version in weights


@patch(lambda_svc, "_put_provisioned_concurrency")
def put_provisioned_concurrency(original, name, qualifier, data):
    function = lambda_svc._functions.get(name)
    if function is None:
        return original(name, qualifier, data)
    if not qualifier or qualifier == "$LATEST":
        return invalid_parameter(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
    alias = function["aliases"].get(qualifier)
    if alias is None and qualifier not in function["versions"]:
        return not_found(f"Cannot find alias arn: {qualified_arn(name, qualifier)}")
    if (alias or {}).get("RoutingConfig"):
        return invalid_parameter("Alias with weights can not be used with Provisioned Concurrency")
    return original(name, qualifier, data)
