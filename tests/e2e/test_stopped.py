"""^C at different moments: what is said is true, whoever comes next need not wait, and the advice
leads out.
"""

import os
import signal

from shop import number, outcomes, served, versions
from test_rollback import three
from test_unlock import content


def stopped(troupe, proxy, *args, **at):
    """The command's result, after ^C in one of its calls."""
    running = []
    rule = proxy.rule("call", function=lambda _: os.kill(running[0].pid, signal.SIGINT), **at)
    running.append(troupe.start(*args))
    result = running[0].wait()
    proxy.clear()
    assert rule.hits, str(result)
    return result


def left_to_others(troupe):
    """Nobody holds the stage, on this machine or elsewhere, and what was begun is known."""
    lease = content(troupe)
    assert lease["broken"] and lease["of"] and "host" not in lease, lease
    assert "not locked" in troupe("unlock", "dev").out


def test_a_rollback_whose_stack_follows(troupe, proxy):
    states = three(troupe)
    result = stopped(
        troupe, proxy, "rollback", "dev", "--to", "1", operation="DescribeStackEvents", nth=1
    )
    assert result.code == 5 and "could not be moved" not in result.err, str(result)
    for words in (
        "CloudFormation goes on",
        "'dev' serves what it is to serve",
        "troupe repair dev",
    ):
        assert words in result.err, str(result)
    assert (served(troupe), versions(troupe)) == ("one", states[0])
    left_to_others(troupe)
    assert "rollback to 1" in troupe("repair", "dev").out
    assert (served(troupe), number(troupe), outcomes(troupe)[0]) == ("one", 4, "succeeded")
    assert "nothing to repair" in troupe("repair", "dev").out


def test_a_rollback_whose_pointers_move(troupe, proxy):
    """Of two pointers the one has moved: that is no safe point, and the next deployment takes it
    back.
    """
    states = three(troupe)
    result = stopped(troupe, proxy, "rollback", "dev", "--to", "1", operation="UpdateAlias", nth=2)
    assert (
        result.code == 5
        and "troupe repair dev" in result.err
        and "some functions of 'dev'" in result.err
    ), str(result)
    left_to_others(troupe)
    assert "was taken back" in troupe("deploy", "dev").out
    assert (served(troupe), versions(troupe), number(troupe)) == ("three", states[2], 3)


def test_a_pointer_that_may_not_be_moved(troupe, proxy):
    """The other one has moved: the record stays open, so that the next deployment puts it back."""
    states = three(troupe)
    proxy.fail(403, "AccessDeniedException", operation="UpdateAlias", nth=2)
    result = troupe("rollback", "dev", "--to", "1", check=5)
    assert "troupe repair dev" in result.err and "some functions of 'dev'" in result.err, str(
        result
    )
    proxy.clear()
    assert "was taken back" in troupe("deploy", "dev").out
    assert (served(troupe), versions(troupe), number(troupe)) == ("three", states[2], 3)


def test_a_deployment(shop, proxy):
    shop.edit("handler.js", "'one'", "'two'")
    result = stopped(shop, proxy, "deploy", "dev", operation="UpdateFunctionCode", nth=1)
    assert result.code == 130 and served(shop) == "one", str(result)
    left_to_others(shop)
    shop("deploy", "dev")
    assert (served(shop), outcomes(shop)[0]) == ("two", "succeeded")
