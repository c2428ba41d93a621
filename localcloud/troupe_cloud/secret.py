"""The secret of this cloud: what its callers sign with, and what is derived from it.

AWS gives its customers secret keys that nobody can guess; MiniStack's are ``test``, those of
functions follow from the function's name, and whoever knows the address of code may read it. Here
all of them follow from one secret, which comes with ``TROUPE_CLOUD_SECRET`` at each start.

Without it fails: ``test_gate.py::test_functions_have_keys_of_their_own``
"""

import contextvars
import hashlib
import hmac
import os
from urllib.parse import urlsplit

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from troupe_cloud.patching import patch

LENGTH_MIN = 20
GRANT = "X-Troupe-Grant"


def _given() -> str:
    secret = os.environ.pop("TROUPE_CLOUD_SECRET", "")
    if len(secret) < LENGTH_MIN:
        raise SystemExit(
            f"troupe_cloud: TROUPE_CLOUD_SECRET must have {LENGTH_MIN} characters or more: "
            "it is the secret key of every account"
        )
    return secret


SECRET = _given()
# Where MiniStack looks for the secret key of accounts (their access key is their number).
os.environ["AWS_SECRET_ACCESS_KEY"] = SECRET


def keyed(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_secret(text: str) -> bool:
    return hmac.compare_digest(text.encode(), SECRET.encode())


# -- what functions sign with ----------------------------------------------------------------------

_OF_FUNCTION = contextvars.ContextVar("troupe_execution_credentials", default=False)


@patch(lambda_runtime, "execution_credentials")
def execution_credentials(original, config):
    """The keys of a function's role; MiniStack's are a hash of two ARNs."""
    token = _OF_FUNCTION.set(True)
    try:
        given = original(config)
    finally:
        _OF_FUNCTION.reset(token)
    return {
        **given,
        "AWS_SECRET_ACCESS_KEY": keyed(given["AWS_SECRET_ACCESS_KEY"]),
        "AWS_SESSION_TOKEN": keyed(given["AWS_SESSION_TOKEN"]),
    }


@patch(sts, "register_session")
def register_session(original, access_key, session):
    if _OF_FUNCTION.get():
        session = {
            **session,
            "SecretAccessKey": keyed(session["SecretAccessKey"]),
            "SessionToken": keyed(session["SessionToken"]),
        }
    return original(access_key, session)


# -- addresses of code, which on AWS are signed ----------------------------------------------------


def granted(url: str) -> str:
    """The address with a proof that this cloud gave it out."""
    return f"{url}{'&' if '?' in url else '?'}{GRANT}={keyed(urlsplit(url).path)}"


def has_grant(path: str, query: dict) -> bool:
    given = (query.get(GRANT) or [""])[0]
    return hmac.compare_digest(given.encode(), keyed(path).encode())


@patch(lambda_svc, "_layer_content_url")
def layer_content_url(original, *args):
    return granted(original(*args))
