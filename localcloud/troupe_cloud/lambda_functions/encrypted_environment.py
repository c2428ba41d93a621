"""Variables under a key of one's own are shown to callers that may decrypt them.

What AWS does (Lambda API reference, "EnvironmentResponse" and "EnvironmentError"; developer guide,
"Securing Lambda environment variables"): who may read a function but not use its ``KMSKeyArn``
gets ``Environment: {Error: ..}`` in place of the variables, and the call succeeds. MiniStack shows
them to everybody. The words of the message are those that Lambda uses when it cannot decrypt
(cattle-ops/terraform-aws-gitlab-runner#1253).

Without it fails: ``test_callers.py::test_who_may_not_decrypt_sees_no_variables``
"""

import json
import re

from ministack.core import iam_evaluator
from ministack.services import lambda_svc

from troupe_cloud.iam import callers
from troupe_cloud.patching import patch


def unreadable(principal, key):
    """The ``Environment`` of a function whose key the caller may not use; None if it may."""
    check = callers.Check("kms:Decrypt", key)
    allowed = callers.allows(principal, check)
    callers.record(principal.arn, check, allowed)
    if allowed:
        return None
    text = (
        "Lambda was unable to decrypt the environment variables because KMS access was denied."
        " Please check the function's KMS key settings. KMS Exception: AccessDeniedException"
        f" KMS Message: {callers.refusal(principal, callers.CALL.get().key, check)}"
    )
    return {"Error": {"ErrorCode": "AccessDeniedException", "Message": text}}


# A function that has a key of its own; most answers have none, and are not read for it.
WITH_KEY = re.compile(rb'"KMSKeyArn": ?"[^"]')


def shown_to(principal, value):
    """The answer without the variables that the caller may not decrypt."""
    if isinstance(value, list):
        return [shown_to(principal, item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {key: shown_to(principal, item) for key, item in value.items()}
    if value.get("KMSKeyArn") and (value.get("Environment") or {}).get("Variables"):
        shown["Environment"] = unreadable(principal, value["KMSKeyArn"]) or value["Environment"]
    return shown


@patch(lambda_svc, "handle_request")
async def handle_request(original, method, path, headers, body, query_params):
    response = await original(method, path, headers, body, query_params)
    call = callers.CALL.get()
    text = response[2]
    if call is None or not call.key or call.action == "lambda:InvokeFunction":
        return response
    if not isinstance(text, bytes) or not WITH_KEY.search(text):
        return response
    principal = callers.principal_of(call.key)
    if isinstance(principal, iam_evaluator.AuthError):
        return response
    return *response[:2], json.dumps(shown_to(principal, json.loads(text))).encode()
