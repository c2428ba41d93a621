"""The matrix of stages and the history, while something is under way and after it was cut off."""

import time

from shop import append, code, number, versions
from test_records import held
from test_shift import alias
from test_unlock import put


def stage(troupe, name="dev"):
    return next(item for item in troupe("stages", "--json").json["stages"] if item["name"] == name)


def row(troupe, name="hello"):
    return next(
        item for item in troupe("stages", "--json").json["functions"] if item["name"] == name
    )


def outcomes(troupe, *args):
    return [
        entry["outcome"] for entry in troupe("history", "dev", "--json", *args).json["deployments"]
    ]


def test_the_matrix_is_what_the_aliases_say(shop):
    code(shop, "two")
    shop("deploy", "prod")
    found = shop("stages", "--json").json
    for name in ("dev", "prod"):
        assert {
            f"shop-{item['name']}": item["versions"][name] for item in found["functions"]
        } == versions(shop, name)
    assert all(item["status"] == "ready" and "note" not in item for item in found["stages"])
    lines = shop("stages").out.splitlines()
    assert (
        lines[0].split() == ["shop", "dev#1", "prod#1"]
        and len(lines) == 5
        and lines[-1] == "* another one than in dev"
    )
    assert next(line for line in lines if line.startswith("hello")).endswith("*")


def test_own_functions_say_so(shop):
    append(shop, "custom:\n  troupe:\n    functions: {perStage: [orders]}\n")
    shop("deploy", "prod")
    line = next(line for line in shop("stages").out.splitlines() if line.startswith("orders"))
    version = shop.world()["functions"]["shop-prod-orders"]["aliases"]["prod"]["version"]
    assert f"own v{version}" in line or line.split()[-1].startswith("own"), line
    assert row(shop, "orders")["own"] == ["prod"]


def test_nothing_is_asked_of_lambda_when_nothing_is_open(shop, proxy):
    mark = proxy.mark()
    shop("stages")
    names = proxy.names(mark)
    assert not [name for name in names if name.startswith(("lambda.", "apigateway."))], names


def test_a_shift_by_hand_shows_its_weights(shop, account):
    code(shop, "two")
    shop("deploy", "dev")
    shop("shift", "dev", "--to", "1", "--weight", "10")
    main, weights = alias(account)
    ((beside, weight),) = weights.items()
    assert row(shop)["now"] == {"dev": f"v{main} 90% v{beside} 10%"} and weight == 0.1
    assert stage(shop)["status"] == "shifting" and stage(shop)["open"] == 3
    text = shop("stages").out
    assert f"v{main} 90% v{beside} 10%" in text and "--promote" in text and "10 %" in text
    assert outcomes(shop)[0] == "shifting"
    shop("shift", "dev", "--abort")
    assert stage(shop)["status"] == "ready" and row(shop)["now"] == {}
    assert outcomes(shop)[0] == "superseded"


def test_a_deploy_under_way(shop, proxy):
    def second():
        assert outcomes(shop)[:2] == ["under way", "succeeded"]
        found = stage(shop)
        assert (
            found["status"] == "busy"
            and "deploy 'dev'" in found["note"]
            and found["deployment"] == 1
        )
        return True

    first, _ = held(shop, proxy, second)
    assert first.code == 0 and stage(shop)["status"] == "ready" and outcomes(shop)[0] == "succeeded"


def test_a_deploy_that_was_killed(shop, proxy):
    code(shop, "two")
    proxy.kill(1, operation="PublishVersion")
    shop("deploy", "dev", check=-9)
    proxy.clear()
    assert "its process is gone" in shop("unlock", "dev", check=3).err
    found = stage(shop)
    assert (
        found["status"] == "interrupted"
        and "troupe repair dev" in found["note"]
        and found["open"] == 2
    )
    assert (
        outcomes(shop) == ["interrupted", "succeeded"]
        and "interrupted" in shop("history", "dev").out
    )
    shop("repair", "dev")
    assert stage(shop)["status"] == "ready" and outcomes(shop) == ["superseded", "succeeded"]


def test_a_rollback_whose_pointers_were_moved_and_no_more(shop, proxy):
    code(shop, "two")
    shop("deploy", "dev")
    proxy.kill(1, operation="UpdateStack")
    shop("rollback", "dev", check=-9)
    proxy.clear()
    assert stage(shop)["status"] == "interrupted" and row(shop)["now"] == {
        "dev": f"v{versions(shop)['shop-hello']}"
    }
    shop("repair", "dev")
    assert stage(shop)["status"] == "ready" and number(shop) == 3


def test_history_is_newest_first_and_limited(shop):
    for n in range(2, 6):
        code(shop, f"c{n}")
        shop("deploy", "dev")
    entries = shop("history", "dev", "--json").json["deployments"]
    assert [entry["number"] for entry in entries] == [5, 4, 3, 2, 1]
    assert [entry["current"] for entry in entries] == [True, False, False, False, False]
    assert all(
        entry["when"] and entry["who"] and entry["what"] == "deploy" and not entry["pruned"]
        for entry in entries
    )
    assert len(outcomes(shop, "-n", "2")) == 2
    assert shop("history", "dev").out.splitlines()[0].startswith("◆")


def test_a_pruned_record_says_so(shop):
    code(shop, "two")
    shop("deploy", "dev")
    (bucket,) = shop.world()["buckets"]
    shop.account.client("s3").put_object(
        Bucket=bucket,
        Key="troupe/shop/stages/dev/1.collected.json",
        Body=b'{"format": 1, "when": "2026-01-01T00:00:00Z"}',
    )
    entries = shop("history", "dev", "--json").json["deployments"]
    assert [entry["pruned"] for entry in entries] == [False, True]
    assert "(pruned)" in shop("history", "dev").out
    assert "dev#1 were pruned" in shop("diff", "dev", "dev#1").out


def test_a_lease_that_ran_out_is_nobodys_work(shop):
    put(shop, lasts_ms=0)
    time.sleep(1.5)
    assert stage(shop)["status"] == "ready"
    put(shop)
    assert stage(shop)["status"] == "busy"
