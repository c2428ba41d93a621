"""Functions at CloudFront's edge: what a distribution may call, and what cannot be deleted.

What AWS does (CloudFront developer guide, "Restrictions on Lambda@Edge" and "Delete Lambda@Edge
functions and replicas"; recorded messages: chantzlarge/terraform-aws-hugo#43 (versions),
aws/aws-cdk#5180 (roles), aws-cloudformation/rain#463 and hashicorp/terraform-provider-aws#1721
(deletion)): a distribution calls a numbered version in us-east-1 whose role trusts
``edgelambda.amazonaws.com`` and that has no environment, no network and no layers. As long as a
distribution names a version, and for hours afterwards, neither the version nor its function can be
deleted. MiniStack looks at none of it. Here copies are gone as soon as no distribution names the
version.

Without it fails: ``test_cloudformation.py::test_functions_at_the_edge``
"""

from ministack.services import cloudfront, lambda_svc

from troupe_cloud.cloudformation.errors import handler_error
from troupe_cloud.iam import roles
from troupe_cloud.lambda_functions.names import base_record, qualified_arn
from troupe_cloud.patching import patch, patch_handler, require
from troupe_cloud.responses import invalid_parameter

require(cloudfront, "_distributions")
require(lambda_svc, "_functions", "_qualifier_from_path_or_query", "_get_func_record_for_qualifier")

TYPE = "AWS::CloudFront::Distribution"
EDGE = "edgelambda.amazonaws.com"
# Members of a configuration that a function at the edge cannot have.
WITHOUT = (
    ("Environment", "Variables", "environment variables"),
    ("VpcConfig", "SubnetIds", "a VPC configuration"),
    ("DeadLetterConfig", "TargetArn", "a dead letter queue"),
)


def problem(arn):
    """Why the distribution cannot call what this ARN names, or None."""
    qualifier = arn.rsplit(":", 1)[-1]
    if arn.count(":") != 7 or not qualifier.isdigit():
        return (
            "The function ARN must reference a specific function version. (The ARN must end with"
            f" the version number.) ARN: {arn}"
        )
    if arn.split(":")[3] != "us-east-1":
        return f"The function must be in region 'us-east-1'. ARN: {arn}"
    if base_record(arn) is None or qualifier not in base_record(arn)["versions"]:
        return f"Lambda function does not exist. ARN: {arn}"
    _, config = lambda_svc._get_func_record_for_qualifier(arn.split(":")[6], qualifier)
    for member, key, what in WITHOUT:
        if (config.get(member) or {}).get(key):
            return f"The function cannot have {what}. Function: {arn}"
    if config.get("Layers"):
        return f"The function cannot have layers. Function: {arn}"
    if roles.usable(config["Role"], EDGE) is None:
        return (
            f"The function execution role must be assumable with {EDGE} as well as"
            " lambda.amazonaws.com principals. Update the IAM role and try again. Role:"
            f" {config['Role']}"
        )
    return None


def associations(node):
    """Every ARN of a function in a DistributionConfig."""
    if isinstance(node, dict):
        if isinstance(node.get("LambdaFunctionARN"), str):
            yield node["LambdaFunctionARN"]
        node = list(node.values())
    for item in node if isinstance(node, list) else ():
        yield from associations(item)


def check(properties):
    for arn in associations(properties.get("DistributionConfig")):
        why = problem(arn)
        if why:
            raise handler_error(
                f"Invalid request provided: {TYPE}: {why} (Service: CloudFront, Status Code: 400)",
                "InvalidRequest",
            )


@patch_handler(TYPE, "create")
def create_distribution(original, logical_id, properties, stack_name):
    check(properties)
    return original(logical_id, properties, stack_name)


@patch_handler(TYPE, "update")
def update_distribution(original, physical_id, old, new, stack_name, logical_id=None):
    check(new)
    return original(physical_id, old, new, stack_name, logical_id)


def replicated(name, qualifier):
    """ARN of the version, or of any version of the function, that a distribution names."""
    versions = [qualifier] if qualifier else lambda_svc._functions[name]["versions"]
    for version in versions:
        arn = qualified_arn(name, version)
        if any(f">{arn}<" in each["config_xml"] for each in cloudfront._distributions.values()):
            return arn
    return None


@patch(lambda_svc, "_delete_function")
def delete_function(original, name, query_params, path_qualifier=None):
    qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query_params)
    found = replicated(name, qualifier) if name in lambda_svc._functions else None
    if found:
        return invalid_parameter(
            f"Lambda was unable to delete {found} because it is a replicated function. Please see"
            " our documentation for Deleting Lambda@Edge Functions and Replicas."
        )
    return original(name, query_params, path_qualifier)
