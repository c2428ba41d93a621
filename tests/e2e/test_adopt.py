"""Taking over a stage that another tool deployed, and moving what holds data between stage and
service.

Everything is looked at with boto3: what held data is the very same thing afterwards, with its
content.
"""

import json
import threading

import pytest

from legacy import (
    alias_deploy,
    apply,
    exists,
    outputs,
    physical,
    serverless_deploy,
    settle,
    template,
)
from shop import append

SERVICE = """service: shop
provider:
  name: aws
  runtime: nodejs20.x
  iam:
    role:
      statements:
        - Effect: Allow
          Action: dynamodb:*
          Resource: !GetAtt Orders.Arn
functions:
  hello:
    handler: handler.hello
    url: true
    events:
      - http: GET /hello
      - httpApi: GET /time
  work:
    handler: handler.work
    environment:
      TABLE: !Ref Orders
      TABLE_ARN: !GetAtt Orders.Arn
    events:
      - sqs:
          arn: !GetAtt Jobs.Arn
resources:
  Resources:
    Jobs:
      Type: AWS::SQS::Queue
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
  Outputs:
    TableName:
      Value: !Sub "the table ${Orders}"
"""
CODE = """exports.hello = async () => ({statusCode: 200, body: 'hello'});
exports.work = async () => ({table: process.env.TABLE, arn: process.env.TABLE_ARN});
"""
IN_SERVICE = "custom: {troupe: {resources: {service: [Orders]}}}\n"
ALL_PER_STAGE = "custom: {troupe: {functions: {perStage: ['*']}, apis: {rest: perStage}}}\n"


@pytest.fixture
def shop(troupe):
    """The service's files, not deployed."""
    return troupe.write({"serverless.yml": SERVICE, "handler.js": CODE})


def fill(account, table):
    account.client("dynamodb").put_item(
        TableName=table, Item={"id": {"S": "1"}, "what": {"S": "socks"}}
    )


def rows(account, table):
    return [item["what"]["S"] for item in account.client("dynamodb").scan(TableName=table)["Items"]]


def served(troupe, stage, function="work"):
    answer = troupe("invoke", stage, function)
    return json.loads(answer.out)


def fates(plan):
    found = {}
    for item in plan["resources"]:
        found.setdefault(item["fate"], {})[item["id"]] = item
    return found


# -- in place --------------------------------------------------------------------------------------


def test_plan_tells_what_becomes_of_everything_and_changes_nothing(shop):
    serverless_deploy(shop, "dev")
    before, mark = shop.world(), shop.proxy.mark()
    plan = shop("adopt", "dev", "--plan", "--json").json
    assert shop.world() == before
    writing = [
        call
        for call in shop.proxy.calls(since=mark)
        if not call.operation.startswith(("Get", "List", "Describe"))
    ]
    assert not writing, writing
    found = fates(plan)
    assert plan["by"] == "serverless deploy" and plan["refused"] == 0
    assert {"Orders", "Jobs", "HttpApi"} <= {*found["kept"], *found.get("changed", {})}
    assert {"HelloLogGroup", "WorkLogGroup", "ServerlessDeploymentBucket"} <= {
        *found["left behind"]
    }
    moved = found["new address"]
    assert moved["HelloLambdaFunction"]["from"] == "shop-dev-hello"
    assert moved["HelloLambdaFunction"]["to"] == "shop-hello:dev"
    assert (
        moved["ApiGatewayRestApi"]["from"] == outputs(shop.account, "shop-dev")["ServiceEndpoint"]
    )
    assert "HelloLambdaFunctionUrl" in moved
    text = shop("adopt", "dev", "--plan").out
    assert "shop-dev-hello -> shop-hello:dev" in text and "perStage" in text
    asked = shop("adopt", "dev", check=3).err
    assert (
        "stack 'shop-dev', made by serverless deploy, would be taken over; nothing was changed yet"
        in asked
    ), asked
    assert shop.world() == before


def test_adopted_in_place(shop):
    account = shop.account
    stack = serverless_deploy(shop, "dev")
    old = physical(account, stack)
    fill(account, old["Orders"])
    api = outputs(account, stack)["HttpApiId"]
    result = shop("adopt", "dev", "--yes", "--json").json
    assert result["deployment"] == 1
    now = physical(account, stack)
    for kept in ("Orders", "Jobs", "HttpApi"):
        assert now[kept] == old[kept]
    assert rows(account, old["Orders"]) == ["socks"]
    assert outputs(account, stack)["HttpApiId"] == api
    tags = {item["Key"]: item["Value"] for item in settle(account, stack)["Tags"]}
    assert tags["troupe:service"] == "shop" and tags["troupe:stage"] == "dev"
    # what was left behind is there, with its content
    bucket = account.client("s3").list_objects_v2(Bucket=old["ServerlessDeploymentBucket"])
    assert [
        item
        for item in bucket["Contents"]
        if item["Key"].endswith("compiled-cloudformation-template.json")
    ]
    assert "/aws/lambda/shop-dev-hello" in shop.world()["log_groups"]
    assert "ServerlessDeploymentBucket" not in now and "HelloLogGroup" not in now
    # what serves is new, and the old is gone
    assert sorted(shop.world()["functions"]) == ["shop-hello", "shop-work"]
    assert served(shop, "dev")["table"] == old["Orders"]
    assert shop.call_rest("dev", "/hello").text == "hello"
    assert shop.call_http_api("dev", "/time").text == "hello"
    again = shop("deploy", "dev", "--json").json
    assert again["nothing"] and again["deployment"] == 1


def test_event_sources_follow_and_nothing_is_heard_twice(shop):
    serverless_deploy(shop, "dev")
    shop("adopt", "dev", "--yes")
    sources = shop.world()["event_sources"]
    assert len(sources) == 1 and sources[0]["FunctionArn"].endswith(":function:shop-work:dev")


def test_addresses_stay_with_everything_per_stage(shop):
    account = shop.account
    stack = serverless_deploy(shop, "dev")
    before, old = physical(account, stack), outputs(account, stack)
    append(shop, ALL_PER_STAGE)
    plan = fates(shop("adopt", "dev", "--plan", "--json").json)
    assert "new address" not in plan
    shop("adopt", "dev", "--yes")
    now, after = physical(account, stack), outputs(account, stack)
    assert sorted(shop.world()["functions"]) == ["shop-dev-hello", "shop-dev-work"]
    for kept in (
        "ApiGatewayRestApi",
        "HttpApi",
        "HelloLambdaFunction",
        "WorkLambdaFunction",
        "HelloLogGroup",
    ):
        assert now[kept] == before[kept], kept
    for url in ("ServiceEndpoint", "HttpApiUrl", "HelloLambdaFunctionUrl"):
        assert after[url] == old[url]
    assert shop.call_rest("dev", "/hello").text == "hello"


def test_the_old_template_is_kept_and_rollback_says_so(shop):
    account = shop.account
    stack = serverless_deploy(shop, "dev")
    old = template(account, stack)
    shop("adopt", "dev", "--yes")
    bucket = physical(account, "shop")["ServerlessDeploymentBucket"]
    record = json.loads(
        account.client("s3")
        .get_object(Bucket=bucket, Key="troupe/shop/stages/dev/1.json")["Body"]
        .read()
    )
    assert record["what"] == "adopt" and record["adopted"]["by"] == "serverless deploy"
    key = f"troupe/shop/templates/{record['adopted']['template']}.json"
    assert json.loads(account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()) == old
    refused = shop("rollback", "dev", check=3)
    assert key in refused.err and "serverless deploy" in refused.err
    (shop.folder / "handler.js").write_text(CODE.replace("'hello'", "'new'"))
    shop("deploy", "dev")
    assert shop.call_rest("dev", "/hello").text == "new"
    shop("rollback", "dev")
    assert shop.call_rest("dev", "/hello").text == "hello"


def test_a_second_stage_joins_the_service(shop):
    serverless_deploy(shop, "dev")
    serverless_deploy(shop, "prod")
    shop("adopt", "dev", "--yes")
    before = physical(shop.account, "shop-prod")
    assert served_by(shop, "prod") == "shop-prod-work"
    shop("adopt", "prod", "--yes")
    assert physical(shop.account, "shop-prod")["Orders"] == before["Orders"]
    assert {row["name"] for row in shop("stages", "--json").json["stages"]} == {"dev", "prod"}
    assert served(shop, "prod")["table"] == before["Orders"] != served(shop, "dev")["table"]


def served_by(troupe, stage):
    return next(name for name in troupe.world()["functions"] if name == f"shop-{stage}-work")


# -- between stage and service ---------------------------------------------------------------------


def table_arn(account, table):
    return account.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]


def moved(shop, stage, table):
    """The very same table, with its rows, is the service's and nobody else's."""
    account = shop.account
    assert physical(account, "shop")["Orders"] == table
    assert "Orders" not in physical(account, f"shop-{stage}")
    assert rows(account, table) == ["socks"]
    assert settle(account, "shop")["StackStatus"] in ("UPDATE_COMPLETE", "IMPORT_COMPLETE")
    answer = served(shop, stage)
    assert answer == {"table": table, "arn": table_arn(account, table)}
    assert outputs(account, f"shop-{stage}")["TableName"] == f"the table {table}"
    assert template(account, "shop")["Resources"]["Orders"]["DeletionPolicy"] == "Retain"
    assert "Metadata" not in template(account, f"shop-{stage}")


def test_a_table_moves_to_the_service_while_adopting(shop):
    stack = serverless_deploy(shop, "dev")
    table = physical(shop.account, stack)["Orders"]
    fill(shop.account, table)
    append(shop, IN_SERVICE)
    plan = fates(shop("adopt", "dev", "--plan", "--json").json)
    assert plan["to the service"]["Orders"]["physicalId"] == table
    shop("adopt", "dev", "--yes")
    moved(shop, "dev", table)
    assert shop("deploy", "dev", "--json").json["nothing"]


def test_a_table_moves_to_the_service_later(shop):
    shop("deploy", "dev")
    table = physical(shop.account, "shop-dev")["Orders"]
    fill(shop.account, table)
    append(shop, IN_SERVICE)
    before = shop.world()
    refused = shop("deploy", "dev", "--yes", check=3)
    assert (
        "'Orders'" in refused.err and "troupe adopt dev" in refused.err and shop.world() == before
    )
    shop("adopt", "dev", "--yes")
    moved(shop, "dev", table)
    # and neither a rollback nor other files make another, empty one
    back = shop("rollback", "dev", "--yes", check=3)
    assert "'Orders' belongs to the service now" in back.err and "troupe adopt dev" in back.err
    shop.edit("serverless.yml", IN_SERVICE, "")
    assert "'Orders' belongs to the service now" in shop("deploy", "dev", "--yes", check=3).err
    moved(shop, "dev", table)


def test_the_table_of_a_second_stage_stays_beside(shop):
    account = shop.account
    serverless_deploy(shop, "prod")
    serverless_deploy(shop, "dev")
    table, other = physical(account, "shop-prod")["Orders"], physical(account, "shop-dev")["Orders"]
    fill(account, table)
    fill(account, other)
    append(shop, IN_SERVICE)
    shop("adopt", "prod", "--yes")
    left = fates(shop("adopt", "dev", "--plan", "--json").json)["left behind"]["Orders"]
    assert left["physicalId"] == other
    shop("adopt", "dev", "--yes")
    moved(shop, "prod", table)
    assert rows(account, other) == ["socks"] and served(shop, "dev")["table"] == table
    assert "Orders" not in physical(account, "shop-dev")


@pytest.fixture
def shared(shop):
    """The table is the service's, and two stages use it."""
    append(shop, IN_SERVICE)
    shop("deploy", "dev")
    shop("deploy", "prod")
    table = physical(shop.account, "shop")["Orders"]
    fill(shop.account, table)
    shop.edit("serverless.yml", IN_SERVICE, "")
    return shop, table


def taken(shop, table):
    """It is dev's, and its note is gone."""
    account = shop.account
    assert physical(account, "shop-dev")["Orders"] == table and "Orders" not in physical(
        account, "shop"
    )
    assert rows(account, table) == ["socks"]
    assert served(shop, "dev") == {"table": table, "arn": table_arn(account, table)}
    assert "Metadata" not in template(account, "shop") and "Metadata" not in template(
        account, "shop-dev"
    )
    assert "Orders" not in template(account, "shop-dev").get("Parameters", {})


def test_a_table_of_the_service_becomes_a_stages(shared):
    shop, table = shared
    assert "troupe adopt dev" in shop("deploy", "dev", "--yes", check=3).err
    plan = fates(shop("adopt", "dev", "--plan", "--json").json)
    assert plan["to the stage"]["Orders"]["physicalId"] == table
    shop("adopt", "dev", "--yes")
    taken(shop, table)
    assert shop("deploy", "dev", "--json").json["nothing"]
    # the other stage goes on with it until it is deployed; then it has its own
    assert served(shop, "prod")["table"] == table
    shop("deploy", "prod")
    own = physical(shop.account, "shop-prod")["Orders"]
    assert own != table and served(shop, "prod")["table"] == own
    taken(shop, table)


def test_the_other_stage_does_not_make_the_service_another_one(shared):
    shop, table = shared
    shop("adopt", "dev", "--yes")
    append(shop, IN_SERVICE)
    shop.edit("serverless.yml", "  hello:\n", "  more:\n    handler: handler.hello\n  hello:\n")
    before = shop.world()["stacks"]
    assert (
        "'Orders' is not in the service stack any more"
        in shop("deploy", "prod", "--yes", check=3).err
    )
    assert shop.world()["stacks"] == before and served(shop, "prod")["table"] == table


@pytest.mark.parametrize("after", (False, True), ids=("before", "after"))
@pytest.mark.parametrize(
    "operation, nth",
    [
        ("UpdateStack", 1),
        ("UpdateStack", 2),
        ("UpdateStack", 3),
        ("CreateChangeSet", 1),
        ("ExecuteChangeSet", 1),
        ("UpdateStack", 4),
        ("UpdateStack", 5),
    ],
)
def test_killed_on_the_way_back(shared, operation, nth, after):
    shop, table = shared
    shop.proxy.kill(nth=nth, operation=operation, after=after)
    assert shop("adopt", "dev", "--yes", check=False).code == -9
    shop.proxy.clear()
    settle(shop.account, "shop")
    assert rows(shop.account, table) == ["socks"] and served(shop, "prod")["table"] == table
    shop("adopt", "dev", "--yes")
    taken(shop, table)


# -- what is refused -------------------------------------------------------------------------------


def refused(shop, *words):
    """Nothing has changed, and the message says why."""
    before = shop.world()
    plan = shop("adopt", "dev", "--plan", check=3)
    result = shop("adopt", "dev", "--yes", check=3)
    for word in words:
        assert word in result.err and word in plan.err, result
    now = shop.world()
    assert {key for key in now if now[key] != before[key]} <= {"buckets"}  # a lease that ran out
    assert now["stacks"] == before["stacks"]


def test_a_table_that_would_be_replaced(shop):
    serverless_deploy(shop, "dev")
    shop.edit("serverless.yml", "AttributeName: id", "AttributeName: key")
    refused(shop, "'dev' cannot be adopted", "Orders", "KeySchema changed", "replaced")


def test_what_cannot_be_imported(shop):
    text = "    Secret:\n      Type: AWS::SecretsManager::Secret\n  Outputs:\n"
    shop.edit("serverless.yml", "  Outputs:\n", text)
    serverless_deploy(shop, "dev")
    append(shop, IN_SERVICE.replace("Orders", "Secret"))
    refused(shop, "Secret", "cannot import it")


def test_an_export_that_is_imported(shop):
    serverless_deploy(shop, "dev")
    export = "sls-shop-dev-HelloLambdaFunctionQualifiedArn"
    apply(
        shop.account,
        "other",
        {
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {"Used": {"Value": {"Fn::ImportValue": export}}},
        },
        {},
        create=True,
    )
    refused(shop, export, "stack 'other' imports it")


def test_a_function_with_a_fixed_name(shop):
    shop.edit(
        "serverless.yml",
        "    handler: handler.work\n",
        "    handler: handler.work\n    name: worker\n",
    )
    serverless_deploy(shop, "dev")
    refused(shop, "worker", "perStage")
    append(shop, "custom: {troupe: {functions: {perStage: [work]}}}\n")
    shop("adopt", "dev", "--yes")
    assert "worker" in shop.world()["functions"]


def test_stacks_of_others(shop):
    account = shop.account
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    apply(account, "shop-dev", queue, {}, create=True)
    assert "does not look like stage 'dev'" in shop("adopt", "dev", "--yes", check=3).err
    apply(account, "shop-dev", queue, {"STAGE": "b-dev"})
    assert "does not look like stage 'dev'" in shop("adopt", "dev", "--yes", check=3).err
    apply(account, "shop-dev", queue, {"troupe:service": "other"})
    assert "belongs to service 'other'" in shop("adopt", "dev", "--yes", check=3).err
    assert "no stack 'shop-prod'" in shop("adopt", "prod", "--yes", check=1).err
    assert list(template(account, "shop-dev")["Resources"]) == ["Queue"] and not exists(
        account, "shop"
    )


def test_deploy_does_not_touch_it_but_says_what_does(shop):
    serverless_deploy(shop, "dev")
    before = shop.world()
    result = shop("deploy", "dev", "--yes", check=3)
    assert "not made by troupe" in result.err and "troupe adopt dev" in result.err
    assert shop("adopt", "dev", check=3).err.count("--yes") == 1  # it asks; here nobody answers
    assert shop.world() == before


# -- serverless-aws-alias --------------------------------------------------------------------------

WEB = """service: shop
provider:
  name: aws
  runtime: nodejs20.x
functions:
  hello:
    handler: handler.hello
    events:
      - http: GET /hello
resources:
  Resources:
    Orders:
      Type: AWS::SQS::Queue
"""


@pytest.fixture
def aliased(troupe):
    troupe.write({"serverless.yml": WEB, "handler.js": CODE})
    stack, alias = alias_deploy(troupe, "dev", "dev")
    assert troupe.call_rest("dev", "/hello").text == "hello"
    return troupe, stack, alias


def test_alias_stacks_go_after_what_is_new(aliased):
    troupe, stack, alias = aliased
    queue = physical(troupe.account, stack)["Orders"]
    plan = troupe("adopt", "dev", "--plan", "--json").json
    assert (
        plan["by"] == "serverless-aws-alias"
        and plan["aliasStacks"] == [alias]
        and plan["refused"] == 0
    )
    mark = troupe.proxy.mark()
    troupe("adopt", "dev", "--yes")
    assert not exists(troupe.account, alias) and physical(troupe.account, stack)["Orders"] == queue
    names = [call.operation for call in troupe.proxy.calls(since=mark)]
    assert names.index("PublishVersion") < names.index("DeleteStack")
    assert sorted(troupe.world()["functions"]) == ["shop-hello"]
    assert troupe.call_rest("dev", "/hello").text == "hello"
    assert troupe("deploy", "dev", "--json").json["nothing"]


def test_an_alias_is_in_the_way_of_a_function_that_stays(aliased):
    troupe, _, alias = aliased
    append(troupe, ALL_PER_STAGE)
    refused(troupe, alias, "share it between stages")


def test_data_in_an_alias_stack(aliased):
    troupe, _, alias = aliased
    body = template(troupe.account, alias)
    body["Resources"]["Own"] = {"Type": "AWS::SQS::Queue"}
    apply(troupe.account, alias, body, {"STAGE": "dev", "ALIAS": "dev"})
    refused(troupe, "Own", "would delete it")


# -- cut off ---------------------------------------------------------------------------------------


def reaches_the_end(shop, table, kill):
    """Killed there the old functions serve, or the new ones; run again it gets to the end."""
    shop.proxy.kill(**kill)
    result = shop("adopt", "dev", "--yes", check=False)
    shop.proxy.clear()
    fired = result.code == -9
    assert rows(shop.account, table) == ["socks"]
    shop("adopt", "dev", "--yes")
    moved(shop, "dev", table)
    return fired


@pytest.mark.parametrize("after", (False, True), ids=("before", "after"))
@pytest.mark.parametrize(
    "operation, nth",
    [
        ("CreateStack", 1),
        ("UpdateStack", 1),
        ("UpdateStack", 2),
        ("CreateChangeSet", 1),
        ("ExecuteChangeSet", 1),
        ("UpdateStack", 3),
        ("UpdateStack", 4),
        ("PublishVersion", 1),
        ("UpdateStack", 5),
    ],
)
def test_killed_and_run_again(shop, operation, nth, after):
    serverless_deploy(shop, "dev")
    table = physical(shop.account, "shop-dev")["Orders"]
    fill(shop.account, table)
    append(shop, IN_SERVICE)
    assert reaches_the_end(shop, table, {"nth": nth, "operation": operation, "after": after})


def test_what_is_on_its_way_is_not_lost_by_other_files(shop):
    """Between both stacks, the table is named in the one it was taken out of."""
    serverless_deploy(shop, "dev")
    table = physical(shop.account, "shop-dev")["Orders"]
    fill(shop.account, table)
    append(shop, IN_SERVICE)
    shop.proxy.kill(1, operation="ExecuteChangeSet")
    assert shop("adopt", "dev", "--yes", check=False).code == -9
    shop.proxy.clear()
    note = template(shop.account, "shop-dev")["Metadata"]["Troupe"]["Moving"]["Orders"]
    assert note["PhysicalId"] == table
    lam = shop.account.client("lambda")  # the old functions serve
    answer = json.loads(lam.invoke(FunctionName="shop-dev-work")["Payload"].read())
    assert answer == {"table": table, "arn": table_arn(shop.account, table)}
    shop.edit("serverless.yml", IN_SERVICE, "")
    refused(shop, "Orders", "on its way into the service stack")
    assert "not made by troupe" in shop("deploy", "dev", check=3).err
    append(shop, IN_SERVICE)
    shop("adopt", "dev", "--yes")
    moved(shop, "dev", table)


def test_a_failure_leaves_the_old_stage_serving(shop):
    serverless_deploy(shop, "dev")
    before = physical(shop.account, "shop-dev")
    shop.edit(
        "serverless.yml",
        "    Jobs:\n",
        "    Late:\n      Type: AWS::SQS::Queue\n      Properties:\n"
        "        QueueName: taken\n      DependsOn: Jobs\n    Jobs:\n",
    )
    shop.account.client("sqs").create_queue(QueueName="taken")
    failed = shop("adopt", "dev", "--yes", check=1)
    assert "Late" in failed.err
    assert served_by(shop, "dev") == "shop-dev-work"
    now = physical(shop.account, "shop-dev")
    changed = {key for key in now if now[key] != before.get(key)}
    assert changed == {"IamRoleLambdaExecution"} and before.keys() == now.keys()
    tags = {item["Key"] for item in settle(shop.account, "shop-dev")["Tags"]}
    assert tags == {"STAGE"}
    shop.account.client("sqs").delete_queue(
        QueueUrl=shop.account.client("sqs").get_queue_url(QueueName="taken")["QueueUrl"]
    )
    shop("adopt", "dev", "--yes")
    assert served(shop, "dev")["table"] == before["Orders"]


def test_no_call_fails_meanwhile(shop):
    """By an address that stays; the function behind it is another one afterwards."""
    serverless_deploy(shop, "dev")
    (shop.folder / "handler.js").write_text(CODE.replace("'hello'", "'new'"))
    answers, over = [], threading.Event()

    def call():
        while not over.is_set():
            answer = shop.call_http_api("dev", "/time")
            answers.append((answer.status_code, answer.text))

    caller = threading.Thread(target=call)
    caller.start()
    try:
        shop("adopt", "dev", "--yes")
    finally:
        over.set()
        caller.join()
    assert {*answers} == {(200, "hello"), (200, "new")}, {
        answer: answers.count(answer) for answer in answers
    }
    assert answers == sorted(answers)


# -- every event -----------------------------------------------------------------------------------


def test_events_of_every_kind_follow(troupe):
    """What sends events is the same as before, and calls the stage's alias, once."""
    troupe.use("events")
    troupe.env["SUFFIX"] = troupe.account.id
    stack = serverless_deploy(troupe, "dev", "pipes")
    before = physical(troupe.account, stack)
    keeps = ("Jobs", "Rows", "SNSTopicPipesnewsdev")
    bucket = next(key for key in before if key.startswith("S3Bucket"))
    plan = fates(troupe("adopt", "dev", "--plan", "--json").json)
    assert "refused" not in plan and bucket in plan["changed"]
    troupe("adopt", "dev", "--yes")
    now = physical(troupe.account, stack)
    for kept in (*keeps, bucket):
        assert now[kept] == before[kept]
    world = troupe.world()
    assert not [name for name in world["functions"] if name.startswith("pipes-dev-")]
    assert {source["FunctionArn"].rsplit(":", 1)[1] for source in world["event_sources"]} == {"dev"}
    subscriptions = troupe.account.client("sns").list_subscriptions_by_topic(
        TopicArn=now["SNSTopicPipesnewsdev"]
    )["Subscriptions"]
    assert [item["Endpoint"].rsplit(":", 2)[1:] for item in subscriptions] == [
        ["pipes-news", "dev"]
    ]
    notification = troupe.account.client("s3").get_bucket_notification_configuration(
        Bucket=now[bucket]
    )
    assert [
        item["LambdaFunctionArn"].rsplit(":", 2)[1:]
        for item in notification["LambdaFunctionConfigurations"]
    ] == [["pipes-files", "dev"]]
    assert troupe("deploy", "dev", "--json").json["nothing"]


def test_a_custom_domain_that_leads_to_the_old_api(shop):
    stack, gateway = serverless_deploy(shop, "dev"), shop.account.client("apigateway")
    api = physical(shop.account, stack)["ApiGatewayRestApi"]
    name = f"api.{shop.account.id}.example"
    gateway.create_domain_name(
        domainName=name, certificateArn="arn:aws:acm:us-east-1:000000000000:certificate/x"
    )
    gateway.create_base_path_mapping(domainName=name, restApiId=api, stage="dev")
    refused(shop, name, "perStage")
    append(shop, ALL_PER_STAGE)
    shop("adopt", "dev", "--yes")
    assert physical(shop.account, stack)["ApiGatewayRestApi"] == api


def test_parameters_and_conditions_stay(shop):
    """What the stack was given keeps its value, also what has no default; what a condition keeps
    away is no matter.
    """
    text = """  Parameters:
    Size: {Type: String, Default: small}
  Conditions:
    Large: !Equals [!Ref Size, large]
  Outputs:
    Size: {Value: !Ref Size}
"""
    shop.edit("serverless.yml", "  Outputs:\n", text)
    shop.edit(
        "serverless.yml",
        "    Jobs:\n",
        "    Never:\n      Type: AWS::SQS::Queue\n      Condition: Large\n    Jobs:\n",
    )

    def given(whole):
        whole["Parameters"]["Owner"] = {"Type": "String", "Default": "me", "NoEcho": True}
        whole["Resources"]["Jobs"]["Properties"] = {
            "Tags": [{"Key": "owner", "Value": {"Ref": "Owner"}}]
        }

    stack = serverless_deploy(shop, "dev", change=given)
    before = physical(shop.account, stack)
    append(shop, IN_SERVICE)
    shop("adopt", "dev", "--yes")
    now = physical(shop.account, stack)
    assert now["Jobs"] == before["Jobs"] and "Never" not in now
    assert outputs(shop.account, stack)["Size"] == "small"
    assert physical(shop.account, "shop")["Orders"] == before["Orders"]
