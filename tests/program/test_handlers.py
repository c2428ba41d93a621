"""The handlers of custom resources, out of the zip that `package` writes, against an AWS that
follows a script.
"""

import contextlib
import http.server
import json
import os
import re
import subprocess
import threading
import urllib.parse
import zipfile

import pytest

from run import environment, troupe

ACCOUNT, REGION = "111122223333", "us-east-1"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
# What Lambda's runtime does: call the handler with an event and a context. A second is left of the
# time.
RUN = """
const aws = require('./lib/aws');
aws.PAUSE_MS = 2;
const [entry, request, remaining] = process.argv.slice(2);
const context = { invokedFunctionArn: '%s', logStreamName: 'stream', getRemainingTimeInMillis: () => Number(remaining) };
require(entry).handler(JSON.parse(request), context);
""" % (FUNCTION_ARN + "handler")
SERVICE = """service: all
provider:
  name: aws
  runtime: nodejs22.x
  eventBridge: {useCloudFormation: false}
  logs: {restApi: true}
functions:
  f:
    handler: handler.main
    events:
      - s3: {bucket: photos, existing: true}
      - cognitoUserPool: {pool: people, trigger: PreSignUp, existing: true}
      - eventBridge: {schedule: rate(1 hour)}
      - http: GET /
"""


class Refused(Exception):
    def __init__(self, code, message="no", status=400):
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class Aws:
    """One account: a bucket, a pool, rules, policies of functions. `script` are exceptions for the
    next calls of an operation, or functions that are called before it.
    """

    def __init__(self):
        self.calls, self.answers, self.script = [], [], {}
        self.notifications = "<NotificationConfiguration></NotificationConfiguration>"
        self.pool = {
            "Id": "p1",
            "Name": "people",
            "LambdaConfig": {},
            "Arn": "x",
            "CreationDate": 1,
            "Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
            "AdminCreateUserConfig": {
                "AllowAdminCreateUserOnly": True,
                "UnusedAccountValidityDays": 3,
            },
            "NewSetting": {"kept": True},
        }
        self.pools = [{"Id": "p0", "Name": "people too"}, {"Id": "p1", "Name": "people"}]
        self.policy, self.rules, self.buses, self.roles, self.account = {}, {}, set(), {}, {}

    def before(self, operation):
        self.calls.append(operation)
        for step in self.script.get(operation, [])[:1]:
            self.script[operation].pop(0)
            if isinstance(step, Exception):
                raise step
            if step:
                step()

    # -- services --

    def s3(self, method, path, query, body, headers):
        self.before(f"{method} notification")
        assert path == "/photos" and query == {"notification": [""]}
        if method == "PUT":
            self.notifications = body
            return ""
        return self.notifications

    def lambda_(self, method, path, query, body, headers):
        self.before(f"{method} policy")
        name = path.split("/")[3] + "".join(":" + alias for alias in query.get("Qualifier", []))
        statements = self.policy.setdefault(name, {})
        if method == "DELETE":
            if statements.pop(path.split("/")[5], None) is None:
                raise Refused("ResourceNotFoundException", status=404)
            return ""
        said = json.loads(body)
        if said["StatementId"] in statements:
            raise Refused("ResourceConflictException", status=409)
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,100}", said["StatementId"])
        statements[said["StatementId"]] = (said["Principal"], said["SourceArn"])
        return "{}"

    def json_(self, method, path, query, body, headers):
        operation = headers["x-amz-target"].split(".")[1]
        self.before(operation)
        return json.dumps(getattr(self, operation)(json.loads(body)) or {})

    def ListUserPools(self, said):
        page = int(said.get("NextToken", 0))
        return {
            "UserPools": self.pools[page : page + 1],
            **({"NextToken": str(page + 1)} if page + 1 < len(self.pools) else {}),
        }

    def DescribeUserPool(self, said):
        return {"UserPool": self.pool}

    def UpdateUserPool(self, said):
        assert said.pop("UserPoolId") == "p1" and not {"Id", "Name", "Arn", "CreationDate"} & set(
            said
        )
        assert "UnusedAccountValidityDays" not in said["AdminCreateUserConfig"]
        self.pool = {"Id": "p1", "Name": "people", **said}

    def CreateEventBus(self, said):
        if said["Name"] in self.buses:
            raise Refused("ResourceAlreadyExistsException")
        self.buses.add(said["Name"])

    def DeleteEventBus(self, said):
        self.buses.discard(said["Name"])

    def PutRule(self, said):
        self.rules.setdefault(said["Name"], {}).update(said)

    def PutTargets(self, said):
        self.rules[said["Rule"]]["targets"] = said["Targets"]

    def RemoveTargets(self, said):
        if said["Rule"] not in self.rules:
            raise Refused("ResourceNotFoundException")
        self.rules[said["Rule"]]["targets"] = []

    def DeleteRule(self, said):
        self.rules.pop(said["Name"], None)

    def apigateway(self, method, path, query, body, headers):
        self.before(f"{method} account")
        assert path == "/account"
        if method == "PATCH":
            self.account["cloudwatchRoleArn"] = json.loads(body)["patchOperations"][0]["value"]
        return json.dumps(self.account)

    def iam(self, method, path, query, body, headers):
        said = {key: value[0] for key, value in urllib.parse.parse_qs(body).items()}
        self.before(said["Action"])
        if said["Action"] == "CreateRole":
            if said["RoleName"] in self.roles:
                raise Refused("EntityAlreadyExists", status=409)
            self.roles[said["RoleName"]] = set()
        else:
            self.roles[said["RoleName"]].add(said["PolicyArn"])
        return "<Response/>"

    def handle(self, method, path, query, body, headers):
        if path == "/answer":
            self.before("answer")
            self.answers.append(json.loads(body))
            assert headers.get("content-type", "") == ""
            return ""
        service = headers["authorization"].split("/")[3]
        return {
            "s3": self.s3,
            "lambda": self.lambda_,
            "apigateway": self.apigateway,
            "iam": self.iam,
            "cognito-idp": self.json_,
            "events": self.json_,
        }[service](method, path, query, body, headers)


@contextlib.contextmanager
def serving(aws):
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def answer(self):
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {key.lower(): value for key, value in self.headers.items()}
            try:
                status, text = (
                    200,
                    aws.handle(
                        self.command,
                        url.path,
                        urllib.parse.parse_qs(url.query, True),
                        body,
                        headers,
                    ),
                )
            except Refused as refused:
                xml = "s3/" in headers.get("authorization", "") or "iam/" in headers.get(
                    "authorization", ""
                )
                text = (
                    f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
                    if xml
                    else json.dumps(
                        {"__type": f"com.aws#{refused.code}", "message": refused.message}
                    )
                )
                status = refused.status
            data = text.encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = answer

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # whoever was answered too late is gone
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """The folder with the handlers' code."""
    folder = tmp_path_factory.mktemp("handlers")
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "handler.js").write_text("exports.main = async () => 1;\n")
    assert troupe("package", cwd=folder, env=environment(folder)).returncode == 0
    with zipfile.ZipFile(folder / ".serverless" / "custom-resources.zip") as archive:
        archive.extractall(folder / "code")
    (folder / "code" / "run.js").write_text(RUN)
    return folder / "code"


@pytest.fixture
def aws():
    return Aws()


@pytest.fixture
def call(code, aws):
    """Calls a handler; what it answers to CloudFormation."""
    with serving(aws) as endpoint:

        def send(kind, action, properties, old=None, logical="FCustom1", remaining=60000, **more):
            request = {
                "RequestType": action,
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": logical,
                "ResponseURL": f"{endpoint}/answer?a=b%2F",
                "ResourceProperties": properties,
                **more,
            }
            if old:
                request["OldResourceProperties"] = old
            before = len(aws.answers)
            done = subprocess.run(
                ["node", "run.js", f"./{kind}/handler", json.dumps(request), str(remaining)],
                cwd=code,
                timeout=120,
                env={
                    "PATH": os.environ["PATH"],
                    "AWS_REGION": REGION,
                    "AWS_ENDPOINT_URL": endpoint,
                    "AWS_ACCESS_KEY_ID": "AKID",
                    "AWS_SECRET_ACCESS_KEY": "secret",
                    "AWS_SESSION_TOKEN": "token",
                },
                capture_output=True,
                text=True,
            )
            assert len(aws.answers) == before + 1, done.stderr
            return aws.answers[-1]

        yield send


def made(answer):
    assert answer["Status"] == "SUCCESS", answer
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == (
        "stack",
        "request",
        "FCustom1",
    )
    return answer["PhysicalResourceId"]


def reason(answer):
    assert answer["Status"] == "FAILED", answer
    return answer["Reason"]


# -- buckets --

OTHERS = (
    "<TopicConfiguration><Id>t &amp;"
    " u</Id><Topic>arn:aws:sns:topic</Topic><Event>s3:ObjectCreated:*</Event>"
    "<New>kept</New></TopicConfiguration>"
)
NEIGHBOUR = (
    f"<CloudFunctionConfiguration><Id>f:dev-by-hand</Id><CloudFunction>{FUNCTION_ARN}f:dev</CloudFunction>"
    "<Event>s3:ObjectRemoved:*</Event></CloudFunctionConfiguration>"
)


def bucket(*configs, function="f:dev"):
    return {
        "ServiceToken": "x",
        "FunctionName": function,
        "BucketName": "photos",
        "BucketConfigs": [{"Event": event, "Rules": rules} for event, *rules in configs],
    }


def of(aws, function):
    """Events of a function's notifications."""
    found = re.findall(
        r"<CloudFunctionConfiguration>(.*?)</CloudFunctionConfiguration>", aws.notifications, re.S
    )
    return sorted(
        re.search("<Event>(.*?)</Event>", one)[1]
        for one in found
        if f"<CloudFunction>{FUNCTION_ARN}{function}</CloudFunction>" in one
    )


ONE = bucket(
    ["s3:ObjectCreated:*", {"Prefix": "a&b/"}, {"Suffix": ".jpg"}], ["s3:ObjectRestore:Post"]
)


def test_a_bucket_keeps_what_others_put_there(aws, call):
    aws.notifications = (
        f'<NotificationConfiguration xmlns="x">{OTHERS}{NEIGHBOUR}</NotificationConfiguration>'
    )
    assert made(call("s3", "Create", ONE)) == "photos/f:dev"
    assert OTHERS in aws.notifications and NEIGHBOUR in aws.notifications
    assert of(aws, "f:dev") == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:Post"]
    assert "<Name>prefix</Name><Value>a&amp;b/</Value>" in aws.notifications
    assert list(aws.policy["f:dev"].values()) == [("s3.amazonaws.com", "arn:aws:s3:::photos")]
    # Asked again, as after an answer that got lost: nothing is written.
    calls, aws.calls = aws.calls, []
    made(call("s3", "Create", ONE))
    assert "PUT notification" in calls and "PUT notification" not in aws.calls
    # Another stage comes; this one changes, and goes.
    made(
        call("s3", "Create", bucket(["s3:ObjectCreated:*", {"Prefix": "prod/"}], function="f:prod"))
    )
    two = bucket(["s3:ObjectCreated:Put", {"Prefix": "a"}])
    made(call("s3", "Update", two, old=ONE))
    assert of(aws, "f:dev") == ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"]
    made(call("s3", "Delete", two, PhysicalResourceId="photos/f:dev"))
    assert of(aws, "f:dev") == ["s3:ObjectRemoved:*"] and of(aws, "f:prod") == [
        "s3:ObjectCreated:*"
    ]
    assert aws.policy["f:dev"] == {} and len(aws.policy["f:prod"]) == 1
    made(call("s3", "Delete", two, PhysicalResourceId="photos/f:dev"))


@pytest.mark.parametrize(
    "empty",
    [
        "",
        "<NotificationConfiguration/>",
        '<?xml version="1.0"?><NotificationConfiguration xmlns="x"/>',
    ],
)
def test_a_bucket_without_notifications(aws, call, empty):
    aws.notifications = empty
    made(call("s3", "Create", ONE))
    assert len(of(aws, "f:dev")) == 2


def test_another_function_takes_over_in_one_breath(aws, call):
    made(call("s3", "Create", ONE))
    other = {**ONE, "FunctionName": "g:dev"}
    assert made(call("s3", "Update", other, old=ONE)) == "photos/g:dev"
    assert of(aws, "f:dev") == [] and len(of(aws, "g:dev")) == 2
    # CloudFormation asks to remove the old one then; or, rolling back, to put it back.
    made(call("s3", "Delete", ONE, PhysicalResourceId="photos/f:dev"))
    assert len(of(aws, "g:dev")) == 2
    made(call("s3", "Update", ONE, old=other))
    made(call("s3", "Delete", other, PhysicalResourceId="photos/g:dev"))
    assert len(of(aws, "f:dev")) == 2 and of(aws, "g:dev") == []


def test_a_resource_of_another_name_does_not_take_the_new_one_away(aws, call):
    call("s3", "Create", ONE, logical="NewCustom1")
    made(call("s3", "Delete", ONE, PhysicalResourceId="photos/f:dev"))
    assert len(of(aws, "f:dev")) == 2 and len(aws.policy["f:dev"]) == 1


def test_who_is_overwritten_writes_again(aws, call):
    def overwrite():
        aws.notifications = f"<NotificationConfiguration>{OTHERS}</NotificationConfiguration>"

    aws.script["GET notification"] = [None, overwrite]
    made(call("s3", "Create", ONE))
    assert len(of(aws, "f:dev")) == 2 and OTHERS in aws.notifications
    aws.script["GET notification"] = [None] + [overwrite] * 50
    assert "somebody else keeps overwriting it" in reason(
        call("s3", "Create", {**ONE, "FunctionName": "g:dev"})
    )


def test_overlapping_notifications_are_named(aws, call):
    aws.notifications = f"<NotificationConfiguration>{NEIGHBOUR}</NotificationConfiguration>"
    aws.script["PUT notification"] = [Refused("InvalidArgument", "Configurations overlap.")]
    said = reason(call("s3", "Create", ONE))
    assert (
        "'f:dev-by-hand'" in said
        and "bucket 'photos'" in said
        and "prefix or suffix of their own" in said
    )
    made(call("s3", "Delete", ONE, PhysicalResourceId="photos/f:dev"))
    assert NEIGHBOUR in aws.notifications


def test_what_passes_is_tried_again(aws, call):
    later = [
        Refused("SlowDown", status=503),
        Refused("AccessDenied", status=403),
        Refused("OperationAborted", status=409),
        Refused("InvalidArgument", "Unable to validate the following destination configurations"),
    ]
    aws.script["PUT notification"] = list(later)
    aws.script["answer"] = [Refused("InternalError", status=500)]
    made(call("s3", "Create", ONE))
    assert len(of(aws, "f:dev")) == 2
    aws.script["GET notification"] = [Refused("AccessDenied", "not allowed", 403)] * 20
    assert "AccessDenied: not allowed" in reason(call("s3", "Create", ONE))


def test_a_bucket_that_is_gone_keeps_no_stack(aws, call):
    made(call("s3", "Create", ONE))
    aws.script["GET notification"] = [Refused("NoSuchBucket", status=404)]
    made(call("s3", "Delete", ONE, PhysicalResourceId="photos/f:dev"))
    assert aws.policy["f:dev"] == {}


def test_what_takes_too_long_is_answered_in_time(aws, call):
    held = threading.Event()
    aws.script["GET notification"] = [lambda: held.wait(60)]
    said = reason(call("s3", "Create", ONE, remaining=10))
    held.set()
    assert "it was not done in time" in said


# -- user pools --


def pool(*triggers, function="f:dev"):
    return {
        "ServiceToken": "x",
        "FunctionName": function,
        "UserPoolName": "people",
        "UserPoolConfigs": [
            trigger if isinstance(trigger, dict) else {"Trigger": trigger} for trigger in triggers
        ],
    }


SENDER = {"Trigger": "CustomSMSSender", "LambdaVersion": "V1_0", "KMSKeyID": "arn:aws:kms:a"}
TOKEN = {"Trigger": "PreTokenGeneration", "LambdaVersion": "V2_0"}


def test_a_pool_keeps_what_others_put_there(aws, call):
    aws.pool["LambdaConfig"] = {"PostAuthentication": "arn:neighbour"}
    assert (
        made(call("cognito-user-pool", "Create", pool("PreSignUp", SENDER, TOKEN)))
        == "people/f:dev"
    )
    arn = FUNCTION_ARN + "f:dev"
    assert aws.pool["LambdaConfig"] == {
        "PostAuthentication": "arn:neighbour",
        "PreSignUp": arn,
        "KMSKeyID": "arn:aws:kms:a",
        "CustomSMSSender": {"LambdaArn": arn, "LambdaVersion": "V1_0"},
        "PreTokenGeneration": arn,
        "PreTokenGenerationConfig": {"LambdaArn": arn, "LambdaVersion": "V2_0"},
    }
    assert aws.pool["NewSetting"] == {"kept": True}
    assert list(aws.policy["f:dev"].values()) == [
        ("cognito-idp.amazonaws.com", f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/p1")
    ]
    calls, aws.calls = aws.calls, []
    made(call("cognito-user-pool", "Create", pool("PreSignUp", SENDER, TOKEN)))
    assert "UpdateUserPool" in calls and "UpdateUserPool" not in aws.calls
    made(
        call(
            "cognito-user-pool",
            "Update",
            pool("CustomMessage", function="g:dev"),
            old=pool("PreSignUp", SENDER, TOKEN),
        )
    )
    assert aws.pool["LambdaConfig"] == {
        "PostAuthentication": "arn:neighbour",
        "CustomMessage": FUNCTION_ARN + "g:dev",
    }
    made(call("cognito-user-pool", "Delete", pool("PreSignUp"), PhysicalResourceId="people/f:dev"))
    made(
        call(
            "cognito-user-pool",
            "Delete",
            pool("CustomMessage", function="g:dev"),
            PhysicalResourceId="people/g:dev",
        )
    )
    assert aws.pool["LambdaConfig"] == {"PostAuthentication": "arn:neighbour"}
    assert aws.policy == {"f:dev": {}, "g:dev": {}}


def test_a_trigger_that_is_taken(aws, call):
    aws.pool["LambdaConfig"] = {"PreSignUp": "arn:neighbour"}
    said = reason(call("cognito-user-pool", "Create", pool("PreSignUp")))
    assert "trigger 'PreSignUp' of user pool 'people' calls arn:neighbour already" in said
    assert aws.policy == {} and "UpdateUserPool" not in aws.calls
    made(call("cognito-user-pool", "Delete", pool("PreSignUp"), PhysicalResourceId="people/f:dev"))
    assert aws.pool["LambdaConfig"] == {"PreSignUp": "arn:neighbour"}
    aws.pool["LambdaConfig"] = {
        "CustomEmailSender": {"LambdaArn": "arn:n", "LambdaVersion": "V1_0"},
        "KMSKeyID": "arn:b",
    }
    assert "encrypts for its other custom sender with arn:b" in reason(
        call("cognito-user-pool", "Create", pool(SENDER))
    )


def test_pools_that_cannot_be_meant(aws, call):
    aws.pools.append({"Id": "p9", "Name": "people"})
    assert "there are 2 user pools called 'people': p1, p9" in reason(
        call("cognito-user-pool", "Create", pool("PreSignUp"))
    )
    aws.pools[:] = [{"Id": "p0", "Name": "people too"}]
    assert "no user pool called 'people'" in reason(
        call("cognito-user-pool", "Create", pool("PreSignUp"))
    )
    made(call("cognito-user-pool", "Delete", pool("PreSignUp"), PhysicalResourceId="people/f:dev"))


# -- rules --


def test_a_rule_and_its_bus(aws, call):
    config = {
        "RuleName": "r" * 64,
        "EventBus": "mine",
        "State": "ENABLED",
        "Pattern": {"source": ["a"]},
        "Input": {"a": "1"},
    }
    rule = {"FunctionName": "f", "EventBridgeConfig": config}
    for action in ("Create", "Create", "Update"):  # the second one after an answer that got lost
        made(call("event-bridge", action, rule, **({"old": rule} if action == "Update" else {})))
    got = aws.rules["r" * 64]
    assert (
        got["EventPattern"] == '{"source":["a"]}'
        and got["EventBusName"] == "mine"
        and aws.buses == {"mine"}
    )
    assert [target["Arn"] for target in got["targets"]] == [FUNCTION_ARN + "f"] and len(
        got["targets"][0]["Id"]
    ) <= 64
    assert list(aws.policy["f"].values()) == [
        ("events.amazonaws.com", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/mine/{'r' * 64}")
    ]
    for _ in range(2):
        made(call("event-bridge", "Delete", rule, PhysicalResourceId="x"))
    assert aws.rules == {} and aws.buses == set() and aws.policy["f"] == {}


@pytest.mark.parametrize(
    "bus", [None, "default", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/theirs"]
)
def test_a_bus_of_others_stays(aws, call, bus):
    config = {
        "RuleName": "r",
        "State": "ENABLED",
        "Schedule": "rate(1 hour)",
        **({"EventBus": bus} if bus else {}),
    }
    rule = {"FunctionName": "f", "EventBridgeConfig": config}
    made(call("event-bridge", "Create", rule))
    made(call("event-bridge", "Delete", rule, PhysicalResourceId="x"))
    assert not {"CreateEventBus", "DeleteEventBus"} & set(aws.calls) and aws.rules == {}


# -- the account's role --


def test_the_account_gets_a_role_where_it_has_none(aws, call):
    ours = f"arn:aws:iam::{ACCOUNT}:role/serverlessApiGatewayCloudWatchRole"
    aws.script["PATCH account"] = [
        Refused("BadRequestException", "The role ARN does not have required permissions")
    ]
    for _ in range(2):
        made(call("api-gateway-cloud-watch-role", "Create", {}))
    assert aws.account == {"cloudwatchRoleArn": ours} and aws.calls.count("CreateRole") == 1
    assert aws.roles == {
        "serverlessApiGatewayCloudWatchRole": {
            "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        }
    }
    made(call("api-gateway-cloud-watch-role", "Delete", {}, PhysicalResourceId="x"))
    assert aws.account == {"cloudwatchRoleArn": ours}
    made(call("api-gateway-cloud-watch-role", "Update", {"RoleArn": "arn:given"}, old={}))
    made(call("api-gateway-cloud-watch-role", "Create", {}))  # another service of the account
    assert aws.account == {"cloudwatchRoleArn": "arn:given"}
