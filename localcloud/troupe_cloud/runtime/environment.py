"""The execution environment of a function: what it sees, what it logs, how it fails.

What AWS does (Lambda developer guide, "Using Lambda environment variables", "Sending Lambda
function logs to CloudWatch Logs", runtime interface client error types):

- A function sees the variables Lambda defines and its own, nothing else; the version, log group and
  log stream are those of its execution environment.
- One log stream per execution environment, ``YYYY/MM/DD/[version]id``, in a custom group
  ``YYYY/MM/DD/function[version]id``; START, END and REPORT lines also stand in the log tail of
  Invoke.
- Errors carry the exception's type and stack; code that does not load has a ``Runtime.*`` type.

MiniStack lets the whole host environment through, opens a stream per call and has only
``Runtime.HandlerError``. Still the host's interpreter runs, whatever version the runtime names.

Without it fails: ``test_runtime.py::test_tail_has_the_platforms_lines``
"""

import contextvars
import json
import os
import re
import subprocess
import time
import types
from datetime import datetime, timezone

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import cloudwatch_logs
from ministack.services import lambda_svc

from troupe_cloud.runtime import layers
from troupe_cloud.patching import patch, require

require(lambda_runtime, "subprocess", "Worker", "ProvidedWorker", "HOST_PREFIX_ENV")
require(lambda_svc, "_probe_peak_memory_mb", "_execute_function_warm")
require(
    cloudwatch_logs,
    "_log_groups",
    "_make_group_arn",
    "_append_log_events",
    "_fanout_to_subscription_filters",
)

# What of the host's environment a function may see: without it interpreters do not start.
FROM_HOST = frozenset(
    ("PATH", "AWS_ENDPOINT_URL", "LOCALSTACK_HOSTNAME", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
)
STARTING = contextvars.ContextVar("troupe_starting_worker", default=None)
USED = contextvars.ContextVar("troupe_used_worker", default=None)


# -- environment -----------------------------------------------------------------------------------


def log_group_of(config):
    return (config.get("LoggingConfig") or {}).get(
        "LogGroup"
    ) or f"/aws/lambda/{config.get('FunctionName')}"


def new_log_stream(config):
    name, version = config.get("FunctionName", "unknown"), config.get("Version", "$LATEST")
    day = datetime.now(timezone.utc).strftime("%Y/%m/%d")
    own_group = log_group_of(config) == f"/aws/lambda/{name}"
    return f"{day}/{'' if own_group else name}[{version}]{new_uuid().replace('-', '')}"


def stream_of(worker):
    """The log stream of an execution environment; a new process is a new environment."""
    if getattr(worker, "troupe_log_stream", None) is None:
        worker.troupe_log_stream = new_log_stream(worker.config)
    return worker.troupe_log_stream


def environment_of(worker, given):
    """The variables Lambda defines plus the function's own, out of what MiniStack would pass."""
    config = worker.config
    own = lambda_svc._runtime_env_vars(config)
    clean = {
        key: value
        for key, value in given.items()
        if key in own or key in FROM_HOST or os.environ.get(key) != value
    }
    runtime = config.get("Runtime", "")
    clean.setdefault("LANG", "C.UTF-8")
    clean.setdefault("TZ", ":UTC")
    clean.setdefault(
        "AWS_ENDPOINT_URL", f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}"
    )
    clean.update(
        {
            "AWS_LAMBDA_FUNCTION_NAME": config.get("FunctionName", ""),
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group_of(config),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream_of(worker),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "_HANDLER": config.get("Handler", ""),
        }
    )
    if not runtime.startswith("provided"):
        clean["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime}"
    return clean


def start(command, *args, **kwargs):
    """``subprocess.Popen`` for MiniStack's workers, with the function's environment and layers."""
    worker = STARTING.get()
    if worker is not None and kwargs.get("env") is not None:
        worker.troupe_log_stream = None
        kwargs["env"] = environment_of(worker, kwargs["env"])
        command, kwargs["env"] = layers.with_layers(command, kwargs["env"], worker.config)
    return subprocess.Popen(command, *args, **kwargs)


def spawn(original, worker, *args, **kwargs):
    token = STARTING.set(worker)
    try:
        return original(worker, *args, **kwargs)
    finally:
        STARTING.reset(token)


# A module of the same names, so that only the workers' processes are affected.
lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": start})
patch(lambda_runtime.Worker, "_spawn")(spawn)
patch(lambda_runtime.ProvidedWorker, "_spawn")(spawn)


@patch(lambda_runtime, "acquire_worker")
def acquire(original, *args, **kwargs):
    worker, reason = original(*args, **kwargs)
    USED.set(worker)
    return worker, reason


# -- what runs, runs to its end --------------------------------------------------------------------


@patch(lambda_runtime, "kill_workers")
def kill(original, workers):
    """A function that is changed or deleted finishes what it is working on; MiniStack kills it."""
    workers = list(workers)
    for worker in workers:
        worker.troupe_ends = worker.in_use
    return original([worker for worker in workers if not worker.in_use])


@patch(lambda_runtime, "release_worker")
def release(original, worker):
    original(worker)
    if getattr(worker, "troupe_ends", False):
        lambda_runtime.kill_workers([worker])


# -- logs ------------------------------------------------------------------------------------------


def platform_lines(func, request_id, milliseconds):
    """``(start, end, report)`` as Lambda writes them, in the function's log format."""
    config = func.get("config") or func
    version, memory = config.get("Version", "$LATEST"), config.get("MemorySize", 128)
    used = lambda_svc._probe_peak_memory_mb(func)
    if (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON":
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        report = {
            "requestId": request_id,
            "metrics": {
                "durationMs": milliseconds,
                "billedDurationMs": milliseconds,
                "memorySizeMB": memory,
                "maxMemoryUsedMB": used,
            },
        }
        records = (
            ("start", {"requestId": request_id, "version": version}),
            ("runtimeDone", {"requestId": request_id, "status": "success"}),
            ("report", report),
        )
        return tuple(
            json.dumps({"time": now, "type": f"platform.{kind}", "record": record})
            for kind, record in records
        )
    return (
        f"START RequestId: {request_id} Version: {version}",
        f"END RequestId: {request_id}",
        (
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration:"
            f" {milliseconds} ms\tMemory Size: {memory} MB\tMax Memory Used: {used} MB\t"
        ),
    )


def stream_record(group_name, stream_name, now):
    """The stream's record in the group, both made if needed (Lambda makes its own group)."""
    groups = cloudwatch_logs._log_groups
    if group_name not in groups:
        groups[group_name] = {
            "arn": cloudwatch_logs._make_group_arn(group_name),
            "creationTime": now,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    return groups[group_name]["streams"].setdefault(
        stream_name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )


@patch(lambda_svc, "_emit_lambda_logs")
def emit_logs(original, func, request_id, log_text, error, duration_ms, *, log_source=None):
    """One stream per execution environment; container executors keep MiniStack's way."""
    config = func.get("config") or func
    worker = USED.get()
    if worker is None or log_source or worker.func_name != config.get("FunctionName"):
        original(func, request_id, log_text, error, duration_ms, log_source=log_source)
        return
    group, stream, now = log_group_of(config), stream_of(worker), int(time.time() * 1000)
    begin, end, report = platform_lines(func, request_id, duration_ms)
    lines = [begin, *(log_text or "").splitlines(), end, report]
    cloudwatch_logs._append_log_events(
        stream_record(group, stream, now),
        [
            {
                "timestamp": now,
                "message": line + "\n",
                "ingestionTime": now,
                "eventId": str(int(new_uuid().replace("-", ""), 16)).zfill(56),
            }
            for line in lines
        ],
    )
    cloudwatch_logs._fanout_to_subscription_filters(
        group, stream, [{"timestamp": now, "message": line + "\n"} for line in lines]
    )


@patch(lambda_svc, "_execute_function_dispatch")
def execute(original, func, config, event, request_id, started):
    """The log tail of Invoke has the platform's lines too."""
    USED.set(None)
    result = original(func, config, event, request_id, started)
    if isinstance(result, dict) and not result.get("throttle") and not result.get("log_source"):
        begin, end, report = platform_lines(func, request_id, int((time.time() - started) * 1000))
        text = (result.get("log") or "").rstrip("\n")
        result["log"] = "\n".join([begin, *([text] if text else []), end, report]) + "\n"
    return result


# -- errors ----------------------------------------------------------------------------------------

NODE_SYNTAX = re.compile(
    r"Unexpected |Invalid (or unexpected|left-hand|regular)|missing \)|Unterminated |Illegal |"
    r"Identifier '|await is only|Cannot use import statement|Missing initializer"
)
ANSWER = contextvars.ContextVar("troupe_worker_answer", default=None)


@patch(lambda_runtime.Worker, "invoke")
def remember_answer(original, worker, *args, **kwargs):
    """MiniStack turns the worker's answer into a bare message; the stack in it is read below."""
    answer = original(worker, *args, **kwargs)
    ANSWER.set(answer)
    return answer


def load_error(config, message):
    """What Lambda answers for code that does not load: ``(errorType, errorMessage)``."""
    module, _, function = config.get("Handler", "").rpartition(".")
    if config.get("Runtime", "").startswith("python"):
        if "has no attribute" in message:
            return "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'"
        if re.search(r"\(.*, line \d+\)", message):
            return "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {message}"
        return "Runtime.ImportModuleError", f"Unable to import module '{module}': {message}"
    if "is undefined or not exported" in message or "not a function" in message:
        return "Runtime.HandlerNotFound", f"{config.get('Handler')} is undefined or not exported"
    if NODE_SYNTAX.match(message):
        return "Runtime.UserCodeSyntaxError", f"SyntaxError: {message}"
    if "Cannot find module" in message or "Cannot find package" in message:
        return "Runtime.ImportModuleError", f"Error: {message}"
    return "Runtime.Unknown", message


def raised_error(config, message, trace):
    """The error document of an exception that the handler raised."""
    lines = [line for line in (trace or "").splitlines() if line.strip()]
    if config.get("Runtime", "").startswith("python"):
        kind = re.match(r"(?:\w+\.)*(\w+)(:|$)", lines[-1]) if lines else None
        return {
            "errorMessage": message,
            "errorType": kind[1] if kind else "Exception",
            "requestId": new_uuid(),
            "stackTrace": [line + "\n" for line in lines[1:-1]],
        }
    kind = re.match(r"(\w*(?:Error|Exception)\w*)(:|$)", lines[0]) if lines else None
    return {"errorType": kind[1] if kind else "Error", "errorMessage": message, "trace": lines}


@patch(lambda_svc, "_execute_function_warm")
def execute_warm(original, func, event, request_id):
    ANSWER.set(None)
    result = original(func, event, request_id)
    config, body, answer = func.get("config") or func, result.get("body"), ANSWER.get() or {}
    if not result.get("error") or not isinstance(body, dict):
        return result
    message = str(body.get("errorMessage", ""))
    if message.startswith("Worker init failed: "):
        kind, text = load_error(config, message.removeprefix("Worker init failed: "))
        result["body"] = {"errorType": kind, "errorMessage": text, "trace": []}
    elif message == "Worker process died":
        result["body"] = {
            "errorType": "Runtime.ExitError",
            "errorMessage": (
                f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            ),
        }
    elif "timed out after" in message:
        result["body"] = {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {request_id} Error: {message}",
        }
    elif answer.get("status") == "error" and answer.get("trace"):
        result["body"] = raised_error(config, message, answer["trace"])
    return result
