"""Every golden case through the program, under sanitizers: `package` leaves the template and the
zips that the reference leaves, `print` says what it says, `validate` ends well.

The unit tests compare what the library makes of the same cases; this is what users run.
"""

import importlib.util
import json
import shutil
import sys

import pytest
from run import ROOT, troupe

GOLDEN = ROOT / "tests" / "golden"
sys.path.insert(0, str(ROOT / "tests" / "reference"))

import bless  # noqa: E402
from normalise import normalise  # noqa: E402

spec = importlib.util.spec_from_file_location("pack_bless", GOLDEN / "pack" / "bless.py")
pack = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)

TEMPLATES = {
    "cloudformation-template-create-stack.json",
    "cloudformation-template-update-stack.json",
}
CASES = {
    area: sorted(path.parent.name for path in (GOLDEN / area).glob("*/serverless.*"))
    for area in ("compile", "config", "pack")
}
# Their images are looked up in a registry; tests/e2e/test_images.py packages such a service.
NEED_ACCOUNT = {"fn-image-built", "fn-image-count", "fn-image-count-of-functions", "fn-image-tag"}


def laid_out(case, folder):
    """The service of `case` in a folder of its own."""
    service = folder / "parent" / "service"
    if (case / "tree").exists():
        service.mkdir(parents=True)
        pack.lay_out((case / "tree").read_text(encoding="utf-8"), service)
        shutil.copy(case / "serverless.yml", service)
    else:
        ignore = (
            lambda at, names: {"print.yml", *bless.NOT_INPUT} & set(names)
            if at == str(case)
            else set()
        )
        shutil.copytree(case, service, ignore=ignore, symlinks=True)
    return service


class Case:
    def __init__(self, area, name, folder):
        self.path = GOLDEN / area / name
        self.service, self.out = laid_out(self.path, folder), folder / "out"
        self.env, self.args = bless.environment(self.path, folder), bless.arguments(self.path)
        if (self.path / "dialect").exists():
            self.args += ["--dialect", self.says("dialect").strip()]

    def run(self, *command):
        return troupe(*command, *self.args, cwd=self.service, env=self.env)

    def says(self, name):
        return (self.path / name).read_text(encoding="utf-8")

    def package(self):
        return self.run("package", "--package", self.out)

    def check_package(self):
        done = self.package()
        assert done.returncode == 0, done.stderr
        template = json.loads((self.out / "cloudformation-template-update-stack.json").read_text())
        own_bucket = "ServerlessDeploymentBucket" not in template["Resources"]
        left = {path.name for path in self.out.glob("*.json")}
        assert left == TEMPLATES - (
            {"cloudformation-template-create-stack.json"} if own_bucket else set()
        )
        return template

    def check_validate(self):
        """The layout for stages cannot have everything that a template can; it says so."""
        done = self.run("validate")
        assert done.returncode == 0 or (done.returncode == 2 and "error: " in done.stderr), (
            done.stderr
        )


@pytest.mark.parametrize("name", CASES["compile"])
def test_compile(name, tmp_path):
    case = Case("compile", name, tmp_path)
    if name not in NEED_ACCOUNT:
        assert normalise(case.check_package()) == json.loads(case.says("expected.json"))
    done = case.run("print", "--format", "json")
    assert done.returncode == 0, done.stderr
    if (case.path / "print.json").exists():
        assert json.loads(done.stdout) == json.loads(case.says("print.json"))
    case.check_validate()


@pytest.mark.parametrize("name", CASES["pack"])
def test_pack(name, tmp_path):
    case = Case("pack", name, tmp_path)
    wanted = case.says("expected")
    if wanted.startswith("error:"):
        done = case.package()
        assert done.returncode == 2 and "no file matches" in done.stderr, done.stderr
        assert not case.out.exists()
        return
    case.check_package()
    lines = [line for path in sorted(case.out.glob("*.zip")) for line in pack.entries(path)]
    assert "\n".join(lines) + "\n" == wanted


@pytest.mark.parametrize("name", CASES["config"])
def test_config(name, tmp_path):
    """Some have no handlers; what they print is compared, in JSON's order, by a unit test."""
    case = Case("config", name, tmp_path)
    done = case.package()
    assert done.returncode == 0 or (done.returncode == 2 and "error: " in done.stderr), done.stderr
    done = case.run("print")
    assert done.returncode == 0, done.stderr
    case.check_validate()


def test_there_are_cases():
    assert len(CASES["compile"]) >= 190 and len(CASES["pack"]) >= 60 and len(CASES["config"]) >= 18
