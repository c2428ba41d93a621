"""Load balancers call exactly the alias that is registered, if they may."""

import json

from cloud import function_arn, name, refused

HANDLER = """
exports.handler = async (event, context) => ({
  statusCode: 200, headers: {}, body: context.functionVersion + ' ' + context.invokedFunctionArn
});
"""
SERVICE = "elasticloadbalancing.amazonaws.com"


def listener(elb):
    balancer = elb.create_load_balancer(Name=name("lb"))["LoadBalancers"][0]
    arn = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Listeners"][0]["ListenerArn"]
    return balancer["LoadBalancerName"], arn


def forward(arn, function, priority):
    """A target group of alias dev of `function`, and the rule that forwards to it."""
    group = {
        "TargetType": "lambda",
        "Targets": [{"Id": function_arn(function, "dev")}],
        "TargetGroupAttributes": [{"Key": "lambda.multi_value_headers.enabled", "Value": True}],
    }
    rule = {
        "ListenerArn": arn,
        "Priority": priority,
        "Conditions": [{"Field": "path-pattern", "Values": [f"/{function}"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
    }
    kind = "AWS::ElasticLoadBalancingV2::"
    return {
        "Group": {"Type": kind + "TargetGroup", "Properties": group},
        "Rule": {"Type": kind + "ListenerRule", "Properties": rule},
    }


def test_target_is_called_by_its_alias(aws, cloud):
    elb = cloud.client("elbv2")
    balancer, arn = listener(elb)
    function = aws.function(files={"index.js": HANDLER})
    aws.publish(function)
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    aws.configure(function, Description="later")
    resources = forward(arn, function, 7)
    aws.allow(function, None, SERVICE)
    status, reason = aws.create(name("denied"), resources)
    assert status == "ROLLBACK_COMPLETE" and "does not have permission to invoke" in reason
    aws.allow(function, "dev", SERVICE)
    assert aws.create(name("taken"), resources) == ("CREATE_COMPLETE", "")
    answer = cloud.get(f"/_alb/{balancer}/{function}")
    assert (answer.status_code, answer.text) == (200, f"1 {function_arn(function, 'dev')}")

    # A priority is one rule's, whoever asks.
    status, reason = aws.create(name("again"), resources)
    assert status == "ROLLBACK_COMPLETE" and "Priority '7' is currently in use" in reason
    rule = {
        "ListenerArn": arn,
        "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    }
    assert refused(elb.create_rule, Priority=7, **rule)[:2] == (400, "PriorityInUse")
    elb.create_rule(Priority=8, **rule)

    # Nothing is called without permission, nor registered.
    for statement in statements(aws, function):
        aws.lam.remove_permission(FunctionName=function, StatementId=statement, Qualifier="dev")
    assert cloud.get(f"/_alb/{balancer}/{function}").status_code == 502
    group = elb.create_target_group(Name=name("g"), TargetType="lambda")["TargetGroups"][0]
    assert refused(
        elb.register_targets,
        TargetGroupArn=group["TargetGroupArn"],
        Targets=[{"Id": function_arn(function, "dev")}],
    )[:2] == (403, "AccessDenied")


def statements(aws, function):
    policy = aws.lam.get_policy(FunctionName=function, Qualifier="dev")["Policy"]
    return [statement["Sid"] for statement in json.loads(policy)["Statement"]]
