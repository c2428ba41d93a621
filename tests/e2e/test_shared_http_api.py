"""One HTTP API for all stages: pinned deployments, one stage of the API for each."""

import pytest

from shop import append
from test_moving import Caller
from test_prune import NOW
from world import leftovers

SHARED = "custom:\n  troupe:\n    apis: {http: shared}\n"


def calling(troupe, stage):
    return Caller(troupe, url=troupe.http_api_url(stage, "/time"))


def code(troupe, text):
    path = troupe.folder / "handler.js"
    old = path.read_text().split("code: '")[1].split("'")[0]
    path.write_text(path.read_text().replace(f"code: '{old}'", f"code: '{text}'"))


def served(troupe, stage, path="/time"):
    answer = troupe.call_http_api(stage, path)
    return answer.json()["code"] if answer.status_code == 200 else answer.status_code


def share(troupe):
    append(troupe, SHARED)


@pytest.fixture
def web(troupe):
    troupe.use("web")
    share(troupe)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    return troupe


def api_of(troupe):
    (api,) = troupe.world()["http_apis"].values()
    return api


def test_stages_of_one_api(web):
    api = api_of(web)
    assert api["name"] == "web" and set(api["stages"]) == {"dev", "prod"}
    assert (
        api["stages"]["dev"]["DeploymentId"] == api["stages"]["prod"]["DeploymentId"]
    )  # the same definition
    assert not any(stage.get("AutoDeploy") for stage in api["stages"].values())
    for stage in ("dev", "prod"):
        answer = web.call_http_api(stage, "/time").json()
        assert (answer["stage"], answer["path"], answer["code"]) == (stage, f"/{stage}/time", "one")
        assert web.call_http_api(stage, "/things/7", "POST").json()["id"] == "7"
        url = web("info", stage, "--json").json["urls"]["http"]
        assert url.endswith(f"/{stage}")
        assert web.world()["stacks"][f"web-{stage}"]["outputs"]["HttpApiUrl"].endswith(f"/{stage}")
    assert web("plan", "dev", "--json").json["nothing"] is True


def test_what_one_does_leaves_the_other(web):
    prod, first = web.stage("prod", "web"), api_of(web)["stages"]["dev"]["DeploymentId"]
    web.edit(
        "serverless.yml", "- httpApi: GET /time\n", "- httpApi: GET /time\n      - httpApi: '*'\n"
    )
    code(web, "two")
    plan = web("plan", "dev").out
    assert "http api" in plan and "HttpApi" in plan, plan
    web("deploy", "dev")
    assert served(web, "dev") == served(web, "dev", "/any") == "two"
    assert (served(web, "prod"), served(web, "prod", "/any")) == ("one", 404)
    assert web.stage("prod", "web") == prod
    calls = len(web.proxy.records)
    web("rollback", "dev")
    assert (served(web, "dev"), served(web, "dev", "/any")) == ("one", 404)
    assert api_of(web)["stages"]["dev"]["DeploymentId"] == first
    names = [record.operation for record in web.proxy.records[calls:]]
    assert "ReimportApi" not in names and names.index("UpdateStage") < names.index("UpdateStack")
    web("reset", "prod", "--to", "dev#2")
    assert served(web, "prod", "/any") == "two" and served(web, "dev", "/any") == 404
    web("clone", "prod", "qa")
    assert served(web, "qa", "/any") == "two"
    stages = api_of(web)["stages"]
    assert stages["qa"]["DeploymentId"] == stages["prod"]["DeploymentId"] != first
    web("remove", "prod", "--yes")
    assert set(api_of(web)["stages"]) == {"dev", "qa"} and served(web, "qa") == "two"
    web("remove", "--service", "--yes")
    assert leftovers(web.world()) == {}


def test_a_pointer_moved_by_hand(web):
    code(web, "two")
    web.edit(
        "serverless.yml", "- httpApi: GET /time\n", "- httpApi: GET /time\n      - httpApi: '*'\n"
    )
    web("deploy", "dev")
    stages = api_of(web)["stages"]
    (id,) = web.world()["http_apis"]
    web.account.client("apigatewayv2").update_stage(
        ApiId=id, StageName="dev", DeploymentId=stages["prod"]["DeploymentId"]
    )
    result = web("repair", "dev")
    assert "'HttpApi' pointed at" in result.out + result.err, str(result)
    assert served(web, "dev", "/any") == "two"


def test_a_pointer_deleted_by_hand(web):
    before = web.stage("dev", "web")
    (api,) = web.world()["http_apis"]
    web.account.client("apigatewayv2").delete_stage(ApiId=api, StageName="dev")
    assert served(web, "dev") != "one"
    assert "the API stage 'dev' of 'HttpApi' was gone" in web("repair", "dev").out
    assert served(web, "dev") == "one" and web.stage("dev", "web")["aliases"] == before["aliases"]
    assert "nothing to repair" in web("repair", "dev").out


def test_by_weights(web):
    """Functions move first, a part of the calls at a time; the API's stage follows when that went
    well.
    """
    web.edit(
        "serverless.yml",
        "custom:\n  troupe:\n",
        "custom:\n  troupe:\n    shift: {type: canary, percent: 50, after: 2s}\n",
    )
    code(web, "two")
    web.edit(
        "serverless.yml",
        "- httpApi: GET /time\n",
        "- httpApi: GET /time\n      - httpApi: GET /new\n",
    )
    before = api_of(web)["stages"]["dev"]["DeploymentId"]
    with calling(web, "dev"), calling(web, "prod"):
        running = web.start("deploy", "dev")
        seen = set()
        while running.process.poll() is None:
            at = api_of(web)["stages"]["dev"]["DeploymentId"]
            if at == before:
                seen.add(served(web, "dev"))
        assert running.wait().code == 0
    assert seen >= {"one", "two"}
    assert (served(web, "dev"), served(web, "dev", "/new")) == ("two", "two")
    assert (served(web, "prod"), served(web, "prod", "/new")) == ("one", 404)


def test_deployments_are_collected(web):
    append(web, "    history: {keep: 1}\n")
    for n, route in enumerate(("/a", "/b", "/c")):
        web.edit(
            "serverless.yml",
            "- httpApi: GET /time\n",
            f"- httpApi: GET /time\n      - httpApi: GET {route}\n",
        )
        web("deploy", "dev")
    assert len(api_of(web)["deployments"]) == 4
    web("prune", *NOW)
    api = api_of(web)
    assert set(api["deployments"]) == {stage["DeploymentId"] for stage in api["stages"].values()}
    assert served(web, "prod") == "one" and served(web, "dev", "/c") == "one"


def test_cors_is_the_services(web):
    """It holds for the whole API at once, so no stage's deployment may change it."""
    preflight = {"Origin": "http://a.example", "Access-Control-Request-Method": "PUT"}
    assert (
        web.call_http_api("dev", "/time", "OPTIONS", headers=preflight).headers[
            "access-control-allow-origin"
        ]
        == "*"
    )
    before = api_of(web)["cors"]
    assert "PUT" in before["AllowMethods"]  # other stages may have other routes
    web.edit("serverless.yml", "cors: true", "cors: {allowedOrigins: ['http://a.example']}")
    web.edit(
        "serverless.yml",
        "- httpApi: GET /time\n",
        "- httpApi: GET /time\n      - httpApi: GET /a\n",
    )
    web("deploy", "dev")
    assert served(web, "dev", "/a") == "one" and api_of(web)["cors"] == before
    assert "HttpApi" in web("plan", "dev").out
    web("deploy", "--service")
    assert api_of(web)["cors"]["AllowOrigins"] == ["http://a.example"]
    web("deploy", "dev")
    assert (
        api_of(web)["cors"]["AllowOrigins"] == ["http://a.example"] and served(web, "prod") == "one"
    )
    web.edit("serverless.yml", "http://a.example", "http://${sls:stage}.example")
    result = web("plan", "dev", check=2)
    assert "CORS of a shared HTTP API is the same for all stages" in result.err, str(result)
    assert "serverless.yml:6:" in result.err and "apis.http: perStage" in result.err, str(result)


def test_an_api_has_so_many_stages(web):
    web.edit("serverless.yml", "http: shared", "http: shared, httpStages: 3")
    assert "this is stage 3 of API 'HttpApi', and AWS allows it 3" in web("deploy", "a").err
    before = web.world()
    result = web("deploy", "b", check=3)
    assert "has 3 stages" in result.err and "apis.http: perStage" in result.err, str(result)
    assert web.world() == before


def test_there_and_back(troupe):
    """From an API for each stage to one for all, stage by stage, while the other is called."""
    troupe.use("web")
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    own = {api["name"] for api in troupe.world()["http_apis"].values()}
    assert own == {"dev-web", "prod-web"}
    share(troupe)
    code(troupe, "two")
    with calling(troupe, "prod"):
        troupe("deploy", "dev")
    assert {api["name"] for api in troupe.world()["http_apis"].values()} == {"web", "prod-web"}
    assert (served(troupe, "dev"), served(troupe, "prod")) == ("two", "one")
    with calling(troupe, "prod"):
        troupe("rollback", "dev")
    assert (
        served(troupe, "dev") == "one"
        and {api["name"] for api in troupe.world()["http_apis"].values()} >= own
    )
    with calling(troupe, "prod"):
        troupe("rollback", "dev", "--to", "2")
    troupe("deploy", "prod")
    assert (served(troupe, "dev"), served(troupe, "prod")) == ("two", "two")
    troupe.edit("serverless.yml", SHARED, "")
    with calling(troupe, "prod"):
        troupe("deploy", "dev")
    assert (served(troupe, "dev"), served(troupe, "prod")) == ("two", "two")
    troupe("deploy", "prod")
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}


def test_functions_of_a_stage_and_authorizers(troupe):
    troupe.use("web")
    append(troupe, SHARED + "    functions: {perStage: [own]}\n")
    troupe.edit(
        "serverless.yml",
        "    cors: true\n",
        """    cors: true
    authorizers:
      guard: {type: request, functionName: guard, enableSimpleResponses: true, identitySource: $request.header.X-Word}
""",
    )
    troupe.edit(
        "serverless.yml",
        "functions:\n  api:",
        """functions:
  guard: {handler: guard.main}
  own:
    handler: handler.main
    environment: {STAGE: "own-${sls:stage}"}
    events: [httpApi: {path: /own, method: get, authorizer: {name: guard}}]
  api:""",
    )
    troupe.write(
        {
            "guard.js": (
                "exports.main = async (event) => ({isAuthorized: event.headers['x-word'] ==="
                " 'yes'});\n"
            )
        }
    )
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        own = lambda word: troupe.call_http_api(stage, "/own", headers={"X-Word": word})
        assert own("no").status_code == 403
        assert own("yes").json()["stage"] == f"own-{stage}"
    guard = (
        "exports.main = async (event) => ({isAuthorized: event.headers['x-word'] === 'other'});\n"
    )
    troupe.write({"guard.js": guard})
    troupe("deploy", "dev")
    answers = {
        stage: [
            troupe.call_http_api(stage, "/own", headers={"X-Word": word}).status_code
            for word in ("yes", "other")
        ]
        for stage in ("dev", "prod")
    }
    assert answers == {"dev": [403, 200], "prod": [200, 403]}
