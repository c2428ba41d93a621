"""An update of a function may fail after its call was answered.

What AWS does (Lambda developer guide, "Lambda function states"; ``LastUpdateStatusReasonCode`` in
the service model): a subnet without a free address is found out while the function is made ready.
Then ``LastUpdateStatus`` is Failed with a reason (of a new function ``State``, too), the function
goes on with its old code, and stays like that until the next update, which is accepted as ever.
MiniStack's updates always succeed.

Here subnets whose ids begin with ``subnet-full`` have no free address. What GetFunction shows of a
configuration that failed is not documented: here the new one. Nor is what becomes of a version
that is published from it: here it fails, too.

Without it fails: ``test_states.py::test_an_update_may_fail_afterwards``
"""

from ministack.core.responses import json_response
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions import state
from troupe_cloud.lambda_functions.names import latest_version
from troupe_cloud.patching import patch
from troupe_cloud.responses import failed

FULL = "subnet-full"
REASON = (
    "Lambda was not able to set up VPC access for the function because one or more configured"
    " subnets has no available IP addresses."
)
CODE = "SubnetOutOfIPAddresses"


def is_full(config):
    subnets = (config.get("VpcConfig") or {}).get("SubnetIds") or []
    return any(str(subnet).startswith(FULL) for subnet in subnets)


def fail_state(config):
    config.update(State="Failed", StateReason=REASON, StateReasonCode=CODE)


@patch(state, "ended")
def ended(original, config):
    new = config.get("State") == "Pending"
    if not is_full(config):
        original(config)
        return
    if new:
        fail_state(config)
    config.update(LastUpdateStatusReason=REASON, LastUpdateStatusReasonCode=CODE)
    config["LastUpdateStatus"] = "Failed"


@patch(lambda_svc, "_publish_version")
def publish_version(original, name, data):
    function = lambda_svc._functions.get(name)
    response = original(name, data)
    if failed(response) or function["config"].get("LastUpdateStatus") != "Failed":
        return response
    config = function["versions"][latest_version(function)]["config"]
    fail_state(config)
    return json_response(config, 201)
