#!/usr/bin/env python3
"""Ask cfn-lint about the templates that troupe wrote in the end-to-end tests.

Usage: lint.py FOLDER     with cfn-lint's Python: $(scripts/setup.sh lint)

An error of cfn-lint is what CloudFormation would refuse, by AWS's own schemas. Warnings are advice
for authors and do not count. ALLOWED has what cfn-lint takes for an error and AWS does not, or what
a test writes on purpose. Prints a line for each error; the last one is `N passed, N failed`.
"""

import functools
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner

REGION = "us-east-1"
# Rule, what its message has -> why it does not count.
ALLOWED = ()


@functools.cache
def runner():
    """One for all templates of a process: reading the rules takes longer than asking them."""
    return Runner(ConfigMixIn(regions=[REGION], ignore_checks=["W", "I"]))


def errors(path):
    template, unreadable = decode_str(path.read_text(encoding="utf-8"))
    return [
        (m.rule.id, "/".join(str(part) for part in getattr(m, "path", None) or []), m.message)
        for m in unreadable or runner().validate_template(template)
        if m.rule.id.startswith("E")
    ]


def counts(error):
    rule, where, message = error
    return not any(
        rule == allowed and re.search(text, f"{where}: {message}") for allowed, text, _ in ALLOWED
    )


def main():
    templates = sorted(Path(sys.argv[1]).glob("*.json"))
    failed = 0
    with ProcessPoolExecutor() as pool:
        for path, found in zip(templates, pool.map(errors, templates, chunksize=4)):
            found = [error for error in found if counts(error)]
            failed += bool(found)
            for rule, where, message in found:
                print(f"{path.name}: {rule} {where}: {message}")
    print(f"{len(templates) - failed} passed, {failed} failed")
    return 1 if failed or not templates else 0


if __name__ == "__main__":
    sys.exit(main())
