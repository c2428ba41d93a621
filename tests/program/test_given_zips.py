"""Zips that `package.artifact` names: what Lambda would refuse, or say at the first call only, is
said before anything is sent."""

import os
import struct
import zipfile

import pytest
from run import environment, small_service, troupe

MB = 1 << 20
X86, ARM = 62, 183
HEAD = "service: one\nprovider: {name: aws, runtime: %s%s}\npackage: {artifact: given.zip}\n"
NODE = "nodejs20.x"
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:some:1"


def program(machine):
    """The header of a program for Linux, and some more."""
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, *[0] * 10) + b"code" * 4000


def entry(name, mode=0o644, made_by=3):
    info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, made_by
    info.external_attr = (0o100000 | mode) << 16
    return info


@pytest.fixture
def service(tmp_path):
    return small_service(tmp_path, "")


def given(service, *entries):
    with zipfile.ZipFile(service / "given.zip", "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)


def said(service, *args):
    """The code and the messages of `package`, which warns, and of `plan`, which refuses, before it
    looks for credentials."""
    done = troupe("plan", "dev", *args, cwd=service, env=environment(service.parent))
    packed = troupe("package", cwd=service, env=environment(service.parent))
    return done.stderr, packed


JS = (entry("src/api.js"), b"exports.main = 1")
CASES = [
    # entries, runtime, provider, function, what is said, and whether it is an error
    ([JS], NODE, "", "handler: src/api.main", "", False),
    ([(entry("./src/api.js"), b"x")], NODE, "", "handler: src/api.main", "", False),
    ([JS], NODE, "", "handler: src/other.main", "no file 'src/other.js' in 'given.zip'", True),
    ([JS], NODE, "", "handler: src/other.main, layers: [LAYER]", "or its wrapper, has it", False),
    ([JS], NODE, "", "handler: /opt/x.main, layers: [LAYER]", "", False),
    (
        [JS],
        NODE,
        ", environment: {AWS_LAMBDA_EXEC_WRAPPER: /var/task/w}",
        "handler: other.main",
        "or its wrapper, has it",
        False,
    ),
    ([(entry("api.py"), b"x")], "python3.12", "", "handler: api.main", "", False),
    ([JS], "python3.12", "", "handler: api.main", "no file 'api.py' in 'given.zip'", True),
    ([JS], "java21", "", "handler: com.Main", "", False),
    ([JS], "provided.al2023", "", "handler: x", "no file 'bootstrap' in 'given.zip'", True),
    ([JS], "provided.al2023", "", "handler: x, layers: [LAYER]", "", False),
    (
        [(entry("bootstrap"), program(X86))],
        "provided.al2023",
        "",
        "handler: x",
        "nobody may execute 'bootstrap' in 'given.zip'",
        True,
    ),
    (
        [(entry("bootstrap", 0o755, made_by=0), program(X86))],
        "provided.al2023",
        "",
        "handler: x",
        "nobody may execute 'bootstrap'",
        True,
    ),
    ([(entry("bootstrap", 0o755), program(X86))], "provided.al2023", "", "handler: x", "", False),
    (
        [(entry("bootstrap", 0o755), program(ARM))],
        "provided.al2023",
        "",
        "handler: x",
        "runs on x86_64, but 'bootstrap' is for arm64",
        True,
    ),
    (
        [(entry("bootstrap", 0o755), program(ARM))],
        "provided.al2023",
        ", architecture: arm64",
        "handler: x",
        "",
        False,
    ),
    (
        [JS, (entry("node_modules/a/a.node"), program(ARM))],
        NODE,
        "",
        "handler: src/api.main",
        "'node_modules/a/a.node' is for arm64",
        False,
    ),
    (
        [JS, (entry("a/arm.node"), program(ARM)), (entry("a/x64.node"), program(X86))],
        NODE,
        "",
        "handler: src/api.main",
        "",
        False,
    ),
]


def test_what_is_wrong_with_them(service):
    for entries, runtime, provider, function, words, is_error in CASES:
        case = (runtime, provider, function, words)
        given(service, *entries)
        (service / "serverless.yml").write_text(
            HEAD % (runtime, provider)
            + f"functions:\n  f: {{{function.replace('LAYER', LAYER)}}}\n"
        )
        for turn in range(2):  # the second knows the zip
            far, packed = said(service)
            assert packed.returncode == 0, (case, packed.stderr)
            messages = [line for line in packed.stderr.splitlines() if "warning" in line]
            assert len(messages) == bool(words), (case, turn, packed.stderr)
            assert words in packed.stderr, (case, turn, packed.stderr)
            assert words in far and ("no AWS credentials" in far) != is_error, (case, turn, far)
            if is_error:
                assert "serverless.yml:" in far, far


def sized(megabytes):
    return b"\0" * (megabytes * MB)


def test_the_limit_names_what_is_large(service):
    large = [(entry(f"part{number:02}/data"), sized(24)) for number in range(11)]
    given(service, JS, *large, (entry("node_modules/big/x"), sized(30)))
    (service / "serverless.yml").write_text(
        HEAD % (NODE, "") + "functions:\n  f: {handler: src/api.main}\n"
    )
    far, packed = said(service)
    assert packed.returncode == 2 and "294.0 MB unzipped" in far, far
    assert "node_modules/big 30.0 MB, part00 24.0 MB" in far and "part08" in far, far
    assert "part09" not in far and "serverless.yml:3:" in far, far


def test_the_limit_holds_for_code_and_layers(service):
    """Each is within it."""
    given(service, JS, (entry("code/data"), sized(140)))
    (service / "layer").mkdir()
    with open(service / "layer" / "data.bin", "wb") as file:
        file.truncate(120 * MB)
    (service / "serverless.yml").write_text(
        HEAD
        % (NODE, "")
        + "layers: {common: {path: layer}}\nfunctions:\n  f:\n    handler: src/api.main\n"
        "    layers: [{Ref: CommonLambdaLayer}]\n"
    )
    far, packed = said(service)
    assert packed.returncode == 2 and "260.0 MB unzipped, 120.0 MB of it in layers" in far, far
    assert "the largest in the code: code 140.0 MB" in far, far
    assert "the largest in layer 'common': data.bin 120.0 MB" in far, far


def test_fifty_megabytes_zipped_are_fine(service):
    """That limit is for zips that are sent to Lambda without S3."""
    given(service, JS, *[(entry(f"noise{n}"), os.urandom(20 * MB)) for n in range(3)])
    (service / "serverless.yml").write_text(
        HEAD % (NODE, "") + "functions:\n  f: {handler: src/api.main}\n"
    )
    far, packed = said(service)
    assert packed.returncode == 0 and "no AWS credentials" in far and "MB" not in far, far
