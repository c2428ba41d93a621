"""I7: killed at any moment, the same command again reaches the same end state."""

import pytest

from world import differences, settled

MOMENTS = 10
ADDED = """resources:
  Resources:
    Jobs:
      Type: AWS::SQS::Queue
"""


def change(troupe):
    """The second deploy: other code, a new route, a new function, and a resource that functions need."""
    troupe.edit("handler.js", "'one'", "'two'")
    troupe.edit("serverless.yml", "- http: GET /hello\n", "- http: GET /hello\n      - http: GET /new\n")
    troupe.edit("serverless.yml", "      STAGE: ${sls:stage}\n", "      STAGE: ${sls:stage}\n      JOBS: !Ref Jobs\n")
    with open(troupe.folder / "serverless.yml", "a", encoding="utf-8") as file:
        file.write("  extra:\n    handler: handler.hello\n" + ADDED)


def end_state(troupe):
    state = settled(troupe.world(), troupe.account.id)
    assert troupe.call_rest("dev", "/new").json()["code"] == "two"
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    return state


def two_stages(troupe):
    troupe.use("shop")
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    change(troupe)


@pytest.fixture(scope="module")
def undisturbed(cloud, tmp_path_factory):
    """End state and number of calls of the deploy when nobody kills it."""
    from conftest import Proxy, closed, new_account, new_troupe
    account = new_account(cloud)
    proxy = Proxy(cloud.endpoint, account.id)
    troupe = new_troupe(tmp_path_factory.mktemp("undisturbed") / "one", account, proxy)
    two_stages(troupe)
    mark = proxy.mark()
    troupe("deploy", "dev")
    calls = len(proxy.calls(since=mark))
    state = end_state(troupe)
    closed(proxy)
    assert calls > MOMENTS
    return state, calls


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("moment", range(MOMENTS // 2))
def test_killed_and_run_again(troupe, proxy, undisturbed, moment, after):
    wanted, calls = undisturbed
    two_stages(troupe)
    prod = troupe.stage("prod", "shop")
    # Ten places spread over the run, those before and those after the effect interleaved.
    place = 1 + (2 * moment + after) * (calls - 1) // (MOMENTS - 1)
    rule = proxy.kill(place, after=after)
    killed = troupe("deploy", "dev", check=False)
    proxy.clear()
    if rule.hits:
        assert killed.code == -9, str(killed)
    else:  # polling made this run shorter than the undisturbed one
        assert killed.code == 0 and rule.seen >= calls * 0.7, str(killed)
    assert troupe.stage("prod", "shop") == prod, "an interrupted deploy of dev changed prod"
    troupe("deploy", "dev")
    assert differences(end_state(troupe), wanted) == []
    assert troupe("plan", "dev", "--json").json["nothing"] is True


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("operation", ["CreateStack", "UpdateStack", "PublishVersion", "CreateDeployment", "PutRestApi"])
def test_killed_in_the_first_deploy(troupe, proxy, operation, after):
    troupe.use("shop")
    rule = proxy.kill(1, after=after, operation=operation)
    killed = troupe("deploy", "dev", check=False)
    proxy.clear()
    if operation != "UpdateStack" or rule.hits:
        assert rule.hits == 1 and killed.code == -9, str(killed)
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/hello").json()["code"] == "one"
    assert troupe.call_rest("dev", "/orders", "POST").json()["stage"] == "dev"
    assert troupe("plan", "dev", "--json").json["nothing"] is True


@pytest.mark.parametrize("place", [3, 6, 9, 12])
def test_removing_the_service_killed_and_run_again(troupe, proxy, place):
    from world import leftovers
    troupe.use("shop")
    troupe("deploy", "dev")
    proxy.kill(place, after=place % 2 == 0)
    troupe("remove", "--service", "--yes", check=False)
    proxy.clear()
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}
