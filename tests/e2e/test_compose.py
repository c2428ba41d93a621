"""Services of one serverless-compose.yml: order, outputs, what a failure stops, one matrix,
removal.
"""

import json
import signal
import time

HANDLER = "exports.main = async () => ({ statusCode: 200, body: process.env.QUEUE });\n"
FILES = {
    "serverless-compose.yml": (
        """name: park
services:
  front:
    path: apps/front
    config: front.yml
    params:
      queue: ${base.QueueUrl}
      label: "${sls:stage} of ${env:TEAM} at ${base.Name}"
      limit: 5
  base: {path: base}
  jobs: {path: apps/jobs, dependsOn: [base]}
  lone: {path: apps/lone}
"""
    ),
    # resources only
    "base/serverless.yml": (
        """service: base
provider: {name: aws}
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue}
  Outputs:
    QueueUrl: {Value: !Ref Jobs}
    Name: {Value: !GetAtt Jobs.QueueName}
"""
    ),
    "apps/front/front.yml": (
        """service: front
provider:
  name: aws
  runtime: nodejs22.x
  environment: {QUEUE: "${param:queue}", LABEL: "${param:label}", LIMIT: "${param:limit}"}
functions: {hello: {handler: handler.main, timeout: "${param:limit}"}}
"""
    ),
    "apps/front/handler.js": HANDLER,
    "apps/jobs/serverless.yml": (
        "service: jobs\nprovider: {name: aws, runtime: nodejs22.x}\n"
        "functions: {hello: {handler: handler.main}}\n"
    ),
    "apps/jobs/handler.js": HANDLER,
    # neither functions nor resources
    "apps/lone/serverless.yml": "service: lone\nprovider: {name: aws}\n",
}


def stacks(account):
    return {s["StackName"] for s in account.client("cloudformation").describe_stacks()["Stacks"]}


def row(text, name):
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_services_that_belong_together(troupe, account):
    troupe.write(FILES)
    troupe.env["TEAM"] = "blue"
    # The stage of a service that belongs to nobody here, with a name of which ours are prefixes.
    neighbour = (
        "service: frontier\nprovider: {name: aws}\nresources: {Resources: {T: {Type:"
        " AWS::SNS::Topic}}}\n"
    )
    troupe.write({"frontier/serverless.yml": neighbour})
    troupe("deploy", "dev", cwd=troupe.folder / "frontier")

    said = troupe("deploy", "dev", "--all")
    for name in ("front", "base", "jobs", "lone"):
        assert row(said.out.partition("--- all")[2], name) == [name, "done"], str(said)
    function = account.client("lambda").get_function_configuration(
        FunctionName="front-hello", Qualifier="dev"
    )
    queue = json.loads(troupe("info", "dev", "--json", cwd=troupe.folder / "base").out)["outputs"]
    assert function["Environment"]["Variables"] == {
        "QUEUE": queue["QueueUrl"],
        "LABEL": f"dev of blue at {queue['Name']}",
        "LIMIT": "5",
    }
    assert function["Timeout"] == 5
    order = [
        line.partition(":")[0]
        for line in said.err.splitlines()
        if "deploy" in line or "package" in line
    ]
    assert order.index("base") < order.index("front") and order.index("base") < order.index(
        "jobs"
    ), said.err

    assert troupe("deploy", "dev", "--all").out.count("nothing to do") == 4
    troupe("deploy", "prod", "--all", "--param", "limit=7")
    assert (
        account.client("lambda").get_function_configuration(
            FunctionName="front-hello", Qualifier="prod"
        )["Timeout"]
        == 7
    )
    dev = {
        name: troupe.stage("dev", name) for name in ("base", "front", "jobs", "lone", "frontier")
    }

    # One matrix; services keep numbers of their own.
    troupe.edit("apps/jobs/handler.js", "200", "201")
    troupe("deploy", "prod", "--all", "--param", "limit=7")
    text = troupe("stages", "--all").out
    assert row(text, "service") == ["service", "dev", "prod"]
    assert (row(text, "jobs"), row(text, "front")) == (["jobs", "#1", "#2"], ["front", "#1", "#1"])
    assert "frontier" not in text
    read = json.loads(troupe("stages", "--all", "--json").out)["services"]
    assert [stage["deployment"] for stage in read["jobs"]["stages"]] == [1, 2]
    plan = ("plan", "prod", "--all", "--detailed-exitcode", "--param")
    assert troupe(*plan, "limit=7").out.count("nothing to do") == 4
    changes = troupe(*plan, "limit=8", check=2).out.partition("--- all")[2].replace("*", "")
    assert (row(changes, "front")[1:], row(changes, "base")[1:]) == (["changes"], ["done"])
    assert "numbered by themselves" in troupe("rollback", "prod", "--all", check=2).err

    assert "two services may have one name" in troupe("logs", "prod", "--all", check=2).err

    # What each has, asked at once; one without the stage is told, and hides no other.
    text = troupe("info", "prod", "--all").out
    assert "--- base\nprod#1" in text and "Name" in text
    assert row(text.partition("--- all")[2], "front") == ["front", "done"] and "front-hello" in text
    each = troupe("info", "prod", "--all", "--json").json["services"]
    assert {name: one["exit"] for name, one in each.items()} == dict.fromkeys(
        ("front", "base", "jobs", "lone"), 0
    )
    assert (
        each["jobs"]["result"]
        == troupe("info", "prod", "--json", cwd=troupe.folder / "apps/jobs").json
    )
    troupe("remove", "prod", "--yes", cwd=troupe.folder / "apps/lone")
    some = troupe("info", "prod", "--all", check=1)
    assert "front-hello" in some.out and "lone   failed with exit code 1" in some.out.replace(
        "*", ""
    ), str(some)
    assert "lone: error: " in some.err
    troupe("deploy", "prod", cwd=troupe.folder / "apps/lone")

    # What fails stops those that need it, and no other.
    troupe.edit(
        "base/serverless.yml", "Type: AWS::SQS::Queue", "Type: AWS::SQS::Queue, DependsOn: Nothing"
    )
    troupe.edit("apps/lone/serverless.yml", "{name: aws}", "{name: aws, stackTags: {a: b}}")
    failed = troupe("deploy", "dev", "--all", check=2)
    assert "base: error: there is no resource 'Nothing'" in failed.err, failed.err
    summary = failed.out.partition("--- all")[2]
    assert "base   failed with exit code 2" in summary.replace("*", "") and row(
        summary, "lone"
    ) == ["lone", "done"], summary
    assert summary.count("not run: it needs base") == 2, summary
    assert troupe.stage("dev", "front") == dev["front"]
    troupe.write({"base/serverless.yml": FILES["base/serverless.yml"]})

    # Removal goes the other way, asks for --yes once, and leaves other stages and services.
    kept = {name: troupe.stage("dev", name) for name in dev}
    assert "--yes" in troupe("remove", "prod", "--all", check=3).err
    troupe("remove", "prod", "--all", "--yes")
    assert {name: troupe.stage("dev", name) for name in dev} == kept
    assert not {name for name in stacks(account) if name.endswith("-prod")}
    troupe("remove", "--service", "--all", "--yes")
    assert stacks(account) == {"frontier", "frontier-dev"}


def test_stopped_and_run_again(troupe, account):
    troupe.write(FILES)
    troupe.env["TEAM"] = "blue"
    running = troupe.start("deploy", "dev", "--all")
    assert running.process.poll() is None
    while not running.said("base: ") and running.process.poll() is None:
        time.sleep(0.01)
    running.process.send_signal(signal.SIGINT)
    result = running.wait()
    assert result.code in (5, 130) and "not run: it was to stop" in result.out, str(result)
    troupe("deploy", "dev", "--all")
    assert stacks(account) >= {"base-dev", "front-dev", "jobs-dev", "lone-dev"}


REFUSED = {
    "cycle": (
        "base: {path: base}",
        "base: {path: base, dependsOn: jobs}",
        "needs services that need it",
    ),
    "unknown service": ("dependsOn: [base]", "dependsOn: [bases]", "there is no service 'bases'"),
    "unknown in a variable": ("${base.Name}", "${bse.Name}", "there is no service 'bse'"),
    "unknown variable": ("${base.Name}", "${opt:name}", "unknown variable"),
    "no folder": ("{path: base}", "{path: bases}", "there is no folder 'bases'"),
    "no file": ("config: front.yml", "config: back.yml", "there is no file 'back.yml'"),
    "no path": ("{path: apps/lone}", "{}", "'path' is missing in 'lone'"),
    "a map": (
        "limit: 5",
        "limit: {a: 1}",
        "param 'limit' must be a text, a number or a truth value, not a map",
    ),
}


def test_what_cannot_be_deployed_together_is_refused(troupe, account):
    troupe.write(FILES)
    text = FILES["serverless-compose.yml"]
    for name, (old, new, message) in REFUSED.items():
        assert old in text, name
        troupe.write({"serverless-compose.yml": text.replace(old, new)})
        result = troupe("deploy", "dev", "--all", check=2)
        assert message in result.err and "--> serverless-compose.yml:" in result.err, (
            f"{name}\n{result}"
        )
    troupe.write({"serverless-compose.yml": text})
    # Neither the variable of the environment nor an output of what is not deployed.
    result = troupe("plan", "dev", "--all", check=2)
    assert (
        "service 'base' has no output 'QueueUrl'" in result.err
        and "serverless-compose.yml:7:" in result.err
    ), result.err
    (troupe.folder / "serverless-compose.yml").unlink()
    assert "no serverless-compose.yml in" in troupe("deploy", "dev", "--all", check=1).err
    assert not stacks(account)
