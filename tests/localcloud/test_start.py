"""The launcher refuses what it was not made for."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from cloud import ROOT
from needed_mends import HERE, MENDS, named_test

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "localcloud"),
    "TROUPE_CLOUD_SECRET": "only-for-this-test-of-the-start",
}


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=ENVIRONMENT,
        text=True,
        capture_output=True,
        timeout=300,
    )


def test_other_version_is_refused():
    result = run("""
        from importlib import metadata
        metadata.version = lambda name: "1.6.0"
        import runpy
        runpy.run_module("troupe_cloud", run_name="__main__")
        """)
    assert result.returncode == 1
    assert re.search(r"made for ministack \S+, found 1\.6\.0", result.stderr), result.stderr


def test_the_tests_run_on_what_the_local_cloud_is_pinned_to():
    def pins(path):
        return set(re.findall(r"^\S+==\S+", (ROOT / path / "requirements.txt").read_text(), re.M))

    assert pins("localcloud") and pins("localcloud") <= pins("tests")


def test_missing_function_is_refused():
    result = run("""
        from ministack.services import lambda_svc
        del lambda_svc._publish_version
        import runpy
        runpy.run_module("troupe_cloud", run_name="__main__")
        """)
    assert result.returncode == 1
    assert "ministack.services.lambda_svc has no '_publish_version'" in result.stderr


def test_changed_signatures_are_refused_together():
    """Of a module's function, of one that is awaited no more, and of a resource type's handler."""
    result = run("""
        from ministack.services import lambda_svc
        from ministack.services.cloudformation import provisioners
        lambda_svc._publish_version = lambda name, data, more=1: None
        lambda_svc.handle_request = lambda method, path, headers, body, query_params: None
        provisioners._RESOURCE_HANDLERS["AWS::Lambda::Alias"]["delete"] = lambda physical_id: None
        import runpy
        runpy.run_module("troupe_cloud", run_name="__main__")
        """)
    assert result.returncode == 1
    assert "'_publish_version' takes (name, data, more=1), the mends were" in result.stderr
    assert "'handle_request' takes (method, path, headers, body, query_params)" in result.stderr
    assert "AWS::Lambda::Alias: 'delete' takes (physical_id), the mends" in result.stderr


@pytest.mark.parametrize(
    "edit, text",
    [
        ("del record['ministack.services.s3']['_error']", "--write"),
        ("record['ministack.services.s3']['get_region'] = '()'", "--write"),
        ("record['ministack.services.s3']['gone'] = '()'", "has no 'gone'"),
    ],
)
def test_the_record_is_what_the_mends_need(edit, text):
    result = run(f"""
        import json
        from troupe_cloud import mends, signatures
        record = json.loads(signatures.RECORD.read_text())
        {edit}
        signatures.RECORD = type("Record", (), dict(
            name="signatures.json", read_text=lambda self: json.dumps(record)))()
        mends.apply()
        """)
    assert result.returncode == 1
    assert "ministack.services.s3" in result.stderr and text in result.stderr


def test_the_command_finds_nothing_different():
    result = subprocess.run(
        [sys.executable, "-m", "troupe_cloud.signatures"],
        env=ENVIRONMENT,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_every_module_with_a_mend_is_applied_and_names_its_test():
    """That the test fails without it takes minutes, and a run of its own: needed_mends."""
    package = ROOT / "localcloud" / "troupe_cloud"
    mending = {
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("*.py")
        if re.search(
            r"^from troupe_cloud.patching import .*\b(patch|LEFT_OUT)", path.read_text(), re.M
        )
    }
    assert mending == set(MENDS)
    for module in MENDS:
        file, function = named_test(module)
        assert f"\ndef {function}(" in (HERE / file).read_text(), f"{module}: {file}::{function}"


@pytest.mark.parametrize("setting", ["TROUPE_CLOUD_STACK_MS", "TROUPE_CLOUD_FUNCTION_UPDATE_MS"])
def test_setting_must_be_a_number(setting):
    result = subprocess.run(
        [sys.executable, "-m", "troupe_cloud"],
        env={**ENVIRONMENT, setting: "soon"},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert result.returncode == 1
    assert f"{setting} must be a number of milliseconds, not 'soon'" in result.stderr


@pytest.mark.parametrize("secret", [None, "", "test"])
def test_a_secret_is_needed(secret):
    environment = {k: v for k, v in ENVIRONMENT.items() if k != "TROUPE_CLOUD_SECRET"}
    result = subprocess.run(
        [sys.executable, "-m", "troupe_cloud"],
        env=environment if secret is None else {**environment, "TROUPE_CLOUD_SECRET": secret},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert result.returncode == 1
    assert "TROUPE_CLOUD_SECRET must have 20 characters or more" in result.stderr
