"""Plugins that are built in, through the program: what stages make of the roles of single
functions, and what plugins write into the configuration. That templates equal those of the plugins
themselves is the golden cases' part (tests/golden/compile/plugin-*).
"""

import importlib.util
import json
import shutil
from pathlib import Path

from legacy import serverless_deploy

GOLDEN = Path(__file__).parents[1] / "golden"
HEAD = "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\n"
HELLO = "functions: {hello: {handler: handler.main, events: [{http: GET /}]}}\n"
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"
ROLES = """service: shop
provider: {name: aws, runtime: nodejs20.x}
plugins: [serverless-iam-roles-per-function]
functions:
  plain: {handler: handler.main}
  common:
    handler: handler.main
    iamRoleStatements:
      - {Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::one/*'}
  staged:
    handler: handler.main
    iamRoleStatements:
      - {Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Orders.Arn}
    events: [{sqs: {arn: !GetAtt Jobs.Arn}}]
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue}
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def role(account, function, stage):
    """Name of the role that the stage's version runs under, and what it may do where."""
    found = account.client("lambda").get_function_configuration(
        FunctionName=f"shop-{function}", Qualifier=stage
    )
    name = found["Role"].rsplit("/", 1)[-1]
    iam = account.client("iam")
    allowed = {}
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            actions = (
                statement["Action"]
                if isinstance(statement["Action"], list)
                else [statement["Action"]]
            )
            for action in actions:
                allowed[action] = statement["Resource"]
    return name, allowed


def test_roles_of_functions_in_two_stages(troupe, account):
    troupe.write({"serverless.yml": ROLES, "handler.js": HANDLER})
    troupe("deploy", "dev")
    troupe("deploy", "prod")

    roles = {
        (f, s): role(account, f, s) for f in ("plain", "common", "staged") for s in ("dev", "prod")
    }
    # What does not depend on the stage is shared, role and version; what does is each stage's own.
    # The plugin leaves the rights of events in the role that `plain` has, too: it names the stage's
    # queue.
    assert (
        roles["common", "dev"] == roles["common", "prod"]
        and len({name for name, _ in roles.values()}) == 5
    )
    assert roles["common", "dev"][1]["s3:GetObject"] == "arn:aws:s3:::one/*"
    assert (
        "s3:GetObject" not in roles["plain", "dev"][1]
        and "dynamodb:GetItem" not in roles["common", "dev"][1]
    )
    (logs,) = roles["common", "dev"][1]["logs:PutLogEvents"]
    assert logs.endswith(":log-group:/aws/lambda/shop-common:*:*"), logs
    for stage in ("dev", "prod"):
        allowed = roles["staged", stage][1]
        assert f"table/shop-{stage}-Orders" in allowed["dynamodb:GetItem"], allowed
        assert f"shop-{stage}-Jobs" in allowed["sqs:ReceiveMessage"][0], allowed

    # Other rights for dev are a role beside the old one, which prod goes on with, and so does a
    # rollback.
    troupe.edit("serverless.yml", "arn:aws:s3:::one/*", "arn:aws:s3:::two/*")
    troupe("deploy", "dev")
    changed = role(account, "common", "dev")
    assert (
        changed[1]["s3:GetObject"] == "arn:aws:s3:::two/*"
        and changed[0] != roles["common", "dev"][0]
    )
    assert role(account, "common", "prod") == roles["common", "prod"]
    troupe("rollback", "dev")
    assert role(account, "common", "dev") == roles["common", "dev"]


def printed(troupe, path):
    return troupe("print", "--format", "json", "--path", path).json


def test_what_plugins_write_into_the_configuration(troupe):
    """Each line: the plugin, what the file says, and what is there then."""
    cases = (
        (
            "serverless-prune-plugin",
            "prune: {automatic: true, number: 3}",
            "custom.troupe.history.keep",
            3,
        ),
        (
            "serverless-prune-plugin",
            "prune: {automatic: true, number: 0}",
            "custom.troupe.history.keep",
            1,
        ),
        (
            "serverless-prune-plugin",
            "prune: {automatic: true, number: 3}\n  troupe: {history: {keep: 7}}",
            "custom.troupe.history.keep",
            7,
        ),
        (
            "serverless-apigw-binary",
            "apigwBinary: {types: ['image/png', 'a/b', 'image/png']}",
            "provider.apiGateway.binaryMediaTypes",
            ["image/png", "a/b"],
        ),
        (
            "serverless-stack-termination-protection",
            "serverlessTerminationProtection: {stages: [prod]}",
            "custom.troupe.protect",
            ["prod"],
        ),
        (
            "serverless-stack-termination-protection",
            "serverlessTerminationProtection: {stages: [prod]}\n  troupe: {protect: live}",
            "custom.troupe.protect",
            ["live", "prod"],
        ),
        ("serverless-stack-termination-protection", "other: 1", "custom.troupe.protect", ["*"]),
    )
    for name, custom, path, wanted in cases:
        troupe.write(
            {
                "serverless.yml": f"{HEAD}plugins: [{name}]\ncustom:\n  {custom}\n{HELLO}",
                "handler.js": HANDLER,
            }
        )
        assert printed(troupe, path) == wanted, (name, custom)
    # Without `automatic` the plugin waits for its command.
    troupe.write(
        {
            "serverless.yml": (
                f"{HEAD}plugins: [serverless-prune-plugin]\ncustom: {{prune: {{number:"
                f" 3}}}}\n{HELLO}"
            )
        }
    )
    assert "troupe" not in printed(troupe, "custom")


def golden_tool():
    """tests/golden/pack/bless.py: lays out the files of a case, and lists the entries of a zip."""
    spec = importlib.util.spec_from_file_location("pack_bless", GOLDEN / "pack" / "bless.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_packages_as_with_the_plugin(troupe):
    """Whatever the reference packs with the plugin (tests/golden/plugins): names, modes,
    contents.
    """
    tool, cases = golden_tool(), sorted((GOLDEN / "plugins").glob("*/tree"))
    assert cases
    for tree in cases:
        shutil.rmtree(troupe.folder)
        troupe.folder.mkdir()
        tool.lay_out(tree.read_text(), troupe.folder)
        if "include-dependencies" in tree.parent.name:  # is asked by the program, too
            modules = tool.reference_tool.plugins(tree.parent)
            (troupe.folder.parent / "node_modules").unlink(missing_ok=True)
            (troupe.folder.parent / "node_modules").symlink_to(modules)
        troupe.write({"serverless.yml": (tree.parent / "serverless.yml").read_text()})
        troupe("package")
        made = sorted((troupe.folder / ".serverless").glob("*.zip"))
        lines = [line for path in made for line in tool.entries(path, True)]
        assert lines == (tree.parent / "expected").read_text().splitlines(), tree.parent.name


def test_options_that_are_not_covered(troupe):
    """Each line: the plugin, what the file says, the exit code, and words of what is told, with the
    place.
    """
    cases = (
        ("serverless-made-up", "a: 1", 2, ("no framework is installed", "npm install")),
        ("./plugins/own", "a: 1", 2, ("no framework is installed", "npm install")),
        (
            "serverless-plugin-warmup",
            "warmup: {a: {enabled: true, alias: live}}",
            2,
            ("another alias", "serverless.yml:5:"),
        ),
        (
            "serverless-plugin-warmup",
            "warmup: {a: {enabled: true, prewarm: true}}",
            0,
            ("has no effect", "serverless.yml:5:"),
        ),
        (
            "serverless-python-requirements",
            "pythonRequirements: {dockerImage: a, dockerFile: b, dockerizePip: true}",
            2,
            ("both 'dockerImage' and", "serverless.yml:5:"),
        ),
        (
            "serverless-python-requirements",
            "pythonRequirements: {staticCacheMaxVersions: 3}",
            0,
            ("has no effect", "serverless.yml:5:"),
        ),
        (
            "serverless-python-requirements",
            "x: 1\npackage: {artifact: a.zip}",
            2,
            ("nothing can be added", "serverless.yml:6:"),
        ),
        (
            "serverless-plugin-log-retention",
            "logRetentionInDays: 8",
            2,
            ("a retention", "serverless.yml:5:"),
        ),
        (
            "serverless-prune-plugin",
            "prune: {includeLayers: true}",
            0,
            ("has no effect", "serverless.yml:5:"),
        ),
        (
            "serverless-prune-plugin",
            "prune: {automatic: true, number: 1}\n  troupe: 5",
            2,
            ("'custom.troupe' must be a map",),
        ),
        (
            "serverless-stack-termination-protection",
            "troupe: [a]",
            2,
            ("'custom.troupe' must be a map",),
        ),
        (
            "serverless-plugin-canary-deployments",
            "deploymentSettings: {}",
            0,
            ("custom.troupe.shift",),
        ),
        (
            "serverless-iam-roles-per-function",
            "serverless-iam-roles-per-function: {inherit: true}",
            0,
            ("unknown key",),
        ),
    )
    for name, custom, code, words in cases:
        troupe.write(
            {
                "serverless.yml": (
                    f"{HEAD}plugins: [{name}]\ncustom:\n\n  {custom}\n".replace("\n\n", "\n")
                    + HELLO
                ),
                "handler.js": HANDLER,
            }
        )
        result = troupe("validate", check=code)
        assert all(word in result.err for word in words), (name, str(result))


def test_a_role_and_statements(troupe):
    """What the plugin refuses, and what leaves it no name, is said with its place before anything
    is made.
    """
    own = (
        "functions:\n  hello:\n    handler: handler.main\n    iamRoleStatements: [{Effect: Allow,"
        " Action: 'a:b', Resource: '*'}]\n"
    )
    cases = (
        (HEAD, own + "    role: arn:aws:iam::123456789012:role/r\n", "given a role"),
        (
            HEAD.replace("}", ", iam: {role: 'arn:aws:iam::123456789012:role/r'}}"),
            own,
            "given a role",
        ),
        (HEAD, own.replace("Action: 'a:b', ", ""), "'Action'"),
        (HEAD, own.replace("Effect: Allow, ", ""), "'Effect'"),
        (HEAD, own.replace(", Resource: '*'", ""), "'Resource'"),
    )
    for head, functions, words in cases:
        troupe.write(
            {
                "serverless.yml": (
                    f"{head}plugins: [serverless-iam-roles-per-function]\n{functions}"
                ),
                "handler.js": HANDLER,
            }
        )
        result = troupe("validate", check=2)
        assert words in result.err and "serverless.yml:7:" in result.err, str(result)
    # Without the plugin nothing comes of the key, and it is said.
    troupe.write({"serverless.yml": HEAD + own})
    said = troupe("validate").err
    assert (
        "unknown key 'iamRoleStatements'" in said
        and "serverless-iam-roles-per-function reads it" in said
    ), said


def test_migrate_says_all_in_one_list(troupe, account):
    """Plugins, what has to change, what has no effect; nothing is changed, with a stack of another
    tool or none.
    """
    file = f"""{HEAD}plugins: [serverless-offline, serverless-prune-plugin]
custom: {{prune: {{number: 2, includeLayers: true}}}}
functions:
  hello: {{handler: handler.main, awsKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/k', memorySize: 1}}
  gone: {{handler: nowhere.main}}
"""
    troupe.write({"serverless.yml": file, "handler.js": HANDLER})
    before = troupe.world()
    result = troupe("migrate", "prod", "--json", check=2)
    found = result.json
    assert [(p["name"], p["answer"]) for p in found["plugins"]] == [
        ("serverless-offline", "replaced"),
        ("serverless-prune-plugin", "built in"),
    ], found
    assert all(p["says"] and p["place"]["line"] == 3 for p in found["plugins"])
    told = {e["message"].split("'")[1]: e for e in found["errors"]}
    assert told["memorySize"]["place"]["line"] == 6 and not found["ready"], found
    assert {w["place"]["line"] for w in found["warnings"]} == {4, 6}, found["warnings"]
    text = troupe("migrate", "prod", check=2).out
    assert (
        "1 thing has to change" in text
        and "serverless-prune-plugin" in text
        and "has no effect" in text
    ), text

    # Mended, and with the stack that `serverless deploy` made: what gets a new address.
    troupe.write({"serverless.yml": f"{HEAD}plugins: [serverless-offline]\n{HELLO}"})
    serverless_deploy(troupe, "prod")
    deployed = troupe.world()
    found = troupe("migrate", "prod", "--json").json
    assert found["ready"] and not found["errors"] and "addressesUnknown" not in found, found
    planned = json.loads(troupe("adopt", "prod", "--plan", "--json").out)["resources"]
    assert (
        {(x["id"], x["from"]) for x in found["addresses"]}
        == {(x["id"], x["from"]) for x in planned if x["fate"] == "new address"}
        != set()
    )
    assert "nothing has to change" in troupe("migrate", "prod").out
    assert troupe.world() == deployed and before["stacks"] == {}


DOTENV = """plugins: [serverless-dotenv-plugin, serverless-stack-termination-protection]
custom: {serverlessTerminationProtection: {stages: [prod]}}
functions: {hello: {handler: handler.main}}
"""


def test_dotenv_of_stages(troupe, account):
    """Each stage has what its file says, also where it is made again from a record, without the
    files.
    """

    def values(stage):
        found = account.client("lambda").get_function_configuration(
            FunctionName="shop-hello", Qualifier=stage
        )
        return found.get("Environment", {}).get("Variables")

    troupe.write(
        {
            "serverless.yml": HEAD + DOTENV,
            "handler.js": HANDLER,
            ".env": "TABLE=common\nONLY=1\n",
            ".env.dev": "TABLE=of dev\n",
            ".env.prod": "TABLE=of prod\nKEY=p\n",
        }
    )
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert values("dev") == {"TABLE": "of dev", "ONLY": "1"}
    assert values("prod") == {"TABLE": "of prod", "KEY": "p", "ONLY": "1"}
    troupe.write({"handler.js": HANDLER.replace("one", "two"), ".env": "TABLE=other\n"})
    troupe("deploy", "dev")
    assert values("dev") == {"TABLE": "of dev"}
    (troupe.folder / ".env.prod").unlink()
    assert "is protected" in troupe("reset", "prod", "--to", "dev", check=3).err
    troupe(
        "reset", "prod", "--to", "dev", "--yes"
    )  # code of dev, values of prod as they were recorded
    assert values("prod") == {"TABLE": "of prod", "KEY": "p", "ONLY": "1"}
    troupe("clone", "dev", "new")  # has no file of its own
    assert values("new") == {"TABLE": "other"}
    troupe("rollback", "prod")
    assert values("prod") == {"TABLE": "of prod", "KEY": "p", "ONLY": "1"}
    assert "is protected" in troupe("remove", "prod", check=3).err
    troupe("remove", "new")


PYTHON = """service: shop
provider: {name: aws, runtime: python3.11}
plugins: [serverless-python-requirements]
custom:
  pythonRequirements: {pythonBin: python3, pipCmdExtraArgs: [--no-index, '--find-links wheels']}
package: {patterns: ['!**', handler.py]}
functions: {hello: {handler: handler.main}}
"""
REQUIRING = "import one\n\n\ndef main(event, context):\n    return one.x\n"


def test_a_python_service_in_two_stages(troupe, account):
    """What it requires is there when it is called; another version of that is a deployment of the
    stage that gets it, and the same again is none.
    """

    def called(stage):
        answer = account.client("lambda").invoke(FunctionName="shop-hello", Qualifier=stage)
        return json.loads(answer["Payload"].read())

    tool = golden_tool()
    troupe.write(
        {"serverless.yml": PYTHON, "handler.py": REQUIRING, "requirements.txt": "one==1\n"}
    )
    for version in (1, 2):
        tool.lay_out(
            f"wheels/one-{version}-py3-none-any.whl = one/__init__.py=x = {version}", troupe.folder
        )
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert called("dev") == called("prod") == 1
    shutil.rmtree(troupe.folder / ".troupe")  # as on another machine: pip runs again
    assert not troupe("plan", "dev", "--json").json["changes"]
    troupe.write({"requirements.txt": "one==2\n"})
    troupe("deploy", "dev")
    assert (called("dev"), called("prod")) == (2, 1)
    troupe("rollback", "dev")
    assert called("dev") == 1
    troupe.edit("serverless.yml", "Requirements: {", "Requirements: {layer: true, ")
    troupe.edit("serverless.yml", "main}", "main, layers: [{Ref: PythonRequirementsLambdaLayer}]}")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert called("dev") == called("prod") == 2
    with_layer = account.client("lambda").get_function(FunctionName="shop-hello", Qualifier="prod")
    assert len(with_layer["Configuration"]["Layers"]) == 1
    troupe("rollback", "prod")
    assert called("prod") == 1


WARMED = """service: shop
provider: {name: aws, runtime: nodejs20.x, environment: {STAGE: '${sls:stage}'}}
plugins: [serverless-plugin-warmup]
custom:
  warmup:
    default: {enabled: true, concurrency: 2, package: {patterns: ['node_modules/**']}}
    late: {enabled: prod}
package: {excludeDevDependencies: false, patterns: ['!**', handler.js]}
functions:
  hello: {handler: handler.main}
  bye: {handler: handler.main, warmup: {default: {concurrency: 1, payload: {warm: bye}}}}
  quiet: {handler: handler.main, warmup: {default: {enabled: false}}}
"""
TELLING = """exports.main = async (event, context) => {
  console.log('GOT ' + context.invokedFunctionArn + ' ' + JSON.stringify(event));
};
"""


def told(account, function):
    """What the function has been called with, and by which alias."""
    logs, group = account.client("logs"), f"/aws/lambda/shop-{function}"
    lines = [e["message"].strip() for e in logs.filter_log_events(logGroupName=group)["events"]]
    return sorted(line[line.index("GOT ") :].split(":", 6)[6] for line in lines if "GOT " in line)


def test_warmers_of_two_stages(troupe, account, tmp_path):
    """A warmer reaches the functions of its stage, by their aliases, and no others, and may do no
    more; also after a reset, which takes over the code of another stage's, and makes that of a
    warmer which the other stage does not have.
    """
    sdk = tmp_path / "sdk"
    sdk.mkdir()
    (sdk / "plugins").write_text("@aws-sdk/client-lambda@3.890.0\n")
    troupe.write({"serverless.yml": WARMED, "handler.js": TELLING})
    (troupe.folder / "node_modules").symlink_to(golden_tool().reference_tool.plugins(sdk))
    troupe("deploy", "dev")
    troupe("deploy", "prod")

    client = account.client("lambda")
    answer = client.invoke(FunctionName="shop-warmUpPluginDefault", Qualifier="dev")
    assert "FunctionError" not in answer, answer["Payload"].read()
    warm = 'dev {"source":"serverless-plugin-warmup"}'
    assert told(account, "hello") == [f"shop-hello:{warm}"] * 2
    assert told(account, "bye") == ['shop-bye:dev {"warm":"bye"}']
    assert told(account, "quiet") == []

    name, allowed = role(account, "warmUpPluginDefault", "dev")
    arn = f"arn:aws:lambda:us-east-1:{account.id}:function:shop-"
    assert allowed["lambda:InvokeFunction"] == [f"{arn}hello:dev", f"{arn}bye:dev"]
    assert name != role(account, "warmUpPluginDefault", "prod")[0]

    troupe("reset", "prod", "--to", "dev")
    client.invoke(FunctionName="shop-warmUpPluginDefault", Qualifier="prod")
    prod = warm.replace("dev", "prod")
    assert told(account, "hello") == [f"shop-hello:{warm}"] * 2 + [f"shop-hello:{prod}"] * 2
    late = client.get_function_configuration(FunctionName="shop-warmUpPluginLate", Qualifier="prod")
    assert json.loads(late["Environment"]["Variables"]["WARMUP_FUNCTIONS"])["functions"] == [
        "shop-hello",
        "shop-bye",
        "shop-quiet",
    ]
