"""Who is let in. Everything else of this package stands behind it.

What AWS does: every call of its APIs is signed with a key that only the caller and AWS know (IAM
user guide, "AWS Signature Version 4 for API requests"); what a service offers to the public has an
address of its own, and browsers may read it as far as its CORS settings say.

MiniStack believes whoever names an account, has addresses without any key that change or empty
everything, takes requests under any name, and lets every web page read its answers. So here:

- A request must come under a name of this machine (or of an API that was made here): a web page
  whose name was made to point here afterwards comes under its own.
- Calls of AWS's APIs must be signed, whatever MiniStack asks for; a page of another origin may
  not even try.
- MiniStack's own addresses below ``/_ministack/`` want the secret in ``X-Troupe-Secret``.
- Without a signature come: callers of APIs and function URLs, forms that carry a signed policy
  (S3), operations that have none on AWS (Cognito's sign-in), and health checks.
- Only APIs, function URLs and buckets say what other origins may read.

Without it fails: ``test_gate.py::test_a_page_cannot_empty_the_cloud``
"""

import hashlib
import re
from types import SimpleNamespace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ministack import app as ministack
from ministack.core import iam_evaluator, sigv4
from ministack.core.iam_actions import unsigned_operations
from ministack.core.responses import (
    _account_from_sts_session,
    new_uuid,
    set_request_account_id,
)
from ministack.services import alb, apigateway, apigateway_v1, cognito, lambda_svc, s3

from troupe_cloud.patching import patch, require
from troupe_cloud.secret import has_grant, is_secret

require(
    ministack,
    "_parse_execute_api_url",
    "_parse_lambda_url",
    "_resolve_custom_domain_request",
    "_credential_failure",
    "_routing_params",
    "_EXECUTE_API_RE",
    "_s3_cors_target",
    "_send_response",
    "_MINISTACK_HOST",
    "_ALB_PATH_PREFIX",
)
require(iam_evaluator, "resolve_credential", "AuthError", "_signature_attempted", "_sigv2_check")

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OWN_PATHS = ("/_ministack/", "/_localstack/")
HEALTH = "/_ministack/health"
# Where the answer that a stack waits for is sent; the last part of the path is a number that only
# whoever is to answer knows.
CALLBACKS = re.compile(r"/_ministack/cfn-(response|signal)/[^/]+")
# Code of functions and layers, whose addresses GetFunction and GetLayerVersion give out.
DOWNLOADS = re.compile(r"/_ministack/lambda-(code|layers)/")
FUNCTION_URL_HOST = re.compile(r"[a-z0-9-]+\.lambda-url\.[a-z0-9-]+\.on\.aws")
COGNITO_KEYS = re.compile(r"/([^/]+)/\.well-known/(jwks\.json|openid-configuration)")
SHA256 = re.compile(r"[0-9a-f]{64}")


def is_local(name):
    return name in LOOPBACK or name.endswith((".localhost", f".{ministack._MINISTACK_HOST}"))


def host_name(host):
    return re.sub(r":\d*$", "", host).lower()


def read(scope):
    """What the decision needs of a request."""
    headers = {}
    for name, value in scope.get("headers", []):
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        # A header on several lines is signed as its values joined by a bare comma.
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    query = scope.get("query_string", b"").decode("utf-8", "replace")
    return SimpleNamespace(
        method=scope.get("method", "GET"),
        path=scope["path"],
        raw_path=(scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1"),
        query=parse_qs(query, keep_blank_values=True),
        headers=headers,
        host=headers.get("host", ""),
        body=b"",
        websocket=scope["type"] == "websocket",
    )


# -- signatures ------------------------------------------------------------------------------------


def names_key(request):
    return ministack.extract_access_key_id(request.headers, request.query) != ""


def is_signed(request):
    return iam_evaluator._signature_attempted(
        request.headers.get("authorization", ""), request.query
    )


def time_failure(request, signature, presigned):
    if not presigned or signature.service != "s3":
        return sigv4.request_time_failure(signature)
    try:
        expires = int((request.query.get("X-Amz-Expires") or [""])[0])
        expired = sigv4.presigned_request_is_expired(signature.amz_date, expires)
    except ValueError:
        return "AuthorizationQueryParametersError", "X-Amz-Expires and X-Amz-Date are needed"
    return ("AccessDenied", "Request has expired") if expired else None


def credential_of(key, token):
    try:
        account = _account_from_sts_session(key) or iam_evaluator.find_iam_access_key_account(key)
    except iam_evaluator.AmbiguousAccessKeyError:
        account = None
    return iam_evaluator.resolve_credential(key, account or key, token)


def old_signature_failure(request):
    """Version 2, in which SDKs still sign addresses of objects unless they are told otherwise."""
    key = ministack.extract_access_key_id(request.headers, request.query)
    if not key or service_of(request) != "s3":
        return "InvalidRequest", "Please use AWS4-HMAC-SHA256."
    bucket = ministack._extract_s3_vhost_bucket(request.host)
    checked = iam_evaluator._sigv2_check(
        iam_evaluator.SignedRequest(
            key,
            request.method,
            request.raw_path,
            request.query,
            request.headers,
            sigv2=True,
            auth_path=f"/{bucket}{request.raw_path}" if bucket else request.raw_path,
        ),
        key,
    )
    failed = isinstance(checked, iam_evaluator.AuthError)
    return (checked.code, checked.message) if failed else None


def signature_failure(request):
    """``(code, message)``, or None when the signature is that of a key known here."""
    authorization = request.headers.get("authorization", "")
    presigned = not authorization.startswith("AWS4-")
    if presigned and (authorization.startswith("AWS ") or "X-Amz-Signature" not in request.query):
        return old_signature_failure(request)
    signature = (
        sigv4.parse_query_signature(request.query)
        if presigned
        else sigv4.parse_header_signature(request.headers)
    )
    if isinstance(signature, tuple):
        return signature
    token = (
        (request.query.get("X-Amz-Security-Token") or [""])[0]
        if presigned
        else request.headers.get("x-amz-security-token", "")
    )
    credential = credential_of(signature.access_key_id, token)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return credential.code, credential.message
    declared = request.headers.get("x-amz-content-sha256", "")
    if signature.service != "s3" and SHA256.fullmatch(declared):
        # Only S3 says what is wrong with a body unlike its hash; others find no signature.
        request.headers = {k: v for k, v in request.headers.items() if k != "x-amz-content-sha256"}
        request.headers["x-amz-content-sha256"] = hashlib.sha256(request.body).hexdigest()
    return time_failure(request, signature, presigned) or sigv4.header_signature_failure(
        signature,
        credential.secret_access_key,
        request.method,
        request.raw_path,
        request.query,
        request.headers,
        request.body,
        presigned=presigned,
    )


# -- what needs none -------------------------------------------------------------------------------


def owner_of(api):
    """The account of an API, whose id is unique; MiniStack looks in the caller's account only."""
    for store in (apigateway_v1._rest_apis, apigateway._apis):
        for (account, _, id), _ in store.all_items():
            if id == api:
                return account
    return ""


def api_called(request):
    """``(account, path it has in MiniStack)`` when a user calls an API, or None.

    MiniStack looks for paths of its own and of AWS's services before it looks at the name under
    which an API is called, so that an API could not have a path like ``/health``: such a call goes
    on under the path that names the API.
    """
    named = ministack._EXECUTE_API_RE.match(request.host)
    plain = host_name(request.host) in LOOPBACK
    api = ministack._parse_execute_api_url(request.host, request.path)
    if api is not None and (named or plain):
        prefix = f"/_aws/execute-api/{api[0]}" if named else ""
        raw = prefix + request.raw_path
    else:
        api = ministack._resolve_custom_domain_request(request.host, request.path)
        if api is None or request.websocket:
            return None
        stage = f"/{api[1]}" if api[1] else ""
        rest = request.raw_path[len(request.path) - len(api[2]) :] or "/"
        raw = f"/_aws/execute-api/{api[0]}{stage}{rest}"
    return None if api[2].startswith("/@connections/") else (owner_of(api[0]), raw)


def function_called(request):
    """The same for a function's own URL."""
    function = ministack._parse_lambda_url(request.host, request.path)
    if function is None or request.websocket:
        return None
    named = not request.path.startswith("/_aws/lambda-url/")
    if not named and host_name(request.host) not in LOOPBACK:
        return None
    found = lambda_svc.resolve_function_url(function[0])
    prefix = f"/_aws/lambda-url/{function[0]}" if named else ""
    return found[0] if found else "", prefix + request.raw_path


def balancer_called(request):
    """The same for a load balancer, by the path that names it."""
    if request.websocket or not request.path.startswith(ministack._ALB_PATH_PREFIX):
        return None
    name = request.path.split("/")[2].lower()
    for (account, _, _), balancer in alb._lbs.all_items():
        if balancer["LoadBalancerName"].lower() == name:
            return account, request.raw_path
    return "", request.raw_path


@patch(ministack, "_parse_execute_api_url")
def parse_execute_api_url(original, host, path):
    """A path that names an API is meant, whatever the host is."""
    return original("" if path.startswith("/_aws/execute-api/") else host, path)


@patch(ministack, "_parse_lambda_url")
def parse_lambda_url(original, host, path):
    return original("" if path.startswith("/_aws/lambda-url/") else host, path)


def service_of(request):
    parameters = ministack._routing_params(
        request.method, request.path, request.headers, request.body, request.query
    )
    return ministack.detect_service(request.method, request.path, request.headers, parameters)


def is_form(request):
    """A form with a file for a bucket; S3 looks at the policy in it."""
    return (
        request.method == "POST"
        and request.headers.get("content-type", "").startswith("multipart/form-data")
        and not request.query
        and service_of(request) == "s3"
    )


def is_preflight(request):
    """A browser asks what a bucket lets other origins do."""
    return request.method == "OPTIONS" and bool(
        ministack._s3_cors_target(request.host, request.path)
    )


def is_sign_in(request):
    """What a user pool offers to everybody: its keys, and operations that AWS takes unsigned."""
    keys = COGNITO_KEYS.fullmatch(request.path)
    if keys:
        return request.method == "GET" and cognito._get_pool_unscoped(keys[1]) is not None
    target, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
    return (
        target == "AWSCognitoIdentityProviderService"
        and (request.method, request.path) == ("POST", "/")
        and operation in unsigned_operations("cognito-idp")
    )


UNSIGNED = (is_form, is_preflight, is_sign_in)


# -- deciding --------------------------------------------------------------------------------------


def is_known_host(host):
    name = host_name(host)
    return (
        is_local(name)
        or FUNCTION_URL_HOST.fullmatch(name) is not None
        or apigateway_v1.find_domain_scope(name) is not None
    )


def is_own_origin(origin):
    """A page of this machine (of a developer's server, too) may try; signatures decide."""
    return not origin or is_local(host_name(urlsplit(origin).netloc))


def own_path_failure(request):
    """MiniStack's own addresses."""
    path, given = request.path, request.headers.get("x-troupe-secret", "")
    if path == HEALTH and request.method in ("GET", "HEAD"):
        return None
    if CALLBACKS.fullmatch(path) and request.method == "PUT":
        return None
    if DOWNLOADS.match(path) and request.method == "GET" and has_grant(path, request.query):
        return None
    if is_secret(given):
        return None
    return "AccessDenied", "the cloud's secret is missing in X-Troupe-Secret"


def failure_of(request):
    """``(code, message)`` for a request that is no call of a user's API, or None."""
    if not is_own_origin(request.headers.get("origin", "")):
        return "AccessDenied", "requests of another origin are not taken"
    if request.path.startswith(OWN_PATHS):
        return own_path_failure(request)
    if is_signed(request):
        return signature_failure(request)
    if any(is_unsigned(request) for is_unsigned in UNSIGNED):
        return None
    return "MissingAuthenticationToken", "Request is missing Authentication Token"


# -- the door --------------------------------------------------------------------------------------


async def body_of(receive):
    """``(body, a receive that gives it again)``."""
    messages, chunks = [], []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
        if messages[-1]["type"] != "http.request":
            break
        chunks.append(messages[-1].get("body", b""))
    waiting = iter(messages)

    async def again():
        return next(waiting, None) or await receive()

    return b"".join(chunks), again


async def refuse(request, receive, send, code, message):
    if request.websocket:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    id = new_uuid()
    if request.path.startswith(OWN_PATHS):
        answer = 403, {"Content-Type": "text/plain"}, f"{code}: {message}\n".encode()
    else:
        error = iam_evaluator.AuthError(code, message)
        answer = ministack._credential_failure(service_of(request), "", id, error, request.headers)
    status, headers, body = answer
    headers = {**headers, "x-amzn-requestid": id, "x-amz-request-id": id}
    await ministack._send_response(send, status, headers, body, head=request.method == "HEAD")


def closed(send):
    """Without what lets pages of other origins read the answer."""

    async def send_closed(message):
        if message["type"] == "http.response.start":
            headers = [
                pair
                for pair in message.get("headers", [])
                if not pair[0].lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": headers}
        await send(message)

    return send_closed


@patch(ministack, "app")
async def app(original, scope, receive, send):
    if scope["type"] not in ("http", "websocket"):
        await original(scope, receive, send)
        return
    request = read(scope)
    if not is_known_host(request.host):
        await refuse(
            request, receive, closed(send), "AccessDenied", f"'{request.host}' is not served here"
        )
        return
    own = request.path.startswith(OWN_PATHS) and not ministack._EXECUTE_API_RE.match(request.host)
    called = None
    if not own:
        called = api_called(request) or function_called(request) or balancer_called(request)
    if called and not names_key(request):
        account, raw = called
        set_request_account_id(account)
        scope = {**scope, "raw_path": raw.encode("latin-1"), "path": unquote(raw)}
        await original(scope, receive, send)
        return
    if not request.websocket:
        request.body, receive = await body_of(receive)
    failure = signature_failure(request) if called else failure_of(request)
    opened = called or service_of(request) == "s3"
    send = send if opened else closed(send)
    if failure:
        await refuse(request, receive, send, *failure)
    else:
        await original(scope, receive, send)


@patch(s3, "_enforce_post_policy_size")
def unsigned_form(original, *args):
    """Called for forms without a signature: those are for buckets that everybody may write to."""
    return s3._error("AccessDenied", "Access Denied", 403)
