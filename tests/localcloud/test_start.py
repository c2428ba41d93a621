"""The launcher refuses what it was not made for, and starts fast."""

import os
import subprocess
import sys
import textwrap

import pytest

from cloud import ROOT

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
        timeout=30,
    )


def test_start_is_fast(cloud):
    assert cloud.start_seconds < 4  # well below 1.5 s on an idle machine; test machines are busy


def test_other_version_is_refused():
    result = run("""
        from importlib import metadata
        metadata.version = lambda name: "1.6.0"
        import runpy
        runpy.run_module("troupe_cloud", run_name="__main__")
        """)
    assert result.returncode == 1
    assert "made for ministack 1.5.33, found 1.6.0" in result.stderr


def test_missing_function_is_refused():
    result = run("""
        from ministack.services import lambda_svc
        del lambda_svc._publish_version
        import runpy
        runpy.run_module("troupe_cloud", run_name="__main__")
        """)
    assert result.returncode == 1
    assert "troupe_cloud: ministack.services.lambda_svc has no '_publish_version'" in result.stderr


@pytest.mark.parametrize("setting", ["TROUPE_CLOUD_STACK_MS", "TROUPE_CLOUD_FUNCTION_UPDATE_MS"])
def test_setting_must_be_a_number(setting):
    result = subprocess.run(
        [sys.executable, "-m", "troupe_cloud"],
        env={**ENVIRONMENT, setting: "soon"},
        text=True,
        capture_output=True,
        timeout=30,
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
        timeout=30,
    )
    assert result.returncode == 1
    assert "TROUPE_CLOUD_SECRET must have 20 characters or more" in result.stderr
