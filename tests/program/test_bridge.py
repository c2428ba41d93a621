"""The bridge: services whose plugins only the project's own framework can run, with a stand-in for
the framework, and with the reference itself.

The stand-in copies a package that was prepared: what troupe packages of the same service, written
without plugins, plus what a plugin would have made of it.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from made_up_framework import STATE, TEMPLATE, package
from run import PROGRAM, ROOT, TIMEOUT_S, environment, troupe

sys.path.insert(0, str(ROOT / "tests" / "reference"))
from bless import plugins as npm_packages  # noqa: E402
from bless import reference  # noqa: E402
from normalise import normalise  # noqa: E402

FILE = """service: app
provider: {name: aws, runtime: nodejs20.x, stage: "${opt:stage, 'dev'}", region: us-east-1}
plugins: [serverless-made-up]
functions:
  hello: {handler: f.main}
"""
# What the plugin adds in memory stands here, too.
RESOLVED = """service: app
provider:
  name: aws
  runtime: nodejs20.x
  stage: "${opt:stage, 'dev'}"
  region: us-east-1
  environment: {STAGE: "${sls:stage}", WHERE: "s3://app-${sls:stage}/x"}
functions:
  hello: {handler: f.main, events: [{http: GET /hello}]}
  added: {handler: f.main, memorySize: 256, events: [{schedule: rate(1 hour)}]}
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: "jobs-${sls:stage}"}}
"""
# One call is a line of `calls`; `mode` says what it does instead of copying.
STAND_IN = """#!%s
import json, os, pathlib, shutil, signal, sys, time
arguments = sys.argv[1:]
here = pathlib.Path.cwd()
with open("../calls", "a") as calls:
    calls.write(json.dumps({"arguments": arguments, "program": sys.argv[0], "left out":
        os.environ.get("TROUPE_LEFT_OUT"), "ci": os.environ.get("CI")}) + "\\n")
value = lambda name: arguments[arguments.index(name) + 1]
mode = (here.parent / "mode").read_text() if (here.parent / "mode").exists() else ""
source = here.parent / "packages" / value("--stage")
print("warning: something is deprecated")
if mode == "ask":
    print("your name?"); mode = sys.stdin.readline() or "copy"
if mode == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = os.fork()
    if child:
        (here.parent / "pid").write_text(f"{os.getpid()} {child}")
    time.sleep(1000)
if mode == "alone":
    os.close(os.open("../busy", os.O_CREAT | os.O_EXCL)); time.sleep(0.3); os.unlink("../busy")
if mode == "fail" or not source.exists():
    print("Error:\\nCannot resolve variable at 'custom.x': no such file"); sys.exit(1)
if mode != "silent":
    shutil.rmtree(value("--package"), ignore_errors=True)
    shutil.copytree(source, value("--package"))
"""


@pytest.fixture
def service(tmp_path):
    folder = tmp_path / "app"
    write(folder, {"serverless.yml": FILE, "f.js": "exports.main = 1;\n"})
    stand_in(folder)
    return folder


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def stand_in(folder, name="serverless"):
    write(folder, {f"node_modules/.bin/{name}": STAND_IN % sys.executable})
    (folder / f"node_modules/.bin/{name}").chmod(0o755)


def run(folder, *args, more=None, **how):
    env = environment(folder.parent) | {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    return troupe(*args, cwd=folder, env={**env, **(more or {})}, **how)


def prepare(folder, *stages, resolved=RESOLVED, change=lambda state, template, stage: None):
    """What the framework leaves behind for each stage."""
    plain = folder.parent / "plain"
    write(plain, {"serverless.yml": resolved, "f.js": "exports.main = 1;\n"})
    for stage in stages:
        place = folder.parent / "packages" / stage
        package(PROGRAM, plain, stage, place, change, environment(folder.parent))


def calls(folder):
    path = folder.parent / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def stages_called(folder):
    return [call["arguments"][call["arguments"].index("--stage") + 1] for call in calls(folder)]


def packaged(folder, place=".serverless"):
    return normalise(json.loads((folder / place / TEMPLATE).read_text()))


def wanted(folder, stage):
    return normalise(json.loads((folder.parent / "packages" / stage / TEMPLATE).read_text()))


def nothing_half_written(folder):
    left = [path.name for path in (folder / ".troupe").glob("build-*")]
    assert not left and not (folder / ".serverless").exists(), left


# ---- what is taken over ----


def plugin(state, template, stage):
    """Adds, changes, inserts and removes, in configuration and template."""
    resources = template["Resources"]
    resources["Alarms"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"a-{stage}"}}
    resources[f"Alarms{stage}"] = dict(resources["Alarms"])
    resources["HelloLambdaFunction"]["Properties"]["TracingConfig"] = {"Mode": "Active"}
    resources["AddedLambdaFunction"]["Properties"]["Environment"]["Variables"]["CALLS"] = (
        f"app-{stage}-hello"
    )
    role = resources["IamRoleLambdaExecution"]["Properties"]
    role["Policies"][0]["PolicyDocument"]["Statement"].insert(
        0, {"Effect": "Allow", "Action": ["xray:PutTraceSegments"], "Resource": ["*"]}
    )
    del resources["AddedLambdaPermissionEventsRuleSchedule1"]
    resources["Jobs"]["Properties"]["Tags"] = [
        {"Key": "${env:NOT_A_VARIABLE}", "Value": "\\${x:y}"}
    ]
    version = next(x for x in resources if x.startswith("HelloLambdaVersion"))
    template["Outputs"]["Latest"] = {"Value": {"Ref": version}}
    template["Outputs"]["Text"] = {"Value": {"Fn::Sub": "${%s} ${AWS::Region}" % version}}
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    template["Description"] = "another one"
    events = state["service"]["functions"]["hello"]["events"]
    events.append({"onlyOfThePlugin": {"x": 1}})
    state["service"]["functions"]["hello"]["onlyOfThePlugin"] = True
    state["service"]["provider"]["onlyOfThePlugin"] = True


def test_template_is_the_frameworks(service):
    prepare(service, "dev", "prod", "madeup", "otherwise", change=plugin)
    for stage in ("dev", "prod"):
        done = run(service, "package", stage)
        assert done.returncode == 0, done.stderr
        assert packaged(service) == wanted(service, stage)
        assert done.stderr.count("serverless-made-up") == 2, done.stderr  # the line and its place
        zips = [path.name for path in (service / ".serverless").glob("*.zip")]
        assert zips == ["app.zip"]
        given = service.parent / "packages" / stage / "app.zip"
        assert (service / ".serverless/app.zip").read_bytes() == given.read_bytes()
    first = calls(service)[0]
    assert first["arguments"][:3] == ["package", "--stage", "dev"] and first["ci"] == "1"
    assert "--region" not in first["arguments"] and "--config" not in first["arguments"]


def test_what_depends_on_the_stage_is_known(service):
    prepare(service, "dev", "madeup", "otherwise", change=plugin)
    said = run(service, "explain", "provider.environment.WHERE", "--stage", "dev").stdout
    assert "the stage" in said, said


def test_what_the_framework_has_built_is_not_built_again(service):
    """TypeScript handlers, with an esbuild in the project that would be called for them."""
    write(
        service,
        {
            "src/a.ts": "export const main = 1;",
            "node_modules/esbuild/package.json": '{"name": "esbuild"}',
        },
    )
    individually = "package: {individually: true}\n"
    for more in ("", individually):
        resolved = RESOLVED.replace("f.main", "src/a.main") + more
        write(service.parent / "plain", {"src/a.js": "exports.main = 1;\n"})
        prepare(service, "dev", "madeup", "otherwise", resolved=resolved)
        done = run(service, "package", "dev")
        assert done.returncode == 0 and "build:" not in done.stderr, done.stderr
        assert packaged(service) == wanted(service, "dev")
        write(service, {"changed": more or "x"})


def test_zips_that_were_given(service):
    """The framework leaves them where they are, and in the state only the name of the service's."""
    for name in ("dist/a.zip", "dist/one/x.zip", "dist/two/x.zip"):
        path = service / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("f.js", name)

    def given(state, template, stage):
        state["package"]["artifact"] = "a.zip"
        state["service"]["initialServerlessConfig"]["package"] = {"artifact": "dist/a.zip"}
        functions = state["service"]["functions"]
        functions["added"]["package"] = {"artifact": "dist/two/x.zip"}

    prepare(service, "dev", "madeup", "otherwise", change=given)
    done = run(service, "package", "dev")
    assert done.returncode == 0, done.stderr
    for name, content in (("a.zip", "dist/a.zip"), ("x.zip", "dist/two/x.zip")):
        with zipfile.ZipFile(service / ".serverless" / name) as archive:
            assert archive.read("f.js").decode() == content


def test_what_troupe_lays_out_has_to_be_there(service):
    for change in (
        lambda state, template, stage: template["Resources"].pop("HelloLambdaFunction"),
        lambda state, template, stage: template["Resources"].pop("ApiGatewayRestApi"),
        lambda state, template, stage: template["Resources"]["IamRoleLambdaExecution"].pop(
            "Properties"
        ),
    ):
        prepare(service, "dev", change=change)
        write(service, {"changed": str(time.time_ns())})
        assert run(service, "package", "dev").returncode == 0
        done = run(service, "validate", "dev")
        assert done.returncode == 2 and "out of the template" in done.stderr, done.stderr


def test_options_as_the_user_gave_them(service):
    prepare(service, "dev", "madeup", "otherwise")
    (service / "serverless.yml").rename(service / "other.yml")
    args = ("--config", "other.yml", "--region", "us-east-1", "--param", "a=b c")
    args = (*args, "--aws-profile", "mine")
    done = run(service, "package", "dev", *args)
    assert done.returncode == 0, done.stderr
    for call in calls(service):
        text = " ".join(call["arguments"])
        assert all(word in text for word in (f"{args[0]} {args[1]}", "--region us-east-1")), call
        assert "--aws-profile mine" in text, call
        assert call["arguments"][call["arguments"].index("--param") + 1] == "a=b c"


def test_replaced_plugins_are_left_out_and_built_in_ones_done(service):
    text = FILE.replace(
        "[serverless-made-up]",
        "[serverless-made-up, serverless-offline, serverless-plugin-split-stacks,"
        " serverless-prune-plugin, serverless-plugin-common-excludes]\n"
        "custom: {prune: {automatic: true, number: 3}}",
    )

    def state_custom(state, template, stage):
        itself = {"a": {"$ref": '$["service"]["custom"]["itself"]'}}
        state["service"]["custom"] = {
            "itself": itself,
            "prune": {"automatic": True, "number": 3},
            "secret": "no",
        }

    write(service, {"serverless.yml": text})
    prepare(service, "dev", "madeup", "otherwise", change=state_custom)
    printed = json.loads(run(service, "print", "dev", "--format", "json").stdout)
    assert printed["custom"]["troupe"]["history"]["keep"] == 3 and "secret" not in printed["custom"]
    left_out = json.loads(calls(service)[0]["left out"])
    assert left_out == ["serverless-offline", "serverless-plugin-split-stacks"]


# ---- when it is called ----


def test_called_only_when_something_has_changed(service):
    """Each line: whether the framework is called again, and what was done before."""
    prepare(service, "dev", "madeup", "otherwise")
    write(service.parent, {"package-lock.json": "1", "mode": "copy"})
    env = {}
    lines = (
        (True, lambda: None),
        (False, lambda: None),
        (True, lambda: write(service, {"f.js": "exports.main = 2;\n"})),
        (False, lambda: os.utime(service / "f.js")),
        (True, lambda: write(service, {"src/deep/new.js": "1"})),
        (False, lambda: write(service, {"node_modules/x/index.js": "1"})),
        (False, lambda: write(service, {".serverless/x": "1"})),
        (True, lambda: write(service, {".env": "A=1"})),
        (True, lambda: write(service.parent, {"package-lock.json": "2"})),
        (True, lambda: env.update(COMPANY="x")),
        (False, lambda: env.update(TERM_PROGRAM="x", SHLVL="7", AWS_SESSION_TOKEN="new")),
        (True, lambda: write(service, {"serverless.yml": FILE + "# ${ssm:/x}\n"})),
        (True, lambda: None),
    )
    for number, (again, change) in enumerate(lines):
        change()
        before = len(calls(service))
        done = run(service, "package", "dev", more=env)
        assert done.returncode == 0, done.stderr
        assert len(calls(service)) - before == (2 if again else 0), (number, done.stderr)


def test_a_made_up_stage_is_never_the_real_one(service):
    others = {"dev": "madeup", "me": "fictional", "op": "fictional", "madeup": "otherwise"}
    for stage, other in others.items():
        prepare(service, stage, other)
        done = run(service, "package", stage)
        assert done.returncode == 0 and packaged(service) == wanted(service, stage), done.stderr
        assert stages_called(service)[-2:] == [stage, other]


def test_a_stage_that_cannot_be_made_up_is_tried_once(service):
    prepare(service, "dev")
    for _ in range(2):
        done = run(service, "package", "dev")
        assert done.returncode == 0 and packaged(service) == wanted(service, "dev"), done.stderr
        assert "count as the stage's: no other stage can be packaged: Cannot resolve" in done.stderr
    assert len(calls(service)) == 2
    said = run(service, "explain", "provider.environment.WHERE", "--stage", "dev").stdout
    assert "the stage" in said, said


# ---- which framework ----


def test_which_framework(service):
    prepare(service, "dev", "madeup", "otherwise")
    used = lambda: {call["program"].split("/app/")[-1] for call in calls(service)}
    again = lambda: (service.parent / "calls").unlink(missing_ok=True)
    stand_in(service, "osls")
    stand_in(service.parent, "osls")
    run(service, "package", "dev")
    assert used() == {"node_modules/.bin/serverless"}
    again()
    shutil.rmtree(service / "node_modules")
    done = run(service, "package", "dev")
    assert used() == {str(service.parent / "node_modules/.bin/osls")}, done.stderr
    again()
    shutil.copy(service.parent / "node_modules/.bin/osls", service.parent / "own")
    for text in ("../own --quiet", "['../own', '--quiet']"):
        write(service, {"serverless.yml": f"{FILE}custom: {{troupe: {{bridge: {text}}}}}\n"})
        done = run(service, "package", "dev")
        assert done.returncode == 0, done.stderr
        assert used() == {"../own"} and calls(service)[0]["arguments"][0] == "--quiet"
        again()


def test_no_framework(service):
    shutil.rmtree(service / "node_modules")
    done = run(service, "package", "dev")
    assert done.returncode == 2 and "no framework is installed" in done.stderr, done.stderr
    assert "npm install" in done.stderr and "custom.troupe.bridge" in done.stderr
    assert not (service / ".troupe").exists()
    found = json.loads(run(service, "migrate", "dev", "--json").stdout)
    (plugin_found,) = found["plugins"]
    assert plugin_found["answer"] == "bridged" and not found["ready"]


def test_version_4_wants_a_login(service):
    write(
        service,
        {"node_modules/serverless/package.json": '{"name": "serverless", "version": "4.1.0"}'},
    )
    write(service.parent, {"mode": "fail"})
    binary = service / "node_modules/.bin/serverless"
    binary.rename(service / "node_modules/serverless/run.js")
    binary.symlink_to("../serverless/run.js")
    done = run(service, "package", "dev")
    assert "that was serverless 4.1.0" in done.stderr and "osls" in done.stderr, done.stderr


# ---- bad input ----


def damaged(name, text):
    def change(folder):
        write(folder.parent / "packages" / "dev", {name: text})

    return change


@pytest.mark.parametrize(
    "mode, change, words",
    [
        ("fail", None, ("exit code 1", "Cannot resolve variable at 'custom.x'", "try it alone")),
        ("silent", None, ("written no serverless-state.json",)),
        ("copy", damaged(STATE, "{"), ("no complete package", STATE)),
        ("copy", damaged(STATE, "[]"), ("no complete package", "a list")),
        ("copy", damaged(STATE, "{}"), ("is no package",)),
        ("copy", damaged(TEMPLATE, ""), ("no complete package", TEMPLATE)),
        ("copy", damaged(TEMPLATE, '{"Resources": 1}'), ("is no package",)),
        (
            "copy",
            damaged(STATE, '{"service": {"$ref": "$[\\"service\\"]"}}'),
            ("is no package",),
        ),
        (
            "copy",
            damaged(
                STATE,
                '{"service": {"service": "app", "provider": {"a": {"$ref": '
                '"$[\\"service\\"][\\"provider\\"]"}}}}',
            ),
            ("holds itself",),
        ),
        (
            "copy",
            damaged(
                STATE,
                '{"service": {"service": "app", "provider": {}, "functions": {"a": {"$ref": '
                '"$[\\"service\\"][\\"functions\\"]"}, "b": {"$ref": '
                '"$[\\"service\\"][\\"functions\\"]"}}}}',
            ),
            ("holds itself",),
        ),
        (
            "copy",
            lambda folder: prepare(
                folder, "dev", resolved=RESOLVED.replace("service: app", "service: other")
            ),
            ("of service 'other', not of 'app'",),
        ),
        ("copy", lambda folder: (folder.parent / "packages/dev/app.zip").unlink(), ("app.zip",)),
    ],
)
def test_what_a_framework_may_do(service, mode, change, words):
    prepare(service, "dev")
    write(service.parent, {"mode": mode})
    if change:
        change(service)
    done = run(service, "package", "dev")
    assert done.returncode == 2 and all(word in done.stderr for word in words), done.stderr
    nothing_half_written(service)


def test_questions_get_no_answer(service):
    prepare(service, "dev", "madeup", "otherwise")
    write(service.parent, {"mode": "ask"})
    done = run(service, "package", "dev")
    assert done.returncode == 0 and packaged(service) == wanted(service, "dev"), done.stderr


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "Z"


def all_gone(folder):
    pids = [int(text) for text in (folder.parent / "pid").read_text().split()]
    end = time.monotonic() + TIMEOUT_S
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < end, pids
        time.sleep(0.05)


def test_one_call_at_a_time(service):
    """Two stages at once: on its way the framework writes into one folder."""
    prepare(service, "dev", "prod", "madeup", "otherwise")
    write(service.parent, {"mode": "alone"})
    env = environment(service.parent) | {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    both = [
        subprocess.Popen(
            [PROGRAM, "package", stage, "--package", f"../made-{stage}"],
            cwd=service,
            env=env,
            stderr=subprocess.PIPE,
            text=True,
        )
        for stage in ("dev", "prod")
    ]
    said = [child.communicate(timeout=TIMEOUT_S)[1] for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    for stage in ("dev", "prod"):
        assert packaged(service, f"../made-{stage}") == wanted(service, stage)


def test_takes_longer_than_it_may(service):
    write(service.parent, {"mode": "hang"})
    write(
        service,
        {"serverless.yml": FILE + "custom: {troupe: {build: {limit: 1s}}}\n"},
    )
    done = run(service, "package", "dev")
    assert done.returncode == 2 and "more than 1s" in done.stderr, done.stderr
    assert "custom.troupe.build.limit" in done.stderr
    all_gone(service)
    nothing_half_written(service)


def test_interrupted(service):
    write(service.parent, {"mode": "hang"})
    child = subprocess.Popen(
        [PROGRAM, "package", "dev"],
        cwd=service,
        env=environment(service.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + TIMEOUT_S
    while not (service.parent / "pid").exists() and time.monotonic() < end:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 130
    all_gone(service)
    nothing_half_written(service)


def test_commands_of_troupe_do_not_build(service):
    write(
        service,
        {"serverless.yml": FILE + "custom: {troupe: {build: {command: make}}}\n"},
    )
    done = run(service, "package", "dev")
    assert done.returncode == 2 and "serverless.yml:6:" in done.stderr, done.stderr
    assert not calls(service)


# ---- packages of other tools ----


def test_package_of_another_tool(service):
    prepare(service, "dev", "prod")
    place = service.parent / "packages" / "dev"
    for text in (FILE, RESOLVED):
        write(service, {"serverless.yml": text})
        done = run(service, "validate", "dev", "--package", place)
        assert done.returncode == 0 and "count as the stage's" in done.stderr, done.stderr
    for args, words in (
        (("prod", "--package", place), "packaged for stage 'dev', not for 'prod'"),
        (("dev", "--package", service), "no complete package"),
        (("dev", "--package", "nowhere"), "no complete package"),
    ):
        done = run(service, "validate", *args)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert not calls(service)
    assert not (service / ".troupe").exists()


# ---- all that a service file can say ----

GOLDEN = ROOT / "tests" / "golden" / "compile"
STEP = 1 if os.environ.get("TROUPE_TEST_ALL") == "1" else 48
# Called with: package --stage STAGE --package DIR
COPY = 'test "$3" = dev && cp -r "$0/." "$5"'


def golden_services():
    """Some of the golden services, others in each run; make test-all takes all of them."""
    names = sorted(path.parent.name for path in GOLDEN.glob("*/expected.json"))
    first = int(os.environ.get("TROUPE_TEST_SEED", time.time_ns() // 1000)) % STEP
    return names[first::STEP]


def check_golden(name, folder):
    plain, place, service = folder / "plain", folder / "package", folder / "app"
    shutil.copytree(GOLDEN / name, plain)
    env = environment(folder)
    try:
        package(PROGRAM, plain, "dev", place, env=env)
    except subprocess.CalledProcessError:
        return False  # it needs options, an account, or a stage that its file names
    state = json.loads((place / STATE).read_text())["service"]
    plugins = state.get("plugins") or []
    file = {
        "service": state["service"],
        "frameworkVersion": state.get("frameworkVersion", "3"),
        "provider": {"name": "aws", "region": state["provider"].get("region", "us-east-1")},
        "plugins": ["serverless-made-up", *(plugins if isinstance(plugins, list) else [])],
        "custom": {"troupe": {"bridge": ["sh", "-c", COPY, str(place)]}},
    }
    for path in plain.rglob("*.zip"):
        if ".serverless" not in path.parts:
            (service / path.relative_to(plain)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, service / path.relative_to(plain))
    write(service, {"serverless.yml": json.dumps(file)})
    done = run(service, "package", "dev")
    assert done.returncode == 0, (name, done.stderr)
    assert packaged(service) == normalise(json.loads((place / TEMPLATE).read_text())), name
    given = troupe("validate", "dev", cwd=plain, env=env)
    done = run(service, "validate", "dev")
    assert given.returncode or done.returncode == 0, (name, done.stderr)
    return True


def test_golden_services(tmp_path):
    """What troupe makes of a service is what it makes of the package of that service."""
    assert any([check_golden(name, tmp_path / name) for name in golden_services()])


# ---- with the reference ----

PLUGINS = {
    "plug/memory.js": """
class Memory {
  constructor(serverless, options) {
    this.hooks = { initialize: () => {
      const { service } = serverless;
      service.functions.added = { handler: 'f.main', events: [{ schedule: 'rate(1 hour)' }, { sns: 'news' }] };
      service.functions.hello.events.push({ http: { method: 'post', path: 'made' } });
      service.setFunctionNames(options);
    } };
  }
}
module.exports = Memory;
""",
    "plug/template.js": """
class Template {
  constructor(serverless) {
    const { service } = serverless;
    const stage = () => serverless.getProvider('aws').getStage();
    this.hooks = { 'before:package:finalize': () => {
      const { Resources } = service.provider.compiledCloudFormationTemplate;
      Resources.Alarms = { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alarms-' + stage() } };
      Resources.HelloLambdaFunction.Properties.TracingConfig = { Mode: 'Active' };
      Resources.HelloLambdaFunction.Properties.Environment = { Variables: { NAME: 'app-' + stage() + '-added' } };
      delete Resources.AddedLogGroup;
      Resources.AddedLambdaFunction.DependsOn = [];
    } };
  }
}
module.exports = Template;
""",
    "plug/source.js": """
class Source {
  constructor() {
    this.configurationVariablesSources = {
      secret: { async resolve({ address, resolveVariable }) {
        return { value: address + '-of-' + (await resolveVariable('sls:stage')).length };
      } },
    };
  }
}
module.exports = Source;
""",
    "serverless.yml": """service: app
provider:
  name: aws
  runtime: nodejs20.x
  region: us-east-1
  environment: {SECRET: "${secret:x}", STAGE: "${sls:stage}"}
  tracing: true
custom: {shared: {a: [1, 2], b: "x-${sls:stage}"}}
plugins: [./plug/memory, ./plug/template, ./plug/source, serverless-plugin-tracing, serverless-offline]
functions:
  hello:
    handler: f.main
    environment: {B: "${self:custom.shared.b}"}
    events:
      - http: {method: get, path: /hello, cors: true}
      - httpApi: GET /x
      - sqs: {arn: !GetAtt Jobs.Arn}
resources:
  Resources:
    Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: "jobs-${sls:stage}"}}
""",
    "f.js": "exports.main = async () => 1;\n",
}


def test_with_the_reference(tmp_path):
    """A function and events in memory, resources and changes in the template, a source of
    variables, a plugin from npm, and one that is not installed because troupe replaces it.
    """
    service = tmp_path / "app"
    write(service, PLUGINS)
    (tmp_path / "node_modules").symlink_to(reference().parents[2])
    write(tmp_path, {"plugins": "serverless-plugin-tracing@2.0.0\n"})
    (service / "node_modules").symlink_to(npm_packages(tmp_path))
    home = {"HOME": str(tmp_path)}
    done = run(service, "package", "prod", "--package", "made", more=home)
    assert done.returncode == 0, done.stderr
    write(
        service, {"serverless.yml": PLUGINS["serverless.yml"].replace(", serverless-offline", "")}
    )
    env = environment(tmp_path) | {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    command = [tmp_path / "node_modules/.bin/serverless", "package", "--stage", "prod"]
    subprocess.run(command, cwd=service, env=env, check=True, capture_output=True, timeout=120)
    assert packaged(service, "made") == packaged(service)
    with zipfile.ZipFile(service / "made/app.zip") as made:
        assert not [name for name in made.namelist() if name.startswith(".troupe")]
    assert re.search(r"bridge: packaged", done.stderr), done.stderr
