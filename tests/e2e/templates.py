"""Keeps the templates that troupe writes, for the suite `lint`: one of each that differ by more than
numbers, hashes and the names made of them.

Environment: TROUPE_TEST_TEMPLATES, the folder; without it nothing is kept.
"""

import hashlib
import json
import os
import re
from pathlib import Path

FOLDER = os.environ.get("TROUPE_TEST_TEMPLATES")
VARYING = re.compile(rb"[0-9a-f]{8,}|[0-9]+")


def keep(call, body):
    """What `call` sends, when it is a template: in the request, or as an object for CloudFormation to read."""
    if not FOLDER or call.operation not in ("CreateStack", "UpdateStack", "CreateChangeSet", "PutObject"):
        return
    text = call.params.get("TemplateBody", "").encode() if call.service == "cloudformation" else body
    if b'"AWSTemplateFormatVersion"' not in text:
        return
    name = hashlib.sha256(VARYING.sub(b"0", text)).hexdigest()[:16]
    path = Path(FOLDER) / f"{name}.json"
    if path.exists():
        return
    try:
        is_template = "Resources" in json.loads(text)
    except ValueError:
        return
    if is_template:
        path.write_bytes(text)
