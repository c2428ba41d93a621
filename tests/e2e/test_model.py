"""Random sequences of commands against a model (model.py): after every step, AWS must be as it
says.

What is there is read with boto3 and by calling the service, never from troupe. Seed and number of
steps: TROUPE_MODEL_SEED and TROUPE_MODEL_STEPS (steps of each sequence). What failed is printed
with its steps; TROUPE_MODEL_REPLAY='[...]' plays them, TROUPE_MODEL_SHRINK=1 leaves out what it
can.
"""

import hashlib
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import model as models
from model import AWAY, SERVICE, Model, named, random_step
from world import World, differences, of_stage

SEQUENCES = 4
STEPS = int(os.environ.get("TROUPE_MODEL_STEPS", "55"))
REPLAY = os.environ.get("TROUPE_MODEL_REPLAY")
HOME = "us-east-1"
OWN = tuple(
    f"{SERVICE}-{named(stage)}-" for stage in models.STAGES
)  # names of a stage's own functions begin so
PREFIX = f"troupe/{SERVICE}/"


def region_of(stage):
    return stage.partition("@")[2] or HOME


class Region:
    """What AWS holds in a region at one moment."""

    def __init__(self, account, name):
        self.world = World(lambda service: account.client(service, name)).snapshot()
        self.times = {
            stack["StackName"]: (
                stack["StackId"],
                stack["CreationTime"],
                stack.get("LastUpdatedTime"),
            )
            for stack in account.client("cloudformation", name).describe_stacks()["Stacks"]
        }


class Observed:
    """What AWS holds at one moment. The other region is looked at once there is something in it."""

    def __init__(self, account, away):
        self.regions = {name: Region(account, name) for name in ([HOME, AWAY] if away else [HOME])}
        self.world = self.regions[HOME].world
        buckets = [
            objects
            for name, objects in self.world["buckets"].items()
            if name.startswith(f"{SERVICE}-serverlessdeploymentbucket")
        ]
        self.objects = {
            key.removeprefix(PREFIX): tag
            for objects in buckets
            for key, tag in objects.items()
            if key.startswith(PREFIX)
        }

    def where(self, stage):
        """The world that a stage is in."""
        return self.regions[region_of(stage)].world

    def stage(self, stage):
        if region_of(stage) not in self.regions:
            return None
        region = self.regions[region_of(stage)]
        return {
            **of_stage(region.world, named(stage), SERVICE),
            "times": region.times.get(f"{SERVICE}-{named(stage)}"),
        }

    def shared_apis(self):
        """Of those that stages share: the kind, the deployments, and which one each stage has."""
        return {
            id: (
                kind,
                api["deployments"],
                {name: stage[member] for name, stage in api["stages"].items()},
            )
            for kind, member in (("rest", "deploymentId"), ("http", "DeploymentId"))
            for id, api in self.world[f"{kind}_apis"].items()
            if api["name"] == SERVICE
        }

    def snapshots(self, stage, names):
        """Function -> version and API -> deployment that a stage points at, of those that stages
        share.
        """
        if region_of(stage) != HOME:
            return {}
        versions = {
            name: self.world["functions"][name]["aliases"][stage]["version"] for name in names
        }
        return versions | {
            id: stages[stage]
            for id, (_, _, stages) in self.shared_apis().items()
            if stage in stages
        }

    def snapshots_and_objects(self):
        """Versions of shared functions, deployments, and what records name in the bucket."""
        found = {
            ("object", key)
            for key in self.objects
            if key.startswith(("artifacts/", "templates/", "sources/"))
        }
        found |= {
            ("version", name, version)
            for name, function in self.world["functions"].items()
            for version in function["versions"]
            if not name.startswith(OWN)
        }
        return found | {
            ("deployment", id, deployment)
            for id, (_, deployments, _) in self.shared_apis().items()
            for deployment in deployments
        }


class Run:
    """One sequence in an account of its own."""

    def __init__(self, troupe):
        self.troupe, self.account = troupe, troupe.account
        self.model, self.steps = Model(), []
        self.hashes = {}  # function's code -> CodeSha256
        self.pool = ThreadPoolExecutor(8)
        self.away = False  # was anything done in the other region?
        self.observed = Observed(self.account, self.away)

    def step(self, step):
        self.steps.append(step)
        before, expected = self.observed, self.model.do(step)
        for file in self.troupe.folder.glob("*.js"):
            file.unlink()
        self.troupe.write(
            self.model.files if expected.broken else models.files(self.model.description)
        )
        # Only a deploy reads the environment; the others have the recorded value.
        kept = self.model.description["kept"] if expected.args[0] == "deploy" else "never"
        self.troupe(*expected.args, "--yes", check=expected.code or True, env={"KEPT": kept})
        self.away = self.away or f"dev@{AWAY}" in self.model.records
        self.observed = Observed(self.account, self.away)
        self.service_is_right()
        if not expected.changes:
            self.nothing_changed(before)
            return
        self.only_this_stage_changed(before, expected.stage)
        if step[0] == "prune":
            self.only_collected_is_gone(before)
        else:
            self.nothing_was_lost(before)
        if expected.stage in self.model.current:
            self.learn(expected.stage)
            self.snapshots_are_kept(expected)
        self.records_are_right()
        for stage in self.model.current:
            self.serves(stage, everything=stage == expected.stage)

    # -- what may have changed ---------------------------------------------------------------------

    def nothing_changed(self, before):
        for name, region in before.regions.items():
            assert differences(self.observed.regions[name].world, region.world) == []
            assert self.observed.regions[name].times == region.times

    def only_this_stage_changed(self, before, changed):
        for stage in models.STAGES:
            if stage != changed and region_of(stage) in before.regions:
                assert differences(self.observed.stage(stage), before.stage(stage)) == [], (
                    f"'{stage}' changed"
                )

    def nothing_was_lost(self, before):
        """Records, versions and deployments stay as they were. What has no kept record may leave
        the service's stack; a stage's own functions go with it.
        """
        for key, tag in before.objects.items():
            if key.startswith("parts/"):
                continue
            assert self.observed.objects.get(key) == tag, f"{key} changed or is gone"
        for name, function in before.world["functions"].items():
            now = self.observed.world["functions"].get(name)
            own = name.startswith(OWN)
            if now is None:
                assert own or name not in self.kept_functions(), f"{name} is gone"
                continue
            for version, content in function["versions"].items():
                assert own or now["versions"].get(version) == content, (
                    f"version {version} of {name} changed or is gone"
                )
        for id, (kind, deployments, _) in before.shared_apis().items():
            now = self.observed.shared_apis().get(id)
            if now is None:
                assert not any(
                    view[kind] and not view[f"own {kind}"] for view in self.kept_views()
                ), f"API {id} is gone"
                continue
            missing = set(deployments) - set(now[1])
            assert not missing, f"deployments are gone: {missing}"

    def kept_views(self):
        return [
            record.view
            for records in self.model.records.values()
            for record in records.values()
            if record.view and not record.collected
        ]

    def kept_functions(self):
        return {name for view in self.kept_views() for name in view["functions"]}

    def only_collected_is_gone(self, before):
        """Exactly what no kept record names; everything else is as it was."""
        named = {True: set(), False: set()}
        for stage, records in self.model.records.items():
            for number, record in records.items():
                named[record.collected] |= (
                    self.named(f"stages/{stage}/{number}") if record.what != "remove" else set()
                )
        assert named[False] <= self.observed.snapshots_and_objects(), (
            "a kept record names what is not there"
        )
        gone = before.snapshots_and_objects() - self.observed.snapshots_and_objects()
        assert gone == (named[True] - named[False]) & before.snapshots_and_objects()
        for key in set(before.objects) & set(self.observed.objects):
            assert self.observed.objects[key] == before.objects[key], f"{key} changed"

    def named(self, place):
        """The snapshots and objects a record names."""
        body, versions = self.read(f"{place}.json"), self.read(f"{place}.versions.json")
        found = {("object", f"sources/{body['sources']}.json")}
        found |= {("object", f"artifacts/{f['artifact']}.zip") for f in body["functions"].values()}
        found |= (
            {("object", f"templates/{versions['stage_template']}.json")}
            if "stage_template" in versions
            else set()
        )
        found |= {("version", f["name"], f["version"]) for f in versions["functions"].values()}
        return found | {
            ("deployment", api["id"], api["deployment"]) for api in versions["apis"].values()
        }

    # -- records -----------------------------------------------------------------------------------

    def read(self, key):
        (bucket,) = [
            name
            for name in self.observed.world["buckets"]
            if name.startswith(f"{SERVICE}-serverlessdeploymentbucket")
        ]
        return json.loads(
            self.account.client("s3").get_object(Bucket=bucket, Key=PREFIX + key)["Body"].read()
        )

    def records_are_right(self):
        """As many as the model has, and the newest of each stage says what happened."""
        wanted = {
            f"stages/{stage}/region.json"
            for stage in self.model.records
            if region_of(stage) != HOME
        }
        for stage, records in self.model.records.items():
            for number, record in records.items():
                place = f"stages/{stage}/{number}"
                wanted |= {f"{place}.json", f"{place}.outcome.json"}
                wanted |= set() if record.what == "remove" else {f"{place}.versions.json"}
                wanted |= (
                    {f"{place}.collected.json", f"{place}.gone.json"} if record.collected else set()
                )
            number = max(records)
            body, outcome = (
                self.read(f"stages/{stage}/{number}.json"),
                self.read(f"stages/{stage}/{number}.outcome.json"),
            )
            assert (body["what"], outcome["outcome"]) == (
                records[number].what,
                records[number].outcome,
            )
            if records[number].what != "remove" and not records[number].collected:
                assert (body["before"], body.get("restores", 0)) == (
                    records[number].before,
                    records[number].restores,
                )
                missing = (
                    self.named(f"stages/{stage}/{number}") - self.observed.snapshots_and_objects()
                )
                assert not missing, "a record names what is not there"
        found = {
            key
            for key in self.observed.objects
            if not key.startswith(("artifacts/", "templates/", "sources/", "parts/"))
        }
        assert found - {"key"} == wanted

    def service_is_right(self):
        """The service's topics are those that any kept record needs, as the service was deployed
        last.
        """
        found = {}
        if SERVICE in self.observed.world["stacks"]:
            found = self.resources(SERVICE, HOME, "AWS::SNS::Topic")
        assert set(found) == set(self.model.shared), "topics of the service"
        self.topics_are_right(found, self.model.shared, HOME)
        self.model.arns = found

    def topics_are_right(self, arns, wanted, region):
        client = self.account.client("sns", region)
        for id, shown in wanted.items():
            assert (
                client.get_topic_attributes(TopicArn=arns[id])["Attributes"]["DisplayName"] == shown
            ), f"topic {id}"

    def resources(self, stack, region, kind):
        """Those of a stack and of its nested stacks, of a type: logical id -> physical id."""
        found = {}
        for item in self.account.client("cloudformation", region).describe_stack_resources(
            StackName=stack
        )["StackResources"]:
            if item["ResourceType"] == "AWS::CloudFormation::Stack":
                found |= self.resources(item["PhysicalResourceId"], region, kind)
            elif item["ResourceType"] == kind:
                found[item["LogicalResourceId"]] = item["PhysicalResourceId"]
        return found

    def learn(self, stage):
        stack, region = f"{SERVICE}-{named(stage)}", region_of(stage)
        self.queues = self.resources(stack, region, "AWS::SQS::Queue")
        self.topics = self.resources(stack, region, "AWS::SNS::Topic")
        shared = [
            name for name, f in self.model.now(stage).view["functions"].items() if not f["own"]
        ]
        missing = [
            name
            for name in shared
            if stage not in self.observed.world["functions"].get(name, {}).get("aliases", {})
        ]
        assert not missing, f"no alias '{stage}' of {missing}"
        self.model.learn(stage, self.queues | self.topics, self.observed.snapshots(stage, shared))

    def snapshots_are_kept(self, expected):
        """A rollback, and a reset --exact, bring the very versions; new ones only where values
        differ.
        """
        now, like = self.model.now(expected.stage), expected.like
        for name, function in now.view["functions"].items() if like else ():
            if (
                not function["own"]
                and like.view["functions"].get(name) == function
                and like.role is now.role
            ):
                assert now.snapshots[name] == like.snapshots[name], f"{name} has another version"

    # -- what is served ----------------------------------------------------------------------------

    def serves(self, stage, everything):
        record, world = self.model.now(stage), self.observed.where(stage)
        stack = world["stacks"][f"{SERVICE}-{named(stage)}"]
        assert stack["status"].endswith("_COMPLETE")
        assert stack["outputs"]["TroupeDeployment"] == str(self.model.current[stage])
        for name, function in record.view["functions"].items():
            self.points_at(stage, name, function)
        aliases = {
            name
            for name, function in world["functions"].items()
            if named(stage) in function["aliases"]
        }
        assert aliases == set(record.view["functions"]), f"functions with an alias '{stage}'"
        written = self.read(f"stages/{stage}/{self.model.current[stage]}.versions.json")
        snapshots = {f["name"]: f["version"] for f in written["functions"].values()}
        snapshots |= {api["id"]: api["deployment"] for api in written["apis"].values()}
        assert (
            snapshots
            == record.snapshots
            == self.observed.snapshots(
                stage, [name for name, f in record.view["functions"].items() if not f["own"]]
            )
        )
        if everything:
            assert set(self.queues) == set(record.view["queues"])
            self.queues_are_right(record, region_of(stage))
            assert set(self.topics) == set(record.view["topics"])
            assert len(
                self.resources(f"{SERVICE}-{named(stage)}", region_of(stage), "AWS::SSM::Parameter")
            ) == (models.BIG[0] if record.view["big"] else 0)
            self.topics_are_right(self.topics, record.view["topics"], region_of(stage))
            parts = [
                name
                for name in world["stacks"]
                if name.startswith(f"{SERVICE}-{named(stage)}-TroupePart")
            ]
            assert parts or not record.view["big"], "too large for one stack"
            self.answers(stage, record)

    def points_at(self, stage, name, wanted):
        world = self.observed.where(stage)
        function = world["functions"][name]
        alias = function["aliases"][named(stage)]
        content = function["versions"][alias["version"]]
        assert not alias["weights"] or not alias["weights"].get("AdditionalVersionWeights")
        got = (content["MemorySize"], content.get("Environment", {}).get("Variables", {}))
        assert got == (wanted["memory"], wanted["env"]), f"{name} of '{stage}'"
        known = self.hashes.setdefault((wanted["key"], wanted["code"]), content["CodeSha256"])
        assert content["CodeSha256"] == known, f"{name} of '{stage}' has other code"
        assert content["LoggingConfig"]["LogGroup"] == wanted["log"], (
            f"{name} of '{stage}' logs elsewhere"
        )
        assert wanted["log"] in world["log_groups"], (
            f"{name} of '{stage}' logs into a group that is gone"
        )
        role = content["Role"].rpartition("/")[2]
        assert role in world["roles"], f"{name} runs under a role that is gone"

    def queues_are_right(self, record, region):
        for id, url in self.queues.items():
            attributes = self.account.client("sqs", region).get_queue_attributes(
                QueueUrl=url, AttributeNames=["VisibilityTimeout"]
            )
            assert int(attributes["Attributes"]["VisibilityTimeout"]) == record.view["queues"][id]

    def answers(self, stage, record):
        """Call everything that can be called, and what must not be there."""
        view, world, short = record.view, self.observed.where(stage), named(stage)

        def answer(name):
            function = view["functions"].get(name)
            return function and {key: function[key] for key in ("key", "code", "env")}

        def invoke(name):
            got = self.account.client("lambda", region_of(stage)).invoke(
                FunctionName=name, Qualifier=short, Payload=b'{"raw": true}'
            )
            return name, json.loads(got["Payload"].read()), answer(name)

        def call(kind, url, path):
            if kind == "rest" and view["own rest"] and path not in view[kind]:
                return (
                    path,
                    None,
                    None,
                )  # CloudFormation deletes methods after it has made the deployment: docs/design.md
            got = requests.get(f"{self.troupe.proxy.endpoint}{url}{path}", timeout=30)
            body = (
                got.json()
                if got.status_code == 200
                else got.status_code
                if got.status_code not in (403, 404)
                else None
            )
            return f"{kind} {path}", body, answer(view[kind].get(path))

        rest = [
            f"/restapis/{id}/{short}/_user_request_"
            for id, api in world["rest_apis"].items()
            if short in api["stages"]
        ]
        http = [
            f"/_aws/execute-api/{id}/{'$default' if view['own http'] else short}"
            for id, api in world["http_apis"].items()
            if (api["name"].startswith(f"{short}-") if view["own http"] else short in api["stages"])
        ]
        assert (len(rest), len(http)) == (bool(view["rest"]), bool(view["http"])), "APIs"
        calls = [self.pool.submit(invoke, name) for name in view["functions"]]
        calls += [
            self.pool.submit(call, kind, url, path)
            for kind, urls in (("rest", rest), ("http", http))
            for url in urls
            for path in models.PATHS
        ]
        for what, got, wanted in [one.result() for one in calls]:
            assert got == wanted, f"{what} of '{stage}'"


def play(troupe, steps):
    """Play steps; the index of the one that failed and why, or None."""
    run = Run(troupe)
    for n, step in enumerate(steps):
        try:
            run.step(step)
        except AssertionError as error:
            return n, error
    return None


def shrink(steps, make):
    """Leave out steps, many at once at first, as long as what remains fails."""
    size = len(steps) // 2
    while size:
        at = len(steps) - 1 - size
        while at > -size:
            fewer = steps[: max(at, 0)] + steps[at + size :]
            if failure := play(make(), fewer):
                steps = fewer[: failure[0] + 1]
            at -= size
        size //= 2
    return steps


def play_or_tell(troupe, troupes, steps, source):
    """Play what `source(run)` gives, step by step; on failure say how to see it again."""
    run = Run(troupe)
    try:
        for _ in range(steps):
            run.step(source(run))
    except AssertionError as error:
        failing = shrink(run.steps, troupes) if os.environ.get("TROUPE_MODEL_SHRINK") else run.steps
        shown = ",\n  ".join(json.dumps(step) for step in failing)
        raise AssertionError(
            f"{error}\n\nstep {len(run.steps)} failed; again with TROUPE_MODEL_REPLAY='[\n "
            f" {shown}]'"
        ) from error
    return run


@pytest.mark.parametrize("sequence", range(1 if REPLAY else SEQUENCES))
def test_random_sequences(troupe, troupes, sequence):
    if REPLAY:
        steps = json.loads(REPLAY)
        play_or_tell(troupe, troupes, len(steps), lambda run: steps[len(run.steps)])
        return
    seed = os.environ.get("TROUPE_MODEL_SEED") or str(random.SystemRandom().randrange(1 << 32))
    print(f"TROUPE_MODEL_SEED={seed}, sequence {sequence}, {STEPS} steps")
    rng = random.Random(int(hashlib.sha256(f"{seed}/{sequence}".encode()).hexdigest(), 16))
    play_or_tell(
        troupe, troupes, STEPS, lambda run: random_step(rng, run.model, run.steps and run.steps[-1])
    )
