"""Killed at any call of any command, before it is sent or after it took effect: the same command,
or `repair` and then the same command, reaches the end that it reaches undisturbed, and never did
another stage change.

A run tries some moments of each command (``MOMENTS``), others each time: the seed decides, and
every failure names its moment. ``TROUPE_TEST_KILLS=all`` tries them all;
``TROUPE_TEST_KILLS=deploy:17`` one, ``TROUPE_TEST_KILLS=deploy:17-40`` some.
"""

import os
import random

import pytest

from kills import COMMANDS
from world import EMPTY, leftovers

MOMENTS = 4
KILLS = os.environ.get("TROUPE_TEST_KILLS", "")
SEED = os.environ.get("TROUPE_TEST_SEED", "1")


def try_at(stand, moment):
    """``(hit, problems)`` of killing at a moment: even before a call, odd after its effect."""
    command, troupe, proxy = stand.command, stand.troupe, stand.proxy
    stand.put_back()
    rule = proxy.kill(1 + moment // 2, after=bool(moment % 2))
    killed = troupe(*command.args, check=False)
    proxy.clear()
    problems = []
    if rule.hits and killed.code != -9 or not rule.hits and killed.code != 0:
        problems.append(f"killed: {killed}")
    if not rule.hits and rule.seen < stand.calls * 0.6:
        problems.append(f"only {rule.seen} calls, undisturbed there are {stand.calls}")
    stand.wait_for_stacks()
    problems += stand.others("killed") + stand.half_done()
    # Both kinds of moments meet both ways on.
    repaired = command.repairs and command.stage and (moment // 2) % 2 == 1
    if repaired:
        problems += stand.repair()
    again = troupe(*command.args, check=False)
    if again.code not in (0, command.over):
        return rule.hits, problems + [f"again: {again}"]
    problems += stand.others("run again") + stand.end(repaired)
    return rule.hits, problems


def moments(command, calls):
    """Which moments to try, of two for each call."""
    if KILLS == "all":
        return range(2 * calls)
    if KILLS:
        name, _, some = KILLS.partition(":")
        first, _, last = some.partition("-")
        return (
            range(int(first), min(int(last or first) + 1, 2 * calls))
            if name == command.name
            else []
        )
    offset = random.Random(f"{SEED} {command.name}").randrange(2 * calls)
    # Odd steps, so that moments before and after a call's effect alternate.
    return sorted({(offset + n * (2 * calls // MOMENTS | 1)) % (2 * calls) for n in range(MOMENTS)})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_killed_and_run_again(stands, command):
    stand = stands(command)
    tried = hits = 0
    failed = []
    for moment in moments(command, stand.calls):
        hit, problems = try_at(stand, moment)
        tried, hits = tried + 1, hits + hit
        if problems:
            failed.append(
                f"--- {command.name}:{moment} of {2 * stand.calls} (seed {SEED})\n"
                + "\n".join(problems)
            )
    print(
        f"KILLED {command.name}: {stand.calls} calls, {tried} moments, {hits} killed, {len(failed)}"
        " failed"
    )
    assert not failed, "\n".join(failed)


def test_removing_leaves_nothing(troupe):
    """The end that killed removals are compared with."""
    troupe.use("shop")
    troupe("deploy", "dev")
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == leftovers(EMPTY)
