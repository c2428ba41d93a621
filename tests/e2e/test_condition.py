"""`condition:` of a function holds for all that belongs to it, in each stage by itself."""

import json

import pytest

HANDLER = "exports.main = async () => ({ statusCode: 200, body: process.env.WHO || 'called' });\n"
SERVICE = """service: cond
provider:
  name: aws
  runtime: nodejs22.x
custom:
  troupe:
    apis: {{http: {http}, rest: {rest}}}
    functions: {{perStage: {own}}}
functions:
  always:
    handler: handler.main
    environment: {{WHO: !If [IsProd, both, alone]}}
    events: [{{http: GET /always}}, {{httpApi: GET /always}}]
  purge:
    handler: handler.main
    condition: IsProd
    url: true
    destinations: {{onFailure: {{type: sqs, arn: !GetAtt Queue.Arn}}}}
    events:
      - schedule: rate(1 day)
      - http: GET /purge
      - httpApi: GET /purge
      - sqs: {{arn: !GetAtt Queue.Arn}}
      - sns: purges
resources:
  Conditions:
    Named: !Equals ["${{sls:stage}}", prod]
    IsProd: !And [{{Condition: Named}}, !Not [!Equals [!Ref Off, !FindInMap [Words, yes, text]]]]
  Parameters: {{Off: {{Type: String, Default: 'no'}}}}
  Mappings: {{Words: {{yes: {{text: 'yes'}}}}}}
  Resources:
    Queue: {{Type: AWS::SQS::Queue}}
    Guarded:
      Type: AWS::SSM::Parameter
      Condition: IsProd
      DependsOn: PurgeLambdaFunction
      Properties: {{Type: String, Name: "/${{sls:stage}}/purge", Value: !GetAtt PurgeLambdaFunction.Arn}}
    Chosen:
      Type: AWS::SSM::Parameter
      DependsOn: PurgeLambdaFunction
      Properties: {{Type: String, Name: "/${{sls:stage}}/chosen", Value: !If [IsProd, !GetAtt PurgeLambdaFunction.Arn, none]}}
  extensions:
    PurgeEventsRuleSchedule1: {{Properties: {{Description: nightly}}}}
  Outputs:
    Purge: {{Condition: IsProd, Value: !GetAtt PurgeLambdaFunction.Arn}}
"""
LAYOUTS = [("shared", "shared", "[]"), ("perStage", "perStage", "[purge]")]


def belongings(account):
    """All that is the function's, of all stages."""
    lam = account.client("lambda")
    names = [
        f["FunctionName"] for f in lam.list_functions()["Functions"] if "purge" in f["FunctionName"]
    ]
    return {
        "aliases": sorted(
            a["AliasArn"].partition(":function:")[2]
            for n in names
            for a in lam.list_aliases(FunctionName=n)["Aliases"]
        ),
        "mappings": sorted(
            m["FunctionArn"].partition(":function:")[2]
            for m in lam.list_event_source_mappings()["EventSourceMappings"]
        ),
        "rules": len(account.client("events").list_rules()["Rules"]),
        "topics": len(account.client("sns").list_topics()["Topics"]),
    }


@pytest.mark.parametrize("http, rest, own", LAYOUTS, ids=["shared", "per-stage"])
def test_a_function_under_a_condition(troupe, account, http, rest, own):
    troupe.write(
        {"handler.js": HANDLER, "serverless.yml": SERVICE.format(http=http, rest=rest, own=own)}
    )
    said = "function 'purge' is left out: its condition 'IsProd' is false here (serverless.yml:"
    assert said in troupe("validate", "dev").err and said not in troupe("validate", "prod").err
    plan = troupe("plan", "dev")
    assert said in plan.err and "Purge" not in plan.out and "purge" not in plan.out
    troupe("deploy", "dev")
    none = belongings(account)
    assert none == {"aliases": [], "mappings": [], "rules": 0, "topics": 0}
    assert troupe.call_http_api("dev", "/always").text == "alone"
    assert troupe.call_http_api("dev", "/purge").status_code == 404
    assert json.loads(troupe("invoke", "dev", "always").out)["body"] == "alone"
    assert "nothing to do" in troupe("deploy", "dev").out
    dev = troupe.stage("dev", "cond")

    assert said not in troupe("deploy", "prod").err
    function = "cond-prod-purge" if own != "[]" else "cond-purge:prod"
    some = belongings(account)
    assert [m.replace("cond-prod-purge:prod", "cond-prod-purge") for m in some["mappings"]] == [
        function
    ]
    assert (some["rules"], some["topics"]) == (1, 1)
    assert some["aliases"] == ["cond-prod-purge:prod" if own != "[]" else function]
    for path in ("/always", "/purge"):
        assert troupe.call_http_api("prod", path).status_code == 200
    api = None if rest == "shared" else "prod-cond"
    assert troupe.call_rest("prod", "/purge", api=api).text == "called"
    assert troupe.call_http_api("dev", "/purge").status_code == 404
    assert troupe.stage("dev", "cond") == dev
    rules = account.client("events").list_rules()["Rules"]
    assert [rule["Description"] for rule in rules] == ["nightly"]

    # It goes when its condition becomes false, comes back, and only to that stage.
    troupe.edit("serverless.yml", "Default: 'no'", "Default: 'yes'")
    assert said in troupe("deploy", "prod").err
    assert belongings(account) == none
    assert troupe.call_http_api("prod", "/purge").status_code == 404
    troupe("rollback", "prod")
    assert belongings(account) == some
    assert troupe.stage("dev", "cond") == dev
    troupe("remove", "--service", "--yes")


REFUSED = {
    "unknown": (
        "condition: IsProd\n",
        "condition: IsPrd\n",
        "there is no condition 'IsPrd'",
        "'IsProd'",
    ),
    "unknowable": (
        "!Ref Off,",
        "!Ref AWS::AccountId,",
        "condition 'IsProd' of function 'purge'",
        "${aws:accountId}",
    ),
    "dangling": (
        ", Value: !If [IsProd, !GetAtt PurgeLambdaFunction.Arn, none]",
        ", Value: !GetAtt PurgeLambdaFunction.Arn",
        "'PurgeLambdaFunction' is left out with its function",
        "Fn::If",
    ),
    "circle": (
        '!Equals ["${sls:stage}", prod]',
        "{Condition: IsProd}",
        "conditions refer to each other in a cycle",
        "",
    ),
}


def test_what_cannot_be_decided_is_refused_with_its_place(troupe, account):
    text = SERVICE.format(http="shared", rest="shared", own="[]")
    for name, (old, new, message, help) in REFUSED.items():
        assert old in text, name
        troupe.write({"handler.js": HANDLER, "serverless.yml": text.replace(old, new)})
        # What refers to the function is refused where that is left out; all else where every part
        # is asked.
        result = troupe("deploy", "dev" if name == "dangling" else "prod", check=2)
        assert (
            message in result.err and help in result.err and "--> serverless.yml:" in result.err
        ), str(result)
    assert not account.client("cloudformation").describe_stacks()["Stacks"]


LONE = """service: lone
provider: {name: aws, runtime: nodejs22.x}
functions:
  purge: {handler: handler.main, condition: IsProd, events: [{http: GET /a}]}
resources: {Conditions: {IsProd: !Equals ["${sls:stage}", prod]}}
"""


def test_a_stage_of_which_all_is_left_out(troupe):
    troupe.write({"handler.js": HANDLER, "serverless.yml": LONE})
    troupe("deploy", "dev")
    assert "nothing to do" in troupe("deploy", "dev").out
    result = troupe("deploy", "dev", "--function", "purge", check=3)
    assert "function 'purge' is left out of 'dev' by its condition" in result.err
    troupe("deploy", "prod")
    assert troupe.call_rest("prod", "/a").text == "called"
    # What is made of one stage for another is decided for that one.
    troupe("clone", "prod", "pr-1")
    troupe("reset", "dev", "--to", "prod")
    functions = troupe.world()["functions"]
    assert set(functions["lone-purge"]["aliases"]) == {"prod"}
