"""Whole services: the examples that come with troupe, and five of the shape most people start from.

Each is deployed to two stages, used, and removed without a trace.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from world import leftovers

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def two_stages(troupe, name):
    troupe.use(name)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        assert troupe("plan", stage, "--json").json["nothing"] is True


def removed(troupe):
    troupe("remove", "dev", "--yes")
    stacks = troupe.world()["stacks"]
    assert [name for name in stacks if name.endswith("-prod")] and not [name for name in stacks if name.endswith("-dev")]
    troupe("remove", "--service", "--yes", "--purge")
    assert leftovers(troupe.world()) == {}


@pytest.mark.parametrize("name", ["public-http-node", "public-http-python"])
def test_clock(troupe, name):
    two_stages(troupe, name)
    for stage in ("dev", "prod"):
        answer = troupe.call_http_api(stage, "/time")
        assert answer.status_code == 200 and answer.json()["message"].startswith("It is 20")
    removed(troupe)


def test_root_of_an_http_api(troupe):
    two_stages(troupe, "public-http-root")
    for stage in ("dev", "prod"):
        answer = troupe.call_http_api(stage, "/?q=1").json()
        assert answer["message"] == "root" and answer["input"]["queryStringParameters"] == {"q": "1"}
    removed(troupe)


def test_root_of_a_rest_api(troupe):
    two_stages(troupe, "public-rest-node")
    for stage in ("dev", "prod"):
        answer = troupe.call_rest(stage, "/").json()
        assert answer["message"] == "root" and answer["input"]["requestContext"]["stage"] == stage
    removed(troupe)


def test_cron(troupe):
    two_stages(troupe, "public-cron-node")
    rules = troupe.world()["rules"].values()
    for stage in ("dev", "prod"):
        found = {target.split(":")[-2]: rule["schedule"] for rule in rules for target in rule["targets"]
                 if target.endswith(f":{stage}")}
        assert found == {"two-clocks-everyMinute": "rate(1 minute)", "two-clocks-onWeekdays": "cron(0/2 * ? * MON-FRI *)"}
        assert json.loads(troupe("invoke", stage, "everyMinute").out) == {"ran": "two-clocks-everyMinute"}
    removed(troupe)


# -- examples/ ---------------------------------------------------------------------------------------


def prepared(troupe, name):
    """A copy of examples/<name>, built when it has something to build."""
    folder = EXAMPLES / name
    troupe.use(str(folder))
    if (troupe.folder / "Makefile").exists():
        subprocess.run(["make"], cwd=troupe.folder, check=True, capture_output=True)


def examples():
    return sorted(path.parent.name for path in EXAMPLES.glob("*/serverless.yml"))


def test_there_are_examples():
    assert len(examples()) >= 3


@pytest.mark.parametrize("name", examples())
def test_example_on_two_stages(troupe, name):
    prepared(troupe, name)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        assert troupe("plan", stage, "--json").json["nothing"] is True
        info = troupe("info", stage, "--json").json
        assert info["functions"] and all(function["version"] for function in info["functions"])
    removed(troupe)


def test_every_example_has_what_it_needs():
    for name in examples():
        assert (EXAMPLES / name / "README.md").exists() or (EXAMPLES / "README.md").exists(), name
    assert shutil.which("node") and shutil.which("cc")
