#!/usr/bin/env python3
"""Write what the reference packs for the golden packaging cases.

Usage: bless.py [CASE...]    (names of folders beside this file, or absolute paths; without any,
all)

Each case is laid out in a scratch folder from its file `tree` and packaged there by the reference;
the entries of the zips go to `expected`. README.md describes the files.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))

import bless as reference_tool  # noqa: E402  (the compile cases' tool: finds and installs it)

TIMEOUT_S = 180


def lay_out(tree, service):
    """Make the files that the text `tree` describes below the folder `service`."""
    for line in tree.splitlines():
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        path, content, mode, target = line, None, 0o644, None
        if " -> " in line:
            path, target = line.split(" -> ", 1)
        elif " = " in line:
            path, content = line.split(" = ", 1)
        elif line.rsplit(" ", 1)[-1].startswith("0") and " " in line:
            path, digits = line.rsplit(" ", 1)
            mode = int(digits, 8)
        where = service / path
        where.parent.mkdir(parents=True, exist_ok=True)
        if target is not None:
            where.symlink_to(target)
            continue
        where.write_text(path + "\n" if content is None else content, encoding="utf-8")
        where.chmod(mode)


def entries(path):
    """The lines for one zip."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        yield path.name
        for entry in archive.infolist():
            mode = entry.external_attr >> 16 & 0o7777
            yield f"  {mode:04o} {entry.CRC:08x} {entry.file_size} {entry.filename}"


def bless(entry, case):
    """The text of `expected` for one case."""
    with tempfile.TemporaryDirectory(prefix="troupe-bless-") as scratch:
        home = pathlib.Path(scratch, "home")
        home.mkdir()
        service = pathlib.Path(scratch, "parent", "service")
        service.mkdir(parents=True)
        lay_out((case / "tree").read_text(encoding="utf-8"), service)
        (service / "serverless.yml").write_bytes((case / "serverless.yml").read_bytes())
        modules = reference_tool.plugins(case)
        if modules:
            pathlib.Path(scratch, "node_modules").symlink_to(modules)
        out = pathlib.Path(scratch, "out")
        done = subprocess.run(
            ["node", str(entry), "package", "--package", str(out)],
            cwd=service,
            env=reference_tool.environment(case, home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            if "No file matches include / exclude patterns" in done.stdout + done.stderr:
                return "error: no file matches\n"
            raise RuntimeError(f"{case.name}: {done.stdout}{done.stderr}")
        lines = [line for path in sorted(out.glob("*.zip")) for line in entries(path)]
        return "\n".join(lines) + "\n"


def main():
    """Bless the named cases, or all."""
    entry = reference_tool.reference()
    names = sys.argv[1:] or sorted(p.name for p in HERE.iterdir() if (p / "tree").is_file())
    os.umask(0o022)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, text in zip(names, pool.map(lambda n: bless(entry, HERE / n), names)):
            (HERE / name / "expected").write_text(text, encoding="utf-8")
            print(f"{name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
