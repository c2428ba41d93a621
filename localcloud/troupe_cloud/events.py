"""SNS, EventBridge, S3, CloudWatch Logs and IoT invoke what they may, as what was named.

What AWS does (the services' Lambda target guides): the call is asynchronous, goes to exactly the
ARN in the subscription, target, notification or filter, and needs a permission of that qualified
ARN for the service (and source). S3 and Logs check it already when they are configured; Logs also
that the group is there and has no two other filters. Without permission nothing is delivered.
MiniStack delivers everything, and Logs subscriptions always to $LATEST.

Without it fails: ``test_events.py::test_sns``
"""

import base64
import contextvars
import gzip
import json
import logging
import time

from ministack.core.responses import (
    error_response_json,
    get_account_id,
    get_region,
    new_uuid,
    request_scope,
)
from ministack.services import cloudwatch_logs as logs
from ministack.services import eventbridge
from ministack.services import iot
from ministack.services import lambda_svc
from ministack.services import s3
from ministack.services import sns

from troupe_cloud.patching import patch, patch_handler, require
from troupe_cloud.lambda_functions.policies import may_invoke

logger = logging.getLogger("troupe_cloud")
FILTERS_MAX = 2  # of a log group. Source: CloudWatch Logs quotas
RULE = contextvars.ContextVar("troupe_rule", default=None)
ASYNCHRONOUS = contextvars.ContextVar("troupe_asynchronous", default=False)

require(s3, "_invalid_notification_config", "_bucket_owner_account")
require(logs, "_subscription_pattern_matches", "_log_groups")


def denied(service, arn):
    logger.warning("%s may not invoke %s: no permission for exactly that ARN", service, arn)


def invoke_later(reference, event):
    """Invoke asynchronously, with retries and destinations; False if there is no such function."""
    record, config, _ = lambda_svc._get_func_record_for_ref(reference)
    if record is None:
        return False
    lambda_svc.invoke_async_with_retry(dict(record, config=config), event)
    return True


# -- SNS -------------------------------------------------------------------------------------------


@patch(sns, "_deliver_to_lambda")
def sns_delivery(original, endpoint, envelope, topic_arn, *args, **kwargs):
    if not may_invoke(endpoint, "sns.amazonaws.com", [topic_arn], topic_arn.split(":")[4]):
        denied("SNS", endpoint)
        return
    token = ASYNCHRONOUS.set(True)
    try:
        original(endpoint, envelope, topic_arn, *args, **kwargs)
    finally:
        ASYNCHRONOUS.reset(token)


@patch(lambda_svc, "_execute_function_with_config_scope")
def execute_or_queue(original, record, event):
    """A service that only hands an event over does not wait for the function."""
    if ASYNCHRONOUS.get():
        lambda_svc.invoke_async_with_retry(record, event)
        return {}
    return original(record, event)


# -- EventBridge -----------------------------------------------------------------------------------


@patch(eventbridge, "_invoke_target")
def invoke_target(original, target, event, rule, view=None):
    token = RULE.set(rule)
    try:
        return original(target, event, rule, view)
    finally:
        RULE.reset(token)


@patch(eventbridge, "_dispatch_to_lambda")
def eventbridge_delivery(_original, arn, payload):
    rule = (RULE.get() or {}).get("Arn", "")
    if not may_invoke(arn, "events.amazonaws.com", [rule], get_account_id()):
        denied("EventBridge", arn)
        return
    try:
        event = json.loads(payload)
    except (TypeError, ValueError):
        event = payload
    if not invoke_later(arn, event):
        logger.warning("EventBridge: %s does not exist", arn)


# -- S3 --------------------------------------------------------------------------------------------


def bucket_may_invoke(arn, bucket):
    owner = s3._bucket_owner_account(bucket) or get_account_id()
    return may_invoke(arn, "s3.amazonaws.com", [f"arn:aws:s3:::{bucket}"], owner)


@patch(s3, "_validate_notification_configs")
def validate_notification(
    original, configs, bucket_region, bucket_name="", skip_destination_validation=False
):
    error = original(configs, bucket_region, bucket_name, skip_destination_validation)
    if error or skip_destination_validation:
        return error
    bad = [
        config["arn"]
        for config in configs
        if config["type"] == "lambda"
        and (
            lambda_svc._get_func_record_for_ref(config["arn"])[0] is None
            or not bucket_may_invoke(config["arn"], bucket_name)
        )
    ]
    if bad:
        return s3._invalid_notification_config(
            "Unable to validate the following destination configurations: " + ", ".join(bad)
        )
    return None


@patch(s3, "_deliver_event_to_lambda")
def s3_delivery(original, arn, event_payload, bucket_region):
    bucket = event_payload["Records"][0]["s3"]["bucket"]["name"]
    if not bucket_may_invoke(arn, bucket):
        denied("S3", arn)
        return
    original(arn, event_payload, bucket_region)


# -- CloudWatch Logs -------------------------------------------------------------------------------


def logs_may_invoke(arn, group):
    account, region = get_account_id(), get_region()
    source = f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    return any(
        may_invoke(arn, service, [source, source.removesuffix(":*")], account)
        for service in ("logs.amazonaws.com", f"logs.{region}.amazonaws.com")
    )


@patch(logs, "_put_subscription_filter")
def put_subscription_filter(original, data):
    arn = data.get("destinationArn", "")
    filters = logs._log_groups.get(data.get("logGroupName"), {}).get("subscriptionFilters", {})
    if len(filters.keys() - {data.get("filterName")}) >= FILTERS_MAX:
        return error_response_json("LimitExceededException", "Resource limit exceeded.", 400)
    if (
        ":function:" in arn
        and data.get("logGroupName") in logs._log_groups
        and not logs_may_invoke(arn, data["logGroupName"])
    ):
        return error_response_json(
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you "
            "have given CloudWatch Logs permission to execute your function.",
            400,
        )
    return original(data)


@patch_handler("AWS::Logs::SubscriptionFilter", "create")
def create_subscription_filter(original, logical_id, props, stack_name):
    """MiniStack makes a group that is not there."""
    if props.get("LogGroupName") not in logs._log_groups:
        raise ValueError("The specified log group does not exist.")
    return original(logical_id, props, stack_name)


def subscription_event(group, stream, subscription, events):
    now = int(time.time() * 1000)
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [subscription.get("filterName", "")],
        "logEvents": [
            {
                "id": new_uuid().replace("-", ""),
                "timestamp": event.get("timestamp", now),
                "message": event.get("message", ""),
            }
            for event in events
        ],
    }
    return {
        "awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()}
    }


@patch(logs, "_fanout_to_subscription_filters")
def fan_out(_original, group, stream, events):
    """To the qualified ARN of each filter; never back to the function whose own log this is."""
    filters = (logs._log_groups.get(group) or {}).get("subscriptionFilters") or {}
    for subscription in list(filters.values()):
        arn = subscription.get("destinationArn", "")
        name = arn.split(":function:")[-1].split(":")[0]
        if ":function:" not in arn or group == f"/aws/lambda/{name}":
            continue
        matched = [
            event
            for event in events
            if logs._subscription_pattern_matches(
                subscription.get("filterPattern", ""), event.get("message", "")
            )
        ]
        if matched and logs_may_invoke(arn, group):
            invoke_later(arn, subscription_event(group, stream, subscription, matched))
        elif matched:
            denied("CloudWatch Logs", arn)


# -- IoT -------------------------------------------------------------------------------------------


@patch(iot, "_dispatch_rule_to_lambda")
def iot_delivery(original, account_id, region, function_arn, event):
    with request_scope(account_id, region):
        permitted = may_invoke(function_arn, "iot.amazonaws.com", None, account_id)
    if permitted:
        original(account_id, region, function_arn, event)
    else:
        denied("IoT", function_arn)
