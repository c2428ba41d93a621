#!/usr/bin/env python3
"""Compare troupe with the reference on configurations that nobody wrote (generate.py).

Usage: explore.py [--seed N] [--from N] [--count N] [--jobs N] [--keep DIR] [--record]

Every configuration is packaged by the reference and by troupe, and the templates are compared as
tests/reference/normalise.py says. A line for each that is not equal; then how many were. What
differs is kept in DIR (default build-tests/explored) as a service to run by hand. `--record` adds
what came to recorded.txt, which tests/program/test_explore.py compares troupe with, without the
reference; its seed makes its configurations for good, from the cases that it names. Remove the file
to begin anew.

    equal       both made the same template
    refused     both refused it
    deliberate  troupe refuses what AWS would refuse, by a rule of deliberate.txt
    laxer       the reference refuses what troupe takes
    stricter    troupe refuses what the reference takes
    different   the templates differ
    crashed     troupe crashed, or did not end
    unknown     the reference did not end
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "reference")]

import bless  # noqa: E402
import generate  # noqa: E402
from normalise import dumps, normalise  # noqa: E402

RECORDED = HERE / "recorded.txt"
TEMPLATE = "cloudformation-template-update-stack.json"
TIMEOUT_S = 120
CRASHED, TIMED_OUT = "it crashed", "it did not end"
SANITIZED = ("AddressSanitizer", "LeakSanitizer", "runtime error:")
WRONG = ("stricter", "different", "crashed")


def deliberate():
    """[(pattern of troupe's message, reason)]"""
    lines = (HERE / "deliberate.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return [(re.compile(pattern), reason) for pattern, reason in rows]


def package(command, service, home, out):
    """(template, None) or (None, what it said)."""
    sanitizers = {
        name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ
    }
    env = bless.environment(service, home) | sanitizers
    try:
        done = subprocess.run(
            [*command, "package", "--package", str(out)],
            cwd=service,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, TIMED_OUT
    if done.returncode < 0 or any(word in done.stderr for word in SANITIZED):
        return None, f"{CRASHED}, {done.returncode}: {done.stdout}{done.stderr}"
    if done.returncode != 0:
        return None, done.stdout + done.stderr
    return normalise(json.loads((out / TEMPLATE).read_text(encoding="utf-8"))), None


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclasses.dataclass
class Found:
    number: int
    outcome: str
    detail: str
    config: str  # digest
    came: str | None  # what recorded.txt says of it; None for what is not recorded


class Explorer:
    def __init__(self, pool, troupe, entry=None, keep=None):
        self.pool, self.troupe, self.entry, self.keep = pool, troupe, entry, keep
        self.rules = deliberate()

    def laid_out(self, seed, number, scratch):
        """(folder of the service, digest of its configuration)."""
        config, cases = self.pool.service(seed, number)
        (scratch / "home").mkdir()
        service = scratch / "service"
        service.mkdir()
        return service, digest(generate.lay_out(config, cases, service))

    def troupes(self, service):
        """(template, None) or (None, what it said)."""
        return package([self.troupe], service, service.parent / "home", service.parent / "troupe")

    def came(self, template):
        return digest(dumps(template)) if template else "refused"

    def one(self, seed, number):
        with tempfile.TemporaryDirectory(prefix="troupe-explore-") as place:
            service, config = self.laid_out(seed, number, Path(place))
            ours, said = self.troupes(service)
            home = Path(tempfile.gettempdir(), f"troupe-explore-home-{os.getuid()}")
            home.mkdir(exist_ok=True)
            theirs, refused = package(
                ["node", str(self.entry)], service, home, Path(place, "reference")
            )
            outcome, detail = self.outcome(ours, said, theirs, refused)
            if outcome in (*WRONG, "laxer"):
                kept = self.keep / f"{outcome}-{seed}-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(service, kept)
                (kept / "EXPLORED.txt").write_text(detail, encoding="utf-8")
        came = self.came(ours) if outcome in ("equal", "refused", "deliberate") else None
        return Found(number, outcome, detail, config, came)

    def outcome(self, ours, said, theirs, refused):
        if said and said.startswith((CRASHED, TIMED_OUT)):
            return "crashed", said
        if refused == TIMED_OUT:
            return "unknown", refused
        if ours is None and theirs is None:
            return "refused", ""
        if ours is None:
            reason = next((reason for pattern, reason in self.rules if pattern.search(said)), None)
            return ("deliberate", reason) if reason else ("stricter", said)
        if theirs is None:
            return "laxer", refused
        if ours == theirs:
            return "equal", ""
        diff = difflib.unified_diff(
            dumps(theirs).splitlines(),
            dumps(ours).splitlines(),
            "reference",
            "troupe",
            lineterm="",
            n=2,
        )
        return "different", "\n".join(list(diff)[:60])


def recorded():
    """(seed, names of the cases, {number: (digest of the configuration, what came of it)})."""
    if not RECORDED.exists():
        return None, None, {}
    lines = [
        line.split()
        for line in RECORDED.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    rows = {int(number): (config, came) for number, config, came in lines[2:]}
    return lines[0][1], lines[1][1:], rows


def record(names, seed, rows):
    lines = [
        (
            "# Written by `explore.py --record`: number, digest of the configuration, and of its"
            " template or"
        ),
        "# that it is refused.",
        f"seed {seed}",
        "cases " + " ".join(names),
    ]
    lines += [f"{number} {config} {came}" for number, (config, came) in sorted(rows.items())]
    RECORDED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=ROOT / "build-tests" / "explored")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    seed, names, kept = recorded()
    if options.seed != seed:
        names, kept = generate.all_cases(), {}
    troupe = os.environ.get("TROUPE", str(ROOT / "build" / "troupe"))
    options.keep.mkdir(parents=True, exist_ok=True)
    explorer = Explorer(generate.Pool(names), troupe, bless.reference(), options.keep)
    counts = collections.Counter()
    numbers = range(options.first, options.first + options.count)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for found in pool.map(lambda number: explorer.one(options.seed, number), numbers):
            counts[found.outcome] += 1
            if found.outcome in WRONG:
                detail = "".join(f"\n    {line}" for line in found.detail.splitlines()[:12])
                print(f"{found.outcome} {options.seed} {found.number}{detail}", flush=True)
            elif options.record and found.came:
                kept[found.number] = found.config, found.came
                record(names, options.seed, kept)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    print(f"seed {options.seed}, {options.first} to {numbers[-1]}: {summary}")
    return 1 if any(counts[outcome] for outcome in WRONG) else 0


if __name__ == "__main__":
    sys.exit(main())
