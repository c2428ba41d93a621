#!/usr/bin/env python3
"""Check what the documents promise: files they link to, make targets and commands they name; and that
the tree has in it what people wrote: no large or binary files but those of tests, no paths of one
machine.

Usage: check-docs.py TROUPE
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```[^\n]*\n(.*?)^```|^    (\S[^\n]*)$|`([^`\n]+)`", re.M | re.S)


def documents():
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split()]


def links(path, text):
    """Problems with the links of one document."""
    for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S)):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        aim = (path.parent / file) if file else path
        if not aim.exists():
            yield f"links to '{target}', which is not there"
        elif anchor and aim.suffix == ".md" and anchor not in anchors(aim):
            yield f"links to '{target}', but there is no such heading"


def anchors(path):
    headings = re.findall(r"^#+ +(.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def words(text, program):
    """First arguments that code in the text gives to a program."""
    for match in CODE.finditer(text):
        code = next(part for part in match.groups() if part is not None)
        yield from re.findall(rf"(?:^|[;&|$] ?|\s|/){program} +([a-z][a-z-]*)", code, re.M)


# Folders of people and of build machines; examples in documents write ~ or a path below /tmp.
MACHINE = re.compile(rb"(?<![\w.$}/-])/(?:home|Users|root|work|workspace|builds|opt/wheels)/[\w.-]+[^\s'\"]*")
BYTES_MAX = 100_000


def tracked():
    """Problems with the files under version control, one list for each."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in names.split("\0"):
        path = ROOT / name
        if not name or path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        problems = [f"names the path of one machine: {found.decode(errors='replace')}"
                    for found in MACHINE.findall(content)]
        if not name.startswith("tests/") and b"\0" in content:
            problems.append("is binary")
        if not name.startswith("tests/") and len(content) > BYTES_MAX:
            problems.append(f"has {len(content)} bytes, more than {BYTES_MAX}")
        yield name, problems


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    commands = set(re.findall(r"^\s+([a-z]+)\b", subprocess.run(
        [sys.argv[1], "help"], check=True, capture_output=True, text=True).stdout, re.M))
    passed = failed = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        problems = list(links(path, text))
        problems += [f"names 'make {word}', which is no target" for word in words(text, "make") if word not in targets]
        problems += [f"names 'troupe {word}', which is no command" for word in words(text, "troupe")
                     if word not in commands]
        for problem in problems:
            print(f"{path.relative_to(ROOT)}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    for name, problems in tracked():
        for problem in problems:
            print(f"{name}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
