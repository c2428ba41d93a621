"""Dynamic references, ``{{resolve:service:key}}``.

What AWS does (CloudFormation user guide, "Using dynamic references" and the pages of each service;
the messages as recorded in aws/aws-cdk#18747, aws/serverless-application-model#1528 and
aws-cloudformation/cloudformation-coverage-roadmap#1822): ``ssm-secure`` is taken only in the
properties that the guide lists, none of them Lambda's; a version of a parameter is a number, not a
label; ``ssm`` of a SecureString is refused; all of this before anything is made. A key that the
secret's JSON does not have fails the resource. In Outputs they stay text
(cloudformation-coverage-roadmap#689).
MiniStack resolves ``ssm-secure`` everywhere, SecureStrings by ``ssm``, too, takes any version, and
has words of its own.

Without it fails: ``test_cloudformation.py::test_dynamic_references_that_are_refused``
"""

import json
import re

from ministack.services import secretsmanager, ssm
from ministack.services.cloudformation import engine

from troupe_cloud.patching import patch, require

require(secretsmanager, "resolve_secret_string")
require(ssm, "_lookup_parameter")
REFERENCE = re.compile(r"\{\{resolve:(?P<service>ssm|ssm-secure):(?P<key>[^}]*)\}\}")
# Source: user guide, "Get a secure string value from Systems Manager Parameter Store".
SECURE = {
    ("AWS::DirectoryService::MicrosoftAD", "Password"),
    ("AWS::DirectoryService::SimpleAD", "Password"),
    ("AWS::ElastiCache::ReplicationGroup", "AuthToken"),
    ("AWS::IAM::User", "LoginProfile/Password"),
    ("AWS::KinesisFirehose::DeliveryStream", "RedshiftDestinationConfiguration/Password"),
    ("AWS::KinesisFirehose::DeliveryStream", "RedshiftDestinationConfiguration/Username"),
    ("AWS::OpsWorks::App", "AppSource/Password"),
    ("AWS::OpsWorks::Stack", "CustomCookbooksSource/Password"),
    ("AWS::OpsWorks::Stack", "RdsDbInstances/DbPassword"),
    ("AWS::RDS::DBCluster", "MasterUserPassword"),
    ("AWS::RDS::DBInstance", "MasterUserPassword"),
    ("AWS::Redshift::Cluster", "MasterUserPassword"),
}


def texts(node, path=()):
    """Every text of a part of a template, with its path."""
    if isinstance(node, str):
        yield "/".join(path), node
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from texts(value, (*path, key))
    for value in node if isinstance(node, list) else ():
        yield from texts(value, path)


def problem(resource_type, path, found):
    """Why a reference in a property is refused, or None."""
    name, colon, version = found["key"].partition(":")
    if "${" in found["key"]:  # known when Fn::Sub has been evaluated
        return None
    if not name or (colon and not version.isdigit()):
        return f"Incorrect format is used in the following SSM reference: [{found[0]}]"
    if found["service"] == "ssm-secure":
        if (resource_type, path) in SECURE:
            return None
        return f"SSM Secure reference is not supported in: [{resource_type}/Properties/{path}]"
    _, parameter = ssm._lookup_parameter(name, allow_arn_region=True, flexible_name=True)
    if parameter and parameter.get("Type") == "SecureString":
        return f"Non-secure ssm prefix was used for secure parameter {name}"
    return None


@patch(engine, "validate_template_support")
def validate(original, template, conditions, params=None):
    original(template, conditions, params)
    for resource in template["Resources"].values():
        for path, text in texts(resource.get("Properties") or {}):
            for found in REFERENCE.finditer(text):
                message = problem(resource.get("Type"), path, found)
                if message:
                    raise ValueError(message)


@patch(engine, "_resolve_dynamic_reference")
def resolve(original, literal):
    """A secret's value, with AWS's reasons. MiniStack parses the reference before it looks."""
    try:
        return original(literal)
    except ValueError as error:
        if "not found in the secret" not in str(error):
            raise
    parts = literal.removeprefix("{{resolve:secretsmanager:").removesuffix("}}").split(":")
    length = 7 if parts[0] == "arn" else 1
    stage, version = (parts[length + 2 :] + ["", ""])[:2]
    text = secretsmanager.resolve_secret_string(
        ":".join(parts[:length]), stage or "AWSCURRENT", version or None
    )
    try:
        json.loads(text)
    except ValueError:
        raise ValueError("Could not parse SecretString JSON") from None
    raise ValueError("Could not find a value associated with JSONKey in SecretString")
