"""Resources that live once, and functions that something needs as they are."""

SERVICE = """service: once
provider: {name: aws, runtime: nodejs20.x}
custom:
  troupe:
    resources: {service: [Users]}
functions:
  hello:
    handler: handler.main
    environment: {TABLE: !Ref Users}
resources:
  Resources:
    Users:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
HANDLER = "exports.main = async () => process.env.TABLE;\n"
TABLE = SERVICE[SERVICE.index("    Users:") :]


def start(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    (table,) = troupe.world()["tables"]
    return table


def resources(troupe, stack):
    return troupe.world()["stacks"][stack]["template"]["Resources"]


def test_one_table_for_all_stages(troupe):
    table = start(troupe)
    for stage in ("dev", "prod"):
        assert troupe("invoke", stage, "hello").json == table
    assert "Users" in resources(troupe, "once") and "Users" not in resources(troupe, "once-dev")
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    # A change waits for a deployment of the service.
    troupe.edit(
        "serverless.yml",
        "        BillingMode",
        "        Tags: [{Key: a, Value: b}]\n        BillingMode",
    )
    troupe("deploy", "dev")
    assert "Tags" not in resources(troupe, "once")["Users"]["Properties"]
    assert "Users" in troupe("plan", "dev").out
    troupe("deploy", "--service")
    assert resources(troupe, "once")["Users"]["Properties"]["Tags"] == [{"Key": "a", "Value": "b"}]
    # A new one comes with whichever stage is deployed first.
    troupe.edit("serverless.yml", "[Users]", "[Users, News]")
    troupe.edit("serverless.yml", "    Users:\n", "    News: {Type: AWS::SNS::Topic}\n    Users:\n")
    prod = troupe.stage("prod", "once")
    troupe("deploy", "dev")
    assert "News" in resources(troupe, "once") and troupe.stage("prod", "once") == prod


def test_what_a_stage_uses_stays(troupe):
    table = start(troupe)
    troupe.edit("serverless.yml", SERVICE[SERVICE.index("resources:\n  Resources") :], "")
    troupe.edit("serverless.yml", "    environment: {TABLE: !Ref Users}\n", "")
    result = troupe("deploy", "--service")
    assert "'Users' stays in the service: deployment " in result.err, str(result)
    troupe("deploy", "dev")
    assert (
        "'Users' in custom.troupe.resources.service matches no resource (serverless.yml:5:"
        in troupe("plan", "dev").err
    )
    troupe("deploy", "--service", "--yes")
    assert troupe("invoke", "prod", "hello").json == table and set(troupe.world()["tables"]) == {
        table
    }
    troupe("rollback", "dev")
    assert troupe("invoke", "dev", "hello").json == table


def test_what_holds_data_is_asked_for(troupe):
    table = start(troupe)
    troupe.edit("serverless.yml", "AttributeName: id,", "AttributeName: other,")
    result = troupe("deploy", "--service", check=3)
    assert "Users" in result.out + result.err, str(result)
    assert set(troupe.world()["tables"]) == {table}


def test_a_stage_that_becomes_one_with_a_table_of_its_own(troupe):
    """Whichever command would do it: it would serve another table than before, an empty one."""
    table = start(troupe)
    troupe.edit("serverless.yml", "[Users]", "[]")
    troupe("deploy", "pr-1")
    assert len(troupe.world()["tables"]) == 2
    before = troupe.world()
    for command in (
        ("deploy", "dev"),
        ("reset", "dev", "--to", "pr-1"),
        ("reset", "dev", "--to", "pr-1", "--plan"),
    ):
        result = troupe(*command, "--yes", check=3)
        assert (
            "'Users' belongs to the service now" in result.err and "troupe adopt dev" in result.err
        ), str(result)
        after = troupe.world()
        assert {**after, "buckets": 0} == {**before, "buckets": 0}
    assert troupe("invoke", "dev", "hello").json == table


def test_a_stage_that_joins_what_the_service_has(troupe):
    """The service has the topic already: the stage's own goes, whichever command would do it."""
    topic = SERVICE.replace("Users", "News").replace(
        TABLE.replace("Users", "News"), "    News: {Type: AWS::SNS::Topic}\n"
    )
    troupe.write({"serverless.yml": topic.replace("[News]", "[]"), "handler.js": HANDLER})
    troupe("deploy", "dev")
    troupe.edit("serverless.yml", "[]", "[News]")
    troupe("deploy", "prod")
    troupe("reset", "dev", "--to", "prod")
    assert troupe("invoke", "dev", "hello").json == troupe("invoke", "prod", "hello").json
    assert "News" not in resources(troupe, "once-dev") and "News" in resources(troupe, "once")


def test_what_cannot_live_once(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    topic = "    Topic: {Type: AWS::SNS::Topic}\n"
    troupe.edit("serverless.yml", "    Users:\n", topic + "    Users:\n      DependsOn: Topic\n")
    result = troupe("deploy", "dev", check=2)
    assert "'Users' of the service refers to 'Topic' of the stage" in result.err
    assert "serverless.yml:14:" in result.err and "serverless.yml:5:" in result.err, str(result)
    troupe.edit("serverless.yml", "DependsOn: Topic", "Condition: ${self:custom.when}")
    troupe.edit("serverless.yml", "custom:\n", "custom:\n  when: Is-${sls:stage}\n")
    result = troupe("deploy", "dev", check=2)
    assert "a value in it depends on the stage" in result.err and "'${sls:stage}'" in result.err, (
        str(result)
    )
    assert troupe.world()["stacks"] == {}


RULE = """    Rule:
      Type: AWS::Events::Rule
      Properties:
        ScheduleExpression: rate(1 day)
        Targets: [{Id: hello, Arn: !GetAtt HelloLambdaFunction.Arn}]
"""


def test_a_reference_that_means_the_function(troupe):
    table = start(troupe)
    troupe.edit("serverless.yml", "    Users:\n", RULE + "    Users:\n")
    troupe("deploy", "dev")
    targets = lambda: [
        t["Arn"]
        for rule in troupe.account.client("events").list_rules()["Rules"]
        for t in troupe.account.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
    assert [arn.split(":function:")[1] for arn in targets()] == ["once-hello:dev"]
    troupe.edit(
        "serverless.yml",
        "{service: [Users]}",
        "{service: [Users]}\n    references: {unqualified: [Rule.Properties.Targets]}",
    )
    prod = troupe.stage("prod", "once")
    plan = troupe("plan", "dev")
    assert "'hello' is one of each stage's own, because 'Rule' refers to it" in plan.err, str(plan)
    troupe("deploy", "dev")
    assert [arn.split(":function:")[1] for arn in targets()] == ["once-dev-hello"]
    assert troupe("invoke", "dev", "hello").json == table and troupe.stage("prod", "once") == prod
    troupe("rollback", "dev")
    assert [arn.split(":function:")[1] for arn in targets()] == ["once-hello:dev"]


def test_a_function_of_a_stage_has_versions(troupe):
    """Its alias points at one, whatever the service says of versions."""
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe.edit(
        "serverless.yml", "runtime: nodejs20.x}", "runtime: nodejs20.x, versionFunctions: false}"
    )
    troupe.edit(
        "serverless.yml",
        "{service: [Users]}",
        "{service: [Users]}\n    functions: {perStage: [hello]}",
    )
    troupe("deploy", "dev")
    assert troupe("invoke", "dev", "hello").json == next(iter(troupe.world()["tables"]))
    assert troupe.world()["functions"]["once-dev-hello"]["aliases"]["dev"]["version"] == "1"


def test_it_goes_last(troupe):
    """Removing the stages leaves it; removing the service asks for what holds data."""
    table = start(troupe)
    for stage in ("dev", "prod"):
        troupe("remove", stage)
        assert set(troupe.world()["tables"]) == {table}
    troupe("deploy", "--service")
    assert set(troupe.world()["tables"]) == {table}
    result = troupe("remove", "--service", check=3)
    assert "Users" in result.out + result.err and set(troupe.world()["tables"]) == {table}, str(
        result
    )
    troupe("remove", "--service", "--yes")
    assert not troupe.world()["tables"] and troupe.world()["stacks"] == {}


HELPER = """    Helper:
      Type: AWS::Lambda::Function
      Properties:
        FunctionName: once-helper
        Runtime: nodejs20.x
        Handler: index.main
        Description: first
        Role: !GetAtt HelperRole.Arn
        Code: {ZipFile: "exports.main = async () => 1;"}
    HelperRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]
"""


def test_a_function_of_the_user_that_lives_once(troupe):
    """Heads keep the text they were created with; a function written in `resources` is none."""
    text = SERVICE.replace("[Users]", "[Users, 'Helper*']") + HELPER
    text += "  extensions:\n    Users: {DeletionPolicy: Retain}\n"
    troupe.write({"serverless.yml": text, "handler.js": HANDLER})
    troupe("deploy", "dev")
    assert resources(troupe, "once")["Users"]["DeletionPolicy"] == "Retain"
    troupe.edit("serverless.yml", "Description: first", "Description: second")
    assert "Helper" in troupe("plan", "dev").out
    troupe("deploy", "--service")
    function = troupe.account.client("lambda").get_function_configuration(
        FunctionName="once-helper"
    )
    assert function["Description"] == "second"
