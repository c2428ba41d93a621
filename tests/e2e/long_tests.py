#!/usr/bin/env python3
"""How long tests take, of which each run of the whole suite tries some (conftest.py).

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
# Parts of the time that the long ones would take together, and of each file's short ones.
LONG_SHARE, SHORT_SHARE = 0.05, 0.25


def table():
    """{"test_split.py::test_rest_events": seconds}"""
    lines = [line.split(" ", 1) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    return {name: float(seconds) for seconds, name in lines}


def name_of(item):
    return f"{item.path.name}::{item.name}"


def left_out(items, seed):
    """Of pytest's ``items`` those that another run tries: of each file's short ones one at least is
    tried, of the long ones what comes first by lot until their time is used up."""
    seconds, drawn = table(), random.Random(f"{seed} of all tests")
    long, short = [], {}
    for item in items:
        if name_of(item) in seconds:
            long.append(item)
        else:
            short.setdefault(item.path.name, []).append(item)
    drawn.shuffle(long)
    budget, out = LONG_SHARE * sum(seconds.values()), []
    for item in long:
        budget -= seconds[name_of(item)]
        if budget < 0:
            out.append(item)
    for some in short.values():
        out += drawn.sample(some, int(len(some) * (1 - SHORT_SHARE)))
    return out


def main():
    found = {}
    for case in ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        found[f"{case.get('classname').rpartition('.')[2]}.py::{case.get('name')}"] = float(
            case.get("time")
        )
    for name, seconds in sorted(found.items(), key=lambda pair: -pair[1]):
        if seconds >= LEAST_S:
            print(f"{seconds:.0f} {name}")


if __name__ == "__main__":
    main()
