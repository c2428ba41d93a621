#!/usr/bin/env python3
"""Write the expected results of the golden compile cases with the reference packager.

Usage: bless.py [--check] [--jobs N] [CASE...]

CASE is a folder of tests/golden/compile (a name or a path); without any, all of them. Each case is
copied to a scratch folder and packaged there with its own HOME, a bare environment and no way to
the network; the template goes to expected.json, and what `print` says to print.json when the case
has a file called `print`. With --check nothing is written: differences are reported, which is how
an unstable case is found.

A case with a file called `dialect`, which says 4, or whose `frameworkVersion` begins with 4 is for
version 4 of the dialect. The references are installed from package-lock.json and
4/package-lock.json into ~/.cache/troupe/reference-<version> when they are not there yet;
$TROUPE_REFERENCE_DIR and $TROUPE_REFERENCE_4_DIR move them.

A case with a file called `plugins` is packaged with the npm packages that it names, one
"name@version" on each line. They are installed once, beside the references, and found in the folder
above the service's, so that they are not part of its code.
"""

import argparse
import concurrent.futures
import difflib
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading

from normalise import dumps, normalise

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "golden" / "compile"
# dialect: (version of the reference, folder with its package-lock.json, variable that moves it)
REFERENCES = {
    3: ("3.77.1", HERE, "TROUPE_REFERENCE_DIR"),
    4: ("4.3.1", HERE / "4", "TROUPE_REFERENCE_4_DIR"),
}
FRAMEWORK_4 = re.compile(r"^frameworkVersion:\s*['\"]?[\^~>=v]*4\b", re.MULTILINE)
# What belongs to the test and not to the service.
NOT_INPUT = {
    "expected.json",
    "print.json",
    "refused.txt",
    "args",
    "env",
    "print",
    "warns",
    "dialect",
    "plugins",
}
TIMEOUT_S = 120
INSTALLING = threading.Lock()


class Failure(Exception):
    """A case that cannot be blessed; the text says why."""


def dialect(case):
    """The dialect a case is for."""
    if (case / "dialect").is_file():
        return int((case / "dialect").read_text(encoding="utf-8"))
    files = [path for path in case.glob("serverless.*") if path.is_file()]
    return 4 if any(FRAMEWORK_4.search(path.read_text(encoding="utf-8")) for path in files) else 3


def reference(spoken=3):
    """Path of the entry point of the reference for a dialect; installs it when it is missing."""
    version, locked, variable = REFERENCES[spoken]
    default = pathlib.Path.home() / ".cache" / "troupe" / f"reference-{version}"
    home = pathlib.Path(os.environ.get(variable, default))
    entry = home / "node_modules" / "osls" / "bin" / "serverless.js"
    if entry.is_file():
        return entry
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(locked / name, home / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=home, check=True, stdout=sys.stderr)
    return entry


def plugins(case):
    """Folder node_modules with the packages of the case; None when it needs none."""
    if not (case / "plugins").is_file():
        return None
    packages = sorted((case / "plugins").read_text(encoding="utf-8").split())
    unpinned = [
        name for name in packages if not re.fullmatch(r"(@[\w.-]+/)?[\w.-]+@\d[\w.-]*", name)
    ]
    if unpinned:
        raise Failure(f"not pinned in 'plugins': {' '.join(unpinned)}")
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    home = pathlib.Path.home() / ".cache" / "troupe" / f"plugins-{key}"
    with INSTALLING:
        if not (home / "complete").is_file():
            home.mkdir(parents=True, exist_ok=True)
            (home / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            command = [
                "npm",
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                "--legacy-peer-deps",
                *packages,
            ]
            subprocess.run(command, cwd=home, check=True, stdout=sys.stderr)
            (home / "complete").touch()
    return home / "node_modules"


def environment(case, home):
    """A bare environment for one run: fake credentials, no proxy leads out, plus the case's own."""
    env = {
        "PATH": f"{HERE}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "CI": "1",
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_TRACKING_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "NODE_OPTIONS": f"--require={HERE / 'account.js'}",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    if (case / "env").is_file():
        for line in (case / "env").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.partition("=")
                env[key] = value
    return env


def arguments(case):
    """The case's extra command-line arguments."""
    path = case / "args"
    return shlex.split(path.read_text(encoding="utf-8"), comments=True) if path.is_file() else []


def run(entry, case, service, home, command):
    """Run one command of the reference; its standard output. Warnings need a `warns` file."""
    done = subprocess.run(
        ["node", str(entry), *command, *arguments(case)],
        cwd=service,
        env=environment(case, home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    warned = "warning" in done.stderr.lower()
    if warned != (case / "warns").is_file():
        what = (
            "warns, but there is no file 'warns'" if warned else "has 'warns', yet no warning came"
        )
        raise Failure(f"{what}:\n{done.stderr}")
    return done.stdout


def results(entry, case):
    """{file name: text} of what the reference makes of `case`."""
    with tempfile.TemporaryDirectory(prefix="troupe-bless-") as scratch:
        home = pathlib.Path(scratch, "home")
        home.mkdir()
        service = pathlib.Path(scratch, "service")
        ignore = lambda folder, names: NOT_INPUT & set(names) if folder == str(case) else set()
        shutil.copytree(case, service, ignore=ignore, symlinks=True)
        modules = plugins(case)
        if modules:
            pathlib.Path(scratch, "node_modules").symlink_to(modules)
        made = {}
        if (case / "print").is_file():
            out = run(entry, case, service, home, ["print", "--format", "json"])
            made["print.json"] = dumps(json.loads(out))
        package = pathlib.Path(scratch, "package")
        run(entry, case, service, home, ["package", "--package", str(package)])
        template = package / "cloudformation-template-update-stack.json"
        made["expected.json"] = dumps(normalise(json.loads(template.read_text(encoding="utf-8"))))
        return made


def bless(case, check):
    """Bless or check one case; a line for the user, and whether all is well."""
    try:
        made = results(reference(dialect(case)), case)
    except (Failure, subprocess.TimeoutExpired, OSError, ValueError) as error:
        return f"FAILED    {case.name}: {error}", False
    report = []
    for name, text in made.items():
        path = case / name
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if old == text:
            continue
        if check:
            diff = difflib.unified_diff(
                old.splitlines(), text.splitlines(), name, "now", lineterm=""
            )
            report.append("\n".join(diff))
        else:
            path.write_text(text, encoding="utf-8")
    if report:
        return f"DIFFERS   {case.name}\n" + "\n".join(report), False
    return f"ok        {case.name}", True


def chosen(names):
    """The case folders that `names` stand for, all of them for none."""
    if not names:
        return sorted(path.parent for path in CASES.glob("*/serverless.*") if path.is_file())
    found = []
    for name in names:
        path = pathlib.Path(name)
        if len(path.parts) == 1 and (CASES / name).is_dir():
            path = CASES / name
        if not path.is_dir():
            sys.exit(f"error: no case '{name}'")
        found.append(path.resolve())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--jobs", type=int, default=2, help="cases at the same time (2)")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    options = parser.parse_args()
    cases = chosen(options.cases)
    for spoken in sorted({dialect(case) for case in cases}):
        reference(spoken)  # installed before several ask for it
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for line, well in pool.map(lambda case: bless(case, options.check), cases):
            failed += not well
            if not well or options.check or options.cases:
                print(line, flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
