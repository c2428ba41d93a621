"""`troupe local`: the cloud of one's own, found again by later commands and stopped without a trace."""

import os
import time
from pathlib import Path

import pytest
import requests

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
    env = {**bare_environment(home), "TROUPE_LOCAL_DIR": str(tmp_path / "local"),
           "TROUPE_LOCALCLOUD_DIR": str(ROOT / "localcloud"), "XDG_CACHE_HOME": cache}

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
    assert requests.get(endpoint + "/_ministack/health", timeout=5).ok
    assert local("local", "up", "--json").json["endpoint"] == endpoint
    assert endpoint in local("local", "status").out
    assert processes(local.place)
    local("local", "down")
    with pytest.raises(requests.ConnectionError):
        requests.get(endpoint + "/_ministack/health", timeout=5)
    time.sleep(0.2)
    assert processes(local.place) == []
    local("local", "down")


def test_local_deploys_without_any_settings(local):
    import shutil
    shutil.copytree(Path(__file__).parent / "services" / "shop", local.folder, dirs_exist_ok=True)
    local("deploy", "dev", "--local", AWS_ENDPOINT_URL=REFUSED, AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="x")
    url = local("info", "dev", "--local", "--json").json["urls"]["rest"]
    assert requests.get(url.rstrip("/") + "/hello", timeout=30).json()["code"] == "one"
    assert processes(local.place)
    local("local", "wipe")
    assert local("stages", "--local", "--json").json["stages"] == []
    local("local", "down")
    time.sleep(0.2)
    assert processes(local.place) == []


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
