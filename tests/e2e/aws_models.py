"""Reading a raw HTTP request back into the AWS call it is, by botocore's service models.

``identify`` finds service and operation and turns the request into the parameters a boto3 caller
would have given; ``check`` says what the model has against them: members that are missing or that
nobody knows, and wrong types. Nothing here knows which calls troupe makes.
"""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl, unquote

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# The services behind a signing name that is not the name of its model.
SERVICES = {
    "states": ["stepfunctions"],
    "execute-api": [],
    "monitoring": ["cloudwatch"],
    "tagging": ["resourcegroupstaggingapi"],
}


class Unknown(Exception):
    """The request is not a call that any model describes; the text says why."""


@dataclass
class Call:
    """What a request turned out to be."""

    service: str
    operation: str
    params: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


@dataclass
class Request:
    """A request as it came over the wire. Header names are in lower case; the query is
    undecoded.
    """

    method: str
    path: str
    query: str
    headers: dict
    body: bytes

    def query_items(self):
        return parse_qsl(self.query, keep_blank_values=True)


@cache
def model(service):
    session = botocore.session.get_session()
    return ServiceModel(
        session.get_component("data_loader").load_service_model(service, "service-2"), service
    )


@cache
def operations(service):
    described = model(service)
    return [described.operation_model(name) for name in described.operation_names]


def identify(signing_name, request):
    """The call that ``request``, signed for ``signing_name``, is."""
    if signing_name == "apigateway":
        service = "apigatewayv2" if request.path.startswith("/v2/") else "apigateway"
    else:
        service = SERVICES.get(signing_name, [signing_name])[0]
    try:
        described = model(service)
    except Exception as error:
        raise Unknown(f"no service signs as '{signing_name}'") from error
    return READERS[protocol(described, request)](described, request)


def protocol(described, request):
    """The protocol of this request; a service may speak several."""
    spoken = described.metadata.get("protocols", [described.metadata["protocol"]])
    if "query" in spoken and "x-amz-target" not in request.headers:
        return "query"
    return next(name for name in spoken if name in READERS)


def check(call):
    """Add to ``call.problems`` what the model has against its parameters."""
    shape = model(call.service).operation_model(call.operation).input_shape
    if shape is None:
        if call.params:
            call.problems.append(f"takes no parameters, but got {sorted(call.params)}")
        return
    report = ParamValidator().validate(call.params, shape)
    if report.has_errors():
        call.problems.extend(line for line in report.generate_report().splitlines() if line)


# -- values ----------------------------------------------------------------------------------------


def scalar(shape, text, problems, where):
    """A value that travels as text: in a form, an XML element, a header or a path."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        if not re.fullmatch(r"[+-]?\d+", text):
            problems.append(f"{where}: '{text}' is no {kind}")
            return text
        return int(text)
    if kind in ("float", "double"):
        try:
            return float(text)
        except ValueError:
            problems.append(f"{where}: '{text}' is no {kind}")
            return text
    if kind == "boolean":
        if text not in ("true", "false"):
            problems.append(f"{where}: '{text}' is no boolean")
            return text
        return text == "true"
    if kind == "blob":
        return blob(text, problems, where)
    return text


def blob(text, problems, where):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        problems.append(f"{where}: is not base64")
        return b""


def from_json(shape, value, problems, where):
    """The parameters that JSON ``value`` stands for; wrong types are left for the validator."""
    kind = shape.type_name
    if value is None:
        problems.append(f"{where}: null")
        return value
    if kind == "structure" and isinstance(value, dict):
        if getattr(shape, "is_document_type", False):
            return value
        names = {
            member.serialization.get("name", name): name for name, member in shape.members.items()
        }
        result = {}
        for key, item in value.items():
            name = names.get(key)
            if name is None:
                problems.append(f"{where}: unknown member '{key}'")
            else:
                result[name] = from_json(shape.members[name], item, problems, f"{where}.{name}")
        return result
    if kind == "list" and isinstance(value, list):
        return [
            from_json(shape.member, item, problems, f"{where}[{n}]") for n, item in enumerate(value)
        ]
    if kind == "map" and isinstance(value, dict):
        return {
            key: from_json(shape.value, item, problems, f"{where}.{key}")
            for key, item in value.items()
        }
    if kind == "blob" and isinstance(value, str):
        return blob(value, problems, where)
    return value


def local_name(element):
    return element.tag.rpartition("}")[2]


def from_xml(shape, element, problems, where):
    kind = shape.type_name
    if kind == "structure":
        result = {}
        names = {}
        for name, member in shape.members.items():
            tag = member.serialization.get("name", name)
            if member.type_name == "list" and member.serialization.get("flattened"):
                tag = member.serialization.get("name") or member.member.serialization.get(
                    "name", name
                )
            names[tag] = name
        for child in element:
            name = names.get(local_name(child))
            if name is None:
                problems.append(f"{where}: unknown element '{local_name(child)}'")
                continue
            member = shape.members[name]
            if member.type_name == "list" and member.serialization.get("flattened"):
                result.setdefault(name, []).append(
                    from_xml(member.member, child, problems, f"{where}.{name}")
                )
            else:
                result[name] = from_xml(member, child, problems, f"{where}.{name}")
        return result
    if kind == "list":
        tag = shape.member.serialization.get("name", "member")
        for child in element:
            if local_name(child) != tag:
                problems.append(f"{where}: unknown element '{local_name(child)}', not '{tag}'")
        return [
            from_xml(shape.member, child, problems, f"{where}[{n}]")
            for n, child in enumerate(element)
        ]
    return scalar(shape, element.text or "", problems, where)


# -- protocols -------------------------------------------------------------------------------------


def read_json(described, request):
    prefix, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
    call = named(described, operation, request.headers.get("x-amz-target", ""))
    if prefix != described.metadata["targetPrefix"]:
        call.problems.append(
            f"X-Amz-Target says '{prefix}', not '{described.metadata['targetPrefix']}'"
        )
    if (request.method, request.path) != ("POST", "/"):
        call.problems.append(f"is sent by {request.method} {request.path}, not POST /")
    wanted = f"application/x-amz-json-{described.metadata.get('jsonVersion', '1.0')}"
    if request.headers.get("content-type") != wanted:
        call.problems.append(
            f"content type '{request.headers.get('content-type')}', not '{wanted}'"
        )
    call.params = json_body(
        described.operation_model(call.operation).input_shape, request, call.problems
    )
    return call


def json_body(shape, request, problems):
    """The members of ``shape`` that the JSON body gives."""
    if not request.body:
        return {}
    try:
        value = json.loads(request.body)
    except ValueError as error:
        problems.append(f"the body is no JSON: {error}")
        return {}
    if not isinstance(value, dict):
        problems.append("the body is no JSON object")
        return {}
    if shape is None:
        if value:
            problems.append("has a body but takes none")
        return {}
    return from_json(shape, value, problems, "body")


def named(described, operation, text):
    if operation not in described.operation_names:
        raise Unknown(f"{described.service_name} has no operation '{text}'")
    return Call(described.service_name, operation)


def read_query(described, request, read=None):
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    call = named(described, form.pop("Action", ""), form.get("Action", request.path))
    if content_type != "application/x-www-form-urlencoded":
        call.problems.append(f"content type '{content_type}' is no form")
    if (request.method, request.path, request.query) != ("POST", "/", ""):
        call.problems.append(
            f"is sent by {request.method} {request.path}?{request.query}, not POST /"
        )
    if form.pop("Version", None) != described.api_version:
        call.problems.append(f"Version is not {described.api_version}")
    tree = {}
    for key, text in form.items():
        node = tree
        *parents, last = key.split(".")
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                call.problems.append(f"'{key}' has a value and members")
                break
        else:
            node[last] = text
    shape = described.operation_model(call.operation).input_shape
    if shape is None:
        call.problems.extend(f"unknown parameter '{name}'" for name in tree)
    else:
        call.params = (read or from_form)(shape, tree, call.problems, call.operation)
    return call


def read_ec2(described, request):
    return read_query(described, request, from_ec2_form)


def from_ec2_form(shape, node, problems, where):
    """EC2's own kind of form: lists are numbered without a name, and names begin with a capital."""
    kind = shape.type_name
    if kind in ("structure", "list") and not isinstance(node, dict):
        problems.append(f"{where}: a text, not a {kind}")
        return node
    if kind == "structure":
        names = {ec2_name(name, member): name for name, member in shape.members.items()}
        problems.extend(f"{where}: unknown parameter '{key}'" for key in node if key not in names)
        return {
            names[key]: from_ec2_form(
                shape.members[names[key]], item, problems, f"{where}.{names[key]}"
            )
            for key, item in node.items()
            if key in names
        }
    if kind == "list":
        return [
            from_ec2_form(shape.member, item, problems, f"{where}.{n}")
            for n, item in numbered(node, problems, where)
        ]
    if not isinstance(node, str):
        problems.append(f"{where}: has members but is a {kind}")
        return node
    return scalar(shape, node, problems, where)


def ec2_name(name, member):
    wire = member.serialization.get("queryName")
    if wire is None:
        wire = member.serialization.get("name", name)
        wire = wire[:1].upper() + wire[1:]
    return wire


def from_form(shape, node, problems, where):
    kind = shape.type_name
    if kind in ("structure", "list", "map") and not isinstance(node, dict):
        if kind == "list" and node == "":
            return []  # the empty list has no other form
        problems.append(f"{where}: a text, not a {kind}")
        return node
    if kind == "structure":
        names = {form_name(name, member): name for name, member in shape.members.items()}
        result = {}
        for key, item in node.items():
            name = names.get(key)
            if name is None:
                problems.append(f"{where}: unknown parameter '{key}'")
            else:
                result[name] = from_form(shape.members[name], item, problems, f"{where}.{name}")
        return result
    if kind == "list":
        if not shape.serialization.get("flattened"):
            node = below(node, shape.member.serialization.get("name", "member"), problems, where)
        return [
            from_form(shape.member, item, problems, f"{where}.{n}")
            for n, item in numbered(node, problems, where)
        ]
    if kind == "map":
        if not shape.serialization.get("flattened"):
            node = below(node, "entry", problems, where)
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        return {
            item.get(key_name): from_form(
                shape.value, item.get(value_name), problems, f"{where}.{n}"
            )
            for n, item in numbered(node, problems, where)
        }
    if not isinstance(node, str):
        problems.append(f"{where}: has members but is a {kind}")
        return node
    return scalar(shape, node, problems, where)


def form_name(name, member):
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name", member.serialization.get("name", name))
    return member.serialization.get("name", name)


def below(node, name, problems, where):
    problems.extend(
        f"{where}: unknown parameter '{key}', not '{name}'" for key in node if key != name
    )
    return node.get(name, {})


def numbered(node, problems, where):
    """Pairs of index and value, which must count from 1 without a gap."""
    wanted = [str(n + 1) for n in range(len(node))]
    if sorted(node, key=lambda key: (len(key), key)) != wanted:
        problems.append(f"{where}: indices {sorted(node)} do not count from 1")
    return sorted(node.items(), key=lambda item: (len(item[0]), item[0]))


# -- REST ------------------------------------------------------------------------------------------


@cache
def route(service, operation):
    """Pattern of the path, constants of the query, members by query name, by header, all of one
    operation.
    """
    described = model(service).operation_model(operation)
    path, _, constants = described.http["requestUri"].partition("?")
    members = described.input_shape.members if described.input_shape else {}
    by_location = {"querystring": {}, "header": {}, "headers": {}, "uri": {}}
    for name, member in members.items():
        location = member.serialization.get("location")
        if location in by_location:
            by_location[location][member.serialization.get("name", name)] = name
    pattern = ""
    for part in re.split(r"(\{[^}]+\})", path):
        if part.startswith("{"):
            pattern += "(?P<%s>%s)" % (
                re.sub(r"\W", "_", part[1:-1].rstrip("+")),
                ".+" if "+" in part else "[^/]+",
            )
        else:
            pattern += re.escape(part)
    if not pattern.endswith("/"):
        pattern += "/?" if service == "s3" else ""
    return re.compile(pattern), dict(parse_qsl(constants, keep_blank_values=True)), by_location


def candidates(described, request):
    """Operations that this request can be, the most specific first."""
    query = dict(request.query_items())
    found = []
    for operation in operations(described.service_name):
        if operation.http["method"] != request.method:
            continue
        pattern, constants, by_location = route(described.service_name, operation.name)
        matched = pattern.fullmatch(request.path)
        if not matched or any(query.get(key) != value for key, value in constants.items()):
            continue
        required = operation.input_shape.required_members if operation.input_shape else []
        needed = {
            wire: name
            for location in ("querystring", "header")
            for wire, name in by_location[location].items()
            if name in required
        }
        present = [wire for wire in needed if wire in query or wire.lower() in request.headers]
        if described.service_name == "s3" and len(present) < len(needed):
            continue
        strange = [
            key for key in query if key not in constants and key not in by_location["querystring"]
        ]
        free = len(matched.groupdict())
        found.append(
            (
                (len(strange), -len(constants), -len(present), free, operation.name),
                operation,
                matched,
            )
        )
    return [
        (operation, matched) for _, operation, matched in sorted(found, key=lambda item: item[0])
    ]


def read_rest(described, request):
    found = candidates(described, request)
    if not found:
        raise Unknown(
            f"{described.service_name} has no operation {request.method}"
            f" {request.path}?{request.query}"
        )
    operation, matched = found[0]
    call = Call(described.service_name, operation.name)
    _, constants, by_location = route(described.service_name, operation.name)
    shape, problems = operation.input_shape, call.problems
    members = shape.members if shape else {}
    for wire, name in by_location["uri"].items():
        text = unquote(matched[re.sub(r"\W", "_", wire)])
        call.params[name] = scalar(members[name], text, problems, name)
    read_query_string(request, constants, by_location["querystring"], members, call)
    for wire, name in by_location["header"].items():
        if wire.lower() in request.headers:
            text = request.headers[wire.lower()]
            value = (
                [part.strip() for part in text.split(",")]
                if members[name].type_name == "list"
                else (
                    scalar(members[name], text, problems, name)
                    if members[name].type_name != "blob"
                    else text
                )
            )
            if members[name].serialization.get("jsonvalue"):
                value = text
            call.params[name] = value
    for prefix, name in by_location["headers"].items():
        found_headers = {
            key[len(prefix) :]: value
            for key, value in request.headers.items()
            if key.startswith(prefix.lower())
        }
        if found_headers:
            call.params[name] = found_headers
    read_payload(described, operation, request, call)
    return call


def read_query_string(request, constants, by_query, members, call):
    maps = [name for name in by_query.values() if members[name].type_name == "map"]
    for key, text in request.query_items():
        name = by_query.get(key)
        if name is None:
            if maps:
                call.params.setdefault(maps[0], {}).setdefault(key, text)
            elif key not in constants:
                call.problems.append(f"unknown query parameter '{key}'")
        elif members[name].type_name == "list":
            call.params.setdefault(name, []).append(
                scalar(members[name].member, text, call.problems, name)
            )
        else:
            call.params[name] = scalar(members[name], text, call.problems, name)


def read_payload(described, operation, request, call):
    """The part of the parameters that is in the body."""
    shape, problems = operation.input_shape, call.problems
    payload = shape.serialization.get("payload") if shape else None
    in_body = [
        name
        for name, member in (shape.members if shape else {}).items()
        if "location" not in member.serialization
    ]
    if payload and shape.members[payload].type_name in ("blob", "string"):
        if request.body:
            call.params[payload] = (
                request.body
                if shape.members[payload].type_name == "blob"
                else request.body.decode()
            )
        return
    if not request.body:
        return
    if not payload and not in_body:
        problems.append("has a body but takes none")
        return
    if described.metadata["protocol"] == "rest-xml":
        read_xml(shape, payload, request, call)
        return
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type not in (
        "application/json",
        "application/x-amz-json-1.1",
        "application/x-amz-json-1.0",
    ):
        problems.append(f"content type '{content_type}' is no JSON")
    if payload:
        call.params[payload] = json_body(shape.members[payload], request, problems)
        return
    body = json_body(shape, request, problems)
    for name in body:
        if name not in in_body:
            problems.append(f"'{name}' is in the body and belongs elsewhere")
    call.params.update(body)


def read_xml(shape, payload, request, call):
    try:
        root = ElementTree.fromstring(request.body)
    except ElementTree.ParseError as error:
        call.problems.append(f"the body is no XML: {error}")
        return
    target = shape.members[payload] if payload else shape
    wanted = target.serialization.get("name", payload)
    if wanted and local_name(root) != wanted:
        call.problems.append(f"root element '{local_name(root)}', not '{wanted}'")
    value = from_xml(target, root, call.problems, local_name(root))
    call.params.update({payload: value} if payload else value)


READERS = {
    "ec2": read_ec2,
    "json": read_json,
    "query": read_query,
    "rest-json": read_rest,
    "rest-xml": read_rest,
}
