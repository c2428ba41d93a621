"""Commands that only look, while a stack is being updated: its outputs cannot be read then, and
what is served has not changed.
"""

import json

import pytest

from legacy import CAPABILITIES, template

SERVICE = """service: talk
provider: {name: aws, runtime: nodejs20.x}
functions:
  say:
    handler: handler.main
"""
HANDLER = "exports.main = async () => { console.log('heard it'); return 'one'; };\n"


@pytest.fixture
def talk(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    return troupe


def begin_update(account, stack):
    """By hand: a queue more. Returns when the update is under way."""
    client = account.client("cloudformation")
    now = client.describe_stacks(StackName=stack)["Stacks"][0]
    if now["StackStatus"].endswith("IN_PROGRESS"):
        return
    body = template(account, stack)
    for n in range(9):
        body["Resources"].pop(f"Extra{n}", None) or body["Resources"].update(
            {f"Extra{n}": {"Type": "AWS::SQS::Queue"}}
        )
    client.update_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Tags=now["Tags"],
        Capabilities=CAPABILITIES,
        Parameters=now.get("Parameters", []),
    )


def settle(account):
    client = account.client("cloudformation")
    for stack in client.describe_stacks()["Stacks"]:
        if stack["StackStatus"] == "UPDATE_IN_PROGRESS":
            client.get_waiter("stack_update_complete").wait(
                StackName=stack["StackName"], WaiterConfig={"Delay": 1}
            )


def while_busy(troupe, stack, nth, *args, **kwargs):
    """Run a command whose n-th question about stacks finds that one busy."""
    settle(troupe.account)
    rule = troupe.proxy.rule(
        "call",
        operation="DescribeStacks",
        nth=nth,
        function=lambda _: begin_update(troupe.account, stack),
    )
    result = troupe(*args, **kwargs)
    troupe.proxy.clear()
    assert rule.hits, f"{args} asked about fewer stacks"
    return result


# The first question is about the service's stack, the second one about the stage's.
@pytest.mark.parametrize("stack, nth", (("talk", 1), ("talk-dev", 2)))
def test_what_is_served_is_shown(talk, stack, nth):
    assert while_busy(talk, stack, nth, "invoke", "dev", "say").json == "one"
    info = while_busy(talk, stack, nth, "info", "dev", "--json").json
    assert info["deployment"] == 1 and [f["function"] for f in info["functions"]] == ["talk-say"]
    assert "heard it" in while_busy(talk, stack, nth, "logs", "dev", "say").out
    history = while_busy(talk, stack, nth, "history", "dev", "--json").json["deployments"]
    assert [(entry["number"], entry["outcome"]) for entry in history] == [(1, "succeeded")]
    result = while_busy(
        talk, stack, 1 if nth == 1 else 3, "diff", "dev", "prod", "--json"
    )  # it looks at the service twice
    assert result.json["nothing"] is True


def test_stages_while_the_service_changes(talk):
    found = while_busy(talk, "talk", 1, "stages", "--json").json
    assert [stage["name"] for stage in found["stages"]] == ["dev", "prod"] and found["functions"]


def test_a_stage_that_is_made(troupe):
    """It serves nothing yet."""
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe("deploy", "prod")
    troupe.proxy.kill(1, operation="CreateStack", after=True)
    assert troupe("deploy", "dev", check=False).code == -9
    troupe.proxy.clear()
    result = troupe("invoke", "dev", "say", check=False)
    stack = troupe.account.client("cloudformation").describe_stacks(StackName="talk-dev")["Stacks"][
        0
    ]
    if (
        stack["StackStatus"] == "CREATE_COMPLETE"
    ):  # on a busy machine it may be made before it was looked at
        assert result.code == 1 or result.json == "one", str(result)
    if result.code or stack["StackStatus"] != "CREATE_COMPLETE":
        assert result.code == 1 and "'dev' is not deployed" in result.err, str(result)


def test_a_removal_while_the_service_changes(talk):
    """It is recorded, and holds the lease: numbers go on."""
    while_busy(talk, "talk", 1, "remove", "dev")
    settle(talk.account)
    history = talk("history", "dev", "--json").json["deployments"]
    assert [entry["what"] for entry in history] == ["remove", "deploy"]
    talk("deploy", "dev")
    assert talk("info", "dev", "--json").json["deployment"] == 3
