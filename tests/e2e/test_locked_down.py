"""Accounts that are locked down: who deploys may make no roles, or only with a boundary; the bucket
takes encrypted objects only; and what the file says of stacks is done to them.
"""

import json
import random

SERVICE = """service: guarded
provider:
  name: aws
  runtime: nodejs20.x
{provider}
functions:
  a: {{handler: handler.main}}
  b: {{handler: handler.main, description: '${{sls:stage}}'}}
{more}"""
HANDLER = "exports.main = async () => 'served';\n"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def service(provider, more=""):
    lines = "\n".join(f"  {line}" for line in provider.splitlines())
    return {"handler.js": HANDLER, "serverless.yml": SERVICE.format(provider=lines, more=more)}


def as_user(troupe, *statements, name="deployer"):
    """From now on an IAM user runs troupe, who may do everything but what the statements deny."""
    iam = troupe.account.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, *statements],
    }
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    troupe.proxy.secrets[key["AccessKeyId"]] = key["SecretAccessKey"]
    troupe.env |= {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def roles(troupe):
    """The roles of stacks: name -> role."""
    iam = troupe.account.client("iam")
    made = {
        role["RoleName"]: iam.get_role(RoleName=role["RoleName"])["Role"]
        for role in iam.list_roles()["Roles"]
    }
    return {name: role for name, role in made.items() if name.startswith("guarded")}


def given_role(troupe, name="given"):
    """A role that the account's administrators made for functions."""
    iam = troupe.account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name,
        PolicyName="p",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            }
        ),
    )
    return arn


def test_no_role_is_made_where_one_is_given(troupe):
    """By a caller who may make none: each way to name a role, with a stage beside it."""
    given = given_role(troupe)
    as_user(
        troupe,
        {"Effect": "Deny", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*"},
    )
    joined = "!Join ['', ['arn:aws:iam::', !Ref AWS::AccountId, ':role/given']]"
    # c's own role hangs on a condition of the stage: its head has the one of the others
    other = (
        "  c: {handler: handler.main, role: !If [Yes, !Ref Role, x]}\n"
        "resources:\n  Conditions: {Yes: !Equals ['${sls:stage}', '${sls:stage}']}\n"
        f"  Parameters: {{Role: {{Type: String, Default: '{given}'}}}}\n"
    )
    for provider, more in (
        (f"role: {given}", ""),
        (f"iam: {{role: {joined}}}", ""),
        (f"iam: {{role: '{given}'}}", other),
    ):
        troupe.write(service(provider, more))
        for stage in ("dev", "prod"):
            troupe("deploy", stage)
            assert json.loads(troupe("invoke", stage, "a").out) == "served"
        troupe("deploy", "--service")
        assert roles(troupe) == {}, provider + more
        heads = troupe.world()["functions"]
        assert {head["head"]["Role"] for head in heads.values()} == {given}, provider + more
        for stage in ("dev", "prod"):
            troupe("remove", stage)
        troupe("remove", "--service")


def test_every_role_has_the_boundary_path_and_tags(troupe):
    """A caller who may make roles below a path and with a boundary only."""
    iam = troupe.account.client("iam")
    boundary = iam.create_policy(
        PolicyName="boundary",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            }
        ),
    )["Policy"]["Arn"]
    as_user(
        troupe,
        {
            "Effect": "Deny",
            "Action": "iam:CreateRole",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": boundary}},
        },
        {"Effect": "Deny", "Action": "iam:CreateRole", "NotResource": "arn:aws:iam::*:role/team/*"},
    )
    for key in ("permissionsBoundary", "permissionBoundary", "rolePermissionsBoundary"):
        inside = "" if key.startswith("role") else f", {key}: '{boundary}'"
        outside = f"\nrolePermissionsBoundary: '{boundary}'" if not inside else ""
        troupe.write(
            service(f"iam: {{role: {{path: /team/, tags: {{owner: us}}{inside}}}}}{outside}")
        )
        troupe("deploy", "dev")
        made = roles(troupe)
        assert any("TroupeHeadRole" in name for name in made) and len(made) > 1, made
        for name, role in made.items():
            assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary, (key, name)
            assert role["Path"] == "/team/" and {"Key": "owner", "Value": "us"} in role["Tags"], (
                key,
                name,
            )
        troupe("remove", "dev")
        troupe("remove", "--service")


def test_heads_keep_their_role(troupe):
    """A service that was made before the file named a role: nothing that stages share changes."""
    troupe.write(service(""))
    troupe("deploy", "dev")
    before = troupe.world()["functions"]
    given = given_role(troupe)
    troupe.write(service(f"iam: {{role: '{given}'}}", "  c: {handler: handler.main}\n"))
    as_user(
        troupe,
        {"Effect": "Deny", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*"},
    )
    troupe("deploy", "prod")
    troupe("deploy", "--service")
    world = troupe.world()
    assert [name for name in roles(troupe) if "TroupeHeadRole" in name]
    assert (
        world["functions"]["guarded-a"]["aliases"]["dev"] == before["guarded-a"]["aliases"]["dev"]
    )
    assert world["functions"]["guarded-c"]["head"]["Role"] == given
    assert "nothing to do" in troupe("deploy", "--service").out
    assert json.loads(troupe("invoke", "dev", "a").out) == "served"


def test_a_service_stack_without_resources(troupe):
    """All that is shared is the bucket, which the user brings."""
    troupe.account.client("s3").create_bucket(Bucket="given-bucket")
    given = given_role(troupe)
    troupe.write(
        service(
            f"iam: {{role: '{given}'}}\ndeploymentBucket: given-bucket",
            "custom: {troupe: {functions: {perStage: ['*']}}}\n",
        )
    )
    troupe("deploy", "dev")
    assert json.loads(troupe("invoke", "dev", "a").out) == "served"
    troupe("deploy", "--service")
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe.write(
        service(f"iam: {{role: '{given}'}}\ndeploymentBucket: given-bucket")
    )  # now they share functions
    troupe("deploy", "prod")
    assert json.loads(troupe("invoke", "prod", "a").out) == "served"
    for stage in ("dev", "prod"):
        troupe("remove", stage)
    troupe("remove", "--service")
    assert not troupe.world()["stacks"]


def test_a_bucket_that_takes_encrypted_objects_only(troupe):
    """Whole objects, parts, copies, by every command that writes to it."""
    s3 = troupe.account.client("s3")
    key = f"arn:aws:kms:us-east-1:{troupe.account.id}:key/11111111-2222-3333-4444-555555555555"
    s3.create_bucket(Bucket="guarded-bucket")
    objects = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::guarded-bucket/*",
    }
    condition = "s3:x-amz-server-side-encryption"
    s3.put_bucket_policy(
        Bucket="guarded-bucket",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {**objects, "Condition": {"StringNotEquals": {condition: "aws:kms"}}},
                    {
                        **objects,
                        "Condition": {"StringNotEquals": {f"{condition}-aws-kms-key-id": key}},
                    },
                ],
            }
        ),
    )
    troupe.write(service("deploymentBucket: guarded-bucket"))
    assert "403 AccessDenied" in troupe("deploy", "dev", check=1).err
    encryption = f"serverSideEncryption: aws:kms, sseKMSKeyId: '{key}'"
    troupe.write(service(f"deploymentBucket: {{name: guarded-bucket, {encryption}}}"))
    (troupe.folder / "big.bin").write_bytes(
        random.Random(1).randbytes(17 << 20)
    )  # goes up in parts
    troupe("deploy", "dev")
    assert troupe.proxy.calls("s3.CreateMultipartUpload")
    for command in (
        ["deploy", "prod"],
        ["reset", "prod", "--to", "dev"],
        ["repair", "dev"],
        ["prune"],
        ["remove", "prod"],
    ):
        troupe(*command)
    for item in s3.list_objects_v2(Bucket="guarded-bucket")["Contents"]:
        head = s3.head_object(Bucket="guarded-bucket", Key=item["Key"])
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key), item["Key"]
    troupe(
        "deploy", "far", "--region", "eu-west-1"
    )  # code is copied to a bucket there, where that key is none
    (copy,) = troupe.proxy.calls("s3.CopyObject")
    assert "SSEKMSKeyId" not in copy.params


POLICY = (
    "stackPolicy: [{Effect: Allow, Principal: '*', Action: 'Update:*', Resource: '*'}, "
    "{Effect: Deny, Principal: '*', Action: 'Update:Delete', Resource: 'LogicalResourceId/Keep%s'}]"
)
SETTINGS = (
    POLICY
    + """
stackParameters:
  - {ParameterKey: Color, ParameterValue: %s}
  - {ParameterKey: Size, UsePreviousValue: true}"""
)
COLORED = """  c:
    handler: handler.color
    environment:
      COLOR: !Ref Color
      SECOND: !Select [1, !Split ['-', !Sub 'x-${Color}']]
      IF: !If [Red, 'it is red', 'it is not']
      QUEUE: !GetAtt Keep.QueueName
resources:
  Parameters: {Color: {Type: String, Default: grey}, Size: {Type: Number, Default: 30}, Other: {Type: String, Default: o}}
  Conditions: {Red: !Equals [!Ref Color, red]}
  Resources:
    Keep: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'keep-${Color}-${sls:stage}', VisibilityTimeout: !Ref Size}}
    Once: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'once-${Color}'}}
custom: {troupe: {resources: {service: [Once]}}}
"""


def test_what_the_file_says_of_stacks_is_done_to_them(troupe):
    """Policy and parameters; what functions take from a parameter is new with the deployment that
    changes it.
    """
    stacks = troupe.account.client("cloudformation")

    def parameters(stack):
        (found,) = stacks.describe_stacks(StackName=stack)["Stacks"]
        return {
            item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])
        }

    def said(stage):
        return json.loads(troupe("invoke", stage, "c").out)

    def color(name):
        return {"COLOR": name, "SECOND": name, "IF": "it is red" if name == "red" else "it is not"}

    def written(name):
        troupe.write(service(SETTINGS % ("", name), COLORED))
        troupe.write(
            {
                "handler.js": (
                    HANDLER + "exports.color = async () => { const { COLOR, SECOND, IF, QUEUE } = "
                    "process.env; return { COLOR, SECOND, IF, QUEUE }; };\n"
                )
            }
        )

    written("red")
    troupe("deploy", "dev")
    for stack in ("guarded", "guarded-dev"):
        policy = json.loads(stacks.get_stack_policy(StackName=stack)["StackPolicyBody"])
        assert [statement["Effect"] for statement in policy["Statement"]] == [
            "Allow",
            "Deny",
        ], stack
    assert said("dev") == {**color("red"), "QUEUE": "keep-red-dev"}
    assert {"Color": "red", "Size": "30", "Other": "o"}.items() <= parameters("guarded-dev").items()
    assert parameters("guarded")["Color"] == "red"
    assert "nothing to do" in troupe("deploy", "dev").out
    written("blue")
    troupe("deploy", "dev")
    assert said("dev") == {**color("blue"), "QUEUE": "keep-blue-dev"}
    assert parameters("guarded-dev")["Color"] == "blue" and parameters("guarded")["Color"] == "red"
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe("deploy", "--service")
    assert parameters("guarded")["Color"] == "blue" and "once-blue" in str(troupe.world()["queues"])
    assert "nothing to do" in troupe("deploy", "--service").out
    troupe("rollback", "dev")
    assert {key: value for key, value in said("dev").items() if key != "QUEUE"} == color("red")
    troupe.write(service(POLICY % "-${sls:stage}"))
    troupe("deploy", "prod")
    assert "Keep-prod" in stacks.get_stack_policy(StackName="guarded-prod")["StackPolicyBody"]
    assert "Keep-prod" not in stacks.get_stack_policy(StackName="guarded")["StackPolicyBody"]


COLOR = "resources: {Parameters: {Color: {Type: String%s}}}\n"
# settings of provider, what else there is, place, words; exit code 2: refused
TOLD = {
    "a parameter that is none": (
        "stackParameters: [{ParameterKey: Colr, ParameterValue: x}]",
        COLOR % ", Default: a",
        "5:",
        ["there is no parameter 'Colr'", "did you mean 'Color'?"],
        2,
    ),
    "a parameter without a value": (
        "",
        COLOR % "",
        "9:",
        ["parameter 'Color' has no value", "stackParameters"],
        2,
    ),
    "a value of the stage for what lives once": (
        "stackParameters: [{ParameterKey: Color, ParameterValue: '${sls:stage}'}]",
        (
            "resources:\n  Parameters: {Color: {Type: String}}\n"
            "  Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Color}}}\n"
            "custom: {troupe: {resources: {service: [Q]}}}\n"
        ),
        "5:",
        ["parameter 'Color' is to live once"],
        2,
    ),
    "a policy that allows nothing": (
        "stackPolicy: [{Effect: Deny, Principal: '*', Action: 'Update:Delete', Resource: '*'}]",
        "",
        "5:3",
        ["nothing could be updated", "Effect: Allow"],
        2,
    ),
    "a key that only the caller has": (
        "deploymentBucket: {name: some-bucket, sseCustomerKey: abc}",
        "",
        "5:",
        ["'sseCustomerKey'", "Lambda and CloudFormation cannot read", "serverSideEncryption"],
        2,
    ),
    "a key for another algorithm": (
        "deploymentBucket: {name: some-bucket, sseKMSKeyId: abc}",
        "",
        "5:",
        ["sseKMSKeyId", "serverSideEncryption: aws:kms"],
        2,
    ),
    "stackName": (
        "stackName: mine",
        "",
        "5:3",
        ["'stackName' in 'provider' has no effect", "'<service>-<stage>'"],
        0,
    ),
    "deploymentPrefix": (
        "deploymentPrefix: mine",
        "",
        "5:3",
        ["'deploymentPrefix' in 'provider' has no effect"],
        0,
    ),
    "disableRollback": (
        "disableRollback: true",
        "",
        "5:3",
        ["'disableRollback' in 'provider' has no effect"],
        0,
    ),
    "deploymentMethod": (
        "deploymentMethod: changesets",
        "",
        "5:3",
        ["'deploymentMethod' in 'provider' has no effect"],
        0,
    ),
    "lambdaHashingVersion": (
        "lambdaHashingVersion: '20201221'",
        "",
        "5:3",
        ["'lambdaHashingVersion'"],
        0,
    ),
    "maxPreviousDeploymentArtifacts": (
        "deploymentBucket: {maxPreviousDeploymentArtifacts: 3}",
        "",
        "5:22",
        ["has no effect", "custom.troupe.history.keep"],
        0,
    ),
    "projectDir": ("", "projectDir: ..\n", "9:1", ["'projectDir' has no effect"], 0),
}
QUIET = {
    "disableRollback: false": "",
    "": "frameworkVersion: '>=2 <5'\n",
    "deploymentBucket: {serverSideEncryption: AES256}": "",
}


def test_what_has_no_effect_is_said_with_its_place(troupe, proxy):
    """Or refused, where AWS is certain to refuse it: before anything is asked."""
    wrong = []
    for name, (provider, more, place, words, code) in TOLD.items():
        troupe.write(service(provider, more))
        for command in ("validate", "plan") if code else ("validate",):
            result = troupe(command, "dev", check=False)
            if (
                result.code != code
                or f"--> serverless.yml:{place}" not in result.err
                or proxy.records
                or [word for word in words if word not in result.err]
            ):
                wrong.append(f"{name}: {result}")
    for provider, more in QUIET.items():
        troupe.write(service(provider, more))
        result = troupe("validate", "dev", check=False)
        wrong += [f"{provider}{more}: {result}"] if "warning" in result.err or result.code else []
    assert not wrong, "\n".join(wrong)
