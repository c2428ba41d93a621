#!/usr/bin/env python3
"""Write src/cfn/type_rows.c and src/cfn/action_rows.c: one row for each CloudFormation resource
type.

Usage: cfn-types.py SCHEMAS    a folder with the registry's schemas, a JSON file each

AWS publishes the schemas (CloudFormation User Guide, "Resource type schemas"); the Python package
cfn-lint carries them in `cfnlint/data/schemas/resources`. What the schemas do not say stands in
scripts/cfn-traits.txt, whose head explains the traits.

Rows: the types named there, and all types of the services that services of functions use.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVICES = """ApiGateway ApiGatewayV2 AppSync ApplicationAutoScaling CertificateManager CloudFront CloudWatch Cognito
DynamoDB EC2 EFS ElastiCache ElasticLoadBalancingV2 Events IAM IoT KMS Kinesis KinesisFirehose Lambda Logs
OpenSearchService Pipes RDS Route53 S3 SNS SQS SSM Scheduler SecretsManager StepFunctions WAFv2""".split()
TRAITS = [
    "holds-data",
    "recreatable",
    "in-root",
    "keeps-values",
    "has-address",
    "with-alias",
    "frozen",
    "api-pointer",
    "names-stage",
    "follows",
    "unique-name",
]
# EC2 has some hundred types that no function refers to.
EC2_KEPT = {"AWS::EC2::SecurityGroup", "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::VPCEndpoint"}


def read_schemas(folder):
    schemas = {}
    for path in Path(folder).glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        schemas[schema["typeName"]] = schema
    if not schemas:
        sys.exit(f"error: no schema in {folder}")
    return schemas


def read_traits():
    rows = {}
    for n, line in enumerate((ROOT / "scripts" / "cfn-traits.txt").read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] in rows:
            sys.exit(f"error: cfn-traits.txt:{n}: {words[0]} stands there twice")
        row = {"traits": set(), "name": None, "replaces": []}
        for word in words[1:]:
            key, _, value = word.partition("=")
            if key == "name":
                row["name"] = value
            elif key == "replaces":
                row["replaces"] = value.split(",")
            elif key in TRAITS:
                row["traits"].add(key)
            else:
                sys.exit(f"error: cfn-traits.txt:{n}: no trait '{word}'")
        rows[words[0]] = row
    return rows


def create_only(schema):
    """Top-level properties; a part of one does not replace whenever the whole changes."""
    return {
        path.split("/")[2]
        for path in schema.get("createOnlyProperties", [])
        if path.count("/") == 2
    }


def actions(schema):
    """What CloudFormation calls on behalf of whoever makes, changes or deletes such a resource."""
    handlers = schema.get("handlers", {})
    used = (handlers.get(name, {}) for name in ("create", "read", "update", "delete"))
    # IAM has no action with dots (s3:REST.PUT.OBJECT); s3:getObject is s3:GetObject.
    found = {
        action for handler in used for action in handler.get("permissions", []) if "." not in action
    }
    return sorted(
        {
            f"{service}:{name[:1].upper()}{name[1:]}"
            for service, name in (a.split(":") for a in found)
        }
    )


def constant(trait):
    return "CFN_" + trait.upper().replace("-", "_")


def wanted(name, traits):
    service = name.split("::")[1]
    return name in traits or (service in SERVICES and (service != "EC2" or name in EC2_KEPT))


def rows(schemas, traits):
    for name in sorted(
        {n for n in schemas if n.startswith("AWS::") and wanted(n, traits)} | set(traits)
    ):
        row = traits.get(name, {"traits": set(), "name": None, "replaces": []})
        schema = schemas.get(name)
        if schema is None and not name.endswith("::") and name not in NOT_IN_REGISTRY:
            sys.exit(f"error: cfn-traits.txt: the registry has no {name}")
        # A type has the traits of its service's row as well.
        family = traits.get(re.sub(r"[^:]+$", "", name), row)["traits"]
        properties = create_only(schema) if schema else set()
        if row["name"] and row["name"] not in properties:
            sys.exit(f"error: {name}: changing {row['name']} does not replace it")
        known = set(schema["properties"]) if schema else set()
        for more in row["replaces"]:
            if more in properties or more not in known:
                sys.exit(f"error: {name}: replaces={more} is wrong or superfluous")
            properties.add(more)
        yield (
            name,
            row["name"],
            sorted(properties),
            [t for t in TRAITS if t in row["traits"] | family],
        )


# CloudFormation makes these without a registry schema.
NOT_IN_REGISTRY = {
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
}


def text(value):
    return f'"{value}"' if value else "NULL"


def literals(words):
    """C strings of at most 80 characters, that make one text."""
    lines, line = [], []
    for word in words:
        if line and len(" ".join([*line, word])) > 80:
            lines.append(" ".join(line) + " ")
            line = []
        line.append(word)
    return [f'     "{text}"' for text in [*lines, " ".join(line)]]


def write(name, head, rows, tail):
    out = [
        (
            "/* Written by scripts/cfn-types.py from the CloudFormation registry's schemas: do not"
            " edit. */"
        ),
        '#include "cfn/cfn.h"',
        "",
        "/* clang-format off */",
        head,
        *rows,
        "};",
        "/* clang-format on */",
        "",
        tail,
    ]
    (ROOT / "src" / "cfn" / name).write_text("\n".join(out) + "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    schemas, types, rights = read_schemas(sys.argv[1]), [], []
    all_rows = list(rows(schemas, read_traits()))
    for name, named_by, properties, traits in all_rows:
        types += [
            f'    {{"{name}", {text(named_by)},',
            f"     {' | '.join(map(constant, traits)) or '0'},",
            *literals(properties),
        ]
        types[-1] += "},"
    for name in [name for name, *_ in all_rows] + ["AWS::CloudFormation::Stack"]:
        if actions(schemas.get(name, {})):
            rights.append("\n".join([f'    {{"{name}",', *literals(actions(schemas[name]))]) + "},")
    write(
        "type_rows.c",
        "const struct cfn_type cfn_types[] = {",
        types,
        "const size_t cfn_type_count = sizeof cfn_types / sizeof *cfn_types;",
    )
    write(
        "action_rows.c",
        "const struct cfn_type_actions cfn_type_actions[] = {",
        sorted(rights),
        "const size_t cfn_type_actions_count = sizeof cfn_type_actions / sizeof *cfn_type_actions;",
    )
    print(f"{len(all_rows)} types")


if __name__ == "__main__":
    main()
