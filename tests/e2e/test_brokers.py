"""Brokers and CloudFront: what belongs to a stage, and what AWS would get of it.

The local cloud has no brokers, no Kafka and no edge, so nothing arrives here: compared is the
wiring with what Lambda and CloudFront document (FunctionName of a mapping, LambdaFunctionARN of a
distribution), in the stage's own resources.
"""

import json

import pytest

from world import leftovers

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:broker"
FILE = f"""service: bus
provider:
  name: aws
  runtime: nodejs20.x
  environment: {{LEVEL: info}}
  cloudFront:
    cachePolicies:
      brief:
        DefaultTTL: 1
        MinTTL: 0
        MaxTTL: 2
        ParametersInCacheKeyAndForwardedToOrigin:
          CookiesConfig: {{CookieBehavior: none}}
          EnableAcceptEncodingGzip: false
          HeadersConfig: {{HeaderBehavior: none}}
          QueryStringsConfig: {{QueryStringBehavior: none}}
functions:
  work:
    handler: handler.main
    events:
      - kafka:
          accessConfigurations: {{saslPlainAuth: '{SECRET}'}}
          bootstrapServers: [a.example.com:9092]
          topic: orders
      - msk:
          arn: arn:aws:kafka:us-east-1:123456789012:cluster/main/a1
          topic: orders
      - activemq:
          arn: arn:aws:mq:us-east-1:123456789012:broker:main:b-1
          basicAuthArn: {SECRET}
          queue: orders
      - rabbitmq:
          arn: arn:aws:mq:us-east-1:123456789012:broker:main:b-2
          basicAuthArn: {SECRET}
          queue: orders
          virtualHost: /
  edge:
    handler: handler.main
    events:
      - cloudFront:
          eventType: viewer-request
          origin: https://example.com
          cachePolicy: {{name: brief}}
"""
HANDLER = "exports.main = async () => 'one';\n"


def resources(troupe, stack):
    pages = troupe.account.client("cloudformation").get_paginator("list_stack_resources")
    found = [
        each for page in pages.paginate(StackName=stack) for each in page["StackResourceSummaries"]
    ]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def distribution(troupe, stage):
    """The versions that the stage's distribution calls, and the name of its cache policy."""
    cloudfront, made = troupe.account.client("cloudfront"), resources(troupe, f"bus-{stage}")
    config = cloudfront.get_distribution_config(Id=made["CloudFrontDistribution"])[
        "DistributionConfig"
    ]
    behavior = config["DefaultCacheBehavior"]
    policy = cloudfront.get_cache_policy(Id=behavior["CachePolicyId"])["CachePolicy"][
        "CachePolicyConfig"
    ]
    called = [each["LambdaFunctionARN"] for each in behavior["LambdaFunctionAssociations"]["Items"]]
    return called, policy["Name"]


def code(troupe, arn):
    """What the version at the edge says; nothing calls it here."""
    answer = troupe.account.client("lambda").invoke(FunctionName=arn)
    return json.loads(answer["Payload"].read())


def mappings(troupe):
    """{stage: what each mapping of it calls}."""
    found = {}
    for each in troupe.account.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        found.setdefault(each["FunctionArn"].rsplit(":", 1)[1], []).append(each["FunctionArn"])
    return found


def calls_alias(troupe, *stages):
    arn = f"arn:aws:lambda:us-east-1:{troupe.account.id}:function:bus-work:"
    assert mappings(troupe) == {stage: [arn + stage] * 4 for stage in stages}


def hold(troupe, arn):
    """A neighbour's distribution that calls the version: as if CloudFront had copies of it
    still.
    """
    association = {"EventType": "viewer-request", "LambdaFunctionARN": arn}
    config = {
        "Enabled": True,
        "Origins": [
            {
                "Id": "o",
                "DomainName": "o.example",
                "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
            }
        ],
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "LambdaFunctionAssociations": [association],
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }
    body = {
        "Resources": {
            "D": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {"DistributionConfig": config},
            }
        }
    }
    cloudformation = troupe.account.client("cloudformation")
    cloudformation.create_stack(StackName="bus-neighbour", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="bus-neighbour", WaiterConfig={"Delay": 0.1}
    )


def let_go(troupe):
    cloudformation = troupe.account.client("cloudformation")
    cloudformation.delete_stack(StackName="bus-neighbour")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="bus-neighbour", WaiterConfig={"Delay": 0.1}
    )


def functions(troupe):
    return sorted(
        each["FunctionName"]
        for each in troupe.account.client("lambda").list_functions()["Functions"]
    )


@pytest.fixture
def bus(troupe):
    troupe.write({"serverless.yml": FILE, "handler.js": HANDLER})
    for stage in ("dev", "prod"):
        told = troupe("deploy", stage).err
        assert (
            "'edge' is one of each stage's own, because CloudFront calls versions, never an alias"
            in told
        )
        assert (
            "'edge' does not get 'environment' (serverless.yml:5:16): there is none at CloudFront's"
            " edge" in told
        )
    return troupe


def test_stages_keep_to_themselves(bus):
    calls_alias(bus, "dev", "prod")
    (dev,), policy = distribution(bus, "dev")
    (prod,), other = distribution(bus, "prod")
    assert (policy, other) == ("bus-dev-brief", "bus-prod-brief")
    assert (dev.split(":")[6], prod.split(":")[6]) == (
        "bus-dev-edge",
        "bus-prod-edge",
    ) and dev.split(":")[7].isdigit()
    assert (code(bus, dev), code(bus, prod)) == ("one", "one")
    before = bus.stage("prod", "bus")
    assert "nothing to do" in bus("deploy", "dev").out
    bus.edit("handler.js", "'one'", "'two'")
    bus("deploy", "dev")
    (changed,), _ = distribution(bus, "dev")
    assert changed != dev and code(bus, changed) == "two"
    bus("rollback", "dev", "--yes")
    (back,), _ = distribution(bus, "dev")
    assert code(bus, back) == "one"
    bus("clone", "dev", "copy")
    (copied,), policy = distribution(bus, "copy")
    assert (code(bus, copied), policy) == ("one", "bus-copy-brief")
    calls_alias(bus, "copy", "dev", "prod")
    bus("reset", "copy", "--to", "prod", "--yes")
    bus("remove", "copy", "--yes")
    bus("remove", "dev", "--yes")
    calls_alias(bus, "prod")
    assert (bus.stage("prod", "bus"), distribution(bus, "prod")) == (
        before,
        ([prod], "bus-prod-brief"),
    )
    assert functions(bus) == ["bus-prod-edge", "bus-work"]
    bus("remove", "--service", "--yes")
    assert leftovers(bus.world()) == {} and functions(bus) == []


def test_functions_that_cloudfront_has_copies_of(bus):
    """They outlive their stage, and `prune` deletes them when Lambda does."""
    (version,), _ = distribution(bus, "dev")
    hold(bus, version)
    out = bus("remove", "dev", "--yes").out
    assert (
        "kept AWS::Lambda::Function bus-dev-edge: CloudFront has copies of it for some hours" in out
    )
    refused = bus("deploy", "dev", check=False)
    assert refused.code and "function 'bus-dev-edge' is there already" in refused.err, refused
    assert "run 'troupe prune' until it is gone" in refused.err
    assert "kept function bus-dev-edge (dev#2): " in bus("prune").out
    let_go(bus)
    assert "gone function bus-dev-edge (dev#2)" in bus("prune", "--plan").out
    assert functions(bus) == ["bus-dev-edge", "bus-prod-edge", "bus-work"]
    assert "gone function bus-dev-edge (dev#2)" in bus("prune").out
    assert functions(bus) == ["bus-prod-edge", "bus-work"]
    bus("deploy", "dev")
    (version,), _ = distribution(bus, "dev")
    hold(bus, version)
    out = bus("remove", "--service", "--yes").out
    assert "for some hours; then: aws lambda delete-function --function-name bus-dev-edge\n" in out
    assert functions(bus) == ["bus-dev-edge"]


OWN = """service: own
provider: {name: aws, runtime: nodejs20.x}
functions:
  edge:
    handler: handler.main
    role: EdgeRole
resources:
  Resources:
    EdgeRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument:
          Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Principal: {Service: [lambda.amazonaws.com, edgelambda.amazonaws.com]}
              Action: sts:AssumeRole
    Site:
      Type: AWS::CloudFront::Distribution
      Properties:
        DistributionConfig:
          Enabled: true
          Origins: [{Id: o, DomainName: o.example, CustomOriginConfig: {OriginProtocolPolicy: https-only}}]
          DefaultCacheBehavior:
            TargetOriginId: o
            ViewerProtocolPolicy: allow-all
            CachePolicyId: 658327ea-f89d-4fab-a63d-7e88639e58f6
            LambdaFunctionAssociations:
              - {EventType: viewer-request, LambdaFunctionARN: !GetAtt EdgeLambdaFunction.Arn}
"""
# What a function at the edge cannot have, and how it is told.
REFUSED = {
    "environment: {LEVEL: info}": "environment variables",
    "layers: ['arn:aws:lambda:us-east-1:1:layer:a:1']": "layers",
    "tracing: Active": "tracing",
    "onError: 'arn:aws:sns:us-east-1:123456789012:dead'": "'onError'",
    "architecture: arm64": "architecture arm64",
    "ephemeralStorageSize: 1024": "more than 512 MB of ephemeral storage",
    "runtime: java21": "a runtime other than Node.js and Python",
    "vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}": "a VPC",
}


def test_a_distribution_of_the_users_own(troupe):
    """The same holds for what a distribution in `resources` calls."""
    for line, what in REFUSED.items():
        troupe.write(
            {
                "serverless.yml": OWN.replace(
                    "    role: EdgeRole", f"    role: EdgeRole\n    {line}"
                ),
                "handler.js": HANDLER,
            }
        )
        told = troupe("validate", "dev", check=False)
        assert (
            told.code == 2
            and f"function 'edge' cannot have {what}: CloudFront calls it" in told.err
        ), told
        assert "--> serverless.yml:7:" in told.err, told
    troupe.write({"serverless.yml": OWN, "handler.js": HANDLER})
    troupe("deploy", "dev")
    hold(troupe, f"arn:aws:lambda:us-east-1:{troupe.account.id}:function:own-dev-edge:1")
    assert (
        "kept AWS::Lambda::Function own-dev-edge: CloudFront has copies"
        in troupe("remove", "dev", "--yes").out
    )
    let_go(troupe)
    assert "gone function own-dev-edge" in troupe("prune").out
    troupe("deploy", "dev")
    shared = (
        OWN.replace(
            "!GetAtt EdgeLambdaFunction.Arn", "'arn:aws:lambda:us-east-1:1:function:x:1'"
        ).replace(
            "Site:\n      Type: AWS::CloudFront::Distribution",
            "Site:\n      Type: AWS::CloudFront::Distribution\n      Condition: Never",
        )
        + "  Conditions: {Never: !Equals [a, b]}\n"
    )
    for held in (True, False):
        if held:
            hold(troupe, f"arn:aws:lambda:us-east-1:{troupe.account.id}:function:own-dev-edge:1")
        troupe.write({"serverless.yml": shared})
        told = troupe("deploy", "dev").err
        assert (
            "function 'own-dev-edge' stays: CloudFront has copies of it for some hours" in told
        ) == held
        assert ("own-dev-edge" in functions(troupe)) == held
        troupe.write({"serverless.yml": OWN})
        if held:
            assert "is there already" in troupe("deploy", "dev", check=False).err
            let_go(troupe)
            troupe.account.client("lambda").delete_function(FunctionName="own-dev-edge")
        troupe("deploy", "dev")
    troupe("remove", "--service", "--yes")
    assert functions(troupe) == []
