"""`troupe local`: the cloud of one's own, found again by later commands and stopped without a
trace.
"""

import os
import subprocess
from pathlib import Path

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from shop import eventually

REFUSED = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One home for this module, so that the cloud's Python environment is made once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def local(tmp_path, home):
    """Runs troupe without any AWS settings but its own local cloud, which is stopped in the end."""
    from program import ROOT, Running, bare_environment

    service = tmp_path / "service"
    service.mkdir()
    # The developer's cache is used so that the environment need not be made anew for each run.
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    env = {
        **bare_environment(home),
        "TROUPE_LOCAL_DIR": str(tmp_path / "local"),
        "TROUPE_LOCALCLOUD_DIR": str(ROOT / "localcloud"),
        "XDG_CACHE_HOME": cache,
    }

    def run(*args, check=0, **extra):
        result = Running(args, service, {**env, **extra}).wait(300)
        assert check is False or result.code == check, str(result)
        return result

    run.folder = service
    run.place = tmp_path / "local"
    yield run
    run("local", "down", check=False)


def processes(place):
    """Processes that belong to the cloud in this folder, functions included."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(place).encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def test_up_status_down(local):
    assert "not running" in local("local", "status", check=False).out
    up = local("local", "up", "--json").json
    endpoint = up["endpoint"]
    assert endpoint.startswith("http://127.0.0.1:")
    assert requests.get(endpoint + "/_ministack/health", timeout=60).ok
    assert local("local", "up", "--json").json["endpoint"] == endpoint
    assert endpoint in local("local", "status").out
    assert processes(local.place)
    local("local", "down")
    with pytest.raises(requests.ConnectionError):
        requests.get(endpoint + "/_ministack/health", timeout=60)
    eventually(lambda: processes(local.place) == [])
    local("local", "down")


def test_other_programs_get_the_secret_only_when_they_ask(local):
    off = local("local", "env", check=1)
    assert off.out == "" and "troupe local up" in off.err
    local("local", "up")
    variables = local("local", "env", "--json").json
    secret = variables["AWS_SECRET_ACCESS_KEY"]
    assert len(secret) == 40
    for args in (("status",), ("status", "--json"), ("up", "--json")):
        assert secret not in local("local", *args).out
    assert secret not in (local.place / "log").read_text()
    state = local.place / "state.json"
    assert state.stat().st_mode & 0o777 == 0o600 and local.place.stat().st_mode & 0o777 == 0o700

    shown = local("local", "env", AWS_REGION="eu-central-1").out
    script = f"AWS_SESSION_TOKEN=old; {shown}\nenv"
    merged = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, check=True, env={}
    ).stdout
    seen = dict(line.split("=", 1) for line in merged.splitlines())
    assert {key: seen[key] for key in variables} == {**variables, "AWS_REGION": "eu-central-1"}
    assert "AWS_SESSION_TOKEN" not in seen
    client = boto3.client(
        "lambda",
        endpoint_url=seen["AWS_ENDPOINT_URL"],
        region_name=seen["AWS_REGION"],
        aws_access_key_id=seen["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret,
    )
    assert client.list_functions()["Functions"] == []

    # Who knows the port, but not the secret: what was valid before, and what everybody guesses.
    local("local", "wipe")
    assert local("local", "env", "--json").json["AWS_SECRET_ACCESS_KEY"] != secret
    with pytest.raises(ClientError, match="signature we calculated does not match"):
        client.list_functions()


def test_a_folder_of_others_is_not_used(local):
    local.place.mkdir(mode=0o777)
    local.place.chmod(0o777)
    (local.place / "state.json").write_text(
        '{"format": 1, "pid": 1, "port": 9, "secret": "theirs"}'
    )
    for args in (
        ("local", "up"),
        ("local", "status"),
        ("local", "down"),
        ("local", "wipe"),
        ("local", "env"),
        ("stages", "--local"),
    ):
        if args[0] == "stages":
            (local.folder / "serverless.yml").write_text("service: shop\nprovider: {name: aws}\n")
        result = local(*args, check=1)
        assert f"others may write to directory '{local.place}'" in result.err, str(result)
    local.place.chmod(0o700)


def test_local_deploys_without_any_settings(local):
    import shutil

    shutil.copytree(Path(__file__).parent / "services" / "shop", local.folder, dirs_exist_ok=True)
    local(
        "deploy",
        "dev",
        "--local",
        AWS_ENDPOINT_URL=REFUSED,
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="x",
    )
    url = local("info", "dev", "--local", "--json").json["urls"]["rest"]
    assert requests.get(url.rstrip("/") + "/hello", timeout=30).json()["code"] == "one"
    assert processes(local.place)
    local("local", "wipe")
    assert local("stages", "--local", "--json").json["stages"] == []
    local("local", "down")
    eventually(lambda: processes(local.place) == [])


def test_persist_keeps_the_world(local):
    import shutil

    shutil.copytree(Path(__file__).parent / "services" / "shop", local.folder, dirs_exist_ok=True)
    local("local", "up", "--persist")
    local("deploy", "dev", "--local")
    local("local", "down")
    local("local", "up", "--persist")
    url = local("info", "dev", "--local", "--json").json["urls"]["rest"]
    assert requests.get(url.rstrip("/") + "/hello", timeout=30).json()["code"] == "one"
    local("local", "wipe")
