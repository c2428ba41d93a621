"""Log groups per service and per stage, and the command that shows what a stage wrote."""

import json
import re

import pytest

from shop import eventually

SERVICE = """service: talk
provider: {name: aws, runtime: nodejs20.x}
LOGS
functions:
  say:
    handler: handler.main
    events:
      - http: GET say
  named:
    handler: handler.main
    name: the-speaker
"""
HANDLER = """exports.main = async (event) => {
  console.log('heard ' + (event.word || (event.queryStringParameters || {}).word));
  return {statusCode: 200, body: 'one'};
};
"""
STAGE = "custom: {troupe: {logs: stage}}"


def write(troupe, logs=""):
    troupe.write({"serverless.yml": SERVICE.replace("LOGS", logs), "handler.js": HANDLER})


def say(troupe, stage, word, function="say"):
    troupe("invoke", stage, function, "--data", json.dumps({"word": word}))


def lines(troupe, *args, **kwargs):
    """What `troupe logs` shows that the functions wrote."""
    result = troupe("logs", *args, **kwargs)
    for line in result.out.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  ", line), line
    return [found for found in re.findall(r"heard (\S+)", result.out)], result.err


def groups(troupe):
    return set(troupe.world()["log_groups"])


def test_the_lines_of_the_versions_of_a_stage(troupe):
    write(troupe)
    troupe("deploy", "dev")
    assert lines(troupe, "dev", "say") == ([], "")
    say(troupe, "dev", "first")
    say(troupe, "dev", "second")
    assert lines(troupe, "dev", "say") == (["first", "second"], "")
    assert lines(troupe, "dev", "say", "--filter", "second")[0] == ["second"]
    events = [json.loads(line) for line in troupe("logs", "dev", "say", "--json").out.splitlines()]
    assert [event["message"][:5] for event in events if "heard" in event["message"]] and all(
        "[1]" in event["stream"] and event["time"].endswith("Z") for event in events
    ), events
    troupe("clone", "dev", "prod")
    say(troupe, "prod", "third")
    found, said = lines(troupe, "dev", "say")
    assert found == ["first", "second", "third"] and "lines of 'prod' are among these" in said, said
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    say(troupe, "dev", "fourth")
    assert lines(troupe, "dev", "say") == (["fourth"], "")
    assert lines(troupe, "prod", "say")[0] == ["first", "second", "third"]
    assert lines(troupe, "prod", "say", "--since", "2999-01-01T00:00:00Z")[0] == []


def test_following_across_deployments(troupe):
    write(troupe)
    troupe("deploy", "dev")
    say(troupe, "dev", "before")
    running = troupe.start("logs", "dev", "say", "--tail", "--since", "5m")
    eventually(lambda: running.said("heard before"))
    say(troupe, "dev", "during")
    eventually(lambda: running.said("heard during"))
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    say(troupe, "dev", "after")
    eventually(lambda: running.said("heard after") and running.said("points at version 2 now"))
    running.process.send_signal(2)
    result = running.wait()
    assert result.code == 0 and re.findall(r"heard (\S+)", result.out) == [
        "before",
        "during",
        "after",
    ], str(result)
    assert "points at version 2 now" in result.err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    (
        (("dev",), 2, "no function is named"),
        (("dev", "say", "--since", "soon"), 2, "'--since' needs a time"),
        (("dev", "say"), 1, "stage 'dev' is not deployed"),
    ),
)
def test_what_cannot_be_shown(troupe, args, code, message):
    write(troupe)
    if message.startswith("no "):
        args = ("--stage", *args)
    assert message in troupe("logs", *args, check=code).err


def test_log_groups_of_a_stage(troupe):
    write(troupe, STAGE)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        say(troupe, stage, f"in-{stage}")
        say(troupe, stage, f"named-{stage}", "named")
    assert groups(troupe) == {
        "/aws/lambda/talk-dev-say",
        "/aws/lambda/talk-prod-say",
        "/aws/lambda/the-speaker-dev",
        "/aws/lambda/the-speaker-prod",
    }
    for stage in ("dev", "prod"):
        assert lines(troupe, stage, "say") == ([f"in-{stage}"], "")
        assert lines(troupe, stage, "named") == ([f"named-{stage}"], "")
    roles = json.dumps(troupe.world()["roles"])
    assert "/aws/lambda/talk-*" in roles and "/aws/lambda/the-speaker-*:*" in roles
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    result = troupe("reset", "dev", "--to", "prod", "--exact", check=3)
    assert "log" in result.err, str(result)
    prod = troupe.stage("prod", "talk")
    troupe("remove", "dev")
    assert groups(troupe) == {"/aws/lambda/talk-prod-say", "/aws/lambda/the-speaker-prod"}
    assert troupe.stage("prod", "talk") == prod
    say(troupe, "prod", "still")
    assert lines(troupe, "prod", "say")[0] == ["in-prod", "still"]
    troupe("remove", "--service")
    assert groups(troupe) == set()


def test_from_one_to_the_other_and_back(troupe):
    write(troupe)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    say(troupe, "dev", "shared")
    prod = troupe.stage("prod", "talk")
    write(troupe, STAGE)
    troupe("deploy", "dev")
    assert troupe.stage("prod", "talk") == prod
    say(troupe, "dev", "own")
    assert lines(troupe, "dev", "say") == (["own"], "")
    troupe("rollback", "dev")
    assert lines(troupe, "dev", "say")[0] == ["shared"], "the lines of the version it is at again"
    say(troupe, "dev", "again")
    assert lines(troupe, "dev", "say")[0] == ["shared", "again"]
    assert "/aws/lambda/talk-dev-say" not in groups(troupe)
    troupe("deploy", "dev")
    write(troupe)
    troupe("deploy", "dev")
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    assert groups(troupe) == {"/aws/lambda/talk-say", "/aws/lambda/the-speaker"}
    assert troupe.stage("prod", "talk") == prod


def test_one_stage_only(troupe):
    write(troupe, "custom: {troupe: {stages: {prod: {logs: stage}}}}")
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    assert "/aws/lambda/talk-prod-say" in groups(
        troupe
    ) and "/aws/lambda/talk-dev-say" not in groups(troupe)
    troupe("remove", "--service")
    assert troupe.world()["stacks"] == {}
