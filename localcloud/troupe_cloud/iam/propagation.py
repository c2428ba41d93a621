"""What IAM changed is known everywhere only after a while.

What AWS does (IAM user guide, "Changes that I make are not always immediately visible"; minutes are
told of in hashicorp/terraform-provider-aws#44517): a role made a moment ago cannot be assumed yet,
and a policy put on a role a moment ago does not count yet. CloudFormation waits, so that what a
stack makes after its role can use it. MiniStack knows every change at once.

``TROUPE_CLOUD_ROLE_DELAY_MS`` is the longest delay. Each change of a role has one of its own,
between half of it and all of it, which follows from ``TROUPE_CLOUD_SEED``, the role's name and the
number of the change.

Without it fails: ``test_roles.py::test_a_policy_counts_after_a_while``
"""

import contextlib
import contextvars
import hashlib
import json
import time
from dataclasses import dataclass

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam
from ministack.services.cloudformation import provisioners

from troupe_cloud import settings
from troupe_cloud.patching import patch, require

require(iam, "_roles")
require(iam_evaluator, "_resolve_managed_policy_document")

KEPT = 8  # changes of one role that are remembered
_WAITED = contextvars.ContextVar("troupe_roles_waited_for", default=False)
_history = {}  # (account, role name): [(from when on, Role)], oldest first


@dataclass(frozen=True)
class Role:
    """What the decisions need of a role, at one moment."""

    id: str
    trust: str
    policies: tuple
    boundary: str | None


def text(document):
    return document if isinstance(document, str) else json.dumps(document or {})


def now_of(account, name):
    """The role as IAM itself has it, or None."""
    record = iam._roles.get_scoped(account, None, name)
    if record is None:
        return None

    def managed(arn):
        return text(iam_evaluator._resolve_managed_policy_document(arn, account))

    inline = tuple(text(document) for document in (record.get("InlinePolicies") or {}).values())
    boundary = record.get("PermissionsBoundary")
    return Role(
        id=record.get("RoleId", ""),
        trust=text(record.get("AssumeRolePolicyDocument")),
        policies=inline + tuple(managed(arn) for arn in record.get("AttachedPolicies") or []),
        boundary=managed(boundary) if boundary else None,
    )


def delay_of(name, change):
    digest = hashlib.sha256(f"{settings.SEED} {name} {change}".encode()).digest()
    return settings.ROLE_DELAY * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)


def note(counts_from):
    """Remember every role of this account that differs from what is remembered of it."""
    account = get_account_id()
    for name in list(iam._roles):
        found, known = now_of(account, name), _history.get((account, name), [])
        if known and known[-1][1].id != found.id:
            known = []  # another role of the same name
        if not known or known[-1][1] != found:
            since = counts_from(name, len(known))
            _history[account, name] = [*known, (since, found)][-KEPT:]


@contextlib.contextmanager
def noted():
    """Within the block IAM may change: what is there before counts, what is new counts later."""
    if not settings.ROLE_DELAY:
        yield
        return
    note(lambda name, change: 0)
    try:
        yield
    finally:
        note(lambda name, change: time.monotonic() + delay_of(name, change))


def effective(account, name):
    """The role as other services know it now, or None while they do not know it."""
    found = now_of(account, name)
    known = _history.get((account, name), [])
    if found is None or not known or known[-1][1].id != found.id or _WAITED.get():
        return found
    moment = time.monotonic()
    return next((role for since, role in reversed(known) if since <= moment), None)


@patch(iam, "handle_request")
async def handle_request(original, *args):
    with noted():
        return await original(*args)


@contextlib.contextmanager
def by_stack(resource_type):
    """Within the block a stack works on a resource; it has waited for its roles."""
    token = _WAITED.set(True)
    try:
        with noted() if resource_type.startswith("AWS::IAM::") else contextlib.nullcontext():
            yield
    finally:
        _WAITED.reset(token)


@patch(provisioners, "_provision_resource")
def provision(original, resource_type, *args):
    with by_stack(resource_type):
        return original(resource_type, *args)


@patch(provisioners, "_update_resource")
def update(original, resource_type, *args, **kwargs):
    with by_stack(resource_type):
        return original(resource_type, *args, **kwargs)


@patch(provisioners, "_delete_resource")
def delete(original, resource_type, *args, **kwargs):
    with by_stack(resource_type):
        return original(resource_type, *args, **kwargs)
