#!/usr/bin/env python3
"""Measure troupe against the reference packager on this machine, and against its own goals.

Usage: bench.py TROUPE [--no-reference]

Prints a table: medians of wall time, of the processors' time (which says something on a busy
machine, too) and of peak memory, the reference's figures and the ratio. Goals are in the last
column; the exit code is 1 when one is missed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    str(HERE.parent / "e2e"),
    str(HERE.parent / "localcloud"),
    str(HERE.parent / "reference"),
]

HELLO = {
    "serverless.yml": (
        "service: hello\nprovider:\n  name: aws\n  runtime: nodejs20.x\n"
        "functions:\n  hello:\n    handler: handler.main\n    events:\n      - http: GET /hello\n"
    ),
    "handler.js": "exports.main = async () => ({ statusCode: 200, body: 'hello' });\n",
}


def many(count):
    """A service of ``count`` functions with an HTTP event each."""
    functions = "".join(
        f"  f{number:04}:\n    handler: handler.main\n    events:\n      - http: GET"
        f" /things/{number:04}\n"
        for number in range(count)
    )
    head, _ = HELLO["serverless.yml"].split("  hello:\n")
    return {**HELLO, "serverless.yml": head + functions}


@dataclass
class Goal:
    name: str
    args: list
    times: int
    reference_args: list
    milliseconds: float
    megabytes: float | None = None
    functions: int = 1


GOALS = [
    Goal("package, hello service", ["package"], 20, ["package"], 20, 20),
    Goal("print, hello service", ["print"], 20, ["print"], 10),
    Goal("package, 100 functions", ["package"], 10, ["package"], 40, functions=100),
    Goal("package, 200 functions", ["package"], 10, ["package"], 40, 25, functions=200),
    Goal("package, 300 functions", ["package"], 10, [], 75, functions=300),
    Goal("package, 1000 functions", ["package"], 5, [], 200, functions=1000),
    Goal("package, 3000 functions", ["package"], 3, [], 600, functions=3000),
    Goal("version", ["version"], 50, ["--version"], 3),
]


def environment(home):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "CI": "1",
        "NO_COLOR": "1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_TRACKING_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
    }


class Bench:
    def __init__(self, troupe, place, reference):
        self.troupe, self.place, self.reference = troupe, Path(place), reference
        self.measure = self.place / "measure"
        subprocess.run(["cc", "-O2", "-o", self.measure, HERE / "measure.c"], check=True)
        self.services = {1: self.write("hello", HELLO)}
        (self.place / "home").mkdir()
        self.missed = []

    def write(self, name, files):
        folder = self.place / name
        folder.mkdir()
        for path, text in files.items():
            (folder / path).write_text(text)
        return folder

    def medians(self, command, times, functions):
        """Median milliseconds, megabytes and milliseconds of work of ``command`` in a service."""
        if functions not in self.services:
            self.services[functions] = self.write(f"many-{functions}", many(functions))
        service, runs = self.services[functions], []
        for batch in (1, times):  # the first one warms the caches of the system
            done = subprocess.run(
                [self.measure, str(batch), *command],
                cwd=service,
                check=True,
                env=environment(self.place / "home"),
                capture_output=True,
                text=True,
            )
            runs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
            codes = {run[2] for run in runs}
            if codes != {0}:
                again = subprocess.run(
                    command,
                    cwd=service,
                    env=environment(self.place / "home"),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                sys.exit(
                    f"{' '.join(map(str, command))}: exit {codes}\n{again.stdout}{again.stderr}"
                )
        us, kib, _, work_us = (statistics.median(figures) for figures in zip(*runs))
        return us / 1000, kib / 1024, work_us / 1000

    def times(self):
        print(
            f"{'':28}{'troupe':>12}{'work':>12}{'memory':>9}{'osls 3.77.1':>20}{'ratio':>16}   goal"
        )
        for goal in GOALS:
            ms, mb, work = self.medians([self.troupe, *goal.args], goal.times, goal.functions)
            line = f"{goal.name:28}{ms:9.1f} ms{work:9.1f} ms{mb:6.1f} MB"
            if self.reference and goal.reference_args:
                other_ms, other_mb, _ = self.medians(
                    ["node", self.reference, *goal.reference_args], 3, goal.functions
                )
                line += (
                    f"{other_ms:9.0f} ms{other_mb:5.0f}"
                    f" MB{other_ms / ms:9.0f}x{other_mb / mb:5.0f}x"
                )
            wanted = f"<= {goal.milliseconds:g} ms" + (
                f", {goal.megabytes:g} MB" if goal.megabytes else ""
            )
            met = ms <= goal.milliseconds and (not goal.megabytes or mb <= goal.megabytes)
            self.report(line, wanted, met)

    def report(self, line, wanted, met):
        print(f"{line:94}   {wanted} {'met' if met else 'MISSED'}", flush=True)
        if not met:
            self.missed.append(line)

    # -- calls to AWS ----------------------------------------------------------------------------

    def calls(self):
        """What deploys of fifty functions send, counted by the tests' proxy on a local cloud."""
        os.environ["TROUPE"] = str(self.troupe)
        import fifty
        from cloud import Cloud
        from conftest import new_account, new_troupe
        from proxy import Proxy

        cloud = Cloud(
            self.write("cloud", {}),
            TROUPE_CLOUD_STACK_MS="100",
            TROUPE_CLOUD_FUNCTION_UPDATE_MS="60",
        )
        try:
            account = new_account(cloud)
            proxy = Proxy(cloud)
            troupe = new_troupe(self.place / "fifty", account, proxy)
            troupe.write(fifty.files())
            self.deploy(troupe, proxy, "first deploy of 50 functions", None)
            self.deploy(troupe, proxy, "deploy of 50, nothing changed", (12, 0, 0, 0))
            troupe.edit("f07.js", "'one'", "'two'")
            self.deploy(troupe, proxy, "deploy of 50, one changed", (None, 1, 1, 1))
            proxy.close()
        finally:
            cloud.stop()

    def deploy(self, troupe, proxy, name, goal):
        from fifty import sent

        mark = proxy.mark()
        result = troupe("deploy", "dev")
        figures = {what: len(calls) for what, calls in sent(proxy, mark).items()}
        line = f"{name:32}{result.seconds:6.2f} s, " + ", ".join(
            f"{number} {what}" for what, number in figures.items()
        )
        if goal is None:
            print(line, flush=True)
            return
        wanted = "<= " + ", ".join("any" if limit is None else str(limit) for limit in goal)
        self.report(
            line,
            wanted,
            all(limit is None or figure <= limit for figure, limit in zip(figures.values(), goal)),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("troupe", type=Path)
    parser.add_argument(
        "--no-reference", action="store_true", help="do not install and run the reference"
    )
    options = parser.parse_args()
    reference = None
    if not options.no_reference:
        import bless

        reference = bless.reference()
    if not shutil.which("cc"):
        sys.exit("error: a C compiler is needed")
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(options.troupe.resolve(), place, reference)
        bench.times()
        bench.calls()
        return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(main())
