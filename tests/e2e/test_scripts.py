"""Values that the service's own scripts compute, and services that are scripts: what stages get of
them.
"""

import json
import os
import signal

from shop import eventually

SERVICE = """service: scripted
provider:
  name: aws
  runtime: nodejs22.x
  iam: {role: {statements: "${file(values.js):statements}"}}
functions:
  f: {handler: handler.main, environment: "${file(values.js):environment}"}
"""
VALUES = """
const tables = { dev: 'small', prod: 'large' };

module.exports = {
  statements: [{ Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' }],
  environment: async ({ options, resolveVariable }) => ({
    TABLE: tables[options.stage],
    SELF: await resolveVariable('self:service'),
    STAGE: '${sls:stage}',
  }),
};
"""
HANDLER = (
    "exports.main = async () => process.env.TABLE + '|' + process.env.SELF + '|' +"
    " process.env.STAGE;\n"
)


def without_node(tmp_path, name):
    """Where to run what needs no more than the name and the bucket: another machine."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "serverless.yml").write_text(f"service: {name}\nprovider: {{name: aws}}\n")
    return {"cwd": elsewhere, "env": {"PATH": "/nonexistent"}}


def shown(troupe, stage, function="f"):
    return json.loads(troupe("invoke", stage, function).out)


def test_two_stages_and_resets_without_node(troupe, tmp_path):
    troupe.write({"serverless.yml": SERVICE, "values.js": VALUES, "handler.js": HANDLER})
    there = without_node(tmp_path, "scripted")
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    assert (
        shown(troupe, "dev") == "small|scripted|dev"
        and shown(troupe, "prod") == "large|scripted|prod"
    )

    # prod keeps what the same scripts computed for it, and says so; for a new stage nothing was
    # computed
    troupe.edit("handler.js", "'|' + process.env.SELF", "'|new|'")
    troupe.edit("handler.js", "'|new|' + '|'", "'|new|'")
    troupe("deploy", "dev")
    result = troupe("reset", "prod", "--to", "dev", **there)
    assert (
        "'file(values.js):environment' depends on the stage: it stays as the last deployment of"
        " 'prod'" in result.err
    )
    assert shown(troupe, "prod") == "large|new|prod"
    before = troupe.world()
    refused = troupe("clone", "dev", "qa", check=2, **there)
    assert (
        "depends on the stage: it is recorded for 'dev' only" in refused.err
        and "troupe deploy qa" in refused.err
    )
    assert "serverless.yml:7:" in refused.err
    troupe("rollback", "prod", **there)
    assert shown(troupe, "prod") == "large|scripted|prod"

    # another script would have computed another value
    troupe.edit("values.js", "small", "tiny")
    troupe("deploy", "dev")
    assert shown(troupe, "dev") == "tiny|new|dev"
    assert "depends on the stage" in troupe("reset", "prod", "--to", "dev", check=2, **there).err
    assert troupe.world()["functions"].keys() == before["functions"].keys()

    # what does not depend on the stage is for any
    troupe.edit("values.js", "tables[options.stage]", "'any'")
    troupe("deploy", "dev")
    troupe("clone", "dev", "qa", **there)
    assert shown(troupe, "qa") == "any|new|qa"


def test_what_makes_nothing_of_the_files_needs_neither_node_nor_values(troupe):
    """In the service's own folder: scripts, a param, a variable of the environment and a broken
    value are of no matter to what only looks, or goes to what was recorded.
    """
    text = SERVICE + "  late: {handler: handler.main, description: '${param:word} ${env:WORD}'}\n"
    troupe.write({"serverless.yml": text, "values.js": VALUES, "handler.js": HANDLER})
    given = {"env": {"WORD": "w"}}
    troupe("deploy", "dev", "--param", "word=p", **given)
    troupe.edit("handler.js", "'|' + process.env.SELF", "'|new|'")
    troupe("deploy", "dev", "--param", "word=p", **given)
    troupe("deploy", "prod", "--param", "word=p", **given)
    troupe.edit("values.js", "const tables", "throw new Error('not now'); const tables")
    without = {"env": {"PATH": "/nonexistent"}}
    for command in (
        ("info", "dev"),
        ("history", "dev"),
        ("stages",),
        ("diff", "dev", "prod"),
        ("unlock", "dev"),
        ("prune", "--plan"),
        ("repair", "dev"),
        ("shift", "dev", "--to", "1", "--weight", "50"),
        ("shift", "dev", "--abort"),
        ("rollback", "dev", "--plan"),
        ("rollback", "dev", "--yes"),
        ("invoke", "dev", "f"),
        ("reset", "dev", "--to", "prod", "--yes"),
    ):
        said = troupe(*command, check=False, **without)
        assert said.code == 0 and "node" not in said.err, str(said)
        if command[0] == "invoke":
            assert json.loads(said.out) == "small|scripted|dev"
    assert shown(troupe, "dev") == "small|new||dev"
    assert (
        "no function 'lat'" in (said := troupe("logs", "dev", "lat", check=1, **without)).err
        and "'late'" in said.err
    )
    said = troupe("clone", "dev", "qa", check=2, **without)
    assert "depends on the stage: it is recorded for 'dev' only" in said.err, said
    troupe("remove", "prod", "--yes", **without)


def test_a_service_that_is_a_script(troupe, tmp_path):
    troupe.write(
        {
            "serverless.js": (
                """
const functions = require('./functions');
module.exports = { service: 'computed', provider: { name: 'aws', runtime: 'nodejs22.x' }, functions };
"""
            ),
            "functions.js": (
                "module.exports = { f: { handler: 'handler.main', environment: { STAGE:"
                " '${sls:stage}' } } };\n"
            ),
            "handler.js": "exports.main = async () => process.env.STAGE;\n",
        }
    )
    said = troupe("deploy", "dev", check=2, env={"PATH": "/nonexistent"}).err
    assert "cannot run 'serverless.js'" in said and "Node.js" in said
    assert not troupe.world()["stacks"]
    troupe("deploy", "dev")
    there = without_node(tmp_path, "computed")
    troupe("clone", "dev", "qa", **there)
    troupe("reset", "qa", "--to", "dev", **there)
    assert json.loads(troupe("invoke", "qa", "f").out) == "qa"
    assert json.loads(troupe("invoke", "dev", "f").out) == "dev"


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_wish_to_stop_ends_scripts_and_what_they_started(troupe):
    troupe.write(
        {
            "serverless.yml": SERVICE,
            "handler.js": HANDLER,
            "values.js": (
                """
const { spawn, execSync } = require('child_process');
const child = spawn('sleep', ['600']);
require('fs').writeFileSync('pids', `${process.pid} ${child.pid}\\n`);
execSync('sleep 600');
"""
            ),
        }
    )
    running = troupe.start("print")
    pids = troupe.folder / "pids"
    eventually(lambda: pids.is_file() and pids.read_text().endswith("\n"))
    os.kill(running.pid, signal.SIGINT)
    result = running.wait()
    assert result.code == 130 and "stopped" in result.err, str(result)
    for pid in pids.read_text().split():
        eventually(lambda pid=pid: gone(pid), f"the end of {pid}")
