"""What each command prints, and how it exits."""

import json
import re
import zipfile

import pytest

COMMANDS = (
    "deploy",
    "plan",
    "stages",
    "info",
    "history",
    "invoke",
    "remove",
    "package",
    "print",
    "explain",
    "validate",
    "local",
    "version",
    "help",
)


# -- without AWS -----------------------------------------------------------------------------------


def test_version(troupe, proxy):
    for args in (["version"], ["--version"]):
        assert re.fullmatch(r"troupe \d+\.\d+\.\d+\S*\n", troupe(*args).out)
    assert troupe("version", "--json").json["version"].count(".") == 2
    assert proxy.records == []


def test_help_names_every_command(troupe, proxy):
    text = troupe("help").out
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\b", text, re.M), f"'{command}' is not in:\n{text}"
    assert troupe("--help").out == text and troupe().out == text
    assert proxy.records == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(troupe, command):
    text = troupe("help", command).out
    assert f"troupe {command}" in text
    assert troupe(command, "--help").out == text


@pytest.mark.parametrize(
    "args, word",
    [
        (["dpeloy"], "deploy"),
        (["deploy", "--stgae", "dev"], "--stage"),
        (["invoke"], "STAGE"),
        (["deploy", "dev", "prod"], "prod"),
        (["info", "dev", "--jobs"], "--jobs"),
        (["help", "nonsense"], "nonsense"),
        (["deploy", "--jobs", "many"], "many"),
        (["deploy", "bad.name"], "bad.name"),
        (["deploy", "12"], "12"),
        (["deploy", "latest"], "latest"),
    ],
)
def test_wrong_usage(troupe, proxy, args, word):
    troupe.use("shop")
    result = troupe(*args, check=2)
    assert word in result.err, str(result)
    assert proxy.records == []


def test_explain(troupe, proxy):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "functions:\n",
        "custom:\n  level: ${file(level.yml):level, 'low'}-${sls:stage}\nfunctions:\n",
    )
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      LEVEL: ${self:custom.level}\n",
    )
    key = "functions.orders.environment.LEVEL"
    text = troupe("explain", key, "--stage", "prod").out
    assert (
        f'{key} = "low-prod"' in text and "no file 'level.yml'" in text and "fallback 'low'" in text
    ), text
    assert re.search(
        r"serverless\.yml:\d+:\d+  \$\{self:custom\.level\} is \"low-prod\", from"
        r" serverless\.yml:\d+:\d+",
        text,
    ), text
    assert re.search(
        r"^depends on the stage: \$\{sls:stage\} \(serverless\.yml:\d+:\d+\)$", text, re.M
    ), text
    assert "does not depend on the stage" in troupe("explain", "provider.runtime").out
    (troupe.folder / "level.yml").write_text("level: high\n")
    explained = troupe("explain", key, "--json").json
    assert explained["value"] == "high-dev" and explained["stage"] is True
    assert [cause["variable"] for cause in explained["because"]] == ["sls:stage"]
    part = explained["steps"][0]["then"]["parts"][0]
    assert part["variable"] == "file(level.yml):level" and part["from"] == {
        "file": "level.yml",
        "line": 1,
        "column": 8,
    }
    assert (
        "did you mean 'functions.orders'?"
        in troupe("explain", "functions.ordres.handler", check=2).err
    )
    assert "explain needs a key" in troupe("explain", check=2).err
    assert proxy.records == []


def test_both_places_of_a_shared_resource_that_depends_on_the_stage(troupe, proxy):
    troupe.folder.mkdir(exist_ok=True)
    (troupe.folder / "serverless.yml").write_text(
        """service: shop
provider: {name: aws, runtime: nodejs20.x}
custom:
  table: orders-${sls:stage}
  troupe: {resources: {service: [Orders]}}
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: ${self:custom.table}
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
    )
    said = troupe("validate", check=2).err
    assert "resource 'Orders' is to live once, but a value in it depends on the stage" in said
    assert (
        "this value at serverless.yml:11:20" in said
        and "by '${sls:stage}' at serverless.yml:4:19" in said
    ), said
    assert proxy.records == []


def test_validate(troupe, proxy):
    troupe.use("shop")
    troupe("validate")
    troupe.edit("serverless.yml", "timeout: 10", "timeoutt: 10")
    for args, code in ((("validate",), 0), (("validate", "--strict"), 2)):
        result = troupe(*args, check=code)
        assert (
            "serverless.yml:7:3" in result.err
            and "timeoutt" in result.err
            and "timeout'" in result.err
        )
    assert proxy.records == []


def test_print(troupe, proxy):
    troupe.use("shop")
    assert "service: shop\n" in troupe("print").out
    printed = json.loads(troupe("print", "--format", "json").out)
    assert printed["functions"]["orders"]["environment"] == {"STAGE": "dev"}
    printed = json.loads(troupe("print", "--format", "json", "--stage", "prod").out)
    assert printed["functions"]["orders"]["environment"] == {"STAGE": "prod"}
    assert proxy.records == []


def test_print_works_in_a_folder_below(troupe):
    troupe.use("shop").write({"lib/readme": ""})
    assert "service: shop\n" in troupe("print", cwd=troupe.folder / "lib").out


def test_config_names_another_file(troupe):
    troupe.use("shop")
    (troupe.folder / "serverless.yml").rename(troupe.folder / "other.yml")
    assert "service: shop\n" in troupe("print", "--config", "other.yml").out


def test_params(troupe):
    troupe.use("shop")
    troupe.edit("serverless.yml", "STAGE: ${sls:stage}", "STAGE: ${param:who}")
    printed = json.loads(troupe("print", "--format", "json", "--param", "who=me").out)
    assert printed["functions"]["orders"]["environment"] == {"STAGE": "me"}


def test_package(troupe, proxy):
    troupe.use("shop")
    troupe("package")
    template = json.loads(
        (troupe.folder / ".serverless/cloudformation-template-update-stack.json").read_text()
    )
    assert (
        template["Resources"]["HelloLambdaFunction"]["Properties"]["FunctionName"]
        == "shop-dev-hello"
    )
    assert json.loads(
        (troupe.folder / ".serverless/cloudformation-template-create-stack.json").read_text()
    )
    with zipfile.ZipFile(troupe.folder / ".serverless/shop.zip") as archive:
        assert archive.namelist() == ["handler.js"] and archive.testzip() is None
    first = (troupe.folder / ".serverless/shop.zip").read_bytes()
    troupe("package", "--package", "elsewhere")
    assert (troupe.folder / "elsewhere/shop.zip").read_bytes() == first
    assert proxy.records == []


# -- with AWS --------------------------------------------------------------------------------------


def test_deploy_says_what_it_did(shop):
    shop.edit("handler.js", "'one'", "'two'")
    result = shop("deploy", "dev")
    text = result.out + result.err
    assert "dev#2" in text and "hello" in text and re.search(r"v1 -> v2", text), str(result)
    assert re.search(r"\d+(\.\d+)?\s?m?s\b", text)
    assert "\x1b" not in text and "\r" not in text


def test_deploy_json_is_one_document(troupe):
    troupe.use("shop")
    assert isinstance(troupe("deploy", "dev", "--json").json, dict)


def test_json_progress_is_json_lines(troupe):
    troupe.use("shop")
    lines = troupe("deploy", "dev", "--json-progress").err.splitlines()
    assert len(lines) > 2 and all(isinstance(json.loads(line), dict) for line in lines)


def test_quiet_is_quiet(troupe):
    troupe.use("shop")
    assert troupe("deploy", "dev", "--quiet").err == ""


def test_plan(troupe, proxy):
    troupe.use("shop")
    result = troupe("plan", "dev", "--json")
    assert result.json["stage"] == "dev" and result.json["nothing"] is False
    assert all({"action", "kind", "name"} <= set(change) for change in result.json["changes"])
    assert troupe.world()["stacks"] == {}
    troupe("plan", "dev")
    troupe("deploy", "dev")
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    troupe.edit("handler.js", "'one'", "'two'")
    before, mark = troupe.world(), proxy.mark()
    planned = troupe("plan", "dev", "--json").json
    assert planned["nothing"] is False
    assert {change["name"] for change in planned["changes"] if change["kind"] == "function"} == {
        "hello",
        "orders",
    }
    text = troupe("plan", "dev").out
    assert "hello" in text and "code" in text
    assert troupe("deploy", "dev", "--plan", check=False).out == text
    assert troupe.world() == before
    assert proxy.calls(since=mark, writes=True) == [], "planning writes"


def test_stages(shop):
    shop("deploy", "prod")
    shop.edit("handler.js", "'one'", "'two'")
    shop("deploy", "dev")
    matrix = shop("stages", "--json").json
    assert matrix["service"] == "shop"
    assert {stage["name"]: stage["deployment"] for stage in matrix["stages"]} == {
        "dev": 2,
        "prod": 1,
    }
    aliases = shop.world()["functions"]
    assert {function["name"]: function["versions"] for function in matrix["functions"]} == {
        key: {
            stage: aliases[f"shop-{key}"]["aliases"][stage]["version"] for stage in ("dev", "prod")
        }
        for key in ("hello", "orders")
    }
    assert len(matrix["apis"]) == 1
    text = shop("stages").out
    heading = next(line for line in text.splitlines() if "dev" in line)
    assert heading.index("dev") < heading.index("prod")
    assert re.search(r"hello\s+v2\s+v1", text), text


def test_stages_of_nothing(troupe):
    troupe.use("shop")
    assert troupe("stages", "--json").json["stages"] == []


def test_info(shop):
    info = shop("info", "dev", "--json").json
    assert (info["service"], info["stage"], info["region"], info["deployment"]) == (
        "shop",
        "dev",
        "us-east-1",
        1,
    )
    functions = {function["name"]: function for function in info["functions"]}
    assert set(functions) == {"hello", "orders"}
    assert functions["hello"]["version"] == "1"
    assert functions["hello"]["arn"].endswith(":function:shop-hello:dev")
    assert info["urls"]["rest"] in shop("info", "dev").out
    assert "nowhere" in shop("info", "nowhere", check=1).err


def test_history(shop):
    shop.edit("handler.js", "'one'", "'two'")
    shop("deploy", "dev")
    history = shop("history", "dev", "--json").json
    assert history["stage"] == "dev"
    assert [entry["number"] for entry in history["deployments"]] == [2, 1]
    assert [entry["current"] for entry in history["deployments"]] == [True, False]
    assert {entry["outcome"] for entry in history["deployments"]} == {"succeeded"}
    assert all(
        entry["who"] and entry["when"] and entry["what"] == "deploy"
        for entry in history["deployments"]
    )
    lines = [line for line in shop("history", "dev").out.splitlines() if "◆" in line]
    assert len(lines) == 1 and "2" in lines[0]


def test_history_tells_the_revision(shop):
    import subprocess

    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "all"],
    ):
        subprocess.run(["git", *command], cwd=shop.folder, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=shop.folder, check=True, capture_output=True
    ).stdout.decode()
    shop.edit("serverless.yml", "timeout: 10", "timeout: 11")
    shop("deploy", "dev")
    newest = shop("history", "dev", "--json").json["deployments"][0]
    assert head[:7] in newest["source"]


def test_invoke(shop):
    answer = shop("invoke", "dev", "hello", "-d", '{"a": [1, "ü"]}')
    assert json.loads(answer.out)["event"] == {"a": [1, "ü"]}
    (shop.folder / "event.json").write_text('{"b": 2}')
    assert json.loads(shop("invoke", "dev", "hello", "-p", "event.json").out)["event"] == {"b": 2}
    assert json.loads(shop("invoke", "dev", "--function", "hello").out)["code"] == "one"
    failed = shop("invoke", "dev", "hello", "-d", '{"fail": true}', check=1)
    assert "told to fail" in failed.out + failed.err
    with_log = shop("invoke", "dev", "hello", "-l")
    assert "RequestId" in with_log.out + with_log.err
    missing = shop("invoke", "dev", "hallo", check=1)
    assert "hello" in missing.err


def test_invoke_calls_the_version_of_its_stage(shop):
    shop("deploy", "prod")
    shop.edit("handler.js", "'one'", "'two'")
    shop("deploy", "dev")
    assert json.loads(shop("invoke", "dev", "hello").out)["code"] == "two"
    assert json.loads(shop("invoke", "prod", "hello").out)["code"] == "one"


def test_debug_http_masks_secrets(shop):
    result = shop("info", "dev", "--debug-http")
    assert "GET" in result.err or "POST" in result.err
    assert shop.account.cloud.secret not in result.err
    assert "Signature=" not in result.err.replace("Signature=*", "")
