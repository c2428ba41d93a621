"""Layers of the service's own: one version for all stages that have the same content, which moves
with each stage, goes back with it, and goes when nothing needs it."""

import json

from legacy import serverless_deploy
from world import leftovers

SERVICE = """service: lay
provider:
  name: aws
  runtime: nodejs22.x
  layers:
    - !Ref TextLambdaLayer
custom:
  troupe:
    functions: {perStage: [own]}
    history: {keep: 2}
functions:
  hello:
    handler: handler.main
  own:
    handler: handler.main
  staged:
    handler: handler.main
    layers: [!Ref StagedLambdaLayer]
layers:
  text:
    path: layers/text
    description: a text
    compatibleRuntimes: [nodejs22.x]
    retain: RETAIN
    allowedAccounts: ['123456789012', '*']
  staged:
    path: layers/text
    name: lay-staged-${sls:stage}
"""
FILES = {
    "serverless.yml": SERVICE.replace("RETAIN", "false"),
    "handler.js": "exports.main = async () => require('text');\n",
    "layers/text/nodejs/node_modules/text/index.js": "module.exports = 'one';\n",
}
TEXT = "layers/text/nodejs/node_modules/text/index.js"


def call(troupe, stage, function="hello"):
    names = {"own": f"lay-{stage}-own"}
    answer = troupe.account.client("lambda").invoke(
        FunctionName=names.get(function, f"lay-{function}"), Qualifier=stage
    )
    return json.loads(answer["Payload"].read())


def versions(troupe, layer="text"):
    pages = troupe.account.client("lambda").list_layer_versions(LayerName=layer)
    return sorted(item["Version"] for item in pages["LayerVersions"])


def published(proxy, mark):
    return [call.params["FunctionName"] for call in proxy.calls("lambda.PublishVersion", mark)]


def test_layers_of_two_stages(troupe, proxy):
    troupe.write(FILES)
    client = troupe.account.client("lambda")
    # a neighbour in the account has a layer of the same name
    zip_of_neighbour = troupe.folder / "neighbour.zip"
    import zipfile

    with zipfile.ZipFile(zip_of_neighbour, "w") as archive:
        archive.writestr("x", "y")
    client.publish_layer_version(
        LayerName="text", Content={"ZipFile": zip_of_neighbour.read_bytes()}
    )
    zip_of_neighbour.unlink()

    shown = troupe("plan", "dev").out
    assert "TextLambdaLayer" in shown, shown
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    for stage in ("dev", "prod"):
        for function in ("hello", "own", "staged"):
            assert call(troupe, stage, function) == "one", (stage, function)
    assert versions(troupe) == [1, 2], "both stages have one version beside the neighbour's"
    policy = json.loads(
        client.get_layer_version_policy(LayerName="text", VersionNumber=2)["Policy"]
    )
    assert len(policy["Statement"]) == 2

    mark = proxy.mark()
    troupe("deploy", "dev")
    assert not published(proxy, mark) and not [
        c for c in proxy.calls(since=mark) if c.service == "cloudformation" and c.writes
    ]

    # what changes is published once, and moves with its stage
    prod = troupe.stage("prod", "lay")
    troupe.edit(TEXT, "one", "two")
    troupe("deploy", "dev")
    assert [call(troupe, "dev", f) for f in ("hello", "own", "staged")] == ["two"] * 3
    assert [call(troupe, "prod", f) for f in ("hello", "own", "staged")] == ["one"] * 3
    assert troupe.stage("prod", "lay") == prod
    assert versions(troupe) == [1, 2, 3]
    mark = proxy.mark()
    troupe("rollback", "dev", "--yes")
    assert [call(troupe, "dev", f) for f in ("hello", "own", "staged")] == ["one"] * 3
    assert not published(proxy, mark)
    mark = proxy.mark()
    troupe("rollback", "dev", "--to", "2", "--yes")
    assert call(troupe, "dev") == "two" and versions(troupe) == [1, 2, 3]
    troupe("reset", "prod", "--to", "dev", "--yes")
    assert [call(troupe, "prod", f) for f in ("hello", "own", "staged")] == ["two"] * 3
    troupe("clone", "dev", "pr-1", "--yes")
    assert call(troupe, "pr-1") == "two" and versions(troupe) == [1, 2, 3]
    troupe("remove", "pr-1", "--yes")

    # an account that is taken out loses its access with `deploy --service`, not before
    troupe.edit("serverless.yml", "'123456789012', '*'", "'123456789012'")
    troupe("deploy", "dev")
    troupe("deploy", "--service", "--yes")
    policy = json.loads(
        client.get_layer_version_policy(LayerName="text", VersionNumber=3)["Policy"]
    )
    assert ["123456789012" in str(item["Principal"]) for item in policy["Statement"]] == [True], (
        policy
    )

    troupe("remove", "dev", "--yes")
    assert [call(troupe, "prod", f) for f in ("hello", "own", "staged")] == ["two"] * 3
    troupe("remove", "--service", "--yes")
    assert versions(troupe) == [1], "the neighbour's stays"
    assert leftovers(troupe.world()) == {}


def test_prune_collects_layers(troupe, proxy):
    troupe.write(FILES)
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    for old, new in (("one", "two"), ("two", "three"), ("three", "four"), ("four", "five")):
        troupe.edit(TEXT, old, new)
        troupe("deploy", "dev")
    assert versions(troupe) == [1, 2, 3, 4, 5]
    assert "layer" in troupe("prune", "--plan", "--unused-for", "0s").out
    assert versions(troupe) == [1, 2, 3, 4, 5]
    troupe("prune", "--unused-for", "0s", "--yes")
    assert versions(troupe) == [1, 4, 5], "prod's, and those of the two last deployments of dev"
    assert call(troupe, "prod") == "one" and call(troupe, "dev") == "five"
    troupe("rollback", "dev", "--yes")
    assert call(troupe, "dev") == "four"
    troupe("deploy", "prod")
    assert call(troupe, "prod") == "five" and versions(troupe) == [1, 4, 5]


def test_retained_layers_stay(troupe):
    troupe.write({**FILES, "serverless.yml": SERVICE.replace("RETAIN", "true")})
    troupe("deploy", "dev")
    assert call(troupe, "dev") == "one"
    troupe("remove", "--service", "--yes")
    assert versions(troupe) == [1]


def test_one_function_with_another_layer(troupe, proxy):
    """`deploy --function` takes code alone: a layer is refused, also one that another stage has
    already.
    """
    troupe.write(FILES)
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    troupe.edit(TEXT, "one", "two")
    for _ in range(2):
        before = troupe.stage("dev", "lay")
        refused = troupe("deploy", "dev", "--function", "hello", check=3)
        assert (
            "more than the code of function 'hello' changed: it needs a resource that 'dev' does"
            " not have yet" in refused.err
        ), refused
        assert (
            "deploy the whole stage: troupe deploy dev" in refused.err
            and troupe.stage("dev", "lay") == before
        )
        troupe("deploy", "prod")
    troupe.write(
        {
            "handler.js": "exports.main = async () => require('text') + '!';\n",
            TEXT: "module.exports = 'one';\n",
        }
    )
    troupe("deploy", "dev", "--function", "hello")
    assert [call(troupe, "dev", f) for f in ("hello", "staged")] == ["one!", "one"]
    assert call(troupe, "prod") == "two"


def test_layers_in_another_region(troupe):
    """Lambda takes layers of its region only, so the stage there has versions of its own."""
    troupe.write(
        {
            **FILES,
            "serverless.yml": (
                FILES["serverless.yml"].replace(
                    "  name: aws\n", "  name: aws\n  region: us-east-1\n"
                )
            ),
        }
    )
    away, far = troupe.account.client("lambda", "eu-central-1"), "prod@eu-central-1"

    def called():
        return [
            json.loads(
                away.invoke(FunctionName=f"lay-prod-{f}", Qualifier="prod")["Payload"].read()
            )
            for f in ("hello", "own", "staged")
        ]

    def there():
        return len(away.list_layer_versions(LayerName="text")["LayerVersions"])

    troupe("deploy", "dev")
    troupe("deploy", far)
    assert called() == ["one"] * 3 and there() == 1 and versions(troupe) == [1]
    troupe.edit(TEXT, "one", "two")
    troupe("deploy", far)
    assert called() == ["two"] * 3 and call(troupe, "dev") == "one" and versions(troupe) == [1]
    troupe("rollback", far, "--yes")
    assert called() == ["one"] * 3 and call(troupe, "dev") == "one"
    troupe("deploy", "dev")
    assert call(troupe, "dev") == "two" and called() == ["one"] * 3
    troupe("reset", far, "--to", "dev", "--yes")
    assert called() == ["two"] * 3
    troupe("clone", far, "pr-1", "--yes")
    assert call(troupe, "pr-1") == "two"
    troupe("remove", far, "--yes")
    assert there() == 0 and call(troupe, "dev") == "two"
    troupe("remove", "--service", "--yes")
    assert versions(troupe) == [] and leftovers(troupe.world()) == {}


def test_adopted_layers(troupe):
    """A stage that `serverless deploy` made has a layer in its stack; another such stage keeps its
    own.
    """
    troupe.write(FILES)
    client = troupe.account.client("lambda")

    def legacy(stage):
        return [
            json.loads(client.invoke(FunctionName=f"lay-{stage}-{f}")["Payload"].read())
            for f in ("hello", "own", "staged")
        ]

    for stage in ("dev", "prod"):
        serverless_deploy(troupe, stage, "lay")
    assert legacy("dev") == legacy("prod") == ["one"] * 3 and versions(troupe) == [1, 2]
    troupe("adopt", "dev", "--yes")
    assert [call(troupe, "dev", f) for f in ("hello", "own", "staged")] == ["one"] * 3
    assert legacy("prod") == ["one"] * 3 and versions(troupe) == [
        2,
        3,
    ], "the old one went, prod's stays"
    troupe.edit(TEXT, "one", "two")
    troupe("deploy", "dev")
    assert call(troupe, "dev") == "two" and legacy("prod") == ["one"] * 3
    troupe("rollback", "dev", "--yes")
    assert [call(troupe, "dev", f) for f in ("hello", "own", "staged")] == ["one"] * 3
    troupe("adopt", "prod", "--yes")
    assert [call(troupe, "prod", f) for f in ("hello", "own", "staged")] == ["two"] * 3
    assert versions(troupe) == [3, 4], "what dev has deployed already is not published again"
    assert [call(troupe, "dev", f) for f in ("hello", "own", "staged")] == ["one"] * 3
    troupe("remove", "--service", "--yes")
    assert versions(troupe) == []


def test_adopted_layer_that_is_retained(troupe):
    """The reference keeps each version of such a layer, and troupe deletes none that it did not
    make.
    """
    troupe.write({**FILES, "serverless.yml": SERVICE.replace("RETAIN", "true")})

    def name_it(whole):
        """As whoever wrote the file has to: a Ref of `TextLambdaLayer` names nothing there."""
        layer = next(
            id
            for id in whole["Resources"]
            if id.startswith("TextLambdaLayer") and "Permission" not in id
        )
        text = json.dumps(whole["Resources"]).replace(
            '"Ref": "TextLambdaLayer"', f'"Ref": "{layer}"'
        )
        whole["Resources"] = json.loads(text)

    serverless_deploy(troupe, "dev", "lay", change=name_it)
    troupe("adopt", "dev", "--yes")
    assert call(troupe, "dev") == "one" and versions(troupe) == [1, 2]
    troupe("remove", "--service", "--yes")
    assert versions(troupe) == [1, 2]
