#!/usr/bin/env python3
"""Write print.json and print.yml of the cases here with the reference's `print`.

Usage: bless.py [CASE...]

A case is a folder with serverless.yml, and optionally `args` and `env`, as the compile cases have
them. The cases below errors/ are not the reference's business: BLESS=1 of the unit test writes
them.
"""

import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))

import bless  # noqa: E402  pylint: disable=wrong-import-position

NOT_INPUT = {"print.json", "print.yml", "args", "env", "warns"}


def without_internals(value):
    """Take out what the reference's own steps leave behind in the configuration: the bucket's
    object form under another name, and the folder of the artifacts."""
    changed = False
    provider, package = value.get("provider", {}), value.get("package", {})
    if "deploymentBucketObject" in provider:
        provider["deploymentBucket"] = provider.pop("deploymentBucketObject")
        changed = True
    if package.pop("artifactsS3KeyDirname", None):
        changed = True
    return value, changed


def main():
    """Bless the named cases, or all."""
    names = sys.argv[1:] or sorted(p.parent.name for p in HERE.glob("*/serverless.*"))
    entry = bless.reference()
    failed = 0
    for name in names:
        case = HERE / name
        with tempfile.TemporaryDirectory(prefix="troupe-print-") as scratch:
            home = pathlib.Path(scratch, "home")
            home.mkdir()
            service = pathlib.Path(scratch, "service")
            shutil.copytree(case, service, ignore=lambda _, n: NOT_INPUT & set(n))
            try:
                as_json = bless.run(entry, case, service, home, ["print", "--format", "json"])
                as_yaml = bless.run(entry, case, service, home, ["print"])
            except bless.Failure as error:
                failed += 1
                print(f"FAILED {name}: {error}")
                continue
            value, changed = without_internals(json.loads(as_json))
            text = json.dumps(value, indent=2, ensure_ascii=False)
            (case / "print.json").write_text(text + "\n", encoding="utf-8")
            if not changed:
                (case / "print.yml").write_text(as_yaml.rstrip("\n") + "\n", encoding="utf-8")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
