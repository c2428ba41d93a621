"""Unlocking: a lease is shown, broken when its holder still has it, and the holder stops."""

import json
import time

from shop import Held, append, bucket, code, eventually, number, served, versions

LEASE_SEEN_S = 5


def lease(troupe, name="stage-dev"):
    return {"Bucket": bucket(troupe), "Key": f"troupe/shop/locks/{name}.json"}


def content(troupe, name="stage-dev"):
    return json.loads(troupe.account.client("s3").get_object(**lease(troupe, name))["Body"].read())


def put(troupe, name="stage-dev", **changes):
    """A lease of somebody on another machine."""
    body = {
        "format": 1,
        "nonce": "0123456789abcdef",
        "host": "elsewhere/boot",
        "pid": 4711,
        "user": "ann",
        "purpose": "deploy 'dev'",
        "taken": "2026-01-02T03:04:05Z",
        "lasts_ms": 60000,
        **changes,
    }
    troupe.account.client("s3").put_object(**lease(troupe, name), Body=json.dumps(body).encode())


def test_nobody_holds_it(shop):
    assert "not locked" in shop("unlock", "dev").out
    assert "not locked" in shop("unlock").out
    assert shop("unlock", "dev", "--json").json == {
        "service": "shop",
        "lease": "stage-dev",
        "broken": False,
        "leases": [],
    }


def test_it_asks_and_says_whose_it_is(shop):
    put(shop)
    looked = shop("unlock", "dev", "--plan").out
    assert "would break the lease of stage 'dev'" in looked and "'ann'" in looked, looked
    result = shop("unlock", "dev", check=3)
    for part in (
        "'ann'",
        "'elsewhere'",
        "4711",
        "deploy 'dev'",
        "since 2026-01-02T03:04:05Z",
        "lasts until",
        "--yes",
    ):
        assert part in result.err, part
    assert content(shop)["nonce"] == "0123456789abcdef"
    assert shop("deploy", "dev", check=4)


def test_breaking_lets_the_next_command_work(shop):
    put(shop)
    result = shop("unlock", "dev", "--yes", "--json").json
    assert (
        result["broken"] is True
        and result["leases"][0]["user"] == "ann"
        and result["leases"][0]["process"] == 4711
    )
    assert "not locked" in shop("unlock", "dev").out
    assert "nothing to do" in shop("deploy", "dev").out


def test_all_leases_are_listed_and_the_services_is_broken(shop):
    put(shop)
    put(shop, "service", purpose="change the service stack for 'dev'")
    result = shop("unlock", "--yes")
    assert "stage 'dev' is locked" in result.out and "service 'shop' is locked" in result.out
    assert "broke the lease of service 'shop'" in result.out
    assert content(shop)["user"] == "ann" and "broken" in content(shop, "service")


def test_a_lease_that_changed_hands_is_not_broken(shop, proxy):
    put(shop)
    proxy.rule(
        "call",
        operation="PutObject",
        nth=1,
        function=lambda _: put(
            shop, nonce="fedcba9876543210", user="bob", purpose="rollback 'dev'"
        ),
    )
    result = shop("unlock", "dev", "--yes", check=4)
    assert "changed hands" in result.err and "rollback 'dev'" in result.err
    assert content(shop)["user"] == "bob"


def test_a_lease_that_was_only_renewed_is_broken(shop, proxy):
    put(shop)
    proxy.rule("call", operation="PutObject", nth=1, function=lambda _: put(shop, renewed="now"))
    assert "broke the lease" in shop("unlock", "dev", "--yes").out
    assert "broken" in content(shop)


def test_a_lease_that_was_given_back_meanwhile(shop, proxy):
    put(shop)
    proxy.rule(
        "call",
        operation="PutObject",
        nth=1,
        function=lambda _: shop.account.client("s3").delete_object(**lease(shop)),
    )
    assert "given back" in shop("unlock", "dev", "--yes").out


def test_a_deploy_that_lost_its_lease_moves_nothing(shop, proxy):
    code(shop, "two")
    before, held = versions(shop), Held(shop, proxy, "PublishVersion", "deploy", "dev")
    shop("unlock", "dev", "--yes")
    time.sleep(LEASE_SEEN_S + 0.5)
    mark = proxy.mark()
    result = held.end()
    assert result.code == 4, str(result)
    assert "broken or taken over" in result.err and "troupe repair dev" in result.err
    assert not [
        call for call in proxy.calls(since=mark) if call.service == "cloudformation" and call.writes
    ]
    assert (versions(shop), number(shop), served(shop)) == (before, 1, "one")
    # nobody said of it that it failed: whoever comes next decides
    shop("deploy", "dev")
    assert served(shop) == "two" and number(shop) == 2
    assert [entry["outcome"] for entry in shop("history", "dev", "--json").json["deployments"]] == [
        "succeeded",
        "succeeded",
    ]


def test_two_deploys_after_a_lease_was_broken(shop, proxy):
    """The second one comes through while the first one stands still; the first one changes nothing
    then.
    """
    code(shop, "two")
    held = Held(shop, proxy, "PublishVersion", "deploy", "dev")
    shop("unlock", "dev", "--yes")
    code(shop, "three")
    shop("deploy", "dev")
    assert served(shop) == "three"
    stage = shop.stage("dev", "shop")
    time.sleep(LEASE_SEEN_S)
    result = held.end()
    assert result.code == 4, str(result)
    assert shop.stage("dev", "shop") == stage and served(shop) == "three"
    assert shop("plan", "dev", "--json").json["nothing"] is True


def test_a_rollback_that_lost_its_lease_moves_no_pointer(shop, proxy):
    code(shop, "two")
    shop("deploy", "dev")
    stage = shop.stage("dev", "shop")
    held = Held(shop, proxy, "PutObject", "rollback", "dev", key="3.versions.json")
    shop("unlock", "dev", "--yes")
    time.sleep(LEASE_SEEN_S + 0.5)
    mark = proxy.mark()
    result = held.end()
    assert result.code == 4, str(result)
    assert not proxy.calls("lambda.UpdateAlias", mark)
    assert shop.stage("dev", "shop") == stage
    shop("repair", "dev")  # which finishes a rollback that was cut off
    assert served(shop) == "one" and number(shop) == 3


def weights(troupe, function):
    alias = troupe.account.client("lambda").get_alias(FunctionName=f"shop-{function}", Name="dev")
    return alias.get("RoutingConfig")


def test_a_shift_that_lost_its_lease_takes_nothing_back(shop, proxy):
    code(shop, "two")
    append(shop, "custom:\n  troupe:\n    shift: {type: canary, percent: 10, after: 1h}\n")
    running = shop.start("deploy", "dev")
    eventually(lambda: weights(shop, "hello") and weights(shop, "orders"))
    shop("unlock", "dev", "--yes")
    mark = proxy.mark()
    result = running.wait()
    assert result.code == 4, str(result)
    assert not proxy.calls("lambda.UpdateAlias", mark)
    shop("repair", "dev")
    assert served(shop) == "one"
