"""Aliases: checks, weights, lists; deleting and reading by qualifier."""

import base64
import collections
import hashlib
import threading

import pytest
import requests

from cloud import function_arn, name, refused


@pytest.fixture(scope="module")
def function(aws):
    return aws.two_versions()


@pytest.fixture
def alias(aws, function):
    made = name("a")
    aws.lam.create_alias(FunctionName=function, Name=made, FunctionVersion="1")
    yield made
    aws.lam.delete_alias(FunctionName=function, Name=made)


BAD_ALIASES = [
    (dict(Name="12", FunctionVersion="1"), "ValidationException", "Value '12' at 'name'"),
    (dict(Name="a.b", FunctionVersion="1"), "ValidationException", "regular expression pattern"),
    (
        dict(Name="a" * 129, FunctionVersion="1"),
        "ValidationException",
        "length less than or equal to 128",
    ),
    (dict(Name="x", FunctionVersion="77"), "ResourceNotFoundException", "Function not found: "),
    (
        dict(Name="x", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}),
        "InvalidParameterValueException",
        "Function version 1 is already included in routing configuration.",
    ),
    (
        dict(Name="x", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}}),
        "ValidationException",
        "less than or equal to 1.0",
    ),
    (
        dict(
            Name="x",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}},
        ),
        "InvalidParameterValueException",
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ),
    (
        dict(
            Name="x", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"88": 0.1}}
        ),
        "ResourceNotFoundException",
        "Function not found: ",
    ),
    (
        dict(
            Name="x",
            FunctionVersion="$LATEST",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        ),
        "InvalidParameterValueException",
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
]


@pytest.mark.parametrize("request_, code, text", BAD_ALIASES)
def test_bad_alias_is_refused(aws, function, request_, code, text):
    status, found, message = refused(aws.lam.create_alias, FunctionName=function, **request_)
    assert (status, found) == (404 if code == "ResourceNotFoundException" else 400, code)
    assert text in message


@pytest.mark.parametrize(
    "request_, code, text", [bad for bad in BAD_ALIASES if bad[0]["Name"] == "x"]
)
def test_bad_update_is_refused_and_changes_nothing(aws, function, alias, request_, code, text):
    before = aws.lam.get_alias(FunctionName=function, Name=alias)
    status, found, message = refused(
        aws.lam.update_alias, FunctionName=function, **{**request_, "Name": alias}
    )
    assert found == code and text in message
    after = aws.lam.get_alias(FunctionName=function, Name=alias)
    assert {k: v for k, v in after.items() if k != "ResponseMetadata"} == {
        k: v for k, v in before.items() if k != "ResponseMetadata"
    }


def test_missing_and_duplicate_aliases(aws, function, alias):
    arn = function_arn(function, "none")
    for call, more in ((aws.lam.get_alias, {}), (aws.lam.update_alias, {"FunctionVersion": "1"})):
        assert refused(call, FunctionName=function, Name="none", **more) == (
            404,
            "ResourceNotFoundException",
            f"Cannot find alias arn: {arn}",
        )
    assert refused(
        aws.lam.create_alias, FunctionName=function, Name=alias, FunctionVersion="1"
    ) == (
        409,
        "ResourceConflictException",
        f"Alias already exists: {function_arn(function, alias)}",
    )
    aws.lam.delete_alias(FunctionName=function, Name="none")


def test_stale_revision_of_an_alias(aws, function, alias):
    first = aws.lam.get_alias(FunctionName=function, Name=alias)["RevisionId"]
    second = aws.lam.update_alias(
        FunctionName=function, Name=alias, FunctionVersion="2", RevisionId=first
    )["RevisionId"]
    assert second != first
    assert refused(aws.lam.update_alias, FunctionName=function, Name=alias, RevisionId=first)[
        :2
    ] == (412, "PreconditionFailedException")


def test_weights_split_concurrent_calls(aws, function, alias):
    aws.lam.update_alias(
        FunctionName=function,
        Name=alias,
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    answers = []

    def caller():
        for _ in range(15):
            answers.append(aws.call(function, qualifier=alias))

    threads = [threading.Thread(target=caller) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    count = collections.Counter(version for version, _, _ in answers)
    assert set(count) == {"1", "2"} and min(count.values()) > 8
    assert all(
        version == body["version"] and body["arn"] == function_arn(function, alias)
        for version, _, body in answers
    )
    # Reading the alias or its configuration never draws.
    assert {
        aws.lam.get_function_configuration(FunctionName=function, Qualifier=alias)["Version"]
        for _ in range(10)
    } == {"1"}


def test_weights_stay_until_cleared(aws, function, alias):
    weights = {"AdditionalVersionWeights": {"2": 0.3}}
    aws.lam.update_alias(FunctionName=function, Name=alias, RoutingConfig=weights)
    assert (
        aws.lam.update_alias(FunctionName=function, Name=alias, Description="d")["RoutingConfig"]
        == weights
    )
    cleared = aws.lam.update_alias(
        FunctionName=function, Name=alias, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert "RoutingConfig" not in cleared


def test_weights_exclude_provisioned_concurrency(aws, function, alias):
    message = "Alias with weights can not be used with Provisioned Concurrency"
    aws.lam.update_alias(
        FunctionName=function, Name=alias, RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}}
    )
    assert (
        refused(
            aws.lam.put_provisioned_concurrency_config,
            FunctionName=function,
            Qualifier=alias,
            ProvisionedConcurrentExecutions=1,
        )[2]
        == message
    )
    aws.lam.update_alias(
        FunctionName=function, Name=alias, RoutingConfig={"AdditionalVersionWeights": {}}
    )
    aws.lam.put_provisioned_concurrency_config(
        FunctionName=function, Qualifier=alias, ProvisionedConcurrentExecutions=1
    )
    assert (
        refused(
            aws.lam.update_alias,
            FunctionName=function,
            Name=alias,
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}},
        )[2]
        == message
    )
    listed = aws.lam.list_provisioned_concurrency_configs(FunctionName=function)[
        "ProvisionedConcurrencyConfigs"
    ]
    assert [entry["FunctionArn"] for entry in listed] == [function_arn(function, alias)]
    assert (
        refused(
            aws.lam.put_provisioned_concurrency_config,
            FunctionName=function,
            Qualifier="$LATEST",
            ProvisionedConcurrentExecutions=1,
        )[0]
        == 400
    )


def test_versions_of_one_alias_share_their_role(aws):
    import json
    from cloud import trust

    function = aws.function()
    aws.publish(function)
    role = aws.iam.create_role(RoleName=name("r"), AssumeRolePolicyDocument=json.dumps(trust()))[
        "Role"
    ]["Arn"]
    aws.configure(function, Role=role)
    aws.publish(function)
    status, code, message = refused(
        aws.lam.create_alias,
        FunctionName=function,
        Name="x",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    assert (status, code) == (400, "InvalidParameterValueException") and "execution role" in message


def test_list_aliases_of_a_version(aws, function, alias):
    other = name("a")
    aws.lam.create_alias(FunctionName=function, Name=other, FunctionVersion="2")
    listed = aws.lam.list_aliases(FunctionName=function, FunctionVersion="2")["Aliases"]
    assert [entry["Name"] for entry in listed] == [other]
    aws.lam.delete_alias(FunctionName=function, Name=other)


def test_no_reserved_concurrency_stops_all_aliases(aws, function, alias):
    aws.lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    stopped = (429, "TooManyRequestsException", "Rate Exceeded.")
    for qualifier in ({}, {"Qualifier": alias}):
        assert refused(aws.lam.invoke, FunctionName=function, **qualifier) == stopped
    aws.lam.delete_function_concurrency(FunctionName=function)
    assert aws.call(function, qualifier=alias)[1] is None


def test_list_functions_with_all_versions(aws, function):
    listed = [
        entry
        for page in aws.lam.get_paginator("list_functions").paginate(
            FunctionVersion="ALL", PaginationConfig={"PageSize": 3}
        )
        for entry in page["Functions"]
        if entry["FunctionName"] == function
    ]
    assert [entry["Version"] for entry in listed] == ["$LATEST", "1", "2"]


def test_reading_by_qualifier(aws, function, alias):
    by_alias = aws.lam.get_function(FunctionName=function, Qualifier=alias)
    assert by_alias["Configuration"]["Version"] == "1"
    assert by_alias["Configuration"]["FunctionArn"] == function_arn(function, alias)
    for version in ("1", "2"):
        found = aws.lam.get_function(FunctionName=function, Qualifier=version)
        code = requests.get(found["Code"]["Location"], timeout=10).content
        assert (
            base64.b64encode(hashlib.sha256(code).digest()).decode()
            == found["Configuration"]["CodeSha256"]
        )
    code = requests.get(by_alias["Code"]["Location"], timeout=10).content
    assert (
        base64.b64encode(hashlib.sha256(code).digest()).decode()
        == by_alias["Configuration"]["CodeSha256"]
    )
    assert refused(aws.lam.get_function, FunctionName=function, Qualifier="99") == (
        404,
        "ResourceNotFoundException",
        f"Function not found: {function_arn(function, '99')}",
    )


def test_deleting_by_qualifier(aws, function, alias):
    assert refused(aws.lam.delete_function, FunctionName=function, Qualifier="1") == (
        409,
        "ResourceConflictException",
        f"Unable to delete version because the following aliases reference it: [{alias}]",
    )
    assert refused(aws.lam.delete_function, FunctionName=function, Qualifier="$LATEST") == (
        400,
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    )
    assert refused(aws.lam.delete_function, FunctionName=function, Qualifier=alias) == (
        400,
        "InvalidParameterValueException",
        "Deletion of aliases is not currently supported.",
    )
    aws.lam.delete_function(FunctionName=function, Qualifier="99")
    aws.lam.update_alias(
        FunctionName=function,
        Name=alias,
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}},
    )
    assert refused(aws.lam.delete_function, FunctionName=function, Qualifier="2")[0] == 409


def test_qualified_settings_go_with_their_alias(aws, function):
    alias = name("a")
    aws.lam.create_alias(FunctionName=function, Name=alias, FunctionVersion="1")
    aws.allow(function, alias, "sns.amazonaws.com")
    aws.lam.put_function_event_invoke_config(
        FunctionName=function, Qualifier=alias, MaximumRetryAttempts=0
    )
    aws.lam.delete_alias(FunctionName=function, Name=alias)
    aws.lam.create_alias(FunctionName=function, Name=alias, FunctionVersion="1")
    assert refused(aws.lam.get_policy, FunctionName=function, Qualifier=alias)[0] == 404
    assert (
        refused(aws.lam.get_function_event_invoke_config, FunctionName=function, Qualifier=alias)[0]
        == 404
    )
    aws.lam.delete_alias(FunctionName=function, Name=alias)


def test_runtime_management_is_per_version(aws, function):
    aws.lam.put_runtime_management_config(
        FunctionName=function, Qualifier="1", UpdateRuntimeOn="FunctionUpdate"
    )
    get = aws.lam.get_runtime_management_config
    assert get(FunctionName=function, Qualifier="1")["UpdateRuntimeOn"] == "FunctionUpdate"
    assert get(FunctionName=function)["UpdateRuntimeOn"] == "Auto"
