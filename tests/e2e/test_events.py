"""Events reach the alias of their stage, for every kind of event."""

import json
import time

import pytest

GOT = "GOT "


@pytest.fixture(scope="module")
def pipes(cloud, tmp_path_factory):
    """The service with all events on two stages, deployed once."""
    from conftest import Proxy, closed, new_account, new_troupe

    account = new_account(cloud)
    proxy = Proxy(cloud)
    troupe = new_troupe(tmp_path_factory.mktemp("pipes") / "one", account, proxy).use("events")
    troupe.env["SUFFIX"] = account.id  # names of buckets are everybody's
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    yield troupe
    closed(proxy)


def received(troupe, function, stage, containing, seconds=60):
    """Wait until the function's log shows an event with this text; the ARN it was called by."""
    logs = troupe.account.client("logs")
    until = time.monotonic() + seconds
    seen = []
    while time.monotonic() < until:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/pipes-{function}")["events"]
        seen = [event["message"] for event in events if GOT in event["message"]]
        for message in seen:
            arn, _, event = message[message.index(GOT) + len(GOT) :].partition(" ")
            if containing in event and arn.endswith(f":{stage}"):
                return arn
        time.sleep(0.2)
    raise AssertionError(f"{function} of {stage} did not get '{containing}': {seen}")


def resource(troupe, stage, logical):
    return troupe.account.client("cloudformation").describe_stack_resource(
        StackName=f"pipes-{stage}", LogicalResourceId=logical
    )["StackResourceDetail"]["PhysicalResourceId"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
class TestEvents:
    def test_sqs(self, pipes, stage):
        queue = resource(pipes, stage, "Jobs")
        pipes.account.client("sqs").send_message(QueueUrl=queue, MessageBody=f"job for {stage}")
        received(pipes, "work", stage, f"job for {stage}")

    def test_sns(self, pipes, stage):
        topic = f"arn:aws:sns:us-east-1:{pipes.account.id}:pipes-news-{stage}"
        pipes.account.client("sns").publish(TopicArn=topic, Message=f"news for {stage}")
        received(pipes, "news", stage, f"news for {stage}")

    def test_s3(self, pipes, stage):
        bucket = f"pipes-files-{stage}-{pipes.account.id}"
        s3 = pipes.account.client("s3")
        s3.put_object(Bucket=bucket, Key=f"out/{stage}.txt", Body=b"x")
        s3.put_object(Bucket=bucket, Key=f"in/{stage}.txt", Body=b"x")
        received(pipes, "files", stage, f"in/{stage}.txt")
        with pytest.raises(AssertionError):
            received(pipes, "files", stage, f"out/{stage}.txt", seconds=0.5)

    def test_stream(self, pipes, stage):
        table = resource(pipes, stage, "Rows")
        pipes.account.client("dynamodb").put_item(
            TableName=table, Item={"id": {"S": f"row of {stage}"}}
        )
        received(pipes, "rows", stage, f"row of {stage}")

    def test_event_bridge(self, pipes, stage):
        pipes.account.client("events").put_events(
            Entries=[
                {
                    "Source": f"pipes.{stage}",
                    "DetailType": "t",
                    "Detail": json.dumps({"for": f"bus {stage}"}),
                }
            ]
        )
        received(pipes, "bus", stage, f"bus {stage}")

    def test_schedule(self, pipes, stage):
        rules = pipes.world()["rules"]
        alias = f":function:pipes-tick:{stage}"
        mine = [
            rule
            for rule in rules.values()
            if any(target.endswith(alias) for target in rule["targets"])
        ]
        assert [(rule["schedule"], rule["state"]) for rule in mine] == [
            ("rate(1 minute)", "ENABLED")
        ]


def test_every_event_names_an_alias(pipes):
    world = pipes.world()
    mapped = {
        source["FunctionArn"].rpartition(":function:")[2] for source in world["event_sources"]
    }
    assert mapped == {
        f"pipes-{function}:{stage}" for function in ("work", "rows") for stage in ("dev", "prod")
    }
    for name, function in world["functions"].items():
        assert function["policy"] == [], f"somebody may call {name} itself"


def test_after_a_change_the_event_calls_the_new_version(pipes):
    pipes.edit("handler.js", "// Says", "/* changed */ // Says")
    pipes("deploy", "dev")
    queue = resource(pipes, "dev", "Jobs")
    pipes.account.client("sqs").send_message(QueueUrl=queue, MessageBody="job after the change")
    received(pipes, "work", "dev", "job after the change")
    version = pipes.world()["functions"]["pipes-work"]["aliases"]["dev"]["version"]
    streams = pipes.account.client("logs").filter_log_events(
        logGroupName="/aws/lambda/pipes-work", filterPattern='"job after the change"'
    )["events"]
    assert any(f"[{version}]" in event["logStreamName"] for event in streams)
