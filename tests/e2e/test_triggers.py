"""What calls functions from outside the service: rules of a load balancer's listener, of
EventBridge and of IoT, filters of log groups, skills of Alexa. Each stage has its own, which call
its alias.
"""

import json
import time

HANDLER = """exports.main = async (event, context) => {
  console.log(`GOT ${context.invokedFunctionArn} ${JSON.stringify(event)}`);
  if (event.awslogs) console.log(require('zlib').gunzipSync(Buffer.from(event.awslogs.data, 'base64')).toString());
  return { statusCode: 200, headers: {}, body: context.invokedFunctionArn };
};
"""
SERVICE = """service: doors
provider: {{name: aws, runtime: nodejs22.x}}
custom:
  priority: {{dev: {dev}, prod: 20}}
functions:
  door:
    handler: handler.main
    events:
      - alb:
          listenerArn: {listener}
          priority: ${{self:custom.priority.${{sls:stage}}}}
          conditions: {{path: '/${{sls:stage}}/*'}}
          healthCheck: true
  rule:
    handler: handler.main
    events:
      - cloudwatchEvent:
          event: {{source: ['doors.${{sls:stage}}']}}
          inputPath: $.detail
  log:
    handler: handler.main
    events:
      - cloudwatchLog: {{logGroup: /outside, filter: '${{sls:stage}}'}}
  own:
    handler: handler.main
    events:
      - cloudwatchLog: /aws/lambda/doors-door
  thing:
    handler: handler.main
    events:
      - iot: {{sql: "SELECT * FROM '${{sls:stage}}/readings'", sqlVersion: '2016-03-23'}}
      - iotFleetProvisioning:
          templateBody:
            Parameters: {{'AWS::IoT::Certificate::Id': {{Type: String}}}}
            Resources:
              certificate:
                Type: AWS::IoT::Certificate
                Properties: {{CertificateId: {{Ref: 'AWS::IoT::Certificate::Id'}}, Status: ACTIVE}}
          provisioningRoleArn: !GetAtt Fleet.Arn
  skill:
    handler: handler.main
    events:
      - alexaSkill: {{appId: 'amzn1.ask.skill.${{sls:stage}}', enabled: true}}
      - alexaSmartHome: 'amzn1.home.${{sls:stage}}'
resources:
  Resources:
    Fleet:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement: [{{Effect: Allow, Principal: {{Service: iot.amazonaws.com}}, Action: 'sts:AssumeRole'}}]
"""


def listener_of(account):
    elb = account.client("elbv2")
    balancer = elb.create_load_balancer(Name=f"lb-{account.id}")["LoadBalancers"][0]
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    arn = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=nothing,
    )["Listeners"][0]["ListenerArn"]
    elb.create_rule(
        ListenerArn=arn,
        Priority=99,
        Actions=nothing,
        Conditions=[{"Field": "path-pattern", "Values": ["/neighbour"]}],
    )
    return arn


def triggers(account, listener):
    """What there is outside the service's own stacks: priorities, filters, rules, templates."""
    elb, iot = account.client("elbv2"), account.client("iot")
    policies = {}
    for function in account.client("lambda").list_functions()["Functions"]:
        for alias in account.client("lambda").list_aliases(FunctionName=function["FunctionName"])[
            "Aliases"
        ]:
            policy = account.client("lambda").get_policy(
                FunctionName=function["FunctionName"], Qualifier=alias["Name"]
            )
            policies[function["FunctionName"], alias["Name"]] = {
                json.dumps([statement["Principal"], statement.get("Condition")], sort_keys=True)
                for statement in json.loads(policy["Policy"])["Statement"]
            }
    return {
        "rules": {
            rule["Priority"]: rule["Conditions"][0]["Values"]
            for rule in elb.describe_rules(ListenerArn=listener)["Rules"]
            if not rule["IsDefault"]
        },
        "targets": sorted(
            target["Target"]["Id"]
            for group in elb.describe_target_groups()["TargetGroups"]
            for target in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
        ),
        "filters": sorted(
            found["destinationArn"]
            for group in ("/outside", "/aws/lambda/doors-door")
            for found in filters(account, group)
        ),
        "topics": {
            iot.get_topic_rule(ruleName=rule["ruleName"])["rule"]["sql"]: iot.get_topic_rule(
                ruleName=rule["ruleName"]
            )["rule"]["actions"][0]["lambda"]["functionArn"]
            for rule in iot.list_topic_rules()["rules"]
        },
        "fleet": sorted(
            iot.describe_provisioning_template(templateName=template["templateName"])[
                "preProvisioningHook"
            ]["targetArn"]
            for template in iot.list_provisioning_templates()["templates"]
        ),
        "policies": policies,
    }


def filters(account, group):
    logs = account.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    return logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]


def of(stage, found):
    """The part of `triggers` that is `stage`'s."""
    mine = (
        lambda value: value.endswith(f":{stage}") or f"/{stage}/" in value or f"'{stage}/" in value
    )
    return {
        "rules": {key: value for key, value in found["rules"].items() if mine(value[0])},
        "topics": {key: value for key, value in found["topics"].items() if mine(key)},
        "policies": {key: value for key, value in found["policies"].items() if key[1] == stage},
        **{
            key: [value for value in found[key] if mine(value)]
            for key in ("targets", "filters", "fleet")
        },
    }


def received(account, function, stage, containing):
    """Wait until the log of `function` shows that its alias got an event with this text."""
    logs, end = account.client("logs"), time.monotonic() + 60
    while time.monotonic() < end:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/doors-{function}")["events"]
        text = "".join(event["message"] for event in found)
        if containing in text and f":function:doors-{function}:{stage} " in text:
            return
        time.sleep(0.1)
    raise AssertionError(f"{function} of {stage} did not get '{containing}': {text}")


def call(troupe, account, stage):
    """Let each event arrive, and see that the alias of `stage` got it. Nobody but Alexa calls a
    skill, nor but a device a provisioning hook: of these, `triggers` has the permission."""
    answer = troupe.account.cloud.get(f"/_alb/lb-{account.id}/{stage}/x")
    assert (answer.status_code, answer.text.rpartition(":function:")[2]) == (
        200,
        f"doors-door:{stage}",
    )
    account.client("events").put_events(
        Entries=[
            {
                "Source": f"doors.{stage}",
                "DetailType": "t",
                "Detail": json.dumps({"for": f"rule {stage}"}),
            }
        ]
    )
    account.client("logs").put_log_events(
        logGroupName="/outside",
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": f"line of {stage}"}],
    )
    account.client("iot-data").publish(
        topic=f"{stage}/readings", payload=json.dumps({"of": f"thing {stage}"})
    )
    received(account, "rule", stage, f'{{"for":"rule {stage}"}}')
    received(account, "log", stage, f"line of {stage}")
    received(account, "thing", stage, f"thing {stage}")
    received(account, "own", stage, "GOT ")


def test_each_stage_has_its_own(troupe, account):
    listener = listener_of(account)
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/outside")
    logs.create_log_stream(logGroupName="/outside", logStreamName="s")

    def write(dev):
        troupe.write(
            {"handler.js": HANDLER, "serverless.yml": SERVICE.format(listener=listener, dev=dev)}
        )

    write(dev=10)
    before = triggers(account, listener)
    troupe("deploy", "dev")
    alone = of("dev", triggers(account, listener))
    assert (
        alone["rules"] == {"10": ["/dev/*"]}
        and len(alone["targets"]) == 1
        and len(alone["filters"]) == 2
    )
    assert len(alone["topics"]) == 1 and len(alone["fleet"]) == 1, alone
    skill = alone["policies"]["doors-skill", "dev"]
    assert any(
        "alexa-appkit.amazon.com" in one and "amzn1.ask.skill.dev" in one for one in skill
    ), skill
    assert any(
        "alexa-connectedhome.amazon.com" in one and "amzn1.home.dev" in one for one in skill
    ), skill
    troupe("deploy", "prod")
    both = triggers(account, listener)
    assert of("dev", both) == alone
    for stage in ("dev", "prod"):
        call(troupe, account, stage)

    # A stage goes back alone, and what others put at the listener stays.
    write(dev=11)
    troupe("deploy", "dev")
    assert set(triggers(account, listener)["rules"]) == {"11", "20", "99"}
    troupe("rollback", "dev")
    assert triggers(account, listener) == both

    # A priority of another stage, and a third filter, are refused before anything is made.
    write(dev=20)
    result = troupe("deploy", "dev", check=3)
    assert "stage 'prod' has priority '20' on this listener: 'dev' cannot have it" in result.err, (
        str(result)
    )
    assert triggers(account, listener) == both
    write(dev="10, test: 30")
    result = troupe("deploy", "test", check=3)
    assert (
        "a subscription filter of '" in result.err and "a log group has two at most" in result.err
    ), str(result)
    assert triggers(account, listener) == both

    write(dev=10)
    troupe("remove", "prod", "--yes")
    assert triggers(account, listener)["rules"] == {"10": ["/dev/*"], "99": ["/neighbour"]}
    assert of("dev", triggers(account, listener)) == alone
    call(troupe, account, "dev")
    troupe("remove", "dev", "--yes")
    troupe("remove", "--service", "--yes")
    assert triggers(account, listener) == before
