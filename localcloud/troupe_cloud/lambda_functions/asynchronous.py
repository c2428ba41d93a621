"""Asynchronous invocation: retries, destinations and dead letters of the qualifier that was called.

What AWS does (Lambda developer guide, "Configuring error handling settings for asynchronous
invocation", "Capturing records of Lambda asynchronous invocations"): the event invoke configuration
of the alias or version decides; after the last attempt the invocation record goes to the OnFailure
(or OnSuccess) destination and the event itself to the dead-letter queue. MiniStack looks only at
the function's own configuration, has no OnSuccess, and sends the record to dead-letter queues too.
Waiting between attempts is MiniStack's (``LAMBDA_ASYNC_RETRY_BASE_SECONDS``): seconds, not minutes.

Without it fails: ``test_events.py::test_asynchronous_destinations_of_an_alias``
"""

import contextvars
import hashlib
import json
import logging
import threading
import time

from ministack.core.responses import new_uuid, request_scope
from ministack.services import eventbridge
from ministack.services import lambda_svc
from ministack.services import sns
from ministack.services import sqs

from troupe_cloud.lambda_functions.names import base_record, split_reference
from troupe_cloud.patching import patch, require

logger = logging.getLogger("troupe_cloud")
DEFAULT_ATTEMPTS, DEFAULT_AGE = 2, 21600

require(
    lambda_svc,
    "_execute_function",
    "_account_region_from_function_config",
    "esm_wake",
    "_LAMBDA_ASYNC_RETRY_BASE_SECONDS",
    "_LAMBDA_ASYNC_RETRY_MAX_SECONDS",
    "_get_func_record_for_ref",
    "_execute_function_with_config_scope",
)
require(sqs, "_queue_by_arn", "queue_delay")
require(sns, "_topics", "_fanout")
require(eventbridge, "_put_events")


def settings_of(config):
    """The event invoke configuration of the qualifier in the configuration's ARN."""
    _, qualifier = split_reference(config["FunctionArn"])
    function = base_record(config["FunctionArn"]) or {}
    configured = (function.get("event_invoke_configs") or {}).get(qualifier or "$LATEST")
    return configured or (not qualifier and function.get("event_invoke_config")) or {}


def invocation_record(config, event, result, condition, attempts):
    arn = config["FunctionArn"]
    answer = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST")}
    if result.get("error"):
        answer["functionError"] = result.get("function_error") or "Unhandled"
    return {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "requestContext": {
            "requestId": new_uuid(),
            "functionArn": arn if split_reference(arn)[1] else f"{arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": answer,
        "responsePayload": result.get("body"),
    }


def to_queue(arn, text, attributes):
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        logger.warning("asynchronous destination %s does not exist", arn)
        return
    now = time.time()
    queue["messages"].append(
        {
            "id": new_uuid(),
            "body": text,
            "md5_body": hashlib.md5(text.encode()).hexdigest(),
            "md5_attrs": "",
            "receipt_handle": None,
            "sent_at": now,
            "visible_at": now + sqs.queue_delay(queue),
            "receive_count": 0,
            "first_receive_at": None,
            "message_attributes": attributes,
            "sys": {"SenderId": "lambda", "SentTimestamp": str(int(now * 1000))},
            "group_id": None,
            "dedup_id": None,
            "dedup_cache_key": None,
            "seq": None,
        }
    )
    lambda_svc.esm_wake.set()


def to_topic(arn, text, attributes):
    if arn in sns._topics:
        sns._fanout(arn, new_uuid(), text, "", "", attributes)
    else:
        logger.warning("asynchronous destination %s does not exist", arn)


def to_function(arn, text, _attributes):
    record, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if record is None:
        logger.warning("asynchronous destination %s does not exist", arn)
        return
    lambda_svc.invoke_async_with_retry(dict(record, config=config), json.loads(text))


def to_event_bus(arn, text, _attributes):
    message = json.loads(text)
    kind = "Success" if message["requestContext"]["condition"] == "Success" else "Failure"
    eventbridge._put_events(
        {
            "Entries": [
                {
                    "Source": "lambda",
                    "DetailType": f"Lambda Function Invocation Result - {kind}",
                    "Detail": text,
                    "EventBusName": arn,
                    "Resources": [message["requestContext"]["functionArn"]],
                }
            ]
        }
    )


SENDERS = {"sqs": to_queue, "sns": to_topic, "lambda": to_function, "events": to_event_bus}


def send(arn, text, attributes=None):
    sender = SENDERS.get(arn.split(":")[2] if arn.count(":") >= 5 else "")
    if sender is None:
        logger.warning("asynchronous destination %s is not supported", arn)
        return
    sender(arn, text, attributes or {})


def attempt(record, event, chosen):
    """Run the function until it succeeds or its attempts or age run out; ``(result, attempts,
    condition)``.
    """
    base = lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS
    most = lambda_svc._LAMBDA_ASYNC_RETRY_MAX_SECONDS
    retries = chosen.get("MaximumRetryAttempts")
    retries = DEFAULT_ATTEMPTS if retries is None else int(retries)
    age, started = int(chosen.get("MaximumEventAgeInSeconds") or DEFAULT_AGE), time.time()
    result = {}
    for count in range(1, retries + 2):
        if count > 1:
            pause = min(base * 2 ** (count - 2), most)
            if time.time() - started + pause > age:
                return result, count - 1, "EventAgeExceeded"
            time.sleep(pause)
        result = lambda_svc._execute_function(record, event)
        if not result.get("error"):
            return result, count, "Success"
    return result, retries + 1, "RetriesExhausted"


def run(record, event):
    config = record.get("config") or record
    chosen = settings_of(config)
    result, attempts, condition = attempt(record, event, chosen)
    destinations = chosen.get("DestinationConfig") or {}
    kind = "OnSuccess" if condition == "Success" else "OnFailure"
    target = (destinations.get(kind) or {}).get("Destination")
    if target:
        send(target, json.dumps(invocation_record(config, event, result, condition, attempts)))
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letters and condition != "Success":
        body = result.get("body") if isinstance(result.get("body"), dict) else {}
        send(
            dead_letters,
            json.dumps(event),
            {
                "RequestID": {"DataType": "String", "StringValue": new_uuid()},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                "ErrorMessage": {
                    "DataType": "String",
                    "StringValue": str(body.get("errorMessage", "")),
                },
            },
        )


@patch(lambda_svc, "invoke_async_with_retry")
def invoke_async(_original, record, event):
    account, region = lambda_svc._account_region_from_function_config(
        record.get("config") or record
    )

    def scoped():
        with request_scope(account, region):
            try:
                run(record, event)
            except Exception:
                logger.exception("asynchronous invocation failed")

    threading.Thread(target=contextvars.copy_context().run, args=(scoped,), daemon=True).start()
