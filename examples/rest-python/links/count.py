"""The worker: counts clicks."""

import json

from links import store


def handler(event, _context):
    """Entry point."""
    for record in event["Records"]:
        store.count(json.loads(record["body"])["name"])
