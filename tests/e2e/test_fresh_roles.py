"""What a publish, a destination or an event source needs of a function's role is there before it,
although other services learn of what IAM changed up to two seconds late.
"""

import json

import pytest

from conftest import RememberingCloud
from own_roles import OWN_ROLE, write

OWN_POLICY = """    OwnRights:
      Type: {type}
      Properties:
        {name}
        Roles: [!Ref Own]
        PolicyDocument:
          Version: '2012-10-17'
          Statement: [{{Effect: Allow, Action: ['xray:*', 'logs:*'], Resource: '*'}}]
"""

# What is added, each to a stage that is at work without it.
ADDED = {
    "vpc": {"function": "    vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}\n"},
    "tracing": {"provider": "  tracing: {lambda: true}\n"},
    "onError": {
        "function": "    onError: !Ref Dead\n",
        "provider": (
            """\
        - {Effect: Allow, Action: 'sns:Publish', Resource: !Ref Dead}
"""
        ),
    },
    "destinations": {
        "function": (
            """\
    destinations: {onSuccess: {type: sqs, arn: !GetAtt Done.Arn}}
"""
        )
    },
    "queue": {"function": "    events: [{sqs: {arn: !GetAtt Jobs.Arn}}]\n"},
    "stream": {
        "function": "    events: [{stream: {type: dynamodb, arn: !GetAtt Orders.StreamArn}}]\n"
    },
    "new resource": {
        "resources": "    New: {Type: AWS::SNS::Topic}\n",
        "function": (
            """\
    environment: {NEW: !Ref New}
    destinations: {onFailure: {type: sns, arn: !Ref New}}
"""
        ),
    },
    "kms, with a new role": {
        "resources": OWN_ROLE,
        "function": (
            """\
    role: Own
    environment: {NAME: value}
    kmsKeyArn: arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555
"""
        ),
    },
    "a policy of a new role": {
        "function": "    role: Own\n    tracing: Active\n",
        "resources": OWN_ROLE + OWN_POLICY.format(type="AWS::IAM::Policy", name="PolicyName: own"),
    },
    "a managed policy of a new role": {
        "function": "    role: Own\n    tracing: Active\n",
        "resources": (
            OWN_ROLE + OWN_POLICY.format(type="AWS::IAM::ManagedPolicy", name="Description: own")
        ),
    },
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    running = RememberingCloud(
        tmp_path_factory.mktemp("cloud"),
        TROUPE_CLOUD_STACK_MS="100",
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="60",
        TROUPE_CLOUD_ROLE_DELAY_MS="2000",
    )
    yield running
    running.stop()


def test_what_a_function_is_given_may_be_used_at_once(troupe):
    write(troupe, "one")
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    before = troupe.stage("prod", "rights")
    failed = {}
    for name, added in ADDED.items():
        write(troupe, name, **added)
        result = troupe("deploy", "dev", check=False)
        if result.code != 0:
            failed[name] = result.err
    assert not failed, "\n".join(f"{name}: {text}" for name, text in failed.items())
    assert json.loads(troupe("invoke", "dev", "f").out) == list(ADDED)[-1]
    assert troupe.stage("prod", "rights") == before
