#!/usr/bin/env python3
"""Measure packaging: against the reference, and against what no packager can be faster than.

Usage: packaging.py TROUPE [--no-reference] [--only NAME]

Each input is packaged by the reference, by troupe without what an earlier run kept (cold) and with
it (warm); `limit` reads and compresses the same files and does nothing else. The files are those of
the reference's own node_modules. Medians; "work" is the time of all processors, which says
something on a busy machine, too, and of which ratios are made. The exit code is 1 when a goal is
missed: cold work over that of the limit, memory, and warm work over that of a `print` of the same
service plus the goal's time.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "reference")]

from bench import environment, many  # noqa: E402  pylint: disable=wrong-import-position
import bless  # noqa: E402  pylint: disable=wrong-import-position

HEAD = "service: bench\nprovider: {name: aws, runtime: nodejs20.x}\n"
ONE = HEAD + "functions:\n  hello: {handler: handler.main}\n"
TWENTY = (
    HEAD
    + "package: {individually: true}\nfunctions:\n"
    + "".join(f"  f{number:02}: {{handler: handler.main}}\n" for number in range(20))
)
FILE_BYTES_MAX = 400_000


@dataclass
class Input:
    name: str
    yml: str
    files: int  # in node_modules
    over_limit: float  # cold work may be so many times that of the limit
    warm_ms: float
    megabytes: float = 64
    runs: int = 5
    reference_runs: int = 1


INPUTS = [
    Input("5,000 files", ONE, 5000, 1.15, 20),
    Input("23,800 files", ONE, 23800, 1.15, 80),
    Input("20 functions, the same 4,400 files", TWENTY, 4400, 2.5, 60),
    Input("200 functions with HTTP events", many(200)["serverless.yml"], 0, 0, 20),
]


class Packaging:
    def __init__(self, troupe, place, reference):
        self.troupe, self.place, self.reference = troupe, Path(place), reference
        self.source = [
            path
            for path in sorted(bless.reference().parents[2].rglob("*"))
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= FILE_BYTES_MAX
        ]
        for program, source, libraries in (
            ("measure", HERE.parent / "measure.c", []),
            ("limit", HERE / "limit.c", ["-ldeflate", "-lpthread"]),
        ):
            subprocess.run(
                ["cc", "-O2", "-o", self.place / program, source, *libraries], check=True
            )
        (self.place / "home").mkdir()
        self.missed = []

    def write(self, folder, given):
        folder.mkdir()
        (folder / "serverless.yml").write_text(given.yml)
        (folder / "handler.js").write_text("exports.main = async () => 1;\n")
        if given.files:
            (folder / "package.json").write_text('{"name": "bench", "dependencies": {}}')
        top, names = bless.reference().parents[2], []
        for number in range(given.files):
            turn, path = number // len(self.source), self.source[number % len(self.source)]
            target = (
                folder / "node_modules" / (f"again-{turn}" if turn else "") / path.relative_to(top)
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes() + (b"\n// %d" % turn if turn else b""))
            names.append(str(target))
        (self.place / "list").write_text("\n".join(names))

    def medians(self, command, folder, runs, before=None):
        """Milliseconds, megabytes and milliseconds of work."""
        lines = []
        for _ in range(runs):
            if before:
                before()
            done = subprocess.run(
                [self.place / "measure", "1", *command],
                cwd=folder,
                check=True,
                text=True,
                env=environment(self.place / "home"),
                capture_output=True,
            )
            us, kib, code, work_us = map(int, done.stdout.split())
            if code:
                again = subprocess.run(
                    command,
                    cwd=folder,
                    env=environment(self.place / "home"),
                    text=True,
                    capture_output=True,
                    check=False,
                )
                sys.exit(
                    f"{' '.join(map(str, command))}: exit {code}\n{again.stdout}{again.stderr}"
                )
            lines.append((us / 1000, kib / 1024, work_us / 1000))
        return [statistics.median(column) for column in zip(*lines)]

    def forget(self, folder):
        for path in (
            folder / ".serverless",
            self.place / "home" / ".cache" / "troupe" / "packages",
        ):
            subprocess.run(["rm", "-rf", path], check=True)

    def measure(self, given):
        folder = self.place / "service"
        self.write(folder, given)
        print(f"\n{given.name}", flush=True)
        ratio, package = 0, [self.troupe, "package"]
        base = self.medians([self.troupe, "print"], folder, given.runs)
        cold = self.medians(package, folder, given.runs, before=lambda: self.forget(folder))
        self.medians(package, folder, 1)  # what is younger than the clock's step is kept only now
        warm = self.medians(package, folder, given.runs)
        self.show("cold", cold)
        self.show("warm", warm)
        if given.files:
            limit = self.medians([self.place / "limit", self.place / "list"], folder, given.runs)
            self.show("limit", limit)
            ratio = cold[2] / limit[2]
            self.judge("cold / limit, work", ratio, given.over_limit)
        self.judge("warm, work without reading the service, ms", warm[2] - base[2], given.warm_ms)
        self.judge("memory, MB", max(cold[1], warm[1]), given.megabytes)
        if self.reference:
            self.forget(folder)
            other = self.medians(["node", self.reference, "package"], folder, given.reference_runs)
            self.show("osls", other)
            print(
                f"  osls / cold, work {other[2] / cold[2]:16.0f} x\n  osls / warm, work"
                f" {other[2] / warm[2]:16.0f} x"
            )
        subprocess.run(["rm", "-rf", folder], check=True)

    def show(self, what, figures):
        print(
            f"  {what:10}{figures[0]:10.1f} ms{figures[2]:10.1f} ms of work{figures[1]:8.1f} MB",
            flush=True,
        )

    def judge(self, what, figure, goal):
        met = figure <= goal
        print(f"  {what:44}{figure:8.2f}   <= {goal:g} {'met' if met else 'MISSED'}", flush=True)
        if not met:
            self.missed.append(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("troupe", type=Path)
    parser.add_argument("--no-reference", action="store_true", help="do not run the reference")
    parser.add_argument("--only", default="", help="inputs with this in their name")
    options = parser.parse_args()
    reference = None if options.no_reference else bless.reference()
    with tempfile.TemporaryDirectory() as place:
        packaging = Packaging(options.troupe.resolve(), place, reference)
        for given in INPUTS:
            if options.only in given.name:
                packaging.measure(given)
        return 1 if packaging.missed else 0


if __name__ == "__main__":
    sys.exit(main())
