"""The command line does what it says or refuses: options, empty arguments, words of other tools,
plans, names that are nearly those of stages, closed descriptors and signals. One service and one
cloud for all.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import new_account, new_troupe, closed
from program import PROGRAM, bare_environment
from proxy import Proxy
from shop import append, code
from world import differences

TABLE = """
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


@pytest.fixture(scope="module")
def shop(cloud, tmp_path_factory):
    """`dev` at its second deployment and `prod`, which holds data; serverless.yml names prod, as
    many do, and its code is newer.
    """
    account = new_account(cloud)
    proxy = Proxy(cloud)
    troupe = new_troupe(tmp_path_factory.mktemp("line") / "one", account, proxy).use("shop")
    append(troupe, TABLE)
    troupe.edit("serverless.yml", "provider:\n", "provider:\n  stage: prod\n")
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    code(troupe, "two")
    troupe("deploy", "dev")
    code(troupe, "three")
    yield troupe
    closed(proxy)


class Unchanged:
    """Nothing that changes anything is sent, and AWS is what it was."""

    def __init__(self, troupe):
        self.troupe = troupe

    def __enter__(self):
        self.before, self.mark = self.troupe.world(), self.troupe.proxy.mark()

    def __exit__(self, kind, value, trace):
        if kind:
            return
        assert [str(call) for call in self.troupe.proxy.calls(since=self.mark, writes=True)] == []
        assert differences(self.before, self.troupe.world()) == []


CHANGING = [
    ("deploy", "dev"),
    ("deploy", "new"),
    ("deploy", "--service"),
    ("deploy", "dev", "--function", "hello"),
    ("rollback", "dev"),
    ("rollback", "dev", "--to", "1"),
    ("reset", "prod", "--to", "dev"),
    ("clone", "prod", "hotfix"),
    ("shift", "dev", "--to", "1", "--weight", "10"),
    ("repair", "dev"),
    ("unlock", "dev"),
    ("unlock",),
    ("remove", "dev"),
    ("remove",),
    ("remove", "--service"),
    ("prune",),
    ("prune", "--unused-for", "0s"),
]


def test_a_plan_changes_nothing(shop):
    with Unchanged(shop):
        for args in CHANGING:
            for option in ("--plan", "--dry-run"):
                assert shop(*args, option).out, args
        assert "no stack 'shop-other' to take over" in shop("adopt", "other", "--plan", check=1).err
        assert "no shift of 'dev'" in shop("shift", "dev", "--abort", "--plan", check=3).err


def test_the_plan_of_a_removal_lists_what_goes(shop):
    text = shop("remove", "dev", "--plan").out
    assert "stack 'shop-dev', stage dev" in text and "shop-prod" not in text
    assert any(
        "Orders" in line and "AWS::DynamoDB::Table" in line and "DATA IS LOST" in line
        for line in text.splitlines()
    ), text
    stacks = shop("remove", "--service", "--plan", "--json").json["stacks"]
    assert [(stack["name"], stack.get("stage")) for stack in stacks] == [
        ("shop-dev", "dev"),
        ("shop-prod", "prod"),
        ("shop", None),
    ]
    lost = [[item["name"] for item in stack["resources"] if item["losesData"]] for stack in stacks]
    assert lost[:2] == [["Orders"], ["Orders"]]
    said = shop("remove", "--service", check=3).err
    assert "stack 'shop-dev': Orders" in said and "stack 'shop-prod': Orders" in said, said
    assert "'nowhere' is not deployed" in shop("remove", "nowhere", "--plan", check=1).err


def test_a_plan_exits_with_0_or_says_in_detail(shop):
    assert "code" in shop("plan", "dev").out
    shop("plan", "dev", "--detailed-exitcode", check=2)
    shop("rollback", "dev", "--plan", "--detailed-exitcode", check=2)
    shop("plan", "dev", "--detailed-exitcode", "--stgae", "x", check=1)
    shop("rollback", "nowhere", "--plan", "--detailed-exitcode", check=1)
    shop("deploy", "dev", "--detailed-exitcode", check=1)  # it is no plan


@pytest.mark.parametrize(
    "args, word",
    [
        (("remove", "", "-y"), "empty"),
        (("remove", "-y"), "STAGE"),
        (("remove", "--stage", "-y"), "--stage=-y"),
        (("remove", "--stage", "", "-y"), "empty"),
        (("remove", "--stage=", "-y"), "empty"),
        (("remove", "-s", "", "-y"), "empty"),
        (("deploy", ""), "empty"),
        (("rollback", "", "-y"), "empty"),
        (("rollback", "dev", "--to", ""), "empty"),
        (("deploy", "--region", ""), "empty"),
        (("invoke", "dev", "--function", ""), "empty"),
        (("invoke", "dev", "hello", "-d", ""), "empty"),
        (("logs", "", "hello"), "empty"),
        (("clone", "", "x"), "empty"),
        (("remove", "--service", "--stage", "dev", "-y"), "exclude"),
        (("deploy", "--service", "-s", "dev"), "exclude"),
        (("remove", "dev", "-f", "hello"), "it belongs to"),
        (("rollback", "dev", "-f", "hello"), "go back together"),
        (("deploy", "dev", "--weight", "10"), "shift"),
        (("stages", "--plan"), "it belongs to"),
        (("rollback", "dev", "--package", "x"), "it belongs to"),
        (("validate", "--json"), "it belongs to"),
        (("local", "up", "--plan"), "local wipe"),
        (("local", "down", "--persist"), "local up"),
    ],
)
def test_refused_before_anything_is_asked(shop, args, word):
    mark = shop.proxy.mark()
    result = shop(*args, check=2)
    assert word in result.err and not result.out, str(result)
    assert shop.proxy.names(mark) == []


@pytest.mark.parametrize(
    "line, word",
    [
        ("deploy list", "history"),
        ("deploy list functions", "stages"),
        ("deploy function -f hello", "--function"),
        ("deploy function --function hello --stage dev", "--function"),
        ("invoke local -f hello", "--local"),
        ("rollback function -f hello", "rollback STAGE"),
        ("offline start --httpPort 3000", "--local"),
        ("dev", "--local"),
        ("create --template aws-nodejs", "examples"),
        ("metrics", "CloudWatch"),
        ("plugin install -n x", "plugins are not run"),
        ("config credentials --provider aws", "--aws-profile"),
        ("login", "Dashboard"),
        ("test", "your own tests"),
        ("deploy dev --force", "content"),
        ("deploy dev --conceal", "secrets"),
        ("logs -f hello --startTime 5m", "--since"),
        ("deploy --aws-s3-accelerate", "once"),
        ("deploy --org me --app you", "Dashboard"),
        ("invoke -f hello --raw", "string"),
        ("invoke -f hello -t Event", "waited for"),
        ("rollback -t 1476790110568", "--to N"),
        ("deploy --profile x", "--aws-profile"),
    ],
)
def test_words_of_the_serverless_framework(shop, line, word):
    mark = shop.proxy.mark()
    result = shop(*line.split(), check=2)
    assert word in result.err, str(result)
    assert "did you mean" not in result.err and shop.proxy.names(mark) == []


def test_help_stands_anywhere(shop):
    text = shop("help", "deploy").out
    for args in (
        ["deploy", "dev", "--help"],
        ["help", "deploy", "dev"],
        ["deploy", "-h", "--purge"],
    ):
        assert shop(*args).out == text
    assert "--verify" in text and "--purge" not in text and "troupe deploy dev --local" in text
    assert shop("-v").out == shop("--version").out


def test_a_name_that_is_nearly_a_stage(shop):
    with Unchanged(shop):
        for args in (("deploy", "prdo", "--plan"), ("clone", "dev", "prob", "--plan")):
            assert "but a stage 'prod'" in shop(*args).err
    before = shop.world()
    for args, name in (
        (("deploy", "prdo"), "prod"),
        (("clone", "prod", "dve"), "dev"),
        (("deploy", "--stage", "de"), "dev"),
    ):
        said = shop(*args, check=3).err
        assert f"but a stage '{name}'" in said and "--yes" in said, said
    assert differences(before, shop.world()) == []


def test_stages_that_may_be_made(shop):
    original = (shop.folder / "serverless.yml").read_text()
    append(shop, "custom:\n  troupe: {stages: [prod, 'pr-*', prdo]}\n")
    try:
        before = shop.world()
        for args in (("deploy", "qa", "--yes"), ("clone", "dev", "qa"), ("plan", "qa")):
            said = shop(*args, check=3).err
            assert "prod, pr-*, prdo" in said and "serverless.yml:" in said, said
        assert differences(before, shop.world()) == []
        for args in (
            ("deploy", "pr-7", "--plan"),
            ("deploy", "prdo", "--plan"),
            ("deploy", "dev", "--plan"),
        ):
            assert "but a stage" not in shop(*args).err
    finally:
        (shop.folder / "serverless.yml").write_text(original)


def test_what_is_not_there_is_1(shop):
    for line in (
        "info nowhere",
        "rollback nowhere",
        "repair nowhere",
        "reset nowhere --to dev",
        "reset dev --to nowhere",
        "clone nowhere hotfix",
        "clone dev#77 hotfix",
        "rollback dev --to 77",
        "diff dev nowhere",
        "diff dev dev#77",
        "invoke dev nothing",
        "logs dev nothing",
        "invoke nowhere hello",
        "deploy dev --function nothing",
        "remove nowhere --plan",
        "adopt nowhere --plan",
    ):
        shop(*line.split(), check=1)


def test_functions_of_the_stage_not_of_the_checkout(shop):
    original = (shop.folder / "serverless.yml").read_text()
    shop.edit("serverless.yml", "  hello:\n", "  other:\n")
    try:
        assert json.loads(shop("invoke", "dev", "hello").out)["code"] == "two"
        shop("logs", "dev", "hello")
        assert "has no function 'other' yet" in shop("invoke", "dev", "other", check=1).err
        for command in ("invoke", "logs"):
            assert "did you mean 'hello'?" in shop(command, "dev", "helo", check=1).err
    finally:
        (shop.folder / "serverless.yml").write_text(original)


def test_an_event_from_stdin(shop):
    for args in ((), ("-p", "-")):
        assert json.loads(shop("invoke", "dev", "hello", *args, stdin='{"a": 1}').out)["event"] == {
            "a": 1
        }
    assert json.loads(shop("invoke", "dev", "hello", "-d", '{"b": 2}', stdin='{"a": 1}').out)[
        "event"
    ] == {"b": 2}
    result = shop("invoke", "dev", "hello", "-d", "{bad")
    assert json.loads(result.out)["event"] == "{bad" and "no JSON" in result.err
    assert "no JSON" not in shop("invoke", "dev", "hello", "-d", "plain words").err
    failed = shop("invoke", "dev", "hello", "-d", '{"fail": true}', check=1)
    assert "told to fail" in failed.err and "\n  = note: at " in failed.err, str(failed)


def test_parts_of_the_configuration(shop):
    assert json.loads(
        shop("print", "dev", "--path", "functions.orders.environment", "--format", "json").out
    ) == {"STAGE": "dev"}
    assert "did you mean 'functions'?" in shop("print", "--path", "function", check=2).err
    assert "functions.hello.timeout = 10\n" in shop("explain", "dev", "functions.hello.timeout").out
    assert (
        shop("explain", "functions.hello.timeout", "--json").json["inherited"] == "provider.timeout"
    )
    shop("package", "dev", "-p", "packed")
    template = json.loads(
        (shop.folder / "packed/cloudformation-template-update-stack.json").read_text()
    )
    assert (
        template["Resources"]["HelloLambdaFunction"]["Properties"]["FunctionName"]
        == "shop-dev-hello"
    )


def test_no_stage_anywhere(troupe):
    troupe.use("shop")
    result = troupe("deploy")
    assert "no stage is named" in result.err and "troupe deploy dev" in result.out, str(result)
    assert "no stage is named" in troupe("deploy", "--plan").err
    result = troupe("deploy", "--service")
    assert "no stage" not in result.err + result.out, str(result)


def test_descriptors_that_are_closed(shop):
    """A socket would get their numbers, and progress would be written into it."""
    environment = {**bare_environment(shop.home), **shop.env}
    for closing in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        done = subprocess.run(
            ["bash", "-c", f'exec "$0" "$@" {closing}', PROGRAM, "deploy", "dev", "--verbose"],
            cwd=shop.folder,
            env=environment,
            timeout=180,
            capture_output=True,
        )
        assert done.returncode == 0, (closing, done)
    assert shop("plan", "dev", "--json").json["nothing"] is True


def test_a_terminal_that_goes_away(shop):
    """SIGHUP stops at the next safe point, as SIGTERM does. The shell sends another one, which is
    no reason to stop at once.
    """
    signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # below nohup it is ignored, and troupe leaves it so
    before = json.loads(shop("invoke", "dev", "hello").out)["code"]
    code(shop, "four")
    running = []

    def hang_up(_):
        for _ in range(2):
            os.kill(running[0].pid, signal.SIGHUP)
            while (
                Path(f"/proc/{running[0].pid}/status")
                .read_text()
                .split("ShdPnd:")[1]
                .split()[0]
                .endswith("1")
            ):
                time.sleep(0.001)  # until it was taken: two at once would be one

    rule = shop.proxy.rule("call", operation="UpdateFunctionCode", nth=1, function=hang_up)
    running.append(shop.start("deploy", "dev"))
    result = running[0].wait()
    shop.proxy.clear()
    assert result.code in (130, 5) and rule.hits, str(result)
    assert json.loads(shop("invoke", "dev", "hello").out)["code"] == before
    shop("deploy", "dev")
