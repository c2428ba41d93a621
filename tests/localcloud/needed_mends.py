"""Every module of mends is needed: the test that it names fails on a cloud without them.

It takes minutes, so that pytest finds it only when it is named: `scripts/test.py mends`. A case
that fails here says that MiniStack does by itself what the mend was for (delete the mend), or that
the named test does not look (sharpen it). The test must fail in its own steps: a cloud that does
not start, or a fixture that fails, proves nothing about what the mend is for.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cloud import ROOT

sys.path.insert(0, str(ROOT / "localcloud"))
from troupe_cloud.mends import MENDS  # noqa: E402

HERE = Path(__file__).parent


def named_test(module):
    """What the module's docstring says: ``test_file.py::test_function``."""
    path = ROOT / "localcloud" / "troupe_cloud" / (module.replace(".", "/") + ".py")
    line = r"^Without it fails: ``(test_\w+\.py)::(test_\w+)``$"
    found = re.findall(line, path.read_text(), re.M)
    assert len(found) == 1, f"{path} names {len(found)} tests that fail without it"
    return found[0]


@pytest.mark.parametrize("module", MENDS)
def test_the_named_test_fails_without(module, tmp_path):
    file, function = named_test(module)
    report = tmp_path / "junit.xml"
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", f"{HERE / file}::{function}", "-q", "--tb=line",
         "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}", f"--junitxml={report}"],
        env={**environment, "TROUPE_CLOUD_WITHOUT": module},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    suite = ElementTree.parse(report).getroot().find("testsuite")
    ran, failed, errors = (int(suite.get(key)) for key in ("tests", "failures", "errors"))
    assert ran and not errors, f"{file}::{function} did not run:\n{result.stdout}"
    assert failed, f"{file}::{function} passes without the mends of {module}"
    print(result.stdout)
