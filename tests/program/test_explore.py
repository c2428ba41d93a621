"""Configurations that nobody wrote, made again from the golden cases: what `package` makes of them
is what the reference made of them when tests/golden/explore/recorded.txt was written."""

import sys

import pytest
from run import PROGRAM, ROOT

EXPLORE = ROOT / "tests" / "golden" / "explore"
sys.path.insert(0, str(EXPLORE))

import explore  # noqa: E402
import generate  # noqa: E402

SEED, NAMES, ROWS = explore.recorded()


@pytest.fixture(scope="module")
def explorer():
    return explore.Explorer(generate.Pool(NAMES), PROGRAM)


@pytest.mark.parametrize("number", ROWS)
def test_explored(number, explorer, tmp_path):
    again = f"tests/golden/explore/explore.py --seed {SEED} --from {number} --count 1"
    config, came = ROWS[number]
    service, made = explorer.laid_out(SEED, number, tmp_path)
    if made != config:
        pytest.fail(
            "a golden case that takes part has changed: remove tests/golden/explore/recorded.txt"
            f" and record again (explore.py --seed {SEED} --count N --record)",
            pytrace=False,
        )
    template, said = explorer.troupes(service)
    if said and said.startswith((explore.CRASHED, explore.TIMED_OUT)):
        pytest.fail(f"{said}\nAgain: {again}", pytrace=False)
    if explorer.came(template) != came:
        pytest.fail(
            f"troupe {said or 'makes another template'}\n"
            f"The reference: {'refuses it' if came == 'refused' else 'makes a template'}. "
            f"See the difference with: {again}",
            pytrace=False,
        )


def test_enough_is_recorded():
    made = [came for _, came in ROWS.values() if came != "refused"]
    assert len(made) >= 80 and len(made) >= 0.7 * len(ROWS)
