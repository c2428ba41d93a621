"""`troupe iam`: with the policies that it prints, and no right more, a service lives its whole
life.

The local cloud holds callers to their policies and writes each decision down: a call outside of
them fails, and so does an action in them that nobody needs.
"""

import json
import re

import pytest

import aws_models
from cloud import Cloud
from operations import SRC, actions_of_types, operations

SERVICE_NAMES = (
    "acm",
    "apigateway",
    "apigatewayv2",
    "cloudformation",
    "cloudwatch",
    "ec2",
    "ecr",
    "lambda",
    "logs",
    "route53",
    "s3",
    "secretsmanager",
    "ssm",
    "sso",
    "sts",
)

HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"
PLAIN = """service: plain
provider: {name: aws, runtime: nodejs20.x, logRetentionInDays: 7}
custom: {troupe: {history: {keep: 2}}}
functions:
  a: {handler: handler.main, reservedConcurrency: 2}
  b: {handler: handler.main, environment: {STAGE: '${sls:stage}'}, tags: {team: us}}
"""
APIS = """service: apis
provider:
  name: aws
  runtime: nodejs20.x
  environment: {TABLE: !Ref Orders}
  iam: {role: {statements: [{Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Orders.Arn}]}}
custom: {troupe: {apis: {http: shared}, history: {keep: 2}}}
functions:
  main:
    handler: handler.main
    url: true
    events:
      - http: GET /one
      - httpApi: GET /two
      - schedule: rate(1 day)
      - schedule: {rate: [rate(2 days)], method: scheduler, input: {a: 1}}
      - sqs: {arn: !GetAtt Jobs.Arn, batchSize: 1}
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue}
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders-${sls:stage}
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
EVENTS = """service: happens
provider: {name: aws, runtime: nodejs20.x, vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}}
custom: {troupe: {history: {keep: 2}}}
functions:
  own:
    handler: handler.main
    events: [{sns: 'happens-${sls:stage}'}, {eventBridge: {pattern: {source: [a]}}}]
    destinations: {onFailure: {type: sqs, arn: !GetAtt Failed.Arn}}
  other:
    handler: handler.main
    provisionedConcurrency: 1
    events: [{s3: {bucket: 'happens-files-${sls:stage}'}}]
resources:
  Resources:
    Failed: {Type: AWS::SQS::Queue, Properties: {QueueName: 'failed-${sls:stage}'}}
    Looked: {Type: AWS::CloudWatch::Alarm, Properties: {MetricName: m, Namespace: n, Period: 60, EvaluationPeriods: 1,
             ComparisonOperator: GreaterThanThreshold, Threshold: 1, Statistic: Sum}}
"""
STARTED = """service: started
plugins: [serverless-step-functions, serverless-domain-manager]
provider: {name: aws, runtime: nodejs20.x}
custom:
  troupe: {history: {keep: 2}}
  customDomain:
    {domainName: started.test, basePath: "${sls:stage}", endpointType: regional, autoDomain: true}
functions:
  main: {handler: handler.main, events: [{http: GET /one}]}
stepFunctions:
  activities: ["work-${sls:stage}"]
  stateMachines:
    first:
      definition:
        StartAt: A
        States: {A: {Type: Task, Resource: !GetAtt main.Arn, End: true}}
      events: [{schedule: rate(1 day)}, {http: GET /first}]
"""
SERVICES = {"plain": PLAIN, "apis": APIS, "happens": EVENTS, "started": STARTED}

# What troupe calls itself in ways that no life here goes, and why the policy has it.
SELDOM = {
    "cloudformation:DescribeEvents": "says why a change was refused",
    "cloudformation:ContinueUpdateRollback": "repairs a stack whose way back failed",
    "lambda:ListVersionsByFunction": "finds versions of a publication that was cut off",
    "lambda:InvokeFunction": "wakes versions that Lambda put away",
    "logs:DeleteLogGroup": "deletes what Lambda made anew after a removal",
    "logs:ListTagsForResource": "sees whose such a group is",
    "s3:AbortMultipartUpload": "takes an upload in parts back",
    "s3:ListMultipartUploadParts": "goes on with an upload in parts",
    "s3:DeleteObjectVersion": "empties a bucket with versions",
    "kms:Decrypt": "reads what a key encrypts",
}


@pytest.fixture(scope="module")
def actions_log(tmp_path_factory):
    return tmp_path_factory.mktemp("actions") / "log"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, actions_log):
    """A cloud of its own, that writes down what callers need."""
    running = Cloud(
        tmp_path_factory.mktemp("cloud"),
        TROUPE_CLOUD_STACK_MS="50",
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="30",
        TROUPE_CLOUD_ACTIONS_LOG=str(actions_log),
    )
    yield running
    running.stop()


class Users:
    """IAM users, who may do what policies say."""

    def __init__(self, troupe, log):
        self.troupe, self.log, self.iam = troupe, log, troupe.account.client("iam")
        self.admin = dict(troupe.env)

    def printed(self, *args):
        """What the program says, run by the account's own key."""
        return self.troupe("iam", *args, "--json", env=self.admin).json

    def become(self, name, policies, **settings):
        """From now on this user runs troupe."""
        self.arn = self.iam.create_user(UserName=name, **settings)["User"]["Arn"]
        for policy in policies:
            made = self.iam.create_policy(
                PolicyName=policy["name"] + "-of-" + name,
                PolicyDocument=json.dumps(policy["document"]),
            )
            self.iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.troupe.proxy.secrets[key["AccessKeyId"]] = key["SecretAccessKey"]
        self.troupe.env |= {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def decisions(self, arn=None):
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["principal"] == (arn or self.arn)]

    def check_all_allowed(self):
        denied = {
            (line["action"], line["resource"]) for line in self.decisions() if not line["allowed"]
        }
        assert not denied, denied


@pytest.fixture
def users(troupe, actions_log):
    return Users(troupe, actions_log)


def deploy_changed(troupe):
    """Next code, and another definition of each API."""
    text = (troupe.folder / "handler.js").read_text()
    (troupe.folder / "handler.js").write_text(text + "// more\n")
    text = (troupe.folder / "serverless.yml").read_text()
    (troupe.folder / "serverless.yml").write_text(
        text.replace("/one", "/one1").replace("/two", "/two2")
    )
    troupe("deploy", "dev")


def live(troupe, service, other=True):
    """Everything that happens to a service, from the first deployment to the removal."""
    troupe("deploy", "dev")
    deploy_changed(troupe)
    for args in (("plan", "dev"), ("stages",), ("history", "dev"), ("info", "dev")):
        troupe(*args)
    troupe("rollback", "dev")
    if service == "plain":
        troupe("shift", "dev", "--to", "2", "--weight", "20")
        troupe("shift", "dev", "--promote")
    deploy_changed(troupe)
    deploy_changed(troupe)
    troupe("prune", "--unused-for", "1s", "--yes")
    if other:
        troupe("deploy", "prod")
        troupe("reset", "prod", "--to", "dev", "--yes")
        troupe("repair", "prod", "--yes")
        troupe("remove", "prod", "--yes")
    troupe("remove", "dev", "--yes")
    if other:
        troupe("remove", "--service", "--yes")
        world = troupe.world()
        assert not world["stacks"] and not world["functions"] and not world["buckets"], service


def actions_in(policies):
    for policy in policies:
        for statement in policy["document"]["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                yield statement["Sid"], action


@pytest.mark.parametrize("name", SERVICES)
def test_a_life_with_the_printed_policy(troupe, users, name):
    """Nothing is refused, and each action that is troupe's own was needed, or is known to be
    seldom.
    """
    troupe.write({"serverless.yml": SERVICES[name], "handler.js": HANDLER})
    if name == "started":
        account = troupe.account
        account.client("acm").request_certificate(DomainName="started.test")
        account.client("route53").create_hosted_zone(Name="started.test", CallerReference="1")
    printed = users.printed("--service")
    assert printed["version"] == 1 and "nobody said which account" not in str(printed["notes"])
    users.become("deployer", printed["policies"])
    live(troupe, name)
    users.check_all_allowed()
    check_least(troupe, users, printed["policies"], name)


def types_of(troupe, name):
    """Resource types that the service had in its stacks: those in its templates, as AWS was sent
    them.
    """
    found = set()
    for call in troupe.proxy.calls():
        body = call.params.get("TemplateBody")
        if body:
            found |= {resource["Type"] for resource in json.loads(body)["Resources"].values()}
    return found


def check_least(troupe, users, policies, name):
    used = {line["action"] for line in users.decisions()}
    registry = actions_of_types(types_of(troupe, name) | {"AWS::Lambda::Function"})
    own = {action for row in operations().values() for action in row}
    for sid, action in actions_in(policies):
        reason = action in used or action in registry or action in SELDOM
        assert reason, f"{sid}: nobody needs {action}"
        if action in own and action not in registry:
            assert action in used or action in SELDOM, f"{sid}: no command calls {action}"
    for policy in policies:
        size = len(json.dumps(policy["document"], separators=(",", ":")).replace(" ", ""))
        assert size == policy["characters"] <= 6144, policy["name"]
        sids = [statement["Sid"] for statement in policy["document"]["Statement"]]
        assert list(policy["reasons"]) == sids and all(policy["reasons"].values())
        assert sids == sorted(set(sids), key=sids.index)


# -- in a locked-down account ----------------------------------------------------------------------

BOUND = """service: bound
provider:
  name: aws
  runtime: nodejs20.x
  iam: {{role: {{permissionsBoundary: '{boundary}', statements: [
    {{Effect: Allow, Action: 'sqs:SendMessage', Resource: !GetAtt Jobs.Arn}}]}}}}
functions:
  a: {{handler: handler.main}}
resources: {{Resources: {{Jobs: {{Type: AWS::SQS::Queue}}}}}}
"""
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def test_roles_are_made_with_the_boundary_only(troupe, users):
    """Where the file says that roles have one, no right is given to make that role without it."""
    boundary = users.iam.create_policy(
        PolicyName="boundary", PolicyDocument=json.dumps(EVERYTHING)
    )["Policy"]["Arn"]
    troupe.write({"serverless.yml": BOUND.format(boundary=boundary), "handler.js": HANDLER})
    printed = users.printed("--service")
    rights = [
        statement
        for policy in printed["policies"]
        for statement in policy["document"]["Statement"]
        if "iam:CreateRole" in statement["Action"] and "bound-*" in str(statement["Resource"])
    ]
    assert rights and all(
        statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}
        for statement in rights
    )
    users.become("deployer", printed["policies"])
    troupe("deploy", "dev")
    users.check_all_allowed()
    troupe.edit("serverless.yml", f"permissionsBoundary: '{boundary}', ", "")
    result = troupe("deploy", "prod", check=False)
    assert result.code == 1 and "iam:CreateRole" in result.err and "troupe iam" in result.err, str(
        result
    )


ROLED = """service: roled
provider:
  name: aws
  runtime: nodejs20.x
  iam: {{deploymentRole: '{role}'}}
functions:
  a: {{handler: handler.main, events: [{{http: GET /one}}, {{sqs: {{arn: !GetAtt Jobs.Arn}}}}]}}
resources: {{Resources: {{Jobs: {{Type: AWS::SQS::Queue}}}}}}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_a_role_for_cloudformation(troupe, users):
    """Stacks are its work and publishing the caller's: each has a policy of its own, and the caller
    may make no function, role or queue.
    """
    role = users.iam.create_role(RoleName="deployment", AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]["Arn"]
    troupe.write({"serverless.yml": ROLED.format(role=role), "handler.js": HANDLER})
    printed = users.printed("--service")
    own = [policy for policy in printed["policies"] if "role" not in policy]
    given = [policy for policy in printed["policies"] if policy.get("role") == role]
    assert own and given and "publishes with the caller's rights" in str(printed["notes"])
    forbidden = {
        "lambda:CreateFunction",
        "iam:CreateRole",
        "sqs:CreateQueue",
        "apigateway:CreateRestApi",
    }
    assert not forbidden & {action for _, action in actions_in(own)}
    for policy in given:
        users.iam.put_role_policy(
            RoleName="deployment",
            PolicyName=policy["name"],
            PolicyDocument=json.dumps(policy["document"]),
        )

    # who may only give the role is told before anything is made
    rest = [
        {
            **policy,
            "document": {
                **policy["document"],
                "Statement": [
                    statement
                    for statement in policy["document"]["Statement"]
                    if not statement["Sid"].startswith("Lambda")
                ],
            },
        }
        for policy in own
    ]
    users.become("halfway", rest)
    result = troupe("deploy", "dev", check=False)
    assert result.code == 1 and "lambda:GetFunction" in result.err, str(result)
    assert (
        "versions are published with your own rights" in result.err and "troupe iam" in result.err
    )
    assert not troupe.world()["stacks"]

    users.become("deployer", own)
    live(troupe, "roled")
    users.check_all_allowed()
    by_role = [
        line
        for line in users.decisions(
            role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
            + "/AWSCloudFormation"
        )
    ]
    assert by_role and all(line["allowed"] for line in by_role)


# -- one stage -------------------------------------------------------------------------------------

NEIGHBOURS = """service: near
provider: {name: aws, runtime: nodejs20.x}
functions:
  a: {handler: handler.main, events: [{sqs: {arn: !GetAtt Jobs.Arn}}]}
resources: {Resources: {Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: 'jobs-${sls:stage}'}}}}
"""


def test_a_policy_for_one_stage(troupe, users):
    """Its deployer may do nothing to the stage beside it, whose name begins with its own."""
    troupe.write({"serverless.yml": NEIGHBOURS, "handler.js": HANDLER})
    for stage in ("dev", "dev2"):
        troupe("deploy", stage)
    users.become("deployer", users.printed("dev")["policies"])
    deploy_changed(troupe)
    troupe("rollback", "dev")
    users.check_all_allowed()
    before = troupe.stage("dev2", "near")
    for args in (("deploy", "dev2"), ("remove", "dev2", "--yes")):
        result = troupe(*args, check=False)
        assert result.code == 1 and "is not authorized to perform" in result.err, str(result)
        assert "troupe iam" in result.err
    assert troupe.stage("dev2", "near") == before
    troupe("remove", "dev", "--yes")


HEAD = "service: shop\nprovider: {name: aws, runtime: nodejs20.x%s}\n"
ONE = "functions: {a: {handler: handler.main%s}}\n"
NAMED = "functions:\n" + "".join(
    f"  f{n}: {{handler: handler.main, name: 'other{n}'}}\n" for n in range(99)
)
WITH = ONE % "" + "resources:\n  Resources:\n    Thing: {Type: %s, Properties: {%s}}\n"

# file -> what has to be among actions and resources, and what must not be
FILES = [
    (
        HEAD % "" + ONE % "",
        [
            "lambda:UpdateFunctionCode",
            "arn:aws:lambda:us-east-1:*:function:shop-*",
            "arn:aws:iam::*:role/shop-IamRoleLambdaExecution*",
            "arn:aws:s3:::shop-serverlessdeploymentbucket*",
        ],
        [
            "ec2:DescribeVpcs",
            "kms:Decrypt",
            "lambda:GetLayerVersion",
            "lambda:PutFunctionConcurrency",
            "apigateway:PUT",
            "iam:AttachRolePolicy",
            "cloudwatch:DescribeAlarms",
            "ssm:GetParameter",
            "iam:DeleteRolePermissionsBoundary",
        ],
    ),
    (
        HEAD % ", vpc: {securityGroupIds: [sg-1], subnetIds: [subnet-1]}"
        + ONE % ", layers: ['arn:aws:lambda:us-east-1:1:layer:l:3']",
        [
            "ec2:DescribeVpcs",
            "iam:AttachRolePolicy",
            "lambda:GetLayerVersion",
            "arn:aws:lambda:us-east-1:1:layer:l:3",
        ],
        ["kms:Decrypt"],
    ),
    (
        HEAD % ", kmsKeyArn:"
        " 'arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012'" + ONE % "",
        ["kms:Decrypt"],
        ["ec2:DescribeVpcs"],
    ),
    (
        HEAD % ", deploymentBucket: ours" + ONE % "",
        ["arn:aws:s3:::ours", "arn:aws:s3:::ours/troupe/shop/*"],
        ["s3:CreateBucket"],
    ),
    (
        HEAD % ", iam: {role: 'arn:aws:iam::123456789012:role/given'}" + ONE % "",
        ["arn:aws:iam::123456789012:role/given", "iam:PassRole"],
        [],
    ),
    (
        HEAD % "" + ONE % ", name: '${sls:stage}-hers'",
        ["arn:aws:lambda:us-east-1:*:function:*-hers"],
        ["shop-dev"],
    ),
    (
        HEAD % ""
        + "custom: {troupe: {shift: {type: canary, percent: 10, after: 1s, alarms: [bad]}}}\n"
        + ONE % "",
        ["cloudwatch:DescribeAlarms"],
        [],
    ),
    (
        HEAD % ""
        + WITH % ("Custom::Thing", "ServiceToken: 'arn:aws:lambda:us-east-1:1:function:maker'"),
        ["lambda:InvokeFunction", "arn:aws:lambda:us-east-1:1:function:maker"],
        [],
    ),
    (
        HEAD % "" + WITH % ("AWS::SQS::Queue", "QueueName: 'q-${sls:stage}'"),
        ["arn:aws:sqs:us-east-1:*:q-*"],
        [],
    ),
    (HEAD % "" + WITH % ("AWS::Some::Thing", "A: b"), ["AWS::Some::Thing is not known here"], []),
    (
        HEAD % ""
        + WITH
        % (
            "AWS::Events::Rule",
            (
                "ScheduleExpression: rate(1 day), Targets: [{Id: a, Arn: b, RoleArn:"
                " 'arn:aws:iam::1:role/r'}]"
            ),
        ),
        ["events.amazonaws.com", "arn:aws:iam::1:role/r"],
        [],
    ),
    (
        (HEAD % "").replace("shop", "a-service-whose-name-is-long") + ONE % "",
        ["role/a-service-whose-name-is-"],
        ["role/a-service-whose-name-is-long"],
    ),
    (
        HEAD % ""
        + WITH
        % (
            "AWS::SNS::Topic",
            (
                "DisplayName: 'a {{resolve:ssm:/shop/name:1}}"
                " {{resolve:secretsmanager:mine:SecretString:k}}'"
            ),
        ),
        [
            "ssm:GetParameters",
            'arn:aws:ssm:us-east-1:*:parameter/shop/name"',
            "arn:aws:secretsmanager:us-east-1:*:secret:mine*",
        ],
        [],
    ),
    (HEAD % "" + NAMED, ["arn:aws:lambda:us-east-1:*:function:other98:*"], ["function:other*"]),
]


def test_the_policy_follows_the_file(troupe):
    """Actions for what the file has, on what it is called; without credentials, so for any
    account.
    """
    for text, has, has_not in FILES:
        troupe.write({"serverless.yml": text, "handler.js": HANDLER})
        nobody = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
        printed = troupe("iam", "--service", "--json", env=nobody).json
        said = json.dumps(printed)
        wrong = [word for word in has if word not in said] + [
            f"not {word}" for word in has_not if word in said
        ]
        assert not wrong, f"{text}\n{wrong}\n{said}"
        for policy in printed["policies"]:
            sids = [statement["Sid"] for statement in policy["document"]["Statement"]]
            assert policy["characters"] <= 6144 and len(set(sids)) == len(sids)


def test_values_of_variables_may_be_read(troupe, users):
    """Whatever variables ask AWS for; a secret that became a name is not printed."""
    ssm, s3 = troupe.account.client("ssm"), troupe.account.client("s3")
    ssm.put_parameter(Name="/shop/name", Value="hidden", Type="SecureString")
    s3.create_bucket(Bucket="of-ours")
    s3.put_object(Bucket="of-ours", Key="a/size", Body=b"256")
    file = HEAD % ", memorySize: '${s3:of-ours/a/size}'" + WITH % (
        "AWS::SQS::Queue",
        "QueueName: '${ssm:/shop/name}'",
    )
    troupe.write({"serverless.yml": file, "handler.js": HANDLER})
    printed = users.printed("dev")
    said = json.dumps(printed)
    assert (
        f"arn:aws:ssm:*:{troupe.account.id}:parameter/shop/name" in said
        and "arn:aws:s3:::of-ours/a/size" in said
    )
    assert "hidden" not in said and f"arn:aws:sqs:us-east-1:{troupe.account.id}:*" in said
    users.become("deployer", printed["policies"])
    troupe("plan", "dev")
    users.check_all_allowed()


def test_nested_stacks_have_their_rights(troupe):
    """Of a service that is too large for one stack; those of a stage whose name begins alike are
    others.
    """
    text = (
        HEAD % ""
        + "functions:\n"
        + "".join(
            f"  f{n}: {{handler: handler.main, events: [{{schedule: rate(1 day)}}]}}\n"
            for n in range(200)
        )
    )
    troupe.write({"serverless.yml": text, "handler.js": HANDLER})
    said = json.dumps(troupe("iam", "dev", "--json").json)
    assert (
        f"{troupe.account.id}:stack/shop-dev-TroupePart*/*" in said
        and "stack/shop-dev-*" not in said
    )


def test_wrong_usage(troupe):
    troupe.write({"serverless.yml": NEIGHBOURS, "handler.js": HANDLER})
    result = troupe("iam", "dev", "--service", check=False)
    assert result.code == 2 and "--service is of all stages" in result.err
    assert troupe("iam", "--stage", "", check=False).code == 2
    assert "for who calls troupe" in troupe("iam", "dev", env={"AWS_ACCESS_KEY_ID": None}).out


# -- the tables ------------------------------------------------------------------------------------


def test_every_operation_has_a_row():
    """Whatever src/aws names as an operation of one of its services has a row, each row is named
    there, and AWS knows it.
    """
    known = {service: set(aws_models.model(service).operation_names) for service in SERVICE_NAMES}
    named = {
        word
        for folder in ("services", "credentials")
        for path in (SRC / "aws" / folder).glob("*.c")
        if path.name != "operations.c"
        for word in re.findall(r'"([A-Z][A-Za-z0-9]+)"', path.read_text(encoding="utf-8"))
    }
    rows = {tuple(name.split(".")) for name in operations()}
    for service, operation in rows:
        assert operation in known[service], f"{service} has no {operation}"
        assert operation in named, f"nobody sends {service}.{operation}"
    every = set().union(*known.values())
    missing = {word for word in named & every if word not in {operation for _, operation in rows}}
    assert not missing, f"without a row in operations.c: {missing}"
