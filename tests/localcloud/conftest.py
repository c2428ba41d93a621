import pytest

from cloud import Cloud, Tools, function_arn, name


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def aws(cloud):
    return Tools(cloud)


@pytest.fixture(scope="session", autouse=True)
def scheduled(aws):
    """A function whose alias a schedule calls once a minute: made first, looked at last."""
    from test_events import HANDLER

    function = aws.function(files={"index.js": HANDLER})
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    alias = function_arn(function, "dev")
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
    assert aws.create(name("cron"), resources) == ("CREATE_COMPLETE", "")
    return function
