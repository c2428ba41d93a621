"""What people change by hand, in the console or with another tool: it is found and named, and
repaired, worked around, or refused with a way out; and another stage never suffers.

(Pointers and stacks that `repair` brings back, and objects that it names, are in test_repair.)
"""

import base64
import json

import pytest

from invariants import Records, settled_problems, stage_problems
from kills import two_stages
from shop import code
from test_rollback import EMPTY_ZIP
from world import differences, of_stage, settled

FOLDER = "troupe/shop"


class Hand:
    """The two stages of kills.py, and a hand that meddles with dev."""

    def __init__(self, cloud, place):
        from conftest import Proxy, new_account, new_troupe

        self.account = new_account(cloud)
        self.proxy = Proxy(cloud)
        self.troupe = new_troupe(place / "one", self.account, self.proxy)
        two_stages(self.troupe)
        self.files = {path.name: path.read_text() for path in self.troupe.folder.iterdir()}
        self.lam, self.stacks, self.s3, self.rest, self.iam = (
            self.account.client(name)
            for name in ("lambda", "cloudformation", "s3", "apigateway", "iam")
        )
        self.bucket = self.s3.list_buckets()["Buckets"][0]["Name"]
        self.api = self.rest.get_rest_apis()["items"][0]["id"]
        self.records = Records(self.account, "shop").stages
        self.prod = self.troupe.stage("prod", "shop")
        self.account.keep("unharmed")

    def fresh(self):
        self.account.put_back("unharmed")
        self.troupe.write(self.files)

    def version(self, number, function="hello"):
        return self.records["dev"][number]["versions"]["functions"][function]["version"]

    def deployment(self, number):
        return self.records["dev"][number]["versions"]["apis"]["ApiGatewayRestApi"]["deployment"]

    def lose(self, key):
        """Delete an object, which has to be there."""
        self.s3.head_object(Bucket=self.bucket, Key=f"{FOLDER}/{key}")
        self.s3.delete_object(Bucket=self.bucket, Key=f"{FOLDER}/{key}")

    def scribble(self, key, text):
        self.s3.put_object(Bucket=self.bucket, Key=f"{FOLDER}/{key}", Body=text)

    def change_stack(self, change):
        stack = self.stacks.describe_stacks(StackName="shop-dev")["Stacks"][0]
        template = self.stacks.get_template(StackName="shop-dev")["TemplateBody"]
        template = (
            json.loads(template) if isinstance(template, str) else json.loads(json.dumps(template))
        )
        change(template)
        self.stacks.update_stack(
            StackName="shop-dev",
            TemplateBody=json.dumps(template),
            Tags=stack["Tags"],
            Parameters=stack.get("Parameters", []),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        self.stacks.get_waiter("stack_update_complete").wait(
            StackName="shop-dev", WaiterConfig={"Delay": 1}
        )

    def trouble(self):
        """What is wrong with dev, and whether prod changed."""
        world, records = self.troupe.world(), Records(self.account, "shop")
        return stage_problems(world, records, "dev", "shop") + differences(
            of_stage(world, "prod", "shop"), self.prod
        )


@pytest.fixture(scope="module")
def one_hand(cloud, tmp_path_factory):
    from conftest import closed

    made = Hand(cloud, tmp_path_factory.mktemp("hand"))
    yield made
    closed(made.proxy)


@pytest.fixture
def hand(one_hand):
    one_hand.fresh()
    return one_hand


# -- what is served --------------------------------------------------------------------------------


def alias_moved(hand):
    hand.lam.update_alias(FunctionName="shop-hello", Name="dev", FunctionVersion=hand.version(1))


def api_stage_moved(hand):
    hand.rest.update_stage(
        restApiId=hand.api,
        stageName="dev",
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": hand.deployment(2)}],
    )


@pytest.mark.parametrize(
    "harm, named",
    [
        (alias_moved, "'hello' pointed at v1 instead of v3"),
        (api_stage_moved, "'ApiGatewayRestApi' pointed at"),
    ],
)
def test_a_pointer_moved(hand, harm, named):
    harm(hand)
    assert hand.trouble()
    assert named in hand.troupe("repair", "dev", "--plan").out
    assert hand.trouble(), "a plan changed something"
    assert named in hand.troupe("repair", "dev").out
    assert hand.trouble() == []


@pytest.mark.parametrize(
    "args", [("rollback", "dev", "--to", "1"), ("reset", "dev", "--to", "prod"), ("deploy", "dev")]
)
def test_a_command_that_moves_a_pointer_moves_it_from_wherever_it_is(hand, args):
    hand.lam.update_alias(FunctionName="shop-hello", Name="dev", FunctionVersion=hand.version(2))
    if args[0] == "deploy":
        code(hand.troupe, "four")
    hand.troupe(*args)
    assert hand.trouble() == []


def test_a_rollback_takes_weights_away(hand):
    hand.lam.update_alias(
        FunctionName="shop-hello",
        Name="dev",
        FunctionVersion=hand.version(2),
        RoutingConfig={"AdditionalVersionWeights": {hand.version(1): 0.5}},
    )
    hand.troupe("rollback", "dev", "--to", "1")
    assert hand.trouble() == []


def test_a_pointer_deleted(hand):
    """What hung on an alias went with it: its permissions, on AWS and here."""
    before = hand.troupe.world()
    hand.lam.delete_alias(FunctionName="shop-orders", Name="dev")
    hand.rest.delete_stage(restApiId=hand.api, stageName="dev")
    assert hand.troupe.world() != before
    planned = hand.troupe("repair", "dev", "--plan")
    result = hand.troupe("repair", "dev")
    for out in (planned.out, result.out):
        assert (
            "the alias 'dev' of 'orders' was gone" in out
            and "the API stage 'dev' of 'ApiGatewayRestApi' was gone" in out
        )
    assert hand.trouble() == []
    assert (
        differences(settled(hand.troupe.world(), hand.account.id), settled(before, hand.account.id))
        == []
    )
    assert "nothing" in hand.troupe("repair", "dev").out


@pytest.mark.parametrize(
    "args, exits, ends",
    [
        (("deploy", "dev"), 1, 3),
        (("rollback", "dev", "--to", "1"), 5, 4),
        (("rollback", "dev", "--to", "2"), 1, 3),
    ],
    ids=lambda part: str(part),
)
def test_a_command_that_meets_a_deleted_pointer(hand, args, exits, ends):
    """CloudFormation does not make it again. `repair` does, and ends a rollback whose other
    pointers have moved.
    """
    hand.lam.delete_alias(FunctionName="shop-hello", Name="dev")
    code(hand.troupe, "new")
    result = hand.troupe(*args, check=exits)
    assert "troupe repair dev" in result.err, str(result)
    assert "the alias 'dev' of 'hello' was gone" in hand.troupe("repair", "dev").out
    assert hand.trouble() == [] and hand.troupe("info", "dev", "--json").json["deployment"] == ends
    assert "nothing to repair" in hand.troupe("repair", "dev").out


# -- stacks ----------------------------------------------------------------------------------------


def test_a_stack_without_its_number(hand):
    """Nobody knows which deployment it is at: the next deploy says so again."""
    hand.change_stack(lambda template: template["Outputs"].pop("TroupeDeployment"))
    result = hand.troupe("repair", "dev", check=3)
    assert "TroupeDeployment" in result.err and "troupe deploy dev" in result.err, str(result)
    for args in (("rollback", "dev"), ("reset", "dev", "--to", "prod")):
        hand.troupe(*args, check=1)
    assert hand.troupe("plan", "dev", "--json").json["nothing"] is False
    hand.troupe("deploy", "dev")
    assert hand.trouble() == []
    assert settled_problems(hand.troupe.world(), Records(hand.account, "shop"), "shop") == []


def test_a_stack_with_a_number_that_no_record_has(hand):
    hand.change_stack(lambda template: template["Outputs"]["TroupeDeployment"].update(Value="9"))
    before = hand.troupe.world()
    for args in (
        ("repair", "dev"),
        ("deploy", "dev"),
        ("rollback", "dev"),
        ("reset", "dev", "--to", "prod"),
    ):
        result = hand.troupe(*args, check=1)
        assert (
            "at deployment 9, but the bucket has no such record" in result.err
            and "help:" in result.err
        ), str(result)
    assert hand.troupe.world() == before
    # The way out.
    hand.troupe("remove", "dev", "--yes")
    hand.troupe("deploy", "dev")
    assert hand.trouble() == []


def test_a_stack_with_another_resource(hand):
    hand.change_stack(
        lambda template: template["Resources"].update(Extra={"Type": "AWS::SQS::Queue"})
    )
    assert hand.troupe.world()["queues"]
    plan = hand.troupe("plan", "dev", "--json").json
    assert [change["name"] for change in plan["changes"]] == ["Extra"], plan
    hand.troupe("deploy", "dev")
    assert hand.troupe.world()["queues"] == [] and hand.trouble() == []


def test_a_stack_deleted(hand):
    """The records stay, and the stage comes back with the next number."""
    hand.stacks.delete_stack(StackName="shop-dev")
    hand.stacks.get_waiter("stack_delete_complete").wait(
        StackName="shop-dev", WaiterConfig={"Delay": 1}
    )
    for args in (("repair", "dev"), ("rollback", "dev"), ("reset", "dev", "--to", "prod")):
        assert "not deployed" in hand.troupe(*args, check=1).err
    assert len(hand.troupe("history", "dev", "--json").json["deployments"]) == 3
    hand.troupe("deploy", "dev")
    assert hand.trouble() == []
    assert hand.troupe.world()["stacks"]["shop-dev"]["outputs"]["TroupeDeployment"] == "4"


# -- snapshots -------------------------------------------------------------------------------------


def test_an_old_version_deleted(hand):
    """It is published again, by whatever needs it."""
    hand.lam.delete_function(FunctionName="shop-hello", Qualifier=hand.version(2))
    result = hand.troupe("rollback", "dev", "--to", "2")
    assert "not at once, but from the recorded sources" in result.err, str(result)
    assert hand.trouble() == []


def test_an_old_deployment_deleted(hand):
    hand.rest.delete_deployment(restApiId=hand.api, deploymentId=hand.deployment(2))
    hand.troupe("rollback", "dev", "--to", "2")
    assert hand.trouble() == []
    assert hand.troupe.call_rest("dev", "/new").json()["code"] == "two"


def made_again(hand, codes):
    """A function of that name, with so many versions of other code."""
    role = hand.lam.get_function(FunctionName="shop-orders")["Configuration"]["Role"]
    hand.lam.create_function(
        FunctionName="shop-hello",
        Runtime="nodejs20.x",
        Handler="x.x",
        Role=role,
        Code={"ZipFile": EMPTY_ZIP},
    )
    hand.lam.get_waiter("function_active_v2").wait(
        FunctionName="shop-hello", WaiterConfig={"Delay": 1}
    )
    for n in range(codes):
        hand.lam.update_function_configuration(
            FunctionName="shop-hello", Description=f"by hand {n}"
        )
        hand.lam.get_waiter("function_updated_v2").wait(
            FunctionName="shop-hello", WaiterConfig={"Delay": 1}
        )
        hand.lam.publish_version(FunctionName="shop-hello")


def test_a_function_deleted(hand):
    hand.lam.delete_function(FunctionName="shop-hello")
    code(hand.troupe, "four")
    result = hand.troupe("deploy", "dev", check=1)
    assert (
        "function 'hello'" in result.err and "make a function 'shop-hello' again" in result.err
    ), str(result)
    assert "of 'hello' is gone" in hand.troupe("repair", "dev", check=1).out
    # The way out that it names.
    made_again(hand, 1)
    hand.troupe("remove", "dev", "--yes")
    hand.troupe("deploy", "dev")
    world = hand.troupe.world()
    assert stage_problems(world, Records(hand.account, "shop"), "dev", "shop") == []
    assert hand.troupe.call_rest("dev", "/hello").json()["code"] == "four"


def test_a_function_made_again_by_somebody(hand):
    """Versions have the old numbers and other code: they are not what was deployed."""
    hand.lam.delete_function(FunctionName="shop-hello")
    made_again(hand, 3)
    assert "version 3 is not what was deployed" in hand.troupe("repair", "dev", check=1).out
    hand.lam.create_alias(FunctionName="shop-hello", Name="dev", FunctionVersion="1")
    sha = hand.lam.get_function(FunctionName="shop-hello", Qualifier="1")["Configuration"][
        "CodeSha256"
    ]
    result = hand.troupe("rollback", "dev", "--to", "1")
    assert "version 1 of 'hello'" in result.err and "not at once" in result.err, str(result)
    world = hand.troupe.world()
    function = world["functions"]["shop-hello"]
    served = function["versions"][function["aliases"]["dev"]["version"]]
    wanted = base64.b64encode(
        bytes.fromhex(hand.records["dev"][1]["body"]["functions"]["hello"]["artifact"])
    ).decode()
    assert served["CodeSha256"] == wanted != sha


# -- the bucket ------------------------------------------------------------------------------------


def test_code_that_is_gone_is_written_anew(hand):
    key = f"artifacts/{hand.records['dev'][3]['body']['functions']['hello']['artifact']}.zip"
    hand.lose(key)
    assert "the code of 'hello' of dev#3 is gone" in hand.troupe("repair", "dev", check=1).out
    hand.troupe.edit("serverless.yml", "  timeout: 10", "  timeout: 11")
    hand.troupe("deploy", "dev")
    assert f"{FOLDER}/{key}" in Records(hand.account, "shop").keys and hand.trouble() == []


@pytest.mark.parametrize(
    "args, stage, number",
    [(("rollback", "dev", "--to", "2"), "dev", 2), (("reset", "dev", "--to", "prod"), "prod", 1)],
)
def test_sources_that_are_gone_are_named(hand, args, stage, number):
    sources = hand.records[stage][number]["body"]["sources"]
    hand.lose(f"sources/{sources}.json")
    before = hand.troupe.world()["functions"]
    result = hand.troupe(*args, check=1)
    assert f"sources/{sources}.json" in result.err and "troupe deploy dev" in result.err, str(
        result
    )
    assert hand.troupe.world()["functions"] == before


def test_the_record_of_now_is_gone(hand):
    hand.lose("stages/dev/3.json")
    before = hand.troupe.world()["functions"]
    for args in (
        ("repair", "dev"),
        ("deploy", "dev"),
        ("rollback", "dev"),
        ("reset", "dev", "--to", "prod"),
    ):
        result = hand.troupe(*args, check=1)
        assert "no such record" in result.err and "stages/dev/3.json" in result.err, str(result)
    assert hand.troupe.world()["functions"] == before


def test_what_was_published_for_now_is_gone(hand):
    hand.lose("stages/dev/3.versions.json")
    before = hand.troupe.stage("dev", "shop")
    result = hand.troupe("repair", "dev", check=1)
    assert "3.versions.json" in result.err and "troupe deploy dev" in result.err, str(result)
    assert hand.troupe.stage("dev", "shop") == before
    hand.troupe("deploy", "dev")
    assert hand.trouble() == []


@pytest.mark.parametrize(
    "key",
    [
        "stages/dev/2.json",
        "stages/prod/1.json",
        "stages/dev/2.versions.json",
        "stages/dev/2.outcome.json",
    ],
)
def test_a_record_that_is_gone_hinders_nobody_else(hand, key):
    hand.lose(key)
    code(hand.troupe, "four")
    hand.troupe("deploy", "dev")
    assert hand.trouble() == []


@pytest.mark.parametrize("number", [2, 3])
def test_views_go_on_without_a_record(hand, number):
    hand.lose(f"stages/dev/{number}.json")
    entries = {
        entry["number"]: entry
        for entry in hand.troupe("history", "dev", "--json").json["deployments"]
    }
    assert entries[number]["outcome"] == "record gone" and entries[1]["outcome"] == "succeeded"
    stages = {stage["name"]: stage for stage in hand.troupe("stages", "--json").json["stages"]}
    assert stages["prod"]["status"] == "ready"
    assert stages["dev"]["status"] == ("unknown" if number == 3 else "ready")
    assert ("the record of dev#3 is gone" in hand.troupe("stages").out) == (number == 3)


@pytest.mark.parametrize(
    "key, text",
    [
        ("stages/dev/3.json", "{oops"),
        ("stages/dev/3.json", "[]"),
        ("stages/dev/3.versions.json", "{}"),
        ("stages/dev/3.json", ""),
    ],
)
def test_a_record_that_cannot_be_read_is_named(hand, key, text):
    hand.scribble(key, text)
    before = hand.troupe.world()["functions"]
    for args in (("repair", "dev"), ("deploy", "dev"), ("history", "dev"), ("stages",)):
        if args[0] == "history" and "versions" in key:
            continue
        result = hand.troupe(*args, check=False)
        if args == ("stages",) and result.code == 0:  # the overview may go on with what it can read
            continue
        assert result.code == 1 and key in result.err and "newer" not in result.err, str(result)
    assert hand.troupe.world()["functions"] == before


def test_a_newer_record_is_not_guessed_at(hand):
    body = {**hand.records["dev"][3]["body"], "format": 2}
    hand.scribble("stages/dev/3.json", json.dumps(body))
    result = hand.troupe("deploy", "dev", check=1)
    assert "format 2" in result.err and "update troupe" in result.err, str(result)


@pytest.mark.parametrize("text", ["oops", "[]", ""])
def test_a_lease_that_cannot_be_read_is_respected_until_it_runs_out(hand, text):
    hand.scribble("locks/stage-dev.json", text)
    code(hand.troupe, "four")
    result = hand.troupe("deploy", "dev", check=4)
    assert "at work" in result.err and "60 seconds" in result.err, str(result)
    assert hand.trouble() == []
