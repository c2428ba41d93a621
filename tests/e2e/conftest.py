"""Fixtures: one cloud for all tests, an account, a proxy and a folder for each."""

import itertools
import os
import random
import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import botocore.session
import pytest
import requests
from botocore.config import Config

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "localcloud"))

from cloud import Cloud, dealt  # noqa: E402  the local cloud's own tests start it the same way
import long_tests  # noqa: E402
from program import PROGRAM, Running, bare_environment  # noqa: E402
from proxy import Proxy  # noqa: E402
from stand import Stand  # noqa: E402
from world import World, of_stage  # noqa: E402

REGION = "us-east-1"
ACCOUNTS = itertools.count(1)


def pytest_configure():
    """One seed for all workers; a given one repeats a run, the order of resources in stacks
    included.
    """
    os.environ.setdefault("TROUPE_TEST_SEED", str(random.randrange(10**6)))
    os.environ.setdefault("TROUPE_CLOUD_SEED", os.environ["TROUPE_TEST_SEED"])


# Tests that try one thing on many commands: so many of them a run, others each time.
# TROUPE_TEST_ALL tries all.
SAMPLES = {
    "test_adopt.py::test_killed_and_run_again": 3,
    "test_adopt.py::test_killed_on_the_way_back": 2,
    "test_faults.py::test_disturbed_and_run_again": 2,
    "test_faults.py::test_what_a_refusal_at_the_end_leaves_is_not_called_failed": 2,
    "test_kill.py::test_killed_and_run_again": 4,
    "test_model.py::test_random_sequences": 2,
    "test_prune.py::test_killed_and_run_again": 2,
    "test_regions.py::test_killed_and_run_again": 1,
    "test_shift.py::test_killed_in_the_middle": 2,
    "test_together.py::test_different_stages": 1,
    "test_together.py::test_mixed_commands": 3,
    "test_together.py::test_one_stage": 1,
}


def pytest_collection_modifyitems(config, items):
    """Leave out what is not in the sample, and of the rest what long_tests.py draws, others each
    time; all workers leave out the same. Whoever names files or tests gets all of them but samples.
    """
    if not os.environ.get("TROUPE_TEST_ALL") and not any("[" in name for name in config.args):
        draw(config, items)
    long = long_tests.table()
    items[:] = dealt(items, lambda item: long_tests.name_of(item) in long)


def draw(config, items):
    cases = {}
    for item in items:
        cases.setdefault(f"{item.path.name}::{item.originalname}", []).append(item)
    for name, count in SAMPLES.items():
        found = cases.get(name, [])
        leave_out(
            config,
            items,
            random.Random(f"{os.environ['TROUPE_TEST_SEED']} {name}").sample(
                found, max(0, len(found) - count)
            ),
        )
    if [Path(name).resolve() for name in config.args] == [HERE]:
        leave_out(config, items, long_tests.left_out(items, os.environ["TROUPE_TEST_SEED"]))


def leave_out(config, items, some):
    config.hook.pytest_deselected(items=some)
    items[:] = [item for item in items if item not in some]


def seeds():
    return " ".join(
        f"{name}={os.environ[name]}" for name in ("TROUPE_TEST_SEED", "TROUPE_CLOUD_SEED")
    )


def pytest_report_header():
    return f"troupe: {PROGRAM}, {seeds()}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """What fails says with which seeds."""
    report = (yield).get_result()
    if report.failed:
        report.sections.append(("seeds", seeds()))


class RememberingCloud(Cloud):
    """The local cloud, with what accounts held before (cloud_memory.py)."""

    module = "cloud_memory"

    def __init__(self, folder, **settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.memory = probe.getsockname()[1]
        super().__init__(folder, TROUPE_TEST_MEMORY_PORT=str(self.memory), **settings)

    def remember(self, what, account, name):
        answer = requests.post(
            f"http://127.0.0.1:{self.memory}/{what}",
            params={"account": account, "name": name},
            timeout=60,
        )
        assert answer.ok, answer.text


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    running = RememberingCloud(
        tmp_path_factory.mktemp("cloud"),
        TROUPE_CLOUD_STACK_MS="100",
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="60",
    )
    yield running
    running.stop()


def fetch(url, proxy=None, **kwargs):
    """GET a URL that troupe shows. Names below `localhost` need no resolver here; a function's own
    URL, which is AWS's, is asked of the cloud behind ``proxy``."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.hostname.endswith(".localhost"):
        return requests.get(
            f"http://127.0.0.1:{parts.port}{path}",
            headers={"Host": parts.netloc},
            timeout=30,
            **kwargs,
        )
    if parts.hostname.endswith(".on.aws"):
        return requests.get(
            f"{proxy.endpoint}/_aws/lambda-url/{parts.hostname.split('.')[0]}{path}",
            timeout=30,
            **kwargs,
        )
    return requests.get(url, timeout=30, **kwargs)


class Clients:
    """boto3 clients past the proxy, which sign for one account at a time. To make those that a test
    uses takes longer than what most tests do with them, so that accounts lend them from each other.
    """

    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    idle = []

    def __init__(self, cloud):
        self.endpoint, self.made, session = cloud.endpoint, {}, botocore.session.Session()
        session.set_credentials("nobody", cloud.secret)
        self.credentials, self.session = (
            session.get_credentials(),
            boto3.Session(botocore_session=session),
        )

    @classmethod
    def lent(cls, account):
        clients = next((idle for idle in cls.idle if idle.endpoint == account.cloud.endpoint), None)
        if clients:
            cls.idle.remove(clients)
        else:
            clients = cls(account.cloud)
        clients.credentials.access_key = account.id
        return clients

    def get(self, service, region):
        if (service, region) not in self.made:
            self.made[service, region] = self.session.client(
                service, endpoint_url=self.endpoint, region_name=region, config=self.config
            )
        return self.made[service, region]

    def give_back(self):
        self.credentials.access_key = "nobody"
        self.idle.append(self)


class Account:
    """A fresh account of the cloud: an access key of twelve digits is that account."""

    def __init__(self, cloud, number):
        self.cloud, self.id = cloud, number
        self._clients = Clients.lent(self)

    def client(self, service, region=REGION):
        """A boto3 client past the proxy."""
        return self._clients.get(service, region)

    def close(self):
        self._clients.give_back()

    def let_apis_log(self, region=REGION):
        """Give API Gateway the role that it writes logs with."""
        patch = {
            "op": "replace",
            "path": "/cloudwatchRoleArn",
            "value": f"arn:aws:iam::{self.id}:role/logs",
        }
        self.client("apigateway", region).update_account(patchOperations=[patch])

    def world(self):
        return World(self.client).snapshot()

    def keep(self, name):
        """Remember all that the account holds under a name."""
        self.cloud.remember("keep", self.id, name)

    def put_back(self, name):
        """Make it what it was when it was kept."""
        self.cloud.remember("put-back", self.id, name)


def new_account(cloud):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]
    return Account(cloud, f"7{int(worker):03}{next(ACCOUNTS):08}")


def closed(proxy):
    proxy.close()
    assert not proxy.violations, "calls that AWS would not take:\n" + "\n".join(
        dict.fromkeys(proxy.violations)
    )


@pytest.fixture
def account(cloud):
    made = new_account(cloud)
    yield made
    made.close()


@pytest.fixture
def proxy(cloud, account):
    made = Proxy(cloud)
    yield made
    closed(made)


class Troupe:
    """Runs troupe in a service's folder against one account, through the proxy."""

    def __init__(self, folder, home, account, proxy):
        self.folder, self.home, self.account, self.proxy = Path(folder), Path(home), account, proxy
        self.env = {
            "AWS_ENDPOINT_URL": proxy.endpoint,
            "AWS_ACCESS_KEY_ID": account.id,
            "AWS_SECRET_ACCESS_KEY": account.cloud.secret,
        }

    def start(self, *args, cwd=None, env=None, stdin=None):
        """Start it; a value None in ``env`` removes the variable."""
        merged = {**bare_environment(self.home), **self.env, **(env or {})}
        environment = {key: str(value) for key, value in merged.items() if value is not None}
        running = Running(args, cwd or self.folder, environment, stdin)
        self.proxy.victim = running.pid
        return running

    def __call__(self, *args, check=True, timeout=180, **kwargs):
        """Run it to its end. ``check`` is the exit code that must come, True for 0, False
        for any.
        """
        mark = self.proxy.mark()
        result = self.start(*args, **kwargs).wait(timeout)
        self.proxy.victim = None
        if check is not False:
            wanted = 0 if check is True else check
            assert result.code == wanted, (
                f"wanted exit {wanted}\n{result}\n--- calls\n{self.proxy.show(mark)}"
            )
        return result

    # -- the service's folder --------------------------------------------------------------------

    def use(self, service):
        """Start from a copy of services/<service>."""
        source = Path(service) if os.path.isabs(service) else HERE / "services" / service
        shutil.copytree(source, self.folder, dirs_exist_ok=True)
        return self

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def edit(self, name, old, new):
        """Replace a text that must be there."""
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"'{old}' is not in {name}"
        path.write_text(text.replace(old, new))

    # -- what the deployed service does ----------------------------------------------------------

    def rest_url(self, stage, path, api=None):
        apis = self.account.client("apigateway").get_rest_apis()["items"]
        id = next(item["id"] for item in apis if api in (None, item["name"]))
        return f"{self.proxy.endpoint}/restapis/{id}/{stage}/_user_request_{path}"

    def call_rest(self, stage, path, method="GET", **kwargs):
        """Call the service's REST API as a browser would."""
        return requests.request(
            method, self.rest_url(stage, path, kwargs.pop("api", None)), timeout=30, **kwargs
        )

    def call_http_api(self, stage, path, method="GET", **kwargs):
        """Call the stage's HTTP API: its own, or its stage of the one that all share."""
        return requests.request(method, self.http_api_url(stage, path), timeout=30, **kwargs)

    def http_api_url(self, stage, path):
        apis = {
            item["Name"]: item["ApiId"]
            for item in self.account.client("apigatewayv2").get_apis()["Items"]
        }
        own = next((id for name, id in apis.items() if name.startswith(f"{stage}-")), None)
        shared = [id for name, id in apis.items() if "-" not in name]
        place = f"{own}/$default" if own else f"{shared[0]}/{stage}"
        return f"{self.proxy.endpoint}/_aws/execute-api/{place}{path}"

    def world(self):
        return self.account.world()

    def stage(self, stage, service):
        """What belongs to one stage, to see that it did not change."""
        return of_stage(self.account.world(), stage, service)


def new_troupe(place, account, proxy):
    (place / "home").mkdir(parents=True)
    (place / "service").mkdir()
    return Troupe(place / "service", place / "home", account, proxy)


@pytest.fixture
def troupe(tmp_path, account, proxy):
    return new_troupe(tmp_path / "one", account, proxy)


@pytest.fixture
def shop(troupe):
    """The service `shop`, of which dev is deployed."""
    troupe.use("shop")("deploy", "dev")
    return troupe


@pytest.fixture
def troupes(tmp_path, cloud):
    """Makes further ones, each with an account, a proxy and a folder of its own."""
    made = []

    def make():
        account, proxy = new_account(cloud), Proxy(cloud)
        made.append((account, proxy))
        return new_troupe(tmp_path / f"more-{len(made)}", account, proxy)

    yield make
    for account, _ in made:
        account.close()
    for _, proxy in made:
        closed(proxy)


@pytest.fixture(scope="module")
def stands(cloud, tmp_path_factory):
    """Makes a Stand for a command, once for a module; all have one account, which remembers their
    starts.
    """
    account = new_account(cloud)
    proxy = Proxy(cloud)
    troupe = new_troupe(tmp_path_factory.mktemp("stands") / "one", account, proxy)
    starts, made = set(), {}

    def stand(command):
        if command.name not in made:
            made[command.name] = Stand(command, troupe, starts)
        return made[command.name]

    yield stand
    account.close()
    closed(proxy)
