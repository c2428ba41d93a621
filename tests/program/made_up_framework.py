"""A stand-in for the Serverless Framework: what it leaves behind when it packages.

The service is one without plugins, which says what plugins would have added; troupe packages it.
The template is what troupe makes of it (the golden cases compare that with the reference), and the
state has what the framework adds to a resolved configuration. A function ``change`` then does to
both what a plugin does that changes the template.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

TEMPLATE = "cloudformation-template-update-stack.json"
STATE = "serverless-state.json"
# node_modules/.bin/serverless of a service that is packaged anew each time.
SCRIPT = """#!{python}
import sys
sys.path.insert(0, {here!r})
import made_up_framework
made_up_framework.main({program!r}, {plain!r}, {change!r})
"""


def package(program, plain, stage, place, change=lambda state, template, stage: None, env=None):
    """Package the service in the folder ``plain`` for a stage, into the folder ``place``."""
    run = lambda *args: subprocess.run(
        [program, *map(str, args)], cwd=plain, env=env, check=True, capture_output=True, text=True
    ).stdout
    shutil.rmtree(place, ignore_errors=True)
    run("package", stage, "--package", place)
    config = json.loads(run("print", stage, "--format", "json"))
    name = config["service"]
    for section in ("functions", "layers"):
        for key, value in (config.get(section) or {}).items():
            value["package"] = dict(value.get("package") or {})
            if (place / f"{key}.zip").exists():
                value["package"].setdefault("artifact", f"/elsewhere/.serverless/{key}.zip")
    for function in config.get("functions", {}).values():
        function |= {"memory": 1024, "versionLogicalId": "V"}
        function.setdefault("vpc", {})
    artifact = (config.get("package") or {}).get("artifact") or (
        f"{name}.zip" if (place / f"{name}.zip").exists() else ""
    )
    config["provider"] = {"vpc": {}, **config["provider"], "compiledCloudFormationTemplate": {}}
    config["initialServerlessConfig"] = {"functions": {"$ref": '$["service"]["functions"]'}}
    directory = f"serverless/{name}/{stage}/1700000000000-2023-11-14T22:13:20.000Z"
    state = {
        "service": config,
        "package": {"artifactDirectoryName": directory, "artifact": artifact},
    }
    template = json.loads((place / TEMPLATE).read_text())
    change(state, template, stage)
    (place / STATE).write_text(json.dumps(state))
    (place / TEMPLATE).write_text(json.dumps(template))


def install(folder, program, plain, change=""):
    """Make it the framework of the service in ``folder``; ``change`` is a text that is run. Each
    call is a line of the file `calls` beside the folder ``plain``."""
    path = folder / "node_modules/.bin/serverless"
    path.parent.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).parent)
    path.write_text(
        SCRIPT.format(
            python=sys.executable, here=here, program=program, plain=str(plain), change=change
        )
    )
    path.chmod(0o755)


def main(program, plain, change):
    arguments = sys.argv[1:]
    stage, place = (arguments[arguments.index(name) + 1] for name in ("--stage", "--package"))
    with open(Path(plain).parent / "calls", "a", encoding="utf-8") as calls:
        calls.write(f"{stage}\n")

    def run(state, template, stage):
        exec(change, {"state": state, "template": template, "stage": stage})

    package(program, plain, stage, Path(place), run)
