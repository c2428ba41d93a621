"""Services with plugins (tests/services), in two stages: each is called, goes back, and goes away
without a trace in the other.

`make test SUITES=services` runs it, because it installs the plugins first.
"""

import json
import os
import re
import sys

import pytest
from program import ROOT

sys.path.insert(0, str(ROOT / "tests" / "services"))

import services  # noqa: E402

if os.environ.get("TROUPE_TEST_SERVICES") != "1":
    pytest.skip("installs plugins first: make test SUITES=services", allow_module_level=True)

CALLED = [name for name in services.NAMES if (services.HERE / name / "calls.json").exists()]


def check(troupe, name, stage):
    """Every call of the service is answered, by the stage that is called."""
    listed = json.loads(troupe("info", stage, "--json").out)["functions"]
    arns = {function["name"]: function["arn"] for function in listed}
    for function, event, has in services.calls(name, stage):
        region = arns[function].split(":")[3]
        answer = troupe.account.client("lambda", region).invoke(
            FunctionName=arns[function], Payload=json.dumps(event)
        )
        text = answer["Payload"].read().decode()
        assert has in text and not answer.get("FunctionError"), (function, text)


@pytest.mark.parametrize("name", CALLED)
def test_lives_in_two_stages(troupe, tmp_path, name):
    troupe.folder = services.lay_out(name, tmp_path / "service")
    index = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_"))}
    troupe.env.update(index)
    troupe("deploy", "dev", timeout=600)
    check(troupe, name, "dev")
    troupe("deploy", "prod", timeout=600)
    check(troupe, name, "prod")
    check(troupe, name, "dev")
    troupe("plan", "dev", "--detailed-exitcode", timeout=600)
    file = troupe.folder / "serverless.yml"
    line = re.search(r"name: aws(,|\n *)", file.read_text())
    more = f"{line[0]}memorySize: 320{line[1]}".replace(",", ", ")
    file.write_text(file.read_text().replace(line[0], more, 1))
    troupe("plan", "dev", "--detailed-exitcode", timeout=600, check=2)
    troupe("deploy", "dev", timeout=600)
    check(troupe, name, "dev")
    troupe("rollback", "dev", "--yes")
    check(troupe, name, "dev")
    troupe("remove", "dev", "--yes", "--purge")
    check(troupe, name, "prod")
    troupe("remove", "prod", "--yes", "--purge")
