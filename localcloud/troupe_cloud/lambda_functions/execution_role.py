"""Lambda asks what a function's role may before it takes a setting that needs it.

What AWS does (Lambda developer guide, "Defining Lambda function permissions with an execution
role"): the call that names a network, tracing, a dead-letter queue, a destination or an event
source fails when the function's role may not use it. For a version or alias that is the role of
that version. Messages: github-aws-runners/terraform-aws-github-runner#2732 (EC2),
serverless/serverless#6931 (XRAY), elastic/beats#13963 (SNS and SQS), aws-amplify/amplify-cli#10395
(destinations), aws/aws-cdk#6770 (queues as sources), aws-samples/cross-account-amazon-dynamodb-
replication#11 (streams). MiniStack asks no role for anything.

Without it fails: ``test_roles.py::test_what_a_functions_role_must_be_allowed``
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from troupe_cloud.iam import roles
from troupe_cloud.lambda_functions.state import busy
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import invalid_parameter

require(lambda_svc, "_esms", "_get_func_record_for_qualifier")

LAMBDA = "lambda.amazonaws.com"
CANNOT_BE_ASSUMED = "The role defined for the function cannot be assumed by Lambda."
NO_GRANT = (
    "Lambda was unable to configure access to your environment variables because the KMS key is"
    " invalid for CreateGrant. Please check your KMS key settings. KMS Exception:"
    " InvalidArnException KMS Message: ARN does not refer to a valid principal"
)
# What a destination or dead-letter queue of each service takes.
SENDING = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}
# What each kind of source is asked: each item is a choice of actions, one of which is enough.
POLLING = {
    "sqs": (("sqs:ReceiveMessage",), ("sqs:DeleteMessage",), ("sqs:GetQueueAttributes",)),
    "kinesis": (
        ("kinesis:GetRecords",),
        ("kinesis:GetShardIterator",),
        ("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
        # Roles with DescribeStream and without ListShards are taken, as the dialect writes them.
        ("kinesis:ListShards", "kinesis:DescribeStream"),
    ),
    "dynamodb": (
        ("dynamodb:GetRecords",),
        ("dynamodb:GetShardIterator",),
        ("dynamodb:DescribeStream",),
        ("dynamodb:ListStreams",),
    ),
}
# What a broker is asked besides, on any resource: Lambda reaches it in its network.
NETWORK = ("ec2:CreateNetworkInterface", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")
BROKERS = {
    "mq": ("mq:DescribeBroker",),
    "kafka": ("kafka:DescribeCluster", "kafka:GetBootstrapBrokers"),
}
SECRETS = (
    "BASIC_AUTH",
    "SASL_SCRAM_256_AUTH",
    "SASL_SCRAM_512_AUTH",
    "CLIENT_CERTIFICATE_TLS_AUTH",
    "SERVER_ROOT_CA_CERTIFICATE",
)
STREAM_ACTIONS = {
    "kinesis": "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
    "dynamodb": "GetRecords, GetShardIterator, DescribeStream, and ListStreams",
}


def service_of(arn):
    return str(arn).split(":")[2] if str(arn).count(":") >= 5 else ""


# -- what a configuration needs --------------------------------------------------------------------


def network(value):
    """Interfaces may have any id; listing them takes no resource (VPC section of the guide)."""
    if not (value or {}).get("SubnetIds"):
        return []
    interface = f"arn:aws:ec2:{get_region()}:{get_account_id()}:network-interface/*"
    return [
        ("ec2:CreateNetworkInterface", interface, "EC2"),
        ("ec2:DescribeNetworkInterfaces", "*", "EC2"),
        ("ec2:DeleteNetworkInterface", interface, "EC2"),
    ]


def tracing(value):
    active = (value or {}).get("Mode") == "Active"
    return [("xray:PutTraceSegments", "*", "XRAY")] if active else []


def dead_letters(value):
    target = (value or {}).get("TargetArn") or ""
    service = service_of(target)
    return [(SENDING[service], target, service.upper())] if service in ("sqs", "sns") else []


NEEDS = (("VpcConfig", network), ("TracingConfig", tracing), ("DeadLetterConfig", dead_letters))


def unassumable(arn, key):
    """The answer for a role that Lambda cannot use; with a key of one's own KMS says so first."""
    known = roles.propagation.now_of(*roles.split(arn))
    fresh = known is not None and roles.trusts(known, LAMBDA)
    return invalid_parameter(NO_GRANT if key and fresh else CANNOT_BE_ASSUMED)


def configuration_refusal(config, changes):
    """The answer to a call that makes ``changes`` (all of it, for a new function), or None."""
    after = {**config, **changes}
    arn = after.get("Role")
    if not arn:
        return None
    role = roles.usable(arn, LAMBDA)
    if role is None:
        encrypted = after.get("KMSKeyArn") and after.get("Environment")
        return unassumable(arn, encrypted) if "Role" in changes else None
    for member, needs in NEEDS:
        if member not in changes and "Role" not in changes:
            continue
        for action, resource, service in needs(after.get(member)):
            if not roles.may(arn, role, action, resource):
                operation = action.split(":")[1]
                return invalid_parameter(
                    "The provided execution role does not have permissions to call"
                    f" {operation} on {service}"
                )
    return None


@patch(lambda_svc, "_create_function")
def create_function(original, data):
    if data.get("FunctionName") in lambda_svc._functions:
        return original(data)
    return configuration_refusal({}, data) or original(data)


@patch(lambda_svc, "_update_config")
def update_config(original, name, data):
    function = lambda_svc._functions.get(name)
    if function is None or busy(name):
        return original(name, data)
    return configuration_refusal(function["config"], data) or original(name, data)


# -- destinations and sources ----------------------------------------------------------------------


def role_of(name, qualifier):
    """``(ARN, role)`` of the version behind a qualifier; the role is None if it cannot be used."""
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    arn = (config or {}).get("Role", "")
    return arn, roles.usable(arn, LAMBDA) if arn else None


def destination_refusal(name, qualifier, settings):
    arn, role = role_of(name, qualifier)
    for target in ("OnSuccess", "OnFailure"):
        resource = ((settings or {}).get(target) or {}).get("Destination")
        action = SENDING.get(service_of(resource))
        if not action:
            continue
        wanted = f"{resource}/*" if action == "s3:PutObject" else resource
        if role is None or not roles.may(arn, role, action, wanted):
            return invalid_parameter(
                "The function's execution role does not have permissions to call"
                f" {action.split(':')[1]} on {resource}"
            )
    return None


@patch(lambda_svc, "_put_event_invoke_config")
def put_event_invoke_config(original, name, qualifier, data):
    function = lambda_svc._functions.get(name)
    if function is None or not lambda_svc._function_qualifier_exists(function, qualifier):
        return original(name, qualifier, data)
    error = destination_refusal(name, qualifier, data.get("DestinationConfig"))
    return error or original(name, qualifier, data)


def source_refusal(name, qualifier, source):
    service = service_of(source)
    arn, role = role_of(name, qualifier)
    for choice in POLLING.get(service, ()):
        if role is not None and any(roles.may(arn, role, action, source) for action in choice):
            continue
        if service == "sqs":
            return invalid_parameter(
                "The provided execution role does not have permissions to call"
                f" {choice[0].split(':')[1]} on SQS"
            )
        return invalid_parameter(
            f"Cannot access stream {source}. Please ensure the role can perform the"
            f" {STREAM_ACTIONS[service]} Actions on your stream in IAM."
        )
    return None


def broker_refusal(name, qualifier, source, data):
    """Lambda developer guide, "Amazon MQ permissions", "MSK permissions", "Self-managed Kafka
    permissions". MSK with SASL takes what the secret's policy says, so no secret is asked there.
    """
    arn, role = role_of(name, qualifier)
    service, accesses = service_of(source), data.get("SourceAccessConfigurations") or []
    needs = [(action, source) for action in BROKERS.get(service, ())]
    if service in BROKERS or any(access["Type"].startswith("VPC_") for access in accesses):
        needs += [(action, "*") for action in NETWORK]
    if service != "kafka":
        needs += [
            ("secretsmanager:GetSecretValue", access["URI"])
            for access in accesses
            if access["Type"] in SECRETS
        ]
    for action, resource in needs:
        if role is None or not roles.may(arn, role, action, resource):
            return invalid_parameter(
                "The provided execution role does not have permissions to call"
                f" {action.split(':')[1]} on {resource}"
            )
    return None


def mapping_refusal(name, qualifier, source, data):
    function = lambda_svc._functions.get(name)
    if function is None or not lambda_svc._function_qualifier_exists(function, qualifier):
        return None
    return (
        source_refusal(name, qualifier, source)
        or broker_refusal(name, qualifier, source, data)
        or destination_refusal(name, qualifier, data.get("DestinationConfig"))
    )


@patch(lambda_svc, "_create_esm")
def create_mapping(original, data):
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(
        data.get("FunctionName", "")
    )
    source = data.get("EventSourceArn") or ""
    return mapping_refusal(name, qualifier, source, data) or original(data)


@patch(lambda_svc, "_update_esm")
def update_mapping(original, id, data):
    mapping = lambda_svc._esms.get(id)
    if mapping is None:
        return original(id, data)
    name, qualifier = mapping["FunctionName"], mapping.get("Qualifier")
    if data.get("FunctionName"):
        name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(
            data["FunctionName"]
        )
    error = mapping_refusal(name, qualifier, mapping["EventSourceArn"], {**mapping, **data})
    return error or original(id, data)
