"""Keeps the templates that troupe sends to CloudFormation, for the suite `lint`: one of each that
differ by more than numbers, hashes and the names made of them.

Environment: TROUPE_TEST_TEMPLATES, the folder; without it nothing is kept.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

FOLDER = os.environ.get("TROUPE_TEST_TEMPLATES")
VARYING = re.compile(rb"[0-9a-f]{8,}|[0-9]+")
# What CloudFormation reads from buckets: a large template, and nested ones. The bucket has others,
# too, which are for rollbacks: of a large stage's, no stack could be made.
written = {}


def keep(call, body):
    """What `call` sends, when it has a template, or names one that was written before."""
    if not FOLDER:
        return
    if call.operation == "PutObject" and b'"AWSTemplateFormatVersion"' in body:
        written[call.params["Key"]] = body
    if call.operation in ("CreateStack", "UpdateStack", "CreateChangeSet"):
        keep_template(
            call.params.get("TemplateBody", "").encode() or read(call.params.get("TemplateURL"))
        )


def read(url):
    """The object of a URL; one that a run before this process wrote is not known."""
    url = unquote(url) if isinstance(url, str) else ""
    return next((body for key, body in written.items() if url.endswith(f"/{key}")), b"")


def keep_template(text):
    path = Path(FOLDER) / f"{hashlib.sha256(VARYING.sub(b'0', text)).hexdigest()[:16]}.json"
    try:
        resources = json.loads(text)["Resources"]
    except (ValueError, KeyError, TypeError):
        return  # a template that a test made to be refused
    for resource in resources.values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::CloudFormation::Stack":
            keep_template(read(resource.get("Properties", {}).get("TemplateURL")))
    if not path.exists():
        path.write_bytes(text)
