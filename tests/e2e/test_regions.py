"""Stages in other regions: their functions and APIs there, their records at home."""

import json
import os
import random
import time

import pytest
import requests

from world import World, differences, settled

HOME, AWAY = "us-east-1", "eu-central-1"
KILLS = os.environ.get("TROUPE_TEST_KILLS", "")
SEED = os.environ.get("TROUPE_TEST_SEED", "1")
SERVICE = """service: far
provider:
  name: aws
  runtime: nodejs20.x
  region: us-east-1
  environment: {TABLE: !Ref Data, WHERE: '${aws:region}'}
custom: {troupe: {resources: {service: [Shared]}}}
functions:
  hello:
    handler: handler.hello
    events:
      - http: GET hello
      - httpApi: GET /hello
      - schedule: rate(1 day)
resources:
  Resources:
    Data:
      Type: AWS::SQS::Queue
    Shared:
      Type: AWS::SNS::Topic
    Listens:
      Type: AWS::SNS::Subscription
      Properties: {TopicArn: !Ref Shared, Protocol: email, Endpoint: a@example.com}
"""
HANDLER = """exports.hello = async () => ({statusCode: 200, body: JSON.stringify(
  {code: 'one', where: process.env.WHERE, runs: process.env.AWS_REGION, table: process.env.TABLE})});
"""


@pytest.fixture
def far(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    return troupe


def change(troupe, old, new):
    troupe.edit("handler.js", f"'{old}'", f"'{new}'")


def world(troupe, region):
    """All an account holds in a region; what IAM and S3 have is everywhere."""
    return World(lambda service: troupe.account.client(service, region)).snapshot()


def call(troupe, stage):
    """What the stage's function says by invoke."""
    return json.loads(json.loads(troupe("invoke", stage, "hello").out)["body"])


def records(troupe):
    bucket = troupe.account.client("cloudformation").describe_stacks(StackName="far")["Stacks"][0][
        "Outputs"
    ]
    name = next(
        item["OutputValue"]
        for item in bucket
        if item["OutputKey"] == "ServerlessDeploymentBucketName"
    )
    keys = [
        item["Key"] for item in troupe.account.client("s3").list_objects_v2(Bucket=name)["Contents"]
    ]
    return name, [key for key in keys if "/stages/" in key]


def test_a_stage_elsewhere(far):
    far("deploy", "dev")
    home = world(far, HOME)
    far("deploy", "dev", "--region", AWAY)
    assert call(far, f"dev@{AWAY}")["runs"] == AWAY and call(far, f"dev@{AWAY}")["where"] == AWAY
    assert call(far, "dev")["runs"] == HOME
    there = world(far, AWAY)
    assert set(there["stacks"]) == {"far-dev"} and set(there["functions"]) == {"far-dev-hello"}
    assert there["stacks"]["far-dev"]["tags"] == {
        "troupe:service": "far",
        "troupe:stage": "dev",
        "troupe:home": HOME,
    }
    assert there["functions"]["far-dev-hello"]["aliases"]["dev"]["version"] == "1"
    now = world(far, HOME)
    for section in (
        "stacks",
        "functions",
        "rest_apis",
        "http_apis",
        "log_groups",
        "queues",
        "topics",
    ):
        assert now[section] == home[section], f"{section} at home changed"
    _, keys = records(far)
    assert f"troupe/far/stages/dev@{AWAY}/1.json" in keys and "troupe/far/stages/dev/1.json" in keys
    urls = far("info", f"dev@{AWAY}", "--json").json["urls"]
    for url in urls.values():
        answer = requests.get(
            (
                url.replace("localhost", "127.0.0.1") + "/hello"
                if "execute-api.localhost" not in url
                else http_url(far, url)
            ),
            timeout=30,
        )
        assert answer.status_code == 200 and answer.json()["runs"] == AWAY, (url, answer.text)
    assert far("plan", f"dev@{AWAY}", "--json").json["nothing"] is True
    assert {
        (stage["name"], stage["region"], stage["status"])
        for stage in far("stages", "--json").json["stages"]
    } == {("dev", HOME, "ready"), (f"dev@{AWAY}", AWAY, "ready")}


def http_url(troupe, url):
    id = url.split("//")[1].split(".")[0]
    return f"{troupe.proxy.endpoint}/_aws/execute-api/{id}/$default/hello"


def test_the_first_stage_of_all_elsewhere(far):
    far("deploy", f"prod@{AWAY}")
    assert set(world(far, HOME)["stacks"]) == {"far"} and not world(far, HOME)["functions"]
    assert call(far, f"prod@{AWAY}")["code"] == "one"
    far("deploy", "prod")
    assert call(far, "prod")["runs"] == HOME
    far("remove", "--service", "--yes")
    for region in (HOME, AWAY):
        assert world(far, region)["stacks"] == {} and world(far, region)["functions"] == {}
    assert world(far, HOME)["buckets"] == {}


def test_rollback_reset_and_clone_across_regions(far):
    away = f"prod@{AWAY}"
    far("deploy", "dev")
    far("deploy", away)
    change(far, "one", "two")
    far("deploy", away)
    assert call(far, away)["code"] == "two"
    before = world(far, HOME)["functions"]
    assert far("rollback", away, "--json").json["deployment"] == 3
    assert call(far, away)["code"] == "one"
    far("rollback", away, "--to", "2")
    assert call(far, away)["code"] == "two" and world(far, HOME)["functions"] == before
    history = far("history", away, "--json").json["deployments"]
    assert [entry["what"].split()[0] for entry in history] == [
        "rollback",
        "rollback",
        "deploy",
        "deploy",
    ]
    result = far("reset", "dev", "--to", away, "--json").json
    assert call(far, "dev") == {
        **call(far, away),
        "runs": HOME,
        "where": HOME,
        "table": call(far, "dev")["table"],
    }
    assert result["uploaded"] == 0
    change(far, "two", "three")
    far("deploy", "dev")
    result = far("reset", away, "--to", "dev", "--json").json
    assert (
        result["uploaded"] == 0
        and call(far, away)["code"] == "three"
        and call(far, away)["runs"] == AWAY
    )
    result = far("clone", away, "copy@ap-southeast-2", "--json").json
    assert result["uploaded"] == 0 and call(far, "copy@ap-southeast-2")["runs"] == "ap-southeast-2"
    far("clone", "dev", "fresh")
    assert call(far, "fresh")["runs"] == HOME
    assert far("diff", away, "dev", "--json").json["functions"]
    assert "different regions" in far("reset", away, "--to", "dev", "--exact", check=3).err
    assert far("diff", f"dev@{HOME}", "dev", "--json").json["nothing"] is True


def test_removing_a_stage_elsewhere(far):
    far("deploy", "dev")
    far("deploy", f"dev@{AWAY}")
    home = world(far, HOME)["stacks"]
    far("remove", f"dev@{AWAY}")
    assert world(far, AWAY)["stacks"] == {} and world(far, AWAY)["functions"] == {}
    assert world(far, HOME)["stacks"] == home and call(far, "dev")["code"] == "one"
    assert [stage["name"] for stage in far("stages", "--json").json["stages"]] == ["dev"]
    far("deploy", f"dev@{AWAY}")
    assert call(far, f"dev@{AWAY}")["runs"] == AWAY


def test_an_independent_service(far):
    far.edit(
        "serverless.yml", "{service: [Shared]}}}", "{service: [Shared]}, regions: independent}}"
    )
    far("deploy", "dev")
    far("deploy", "dev", "--region", AWAY)
    assert set(world(far, AWAY)["stacks"]) == {"far", "far-dev"}
    assert [stage["name"] for stage in far("stages", "--json").json["stages"]] == ["dev"]
    home = world(far, HOME)["stacks"]
    far("remove", "--service", "--region", AWAY, "--yes")
    assert world(far, AWAY)["stacks"] == {} and world(far, HOME)["stacks"] == home


def test_one_is_not_taken_for_the_other(far):
    far("deploy", f"dev@{AWAY}")
    far.edit(
        "serverless.yml", "{service: [Shared]}}}", "{service: [Shared]}, regions: independent}}"
    )
    result = far("deploy", "dev", "--region", AWAY, check=3)
    assert f"belongs to service 'far' in {HOME}" in result.err, str(result)
    far("deploy", "other", "--region", AWAY)
    far.edit("serverless.yml", ", regions: independent", "")
    result = far("deploy", "other", "--region", AWAY, check=3)
    assert "independent service 'far'" in result.err, str(result)


def test_the_service_itself_is_at_home(far):
    assert "lives in us-east-1 only" in far("deploy", "--service", "--region", AWAY, check=2).err
    assert "two regions are named" in far("deploy", f"dev@{AWAY}", "--region", HOME, check=2).err
    assert "is no region" in far("reset", "dev", "--to", "prod@Mars", check=2).err


def test_the_home_of_a_region_by_option(far):
    far.edit("serverless.yml", "region: us-east-1", "region: ${opt:region, 'us-east-1'}")
    far("deploy", f"dev@{AWAY}")
    assert set(world(far, HOME)["stacks"]) == {"far"} and set(world(far, AWAY)["stacks"]) == {
        "far-dev"
    }


def test_what_cannot_be_reached(far):
    far("deploy", "dev")
    far("deploy", f"dev@{AWAY}")
    both = world(far, HOME)["stacks"], world(far, AWAY)["stacks"]
    change(far, "one", "two")
    for region, args in (
        (AWAY, ("deploy", f"dev@{AWAY}")),
        (HOME, ("deploy", f"dev@{AWAY}")),
        (AWAY, ("stages",)),
        (AWAY, ("remove", "--service", "--yes")),
        (AWAY, ("reset", "dev", "--to", f"dev@{AWAY}")),
    ):
        far.proxy.reset(region=region)
        result = far(*args, check=False)
        far.proxy.clear()
        assert result.code == 1 and "127.0.0.1" in result.err, f"{region} away: {result}"
        assert (
            world(far, HOME)["stacks"],
            world(far, AWAY)["stacks"],
        ) == both, f"{region} away, {args}"
    far.proxy.reset(region=AWAY)
    far("deploy", "dev")  # a stage at home needs no other region
    far.proxy.clear()
    assert call(far, "dev")["code"] == "two" and call(far, f"dev@{AWAY}")["code"] == "one"
    far("deploy", f"dev@{AWAY}")
    assert call(far, f"dev@{AWAY}")["code"] == "two"


def test_a_bucket_that_is_gone(far):
    far("deploy", f"dev@{AWAY}")
    s3 = far.account.client("s3")
    there = next(
        item["OutputValue"]
        for item in far.account.client("cloudformation", AWAY).describe_stacks(StackName="far-dev")[
            "Stacks"
        ][0]["Outputs"]
        if item["OutputKey"] == "TroupeArtifactBucketName"
    )
    for item in s3.list_objects_v2(Bucket=there)["Contents"]:
        s3.delete_object(Bucket=there, Key=item["Key"])
    change(far, "one", "two")
    far("deploy", f"dev@{AWAY}")
    far("rollback", f"dev@{AWAY}")  # its code is copied again from home
    assert call(far, f"dev@{AWAY}")["code"] == "one"
    home, keys = records(far)
    for key in [item["Key"] for item in s3.list_objects_v2(Bucket=home)["Contents"]]:
        s3.delete_object(Bucket=home, Key=key)
    s3.delete_bucket(Bucket=home)
    result = far("deploy", f"dev@{AWAY}", check=1)
    served = (
        far.account.client("lambda", AWAY)
        .invoke(FunctionName="far-dev-hello", Qualifier="dev")["Payload"]
        .read()
    )
    assert home in result.err and json.loads(json.loads(served)["body"])["code"] == "one", str(
        result
    )


COMMANDS = {
    "first-deploy": (("deploy", f"new@{AWAY}"), None),
    "deploy": (("deploy", f"prod@{AWAY}"), "changed"),
    "rollback": (("rollback", f"prod@{AWAY}", "--to", "1"), None),
    "clone": (("clone", f"prod@{AWAY}", "copy@ap-southeast-2"), None),
    "remove": (("remove", f"prod@{AWAY}", "--yes"), None),
    "remove-of-the-service": (("remove", "--service", "--yes"), None),
}


def both_worlds(far):
    return {
        region: settled(world(far, region), far.account.id)
        for region in (HOME, AWAY, "ap-southeast-2")
    }


def without_records(worlds):
    """Numbers and records differ by how often it was tried; what is served must not."""
    return {
        region: {key: value for key, value in found.items() if key != "buckets"}
        for region, found in worlds.items()
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_and_run_again(far, name):
    args, prepare = COMMANDS[name]
    far("deploy", "dev")
    far("deploy", f"prod@{AWAY}")
    change(far, "one", "two")
    far("deploy", f"prod@{AWAY}")
    if prepare:
        change(far, "two", "three")
    far.account.keep("before")
    mark = far.proxy.mark()
    far(*args)
    calls = len(far.proxy.calls(since=mark))
    end = without_records(both_worlds(far))
    offset = random.Random(f"{SEED} {name}").randrange(2 * calls)
    moments = (
        range(2 * calls)
        if KILLS == "all"
        else sorted({(offset + n * 2 * calls // 4) % (2 * calls) for n in range(4)})
    )
    print(f"KILLED elsewhere, {name}: {calls} calls, {len(moments)} moments")
    for moment in moments:
        far.account.put_back("before")
        dev = far.stage("dev", "far")
        far.proxy.kill(1 + moment // 2, after=bool(moment % 2))
        far(*args, check=False)
        far.proxy.clear()
        if name != "remove-of-the-service":
            assert far.stage("dev", "far") == dev, f"{name}:{moment} changed dev"
        settle(far)
        far(*args)
        different = differences(without_records(both_worlds(far)), end)
        assert not different, "\n".join([f"{name}:{moment} of {2 * calls}", *different])


def settle(far):
    """A killed command's stack operations go on without it."""
    for region in (HOME, AWAY, "ap-southeast-2"):
        for _ in range(600):
            stacks = far.account.client("cloudformation", region).describe_stacks()["Stacks"]
            if not any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks):
                break
            time.sleep(0.1)
