"""What must hold whatever happened, seen by boto3 alone: the stacks, the pointers and the records
of a service, and whether they tell the same story.
"""

import json

from world import settled

DEPLOYMENT = "TroupeDeployment"


class Records:
    """The records of a service as they lie in the bucket: stage -> number -> part -> content."""

    def __init__(self, account, service):
        self.account, self.service = account, service
        self.client = account.client("s3")
        self.buckets = [item["Name"] for item in self.client.list_buckets()["Buckets"]]
        self.keys, self.stages = set(), {}
        for bucket in self.buckets:
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=f"troupe/{service}/"
            )
            for item in [item for page in pages for item in page.get("Contents", [])]:
                self.keys.add(item["Key"])
                self.note(bucket, item["Key"])

    def note(self, bucket, key):
        folder, _, name = key.removeprefix(f"troupe/{self.service}/").rpartition("/")
        if not folder.startswith("stages/"):
            return
        number, _, part = name.removesuffix(".json").partition(".")
        body = json.load(self.client.get_object(Bucket=bucket, Key=key)["Body"])
        self.stages.setdefault(folder.removeprefix("stages/"), {}).setdefault(int(number), {})[
            part or "body"
        ] = body

    def last(self, stage):
        numbers = self.stages.get(stage, {})
        return numbers[max(numbers)] if numbers else None


def api_export(account, id, stage):
    """What a REST API's stage serves, as API Gateway tells it."""
    answer = account.client("apigateway").get_export(
        restApiId=id, stageName=stage, exportType="oas30", parameters={"extensions": "apigateway"}
    )
    document = json.load(answer["body"])
    for path in document.get("paths", {}).values():
        for method in path.values():
            method.get("x-amazon-apigateway-integration", {}).pop(
                "cacheNamespace", None
            )  # made up anew
    document.pop("servers", None)
    document.get("info", {}).pop("version", None)
    return document


def api_of(world, entry):
    """The deployments of the API that a record names, and where each of its stages is."""
    if entry.get("kind") == "http":
        api, member = world["http_apis"].get(entry["id"]), "DeploymentId"
    else:
        api, member = world["rest_apis"].get(entry["id"]), "deploymentId"
    return (
        (api["deployments"], {name: stage.get(member) for name, stage in api["stages"].items()})
        if api
        else ([], {})
    )


def told(world, stage, service):
    """The deployment a stage's stack says it is at, or None."""
    stack = world["stacks"].get(f"{service}-{stage}")
    number = stack and stack["outputs"].get(DEPLOYMENT)
    return int(number) if number else None


def stages_of(world, service):
    return [
        stack["tags"]["troupe:stage"]
        for stack in world["stacks"].values()
        if stack["tags"].get("troupe:service") == service and "troupe:stage" in stack["tags"]
    ]


def shift_of(records, stage):
    """``{function name: (version, part)}`` of the shift by hand that is under way."""
    record = records.last(stage)
    if (
        record is None
        or "outcome" in record
        or not record["body"].get("to")
        or "versions" not in record
    ):
        return {}
    part = record["versions"].get("percent", 0) / 100
    return (
        {
            entry["name"]: (entry["version"], part)
            for entry in record["versions"]["functions"].values()
        }
        if part
        else {}
    )


def stage_problems(world, records, stage, service):
    """What is wrong with one stage: it has to serve exactly what the record says that its stack
    names, but for the part of the calls that a shift by hand gives to another one.
    """
    number = told(world, stage, service)
    if number is None:
        return [f"{stage}: its stack names no deployment"]
    record = records.stages.get(stage, {}).get(number, {})
    if "body" not in record or "versions" not in record:
        return [f"{stage}: no record of deployment {number}, only {sorted(record)}"]
    found = []
    shared = {
        entry["name"]: entry["version"]
        for key, entry in record["versions"].get("functions", {}).items()
        if "version" in entry
    }
    shifted = shift_of(records, stage)
    for name, function in world["functions"].items():
        alias = function["aliases"].get(stage)
        wanted = shared.get(name)
        beside, part = shifted.get(name, (wanted, 0))
        weights = {beside: part} if beside != wanted else {}
        has = ((alias or {}).get("weights") or {}).get("AdditionalVersionWeights", {})
        if wanted and (not alias or alias["version"] != wanted or has != weights):
            found.append(
                f"{stage}: alias of {name} is {alias and (alias['version'], has)}, not {wanted}"
                f" {weights}"
            )
        if alias and alias["version"] not in function["versions"]:
            found.append(
                f"{stage}: alias of {name} points at version {alias['version']}, which is gone"
            )
        if (
            alias
            and not wanted
            and record["body"]["functions"].get(name.partition("-")[2], {}).get("layout")
            != "perStage"
            and not name.startswith(f"{service}-{stage}-")
        ):
            found.append(f"{stage}: {name} has an alias that the record does not know")
    for name in set(shared) - set(world["functions"]):
        found.append(f"{stage}: function {name} is gone")
    for entry in record["versions"].get("apis", {}).values():
        deployments, stages = api_of(world, entry)
        if stages.get(stage) != entry["deployment"] or entry["deployment"] not in deployments:
            found.append(f"{stage}: API stage is at {stages.get(stage)}, not {entry['deployment']}")
    return found


def settled_problems(world, records, service):
    """What is wrong with a service on which no command is under way or interrupted."""
    found = []
    for name, stack in world["stacks"].items():
        if not stack["status"].endswith("COMPLETE") or stack["status"].startswith(
            ("ROLLBACK", "DELETE")
        ):
            found.append(f"stack {name} is in state {stack['status']}")
    for stage in stages_of(world, service):
        found += stage_problems(world, records, stage, service)
        number = told(world, stage, service)
        outcome = records.stages.get(stage, {}).get(number, {}).get("outcome", {}).get("outcome")
        if outcome != "succeeded":
            found.append(f"{stage}: the outcome of its deployment {number} is {outcome}")
    return found + kept_problems(world, records, service)


def kept_problems(world, records, service):
    """Snapshots and code of every record that succeeded, of stages that are there, are there."""
    found = []
    for stage in stages_of(world, service):
        for number, record in records.stages.get(stage, {}).items():
            if (
                record.get("outcome", {}).get("outcome") != "succeeded"
                or "collected" in record
                or "versions" not in record
            ):
                continue
            for entry in record["versions"].get("functions", {}).values():
                if (
                    "version" in entry
                    and entry["version"]
                    not in world["functions"].get(entry["name"], {"versions": {}})["versions"]
                ):
                    found.append(
                        f"{stage}#{number}: version {entry['version']} of {entry['name']} is gone"
                    )
            for entry in record["versions"].get("apis", {}).values():
                if entry["deployment"] not in api_of(world, entry)[0]:
                    found.append(f"{stage}#{number}: deployment {entry['deployment']} is gone")
            for entry in record["body"].get("functions", {}).values():
                if (
                    "artifact" in entry
                    and f"troupe/{service}/artifacts/{entry['artifact']}.zip" not in records.keys
                ):
                    found.append(f"{stage}#{number}: its code {entry['artifact']} is gone")
    return found


def served(world, account):
    """What users of all stages see, and everything around it, whatever numbers it has: the
    versions' content in place of their numbers, the APIs' definition in place of deployments' ids.
    Heads are scratch, and snapshots that nothing points at are nobody's.
    """
    result = settled(world, account.id)
    exports = {
        api["name"]: {
            stage: json.loads(
                json.dumps(api_export(account, id, stage))
                .replace(id, "API")
                .replace(account.id, "ACCOUNT")
            )
            for stage in api["stages"]
        }
        for id, api in world["rest_apis"].items()
    }
    for function in result["functions"].values():
        for alias in function["aliases"].values():
            version = dict(function["versions"].get(alias.pop("version"), {}))
            version.pop("Description", None)
            alias["content"] = version
        del function["versions"], function["head"]
    for api in result["rest_apis"].values():
        api["deployments"] = api["methods"] = None
        api["serves"] = exports[api["name"]]
    for api in result["http_apis"].values():
        api["deployments"] = None
    for stack in result["stacks"].values():
        for resource in stack["template"].get("Resources", {}).values():
            resource.get("Properties", {}).pop("FunctionVersion", None)
    del result["artifacts"]
    return result
