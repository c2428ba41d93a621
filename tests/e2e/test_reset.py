"""Making a stage what another is: the same code and description, this stage's name and
parameters.
"""

import json

import pytest

from shop import code, versions

PARAMS = """params:
  default:
    size: 128
  prod:
    size: 512
"""


def code_of(troupe, name, stage):
    function = troupe.world()["functions"][name]
    return function["versions"][function["aliases"][stage]["version"]]["CodeSha256"]


def written(proxy, mark):
    return [
        call.name
        for call in proxy.calls(since=mark)
        if call.name in ("lambda.PublishVersion", "lambda.UpdateFunctionCode")
        or call.name == "s3.PutObject"
        and "/artifacts/" in call.params["Key"]
    ]


def promoted(troupe):
    """prod as it was, dev two steps further: code and a route."""
    troupe.use("shop")
    troupe("deploy", "prod")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe.edit(
        "serverless.yml", "- http: GET /hello\n", "- http: GET /hello\n      - http: GET /new\n"
    )
    troupe("deploy", "dev")


def test_promoting_gives_the_same_versions_without_building(troupe, proxy):
    promoted(troupe)
    dev = troupe.stage("dev", "shop")
    for file in troupe.folder.iterdir():  # nothing but the service's name is needed from here
        if file.name != "serverless.yml":
            file.unlink()
    mark = proxy.mark()
    result = troupe("reset", "prod", "--to", "dev")
    assert "prod#2" in result.out, str(result)
    assert troupe.call_rest("prod", "/new").json()["code"] == "two"
    assert troupe.call_rest("prod", "/orders", "POST").json()["stage"] == "prod"
    own, other = versions(troupe, "prod"), versions(troupe, "dev")
    assert own["shop-hello"] == other["shop-hello"] and own["shop-orders"] != other["shop-orders"]
    assert code_of(troupe, "shop-orders", "prod") == code_of(troupe, "shop-orders", "dev")
    assert (
        written(proxy, mark)
        == ["lambda.UpdateFunctionCode", "lambda.PublishVersion"][-len(written(proxy, mark)) :]
    )
    assert troupe.stage("dev", "shop") == dev
    assert "nothing to do" in troupe("reset", "prod", "--to", "dev").out
    troupe("rollback", "prod")
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    assert troupe.call_rest("prod", "/new").status_code in (403, 404)


def test_parameters_are_those_of_the_stage(troupe):
    troupe.use("shop")
    troupe.edit("serverless.yml", "functions:\n", PARAMS + "functions:\n")
    troupe.edit("serverless.yml", "  timeout: 10", "  timeout: 10\n  memorySize: ${param:size}")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    troupe("reset", "prod", "--to", "dev")
    functions = troupe.world()["functions"]
    for stage, size in (("dev", 128), ("prod", 512)):
        for function in functions.values():
            assert function["versions"][function["aliases"][stage]["version"]]["MemorySize"] == size
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"


def test_environment_variables_of_the_deployer_are_recorded(troupe):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      KEPT: ${env:KEPT}\n      OWN: ${env:OWN_${sls:stage},"
        " 'none'}\n",
    )
    troupe("deploy", "dev", env={"KEPT": "kept", "OWN_dev": "d"})
    troupe("clone", "dev", "prod", env={"KEPT": "other", "OWN_prod": "p"})
    functions = troupe.world()["functions"]["shop-orders"]
    values = functions["versions"][functions["aliases"]["prod"]["version"]]["Environment"][
        "Variables"
    ]
    assert values == {"STAGE": "prod", "KEPT": "kept", "OWN": "p"}


def test_cloning_a_stage_of_another_machine(troupe, proxy, tmp_path):
    promoted(troupe)
    before = {stage: troupe.stage(stage, "shop") for stage in ("dev", "prod")}
    # The other machine has an old checkout of the file, and no code at all.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "serverless.yml").write_text("service: shop\nprovider:\n  name: aws\n")
    mark = proxy.mark()
    troupe("clone", "dev", "pr-7", cwd=elsewhere)
    assert troupe.call_rest("pr-7", "/new").json()["code"] == "two"
    assert troupe.call_rest("pr-7", "/orders", "POST").json()["stage"] == "pr-7"
    assert versions(troupe, "pr-7")["shop-hello"] == versions(troupe, "dev")["shop-hello"]
    assert not [
        call for call in proxy.calls("s3.PutObject", mark) if "/artifacts/" in call.params["Key"]
    ]
    troupe("clone", "prod#1", "old", cwd=elsewhere)
    assert troupe.call_rest("old", "/hello").json()["code"] == "one"
    for stage, state in before.items():
        assert troupe.stage(stage, "shop") == state
    refused = troupe("clone", "prod", "pr-7", check=3)
    assert "there already" in refused.err and "troupe reset pr-7 --to prod" in refused.err
    assert "nothing to do" in troupe("clone", "dev", "pr-7").out  # the same command again


def environment_of(troupe, name, stage):
    function = troupe.world()["functions"][name]
    return function["versions"][function["aliases"][stage]["version"]]["Environment"]["Variables"]


def test_files_of_the_other_stage_are_recorded(troupe, tmp_path):
    """config/qa.yml is not read by a deployment of dev, and yet is there for a clone that has
    nothing but the bucket.
    """
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      SIZE: ${file(config/${sls:stage}.yml):size}\n"
        "      LEVEL: ${file(level/${sls:stage}.yml):level, file(level/default.yml):level}\n",
    )
    for name, text in (
        ("config/dev.yml", "size: small"),
        ("config/qa.yml", "size: ${sls:stage} is large"),
        ("config/.env.qa", "X=1"),
        ("level/dev.yml", "level: low"),
        ("level/default.yml", "level: any"),
    ):
        (troupe.folder / name).parent.mkdir(exist_ok=True)
        (troupe.folder / name).write_text(text + "\n")
    (troupe.folder / "level" / "huge.yml").write_text("# a line of no use\n" * 100_000)
    deployed = troupe("deploy", "dev")
    assert "warning: not recorded for other stages: 'level/huge.yml'" in deployed.err, str(deployed)
    assert "serverless.yml:" in deployed.err and "1 MiB" in deployed.err
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "serverless.yml").write_text("service: shop\nprovider:\n  name: aws\n")
    result = troupe("clone", "dev", "qa", cwd=elsewhere)
    assert "not in the recorded" not in result.err, str(result)
    assert environment_of(troupe, "shop-orders", "qa") == {
        "STAGE": "qa",
        "SIZE": "qa is large",
        "LEVEL": "any",
    }
    refused = troupe("clone", "qa", "prod", cwd=elsewhere, check=2)
    assert "no file 'config/prod.yml' in the recorded sources" in refused.err, str(refused)
    assert "serverless.yml:" in refused.err


def test_values_of_a_dotenv_file_stay_with_their_stage(troupe, tmp_path):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      KEY: ${env:KEY}\n",
    )
    troupe.edit("serverless.yml", "provider:\n", "useDotenv: true\nprovider:\n")
    (troupe.folder / ".env.dev").write_text("KEY=of dev\n")
    (troupe.folder / ".env.prod").write_text("KEY=of prod\n")
    troupe("deploy", "prod")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "serverless.yml").write_text("service: shop\nprovider:\n  name: aws\n")
    troupe("reset", "prod", "--to", "dev", cwd=elsewhere)  # its own last deployment knows its value
    assert environment_of(troupe, "shop-orders", "prod")["KEY"] == "of prod"
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"
    refused = troupe("clone", "dev", "qa", cwd=elsewhere, check=2)  # a new stage has none
    assert "'KEY'" in refused.err and "'.env.dev'" in refused.err, str(refused)
    troupe("clone", "dev", "qa", cwd=elsewhere, env={"KEY": "of qa"})
    assert environment_of(troupe, "shop-orders", "qa")["KEY"] == "of qa"
    assert environment_of(troupe, "shop-orders", "dev")["KEY"] == "of dev"


def test_exactly_the_same_versions(troupe):
    promoted(troupe)
    result = troupe("reset", "prod", "--to", "dev", "--exact")
    assert "--exact" in result.err and versions(troupe, "prod") == versions(troupe, "dev")
    assert troupe.call_rest("prod", "/orders", "POST").json()["stage"] == "dev"
    troupe("reset", "prod", "--to", "dev")
    assert troupe.call_rest("prod", "/orders", "POST").json()["stage"] == "prod"


def test_exactly_what_is_gone_is_named(troupe, account):
    troupe.use("shop")
    for stage, text in ("prod", "one"), ("dev", "two"), ("dev", "three"):
        code(troupe, text)
        troupe("deploy", stage)
    lam, before = account.client("lambda"), versions(troupe, "prod")
    lam.delete_function(FunctionName="shop-hello", Qualifier="2")
    refused = troupe("reset", "prod", "--to", "dev#1", "--exact", check=3)
    for words in ("version 2 of 'hello', which dev#1 published, is gone", "leave out --exact"):
        assert words in refused.err, str(refused)
    assert versions(troupe, "prod") == before
    troupe("reset", "prod", "--to", "dev#1")
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"


def test_exactly_is_refused_where_a_role_would_go_with_its_stage(troupe):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml",
        "  timeout: 10",
        "  timeout: 10\n  iam:\n    role:\n      statements:\n        - {Effect: Allow, Action:"
        " 's3:GetObject', Resource: 'arn:aws:s3:::x-${sls:stage}/*'}",
    )
    troupe("deploy", "prod")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    before = troupe.world()
    refused = troupe("reset", "prod", "--to", "dev", "--exact", check=3)
    assert "role" in refused.err and "without" not in refused.out and "--exact" in refused.err, str(
        refused
    )
    assert troupe.world()["functions"] == before["functions"]
    with_role = (troupe.folder / "serverless.yml").read_text()
    troupe.edit(
        "serverless.yml",
        with_role[with_role.index("\n  iam:") : with_role.index("\n\nfunctions:")],
        "",
    )
    troupe("deploy", "dev")  # and now that role is gone
    assert "role" in troupe("reset", "prod", "--to", "dev#1", "--exact", check=3).err
    troupe("reset", "prod", "--to", "dev#1")
    troupe("rollback", "dev", "--to", "1")
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"
    roles = {
        function["versions"][function["aliases"][stage]["version"]]["Role"]
        for stage in ("dev", "prod")
        for function in troupe.world()["functions"].values()
    }
    assert len(roles) == 2


@pytest.mark.parametrize(
    "args, code, text",
    [
        (["reset", "prod", "--to", "none"], 1, "no stage 'none'"),
        (["reset", "none", "--to", "prod"], 1, "troupe clone prod none"),
        (["reset", "prod"], 2, "--to OTHER"),
        (["reset", "prod", "--to", "prod"], 2, "prod#N"),
        (["reset", "prod", "--to", "prod#9"], 1, "no deployment prod#9"),
        (["clone", "prod"], 2, "clone needs two stages"),
        (["clone", "none", "new"], 1, "no stage 'none'"),
        (["reset", "prod", "--to", "prod#x"], 2, "prod#x"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be(troupe, args, code, text):
    troupe.use("shop")
    troupe("deploy", "prod")
    before = troupe.world()
    result = troupe(*args, check=code)
    assert text in result.err, str(result)
    assert troupe.world() == before


def test_a_plan_of_a_reset(troupe, proxy):
    promoted(troupe)
    mark = proxy.mark()
    plan = troupe("reset", "prod", "--to", "dev", "--plan", "--json").json
    assert {
        (change["name"], change["action"])
        for change in plan["changes"]
        if change["kind"] == "function"
    } == {("hello", "move"), ("orders", "publish")}
    assert not proxy.calls(since=mark, writes=True)


def test_a_protected_stage_asks(troupe):
    troupe.use("shop")
    troupe.edit(
        "serverless.yml", "functions:\n", "custom:\n  troupe:\n    protect: [prod]\nfunctions:\n"
    )
    troupe("deploy", "prod")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    assert "protected" in troupe("reset", "prod", "--to", "dev", check=3).err
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    troupe("reset", "prod", "--to", "dev", "--yes")
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"


def test_code_that_is_gone_is_said(troupe, account):
    troupe.use("shop")
    troupe("deploy", "dev")
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    for kind, text in (("artifacts", "the code of"), ("sources", "sources are gone")):
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"troupe/shop/{kind}/")["Contents"]:
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        result = troupe("clone", "dev", f"new-{kind}", check=1)
        assert text in result.err and "troupe deploy" in result.err, str(result)


def test_one_function_alone(troupe, proxy):
    troupe.use("shop")
    troupe("deploy", "dev")
    before = versions(troupe, "dev")
    troupe.edit("handler.js", "'one'", "'two'")
    mark = proxy.mark()
    result = troupe("deploy", "dev", "--function", "hello")
    assert "dev#2" in result.out, str(result)
    after = versions(troupe, "dev")
    assert (
        after["shop-hello"] != before["shop-hello"]
        and after["shop-orders"] == before["shop-orders"]
    )
    assert [call.params["FunctionName"] for call in proxy.calls("lambda.PublishVersion", mark)] == [
        "shop-hello"
    ]
    assert troupe.call_rest("dev", "/hello").json()["code"] == "two"
    assert troupe.call_rest("dev", "/orders", "POST").json()["code"] == "one"
    assert "nothing to do" in troupe("deploy", "dev", "-f", "hello").out
    troupe("clone", "dev", "copy")
    assert troupe.call_rest("copy", "/hello").json()["code"] == "two"
    assert troupe.call_rest("copy", "/orders", "POST").json()["code"] == "one"
    troupe("rollback", "dev")
    assert versions(troupe, "dev") == before
    troupe("deploy", "dev")
    assert troupe.call_rest("dev", "/orders", "POST").json()["code"] == "two"


def test_one_function_is_refused_where_more_than_its_code_changed(troupe):
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe.edit(
        "serverless.yml",
        "      STAGE: ${sls:stage}\n",
        "      STAGE: ${sls:stage}\n      MORE: x\n",
    )
    before = troupe.world()
    result = troupe("deploy", "dev", "--function", "orders", check=3)
    assert "MORE" in result.err and "troupe deploy dev" in result.err, str(result)
    assert "no function 'nope'" in troupe("deploy", "dev", "--function", "nope", check=1).err
    assert "not deployed yet" in troupe("deploy", "prod", "--function", "hello", check=1).err
    assert troupe.world() == before


def test_records_say_what_they_were_made_from(troupe, account):
    promoted(troupe)
    troupe("reset", "prod", "--to", "dev")
    troupe("clone", "dev#1", "new")
    s3 = account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]

    def record(stage, number):
        return json.loads(
            s3.get_object(Bucket=bucket, Key=f"troupe/shop/stages/{stage}/{number}.json")[
                "Body"
            ].read()
        )

    assert record("prod", 2)["what"] == "reset to dev#1"
    assert record("new", 1)["what"] == "clone of dev#1"
    assert record("new", 1)["sources"] == record("dev", 1)["sources"]
