"""Resource policies per qualifier, and function URLs."""

import json

import pytest

from cloud import function_arn, name, refused


@pytest.fixture
def function(aws):
    made = aws.two_versions()
    for alias, version in (("dev", "1"), ("prod", "2")):
        aws.lam.create_alias(FunctionName=made, Name=alias, FunctionVersion=version)
    return made


def statements(aws, function, **kwargs):
    return json.loads(aws.lam.get_policy(FunctionName=function, **kwargs)["Policy"])["Statement"]


def grant(aws, function, **kwargs):
    return aws.lam.add_permission(
        **{
            "FunctionName": function,
            "StatementId": "s",
            "Action": "lambda:InvokeFunction",
            "Principal": "sns.amazonaws.com",
            **kwargs,
        }
    )


def test_one_policy_per_qualifier(aws, function):
    for qualifier in ({}, {"Qualifier": "dev"}, {"Qualifier": "prod"}, {"Qualifier": "1"}):
        grant(aws, function, **qualifier)
        assert [s["Resource"] for s in statements(aws, function, **qualifier)] == [
            function_arn(function, qualifier.get("Qualifier"))
        ]
    assert refused(grant, aws=aws, function=function, Qualifier="dev") == (
        409,
        "ResourceConflictException",
        (
            "The statement id (s) provided already exists. Please provide a new statement "
            "id, or remove the existing statement."
        ),
    )
    aws.lam.remove_permission(FunctionName=function, StatementId="s")
    assert refused(aws.lam.get_policy, FunctionName=function)[:2] == (
        404,
        "ResourceNotFoundException",
    )
    assert len(statements(aws, function, Qualifier="dev")) == 1
    aws.lam.remove_permission(FunctionName=function, Qualifier="dev", StatementId="s")
    assert refused(
        aws.lam.remove_permission, FunctionName=function, Qualifier="dev", StatementId="s"
    )[:2] == (404, "ResourceNotFoundException")
    assert len(statements(aws, function, Qualifier="prod")) == 1


def test_policy_has_its_own_revision(aws, function):
    grant(aws, function, Qualifier="dev")
    first = aws.lam.get_policy(FunctionName=function, Qualifier="dev")["RevisionId"]
    assert refused(
        grant, aws=aws, function=function, Qualifier="dev", StatementId="t", RevisionId="stale"
    )[:2] == (412, "PreconditionFailedException")
    grant(aws, function, Qualifier="dev", StatementId="t", RevisionId=first)
    assert aws.lam.get_policy(FunctionName=function, Qualifier="dev")["RevisionId"] != first
    config = aws.lam.get_function_configuration(FunctionName=function)["RevisionId"]
    grant(aws, function, Qualifier="prod")
    assert aws.lam.get_function_configuration(FunctionName=function)["RevisionId"] == config


def test_permission_on_a_missing_alias(aws, function):
    assert refused(grant, aws=aws, function=function, Qualifier="none")[:2] == (
        404,
        "ResourceNotFoundException",
    )
    assert refused(grant, aws=aws, function=function, Qualifier="$LATEST")[0] == 400


def test_same_statement_in_two_stacks(aws, function):
    """Two stages' permissions do not clash, and one stage's removal leaves the other's."""
    stacks = {alias: name(alias) for alias in ("dev", "prod")}
    for alias, stack in stacks.items():
        resources = {
            "P": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": function_arn(function, alias),
                    "Action": "lambda:InvokeFunction",
                    "Principal": "sns.amazonaws.com",
                },
            }
        }
        assert aws.create(stack, resources) == ("CREATE_COMPLETE", "")
    aws.delete(stacks["dev"])
    assert refused(aws.lam.get_policy, FunctionName=function, Qualifier="dev")[0] == 404
    assert len(statements(aws, function, Qualifier="prod")) == 1


def test_function_urls_per_alias(aws, function):
    hosts = {}
    for alias in ("dev", "prod"):
        made = aws.lam.create_function_url_config(
            FunctionName=function, Qualifier=alias, AuthType="NONE"
        )
        assert made["FunctionArn"] == function_arn(function, alias)
        hosts[alias] = made["FunctionUrl"].split("/")[2]
        assert (
            refused(
                aws.lam.create_function_url_config,
                FunctionName=function,
                Qualifier=alias,
                AuthType="NONE",
            )[0]
            == 409
        )
    assert len(set(hosts.values())) == 2
    listed = aws.lam.list_function_url_configs(FunctionName=function)["FunctionUrlConfigs"]
    assert {entry["FunctionArn"] for entry in listed} == {
        function_arn(function, alias) for alias in hosts
    }
    assert refused(aws.lam.get_function_url_config, FunctionName=function)[0] == 404

    def call(alias):
        return aws.cloud.get("/p?q=1", host=hosts[alias])

    assert call("dev").status_code == 403
    grant(
        aws,
        function,
        Qualifier="dev",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    assert call("dev").json()["tag"] == "one"
    assert call("prod").status_code == 403
    aws.lam.delete_function_url_config(FunctionName=function, Qualifier="dev")
    assert [
        entry["FunctionArn"]
        for entry in aws.lam.list_function_url_configs(FunctionName=function)["FunctionUrlConfigs"]
    ] == [function_arn(function, "prod")]


def test_url_resource_on_an_alias(aws, function):
    stack = name("url")
    resources = {
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": function, "Qualifier": "dev", "AuthType": "NONE"},
        },
        "Open": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": function_arn(function, "dev"),
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            },
        },
    }
    outputs = {"Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}}
    assert aws.create(stack, resources, sections=outputs) == ("CREATE_COMPLETE", "")
    host = aws.outputs(stack)["Url"].split("/")[2]
    assert aws.cloud.get("/", host=host).json()["version"] == "1"
    assert aws.delete(stack)[0] == "GONE"
    assert aws.lam.list_function_url_configs(FunctionName=function)["FunctionUrlConfigs"] == []
