"""VPC links of REST and HTTP APIs, which stay as long as an API names them.

What AWS does (registry schemas ``AWS::ApiGateway::VpcLink``, ``AWS::ApiGatewayV2::VpcLink``;
recorded messages: klothoplatform/klotho#202, hashicorp/terraform-provider-aws#12195): a link that
the deployment of a REST API's stage names, or a route of an HTTP API, cannot be deleted; another
target, subnet or security group makes another link. MiniStack has neither type, and drops the
link's id from an integration. Here a link leads nowhere and is not known to the API; it has an id
and what keeps it.

Without it fails: ``test_cloudformation.py::test_a_vpc_link_in_use_stays``
"""

from ministack.services import apigateway as http
from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import provisioners

from troupe_cloud.apigateway.rest import SNAPSHOT
from troupe_cloud.cloudformation.errors import handler_error
from troupe_cloud.patching import LEFT_OUT, patch, require
from troupe_cloud.responses import body_of, failed

require(rest, "_stages_v1", "_deployments_v1", "_resources", "_new_id", "_v1_response")
require(http, "_routes", "_integrations", "_apigw_response")
require(provisioners, "_RESOURCE_HANDLERS", "_delete_predecessor")


def rest_users(link):
    """``api:METHOD:resource:stage`` of every method that a stage serves through the link."""
    for api_id, stages in rest._stages_v1.items():
        for name, stage in stages.items():
            served = rest._deployments_v1.get(api_id, {}).get(stage.get("deploymentId")) or {}
            for resource in (served.get(SNAPSHOT) or {}).get("resources", {}).values():
                for verb, method in (resource.get("resourceMethods") or {}).items():
                    if ((method or {}).get("methodIntegration") or {}).get("connectionId") == link:
                        yield f"{api_id}:{verb}:{resource['id']}:{name}"


def http_users(link):
    """``METHOD:route`` of every route through the link."""
    for api_id, routes in http._routes.items():
        for route in routes.values():
            target = (route.get("target") or "").removeprefix("integrations/")
            integration = http._integrations.get(api_id, {}).get(target) or {}
            if integration.get("connectionId") == link:
                yield f"{route['routeKey'].split(' ')[0]}:{route['routeId']}"


@patch(rest, "_put_integration")
def put_rest_integration(original, api_id, resource_id, http_method, data):
    response = original(api_id, resource_id, http_method, data)
    if data.get("connectionId") and not failed(response):
        method = rest._resources[api_id][resource_id]["resourceMethods"][http_method]
        method["methodIntegration"]["connectionId"] = data["connectionId"]
        return rest._v1_response(method["methodIntegration"], response[0])
    return response


@patch(http, "_create_integration")
def create_http_integration(original, api_id, data):
    response = original(api_id, data)
    if data.get("connectionId") and not failed(response):
        made = http._integrations[api_id][body_of(response)["integrationId"]]
        made["connectionId"] = data["connectionId"]
        return http._apigw_response(made, response[0])
    return response


def create(_logical_id, _properties, _stack_name):
    made = rest._new_id()[:6]
    return made, {"VpcLinkId": made}


def handlers(users, form, create_only):
    def delete(physical_id, _properties):
        found = list(users(physical_id))
        if found:
            raise handler_error(
                f"Cannot delete vpc link. Vpc link '{physical_id}', is referenced in "
                f"[{', '.join(found)}] in format of [{form}].",
                "InvalidRequest",
            )

    def update(physical_id, old, new, stack_name, logical_id=None):
        if all(new.get(name) == old.get(name) for name in create_only):
            return physical_id, {"VpcLinkId": physical_id}
        made = create(logical_id, new, stack_name)
        provisioners._delete_predecessor(delete, physical_id, old)
        return made

    return {"create": create, "update": update, "delete": delete, "update_with_logical_id": True}


if __name__ not in LEFT_OUT:
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::VpcLink"] = handlers(
        rest_users, "RESTApiId:Method:Resource:Stage", ("TargetArns",)
    )
    provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::VpcLink"] = handlers(
        http_users, "Method:Resource", ("SubnetIds", "SecurityGroupIds")
    )
