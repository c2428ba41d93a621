import pytest

from cloud import Cloud, Tools


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    running = Cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def aws(cloud):
    return Tools(cloud)


@pytest.fixture(scope="session")
def slow(tmp_path_factory):
    """Tools of a cloud where functions and stacks take so long that a test sees what goes on meanwhile."""
    running = Cloud(tmp_path_factory.mktemp("slow"), TROUPE_CLOUD_FUNCTION_UPDATE_MS="4000",
                    TROUPE_CLOUD_STACK_MS="4000")
    yield Tools(running)
    running.stop()
