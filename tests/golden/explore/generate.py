"""Configurations that nobody wrote: golden cases combined with each other and changed at random.

``Pool(cases).service(seed, number)`` is always the same service for the same cases: a value as
YAML has it, and the cases whose files it needs. Even numbers are ordinary: whole functions, events,
settings of the provider and resources of several cases put together, each as somebody wrote it.
Odd numbers are nasty, too: keys gone, added or exchanged, and what typing errors and old habits
make of a value: other types, empty values, a list where one is usual.
"""

import copy
import random
import re
import shutil
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "reference"))

from bless import CASES, NOT_INPUT, dialect  # noqa: E402

# Their images are looked up in a registry.
NEED_ACCOUNT = {"fn-image-built", "fn-image-tag"}
# The section of `provider` that the events of a kind are made with.
SECTIONS = {
    "http": "apiGateway",
    "httpApi": "httpApi",
    "websocket": "websocket",
    "alb": "alb",
    "s3": "s3",
    "cloudFront": "cloudFront",
    "kafka": "kafka",
    "activemq": "mq",
    "rabbitmq": "mq",
}
LONG = {"Ref": "Ref", "Condition": "Condition"}


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML with CloudFormation's short tags in their long form."""


def long_form(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {LONG.get(tag, f"Fn::{tag}"): value}


Loader.add_multi_constructor("!", long_form)


def read(name):
    """The configuration of a case; None where PyYAML, which is older than YAML 1.2, cannot
    read it.
    """
    try:
        return yaml.load((CASES / name / "serverless.yml").read_text(encoding="utf-8"), Loader)
    except yaml.YAMLError:
        return None


def usable(case):
    """A case that is one file of YAML and what it reads: no arguments, no environment,
    version 3.
    """
    names = {path.name for path in case.iterdir()}
    if "serverless.yml" not in names or names & {"args", "env"} or list(case.glob(".env*")):
        return False
    if dialect(case) != 3 or case.name in NEED_ACCOUNT:
        return False
    config = read(case.name)
    return isinstance(config, dict) and isinstance(config.get("functions", {}), dict)


def all_cases():
    return sorted(path.name for path in CASES.iterdir() if path.is_dir() and usable(path))


def places(value, path=()):
    """(path, value) of everything below ``value``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield path + (key,), item
            yield from places(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield path + (index,), item
            yield from places(item, path + (index,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def merge(into, other):
    """Deep, what is there already wins; lists are joined."""
    for key, value in other.items():
        if key not in into:
            into[key] = copy.deepcopy(value)
        elif isinstance(into[key], dict) and isinstance(value, dict):
            merge(into[key], value)
        elif isinstance(into[key], list) and isinstance(value, list):
            into[key] += copy.deepcopy(value)


def logical_id(key):
    """The logical id of a function."""
    key = key.replace("-", "Dash").replace("_", "Underscore")
    return f"{key[:1].upper()}{key[1:]}LambdaFunction"


class Pool:
    def __init__(self, names):
        self.cases = {name: read(name) for name in names}
        self.values = {}  # (name of what it stands in, key): [(value, case)]
        self.keys = {}  # name of what they stand in: keys
        self.resources = []  # (key, value, case)
        for name, config in self.cases.items():
            for path, value in places(config):
                if isinstance(path[-1], str):
                    self.values.setdefault((self.kind(path[:-1]), path[-1]), []).append(
                        (value, name)
                    )
            resources = config.get("resources")
            if isinstance(resources, dict) and isinstance(resources.get("Resources"), dict):
                self.resources += [
                    (key, value, name)
                    for key, value in resources["Resources"].items()
                    if isinstance(value, dict) and "Type" in value
                ]
        for parent, key in self.values:
            self.keys.setdefault(parent, []).append(key)

    @staticmethod
    def kind(path):
        """The name of what stands at ``path``: its last step that is no number and no name of a
        user's.
        """
        steps = [step for step in path if isinstance(step, str)]
        if len(steps) == 2 and steps[0] in ("functions", "layers"):
            return steps[0] + ".*"
        return steps[-1] if steps else ""

    def service(self, seed, number):
        """(configuration, names of the cases whose files belong to it)."""
        return Service(self, random.Random(f"{seed}/{number}"), nasty=number % 2 == 1).made()


class Service:
    """One service while it is made."""

    def __init__(self, pool, draw, nasty):
        self.pool, self.draw, self.nasty = pool, draw, nasty
        self.config, self.cases = {}, []

    def made(self):
        draw = self.draw
        for name in draw.sample(sorted(self.pool.cases), draw.choice((1, 1, 2, 2, 3))):
            self.whole(name)
        ordinary = (
            self.events,
            self.events,
            self.setting,
            self.property,
            self.resource,
            self.partial,
        )
        for _ in range(draw.choice((0, 1)) if self.nasty else draw.choice((0, 1, 2, 3, 4, 5))):
            draw.choice(ordinary)()
        for _ in range(draw.choice((1, 1, 2, 3)) if self.nasty else 0):
            self.change()
        self.config.setdefault("service", "explored")
        return self.config, self.cases

    def comes_from(self, case):
        if case not in self.cases:
            self.cases.append(case)

    def functions(self):
        """The functions that are maps, by name."""
        functions = self.config.get("functions")
        if not isinstance(functions, dict):
            return {}
        return {
            key: value
            for key, value in functions.items()
            if isinstance(key, str) and isinstance(value, dict)
        }

    # -- what people write ------------------------------------------------------------------------

    def whole(self, name):
        """All of a case; functions with a name that is taken get another."""
        other = copy.deepcopy(self.pool.cases[name])
        functions = other.pop("functions", None) or {}
        merge(self.config, other)
        mine = self.config.setdefault("functions", {})
        for key, function in functions.items():
            mine[key if key not in mine else f"{key}{len(mine)}"] = function
        self.comes_from(name)

    def events(self):
        """Several events of one kind, on several functions, with what they were made with."""
        functions = self.functions()
        kind = self.draw.choice(self.pool.keys["events"])
        for value, case in self.draw.choices(
            self.pool.values["events", kind], k=self.draw.choice((1, 2, 3))
        ):
            if not functions:
                return
            function = functions[self.draw.choice(sorted(functions))]
            if not isinstance(function.setdefault("events", []), list):
                continue
            function["events"].append({kind: copy.deepcopy(value)})
            self.brings(case, kind, value)

    def brings(self, case, kind, value):
        """The settings of the provider, functions and variables that an event of a case needs."""
        other = self.pool.cases[case]
        section = SECTIONS.get(kind)
        provider, settings = self.config.get("provider"), other.get("provider")
        if isinstance(provider, dict) and isinstance(settings, dict) and section in settings:
            merge(provider, {section: settings[section]})
        named = {item for _, item in places({"": value}) if isinstance(item, str)}
        needed = {
            key: function
            for key, function in (other.get("functions") or {}).items()
            if key in named
        }
        merge(self.config, {"functions": needed, "custom": other.get("custom") or {}})
        self.comes_from(case)

    def setting(self):
        """A setting of the provider."""
        provider = self.config.get("provider")
        if isinstance(provider, dict):
            self.add(("provider",), provider)

    def property(self):
        """A property of a function."""
        functions = self.functions()
        if functions:
            key = self.draw.choice(sorted(functions))
            self.add(("functions", key), functions[key])

    def template(self):
        """The resources of the template; None where they are no map."""
        resources = self.config.setdefault("resources", {})
        found = resources.setdefault("Resources", {}) if isinstance(resources, dict) else None
        return found if isinstance(found, dict) else None

    def resource(self):
        """A resource that functions know by reference, and an output."""
        template, functions = self.template(), self.functions()
        key, value, case = self.draw.choice(self.pool.resources)
        if template is None:
            return
        template.setdefault(key, copy.deepcopy(value))
        self.comes_from(case)
        reference = self.draw.choice(
            (
                {"Ref": key},
                {"Fn::GetAtt": [key, "Arn"]},
                {"Fn::Sub": f"${{{key}}}-x"},
                {"Fn::If": ["Given", {"Ref": key}, {"Ref": "AWS::NoValue"}]},
            )
        )
        for name in self.draw.sample(sorted(functions), min(len(functions), 2)):
            if isinstance(functions[name].setdefault("environment", {}), dict):
                functions[name]["environment"][f"OF_{re.sub('[^A-Za-z0-9]', '_', key).upper()}"] = (
                    copy.deepcopy(reference)
                )
        merge(
            self.config["resources"],
            {"Outputs": {f"{key}Out": {"Value": copy.deepcopy(reference)}}},
        )

    def partial(self):
        """A part of a resource that is made for a function."""
        template, functions = self.template(), self.functions()
        if template is None or not functions:
            return
        own = logical_id(self.draw.choice(sorted(functions)))
        part = self.draw.choice(
            (
                {"Properties": {"MemorySize": 333}},
                {"DependsOn": ["Before"]},
                {"Metadata": {"Team": "a"}},
                {"Properties": {"Environment": {"Variables": {"MORE": {"Ref": "AWS::StackName"}}}}},
                {"Properties": {"Tags": [{"Key": "more", "Value": "1"}]}},
                {"DeletionPolicy": "Retain"},
            )
        )
        if self.draw.choice((True, False)):
            merge(template, {own: part})
        elif isinstance(self.config["resources"].setdefault("extensions", {}), dict):
            merge(self.config["resources"]["extensions"], {own: part})

    # -- what else there is -----------------------------------------------------------------------

    def change(self):
        found = [
            (path, value)
            for path, value in places(self.config)
            if path[0] not in ("service", "custom")
        ]
        if found:
            how = self.draw.choice(
                (
                    self.drop,
                    self.exchange,
                    self.exchange,
                    self.add,
                    self.add,
                    self.twist,
                    self.again,
                )
            )
            how(*self.draw.choice(found))

    def drop(self, path, value):
        del at(self.config, path[:-1])[path[-1]]

    def exchange(self, path, value):
        """Another value that stood below the same key somewhere."""
        others = (
            self.pool.values.get((self.pool.kind(path[:-1]), path[-1]))
            if isinstance(path[-1], str)
            else None
        )
        if others:
            other, case = self.draw.choice(others)
            at(self.config, path[:-1])[path[-1]] = copy.deepcopy(other)
            self.comes_from(case)

    def add(self, path, value):
        """One more key of those that stood beside its keys somewhere."""
        kind = self.pool.kind(path)
        if isinstance(value, dict) and kind in self.pool.keys:
            key = self.draw.choice(self.pool.keys[kind])
            other, case = self.draw.choice(self.pool.values[kind, key])
            value[key] = copy.deepcopy(other)
            self.comes_from(case)

    def twist(self, path, value):
        """The same in another type, or nothing."""
        draw = self.draw
        if isinstance(value, bool):
            made = draw.choice((not value, str(value).lower(), None))
        elif isinstance(value, (int, float)):
            made = draw.choice((str(value), 0, value + 1, None))
        elif isinstance(value, str):
            made = draw.choice(
                (value.upper(), [value], {"Ref": "AWS::Region"}, "", None, f"{value}-2")
            )
        elif isinstance(value, list):
            made = draw.choice((value[0] if value else "x", [], value + value[:1], None))
        else:
            made = draw.choice(({}, [value], None))
        at(self.config, path[:-1])[path[-1]] = made

    def again(self, path, value):
        """Twice: another function of the same kind, another event of a list."""
        parent, key = at(self.config, path[:-1]), path[-1]
        if isinstance(parent, list):
            parent.append(copy.deepcopy(value))
        elif len(path) == 2:
            parent[f"{key}Again"] = copy.deepcopy(value)


class Dumper(yaml.SafeDumper):
    """YAML without anchors: a value that stands in two places is written twice."""

    def ignore_aliases(self, data):
        return True


def lay_out(config, cases, folder):
    """Write the service into ``folder``; the text of its serverless.yml."""
    for name in cases:
        for path in sorted((CASES / name).rglob("*")):
            target = folder / path.relative_to(CASES / name)
            if path.is_file() and path.name not in NOT_INPUT and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    text = yaml.dump(config, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    (folder / "serverless.yml").write_text(text, encoding="utf-8")
    return text
