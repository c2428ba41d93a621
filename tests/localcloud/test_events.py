"""Events reach exactly the alias they name, if they may."""

import json
import time

import pytest

from cloud import ACCOUNT, REGION, function_arn, name, refused

HANDLER = """
exports.handler = async (event, context) => {
  console.log('EVENT ' + context.functionVersion + ' ' + context.invokedFunctionArn + ' '
              + JSON.stringify(event));
  if (JSON.stringify(event).includes('explode')) throw new Error('exploded');
  return 'done ' + context.functionVersion;
};
"""


@pytest.fixture
def target(aws):
    """A function whose alias dev is version 1 and whose $LATEST is something else."""
    function = aws.function(files={"index.js": HANDLER})
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    aws.configure(function, Description="later")
    return function


def seen(aws, function, seconds=60):
    """The first event line in the function's log, or None after the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = aws.logs.filter_log_events(
                logGroupName=f"/aws/lambda/{function}", filterPattern="EVENT"
            )["events"]
        except aws.logs.exceptions.ResourceNotFoundException:
            found = []
        if found:
            return found[0]["message"]
        time.sleep(0.1)
    return None


def received(aws, url, seconds=60):
    messages = []
    end = time.monotonic() + seconds
    while not messages and time.monotonic() < end:
        messages = aws.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
    return json.loads(messages[0]["Body"]) if messages else None


def expect_alias(message, function):
    assert message and message.startswith(f"EVENT 1 {function_arn(function, 'dev')} "), message


def test_sns(aws, target):
    topic = aws.sns.create_topic(Name=name("t"))["TopicArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function_arn(target, "dev"))
    aws.allow(target, None, "sns.amazonaws.com")
    aws.sns.publish(TopicArn=topic, Message="m")
    assert seen(aws, target, 1) is None
    aws.allow(target, "dev", "sns.amazonaws.com", source=topic)
    aws.sns.publish(TopicArn=topic, Message="m")
    expect_alias(seen(aws, target), target)


def test_eventbridge(aws, target):
    rule = aws.events.put_rule(Name=name("r"), EventPattern=json.dumps({"source": [target]}))[
        "RuleArn"
    ]
    aws.events.put_targets(
        Rule=rule.rsplit("/", 1)[1], Targets=[{"Id": "1", "Arn": function_arn(target, "dev")}]
    )
    entry = [{"Source": target, "DetailType": "d", "Detail": "{}"}]
    aws.events.put_events(Entries=entry)
    assert seen(aws, target, 1) is None
    aws.allow(target, "dev", "events.amazonaws.com", source=rule)
    aws.events.put_events(Entries=entry)
    expect_alias(seen(aws, target), target)


def test_s3(aws, target):
    bucket = name("b")
    aws.s3.create_bucket(Bucket=bucket)

    def configure(arn):
        return aws.s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [
                    {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
                ]
            },
        )

    for arn in (function_arn(target, "dev"), function_arn("nothere")):
        assert refused(lambda: configure(arn))[:2] == (400, "InvalidArgument")
    aws.allow(target, "dev", "s3.amazonaws.com", source=f"arn:aws:s3:::{bucket}")
    configure(function_arn(target, "dev"))
    aws.s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    expect_alias(seen(aws, target), target)


def test_logs_subscription(aws, target):
    group = name("/g")
    aws.logs.create_log_group(logGroupName=group)
    aws.logs.create_log_stream(logGroupName=group, logStreamName="s")
    subscription = dict(
        logGroupName=group,
        filterName="f",
        filterPattern="",
        destinationArn=function_arn(target, "dev"),
    )
    assert refused(aws.logs.put_subscription_filter, **subscription)[:2] == (
        400,
        "InvalidParameterException",
    )
    aws.allow(
        target,
        "dev",
        "logs.amazonaws.com",
        source=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*",
    )
    aws.logs.put_subscription_filter(**subscription)
    aws.logs.put_subscription_filter(**{**subscription, "filterName": "second"})
    third = {**subscription, "filterName": "third"}
    assert refused(aws.logs.put_subscription_filter, **third)[1] == "LimitExceededException"
    aws.logs.delete_subscription_filter(logGroupName=group, filterName="second")
    properties = {
        "LogGroupName": "/none",
        "FilterPattern": "",
        "DestinationArn": function_arn(target, "dev"),
    }
    status, reason = aws.create(
        name("filter"), {"F": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": properties}}
    )
    assert status == "ROLLBACK_COMPLETE" and "log group does not exist" in reason
    aws.logs.put_log_events(
        logGroupName=group,
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "hey"}],
    )
    expect_alias(seen(aws, target), target)


def queue(aws, **attributes):
    url = aws.sqs.create_queue(QueueName=name("q"), Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[1]}"


def test_queue(aws, target):
    url, arn = queue(aws)
    mapping = aws.lam.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=f"{target}:dev", BatchSize=1
    )
    assert mapping["FunctionArn"] == function_arn(target, "dev")
    status, code, message = refused(
        aws.lam.create_event_source_mapping,
        EventSourceArn=arn,
        FunctionName=function_arn(target, "dev"),
    )
    assert (status, code) == (409, "ResourceConflictException") and mapping["UUID"] in message
    lists = aws.lam.list_event_source_mappings
    assert len(lists(FunctionName=f"{target}:dev")["EventSourceMappings"]) == 1
    assert lists(FunctionName=target)["EventSourceMappings"] == []
    aws.sqs.send_message(QueueUrl=url, MessageBody="hi")
    expect_alias(seen(aws, target), target)
    aws.lam.delete_event_source_mapping(UUID=mapping["UUID"])


def test_streams(aws, target):
    table = name("t")
    aws.ddb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    stream = aws.ddb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    aws.lam.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=f"{target}:dev", StartingPosition="TRIM_HORIZON"
    )
    aws.ddb.put_item(TableName=table, Item={"id": {"S": "1"}})
    expect_alias(seen(aws, target, 15), target)


@pytest.mark.parametrize(
    "source, text",
    [
        (f"arn:aws:sqs:{REGION}:{ACCOUNT}:nothere", "AWS.SimpleQueueService.NonExistentQueue"),
        (f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/nothere", "Stream not found"),
        (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/nothere/stream/x", "Stream not found"),
    ],
)
def test_missing_sources(aws, target, source, text):
    status, code, message = refused(
        aws.lam.create_event_source_mapping,
        EventSourceArn=source,
        FunctionName=target,
        StartingPosition="LATEST",
    )
    assert (status, code) == (400, "InvalidParameterValueException") and text in message


def test_queue_must_outlast_the_function(aws, target):
    _, arn = queue(aws, VisibilityTimeout="5")
    assert (
        refused(aws.lam.create_event_source_mapping, EventSourceArn=arn, FunctionName=target)[2]
        == "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    )


def test_asynchronous_destinations_of_an_alias(aws, target):
    (failures, failure_arn), (successes, success_arn) = queue(aws), queue(aws)
    aws.lam.put_function_event_invoke_config(
        FunctionName=target,
        Qualifier="dev",
        MaximumRetryAttempts=1,
        DestinationConfig={
            "OnFailure": {"Destination": failure_arn},
            "OnSuccess": {"Destination": success_arn},
        },
    )
    for payload in ('"explode"', '"fine"'):
        answer = aws.lam.invoke(
            FunctionName=target, Qualifier="dev", InvocationType="Event", Payload=payload
        )
        assert answer["StatusCode"] == 202
    failed = received(aws, failures)
    assert failed["requestContext"]["functionArn"] == function_arn(target, "dev")
    assert (
        failed["requestContext"]["condition"],
        failed["requestContext"]["approximateInvokeCount"],
    ) == ("RetriesExhausted", 2)
    assert failed["requestPayload"] == "explode"
    assert failed["responsePayload"]["errorMessage"] == "exploded"
    worked = received(aws, successes)
    assert (worked["requestContext"]["condition"], worked["responsePayload"]) == (
        "Success",
        "done 1",
    )


def test_dead_letters_get_the_event(aws):
    url, arn = queue(aws)
    function = aws.function(files={"index.js": HANDLER}, DeadLetterConfig={"TargetArn": arn})
    aws.lam.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0)
    aws.lam.invoke(FunctionName=function, InvocationType="Event", Payload='{"a":"explode"}')
    assert received(aws, url) == {"a": "explode"}


def test_weights_apply_to_queue_batches(aws):
    function = aws.two_versions()
    aws.lam.create_alias(
        FunctionName=function,
        Name="dev",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    url, arn = queue(aws)
    aws.lam.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=f"{function}:dev", BatchSize=1
    )
    for number in range(24):
        aws.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    end, versions = time.monotonic() + 60, []
    while len(versions) < 24 and time.monotonic() < end:
        time.sleep(0.3)
        try:
            found = aws.logs.filter_log_events(
                logGroupName=f"/aws/lambda/{function}", filterPattern="called"
            )["events"]
            versions = [event["message"].split()[1] for event in found]
        except aws.logs.exceptions.ResourceNotFoundException:
            pass
    assert versions.count("1") > 3 and versions.count("2") > 3


@pytest.fixture(scope="session")
def schedule(aws):
    """The stack of a schedule that calls an alias once a minute. When all tests are over, it must
    have done so: the minute passes while the others run.
    """
    function = aws.function(files={"index.js": HANDLER})
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    alias, stack = function_arn(function, "dev"), name("cron")
    resources = {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": "rate(1 minute)",
                "Targets": [{"Id": "a", "Arn": alias, "Input": '{"k":1}'}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": alias,
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
    }
    assert aws.create(stack, resources) == ("CREATE_COMPLETE", "")
    yield stack
    message = seen(aws, function, 90)
    expect_alias(message, function)
    assert '{"k":1}' in message


def test_schedule(aws, schedule):
    """That it calls the alias is looked at last, by the fixture."""
    rule = aws.cf.describe_stack_resource(StackName=schedule, LogicalResourceId="Rule")
    physical = rule["StackResourceDetail"]["PhysicalResourceId"]
    found = aws.events.describe_rule(Name=physical.rpartition("|")[2])
    assert (found["State"], found["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
