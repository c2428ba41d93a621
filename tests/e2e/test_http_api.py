"""HTTP APIs and function URLs: one of each per stage."""

import pytest

from conftest import fetch
from world import leftovers


@pytest.fixture
def web(troupe):
    troupe.use("web")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    return troupe


def test_each_stage_has_its_api(web):
    for stage in ("dev", "prod"):
        answer = web.call_http_api(stage, "/time").json()
        assert (answer["stage"], answer["path"], answer["code"]) == (stage, "/time", "one")
        answer = web.call_http_api(stage, "/things/7", "POST").json()
        assert (answer["id"], answer["method"]) == ("7", "POST")
        assert web.call_http_api(stage, "/nothing").status_code == 404
    assert len(web.world()["http_apis"]) == 2


def test_deploying_one_leaves_the_other(web):
    before = web.stage("prod", "web")
    web.edit("handler.js", "'one'", "'two'")
    web.edit("serverless.yml", "- httpApi: GET /time\n", "- httpApi: GET /clock\n")
    web("deploy", "dev")
    assert web.call_http_api("dev", "/clock").json()["code"] == "two"
    assert web.call_http_api("dev", "/time").status_code == 404
    assert web.call_http_api("prod", "/time").json()["code"] == "one"
    assert web.call_http_api("prod", "/clock").status_code == 404
    assert web.stage("prod", "web") == before


def test_cors(web):
    answer = web.call_http_api(
        "dev",
        "/time",
        "OPTIONS",
        headers={"Origin": "http://example.com", "Access-Control-Request-Method": "GET"},
    )
    assert answer.headers["access-control-allow-origin"] == "*"


def test_function_urls(web):
    urls = {}
    for stage in ("dev", "prod"):
        info = web("info", stage, "--json").json
        assert fetch(info["urls"]["http"].rstrip("/") + "/time").json()["stage"] == stage
        urls[stage] = next(
            function["url"] for function in info["functions"] if function["name"] == "api"
        )
        assert fetch(urls[stage], web.proxy).json()["stage"] == stage
    assert urls["dev"] != urls["prod"]
    web.edit("handler.js", "'one'", "'two'")
    web("deploy", "dev")
    assert fetch(urls["dev"], web.proxy).json()["code"] == "two"
    assert fetch(urls["prod"], web.proxy).json()["code"] == "one"


def test_nothing_is_left(web):
    web("remove", "dev", "--yes")
    assert web.call_http_api("prod", "/time").json()["stage"] == "prod"
    web("remove", "--service", "--yes")
    assert leftovers(web.world()) == {}
