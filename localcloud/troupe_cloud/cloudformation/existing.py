"""A stack never creates over what is already there, and never deletes a bucket with objects.

What AWS does: the handler of a named resource answers AlreadyExists (recorded form: ``Resource of
type '..' with identifier '..' already exists``), deleting a bucket that is not empty fails.
MiniStack writes a new record over the old one: log groups lose their streams, queues their
messages, and a stack's deletion takes the objects of its buckets along.

Without it fails: ``test_cloudformation.py::test_bucket_with_objects_keeps_its_stack``
"""

import contextvars

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, dynamodb, eventbridge, iam, kinesis, s3, scheduler
from ministack.services import secretsmanager, sns, sqs, ssm, stepfunctions
from ministack.services.cloudformation import provisioners

from troupe_cloud.cloudformation.errors import (
    ResourceError,
    already_exists,
    handler_error,
    worded_as_aws,
)
from troupe_cloud.cloudformation.properties import property_problem
from troupe_cloud.patching import patch, patch_handler, require

UPDATING = contextvars.ContextVar("troupe_resource_update", default=None)


def named(property_name, store):
    """An existence check for a type whose store is keyed by the name in the template."""

    def check(properties):
        name = properties.get(property_name)
        return name if name and store.get(name) is not None else None

    return check


def topic(properties):
    name = properties.get("TopicName")
    arn = f"arn:aws:sns:{get_region()}:{get_account_id()}:{name}"
    return name if name and sns._topics.get(arn) is not None else None


def rule(properties):
    name = properties.get("Name")
    key = eventbridge._rule_key(name, provisioners._eb_rule_bus_name(properties)) if name else None
    return name if name and eventbridge._rules.get(key) is not None else None


def secret(properties):
    name = properties.get("Name")
    return (
        name
        if name
        and any(
            record.get("Name") == name and not record.get("DeletedDate")
            for record in secretsmanager._secrets.values()
        )
        else None
    )


def state_machine(properties):
    name = properties.get("StateMachineName")
    return (
        name
        if name
        and any(record.get("name") == name for record in stepfunctions._state_machines.values())
        else None
    )


def schedule(properties):
    key = f"{properties.get('GroupName') or 'default'}/{properties.get('Name')}"
    return properties.get("Name") if scheduler._schedules.get(key) is not None else None


for module, names in (
    (cloudwatch_logs, ("_log_groups",)),
    (dynamodb, ("_tables",)),
    (iam, ("_roles", "_users")),
    (kinesis, ("_streams",)),
    (s3, ("_buckets", "_object_versions")),
    (scheduler, ("_schedules", "_schedule_groups")),
    (secretsmanager, ("_secrets",)),
    (sns, ("_topics",)),
    (sqs, ("_queue_name_to_url",)),
    (ssm, ("_parameters",)),
    (stepfunctions, ("_state_machines",)),
    (eventbridge, ("_rules", "_event_buses", "_rule_key")),
    (provisioners, ("_eb_rule_bus_name",)),
):
    require(module, *names)

EXISTS = {
    "AWS::DynamoDB::Table": named("TableName", dynamodb._tables),
    "AWS::Events::EventBus": named("Name", eventbridge._event_buses),
    "AWS::Events::Rule": rule,
    "AWS::IAM::Role": named("RoleName", iam._roles),
    "AWS::IAM::User": named("UserName", iam._users),
    "AWS::Kinesis::Stream": named("Name", kinesis._streams),
    "AWS::Logs::LogGroup": named("LogGroupName", cloudwatch_logs._log_groups),
    "AWS::S3::Bucket": named("BucketName", s3._buckets),
    "AWS::SNS::Topic": topic,
    "AWS::SQS::Queue": named("QueueName", sqs._queue_name_to_url),
    "AWS::SSM::Parameter": named("Name", ssm._parameters),
    "AWS::Scheduler::Schedule": schedule,
    "AWS::Scheduler::ScheduleGroup": named("Name", scheduler._schedule_groups),
    "AWS::SecretsManager::Secret": secret,
    "AWS::StepFunctions::StateMachine": state_machine,
}


def check_properties(resource_type, properties):
    problem = property_problem(resource_type, properties)
    if problem:
        raise ResourceError(problem)


@patch(provisioners, "_provision_resource")
def provision(original, resource_type, logical_id, properties, stack_name):
    """Creating is creating; MiniStack also comes here to update types without an update of their
    own.
    """
    check_properties(resource_type, properties)
    check = EXISTS.get(resource_type)
    taken = check(properties) if check else None
    before = UPDATING.get()
    if taken and (before is None or check(before) != taken):
        raise already_exists(resource_type, taken)
    with worded_as_aws():
        return original(resource_type, logical_id, properties, stack_name)


@patch(provisioners, "_update_resource")
def update(original, resource_type, physical_id, old, new, stack_name, *rest, **kwargs):
    if old != new:
        check_properties(resource_type, new)
    token = UPDATING.set(old)
    try:
        with worded_as_aws():
            return original(resource_type, physical_id, old, new, stack_name, *rest, **kwargs)
    finally:
        UPDATING.reset(token)


@patch_handler("AWS::S3::Bucket", "delete")
def delete_bucket(original, physical_id, properties):
    bucket = s3._buckets.get(physical_id) or {}
    versions = any(key[0] == physical_id and kept for key, kept in s3._object_versions.items())
    if bucket.get("objects") or versions:
        raise handler_error(
            "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, "
            "Request ID: 0)",
            "GeneralServiceException",
        )
    original(physical_id, properties)
