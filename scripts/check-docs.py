#!/usr/bin/env python3
"""Check what documents and comments promise: files and sections that they name, make targets and
commands; that documents are 100 columns wide; and that the tree has in it what people wrote: no
large or binary files but those of tests, no paths of one machine.

Usage: check-docs.py TROUPE
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```[^\n]*\n(.*?)^```|^    (\S[^\n]*)$|`([^`\n]+)`", re.M | re.S)


WIDTH = 100
# Code that stands apart: between fences, or indented behind an empty line.
BLOCK = re.compile(r"^```.*?^```$|(?<=\n\n)(?: {4}[^\n]*\n|\n)+", re.M | re.S)
# docs/design.md, "Regions": a heading, or a paragraph that begins with the name in bold.
SECTION = re.compile(r'\b(\w+\.md)\)?,\s+(?:\*\s+)?"([^"]+)"')
COMMENT = re.compile(r"/\*.*?\*/", re.S)
SPAN = re.compile(r"`([^`]+)`")
# A source file, <name> standing for any: cli/cmd_<name>.c, client/retry.h, store.c; retries/ is a
# folder of botocore's.
FILE = re.compile(
    r"(?<![\w/.<>~*-])(?!retries/)(?:[\w.<>-]+/)*[\w<>-]+\.(?:c|h|py|md|sh|txt)\b(?![/<*>])"
)
FOLDER = re.compile(r"(?:src|tests|docs|scripts|localcloud|examples)(?:/[\w.-]+)*/?")


def tracked_names(*patterns):
    """Files under version control."""
    output = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [name for name in output.split("\0") if name]


def sections(path):
    """What a reader finds by name: headings, and paragraphs and items that begin in bold."""
    found = re.findall(
        r"^#+ +([^\n]+)$|^(?:- )?\*\*([^*]+)\*\*", path.read_text(encoding="utf-8"), re.M
    )
    return {" ".join((heading or bold).split()).rstrip(".:") for heading, bold in found}


def dangling_sections(path, text):
    for file, section in SECTION.findall(text):
        section = " ".join(re.sub(r"\n\s*\*", " ", section).split())
        aim = next(
            (at for at in (path.parent / file, ROOT / "docs" / file, ROOT / file) if at.exists()),
            None,
        )
        if aim is None or section not in sections(aim):
            yield f"names '{section}' of {file}, which is not there"


def dangling_files(text, tree):
    for name in FILE.findall(text):
        pattern = re.sub("<\\w+>", "[^/]+", re.escape(name))
        if not re.search(f"(?:^|/){pattern}$", tree, re.M):
            yield f"names '{name}', which is not there"


def dangling_in_document(path, text, tree):
    prose = BLOCK.sub("\n", text)
    yield from dangling_sections(path, prose)
    for span in SPAN.findall(prose):
        if FILE.fullmatch(span):
            yield from dangling_files(span, tree)
        elif FOLDER.fullmatch(span) and not (
            (ROOT / span).exists() or (path.parent / span).exists()
        ):
            yield f"names '{span}', which is not there"


def dangling_in_comments(path, text, tree):
    for comment in COMMENT.findall(text):
        yield from dangling_sections(path, comment)
        yield from dangling_files(comment, tree)


def wide(text):
    """Lines of prose that are too long; a row of a table cannot be wrapped."""
    prose = BLOCK.sub(lambda block: "\n" * block.group(0).count("\n"), text)
    for number, line in enumerate(prose.split("\n"), 1):
        if len(line) > WIDTH and not line.startswith("|"):
            yield f"line {number} has {len(line)} columns, more than {WIDTH}"


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
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def words(text, program):
    """First arguments that code in the text gives to a program."""
    for match in CODE.finditer(text):
        code = next(part for part in match.groups() if part is not None)
        yield from re.findall(rf"(?:^|[;&|$] ?|\s|/){program} +([a-z][a-z-]*)", code, re.M)


# Folders of people and of build machines; examples in documents write ~ or a path below /tmp.
MACHINE = re.compile(
    rb"(?<![\w.$}/-])/(?:home|Users|root|work|workspace|builds|opt/wheels)/[\w.-]+[^\s'\"]*"
)
BYTES_MAX = 100_000


def tracked():
    """Problems with the files under version control, one list for each."""
    for name in tracked_names():
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        problems = [
            f"names the path of one machine: {found.decode(errors='replace')}"
            for found in MACHINE.findall(content)
        ]
        if not name.startswith("tests/") and b"\0" in content:
            problems.append("is binary")
        if not name.startswith("tests/") and len(content) > BYTES_MAX:
            problems.append(f"has {len(content)} bytes, more than {BYTES_MAX}")
        yield name, problems


PLUGIN_ROWS = "src/config/plugins/plugin_rows.c"


def plugins(troupe):
    """What is wrong with the table in docs/plugins.md, by what the program answers to each plugin
    that it knows.
    """
    rows = (ROOT / PLUGIN_ROWS).read_text(encoding="utf-8")
    names = [
        name
        for words in re.findall(r"\{WORDS\(([^)]*)\)", rows)
        for name in re.findall(r'"([^"]+)"', words)
    ]
    documented = {}
    for line in (ROOT / "docs/plugins.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            documented.update(
                {name: (cells[1], cells[2]) for name in re.findall(r"`([^`]+)`", cells[0])}
            )
    with tempfile.TemporaryDirectory() as folder:
        service = "service: shop\nprovider: {name: aws}\nplugins:\n" + "".join(
            f"  - {name}\n" for name in names
        )
        Path(folder, "serverless.yml").write_text(service, encoding="utf-8")
        done = subprocess.run(
            [Path(troupe).resolve(), "migrate", "--json"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    said = {
        plugin["name"]: (plugin["answer"], plugin["says"])
        for plugin in json.loads(done.stdout)["plugins"]
    }
    for name in sorted({*said, *documented}):
        answer, says = said.get(name, ("none", ""))
        if says.startswith(
            "plugins are not run"
        ):  # advice for any plugin: the text above the table has it
            says = ""
        if (answer, says) != documented.get(name):
            yield f"has not the answer to '{name}', which is: {answer} | {says}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    commands = set(
        re.findall(
            r"^\s+([a-z]+)\b",
            subprocess.run(
                [sys.argv[1], "help"], check=True, capture_output=True, text=True
            ).stdout,
            re.M,
        )
    )
    passed = failed = 0
    tree = "\n".join(tracked_names())
    for name in tracked_names("src/*.[ch]"):
        problems = list(
            dangling_in_comments(ROOT / name, (ROOT / name).read_text(encoding="utf-8"), tree)
        )
        for problem in problems:
            print(f"{name}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    for name in tracked_names("*.md"):
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        problems = [*links(path, text), *wide(text), *dangling_in_document(path, text, tree)]
        problems += [
            f"names 'make {word}', which is no target"
            for word in words(text, "make")
            if word not in targets
        ]
        problems += [
            f"names 'troupe {word}', which is no command"
            for word in words(text, "troupe")
            if word not in commands
        ]
        for problem in problems:
            print(f"{name}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    for problem in plugins(sys.argv[1]):
        print(f"docs/plugins.md: {problem}")
        failed += 1
    for name, problems in tracked():
        for problem in problems:
            print(f"{name}: {problem}")
        passed, failed = passed + (not problems), failed + bool(problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
