#!/usr/bin/env python3
"""Write what the reference packs for the golden packaging cases.

Usage: bless.py [CASE...]    (names of folders beside this file, or absolute paths; without any,
all)

Each case is laid out in a scratch folder from its file `tree` and packaged there by the reference;
the entries of the zips go to `expected`. README.md describes the files.
"""

import concurrent.futures
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))

import bless as reference_tool  # noqa: E402  (the compile cases' tool: finds and installs it)

TIMEOUT_S = 180
# Compiled Python and pip's lists of it, and a helper that is written anew where its plugin is not
# installed.
ONLY_THERE = (".pyc", ".dist-info/RECORD", "unzip_requirements.py")


def wheel(path, members):
    """Make a wheel at `path`, named as wheels are, of members "file=text|file=text"."""
    name, version = path.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    files = dict(member.split("=", 1) for member in members.split("|"))
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)


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
        if path.endswith(".whl"):
            wheel(where, content)
            continue
        where.write_text(path + "\n" if content is None else content, encoding="utf-8")
        where.chmod(mode)


def describe(archive, ordered, indent="  "):
    """The lines for the entries of one zip; of some only that they are there, and what is in a zip
    of a zip instead of its bytes.
    """
    for entry in sorted(archive.infolist(), key=lambda e: e.filename if ordered else ""):
        mode, name = entry.external_attr >> 16 & 0o7777, entry.filename
        if name.endswith("/"):
            continue
        if name.endswith(ONLY_THERE):
            yield f"{indent}{mode:04o} - - {re.sub('cpython-3[0-9]+', 'cpython-3', name)}"
        elif name.endswith(".requirements.zip"):
            yield f"{indent}{mode:04o} - - {name}"
            with zipfile.ZipFile(io.BytesIO(archive.read(entry))) as inner:
                yield from describe(inner, ordered, indent + "  ")
        else:
            yield f"{indent}{mode:04o} {entry.CRC:08x} {entry.file_size} {name}"


def entries(path, ordered=False):
    """The lines for one zip, as its entries stand in it or by name."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        yield path.name
        yield from describe(archive, ordered)


def packaged(service):
    """The zips in `.serverless` that its template names."""
    text = (service / ".serverless/cloudformation-template-update-stack.json").read_text("utf-8")
    found = (service / ".serverless").rglob("*.zip")
    return sorted((p for p in found if f'/{p.name}"' in text), key=lambda path: path.name)


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
        where = [] if modules else ["--package", str(out)]  # some plugins know `.serverless` only
        done = subprocess.run(
            ["node", str(entry), "package", *where],
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
        zips = packaged(service) if modules else sorted(out.glob("*.zip"))
        lines = [line for path in zips for line in entries(path, bool(modules))]
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
