"""How a failing resource words its reason in CloudFormation's events.

Recorded form: ``Resource handler returned message: "<message>" (RequestToken: <uuid>,
HandlerErrorCode: <code>)``; answers of a service keep ``(Service: Lambda, Status Code: 400, Request
ID: ..)``.
"""

import ast
import contextlib
import json
import re

from ministack.core.responses import new_uuid

from troupe_cloud.responses import failed, message_of

CODES = {
    400: "InvalidRequest",
    403: "AccessDenied",
    404: "NotFound",
    409: "ResourceConflict",
    412: "InvalidRequest",
    429: "Throttling",
}


class ResourceError(ValueError):
    """A resource operation AWS would refuse."""


def handler_error(message, code):
    return ResourceError(
        f'Resource handler returned message: "{message}" (RequestToken: {new_uuid()}, '
        f"HandlerErrorCode: {code})"
    )


def already_exists(resource_type, name):
    return handler_error(
        f"Resource of type '{resource_type}' with identifier '{name}' already exists.",
        "AlreadyExists",
    )


def raise_if_failed(response, service):
    """Turn the refusal of a service into the failure of the resource that asked."""
    if not failed(response):
        return response
    status = response[0]
    raise handler_error(
        f"{message_of(response)} (Service: {service}, Status Code: {status}, "
        f"Request ID: {new_uuid()})",
        CODES.get(status, "GeneralServiceException"),
    )


@contextlib.contextmanager
def worded_as_aws():
    """MiniStack's handlers quote a refused call's whole answer: keep its message only."""
    try:
        yield
    except ResourceError:
        raise
    except ValueError as error:
        quoted = re.search(r"failed: (b'.*'|b\".*\"|{.*})$", str(error), re.DOTALL)
        if not quoted:
            raise
        try:
            text = quoted[1]
            answer = json.loads(text if text.startswith("{") else ast.literal_eval(text))
        except (SyntaxError, ValueError):
            raise error from None
        raise handler_error(
            answer.get("message") or answer.get("Message") or str(error), "InvalidRequest"
        ) from error
