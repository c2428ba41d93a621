"""Custom resources are called as CloudFormation calls them.

Source: CloudFormation user guide, "Custom resource request objects", "How CloudFormation processes
your requests": properties are texts; another physical id after an update has the old one removed,
when all else is done; what fails is told with its reason and, when the stack goes back, asked for
again as it was.
"""

import json

from cloud import allow, document, name, trust

# Says each call in a queue, and answers as its properties ask.
HANDLER = """
const http = require('http');
exports.handler = async (event) => {
  console.log('CALL ' + JSON.stringify(event));
  const { Name, Fail } = event.ResourceProperties;
  const failed = Fail === event.RequestType;
  const answer = { StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId,
    PhysicalResourceId: event.RequestType === 'Delete' ? event.PhysicalResourceId : 'thing-' + Name,
    Status: failed ? 'FAILED' : 'SUCCESS', Reason: failed ? 'it is taken' : undefined, Data: { Said: 'hello ' + Name } };
  const body = JSON.stringify(answer);
  await new Promise((resolve, reject) => {
    const request = http.request(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' } }, resolve);
    request.on('error', reject);
    request.end(body);
  });
};
"""


def resources(handler, *, more=None, **properties):
    policy = {"PolicyName": "logs", "PolicyDocument": json.loads(document(allow("logs:*")))}
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust(), "Policies": [policy]},
        },
        "Handler": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": handler,
                "Runtime": "nodejs20.x",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": HANDLER},
                "Timeout": 30,
            },
        },
        "Thing": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Handler", "Arn"]}, **properties},
        },
        **(more or {}),
    }


def calls(aws, handler):
    """[(what, properties without the token)] in order."""
    events = aws.cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{handler}")[
        "events"
    ]
    said = [
        json.loads(event["message"].partition("CALL ")[2])
        for event in sorted(events, key=lambda e: e["timestamp"])
        if "CALL " in event["message"]
    ]
    return [
        (one["RequestType"], one.get("PhysicalResourceId"), one["ResourceProperties"]["Name"], one)
        for one in said
    ]


def test_a_custom_resource_from_its_creation_to_its_end(aws):
    stack, handler = name("s"), name("f")
    after = {
        "Q": {
            "Type": "AWS::SQS::Queue",
            "DependsOn": "Thing",
            "Properties": {
                "QueueName": name("q"),
                "Tags": [{"Key": "said", "Value": {"Fn::GetAtt": ["Thing", "Said"]}}],
            },
        }
    }
    assert (
        aws.create(stack, resources(handler, Name="a", Number=5, List=[True], more=after))[0]
        == "CREATE_COMPLETE"
    )
    got = calls(aws, handler)
    assert [call[:3] for call in got] == [("Create", None, "a")]
    request = got[0][3]
    assert request["ResourceProperties"]["Number"] == "5" and request["ResourceProperties"][
        "List"
    ] == ["true"]
    assert request["ResourceType"] == "Custom::Thing" and request["LogicalResourceId"] == "Thing"
    assert f":stack/{stack}/" in request["StackId"] and "OldResourceProperties" not in request

    # Another thing: the old one goes last.
    assert aws.update(stack, resources(handler, Name="b", more=after))[0] == "UPDATE_COMPLETE"
    got = calls(aws, handler)
    assert [call[:3] for call in got[1:]] == [
        ("Update", "thing-a", "b"),
        ("Delete", "thing-a", "a"),
    ]
    assert got[1][3]["OldResourceProperties"]["Name"] == "a"

    # One that is refused: told, and put back as it was.
    status, reason = aws.update(stack, resources(handler, Name="b", Fail="Update", more=after))
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "it is taken" in reason
    got = calls(aws, handler)
    assert [call[:3] for call in got[3:]] == [
        ("Update", "thing-b", "b"),
        ("Update", "thing-b", "b"),
    ]
    assert "Fail" not in got[4][3]["ResourceProperties"]

    aws.cloud.client("cloudformation").delete_stack(StackName=stack)
    aws.cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    assert [call[:3] for call in calls(aws, handler)[5:]] == [("Delete", "thing-b", "b")]


def test_a_refused_creation_is_told_and_removed(aws):
    stack, handler = name("s"), name("f")
    status, reason = aws.create(stack, resources(handler, Name="a", Fail="Create"))
    assert status == "ROLLBACK_COMPLETE" and "it is taken" in reason
