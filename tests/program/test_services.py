"""Each of tests/services packaged by the reference with its plugins, and by troupe: the same.

`make test SUITES=services` runs it, because it installs the plugins first.
"""

import io
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest
from run import ROOT, environment, troupe

sys.path[:0] = [str(ROOT / "tests" / "services"), str(ROOT / "tests" / "reference")]

import bless  # noqa: E402
import services  # noqa: E402
from normalise import normalise  # noqa: E402

if os.environ.get("TROUPE_TEST_SERVICES") != "1":
    pytest.skip("installs plugins first: make test SUITES=services", allow_module_level=True)

# Where troupe deploys something else on purpose (docs/plugins.md): the plugin asks AWS for it after
# the deployment, troupe writes it into the template.
KNOWN = {"images-binary": (".Resources.ApiGatewayRestApi.Properties.BinaryMediaTypes",)}
TEMPLATE = "cloudformation-template-update-stack.json"


def surroundings(home):
    """An environment in which the reference and its plugins find pip, and no account."""
    home.mkdir()
    index = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_"))}
    env = {**bless.environment(home, home), **index}
    return {name: env[name] for name in env if name not in ("HTTP_PROXY", "HTTPS_PROXY")}


def reference(folder, env, without):
    if without:
        text = (folder / "serverless.yml").read_text()
        assert without in text
        (folder / "serverless.yml").write_text(text.replace(f"[{without}]", "[]"))
    entry = services.modules() / "osls" / "bin" / "serverless.js"
    command = ["node", entry, "package", "--stage", "dev", "--package", "out"]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def entries(opened):
    """``{entry: (mode, content)}`` of a zip. Of what Python compiled, which has the time of its
    source in it, only that it is there; of a zip inside, its entries; folders are no files.
    """
    found = {}
    for entry in opened.infolist():
        content = opened.read(entry)
        if entry.filename.endswith(".pyc"):
            content = "compiled"
        elif entry.filename.startswith(".warmup/"):  # troupe's own, which does the same
            content = "warmer"
        elif entry.filename.endswith(".zip"):
            content = entries(zipfile.ZipFile(io.BytesIO(content)))
        if not entry.is_dir():
            found[entry.filename] = (entry.external_attr >> 16, content)
    return found


def zips(folder, template):
    """``{zip: its entries}`` of those that the template names."""
    names = set(re.findall(r'/([^/"]+[.]zip)"', json.dumps(template)))
    found = {}
    for path in sorted(folder.glob("*.zip")):
        if path.name in names:
            with zipfile.ZipFile(path) as opened:
                found[path.name] = entries(opened)
    return found


def differences(at, theirs, ours):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            yield from differences(f"{at}.{name}", theirs.get(name), ours.get(name))
    elif theirs != ours:
        yield f"{at}: reference {json.dumps(theirs)[:300]}, troupe {json.dumps(ours)[:300]}"


@pytest.mark.parametrize("name", services.NAMES)
def test_packages_what_the_plugins_make(name, tmp_path):
    folders = {who: services.lay_out(name, tmp_path / who) for who in ("reference", "troupe")}
    reference(folders["reference"], surroundings(tmp_path / "home"), services.REPLACED.get(name))
    done = troupe(
        *("package", "--stage", "dev", "--package", "out"),
        cwd=folders["troupe"],
        env={**environment(tmp_path), **surroundings(tmp_path / "own-home")},
    )
    assert done.returncode == 0, done.stderr
    out = [folder / "out" for folder in folders.values()]
    theirs, ours = (normalise(json.loads((place / TEMPLATE).read_text())) for place in out)
    known = KNOWN.get(name, ())
    found = [line for line in differences("", theirs, ours) if not line.startswith(known)]
    assert found == []
    if name == "warm-webpack":  # the plugin's warmer goes through webpack, troupe's does not
        return
    theirs, ours = zips(out[0], theirs), zips(out[1], ours)
    assert sorted(theirs) == sorted(ours)
    for path in theirs:
        assert sorted(theirs[path]) == sorted(ours[path])
        unequal = [entry for entry in theirs[path] if theirs[path][entry] != ours[path][entry]]
        assert unequal == [], path
