"""State that is kept over a restart keeps what the mends added to it."""

from cloud import Cloud, Tools, function_arn, invocation_uri, name


def settings(folder):
    return dict(
        PERSIST_STATE="1",
        STATE_DIR=str(folder / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(folder / "s3"),
    )


def prepare(aws):
    """A function with a version behind an alias, a stage on an old deployment, an object."""
    function = aws.two_versions()
    aws.lam.create_alias(FunctionName=function, Name="dev", FunctionVersion="1")
    aws.allow(function, "dev")
    api = aws.rest.create_rest_api(name=name("api"))["id"]
    root = aws.rest.get_resources(restApiId=api)["items"][0]["id"]
    aws.rest.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    integration = dict(
        restApiId=api, resourceId=root, httpMethod="GET", integrationHttpMethod="POST"
    )
    aws.rest.put_integration(
        **integration,
        type="AWS_PROXY",
        uri=invocation_uri(function_arn(function, "${stageVariables.alias}")),
    )
    deployment = aws.rest.create_deployment(restApiId=api)["id"]
    aws.rest.create_stage(
        restApiId=api, stageName="dev", deploymentId=deployment, variables={"alias": "dev"}
    )
    aws.rest.put_integration(**integration, type="MOCK")
    aws.lam.update_function_configuration(FunctionName=function, Timeout=9)
    aws.s3.create_bucket(Bucket="kept")
    aws.s3.put_object(Bucket="kept", Key="k", Body=b"v")
    return function, api


def test_restart_keeps_snapshots_versions_and_policies(tmp_path):
    first = Cloud(tmp_path, **settings(tmp_path))
    try:
        function, api = prepare(Tools(first))
        path = f"/restapis/{api}/dev/_user_request_/"
        assert first.get(path).json()["tag"] == "one"
    finally:
        first.stop()
    second = Cloud(tmp_path, **settings(tmp_path))
    try:
        aws = Tools(second)
        assert second.get(path).json()["tag"] == "one"
        # The update that was in progress at the stop is over.
        assert aws.publish(function) == "3"
        assert aws.call(function, qualifier="3")[2]["tag"] == "two"
        assert aws.s3.get_object(Bucket="kept", Key="k")["Body"].read() == b"v"
        aws.rest.create_deployment(restApiId=api, stageName="dev")
        assert "tag" not in second.get(path).json()
    finally:
        second.stop()
