"""Event source mappings: one per source and function, and only on sources that exist.

What AWS does (Lambda API reference, CreateEventSourceMapping; recorded in localstack's
``test_lambda_integration_sqs`` snapshots): a second mapping of the same source and qualified
function is a ResourceConflictException, a missing queue or stream an
InvalidParameterValueException, and a queue whose visibility timeout is shorter than the function's
timeout is refused. ListEventSourceMappings by function lists the mappings of exactly that
qualifier. MiniStack checks none of it.

Without it fails: ``test_events.py::test_missing_sources``
"""

from ministack.core.responses import error_response_json, json_response
from ministack.services import dynamodb, kinesis
from ministack.services import lambda_svc
from ministack.services import sqs

from troupe_cloud.patching import patch, require
from troupe_cloud.responses import invalid_parameter

require(
    lambda_svc,
    "_esms",
    "_esm_response",
    "_resolve_request_scoped_name_and_qualifier",
    "_get_func_record_for_qualifier",
)
require(sqs, "_queue_by_arn")
require(kinesis, "_streams")
require(dynamodb, "_tables")


def queue_problem(arn, data):
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        return (
            "Error occurred while ReceiveMessage. SQS Error Code:"
            " AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does"
            " not exist for this wsdl version."
        )
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(
        data.get("FunctionName", "")
    )
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    visible = int(queue["attributes"].get("VisibilityTimeout", 30))
    if config and visible < int(config.get("Timeout", 3)):
        return (
            f"Queue visibility timeout: {visible} seconds is less than Function timeout:"
            f" {config['Timeout']} seconds"
        )
    return None


def stream_problem(arn, _data):
    name = arn.split(":", 5)[5].removeprefix("stream/").split("/")[0]
    return None if kinesis._streams.get(name) is not None else f"Stream not found: {arn}"


def table_stream_problem(arn, _data):
    table = dynamodb._tables.get(arn.split("/")[1] if "/" in arn else "")
    return None if table and table.get("LatestStreamArn") == arn else f"Stream not found: {arn}"


CHECKS = {"sqs": queue_problem, "kinesis": stream_problem, "dynamodb": table_stream_problem}
NAMES = {"sqs": "SQS", "kinesis": "Kinesis", "dynamodb": "DynamoDB"}


def same_mapping(arn, name, qualifier):
    return next(
        (
            esm
            for esm in lambda_svc._esms.values()
            if (esm["EventSourceArn"], esm["FunctionName"], esm.get("Qualifier"))
            == (arn, name, qualifier)
        ),
        None,
    )


@patch(lambda_svc, "_create_esm")
def create_mapping(original, data):
    arn = data.get("EventSourceArn") or ""
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(
        data.get("FunctionName", "")
    )
    if (
        lambda_svc._function_qualifier_exists(lambda_svc._functions.get(name), qualifier)
        and service in CHECKS
    ):
        problem = CHECKS[service](arn, data)
        if problem:
            return invalid_parameter(problem)
        other = same_mapping(arn, name, qualifier)
        if other:
            return error_response_json(
                "ResourceConflictException",
                f'An event source mapping with {NAMES[service]} arn (" {arn} ") and function ("'
                f' {name} ") already '
                f"exists. Please update or delete the existing mapping with UUID {other['UUID']}",
                409,
            )
    return original(data)


@patch(lambda_svc, "_list_esms")
def list_mappings(original, query_params):
    reference = lambda_svc._qp_first(query_params, "FunctionName")
    if not reference:
        return original(query_params)
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(reference)
    source = lambda_svc._qp_first(query_params, "EventSourceArn")
    found = [
        esm
        for esm in lambda_svc._esms.values()
        if (esm["FunctionName"], esm.get("Qualifier")) == (name, qualifier)
        and source in ("", esm["EventSourceArn"])
    ]
    return json_response({"EventSourceMappings": [lambda_svc._esm_response(esm) for esm in found]})
