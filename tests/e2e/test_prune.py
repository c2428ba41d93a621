"""Collecting: what nobody needs goes, and nothing else."""

import json

import pytest

from shop import Held, append, code, number, served, versions

KEEP = "custom:\n  troupe:\n    history: {keep: %d}\n"
NOW = ("--unused-for", "0s")


@pytest.fixture
def shop(troupe):
    """Five deployments of dev, of which the last two are kept."""
    troupe.use("shop")
    append(troupe, KEEP % 2)
    for n in range(1, 6):
        code(troupe, f"code {n}")
        troupe("deploy", "dev")
    return troupe


def published(account, function="shop-hello"):
    pages = (
        account.client("lambda")
        .get_paginator("list_versions_by_function")
        .paginate(FunctionName=function)
    )
    return {version["Version"] for page in pages for version in page["Versions"]} - {"$LATEST"}


def deployments(account):
    api = account.client("apigateway")
    return {
        d["id"]
        for rest in api.get_rest_apis()["items"]
        for d in api.get_deployments(restApiId=rest["id"])["items"]
    }


def objects(troupe, part=""):
    world = troupe.world()
    bucket = world["stacks"]["shop"]["outputs"]["ServerlessDeploymentBucketName"]
    client = troupe.account.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        item["Key"] for page in pages for item in page.get("Contents", []) if part in item["Key"]
    }


def body(troupe, key):
    bucket = troupe.world()["stacks"]["shop"]["outputs"]["ServerlessDeploymentBucketName"]
    return json.loads(troupe.account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def needed(troupe, numbers, stage="dev", function="hello"):
    """Versions that these records name."""
    return {
        body(troupe, f"troupe/shop/stages/{stage}/{n}.versions.json")["functions"][function][
            "version"
        ]
        for n in numbers
    }


def test_the_last_ones_stay_and_the_rest_goes(shop, account):
    before, records = shop.world(), objects(shop, "/stages/")
    assert (
        published(account) == {"1", "2", "3", "4", "5"} and len(objects(shop, "/artifacts/")) == 5
    )
    dry = shop("prune", "--dry-run", *NOW)
    assert (
        "would prune 3 deployments" in dry.out and "gone version 3 of shop-hello (dev#3)" in dry.out
    ), str(dry)
    assert shop.world() == before and objects(shop, "/stages/") == records
    result = shop("prune", *NOW)
    assert "pruned 3 deployments" in result.out and "1 served by their stage" in result.out, str(
        result
    )
    assert published(account) == {"4", "5"} == needed(shop, [4, 5])
    assert len(objects(shop, "/artifacts/")) == 2 and len(objects(shop, "/sources/")) == 1
    assert served(shop) == "code 5"
    assert records <= objects(shop, "/stages/"), "records are append-only"
    assert "nothing to prune" in shop("prune", *NOW).out
    result = shop("rollback", "dev", "--to", "2", check=3)
    assert "the versions of dev#2 were pruned" in result.err, str(result)
    shop("rollback", "dev")
    assert served(shop) == "code 4"


def test_json(shop):
    result = shop("prune", "--json", *NOW).json
    assert (
        result["deployments"] == 3
        and result["kept"]["current"] == 1
        and result["kept"]["last"] == 1
    )
    assert {item["kind"] for item in result["items"]} == {"version", "object"} and not any(
        "kept" in i for i in result["items"]
    )


def test_an_hour_passes_first(shop, account):
    result = shop("prune")
    assert "nothing to prune" in result.out and "3 used not long ago" in result.out, str(result)
    assert published(account) == {"1", "2", "3", "4", "5"}
    assert shop("prune", "--unused-for", "soon", check=2).err


def test_old_code_that_somebody_serves_stays(shop, account):
    shop("clone", "dev#1", "old")
    one = versions(shop, "old")["shop-hello"]
    client = account.client("lambda")
    client.create_alias(
        FunctionName="shop-hello",
        Name="mine",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}},
    )
    result = shop("prune", *NOW)
    assert "kept version 3 of shop-hello (dev#3): 'mine' points at it" in result.out, str(result)
    assert published(account) == {one, "2", "3", "4", "5"}
    assert served(shop, "old") == "code 1"
    client.delete_alias(FunctionName="shop-hello", Name="mine")
    shop("prune", *NOW)
    assert published(account) == {one, "4", "5"}
    code(shop, "code 1")  # built upon the one that is still there
    shop("deploy", "dev")
    assert served(shop) == "code 1"


def test_weights_and_open_records_stay(shop, account):
    shop("shift", "dev", "--to", "4", "--weight", "10")
    shop("prune", *NOW)
    assert published(account) == {"4", "5"}
    for n in range(6, 9):
        shop("shift", "dev", "--abort")
        code(shop, f"code {n}")
        shop("deploy", "dev")
        shop("shift", "dev", "--to", "5" if n == 6 else str(number(shop) - 2), "--weight", "10")
    shop("prune", *NOW)
    weights = account.client("lambda").get_alias(FunctionName="shop-hello", Name="dev")[
        "RoutingConfig"
    ]["AdditionalVersionWeights"]
    assert set(weights) <= published(account)
    shop("shift", "dev", "--promote")
    assert served(shop)


def test_apis(troupe, account):
    troupe.use("shop")
    append(troupe, KEEP % 1)
    troupe("deploy", "dev")
    for n in range(3):
        (
            troupe.edit("serverless.yml", "/hello", f"/hello{n}")
            if n == 0
            else troupe.edit("serverless.yml", f"/hello{n - 1}", f"/hello{n}")
        )
        troupe("deploy", "dev")
    assert len(deployments(account)) == 4
    troupe("prune", *NOW)
    assert len(deployments(account)) == 1
    assert troupe.call_rest("dev", "/hello2").status_code == 200


def test_removed_stages(shop, account):
    code(shop, "of staging")
    shop("deploy", "staging")
    only = versions(shop, "staging")["shop-hello"]
    shop("remove", "staging")
    assert only in published(account)
    assert "used not long ago" in shop("prune").out and only in published(account)
    shop("prune", *NOW)
    assert only not in published(account) and published(account) == {"4", "5"}
    shop("deploy", "staging")  # comes back with the next number
    assert number(shop, "staging") == 3 and served(shop, "staging") == "of staging"


def test_a_stack_that_went_otherwise(shop, account):
    account.client("cloudformation").delete_stack(StackName="shop-dev")
    result = shop("prune", *NOW)
    assert "5 of stages whose stack is not where it should be" in result.out, str(result)
    assert published(account) == {"1", "2", "3", "4", "5"}


def test_orphans_of_a_killed_deploy(shop, proxy, account):
    code(shop, "orphan")
    proxy.kill(1, operation="PublishVersion", after=True)
    assert shop("deploy", "dev", check=False).code == -9
    proxy.clear()
    orphan = published(account) | published(account, "shop-orders")
    assert "6" in orphan
    shop("prune", *NOW)
    assert "6" in published(account) | published(account, "shop-orders"), (
        "the interrupted deployment may still be taken up"
    )
    for n in range(7, 10):
        code(shop, f"code {n}")
        shop("deploy", "dev")
    shop("prune", *NOW)
    last = [number(shop), number(shop) - 1]
    for function in ("hello", "orders"):
        assert published(account, f"shop-{function}") == needed(shop, last, function=function)


def test_what_no_record_knows_is_not_touched(shop, account):
    client, s3 = account.client("lambda"), account.client("s3")
    client.update_function_configuration(FunctionName="shop-hello", MemorySize=512)
    client.get_waiter("function_updated").wait(FunctionName="shop-hello", WaiterConfig={"Delay": 1})
    own = client.publish_version(FunctionName="shop-hello", Description="mine")["Version"]
    bucket = shop.world()["stacks"]["shop"]["outputs"]["ServerlessDeploymentBucketName"]
    s3.put_object(Bucket=bucket, Key="troupe/shop/artifacts/mine.zip", Body=b"mine")
    shop("prune", *NOW)
    assert own in published(account) and "troupe/shop/artifacts/mine.zip" in objects(shop)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", [2])
@pytest.mark.parametrize("operation", ["PutObject", "DeleteFunction", "DeleteObject"])
def test_killed_and_run_again(shop, account, proxy, operation, nth, after):
    rule = proxy.kill(nth, operation=operation, after=after)
    assert shop("prune", *NOW, check=False).code == -9 and rule.hits
    proxy.clear()
    assert {"4", "5"} <= published(account) and served(shop) == "code 5"
    shop("prune", *NOW)
    assert published(account) == {"4", "5"} and len(objects(shop, "/artifacts/")) == 2
    assert "nothing to prune" in shop("prune", *NOW).out


def test_somebody_is_at_work(shop, account, proxy):
    """Marks first, then a look for others: whoever began before is not harmed."""
    code(shop, "code 4")  # finds version 4 again
    deploy = Held(shop, proxy, "UpdateStack", "deploy", "dev")
    result = shop("prune", *NOW, check=4)
    assert "stage 'dev' is being worked on" in result.err, str(result)
    assert deploy.end().code == 0 and served(shop) == "code 4"
    shop("prune", *NOW)
    assert published(account) == {"4", "5"}


def test_deploys_collect_now_and_then(shop, proxy):
    """Only when a handful has come together: what is read for it is in proportion to what
    is kept.
    """
    looked = []
    for n in range(6, 9):
        code(shop, f"code {n}")
        mark = proxy.mark()
        result = shop("deploy", "dev")
        assert "warning" not in result.err, str(result)
        looked.append(
            any(
                "StackName" not in call.params
                for call in proxy.calls("cloudformation.DescribeStacks", mark)
            )
        )
    assert looked == [False, False, True]


def test_a_failure_of_collecting_is_a_warning(shop, proxy):
    for n in range(6, 8):
        code(shop, f"code {n}")
        shop("deploy", "dev")
    code(shop, "code 8")
    mark = proxy.mark()
    shop("deploy", "dev")
    last = len(proxy.calls("cloudformation.DescribeStacks", mark))  # the one that lists all
    code(shop, "code 9")
    proxy.fail(403, "AccessDenied", operation="DescribeStacks", nth=last)
    result = shop("deploy", "dev")
    assert "old versions were not pruned" in result.err and "troupe prune" in result.err, str(
        result
    )
    assert served(shop) == "code 9"
