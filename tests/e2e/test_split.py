"""Services too large for one stack: nested stacks that nothing ever moves between.

TROUPE_TEST_LARGE=1000 runs the same with a thousand functions, and prints what it takes.
"""

import os
import subprocess

import pytest

from program import PROGRAM, bare_environment
from test_large import measure  # noqa: F401  a fixture
from world import leftovers

COUNT = int(os.environ.get("TROUPE_TEST_LARGE", "0"))
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NESTED = "AWS::CloudFormation::Stack"
BROKEN = """resources:
  Resources:
    Wrong:
      Type: AWS::Lambda::Permission
      Properties:
        FunctionName: no-such-function
        Action: lambda:InvokeFunction
        Principal: sns.amazonaws.com
"""


def yml(kind, numbers, extra=""):
    """A service of many functions, one event each."""
    functions = "".join(
        f"  f{n:04}:\n    handler: index.handler\n    events:\n      - {kind}: {{method:"
        f" {METHODS[n % 5]}, path: /p{n // 5:03}}}\n"
        for n in numbers
    )
    return (
        "service: large\nprovider:\n  name: aws\n  runtime: nodejs20.x\npackage:\n  patterns:"
        f" ['!**', 'index.js']\nfunctions:\n{functions}{extra}"
    )


def code(text):
    return (
        "exports.handler = async event => ({statusCode: 200, body:"
        f" process.env.AWS_LAMBDA_FUNCTION_NAME + ' {text}'}});\n"
    )


def tree(account, stack):
    """logical id -> (stack, physical id), over the stack and its nested stacks; and how large each
    is.
    """
    client, found, sizes = account.client("cloudformation"), {}, {}
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [item for page in pages for item in page["StackResourceSummaries"]]
    sizes[stack] = len(resources)
    for item in resources:
        if item["ResourceType"] == NESTED:
            inner, inner_sizes = tree(account, item["PhysicalResourceId"])
            assert not found.keys() & inner.keys()
            found.update(
                {key: (item["LogicalResourceId"], physical) for key, (_, physical) in inner.items()}
            )
            sizes[item["LogicalResourceId"]] = inner_sizes[item["PhysicalResourceId"]]
        else:
            found[item["LogicalResourceId"]] = ("", item["PhysicalResourceId"])
    return found, sizes


def check_kept(before, after):
    """What is in both is the same thing in the same stack."""
    both = before.keys() & after.keys()
    moved = {key: (before[key], after[key]) for key in both if before[key] != after[key]}
    assert not moved
    return both


def check_nothing_to_do(large):
    _, calls = large.run("deploy", "dev")
    assert len(calls) <= 25 and not any(call.writes and call.service != "s3" for call in calls), [
        c.name for c in calls
    ]


def parts_of(account, service="large"):
    """Objects of nested stacks' templates in the bucket, by stack."""
    client = account.client("s3")
    bucket = next(
        item["Name"]
        for item in client.list_buckets()["Buckets"]
        if item["Name"].startswith(service)
    )
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=f"troupe/{service}/parts/"
    )
    keys = [item["Key"].split("/") for page in pages for item in page.get("Contents", [])]
    return {stack: sum(key[3] == stack for key in keys) for stack in {key[3] for key in keys}}


def drop_parts(account, service="large"):
    client = account.client("s3")
    bucket = next(
        item["Name"]
        for item in client.list_buckets()["Buckets"]
        if item["Name"].startswith(service)
    )
    for item in client.list_objects_v2(
        Bucket=bucket, Prefix=f"troupe/{service}/parts/{service}-dev/"
    )["Contents"]:
        client.delete_object(Bucket=bucket, Key=item["Key"])


@pytest.fixture
def large(troupe, measure):  # noqa: F811
    """Runs troupe and says what it took."""
    troupe.env["TROUPE_RATE_LIMITS"] = "off"

    def run(*args, quiet=True):
        mark = troupe.proxy.mark()
        if quiet and not COUNT:
            return troupe(*args, timeout=300), troupe.proxy.calls(since=mark)
        done = subprocess.run(
            [measure, "1", PROGRAM, *args],
            cwd=troupe.folder,
            check=True,
            capture_output=True,
            text=True,
            env={**bare_environment(troupe.home), **troupe.env},
        )
        microseconds, kibibytes, exit_code, _ = map(int, done.stdout.split())
        assert exit_code == 0, troupe.proxy.show(mark)[-4000:]
        calls = troupe.proxy.calls(since=mark)
        print(
            f"{' '.join(args)}: {microseconds / 1e6:.2f} s, {kibibytes / 1024:.0f} MB, {len(calls)}"
            " calls"
        )
        return None, calls

    troupe.run = run
    return troupe


def test_rest_events(large):
    count = COUNT or 255
    more = range(count, count + 15)
    large.write({"serverless.yml": yml("http", range(count)), "index.js": code("one")})
    plan = large("plan", "dev").out
    assert "stack 'large-dev' has" in plan and "TroupePart1 (350 resources)" in plan
    large.run("deploy", "dev")
    first, sizes = tree(large.account, "large-dev")
    assert len(first) > 500 and max(sizes.values()) <= 500 and first["ApiGatewayStage"][0] == "", (
        sizes
    )
    for n in (0, count // 2, count - 1):
        assert large.call_rest("dev", f"/p{n // 5:03}", METHODS[n % 5]).text == f"large-f{n:04} one"

    check_nothing_to_do(large)

    large.run("clone", "dev", "prod")
    prod, _ = tree(large.account, "large-prod")
    assert large.call_rest("prod", "/p000").text == "large-f0000 one"
    heads, _ = tree(large.account, "large")

    # some go, some come
    large.write({"serverless.yml": yml("http", [*range(10, count), *more])})
    large.run("deploy", "dev")
    second, sizes = tree(large.account, "large-dev")
    assert max(sizes.values()) <= 500
    assert len(check_kept(first, second)) == len(first) - 20 and len(second) == len(first) + 10
    assert check_kept(heads, tree(large.account, "large")[0]) == heads.keys()
    assert tree(large.account, "large-prod")[0] == prod
    assert (
        large.call_rest("dev", f"/p{count // 5:03}", METHODS[count % 5]).text
        == f"large-f{count:04} one"
    )
    assert large.call_rest("dev", "/p000").status_code in (403, 404)
    assert parts_of(large.account)["large-dev"] == len(sizes) - 1  # older ones are gone

    # what fails inside a nested stack is named, and takes everything back
    large.write({"serverless.yml": yml("http", range(20, count), BROKEN)})
    result = large("deploy", "dev", check=1, timeout=300)
    assert "Wrong" in result.err and "no-such-function" in result.err, str(result)
    assert tree(large.account, "large-dev")[0] == second
    assert large.call_rest("dev", "/p002").text == "large-f0010 one"

    large.run("rollback", "dev")
    third, _ = tree(large.account, "large-dev")
    assert third.keys() == first.keys() and len(check_kept(second, third)) == len(second) - 30
    assert large.call_rest("dev", "/p000").text == "large-f0000 one"

    large.run("remove", "dev", "--yes")
    assert tree(large.account, "large-prod")[0] == prod and "large-dev" not in parts_of(
        large.account
    )
    assert large("stages", "--json").json["stages"][0]["name"] == "prod"
    large.run("remove", "--service", "--yes")
    assert not leftovers(large.world())


def test_http_api_events(large):
    count = COUNT or 126
    large.write({"serverless.yml": yml("httpApi", range(count)), "index.js": code("one")})
    large.run("deploy", "dev")
    first, sizes = tree(large.account, "large-dev")
    assert len(first) > 500 and max(sizes.values()) <= 500 and first["HttpApi"][0] == ""
    for n in (0, count - 1):
        assert (
            large.call_http_api("dev", f"/p{n // 5:03}", METHODS[n % 5]).text
            == f"large-f{n:04} one"
        )
    check_nothing_to_do(large)
    large.write(
        {"serverless.yml": yml("httpApi", [*range(5, count), count]), "index.js": code("two")}
    )
    if COUNT:
        large.write({"index.js": code("one")})
    # killed when the update is under way, and by hand the templates of the nested stacks are lost:
    # it goes on
    large.proxy.kill(1, operation="UpdateStack", after=True)
    assert large("deploy", "dev", check=False, timeout=300).code == -9
    large.proxy.clear()
    drop_parts(large.account)
    large.run("deploy", "dev")
    second, sizes = tree(large.account, "large-dev")
    assert len(check_kept(first, second)) == len(first) - 20
    assert large.call_http_api("dev", "/p001").text == f"large-f0005 {'one' if COUNT else 'two'}"
    large.run("rollback", "dev")
    assert tree(large.account, "large-dev")[0].keys() == first.keys()
    assert large.call_http_api("dev", "/p000").text == "large-f0000 one"
    large.run("remove", "--service", "--yes")
    assert not leftovers(large.world())
