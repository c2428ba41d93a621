"""FilterLogEvents: stream prefixes and pages.

What AWS does (CloudWatch Logs API reference, FilterLogEvents; service model):
``logStreamNamePrefix`` keeps the streams that begin so and excludes ``logStreamNames`` (at most
100, all existing); an answer cut by ``limit`` carries ``nextToken``. MiniStack ignores the prefix
and never pages.

Without it fails: ``test_runtime.py::test_filtered_events_are_paged``
"""

import base64
import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs as logs

from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed

require(logs, "_resolve_log_group_name", "_log_groups")
MOST_EVENTS = 10000


def invalid(message):
    return error_response_json("InvalidParameterException", message, 400)


def wanted_streams(data, streams):
    """``(names or None for all, error or None)``."""
    prefix, names = data.get("logStreamNamePrefix"), data.get("logStreamNames")
    if prefix and names:
        return None, invalid("LogStreamNamePrefix and LogStreamNames cannot both be specified.")
    if names and len(names) > 100:
        return None, invalid(
            "1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: "
            "Member must have length less than or equal to 100"
        )
    missing = [name for name in names or [] if name not in streams]
    if missing:
        return None, error_response_json(
            "ResourceNotFoundException", "The specified log stream does not exist.", 400
        )
    return ([name for name in streams if name.startswith(prefix)] if prefix else names), None


def position_of(token):
    return int(base64.b64decode(token)) if token else 0


@patch(logs, "_filter_log_events")
def filter_log_events(original, data):
    group = logs._log_groups.get(logs._resolve_log_group_name(data))
    if group is None:
        return original(data)
    names, error = wanted_streams(data, group["streams"])
    if error:
        return error
    if names == []:
        return json_response({"events": [], "searchedLogStreams": []})
    request = {
        key: value
        for key, value in data.items()
        if key not in ("limit", "nextToken", "logStreamNamePrefix")
    }
    if names:
        request["logStreamNames"] = names
    response = original(request)
    if failed(response):
        return response
    answer, start = body_of(response), position_of(data.get("nextToken"))
    end = start + min(int(data.get("limit") or MOST_EVENTS), MOST_EVENTS)
    answer.pop("nextToken", None)
    if end < len(answer["events"]):
        answer["nextToken"] = base64.b64encode(str(end).encode()).decode()
    answer["events"] = answer["events"][start:end]
    return response[0], response[1], json.dumps(answer).encode()
