"""A bucket's policy denies its account's own key, too, and sees which key an object is written
with.

What AWS does (IAM user guide, "Policy evaluation logic"; S3 user guide, "Requiring server-side
encryption"): an explicit deny of a bucket's policy holds for every principal, the account's root
user included. Policies that want every object encrypted deny ``s3:PutObject`` where the header
``x-amz-server-side-encryption`` is absent, or where that of the key,
``x-amz-server-side-encryption-aws-kms-key-id``, or of the customer's algorithm says something else
(Service Authorization Reference, "Condition keys for Amazon S3"). They hold for PutObject,
CreateMultipartUpload and CopyObject. MiniStack lets accounts' own keys do everything, and knows the
first of the three keys only.

Without it fails: ``test_s3.py::test_a_bucket_policy_that_wants_encryption``
"""

from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3

from troupe_cloud.iam import callers
from troupe_cloud.patching import patch, require

require(iam_evaluator, "evaluate_resource_policy", "resolve_principal", "AuthError", "EvalResult")
require(s3, "bucket_policy_for_arn", "_multipart_uploads")
ENCRYPTION = (
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
)


@patch(iam_actions, "s3_service_context")
def service_context(original, iam_action, query_params, path="", headers=None):
    context = original(iam_action, query_params, path, headers)
    upload = iam_actions._query_param(query_params or {}, "uploadId")
    if iam_action == "s3:PutObject":
        kept = (s3._multipart_uploads.get(upload) or {}).get("preserved_headers", {})
        given = kept if upload else headers or {}
        context.update({f"s3:{name}": given[name] for name in ENCRYPTION if given.get(name)})
    return context


@patch(iam_evaluator, "enforce")
def enforce(
    original, access_key_id, iam_action, service, region, resource_arn="*", service_context=None
):
    denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
    policy = s3.bucket_policy_for_arn(resource_arn) if service == "s3" and not denied else None
    principal = callers.principal_of(access_key_id) if access_key_id and policy else None
    if principal is None or isinstance(principal, iam_evaluator.AuthError):
        return denied
    check = callers.Check(iam_action, resource_arn, service_context or {})
    context = callers.context_of(principal, check)
    if iam_evaluator.evaluate_resource_policy(policy[0], context).decision != "Deny":
        return denied
    callers.DENIED.set(
        f"User: {principal.arn} is not authorized to perform: {iam_action} on resource:"
        f' "{resource_arn}" with an explicit deny in a resource-based policy'
    )
    return iam_evaluator.EvalResult("Deny", principal_arn=principal.arn)
