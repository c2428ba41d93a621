"""What a function sees, logs and answers when it fails."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloud import name, refused, zipped

ENVIRONMENT = "exports.handler = async () => process.env;"
PYTHON = """
import os
def handler(event, context):
    if event.get("fail"):
        raise KeyError("missing")
    return {"env": dict(os.environ), "version": context.function_version,
            "group": context.log_group_name, "stream": context.log_stream_name}
"""


def test_only_lambdas_and_own_variables(aws):
    function = aws.function(
        files={"index.js": ENVIRONMENT},
        Environment={"Variables": {"STAGE": "x", "HOME": "/mine"}},
        MemorySize=192,
    )
    aws.publish(function)
    seen = aws.call(function, qualifier="1")[2]
    assert (
        "TROUPE_TEST_HOST_SECRET" not in seen and "PYTHONPATH" not in seen and "TMPDIR" not in seen
    )
    assert not [key for key in seen if key.startswith(("TROUPE_CLOUD", "GATEWAY", "BIND_"))]
    assert {
        key: seen.get(key)
        for key in (
            "STAGE",
            "HOME",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_LOG_GROUP_NAME",
            "_HANDLER",
            "AWS_EXECUTION_ENV",
        )
    } == {
        "STAGE": "x",
        "HOME": "/mine",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "_HANDLER": "index.handler",
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x",
    }
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[1\][0-9a-f]{32}", seen["AWS_LAMBDA_LOG_STREAM_NAME"])
    assert aws.call(function)[2]["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"


def test_python_and_custom_log_group(aws):
    group = name("/custom")
    function = aws.function(
        files={"app.py": PYTHON},
        Runtime="python3.11",
        Handler="app.handler",
        LoggingConfig={"LogFormat": "Text", "LogGroup": group},
    )
    seen = aws.call(function, {})[2]
    assert "TROUPE_TEST_HOST_SECRET" not in seen["env"]
    assert seen["group"] == group
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{function}\[\$LATEST\][0-9a-f]{{32}}", seen["stream"])
    streams = aws.logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [seen["stream"]]


def test_one_stream_per_environment(aws):
    function = aws.function()
    aws.publish(function)
    for qualifier in ("1", "1", "1", None):
        aws.call(function, qualifier=qualifier)
    streams = [
        stream["logStreamName"]
        for stream in aws.logs.describe_log_streams(logGroupName=f"/aws/lambda/{function}")[
            "logStreams"
        ]
    ]
    assert sorted("[1]" in stream for stream in streams) == [False, True]
    prefix = time.strftime("%Y/%m/%d/[1]", time.gmtime())
    found = aws.logs.filter_log_events(
        logGroupName=f"/aws/lambda/{function}", logStreamNamePrefix=prefix, filterPattern="called"
    )["events"]
    assert [event["message"] for event in found] == ["called 1\n"] * 3


def test_filtered_events_are_paged(aws):
    function = aws.function()
    for _ in range(3):
        aws.call(function)
    group = f"/aws/lambda/{function}"
    pages = list(
        aws.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern="called", PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["events"]) for page in pages] == [2, 1]
    assert len({event["eventId"] for page in pages for event in page["events"]}) == 3
    assert (
        refused(aws.logs.filter_log_events, logGroupName=group, logStreamNames=["none"])[1]
        == "ResourceNotFoundException"
    )
    assert (
        refused(
            aws.logs.filter_log_events,
            logGroupName=group,
            logStreamNames=["a"],
            logStreamNamePrefix="b",
        )[1]
        == "InvalidParameterException"
    )
    assert (
        aws.logs.filter_log_events(logGroupName=group, logStreamNamePrefix="none")["events"] == []
    )


def test_tail_has_the_platforms_lines(aws):
    lines = aws.tail(aws.function()).splitlines()
    identity = lines[0].split()[2]
    assert lines[0] == f"START RequestId: {identity} Version: $LATEST"
    assert lines[1] == "called $LATEST"
    assert lines[2] == f"END RequestId: {identity}"
    assert re.match(
        rf"REPORT RequestId: {identity}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size:"
        r" 128 MB\t"
        r"Max Memory Used: \d+ MB",
        lines[3],
    )


def test_json_log_format(aws):
    function = aws.function(LoggingConfig={"LogFormat": "JSON"})
    aws.call(function)
    messages = [
        event["message"]
        for event in aws.logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    ]
    types = [json.loads(message)["type"] for message in messages if message.startswith("{")]
    assert types == ["platform.start", "platform.runtimeDone", "platform.report"]


def layer(aws, files):
    return aws.lam.publish_layer_version(LayerName=name("l"), Content={"ZipFile": zipped(files)})[
        "LayerVersionArn"
    ]


def test_layers_at_opt(aws):
    first = layer(
        aws, {"shared.txt": "first", "nodejs/node_modules/zz/index.js": "exports.x = 42;"}
    )
    second = layer(aws, {"shared.txt": "second", "bin/tool": "#!/bin/sh\necho tooled\n"})
    code = """
    exports.handler = async () => ({text: require('fs').readFileSync('/opt/shared.txt', 'utf8'),
                                    x: require('zz').x,
                                    tool: require('child_process').execSync('tool').toString()});"""
    function = aws.function(files={"index.js": code}, Layers=[first, second])
    version, error, answer = aws.call(function)
    if error and "ENOENT" in json.dumps(answer):
        pytest.skip("this machine does not allow mount namespaces")
    assert (error, answer) == (None, {"text": "second", "x": 42, "tool": "tooled\n"})


FAILURES = [
    (
        "nodejs20.x",
        {"index.js": "exports.handler = async () => { throw new TypeError('bad type'); };"},
        "TypeError",
        "bad type",
    ),
    (
        "nodejs20.x",
        {"index.js": "exports.handler = ("},
        "Runtime.UserCodeSyntaxError",
        "SyntaxError",
    ),
    (
        "nodejs20.x",
        {"index.js": "require('not-there');"},
        "Runtime.ImportModuleError",
        "Cannot find module 'not-there'",
    ),
    (
        "nodejs20.x",
        {"index.js": "exports.other = 1;"},
        "Runtime.HandlerNotFound",
        "index.handler is undefined or not exported",
    ),
    (
        "nodejs20.x",
        {"index.js": "exports.handler = async () => process.exit(1);"},
        "Runtime.ExitError",
        "Runtime exited",
    ),
    ("python3.11", {"index.py": "def handler(e, c):\n    raise KeyError('k')"}, "KeyError", "'k'"),
    (
        "python3.11",
        {"index.py": "def handler(:"},
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'index'",
    ),
    (
        "python3.11",
        {"index.py": "import not_there"},
        "Runtime.ImportModuleError",
        "Unable to import module 'index': No module named 'not_there'",
    ),
    (
        "python3.11",
        {"index.py": "x = 1"},
        "Runtime.HandlerNotFound",
        "Handler 'handler' missing on module 'index'",
    ),
]


@pytest.mark.parametrize("runtime, files, kind, text", FAILURES)
def test_failures_have_their_type(aws, runtime, files, kind, text):
    _, error, answer = aws.call(aws.function(files=files, Runtime=runtime))
    assert (error, answer["errorType"]) == ("Unhandled", kind)
    assert text in answer["errorMessage"]


# Tells that it began, and works until it is told to end.
WORKING = """const fs = require('fs');
exports.handler = async () => {
  fs.writeFileSync('%(folder)s/began', '');
  while (!fs.existsSync('%(folder)s/end')) await new Promise((f) => setTimeout(f, 20));
  return 'old';
};
"""


def test_a_call_under_way_ends_well(aws, tmp_path):
    """Changing or deleting a function leaves alone what it is working on."""
    slow = WORKING % {"folder": tmp_path}
    began, end = tmp_path / "began", tmp_path / "end"
    for change in (
        lambda name: aws.lam.update_function_code(
            FunctionName=name, ZipFile=zipped({"index.js": slow.replace("old", "new")})
        ),
        lambda name: aws.lam.delete_function(FunctionName=name),
    ):
        function = aws.function(files={"index.js": slow}, Timeout=60)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(aws.call, function)
            while not began.exists() and not answer.done():
                time.sleep(0.02)
            change(function)
            began.unlink()
            end.touch()
            assert answer.result()[2] == "old"
        end.unlink()


def test_timeout(aws):
    function = aws.function(
        files={"index.js": "exports.handler = () => new Promise(r => setTimeout(r, 5000));"},
        Timeout=1,
    )
    _, error, answer = aws.call(function)
    assert (error, answer["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
