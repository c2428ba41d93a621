"""Layers of the service's own: one version for all stages that have the same content, which moves
with each stage, goes back with it, and goes when nothing needs it."""

import json

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
    answer = troupe.account.client("lambda").invoke(FunctionName=names.get(function, f"lay-{function}"), Qualifier=stage)
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
    client.publish_layer_version(LayerName="text", Content={"ZipFile": zip_of_neighbour.read_bytes()})
    zip_of_neighbour.unlink()

    shown = troupe("plan", "dev").out
    assert "TextLambdaLayer" in shown, shown
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    for stage in ("dev", "prod"):
        for function in ("hello", "own", "staged"):
            assert call(troupe, stage, function) == "one", (stage, function)
    assert versions(troupe) == [1, 2], "both stages have one version beside the neighbour's"
    policy = json.loads(client.get_layer_version_policy(LayerName="text", VersionNumber=2)["Policy"])
    assert len(policy["Statement"]) == 2

    mark = proxy.mark()
    troupe("deploy", "dev")
    assert not published(proxy, mark) and not [c for c in proxy.calls(since=mark) if c.service == "cloudformation" and c.writes]

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
    policy = json.loads(client.get_layer_version_policy(LayerName="text", VersionNumber=3)["Policy"])
    assert ["123456789012" in str(item["Principal"]) for item in policy["Statement"]] == [True], policy

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
