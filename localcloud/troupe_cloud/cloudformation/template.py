"""What makes CloudFormation refuse a template before it touches anything.

What AWS does (recorded answers and CloudFormation user guide, "Template anatomy"): a reference to
something that is not in the template, a ``DependsOn`` or condition of no one, a circle, a template
without resources or with too many, a parameter that the template does not declare, a parameter with
the name of a resource (user guide, "Parameters": logical names are unique in a template; the
wording here is not recorded), an ``Fn::FindInMap`` of something else than texts, ``Ref`` and
``Fn::FindInMap`` (its page in the template reference, "Supported functions"; the message is from
cloudtools/troposphere#479): ValidationError, and no stack.
MiniStack resolves unknown names to their own text and goes on. Also here: template URLs in
virtual-host form.

Without it fails: ``test_cloudformation.py::test_bad_template_is_refused_everywhere``
"""

import re
from urllib.parse import urlparse

from ministack.services.cloudformation import engine
from ministack.services.cloudformation import helpers

from troupe_cloud.patching import patch, require

require(engine, "_topological_sort")
FORMAT = "Template format error: "
LOOKUP = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key"
    " and the attribute for return value"
)
MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200}
VIRTUAL_HOST = re.compile(
    r"^(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3(?:[.-][a-z0-9-]+)?\.(?:amazonaws\.com|localhost.*)$"
)


def names_in_sub(value):
    """The names a Fn::Sub refers to, except pseudo parameters and its own variables."""
    text, variables = (
        (value[0], value[1] if len(value) > 1 else {}) if isinstance(value, list) else (value, {})
    )
    for name in re.findall(r"\$\{([^!}][^}]*)\}", text if isinstance(text, str) else ""):
        name = name.strip().split(".")[0]
        if not name.startswith("AWS::") and name not in variables:
            yield name
    yield from references(variables)


def references(node):
    """Every logical name a part of a template refers to."""
    if isinstance(node, list):
        for entry in node:
            yield from references(entry)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                if not value.startswith("AWS::"):
                    yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else str(value).split(".")[0]
            elif key == "Fn::Sub":
                yield from names_in_sub(value)
            else:
                yield from references(value)


def depends_on(resource):
    value = resource.get("DependsOn") or []
    return [value] if isinstance(value, str) else value


def unresolved(template):
    """The message for names that nothing in the template carries, or None."""
    resources = template.get("Resources") or {}
    twice = sorted(set(resources) & set(template.get("Parameters") or {}))
    if twice:
        return f"{FORMAT}Parameters and resources must have different logical ids [{twice[0]}]"
    known = set(resources) | set(template.get("Parameters") or {})
    used = {
        name
        for resource in resources.values()
        for name in references(resource.get("Properties") or {})
    }
    used |= {name for resource in resources.values() for name in depends_on(resource)}
    missing = sorted(used - known)
    if missing:
        return (
            f"{FORMAT}Unresolved resource dependencies [{', '.join(missing)}] in the Resources"
            " block of the template"
        )
    missing = sorted(set(references(template.get("Outputs") or {})) - known)
    if missing:
        return (
            f"{FORMAT}Unresolved resource dependencies [{', '.join(missing)}] in the Outputs block"
            " of the template"
        )
    conditions = set(template.get("Conditions") or {})
    asked = {
        resource["Condition"]
        for resource in resources.values()
        if isinstance(resource.get("Condition"), str)
    }
    missing = sorted(asked - conditions)
    if missing:
        return (
            f"{FORMAT}Unresolved condition dependency {missing[0]} in the Resources block of the"
            " template"
        )
    return None


def too_many(template):
    """Source of the limits: CloudFormation user guide, "Understand CloudFormation quotas"."""
    for section, most in MOST.items():
        count = len(template.get(section) or {})
        if count > most:
            return (
                f"{FORMAT}Number of {section.lower()}, {count}, is greater than maximum allowed,"
                f" {most}"
            )
    return None


def bad_lookup(node):
    """Is there an Fn::FindInMap with other functions in it?"""
    if isinstance(node, list):
        return any(map(bad_lookup, node))
    if not isinstance(node, dict):
        return False
    keys = node.get("Fn::FindInMap")
    if keys is not None and not (
        isinstance(keys, list)
        and len(keys) == 3
        and all(not isinstance(key, dict) or set(key) <= {"Ref", "Fn::FindInMap"} for key in keys)
    ):
        return True
    return any(map(bad_lookup, node.values()))


def circle(template, conditions):
    try:
        engine._topological_sort(template["Resources"], conditions)
    except ValueError as error:
        names = str(error).rsplit(": ", 1)[-1]
        return f"Circular dependency between resources: [{names}]"
    return None


@patch(engine, "validate_template_support")
def validate(original, template, conditions, params=None):
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not isinstance(resources, dict) or not resources:
        raise ValueError(f"{FORMAT}At least one Resources member must be defined.")
    if not template.get("Transform"):
        for resource in resources.values():
            if not isinstance(resource, dict) or not resource.get("Type"):
                raise ValueError(f"{FORMAT}Every Resources member must contain a Type")
        if bad_lookup(template):
            raise ValueError(LOOKUP)
        message = too_many(template) or unresolved(template) or circle(template, conditions)
        if message:
            raise ValueError(message)
    original(template, conditions, params)


@patch(engine, "_resolve_parameters")
def resolve_parameters(original, template, provided, previous=None):
    declared = template.get("Parameters") or {}
    unknown = [
        entry["Key"] for entry in provided if "Key" in entry and entry["Key"] not in declared
    ]
    if unknown:
        raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return original(template, provided, previous)


@patch(helpers, "_resolve_document")
def resolve_document(original, params, body_key, url_key, label):
    """``https://<bucket>.s3.<region>.amazonaws.com/<key>`` is the same object as the path form."""
    url = urlparse(helpers._p(params, url_key))
    host = VIRTUAL_HOST.match(url.netloc or "")
    if host and not helpers._p(params, body_key):
        path = f"https://s3.amazonaws.com/{host['bucket']}{url.path}"
        params = {**params, url_key: [path] if isinstance(params.get(url_key), list) else path}
    return original(params, body_key, url_key, label)
