"""Property names of resource types, as CloudFormation's registry knows them.

What AWS does: a property the type does not have, or a required one that is missing, fails the
resource (``#: extraneous key [X] is not permitted``, ``#: required key [X] not found``). MiniStack
reads what it knows and ignores the rest. ``resource_properties.json`` holds the top-level names of
the types a serverless service uses, from the public registry schemas; other types are not checked.
"""

import functools
import json
from pathlib import Path


@functools.cache
def table():
    text = Path(__file__).with_name("resource_properties.json").read_text()
    return {
        name: {part: frozenset(names.split()) for part, names in entry.items()}
        for name, entry in json.loads(text).items()
    }


def property_problem(resource_type, properties):
    """The reason a resource's properties are refused, or None."""
    known = table().get(resource_type)
    if known is None or not isinstance(properties, dict):
        return None
    problems = [
        f"#: extraneous key [{name}] is not permitted"
        for name in properties
        if name not in known["properties"]
    ]
    problems += [
        f"#: required key [{name}] not found"
        for name in sorted(known["required"])
        if properties.get(name) is None
    ]
    if not problems:
        return None
    return f"Properties validation failed for resource with message: [{', '.join(problems)}]"
