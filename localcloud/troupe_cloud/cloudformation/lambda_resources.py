"""Functions, versions, aliases and permissions in templates: refused where the Lambda API refuses.

What AWS does (CloudFormation registry schemas ``AWS::Lambda::*``; recorded: localstack's
``test_lambda_alias``; aws-cloudformation/rain#175, aws/aws-cdk#28237): the resource calls the
Lambda API, so everything the API refuses fails the resource: code that is not in the bucket, a role
that does not exist, a name that is taken, an alias of a missing version. A Version resource fails
if its code hash is another's or if there is nothing to publish. MiniStack writes its own records
past the API, over existing functions too, and answers made-up ARNs for functions that do not exist.

Without it fails: ``test_cloudformation.py::test_version_resource``
"""

import base64

from ministack.services import lambda_svc
from ministack.services.cloudformation import changesets
from ministack.services.cloudformation import provisioners

from troupe_cloud.cloudformation.errors import already_exists, handler_error, raise_if_failed
from troupe_cloud.lambda_functions.alias import forget_qualifier
from troupe_cloud.lambda_functions.execution_role import mapping_refusal
from troupe_cloud.lambda_functions.names import base_record, qualified_arn, split_reference
from troupe_cloud.lambda_functions.publish import precondition, unchanged_since
from troupe_cloud.lambda_functions.state import finished_at_once
from troupe_cloud.patching import patch_handler, require
from troupe_cloud.responses import body_of

require(changesets, "_IMPORT_LOOKUPS")
require(
    provisioners,
    "_zip_inline",
    "_physical_name",
    "_tag_map",
    "_lambda_function_for_cfn_ref",
    "_lambda_alias_routing_config",
    "_lambda_alias_provisioned_concurrency",
    "_lambda_esm_attrs",
)

# Members of CreateFunction that a template spells the same way.
SAME = (
    "Role",
    "Handler",
    "Runtime",
    "Description",
    "Environment",
    "Layers",
    "TracingConfig",
    "VpcConfig",
    "DeadLetterConfig",
    "EphemeralStorage",
    "LoggingConfig",
    "Architectures",
    "SnapStart",
    "FileSystemConfigs",
    "PackageType",
    "ImageConfig",
    "DurableConfig",
    "TenancyConfig",
    "CapacityProviderConfig",
)
# Members MiniStack's own update leaves out, with the value that means "none".
LEFT_OUT = (
    ("VpcConfig", "VpcConfig", {}),
    ("DeadLetterConfig", "DeadLetterConfig", {"TargetArn": ""}),
    ("KmsKeyArn", "KMSKeyArn", ""),
    ("FileSystemConfigs", "FileSystemConfigs", []),
)


def code_of(properties):
    """The ``Code`` of CreateFunction: inline text becomes a zip, as CloudFormation makes it."""
    code = dict(properties.get("Code") or {})
    if code.get("ZipFile"):
        zipped = provisioners._zip_inline(
            code["ZipFile"],
            properties.get("Handler", "index.handler"),
            properties.get("Runtime", ""),
        )
        code["ZipFile"] = base64.b64encode(zipped).decode()
    return code


def request_of(name, properties):
    """The CreateFunction request a template's properties mean."""
    request = {key: properties[key] for key in SAME if properties.get(key) is not None}
    request.update(
        FunctionName=name,
        Code=code_of(properties),
        Tags=provisioners._tag_map(properties.get("Tags")),
    )
    for key in ("Timeout", "MemorySize"):
        if properties.get(key) is not None:
            request[key] = int(properties[key])
    storage = (properties.get("EphemeralStorage") or {}).get("Size")
    if storage is not None:
        request["EphemeralStorage"] = {"Size": int(storage)}
    if properties.get("KmsKeyArn"):
        request["KMSKeyArn"] = properties["KmsKeyArn"]
    return request


def reserve(name, properties):
    """Reserved concurrency belongs to the whole function, not to its configuration."""
    wanted = properties.get("ReservedConcurrentExecutions")
    if wanted is None:
        lambda_svc._delete_function_concurrency(name)
    else:
        raise_if_failed(
            lambda_svc._put_function_concurrency(
                name, {"ReservedConcurrentExecutions": int(wanted)}
            ),
            "Lambda",
        )


def stabilized(name):
    """A stack waits for its functions, and fails with those that fail."""
    config = lambda_svc._functions[name]["config"]
    if "Failed" in (config.get("State"), config.get("LastUpdateStatus")):
        reason = config.get("LastUpdateStatusReason") or config.get("StateReason")
        raise handler_error(
            f"Resource of type 'AWS::Lambda::Function' with identifier '{name}' did not"
            f" stabilize: {reason}",
            "NotStabilized",
        )


@patch_handler("AWS::Lambda::Function", "create")
def create_function(_original, logical_id, properties, stack_name):
    name = properties.get("FunctionName") or provisioners._physical_name(
        stack_name, logical_id, max_len=64
    )
    if name in lambda_svc._functions:
        raise already_exists("AWS::Lambda::Function", name)
    with finished_at_once():
        raise_if_failed(lambda_svc._create_function(request_of(name, properties)), "Lambda")
    if properties.get("ReservedConcurrentExecutions") is not None:
        reserve(name, properties)
    stabilized(name)
    return name, {"Arn": qualified_arn(name)}


@patch_handler("AWS::Lambda::Function", "update")
def update_function(original, physical_id, old, new, stack_name, logical_id=None):
    with finished_at_once():
        result = original(physical_id, old, new, stack_name, logical_id)
        extra = {
            wire: new.get(key) or empty
            for key, wire, empty in LEFT_OUT
            if new.get(key) != old.get(key)
        }
        if extra and result[0] == physical_id:
            raise_if_failed(lambda_svc._update_config(physical_id, extra), "Lambda")
        if new.get("Architectures") != old.get("Architectures") and result[0] == physical_id:
            # belongs to UpdateFunctionCode; MiniStack sends it with the configuration
            code = {**code_of(new), "Architectures": new.get("Architectures") or ["x86_64"]}
            raise_if_failed(lambda_svc._update_code(physical_id, code), "Lambda")
    if new.get("ReservedConcurrentExecutions") != old.get("ReservedConcurrentExecutions"):
        reserve(result[0], new)
    stabilized(result[0])
    return result


@patch_handler("AWS::Lambda::Function", "delete")
def delete_function(_original, physical_id, _properties):
    if physical_id in lambda_svc._functions:
        raise_if_failed(lambda_svc._delete_function(physical_id, {}), "Lambda")


def function_of(properties):
    """``(record, name)`` of the function a resource names; fails the resource if there is none."""
    reference = properties.get("FunctionName", "")
    function, name, _, _ = provisioners._lambda_function_for_cfn_ref(reference)
    if function is None:
        raise handler_error(
            f"Function not found: {reference} (Service: Lambda, Status Code: 404)", "NotFound"
        )
    return function, name


@patch_handler("AWS::Lambda::Version", "create")
def create_version(original, logical_id, properties, stack_name):
    function, name = function_of(properties)
    if properties.get("CodeSha256"):
        error = precondition(name, {"CodeSha256": properties["CodeSha256"]})
        if error:
            raise_if_failed(error, "Lambda")
    same = unchanged_since(function)
    if same:
        raise handler_error(
            f"Version already exists: [{qualified_arn(name, same)}]. Please modify the function to"
            f" create a new version. A version for this Lambda function exists ( {same} ). Modify"
            " the function to create a new version.",
            "AlreadyExists",
        )
    with finished_at_once():
        return original(logical_id, properties, stack_name)


@patch_handler("AWS::Lambda::Version", "delete")
def delete_version(_original, physical_id, properties):
    """The version goes by the API's rules: while an alias points at it, it stays and the delete
    fails.
    """
    function, name = base_record(physical_id), physical_id.split(":")[-2]
    if function is not None:
        raise_if_failed(
            lambda_svc._delete_function(name, {}, physical_id.rsplit(":", 1)[-1]), "Lambda"
        )


def alias_request(properties):
    request = {
        key: properties[key]
        for key in ("FunctionVersion", "Description")
        if properties.get(key) is not None
    }
    request["FunctionVersion"] = str(request.get("FunctionVersion", ""))
    routing = provisioners._lambda_alias_routing_config(properties)
    if routing:
        request["RoutingConfig"] = routing
    return request


@patch_handler("AWS::Lambda::Alias", "create")
def create_alias(_original, _logical_id, properties, _stack_name):
    _, name = function_of(properties)
    alias_name = properties["Name"]
    raise_if_failed(
        lambda_svc._create_alias(name, {**alias_request(properties), "Name": alias_name}), "Lambda"
    )
    provisioners._lambda_alias_provisioned_concurrency(name, alias_name, {}, properties)
    arn = qualified_arn(name, alias_name)
    return arn, {"AliasArn": arn}


@patch_handler("AWS::Lambda::Alias", "update")
def update_alias(original, physical_id, old, new, stack_name, logical_id=None):
    """An alias that somebody deleted is not made again by an update."""
    _, name = function_of(new)
    if new.get("Name") == old.get("Name") and new.get("FunctionName") == old.get("FunctionName"):
        raise_if_failed(lambda_svc._get_alias(name, new["Name"]), "Lambda")
    return original(physical_id, old, new, stack_name, logical_id)


@patch_handler("AWS::Lambda::Alias", "delete")
def delete_alias(original, physical_id, properties):
    original(physical_id, properties)
    function, _, _, _ = provisioners._lambda_function_for_cfn_ref(
        properties.get("FunctionName", "")
    )
    if function is not None:
        forget_qualifier(function, function["config"]["FunctionName"], properties.get("Name", ""))


@patch_handler("AWS::Lambda::Permission", "create")
def create_permission(original, logical_id, properties, stack_name):
    function_of(properties)
    return original(logical_id, properties, stack_name)


def import_alias(identifier):
    arn = identifier["AliasArn"]
    return arn, {"AliasArn": arn}


def import_version(identifier):
    arn = identifier["FunctionArn"]
    return arn, {"Version": arn.rsplit(":", 1)[-1], "FunctionArn": arn}


def import_problem(arn):
    """Why an alias or version cannot be imported, or None."""
    function, qualifier = base_record(arn), arn.rsplit(":", 1)[-1]
    if lambda_svc._function_qualifier_exists(function, qualifier) and arn.count(":") == 7:
        return None
    return f"Resource with identifier {arn} was not found"


for kind, key, adopt in (
    ("Alias", "AliasArn", import_alias),
    ("Version", "FunctionArn", import_version),
):
    provisioners._RESOURCE_HANDLERS[f"AWS::Lambda::{kind}"]["import"] = adopt
    changesets._IMPORT_LOOKUPS[f"AWS::Lambda::{kind}"] = ((key,), import_problem)


# -- event source mappings -------------------------------------------------------------------------

NUMBERS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "ParallelizationFactor",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "TumblingWindowInSeconds",
)


def truth(value):
    return str(value).lower() != "false"


@patch_handler("AWS::Lambda::EventSourceMapping", "create")
def create_mapping(original, logical_id, properties, stack_name):
    """Through CreateEventSourceMapping for the sources it can poll; others are only recorded, when
    the function is there and its role may read from them.
    """
    service = str(properties.get("EventSourceArn", "")).split(":")[2:3]
    if service not in (["sqs"], ["kinesis"], ["dynamodb"]):
        _, name = function_of(properties)
        qualifier = split_reference(properties["FunctionName"])[1]
        error = mapping_refusal(name, qualifier, properties.get("EventSourceArn") or "", properties)
        if error:
            raise_if_failed(error, "Lambda")
        return original(logical_id, properties, stack_name)
    request = dict(
        properties,
        Tags=provisioners._tag_map(properties.get("Tags")),
        Enabled=truth(properties.get("Enabled", True)),
    )
    request.update(
        {key: int(properties[key]) for key in NUMBERS if properties.get(key) is not None}
    )
    made = body_of(raise_if_failed(lambda_svc._create_esm(request), "Lambda"))
    return made["UUID"], provisioners._lambda_esm_attrs(made["UUID"])


@patch_handler("AWS::Lambda::EventSourceMapping", "update")
def update_mapping(original, physical_id, old, new, stack_name):
    """FunctionName changes in place, with its qualifier; a dropped Enabled means enabled again."""
    _, name = function_of(new)
    qualifier = split_reference(new["FunctionName"])[1]
    error = mapping_refusal(name, qualifier, new.get("EventSourceArn") or "", new)
    if error:
        raise_if_failed(error, "Lambda")
    result = original(
        physical_id, old, {**new, "Enabled": truth(new.get("Enabled", True))}, stack_name
    )
    mapping = lambda_svc._esms.get(result[0])
    if mapping is not None:
        mapping["FunctionName"], mapping["Qualifier"] = split_reference(new["FunctionName"])
    return result
