"""The tables that `troupe iam` is made from, read from the sources: what troupe calls, what
CloudFormation calls."""

import functools
import re
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"


@functools.cache
def operations():
    """``service.Operation`` -> the actions of IAM that it needs."""
    text = (SRC / "aws" / "services" / "operations.c").read_text(encoding="utf-8")
    rows = re.findall(r'\{"(\w+)", "(\w+)", "([^"]*)"', text)
    assert len(rows) > 50
    return {f"{service}.{operation}": actions.split() for service, operation, actions in rows}


@functools.cache
def registry():
    text = (SRC / "cfn" / "action_rows.c").read_text(encoding="utf-8")
    rows = re.findall(r'\{"(AWS::[^"]+)",\n((?: +"[^"]*"\n?)+)\}', text)
    assert len(rows) > 200
    return {name: "".join(re.findall(r'"([^"]*)"', texts)).split() for name, texts in rows}


def actions_of_types(types):
    return {action for name in types for action in registry().get(name, ())}
