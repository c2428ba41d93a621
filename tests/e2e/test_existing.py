"""Buckets and user pools that the service does not make: each stage configures them, and takes away
its own.
"""

import hashlib
import json

import pytest

from legacy import serverless_deploy
from shop import eventually

HANDLER = """exports.main = async (event, context) => {
  console.log("GOT", context.invokedFunctionArn, JSON.stringify(event));
  return event;
};
"""
SERVICE = """service: guest
provider:
  name: aws
  runtime: nodejs22.x
  stage: dev
params:
  dev: {{n: '1'}}
  prod: {{n: '2'}}
functions:
  files:
    handler: handler.main
    events:
      - s3:
          bucket: {bucket}
          existing: true
          rules: [{{prefix: '${{sls:stage}}/'}}, {{suffix: .txt}}]
      - s3: {{bucket: {bucket}, existing: true, event: 's3:ObjectRemoved:*', rules: [{{prefix: '${{sls:stage}}/'}}]}}
  signs:
    handler: handler.main
    events:
      - cognitoUserPool: {{pool: 'people-${{sls:stage}}', trigger: PreSignUp, existing: true}}
      - cognitoUserPool: {{pool: 'people-${{sls:stage}}', trigger: CustomMessage, existing: true}}
  own:
    handler: handler.main
    events:
      - cognitoUserPool: {{pool: 'own-${{sls:stage}}', trigger: PostConfirmation}}
"""


class Things:
    """The bucket and the pools, with what neighbours configured there."""

    def __init__(self, account):
        self.account = account
        self.bucket = f"guests-{account.id}"
        self.s3, self.cognito = account.client("s3"), account.client("cognito-idp")
        self.s3.create_bucket(Bucket=self.bucket)
        self.queue = self.make_queue()
        self.pools = {}
        for stage in ("dev", "prod"):
            pool = self.cognito.create_user_pool(
                PoolName=f"people-{stage}",
                AutoVerifiedAttributes=["email"],
                MfaConfiguration="OFF",
                Policies={"PasswordPolicy": {"MinimumLength": 17}},
                UserPoolTags={"whose": "neighbour"},
                LambdaConfig={"PostAuthentication": self.neighbour("post")},
            )
            self.pools[stage] = pool["UserPool"]["Id"]

    def neighbour(self, name):
        return f"arn:aws:lambda:us-east-1:{self.account.id}:function:guest-neighbour-{name}"

    def make_queue(self):
        sqs = self.account.client("sqs")
        url = sqs.create_queue(QueueName="neighbour")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{self.account.id}:neighbour"
        policy = {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                }
            ]
        }
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "Id": "guest-files:dev-of-a-neighbour",
                        "QueueArn": arn,
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {
                            "Key": {"FilterRules": [{"Name": "prefix", "Value": "neighbour/"}]}
                        },
                    }
                ]
            },
        )
        return arn

    def notifications(self):
        """{alias that is called: how many}, and the neighbour's queues."""
        got = self.s3.get_bucket_notification_configuration(Bucket=self.bucket)
        called = {}
        for one in got.get("LambdaFunctionConfigurations", []):
            alias = one["LambdaFunctionArn"].partition(":function:")[2]
            called[alias] = called.get(alias, 0) + 1
        return called, [one["QueueArn"] for one in got.get("QueueConfigurations", [])]

    def pool(self, stage):
        return self.cognito.describe_user_pool(UserPoolId=self.pools[stage])["UserPool"]

    def triggers(self, stage):
        return {
            name: arn.partition(":function:")[2]
            for name, arn in self.pool(stage)["LambdaConfig"].items()
        }


NEIGHBOURS = {"PostAuthentication": "guest-neighbour-post"}


def mine(stage):
    return {"PreSignUp": f"guest-signs:{stage}", "CustomMessage": f"guest-signs:{stage}"}


def callers(account, function, stage):
    """Who may call the alias: {principal: source}."""
    try:
        policy = account.client("lambda").get_policy(FunctionName=function, Qualifier=stage)[
            "Policy"
        ]
    except account.client("lambda").exceptions.ResourceNotFoundException:
        return {}
    return {
        statement["Principal"]["Service"]: statement["Condition"]["ArnLike"]["AWS:SourceArn"]
        for statement in json.loads(policy)["Statement"]
    }


@pytest.fixture
def things(account):
    return Things(account)


def write(troupe, things, text=SERVICE, **more):
    troupe.write(
        {"handler.js": HANDLER, "serverless.yml": text.format(bucket=things.bucket, **more)}
    )


def test_stages_share_a_bucket_and_leave_what_is_not_theirs(troupe, things, account):
    write(troupe, things)
    before = {stage: things.pool(stage) for stage in ("dev", "prod")}
    troupe("deploy", "dev")
    assert things.notifications() == ({"guest-files:dev": 2}, [things.queue])
    assert things.triggers("dev") == {**NEIGHBOURS, **mine("dev")}
    assert things.triggers("prod") == NEIGHBOURS
    assert callers(account, "guest-files", "dev") == {
        "s3.amazonaws.com": f"arn:aws:s3:::{things.bucket}"
    }
    assert callers(account, "guest-signs", "dev") == {
        "cognito-idp.amazonaws.com": (
            f"arn:aws:cognito-idp:us-east-1:{account.id}:userpool/{things.pools['dev']}"
        )
    }
    troupe("deploy", "prod")
    both = {"guest-files:dev": 2, "guest-files:prod": 2}
    assert things.notifications() == (both, [things.queue])
    assert things.triggers("prod") == {**NEIGHBOURS, **mine("prod")}
    assert "nothing to do" in troupe("deploy", "dev").out
    changing = {"LambdaConfig", "LastModifiedDate"}
    for stage, pool in before.items():
        now = things.pool(stage)
        assert {k: v for k, v in now.items() if k not in changing} == {
            k: v for k, v in pool.items() if k not in changing
        }

    # A deployment without one of the triggers, and back.
    troupe.edit("serverless.yml", "CustomMessage", "UserMigration")
    troupe("deploy", "dev")
    assert things.triggers("dev") == {
        **NEIGHBOURS,
        "PreSignUp": "guest-signs:dev",
        "UserMigration": "guest-signs:dev",
    }
    troupe("rollback", "dev")
    assert things.triggers("dev") == {**NEIGHBOURS, **mine("dev")}
    assert things.triggers("prod") == {**NEIGHBOURS, **mine("prod")}

    troupe("remove", "dev", "--yes")
    assert things.notifications() == ({"guest-files:prod": 2}, [things.queue])
    assert things.triggers("dev") == NEIGHBOURS and things.triggers("prod") == {
        **NEIGHBOURS,
        **mine("prod"),
    }
    troupe("remove", "--service", "--yes")
    assert things.notifications() == ({}, [things.queue])
    assert things.triggers("prod") == NEIGHBOURS


def got(account, function, text):
    """Wait until the function's log shows an event with this text; the ARN it was called by."""

    def seen():
        events = account.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")[
            "events"
        ]
        return [
            message.split()[message.split().index("GOT") + 1]
            for message in (event["message"] for event in events)
            if "GOT" in message and text in message
        ]

    return eventually(seen)


def test_events_of_both_stages_arrive(troupe, things, account):
    write(troupe, things)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    for stage in ("dev", "prod"):
        things.s3.put_object(Bucket=things.bucket, Key=f"{stage}/a.jpg", Body=b"")
        things.s3.put_object(Bucket=things.bucket, Key=f"{stage}/a-{stage}.txt", Body=b"")
        arns = got(account, "guest-files", f"a-{stage}.txt")
        assert [arn.partition(":function:")[2] for arn in arns] == [f"guest-files:{stage}"]
        # The trigger answers with what it got, so that the user is made. MiniStack calls this
        # trigger by itself; that Cognito calls the others by the same alias follows from the pool's
        # triggers, which the other tests compare.
        things.cognito.admin_create_user(
            UserPoolId=things.pools[stage],
            Username=f"ann-{stage}",
            TemporaryPassword="Long-enough-4-seventeen",
            UserAttributes=[{"Name": "email", "Value": "ann@example.com"}],
            DesiredDeliveryMediums=["EMAIL"],
        )
        arns = got(account, "guest-signs", f"ann-{stage}")
        assert {arn.partition(":function:")[2] for arn in arns} == {f"guest-signs:{stage}"}


def test_what_another_stage_has_is_said_before(troupe, things):
    """One pool or bucket for all stages, where only one of them can have it."""
    for old, new, word in (
        ("people-${{sls:stage}}", "people-dev", "PreSignUp"),
        ("prefix: '${{sls:stage}}/'", "prefix: all/", "s3:ObjectCreated:*"),
    ):
        write(troupe, things, SERVICE.replace(old, new))
        troupe("deploy", "dev")
        before = troupe.world()
        for command in ("plan", "deploy"):
            result = troupe(command, "prod", check=3)
            assert (
                f"stage 'dev' has '{word}'" in result.err and "--> serverless.yml:" in result.err
            ), str(result)
        assert troupe.world() == before
        assert "nothing to do" in troupe("deploy", "dev").out


def test_a_trigger_that_moves_takes_two_deployments(troupe, things):
    write(troupe, things)
    troupe("deploy", "dev")
    before = troupe.world()
    moved = SERVICE.replace(
        "trigger: CustomMessage, existing: true", "trigger: UserMigration, existing: true"
    ).replace(
        "  own:",
        """  other:
    handler: handler.main
    events:
      - cognitoUserPool: {{pool: 'people-${{sls:stage}}', trigger: CustomMessage, existing: true}}
  own:""",
    )
    write(troupe, things, moved)
    result = troupe("deploy", "dev", check=3)
    assert (
        "'CustomMessage' cannot move from resource 'SignsCustomCognitoUserPool1'" in result.err
    ), str(result)
    assert troupe.world() == before
    twice = SERVICE.replace("trigger: CustomMessage", "trigger: PreSignUp")
    write(troupe, things, twice)
    result = troupe("deploy", "dev", check=2)
    assert "user pool 'people-dev' has trigger 'PreSignUp' twice" in result.err, str(result)
    assert troupe.world() == before


def test_what_a_neighbour_has_is_said_and_nothing_stays(troupe, things, account):
    taken = {**things.pool("dev")["LambdaConfig"], "PreSignUp": things.neighbour("signs")}
    things.cognito.update_user_pool(UserPoolId=things.pools["dev"], LambdaConfig=taken)
    write(troupe, things)
    result = troupe("deploy", "dev", check=1)
    assert (
        f"trigger 'PreSignUp' of user pool 'people-dev' calls {things.neighbour('signs')} already"
        in result.err
    ), str(result)
    assert things.triggers("dev") == {**NEIGHBOURS, "PreSignUp": "guest-neighbour-signs"}
    assert things.notifications() == ({}, [things.queue])
    # It is taken away there, and the same command goes through.
    things.cognito.update_user_pool(
        UserPoolId=things.pools["dev"],
        LambdaConfig={"PostAuthentication": things.neighbour("post")},
    )
    troupe("deploy", "dev")
    assert things.triggers("dev") == {**NEIGHBOURS, **mine("dev")}


def test_stages_at_the_same_time(troupe, things):
    """Both write the one bucket, and each finds its own there afterwards; so do two that go."""
    write(troupe, things)
    troupe("deploy", "dev")
    troupe.edit("serverless.yml", "ObjectRemoved:*", "ObjectRemoved:Delete")
    for result in [
        running.wait() for running in [troupe.start("deploy", stage) for stage in ("dev", "prod")]
    ]:
        assert result.code == 0, str(result)
    assert things.notifications() == ({"guest-files:dev": 2, "guest-files:prod": 2}, [things.queue])
    for result in [
        running.wait()
        for running in [troupe.start("remove", stage, "--yes") for stage in ("dev", "prod")]
    ]:
        assert result.code == 0, str(result)
    assert things.notifications() == ({}, [things.queue])
    assert things.triggers("dev") == NEIGHBOURS and things.triggers("prod") == NEIGHBOURS


def by_the_reference(troupe, things, stage):
    """The stage as `serverless deploy` leaves it. The handlers in the package are troupe's, so ids
    of notifications are made what the reference's are: the function's name and an MD5.
    """
    serverless_deploy(troupe, stage, "guest")
    got = things.s3.get_bucket_notification_configuration(Bucket=things.bucket)
    got.pop("ResponseMetadata")
    name = f"guest-{stage}-files"
    for one in got["LambdaFunctionConfigurations"]:
        if one["LambdaFunctionArn"].endswith(f":function:{name}"):
            one["Id"] = f"{name}-{hashlib.md5(one['Id'].encode()).hexdigest()}"
    things.s3.put_bucket_notification_configuration(
        Bucket=things.bucket, NotificationConfiguration=got
    )


def test_a_stage_of_the_reference_is_adopted(troupe, things, account):
    """Its notifications and triggers become those of the stage's aliases; those of others stay,
    also when the old custom resources are deleted.
    """
    write(troupe, things)
    for stage in ("dev", "prod"):
        by_the_reference(troupe, things, stage)
    both = {"guest-dev-files": 2, "guest-prod-files": 2}
    old = {"PreSignUp": "guest-prod-signs", "CustomMessage": "guest-prod-signs"}
    assert things.notifications() == (both, [things.queue])
    assert things.triggers("prod") == {**NEIGHBOURS, **old}
    troupe("adopt", "dev", "--yes")
    assert things.notifications() == ({"guest-files:dev": 2, "guest-prod-files": 2}, [things.queue])
    assert things.triggers("dev") == {**NEIGHBOURS, **mine("dev")}
    assert things.triggers("prod") == {**NEIGHBOURS, **old}
    things.s3.put_object(Bucket=things.bucket, Key="dev/adopted.txt", Body=b"")
    arns = got(account, "guest-files", "adopted.txt")
    assert [arn.partition(":function:")[2] for arn in arns] == ["guest-files:dev"]
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe("adopt", "prod", "--yes")
    troupe("remove", "dev", "--yes")
    assert things.notifications() == ({"guest-files:prod": 2}, [things.queue])
    assert things.triggers("dev") == NEIGHBOURS and things.triggers("prod") == {
        **NEIGHBOURS,
        **mine("prod"),
    }
    troupe("remove", "--service", "--yes")
    assert things.notifications() == ({}, [things.queue]) and things.triggers("prod") == NEIGHBOURS


def test_functions_that_keep_their_names_are_adopted(troupe, things):
    """Nothing changes for bucket and pool; the reference's ids are known when the stage is
    removed.
    """
    write(troupe, things, SERVICE + "custom: {{troupe: {{functions: {{perStage: ['*']}}}}}}\n")
    by_the_reference(troupe, things, "dev")
    now = things.notifications(), things.triggers("dev")
    assert now[0] == ({"guest-dev-files": 2}, [things.queue])
    troupe("adopt", "dev", "--yes")
    assert (things.notifications(), things.triggers("dev")) == now
    troupe("remove", "dev", "--yes")
    assert things.notifications() == ({}, [things.queue]) and things.triggers("dev") == NEIGHBOURS
