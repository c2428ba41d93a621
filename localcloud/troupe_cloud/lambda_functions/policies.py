"""Resource policies: one per qualifier, and they decide who may invoke.

What AWS does (Lambda developer guide, "Using Lambda aliases in event sources and permissions
policies", "Resource-based policy examples"): a permission holds for exactly the ARN it names. A
permission on ``f:dev`` says nothing about ``f`` or ``f:prod``; statement ids are unique per
qualified ARN. A service that calls without a matching permission is refused.

MiniStack keeps one policy per function, so the same statement id on two aliases clashes, and lets
every service invoke everything. ``TROUPE_CLOUD_PERMISSIONS=0`` gives the latter back.

Without it fails: ``test_policies.py::test_one_policy_per_qualifier``
"""

import copy
import json
import os
import re

from ministack.core.responses import error_response_json, json_response
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.names import base_record, qualified_arn, split_reference
from troupe_cloud.overlay import laid_over
from troupe_cloud.patching import patch
from troupe_cloud.responses import failed

ENFORCED = os.environ.get("TROUPE_CLOUD_PERMISSIONS", "1") != "0"
REVISIONS = "_troupe_policy_revisions"
POLICY_BYTES = 20480


def statements_for(function, arn):
    return [s for s in function["policy"]["Statement"] if s.get("Resource") == arn]


def only_this_qualifier(function, arn):
    """The function's record as if it had no other policy than the one of ``arn``."""
    policy = dict(function["policy"], Statement=statements_for(function, arn))
    return dict(function, policy=policy)


def replace_policy(function, arn, statements):
    others = [s for s in function["policy"]["Statement"] if s.get("Resource") != arn]
    function["policy"]["Statement"] = others + statements
    function.setdefault(REVISIONS, {})[arn] = lambda_svc.new_uuid()


def stale(function, arn, revision):
    """A policy's revision is its own, not the function's."""
    if not revision or revision == function.get(REVISIONS, {}).get(arn):
        return None
    return error_response_json(
        "PreconditionFailedException",
        "The RevisionId provided does not match the latest RevisionId for the Lambda function or"
        " alias. Call the GetPolicy API to retrieve the latest RevisionId for your resource.",
        412,
    )


def no_policy():
    return error_response_json(
        "ResourceNotFoundException", "The resource you requested does not exist.", 404
    )


def scope_of(name, query_params, path_qualifier):
    """``(function, qualified ARN)`` a policy call is about; function is None if there is none."""
    qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query_params)
    return lambda_svc._functions.get(name), qualified_arn(name, qualifier)


@patch(lambda_svc, "_add_permission")
def add_permission(original, name, data, query_params=None, path_qualifier=None):
    function, arn = scope_of(name, query_params, path_qualifier)
    if function is None:
        return original(name, data, query_params, path_qualifier)
    if arn.endswith(":$LATEST"):
        return error_response_json(
            "InvalidParameterValueException",
            "We currently do not support adding policies for $LATEST.",
            400,
        )
    error = stale(function, arn, data.get("RevisionId"))
    if error:
        return error
    twin = only_this_qualifier(function, arn)
    with laid_over((lambda_svc._functions, name, twin)):
        response = original(name, data, query_params, path_qualifier)
    if failed(response):
        return response
    if len(json.dumps(twin["policy"])) > POLICY_BYTES:
        return error_response_json(
            "PolicyLengthExceededException",
            f"The final policy size ({len(json.dumps(twin['policy']))}) is bigger than the "
            f"limit ({POLICY_BYTES}).",
            400,
        )
    replace_policy(function, arn, statements_for(twin, arn))
    return response


@patch(lambda_svc, "_remove_permission")
def remove_permission(original, name, sid, query_params, path_qualifier=None):
    function, arn = scope_of(name, query_params, path_qualifier)
    if function is None:
        return original(name, sid, query_params, path_qualifier)
    error = lambda_svc._validate_function_qualifier_exists(
        name, lambda_svc._qualifier_from_path_or_query(path_qualifier, query_params)
    )
    error = error or stale(function, arn, lambda_svc._qp_first(query_params or {}, "RevisionId"))
    if error:
        return error
    statements = statements_for(function, arn)
    kept = [s for s in statements if s.get("Sid") != sid]
    if len(kept) == len(statements):
        return error_response_json(
            "ResourceNotFoundException",
            (
                f"Statement {sid} is not found in resource policy."
                if statements
                else "No policy is associated with the given resource."
            ),
            404,
        )
    replace_policy(function, arn, kept)
    return 204, {}, b""


@patch(lambda_svc, "_get_policy")
def get_policy(original, name, query_params=None, path_qualifier=None):
    function, arn = scope_of(name, query_params, path_qualifier)
    if function is None:
        return original(name, query_params, path_qualifier)
    statements = statements_for(function, arn)
    if not statements:
        return no_policy()
    policy = dict(copy.deepcopy(function["policy"]), Statement=statements)
    revision = function.get(REVISIONS, {}).get(arn) or function["config"]["RevisionId"]
    return json_response({"Policy": json.dumps(policy), "RevisionId": revision})


# -- the decision ----------------------------------------------------------------------------------


def arn_like(pattern, arn):
    """ArnLike: ``*`` and ``?`` in each of the six parts of an ARN."""
    wanted, given = str(pattern).split(":", 5), str(arn).split(":", 5)
    if len(wanted) != len(given):
        return pattern == "*"
    return all(
        re.fullmatch(re.escape(w).replace(r"\*", ".*").replace(r"\?", "."), g)
        for w, g in zip(wanted, given)
    )


def principal_matches(statement, service):
    principal = statement.get("Principal")
    if principal == "*":
        return True
    services = (principal or {}).get("Service", []) if isinstance(principal, dict) else []
    return service in ([services] if isinstance(services, str) else services)


def conditions_match(statement, source_arns, account):
    conditions = statement.get("Condition") or {}
    wanted = (conditions.get("ArnLike") or {}).get("AWS:SourceArn")
    if wanted and source_arns is not None and not any(arn_like(wanted, arn) for arn in source_arns):
        return False
    owner = (conditions.get("StringEquals") or {}).get("AWS:SourceAccount")
    return not owner or owner == account


def may_invoke(reference, service, source_arns, account):
    """Whether ``service`` may invoke what ``reference`` names, for one of ``source_arns``.

    ``source_arns`` None: the caller does not know its source, a condition on it is not looked at.
    """
    if not ENFORCED:
        return True
    function = base_record(reference)
    if function is None:
        return False
    name, qualifier = split_reference(reference)
    arn = function["config"]["FunctionArn"] + (f":{qualifier}" if qualifier else "")
    return any(
        s.get("Effect") == "Allow"
        and s.get("Action") in ("lambda:InvokeFunction", "lambda:*", "*")
        and principal_matches(s, service)
        and conditions_match(s, source_arns, account)
        for s in statements_for(function, arn)
    )
