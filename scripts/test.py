#!/usr/bin/env python3
"""Build, run every suite of tests, and add up what they counted.

Usage: test.py [SUITE...]     without any: all but those of LONG

Each suite is a function below; it builds what it needs, and says how many tests passed, failed and
were skipped. A suite that runs no test at all has failed, and so has one that leaves processes
behind. Of several suites each is a process of its own, and two of them run at a time: those of
BESIDE one after the other, which leave a processor idle half of the time, and beside them the
others. The last line is `N passed, N failed, N skipped`.

What takes the time, and what keeps it short: `clang` compiles everything once with the sanitizers
of addresses and undefined behaviour, for `house`, `unit`, `fuzz`, `program` and `e2e`; `threads`
compiles what has threads once more, for itself and for `races`; both leave optimizing, which would
take longer than it wins, to `gcc`, whose build is the release, which `docs` looks at, too.
`localcloud` and `e2e` wait for stacks half of the time, so that three of their tests share a
processor. No test may fail because the machine is slow: tests wait for what is to happen, with a
limit only for what would never come.
A suite's line says the seconds that it took, and how many of them the processors worked for it.

Environment: BUILD (release build, default build), BUILD_TESTS (the others, default build-tests),
FUZZ_SECONDS (10), TROUPE_TEST_JOBS (2), TROUPE_TEST_TIMEOUT (3000, seconds of a suite),
TROUPE_MODEL_SEED (random), TROUPE_MODEL_STEPS (55, of each of four sequences), TROUPE_TEST_ALL (1:
those of LONG, too).
"""

import concurrent.futures
import ctypes
import fcntl
import json
import os
import platform
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = (ROOT / os.environ.get("BUILD", "build")).resolve()
BUILDS = (ROOT / os.environ.get("BUILD_TESTS", "build-tests")).resolve()
JOBS = os.environ.get("TROUPE_TEST_JOBS", "2")
TEMPLATES = BUILDS / "templates"  # those that troupe wrote in the last run of suite e2e
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "10"))
TIMEOUT_S = int(os.environ.get("TROUPE_TEST_TIMEOUT", "3000"))
SANITIZERS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:malloc_context_size=8",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
# How the unit tests begin that run under the thread sanitizer, too: their subjects have threads.
THREADED = (
    "base",
    "aws",
    "pack",
    "adopt_",
    "diff_cases",
    "dispose",
    "lease",
    "publish",
    "plan",
    "policy",
    "prune",
    "deploy",
    "goal",
    "release",
    "remove",
    "repair",
    "stack",
    "status",
    "store",
)
# The first lines of clang-format's output differ between its versions; this one is Debian 12's.
FORMAT_VERSION = "14."


class Broken(Exception):
    """A suite could not run; the text says why."""


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


# -- processes -------------------------------------------------------------------------------------


def stop(process):
    """End a process and its group: politely first, so that it can end its own children."""
    for sign, seconds in ((signal.SIGINT, 20), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue


RUNNING = set()  # what run() has started and waits for


def run(command, timeout=TIMEOUT_S, cwd=ROOT, **env):
    """``(exit code, output)``. Standard error is part of the output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        late = ""
        RUNNING.add(process)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            late = f"\nstopped: not done after {timeout} s\n"
        finally:
            stop(process)
            RUNNING.discard(process)
        output.seek(0)
        return process.returncode if not late else 124, output.read().decode(
            "utf-8", "replace"
        ) + late


def need(command, **kwargs):
    """Run a step without which the suite cannot go on; its output."""
    code, output = run(command, **kwargs)
    if code != 0:
        raise Broken(f"{' '.join(map(str, command))}: exit {code}\n{output}")
    return output


def adopt_orphans():
    """Become the parent of descendants whose own parent ends, so that none is lost."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def left_behind():
    """Command lines of child processes that outlived their suite; they are ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = int(status.parent.name), status.read_text().rpartition(")")[2].split()
            command = (
                (status.parent / "cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode(errors="replace")
            )
        except (OSError, ValueError):
            continue
        state, parent, group = rest[0], int(rest[1]), int(rest[2])
        if parent != os.getpid():
            continue
        if state != "Z":
            found.append(command.strip())
            try:
                (
                    os.kill(pid, signal.SIGKILL)
                    if group == os.getpgrp()
                    else os.killpg(group, signal.SIGKILL)
                )
            except ProcessLookupError:
                pass
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass
    return found


# -- building --------------------------------------------------------------------------------------


def build(name, *options, targets=(), compiler="gcc"):
    """Configure once and build; the folder."""
    folder = BUILD if name == "release" else BUILDS / name
    with open(BUILDS / f"{name}.lock", "w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (folder / "build.ninja").exists():
            need(["meson", "setup", folder, "-Dwerror=true", *options], CC=compiler)
        need(["ninja", "--quiet", "-C", folder, "-j", JOBS, *targets])
    return folder


def sanitized_build():
    """clang's build of everything, with address and undefined-behaviour checks, ready for
    fuzzing.
    """
    return build(
        "clang",
        "-Db_sanitize=address,undefined",
        "-Db_lundef=false",
        "-Dfuzz=true",
        "-Dbuildtype=debug",
        "-Dc_args=-g1 -fsanitize=fuzzer-no-link",
        compiler="clang",
    )


def thread_build(*targets):
    """gcc's build with the thread sanitizer, of no more than the targets."""
    return build(
        "tsan", "-Db_sanitize=thread", "-Dbuildtype=debug", "-Dc_args=-g1", targets=targets
    )


# -- suites ----------------------------------------------------------------------------------------


def suite_format():
    """C files are laid out as .clang-format says, Python files as ruff.toml does; and what Python
    files define and import is used.
    """
    if FORMAT_VERSION not in need(["clang-format", "--version"]):
        return Count(skipped=1), f"needs clang-format {FORMAT_VERSION}x"
    files = need(["git", "ls-files", "*.c", "*.h"]).split()
    scripts = need(["git", "ls-files", "*.py"]).split()
    checks = (
        ["clang-format", "--dry-run", "--Werror", *files],
        [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--no-cache",
            "--check",
            "--quiet",
            "--diff",
            *scripts,
        ],
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--no-cache",
            "--quiet",
            "--output-format=concise",
            *scripts,
        ],
    )
    wrong, failed, said = set(), False, []
    for check in checks:
        code, output = run(check)
        failed |= code != 0
        wrong |= set(re.findall(r"^(\S+?):\d+:\d+: (?:error|[A-Z]+\d+ )", output, re.M))
        wrong |= set(re.findall(r"^--- (\S+)", output, re.M))
        said.append(output)
    count = Count(len(files) + len(scripts) - len(wrong), len(wrong) or int(failed))
    return count, "\n".join(said) if failed else ""


# How a release is hardened: what it is, what of readelf's output says so.
HARDENED = {
    "a position-independent executable": r"Type: +DYN .*Position-Independent|FLAGS_1.* PIE",
    "with addresses resolved at the start": r"FLAGS.*BIND_NOW|FLAGS_1.* NOW",
    "and then read-only": r"GNU_RELRO",
    "without an executable stack": r"GNU_STACK.*\n?.* RW ",
    "with stack protector": r"__stack_chk_fail",
    "with checked copies": r"__(memcpy|snprintf|vsnprintf|read|printf|fprintf)_chk",
}

ENDBR_MIN = 500  # one for each function whose address is taken


def hardening(program):
    """``(number of properties, those that are missing)``."""
    output = need(["readelf", "-W", "-h", "-l", "-d", "--dyn-syms", program])
    missing = [what for what, pattern in HARDENED.items() if not re.search(pattern, output)]
    # The linker's note needs a C library built that way, too; where jumps may go is in the code.
    if (
        platform.machine() == "x86_64"
        and program.read_bytes().count(b"\xf3\x0f\x1e\xfa") < ENDBR_MIN
    ):
        missing.append("with checked jumps")
    return len(HARDENED) + 1, missing


def suite_gcc():
    """gcc builds the release without a warning, hardened, and what it builds can be installed."""
    folder = build("release", "--buildtype=release", "-Dtests=false")
    total, missing = hardening(folder / "troupe")
    with tempfile.TemporaryDirectory() as place:
        need(["meson", "install", "-C", folder, "--destdir", place, "--quiet"])
        installed = [path for path in Path(place).rglob("bin/troupe")]
        if len(installed) != 1:
            raise Broken(f"installed {installed}, not one bin/troupe")
        code, output = run([installed[0], "version"])
        cloud = installed[0].parents[1] / "share" / "troupe" / "localcloud" / "requirements.txt"
        if not cloud.exists():
            raise Broken("the local cloud is not installed")
    report = "".join(f"the release is not {what}\n" for what in missing) + (output if code else "")
    return Count(1 + (code == 0) + total - len(missing), int(code != 0) + len(missing)), report


def suite_clang():
    """clang builds program, tests and fuzz targets without a warning, sanitizers included."""
    sanitized_build()
    return Count(passed=1), ""


def counted(command):
    """Run a script whose last line is `N passed, N failed`."""
    code, output = run([sys.executable, *command])
    found = re.findall(r"(\d+) passed, (\d+) failed", output)
    passed, failed = map(int, found[-1]) if found else (0, 1)
    return Count(passed, failed or int(code != 0)), output if failed or code else ""


def suite_house():
    """The source tree is as docs/design.md promises: layers, no circles, nothing without a user."""
    return counted(["scripts/check-house.py", sanitized_build()])


def meson_tests(folder, names=()):
    """Run unit tests; counts single cmocka tests, and a crashed program as one failure."""
    log = "suite"
    code, output = run(
        [
            "meson",
            "test",
            "-C",
            folder,
            "--no-rebuild",
            "--num-processes",
            JOBS,
            "--logbase",
            log,
            "--print-errorlogs",
            *names,
        ],
        **SANITIZERS,
    )
    count = Count()
    path = folder / "meson-logs" / f"{log}.json"
    for line in path.read_text().splitlines() if path.exists() else []:
        test = json.loads(line)
        text = test.get("stdout", "") + test.get("stderr", "")
        found = Count(
            *(
                sum(map(int, re.findall(rf"\[  {word} *\] (\d+) test", text)))
                for word in ("PASSED", "FAILED", "SKIPPED")
            )
        )
        if test["result"] != "OK" and not found.failed:
            found.failed = 1
        count.add(found)
    if code != 0 and not count.failed:
        count.failed = 1
    return count, output if count.failed else ""


def suite_unit():
    """Unit and golden tests under the address and undefined-behaviour sanitizers."""
    return meson_tests(sanitized_build())


def threaded_tests(folder):
    """Names of the unit tests that THREADED means: each beginning has some, and none is
    left out.
    """
    tests = json.loads(need(["meson", "introspect", "--tests", folder]))
    missing = [
        start for start in THREADED if not any(test["name"].startswith(start) for test in tests)
    ]
    if missing:
        raise Broken(f"no unit test begins with {' or with '.join(missing)}: see THREADED")
    names = sorted(test["name"] for test in tests if test["name"].startswith(THREADED))
    served = {
        test["name"] for test in tests if any(suite.endswith("served") for suite in test["suite"])
    }
    if not served or served - set(names):
        raise Broken(
            "they have threads, and no beginning in THREADED:"
            f" {', '.join(sorted(served - set(names)))}"
        )
    return names


def suite_threads():
    """Unit tests of what has threads, under the thread sanitizer."""
    folder = thread_build("build.ninja")
    names = threaded_tests(folder)
    thread_build(*(f"tests/unit/test_{name}" for name in names), "troupe")
    return meson_tests(folder, names)


# What each fuzz target starts from, besides what was found before (tests/fuzz/corpus/<target>).
SEEDS = {
    "json": "*.json",
    "yaml": "*.yml",
    "variables": "serverless.yml",
    "service": "serverless.yml",
}


def seeds(target, folder):
    paths = sorted((ROOT / "tests" / "golden").rglob(SEEDS[target])) if target in SEEDS else []
    paths += sorted((ROOT / "tests" / "fuzz" / "corpus" / target).glob("*"))
    for n, path in enumerate(path for path in paths if path.stat().st_size <= 8192):
        shutil.copy(path, folder / str(n))


def suite_fuzz():
    """Each fuzz target for FUZZ_SECONDS, all at the same time, without a finding."""
    folder = sanitized_build() / "tests" / "fuzz"
    sources = {path.stem for path in (ROOT / "tests" / "fuzz").glob("fuzz_*.c")}
    missing = sources - {path.name for path in folder.iterdir()}
    if missing:
        raise Broken(f"not in tests/fuzz/meson.build: {sorted(missing)}")
    if not sources:
        raise Broken("there are no fuzz targets")
    count, report = Count(), ""
    with tempfile.TemporaryDirectory() as place:
        started = []
        for name in sorted(sources):
            corpus, findings = Path(place) / name, Path(place) / f"{name}-findings"
            corpus.mkdir()
            findings.mkdir()
            seeds(name.removeprefix("fuzz_"), corpus)
            output = open(findings / "log", "w+")
            process = subprocess.Popen(
                [
                    folder / name,
                    corpus,
                    f"-max_total_time={FUZZ_SECONDS}",
                    "-max_len=16384",
                    "-timeout=20",
                    "-rss_limit_mb=2048",
                    "-verbosity=1",
                    f"-artifact_prefix={findings}/",
                ],
                cwd=findings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **SANITIZERS},
            )
            started.append((name, process, output, findings))
        try:
            for name, process, output, findings in started:
                try:
                    code = process.wait(FUZZ_SECONDS + 120)
                except subprocess.TimeoutExpired:
                    code = 124
                output.seek(0)
                text = output.read()
                runs = re.findall(r"Done (\d+) runs", text)
                report += f"  {name}: {runs[0] if runs else 'no'} runs\n"
                if code == 0 and runs and int(runs[0]) > 0:
                    count.passed += 1
                    continue
                count.failed += 1
                report += f"{name}: exit {code}\n{text[-6000:]}\n"
                for finding in findings.glob("*-*"):
                    kept = BUILDS / f"{name}-{finding.name}"
                    shutil.copy(finding, kept)
                    report += f"the input is kept as {kept}\n"
        finally:
            for _, process, output, _ in started:
                stop(process)
                output.close()
    return count, report


def pytest(folder, *options, **env):
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "junit.xml"
        code, output = run(
            [
                sys.executable,
                "-m",
                "pytest",
                folder,
                "-q",
                "-rs",
                "--tb=short",
                "--durations=5",
                "-p",
                "no:cacheprovider",
                f"--junitxml={report}",
                *options,
            ],
            **env,
            **SANITIZERS,
        )
        count = Count()
        if report.exists():
            for suite in ElementTree.parse(report).getroot().iter("testsuite"):
                total, failed = (
                    int(suite.get("tests")),
                    int(suite.get("failures")) + int(suite.get("errors")),
                )
                skipped = int(suite.get("skipped"))
                count.add(Count(total - failed - skipped, failed, skipped))
        if code not in (0, 5) and not count.failed:
            count.failed = 1
    shown = output if count.failed else "\n".join(re.findall(r"^SKIPPED.*", output, re.M))
    return count, shown


# Most of these tests wait for a stack most of the time: three for each processor.
WAITING = ("-n", str(3 * int(JOBS)), "--dist", "worksteal")


def suite_localcloud():
    """The local cloud's strictness module."""
    story = "tests/localcloud/test_story.py"  # its tests are chapters: each needs those before it
    count, shown = pytest(story)
    others, more = pytest("tests/localcloud", f"--ignore={story}", *WAITING)
    count.add(others)
    return count, "\n".join(text for text in (shown, more) if text)


def suite_mends():
    """Each module of the local cloud's mends is needed: without it the test that it names fails."""
    return pytest("tests/localcloud/needed_mends.py", "-n", JOBS)


def suite_program():
    """troupe as users run it, on files alone: the golden cases, and files that are hostile."""
    return pytest(
        "tests/program", "-n", str(2 * int(JOBS)), TROUPE=str(sanitized_build() / "troupe")
    )


def suite_e2e():
    """troupe as users run it, on the local cloud, the sanitized build."""
    seed = os.environ.get("TROUPE_MODEL_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"       random sequences: TROUPE_MODEL_SEED={seed}", flush=True)
    shutil.rmtree(TEMPLATES, ignore_errors=True)
    TEMPLATES.mkdir(parents=True)
    return pytest(
        "tests/e2e",
        *WAITING,
        TROUPE=str(sanitized_build() / "troupe"),
        TROUPE_TEST_TEMPLATES=str(TEMPLATES),
        TROUPE_MODEL_SEED=seed,
    )


def suite_lint():
    """cfn-lint has no error to find in the templates that troupe wrote in suite `e2e`."""
    if not TEMPLATES.is_dir():
        raise Broken("there are no templates yet: run e2e before lint")
    python = need(["scripts/setup.sh", "lint"]).strip().splitlines()[-1]
    code, output = run([python, "tests/lint/lint.py", TEMPLATES])
    found = re.search(r"(\d+) passed, (\d+) failed$", output.strip())
    if not found:
        raise Broken(output)
    return Count(int(found[1]), int(found[2])), output if code else ""


def suite_races():
    """The story of two stages once more, under the thread sanitizer."""
    return pytest(
        "tests/e2e/test_stages.py", "-n", JOBS, TROUPE=str(thread_build("troupe") / "troupe")
    )


def suite_services():
    """Services with their plugins from npm: packaged as by the reference, and in two stages."""
    need([sys.executable, "-c", "import services; services.modules()"], cwd="tests/services")
    program, wanted = str(sanitized_build() / "troupe"), {"TROUPE_TEST_SERVICES": "1"}
    count, said = pytest("tests/program/test_services.py", "-n", JOBS, TROUPE=program, **wanted)
    more, also = pytest("tests/e2e/test_real_services.py", "-n", JOBS, TROUPE=program, **wanted)
    count.add(more)
    return count, "\n".join(text for text in (said, also) if text)


def suite_docs():
    """What the documents say about files, make targets and commands is so."""
    build("release", "--buildtype=release", "-Dtests=false")
    return counted(["scripts/check-docs.py", BUILD / "troupe"])


def suite_keys():
    """Every key of the references' schemas stands in two golden cases."""
    return counted(["tests/golden/schema/report.py"])


SUITES = {
    name.removeprefix("suite_"): function
    for name, function in list(globals().items())
    if name.startswith("suite_")
}
LONG = {
    "mends",
    "lint",
    "services",
}  # of use after changes of their subject only; run when named, or with TROUPE_TEST_ALL=1


# They wait for stacks and processes; what lint looks at is what e2e wrote.
BESIDE = ("localcloud", "program", "e2e", "services", "lint")


def worked():
    """Seconds that processors worked for the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_suite(name):
    started, before = time.monotonic(), worked()
    try:
        count, report = SUITES[name]()
        if not count.passed and not count.failed:
            report += "\nno test ran" if not count.skipped else ""
            count.failed += not count.skipped
    except Broken as error:
        count, report = Count(failed=1), str(error)
    for command in left_behind():
        count.failed += 1
        report += f"\nleft behind: {command}"
    took = f"{time.monotonic() - started:7.1f} s {worked() - before:7.1f} s"
    print(f"{'ok' if not count.failed else 'FAILED':7}{name:11}{took}  {count}", flush=True)
    if report.strip():
        print("\n".join("    " + line for line in report.strip().splitlines()), flush=True)
    return count


def apart(name):
    """Run a suite in a process of its own; ``(count, what it said of itself)``."""
    code, output = run([sys.executable, __file__, name], timeout=None)
    said = output.rstrip().splitlines()
    found = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", said[-1] if said else "")
    if not found:
        return Count(failed=1), f"FAILED {name}: exit {code}\n{output}"
    return Count(*map(int, found.groups())), "\n".join(said[:-2])


def together(names):
    """Run suites, two at a time; all of their counts."""
    total, speaking, interrupted = Count(), threading.Lock(), threading.Event()

    def one_by_one(suites):
        for name in suites:
            if not interrupted.is_set():
                count, said = apart(name)
                with speaking:
                    print(said, flush=True)
                    total.add(count)

    lanes = [[name for name in names if name not in BESIDE], [n for n in names if n in BESIDE]]
    with concurrent.futures.ThreadPoolExecutor() as threads:
        try:
            for lane in [threads.submit(one_by_one, lane) for lane in lanes]:
                lane.result()
        except KeyboardInterrupt:
            interrupted.set()
            for process in list(RUNNING):
                stop(process)
            raise
    return total


def main():
    left_out = set() if os.environ.get("TROUPE_TEST_ALL") == "1" else LONG
    names = sys.argv[1:] or [name for name in SUITES if name not in left_out]
    for name in names:
        if name not in SUITES:
            sys.exit(f"error: no suite '{name}': there are {', '.join(SUITES)}")
    BUILDS.mkdir(parents=True, exist_ok=True)
    # Tests that need Python find this one, which has what they need.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = time.monotonic()
    if len(names) == 1:
        adopt_orphans()
        total = run_suite(names[0])
    else:
        total = together(names)
    print(f"{time.monotonic() - started:.0f} s in total, {worked():.0f} s of processors")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
