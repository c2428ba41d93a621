#!/usr/bin/env python3
"""Report the keys of the references' schemas that stand in less than two golden cases.

Usage: report.py

The keys are those of keys-3.txt and keys-4.txt, which dump.js writes; the cases are those of
tests/golden/compile and tests/golden/config. A case counts for a key once, however often it has it.
Exits with 1 when a key lacks cases and is not of REFUSED.
"""

import json
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent
WANTED = 2
# Refused, with a case in config/errors: what is encrypted with a key that only the caller has can
# be read neither by Lambda nor by CloudFormation.
REFUSED = ("provider deploymentBucket sseCustomer",)


class Loader(yaml.SafeLoader):  # pylint: disable=too-many-ancestors
    """Takes every tag of CloudFormation for what stands behind it."""


def tagged(loader, _, node):
    """The value behind a tag."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


Loader.add_multi_constructor("!", tagged)


def tree_of(paths):
    """Nested dictionaries of the parts of `paths`."""
    tree = {}
    for path in paths:
        below = tree
        for part in path.split(" "):
            below = below.setdefault(part, {})
    return tree


def walk(tree, value, at, found):
    """Add to `found` the paths of `tree` that `value` has."""
    if "[]" in tree:
        for item in value if isinstance(value, list) else [value]:
            walk(tree["[]"], item, f"{at}[] ", found)
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        if str(key) in tree:
            found.add(f"{at}{key}")
            walk(tree[str(key)], below, f"{at}{key} ", found)
        if "*" in tree:
            walk(tree["*"], below, f"{at}* ", found)


def services(case):
    """What stands in the files of a case."""
    for path in case.glob("serverless.y*ml"):
        try:
            yield yaml.load(path.read_text(encoding="utf-8"), Loader)
        except (yaml.YAMLError, ValueError):
            continue
    for name in ("serverless.json", "print.json"):
        if (case / name).is_file():
            yield json.loads((case / name).read_text(encoding="utf-8"))


def counts(paths):
    """{path: number of cases}."""
    tree, number = tree_of(paths), dict.fromkeys(paths, 0)
    cases = [path for area in ("compile", "config") for path in sorted((GOLDEN / area).iterdir())]
    for case in filter(pathlib.Path.is_dir, cases):
        found = set()
        for service in services(case):
            walk(tree, service, "", found)
        for path in found & number.keys():
            number[path] += 1
    return number


def main():
    """Print what lacks cases."""
    paths = set()
    for name in ("keys-3.txt", "keys-4.txt"):
        paths |= set((HERE / name).read_text(encoding="utf-8").split("\n")) - {""}
    number = counts(sorted(paths))
    lacking = sorted(path for path in paths if number[path] < WANTED)
    wrong = [path for path in lacking if not path.startswith(REFUSED)]
    for path in wrong:
        print(f"{number[path]} of {WANTED} cases: {path}")
    print(f"{len(paths) - len(lacking)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
