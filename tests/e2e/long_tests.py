#!/usr/bin/env python3
"""Tests that take long, of which each run of the whole suite tries some (conftest.py).

Usage: long_tests.py JUNIT.XML > long_tests.txt

JUNIT.XML is what pytest wrote of a run of all (TROUPE_TEST_ALL=1, --junitxml). The seconds are of a
machine that had other work, too: only their ratios count. A test that is not in the file is short.
"""

import random
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TABLE = Path(__file__).with_suffix(".txt")
LEAST_S = 15
SHARE = 0.25  # of the time that they would take together


def table():
    """{"test_split.py::test_rest_events": seconds}"""
    lines = [line.split(" ", 1) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    return {name: float(seconds) for seconds, name in lines}


def left_out(items, seed):
    """Of pytest's ``items`` those long ones that another run tries."""
    seconds = table()
    long = [item for item in items if f"{item.path.name}::{item.name}" in seconds]
    random.Random(f"{seed} long tests").shuffle(long)
    budget, out = SHARE * sum(seconds.values()), []
    for item in long:
        budget -= seconds[f"{item.path.name}::{item.name}"]
        if budget < 0:
            out.append(item)
    return out


def main():
    found = {}
    for case in ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        found[f"{case.get('classname').rpartition('.')[2]}.py::{case.get('name')}"] = float(case.get("time"))
    for name, seconds in sorted(found.items(), key=lambda pair: -pair[1]):
        if seconds >= LEAST_S:
            print(f"{seconds:.0f} {name}")


if __name__ == "__main__":
    main()
