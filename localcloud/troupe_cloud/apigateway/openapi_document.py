"""An OpenAPI document as API Gateway reads it: JSON or YAML, OpenAPI 3.0 or Swagger 2.0."""

import json

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


class ImportProblem(Exception):
    """A document API Gateway refuses; the text is the answer's message."""


def parse(body):
    """The document in ``body`` (bytes or text)."""
    text = body.decode("utf-8", "replace") if isinstance(body, (bytes, bytearray)) else body
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ImportProblem(
                f"Unable to parse API definition because of a malformed integration: {error}"
            ) from None
    if not isinstance(document, dict) or not ("openapi" in document or "swagger" in document):
        raise ImportProblem("Invalid OpenAPI input.")
    if not (document.get("info") or {}).get("title"):
        raise ImportProblem("Invalid OpenAPI input: attribute info.title is missing")
    return document


def operations(document):
    """Every ``(path, METHOD, operation, path item)``, METHOD being ``ANY`` for the any-method
    extension.
    """
    for path, item in (document.get("paths") or {}).items():
        if not isinstance(item, dict):
            continue
        for key, operation in item.items():
            if key == ANY:
                yield path, "ANY", operation or {}, item
            elif key.lower() in METHODS:
                yield path, key.upper(), operation or {}, item


def security_schemes(document):
    return (
        (document.get("components") or {}).get("securitySchemes")
        or document.get("securityDefinitions")
        or {}
    )


def schemas(document):
    return (document.get("components") or {}).get("schemas") or document.get("definitions") or {}


def dereference(document, value):
    """What a local ``$ref`` points at, or the value itself; None if it points nowhere."""
    seen = 0
    while isinstance(value, dict) and isinstance(value.get("$ref"), str) and seen < 20:
        seen += 1
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, dict) else None
        value = target
    return value
