"""Somebody deleted a part of a service by hand: its stack, its bucket, a record, a stage's stack.
Every command says what is gone and what to do, none goes on as if nothing was, and removing works.
"""

import pytest

from shop import code
from world import leftovers

ONE = """service: shop
provider: {name: aws, runtime: nodejs20.x}
functions:
  hello: {handler: handler.hello, events: [{http: GET /hello}]}
"""
HANDLER = "const CODE = 'one';\nexports.hello = async () => ({statusCode: 200, body: CODE});\n"

SERVICE = (
    1,
    "the service's stack 'shop', with the code and the records of all stages, is gone",
    "troupe remove --service",
)
BUCKET = (
    1,
    "of service 'shop' is gone, with the code and the records of all stages",
    "troupe remove --service",
)
RECORD = (1, "stages/dev/2.json", "remove the stage and deploy it again")
NO_STAGE = "stage 'dev' is not deployed"
# What to do, then for each thing that is gone: the exit code, and what is said.
COMMANDS = {
    "deploy dev": (SERVICE, BUCKET, RECORD, (0, "dev#3")),
    "deploy --service": (SERVICE, BUCKET, RECORD, (0, "nothing to do")),
    "deploy dev --function hello": (SERVICE, BUCKET, RECORD, (1, NO_STAGE, "troupe deploy dev")),
    "plan dev": (SERVICE, BUCKET, RECORD, (0, "not deployed yet")),
    "rollback dev": (SERVICE, BUCKET, RECORD, (1, NO_STAGE)),
    "rollback dev --to 1": (SERVICE, BUCKET, RECORD, (1, NO_STAGE)),
    "reset dev --to prod": (SERVICE, BUCKET, RECORD, (1, NO_STAGE, "troupe clone prod dev")),
    "clone dev new": (SERVICE, BUCKET, RECORD, (1, "there is no stage 'dev'")),
    "shift dev --to 1 --weight 10": (SERVICE, BUCKET, RECORD, (1, NO_STAGE)),
    "shift dev --promote": (SERVICE, BUCKET, RECORD, (3, "no shift of 'dev' is under way")),
    "adopt dev": (
        SERVICE,
        BUCKET,
        RECORD,
        (1, "there is no stack 'shop-dev'", "troupe deploy dev"),
    ),
    "repair dev": (SERVICE, BUCKET, RECORD, (1, NO_STAGE)),
    "repair dev --plan": (SERVICE, BUCKET, RECORD, (1, NO_STAGE)),
    "unlock dev": (SERVICE, BUCKET, (0, "not locked"), (0, "not locked")),
    "prune": (SERVICE, BUCKET, RECORD, (0, "2 of stages whose stack is not where it should be")),
    "stages": (
        SERVICE,
        BUCKET,
        (0, "the record of dev#2 is gone", "troupe remove dev"),
        (0, "prod#1"),
    ),
    "history dev": (
        SERVICE,
        BUCKET,
        (0, "record gone", "troupe remove dev"),
        (0, "its stack is gone", "troupe deploy dev"),
    ),
    "diff dev prod": (SERVICE, BUCKET, RECORD, (1, "stage 'dev' is at no deployment now")),
    "diff dev#1 dev#2": (SERVICE, BUCKET, RECORD, (0, "dev#1 -> dev#2")),
    "info dev": (SERVICE, BUCKET, RECORD, (1, NO_STAGE, "troupe deploy dev")),
    "invoke dev hello": (SERVICE, BUCKET, RECORD, (1, NO_STAGE, "troupe deploy dev")),
    "logs dev hello": (SERVICE, BUCKET, RECORD, (1, NO_STAGE, "troupe deploy dev")),
    "remove nowhere --yes": ((1, "there is no stage 'nowhere'"),) * 4,
    "remove dev --yes": ((0, "stage 'dev' is removed"),) * 4,
    "remove --service --yes": ((0, "service 'shop' is removed"),) * 4,
}
SITUATIONS = ("service_stack", "bucket_itself", "record", "stage_stack")


class Hand:
    def __init__(self, cloud, place):
        from conftest import Proxy, new_account, new_troupe

        self.account = new_account(cloud)
        self.proxy = Proxy(cloud)
        self.troupe = troupe = new_troupe(place / "one", self.account, self.proxy)
        self.s3, self.stacks = self.account.client("s3"), self.account.client("cloudformation")
        troupe.write({"serverless.yml": ONE, "handler.js": HANDLER})
        troupe("deploy", "prod")
        troupe("deploy", "dev")
        code(troupe, "two")
        troupe("deploy", "dev")
        self.bucket = self.s3.list_buckets()["Buckets"][0]["Name"]
        code(troupe, "three")
        self.account.keep("whole")

    def empty(self):
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        for item in [item for page in pages for item in page.get("Versions", [])]:
            self.s3.delete_object(Bucket=self.bucket, Key=item["Key"], VersionId=item["VersionId"])

    def service_stack(self):
        self.empty()
        self.delete("shop")

    def bucket_itself(self):
        self.empty()
        self.s3.delete_bucket(Bucket=self.bucket)

    def record(self):
        self.s3.delete_object(Bucket=self.bucket, Key="troupe/shop/stages/dev/2.json")

    def stage_stack(self):
        self.delete("shop-dev")

    def delete(self, name):
        self.stacks.delete_stack(StackName=name)
        self.stacks.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )


@pytest.fixture(scope="module")
def hand(cloud, tmp_path_factory):
    made = Hand(cloud, tmp_path_factory.mktemp("gone"))
    yield made
    made.proxy.close()
    assert not made.proxy.violations, made.proxy.violations


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_gone_is_said(hand, situation):
    """Each command from the same start; one that refuses has written nothing but leases."""
    troupe, column, wrong = hand.troupe, SITUATIONS.index(situation), []
    hand.account.put_back("whole")
    getattr(hand, situation)()
    hand.account.keep(situation)
    for command, expected in COMMANDS.items():
        hand.account.put_back(situation)
        mark = hand.proxy.mark()
        code, *texts = expected[column]
        result = troupe(*command.split(), check=False)
        said = result.out + result.err
        if result.code != code or any(text not in said for text in texts) or "s3:///" in said:
            wrong.append(f"{texts} with exit {code}, not {result}")
        written = [
            call.name
            for call in hand.proxy.calls(since=mark, writes=True)
            if not call.name.startswith("s3.")
        ]
        if code in (1, 3) and written:
            wrong.append(f"refused, but {written}: {result}")
        if command == "remove --service --yes" and (left := leftovers(troupe.world())):
            wrong.append(f"left: {left}")
    assert not wrong, "\n".join(wrong)


def test_what_is_left_is_removed_and_comes_back(hand):
    """The advice leads out."""
    for situation in SITUATIONS:
        hand.account.put_back("whole")
        getattr(hand, situation)()
        hand.troupe("remove", "--service" if situation in SITUATIONS[:2] else "dev", "--yes")
        hand.troupe("deploy", "dev")
        assert hand.troupe.call_rest("dev", "/hello").text == "three"


def test_removed_twice(hand):
    hand.account.put_back("whole")
    first = hand.troupe("remove", "dev", "--yes", "--json").json
    assert [item["name"] for item in first["deleted"]] == ["shop-dev"] and first["nothing"] is False
    again = hand.troupe("remove", "dev", "--yes")
    assert "stage 'dev' is not there: nothing to remove" in again.out, str(again)
    assert "troupe stages" in hand.troupe("remove", "dve", "--yes", check=1).err
    hand.troupe("remove", "--service", "--yes")
    again = hand.troupe("remove", "--service", "--yes")
    assert "service 'shop' is not there: nothing to remove" in again.out, str(again)
    hand.troupe("remove", "dev", "--yes", check=1)


NEEDS = """service: ${file(name.yml):name}
provider:
  name: aws
  runtime: nodejs20.x
  stage: ${file(name.yml):stage}
  environment:
    A: ${cf:other-dev.Value}
    B: ${ssm:/gone}
    C: ${env:GONE}
    D: ${file(gone.yml):d}
    E: ${param:gone}
functions:
  hello: {handler: handler.hello, timeout: '${env:GONE}'}
custom: {troupe: {history: {keep: 2}, protect: ['${self:provider.stage}'], shift: "${env:GONE, null}"}}
resources: ${file(gone.yml):resources, null}
"""


def test_removing_needs_only_what_finds_the_stacks(hand):
    troupe, files = (
        hand.troupe,
        {path.name: path.read_text() for path in hand.troupe.folder.iterdir() if path.is_file()},
    )
    for args in (("dev", "--yes"), ("prod", "--yes"), ("--service", "--yes")):
        hand.account.put_back("whole")
        troupe.write({"serverless.yml": NEEDS, "name.yml": "name: shop\nstage: prod\n"})
        assert troupe("plan", "dev", check=2).err
        mark = hand.proxy.mark()
        troupe("remove", *args)
        asked = {call.name.split(".")[0] for call in hand.proxy.calls(since=mark)}
        assert "ssm" not in asked, asked
        left = {"dev": {"shop", "shop-prod"}, "prod": {"shop", "shop-dev"}, "--service": set()}[
            args[0]
        ]
        assert set(troupe.world()["stacks"]) == left
    hand.account.put_back("whole")
    assert "protected" in troupe("remove", "prod", check=3).err, "what guards a stage is read"
    troupe.write({"serverless.yml": NEEDS.replace("protect:", "protekt:")})
    assert "protekt" in troupe("remove", "prod", "--yes", check=2).err, "a misspelt guard is none"
    troupe.write({"serverless.yml": NEEDS, "name.yml": "name: shop\n"})
    assert "name.yml" in troupe("remove", check=2).err, "and what names it is needed"
    troupe.write(
        {
            "serverless.yml": NEEDS.replace("${file(name.yml):name}", "${env:GONE}"),
            "name.yml": "stage: dev\n",
        }
    )
    result = troupe("remove", "--service", "--yes", check=2)
    assert "serverless.yml:1:" in result.err and "GONE" in result.err, str(result)
    troupe.write(files)
