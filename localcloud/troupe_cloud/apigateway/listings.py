"""Lists of an API's parts come in no particular order.

What AWS does: neither the API references of GetResources, GetModels, GetRoutes and GetIntegrations
nor any guide says in which order a page has its items, and a page of the same API may have another
one. MiniStack lists in the order of creation. Here every page is shuffled anew, as it follows from
the seed.

Without it fails: ``test_openapi.py::test_lists_come_in_no_particular_order``
"""

import itertools
import json
import random

from ministack.services import apigateway as http
from ministack.services import apigateway_v1 as rest

from troupe_cloud import settings
from troupe_cloud.patching import patch
from troupe_cloud.responses import body_of, failed

COUNT = itertools.count()


def shuffled(response):
    if failed(response):
        return response
    page = body_of(response)
    for items in page.values():
        if isinstance(items, list):
            random.Random(f"{settings.SEED} {next(COUNT)}").shuffle(items)
    return response[0], response[1], json.dumps(page).encode()


@patch(rest, "_get_resources")
def get_resources(original, *args):
    return shuffled(original(*args))


@patch(rest, "_get_models")
def get_models(original, *args):
    return shuffled(original(*args))


@patch(http, "_get_routes")
def get_routes(original, *args):
    return shuffled(original(*args))


@patch(http, "_get_integrations")
def get_integrations(original, *args):
    return shuffled(original(*args))
