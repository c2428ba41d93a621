"""A network and an AWS that misbehave: every command ends well, or says clearly what was in its
way; the stage then is at one record, or known to be half done; no other stage changed; and the same
command again reaches the end that it reaches undisturbed.

A run tries some commands with each fault, others each time. ``TROUPE_TEST_FAULTS=all`` tries them
all, ``TROUPE_TEST_FAULTS=lost:deploy`` or ``=shift`` those with that in their name; the seed is
that of the kills.
"""

import json
import os
import random
import signal
import threading
import time

import pytest

from invariants import Records, told
from kills import COMMANDS
from world import of_stage

FAULTS = os.environ.get("TROUPE_TEST_FAULTS", "")
SEED = os.environ.get("TROUPE_TEST_SEED", "1")
COMMANDS_OF_A_RUN = 1
# What src/aws/client/retry.c has for the refusals of a service that is asked too much.
ATTEMPTS, BASE_S, MOST_S = 3, 1.0, 20.0
EXPIRED = "The security token included in the request is expired"


def throttled(proxy, seed, place):
    proxy.throttle(0.3, seed=seed)
    proxy.throttle(1, nth=place)


def broken(proxy, seed, place):
    proxy.fail(500, "InternalFailure", probability=0.1, seed=seed)
    proxy.fail(503, "ServiceUnavailable", nth=place)


def lost(proxy, seed, place):
    proxy.reset(probability=0.08, seed=seed)
    proxy.lose(probability=0.08, seed=seed + 1)
    proxy.lose(nth=place)


def late(proxy, seed, place):
    proxy.delay(2, probability=0.1, seed=seed, times=2)
    proxy.late(2, nth=place)


def expired(proxy, seed, place):
    """Credentials that end in the middle: from some call on nothing is allowed any more."""
    proxy.fail(403, "ExpiredTokenException", message=EXPIRED, since=place)


KINDS = {kind.__name__: kind for kind in (throttled, broken, lost, late, expired)}


def chosen():
    """``(kind, command)`` to try."""
    for kind in KINDS:
        if FAULTS == "all":
            picked = COMMANDS
        elif FAULTS:
            picked = [command for command in COMMANDS if FAULTS in f"{kind}:{command.name}"]
        else:
            # By place in the table, so that every run sees all parts of it.
            offset, step = (
                random.Random(f"{SEED} {kind}").randrange(len(COMMANDS)),
                len(COMMANDS) // COMMANDS_OF_A_RUN,
            )
            picked = [
                COMMANDS[(offset + n * step) % len(COMMANDS)] for n in range(COMMANDS_OF_A_RUN)
            ]
        yield kind, picked


def clear(kind, result):
    """Is the reason for giving up told?"""
    words = {
        "throttled": ["Rate exceeded", "HTTP status 503"],
        "broken": ["injected by the test"],
        "late": [],
        "lost": ["connection", "receive", "Connection", "answer"],
        "expired": ["expired"],
    }[kind]
    return "error:" in result.err and any(word in result.err for word in words)


def try_with(stand, kind, seed):
    """``(exit code, problems)``"""
    command, troupe, proxy = stand.command, stand.troupe, stand.proxy
    stand.put_back()
    mark = proxy.mark()
    # At least one call suffers; a run may be a little shorter than the undisturbed one.
    KINDS[kind](proxy, seed, random.Random(seed).randrange(1, stand.calls * 3 // 4 + 1))
    result = troupe(*command.args, check=False)
    proxy.clear()
    problems = []
    if result.code not in (0, 1, 5) or result.code and not clear(kind, result):
        problems.append(f"unclear: {result}")
    if not any(record.fault for record in proxy.records[mark:]):
        problems.append("nothing was disturbed")
    stand.wait_for_stacks()
    problems += stand.others("disturbed") + stand.half_done()
    if result.code == 1:  # 5 says itself that it is half done
        trouble = stand.trouble()
        problems += [
            f"{line}, after {result}" for line in trouble if line not in stand.trouble_before
        ]
    again = troupe(*command.args, check=False)
    if again.code not in (0, command.over):
        return result.code, problems + [f"again: {again}"]
    return result.code, problems + stand.others("run again") + stand.end(loosely=True)


@pytest.mark.parametrize("kind", KINDS)
def test_disturbed_and_run_again(stands, kind):
    codes, failed = {}, []
    for command in dict(chosen())[kind]:
        seed = random.Random(f"{SEED} {kind} {command.name}").randrange(10**6)
        code, problems = try_with(stands(command), kind, seed)
        codes[code] = codes.get(code, 0) + 1
        if problems:
            failed.append(f"--- {kind}:{command.name} (seed {SEED})\n" + "\n".join(problems))
    print(
        f"DISTURBED {kind}: {sum(codes.values())} commands, exit codes {codes}, {len(failed)}"
        " failed"
    )
    assert not failed, "\n".join(failed)


def deploy_stand(stands):
    stand = stands(next(command for command in COMMANDS if command.name == "deploy"))
    stand.put_back()
    return stand


def outcome_of_last(stand):
    return (
        Records(stand.account, "shop").last(stand.command.stage).get("outcome", {}).get("outcome")
    )


def test_a_stack_is_watched_through_bad_minutes(stands):
    """The update goes on whatever becomes of the questions about it."""
    stand = deploy_stand(stands)
    rules = [
        stand.proxy.fail(
            503, "ServiceUnavailable", operation="DescribeStackEvents", since=2, times=7
        ),
        stand.proxy.reset(operation="DescribeStackEvents", since=10, times=4),
    ]
    stand.troupe(*stand.command.args)
    stand.proxy.clear()
    assert [rule.hits > 3 for rule in rules] == [True, True]
    assert stand.end() == []


BUSY = "Stack:shop-dev is in UPDATE_IN_PROGRESS state and can not be updated."


@pytest.mark.parametrize("cut", ["the answer", "the answer once", "the watch"])
def test_a_stack_that_goes_on_unwatched_is_not_called_failed(stands, cut):
    """What becomes of the update is not known: the command says so, and the next one
    finishes it.
    """
    stand, last = deploy_stand(stands), 3  # before it are the service's, and what functions need

    def look_away(_):
        stand.proxy.fail(
            403, "ExpiredTokenException", message=EXPIRED, operation="DescribeStackEvents"
        )

    stand.proxy.rule("call", operation="UpdateStack", nth=last, function=look_away)
    if cut == "the answer":
        stand.proxy.lose(operation="UpdateStack", since=last)
    if cut == "the answer once":
        stand.proxy.lose(operation="UpdateStack", nth=last)
        stand.proxy.fail(
            400, "ValidationError", message=BUSY, operation="UpdateStack", nth=last + 1
        )
    result = stand.troupe(*stand.command.args, check=5)
    assert "'shop-dev'" in result.err and "CloudFormation goes on" in result.err, str(result)
    assert "run the same command again" in result.err or "log in again" in result.err, str(result)
    stand.proxy.clear()
    assert outcome_of_last(stand) is None
    stand.wait_for_stacks()
    stand.troupe(*stand.command.args)
    assert outcome_of_last(stand) == "succeeded"
    assert stand.others("run again") + stand.end() == []


def writes(stand):
    """Places of the calls that change something, in an undisturbed run."""
    return [place for place, record in enumerate(stand.records, 1) if record.writes]


def test_an_answer_that_is_lost_once_is_no_failure(stands):
    """Every change whose answer gets lost is sent again, and recognises that it took effect."""
    tried, failed = 0, []
    chance = random.Random(f"{SEED} lost-once")
    for command in COMMANDS if FAULTS else chance.sample(COMMANDS, 6):
        if FAULTS != "all" and FAULTS not in f"lost-once:{command.name}":
            continue
        stand = stands(command)
        places = writes(stand)
        if not FAULTS:
            places = random.Random(f"{SEED} {command.name}").sample(places, 1)
        for place in places:
            stand.put_back()
            rule = stand.proxy.lose(nth=place)
            result = stand.troupe(*command.args, check=False)
            stand.proxy.clear()
            stand.wait_for_stacks()
            problems = [] if result.code == 0 and rule.hits else [str(result)]
            if result.code != 0:
                stand.troupe(*command.args)
            problems += stand.others("disturbed") + stand.end(loosely=True)
            tried += 1
            if problems:
                failed.append(
                    f"--- {command.name}:{place} {stand.records[place - 1].name} (seed {SEED})\n"
                    + "\n".join(problems)
                )
    print(f"LOST ONCE {tried} answers, {len(failed)} failed")
    assert not failed, "\n".join(failed)


def ending(stand):
    """Places of the calls from the last change of a stack on, or of a pointer where no stack
    changes; all calls where neither does.
    """
    changes = {
        record.service: place for place, record in enumerate(stand.records, 1) if record.writes
    }
    first = changes.get("cloudformation") or changes.get("lambda") or 1
    return range(first, stand.calls + 1)


def called_failed(stand):
    """What a stage serves was deployed, whatever became of the questions afterwards."""
    number = told(stand.troupe.world(), stand.command.stage, "shop")
    record = Records(stand.account, "shop").stages.get(stand.command.stage, {}).get(number, {})
    return (
        ["what is served is recorded as failed"]
        if record.get("outcome", {}).get("outcome") == "failed"
        else []
    )


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.stage], ids=lambda command: command.name
)
def test_what_a_refusal_at_the_end_leaves_is_not_called_failed(stands, command):
    """One call after the last change of the stack is refused: the record says what the stage
    serves, or nothing, and the next command looks again.
    """
    stand, failed = stands(command), []
    places = ending(stand)
    for place in (
        places
        if FAULTS == "all"
        else random.Random(f"{SEED} {command.name}").sample(places, min(3, len(places)))
    ):
        stand.put_back()
        rule = stand.proxy.fail(403, "AccessDenied", message="injected by the test", nth=place)
        result = stand.troupe(*command.args, check=False)
        stand.proxy.clear()
        stand.wait_for_stacks()
        problems = [] if result.code == 0 or rule.hits and result.code in (1, 5) else [str(result)]
        problems += called_failed(stand) + stand.others("refused") + stand.half_done()
        again = stand.troupe(*command.args, check=False)
        problems += [] if again.code in (0, command.over) else [f"again: {again}"]
        problems += stand.others("run again") + stand.end(loosely=True)
        if problems:
            failed.append(
                f"--- {command.name}:{place} {stand.records[place - 1].name} (seed"
                f" {SEED})\n{result}\n" + "\n".join(problems)
            )
    print(f"REFUSED {command.name}: {len(places)} calls at the end, {len(failed)} failed")
    assert not failed, "\n".join(failed)


def same_call(record):
    """What two attempts of one call have in common."""
    return record.name, json.dumps(record.params, sort_keys=True, default=repr)


def chains(records):
    """The attempts of each call that was refused: lists of records, the last one let through or
    given up.
    """
    open_chains, found = {}, []
    for record in records:
        chain = open_chains.pop(same_call(record), [])
        chain.append(record)
        if record.fault:
            open_chains[same_call(record)] = chain
        if len(chain) == 1 and record.fault:
            found.append(chain)
    return found


def test_backing_off_from_throttling(stands):
    """Waits are drawn evenly between nothing and a bound that doubles: none is longer than its
    bound, on average they are half of it, and a call is sent no more often than it may.
    """
    stand, most = deploy_stand(stands), 5
    mark = stand.proxy.mark()
    stand.proxy.throttle(0.3, seed=1)
    stand.troupe(*stand.command.args, env={"AWS_MAX_ATTEMPTS": most}, check=False)
    stand.proxy.clear()
    stand.wait_for_stacks()
    refused = chains(stand.proxy.records[mark:])
    # Each wait as a share of its bound, and what a busy machine may take on top.
    waits = [
        ((second.at - first.at) / bound, 0.5 / bound, str(second))
        for chain in refused
        for n, (first, second) in enumerate(zip(chain, chain[1:]))
        for bound in [min(BASE_S * 2**n, MOST_S)]
    ]
    shares = [share for share, _, _ in waits]
    print(
        f"BACKOFF {len(waits)} repeats, on average after {sum(shares) / len(shares):.2f} of the"
        f" bound, {max(map(len, refused))} attempts at most"
    )
    assert len(waits) >= 15 and max(map(len, refused)) <= most
    assert not [wait for wait in waits if wait[0] > 1 + wait[1]]
    assert 0.3 < sum(shares) / len(shares) < 0.8, shares
    assert sum(share < 0.1 for share in shares) < len(shares) / 3, shares


def test_a_service_that_refuses_everything_is_asked_so_often(stands):
    stand = deploy_stand(stands)
    mark = stand.proxy.mark()
    stand.proxy.throttle(1, seed=1, operation="DescribeStacks")
    result = stand.troupe(*stand.command.args, env={"AWS_MAX_ATTEMPTS": ATTEMPTS}, check=1)
    stand.proxy.clear()
    assert "Rate exceeded" in result.err and "DescribeStacks" in result.err, str(result)
    assert len(stand.proxy.calls("cloudformation.DescribeStacks", mark)) == ATTEMPTS


# -- leases ----------------------------------------------------------------------------------------


def test_a_renewal_whose_answer_is_lost_is_no_loss(stands):
    """A lease is renewed every twenty seconds; one call takes longer."""
    stand = deploy_stand(stands)
    mark = stand.proxy.mark()
    stand.proxy.late(23, operation="UpdateFunctionCode", nth=1)
    rule = stand.proxy.lose(operation="PutObject", key="/locks/stage-dev", nth=2)
    stand.troupe(*stand.command.args)
    stand.proxy.clear()
    writes = [
        record
        for record in stand.proxy.calls("s3.PutObject", mark)
        if "/locks/stage-dev" in record.params["Key"]
    ]
    assert rule.hits and [record.status for record in writes] == [200, 200, 412], [
        str(record) for record in writes
    ]
    assert stand.others("disturbed") + stand.end() == []


@pytest.mark.skipif(FAULTS != "all", reason="takes a minute: TROUPE_TEST_FAULTS=all")
def test_a_holder_that_slept_too_long_stops(stands):
    """A laptop is closed in the middle of a deployment: somebody else comes, and the first one,
    woken up, leaves alone what is not its any more.
    """
    stand = deploy_stand(stands)
    stopped = threading.Event()

    def put_to_sleep(_):
        os.kill(stand.proxy.victim, signal.SIGSTOP)
        stopped.set()

    stand.proxy.rule("call", operation="PublishVersion", nth=1, function=put_to_sleep)
    first = stand.troupe.start(*stand.command.args)
    asleep = first.pid
    assert stopped.wait(60)
    try:
        assert stand.troupe(*stand.command.args, check=4).code == 4
        time.sleep(61)
        stand.troupe(*stand.command.args)
        done = stand.troupe.world()
    finally:
        os.kill(asleep, signal.SIGCONT)
    result = first.wait()
    assert result.code == 4 and "lease" in result.err, str(result)
    stand.proxy.clear()
    assert stand.troupe.stage("dev", "shop") == of_stage(done, "dev", "shop")
    assert stand.others("woken up") + stand.end(loosely=True) == []
