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
