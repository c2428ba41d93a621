"""Several troupes at once: on one stage, on different ones, and different commands mixed.

Each has a folder and code of its own, so what is served tells who won. On one stage the first to
take the lease goes on and the others stop at once with exit 4; one that comes after the first has
finished is a deploy like any other and succeeds too. Either way: as many records, versions and
artifacts as deploys that succeeded, and nothing of the others.
"""

import base64
import io
import json
import re
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest

PREFIX = "troupe/shop/"
ROUNDS = {2: 12, 4: 8}  # twenty in all
STAGES = ("dev", "prod", "qa", "pr-7")


@pytest.fixture
def shops(troupe, tmp_path):
    """Folders with the same service; `write(shop, code)` gives one code of its own."""
    folders = [tmp_path / f"shop-{n}" for n in range(4)]
    troupe.use("shop")
    for folder in folders:
        shutil.copytree(troupe.folder, folder)
    return folders


def write(folder, code):
    path = folder / "handler.js"
    path.write_text(re.sub(r"const CODE = '.*'", f"const CODE = '{code}'", path.read_text()))


def together(troupe, commands):
    """Run (folder, arguments) at the same time; their results."""
    return [
        running.wait() for running in [troupe.start(*args, cwd=folder) for folder, args in commands]
    ]


class Seen:
    """What is there, in counts and names."""

    def __init__(self, troupe):
        self.troupe, self.world = troupe, troupe.world()
        buckets = [name for name in self.world["buckets"] if name.startswith("shop-")]
        self.bucket = buckets[0] if buckets else None
        self.keys = {
            key.removeprefix(PREFIX) for name in buckets for key in self.world["buckets"][name]
        }

    def count(self, kind):
        return len([key for key in self.keys if key.startswith(kind)])

    def records(self, stage):
        return {
            int(key.split("/")[2].split(".")[0])
            for key in self.keys
            if key.startswith(f"stages/{stage}/")
        }

    def versions(self):
        return sum(len(function["versions"]) for function in self.world["functions"].values())

    def read(self, key):
        return (
            self.troupe.account.client("s3")
            .get_object(Bucket=self.bucket, Key=PREFIX + key)["Body"]
            .read()
        )

    def json(self, key):
        return json.loads(self.read(key))

    def stages(self):
        return sorted(
            stack["tags"]["troupe:stage"]
            for stack in self.world["stacks"].values()
            if "troupe:stage" in stack["tags"]
        )


def consistent(troupe):
    """Every stage serves exactly what one succeeded record says: pointers, code, settings and
    answers.
    """
    seen, wanted = Seen(troupe), {}
    assert seen.count("locks/") == 0, "a lease stays behind"
    for stage in seen.stages():
        stack = seen.world["stacks"][f"shop-{stage}"]
        assert stack["status"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        place = f"stages/{stage}/{stack['outputs']['TroupeDeployment']}"
        record, versions = seen.json(f"{place}.json"), seen.json(f"{place}.versions.json")
        assert seen.json(f"{place}.outcome.json")["outcome"] == "succeeded"
        for number in seen.records(stage):
            assert f"stages/{stage}/{number}.outcome.json" in seen.keys, (
                f"{stage}#{number} has no outcome"
            )
        for key, entry in versions["functions"].items():
            function = seen.world["functions"][entry["name"]]
            alias = function["aliases"][stage]
            assert alias["version"] == entry["version"] and not alias["weights"]
            hexadecimal = record["functions"][key]["artifact"]
            artifact = seen.read(f"artifacts/{hexadecimal}.zip")
            sha = function["versions"][alias["version"]]["CodeSha256"]
            assert sha == base64.b64encode(bytes.fromhex(hexadecimal)).decode(), (
                f"{key} of {stage}: other code"
            )
            code = re.search(
                rb"const CODE = '(.*)'", zipfile.ZipFile(io.BytesIO(artifact)).read("handler.js")
            )[1].decode()
            wanted[stage, key] = code
        for id, entry in ((entry["id"], entry) for entry in versions["apis"].values()):
            assert (
                seen.world["rest_apis"][id]["stages"][stage]["deploymentId"] == entry["deployment"]
            )
            assert entry["deployment"] in seen.world["rest_apis"][id]["deployments"]
    assert answers(troupe, wanted) == wanted
    return seen


def answers(troupe, asked):
    """What (stage, function) answer when called, all at once."""

    def call(one):
        stage, key = one
        answer = troupe.call_rest(
            stage, "/hello" if key == "hello" else "/orders", "GET" if key == "hello" else "POST"
        ).json()
        assert key == "hello" or answer["stage"] == stage
        return answer["code"]

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(asked, pool.map(call, asked)))


@pytest.mark.parametrize("count", ROUNDS)
def test_one_stage(troupe, shops, count, record_property):
    """The first round creates the service and the stage: even then only one wins."""
    alone, before = 0, Seen(troupe)
    for turn in range(ROUNDS[count]):
        for n in range(count):
            write(shops[n], f"{turn}-{n}")
        results = together(troupe, [(shops[n], ("deploy", "dev")) for n in range(count)])
        told = "\n".join(map(str, results))
        winners = [n for n in range(count) if results[n].code == 0]
        assert winners and all(result.code in (0, 4) for result in results), told
        assert all(
            "dev" in result.err and "help:" in result.err for result in results if result.code
        ), told
        after = consistent(troupe)
        assert troupe.call_rest("dev", "/hello").json()["code"] in [
            f"{turn}-{n}" for n in winners
        ], told
        assert len(after.records("dev")) == len(before.records("dev")) + len(winners), told
        assert after.count("artifacts/") == before.count("artifacts/") + len(winners), told
        assert after.versions() == before.versions() + 2 * len(winners), told
        alone += len(winners) == 1
        before = after
    record_property("rounds with one winner", alone)
    assert alone >= ROUNDS[count] // 2, "they hardly ever met"


@pytest.mark.parametrize("count", ROUNDS)
def test_different_stages(troupe, shops, count):
    """All publish through the same heads, code and settings of their own. The first round creates
    the service. Who meets another at a head takes a turn: nobody is disturbed more often than there
    are others.
    """
    for turn in range(ROUNDS[count]):
        for n in range(count):
            write(shops[n], f"{turn}-{n}")
        results = together(troupe, [(shops[n], ("deploy", STAGES[n])) for n in range(count)])
        told = "\n".join(map(str, results))
        assert all(result.code == 0 for result in results), told
        assert all(
            result.err.count(f"{name}: somebody else") <= count
            for result in results
            for name in ("hello", "orders")
        ), told
        wanted = {(STAGES[n], "hello"): f"{turn}-{n}" for n in range(count)}
        assert answers(troupe, wanted) == wanted
        if turn % 4 < 3:
            continue
        seen = consistent(troupe)
        assert [len(seen.records(stage)) for stage in STAGES[:count]] == [turn + 1] * count
        assert seen.versions() == 2 * count * (turn + 1)


MIXED = [
    [("deploy", "dev"), ("rollback", "prod")],
    [("deploy", "dev"), ("rollback", "dev")],
    [("deploy", "dev"), ("reset", "prod", "--to", "dev")],
    [("deploy", "dev"), ("clone", "dev", "pr-7")],
    [("deploy", "qa"), ("deploy",)],
    [("rollback", "dev"), ("reset", "dev", "--to", "prod"), ("deploy", "dev"), ("repair", "dev")],
    [
        ("deploy", "dev"),
        ("rollback", "prod"),
        ("reset", "qa", "--to", "prod"),
        ("clone", "qa", "pr-7"),
    ],
    [("remove", "qa", "--yes"), ("reset", "dev", "--to", "qa"), ("deploy", "prod"), ("deploy",)],
    [
        ("remove", "dev", "--yes"),
        ("deploy", "dev"),
        ("rollback", "dev"),
        ("reset", "prod", "--to", "dev"),
    ],
    [
        ("prune", "--unused-for", "0s"),
        ("deploy", "dev"),
        ("rollback", "prod"),
        ("reset", "qa", "--to", "dev"),
    ],
    [
        ("prune", "--unused-for", "0s"),
        ("remove", "qa", "--yes"),
        ("clone", "dev", "pr-7"),
        ("prune", "--unused-for", "0s"),
    ],
    [
        ("deploy", "dev", "--function", "hello"),
        ("deploy", "prod", "--function", "hello"),
        ("repair", "qa"),
        ("deploy", "qa"),
    ],
]


def adds_a_record(result, before):
    command = result.args[0]
    if command == "remove":
        return result.args[1] in before.stages()
    return (
        command not in ("repair", "prune")
        and len(result.args) > 1
        and "nothing to do" not in result.out
    )


def is_nothing_to_do_it_with(result):
    return result.code == 1 and re.search(
        "there is no|is not deployed|nothing is older|is gone", result.err
    )


@pytest.mark.parametrize(
    "commands", MIXED, ids=[", ".join(command[0] for command in commands) for commands in MIXED]
)
def test_mixed_commands(troupe, shops, commands):
    """Each succeeds, or says why not (1: there is nothing to do it with, 3: it cannot be, 4:
    somebody else is at work) and changes nothing.
    """
    for code in ("one", "two"):
        write(troupe.folder, code)
        assert all(
            result.code == 0
            for result in together(
                troupe, [(troupe.folder, ("deploy", stage)) for stage in STAGES[:3]]
            )
        )
    for turn in range(2):
        for n, folder in enumerate(shops):
            write(folder, f"{turn}-{n}")
        before = Seen(troupe)
        results = together(troupe, [(shops[n], command) for n, command in enumerate(commands)])
        told = "\n".join(map(str, results))
        assert all(
            result.code in (0, 3, 4) or is_nothing_to_do_it_with(result) for result in results
        ), told
        assert any(result.code != 4 for result in results), told
        assert not [result for result in results if result.code and "error:" not in result.err], (
            told
        )
        after = consistent(troupe)
        added = sum(len(after.records(stage)) - len(before.records(stage)) for stage in STAGES)
        changed = [
            result for result in results if result.code == 0 and adds_a_record(result, before)
        ]
        assert added == len(changed), told
    stages = after.stages()
    assert all(
        result.code == 0
        for result in together(troupe, [(troupe.folder, ("deploy", stage)) for stage in stages])
    )
    assert set(answers(troupe, [(stage, "hello") for stage in stages]).values()) == {"two"}
