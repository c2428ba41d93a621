"""Repairing: what was interrupted or changed by hand is found, named, and repaired or refused."""

import json

import pytest

from shop import number, served, versions
from test_rollback import three


def test_nothing_to_repair(troupe, proxy):
    three(troupe)
    before, mark = troupe.world(), proxy.mark()
    assert "nothing to repair" in troupe("repair", "dev").out
    assert troupe.world() == before
    assert not [call for call in proxy.calls(since=mark, writes=True) if call.service != "s3"]


@pytest.mark.parametrize("moment", ["before the switch", "after the switch", "after the stack"])
def test_an_interrupted_rollback_is_finished(troupe, proxy, moment):
    states = three(troupe)
    kill = {
        "before the switch": dict(operation="UpdateAlias", nth=1),
        "after the switch": dict(operation="UpdateStack", nth=1),
        "after the stack": dict(operation="UpdateStack", nth=1, after=True),
    }[moment]
    rule = proxy.kill(**kill)
    assert troupe("rollback", "dev", "--to", "1", check=False).code == -9 and rule.hits
    proxy.clear()
    result = troupe("repair", "dev")
    assert "rollback to 1" in result.out, str(result)
    assert (served(troupe), versions(troupe), number(troupe)) == ("one", states[0], 4)
    assert "nothing to repair" in troupe("repair", "dev").out
    assert troupe("history", "dev", "--json").json["deployments"][0]["outcome"] == "succeeded"


def test_an_interrupted_deploy_is_undone(troupe, proxy):
    states = three(troupe)
    troupe.edit("handler.js", "'three'", "'four'")
    proxy.kill(1, operation="UpdateStack")
    assert troupe("deploy", "dev", check=False).code == -9
    proxy.clear()
    plan = troupe("repair", "dev", "--plan")
    assert "dev#4 was interrupted" in plan.out, str(plan)
    assert "dev#4 was interrupted" in troupe("repair", "dev").out
    assert (served(troupe), versions(troupe), number(troupe)) == ("three", states[2], 3)
    history = troupe("history", "dev", "--json").json["deployments"]
    assert [entry["outcome"] for entry in history][:2] == ["superseded", "succeeded"]
    assert "nothing to repair" in troupe("repair", "dev").out


def test_an_alias_moved_by_hand(troupe, account):
    states = three(troupe)
    account.client("lambda").update_alias(
        FunctionName="shop-hello", Name="dev", FunctionVersion=states[0]["shop-hello"]
    )
    plan = troupe("repair", "dev", "--plan", "--json").json
    assert any("'hello' pointed at v" in finding["what"] for finding in plan["findings"]), plan
    assert versions(troupe)["shop-hello"] == states[0]["shop-hello"]
    troupe("repair", "dev")
    assert versions(troupe) == states[2]


def test_weights_put_on_by_hand(troupe, account):
    states = three(troupe)
    account.client("lambda").update_alias(
        FunctionName="shop-hello",
        Name="dev",
        RoutingConfig={"AdditionalVersionWeights": {states[0]["shop-hello"]: 0.5}},
    )
    assert "50% v" in troupe("repair", "dev").out
    alias = account.client("lambda").get_alias(FunctionName="shop-hello", Name="dev")
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_a_stack_changed_by_hand(troupe, account):
    three(troupe)
    before = troupe.stage("dev", "shop")
    client = account.client("cloudformation")
    stack = client.describe_stacks(StackName="shop-dev")["Stacks"][0]
    template = json.loads(json.dumps(before["stack"]["template"]))
    template["Resources"]["Extra"] = {"Type": "AWS::SQS::Queue"}
    template["Resources"]["HelloLambdaAlias"]["Properties"]["FunctionVersion"] = "1"
    client.update_stack(
        StackName="shop-dev",
        TemplateBody=json.dumps(template),
        Parameters=stack["Parameters"],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=stack["Tags"],
    )
    client.get_waiter("stack_update_complete").wait(StackName="shop-dev", WaiterConfig={"Delay": 1})
    assert served(troupe) == "one" and troupe.world()["queues"]
    plan = troupe("plan", "dev", "--json").json
    assert not plan["nothing"], "a deploy sees it as well"
    result = troupe("repair", "dev")
    assert "Extra" in result.out and "'hello' pointed at v1" in result.out, str(result)
    assert troupe.stage("dev", "shop") == before and troupe.world()["queues"] == []


def test_objects_that_are_gone_are_named(troupe, account):
    three(troupe)
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]

    def keys(kind):
        return [
            item["Key"]
            for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"troupe/shop/{kind}/")["Contents"]
        ]

    templates = keys("templates")
    for key in templates + keys("artifacts") + keys("sources"):
        s3.delete_object(Bucket=bucket, Key=key)
    result = troupe("repair", "dev", check=1)
    for text in ("the code of", "sources"):
        assert text in result.out, str(result)


def test_a_template_that_is_gone_is_put_back(troupe, account):
    three(troupe)
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="troupe/shop/templates/")["Contents"]
    for item in found:
        s3.delete_object(Bucket=bucket, Key=item["Key"])
    assert "template of dev#3 is gone" in troupe("repair", "dev").out
    assert s3.list_objects_v2(Bucket=bucket, Prefix="troupe/shop/templates/")["KeyCount"] == 1
    assert "nothing to repair" in troupe("repair", "dev").out


def test_a_record_that_is_gone_is_refused(troupe, account):
    three(troupe)
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    for part in ("3.json", "3.versions.json", "3.outcome.json"):
        s3.delete_object(Bucket=bucket, Key=f"troupe/shop/stages/dev/{part}")
    before = troupe.world()["functions"]
    for args in (["repair", "dev"], ["deploy", "dev"], ["rollback", "dev"]):
        result = troupe(*args, check=1)
        assert "no such record" in result.err and "stages/dev/3.json" in result.err, str(result)
    assert troupe.world()["functions"] == before


def test_an_alias_that_is_gone_is_made_again(troupe, account):
    three(troupe)
    account.client("lambda").delete_alias(FunctionName="shop-hello", Name="dev")
    result = troupe("repair", "dev")
    assert "alias 'dev' of 'hello' was gone" in result.out, str(result)
    assert served(troupe) == "three"


def test_what_is_not_there_cannot_be_repaired(troupe):
    troupe.use("shop")
    troupe("deploy", "prod")
    assert "not deployed" in troupe("repair", "dev", check=1).err


def test_an_alias_that_is_all_of_a_stack_is_made_again(troupe, account):
    """CloudFormation takes no template without resources, and the stack has nothing but the
    alias.
    """
    troupe.write(
        {
            "serverless.yml": (
                "service: bare\nprovider: {name: aws, runtime: nodejs20.x}\n"
                "functions: {hello: {handler: handler.hello, disableLogs: true}}\n"
            ),
            "handler.js": "exports.hello = async () => 'one';\n",
        }
    )
    troupe("deploy", "dev")
    stack = troupe.world()["stacks"]["bare-dev"]
    assert [item["Type"] for item in stack["template"]["Resources"].values()] == [
        "AWS::Lambda::Alias"
    ], stack
    lam = account.client("lambda")
    lam.delete_alias(FunctionName="bare-hello", Name="dev")
    assert "alias 'dev' of 'hello' was gone" in troupe("repair", "dev").out
    assert lam.invoke(FunctionName="bare-hello", Qualifier="dev")["Payload"].read() == b'"one"'
    assert troupe.world()["stacks"]["bare-dev"]["template"] == stack["template"]
    assert "nothing to repair" in troupe("repair", "dev").out
