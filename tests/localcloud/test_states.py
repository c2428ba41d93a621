"""Updates that fail afterwards, versions that are put away or take their time, weights of AWS's
own.
"""

import time

import pytest
import requests

from cloud import Cloud, Tools, function_arn, name, node_zip, refused, zipped

PYTHON = (
    "import os\nif os.path.exists(os.environ['BAD']): raise ValueError('no start')\ndef f(e, c):"
    " return 1\n"
)
FULL = {"SubnetIds": ["subnet-full1"], "SecurityGroupIds": ["sg-1"]}
LIMIT = 200_000


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    cloud = Cloud(
        tmp_path_factory.mktemp("states"),
        TROUPE_CLOUD_SNAPSHOT_MS="3000",
        TROUPE_CLOUD_CODE_BYTES=str(LIMIT),
        TROUPE_CLOUD_PROVISIONING_MS="2500",
        TROUPE_CLOUD_FUNCTION_UPDATE_MS="100",
    )
    yield Tools(cloud)
    cloud.stop()


def waited(look, wanted):
    """What ``look`` says when it is ``wanted``."""
    for _ in range(300):
        if look() == wanted:
            return
        time.sleep(0.02)
    raise AssertionError(f"{look()}, not {wanted}")


def version_state(aws, function, version):
    return aws.lam.get_function_configuration(FunctionName=function, Qualifier=version)["State"]


def test_an_update_may_fail_afterwards(aws):
    function = aws.function()

    def status():
        return aws.lam.get_function_configuration(FunctionName=function)["LastUpdateStatus"]

    answer = aws.lam.update_function_configuration(FunctionName=function, VpcConfig=FULL)
    assert answer["LastUpdateStatus"] == "InProgress"
    waited(status, "Failed")
    failed = aws.lam.get_function_configuration(FunctionName=function)
    assert (failed["State"], failed["LastUpdateStatusReasonCode"]) == (
        "Active",
        "SubnetOutOfIPAddresses",
    )
    assert "no available IP addresses" in failed["LastUpdateStatusReason"]
    # what is published of it cannot run; the next update is taken, and mends it
    version = aws.lam.publish_version(FunctionName=function)
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "SubnetOutOfIPAddresses")
    aws.lam.update_function_configuration(
        FunctionName=function, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )
    assert "LastUpdateStatusReasonCode" not in aws.ready(function)
    # a new function whose making fails is Failed itself, and can be mended, too
    born = name("f")
    aws.lam.create_function(
        FunctionName=born,
        Runtime="nodejs20.x",
        Role=aws.role,
        Handler="index.handler",
        Code={"ZipFile": node_zip("x")},
        VpcConfig=FULL,
    )
    waited(lambda: aws.lam.get_function_configuration(FunctionName=born)["State"], "Failed")
    aws.configure(born, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})


def test_a_stack_fails_with_its_function(aws):
    properties = {
        "Runtime": "nodejs20.x",
        "Handler": "index.f",
        "Role": aws.role,
        "Code": {"ZipFile": "exports.f = 1"},
    }
    stack = name("s")
    assert (
        aws.create(stack, {"F": {"Type": "AWS::Lambda::Function", "Properties": properties}})[0]
        == "CREATE_COMPLETE"
    )
    status, reason = aws.update(
        stack,
        {"F": {"Type": "AWS::Lambda::Function", "Properties": {**properties, "VpcConfig": FULL}}},
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE" and "no available IP addresses" in reason


def put_away(aws, *arns, secret=None):
    return requests.post(
        f"{aws.cloud.endpoint}/_ministack/lambda-inactive",
        json={"versions": arns},
        headers={"X-Troupe-Secret": secret or aws.cloud.secret},
        timeout=30,
    )


def test_an_idle_version_is_woken_by_a_call_that_fails(aws):
    function = aws.two_versions()
    arn = function_arn(function, "1")
    assert put_away(aws, arn, secret="x" * 40).status_code == 403
    assert put_away(aws, arn).ok
    found = aws.lam.get_function_configuration(FunctionName=function, Qualifier="1")
    assert (found["State"], found["StateReasonCode"]) == ("Inactive", "Idle")
    assert (
        version_state(aws, function, "2") == "Active"
        and aws.call(function, qualifier="2")[0] == "2"
    )
    assert refused(aws.lam.invoke, FunctionName=function, Qualifier="1")[:2] == (
        502,
        "ResourceNotReadyException",
    )
    assert version_state(aws, function, "1") in ("Pending", "Active")
    waited(lambda: version_state(aws, function, "1"), "Active")
    assert aws.call(function, qualifier="1")[0] == "1"
    # through an alias, too
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    assert put_away(aws, arn).ok
    assert refused(aws.lam.invoke, FunctionName=function, Qualifier="dev")[0] == 502
    waited(lambda: version_state(aws, function, "1"), "Active")


def test_a_version_with_snapstart_takes_its_time(aws, tmp_path):
    bad = tmp_path / "bad"
    bad.write_text("")
    function = aws.function(
        files={"index.py": PYTHON},
        Runtime="python3.12",
        Handler="index.f",
        SnapStart={"ApplyOn": "PublishedVersions"},
        Environment={"Variables": {"BAD": str(bad)}},
    )
    begun = time.monotonic()
    assert aws.lam.publish_version(FunctionName=function)["State"] == "Pending"
    waited(lambda: version_state(aws, function, "1"), "Failed")
    assert time.monotonic() - begun >= 3
    bad.unlink()  # the reason is gone; nothing of the function has changed
    again = aws.lam.publish_version(FunctionName=function)
    assert (again["Version"], again["State"]) == ("1", "Failed")
    aws.configure(function, Description="again")
    assert aws.publish(function) == "2"
    waited(lambda: version_state(aws, function, "2"), "Active")


def test_provisioned_concurrency_follows_by_and_by(aws):
    function = aws.two_versions()
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    aws.lam.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier="dev", ProvisionedConcurrentExecutions=1
    )

    def weights():
        return aws.lam.get_alias(FunctionName=function, Name="dev").get("RoutingConfig")

    moved = aws.lam.update_alias(FunctionName=function, Name="dev", FunctionVersion="2")
    assert (moved["FunctionVersion"], moved["RoutingConfig"]["AdditionalVersionWeights"]) == (
        "2",
        {"1": 1.0},
    )
    assert (
        "weights"
        in refused(
            aws.lam.put_provisioned_concurrency_config,
            FunctionName=function,
            Qualifier="dev",
            ProvisionedConcurrentExecutions=2,
        )[2]
    )
    waited(weights, None)
    assert aws.call(function, qualifier="dev")[0] == "2"


def test_code_and_layers_count_together(aws):
    def layer(size):
        return aws.lam.publish_layer_version(
            LayerName=name("l"), Content={"ZipFile": zipped({"nodejs/x.js": "x" * size})}
        )["LayerVersionArn"]

    function = aws.function(files={"index.js": "x" * 150_000})
    message = (
        f"Function code combined with layers exceeds the maximum allowed size of {LIMIT} bytes."
    )
    status, code, text = refused(
        aws.lam.update_function_configuration, FunctionName=function, Layers=[layer(100_000)]
    )
    assert (status, code) == (400, "InvalidParameterValueException")
    assert text == f"{message} The actual size is 250000 bytes."
    aws.configure(function, Layers=[layer(20_000)])
    text = refused(
        aws.lam.update_function_code,
        FunctionName=function,
        ZipFile=zipped({"index.js": "x" * 190_000}),
    )[2]
    assert text.startswith(message)
    alone = refused(
        aws.lam.update_function_code,
        FunctionName=aws.function(),
        ZipFile=zipped({"index.js": "x" * (LIMIT + 1)}),
    )[2]
    assert alone == f"Unzipped size must be smaller than {LIMIT} bytes"


def test_an_image_is_its_repository_and_digest(aws):
    repository, digest = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app", "@sha256:" + "a" * 64
    function = name("f")
    aws.lam.create_function(
        FunctionName=function,
        Role=aws.role,
        PackageType="Image",
        Code={"ImageUri": f"{repository}:v1{digest}"},
    )
    code = aws.lam.get_function(FunctionName=function)["Code"]
    assert (code["ImageUri"], code["ResolvedImageUri"]) == (
        f"{repository}:v1{digest}",
        repository + digest,
    )


def test_a_tag_that_no_image_has(aws):
    ecr, repository = aws.cloud.client("ecr"), name("r")
    ecr.create_repository(repositoryName=repository)
    ecr.put_image(repositoryName=repository, imageManifest="{}", imageTag="v1")
    assert ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ]
    assert (
        refused(ecr.describe_images, repositoryName=repository, imageIds=[{"imageTag": "v2"}])[1]
        == "ImageNotFoundException"
    )
