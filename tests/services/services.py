"""Services as people have them: with the plugins that they list, out of npm.

Each folder here is one. What its node_modules would have is installed once for all of them, from
package-lock.json, and found in the folder above the service's; what its own package.json names as
dependencies is copied into its own, because plugins look there. `calls.json` is no part of it: it
says which functions to call, with what, and what their answers have in them; STAGE stands for the
stage.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troupe"
NAMES = sorted(path.parent.name for path in HERE.glob("*/serverless.*"))
# What the plugin does is not done by packaging, or troupe does it in its own way: the reference
# packages them without the plugin.
REPLACED = {
    "alias-before": "serverless-aws-alias",
    "canary-before": "serverless-plugin-canary-deployments",
    "split-large": "serverless-plugin-split-stacks",
}


def modules():
    """The folder node_modules of all services; installed when it is missing."""
    lock = (HERE / "package-lock.json").read_bytes()
    home = CACHE / f"services-{hashlib.sha256(lock).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, home)
            command = "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error"
            command += " --legacy-peer-deps"
            subprocess.run(command.split(), cwd=home, check=True, stdout=sys.stderr)
            (home / "complete").touch()
    return home / "node_modules"


def lay_out(name, above):
    """A copy of the service below ``above``, with its node_modules; its folder."""
    folder, installed = above / name, modules()
    shutil.copytree(HERE / name, folder, ignore=shutil.ignore_patterns("calls.json"), symlinks=True)
    (above / "node_modules").symlink_to(installed)
    if (folder / "package.json").exists():
        own = json.loads((folder / "package.json").read_text())
        (folder / "node_modules").mkdir()
        for dependency in own.get("dependencies", {}):
            shutil.copytree(installed / dependency, folder / "node_modules" / dependency)
    return folder


def calls(name, stage):
    """``[(function, event, what the answer has in it)]`` of a service."""
    path = HERE / name / "calls.json"
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8").replace("STAGE", stage)
    return [(call["function"], call["event"], call["has"]) for call in json.loads(text)]
