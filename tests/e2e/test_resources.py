"""What `resources:` adds to generated resources reaches what troupe makes of them, in each
stage.
"""

import pytest

HANDLER = "exports.main = async () => ({ statusCode: 200, body: process.env.WHO });\n"
SERVICE = """service: parts
provider:
  name: aws
  runtime: nodejs22.x
  environment: {WHO: nobody}
custom:
  troupe:
    apis: {rest: %(rest)s}
    functions: {perStage: %(own)s}
functions:
  hello:
    handler: handler.main
    events:
      - http: GET /Big/a
      - http: GET /big/a
      - httpApi: GET /a
      - schedule: rate(1 day)
      - sqs: {arn: !GetAtt Queue.Arn}
resources:
  - Resources:
      Queue: {Type: AWS::SQS::Queue}
      HelloLambdaFunction:
        DependsOn: [Marker]
        Properties:
          MemorySize: 512
          Environment: {Variables: {WHO: "${sls:stage}"}}
  - ${file(more.yml)}
"""
MORE = """Resources:
  Marker:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: "/parts/${sls:stage}", Value: !Sub ["${a}", {a: !GetAtt Queue.QueueName}]}
  HelloLogGroup: {Properties: {RetentionInDays: 3}}
  HelloEventsRuleSchedule1: {Properties: {Description: "of ${sls:stage}"}}
  HelloEventSourceMappingSQSQueue: {Properties: {MaximumBatchingWindowInSeconds: 7}}
  ApiGatewayRestApi: {Properties: {MinimumCompressionSize: 4096}}
  HttpApiStage: {Properties: {DefaultRouteSettings: {ThrottlingBurstLimit: 5, ThrottlingRateLimit: 5}}}
extensions:
  HelloLogGroup: {Properties: {RetentionInDays: 5}}
Outputs:
  Where: {Value: !Ref Marker}
"""


def parts(account, stage, own):
    """What the stage has of each part, as AWS has it."""
    lam, logs, v2 = account.client("lambda"), account.client("logs"), account.client("apigatewayv2")
    name = f"parts-{stage}-hello" if own else "parts-hello"
    f = lam.get_function_configuration(FunctionName=name, Qualifier=stage)
    rules = account.client("events").list_rules()["Rules"]
    mappings = lam.list_event_source_mappings()["EventSourceMappings"]
    api = next(a for a in v2.get_apis()["Items"] if a["Name"].startswith(stage))
    stack = account.client("cloudformation").describe_stacks(StackName=f"parts-{stage}")["Stacks"][
        0
    ]
    return {
        "memory": f["MemorySize"],
        "who": f["Environment"]["Variables"]["WHO"],
        "retention": [
            g["retentionInDays"]
            for g in logs.describe_log_groups()["logGroups"]
            if g["logGroupName"].endswith(name)
        ],
        "rules": [r["Description"] for r in rules if r.get("Description", "").endswith(stage)],
        "windows": {m["MaximumBatchingWindowInSeconds"] for m in mappings},
        "burst": v2.get_stages(ApiId=api["ApiId"])["Items"][0]["DefaultRouteSettings"][
            "ThrottlingBurstLimit"
        ],
        "compressed": {
            a.get("minimumCompressionSize")
            for a in account.client("apigateway").get_rest_apis()["items"]
        },
        "where": [o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "Where"],
    }


@pytest.mark.parametrize(
    "rest, own", [("shared", "[]"), ("perStage", "[hello]")], ids=["shared", "per-stage"]
)
def test_parts_reach_each_stage(troupe, account, rest, own):
    troupe.write(
        {
            "handler.js": HANDLER,
            "more.yml": MORE,
            "serverless.yml": SERVICE % {"rest": rest, "own": own},
        }
    )
    for stage in ("dev", "prod"):
        said = troupe("deploy", stage).err
        assert "there is no path '/Big/a': it and '/big/a' have one logical id" in said
        assert parts(account, stage, own != "[]") == {
            "memory": 512,
            "who": stage,
            "retention": [5],
            "rules": [f"of {stage}"],
            "windows": {7},
            "burst": 5,
            "compressed": {4096},
            "where": [f"/parts/{stage}"],
        }
        api = None if rest == "shared" else f"{stage}-parts"
        assert troupe.call_rest(stage, "/big/a", api=api).text == stage
        assert troupe.call_rest(stage, "/Big/a", api=api).status_code in (403, 404)
    assert "nothing to do" in troupe("deploy", "dev").out
    dev = troupe.stage("dev", "parts")

    troupe.edit("serverless.yml", "MemorySize: 512", "MemorySize: 256")
    troupe.edit("more.yml", 'Description: "of', 'Description: "now of')
    before = parts(account, "prod", own != "[]")
    troupe("deploy", "prod")
    after = parts(account, "prod", own != "[]")
    assert (after["memory"], after["rules"]) == (256, ["now of prod"])
    troupe("rollback", "prod", "--yes")
    assert parts(account, "prod", own != "[]") == before
    assert troupe.stage("dev", "parts") == dev
    troupe("remove", "prod", "--yes")
    assert troupe.stage("dev", "parts") == dev
    troupe("remove", "--service", "--yes")
    assert not account.client("cloudformation").describe_stacks()["Stacks"]


NOWHERE = {
    "DeletionPolicy: Retain": ("'DeletionPolicy' of 'HelloLambdaFunction' has no effect", 0),
    "Metadata: {a: b}": ("'Metadata' of 'HelloLambdaFunction' has no effect", 0),
    "Properties: {RecursiveLoop: Allow}": (
        "'RecursiveLoop' of shared function 'hello' cannot be kept in a version",
        2,
    ),
}


def test_what_no_stage_can_have_is_said(troupe):
    service = (
        "service: parts\nprovider: {name: aws, runtime: nodejs22.x}\nfunctions: {hello: {handler:"
        " handler.main}}\nresources:\n  Resources:\n    %s:\n      %s\n"
    )
    for line, (message, code) in NOWHERE.items():
        troupe.write(
            {"handler.js": HANDLER, "serverless.yml": service % ("HelloLambdaFunction", line)}
        )
        said = troupe("validate", "dev", check=code).err
        assert message in said and "serverless.yml:7:" in said, said
    troupe.write(
        {"serverless.yml": service % ("HeloLambdaFunction", "Properties: {MemorySize: 256}")}
    )
    said = troupe("validate", "dev", check=2).err
    assert "resource 'HeloLambdaFunction' has no 'Type'" in said and "'HelloLambdaFunction'" in said


def test_functions_of_language_extensions_are_left_to_cloudformation(troupe):
    """MiniStack has no transforms: the templates that troupe would send are what can be looked at
    here.
    """
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": (
                """service: loops
provider: {name: aws, runtime: nodejs22.x}
functions:
  hello: {handler: handler.main, environment: {NAMES: {"Fn::ToJsonString": [!Ref Queue]}}}
resources:
  Transform: AWS::LanguageExtensions
  Resources:
    Queue: {Type: AWS::SQS::Queue}
    Fn::ForEach::Rights:
      - Who
      - [sns, sqs]
      - May${Who}:
          Type: AWS::Lambda::Permission
          Properties:
            FunctionName: !GetAtt HelloLambdaFunction.Arn
            Action: lambda:InvokeFunction
            Principal: !Sub ${Who}.amazonaws.com
"""
            ),
        }
    )
    assert "is valid" in troupe("validate", "dev").out
    assert "Fn::ForEach::Rights" in troupe("plan", "dev").out


def test_package_leaves_handlers_to_bundlers(troupe):
    """A plugin that is not run may make them: packaged with a warning, refused before a
    deployment.
    """
    troupe.write(
        {
            "src/api.ts": "export const main = 1;\n",
            "serverless.yml": (
                "service: parts\nprovider: {name: aws, runtime: nodejs22.x}\nfunctions: {hello:"
                " {handler: src/api.main}}\n"
            ),
        }
    )
    message = "handler 'src/api.main' of function 'hello' does not exist"
    assert f"warning: {message}" in troupe("package").err
    for command in ("validate", "plan", "deploy"):
        assert f"error: {message}" in troupe(command, "dev", check=2).err
