"""What troupe keeps in the bucket: records written once, artifacts by hash, the lease."""

import json
import threading

from shop import bucket


def read(troupe, key):
    return (
        troupe.account.client("s3")
        .get_object(Bucket=bucket(troupe), Key=f"troupe/shop/{key}")["Body"]
        .read()
    )


def keys(troupe):
    return {key.removeprefix("troupe/shop/") for key in troupe.world()["buckets"][bucket(troupe)]}


def test_what_a_deploy_leaves_in_the_bucket(shop):
    found = keys(shop)
    assert {"stages/dev/1.json", "stages/dev/1.versions.json", "stages/dev/1.outcome.json"} <= found
    assert not [key for key in found if "lock" in key], "the lease stays behind"
    record = json.loads(read(shop, "stages/dev/1.json"))
    assert record["format"] == 1
    versions = json.loads(read(shop, "stages/dev/1.versions.json"))
    assert "1" in json.dumps(versions)
    assert "succeeded" in read(shop, "stages/dev/1.outcome.json").decode()
    import hashlib

    for key in found:
        if key.startswith(("artifacts/", "templates/", "sources/")):
            assert (
                key.partition("/")[2].partition(".")[0]
                == hashlib.sha256(read(shop, key)).hexdigest()
            ), key


def test_records_are_written_under_a_condition_and_before_the_first_publish(shop, proxy):
    record = proxy.calls("s3.PutObject")
    intent = next(call for call in record if call.params["Key"].endswith("stages/dev/1.json"))
    assert intent.params.get("IfNoneMatch") == "*"
    outcome = next(
        call for call in record if call.params["Key"].endswith("stages/dev/1.outcome.json")
    )
    assert outcome.params.get("IfNoneMatch") == "*"
    assert all(
        call.params.get("IfNoneMatch") == "*" or call.params.get("IfMatch")
        for call in record
        if "lock" in call.params["Key"]
    )
    published = proxy.calls("lambda.PublishVersion")
    assert published and intent.number < min(call.number for call in published)
    assert any("lock" in call.params["Key"] and call.number < intent.number for call in record)


def test_records_are_never_changed(shop):
    before = {key: read(shop, key) for key in keys(shop)}
    shop.edit("handler.js", "'one'", "'two'")
    shop("deploy", "dev")
    for key, content in before.items():
        assert read(shop, key) == content, f"{key} was changed"


def test_a_record_of_a_newer_format_is_refused(shop):
    record = json.loads(read(shop, "stages/dev/1.json"))
    record["format"] = 99
    shop.account.client("s3").put_object(
        Bucket=bucket(shop), Key="troupe/shop/stages/dev/1.json", Body=json.dumps(record).encode()
    )
    shop.edit("handler.js", "'one'", "'two'")
    before = shop.world()
    result = shop("deploy", "dev", check=1)
    assert "99" in result.err or "newer" in result.err
    assert shop.world() == before


def held(troupe, proxy, second):
    """Run ``second`` while a deploy of dev holds still before both its publications; both
    results.
    """
    reached, go_on = threading.Semaphore(0), threading.Event()

    def wait(_):
        reached.release()
        assert go_on.wait(120)

    for nth in (1, 2):
        proxy.rule("call", operation="PublishVersion", nth=nth, function=wait)
    troupe.edit("handler.js", "'one'", "'two'")
    first = troupe.start("deploy", "dev")
    try:
        for _ in range(2):
            assert reached.acquire(timeout=60), f"nothing was published\n{proxy.show()}"
        result = second()
    finally:
        go_on.set()
        outcome = first.wait()
    return outcome, result


def test_a_stage_being_deployed_refuses_a_second_deploy(shop, proxy):
    marks = []

    def second():
        before = shop.world()
        marks.append(proxy.mark())
        result = shop("deploy", "dev", check=4)
        assert shop.world()["functions"] == before["functions"]
        assert shop.world()["stacks"] == before["stacks"]
        return result

    first, refused = held(shop, proxy, second)
    assert first.code == 0, str(first)
    assert "deploy" in refused.err
    assert shop.call_rest("dev", "/hello").json()["code"] == "two"


def test_another_stage_can_be_deployed_meanwhile(shop, proxy):
    shop("deploy", "prod")

    def second():
        return shop("stages", "--json")

    first, matrix = held(shop, proxy, second)
    assert first.code == 0 and {stage["name"] for stage in matrix.json["stages"]} == {"dev", "prod"}


def test_two_stages_at_the_same_time_both_succeed(shop):
    shop("deploy", "prod")
    shop.edit("handler.js", "'one'", "'two'")
    running = [shop.start("deploy", stage) for stage in ("dev", "prod", "third")]
    for result in [process.wait() for process in running]:
        assert result.code == 0, str(result)
    for stage in ("dev", "prod", "third"):
        assert shop.call_rest(stage, "/hello").json()["code"] == "two"
        assert shop.call_rest(stage, "/orders", "POST").json()["stage"] == stage


def test_two_deploys_of_one_stage_one_wins(shop):
    shop.edit("handler.js", "'one'", "'two'")
    running = [shop.start("deploy", "dev") for _ in range(2)]
    results = [process.wait() for process in running]
    codes = sorted(result.code for result in results)
    assert codes in ([0, 0], [0, 4]), "\n".join(map(str, results))
    assert shop.call_rest("dev", "/hello").json()["code"] == "two"
    assert shop("plan", "dev", "--json").json["nothing"] is True


def test_the_first_deploys_of_two_stages_at_once_both_succeed(troupe):
    """There is no bucket yet to hold a lease in: one creates the service, the other joins it."""
    troupe.use("shop")
    running = [troupe.start("deploy", stage) for stage in ("dev", "prod")]
    for result in [process.wait() for process in running]:
        assert result.code == 0, str(result)
    for stage in ("dev", "prod"):
        assert troupe.call_rest(stage, "/orders", "POST").json()["stage"] == stage
    assert set(troupe.world()["stacks"]) == {"shop", "shop-dev", "shop-prod"}


def test_the_first_deploys_of_one_stage_at_once_one_wins(troupe):
    troupe.use("shop")
    running = [troupe.start("deploy", "dev") for _ in range(2)]
    results = [process.wait() for process in running]
    codes = sorted(result.code for result in results)
    assert codes in ([0, 0], [0, 4]), "\n".join(map(str, results))
    assert troupe.call_rest("dev", "/hello").json()["code"] == "one"


def test_what_a_record_says_of_values_cannot_be_tried_out(shop, proxy):
    """Who reads the record alone knows everything but one value, and tries: it takes the service's
    key, which stands apart. Nothing is read for that where there are no values, and nothing is
    written twice.
    """
    import hashlib
    import hmac

    shop.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      PIN: ${env:PIN}\n",
    )
    shop("deploy", "dev", env={"PIN": "4711"})
    record, key = json.loads(read(shop, "stages/dev/2.json")), read(shop, "key")
    parts = record["functions"]["orders"]["parts"]
    tried = {
        hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12] for value in ("4711", "dev")
    }
    assert not tried & set(parts.values())
    assert (
        parts["variable PIN"]
        == "hmac:" + hmac.new(key, b'PIN="4711"', hashlib.sha256).hexdigest()[:32]
    )
    mark = proxy.mark()
    assert "nothing to do" in shop("deploy", "dev", env={"PIN": "4711"}).out
    assert [call.operation for call in proxy.calls("s3.PutObject", since=mark)] == ["PutObject"], (
        "but the lease"
    )
    assert "variable PIN changed" in shop("plan", "dev", env={"PIN": "4712"}, check=False).out
    shop("deploy", "prod", env={"PIN": "4711"})
    assert read(shop, "key") == key and len(key) == 64
    shop.account.client("s3").put_object(Bucket=bucket(shop), Key="troupe/shop/key", Body=b"mine")
    assert "was altered" in shop("deploy", "dev", env={"PIN": "4712"}, check=3).err
