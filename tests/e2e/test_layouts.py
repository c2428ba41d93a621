"""Functions that exist once per stage, and removing what never stood."""

import json

from shop import append

SERVICE = """service: own
provider: {name: aws, runtime: nodejs20.x}
custom:
  troupe:
    functions: {perStage: ['tag*']}
functions:
  tagged:
    handler: handler.main
    events:
      - http: GET tagged
  named:
    handler: handler.main
    name: own-${sls:stage}-by-name
    events:
      - http: GET named
  shared:
    handler: handler.main
    events:
      - http: GET shared
"""
HANDLER = """exports.main = async () => ({statusCode: 200, body: JSON.stringify({
  code: 'one', name: process.env.AWS_LAMBDA_FUNCTION_NAME})});
"""


def test_functions_of_a_stage(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    functions = troupe.world()["functions"]
    assert set(functions) == {
        "own-dev-tagged",
        "own-prod-tagged",
        "own-dev-by-name",
        "own-prod-by-name",
        "own-shared",
    }
    assert set(functions["own-shared"]["aliases"]) == {"dev", "prod"}
    assert set(functions["own-dev-tagged"]["aliases"]) == {"dev"}
    prod = troupe.stage("prod", "own")
    troupe.edit("handler.js", "'one'", "'two'")
    troupe("deploy", "dev")
    assert troupe.stage("prod", "own") == prod
    for stage, code in (("dev", "two"), ("prod", "one")):
        for path, name in (
            ("tagged", f"own-{stage}-tagged"),
            ("named", f"own-{stage}-by-name"),
            ("shared", "own-shared"),
        ):
            assert troupe.call_rest(stage, "/" + path).json() == {"code": code, "name": name}
        assert json.loads(json.loads(troupe("invoke", stage, "tagged").out)["body"])["code"] == code
    assert troupe("plan", "dev", "--json").json["nothing"] is True
    troupe("remove", "dev")
    assert troupe.stage("prod", "own") == prod
    troupe("remove", "--service")
    assert troupe.world()["functions"] == {} and troupe.world()["stacks"] == {}


def test_names_that_only_a_stage_makes_too_long(troupe):
    """Functions that stages share are not called after one, and longer names are cut."""
    name, keys = "s" * 40, ("k" * 20, "l" * 30)
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": (
                f"service: {name}\nprovider: aws\nfunctions:\n"
                + "".join(
                    f"  {key}: {{handler: handler.main, runtime: nodejs20.x}}\n" for key in keys
                )
            ),
        }
    )
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
        assert json.loads(json.loads(troupe("invoke", stage, keys[1]).out)["body"])[
            "name"
        ].startswith(f"{name}-lll")
    functions = troupe.world()["functions"]
    assert f"{name}-{keys[0]}" in functions and len(functions) == 2
    prod = troupe.stage("prod", name)
    troupe("remove", "dev")
    assert troupe.stage("prod", name) == prod
    troupe("remove", "--service")
    assert troupe.world()["functions"] == {} and troupe.world()["stacks"] == {}


WRONG = """resources:
  Resources:
    Wrong:
      Type: AWS::Lambda::Permission
      Properties: {FunctionName: nobody, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}
"""


def test_a_failed_deploy_leaves_the_code_of_functions_of_a_stage(troupe):
    """The API's definition needs their ARN, not their new code."""
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe("deploy", "dev")
    before = troupe.stage("dev", "own")["aliases"]
    troupe.write(
        {"serverless.yml": SERVICE + WRONG, "handler.js": HANDLER.replace("'one'", "'two'")}
    )
    troupe("deploy", "dev", check=1)
    for path in ("/tagged", "/named", "/shared"):
        assert troupe.call_rest("dev", path).json()["code"] == "one"
    assert troupe.stage("dev", "own")["aliases"] == before


def test_rolling_back_across_a_change_of_layout(troupe):
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    prod = troupe.stage("prod", "own")
    troupe.write(
        {
            "serverless.yml": SERVICE.replace("'tag*'", "shared"),
            "handler.js": HANDLER.replace("'one'", "'two'"),
        }
    )
    troupe("deploy", "dev", "--yes")  # logs of 'tagged' go with its own function
    layouts = {
        "one": {"/tagged": "own-dev-tagged", "/shared": "own-shared"},
        "two": {"/tagged": "own-tagged", "/shared": "own-dev-shared"},
    }
    for args, code in ([], "one"), (["--to", "2"], "two"), (["--to", "1"], "one"):
        troupe("rollback", "dev", "--yes", *args)
        for path, name in layouts[code].items():
            assert troupe.call_rest("dev", path).json() == {"code": code, "name": name}
        assert troupe.stage("prod", "own") == prod


def test_moving_functions_behind_an_api_of_the_stage(troupe):
    """Its deployments name the functions they call: each needs one that names those that
    are there.
    """
    service = SERVICE.replace("troupe:\n", "troupe:\n    apis: {rest: perStage}\n")
    troupe.write({"serverless.yml": service.replace("'tag*'", "nothing"), "handler.js": HANDLER})
    troupe("deploy", "dev")
    troupe.write({"serverless.yml": service})
    troupe("deploy", "dev")
    for name, args in (
        ("own-dev-tagged", None),
        ("own-tagged", ["--yes"]),
        ("own-dev-tagged", ["--to", "2", "--yes"]),
    ):
        if args:
            troupe("rollback", "dev", *args)
        assert troupe.call_rest("dev", "/tagged").json()["name"] == name
        assert troupe.call_rest("dev", "/shared").json()["name"] == "own-shared"


def test_the_very_versions_of_another_stage_but_its_own_functions(troupe):
    """A deployment of the API calls a stage's functions by name, so another stage needs one of its
    own.
    """
    troupe.write({"serverless.yml": SERVICE, "handler.js": HANDLER})
    troupe("deploy", "prod")
    troupe.write({"handler.js": HANDLER.replace("'one'", "'two'")})
    troupe("deploy", "dev")
    troupe("reset", "prod", "--to", "dev", "--exact")
    for path, name in (
        ("/tagged", "own-prod-tagged"),
        ("/named", "own-prod-by-name"),
        ("/shared", "own-shared"),
    ):
        assert troupe.call_rest("prod", path).json() == {"code": "two", "name": name}
    world = troupe.world()
    aliases = world["functions"]["own-shared"]["aliases"]
    assert aliases["prod"]["version"] == aliases["dev"]["version"]
    troupe("rollback", "prod")
    assert troupe.call_rest("prod", "/tagged").json() == {"code": "one", "name": "own-prod-tagged"}


def test_removing_the_service_removes_stages_that_never_stood(troupe):
    troupe.write({"serverless.yml": SERVICE + WRONG, "handler.js": HANDLER})
    troupe("deploy", "dev", check=1)
    assert "own-dev" in troupe.world()["stacks"]
    troupe("remove", "--service")
    assert troupe.world()["stacks"] == {}


def test_an_api_has_so_many_stages(troupe):
    """AWS allows ten; said before the last ones, refused before anything changes."""
    troupe.use("shop")
    append(troupe, "custom:\n  troupe:\n    apis: {restStages: 4}\n")
    assert "stage" not in troupe("deploy", "a").err.replace("stack", "")
    assert "this is stage 2 of API" in troupe("deploy", "b").err
    assert "this is stage 3" in troupe("deploy", "c").err
    assert (
        "this is stage 4 of API 'ApiGatewayRestApi', and AWS allows it 4" in troupe("plan", "d").err
    )
    troupe("clone", "a", "d")
    before = troupe.world()
    for command in (["deploy", "e"], ["clone", "a", "e"], ["plan", "e"]):
        result = troupe(*command, check=3)
        assert "has 4 stages" in result.err and "rest: perStage" in result.err, str(result)
    assert troupe.world() == before
    assert "this is stage" not in troupe("deploy", "a").err
    troupe.edit("serverless.yml", "apis: {restStages: 4}", "apis: {rest: perStage}")
    troupe("deploy", "e")
    assert "rest " in troupe("info", "e").out


NAMED = """service: apin
provider:
  name: aws
  runtime: nodejs20.x
  apiName: ${sls:stage}-shop
  httpApi: {name: '${sls:stage}-web'}
custom: {troupe: {apis: {rest: shared, http: shared}}}
functions:
  a: {handler: handler.main, events: [{http: GET /a}, {httpApi: GET /a}]}
"""


def test_an_api_of_all_stages_is_not_called_after_one(troupe, account):
    troupe.write({"serverless.yml": NAMED, "handler.js": HANDLER})

    def names():
        return (
            [api["name"] for api in account.client("apigateway").get_rest_apis()["items"]],
            [api["Name"] for api in account.client("apigatewayv2").get_apis()["Items"]],
        )

    for stage in ("dev", "prod"):
        said = troupe("plan", stage).err
        assert "the name of 'ApiGatewayRestApi' depends on the stage (serverless.yml:5:" in said, (
            said
        )
        assert "the name of 'HttpApi' depends on the stage (serverless.yml:6:" in said
        assert (
            "custom.troupe.apis.rest: perStage" in said
            and "custom.troupe.apis.http: perStage" in said
        )
        troupe("deploy", stage)
        assert names() == (["apin"], ["apin"])
    assert troupe.call_rest("dev", "/a").status_code == 200
    # One for each stage has its own name.
    troupe.edit("serverless.yml", "rest: shared, http: shared", "rest: perStage, http: perStage")
    said = troupe("deploy", "dev").err
    assert "depends on the stage" not in said
    assert "dev-shop" in names()[0] and "dev-web" in names()[1]
