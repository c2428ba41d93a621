"""Files that are no files, names that are no text, limits of the system: a message, in time, and
nothing left behind."""

import os
import resource
import signal
import socket

import pytest
from run import environment, small_service, troupe

SERVICE = (
    "service: bad\nprovider: {name: aws, runtime: nodejs20.x}\nfunctions: {hello: {handler:"
    " handler.hello}}\n"
)
KINDS = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": lambda path: bound(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a directory": lambda path: path.mkdir(),
}
# What the file is asked for as: (its name, what serverless.yml says besides)
USES = {
    "file()": ("thing.yml", "custom: {a: '${file(./thing.yml)}'}\n"),
    "file() as text": ("thing.txt", "custom: {a: '${file(./thing.txt)}'}\n"),
    "artifact": ("thing.zip", "package: {artifact: thing.zip}\n"),
    ".env": (".env", "useDotenv: true\n"),
    ".env of the stage": (".env.dev", "useDotenv: true\n"),
    "--config": ("other.yml", ""),
}


def bound(path):
    here = os.getcwd()
    os.chdir(path.parent)  # names of sockets are short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


@pytest.fixture
def service(tmp_path):
    return small_service(tmp_path, SERVICE)


def run(service, *args, **how):
    return troupe(*args, cwd=service, env=environment(service.parent), **how)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", USES)
def test_no_regular_file(service, kind, use):
    name, says = USES[use]
    (service / "serverless.yml").write_text(SERVICE + says)
    KINDS[kind](service / name)
    done = run(service, "package", *(["--config", name] if use == "--config" else []))
    assert done.returncode == 2, done
    assert kind in done.stderr and name in done.stderr, done.stderr
    assert not (service / ".serverless").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_service_file_is_none(service, kind):
    (service / "serverless.yml").unlink()
    KINDS[kind](service / "serverless.yml")
    done = run(service, "package")
    assert done.returncode in (1, 2) and "serverless.yml" in done.stderr, done.stderr


def test_what_is_no_file_is_not_packed(service):
    """As in the reference, which looks for files alone."""
    for number, make in enumerate(KINDS.values()):
        make(service / f"other{number}")
    assert run(service, "package").returncode == 0


@pytest.mark.parametrize("size", [17 << 20, 3 << 30])
def test_larger_than_any_text(service, size):
    (service / "serverless.yml").write_text(SERVICE + "custom: {a: '${file(./large.yml)}'}\n")
    with open(service / "large.yml", "wb") as file:
        file.truncate(size)
    done = run(service, "print")
    assert done.returncode == 2 and "large.yml" in done.stderr, done.stderr


def test_name_that_is_no_text(service):
    (service / os.fsdecode(b"na\xffme.js")).write_text("x")
    done = run(service, "package")
    assert done.returncode == 2 and "'na\\xffme.js'" in done.stderr and "help" in done.stderr, (
        done.stderr
    )
    (service / "serverless.yml").write_text(SERVICE + "package: {patterns: ['!na*']}\n")
    assert run(service, "package").returncode == 0


def test_file_size_limit(service):
    """As a full disk: the message says which file, and no part of it stays (see
    test_packing.py).
    """
    (service / "data").write_bytes(os.urandom(1 << 20))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    done = run(service, "package", preexec_fn=limit)
    assert done.returncode == 1 and "cannot write" in done.stderr, done.stderr
    assert not (service / ".serverless").exists()


def test_current_directory_is_gone(service, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    for command in (["print"], ["package"], ["validate", "--config", "serverless.yml"]):
        done = run(
            service,
            *command,
            preexec_fn=lambda: (gone.mkdir(exist_ok=True), os.chdir(gone), gone.rmdir()),
        )
        assert done.returncode == 1 and "current directory" in done.stderr, done.stderr


def test_nothing_is_writable_by_the_world(service):
    assert run(service, "package", preexec_fn=lambda: os.umask(0)).returncode == 0
    made = [service / ".serverless", *(service / ".serverless").iterdir()]
    assert len(made) == 4 and not [path for path in made if path.stat().st_mode & 0o002]


def test_signal_of_the_size_limit_is_not_fatal(service):
    """The limit is given as a signal where nobody ignores it."""
    default = lambda: (
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL),
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
    )
    assert run(service, "package", preexec_fn=default).returncode == 1
