"""Bad input: a message with its place, exit 2, and nobody contacted."""

import re

import pytest

HEAD = "service: bad\nprovider:\n  name: aws\n  runtime: nodejs20.x\n"
ERROR_MODE = "configValidationMode: error\n"
FUNCTION = "functions:\n  hello:\n    handler: handler.hello\n"
HANDLER = {"handler.js": "exports.hello = async () => 1;\n"}

# name: (files, place in the message, words in the message)
CASES = {
    "yaml does not parse": ({"serverless.yml": HEAD + "functions: [\n"}, "serverless.yml:", []),
    "tab for indentation": (
        {"serverless.yml": "service: bad\nprovider:\n\tname: aws\n"},
        "serverless.yml:3:",
        [],
    ),
    "duplicate key": (
        {"serverless.yml": HEAD + "service: again\n"},
        "serverless.yml:5:1",
        ["service"],
    ),
    "unknown tag": (
        {"serverless.yml": HEAD + "custom:\n  a: !Nonsense b\n"},
        "serverless.yml:6:",
        ["Nonsense"],
    ),
    "unknown anchor": (
        {"serverless.yml": HEAD + "custom:\n  a: *nobody\n"},
        "serverless.yml:6:",
        ["nobody"],
    ),
    "two documents": (
        {"serverless.yml": HEAD + FUNCTION + "---\nservice: two\n"},
        "serverless.yml:",
        [],
    ),
    "empty file": ({"serverless.yml": ""}, "serverless.yml", []),
    "a list": ({"serverless.yml": "- service: bad\n"}, "serverless.yml:1", []),
    "a scalar": ({"serverless.yml": "service\n"}, "serverless.yml:1", []),
    "NUL": ({"serverless.yml": HEAD + "custom:\n  a: b\0c\n"}, "serverless.yml:6", []),
    "no service": (
        {"serverless.yml": HEAD.split("\n", 1)[1] + FUNCTION},
        "serverless.yml",
        ["service"],
    ),
    "no provider": ({"serverless.yml": "service: bad\n"}, "serverless.yml", ["provider"]),
    "another provider": (
        {"serverless.yml": "service: bad\nprovider:\n  name: azure\n"},
        "serverless.yml:3:9",
        ["azure"],
    ),
    "unknown key at the top": (
        {"serverless.yml": HEAD + "funktions: {}\n" + ERROR_MODE},
        "serverless.yml:5:1",
        ["funktions", "functions"],
    ),
    "unknown key of a function": (
        {"serverless.yml": HEAD + FUNCTION + "    memorysize: 128\n" + ERROR_MODE},
        "serverless.yml:8:5",
        ["memorysize", "memorySize"],
    ),
    "unknown key of troupe": (
        {"serverless.yml": HEAD + "custom:\n  troupe:\n    log: stage\n"},
        "serverless.yml:7:5",
        ["log", "logs"],
    ),
    "unknown event": (
        {"serverless.yml": HEAD + FUNCTION + "    events:\n      - htp: GET /\n" + ERROR_MODE},
        "serverless.yml:9:9",
        ["htp", "http"],
    ),
    "event of no shape": (
        {"serverless.yml": HEAD + FUNCTION + "    events:\n      - http: 12\n"},
        "serverless.yml:9:15",
        [],
    ),
    "wrong type": (
        {"serverless.yml": HEAD + FUNCTION + "    timeout: soon\n"},
        "serverless.yml:8:14",
        ["timeout"],
    ),
    "out of range": (
        {"serverless.yml": HEAD + FUNCTION + "    timeout: 901\n"},
        "serverless.yml:8:14",
        ["900"],
    ),
    "memory from a parameter": (
        {
            "serverless.yml": HEAD + FUNCTION + "    memorySize: ${param:size}\nparams:\n"
            "  default:\n    size: 64\n"
        },
        "serverless.yml:8:17",
        ["64", "128"],
    ),
    "missing file": (
        {"serverless.yml": HEAD + "custom: ${file(./nowhere.yml)}\n"},
        "serverless.yml:5:",
        ["nowhere.yml"],
    ),
    "file outside": (
        {"serverless.yml": HEAD + "custom: ${file(../../../../../../etc/hostname)}\n"},
        "serverless.yml:5:",
        [],
    ),
    "broken file": (
        {"serverless.yml": HEAD + "custom: ${file(./part.yml)}\n", "part.yml": "a: [\n"},
        "part.yml:",
        [],
    ),
    "cyclic files": (
        {
            "serverless.yml": HEAD + "custom: ${file(./a.yml)}\n",
            "a.yml": "a: ${file(./b.yml)}\n",
            "b.yml": "b: ${file(./a.yml)}\n",
        },
        ".yml:",
        [],
    ),
    "cyclic variables": (
        {"serverless.yml": HEAD + "custom:\n  a: ${self:custom.b}\n  b: ${self:custom.a}\n"},
        "serverless.yml:",
        ["custom"],
    ),
    "variable of itself": (
        {"serverless.yml": HEAD + "custom:\n  a: ${self:custom.a}\n"},
        "serverless.yml:6:",
        [],
    ),
    "unknown source": (
        {"serverless.yml": HEAD + "custom:\n  a: ${evn:HOME}\n"},
        "serverless.yml:6:",
        ["evn", "env"],
    ),
    "unset environment": (
        {"serverless.yml": HEAD + "custom:\n  a: ${env:NOT_THERE}\n"},
        "serverless.yml:6:",
        ["NOT_THERE"],
    ),
    "unset parameter": (
        {"serverless.yml": HEAD + "custom:\n  a: ${param:nothing}\n"},
        "serverless.yml:6:",
        ["nothing"],
    ),
    "unset option": (
        {"serverless.yml": HEAD + "custom:\n  a: ${opt:nothing}\n"},
        "serverless.yml:6:",
        ["nothing"],
    ),
    "variable not closed": (
        {"serverless.yml": HEAD + "custom:\n  a: ${self:custom.b\n"},
        "serverless.yml:",
        [],
    ),
    "handler is not there": (
        {"serverless.yml": HEAD + "functions:\n  a:\n    handler: other.main\n"},
        "serverless.yml:7:14",
        ["other"],
    ),
    "no handler": (
        {"serverless.yml": HEAD + "functions:\n  a:\n    timeout: 3\n"},
        "serverless.yml:",
        ["handler"],
    ),
    "name too long": (
        {
            "serverless.yml": HEAD
            + f"functions:\n  a:\n    handler: handler.hello\n    name: {'n' * 65}\n"
        },
        "serverless.yml:8:",
        ["64"],
    ),
    "name with a dot": (
        {"serverless.yml": HEAD + "functions:\n  a:\n    handler: handler.hello\n    name: a.b\n"},
        "serverless.yml:8:",
        [],
    ),
    "bad function key": (
        {"serverless.yml": HEAD + "functions:\n  a.b:\n    handler: handler.hello\n"},
        "serverless.yml:6:",
        ["a.b"],
    ),
    "environment too large": (
        {"serverless.yml": HEAD + FUNCTION + f"    environment:\n      A: {'x' * 5000}\n"},
        "serverless.yml:",
        ["4"],
    ),
    "six layers": (
        {
            "serverless.yml": HEAD
            + FUNCTION
            + "    layers:\n"
            + "".join(
                f"      - arn:aws:lambda:us-east-1:123456789012:layer:l{n}:1\n" for n in range(6)
            )
        },
        "serverless.yml:",
        ["5"],
    ),
    "bad service name": (
        {"serverless.yml": "service: 1bad_name\nprovider:\n  name: aws\n"},
        "serverless.yml:1:10",
        ["1bad_name"],
    ),
    "region that is a host": (
        {"serverless.yml": HEAD + "  region: evil.invalid/\n"},
        "serverless.yml:5:",
        ["is no region"],
    ),
    "region of a variable": (
        {"serverless.yml": HEAD + "custom:\n  a: ${ssm(us-east-1.evil.invalid#):/x}\n"},
        "serverless.yml:6:",
        ["is no region"],
    ),
    "region of another stack": (
        {"serverless.yml": HEAD + "custom:\n  a: ${cf(us-east-1.evil.invalid/):x.y}\n"},
        "serverless.yml:6:",
        ["is no region"],
    ),
    "bucket of a variable": (
        {"serverless.yml": HEAD + "custom:\n  a: ${s3:../x}\n"},
        "serverless.yml:6:",
        ["no name of a bucket"],
    ),
    "plugin without answer": (
        {"serverless.yml": HEAD + "plugins:\n  - serverless-made-up-thing\n"},
        "serverless.yml:6:",
        ["serverless-made-up-thing", "help:"],
    ),
}


def refused(troupe, proxy, *args):
    result = troupe(*args, check=2)
    assert proxy.records == [], f"AWS was contacted\n{proxy.show()}\n{result}"
    assert result.err.startswith("error: ") or "\nerror: " in result.err, str(result)
    return result


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["deploy"])
def test_refused_with_its_place(troupe, proxy, case, command):
    files, place, words = CASES[case]
    troupe.write({**HANDLER, **files})
    result = refused(troupe, proxy, command, "dev")
    assert place in result.err, str(result)
    for word in words:
        assert word in result.err, f"'{word}' is missing\n{result}"
    if re.search(r"serverless\.yml:\d+:\d+", result.err):
        assert "^" in result.err, f"no caret\n{result}"


def test_no_configuration_at_all(troupe, proxy):
    result = refused(troupe, proxy, "deploy", "dev")
    assert "serverless.yml" in result.err


def test_invalid_utf8(troupe, proxy):
    (troupe.folder / "serverless.yml").write_bytes(HEAD.encode() + b"custom:\n  a: \xff\xfe\n")
    assert "serverless.yml:6" in refused(troupe, proxy, "deploy", "dev").err


@pytest.mark.parametrize("opening, closing", [("[", "]"), ("{a: ", "}")])
def test_nesting_of_ten_thousand(troupe, proxy, opening, closing):
    troupe.write({"serverless.yml": HEAD + "custom: " + opening * 10000 + closing * 10000 + "\n"})
    assert "serverless.yml:5:" in refused(troupe, proxy, "deploy", "dev").err


def test_nesting_of_variables(troupe, proxy):
    troupe.write(
        {
            "serverless.yml": HEAD
            + "custom:\n  a: "
            + "${self:custom." * 10000
            + "b"
            + "}" * 10000
            + "\n"
        }
    )
    refused(troupe, proxy, "deploy", "dev")


def test_json_nested_deeply(troupe, proxy):
    troupe.write(
        {
            "serverless.yml": HEAD + "custom: ${file(./deep.json)}\n",
            "deep.json": "[" * 10000 + "]" * 10000,
        }
    )
    assert "deep.json:1:" in refused(troupe, proxy, "deploy", "dev").err


def test_a_file_of_fifty_megabytes(troupe, proxy):
    with open(troupe.folder / "serverless.yml", "w", encoding="ascii") as file:
        file.write(HEAD + "custom:\n")
        for n in range(500000):
            file.write(f"  k{n:07}: {'v' * 90}\n")
    refused(troupe, proxy, "deploy", "dev")


def test_aliases_that_multiply(troupe, proxy):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    troupe.write({"serverless.yml": HEAD + "custom:\n" + "".join(f"  {line}\n" for line in lines)})
    refused(troupe, proxy, "deploy", "dev")


def test_the_value_of_a_wrong_variable_is_traced(troupe, proxy):
    files, _, _ = CASES["memory from a parameter"]
    troupe.write({**HANDLER, **files})
    result = refused(troupe, proxy, "deploy", "dev")
    assert "note:" in result.err and "serverless.yml:11:" in result.err, str(result)


def test_a_package_over_the_limit(troupe, proxy):
    troupe.write({**HANDLER, "serverless.yml": HEAD + FUNCTION})
    with open(troupe.folder / "huge.bin", "wb") as file:
        file.truncate(251 * 1024 * 1024)
    result = refused(troupe, proxy, "deploy", "dev")
    assert "250" in result.err, str(result)


@pytest.mark.parametrize(
    "command",
    ["plan", "package", "print", "validate", "info", "stages", "history", "invoke", "remove"],
)
def test_every_command_finds_it_first(troupe, proxy, command):
    troupe.write({**HANDLER, **CASES["unknown key at the top"][0]})
    args = {
        "invoke": ["dev", "hello"],
        "remove": ["dev", "--yes"],
        "print": [],
        "package": [],
        "validate": [],
        "stages": [],
    }.get(command, ["dev"])
    assert "funktions" in refused(troupe, proxy, command, *args).err


UNKNOWN = FUNCTION + "    memorysize: 128\n    warmup: true\nsurprise: 1\n"


def test_unknown_keys_warn_once_and_together(troupe, proxy):
    troupe.write({**HANDLER, "serverless.yml": HEAD + UNKNOWN})
    for command in (("validate", "dev"), ("package", "dev"), ("print",)):
        result = troupe(*command)
        assert result.err.count("warning: ") == 1, str(result)
        for part in (
            "3 unknown keys",
            "'surprise' at serverless.yml:10:1",
            "'memorysize' in 'hello'",
            "did you mean 'memorySize'?",
            "--strict",
        ):
            assert part in result.err, f"'{part}' is missing\n{result}"
    for command in (
        ("validate", "dev"),
        ("package", "dev"),
        ("print",),
        ("deploy", "dev"),
        ("stages",),
    ):
        assert "unknown key 'surprise'" in refused(troupe, proxy, *command, "--strict").err
    assert "exclude" in refused(troupe, proxy, "validate", "--strict", "--lenient").err


@pytest.mark.parametrize(
    "extra, args",
    [
        ("frameworkVersion: '4'\n", ()),
        ("", ("--dialect", "4")),
        ("frameworkVersion: '3'\n", ("--dialect", "4")),
    ],
)
def test_version_4_is_strict(troupe, proxy, extra, args):
    troupe.write({**HANDLER, "serverless.yml": HEAD + UNKNOWN + extra})
    assert "unknown key 'surprise'" in refused(troupe, proxy, "validate", *args).err
    assert "3 unknown keys" in troupe("validate", "--lenient", *args).err
    assert (
        "'--dialect' is 3 or 4, not '5'" in refused(troupe, proxy, "validate", "--dialect", "5").err
    )


# What AWS is certain to refuse: `package` writes the template all the same, as the dialect does.
REFUSED = {
    "timeout": ("    timeout: 901\n", "'timeout'"),
    "name": (f"    name: {'n' * 65}\n", "65 characters"),
    "runtime": ("    runtime: python3.12\n", "no file 'handler.py' is packed"),
    "a runtime that is gone": ("    runtime: go1.x\n", "use provided.al2023"),
    "environment": (f"    environment:\n      A: {'x' * 5000}\n", "the environment has"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_package_only_warns_of_what_aws_refuses(troupe, proxy, case):
    line, word = REFUSED[case]
    troupe.write({**HANDLER, "serverless.yml": HEAD + FUNCTION + line})
    result = troupe("package", "dev")
    assert "warning: " in result.err and word in result.err, str(result)
    for command in (("validate", "dev"), ("deploy", "dev")):
        assert word in refused(troupe, proxy, *command).err


def test_control_characters_do_not_reach_the_terminal(troupe, proxy):
    troupe.write(
        {**HANDLER, "serverless.yml": HEAD + FUNCTION + '    "bad\\e[31mkey": 1\n' + ERROR_MODE}
    )
    assert "\x1b" not in refused(troupe, proxy, "deploy", "dev").err
