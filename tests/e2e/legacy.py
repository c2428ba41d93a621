"""A stage as `serverless deploy` leaves it: one stack `<service>-<stage>` with everything in it.

The template and the zips are those of `troupe package`, which are the reference's byte by byte.
What the reference does with them: a stack with nothing but the bucket, the uploads, then the whole.
"""

import json
import shutil

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


def settle(account, stack):
    """The stack's status once nothing is under way any more."""
    client = account.client("cloudformation")
    while True:
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            return found


def apply(account, stack, template, tags, create=False):
    client = account.client("cloudformation")
    call = client.create_stack if create else client.update_stack
    had = (
        [] if create else client.describe_stacks(StackName=stack)["Stacks"][0].get("Parameters", [])
    )
    keep = [
        {"ParameterKey": item["ParameterKey"], "UsePreviousValue": True}
        for item in had
        if item["ParameterKey"] in template.get("Parameters", {})
    ]
    call(
        StackName=stack,
        TemplateBody=json.dumps(template),
        Capabilities=CAPABILITIES,
        Parameters=keep,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    found = settle(account, stack)
    assert found["StackStatus"] in (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
    ), client.describe_stack_events(StackName=stack)
    return found


def outputs(account, stack):
    return {
        item["OutputKey"]: item["OutputValue"] for item in settle(account, stack).get("Outputs", [])
    }


def physical(account, stack):
    """Logical ids -> physical ids of what the stack has."""
    pages = (
        account.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=stack)
    )
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for page in pages
        for item in page["StackResourceSummaries"]
        if item["ResourceStatus"] != "DELETE_COMPLETE"
    }


def template(account, stack):
    body = account.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    return json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))


def serverless_deploy(troupe, stage, service="shop", change=None):
    """Deploy today's files that way; ``change`` may alter the template. The stack's name."""
    troupe("package", "--stage", stage)
    folder, stack = troupe.folder / ".serverless", f"{service}-{stage}"
    first = json.loads((folder / "cloudformation-template-create-stack.json").read_text())
    whole = json.loads((folder / "cloudformation-template-update-stack.json").read_text())
    if change:
        change(whole)
    account, tags = troupe.account, {"STAGE": stage}
    bucket = (
        outputs(account, stack).get("ServerlessDeploymentBucketName")
        if exists(account, stack)
        else {
            item["OutputKey"]: item["OutputValue"]
            for item in apply(account, stack, first, tags, create=True)["Outputs"]
        }["ServerlessDeploymentBucketName"]
    )
    keys = {
        resource["Properties"][part]["S3Key"]
        for resource in whole["Resources"].values()
        for part in ("Code", "Content")
        if "S3Key" in resource.get("Properties", {}).get(part, {})
    }
    for key in keys:
        account.client("s3").put_object(
            Bucket=bucket, Key=key, Body=(folder / key.split("/")[-1]).read_bytes()
        )
    folder_of = next(iter(keys)).rsplit("/", 1)[0]
    account.client("s3").put_object(
        Bucket=bucket,
        Key=f"{folder_of}/compiled-cloudformation-template.json",
        Body=json.dumps(whole).encode(),
    )
    apply(account, stack, whole, tags)
    shutil.rmtree(folder)
    return stack


def exists(account, stack):
    client = account.client("cloudformation")
    return any(
        item["StackName"] == stack
        for item in client.describe_stacks()["Stacks"]
        if item["StackStatus"] != "DELETE_COMPLETE"
    )


def lambda_arn(stack, name):
    return {"Fn::ImportValue": f"{stack}-{name}-LambdaFunctionArn"}


def split_alias(whole, stack, alias):
    """Take out of the stage's template what serverless-aws-alias keeps in the alias's own stack:
    versions, aliases, the API's stage and the permissions to call them. The alias's template.
    """
    resources, outputs = whole["Resources"], whole["Outputs"]
    mine = {}
    for key in [key for key, item in resources.items() if item["Type"] == "AWS::Lambda::Version"]:
        version = mine[key] = resources.pop(key)
        name = version["Properties"]["FunctionName"]["Ref"].removesuffix("LambdaFunction")
        outputs.pop(f"{name}LambdaFunctionQualifiedArn")
        outputs[f"{name}LambdaFunctionArn"] = {
            "Value": {"Fn::GetAtt": [f"{name}LambdaFunction", "Arn"]},
            "Export": {"Name": f"{stack}-{name}-LambdaFunctionArn"},
        }
        resources[f"{name}LambdaFunction"]["Properties"].setdefault("Environment", {}).setdefault(
            "Variables", {}
        )["SERVERLESS_ALIAS"] = alias
        version["Properties"]["FunctionName"] = lambda_arn(stack, name)
        version["DeletionPolicy"] = "Delete"
        mine[f"{name}Alias"] = {
            "Type": "AWS::Lambda::Alias",
            "DependsOn": [key],
            "Properties": {
                "FunctionName": lambda_arn(stack, name),
                "FunctionVersion": {"Fn::GetAtt": [key, "Version"]},
                "Name": alias,
            },
        }
    for key, value in {
        "ApiGatewayRestApi": {"Ref": "ApiGatewayRestApi"},
        "ServerlessAliasReference": "REFERENCE",
    }.items():
        outputs[key] = {"Value": value, "Export": {"Name": f"{stack}-{key}"}}
    api = {"Fn::ImportValue": f"{stack}-ApiGatewayRestApi"}
    deployment = next(
        key for key, item in resources.items() if item["Type"] == "AWS::ApiGateway::Deployment"
    )
    resources.pop(deployment)
    mine[deployment] = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": api}}
    mine["ApiGatewayStage"] = {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "StageName": alias,
            "DeploymentId": {"Ref": deployment},
            "RestApiId": api,
            "Variables": {"SERVERLESS_ALIAS": alias},
        },
    }
    for method in (
        item for item in resources.values() if item["Type"] == "AWS::ApiGateway::Method"
    ):
        uri = method["Properties"]["Integration"].get("Uri")
        if uri:
            parts = uri["Fn::Join"][1]
            at = next(
                i for i, part in enumerate(parts) if isinstance(part, dict) and "Fn::GetAtt" in part
            )
            parts.insert(at + 1, ":${stageVariables.SERVERLESS_ALIAS}")
    for key in [key for key in resources if key.endswith("LambdaPermissionApiGateway")]:
        permission = mine[key] = resources.pop(key)
        permission["Properties"]["FunctionName"] = {
            "Ref": f"{key.removesuffix('LambdaPermissionApiGateway')}Alias"
        }
        permission["Properties"]["SourceArn"] = {
            "Fn::Join": [
                "",
                [
                    "arn:aws:execute-api:",
                    {"Ref": "AWS::Region"},
                    ":",
                    {"Ref": "AWS::AccountId"},
                    ":",
                    api,
                    "/*/*",
                ],
            ]
        }
    for item in resources.values():
        left = [key for key in item.get("DependsOn", []) if key not in mine]
        if isinstance(item.get("DependsOn"), list):
            item["DependsOn"] = left
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Alias stack for {stack} ({alias})",
        "Resources": mine,
        "Outputs": {
            "ServerlessAliasName": {"Value": alias},
            "ServerlessAliasReference": {
                "Value": {"Fn::ImportValue": f"{stack}-ServerlessAliasReference"}
            },
        },
    }


def alias_deploy(troupe, stage, alias, service="shop"):
    """Deploy today's files as that plugin does: the stage's stack, and one for the alias."""
    made = {}
    stack = f"{service}-{stage}"
    serverless_deploy(
        troupe, stage, service, lambda whole: made.update(split_alias(whole, stack, alias))
    )
    apply(troupe.account, f"{stack}-{alias}", made, {"STAGE": stage, "ALIAS": alias}, create=True)
    return stack, f"{stack}-{alias}"
