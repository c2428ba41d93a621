"""What Lambda does after its answer: updates that fail, versions that are put away or take their
time.
"""

import json

import pytest
import requests

from conftest import RememberingCloud
from test_unlock import bucket, content, put

LIMIT = 400_000
CODE = "exports.f = async () => 'one'; // %s\n"
PYTHON = (
    "import os\nif os.path.exists(os.environ['BAD']):\n    raise ValueError('no start')\n\n\ndef"
    " f(e, c):\n    return 1\n"
)
SERVICE = """service: shop
frameworkVersion: '3'
provider:
  name: aws
  runtime: nodejs20.x
functions:
  f:
    handler: index.f
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    running = RememberingCloud(
        tmp_path_factory.mktemp("states"),
        TROUPE_CLOUD_STACK_MS="100",
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="60",
        TROUPE_CLOUD_CODE_BYTES=str(LIMIT),
        TROUPE_CLOUD_SNAPSHOT_MS="300",
        TROUPE_CLOUD_PROVISIONING_MS="2000",
    )
    yield running
    running.stop()


def service(troupe, properties="", code="one"):
    troupe.write({"serverless.yml": SERVICE + properties, "index.js": CODE.replace("one", code)})


def call(troupe, stage):
    """What the stage's function says, to the first call; an error is one."""
    answer = troupe.account.client("lambda").invoke(FunctionName="shop-f", Qualifier=stage)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def version(troupe, stage):
    return troupe.account.client("lambda").get_alias(FunctionName="shop-f", Name=stage)[
        "FunctionVersion"
    ]


def versions(troupe):
    listed = troupe.account.client("lambda").list_versions_by_function(FunctionName="shop-f")[
        "Versions"
    ]
    return {v["Version"] for v in listed} - {"$LATEST"}


def put_away(troupe, *numbers):
    """Weeks pass without a call of these versions."""
    arn = f"arn:aws:lambda:us-east-1:{troupe.account.id}:function:shop-f:"
    cloud = troupe.account.cloud
    answer = requests.post(
        f"{cloud.endpoint}/_ministack/lambda-inactive",
        headers={"X-Troupe-Secret": cloud.secret},
        json={"versions": [arn + number for number in numbers]},
        timeout=30,
    )
    assert answer.ok, answer.text


def test_a_head_whose_update_failed_is_published_again(troupe, proxy):
    service(troupe, "    vpc: {securityGroupIds: [sg-1], subnetIds: ['${env:SUBNET}']}\n")
    bad, good = {"SUBNET": "subnet-full1"}, {"SUBNET": "subnet-1"}
    troupe("deploy", "prod", env=good)
    prod = version(troupe, "prod")
    for _ in range(2):  # the same again is tried again, and fails again
        mark = proxy.mark()
        failed = troupe("deploy", "dev", env=bad, check=1)
        assert "no available IP addresses" in failed.err, str(failed)
        assert proxy.calls("lambda.UpdateFunctionConfiguration", mark) and versions(troupe) == {
            prod
        }
    service(troupe, "    vpc: {securityGroupIds: [sg-1], subnetIds: ['${env:SUBNET}']}\n", "two")
    troupe("deploy", "prod", env=good)
    assert call(troupe, "prod") == "two"
    troupe("deploy", "dev", env=bad, check=1)
    troupe("deploy", "dev", env=good)
    assert call(troupe, "dev") == "two" and version(troupe, "dev") == version(troupe, "prod")
    # nothing differs from what the head shows, but its update failed: the subnet has addresses
    # again
    head = troupe.account.client("lambda").get_function_configuration(FunctionName="shop-f")
    assert head["LastUpdateStatus"] == "Failed" or head["VpcConfig"]["SubnetIds"] == ["subnet-1"]


def test_versions_that_were_put_away_are_woken_before_they_serve(troupe, proxy):
    def deploy(text, *args):
        service(troupe, "resources: {Resources: {Jobs: {Type: AWS::SQS::Queue}}}\n", code=text)
        troupe("deploy", "dev", *args)

    deploy("one")
    deploy("two")
    ways = (  # what serves the version again; whose stage; what it then says
        ("deploy of what was", lambda: deploy("one"), "dev", "one"),
        ("rollback", lambda: troupe("rollback", "dev"), "dev", "two"),
        ("clone", lambda: troupe("clone", "dev#1", "pr-1"), "pr-1", "one"),
        ("reset", lambda: troupe("reset", "pr-1", "--to", "dev#2"), "pr-1", "two"),
        ("shift", lambda: troupe("shift", "pr-1", "--to", "1", "--weight", "50"), "pr-1", None),
        ("promote", lambda: troupe("shift", "pr-1", "--promote"), "pr-1", "one"),
    )
    for what, step, stage, says in ways:
        put_away(troupe, *{"1", "2"} - {version(troupe, "dev")} if what == "shift" else {"1", "2"})
        step()
        assert versions(troupe) == {"1", "2"}, what
        if says:
            assert call(troupe, stage) == says, what
        states = {
            n: (
                troupe.account.client("lambda").get_function_configuration(
                    FunctionName="shop-f", Qualifier=n
                )["State"]
            )
            for n in ("1", "2")
        }
        serving = troupe.account.client("lambda").get_alias(FunctionName="shop-f", Name=stage)
        weighted = serving.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        assert {states[n] for n in {serving["FunctionVersion"], *weighted}} == {"Active"}, what
    # an alias that somebody moved weeks ago
    was, other = version(troupe, "dev"), ({"1", "2"} - {version(troupe, "dev")}).pop()
    troupe.account.client("lambda").update_alias(
        FunctionName="shop-f", Name="dev", FunctionVersion=other
    )
    put_away(troupe, was)
    troupe("repair", "dev")
    assert version(troupe, "dev") == was and call(troupe, "dev")
    # and one that somebody deleted
    troupe.account.client("lambda").delete_alias(FunctionName="shop-f", Name="dev")
    put_away(troupe, was)
    troupe("repair", "dev")
    assert version(troupe, "dev") == was and call(troupe, "dev")
    # who may not wake is told so, and goes on
    iam = troupe.account.client("iam")
    iam.create_user(UserName="someone")
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"},
    ]
    iam.put_user_policy(
        UserName="someone",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    proxy.secrets[key["AccessKeyId"]] = key["SecretAccessKey"]
    put_away(troupe, "1", "2")
    told = troupe(
        "rollback",
        "dev",
        env={
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        },
    )
    assert "lambda:InvokeFunction" in told.err and version(troupe, "dev") == other, str(told)


def test_a_version_whose_start_failed_is_replaced(troupe, tmp_path):
    bad = tmp_path / "bad"
    bad.write_text("")
    service(
        troupe,
        "    runtime: python3.12\n    snapStart: true\n    environment: {BAD: '${env:BAD}'}\n",
    )
    troupe.write({"index.py": PYTHON})
    failed = troupe("deploy", "dev", env={"BAD": bad}, check=1)
    assert "version 1 of function 'shop-f' failed" in failed.err and "no start" in failed.err, str(
        failed
    )
    bad.unlink()  # nothing of the service changed
    troupe("deploy", "dev", env={"BAD": bad})
    assert version(troupe, "dev") == "2" and call(troupe, "dev") == 1
    assert "nothing to do" in troupe("deploy", "dev", env={"BAD": bad}).out


def test_code_and_layers_that_fit_only_together(troupe, account, proxy):
    def layer(name, size):
        from cloud import zipped

        return account.client("lambda").publish_layer_version(
            LayerName=name, Content={"ZipFile": zipped({"nodejs/x.js": "x" * size})}
        )["LayerVersionArn"]

    small, large = layer("small", 50_000), layer("large", 300_000)
    properties = "    layers: ['${env:LAYER}']\n"
    for stage, size, arn in (
        ("dev", 300_000, small),
        ("prod", 50_000, large),
        ("dev", 310_000, small),
    ):
        service(troupe, properties)
        troupe.write({"index.js": CODE % ("x" * size)})
        mark = proxy.mark()
        troupe("deploy", stage, env={"LAYER": arn})
        assert call(troupe, stage) == "one"
        if stage == "prod":  # the layer is not taken with dev's code
            refused = [c.status for c in proxy.calls("lambda.UpdateFunctionConfiguration", mark)]
            assert refused == [400, 200], proxy.show(mark)
    troupe.write({"index.js": CODE % ("x" * 390_000)})
    failed = troupe("deploy", "dev", env={"LAYER": small}, check=1)
    assert "combined with layers exceeds the maximum allowed size" in failed.err, str(failed)


def test_variables_that_cannot_be_read_are_no_versions(troupe, account, proxy):
    service(
        troupe,
        "    environment: {STAGE: '${sls:stage}'}\n"
        f"    kmsKeyArn: arn:aws:kms:us-east-1:{account.id}:key/k\n",
    )
    iam = account.client("iam")
    iam.create_user(UserName="someone")
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}
    iam.put_user_policy(
        UserName="someone",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]}),
    )
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    caller = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    proxy.secrets[key["AccessKeyId"]] = key["SecretAccessKey"]
    troupe("deploy", "prod")
    mark = proxy.mark()
    refused = troupe("deploy", "dev", env=caller, check=3)
    assert "kms:Decrypt" in refused.err and "key/k" in refused.err, str(refused)
    assert len(proxy.calls("lambda.UpdateFunctionConfiguration", mark)) <= 1 and versions(
        troupe
    ) == {"1"}
    troupe("deploy", "dev")
    assert versions(troupe) == {"1", "2"}


def test_weights_of_provisioned_concurrency_are_waited_for(troupe, account):
    service(troupe, "    provisionedConcurrency: 1\n")
    troupe("deploy", "dev")
    service(troupe, "    provisionedConcurrency: 1\n", "two")
    troupe("deploy", "dev")
    troupe("rollback", "dev")  # by the API, and the stack follows
    assert call(troupe, "dev") == "one" and version(troupe, "dev") == "1"
    lam = account.client("lambda")

    def by_hand(number):
        return lam.update_alias(
            FunctionName="shop-f",
            Name="dev",
            FunctionVersion=number,
            RoutingConfig={"AdditionalVersionWeights": {}},
        )

    by_hand("2")
    moved = by_hand("1")
    assert moved["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 1.0}
    found = troupe("repair", "dev", "--plan", "--json").json["findings"]
    assert found == [], found
    # on its way to another version it is not where it should be, whatever weights it has
    by_hand("2")
    troupe("repair", "dev")
    assert version(troupe, "dev") == "1" and call(troupe, "dev") == "one"


def test_an_image_with_tag_and_digest(troupe):
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1@sha256:" + "a" * 64
    troupe.write({"serverless.yml": SERVICE.replace("handler: index.f", f"image: {image}")})
    troupe("deploy", "dev")
    assert "nothing to do" in troupe("deploy", "dev").out
    troupe("deploy", "prod")
    assert versions(troupe) == {"1"}


def test_a_lease_is_given_back_where_it_cannot_be_deleted(troupe, proxy):
    """S3 of another maker, which has no conditional DeleteObject."""
    service(troupe)
    troupe("deploy", "dev")
    proxy.fail(status=501, code="NotImplemented", operation="DeleteObject", key="/locks/")
    service(troupe, code="two")
    troupe("deploy", "dev")
    left = content(troupe)
    put(
        troupe, **{key: value for key, value in left.items() if key not in ("host", "pid")}
    )  # of another machine
    assert "not locked" in troupe("unlock", "dev").out
    result = troupe("deploy", "dev")
    assert "nothing to do" in result.out and "interrupted" not in result.out + result.err, str(
        result
    )
    proxy.clear()
    assert "nothing to do" in troupe("deploy", "dev").out
    assert not [key for key in troupe.world()["buckets"][bucket(troupe)] if "/locks/stage" in key]
