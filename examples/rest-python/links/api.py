"""The REST API: PUT and GET of links, and following one."""

import json

from links import store


def _answer(status, body, **headers):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **headers},
        "body": json.dumps(body),
    }


def _put(name, event):
    try:
        target = json.loads(event["body"] or "")["target"]
    except (ValueError, KeyError, TypeError):
        target = None
    if not isinstance(target, str) or not target.startswith(("http://", "https://")):
        return _answer(400, {"error": "'target' must be an address"})
    store.put(name, target)
    return _answer(200, store.get(name))


def _show(link):
    return _answer(200, link)


def _follow(link):
    store.clicked(link["name"])
    return _answer(302, link, location=link["target"])


def handler(event, _context):
    """Entry point."""
    name = event["pathParameters"]["name"]
    if event["httpMethod"] == "PUT":
        return _put(name, event)
    link = store.get(name)
    if link is None:
        return _answer(404, {"error": "no such link"})
    return _show(link) if event["resource"] == "/links/{name}" else _follow(link)
