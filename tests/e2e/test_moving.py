"""Functions that move between once and once per stage, while a client calls."""

import threading
import time

import requests

from shop import append, code, served

OWN = """custom:
  troupe:
    functions: {perStage: [hello]}
"""


class Caller:
    """Calls a URL over and over; ``with`` it, no call may fail."""

    def __init__(self, troupe, stage="dev", url=None):
        self.url = url or troupe.rest_url(stage, "/hello")
        self.answers, self.failures, self.stop = [], [], False

    def call(self):
        while not self.stop:
            answer = requests.get(self.url, timeout=30)
            (self.answers if answer.status_code == 200 else self.failures).append(answer.text)
            time.sleep(0.02)

    def __enter__(self):
        self.thread = threading.Thread(target=self.call)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        assert self.answers and not self.failures, self.failures[:3]


def own(troupe):
    append(troupe, OWN)


def shared(troupe):
    path = troupe.folder / "serverless.yml"
    path.write_text(path.read_text().replace(OWN, ""))


def forget_late_lines(troupe):
    """A function that is deleted writes its last lines a moment later: that makes its log group
    again, on AWS too.
    """
    time.sleep(1)
    logs = troupe.account.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/shop-dev-hello")[
        "logGroups"
    ]:
        logs.delete_log_group(logGroupName=group["logGroupName"])


def functions(troupe):
    return set(troupe.world()["functions"])


def test_there_and_back(troupe):
    troupe.use("shop")
    code(troupe, "one")
    for stage in ("dev", "prod"):
        troupe("deploy", stage)
    prod = troupe.stage("prod", "shop")
    own(troupe)
    code(troupe, "two")
    with Caller(troupe), Caller(troupe, "prod"):
        troupe("deploy", "dev")
    assert served(troupe) == "two"
    world = troupe.world()["functions"]
    assert (
        "dev" in world["shop-dev-hello"]["aliases"] and "dev" not in world["shop-hello"]["aliases"]
    )
    assert troupe.stage("prod", "shop") == prod and served(troupe, "prod") == "one"
    with Caller(troupe), Caller(troupe, "prod"):
        result = troupe("rollback", "dev")
    assert "'hello' moves between service and stage" in result.err, str(result)
    assert served(troupe) == "one" and "shop-dev-hello" not in functions(troupe)
    forget_late_lines(troupe)
    with Caller(troupe), Caller(troupe, "prod"):
        troupe("rollback", "dev", "--to", "2")
    assert served(troupe) == "two"
    shared(troupe)
    code(troupe, "three")
    with Caller(troupe), Caller(troupe, "prod"):
        troupe("deploy", "dev")
    assert served(troupe) == "three" and "shop-dev-hello" not in functions(troupe)
    assert troupe.stage("prod", "shop") == prod
    with Caller(troupe), Caller(troupe, "prod"):
        troupe("reset", "prod", "--to", "dev#2")
    assert served(troupe, "prod") == "two" and "shop-prod-hello" in functions(troupe)


def test_a_role_that_moves(troupe, account):
    """A version is frozen with its role: another role makes another version, even when nothing else
    changes.
    """
    troupe.use("shop")
    own(troupe)
    statements = """provider:
  iam: {role: {statements: [{Effect: Allow, Action: 's3:ListAllMyBuckets', Resource: 'arn:aws:s3:::${sls:stage}'}]}}
"""

    def roles():
        client = account.client("lambda")
        role = client.get_function_configuration(FunctionName="shop-dev-hello", Qualifier="dev")[
            "Role"
        ]
        return role, {
            r["Arn"]
            for page in account.client("iam").get_paginator("list_roles").paginate()
            for r in page["Roles"]
        }

    seen = []
    for change in (
        ("provider:\n", statements),
        ("${sls:stage}'}", "*'}"),
        ("s3:ListAllMyBuckets", "s3:GetObject"),
    ):
        troupe("deploy", "dev")
        role, there = roles()
        assert role in there and role not in seen
        seen.append(role)
        troupe.edit("serverless.yml", *change)
    troupe("deploy", "dev")
    troupe("deploy", "--service")
    role, there = roles()
    assert role in there and role not in seen and served(troupe)
