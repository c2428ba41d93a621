"""Two stages of a service, from their making to their end."""

import json

from conftest import fetch
from shop import append
from world import leftovers

WRITES = {
    "s3.PutObject",
    "lambda.PublishVersion",
    "lambda.UpdateFunctionCode",
    "lambda.UpdateFunctionConfiguration",
    "apigateway.PutRestApi",
    "apigateway.CreateDeployment",
}


def changed(proxy, since):
    """What was published, uploaded as artifact, or changed in a stack since the mark."""
    return [
        record
        for record in proxy.calls(since=since)
        if record.name in WRITES - {"s3.PutObject"}
        or record.service == "cloudformation"
        and record.writes
        or record.name == "s3.PutObject"
        and "/artifacts/" in record.params["Key"]
    ]


def test_story_of_two_stages(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    for stage in ("dev", "prod"):
        assert troupe.call_rest(stage, "/hello").json()["code"] == "one"
        assert troupe.call_rest(stage, "/hello/ann").json()["name"] == "ann"
        assert troupe.call_rest(stage, "/orders", "POST", data="x").json() == {
            "code": "one",
            "stage": stage,
            "body": "x",
        }
    prod = troupe.stage("prod", "shop")

    troupe.edit("handler.js", "'one'", "'two'")
    troupe.edit(
        "serverless.yml", "- http: GET /hello\n", "- http: GET /hello\n      - http: GET /new\n"
    )
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/hello").json()["code"] == "two"
    assert troupe.call_rest("dev", "/new").json()["code"] == "two"
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    assert troupe.call_rest("prod", "/new").status_code in (403, 404)
    assert troupe.stage("prod", "shop") == prod, "redeploying dev changed prod"

    troupe("remove", "dev", "--yes")
    assert "shop-dev" not in troupe.world()["stacks"]
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    assert troupe.stage("prod", "shop") == prod, "removing dev changed prod"

    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}


def test_a_route_taken_away_on_one_stage_stays_on_the_other(troupe):
    troupe.use("shop")
    troupe("deploy", "prod")
    troupe.edit(
        "serverless.yml", "      - http:\n          path: hello/{name}\n          method: get\n", ""
    )
    troupe("deploy", "dev")
    assert troupe.call_rest("prod", "/hello/ann").json()["name"] == "ann"
    assert troupe.call_rest("dev", "/hello/ann").status_code in (403, 404)


def test_what_does_not_depend_on_the_stage_has_the_same_version(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    mark = proxy.mark()
    troupe("deploy", "prod")
    functions = troupe.world()["functions"]
    hello, orders = functions["shop-hello"]["aliases"], functions["shop-orders"]["aliases"]
    assert hello["dev"]["version"] == hello["prod"]["version"]
    assert orders["dev"]["version"] != orders["prod"]["version"]
    assert [
        record.params["FunctionName"] for record in proxy.calls("lambda.PublishVersion", mark)
    ] == ["shop-orders"]
    assert not any(
        "/artifacts/" in record.params["Key"] for record in proxy.calls("s3.PutObject", mark)
    )


def test_nothing_to_do_changes_nothing(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    before, mark = troupe.world(), proxy.mark()
    troupe("deploy", "dev")
    assert changed(proxy, mark) == []
    after = troupe.world()
    assert after == before


def test_touching_files_is_no_change(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    mark = proxy.mark()
    (troupe.folder / "handler.js").touch()
    troupe("deploy", "dev")
    assert changed(proxy, mark) == []


def test_a_change_and_back_reuses_the_version(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    first = troupe.world()["functions"]["shop-hello"]["aliases"]["dev"]["version"]
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    troupe.edit("handler.js", "'two'", "'one'")
    mark = proxy.mark()
    troupe("deploy", "dev")
    assert troupe.world()["functions"]["shop-hello"]["aliases"]["dev"]["version"] == first
    assert proxy.calls("lambda.PublishVersion", mark) == []
    assert troupe.call_rest("dev", "/hello").json()["code"] == "one"


def test_deploy_without_a_stage_is_the_service_alone(troupe):
    troupe.use("shop")
    troupe("deploy")
    world = troupe.world()
    assert set(world["stacks"]) == {"shop"}
    assert world["stacks"]["shop"]["tags"]["troupe:service"] == "shop"
    assert set(world["functions"]) == {"shop-hello", "shop-orders"}
    for function in world["functions"].values():
        assert function["versions"] == {} and function["aliases"] == {}
    assert [api["stages"] for api in world["rest_apis"].values()] == [{}]
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/hello").json()["code"] == "one"


def test_the_stage_of_the_provider_is_the_default(troupe):
    troupe.use("shop")
    troupe.edit("serverless.yml", "  timeout: 10\n", "  timeout: 10\n  stage: main\n")
    troupe("deploy")
    assert set(troupe.world()["stacks"]) == {"shop", "shop-main"}
    assert troupe.call_rest("main", "/hello").json()["code"] == "one"
    troupe("deploy", "--stage", "other")
    assert set(troupe.world()["stacks"]) == {"shop", "shop-main", "shop-other"}


def test_stage_may_be_an_option(troupe):
    troupe.use("shop")
    troupe("deploy", "-s", "dev")
    assert troupe.call_rest("dev", "/hello").status_code == 200


def test_a_new_function_and_a_removed_one(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    text = (troupe.folder / "serverless.yml").read_text()
    start = text.index("  orders:")
    troupe.write(
        {
            "serverless.yml": (
                text[:start]
                + "  extra:\n    handler: handler.hello\n    events:\n      - http: GET /extra\n"
            )
        }
    )
    troupe("deploy", "dev")
    functions = troupe.world()["functions"]
    assert set(functions["shop-extra"]["aliases"]) == {"dev"}
    assert set(functions["shop-orders"]["aliases"]) == {"prod"}
    assert troupe.call_rest("dev", "/extra").json()["code"] == "one"
    assert troupe.call_rest("dev", "/orders", "POST").status_code in (403, 404)
    assert troupe.call_rest("prod", "/orders", "POST").json()["stage"] == "prod"


def test_every_property_of_a_version_is_what_was_asked(troupe):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "    handler: handler.hello\n",
        """    handler: handler.hello
    memorySize: 512
    timeout: 7
    description: says hello
    ephemeralStorageSize: 1024
    tracing: Active
    environment:
      ONE: 1
      WHERE: ${sls:stage}
""",
    )
    troupe("deploy", "dev")
    served = troupe.stage("dev", "shop")["aliases"]["shop-hello"]["content"]
    assert (served["MemorySize"], served["Timeout"], served["Description"]) == (
        512,
        7,
        "says hello",
    )
    assert served["EphemeralStorage"] == {"Size": 1024} and served["TracingConfig"] == {
        "Mode": "Active"
    }
    assert served["Environment"]["Variables"] == {"ONE": "1", "WHERE": "dev"}
    # Taken away again, they go back to their defaults and do not stay from the last publication.
    text = (troupe.folder / "serverless.yml").read_text()
    start, end = text.index("    memorySize"), text.index("    events")
    troupe.write({"serverless.yml": text[:start] + text[end:]})
    troupe("deploy", "dev")
    served = troupe.stage("dev", "shop")["aliases"]["shop-hello"]["content"]
    assert (served["MemorySize"], served["Timeout"], served["EphemeralStorage"]) == (
        1024,
        10,
        {"Size": 512},
    )
    assert not served.get("Environment", {}).get("Variables")


def test_the_urls_of_info_work(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    info = troupe("info", "dev", "--json").json
    assert fetch(info["urls"]["rest"].rstrip("/") + "/hello").json()["code"] == "one"


def test_values_of_stage_resources_reach_functions(troupe):
    troupe.use("shop")
    troupe.edit("serverless.yml", "      STAGE: ${sls:stage}\n", "      STAGE: !Ref Jobs\n")
    append(troupe, "resources:\n  Resources:\n    Jobs:\n      Type: AWS::SQS::Queue\n")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    queues = {
        stage: troupe.call_rest(stage, "/orders", "POST").json()["stage"]
        for stage in ("dev", "prod")
    }
    assert queues["dev"] != queues["prod"]
    names = troupe.world()["queues"]
    assert sorted(url.rpartition("/")[2] for url in queues.values()) == names


def test_removing_a_stage_that_is_not_there_says_so(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    before = troupe.world()
    result = troupe("remove", "nowhere", "--yes", check=1)
    assert "there is no stage 'nowhere'" in result.err and "troupe stages" in result.err, str(
        result
    )
    assert troupe.world() == before


def test_remove_refuses_to_lose_data_unasked(troupe):
    troupe.use("shop")
    append(troupe, "resources:\n  Resources:\n    Files:\n      Type: AWS::S3::Bucket\n")
    troupe("deploy", "dev")
    before = troupe.world()
    result = troupe("remove", "dev", check=3)
    assert "Files" in result.err
    assert troupe.world() == before
    troupe("remove", "dev", "--yes")
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}


def test_purge_empties_the_buckets_of_the_stage(troupe):
    troupe.use("shop")
    append(troupe, "resources:\n  Resources:\n    Files:\n      Type: AWS::S3::Bucket\n")
    troupe("deploy", "dev")
    bucket = next(name for name in troupe.world()["buckets"] if "files" in name.lower())
    troupe.account.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"x")
    troupe("remove", "dev", "--yes", "--purge")
    assert "shop-dev" not in troupe.world()["stacks"] and bucket not in troupe.world()["buckets"]


def test_values_that_only_aws_knows(troupe, account):
    troupe.use("shop")
    troupe.edit("serverless.yml", "STAGE: ${sls:stage}", "STAGE: ${aws:accountId}/${aws:region}")
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/orders", "POST").json()["stage"] == f"{account.id}/us-east-1"


def test_settings_of_a_rest_stage(troupe, account):
    """The reference sets these by calls after its deployment; each stage has its own."""
    troupe.use("shop")
    account.let_apis_log()
    troupe.edit(
        "serverless.yml",
        "  timeout: 10\n",
        "  timeout: 10\n  tags: {team: shop}\n  tracing: {apiGateway: true}\n"
        "  apiGateway: {metrics: true}\n  logs: {restApi: {level: ERROR}}\n",
    )
    troupe("deploy", "dev")
    client = account.client("apigateway")
    (api,) = client.get_rest_apis()["items"]
    (stage,) = client.get_stages(restApiId=api["id"])["item"]
    settings = stage["methodSettings"]["*/*"]
    assert (settings["loggingLevel"], settings["metricsEnabled"], settings["dataTraceEnabled"]) == (
        "ERROR",
        True,
        True,
    )
    assert stage["tracingEnabled"] is True and stage["tags"]["team"] == "shop"
    assert stage["accessLogSettings"]["destinationArn"].endswith(
        ":log-group:/aws/api-gateway/shop-dev"
    )
    assert "$context.requestId" in stage["accessLogSettings"]["format"]
    assert troupe("plan", "dev", "--json").json["nothing"] is True


def test_values_of_other_services_and_secrets(troupe, account, proxy):
    """ssm, s3 and cf variables; a secret reaches the function, and neither a record nor the
    output.
    """
    account.client("ssm").put_parameter(Name="/shop/plain", Value="plain-text", Type="String")
    account.client("ssm").put_parameter(Name="/shop/secret", Value="hush-hush", Type="SecureString")
    account.client("s3").create_bucket(Bucket="shop-settings")
    account.client("s3").put_object(Bucket="shop-settings", Key="a/b", Body=b"object-text")
    account.client("cloudformation").create_stack(
        StackName="other",
        TemplateBody=json.dumps(
            {
                "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
                "Outputs": {"Told": {"Value": "output-text"}},
            }
        ),
    )
    account.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="other", WaiterConfig={"Delay": 1}
    )
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${ssm:/shop/plain} ${ssm:/shop/secret} ${s3:shop-settings/a/b}"
        " ${cf:other.Told} ${ssm:/none, 'none'}\n",
    )
    result = troupe("deploy", "dev", "--verbose")
    assert (
        troupe.call_rest("dev", "/orders", "POST").json()["stage"]
        == "plain-text hush-hush object-text output-text none"
    )
    s3 = account.client("s3")
    kept = [
        bucket["Name"]
        for bucket in s3.list_buckets()["Buckets"]
        if bucket["Name"] != "shop-settings"
    ]
    texts = [
        s3.get_object(Bucket=name, Key=item["Key"])["Body"].read()
        for name in kept
        for item in s3.list_objects_v2(Bucket=name)["Contents"]
    ]
    assert texts and not [text for text in texts if b"hush-hush" in text], (
        "a secret is stored in the clear"
    )
    shown = result.out + result.err + troupe("print", "--format", "json").out + troupe("print").out
    assert "hush-hush" not in shown and "********" in shown
    refused = troupe("package", "dev", check=2)
    assert "--with-secrets" in refused.err and "hush-hush" not in refused.err, str(refused)
    assert not (troupe.folder / ".serverless").exists() or not list(
        (troupe.folder / ".serverless").iterdir()
    )
    troupe("package", "dev", "--with-secrets")
    for path in (troupe.folder / ".serverless").iterdir():
        holds = b"hush-hush" in path.read_bytes()
        assert not holds or path.stat().st_mode & 0o777 == 0o600, path
    assert (
        "hush-hush"
        in (troupe.folder / ".serverless" / "cloudformation-template-update-stack.json").read_text()
    )
    debug = troupe("plan", "dev", "--debug-http")
    assert "hush-hush" not in debug.out + debug.err
