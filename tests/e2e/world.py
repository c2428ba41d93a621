"""Everything an account holds, as one comparable value.

``World(...).snapshot()`` is a dictionary of plain values by section. It is taken with boto3
straight from the cloud, past the proxy. ``settled`` removes from it what two runs to the same end
may differ in: ids that the cloud makes up, the account, deployment numbers.
"""

import json
import re

SECTIONS = (
    "stacks",
    "functions",
    "rest_apis",
    "http_apis",
    "log_groups",
    "buckets",
    "roles",
    "queues",
    "tables",
    "rules",
    "topics",
    "event_sources",
)


def without(mapping, *names):
    return {key: value for key, value in mapping.items() if key not in (*names, "ResponseMetadata")}


class World:
    def __init__(self, client):
        """``client(service)`` makes a boto3 client for the account."""
        self.client = client

    def snapshot(self):
        return {section: getattr(self, section)() for section in SECTIONS}

    def pages(self, service, operation, key, **kwargs):
        return [
            item
            for page in self.client(service).get_paginator(operation).paginate(**kwargs)
            for item in page.get(key, [])
        ]

    def stacks(self):
        found = {}
        for stack in self.pages("cloudformation", "describe_stacks", "Stacks"):
            if stack["StackStatus"] == "DELETE_COMPLETE":
                continue
            template = self.client("cloudformation").get_template(StackName=stack["StackName"])[
                "TemplateBody"
            ]
            found[stack["StackName"]] = {
                "status": stack["StackStatus"],
                "parameters": {
                    item["ParameterKey"]: item["ParameterValue"]
                    for item in stack.get("Parameters", [])
                },
                "outputs": {
                    item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])
                },
                "tags": {item["Key"]: item["Value"] for item in stack.get("Tags", [])},
                "template": json.loads(template) if isinstance(template, str) else template,
            }
        return found

    def functions(self):
        client, found = self.client("lambda"), {}
        for function in self.pages("lambda", "list_functions", "Functions"):
            name = function["FunctionName"]
            versions = self.pages(
                "lambda", "list_versions_by_function", "Versions", FunctionName=name
            )
            aliases = self.pages("lambda", "list_aliases", "Aliases", FunctionName=name)
            found[name] = {
                "head": self.content(
                    next(item for item in versions if item["Version"] == "$LATEST")
                ),
                "versions": {
                    item["Version"]: self.content(item)
                    for item in versions
                    if item["Version"] != "$LATEST"
                },
                "aliases": {
                    item["Name"]: {
                        "version": item["FunctionVersion"],
                        "weights": item.get("RoutingConfig"),
                        "policy": self.policy(client, name, item["Name"]),
                        "url": self.url(client, name, item["Name"]),
                    }
                    for item in aliases
                },
                "policy": self.policy(client, name, None),
            }
        return found

    @staticmethod
    def content(version):
        return without(
            version,
            "RevisionId",
            "LastModified",
            "FunctionArn",
            "Version",
            "LastUpdateStatus",
            "LastUpdateStatusReason",
            "LastUpdateStatusReasonCode",
            "State",
            "StateReason",
            "StateReasonCode",
            "MasterArn",
        )

    @staticmethod
    def policy(client, name, qualifier):
        try:
            answer = client.get_policy(
                FunctionName=name, **({"Qualifier": qualifier} if qualifier else {})
            )
        except client.exceptions.ResourceNotFoundException:
            return []
        return sorted(
            (without(statement, "Sid") for statement in json.loads(answer["Policy"])["Statement"]),
            key=lambda statement: json.dumps(statement, sort_keys=True),
        )

    @staticmethod
    def url(client, name, qualifier):
        try:
            return client.get_function_url_config(FunctionName=name, Qualifier=qualifier)[
                "AuthType"
            ]
        except client.exceptions.ResourceNotFoundException:
            return None

    def event_sources(self):
        return sorted(
            (
                without(
                    item, "UUID", "LastModified", "LastProcessingResult", "EventSourceMappingArn"
                )
                for item in self.pages(
                    "lambda", "list_event_source_mappings", "EventSourceMappings"
                )
            ),
            key=lambda item: json.dumps(item, sort_keys=True, default=str),
        )

    def rest_apis(self):
        client, found = self.client("apigateway"), {}
        for api in self.pages("apigateway", "get_rest_apis", "items"):
            id = api["id"]
            resources = self.pages(
                "apigateway", "get_resources", "items", restApiId=id, embed=["methods"]
            )
            found[id] = {
                "name": api["name"],
                "methods": {
                    item["path"]: {
                        name: self.method(method)
                        for name, method in item.get("resourceMethods", {}).items()
                    }
                    for item in resources
                },
                "stages": {
                    stage["stageName"]: without(stage, "createdDate", "lastUpdatedDate")
                    for stage in client.get_stages(restApiId=id)["item"]
                },
                "deployments": sorted(
                    item["id"]
                    for item in self.pages("apigateway", "get_deployments", "items", restApiId=id)
                ),
            }
        return found

    @staticmethod
    def method(method):
        """Without the id of its resource, which the import makes up anew."""
        integration = method.get("methodIntegration")
        return {
            **method,
            "methodIntegration": integration and without(integration, "cacheNamespace"),
        }

    def http_apis(self):
        client, found = self.client("apigatewayv2"), {}
        for api in client.get_apis()["Items"]:
            id = api["ApiId"]
            found[id] = {
                "name": api["Name"],
                "protocol": api["ProtocolType"],
                "cors": api.get("CorsConfiguration"),
                "routes": sorted(
                    route["RouteKey"] for route in client.get_routes(ApiId=id)["Items"]
                ),
                "integrations": sorted(
                    item.get("IntegrationUri", "")
                    for item in client.get_integrations(ApiId=id)["Items"]
                ),
                "stages": {
                    stage["StageName"]: without(stage, "CreatedDate", "LastUpdatedDate")
                    for stage in client.get_stages(ApiId=id)["Items"]
                },
                "deployments": sorted(
                    item["DeploymentId"] for item in client.get_deployments(ApiId=id)["Items"]
                ),
            }
        return found

    def log_groups(self):
        return {
            group["logGroupName"]: group.get("retentionInDays")
            for group in self.pages("logs", "describe_log_groups", "logGroups")
        }

    def buckets(self):
        client, found = self.client("s3"), {}
        for bucket in client.list_buckets()["Buckets"]:
            objects = self.pages("s3", "list_objects_v2", "Contents", Bucket=bucket["Name"])
            found[bucket["Name"]] = {item["Key"]: item["ETag"] for item in objects}
        return found

    def roles(self):
        client, found = self.client("iam"), {}
        for role in self.pages("iam", "list_roles", "Roles"):
            if role["Path"].startswith("/aws-service-role/"):
                continue
            name = role["RoleName"]
            inline = client.list_role_policies(RoleName=name)["PolicyNames"]
            found[name] = {
                "trust": role["AssumeRolePolicyDocument"],
                "inline": {
                    policy: client.get_role_policy(RoleName=name, PolicyName=policy)[
                        "PolicyDocument"
                    ]
                    for policy in inline
                },
                "attached": sorted(
                    item["PolicyArn"]
                    for item in client.list_attached_role_policies(RoleName=name)[
                        "AttachedPolicies"
                    ]
                ),
            }
        return found

    def queues(self):
        return sorted(
            url.rpartition("/")[2] for url in self.client("sqs").list_queues().get("QueueUrls", [])
        )

    def tables(self):
        return sorted(self.client("dynamodb").list_tables()["TableNames"])

    def topics(self):
        client = self.client("sns")
        return {
            topic["TopicArn"].rpartition(":")[2]: sorted(
                subscription["Endpoint"]
                for subscription in client.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])[
                    "Subscriptions"
                ]
            )
            for topic in client.list_topics()["Topics"]
        }

    def rules(self):
        client, found = self.client("events"), {}
        for bus in client.list_event_buses()["EventBuses"]:
            for rule in client.list_rules(EventBusName=bus["Name"])["Rules"]:
                targets = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])[
                    "Targets"
                ]
                found[f"{bus['Name']}/{rule['Name']}"] = {
                    "state": rule["State"],
                    "pattern": rule.get("EventPattern"),
                    "schedule": rule.get("ScheduleExpression"),
                    "targets": sorted(without(target, "Id")["Arn"] for target in targets),
                }
        return found


EMPTY = {section: {} for section in SECTIONS} | {"queues": [], "tables": [], "event_sources": []}


def leftovers(world):
    """What is in an account that should hold nothing: the sections that are not empty."""
    return {section: value for section, value in world.items() if value}


def of_stage(world, stage, service):
    """The part of the world that belongs to one stage: what it serves, and its stack."""
    part = {
        "stack": world["stacks"].get(f"{service}-{stage}"),
        "aliases": {},
        "rest": {},
        "http": {},
    }
    for name, function in world["functions"].items():
        alias = function["aliases"].get(stage)
        if alias:
            part["aliases"][name] = {**alias, "content": function["versions"][alias["version"]]}
    for id, api in world["rest_apis"].items():
        if stage in api["stages"]:
            part["rest"][id] = api["stages"][stage]
    for id, api in world["http_apis"].items():
        if api["name"].startswith(f"{stage}-"):
            part["http"][id] = api
        elif stage in api["stages"]:
            part["http"][id] = {"cors": api["cors"], "stage": api["stages"][stage]}
    return part


def settled(world, account):
    """The world with everything made up by the cloud or counted by runs replaced by a name."""
    ids = {account: "ACCOUNT"}
    for kind in ("rest_apis", "http_apis"):
        for id, api in world[kind].items():
            ids[id] = f"{kind}:{api['name']}"
            for n, deployment in enumerate(sorted(api.get("deployments", [])), 1):
                ids[deployment] = "deployment"
    names = re.compile("|".join(map(re.escape, sorted(ids, key=len, reverse=True))))

    def value(item):
        if isinstance(item, dict):
            return {text(key): value(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [value(inner) for inner in item]
        return text(item) if isinstance(item, str) else item

    def text(item):
        item = names.sub(lambda match: ids[match[0]], item)
        # A version's description: deployment and fingerprint, which holds values with the account
        # in them.
        item = re.sub(r"(?<=[\w])#\d+( [0-9a-f]{8,}$)?", "#N", item)
        item = re.sub(
            r"arn:aws:cloudformation:[^ \"]*:stack/([^/\"]+)/[0-9a-f-]{36}", r"stack:\1", item
        )
        item = re.sub(
            r"-[A-Za-z0-9]{12,13}(?![A-Za-z0-9-])", "-RANDOM", item
        )  # of generated physical names
        item = re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT", item)
        item = re.sub(
            r"^[0-9a-f]{64} [0-9a-f]{64}$", "RECORD", item
        )  # of what is written with a time in it
        return item

    result = value({section: content for section, content in world.items() if section != "buckets"})
    # Records are history, which an interrupted run is part of; what they led to is compared.
    result["artifacts"] = sorted(
        {key for objects in world["buckets"].values() for key in objects if "/artifacts/" in key}
    )
    for function in result["functions"].values():
        for owner in (function, *function["aliases"].values()):
            owner["policy"].sort(key=lambda statement: json.dumps(statement, sort_keys=True))
    for stack in result["stacks"].values():
        stack["outputs"] = {
            key: item for key, item in stack["outputs"].items() if not item.isdigit()
        }
        for output in stack["template"].get("Outputs", {}).values():
            if str(output.get("Value", "")).isdigit():
                output["Value"] = "N"
    return result


def differences(got, wanted, where="world"):
    """What differs between two settled worlds, a line for each leaf."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        return [
            line
            for key in sorted({*got, *wanted}, key=str)
            for line in differences(got.get(key), wanted.get(key), f"{where}.{key}")
        ]
    if isinstance(got, list) and isinstance(wanted, list) and len(got) == len(wanted):
        return [
            line
            for n, pair in enumerate(zip(got, wanted))
            for line in differences(*pair, f"{where}[{n}]")
        ]
    return [] if got == wanted else [f"{where}: {got!r}, not {wanted!r}"]
