"""The commands that are killed at every call: what they start from, what they are, which stages
they may change. All start from the same account (``two_stages``) unless they say otherwise.
"""

from dataclasses import dataclass

from legacy import serverless_deploy
from shop import append, code

QUEUE = """resources:
  Resources:
    Jobs:
      Type: AWS::SQS::Queue
"""
TABLE = """resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
ENVIRONMENT = "      STAGE: ${sls:stage}\n"


def with_queue(troupe):
    """A route more, and a queue that a function needs."""
    troupe.edit(
        "serverless.yml", "- http: GET /hello\n", "- http: GET /hello\n      - http: GET /new\n"
    )
    troupe.edit("serverless.yml", ENVIRONMENT, ENVIRONMENT + "      JOBS: !Ref Jobs\n")
    append(troupe, QUEUE)


def two_stages(troupe):
    """prod at its first deployment; dev at its third, the second of which had a queue and a route
    more.
    """
    troupe.use("shop")
    first = (troupe.folder / "serverless.yml").read_text()
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    code(troupe, "two")
    with_queue(troupe)
    troupe("deploy", "dev")
    code(troupe, "three")
    troupe.write({"serverless.yml": first})
    troupe("deploy", "dev")


def nothing(troupe):
    """A service that was never deployed."""
    troupe.use("shop")


def changed(troupe):
    """Other code, a new route, a new function, and a queue that functions need."""
    code(troupe, "four")
    text = (troupe.folder / "serverless.yml").read_text()
    troupe.write({"serverless.yml": text + "  extra:\n    handler: handler.hello\n"})
    with_queue(troupe)


def other_code(troupe):
    code(troupe, "four")


def other_logs(troupe):
    troupe.edit("serverless.yml", "  timeout: 10\n", "  timeout: 10\n  logRetentionInDays: 14\n")


HTTP_ROUTE = "- httpApi: GET /hello\n"


def two_stages_of_one_http_api(troupe):
    """The same with an HTTP API that the stages share."""
    troupe.use("shop")
    text = (
        (troupe.folder / "serverless.yml").read_text().replace("- http: GET /hello\n", HTTP_ROUTE)
    )
    troupe.write({"serverless.yml": text + "custom:\n  troupe:\n    apis: {http: shared}\n"})
    for stage in ("prod", "dev"):
        troupe("deploy", stage)
    troupe.edit("serverless.yml", HTTP_ROUTE, HTTP_ROUTE + "      - httpApi: GET /new\n")
    troupe("deploy", "dev")


def another_http_route(troupe):
    troupe.edit("serverless.yml", HTTP_ROUTE, HTTP_ROUTE + "      - httpApi: GET /newer\n")


def with_parameters(troupe, count, value):
    """So many resources, of so many bytes that they do not fit into one stack."""
    text = (troupe.folder / "serverless.yml").read_text().partition("resources:\n")[0]
    parameters = "".join(
        f"    Big{n}: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: {value}}}, "
        f"Metadata: {{Text: {'x' * 55_000}}}}}\n"
        for n in range(count)
    )
    troupe.write({"serverless.yml": text + "resources:\n  Resources:\n" + parameters})


def stage_of_nested_stacks(troupe):
    """dev at its second deployment, both too large for one stack; prod small."""
    troupe.use("shop")
    troupe("deploy", "prod")
    with_parameters(troupe, 12, "one")
    troupe("deploy", "dev")
    assert [name for name in troupe.world()["stacks"] if name.startswith("shop-dev-TroupePart")]
    code(troupe, "two")
    with_parameters(troupe, 14, "two")
    troupe("deploy", "dev")


def other_nested_stacks(troupe):
    code(troupe, "three")
    with_parameters(troupe, 13, "three")


def needing_a_table_of_the_service(troupe):
    """A table that all stages share, and that a function needs."""
    code(troupe, "four")
    troupe.edit("serverless.yml", ENVIRONMENT, ENVIRONMENT + "      ORDERS: !Ref Orders\n")
    append(troupe, TABLE)
    table_of_the_service(troupe)


def calling_in_waves(troupe):
    """A new function, a topic that calls it, and another function that needs the topic."""
    code(troupe, "four")
    text = (
        (troupe.folder / "serverless.yml").read_text()
        + """  first:
    handler: handler.hello
resources:
  Resources:
    Calls:
      Type: AWS::SNS::Topic
      Properties:
        Subscription: [{Protocol: lambda, Endpoint: !GetAtt FirstLambdaFunction.Arn}]
"""
    )
    troupe.write(
        {"serverless.yml": text.replace(ENVIRONMENT, ENVIRONMENT + "      CALLS: !Ref Calls\n")}
    )


def rollback_cut_off(troupe):
    troupe.proxy.kill(1, operation="UpdateStack")
    assert troupe("rollback", "dev", "--to", "1", check=False).code == -9
    troupe.proxy.clear()


def over_a_rollback(troupe):
    """Of which all pointers have moved; one function changes, so that the stack moves its pointer
    alone.
    """
    rollback_cut_off(troupe)
    troupe.edit("serverless.yml", "  hello:\n", "  hello:\n    memorySize: 512\n")


def deploy_cut_off(troupe):
    """Its stack is as it was, and a version is published."""
    code(troupe, "four")
    troupe.proxy.kill(1, operation="UpdateStack")
    assert troupe("deploy", "dev", check=False).code == -9
    troupe.proxy.clear()


def meddled_with(troupe):
    """By hand: an alias moved, and a stack with a queue more."""
    import json

    lam, cloudformation = (troupe.account.client(name) for name in ("lambda", "cloudformation"))
    stack = cloudformation.describe_stacks(StackName="shop-dev")["Stacks"][0]
    template = cloudformation.get_template(StackName="shop-dev")["TemplateBody"]
    template = (
        json.loads(template) if isinstance(template, str) else json.loads(json.dumps(template))
    )
    template["Resources"]["Extra"] = {"Type": "AWS::SQS::Queue"}
    cloudformation.update_stack(
        StackName="shop-dev",
        TemplateBody=json.dumps(template),
        Tags=stack["Tags"],
        Parameters=stack.get("Parameters", []),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName="shop-dev", WaiterConfig={"Delay": 1}
    )
    lam.update_alias(FunctionName="shop-hello", Name="dev", FunctionVersion="1")


def pointers_deleted(troupe):
    """By hand: an alias, with all that hung on it, and the stage of the API."""
    lam, rest = (troupe.account.client(name) for name in ("lambda", "apigateway"))
    lam.delete_alias(FunctionName="shop-hello", Name="dev")
    (api,) = rest.get_rest_apis()["items"]
    rest.delete_stage(restApiId=api["id"], stageName="dev")


def shift_under_way(troupe):
    troupe("shift", "dev", "--to", "1", "--weight", "10")


def changed_by_steps(troupe):
    """Other code, which gets a part of the calls first."""
    code(troupe, "four")
    append(troupe, "custom:\n  troupe:\n    shift: {type: canary, percent: 10, after: 1s}\n")


ROLE = """  iam:
    role:
      statements: [{Effect: Allow, Action: [ACTION], Resource: !GetAtt Jobs.Arn}]
"""


def with_role(troupe, action):
    """A role of the stage's own: it names the stage's queue."""
    troupe.edit(
        "serverless.yml", "  timeout: 10\n", "  timeout: 10\n" + ROLE.replace("ACTION", action)
    )


def two_stages_of_own_roles(troupe):
    """prod at its first deployment; dev at its second, whose role may something else and no
    more.
    """
    troupe.use("shop")
    text = (troupe.folder / "serverless.yml").read_text() + QUEUE
    troupe.write({"serverless.yml": text})
    with_role(troupe, "'sqs:SendMessage'")
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    code(troupe, "two")
    troupe.edit("serverless.yml", "sqs:SendMessage", "sqs:PurgeQueue")
    troupe("deploy", "dev")


def other_rights(troupe):
    """One in place of another, and a setting that Lambda takes only with a right of its own."""
    code(troupe, "three")
    troupe.edit("serverless.yml", "sqs:PurgeQueue", "sqs:ReceiveMessage")
    troupe.edit("serverless.yml", "  timeout: 10\n", "  timeout: 10\n  tracing: {lambda: true}\n")


LAYERS = """layers:
  text: {path: layers/text, allowedAccounts: ['123456789012']}
  staged: {path: layers/text, name: 'shop-staged-${sls:stage}'}
"""


def other_layers(troupe):
    """Other content, and another function that has the layer."""
    troupe.write({"layers/text/text.txt": "three\n"})
    troupe.edit(
        "serverless.yml",
        "layers: [!Ref TextLambdaLayer]",
        "layers: [!Ref TextLambdaLayer, !Ref StagedLambdaLayer]",
    )


def two_stages_with_layers(troupe):
    """dev's second deployment has a layer of its own content."""
    troupe.use("shop")
    troupe.edit("serverless.yml", "  hello:\n", "  hello:\n    layers: [!Ref TextLambdaLayer]\n")
    append(troupe, LAYERS)
    troupe.write({"layers/text/text.txt": "one\n"})
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    troupe.write({"layers/text/text.txt": "two\n"})
    troupe("deploy", "dev")


def layers_by_another_tool(troupe):
    """dev as `serverless deploy` makes it, with layers."""
    troupe.use("shop")
    troupe.edit("serverless.yml", "  hello:\n", "  hello:\n    layers: [!Ref TextLambdaLayer]\n")
    append(troupe, LAYERS)
    troupe.write({"layers/text/text.txt": "one\n"})
    serverless_deploy(troupe, "dev")


def by_another_tool(troupe):
    """dev as `serverless deploy` makes it, with a table."""
    troupe.use("shop")
    append(troupe, TABLE)
    serverless_deploy(troupe, "dev")


def table_of_the_service(troupe):
    append(troupe, "custom:\n  troupe:\n    resources: {service: [Orders]}\n")


def stages_with_a_table(troupe):
    """Of the service, and then not any more."""
    troupe.use("shop")
    first = (troupe.folder / "serverless.yml").read_text() + TABLE
    troupe.write({"serverless.yml": first})
    table_of_the_service(troupe)
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    troupe.write({"serverless.yml": first})


NETWORK = """resources:
  Resources:
    Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.3.0.0/16}}
    Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.3.0.0/24}}
    Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: all}}
"""


def stages_with_a_network(troupe):
    """Each with its own, in which the second version of dev is, too."""
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "  hello:\n",
        "  hello:\n    vpc: {securityGroupIds: [!GetAtt Group.GroupId], "
        "subnetIds: [!Ref Subnet]}\n",
    )
    append(troupe, NETWORK)
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    code(troupe, "two")
    troupe("deploy", "dev")


def keeping_one(troupe):
    """Only the last deployment of each stage is kept: dev's second one needs a version of
    its own.
    """
    append(troupe, "custom:\n  troupe:\n    history: {keep: 1}\n")


@dataclass
class Command:
    name: str
    args: tuple
    stage: str = "dev"  # the one it changes; empty: the service
    start: object = two_stages  # makes the account
    prepare: object = None  # then changes files or the account
    others: tuple = ("prod",)  # stages it may not touch
    repairs: bool = True  # may `repair` come between?
    gone: tuple = ()  # stages that are not there afterwards
    over: int = 0  # exit code of the command when it has nothing to do any more


COMMANDS = [
    Command("deploy", ("deploy", "dev"), prepare=changed),
    Command("deploy-in-waves", ("deploy", "dev"), prepare=calling_in_waves),
    Command("deploy-of-a-function", ("deploy", "dev", "--function", "hello"), prepare=other_code),
    Command("deploy-over-a-rollback", ("deploy", "dev"), prepare=over_a_rollback),
    Command("first-deploy", ("deploy", "dev"), start=nothing, others=()),
    Command(
        "first-deploy-of-a-second-stage", ("deploy", "pr-1"), stage="pr-1", others=("prod", "dev")
    ),
    Command("rollback-at-once", ("rollback", "dev", "--to", "1")),
    Command("rollback-from-sources", ("rollback", "dev", "--to", "2")),
    Command("deploy-by-weights", ("deploy", "dev"), prepare=changed_by_steps),
    Command("shift", ("shift", "dev", "--to", "1", "--weight", "10")),
    Command(
        "shift-of-more", ("shift", "dev", "--to", "1", "--weight", "55"), prepare=shift_under_way
    ),
    Command("shift-promoted", ("shift", "dev", "--promote"), prepare=shift_under_way, over=3),
    Command("shift-taken-back", ("shift", "dev", "--abort"), prepare=shift_under_way, over=3),
    Command(
        "adopt",
        ("adopt", "dev", "--yes"),
        start=by_another_tool,
        prepare=table_of_the_service,
        others=(),
        repairs=False,
    ),
    Command(
        "adopt-from-the-service",
        ("adopt", "dev", "--yes"),
        start=stages_with_a_table,
        repairs=False,
    ),
    Command("reset", ("reset", "dev", "--to", "prod")),
    Command("clone", ("clone", "dev", "pr-7"), stage="pr-7", others=("prod", "dev")),
    Command("remove-of-a-stage", ("remove", "dev", "--yes"), gone=("dev",)),
    Command(
        "remove-of-a-stage-and-its-network",
        ("remove", "dev", "--yes"),
        start=stages_with_a_network,
        gone=("dev",),
        repairs=False,
    ),
    Command(
        "remove-of-the-service",
        ("remove", "--service", "--yes"),
        stage="",
        others=(),
        repairs=False,
    ),
    Command(
        "deploy-of-the-service",
        ("deploy", "--service"),
        stage="",
        prepare=other_logs,
        others=("prod", "dev"),
    ),
    Command(
        "deploy-of-an-http-api",
        ("deploy", "dev"),
        start=two_stages_of_one_http_api,
        prepare=another_http_route,
    ),
    Command(
        "rollback-of-an-http-api",
        ("rollback", "dev", "--to", "1"),
        start=two_stages_of_one_http_api,
    ),
    Command(
        "deploy-of-nested-stacks",
        ("deploy", "dev"),
        start=stage_of_nested_stacks,
        prepare=other_nested_stacks,
    ),
    Command(
        "rollback-of-nested-stacks", ("rollback", "dev", "--to", "1"), start=stage_of_nested_stacks
    ),
    Command(
        "deploy-of-layers", ("deploy", "dev"), start=two_stages_with_layers, prepare=other_layers
    ),
    Command("rollback-of-layers", ("rollback", "dev", "--to", "1"), start=two_stages_with_layers),
    Command(
        "adopt-of-layers",
        ("adopt", "dev", "--yes"),
        start=layers_by_another_tool,
        others=(),
        repairs=False,
    ),
    Command(
        "deploy-with-a-table-of-the-service",
        ("deploy", "dev"),
        prepare=needing_a_table_of_the_service,
    ),
    Command(
        "deploy-of-other-rights",
        ("deploy", "dev"),
        start=two_stages_of_own_roles,
        prepare=other_rights,
    ),
    Command(
        "rollback-of-other-rights", ("rollback", "dev", "--to", "1"), start=two_stages_of_own_roles
    ),
    Command(
        "prune",
        ("prune", "--unused-for", "0s"),
        stage="",
        prepare=keeping_one,
        others=("prod", "dev"),
    ),
    Command("repair-of-a-rollback", ("repair", "dev"), prepare=rollback_cut_off, repairs=False),
    Command("repair-of-a-deploy", ("repair", "dev"), prepare=deploy_cut_off, repairs=False),
    Command("repair-after-meddling", ("repair", "dev"), prepare=meddled_with, repairs=False),
    Command("repair-after-deleting", ("repair", "dev"), prepare=pointers_deleted, repairs=False),
]
