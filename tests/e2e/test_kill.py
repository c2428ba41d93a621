"""Killed at any call of any command, before it is sent or after it took effect: the same command, or
`repair` and then the same command, reaches the end that it reaches undisturbed, and never did another
stage change.

A run tries some moments of each command (``MOMENTS``), others each time: the seed decides, and every
failure names its moment. ``TROUPE_TEST_KILLS=all`` tries them all; ``TROUPE_TEST_KILLS=deploy:17`` one.
"""

import os
import random
import shutil
import time

import pytest

from invariants import Records, served, settled_problems, stage_problems, stages_of, told
from kills import COMMANDS
from world import EMPTY, differences, leftovers, of_stage, settled

MOMENTS = 4
KILLS = os.environ.get("TROUPE_TEST_KILLS", "")
SEED = os.environ.get("TROUPE_TEST_SEED", "1")


class Stand:
    """A troupe whose account and folder go back to what they were when the command had not run."""

    def __init__(self, command, troupe, starts):
        self.command, self.troupe, self.account, self.proxy = command, troupe, troupe.account, troupe.proxy
        self.kept = troupe.folder.parent / "kept" / command.name
        start = troupe.folder.parent / "kept" / command.start.__name__
        if command.start not in starts:
            self.account.put_back("empty") if starts else self.account.keep("empty")
            self.empty_folder()
            command.start(troupe)
            starts.add(command.start)
            self.keep(start)
        self.put_back(start)
        if command.prepare:
            command.prepare(troupe)
        self.keep(self.kept)
        self.before = troupe.world()
        mark = self.proxy.mark()
        troupe(*command.args)
        self.calls = len(self.proxy.calls(since=mark))
        self.wanted = troupe.world()
        self.strict, self.loose = settled(self.wanted, self.account.id), served(self.wanted, self.account)

    def empty_folder(self):
        shutil.rmtree(self.troupe.folder)
        self.troupe.folder.mkdir()

    def keep(self, place):
        self.account.keep(place.name)
        shutil.copytree(self.troupe.folder, place)

    def put_back(self, place=None):
        place = place or self.kept
        self.account.put_back(place.name)
        self.empty_folder()
        shutil.copytree(place, self.troupe.folder, dirs_exist_ok=True)

    # -- one moment --------------------------------------------------------------------------------

    def wait_for_stacks(self):
        """What was under way when the command was killed goes on by itself."""
        client = self.account.client("cloudformation")
        for _ in range(400):
            stacks = client.describe_stacks()["Stacks"]
            if not [stack for stack in stacks if stack["StackStatus"].endswith("IN_PROGRESS")]:
                return
            time.sleep(0.025)
        raise AssertionError("a stack does not settle")

    def try_at(self, moment):
        """``(hit, problems)`` of killing at a moment: even before a call, odd after its effect."""
        command, troupe = self.command, self.troupe
        self.put_back()
        rule = self.proxy.kill(1 + moment // 2, after=bool(moment % 2))
        killed = troupe(*command.args, check=False)
        self.proxy.clear()
        problems = []
        if rule.hits and killed.code != -9 or not rule.hits and killed.code != 0:
            problems.append(f"killed: {killed}")
        if not rule.hits and rule.seen < self.calls * 0.6:
            problems.append(f"only {rule.seen} calls, undisturbed there are {self.calls}")
        self.wait_for_stacks()
        problems += self.others("killed") + self.half_done()
        # Both kinds of moments meet both ways on.
        repaired = command.repairs and command.stage and (moment // 2) % 2 == 1
        if repaired:
            problems += self.repair()
        again = troupe(*command.args, check=False)
        if again.code != 0:
            return rule.hits, problems + [f"again: {again}"]
        problems += self.others("run again") + self.end(repaired)
        return rule.hits, problems

    def others(self, when):
        """Stages that have nothing to do with it are what they were."""
        now = self.troupe.world()
        return [f"{when}: {stage} changed: {line}" for stage in self.command.others
                for line in differences(of_stage(now, stage, "shop"), of_stage(self.before, stage, "shop"))]

    def half_done(self):
        """A stage that serves no single record is known to be half done."""
        stage, world = self.command.stage, self.troupe.world()
        if stage not in stages_of(world, "shop") or told(world, stage, "shop") is None:
            return []
        wrong = stage_problems(world, Records(self.account, "shop"), stage, "shop")
        if not wrong:
            return []
        plan = self.troupe("repair", stage, "--plan", "--json", check=False)
        return [] if plan.code == 0 and plan.json["findings"] else [f"{wrong}, but {plan}"]

    def repair(self):
        """What `repair` leaves is a stage at one record, before the command or after it."""
        stage = self.command.stage
        result = self.troupe("repair", stage, check=False)
        world = self.troupe.world()
        if result.code == 3 and told(world, stage, "shop") is None:
            return []  # it serves nothing, and the message says so
        if result.code != 0:
            return [f"repaired: {result}"]
        problems = settled_problems(world, Records(self.account, "shop"), "shop")
        return [f"repaired: {line}" for line in problems] + self.others("repaired")

    def end(self, repaired):
        world = self.troupe.world()
        records = Records(self.account, "shop")
        lines = differences(served(world, self.account), self.loose) if repaired else \
            differences(settled(world, self.account.id), self.strict)
        lines += settled_problems(world, records, "shop")
        for stage in self.command.gone:
            last = records.last(stage)
            if last["body"]["what"] != "remove" or last.get("outcome", {}).get("outcome") != "succeeded":
                lines.append(f"{stage}: its last record is {last}, not its removal")
        locks = [key for key in records.keys if "/locks/" in key]
        return [f"end: {line}" for line in lines] + self.locks(locks)

    def locks(self, keys):
        """No lease is left behind for the next command to wait for. (A removal that lacks nothing but
        that takes none again: it runs out.)"""
        if self.command.gone:
            return []
        known = {key for objects in self.wanted["buckets"].values() for key in objects}
        return [f"end: {key} is left" for key in keys if key not in known]


def moments(command, calls):
    """Which moments to try, of two for each call."""
    if KILLS == "all":
        return range(2 * calls)
    if KILLS:
        name, _, moment = KILLS.partition(":")
        return [int(moment)] if name == command.name else []
    offset = random.Random(f"{SEED} {command.name}").randrange(2 * calls)
    # Odd steps, so that moments before and after a call's effect alternate.
    return sorted({(offset + n * (2 * calls // MOMENTS | 1)) % (2 * calls) for n in range(MOMENTS)})


@pytest.fixture(scope="module")
def bench(cloud, tmp_path_factory):
    """One troupe for all commands, and which starts its account remembers."""
    from conftest import Proxy, closed, new_account, new_troupe
    account = new_account(cloud)
    proxy = Proxy(cloud.endpoint, account.id)
    yield new_troupe(tmp_path_factory.mktemp("kills") / "one", account, proxy), set()
    closed(proxy)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_killed_and_run_again(bench, command):
    troupe, starts = bench
    stand = Stand(command, troupe, starts)
    tried = hits = 0
    failed = []
    for moment in moments(command, stand.calls):
        hit, problems = stand.try_at(moment)
        tried, hits = tried + 1, hits + hit
        if problems:
            failed.append(f"--- {command.name}:{moment} of {2 * stand.calls} (seed {SEED})\n" + "\n".join(problems))
    print(f"KILLED {command.name}: {stand.calls} calls, {tried} moments, {hits} killed, {len(failed)} failed")
    assert not failed, "\n".join(failed)


def test_removing_leaves_nothing(troupe):
    """The end that killed removals are compared with."""
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == leftovers(EMPTY)
