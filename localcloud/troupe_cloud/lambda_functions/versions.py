"""Reading and deleting functions, versions and aliases by qualifier.

What AWS does (Lambda API reference: GetFunction, DeleteFunction, ListFunctions; measured deletions:
karl-cardenas-coding/go-lambda-cleanup#45, floci-io/floci#2824):

- GetFunction by alias reports the version's configuration under the alias's ARN, and its code
  location is that version's zip. MiniStack gives the newest zip and the version's ARN.
- ``ResolvedImageUri`` of an image is its repository and digest, without a tag that was given
  besides. MiniStack gives back what it was given.
- DeleteFunction never takes $LATEST or an alias as qualifier; a version that an alias points at
  stays; an absent version is no error. MiniStack deletes the whole function for
  ``Qualifier=$LATEST``.
- ``ListFunctions(FunctionVersion=ALL)`` lists every published version too.

Without it fails: ``test_alias.py::test_list_functions_with_all_versions``
"""

import re

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import lambda_svc

from troupe_cloud.lambda_functions.alias import forget_qualifier, not_found, points_at
from troupe_cloud.lambda_functions.names import qualified_arn
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of, failed, invalid_parameter
from troupe_cloud.secret import granted

require(
    lambda_svc, "_get_func_record_for_qualifier", "_qualifier_from_path_or_query", "_function_urls"
)


def as_qualified(config, name, qualifier):
    """The configuration as AWS shows it to one who asked with a qualifier."""
    return dict(config, FunctionArn=qualified_arn(name, qualifier)) if qualifier else config


def unknown(name, qualifier):
    return not_found(f"Function not found: {qualified_arn(name, qualifier)}")


@patch(lambda_svc, "_get_function")
def get_function(original, name, qualifier=None):
    response = original(name, qualifier)
    if failed(response):
        return unknown(name, qualifier)
    answer = body_of(response)
    answer["Configuration"] = as_qualified(answer["Configuration"], name, qualifier)
    version = answer["Configuration"]["Version"]
    if "Location" in answer["Code"]:
        place = f"/{name}?" if version == "$LATEST" else f"/{name}:{version}?"
        answer["Code"]["Location"] = granted(answer["Code"]["Location"].replace(f"/{name}?", place))
    image = answer["Code"].get("ResolvedImageUri")
    if image:
        answer["Code"]["ResolvedImageUri"] = re.sub(r":[^:/@]+@", "@", image)
    if not answer.get("Tags"):
        answer.pop("Tags", None)
    return json_response(answer)


@patch(lambda_svc, "_get_function_config")
def get_function_configuration(original, name, qualifier=None):
    response = original(name, qualifier)
    if failed(response):
        return unknown(name, qualifier)
    return json_response(as_qualified(body_of(response), name, qualifier))


@patch(lambda_svc, "serve_function_code")
def serve_function_code(original, name, account_id=None, region=None):
    """The zip behind GetFunction's location; ``name:3`` is version 3's."""
    name, _, version = name.partition(":")
    function = lambda_svc._functions.get_scoped(
        account_id or get_account_id(), region or get_region(), name
    )
    record = (function or {}).get("versions", {}).get(version)
    if not version:
        return original(name, account_id, region)
    if record is None:
        return 404, {"Content-Type": "text/plain"}, b"Function not found"
    return 200, {"Content-Type": "application/zip"}, record.get("code_zip") or b""


@patch(lambda_svc, "_list_functions")
def list_functions(original, query_params):
    if lambda_svc._qp_first(query_params, "FunctionVersion") != "ALL":
        return original(query_params)
    configs = []
    for name in sorted(lambda_svc._functions.keys()):
        function = lambda_svc._functions[name]
        configs.append(dict(function["config"], FunctionArn=qualified_arn(name, "$LATEST")))
        configs += [
            function["versions"][number]["config"]
            for number in sorted(function["versions"], key=int)
        ]
    start = int(lambda_svc._qp_first(query_params, "Marker") or 0)
    end = start + int(lambda_svc._qp_first(query_params, "MaxItems", "50"))
    page = {"Functions": configs[start:end]}
    if end < len(configs):
        page["NextMarker"] = str(end)
    return json_response(page)


@patch(lambda_svc, "_delete_function")
def delete_function(original, name, query_params, path_qualifier=None):
    qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query_params)
    function = lambda_svc._functions.get(name)
    if function is None:
        return original(name, query_params, path_qualifier)
    if not qualifier:
        for key in [key for key in lambda_svc._function_urls if key.split(":")[0] == name]:
            lambda_svc._function_urls.pop(key, None)
        return original(name, query_params, path_qualifier)
    error = undeletable(function, qualifier)
    if error:
        return error
    if qualifier not in function["versions"]:
        return 204, {}, b""
    response = original(name, query_params, path_qualifier)
    if not failed(response):
        forget_qualifier(function, name, qualifier)
    return response


def undeletable(function, qualifier):
    if qualifier == "$LATEST":
        return invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
    if not qualifier.isdigit():
        return invalid_parameter("Deletion of aliases is not currently supported.")
    names = [alias["Name"] for alias in function["aliases"].values() if points_at(alias, qualifier)]
    if names:
        return error_response_json(
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it:"
            f" [{', '.join(names)}]",
            409,
        )
    return None
