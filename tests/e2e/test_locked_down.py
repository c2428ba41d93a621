"""Accounts that are locked down: who deploys may make no roles, or only with a boundary; the bucket takes
encrypted objects only; and what the file says of stacks is done to them."""

import json

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
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def service(provider, more=""):
    lines = "\n".join(f"  {line}" for line in provider.splitlines())
    return {"handler.js": HANDLER, "serverless.yml": SERVICE.format(provider=lines, more=more)}


def as_user(troupe, *statements, name="deployer"):
    """From now on an IAM user runs troupe, who may do everything but what the statements deny."""
    iam = troupe.account.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, *statements]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    troupe.proxy.secrets[key["AccessKeyId"]] = key["SecretAccessKey"]
    troupe.env |= {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def roles(troupe):
    """The roles of stacks: name -> role."""
    iam = troupe.account.client("iam")
    made = {role["RoleName"]: iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]}
    return {name: role for name, role in made.items() if name.startswith("guarded")}


def given_role(troupe, name="given"):
    """A role that the account's administrators made for functions."""
    iam = troupe.account.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    return arn


def test_no_role_is_made_where_one_is_given(troupe):
    """By a caller who may make none: each way to name a role, with a stage beside it."""
    given = given_role(troupe)
    as_user(troupe, {"Effect": "Deny", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*"})
    joined = "!Join ['', ['arn:aws:iam::', !Ref AWS::AccountId, ':role/given']]"
    # c's own role hangs on a condition of the stage: its head has the one of the others
    other = (f"  c: {{handler: handler.main, role: !If [Yes, !Ref Role, x]}}\n"
             f"resources:\n  Conditions: {{Yes: !Equals ['${{sls:stage}}', '${{sls:stage}}']}}\n"
             f"  Parameters: {{Role: {{Type: String, Default: '{given}'}}}}\n")
    for provider, more in ((f"role: {given}", ""), (f"iam: {{role: {joined}}}", ""), (f"iam: {{role: '{given}'}}", other)):
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
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))["Policy"]["Arn"]
    as_user(troupe,
            {"Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*",
             "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": boundary}}},
            {"Effect": "Deny", "Action": "iam:CreateRole", "NotResource": "arn:aws:iam::*:role/team/*"})
    for key in ("permissionsBoundary", "permissionBoundary", "rolePermissionsBoundary"):
        inside = "" if key.startswith("role") else f", {key}: '{boundary}'"
        outside = f"\nrolePermissionsBoundary: '{boundary}'" if not inside else ""
        troupe.write(service(f"iam: {{role: {{path: /team/, tags: {{owner: us}}{inside}}}}}{outside}"))
        troupe("deploy", "dev")
        made = roles(troupe)
        assert any("TroupeHeadRole" in name for name in made) and len(made) > 1, made
        for name, role in made.items():
            assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary, (key, name)
            assert role["Path"] == "/team/" and {"Key": "owner", "Value": "us"} in role["Tags"], (key, name)
        troupe("remove", "dev")
        troupe("remove", "--service")


def test_heads_keep_their_role(troupe):
    """A service that was made before the file named a role: nothing that stages share changes."""
    troupe.write(service(""))
    troupe("deploy", "dev")
    before = troupe.world()["functions"]
    given = given_role(troupe)
    troupe.write(service(f"iam: {{role: '{given}'}}", "  c: {handler: handler.main}\n"))
    as_user(troupe, {"Effect": "Deny", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*"})
    troupe("deploy", "prod")
    troupe("deploy", "--service")
    world = troupe.world()
    assert [name for name in roles(troupe) if "TroupeHeadRole" in name]
    assert world["functions"]["guarded-a"]["aliases"]["dev"] == before["guarded-a"]["aliases"]["dev"]
    assert world["functions"]["guarded-c"]["head"]["Role"] == given
    assert "nothing to do" in troupe("deploy", "--service").out
    assert json.loads(troupe("invoke", "dev", "a").out) == "served"


def test_a_service_stack_without_resources(troupe):
    """All that is shared is the bucket, which the user brings."""
    troupe.account.client("s3").create_bucket(Bucket="guarded-bucket")
    given = given_role(troupe)
    troupe.write(service(f"iam: {{role: '{given}'}}\ndeploymentBucket: guarded-bucket",
                         "custom: {troupe: {functions: {perStage: ['*']}}}\n"))
    troupe("deploy", "dev")
    assert json.loads(troupe("invoke", "dev", "a").out) == "served"
    troupe("deploy", "--service")
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe.write(service(f"iam: {{role: '{given}'}}\ndeploymentBucket: guarded-bucket"))  # now they share functions
    troupe("deploy", "prod")
    assert json.loads(troupe("invoke", "prod", "a").out) == "served"
    for stage in ("dev", "prod"):
        troupe("remove", stage)
    troupe("remove", "--service")
    assert not troupe.world()["stacks"]
