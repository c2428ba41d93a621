"""PutRestApi and ImportRestApi: a REST API from an OpenAPI document.

What AWS does (API Gateway developer guide, "Import a REST API", "Update a REST API definition",
"OpenAPI extensions for API Gateway"; recorded: localstack's ``test_put_rest_api_mode_*``):

- ``overwrite`` replaces the whole definition and ``merge`` lays the document over it; both keep the
  API's id, root resource, stages, deployments, endpoint type and tags; its name becomes
  ``info.title``.
- Security is read from the operation only; a root ``security`` is ignored.
- With ``failonwarnings`` a document with a warning changes nothing; otherwise the warnings are in
  the answer.
- ``overwrite`` takes VPC endpoints that the document does not name from the API
  (aws/aws-sam-cli#2353, hashicorp/terraform-provider-aws#13841).
- Of a model's schema an import drops what API Gateway's notes on OpenAPI list ("Amazon API Gateway
  important notes", aws/serverless-application-model#2708); what only JSON schema draft 4 knows is a
  warning. UpdateModel takes all of it.

MiniStack answers 404 to PutRestApi, ignores the body of ImportRestApi, and its importer for
templates knows only type, method and URI of an integration.

Without it fails: ``test_openapi.py::test_overwrite_keeps_what_is_not_definition``
"""

import copy
import json
import re

from ministack.services import apigateway_v1 as rest

from troupe_cloud.apigateway import openapi_document as openapi
from troupe_cloud.apigateway.rest import sibling_variable
from troupe_cloud.apigateway.openapi_document import ImportProblem
from troupe_cloud.patching import patch, require
from troupe_cloud.responses import body_of

require(
    rest,
    "_rest_apis",
    "_resources",
    "_authorizers_v1",
    "_models",
    "_request_validators",
    "_gateway_responses",
    "_GATEWAY_RESPONSE_TYPES",
    "_DEFAULT_AUTHORIZER_TTL",
    "_new_id",
    "_rest_api_view",
    "_default_gateway_response",
    "_compute_path",
    "_create_rest_api",
    "_delete_rest_api",
)

EXTENSION = "x-amazon-apigateway-"
MOST_BYTES, MOST_RESOURCES, MOST_AUTHORIZERS = 6 * 1024 * 1024, 300, 10
PATH_PART = re.compile(r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._\-:]+\+?\}")
LOCATIONS = {"query": "querystring", "header": "header", "path": "path"}
DROPPED = {
    "additionalProperties",
    "anyOf",
    "discriminator",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxProperties",
    "minItems",
    "minProperties",
    "oneOf",
    "readOnly",
}
DRAFT_4 = {"$schema", "definitions", "dependencies", "id", "patternProperties"}
INTEGRATION_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")


class Importer:
    """One import into working copies of the API's parts; ``commit`` puts them in place."""

    def __init__(self, api_id, document, mode):
        self.api_id, self.document, self.merge = api_id, document, mode == "merge"
        self.warnings = []
        self.schemes = {}
        self.api = copy.deepcopy(rest._rest_apis[api_id])
        self.before = copy.deepcopy(rest._resources.get(api_id, {}))
        self.authorizers = self._kept(rest._authorizers_v1)
        self.models = self._kept(rest._models)
        self.validators = self._kept(rest._request_validators)
        self.gateway_responses = self._kept(rest._gateway_responses)
        self.ids = {resource["path"]: resource["id"] for resource in self.before.values()}
        if self.merge:
            self.resources = self.before
        else:
            root = next(resource for resource in self.before.values() if resource["path"] == "/")
            self.resources = {root["id"]: dict(root, resourceMethods={})}

    def _kept(self, store):
        return copy.deepcopy(store.get(self.api_id, {})) if self.merge else {}

    def extension(self, name, default=None):
        return self.document.get(EXTENSION + name, default)

    def run(self):
        self.read_properties()
        self.read_models()
        self.read_validators()
        self.read_gateway_responses()
        self.read_security_schemes()
        for path, method, operation, item in openapi.operations(self.document):
            self.read_operation(path, method, operation, item)
        for path in self.document.get("paths") or {}:
            self.resource_at(path)
        if len(self.resources) > MOST_RESOURCES:
            raise ImportProblem(
                "Maximum number of resources for this API has been reached. Please contact AWS if "
                "you need additional resources."
            )

    # -- the API's own properties ----------------------------------------------------------------

    def read_properties(self):
        info = self.document["info"]
        self.api["name"] = str(info["title"])
        if "description" in info or not self.merge:
            self.api["description"] = str(info.get("description") or "")
        if info.get("version") or not self.merge:
            self.api["version"] = str(info.get("version") or "")
        self.set_property("apiKeySource", "api-key-source", "HEADER")
        self.set_property("minimumCompressionSize", "minimum-compression-size", None)
        self.set_property("policy", "policy", None)
        types = list(self.extension("binary-media-types") or [])
        known = self.api.get("binaryMediaTypes") or [] if self.merge else []
        self.api["binaryMediaTypes"] = known + [kind for kind in types if kind not in known]
        endpoint = self.endpoint_configuration()
        if endpoint or not self.merge:
            self.api["disableExecuteApiEndpoint"] = bool(
                endpoint.get("disableExecuteApiEndpoint", False)
            )
        if endpoint.get("vpcEndpointIds") or not self.merge:
            configuration = dict(self.api.get("endpointConfiguration") or {})
            configuration.pop("vpcEndpointIds", None)
            if endpoint.get("vpcEndpointIds"):
                configuration["vpcEndpointIds"] = endpoint["vpcEndpointIds"]
            self.api["endpointConfiguration"] = configuration

    def endpoint_configuration(self):
        """The extension stands at the root (Swagger) or in a server (OpenAPI 3)."""
        found = self.extension("endpoint-configuration")
        for server in self.document.get("servers") or []:
            found = found or server.get(EXTENSION + "endpoint-configuration")
        return found or {}

    def set_property(self, field, extension, default):
        value = self.extension(extension)
        if value is not None:
            self.api[field] = value
        elif not self.merge:
            self.api[field] = default

    def read_models(self):
        for name, schema in openapi.schemas(self.document).items():
            if not re.fullmatch(r"[a-zA-Z0-9]+", name):
                self.warnings.append(f"Model name must be alphanumeric: {name}")
                continue
            self.models[name] = {
                "id": self.kept_id(self.models.get(name)),
                "name": name,
                "description": (schema or {}).get("description", ""),
                "schema": self.model_schema(schema),
                "contentType": "application/json",
            }

    def model_schema(self, schema):
        """The schema's text; references to other models become links to them, as API Gateway keeps
        them.
        """
        text = json.dumps(self.imported(schema))
        link = f"https://apigateway.amazonaws.com/restapis/{self.api_id}/models/"
        for prefix in ("#/components/schemas/", "#/definitions/"):
            text = text.replace(prefix, link)
        return text

    def imported(self, schema):
        """What an import leaves of a schema; names of properties are no keywords."""
        if not isinstance(schema, dict):
            return schema
        unknown = sorted(DRAFT_4 & schema.keys())
        if isinstance(schema.get("type"), list):
            unknown.append("type")
        self.warnings += [f"Unsupported model schema keyword: {keyword}" for keyword in unknown]
        kept = {}
        for keyword, value in schema.items():
            if keyword in DROPPED or keyword in unknown:
                continue
            if keyword == "properties" and isinstance(value, dict):
                kept[keyword] = {name: self.imported(inner) for name, inner in value.items()}
            elif isinstance(value, list):
                kept[keyword] = [self.imported(inner) for inner in value]
            else:
                kept[keyword] = self.imported(value)
        return kept

    @staticmethod
    def kept_id(record):
        return record["id"] if record else rest._new_id()[:6]

    def read_validators(self):
        named = {validator["name"]: validator for validator in self.validators.values()}
        for name, wanted in (self.extension("request-validators") or {}).items():
            record = {
                "id": self.kept_id(named.get(name)),
                "name": name,
                "validateRequestBody": bool((wanted or {}).get("validateRequestBody", False)),
                "validateRequestParameters": bool(
                    (wanted or {}).get("validateRequestParameters", False)
                ),
            }
            self.validators[record["id"]] = record

    def validator_id(self, name):
        found = next((v["id"] for v in self.validators.values() if v["name"] == name), None)
        if name and not found:
            self.warnings.append(f"Request validator '{name}' is not defined")
        return found

    def read_gateway_responses(self):
        for kind, wanted in (self.extension("gateway-responses") or {}).items():
            if kind not in rest._GATEWAY_RESPONSE_TYPES:
                self.warnings.append(f"Invalid gateway response type: {kind}")
                continue
            response = rest._default_gateway_response(kind)
            response["defaultResponse"] = False
            if wanted.get("statusCode") is not None:
                response["statusCode"] = str(wanted["statusCode"])
            response["responseParameters"] = dict(wanted.get("responseParameters") or {})
            if wanted.get("responseTemplates"):
                response["responseTemplates"] = dict(wanted["responseTemplates"])
            self.gateway_responses[kind] = response

    # -- security --------------------------------------------------------------------------------

    def read_security_schemes(self):
        for name, scheme in openapi.security_schemes(self.document).items():
            scheme = scheme or {}
            authorizer = scheme.get(EXTENSION + "authorizer")
            kind = str(scheme.get(EXTENSION + "authtype") or "")
            if isinstance(authorizer, dict):
                self.schemes[name] = self.read_authorizer(name, scheme, authorizer, kind)
            elif kind.lower() == "awssigv4":
                self.schemes[name] = {"authorizationType": "AWS_IAM"}
            elif scheme.get("type") == "apiKey" and str(scheme.get("name")).lower() == "x-api-key":
                self.schemes[name] = {"apiKeyRequired": True}
            else:
                self.schemes[name] = {}
        if len(self.authorizers) > MOST_AUTHORIZERS:
            raise ImportProblem(
                "Maximum number of Authorizers for this API has been reached. Please contact AWS if"
                " you need additional Authorizers."
            )

    def read_authorizer(self, name, scheme, wanted, authtype):
        kind = str(wanted.get("type") or "").lower()
        if kind not in ("token", "request", "cognito_user_pools"):
            raise ImportProblem(
                f"Errors found during import:\n\tUnable to create authorizer '{name}': Invalid "
                f"authorizer type: {wanted.get('type')}"
            )
        if kind != "cognito_user_pools" and not wanted.get("authorizerUri"):
            raise ImportProblem(
                f"Errors found during import:\n\tUnable to create authorizer '{name}': Authorizer "
                "URI must be set"
            )
        named = {
            authorizer["name"]: authorizer
            for authorizer in {
                **rest._authorizers_v1.get(self.api_id, {}),
                **self.authorizers,
            }.values()
        }
        ttl = wanted.get("authorizerResultTtlInSeconds")
        record = {
            "id": self.kept_id(named.get(name)),
            "name": name,
            "type": kind.upper(),
            "authType": authtype or "custom",
            "authorizerUri": wanted.get("authorizerUri", ""),
            "authorizerCredentials": wanted.get("authorizerCredentials"),
            "identitySource": self.identity_source(kind, scheme, wanted),
            "identityValidationExpression": wanted.get("identityValidationExpression", ""),
            "authorizerResultTtlInSeconds": (
                rest._DEFAULT_AUTHORIZER_TTL if ttl is None else int(ttl)
            ),
            "providerARNs": list(wanted.get("providerARNs") or []),
        }
        self.authorizers[record["id"]] = record
        method_type = "COGNITO_USER_POOLS" if kind == "cognito_user_pools" else "CUSTOM"
        return {"authorizationType": method_type, "authorizerId": record["id"]}

    @staticmethod
    def identity_source(kind, scheme, wanted):
        if wanted.get("identitySource") is not None or kind == "request":
            return wanted.get("identitySource") or ""
        where = LOCATIONS.get(str(scheme.get("in") or "header").lower(), "header")
        return f"method.request.{where}.{scheme.get('name') or 'Authorization'}"

    def authorization(self, operation):
        """What an operation's ``security`` (or its auth extension) asks of a method."""
        method = {
            "authorizationType": "NONE",
            "authorizerId": None,
            "apiKeyRequired": False,
            "authorizationScopes": [],
        }
        explicit = (operation.get(EXTENSION + "auth") or {}).get("type")
        if explicit:
            method["authorizationType"] = str(explicit).upper()
        for requirement in operation.get("security") or []:
            for name, scopes in (requirement or {}).items():
                scheme = self.schemes.get(name)
                if scheme is None:
                    self.warnings.append(f"Security scheme '{name}' is not defined")
                    continue
                if "authorizationType" in scheme and method["authorizationType"] != "NONE":
                    continue
                method.update(scheme)
                if scopes and "authorizerId" in scheme:
                    method["authorizationScopes"] = list(scopes)
        return method

    # -- resources and methods --------------------------------------------------------------------

    def resource_at(self, path):
        """The resource of a path, with all above it."""
        parts = [part for part in path.split("/") if part]
        parent = next(resource for resource in self.resources.values() if resource["path"] == "/")
        for depth, part in enumerate(parts):
            if not PATH_PART.fullmatch(part):
                raise ImportProblem(
                    f"Errors found during import:\n\tUnable to create resource at path '{path}': "
                    "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable "
                    "and curly braces at the beginning and the end."
                )
            if part.endswith("+}") and depth < len(parts) - 1:
                raise ImportProblem(
                    f"Errors found during import:\n\tUnable to create resource at path '{path}': "
                    "Cannot create a child of a resource with a greedy path variable."
                )
            parent = self.child(parent, part)
        return parent

    def child(self, parent, part):
        path = parent["path"].rstrip("/") + "/" + part
        for resource in self.resources.values():
            if resource["path"] == path:
                return resource
        siblings = [r for r in self.resources.values() if r.get("parentId") == parent["id"]]
        problem = sibling_variable(siblings, part)
        if problem:
            raise ImportProblem(
                f"Errors found during import:\n\tUnable to create resource at path '{path}':"
                f" {problem}"
            )
        resource = {
            "id": self.ids.get(path) or rest._new_id()[:8],
            "parentId": parent["id"],
            "pathPart": part,
            "path": path,
            "resourceMethods": {},
        }
        self.resources[resource["id"]] = resource
        return resource

    def read_operation(self, path, method, operation, item):
        resource = self.resource_at(path)
        record = {
            "httpMethod": method,
            **self.authorization(operation),
            "operationName": operation.get("operationId", ""),
            "requestParameters": self.request_parameters(operation, item),
            "requestModels": self.request_models(operation),
            "requestValidatorId": self.validator_id(
                operation.get(EXTENSION + "request-validator")
                or self.extension("request-validator")
            ),
            "methodResponses": self.method_responses(operation),
            "methodIntegration": None,
        }
        wanted = openapi.dereference(self.document, operation.get(openapi.INTEGRATION))
        if wanted is not None:
            record["methodIntegration"] = self.integration(path, method, resource, wanted)
        resource["resourceMethods"][method] = record

    def request_parameters(self, operation, item):
        found = {}
        for parameter in [*(item.get("parameters") or []), *(operation.get("parameters") or [])]:
            parameter = openapi.dereference(self.document, parameter) or {}
            where = LOCATIONS.get(parameter.get("in"))
            if where:
                found[f"method.request.{where}.{parameter.get('name')}"] = bool(
                    parameter.get("required", False)
                )
            elif parameter.get("in") == "cookie":
                self.warnings.append(
                    f"Unsupported parameter location 'cookie' for '{parameter.get('name')}'"
                )
        return found

    def model_name(self, schema):
        reference = (schema or {}).get("$ref") if isinstance(schema, dict) else None
        if not reference:
            return None
        name = reference.rsplit("/", 1)[-1]
        if name not in self.models and name not in ("Empty", "Error"):
            self.warnings.append(f"Unable to find model '{name}'")
            return None
        return name

    def models_of(self, content):
        named = {
            kind: self.model_name((entry or {}).get("schema"))
            for kind, entry in (content or {}).items()
        }
        return {kind: name for kind, name in named.items() if name}

    def request_models(self, operation):
        body = openapi.dereference(self.document, operation.get("requestBody")) or {}
        found = self.models_of(body.get("content"))
        for parameter in operation.get("parameters") or []:
            parameter = openapi.dereference(self.document, parameter) or {}
            if parameter.get("in") == "body":
                name = self.model_name(parameter.get("schema"))
                kinds = (
                    operation.get("consumes")
                    or self.document.get("consumes")
                    or ["application/json"]
                )
                found.update({kind: name for kind in kinds if name})
        return found

    def method_responses(self, operation):
        found = {}
        for status, response in (operation.get("responses") or {}).items():
            response = openapi.dereference(self.document, response) or {}
            if not re.fullmatch(r"[1-5]\d\d", str(status)):
                continue
            models = self.models_of(response.get("content"))
            name = self.model_name(response.get("schema"))
            kinds = (
                operation.get("produces") or self.document.get("produces") or ["application/json"]
            )
            models.update({kind: name for kind in kinds if name})
            found[str(status)] = {
                "statusCode": str(status),
                "responseModels": models,
                "responseParameters": {
                    f"method.response.header.{header}": False
                    for header in response.get("headers") or {}
                },
            }
        return found

    def integration(self, path, method, resource, wanted):
        kind = str(wanted.get("type") or "").upper()
        where = (
            f"Errors found during import:\n\tUnable to put integration on '{method}' for resource"
            f" at path '{path}': "
        )
        if kind not in INTEGRATION_TYPES:
            raise ImportProblem(f"{where}Invalid integration type: {wanted.get('type')}")
        if kind != "MOCK" and not wanted.get("uri"):
            raise ImportProblem(f"{where}Invalid HTTP endpoint specified for URI")
        if kind != "MOCK" and not wanted.get("httpMethod"):
            raise ImportProblem(f"{where}Enumeration value for HttpMethod must be non-empty")
        timeout = int(wanted.get("timeoutInMillis") or 29000)
        if not 50 <= timeout <= 29000:
            raise ImportProblem(f"{where}Timeout should be between 50 ms and 29000 ms")
        return {
            "type": kind,
            "httpMethod": wanted.get("httpMethod"),
            "uri": wanted.get("uri", ""),
            "connectionType": str(wanted.get("connectionType") or "INTERNET").upper(),
            "connectionId": wanted.get("connectionId"),
            "credentials": wanted.get("credentials"),
            "requestParameters": dict(wanted.get("requestParameters") or {}),
            "requestTemplates": dict(wanted.get("requestTemplates") or {}),
            "passthroughBehavior": (
                str(wanted.get("passthroughBehavior") or "when_no_match").upper()
            ),
            "timeoutInMillis": timeout,
            "cacheNamespace": wanted.get("cacheNamespace") or resource["id"],
            "cacheKeyParameters": list(wanted.get("cacheKeyParameters") or []),
            "contentHandling": wanted.get("contentHandling"),
            "tlsConfig": wanted.get("tlsConfig"),
            "responseTransferMode": wanted.get("responseTransferMode"),
            "integrationResponses": self.integration_responses(wanted),
        }

    @staticmethod
    def integration_responses(wanted):
        found = {}
        for pattern, response in (wanted.get("responses") or {}).items():
            status = str(response.get("statusCode", "200"))
            found[status] = {
                "statusCode": status,
                "responseParameters": dict(response.get("responseParameters") or {}),
                "responseTemplates": dict(response.get("responseTemplates") or {}),
                "contentHandling": response.get("contentHandling"),
            }
            if pattern != "default":
                found[status]["selectionPattern"] = pattern
        return found

    def commit(self):
        rest._rest_apis[self.api_id] = self.api
        rest._resources[self.api_id] = self.resources
        rest._authorizers_v1[self.api_id] = self.authorizers
        rest._models[self.api_id] = self.models
        rest._request_validators[self.api_id] = self.validators
        rest._gateway_responses[self.api_id] = self.gateway_responses


def refused(message):
    return rest._v1_error("BadRequestException", message, 400)


def put_rest_api(api_id, body, mode="merge", fail_on_warnings=False):
    """PutRestApi; the answer is the API, with the import's warnings."""
    if api_id not in rest._rest_apis:
        return rest._v1_error("NotFoundException", "Invalid API identifier specified", 404)
    if mode not in ("merge", "overwrite"):
        return refused(f"Invalid mode: {mode}. Valid values are 'merge' and 'overwrite'")
    if len(body) > MOST_BYTES:
        return rest._v1_error(
            "LimitExceededException", "The API definition is larger than 6 MB", 429
        )
    try:
        importer = Importer(api_id, openapi.parse(body), mode)
        importer.run()
    except ImportProblem as problem:
        return refused(str(problem))
    if importer.warnings and fail_on_warnings:
        return refused("Warnings found during import:\n\t" + "\n\t".join(importer.warnings))
    importer.commit()
    view = rest._rest_api_view(rest._rest_apis[api_id])
    return rest._v1_response(dict(view, warnings=importer.warnings) if importer.warnings else view)


def import_rest_api(body, fail_on_warnings=False, endpoint_types=None):
    """ImportRestApi: a new API filled by the document; a refused document leaves nothing."""
    created = body_of(
        rest._create_rest_api(
            {"name": "imported", "endpointConfiguration": {"types": [endpoint_types or "EDGE"]}}
        )
    )
    response = put_rest_api(created["id"], body, "overwrite", fail_on_warnings)
    if response[0] >= 400:
        rest._delete_rest_api(created["id"])
        return response
    return 201, response[1], response[2]


def flag(query_params, name):
    return str(rest._qp(query_params, name) or "").lower() == "true"


@patch(rest, "handle_request")
async def handle_request(original, method, path, headers, body, query_params):
    parts = [part for part in path.strip("/").split("/") if part]
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        return put_rest_api(
            parts[1],
            body,
            rest._qp(query_params, "mode") or "merge",
            flag(query_params, "failonwarnings"),
        )
    if method == "POST" and parts == ["restapis"] and rest._qp(query_params, "mode") == "import":
        return import_rest_api(
            body,
            flag(query_params, "failonwarnings"),
            rest._qp(query_params, "endpointConfigurationTypes"),
        )
    return await original(method, path, headers, body, query_params)
