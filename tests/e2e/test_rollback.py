"""Rolling back: the pointers at once, the stack after them, and never the bad versions again."""

import io
import json
import zipfile

from shop import append, code, number, served, versions

QUEUE = """resources:
  Resources:
    Jobs:
      Type: AWS::SQS::Queue
"""
OUTSIDE = """resources:
  Resources:
    Outside:
      Type: AWS::Lambda::Permission
      Properties:
        FunctionName: outside
        Action: lambda:InvokeFunction
        Principal: sns.amazonaws.com
"""
BYTES = io.BytesIO()
with zipfile.ZipFile(BYTES, "w") as archive:
    archive.writestr("x.js", "exports.x = async () => 1;")
EMPTY_ZIP = BYTES.getvalue()
ROUTE = "- http: GET /hello\n"


def three(troupe):
    """Three deployments of dev, and prod as the third."""
    troupe.use("shop")
    states = []
    for text in ("one", "two", "three"):
        code(troupe, text)
        troupe("deploy", "dev")
        states.append(versions(troupe))
    troupe("deploy", "prod")
    return states


def uploads(proxy, mark):
    return [
        call for call in proxy.calls("s3.PutObject", mark) if "/artifacts/" in call.params["Key"]
    ]


def test_back_and_back_again(troupe, proxy):
    states = three(troupe)
    prod = troupe.stage("prod", "shop")
    mark = proxy.mark()
    result = troupe("rollback", "dev")
    assert "dev#4" in result.out, str(result)
    assert (served(troupe), versions(troupe), number(troupe)) == ("two", states[1], 4)
    troupe("rollback", "dev")
    assert (served(troupe), versions(troupe), number(troupe)) == ("one", states[0], 5)
    assert not uploads(proxy, mark) and not proxy.calls("lambda.PublishVersion", mark)
    refused = troupe("rollback", "dev", check=1)
    assert "dev#5 is dev#1 again, and nothing is older" in refused.err and "--to" in refused.err, (
        str(refused)
    )
    troupe("rollback", "dev", "--to", "3")
    assert (served(troupe), versions(troupe), number(troupe)) == ("three", states[2], 6)
    assert troupe.stage("prod", "shop") == prod, "rolling dev back changed prod"
    what = [entry["what"] for entry in troupe("history", "dev", "--json").json["deployments"]]
    assert what[:3] == ["rollback to 3", "rollback to 1", "rollback to 2"]


def test_what_is_so_already_is_left_alone(troupe, proxy):
    three(troupe)
    troupe("rollback", "dev", "--to", "2")
    before, mark = troupe.world(), proxy.mark()
    again = troupe("rollback", "dev", "--to", "2")
    assert "nothing to do" in again.out, str(again)
    assert troupe.world()["functions"] == before["functions"]
    assert not [call for call in proxy.calls(since=mark, writes=True) if call.service != "s3"]


def test_the_plan_says_what_moves_and_changes_nothing(troupe, proxy):
    states = three(troupe)
    mark = proxy.mark()
    plan = troupe("rollback", "dev", "--plan", "--json").json
    moves = {
        change["name"]: change["detail"]
        for change in plan["changes"]
        if change["kind"] == "function"
    }
    assert moves == {
        name: f"v{states[2][f'shop-{name}']} -> v{states[1][f'shop-{name}']}"
        for name in ("hello", "orders")
    }
    assert not proxy.calls(since=mark, writes=True)
    assert served(troupe) == "three"


def test_routes_and_resources_go_back_too(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    code(troupe, "two")
    troupe.edit("serverless.yml", ROUTE, ROUTE + "      - http: GET /new\n")
    append(troupe, QUEUE)
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/new").status_code == 200 and troupe.world()["queues"]
    troupe("rollback", "dev")
    assert served(troupe) == "one"
    assert troupe.call_rest("dev", "/new").status_code in (403, 404)
    assert troupe.world()["queues"] == []
    troupe("rollback", "dev", "--to", "2")
    assert troupe.call_rest("dev", "/new").json()["code"] == "two" and troupe.world()["queues"]


def test_functions_that_came_and_went(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe.edit(
        "serverless.yml",
        "  orders:\n    handler: handler.orders",
        "  basket:\n    handler: handler.orders",
    )
    troupe("deploy", "dev")
    assert set(versions(troupe)) == {"shop-hello", "shop-basket"}
    troupe("rollback", "dev")
    assert set(versions(troupe)) == {"shop-hello", "shop-orders"}
    assert troupe.call_rest("dev", "/orders", "POST").json()["stage"] == "dev"
    troupe("rollback", "dev", "--to", "2")
    assert set(versions(troupe)) == {"shop-hello", "shop-basket"}


def test_a_stack_that_cannot_follow_does_not_bring_the_bad_versions_back(troupe, account):
    outside = account.client("lambda")

    role = account.client("iam").create_role(
        RoleName="outside",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]

    def make_outside():
        outside.create_function(
            FunctionName="outside",
            Runtime="nodejs20.x",
            Handler="x.x",
            Role=role,
            Code={"ZipFile": EMPTY_ZIP},
        )

    make_outside()
    troupe.use("shop")
    append(troupe, OUTSIDE)
    troupe("deploy", "dev")
    code(troupe, "bad")
    path = troupe.folder / "serverless.yml"
    path.write_text(path.read_text().replace(OUTSIDE, ""))
    troupe("deploy", "dev")
    outside.delete_function(FunctionName="outside")
    result = troupe("rollback", "dev", check=5)
    assert "Outside" in result.err and "troupe repair dev" in result.err, str(result)
    assert served(troupe) == "one"
    stack = troupe.world()["stacks"]["shop-dev"]
    assert (
        stack["status"] == "UPDATE_ROLLBACK_COMPLETE"
        and stack["outputs"]["TroupeDeployment"] == "3"
    )
    make_outside()  # the cause is gone
    troupe("rollback", "dev")
    stack = troupe.world()["stacks"]["shop-dev"]
    assert (stack["status"], stack["outputs"]["TroupeDeployment"]) == ("UPDATE_COMPLETE", "3")
    assert "Outside" in stack["template"]["Resources"] and served(troupe) == "one"


def test_the_first_stack_update_failing_leaves_the_good_versions(troupe, proxy):
    states = three(troupe)
    rule = proxy.fail(
        status=400, code="ValidationError", message="told to fail", operation="UpdateStack"
    )
    result = troupe("rollback", "dev", check=5)
    assert rule.hits and "told to fail" in result.err and "troupe repair dev" in result.err, str(
        result
    )
    assert (served(troupe), versions(troupe), number(troupe)) == ("two", states[1], 3)
    proxy.clear()
    troupe("rollback", "dev")
    assert (served(troupe), versions(troupe), number(troupe)) == ("two", states[1], 4)


def test_a_deploy_after_a_half_rollback_moves_every_pointer(troupe, proxy):
    states = three(troupe)
    proxy.fail(status=400, code="ValidationError", message="told to fail", operation="UpdateStack")
    troupe("rollback", "dev", "--to", "1", check=5)
    proxy.clear()
    assert served(troupe) == "one"
    troupe(
        "deploy", "dev"
    )  # what serverless.yml says is what the stack has: nothing but pointers moved
    assert (served(troupe), versions(troupe), number(troupe)) == ("three", states[2], 3)


def test_a_version_that_is_gone_is_published_again(troupe, account):
    states = three(troupe)
    client = account.client("lambda")
    client.delete_function(FunctionName="shop-hello", Qualifier=states[0]["shop-hello"])
    result = troupe("rollback", "dev", "--to", "1")
    assert f"version {states[0]['shop-hello']} of 'hello' is gone" in result.err, str(result)
    now = versions(troupe)
    assert served(troupe) == "one" and now["shop-orders"] == states[0]["shop-orders"]
    assert now["shop-hello"] not in [state["shop-hello"] for state in states]


def test_a_template_that_is_gone_is_made_again(troupe, account):
    states = three(troupe)
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    for item in s3.list_objects_v2(Bucket=bucket, Prefix="troupe/shop/templates/")["Contents"]:
        s3.delete_object(Bucket=bucket, Key=item["Key"])
    troupe("rollback", "dev")
    assert (served(troupe), versions(troupe)) == ("two", states[1])


def test_a_failed_deployment_is_no_place_to_go(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    append(troupe, OUTSIDE)
    code(troupe, "bad")
    troupe("deploy", "dev", check=1)
    result = troupe("rollback", "dev", "--to", "2", check=3)
    assert "dev#2 never served" in result.err, str(result)
    assert "no deployment dev#7" in troupe("rollback", "dev", "--to", "7", check=1).err
    assert "not deployed" in troupe("rollback", "prod", check=1).err
    assert troupe("rollback", "dev", "--to", "prod", check=2).err


# How the resource whose value a function was published with came to be another one.
WITH = "functions:\n  hello: {handler: handler.hello, environment: {JOBS: !Ref Jobs}}\n" + QUEUE
WITHOUT = "functions:\n  hello: {handler: handler.hello}\n"
HEAD = "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\n"
ENV = (
    "const CODE = 'one';\nexports.hello = async () => ({code: CODE, jobs: process.env.JOBS ||"
    " ''});\n"
)
MADE_AGAIN = {
    "deleted and made again": ("deploy without", "deploy with"),
    "removed with its stage": ("remove", "deploy with"),
    "replaced": ("deploy fifo",),
}


def test_a_value_that_is_gone_is_not_served_again(troupe):
    """Old versions know the queue that was. A rollback publishes for the queue that is."""
    sources = {
        "with": WITH,
        "without": WITHOUT,
        "fifo": WITH + "      Properties: {FifoQueue: true}\n",
    }

    def do(stage, step):
        verb, _, file = step.partition(" ")
        if file:
            troupe.write({"serverless.yml": HEAD + sources[file]})
        troupe(verb, stage, "--yes")

    def serves(stage):
        return json.loads(troupe("invoke", stage, "hello").out)

    def queue(stage):
        resources = troupe.account.client("cloudformation").describe_stack_resources(
            StackName=f"shop-{stage}"
        )
        return next(
            r["PhysicalResourceId"]
            for r in resources["StackResources"]
            if r["LogicalResourceId"] == "Jobs"
        )

    troupe.write({"serverless.yml": HEAD + WITH, "handler.js": ENV})
    troupe("deploy", "dev-2")
    neighbour = troupe.stage("dev-2", "shop")
    for i, (how, steps) in enumerate(MADE_AGAIN.items()):
        stage = f"dev{i}"
        code(troupe, "one")
        do(stage, "deploy with")
        first = queue(stage)
        assert serves(stage) == {"code": "one", "jobs": first}, how
        code(troupe, "two")
        for step in steps:
            do(stage, step)
        assert queue(stage) != first, how
        last = number(troupe, stage)
        beside = troupe("shift", stage, "--to", "1", "--weight", "50", "--yes", check=3)
        reason = (
            "resources that its functions need have changed since"
            if how == "replaced"
            else ("'Jobs' is no longer the one that its functions know")
        )
        assert reason in beside.err, f"{how}: {beside}"
        result = troupe("rollback", stage, "--to", "1", "--yes")
        assert "from the recorded sources" in result.out + result.err, f"{how}: {result}"
        assert serves(stage) == {"code": "one", "jobs": queue(stage)}, how
        troupe("rollback", stage, "--to", str(last), "--yes")
        assert serves(stage) == {"code": "two", "jobs": queue(stage)}, how
    assert troupe.stage("dev-2", "shop") == neighbour
