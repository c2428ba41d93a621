"""Networks of a stage: Lambda is in them with $LATEST and every published version, and AWS deletes
none of them before all of these are gone (the local cloud's network.py).
"""

import pytest

from invariants import Records, settled_problems
from shop import append, code, eventually
from world import leftovers

HANDLER = "const CODE = 'one';\nexports.main = async () => CODE;\n"
SERVICE = """service: net
provider:
  name: aws
  runtime: nodejs20.x
functions:
  inside:
    handler: handler.main
    vpc:
      securityGroupIds: [!GetAtt Group.GroupId]
      subnetIds: [!Ref Subnet]
    events:
      - sns: {arn: !Ref Calls, topicName: calls}
      - httpApi: GET /inside
  outside:
    handler: handler.main
resources:
  Resources:
    Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.3.0.0/16}}
    Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.3.0.0/24}}
    Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: all}}
    Calls: {Type: AWS::SNS::Topic}
    Watching:
      Type: AWS::CloudWatch::Alarm
      Properties:
        Namespace: AWS/Lambda
        MetricName: Errors
        Dimensions: [{Name: FunctionName, Value: !Ref InsideLambdaFunction}]
        AlarmDescription: !GetAtt InsideLambdaFunction.Arn
        ComparisonOperator: GreaterThanThreshold
        EvaluationPeriods: 1
        Period: 60
        Statistic: Sum
        Threshold: 1
"""
KINDS = {
    "AWS::EC2::SecurityGroup": "SecurityGroupIds",
    "AWS::EC2::Subnet": "SubnetIds",
    "AWS::EC2::VPC": "VpcId",
}


@pytest.fixture
def net(troupe):
    """prod at its first deployment, dev at its second."""
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    for stage in ("prod", "dev"):
        troupe("deploy", stage)
    code(troupe, "two")
    troupe("deploy", "dev")
    return troupe


def networks(account, stage):
    """Ids of the groups, subnets and VPCs that the stage's stack has."""
    resources = account.client("cloudformation").list_stack_resources(StackName=f"net-{stage}")[
        "StackResourceSummaries"
    ]
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for item in resources
        if item["ResourceType"] in KINDS
    }


def inside(account, ids, function="net-inside"):
    """Versions of the function, $LATEST too, that are in one of these networks."""

    def of(configuration):
        vpc = configuration.get("VpcConfig", {})
        return {*vpc.get("SecurityGroupIds", []), *vpc.get("SubnetIds", []), vpc.get("VpcId")}

    versions = account.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
    return [item["Version"] for item in versions if of(item) & set(ids)]


def exist(account, ids):
    ec2 = account.client("ec2")
    there = {item["GroupId"] for item in ec2.describe_security_groups()["SecurityGroups"]}
    there |= {item["SubnetId"] for item in ec2.describe_subnets()["Subnets"]}
    there |= {item["VpcId"] for item in ec2.describe_vpcs()["Vpcs"]}
    return {name for name, id in ids.items() if id in there}


def status(account, stage="dev"):
    return account.client("cloudformation").describe_stacks(StackName=f"net-{stage}")["Stacks"][0][
        "StackStatus"
    ]


def call(account, stage, function="net-inside"):
    return (
        account.client("lambda")
        .invoke(FunctionName=function, Qualifier=stage)["Payload"]
        .read()
        .decode()
    )


def test_a_stage_goes_with_its_network(net, account):
    """Whoever is in it leaves before: the aliases, their versions, the head. The neighbour
    stays.
    """
    ids, prod = networks(account, "dev"), net.stage("prod", "net")
    assert inside(account, ids.values()) == ["$LATEST", "2", "3"]
    before = net.world()
    assert net("remove", "dev", "--plan", "--json").json["versions"] == [
        "net-inside:2",
        "net-inside:3",
    ]
    assert "net-inside:2" in net("remove", "dev", "--plan").out and net.world() == before
    result = net("remove", "dev", "--yes", "--json")
    assert exist(account, ids) == set() and inside(account, ids.values()) == []
    assert {item["name"] for item in result.json["deleted"]} == {
        "net-dev",
        "net-inside:2",
        "net-inside:3",
    }, str(result)
    assert net.stage("prod", "net") == prod and call(account, "prod") == '"one"'
    assert [item["outcome"] for item in net("history", "dev", "--json").json["deployments"]][
        0
    ] == "succeeded"
    assert not settled_problems(net.world(), Records(account, "net"), "net")
    net("deploy", "dev")
    assert call(account, "dev") == '"two"'
    net("remove", "--service", "--yes")
    assert leftovers(net.world()) == {} and not exist(account, networks_of_all(account))


def networks_of_all(account):
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    return {
        item["GroupId"]: item["GroupId"] for item in groups if item["GroupName"].startswith("net-")
    }


def test_a_network_that_another_alias_needs_keeps_its_stage(net, account):
    """Refused before anything is changed; without that alias the same command goes through."""
    lam, ids, before = account.client("lambda"), networks(account, "dev"), net.world()
    lam.create_alias(FunctionName="net-inside", Name="mine", FunctionVersion="2")
    planned = net("remove", "dev", "--plan", check=3)
    assert "net-inside:2" in planned.out and "alias 'mine' points at it" in planned.err, str(
        planned
    )
    result = net("remove", "dev", "--yes", "--purge", check=3)
    assert "version 2 of 'net-inside' is in it, and alias 'mine' points at it" in result.err, str(
        result
    )
    assert net.stage("dev", "net") and exist(account, ids) == set(ids)
    lam.delete_alias(FunctionName="net-inside", Name="mine")
    assert net.world()["stacks"] == before["stacks"] and call(account, "dev") == '"two"'
    made = lam.update_function_configuration(FunctionName="net-inside", Description="by hand")
    eventually(
        lambda: lam.get_function(FunctionName="net-inside")["Configuration"]["LastUpdateStatus"]
        == "Successful"
    )
    hand = lam.publish_version(FunctionName=made["FunctionName"])["Version"]
    result = net("remove", "dev", "--yes", check=3)
    assert (
        f"version {hand} of 'net-inside' is in it, and no record of the service names it"
        in result.err
    ), str(result)
    lam.delete_function(FunctionName="net-inside", Qualifier=hand)
    # Who may not ask for interfaces does not wait: AWS tries for a while by itself, the local cloud
    # once.
    net.proxy.rule(
        "status", operation="DescribeNetworkInterfaces", status=403, code="UnauthorizedOperation"
    )
    result = net("remove", "dev", "--yes", check=False)
    assert "the caller may not list them" in result.err, str(result)
    net.proxy.clear()
    net("remove", "dev", "--yes")
    assert exist(account, ids) == set()


@pytest.mark.parametrize("way", ("remove", "prune"))
def test_a_stage_that_could_not_be_deleted(net, account, way):
    """By an older troupe, or by hand: its stack is DELETE_FAILED, and versions hold its network."""
    cloudformation, ids = account.client("cloudformation"), networks(account, "dev")
    cloudformation.delete_stack(StackName="net-dev")
    eventually(lambda: status(account) == "DELETE_FAILED", "DELETE_FAILED")
    assert exist(account, ids) == set(ids)
    if way == "prune":
        net("prune", "--unused-for", "0s")
        assert inside(account, ids.values()) == ["$LATEST"], "what no alias names has gone"
    net("remove", "dev", "--yes")
    assert exist(account, ids) == set() and "net-dev" not in net.world()["stacks"]
    assert call(account, "prod") == '"one"' and inside(
        account, networks(account, "prod").values()
    ) == ["1"]


def test_a_network_that_is_dropped_stays_while_versions_are_in_it(net, account):
    """Renamed, it is there beside the new one, so that a rollback is what it was; it goes with the
    first deployment after the versions. Replaced under its name it would be gone before: refused.
    """
    append(net, "custom:\n  troupe:\n    history: {keep: 1}\n")
    ids = networks(account, "dev")
    net.edit("serverless.yml", "GroupDescription: all", "GroupDescription: some")
    result = net("deploy", "dev", check=3)
    assert "'Group' would be replaced (GroupDescription changed)" in result.err, str(result)
    net.edit("serverless.yml", "GroupDescription: some", "GroupDescription: all")
    for old, new in (("!GetAtt Group.", "!GetAtt Second."), ("    Group: {", "    Second: {")):
        net.edit("serverless.yml", old, new)
    result = net("deploy", "dev")
    both = networks(account, "dev")
    assert both.keys() == {"Vpc", "Subnet", "Group", "Second"} and both["Group"] == ids["Group"]
    assert "'Group' stays for now: version 2 of 'net-inside' is in it" in result.err, str(result)
    assert "nothing to do" in net("deploy", "dev").out
    assert inside(account, [both["Second"]]) == ["$LATEST", "4"]

    net("rollback", "dev")
    assert "'Second' stays" not in net("plan", "dev", check=False).err
    assert networks(account, "dev") == both and call(account, "dev") == '"two"'
    assert inside(account, [both["Second"]]) == ["$LATEST", "4"], "rolled back at once"
    net("deploy", "dev")
    net("prune", "--unused-for", "0s")
    assert inside(account, [both["Group"]]) == []
    code(net, "three")
    net("deploy", "dev")
    assert networks(account, "dev").keys() == {"Vpc", "Subnet", "Second"} and exist(
        account, ids
    ) == {"Vpc", "Subnet"}
    assert "nothing to do" in net("deploy", "dev").out
    assert not settled_problems(net.world(), Records(account, "net"), "net")
