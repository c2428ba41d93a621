"""Files that cannot be packaged, disks that are full, caches that are no use: through the program.
A message that names the file, in time, and nothing half written."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from run import PROGRAM, environment, small_service, troupe

SERVICE = (
    "service: one\nprovider: {name: aws, runtime: nodejs20.x}\nfunctions: {hello: {handler:"
    " handler.hello}}\n"
)
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def service(tmp_path):
    folder = small_service(tmp_path, SERVICE)
    (folder / "data").mkdir()
    (folder / "data" / "noise").write_bytes(os.urandom(300_000))
    return folder


def run(service, *args, **how):
    return troupe("package", *args, cwd=service, env=environment(service.parent), **how)


def cached(service):
    folder = service.parent / ".cache" / "troupe" / "packages"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def written(service):
    folder = service / ".serverless"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def contents(service):
    with zipfile.ZipFile(service / ".serverless" / "one.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def let_age():
    """Until the clock of file systems has gone on."""
    first = time.clock_gettime(time.CLOCK_REALTIME)
    while time.clock_gettime(time.CLOCK_REALTIME) < first + 0.02:
        time.sleep(0.005)


def opened(service, *args):
    """Names of the service's files that a run opens."""
    trace = service.parent / "trace"
    traced = {
        **environment(service.parent),
        "ASAN_OPTIONS": "detect_leaks=0",
    }  # which traces, too: two cannot
    subprocess.run(
        ["strace", "-f", "-e", "trace=openat", "-o", trace, PROGRAM, "package", *args],
        cwd=service,
        env=traced,
        check=True,
        capture_output=True,
    )
    lines = trace.read_text(errors="replace").splitlines()
    return {name for name in ("handler.js", "noise") for line in lines if f'{name}"' in line}


def sizes_limited(bytes_):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    return limit


@pytest.mark.parametrize("what", ["data/noise", "data"])
def test_unreadable(service, what):
    """Root may read everything, so it becomes somebody else."""
    nobody = 65534
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place) / "service"
        shutil.copytree(service, folder)
        shutil.copy(PROGRAM, Path(place) / "troupe")
        (folder / what).chmod(0)
        if IS_ROOT:
            for path in (Path(place), folder, *folder.rglob("*")):
                os.chown(path, nobody, nobody)
        become = {"user": nobody, "group": nobody, "extra_groups": []} if IS_ROOT else {}
        done = subprocess.run(
            [Path(place) / "troupe", "package"],
            cwd=folder,
            env=environment(place),
            check=False,
            capture_output=True,
            text=True,
            **become,
        )
        assert done.returncode == 1 and what in done.stderr and "denied" in done.stderr, done.stderr
        assert written(folder) == []
        (folder / what).chmod(0o755)


@pytest.mark.parametrize("options", [(), ("--no-cache",)])
def test_disk_is_full(service, options):
    """While files are compressed: the zips of the run before stay."""
    assert run(service).returncode == 0
    before, names = contents(service), written(service)
    (service / "data" / "noise").write_bytes(os.urandom(400_000))
    done = run(service, *options, preexec_fn=sizes_limited(200_000))
    assert done.returncode == 1 and "File too large" in done.stderr and "TMPDIR" in done.stderr, (
        done.stderr
    )
    assert contents(service) == before and written(service) == names
    assert not [name for name in cached(service) if ".new." in name]


def test_disk_is_full_for_the_zip(service):
    """The second zip does not fit: neither of the two is written."""
    (service / "serverless.yml").write_text(
        "service: one\nprovider: {name: aws, runtime: nodejs20.x}\npackage: {individually:"
        " true}\nfunctions:\n  a: {handler: handler.hello, package: {patterns: ['!data/**']}}\n  b:"
        " {handler: handler.hello, package: {patterns: [more/**]}}\n"
    )
    (service / "more").mkdir()
    (service / "more" / "noise").write_bytes((service / "data" / "noise").read_bytes())
    done = run(service, preexec_fn=sizes_limited(400_000))  # one piece of 300 kB, one zip of 600 kB
    assert done.returncode == 1 and "b.zip" in done.stderr and "File too large" in done.stderr, (
        done.stderr
    )
    assert written(service) == []


def test_cache_cannot_be_written(service):
    """A home that is a file, or none at all: packaged without a cache, silently."""
    for home in ("/dev/null", str(service / "handler.js"), "/nonexistent"):
        done = troupe("package", cwd=service, env={**environment(service.parent), "HOME": home})
        assert done.returncode == 0 and not done.stderr.strip(), done.stderr
        assert "data/noise" in contents(service)


def test_changing_files(service):
    """A file that grows, shrinks and vanishes all the time: packaged as it was at one moment, or an
    error that names it."""
    log = service / "data" / "log"
    writer = subprocess.Popen(
        ["sh", "-c", "while :; do echo aaaaaaaa >> log; rm -f log; echo b > log; done"],
        cwd=service / "data",
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(20):
            done = run(service)
            if done.returncode == 0:
                text = contents(service).get("data/log", b"")
                assert text in (b"", b"b\n", b"aaaaaaaa\n", b"b\naaaaaaaa\n"), text
            else:
                assert "data/log" in done.stderr, done.stderr
    finally:
        writer.kill()
        writer.wait()
    assert log.parent.exists() and not [name for name in cached(service) if ".new." in name]


def test_odd_names(service):
    names = [
        "new\nline",
        "ta\tb",
        "quote'\"",
        "back\\slash",
        "-dash",
        "*star?",
        "[a]",
        "ü ö",
        " space ",
    ]
    for name in names:
        (service / name).write_text(name)
    assert run(service).returncode == 0
    packed = contents(service)
    assert all(packed[name] == name.encode() for name in names)


def test_unchanged_files_are_not_opened(service):
    let_age()
    assert run(service).returncode == 0
    first = contents(service)
    assert opened(service) == set()
    assert opened(service, "--no-cache") == {"handler.js", "noise"}
    (service / "handler.js").write_text("exports.hello = async () => 2;\n")
    let_age()
    assert opened(service) == {"handler.js"}
    assert opened(service) == set()
    assert contents(service)["data/noise"] == first["data/noise"]
    assert contents(service)["handler.js"] == b"exports.hello = async () => 2;\n"


def test_runs_at_once(service):
    """Runs that write one cache at the same time, some of them killed."""
    let_age()
    for turn in range(4):
        (service / "handler.js").write_text(f"exports.hello = async () => {turn};\n")
        runs = [
            subprocess.Popen(
                [PROGRAM, "package", "--package", service.parent / f"out{number}"],
                cwd=service,
                env=environment(service.parent),
                stdout=subprocess.DEVNULL,
            )
            for number in range(5)
        ]
        runs[0].kill()
        assert [one.wait() for one in runs][1:] == [0] * 4
        for number in range(1, 5):
            with zipfile.ZipFile(service.parent / f"out{number}" / "one.zip") as archive:
                assert archive.testzip() is None
                assert archive.read("handler.js") == (service / "handler.js").read_bytes()
    assert run(service).returncode == 0


def test_mended_by_hand(service):
    """Another zip where the last one was written is replaced."""
    let_age()
    assert run(service).returncode == 0
    good = contents(service)
    (service / ".serverless" / "one.zip").write_bytes(b"no zip")
    assert run(service).returncode == 0 and contents(service) == good


def large_files(service):
    """Each larger than what is compressed in memory: text, noise, and noise with some text."""
    block = os.urandom(1 << 20)
    noise = b"".join(bytes([number]) + block for number in range(48))
    (service / "data" / "noise").write_bytes(noise)
    (service / "data" / "text").write_bytes(b"some text, again and again\n" * 2_000_000)
    (service / "data" / "mixed").write_bytes(noise[: 4 << 20] + b"x" * (8 << 20))
    return {f"data/{name}": service / "data" / name for name in ("noise", "text", "mixed")}


def peak_mb(service, *args):
    """Memory that a run takes at most. A process counts what the one had that made it."""
    code = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, PROGRAM, "package", *args],
        cwd=service,
        env=environment(service.parent),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


def sanitized():
    return b"__asan_init" in Path(PROGRAM).read_bytes()


def test_large_files(service):
    """What they have is packed, the same each time, in bounded memory, from the cache or not."""
    files = large_files(service)
    peak = peak_mb(service)
    assert sanitized() or peak <= 64, peak
    with zipfile.ZipFile(service / ".serverless" / "one.zip") as archive:
        for name, path in files.items():
            assert archive.read(name) == path.read_bytes(), name
        packed = {info.filename: info.compress_size for info in archive.infolist()}
    assert packed["data/text"] < 1 << 20 and packed["data/noise"] == 48 * ((1 << 20) + 1)
    first = (service / ".serverless" / "one.zip").read_bytes()
    for args in ((), ("--no-cache",)):
        assert run(service, *args).returncode == 0
        assert (service / ".serverless" / "one.zip").read_bytes() == first, args

    # A zip that holds them is made again in bounded memory, too.
    shutil.move(service / ".serverless" / "one.zip", service / "given.zip")
    (service / "serverless.yml").write_text(SERVICE + "package: {artifact: given.zip}\n")
    peak = peak_mb(service)
    assert sanitized() or peak <= 64, peak


def test_a_large_file_that_changes(service):
    files = large_files(service)
    writer = subprocess.Popen(
        ["sh", "-c", "while :; do echo more >> text; done"],
        cwd=service / "data",
        stderr=subprocess.DEVNULL,
    )
    try:
        done = run(service)
    finally:
        writer.kill()
        writer.wait()
    assert done.returncode == 1 and "data/text' changes while" in done.stderr, done.stderr
    assert written(service) == [] and files
    done = run(service, preexec_fn=sizes_limited(20 << 20))
    assert done.returncode == 1 and "File too large" in done.stderr, done.stderr
    assert written(service) == [] and not [name for name in cached(service) if ".new." in name]


def test_damage_of_a_large_piece(service):
    """The piece is made again, as it was."""
    large_files(service)
    let_age()
    assert run(service).returncode == 0
    first = (service / ".serverless" / "one.zip").read_bytes()
    for at in (1 << 20, 45 << 20):
        (kept,) = [name for name in cached(service) if name.endswith(".pieces")]
        place = service.parent / ".cache" / "troupe" / "packages" / kept
        with place.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 1]))
        shutil.rmtree(service / ".serverless")
        assert run(service).returncode == 0
        assert (service / ".serverless" / "one.zip").read_bytes() == first
        assert run(service).returncode == 0


def test_links_in_circles(service):
    """Directly, over several folders, and by a link to a link: each content once below each link,
    none of them without end."""
    (service / "a" / "b").mkdir(parents=True)
    (service / "a" / "b" / "file").write_text("x")
    (service / "a" / "b" / "up").symlink_to("../..")  # the service
    (service / "a" / "self").symlink_to(".")
    (service / "other").symlink_to("a")
    (service / "again").symlink_to("other/b")
    (service / "x").symlink_to("y")
    (service / "y").symlink_to("x")
    (service / "gone").symlink_to("nowhere")
    assert run(service).returncode == 0
    names = set(contents(service))
    assert {"a/b/file", "other/b/file", "again/file", "data/noise"} <= names
    assert not [name for name in names if name.count("/up/") > 1 or "/self/" in name], names
    assert names == set(sorted(names)) and len(names) < 40


def test_the_order_of_names(service):
    """That of the bytes of the whole paths, whatever is a folder."""
    names = ["a.js", "a/x", "a/b/x", "a-b/x", "a/b-c", "a0/x", "A/x", "ü/x", "b", "a/b.c/x"]
    for name in names:
        (service / name).parent.mkdir(parents=True, exist_ok=True)
        (service / name).write_text(name)
    assert run(service).returncode == 0
    with zipfile.ZipFile(service / ".serverless" / "one.zip") as archive:
        packed = archive.namelist()
    assert set(names) <= set(packed)
    assert packed == sorted(packed, key=lambda name: name.encode())


def test_folders_and_kinds_that_change(service):
    """A folder that comes and goes, and a name that is a file, a pipe, a folder or nothing at all:
    packaged as it was at one moment, or an error that names it, and never a wait."""
    kinds = "while :; do {}; done".format(
        "; ".join(
            [
                "mkdir -p folder/deep; echo a > folder/deep/file",
                "rm -rf folder thing",
                "echo b > thing",
                "rm -f thing; mkfifo thing",
                "rm -f thing; mkdir thing",
                "rmdir thing; ln -s /dev/zero thing",
            ]
        )
    )
    writer = subprocess.Popen(["sh", "-c", kinds], cwd=service / "data", stderr=subprocess.DEVNULL)
    try:
        for _ in range(20):
            done = run(service)
            if done.returncode == 0:
                packed = contents(service)
                assert packed.get("data/thing", b"b\n") in (b"", b"b\n"), packed.keys()
                assert packed.get("data/folder/deep/file", b"a\n") in (b"", b"a\n")
            else:
                assert done.returncode == 1, done.stderr
                assert "data/thing" in done.stderr or "data/folder" in done.stderr, done.stderr
    finally:
        writer.kill()
        writer.wait()
    assert not [name for name in cached(service) if ".new." in name]
