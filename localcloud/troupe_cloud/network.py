"""Subnets, security groups and VPCs stay while Lambda's network interfaces are in them.

What AWS does (Lambda developer guide, "Giving Lambda functions access to resources in an Amazon
VPC"; repost.aws knowledge-center/lambda-eni-find-delete, "Note"): Lambda makes one network
interface for each combination of subnet and security groups, and deletes it a while after no
function uses them any more, where every published version counts as much as $LATEST. Until then the
deletion of what it is in is refused (aws/aws-cdk#6701, #34400, go-to-k/delstack#637: "resource
sg-.. has a dependent object"). CloudFormation waits for the interfaces only when it deletes the
function itself. MiniStack knows no interfaces of Lambda, deletes what is in use, and does not
filter DescribeNetworkInterfaces.

An interface goes between half of ``TROUPE_CLOUD_NETWORK_MS`` and all of it after its last use.

Without it fails: ``test_network.py::test_what_functions_use_stays``
"""

import hashlib
import time

from ministack.core.responses import new_uuid
from ministack.services import ec2, lambda_svc
from ministack.services.cloudformation import provisioners

from troupe_cloud import settings
from troupe_cloud.cloudformation.errors import handler_error
from troupe_cloud.patching import patch, patch_handler, require

require(ec2, "_network_interfaces", "_subnets", "_parse_filters", "_eni_fields_xml", "_error")
require(ec2, "_xml", "_p", "_parse_member_list", "_create_network_interface")

USED = "_troupe_used_by"  # of Lambda's interfaces: (subnet, security groups, function)
ENDS = "_troupe_ends"  # when the interface goes; it is not used any more

FILTERS = {
    "group-id": lambda interface: [group["GroupId"] for group in interface["Groups"]],
    "interface-type": lambda interface: [interface.get("InterfaceType", "interface")],
    "network-interface-id": lambda interface: [interface["NetworkInterfaceId"]],
    "status": lambda interface: [interface["Status"]],
    "subnet-id": lambda interface: [interface["SubnetId"]],
    "vpc-id": lambda interface: [interface["VpcId"]],
}


# -- Lambda's interfaces ---------------------------------------------------------------------------


def uses():
    """``{(subnet, security groups): function}`` of all functions and versions."""
    found = {}
    for name, function in lambda_svc._functions.items():
        versions = function.get("versions", {}).values()
        for config in (function["config"], *(version["config"] for version in versions)):
            network = config.get("VpcConfig") or {}
            groups = tuple(sorted(network.get("SecurityGroupIds") or ()))
            for subnet in network.get("SubnetIds") or ():
                found.setdefault((subnet, groups), name)
    return found


def make(subnet, groups, function):
    before = set(ec2._network_interfaces)
    members = {f"SecurityGroupId.{n}": [id] for n, id in enumerate(groups, 1)}
    description = f"AWS Lambda VPC ENI-{function}-{new_uuid()}"
    ec2._create_network_interface({"SubnetId": [subnet], "Description": [description], **members})
    (id,) = set(ec2._network_interfaces) - before
    ec2._network_interfaces[id].update(
        {"InterfaceType": "lambda", "Status": "in-use", USED: (subnet, groups, function)}
    )


def delay(function):
    digest = hashlib.sha256(f"{settings.SEED} {function}".encode()).digest()
    return settings.NETWORK_RELEASE * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)


def settle(waits=True):
    """Bring the interfaces up to date; without ``waits`` those that nobody uses go at once."""
    wanted = uses()
    for id, interface in list(ec2._network_interfaces.items()):
        if USED not in interface:
            continue
        subnet, groups, function = interface[USED]
        if wanted.pop((subnet, tuple(groups)), None):
            interface.pop(ENDS, None)
            continue
        ends = interface.setdefault(ENDS, time.time() + delay(function))
        if not waits or ends <= time.time():
            del ec2._network_interfaces[id]
    for (subnet, groups), function in wanted.items():
        make(subnet, groups, function)


@patch(lambda_svc, "_delete_function")
def delete_function(original, *args, **kwargs):
    settle()
    try:
        return original(*args, **kwargs)
    finally:
        settle()


@patch(lambda_svc, "_update_config")
def update_config(original, *args):
    settle()
    try:
        return original(*args)
    finally:
        settle()


@patch_handler("AWS::Lambda::Function", "delete")
def delete_function_of_stack(original, *args):
    result = original(*args)
    settle(waits=False)
    return result


# -- EC2's answers ---------------------------------------------------------------------------------


@patch(ec2, "_describe_network_interfaces")
def describe_network_interfaces(original, p):
    settle()
    ids, filters = ec2._parse_member_list(p, "NetworkInterfaceId"), ec2._parse_filters(p)
    unknown = [name for name in filters if name not in FILTERS]
    if unknown:
        return ec2._error("InvalidParameterValue", f"The filter '{unknown[0]}' is invalid", 400)
    items = "".join(
        ec2._eni_fields_xml(interface)
        for id, interface in ec2._network_interfaces.items()
        if (not ids or id in ids)
        and all(set(FILTERS[name](interface)) & set(values) for name, values in filters.items())
    )
    body = f"<networkInterfaceSet>{items}</networkInterfaceSet>"
    return ec2._xml(200, "DescribeNetworkInterfacesResponse", body)


@patch(ec2, "_delete_network_interface")
def delete_network_interface(original, p):
    id = ec2._p(p, "NetworkInterfaceId")
    if USED in (ec2._network_interfaces.get(id) or {}):
        message = f"Network interface '{id}' is currently in use."
        return ec2._error("InvalidParameterValue", message, 400)
    return original(p)


def violation(name, id):
    """What EC2 says of the deletion of ``id`` while an interface has it by filter ``name``."""
    settle()
    if not any(id in FILTERS[name](interface) for interface in ec2._network_interfaces.values()):
        return None
    if name == "group-id":
        return f"resource {id} has a dependent object"
    return f"The {name[:-3]} '{id}' has dependencies and cannot be deleted."


def kept(operation, name, parameter):
    @patch(ec2, operation)
    def delete(original, p):
        message = violation(name, ec2._p(p, parameter))
        return ec2._error("DependencyViolation", message, 400) if message else original(p)


def kept_in_stack(operation, name):
    @patch(provisioners, operation)
    def delete(original, physical_id, props):
        message = violation(name, physical_id)
        if message:
            raise handler_error(
                f"{message} (Service: Ec2, Status Code: 400, Request ID: {new_uuid()})",
                "InvalidRequest",
            )
        return original(physical_id, props)


kept("_delete_security_group", "group-id", "GroupId")
kept("_delete_subnet", "subnet-id", "SubnetId")
kept("_delete_vpc", "vpc-id", "VpcId")
kept_in_stack("_ec2_sg_delete", "group-id")
kept_in_stack("_ec2_subnet_delete", "subnet-id")
kept_in_stack("_ec2_vpc_delete", "vpc-id")
