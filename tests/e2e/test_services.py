"""Whole services: the examples that come with troupe, and five of the shape most people start from.

Each is deployed to two stages, used, and removed without a trace.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from shop import eventually
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
    assert [name for name in stacks if name.endswith("-prod")] and not [
        name for name in stacks if name.endswith("-dev")
    ]
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
        assert answer["message"] == "root" and answer["input"]["queryStringParameters"] == {
            "q": "1"
        }
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
        found = {
            target.split(":")[-2]: rule["schedule"]
            for rule in rules
            for target in rule["targets"]
            if target.endswith(f":{stage}")
        }
        assert found == {
            "two-clocks-everyMinute": "rate(1 minute)",
            "two-clocks-onWeekdays": "cron(0/2 * ? * MON-FRI *)",
        }
        assert json.loads(troupe("invoke", stage, "everyMinute").out) == {
            "ran": "two-clocks-everyMinute"
        }
    removed(troupe)


# -- examples/ -------------------------------------------------------------------------------------


def prepared(troupe, name):
    """A copy of examples/<name>, built when it has something to build."""
    folder = EXAMPLES / name
    troupe.use(str(folder))
    if (troupe.folder / "Makefile").exists():
        subprocess.run(["make"], cwd=troupe.folder, check=True, capture_output=True)


def examples():
    return sorted(path.parent.name for path in EXAMPLES.glob("*/serverless.yml"))


def deployed(troupe, name):
    prepared(troupe, name)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        assert troupe("plan", stage, "--json").json["nothing"] is True


def test_orders(troupe):
    deployed(troupe, "rest-node")
    assert troupe.call_rest("prod", "/").json()["stage"] == "prod"
    placed = troupe.call_rest("dev", "/orders", "POST", json={"product": "tea"})
    assert placed.status_code == 201
    path = f"/orders/{placed.json()['id']}"
    eventually(lambda: troupe.call_rest("dev", path).json()["status"] == "packed")
    assert troupe.call_rest("prod", path).status_code == 404
    assert troupe.call_rest("prod", "/orders").json() == []
    troupe.edit("src/greeting.js", "Welcome to the shop", "Good evening")
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/").json()["greeting"] == "Good evening"
    assert troupe.call_rest("prod", "/").json()["greeting"] == "Welcome to the shop"
    removed(troupe)


def test_links(troupe):
    deployed(troupe, "rest-python")
    made = troupe.call_rest(
        "dev", "/links/short", "PUT", json={"target": "https://example.com/long"}
    )
    assert made.status_code == 200, made.text
    answer = troupe.call_rest("dev", "/short", allow_redirects=False)
    assert (answer.status_code // 100, answer.headers["location"]) == (
        3,
        "https://example.com/long",
    )
    eventually(lambda: troupe.call_rest("dev", "/links/short").json()["clicks"] == 1)
    assert troupe.call_rest("prod", "/links/short").status_code == 404
    removed(troupe)


def test_factors(troupe):
    deployed(troupe, "native-c")
    for stage in ("dev", "prod"):
        answer = troupe.call_http_api(stage, "/factors/360")
        assert answer.json() == {"n": 360, "factors": [2, 2, 2, 3, 3, 5]}
    removed(troupe)


def test_every_example_is_used_above():
    assert examples() == ["native-c", "rest-node", "rest-python"]
    assert shutil.which("node") and shutil.which("cc")
