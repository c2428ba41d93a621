"""Values that functions need from CloudFormation before they are published: those of no resource at
all, and those of resources that call other functions.
"""

import json

import pytest

SERVICE = """service: values
provider:
  name: aws
  runtime: nodejs22.x{provider}
functions:
  f: {{handler: handler.main, environment: {{SHOWN: {value}}}}}
resources:
  Conditions: {{Prod: !Equals ["${{sls:stage}}", prod]}}
  Mappings: {{Sizes: {{small: {{cpu: '256'}}}}}}
  Parameters: {{Color: {{Type: String, Default: red}}}}
"""
HANDLER = "exports.main = async () => process.env.SHOWN + '|' + process.env.POOL;\n"

NETWORK = """
  iam: {role: !ImportValue shared-role}
  vpc: {securityGroupIds: [!ImportValue shared-group], subnetIds: [!ImportValue shared-net]}"""

# The stage's name is given, and each is the first deployment of its stage.
VALUES = {
    "import": ("!ImportValue shared-x", "exported"),
    "parameter": ("!Ref Color", "red"),
    "mapping": ("!FindInMap [Sizes, small, cpu]", "256"),
    "select": ("!Select [1, !Split ['-', !Ref 'AWS::StackName']]", "select"),
    "condition": ("!If [Prod, yes, no]", "no"),
    "resource": ("!If [Prod, !ImportValue shared-x, plain]", "plain"),
}


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}


NETWORKING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Resource": "*",
            "Action": [
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DeleteNetworkInterface",
            ],
        }
    ],
}


def exporter(account):
    cloudformation = account.client("cloudformation")
    exports = {
        "X": "exported",
        "Group": "sg-1",
        "Net": "subnet-1",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    cloudformation.create_stack(
        StackName="network",
        Capabilities=["CAPABILITY_IAM"],
        TemplateBody=json.dumps(
            {
                "Resources": {
                    "Role": {
                        "Type": "AWS::IAM::Role",
                        "Properties": {
                            "AssumeRolePolicyDocument": TRUST,
                            "Policies": [{"PolicyName": "network", "PolicyDocument": NETWORKING}],
                        },
                    }
                },
                "Outputs": {
                    key: {"Value": value, "Export": {"Name": f"shared-{key.lower()}"}}
                    for key, value in exports.items()
                },
            }
        ),
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="network", WaiterConfig={"Delay": 0.1}
    )


def shown(troupe, stage, function="f"):
    return json.loads(troupe("invoke", stage, function).out)


def test_values_of_no_resource_reach_the_first_deployment(troupe, account):
    exporter(account)
    troupe.write({"handler.js": HANDLER})
    for stage, (value, wanted) in VALUES.items():
        troupe.write({"serverless.yml": SERVICE.format(value=value, provider="")})
        troupe("deploy", stage)
        assert shown(troupe, stage).split("|")[0] == wanted, stage
        assert "nothing to do" in troupe("deploy", stage).out, stage
        resources = troupe.world()["stacks"][f"values-{stage}"]["template"]["Resources"]
        assert "TroupePlaceholder" not in resources
    # The role and the network of a function in a company's account.
    troupe.write({"serverless.yml": SERVICE.format(value="x", provider=NETWORK)})
    troupe("deploy", "network")
    configuration = account.client("lambda").get_function_configuration(
        FunctionName="values-f", Qualifier="network"
    )
    assert (
        configuration["VpcConfig"]["SubnetIds"] == ["subnet-1"]
        and "network-Role" in configuration["Role"]
    )


WAVES = """service: waves
provider: {{name: aws, runtime: nodejs22.x, stage: dev}}
functions:
  pre: {{handler: handler.main{pre}}}
  api: {{handler: handler.main, environment: {{SHOWN: x, POOL: !Ref Pool}}}}
  last: {{handler: handler.main, environment: {{SHOWN: x, POOL: !Ref Second}}}}
resources:
  Resources:
    Pool:
      Type: AWS::Cognito::UserPool
      Properties:
        UserPoolName: p-${{sls:stage}}
        LambdaConfig: {{PreSignUp: !GetAtt PreLambdaFunction.Arn}}
    Second:
      Type: AWS::Cognito::UserPool
      Properties:
        UserPoolName: q-${{sls:stage}}
        LambdaConfig: {{PreSignUp: !GetAtt ApiLambdaFunction.Arn}}
    PoolPermission:
      Type: AWS::Lambda::Permission
      Properties:
        FunctionName: !GetAtt PreLambdaFunction.Arn
        Action: lambda:InvokeFunction
        Principal: cognito-idp.amazonaws.com
        SourceArn: !GetAtt Pool.Arn
"""


def pools(account):
    listed = account.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    return {pool["Name"]: pool["Id"] for pool in listed}


def test_a_function_that_needs_what_calls_another(troupe, account):
    troupe.write({"handler.js": HANDLER, "serverless.yml": WAVES.format(pre="")})
    troupe("validate", "dev")
    troupe("plan", "dev")  # there is something to do
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        assert shown(troupe, stage, "api") == "x|" + pools(account)[f"p-{stage}"]
        assert shown(troupe, stage, "last") == "x|" + pools(account)[f"q-{stage}"]
        assert "nothing to do" in troupe("deploy", stage).out
    before = troupe.stage("prod", "waves")
    # Everything moves, once the pointers are there.
    troupe.edit("handler.js", "'|'", "'/'")
    troupe("deploy", "dev")
    assert shown(troupe, "dev", "last") == "x/" + pools(account)["q-dev"]
    troupe("rollback", "dev")
    assert shown(troupe, "dev", "last") == "x|" + pools(account)["q-dev"]
    assert troupe.stage("prod", "waves") == before


@pytest.mark.parametrize("command", ["validate", "plan", "deploy"])
def test_a_real_cycle_is_said_before_anything_is_made(troupe, account, command):
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": WAVES.format(pre=", environment: {LAST: !Ref Second}"),
        }
    )
    result = troupe(command, "dev", check=2)
    assert "a cycle" in result.err, str(result)
    assert "pre -> Second -> ApiLambdaAlias -> api -> Pool -> PreLambdaAlias -> pre" in result.err
    assert "serverless.yml:5:" in result.err
    assert not account.client("cloudformation").describe_stacks()["Stacks"]


def test_parameters_as_the_reference_reads_them(troupe, account, proxy):
    ssm = account.client("ssm")
    for name, kind, value in (
        ("/text", "String", "a,b"),
        ("/list", "StringList", "a,b"),
        ("/plain", "SecureString", "p"),
        ("/json", "SecureString", '{"user": "u", "deep": {"n": 1}}'),
    ):
        ssm.put_parameter(Name=name, Type=kind, Value=value)
    troupe.write(
        {
            "serverless.yml": (
                """service: values
provider: {name: aws}
custom:
  text: ${ssm:/text}
  list: ${ssm:/list}
  rawList: ${ssm(raw):/list}
  rawElsewhere: ${ssm(us-east-1, raw):/list}
  plain: ${ssm:/plain}
  rawPlain: ${ssm(raw):/plain}
  encrypted: ${ssm(noDecrypt):/plain}
  json: ${ssm:/json}
  rawJson: ${ssm(raw):/json}
  member: ${self:custom.json.deep.n}
  none: ${ssm:/none, 'fallback'}
"""
            )
        }
    )
    mark = proxy.mark()
    hidden = troupe("print", "--format", "json").json["custom"]
    asked = [call.params for call in proxy.calls("ssm.GetParameter", mark)]
    assert {"Name": "/plain", "WithDecryption": True} in asked and {
        "Name": "/plain",
        "WithDecryption": False,
    } in asked
    assert not [ask for ask in asked if ask["Name"] == "/json" and not ask["WithDecryption"]]
    assert (
        hidden["list"] == ["a", "b"]
        and hidden["rawList"] == hidden["rawElsewhere"] == hidden["text"] == "a,b"
    )
    assert hidden["none"] == "fallback"
    assert hidden["json"] == {"user": "********", "deep": {"n": "********"}}
    assert (
        hidden["plain"] == hidden["rawPlain"] == hidden["rawJson"] == hidden["member"] == "********"
    )
