"""Faults for the proxy: which calls they hit, and what then happens to them.

A rule looks at every call that its filter lets through, counting them from 1 since it was added,
and hits some of them: the n-th, from the n-th on, or each with a probability (seeded, so that a run
can be repeated). What it does is a ``kind``:

    status         answer an error in the service's own format, without forwarding
    reset          drop the connection, without forwarding
    lose           forward, then drop the connection: it took effect, the caller does not know
    delay          wait, then forward
    late           forward, then wait with the answer
    kill           kill the victim, without forwarding
    kill-after     forward, then kill the victim before it gets the answer
    call           run a function, then forward
"""

import json
import random
import threading
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape


@dataclass
class Rule:
    kind: str
    service: str | None = None
    operation: str | None = None
    key: str | None = None  # only S3 objects with this in their name
    region: str | None = None  # only calls to this region
    nth: int | None = None  # hits the n-th of the calls it looks at
    since: int | None = None  # hits all from this one on
    probability: float | None = None
    seed: int = 1
    times: int | None = None  # hits at most so many
    status: int = 500
    code: str = "InternalFailure"
    message: str = "injected by the test"
    headers: dict = field(default_factory=dict)
    seconds: float = 0.0
    function: object = None
    seen: int = 0
    hits: int = 0

    def __post_init__(self):
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def as_s3_says_it(self):
        """S3 throttles with 503 (Amazon S3 API reference, "Error responses")."""
        return (
            self
            if self.code != "ThrottlingException"
            else replace(self, status=503, code="SlowDown")
        )

    def hit(self, service, operation, key="", region=""):
        """Does this call suffer? Counts it."""
        if (
            self.region not in (None, region)
            or self.service not in (None, service)
            or self.operation not in (None, operation)
            or (self.key or "") not in key
        ):
            return False
        with self._lock:
            self.seen += 1
            if self.times is not None and self.hits >= self.times:
                return False
            hit = True
            if self.nth is not None:
                hit = self.seen == self.nth
            if self.since is not None:
                hit = hit and self.seen >= self.since
            if self.probability is not None:
                hit = hit and self._random.random() < self.probability
            self.hits += hit
            return hit


def error_answer(protocol, rule, request_id):
    """``(headers, body)`` of an error as a service with this protocol writes it."""
    headers = {"x-amzn-RequestId": request_id, **rule.headers}
    if protocol in ("json", "rest-json"):
        headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": rule.code}
        return (
            headers,
            json.dumps(
                {"__type": rule.code, "message": rule.message, "Message": rule.message}
            ).encode(),
        )
    headers["Content-Type"] = "text/xml"
    code, message = escape(rule.code), escape(rule.message)
    if protocol == "rest-xml":
        headers["x-amz-request-id"] = request_id
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    elif protocol == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        kind = "Sender" if rule.status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return headers, b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode()
