"""Checking a Signature Version 4 with botocore's own signer, as a second opinion."""

import calendar
import hashlib
import re
import time

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256"
    r" Credential=(?P<key>[^/,]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/"
    r"aws4_request, ?SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
CLOCK_SKEW_S = 300


def scope(request):
    """The parts of the Authorization header, or None when it is not one of version 4."""
    return AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))


def problems(request, secret, token=None):
    """What is wrong with the signature of ``request``: texts, none when AWS would accept it."""
    parts = scope(request)
    if parts is None:
        return ["has no Signature Version 4"]
    found = []
    timestamp = request.headers.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", timestamp):
        return [f"x-amz-date is '{timestamp}'"]
    if timestamp[:8] != parts["date"]:
        found.append("the scope's date is not that of x-amz-date")
    if (
        abs(calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ")) - time.time())
        > CLOCK_SKEW_S
    ):
        found.append(f"x-amz-date {timestamp} is more than five minutes off")
    signed = parts["signed"].split(";")
    if signed != sorted(set(signed)):
        found.append(f"signed headers are not sorted: {parts['signed']}")
    must = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    found += [f"header '{name}' is not signed" for name in sorted(must - set(signed))]
    found += [f"signed header '{name}' is absent" for name in signed if name not in request.headers]
    if token is not None and request.headers.get("x-amz-security-token") != token:
        found.append("x-amz-security-token is not the credentials' session token")
    found += body_problems(request, parts["service"])
    if not found and signature(request, parts, secret, signed) != parts["signature"]:
        found.append("the signature is not the one botocore computes")
    return found


def body_problems(request, service):
    hashed = request.headers.get("x-amz-content-sha256")
    if hashed is None:
        return ["x-amz-content-sha256 is absent"] if service == "s3" else []
    if hashed != hashlib.sha256(request.body).hexdigest():
        return [f"x-amz-content-sha256 is not the body's: {hashed}"]
    return []


def signature(request, parts, secret, signed):
    """The signature that botocore gives this request."""
    signer = (S3SigV4Auth if parts["service"] == "s3" else SigV4Auth)(
        Credentials(parts["key"], secret), parts["service"], parts["region"]
    )
    url = f"http://{request.headers['host']}{request.path}" + (
        f"?{request.query}" if request.query else ""
    )
    again = AWSRequest(
        request.method,
        url,
        headers={name: request.headers[name] for name in signed},
        data=request.body,
    )
    again.context["timestamp"] = request.headers["x-amz-date"]
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
