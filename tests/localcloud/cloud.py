"""The running local cloud as the tests see it, and the helpers they share."""

import base64
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
REGION, ACCOUNT = "us-east-1", "000000000000"

NODE = """
let calls = 0;
exports.handler = async (event, context) => {
  calls += 1;
  console.log('called ' + context.functionVersion);
  if (event && event.fail) throw new Error('boom');
  const seen = {tag: '%s', version: context.functionVersion, arn: context.invokedFunctionArn,
                stage: process.env.STAGE, calls, pid: process.pid, event};
  return event && event.raw ? seen : {statusCode: 200, body: JSON.stringify(seen)};
};
"""


def dealt(items, is_long):
    """``items`` in an order that lets each worker, which begins with as many in a row as any other
    and takes over from others what they have not begun, do its part of the long ones first."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if is_long(item)]
    short = [item for item in items if not is_long(item)]
    order, size = [], len(items) // workers
    for worker in range(workers):
        mine = long[worker::workers]
        rest = len(short) if worker == workers - 1 else max(0, size - len(mine))
        order += mine + short[:rest]
        short = short[rest:]
    return order


class Cloud:
    """One server in its own process group, on a free loopback port, with its own folder."""

    module = "cloud_without" if "TROUPE_CLOUD_WITHOUT" in os.environ else "troupe_cloud"

    def __init__(self, folder, **settings):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.secret = secrets.token_hex(20)
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("AWS_")
        }
        environment.update(
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            TMPDIR=str(folder),
            PYTHONPATH=os.pathsep.join(
                str(ROOT / folder) for folder in ("localcloud", "tests/localcloud", "tests/e2e")
            ),
            TROUPE_CLOUD_SECRET=self.secret,
            LAMBDA_ASYNC_RETRY_BASE_SECONDS="0.1",
            TROUPE_TEST_HOST_SECRET="host",
            **settings,
        )
        self.log = open(Path(folder) / "cloud.log", "w+")
        self.process = subprocess.Popen(
            [os.environ.get("TROUPE_CLOUD_PYTHON", sys.executable), "-m", self.module],
            env=environment,
            cwd=folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_ready()

    def _wait_until_ready(self):
        for _ in range(1200):
            try:
                if requests.get(f"{self.endpoint}/_ministack/health", timeout=30).ok:
                    return
            except requests.ConnectionError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        raise RuntimeError(f"the local cloud did not start:\n{self.log.read()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()

    def client(self, service, region=REGION, credentials=None, **kwargs):
        """A client with the account's own keys, or with ``(id, secret, session token or None)``."""
        key, secret, token = credentials or (ACCOUNT, self.secret, None)
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=60,
            parameter_validation=False,
            s3={"addressing_style": "path"},
        )
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            config=config,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            **kwargs,
        )

    def get(self, path, host=None, method="GET", **kwargs):
        """A plain HTTP call, as a browser would make it."""
        headers = dict(kwargs.pop("headers", {}))
        if host:
            headers["Host"] = f"{host}:{self.port}"
        return requests.request(method, self.endpoint + path, headers=headers, timeout=30, **kwargs)


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def node_zip(tag):
    return zipped({"index.js": NODE % tag})


def trust(service="lambda.amazonaws.com"):
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        ],
    }


def allow(*actions, resource="*", **conditions):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": conditions} if conditions else statement


def deny(*actions, resource="*", **conditions):
    return {**allow(*actions, resource=resource, **conditions), "Effect": "Deny"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def function_arn(function, qualifier=None):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}" + (
        f":{qualifier}" if qualifier else ""
    )


def invocation_uri(arn):
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


def refused(call, **kwargs):
    """``(status, code, message)`` of the error a call answers; fails if it succeeds."""
    try:
        answer = call(**kwargs)
    except ClientError as error:
        response = error.response
        return (
            response["ResponseMetadata"]["HTTPStatusCode"],
            response["Error"]["Code"],
            response["Error"].get("Message") or response.get("message") or "",
        )
    raise AssertionError(f"not refused: {answer}")


class Tools:
    """Clients and the steps that many tests share."""

    def __init__(self, cloud):
        self.cloud = cloud
        for attribute, service in (
            ("lam", "lambda"),
            ("cf", "cloudformation"),
            ("rest", "apigateway"),
            ("http", "apigatewayv2"),
            ("iam", "iam"),
            ("s3", "s3"),
            ("logs", "logs"),
            ("sqs", "sqs"),
            ("sns", "sns"),
            ("events", "events"),
            ("sts", "sts"),
            ("ssm", "ssm"),
            ("ddb", "dynamodb"),
        ):
            setattr(self, attribute, cloud.client(service))
        self.role = self.role_with(allow("*"))

    def role_with(self, *statements, service="lambda.amazonaws.com"):
        """The ARN of a new role with an inline policy of these statements (without one: none)."""
        role = self.iam.create_role(
            RoleName=name("role"), AssumeRolePolicyDocument=json.dumps(trust(service))
        )["Role"]
        if statements:
            self.put_policy(role["Arn"], *statements)
        return role["Arn"]

    def put_policy(self, role, *statements, policy="inline"):
        self.iam.put_role_policy(
            RoleName=role.rsplit("/", 1)[-1],
            PolicyName=policy,
            PolicyDocument=document(*statements),
        )

    def function(self, tag="one", files=None, **properties):
        """A ready function's name."""
        function = properties.pop("FunctionName", None) or name("f")
        request = dict(
            FunctionName=function,
            Runtime="nodejs20.x",
            Role=self.role,
            Handler="index.handler",
            Code={"ZipFile": zipped(files) if files else node_zip(tag)},
            Timeout=10,
        )
        self.lam.create_function(**{**request, **properties})
        self.ready(function)
        return function

    def ready(self, function):
        for _ in range(3000):
            config = self.lam.get_function(FunctionName=function)["Configuration"]
            if config["State"] == "Active" and config["LastUpdateStatus"] == "Successful":
                return config
            time.sleep(0.02)
        raise AssertionError(f"{function} does not get ready: {config}")

    def code(self, function, tag):
        self.lam.update_function_code(FunctionName=function, ZipFile=node_zip(tag))
        return self.ready(function)

    def configure(self, function, **changes):
        self.lam.update_function_configuration(FunctionName=function, **changes)
        return self.ready(function)

    def publish(self, function, **kwargs):
        return self.lam.publish_version(FunctionName=function, **kwargs)["Version"]

    def two_versions(self):
        """A function with versions 1 (tag one) and 2 (tag two)."""
        function = self.function("one")
        self.publish(function)
        self.code(function, "two")
        self.publish(function)
        return function

    def call(self, function, event=None, qualifier=None, **kwargs):
        """``(executed version, function error, payload)``."""
        if qualifier:
            kwargs["Qualifier"] = qualifier
        payload = json.dumps({"raw": True} if event is None else event)
        answer = self.lam.invoke(FunctionName=function, Payload=payload, **kwargs)
        body = answer["Payload"].read().decode()
        return (
            answer.get("ExecutedVersion"),
            answer.get("FunctionError"),
            json.loads(body) if body else None,
        )

    def tail(self, function):
        answer = self.lam.invoke(FunctionName=function, Payload=b'{"raw":true}', LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()

    def allow(self, function, qualifier, principal="apigateway.amazonaws.com", source=None):
        arguments = dict(
            FunctionName=function,
            StatementId=name("s"),
            Action="lambda:InvokeFunction",
            Principal=principal,
        )
        if qualifier:
            arguments["Qualifier"] = qualifier
        if source:
            arguments["SourceArn"] = source
        self.lam.add_permission(**arguments)

    # -- stacks -----------------------------------------------------------------------------------

    @staticmethod
    def template(resources, **sections):
        return json.dumps(
            {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections}
        )

    def stack(self, operation, stack, resources, sections=None, **kwargs):
        """Create or update a stack and wait; ``(status, reason of the first failure)``."""
        getattr(self.cf, f"{operation}_stack")(
            StackName=stack,
            TemplateBody=self.template(resources, **(sections or {})),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            **kwargs,
        )
        return self.finished(stack)

    def create(self, stack, resources, **kwargs):
        return self.stack("create", stack, resources, **kwargs)

    def update(self, stack, resources, **kwargs):
        return self.stack("update", stack, resources, **kwargs)

    def imported(self, stack, body, resource_type, logical_id, identifier):
        """Take a resource that exists into the stack."""
        self.cf.create_change_set(
            StackName=stack,
            ChangeSetName="i",
            ChangeSetType="IMPORT",
            TemplateBody=body,
            ResourcesToImport=[
                {
                    "ResourceType": resource_type,
                    "LogicalResourceId": logical_id,
                    "ResourceIdentifier": identifier,
                }
            ],
        )
        for _ in range(1200):
            made = self.cf.describe_change_set(StackName=stack, ChangeSetName="i")
            if made["Status"] == "CREATE_COMPLETE":
                break
            time.sleep(0.05)
        self.cf.execute_change_set(StackName=stack, ChangeSetName="i")
        time.sleep(0.2)
        assert self.finished(stack) == ("IMPORT_COMPLETE", "")

    def delete(self, stack):
        self.cf.delete_stack(StackName=stack)
        return self.finished(stack)

    def finished(self, stack):
        for _ in range(2400):
            try:
                found = self.cf.describe_stacks(StackName=stack)["Stacks"][0]
            except ClientError as error:
                assert "does not exist" in str(error)
                return "GONE", ""
            if not found["StackStatus"].endswith("IN_PROGRESS"):
                return found["StackStatus"], self.failure(stack)
            time.sleep(0.05)
        raise AssertionError(f"{stack} stays {found['StackStatus']}")

    def failure(self, stack):
        """The reason of the last operation's first failed resource."""
        for event in reversed(self.events_of(stack)):
            if event["ResourceStatus"].endswith("_FAILED"):
                return event.get("ResourceStatusReason", "")
        return ""

    def events_of(self, stack, last_operation=True):
        """The stack's events, newest first; only those of the last operation by default."""
        events = self.cf.describe_stack_events(StackName=stack)["StackEvents"]
        if not last_operation:
            return events
        for position, event in enumerate(events):
            if (
                event.get("ResourceStatusReason") == "User Initiated"
                and event["ResourceType"] == "AWS::CloudFormation::Stack"
            ):
                return events[: position + 1]
        return events

    def outputs(self, stack):
        found = self.cf.describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
