"""What a file says is what Lambda has: each setting of a function, in each way to write its value,
when it is first deployed, changed, removed and rolled back. What CloudFormation makes of the flat
template that `troupe package` writes (the reference's) says what Lambda is to have.
"""

import io
import json
import re
import zipfile

import pytest

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
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
PLAIN = (  # the service of the same file that CloudFormation makes; as long as the other's name
    "plain"
)
SERVICE = "facts"

HEAD = """service: %s
provider:
  name: aws
  runtime: nodejs22.x
  stage: dev
  versionFunctions: %s
  iam: {role: {statements: [{Effect: Allow, Action: '*', Resource: '*'}]}}
custom: {troupe: {functions: {perStage: [%s]}}}
params: {dev: {mine: "for-dev", few: 3, memory: 256}, default: {mine: "for-all", few: 1, memory: 512, common: "all"}}
functions:
%s
resources:
  Parameters: {Colour: {Type: String, Default: red}, Few: {Type: Number, Default: 2}}
  Mappings: {Sizes: {one: {cpu: "256", subnets: [%s, %s], role: %s}}}
  Conditions: {IsDev: !Equals ["${sls:stage}", dev], Never: !Equals [a, b]}
  Resources:
    Queue: {Type: AWS::SQS::Queue}
    Topic: {Type: AWS::SNS::Topic}
    Table: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST,
      AttributeDefinitions: [{AttributeName: k, AttributeType: S}], KeySchema: [{AttributeName: k, KeyType: HASH}]}}
    Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: own, VpcId: %s}}
    Own: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: %s, Policies: [{PolicyName: p, PolicyDocument: %s}]}}
    Layer: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: %s, S3Key: layer.zip}}}
    Secret: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: '{"user": "made"}'}}
"""


class Fixtures:
    """What the account has before: exports, a network, roles, keys, parameters and secrets."""

    def __init__(self, account):
        ec2, iam, self.ssm = account.client("ec2"), account.client("iam"), account.client("ssm")
        self.secrets, kms = account.client("secretsmanager"), account.client("kms")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.nets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{i}.0/24")["Subnet"]["SubnetId"]
            for i in (0, 1, 2)
        ]
        self.groups = [
            ec2.create_security_group(GroupName=f"g{i}", Description="d", VpcId=self.vpc)["GroupId"]
            for i in (0, 1)
        ]
        self.roles = [
            iam.create_role(RoleName=f"role{i}", AssumeRolePolicyDocument=json.dumps(TRUST))[
                "Role"
            ]["Arn"]
            for i in (0, 1)
        ]
        for i in (0, 1):
            iam.put_role_policy(
                RoleName=f"role{i}", PolicyName="p", PolicyDocument=json.dumps(POLICY)
            )
        self.keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in (0, 1)]
        self.topics = [
            account.client("sns").create_topic(Name=f"dead{i}")["TopicArn"] for i in (0, 1)
        ]
        layer = io.BytesIO()
        with zipfile.ZipFile(layer, "w") as archive:
            archive.writestr("x", "x")
        self.bucket, s3 = f"layers-{account.id}", account.client("s3")
        s3.create_bucket(Bucket=self.bucket)
        s3.put_object(Bucket=self.bucket, Key="layer.zip", Body=layer.getvalue())
        self.layers = [
            account.client("lambda").publish_layer_version(
                LayerName=f"layer{i}", Content={"ZipFile": layer.getvalue()}
            )["LayerVersionArn"]
            for i in (0, 1)
        ]
        for value in ("one", "two"):
            self.ssm.put_parameter(Name="/app/plain", Value=value, Type="String", Overwrite=True)
        self.ssm.put_parameter(Name="/app/list", Value="a, b,c", Type="StringList")
        self.ssm.put_parameter(Name="/app/layer", Value=self.layers[1], Type="String")
        self.ssm.put_parameter(Name="/app/dev/name", Value="by-stage", Type="String")
        self.secret = self.secrets.create_secret(
            Name="app/db", SecretString='{"password": "p1", "port": 5432}'
        )["ARN"]
        self.secrets.put_secret_value(
            SecretId="app/db", SecretString='{"password": "p2", "port": 5433}'
        )
        self.secrets.create_secret(Name="text", SecretString="whole text")
        exports = {
            "x": "exported",
            "y": "exported too",
            "net": self.nets[0],
            "nets": ",".join(self.nets[:2]),
            "group": self.groups[0],
            "role": self.roles[0],
            "layer": self.layers[0],
            "dead": self.topics[0],
            "key": self.keys[0],
        }
        cloudformation = account.client("cloudformation")
        cloudformation.create_stack(
            StackName="exporter",
            TemplateBody=json.dumps(
                {
                    "Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
                    "Outputs": {
                        key.upper(): {"Value": value, "Export": {"Name": f"shared-{key}"}}
                        for key, value in exports.items()
                    },
                }
            ),
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="exporter", WaiterConfig={"Delay": 0.1}
        )

    def head(self, service, per_stage, functions):
        # CloudFormation fails to make a version when a setting goes that was the default
        return HEAD % (
            service,
            "true" if service == SERVICE else "false",
            ", ".join(per_stage),
            functions,
            *self.nets[:2],
            self.roles[1],
            self.vpc,
            json.dumps(TRUST),
            json.dumps(POLICY),
            self.bucket,
        )


def values(text, changed=None):
    """Settings in the ways that an environment takes: one function has them all."""
    return [f"environment: {{{text}}}", f"environment: {{{changed or text}, MORE: new}}"]


def cells(f):
    """name: what the function says at first, and after a change. At last it says none of it."""
    vpc = "vpc: {securityGroupIds: %s, subnetIds: %s}"
    arn = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-%017d"
    return {
        "nothing": ["", "memorySize: 512"],
        "memory": ["memorySize: 256", "memorySize: 1792"],
        "memoryOfStage": ["memorySize: ${param:memory}", "memorySize: 128"],
        "timeout": ["timeout: 3", "timeout: 900"],
        "storage": ["ephemeralStorageSize: 1024", "ephemeralStorageSize: 10240"],
        "words": ["description: says", 'description: "says ${param:mine} äß"'],
        "architecture": ["architecture: arm64", "architecture: x86_64"],
        "architectureLater": ["", "architecture: arm64"],
        "runtime": ["runtime: python3.12", "runtime: nodejs20.x"],
        "handler": ["handler: other.main", "handler: handler.other"],
        "tracing": ["tracing: Active", "tracing: PassThrough"],
        "tracingTrue": ["tracing: true", "tracing: false"],
        "logs": [
            "logs: {logFormat: JSON, applicationLogLevel: DEBUG, systemLogLevel: WARN}",
            "logs: {logFormat: Text}",
        ],
        "logGroup": ["logs: {logGroup: /all/of/us}", "logs: {logGroup: /others, logFormat: JSON}"],
        "literals": values(
            "AA: text, NUMBER: '07', LONG: '%s', EMPTY: '', UTF: \"ä\\u2028\"" % ("x" * 900),
            "AA: other",
        ),
        "references": values(
            "QUEUE: !Ref Queue, TABLE: !Ref Table, ARN: !GetAtt Queue.Arn, NAME: !GetAtt"
            " Queue.QueueName",
            "QUEUE: !Ref Topic, ARN: !GetAtt Table.Arn",
        ),
        "imports": values(
            "AA: !ImportValue shared-x, BB: {Fn::ImportValue: !Sub 'shared-${Colour}'}".replace(
                "${Colour}", "y"
            ),
            "AA: !ImportValue shared-y",
        ),
        "conditions": values(
            "AA: !If [IsDev, yes, no], BB: !If [Never, !Ref Queue, !If [IsDev, !Ref Table, none]],"
            " CC: !If [IsDev, !Ref 'AWS::NoValue', x]",
            "AA: !If [Never, yes, no]",
        ),
        "choices": values(
            "AA: !Select [1, !Split [',', !ImportValue shared-nets]], BB: !FindInMap [Sizes, one,"
            " cpu], CC: !If [IsDev, !FindInMap [Sizes, one, cpu], none], DD: !Select [0, [!Ref"
            " Queue, b]]",
            "AA: !Select [0, !Split [',', !ImportValue shared-nets]]",
        ),
        "texts": values(
            "AA: !Sub '${Table}/${Queue.Arn}/${AWS::Region}/${!Literal}', BB: !Sub ['${One}', {One:"
            " !Ref Topic}], CC: !Join ['-', [!Ref Colour, !Ref 'AWS::AccountId', 1]], DD:"
            " !Base64 abc",
            "AA: !Sub '${AWS::Partition} ${AWS::URLSuffix}'",
        ),
        "parameters": values(
            "AA: !Ref Colour, BB: !Sub 'x${Few}', CC: '${param:common}'", "AA: !Ref Few"
        ),
        "ofStage": values("AA: '${sls:stage}', BB: '${param:mine}'", "AA: 'x-${param:mine}'"),
        "secretsOfSsm": values(
            "AA: '{{resolve:ssm:/app/plain}}', BB: '{{resolve:ssm:/app/plain:1}}', CC:"
            " 'x-{{resolve:ssm:/app/plain}}-{{resolve:ssm:/app/list}}-y', DD: !Sub"
            " '{{resolve:ssm:/app/plain}}-${AWS::Region}', EE: !If [IsDev,"
            " '{{resolve:ssm:/app/plain}}', none], FF: !Join ['', ['{{resolve:ssm:',"
            " '/app/list}}']], GG: '{{resolve:ssm:/app/${sls:stage}/name}}'",
            "AA: '{{resolve:ssm:/app/list}}'",
        ),
        "secrets": values(
            "AA: '{{resolve:secretsmanager:app/db:SecretString:password}}', BB:"
            " '{{resolve:secretsmanager:app/db:SecretString:password:AWSPREVIOUS}}', CC:"
            " '{{resolve:secretsmanager:text}}', DD:"
            " '{{resolve:secretsmanager:text:SecretString}}', EE:"
            " '{{resolve:secretsmanager:app/db}}', FF:"
            " 'u:{{resolve:secretsmanager:%s:SecretString:port::}}', GG: !Sub"
            " '{{resolve:secretsmanager:${Secret}:SecretString:user}}'" % f.secret,
            "AA: '{{resolve:secretsmanager:text:SecretString::AWSCURRENT}}'",
        ),
        "told": [
            "description: '{{resolve:ssm:/app/plain}}'",
            "description: 'is {{resolve:ssm:/app/list}}'",
        ],
        "vpc": [vpc % ([f.groups[0]], f.nets[:1]), vpc % (f.groups, f.nets[1:])],
        "vpcOfImports": [
            vpc % ("[!ImportValue shared-group]", "!Split [',', !ImportValue shared-nets]"),
            vpc % ("[!GetAtt Group.GroupId]", "!FindInMap [Sizes, one, subnets]"),
        ],
        "vpcOfConditions": [
            vpc
            % (
                f"[!If [IsDev, {f.groups[0]}, {f.groups[1]}]]",
                f"[!If [Never, !ImportValue shared-net, {f.nets[2]}]]",
            ),
            vpc % ("[!Ref Group]", "[!Select [1, !Split [',', !ImportValue shared-nets]]]"),
        ],
        "layers": [f"layers: [{f.layers[0]}]", f"layers: [{f.layers[1]}, {f.layers[0]}]"],
        "layersOfResources": [
            "layers: [!Ref Layer, !ImportValue shared-layer]",
            "layers: [!Sub '{{resolve:ssm:/app/layer}}', !Ref Layer]",
        ],
        "dead": [f"onError: {f.topics[0]}", f"onError: {f.topics[1]}"],
        "deadOfResources": ["onError: !Ref Topic", "onError: !GetAtt Queue.Arn"],
        "deadOfImports": ["onError: !ImportValue shared-dead", "onError: !Sub '${Topic}'"],
        "key": [f"kmsKeyArn: {f.keys[0]}", f"kmsKeyArn: {f.keys[1]}"],
        "keyOfImports": [
            "kmsKeyArn: !ImportValue shared-key",
            f"kmsKeyArn: !If [IsDev, {f.keys[1]}, {f.keys[0]}]",
        ],
        "role": [f"role: {f.roles[0]}", f"role: {f.roles[1]}"],
        "roleOfResources": ["role: Own", "role: !GetAtt Own.Arn"],
        "roleOfImports": ["role: !ImportValue shared-role", "role: !FindInMap [Sizes, one, role]"],
        "roleByText": [
            "role: !Sub 'arn:aws:iam::${AWS::AccountId}:role/role0'",
            "role: !If [IsDev, !GetAtt Own.Arn, !ImportValue shared-role]",
        ],
        "files": [
            vpc % ([f.groups[0]], f.nets[:1])
            + f"\nfileSystemConfig: {{arn: '{arn % 1}', localMountPath: /mnt/a}}",
            vpc % ([f.groups[0]], f.nets[:1])
            + f"\nfileSystemConfig: {{arn: !Join ['', ['{arn % 2}']], localMountPath: /mnt/b}}",
        ],
        "reserved": ["reservedConcurrency: 2", "reservedConcurrency: 0"],
        "reservedOfStage": ["reservedConcurrency: ${param:few}", "reservedConcurrency: 4"],
        "reservedByReference": [
            "reservedConcurrency: !Ref Few",
            "reservedConcurrency: !If [IsDev, 5, 6]",
        ],
        "reservedLater": ["", "reservedConcurrency: 3"],
        "provisioned": ["provisionedConcurrency: 1", "provisionedConcurrency: 2"],
        "snapStart": [
            "runtime: python3.12\nsnapStart: true",
            "runtime: python3.12\nsnapStart: true\nmemorySize: 512",
        ],
        "tags": ["tags: {who: us, of: '${param:common}'}", "tags: {who: them}"],
        "asynchronous": [
            "maximumRetryAttempts: 1\nmaximumEventAge: 600",
            "maximumRetryAttempts: 0",
        ],
        "url": [
            "url: true",
            "url: {authorizer: aws_iam, invokeMode: RESPONSE_STREAM, cors: {maxAge: 5}}",
        ],
    }


def functions_of(table, step):
    """step 0: as first, 1: changed, 2: nothing left."""
    text = ""
    for name, states in table.items():
        settings = states[step] if step < len(states) else ""
        lines = [line for line in settings.splitlines() if line]
        if not any(line.startswith("handler:") for line in lines):
            lines.insert(0, "handler: handler.main")
        text += f"  {name}:\n" + "".join(f"    {line}\n" for line in lines)
    return text


# -- what there is ---------------------------------------------------------------------------------

GONE = (
    "FunctionArn",
    "FunctionName",
    "Version",
    "RevisionId",
    "LastModified",
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "MasterArn",
    "ResponseMetadata",
)


def ask(call, **arguments):
    try:
        answer = call(**arguments)
    except call.__self__.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] in (
            "ResourceNotFoundException",
            "ProvisionedConcurrencyConfigNotFoundException",
        )
        return None
    answer.pop("ResponseMetadata")
    return answer


def told(value):
    """Lambda says of what is not set that it is empty, or nothing."""
    if isinstance(value, dict):
        value = {key: told(item) for key, item in value.items()}
        return {key: item for key, item in value.items() if item not in ({}, [], "", None)}
    return [told(item) for item in value] if isinstance(value, list) else value


def only(answer, *keys):
    return {key: answer[key] for key in keys if key in answer} if answer else {}


NAMED_LIKE_FUNCTIONS = (
    "AWS::Lambda::Function",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Url",
    "AWS::Logs::LogGroup",
)


class Lambda:
    """What Lambda has of the functions of one service, comparable between two of them."""

    def __init__(self, account, stacks, service):
        self.lam, self.service = account.client("lambda"), service
        cloudformation = account.client("cloudformation")
        self.names = {}
        for stack in stacks:
            for resource in cloudformation.describe_stack_resources(StackName=stack)[
                "StackResources"
            ]:
                physical = resource.get("PhysicalResourceId") or ""
                logical = re.sub(
                    r"^(IamRoleLambdaExecution).*", r"\1", resource["LogicalResourceId"]
                )
                if resource["ResourceType"] not in NAMED_LIKE_FUNCTIONS:
                    self.names[physical] = f"<{logical}>"
                    self.names[physical.rsplit("/", 1)[-1]] = f"<{logical}>"
                if resource["ResourceType"] == "AWS::SecretsManager::Secret":
                    self.names[physical.rsplit(":", 1)[-1]] = f"<{logical}>"
        self.names.pop("", None)

    def plain(self, value, name):
        if isinstance(value, dict):
            return {key: self.plain(item, name) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, name) for item in value]
        if not isinstance(value, str):
            return value
        for physical in sorted(self.names, key=len, reverse=True):
            value = value.replace(physical, self.names[physical])
        return value.replace(name, "<function>").replace(self.service, "<service>")

    def function(self, name, version, called, alias):
        """Of a version, of the function as a whole, and of what callers name: an alias, or the
        function.
        """
        found = self.lam.get_function(FunctionName=name, Qualifier=version)["Configuration"]
        configuration = {key: value for key, value in found.items() if key not in GONE}
        configuration.get("SnapStart", {}).pop("OptimizationStatus", None)
        configuration.get("LoggingConfig", {}).setdefault(
            "LogGroup", f"/aws/lambda/{name}"
        )  # as AWS says
        if re.match(r"dev#\d+ ", configuration.get("Description", "")):
            configuration["Description"] = ""
        tags = self.lam.list_tags(
            Resource=self.lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        )["Tags"]
        url = only(
            ask(
                self.lam.get_function_url_config,
                FunctionName=name,
                **({} if called == "$LATEST" else {"Qualifier": called}),
            ),
            "AuthType",
            "Cors",
            "InvokeMode",
        )
        later = only(
            ask(self.lam.get_function_event_invoke_config, FunctionName=name, Qualifier=called),
            "MaximumRetryAttempts",
            "MaximumEventAgeInSeconds",
        )
        ready = only(
            ask(self.lam.get_provisioned_concurrency_config, FunctionName=name, Qualifier=alias),
            "RequestedProvisionedConcurrentExecutions",
        )
        return self.plain(
            told(
                {
                    **configuration,
                    "url": url,
                    "later": later,
                    "provisioned": ready,
                    "reserved": only(
                        ask(self.lam.get_function_concurrency, FunctionName=name),
                        "ReservedConcurrentExecutions",
                    ),
                    "tags": {
                        key: value
                        for key, value in tags.items()
                        if not key.startswith(("aws:", "troupe:"))
                    },
                }
            ),
            name,
        )


def with_troupe(account, table):
    """A function that is the stage's own is called like the reference's."""
    found = Lambda(account, (SERVICE, f"{SERVICE}-dev"), SERVICE)
    names = {
        f["FunctionName"]
        for page in found.lam.get_paginator("list_functions").paginate()
        for f in page["Functions"]
    }
    own = f"{SERVICE}-dev-"
    return {
        name: (
            found.function(own + name, "dev", "$LATEST", "dev")
            if own + name in names
            else found.function(f"{SERVICE}-{name}", "dev", "dev", "dev")
        )
        for name in table
    }


def with_cloudformation(troupe, account, folder, text):
    """Deploy the flat template of the same file, under another name."""
    (folder / "serverless.yml").write_text(text)
    packaged = folder.parent / "packaged"
    troupe("package", "--package", packaged, cwd=folder)
    template = json.loads((packaged / "cloudformation-template-update-stack.json").read_text())
    s3, cloudformation, stack = (
        account.client("s3"),
        account.client("cloudformation"),
        f"{PLAIN}-dev",
    )
    bucket, known = f"code-{account.id}", {b["Name"] for b in s3.list_buckets()["Buckets"]}
    if bucket not in known:
        s3.create_bucket(Bucket=bucket)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            code = resource["Properties"]["Code"]
            code["S3Bucket"] = bucket
            s3.upload_file(str(packaged / code["S3Key"].rsplit("/", 1)[-1]), bucket, code["S3Key"])
    s3.put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template))
    arguments = dict(
        StackName=stack,
        TemplateURL=f"https://s3.amazonaws.com/{bucket}/template.json",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    there = any(s["StackName"] == stack for s in cloudformation.describe_stacks()["Stacks"])
    (cloudformation.update_stack if there else cloudformation.create_stack)(**arguments)
    try:
        cloudformation.get_waiter(f"stack_{'update' if there else 'create'}_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
        )
    except Exception as error:
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        raise AssertionError(
            [
                (event["LogicalResourceId"], event.get("ResourceStatusReason"))
                for page in pages
                for event in page["StackEvents"]
                if "FAILED" in event["ResourceStatus"]
            ]
        ) from error
    return Lambda(account, (stack,), PLAIN)


def wanted(troupe, account, folder, text, table):
    found = with_cloudformation(troupe, account, folder, text)
    return {
        name: found.function(f"{PLAIN}-dev-{name}", "$LATEST", "$LATEST", "provisioned")
        for name in table
    }


def different(got, want, when):
    return [
        f"{when}: {name}: {key}: Lambda has {got[name].get(key)!r}, CloudFormation makes"
        f" {want[name].get(key)!r}"
        for name in want
        for key in sorted({*want[name], *got[name]})
        if got[name].get(key) != want[name].get(key)
    ]


FILES = {
    "handler.js": "exports.main = exports.other = async () => 1;\n",
    "other.js": "exports.main = async () => 2;\n",
    "handler.py": "def main(event, context):\n    return 1\n",
}


@pytest.mark.parametrize("own", [False, True], ids=["shared", "of-the-stage"])
def test_lambda_has_what_the_file_says(troupe, account, tmp_path, own):
    """Every cell is compared after each of the steps; the rollbacks give back what was before."""
    fixtures, plain = Fixtures(account), tmp_path / PLAIN
    table = cells(fixtures)
    troupe.write(FILES)
    plain.mkdir()
    for name, text in FILES.items():
        (plain / name).write_text(text)
    wrong, was = [], []
    for step, when in enumerate(("first", "changed", "removed")):
        functions = functions_of(table, step)
        text = fixtures.head(SERVICE, ["'*'"] if own else [], functions)
        troupe.write({"serverless.yml": text})
        troupe("deploy", "dev")
        if step:  # what stages share is changed by the service's own deployment
            troupe("deploy", "--service", "-y")
        was.append(with_troupe(account, table))
        wrong += different(
            was[-1],
            wanted(troupe, account, plain, fixtures.head(PLAIN, [], functions), table),
            when,
        )
    for step in (1, 0):
        troupe("rollback", "dev", "-y")
        before = {name: {**state, "tags": None} for name, state in was[step].items()}
        after = {
            name: {**state, "tags": None} for name, state in with_troupe(account, table).items()
        }
        wrong += different(after, before, f"rolled back to {step}")
    assert not wrong, "\n".join(wrong)


# -- reserved concurrency --------------------------------------------------------------------------

RESERVED = """service: halt
provider: {name: aws, runtime: nodejs22.x}
functions:
  f: {handler: handler.main%s}
"""


def reservations(account):
    lam = account.client("lambda")
    return {
        f["FunctionName"]: (
            only(
                ask(lam.get_function_concurrency, FunctionName=f["FunctionName"]),
                "ReservedConcurrentExecutions",
            ).get("ReservedConcurrentExecutions")
        )
        for page in lam.get_paginator("list_functions").paginate()
        for f in page["Functions"]
    }


def test_a_reservation_stops_one_stage_alone_and_at_once(troupe, account):
    """Lambda counts the calls of all aliases together, so that each stage has a function of its
    own.
    """
    troupe.write(
        {"handler.js": "exports.main = async () => 'served';\n", "serverless.yml": RESERVED % ""}
    )
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    troupe.write({"serverless.yml": RESERVED % ", reservedConcurrency: 0"})
    plan = troupe("plan", "dev")
    assert (
        "function 'f' is one of each stage's own" in plan.err and "serverless.yml:4:" in plan.err
    ), str(plan)
    troupe("deploy", "dev")
    assert reservations(account) == {"halt-f": None, "halt-dev-f": 0}
    assert "served" in troupe("invoke", "prod", "f").out
    lam = account.client("lambda")
    with pytest.raises(lam.exceptions.TooManyRequestsException):
        lam.invoke(FunctionName="halt-dev-f", Qualifier="dev")
    troupe.write({"serverless.yml": RESERVED % ", reservedConcurrency: 3"})
    troupe("deploy", "dev")
    assert reservations(account)["halt-dev-f"] == 3
    assert "served" in troupe("invoke", "dev", "f").out
    troupe.write({"serverless.yml": RESERVED % ""})
    troupe("deploy", "dev")
    assert reservations(account) == {"halt-f": None}
    troupe("rollback", "dev", "-y")
    assert reservations(account) == {"halt-f": None, "halt-dev-f": 3}


def test_a_reservation_of_a_function_with_a_fixed_name(troupe, account):
    """There is one of that name, and the service has it: known before anything is made."""
    troupe.write(
        {
            "handler.js": "exports.main = async () => 1;\n",
            "serverless.yml": RESERVED % ", name: fixed",
        }
    )
    troupe("deploy", "dev")
    troupe.write({"serverless.yml": RESERVED % ", name: fixed, reservedConcurrency: 1"})
    for command in ("plan", "deploy"):
        refused = troupe(command, "dev", check=3)
        assert (
            "'fixed'" in refused.err
            and "serverless.yml:4:" in refused.err
            and "${sls:stage}" in refused.err
        ), str(refused)
    troupe.write(
        {"serverless.yml": RESERVED % ", name: 'fixed-${sls:stage}', reservedConcurrency: 1"}
    )
    troupe("deploy", "dev")
    assert reservations(account)["fixed-dev"] == 1


# -- dynamic references ----------------------------------------------------------------------------

DYNAMIC = """service: secretive
provider:
  name: aws
  runtime: nodejs22.x
  environment:
    SHOWN: %s
functions:
  f: {handler: handler.main}
  g: {handler: handler.main, description: '{{resolve:secretsmanager:app/db:SecretString:password}}'}
%s"""
HUSH = "hush-hush-1"

# reference: what is said of it; None: it is known only when Systems Manager or Secrets Manager is
# asked
REFUSED = {
    "{{resolve:ssm-secure:/app/secure}}": ["ssm-secure", "${ssm:/app/secure}"],
    "x{{resolve:ssm-secure:/app/secure:1}}": ["ssm-secure"],
    "{{resolve:ssm:/app/plain:prod}}": ["version", "number"],
    "{{resolve:ssm:}}": ["names no parameter"],
    "{{resolve:vault:/app/plain}}": ["ssm, ssm-secure and secretsmanager"],
    "{{resolve:secretsmanager:app/db:SecretBinary}}": ["SecretString"],
    "{{resolve:secretsmanager:app/db:SecretString:password:::more}}": ["at most five"],
}
NOT_THERE = {
    "{{resolve:ssm:/app/secure}}": ["SecureString", "${ssm:/app/secure}"],
    "{{resolve:ssm:/app/none}}": ["no parameter '/app/none'"],
    "{{resolve:ssm:/app/plain:7}}": ["/app/plain:7"],
    "{{resolve:secretsmanager:none}}": ["none"],
    "{{resolve:secretsmanager:app/db:SecretString:user}}": ["no key 'user'"],
    "{{resolve:secretsmanager:text:SecretString:user}}": ["no JSON"],
}


def test_dynamic_references_that_are_no_values(troupe, proxy, account):
    """Said with their place, before anything is made: those that are none without asking
    anybody.
    """
    account.client("ssm").put_parameter(Name="/app/plain", Value="v", Type="String")
    account.client("ssm").put_parameter(Name="/app/secure", Value=HUSH, Type="SecureString")
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name="app/db", SecretString=json.dumps({"password": HUSH}))
    secrets.create_secret(Name="text", SecretString=HUSH)
    troupe.write({"handler.js": "exports.main = async () => 1;\n"})
    wrong = []
    for reference, words in {**REFUSED, **NOT_THERE}.items():
        troupe.write({"serverless.yml": DYNAMIC % (f"'{reference}'", "")})
        for command in ("validate", "plan", "deploy"):
            mark = proxy.mark()
            if command == "validate" and reference in NOT_THERE:
                continue
            result = troupe(command, "dev", check=False)
            asked = proxy.calls(since=mark)
            if reference in NOT_THERE:
                asked = [
                    call
                    for call in asked
                    if call.writes and "/locks/" not in call.params.get("Key", "")
                ]
            if (
                result.code != 2
                or "--> serverless.yml:6:" not in result.err
                or HUSH in result.err
                or asked
                or [word for word in words if word not in result.err]
            ):
                wrong.append(f"{reference}: {command}: {asked}\n{result}")
    assert not wrong, "\n".join(wrong)


def test_secrets_stay_where_they_are(troupe, account):
    """A secret reaches the function and nothing else; each deployment takes what the secret is by
    then.
    """
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name="app/db", SecretString=json.dumps({"password": HUSH}))
    troupe.write(
        {
            "handler.js": "exports.main = async () => process.env.SHOWN;\n",
            "serverless.yml": (
                DYNAMIC % ("'{{resolve:secretsmanager:app/db:SecretString:password}}'", "")
            ),
        }
    )
    said = [
        troupe(*command)
        for command in (("plan", "dev"), ("deploy", "dev"), ("deploy", "prod"), ("plan", "dev"))
    ]
    assert json.loads(troupe("invoke", "dev", "f").out) == HUSH
    assert "nothing to do" in said[-1].out + said[-1].err, str(said[-1])
    secrets.put_secret_value(
        SecretId="app/db", SecretString=json.dumps({"password": "hush-hush-2"})
    )
    said += [troupe("plan", "dev"), troupe("deploy", "dev"), troupe("diff", "dev", "prod")]
    assert "SHOWN changed" in said[-3].out, str(said[-3])
    assert [json.loads(troupe("invoke", stage, "f").out) for stage in ("dev", "prod")] == [
        "hush-hush-2",
        HUSH,
    ]
    troupe("rollback", "dev", "-y")
    assert json.loads(troupe("invoke", "dev", "f").out) == HUSH
    assert not [str(result) for result in said if "hush-hush" in result.out + result.err]
    s3, cloudformation = account.client("s3"), account.client("cloudformation")
    (bucket,) = (b["Name"] for b in s3.list_buckets()["Buckets"])
    kept = {
        o["Key"]: s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()
        for o in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    for stack in cloudformation.describe_stacks()["Stacks"]:
        kept[stack["StackName"]] = repr(
            (stack, cloudformation.get_template(StackName=stack["StackName"]))
        ).encode()
    assert len(kept) > 10 and not [key for key, text in kept.items() if b"hush-hush" in text]


def test_dynamic_references_to_what_the_same_file_makes(troupe, account):
    """By its fixed name: it is made before the function takes its value."""
    troupe.write(
        {
            "handler.js": "exports.main = async () => process.env.SHOWN;\n",
            "serverless.yml": (
                DYNAMIC
                % (
                    "'{{resolve:ssm:/made/here}}-{{resolve:secretsmanager:made-secret:SecretString:user}}'",
                    """resources:
  Resources:
    Here: {Type: AWS::SSM::Parameter, Properties: {Name: /made/here, Type: String, Value: made}}
    Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: made-secret, SecretString: '{"user": "u"}'}}
""",
                )
            ),
        }
    )
    account.client("secretsmanager").create_secret(
        Name="app/db", SecretString=json.dumps({"password": HUSH})
    )
    troupe("deploy", "dev")
    assert json.loads(troupe("invoke", "dev", "f").out) == "made-u"
