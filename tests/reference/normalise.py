#!/usr/bin/env python3
"""Take out of a compiled template what differs between two runs over the same input.

Usage: normalise.py [FILE]      (reads stdin without FILE, writes JSON with sorted keys)

Only these are replaced, everything else has to be equal value by value:

  <Fn>LambdaVersion<hash>                 -> <Fn>LambdaVersionHASH, wherever the id is mentioned
  CodeSha256 of those versions            -> SHA256
  ApiGatewayDeployment<instance id>       -> ApiGatewayDeploymentID, wherever it is mentioned
  WebsocketsDeployment<hash>              -> WebsocketsDeploymentHASH, wherever it is mentioned
  <Layer>LambdaLayer<hash>                -> <Layer>LambdaLayerHASH, likewise its permissions
  the hash of a layer among the Outputs   -> HASH
  <milliseconds>-<ISO date> in S3 keys    -> TIMESTAMP
  ForceDeploy of custom resources         -> 0
"""

import json
import re
import sys

LAYER_HASH = re.compile(r"(LambdaLayer(?:Permission)?)[0-9a-f]{40}$")
S3_DIRECTORY = re.compile(r"\b\d{13}-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _fixed_id(logical_id, resource):
    """The stable form of a generated logical id, or None for an id that is stable already."""
    kind = resource.get("Type")
    if kind == "AWS::Lambda::Version":
        function = resource.get("Properties", {}).get("FunctionName", {})
        function = function.get("Ref", "") if isinstance(function, dict) else ""
        if function.endswith("LambdaFunction"):
            stem = function[: -len("Function")] + "Version"
            if logical_id.startswith(stem):
                return stem + "HASH"
    if kind in ("AWS::Lambda::LayerVersion", "AWS::Lambda::LayerVersionPermission"):
        return LAYER_HASH.sub(r"\1HASH", logical_id)
    if kind == "AWS::ApiGateway::Deployment" and logical_id.startswith("ApiGatewayDeployment"):
        return "ApiGatewayDeploymentID"
    if kind == "AWS::ApiGatewayV2::Deployment" and logical_id.startswith("WebsocketsDeployment"):
        return "WebsocketsDeploymentHASH"
    return None


def _section(template, name):
    """A section of a template; none where something else than a map stands there."""
    section = template.get(name)
    return section if isinstance(section, dict) else {}


def normalise(template):
    """A copy of the parsed template `template` without what is particular to one run."""
    resources = _section(template, "Resources")
    ids = {}
    for logical_id, resource in resources.items():
        fixed = _fixed_id(logical_id, resource) if isinstance(resource, dict) else None
        if fixed and fixed != logical_id:
            ids[logical_id] = fixed
    pattern = re.compile(
        r"(?<![A-Za-z0-9])(%s)(?![A-Za-z0-9])" % "|".join(map(re.escape, ids)) if ids else r"(?!)"
    )

    def text(value):
        return S3_DIRECTORY.sub("TIMESTAMP", pattern.sub(lambda m: ids[m.group(1)], value))

    def walk(value):
        if isinstance(value, str):
            return text(value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict):
            return {text(key): walk(item) for key, item in value.items()}
        return value

    result = walk(template)
    # What stands below Fn::Transform and Fn::ForEach is no resource; one may be no map.
    for resource in _section(result, "Resources").values():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if not isinstance(properties, dict):
            continue
        if str(resource.get("Type")).startswith("Custom::") and "ForceDeploy" in properties:
            properties["ForceDeploy"] = 0
    for logical_id in set(ids.values()):
        resource = result["Resources"][logical_id]
        if resource["Type"] == "AWS::Lambda::Version" and "CodeSha256" in resource["Properties"]:
            resource["Properties"]["CodeSha256"] = "SHA256"
    for output in _section(result, "Outputs").values():
        if isinstance(output, dict) and output.get("Description") == "Current Lambda layer hash":
            output["Value"] = "HASH"
    return result


def dumps(value):
    """Canonical text: keys sorted, two spaces, one line feed at the end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") if len(sys.argv) > 1 else sys.stdin as source:
        sys.stdout.write(dumps(normalise(json.load(source))))
