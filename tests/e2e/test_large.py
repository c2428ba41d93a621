"""A service of fifty functions: the work of a deploy follows what changed, not the size."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest

import fifty as service
from program import PROGRAM, bare_environment

MEASURE = Path(__file__).resolve().parents[1] / "bench" / "measure.c"
SANITIZED = b"__asan_init" in Path(PROGRAM).read_bytes()


@pytest.fixture
def fifty(troupe):
    troupe.write(service.files())
    troupe("deploy", "dev")
    return troupe


def test_no_change_takes_at_most_twelve_calls(fifty, proxy):
    mark = proxy.mark()
    fifty("deploy", "dev")
    sent = service.sent(proxy, mark)
    assert len(sent["calls"]) <= 12, proxy.show(mark)
    assert (sent["artifacts"], sent["versions"], sent["stack changes"]) == ([], [], [])


def test_one_changed_function_is_one_artifact_one_version_one_update(fifty, proxy):
    before = fifty.world()["functions"]
    fifty.edit("f07.js", "'one'", "'two'")
    mark = proxy.mark()
    fifty("deploy", "dev")
    sent = service.sent(proxy, mark)
    assert len(sent["artifacts"]) == 1, proxy.show(mark)
    assert [call.params["FunctionName"] for call in sent["versions"]] == ["fifty-f07"]
    assert [
        (
            call.operation,
            call.params["StackName"].rpartition("/")[0].rpartition("/")[2]
            or call.params["StackName"],
        )
        for call in sent["stack changes"]
    ] == [("UpdateStack", "fifty-dev")]
    after = fifty.world()["functions"]
    moved = [
        name
        for name in after
        if after[name]["aliases"]["dev"]["version"] != before[name]["aliases"]["dev"]["version"]
    ]
    assert moved == ["fifty-f07"]
    assert json.loads(fifty("invoke", "dev", "f07").out)["code"] == "two"


PER_FUNCTION = {"lambda.GetFunction", "lambda.UpdateAlias"}
POLLS = {"cloudformation.DescribeStackEvents"}


@pytest.fixture(scope="module")
def measure(tmp_path_factory):
    program = tmp_path_factory.mktemp("measure") / "measure"
    subprocess.run(["cc", "-O2", "-o", program, MEASURE], check=True)
    return program


def check_cheap(troupe, proxy, measure, *args):
    """No upload, nothing published, two calls a function and at most 16 for everything; little
    memory.
    """
    mark = proxy.mark()
    done = subprocess.run(
        [measure, "1", PROGRAM, *args],
        cwd=troupe.folder,
        check=True,
        capture_output=True,
        text=True,
        env={**bare_environment(troupe.home), **troupe.env},
    )
    microseconds, kibibytes, code, _ = map(int, done.stdout.split())
    assert code == 0
    sent = service.sent(proxy, mark)
    assert (sent["artifacts"], sent["versions"]) == ([], []), proxy.show(mark)
    names = [call.name for call in sent["calls"]]
    each = sum(name in PER_FUNCTION for name in names)
    # On a slow machine the lease is looked at again before the stack is changed.
    looks = sum(
        call.name == "s3.GetObject" and "/locks/" in call.params["Key"] for call in sent["calls"]
    )
    rest = sum(name not in PER_FUNCTION | POLLS for name in names) - looks
    print(
        f"{' '.join(args)}: {microseconds / 1e6:.2f} s, {each} calls for the functions, {rest}"
        f" others, {kibibytes / 1024:.1f} MB{' (sanitized)' if SANITIZED else ''}"
    )
    assert each <= 2 * service.COUNT and rest <= 16, proxy.show(mark)
    assert SANITIZED or kibibytes <= 40 * 1024


def test_a_rollback_serves_in_a_second(fifty, proxy, measure):
    for path in fifty.folder.glob("f*.js"):
        path.write_text(path.read_text().replace("'one'", "'two'"))
    fifty("deploy", "dev")
    client = fifty.account.client("lambda")

    def answer():
        return json.loads(
            client.invoke(FunctionName="fifty-f49", Qualifier="dev")["Payload"].read()
        )["code"]

    assert answer() == "two"
    client.invoke(FunctionName="fifty-f49", Qualifier="1")  # its process is there
    seen = []

    def watch():
        while not seen:
            if answer() == "one":
                seen.append(time.monotonic())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    mark, started, clock = proxy.mark(), time.monotonic(), time.time()
    check_cheap(fifty, proxy, measure, "rollback", "dev")
    watcher.join(60)
    moved = max(call.at + call.seconds for call in proxy.calls("lambda.UpdateAlias", mark)) - clock
    print(
        f"answered with the old code after {seen[0] - started:.2f} s, the last alias moved after"
        f" {moved:.2f} s"
    )
    assert {
        json.loads(client.invoke(FunctionName=f"fifty-f{n:02}", Qualifier="dev")["Payload"].read())[
            "code"
        ]
        for n in range(service.COUNT)
    } == {"one"}


def test_reset_and_clone_cost_little(fifty, proxy, measure):
    check_cheap(fifty, proxy, measure, "clone", "dev", "copy")
    fifty.edit("serverless.yml", "runtime: nodejs20.x", "runtime: nodejs20.x\n  memorySize: 256")
    fifty("deploy", "dev")
    check_cheap(fifty, proxy, measure, "reset", "copy", "--to", "dev")
    aliases = [function["aliases"] for function in fifty.world()["functions"].values()]
    assert all(alias["copy"]["version"] == alias["dev"]["version"] == "2" for alias in aliases)
