"""The code of warmers sends what the code of serverless-plugin-warmup sends."""

import json
import re
import shutil
import subprocess
import zipfile

from run import environment, troupe
from test_golden import GOLDEN, bless

CASE = GOLDEN / "compile" / "plugin-warmup-options"
# Stands for AWS's library: each call is a line, and those of one function fail.
SDK = """
export class InvokeCommand { constructor(input) { this.input = input; } }
export class LambdaClient {
  async send({ input }) {
    console.log('SENT ' + JSON.stringify(input));
    if (input.FunctionName.endsWith('bye')) throw new Error('it is gone');
  }
}
"""
# The plugin's own code for what the program's code has as `inZip`.
MAKE = """
const { createWarmUpFunctionArtifact } = require(process.argv[1]);
const { functions, verbose } = JSON.parse(process.argv[2]);
createWarmUpFunctionArtifact(functions, undefined, verbose, 'us-east-1', process.argv[3]);
"""
CALL = "import('./index.mjs').then((module) => module.warmUp())"


def node(code, *args, cwd, **more):
    """What a script of Node.js says, a line each, in no order."""
    done = subprocess.run(
        ["node", "-e", code, *map(str, args)],
        cwd=cwd,
        env={**environment(cwd), **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return sorted(line for line in done.stdout.splitlines() if line.startswith("SENT"))


def test_calls_are_those_of_the_plugin(tmp_path):
    service, theirs, ours = (tmp_path / name for name in ("service", "theirs", "ours"))
    shutil.copytree(CASE, service)
    done = troupe("package", cwd=service, env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    sdk = tmp_path / "node_modules" / "@aws-sdk" / "client-lambda"
    sdk.mkdir(parents=True)
    (sdk / "package.json").write_text('{"name": "@aws-sdk/client-lambda", "exports": "./a.mjs"}')
    (sdk / "a.mjs").write_text(SDK)
    plugin = bless.plugins(CASE) / "serverless-plugin-warmup" / "src" / "warmer.js"
    variables = (
        {},
        {"WARMUP_CONCURRENCY": "2", "SERVERLESS_ALIAS": "live"},
        {"WARMUP_CONCURRENCY": "2", "WARMUP_CONCURRENCY_SHOP_DEV_BYE": "4"},
    )
    for warmer, calls in (("OfficeHours", (8, 4, 6)), ("Third", (1, 2, 2))):
        with zipfile.ZipFile(service / ".serverless" / f"warmUpPlugin{warmer}.zip") as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("index.mjs")]
            code = archive.read(name).decode()
        for folder in (theirs, ours):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (ours / "index.mjs").write_text(code)
        in_zip = re.search(r"inZip = (\{.*?^\});", code, re.DOTALL | re.MULTILINE).group(1)
        assert json.loads(in_zip)["functions"]
        node(MAKE, plugin, in_zip, theirs, cwd=theirs)
        for more, count in zip(variables, calls):
            sent = node(CALL, cwd=ours, **more)
            assert sent == node(CALL, cwd=theirs, **more) and len(sent) == count, (warmer, more)
