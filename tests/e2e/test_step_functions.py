"""State machines of serverless-step-functions in two stages. That templates equal the plugin's is
the golden cases' part (tests/golden/compile/plugin-step-functions-*).
"""

import json
import time

HANDLER = "exports.say = async () => '%s of ' + process.env.STAGE;\n"
FLOW = """service: flow
plugins: [serverless-step-functions]
provider: {name: aws, runtime: nodejs20.x, environment: {STAGE: "${sls:stage}"}}
functions:
  hello: {handler: index.say}
  other: {handler: index.say}
stepFunctions:
  activities: ["work-${sls:stage}"]
  stateMachines:
    orders:
      name: orders-${sls:stage}
      definition:
        StartAt: ByResource
        States:
          ByResource: {Type: Task, Resource: !GetAtt hello.Arn, ResultPath: $.first, Next: ByName}
          ByName:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Parameters: {FunctionName: !Ref other, "Payload.$": $}
            ResultPath: $.second
            Next: ByText
          ByText:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Parameters: {FunctionName: "flow-${sls:stage}-other"}
            ResultPath: $.third
            Next: BySub
          BySub:
            Type: Task
            Resource: !Sub "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:flow-${sls:stage}-hello"
            ResultPath: $.fourth
            End: true
      events:
        - http: POST start
        - eventBridge: {event: {source: [own]}}
    exact:
      useExactVersion: true
      definition:
        StartAt: Only
        States:
          Only: {Type: Task, Resource: !GetAtt hello.Arn, End: true}
      notifications:
        FAILED: [{lambda: !GetAtt hello.Arn}]
"""


def outcome(account, arn):
    """What an execution of the state machine comes to."""
    client = account.client("stepfunctions")
    started = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    for _ in range(200):
        found = client.describe_execution(executionArn=started)
        if found["status"] != "RUNNING":
            assert found["status"] == "SUCCEEDED", found
            return json.loads(found["output"])
        time.sleep(0.05)
    raise AssertionError(found)


def machines(account):
    found = account.client("stepfunctions").list_state_machines()["stateMachines"]
    return {m["name"]: m["stateMachineArn"] for m in found}


def exact(account, stage):
    (arn,) = [a for n, a in machines(account).items() if f"-{stage}-Exact" in n]
    return arn


def said(account, stage):
    """What all ways to the functions of a stage say."""
    orders = outcome(account, machines(account)[f"orders-{stage}"])
    return {
        orders["first"],
        orders["second"]["Payload"],
        orders["third"]["Payload"],
        orders["fourth"],
        outcome(account, exact(account, stage)),
    }


def allowed(account, machine):
    """What the role of a state machine may call."""
    client = account.client("stepfunctions")
    name = client.describe_state_machine(stateMachineArn=machine)["roleArn"].rsplit("/", 1)[-1]
    iam = account.client("iam")
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return {
        resource.rsplit("function:", 1)[-1]
        for statement in document["Statement"]
        for resource in statement["Resource"]
    }


def definition(account, machine):
    client = account.client("stepfunctions")
    return client.describe_state_machine(stateMachineArn=machine)["definition"]


def test_each_stage_starts_its_own(troupe, account):
    troupe.write({"serverless.yml": FLOW, "index.js": HANDLER % "one"})
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert said(account, "dev") == {"one of dev"} and said(account, "prod") == {"one of prod"}
    orders = machines(account)["orders-dev"]
    assert allowed(account, orders) >= {"flow-hello:dev", "flow-other:dev"}
    assert not any("prod" in function for function in allowed(account, orders))
    # Exact versions are those of the deployment, and the role allows what goes on with older ones.
    assert "function:flow-hello:1" in definition(account, exact(account, "dev"))
    assert "flow-hello:*" in allowed(account, exact(account, "dev"))

    # What each stage's API serves starts the stage's own machine.
    rest = account.client("apigateway")
    (api,) = rest.get_rest_apis()["items"]
    for stage in ("dev", "prod"):
        served = rest.get_export(
            restApiId=api["id"],
            stageName=stage,
            exportType="oas30",
            parameters={"extensions": "integrations"},
        )["body"].read()
        other = {"dev": "prod", "prod": "dev"}[stage]
        assert f"stateMachine:orders-{stage}".encode() in served, served
        assert f"stateMachine:orders-{other}".encode() not in served, served

    # A change reaches one stage, and goes back there, machine and functions together.
    troupe.write({"index.js": HANDLER % "two"})
    troupe.edit("serverless.yml", "name: orders-", "tags: {a: b}\n      name: orders-")
    troupe("deploy", "dev")
    assert said(account, "dev") == {"two of dev"} and said(account, "prod") == {"one of prod"}
    troupe("rollback", "dev")
    assert said(account, "dev") == {"one of dev"}
    troupe("clone", "prod", "try")
    assert said(account, "try") == {"one of try"}

    troupe("remove", "dev", "--yes")
    assert sorted(n for n in machines(account) if n.startswith("orders")) == [
        "orders-prod",
        "orders-try",
    ]
    assert said(account, "prod") == {"one of prod"}
    troupe("remove", "--service", "--yes")
    assert (
        not machines(account)
        and not account.client("stepfunctions").list_activities()["activities"]
    )


FIXED = """service: flow
plugins: [serverless-step-functions]
provider: {name: aws, runtime: nodejs20.x}
stepFunctions:
  stateMachines:
    orders:
      %s
      definition: {StartAt: A, States: {A: {Type: Succeed}}}
"""
ALARM = "alarms: {topics: {ok: 'arn:aws:sns:us-east-1:1:t'}, metrics: [{metric: %s, alarmName: a}]}"


def test_a_name_that_two_stages_would_share(troupe, account):
    """It is refused before anything is made, and a machine without a name is none of those."""
    cases = (
        ("name: fixed", "state machine 'fixed'"),
        (ALARM % "executionsFailed", "alarm 'a'"),
        ("events: [{schedule: {rate: rate(1 day), name: daily}}]", "rule 'daily'"),
    )
    for number, (line, named) in enumerate(cases):
        troupe.write({"serverless.yml": FIXED % line})
        troupe.edit("serverless.yml", "service: flow", f"service: flow{number}")
        troupe("deploy", "dev")
        result = troupe("deploy", "prod", check=3)
        assert named in result.err and "--> serverless.yml" in result.err, result
        stacks = account.client("cloudformation").list_stacks()["StackSummaries"]
        assert f"flow{number}-prod" not in {stack["StackName"] for stack in stacks}


MACHINE = """service: flow
plugins: [serverless-step-functions]
provider: {name: aws, runtime: nodejs20.x}
stepFunctions:
  stateMachines:
    one:
      %s
"""
DONE = "definition: {StartAt: A, States: {A: {Type: Succeed}}}"
TASK = "definition: {StartAt: A, States: {A: {Type: Task, End: true, %s}}}"


def test_what_is_refused(troupe):
    """Each line: the state machine, and what is said of it, with its place."""
    cases = (
        ("name: a", "'definition' is missing"),
        (f"unknown: 1\n      {DONE}", "unknown key 'unknown'"),
        (f"type: FAST\n      {DONE}", "'type' must be"),
        (f"role: arn:aws:iam::1:role/x\n      iamRoleStatements: []\n      {DONE}", "with a role"),
        (f"alarms: {{topics: {{ok: a}}, metrics: [x]}}\n      {DONE}", "metrics"),
        (f"alarms: {{topics: {{}}, metrics: [executionsFailed]}}\n      {DONE}", "topics"),
        (f"notifications: {{FAILED: [{{}}]}}\n      {DONE}", "names nothing"),
        (f"notifications: {{LOST: []}}\n      {DONE}", "unknown key 'LOST'"),
        (f"events: [{{http: {{path: a}}}}]\n      {DONE}", "'method' is missing"),
        (f"events: [{{http: FETCH a}}]\n      {DONE}", "unknown method 'FETCH'"),
        (f"events: [{{schedule: {{enabled: true}}}}]\n      {DONE}", "'rate' is missing"),
        (f"events: [{{eventBridge: {{enabled: true}}}}]\n      {DONE}", "'event' is missing"),
        (
            f"events: [{{schedule: {{rate: rate(1 day), timezone: UTC}}}}]\n      {DONE}",
            "'timezone' needs 'method: scheduler'",
        ),
        (
            f"events: [{{http: {{path: a, method: get, authorizer: none}}}}]\n      {DONE}",
            "there is no function 'none'",
        ),
        ("definition: {States: {A: {Type: Succeed}}}", "'StartAt' is missing"),
        ("definition: {StartAt: B, States: {A: {Type: Succeed}}}", "there is no state 'B'"),
        ("definition: {StartAt: A, States: {A: {Type: Jump}}}", "no 'Type' that there is"),
        ("definition: {StartAt: A, States: {A: {Type: Pass}}}", "neither 'Next' nor 'End'"),
        (
            "definition: {StartAt: A, States: {A: {Type: Succeed}, B: {Type: Fail}}}",
            "nothing leads to state 'B'",
        ),
        (TASK % "Comment: x", "a task has no 'Resource'"),
        (TASK % "Resource: 'arn:aws:states:::sqs:sendMessage'", "need its 'Parameters.QueueUrl'"),
        (TASK % "Resource: 'arn:aws:states:::lambda:invoke'", "need its 'FunctionName'"),
        (TASK % "Resource: 'arn:aws:states:::states:startExecution'", "need its 'StateMachineArn'"),
        (TASK % "Resource: {'Fn::GetAtt': a.Arn}", "must be a list of id and attribute"),
    )
    for machine, message in cases:
        troupe.write({"serverless.yml": MACHINE % machine})
        result = troupe("validate", "dev", check=2)
        assert message in result.err and "--> serverless.yml:" in result.err, (machine, result)
    troupe.write({"serverless.yml": MACHINE % (TASK % "Resource: 'arn:aws:states:::new:thing'")})
    assert "gets no rights for task" in troupe("validate", "dev").err
