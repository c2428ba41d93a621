#!/usr/bin/env python3
"""Build with gcc's counters, run the unit tests, and say which lines of a folder they reach.

Usage: coverage.py [FOLDER]     below src/, default release

Prints a line for each file, least covered first, and the total. Lines that were never reached are
in BUILD_TESTS/coverage/lines.txt. Ends with 1 when a unit test failed.

Environment: BUILD_TESTS (default build-tests), TROUPE_TEST_JOBS (2).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = (ROOT / os.environ.get("BUILD_TESTS", "build-tests") / "coverage").resolve()
JOBS = os.environ.get("TROUPE_TEST_JOBS", "2")


def build():
    if not (FOLDER / "build.ninja").exists():
        # Several threads count at once.
        subprocess.run(
            [
                "meson",
                "setup",
                FOLDER,
                "-Db_coverage=true",
                "-Dbuildtype=debug",
                "-Dc_args=-fprofile-update=atomic",
            ],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "CC": "gcc"},
        )
    subprocess.run(["ninja", "--quiet", "-C", FOLDER, "-j", JOBS], check=True)


def run_tests():
    for counters in FOLDER.rglob("*.gcda"):
        counters.unlink()
    done = subprocess.run(
        [
            "meson",
            "test",
            "-C",
            FOLDER,
            "--no-rebuild",
            "--num-processes",
            JOBS,
            "--quiet",
            "--print-errorlogs",
        ],
        cwd=ROOT,
    )
    return done.returncode


def read_lines(folder):
    """``{path below src/<folder>: {line: count}}``; files that nothing was run of are
    there, too.
    """
    found = {}
    objects = FOLDER / "libtroupe.a.p"
    for notes in sorted(objects.glob(f"src_{folder.replace('/', '_')}_*.gcno")):
        counters = notes.with_suffix(".gcda")
        output = subprocess.run(
            ["gcov", "--json-format", "--stdout", counters if counters.exists() else notes],
            cwd=FOLDER,
            check=True,
            capture_output=True,
        ).stdout
        for text in output.splitlines():
            for file in json.loads(text)["files"]:
                path = (FOLDER / file["file"]).resolve()
                if not path.is_relative_to(ROOT / "src" / folder) or path.suffix != ".c":
                    continue
                counts = found.setdefault(path.relative_to(ROOT / "src" / folder), {})
                for line in file["lines"]:
                    number = line["line_number"]
                    counts[number] = counts.get(number, 0) + line["count"]
    return found


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "release"
    build()
    failed = run_tests()
    found = read_lines(folder)
    if not found:
        sys.exit(f"error: there is nothing in src/{folder}")
    rows, missing = [], []
    for path, counts in found.items():
        reached = sum(1 for count in counts.values() if count)
        rows.append((reached / max(len(counts), 1), reached, len(counts), path))
        missing += [
            f"src/{folder}/{path}:{line}" for line, count in sorted(counts.items()) if not count
        ]
    for share, reached, lines, path in sorted(rows):
        print(f"{100 * share:6.1f} %  {reached:5} of {lines:5}  src/{folder}/{path}")
    reached, lines = sum(row[1] for row in rows), sum(row[2] for row in rows)
    print(
        f"{100 * reached / max(lines, 1):6.1f} %  {reached:5} of {lines:5}  src/{folder},"
        f" {len(rows)} files"
    )
    (FOLDER / "lines.txt").write_text("\n".join(missing) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
