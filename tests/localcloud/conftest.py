import os
import random

import pytest

from cloud import Cloud, Tools, dealt

# What takes long: a server of its own, or a stack that is slow.
LONG = ("test_start.py", "test_persist.py", "test_nested.py", "test_states.py", "test_runtime.py")


def pytest_configure():
    """One seed for all clouds of a run; a given one repeats it."""
    os.environ.setdefault("TROUPE_CLOUD_SEED", str(random.randrange(10**6)))


def pytest_collection_modifyitems(items):
    # What `schedule` made is to have been called when all is over, a minute later.
    items.sort(key=lambda item: "schedule" not in item.fixturenames)
    items[:] = dealt(items, lambda item: item.path.name in LONG or "schedule" in item.fixturenames)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """What fails says with which seed."""
    report = (yield).get_result()
    if report.failed:
        report.sections.append(("seed", f"TROUPE_CLOUD_SEED={os.environ['TROUPE_CLOUD_SEED']}"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud"), TROUPE_CLOUD_STACK_CHANGES="250")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def aws(cloud):
    return Tools(cloud)


@pytest.fixture(scope="session")
def slow(tmp_path_factory):
    """Tools of a cloud where functions and stacks take so long that a test sees what goes on
    meanwhile.
    """
    running = Cloud(
        tmp_path_factory.mktemp("slow"),
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="4000",
        TROUPE_CLOUD_STACK_MS="4000",
    )
    yield Tools(running)
    running.stop()
