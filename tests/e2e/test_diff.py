"""Comparing stages and deployments."""

import pytest

from shop import append, code

TABLE = """resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders-${sls:stage}
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
    Jobs:
      Type: AWS::SQS::Queue
      Properties: {DelaySeconds: 1}
"""


@pytest.fixture
def shop(troupe):
    troupe.use("shop")
    append(troupe, TABLE)
    code(troupe, "one")
    troupe("deploy", "dev")
    return troupe


def diff(troupe, a, b):
    return troupe("diff", a, b, "--json").json


def by_name(items):
    return {item["name"]: item for item in items}


def aliases(troupe, stage):
    return {
        name.removeprefix("shop-"): function["aliases"][stage]["version"]
        for name, function in troupe.world()["functions"].items()
        if stage in function["aliases"]
    }


def test_nothing_differs(shop):
    found = diff(shop, "dev", "dev#1")
    assert (
        found["nothing"] is True and found["functions"] == found["apis"] == found["resources"] == []
    )
    assert "nothing differs" in shop("diff", "dev", "dev#1").out


def test_two_stages_that_differ_by_their_name_only(shop):
    """The function orders has the stage's name in a variable."""
    shop("deploy", "prod")
    found = diff(shop, "dev", "prod")
    assert aliases(shop, "dev")["orders"] != aliases(shop, "prod")["orders"]
    assert found["functions"] == [] and found["renamedFunctions"] == 1
    assert found["apis"] == found["resources"] == [] and found["renamedResources"] > 0
    assert "different by the stage's name only: 1 function, " in shop("diff", "dev", "prod").out
    shop.edit(
        "serverless.yml", "STAGE: ${sls:stage}", "STAGE: ${sls:stage}\n      MORE: x${sls:stage}"
    )
    shop.edit("serverless.yml", "timeout: 10", "timeout: 11")
    shop("deploy", "prod")
    orders = by_name(diff(shop, "dev", "prod")["functions"])["orders"]
    assert sorted(orders["configuration"]) == ["Timeout", "variable MORE"]
    assert orders["version"] == [aliases(shop, "dev")["orders"], aliases(shop, "prod")["orders"]]
    shop.edit("serverless.yml", "\n      MORE: x${sls:stage}", "")
    shop.edit("serverless.yml", "timeout: 11", "timeout: 10")
    shop("deploy", "prod")
    found = diff(shop, "dev", "prod")
    assert (
        found["sameFunctions"] == 1
        and found["sameApis"] == 1
        and found["resourcesCompared"] is True
    )


def test_code_settings_functions_and_resources(shop):
    shop("deploy", "prod")
    code(shop, "two")
    shop.edit("serverless.yml", "timeout: 10", "timeout: 20")
    shop.edit("serverless.yml", "DelaySeconds: 1", "DelaySeconds: 7")
    shop.edit("serverless.yml", "    Jobs:", "    News:\n      Type: AWS::SNS::Topic\n    Jobs:")
    shop.edit("serverless.yml", "  orders:\n", "  fresh:\n    handler: handler.hello\n  orders:\n")
    shop("deploy", "dev")
    found = diff(shop, "prod", "dev")
    functions, resources = by_name(found["functions"]), by_name(found["resources"])
    assert functions["hello"]["code"] is True and functions["hello"]["configuration"] == ["Timeout"]
    assert functions["hello"]["version"] == [
        aliases(shop, "prod")["hello"],
        aliases(shop, "dev")["hello"],
    ]
    assert functions["fresh"]["in"] == "b" and functions["fresh"]["version"] == [
        None,
        aliases(shop, "dev")["fresh"],
    ]
    assert resources["News"]["in"] == "b" and resources["News"]["type"] == "AWS::SNS::Topic"
    assert resources["Jobs"]["changes"] == [{"path": "Properties.DelaySeconds", "a": 1, "b": 7}]
    assert "Orders" not in resources
    # the other way round, and between two deployments of one stage
    assert by_name(diff(shop, "dev", "prod")["functions"])["fresh"]["in"] == "a"
    assert by_name(diff(shop, "dev#1", "dev#2")["resources"])["Jobs"]["changes"][0]["b"] == 7
    text = shop("diff", "dev#1", "dev").out
    assert (
        "dev#1 -> dev#2" in text
        and "only in dev#2" in text
        and "Properties.DelaySeconds: 1 -> 7" in text
    )
    assert "code, Timeout" in text


def test_a_function_of_the_stages_own(shop):
    shop("deploy", "prod")
    append(shop, "custom:\n  troupe:\n    functions: {perStage: [orders]}\n")
    shop("deploy", "dev")
    orders = by_name(diff(shop, "prod", "dev")["functions"])["orders"]
    assert orders["layout"] == ["shared", "perStage"]
    assert "shared -> per stage" in shop("diff", "prod", "dev").out
    shop("deploy", "prod")
    assert "orders" not in by_name(diff(shop, "prod", "dev")["functions"])
    shop.edit("serverless.yml", "timeout: 10", "timeout: 12")
    shop("deploy", "dev")
    orders = by_name(diff(shop, "prod", "dev")["functions"])["orders"]
    assert orders["configuration"] == ["Timeout"] and orders["code"] is False


def test_no_secret_is_shown(shop):
    shop.account.client("ssm").put_parameter(Name="/key", Value="hush-hush-1", Type="SecureString")
    shop.edit(
        "serverless.yml", "STAGE: ${sls:stage}", "STAGE: ${sls:stage}\n      KEY: ${ssm:/key}"
    )
    shop("deploy", "dev")
    shop.account.client("ssm").put_parameter(
        Name="/key", Value="hush-hush-2", Type="SecureString", Overwrite=True
    )
    shop("deploy", "dev")
    for args in (("dev#1", "dev#2"), ("dev#2", "dev#3"), ("dev#2", "dev#3", "--json")):
        result = shop("diff", *args)
        assert "hush" not in result.out + result.err and "variable KEY" in result.out


def test_what_is_not_there(shop):
    for args, message in (
        (("dev", "nowhere"), "there is no stage 'nowhere'"),
        (("dev", "dev#9"), "there is no deployment dev#9"),
        (("nowhere#1", "dev"), "there is no stage 'nowhere'"),
    ):
        result = shop("diff", *args, check=1)
        assert message in result.err and "help:" in result.err
    for args in (("dev",), (), ("dev", "dev#x"), ("dev", "dev#0")):
        shop("diff", *args, check=2)
    shop("deploy", "prod")
    shop("remove", "prod", "--yes")
    assert "at no deployment now" in shop("diff", "dev", "prod", check=1).err
    assert "was a removal" in shop("diff", "dev", "prod#2", check=3).err
    assert diff(shop, "dev", "prod#1")["renamedFunctions"] == 1


def test_it_changes_nothing(shop, proxy):
    before, mark = shop.world(), proxy.mark()
    shop("diff", "dev", "dev#1")
    assert shop.world() == before and not proxy.calls(since=mark, writes=True)
