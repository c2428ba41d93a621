"""Provisioned concurrency follows an alias to another version by and by.

What AWS does (hashicorp/terraform-provider-aws#48116, hashicorp/terraform#24957): when the version
of an alias with provisioned concurrency changes, the alias has temporary weights, which send all
calls to the version before until the other one's environments are there. Meanwhile
PutProvisionedConcurrencyConfig says "Alias with weights can not be used with Provisioned
Concurrency", and so does a stack that updates the alias. A stack waits for its own change.
MiniStack moves everything at once.

``TROUPE_CLOUD_PROVISIONING_MS`` is how long that takes.

Without it fails: ``test_states.py::test_provisioned_concurrency_follows_by_and_by``
"""

import threading
import time

from ministack.core.responses import json_response, new_uuid
from ministack.services import lambda_svc

from troupe_cloud import settings
from troupe_cloud.cloudformation.errors import raise_if_failed
from troupe_cloud.lambda_functions.alias import provisioned
from troupe_cloud.lambda_functions.names import split_reference
from troupe_cloud.lambda_functions.state import AT_ONCE, finished_at_once
from troupe_cloud.patching import patch, patch_handler
from troupe_cloud.responses import failed, invalid_parameter

WITH_WEIGHTS = "Alias with weights can not be used with Provisioned Concurrency"


@patch(lambda_svc, "_update_alias")
def update_alias(original, name, alias_name, data):
    function = lambda_svc._functions.get(name) or {}
    before = dict(function.get("aliases", {}).get(alias_name) or {})
    response = original(name, alias_name, data)
    if failed(response) or AT_ONCE.get() or not provisioned(function, alias_name):
        return response
    alias, left = function["aliases"][alias_name], before["FunctionVersion"]
    if alias["FunctionVersion"] == left:
        return response
    alias["RoutingConfig"] = {"AdditionalVersionWeights": {left: 1.0}}
    revision = alias["RevisionId"]

    def later():
        time.sleep(settings.PROVISIONING)
        if alias.get("RevisionId") == revision:
            alias.pop("RoutingConfig", None)
            alias["RevisionId"] = new_uuid()

    threading.Thread(target=later, daemon=True).start()
    return json_response(alias)


@patch_handler("AWS::Lambda::Alias", "update")
def update_resource(original, physical_id, old, new, stack_name, logical_id=None):
    name, alias_name = split_reference(physical_id)
    function = lambda_svc._functions.get(name) or {"aliases": {}}
    alias = function["aliases"].get(alias_name) or {}
    if provisioned(function, alias_name) and alias.get("RoutingConfig"):
        raise_if_failed(invalid_parameter(WITH_WEIGHTS), "Lambda")
    with finished_at_once():
        return original(physical_id, old, new, stack_name, logical_id)
