#!/usr/bin/env python3
"""Check that the source tree is as docs/design.md promises.

Usage: check-house.py BUILD    a folder that meson has built (compile_commands.json and objects)

- Folders of `src` include only from folders to their left (LAYERS).
- A file includes its own header first, or else its folder's: so a header has all that it needs.
- No files of a folder need each other in a circle, as the linker sees it. A circle that has to be
  says so in the first comment of one of its files: "Circle: <why>".
- No two source files have the same name, wherever they are.
- Every symbol that a file offers to others is used by one.
- No tracked file outside `tests` is binary or larger than 100 kB.

Every finding is a line; the last line is `N passed, N failed`.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [
    "base",
    "doc",
    "cfn",
    "config",
    "pack",
    "build",
    "compile",
    "layout",
    "aws",
    "release",
    "local",
    "ui",
    "cli",
]
SIZE_MAX = 100_000


def tracked(*patterns):
    text = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in text.split("\0") if name and (ROOT / name).exists()]


def upward_includes(sources):
    for name in sources:
        own = LAYERS.index(name.split("/")[1])
        for included in re.findall(r'^#include "([^"]+)"', (ROOT / name).read_text(), re.M):
            folder = included.split("/")[0]
            if folder not in LAYERS:
                yield f"{name}: includes {included}, which is in no folder of src"
            elif LAYERS.index(folder) > own:
                yield f"{name}: includes {included}, which is above it"


def includes(name):
    return re.findall(r'^#include ["<]([^">]+)[">]', (ROOT / name).read_text(), re.M)


def other_header_first(sources):
    for name in sources:
        own, layer = name.removeprefix("src/")[:-2] + ".h", name.split("/")[1] + "/"
        found = includes(name)
        if not name.endswith(".c") or not found:
            continue
        first = found[0]
        whole = {first, *(includes("src/" + first) if first.startswith(layer) else [])}
        if "src/" + own in sources:
            if own not in whole:
                yield f"{name}: includes {first} before {own}"
        elif not first.startswith(layer) and any(header.startswith(layer) for header in found):
            yield f"{name}: includes {first} before a header of {layer[:-1]}"


def same_names(sources):
    by_name = defaultdict(list)
    for name in sources:
        by_name[name.rsplit("/", 1)[-1]].append(name)
    for names in by_name.values():
        if len(names) > 1 and not names[0].endswith("meson.build"):
            yield f"the same name: {', '.join(names)}"


def objects(build):
    """Object file -> its source; for everything of the project that the build compiles. What the
    build writes itself is called by its name alone."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["directory"], entry["file"]).resolve()
        written = source.is_relative_to(build.resolve())
        found[entry["output"]] = source.name if written else str(source.relative_to(ROOT))
    return found


def symbols(build):
    """Two maps: file -> what it defines, file -> what it needs."""
    names = objects(build)
    defined = {name: set() for name in names.values()}
    needed = {name: set() for name in names.values()}
    text = subprocess.run(
        ["nm", "-A", *names], cwd=build, capture_output=True, text=True, check=True
    ).stdout
    for line in text.splitlines():
        output, rest = line.split(":", 1)
        kind, symbol = rest.split()[-2:]
        if kind == "U":
            needed[names[output]].add(symbol)
        elif kind.isupper():
            defined[names[output]].add(symbol)
    return defined, needed


def graph(defined, needed):
    where = {symbol: name for name, symbols in defined.items() for symbol in symbols}
    edges = defaultdict(lambda: defaultdict(set))
    for name, symbols_ in needed.items():
        for symbol in symbols_:
            if symbol in where and where[symbol] != name and name.startswith("src/"):
                edges[name][where[symbol]].add(symbol)
    return edges


def circles(edges):
    """Sets of files that reach each other (Tarjan's strongly connected components)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on_stack.add(v)
        for w in sorted(edges[v]):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on_stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = set()
            while v not in group:
                w = stack.pop()
                on_stack.discard(w)
                group.add(w)
            if len(group) > 1:
                found.append(group)

    sys.setrecursionlimit(10_000)
    for v in sorted(edges):
        if v not in index:
            visit(v)
    return found


def explained(name):
    text = (ROOT / name).read_text()
    return re.match(r"\s*/\*(?:(?!\*/).)*\bCircle: ", text, re.S) is not None


def file_circles(edges):
    for group in circles(edges):
        if any(explained(name) for name in group):
            continue
        inside = [
            f"{a} -> {b}: {', '.join(sorted(edges[a][b]))}"
            for a in sorted(group)
            for b in sorted(edges[a])
            if b in group
        ]
        yield f"{len(group)} files in a circle:\n    " + "\n    ".join(inside)


def unused(defined, needed):
    used = set().union(*needed.values())
    for name in sorted(name for name in defined if name.startswith("src/")):
        for symbol in sorted(defined[name] - used - {"main"}):
            yield f"{name}: nobody else uses {symbol}"


def large_files():
    for name in tracked():
        if name.startswith("tests/"):
            continue
        content = (ROOT / name).read_bytes()
        if len(content) > SIZE_MAX:
            yield f"{name}: {len(content)} bytes"
        elif b"\0" in content:
            yield f"{name}: binary"


def main():
    build = Path(sys.argv[1]).resolve()
    sources = tracked("src/*.c", "src/*.h")
    defined, needed = symbols(build)
    edges = graph(defined, needed)
    checks = [
        upward_includes(sources),
        other_header_first(sources),
        same_names(sources),
        file_circles(edges),
        unused(defined, needed),
        large_files(),
    ]
    passed = failed = 0
    for check in checks:
        findings = list(check)
        print(*findings, sep="\n" if findings else "", end="\n" if findings else "")
        passed += not findings
        failed += len(findings)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
