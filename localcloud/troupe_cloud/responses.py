"""Reading and writing the ``(status, headers, body)`` triples of MiniStack's services."""

import json

from ministack.core.responses import error_response_json


def body_of(response):
    """The decoded JSON body of a response, or None if it has none."""
    body = response[2]
    return json.loads(body) if body else None


def failed(response) -> bool:
    return response[0] >= 400


def message_of(response) -> str:
    """The message of an error response, whatever the protocol's spelling."""
    try:
        body = body_of(response) or {}
    except ValueError:
        return str(response[2])
    return body.get("message") or body.get("Message") or str(response[2])


def invalid_parameter(message):
    return error_response_json("InvalidParameterValueException", message, 400)


def constraint(value, name, rule):
    """Lambda's answer to a value its service model refuses (recorded wording)."""
    return error_response_json(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint:"
        f" {rule}",
        400,
    )


def without_private(value):
    """A copy of a response value without the keys this package keeps in MiniStack's records."""
    if isinstance(value, dict):
        return {k: without_private(v) for k, v in value.items() if not str(k).startswith("_troupe")}
    if isinstance(value, list):
        return [without_private(v) for v in value]
    return value
