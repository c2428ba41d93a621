"""What CreateFunction and UpdateFunctionConfiguration refuse.

What AWS does (service model of the Lambda API; developer guide, "Lambda quotas" and "Reserved
environment variables"; messages recorded in localstack's ``test_lambda_api`` snapshots): lengths,
ranges and enumerations are ValidationException, the rest InvalidParameterValueException. A function
is durable from its creation on, or never (go-to-k/cdkd#1621; the words of that refusal are not
recorded). MiniStack accepts any value. Also used for functions that CloudFormation creates.

Without it fails: ``test_publish.py::test_creation_limits``
"""

import base64
import json
import re

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from troupe_cloud import settings
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import constraint, invalid_parameter

require(lambda_svc, "_unzipped_size", "_layer_unzipped_size")
lambda_svc._UNZIPPED_LIMIT_BYTES = settings.CODE_BYTES

RANGES = (("timeout", "Timeout", 1, 900), ("memorySize", "MemorySize", 128, 10240))
LENGTHS = (
    ("functionName", "FunctionName", 64),
    ("handler", "Handler", 128),
    ("description", "Description", 256),
)
RESERVED = frozenset(
    "_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV"
    " AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION"
    " AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME"
    " AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
    " AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR".split()
)
RUNTIME = re.compile(
    r"nodejs(|4\.3|4\.3-edge|6\.10|8\.10|(10|12|14|16|18|20|22|24)\.x)"
    r"|python(2\.7|3\.([6-9]|1[0-4]))"
    r"|java(8|8\.al2|11|17|21|25|(8|11|17)\.al2023)|dotnet(core(1\.0|2\.0|2\.1|3\.1)|6|8|9|10)"
    r"|go1\.x|ruby(2\.5|2\.7|3\.[2-4]|4\.0)|provided(|\.al2|\.al2023)"
)
# Source: what Lambda answers for them, as in pgarbe/cdk-ecr-sync#715 (nodejs12.x); the developer
# guide, "Lambda runtimes", lists when each one was blocked.
GONE = re.compile(
    r"nodejs(|4\.3|4\.3-edge|6\.10|8\.10|10\.x|12\.x)|python(2\.7|3\.6)|go1\.x|ruby2\.5"
    r"|dotnetcore(1\.0|2\.0|2\.1)"
)
ENVIRONMENT_BYTES = 4096
DIRECT_ZIP_BYTES = 50 * 1024 * 1024


def first(*checks):
    """The first error of the checks, which run only as far as needed."""
    return next((error for check in checks if (error := check())), None)


def bad_length(data):
    for wire, key, most in LENGTHS:
        if len(str(data.get(key) or "")) > most:
            return constraint(
                data[key], wire, f"Member must have length less than or equal to {most}"
            )
    name = data.get("FunctionName")
    if name and not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
        return constraint(
            name,
            "functionName",
            "Member must satisfy regular expression pattern: "
            "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?"
            "(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    return None


def bad_range(data):
    storage = (data.get("EphemeralStorage") or {}).get("Size")
    ranges = [(wire, data.get(key), low, high) for wire, key, low, high in RANGES]
    for wire, value, low, high in [*ranges, ("ephemeralStorage.size", storage, 512, 10240)]:
        if value is None:
            continue
        if int(value) < low:
            return constraint(value, wire, f"Member must have value greater than or equal to {low}")
        if int(value) > high:
            return constraint(value, wire, f"Member must have value less than or equal to {high}")
    return None


def bad_runtime(data):
    runtime = data.get("Runtime")
    if runtime and not RUNTIME.fullmatch(runtime):
        return invalid_parameter(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must "
            "satisfy enum value set: [nodejs24.x, nodejs22.x, nodejs20.x, python3.14, "
            "python3.13, python3.12, java21, dotnet8, ruby3.4, provided.al2023, ...] "
            "or be a valid ARN"
        )
    if runtime and GONE.fullmatch(runtime):
        return invalid_parameter(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating "
            "AWS Lambda functions. We recommend you use a new runtime while creating or updating "
            "functions."
        )
    return None


def bad_environment(data):
    variables = (data.get("Environment") or {}).get("Variables") or {}
    prefix = (
        "Lambda was unable to configure your environment variables because the environment"
        " variables you have provided "
    )
    reserved = [name for name in variables if name in RESERVED]
    if reserved:
        return invalid_parameter(
            f"{prefix}contains reserved keys that are currently not supported for "
            f"modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    for name in variables:
        if not re.fullmatch(r"[a-zA-Z]([a-zA-Z0-9_])+", name):
            return constraint(
                variables,
                "environment.variables",
                "Map keys must satisfy constraint: [Member "
                "must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES:
        return invalid_parameter(f"{prefix}exceeded the 4KB limit. String measured: {measured}")
    return None


def bad_layers(data):
    layers = data.get("Layers") or []
    if len(layers) > 5:
        return invalid_parameter("You cannot reference more than 5 layers.")
    return None


def bad_durable(data):
    """Source: aws/aws-extensions-for-dotnet-cli#450."""
    durable = data.get("DurableConfig")
    if durable is not None and not durable.get("ExecutionTimeout"):
        return invalid_parameter(
            "You cannot create a function with a durable configuration without an executionTimeout"
        )
    return None


def bad_configuration(data):
    """The error for the configuration members of a request, or None."""
    return first(
        lambda: bad_length(data),
        lambda: bad_range(data),
        lambda: bad_runtime(data),
        lambda: bad_environment(data),
        lambda: bad_layers(data),
    )


def bad_code(code):
    """The error for the ``Code`` of a request: nothing there, too large, or not in the bucket."""
    if not any(code.get(key) for key in ("ZipFile", "S3Bucket", "ImageUri")):
        return invalid_parameter("Please provide a source for function code.")
    if code.get("ZipFile") and len(code["ZipFile"]) * 3 // 4 > DIRECT_ZIP_BYTES:
        return error_response_json(
            "RequestEntityTooLargeException",
            "Request must be smaller than 70167211 bytes for the operation",
            413,
        )
    return missing_object(code) if code.get("S3Bucket") else None


def missing_object(code):
    from ministack.services import s3

    bucket, key = code["S3Bucket"], code.get("S3Key")
    if (
        lambda_svc._fetch_code_from_s3(bucket, key, version_id=code.get("S3ObjectVersion"))
        is not None
    ):
        return None
    if s3._buckets.get(bucket) is None:
        error, text = "NoSuchBucket", "The specified bucket does not exist"
    else:
        error, text = "NoSuchKey", "The specified key does not exist."
    return invalid_parameter(
        f"Error occurred while GetObject. S3 Error Code: {error}. S3 Error Message: {text}"
    )


def bad_zip_text(code):
    """ZipFile must be base64: a decoding error is the caller's, not the server's."""
    if isinstance(code.get("ZipFile"), str):
        try:
            base64.b64decode(code["ZipFile"], validate=True)
        except ValueError:
            return invalid_parameter(
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            )
    return None


@patch(lambda_svc, "_validate_total_unzipped_size")
def validate_size(original, code, layers):
    """With layers the message is another one (aws/aws-cdk#8446, serverless/serverless#8313)."""
    if not layers or original(code, layers) is None:
        return original(code, layers)
    size = lambda_svc._unzipped_size(code) + sum(map(lambda_svc._layer_unzipped_size, layers))
    return invalid_parameter(
        "Function code combined with layers exceeds the maximum allowed size of"
        f" {settings.CODE_BYTES} bytes. The actual size is {size} bytes."
    )


@patch(lambda_svc, "_create_function")
def create_function(original, data):
    code = data.get("Code") or {}
    if not data.get("Role"):
        return constraint("null", "role", "Member must not be null")
    error = first(
        lambda: bad_configuration(data),
        lambda: bad_zip_text(code),
        lambda: bad_code(code),
        lambda: bad_durable(data),
    )
    return error or original(data)


@patch(lambda_svc, "_update_config")
def update_configuration(original, name, data):
    function = lambda_svc._functions.get(name)
    if function and data.get("DurableConfig") and not function["config"].get("DurableConfig"):
        return invalid_parameter("You cannot add a durable configuration to an existing function.")
    return bad_configuration(data) or original(name, data)


@patch(lambda_svc, "_update_code")
def update_code(original, name, data):
    if name not in lambda_svc._functions:
        return original(name, data)
    return bad_zip_text(data) or bad_code(data) or original(name, data)
