#!/usr/bin/env python3
"""Write src/cfn/type_rows.c: one row for each CloudFormation resource type.

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
DynamoDB EC2 EFS ElastiCache Events IAM IoT KMS Kinesis KinesisFirehose Lambda Logs OpenSearchService Pipes RDS
Route53 S3 SNS SQS SSM Scheduler SecretsManager StepFunctions WAFv2""".split()
TRAITS = ["holds-data", "recreatable", "in-root", "keeps-values", "has-address", "with-alias", "frozen",
          "api-pointer", "names-stage", "follows", "unique-name"]
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
    return {path.split("/")[2] for path in schema.get("createOnlyProperties", []) if path.count("/") == 2}


def constant(trait):
    return "CFN_" + trait.upper().replace("-", "_")


def wanted(name, traits):
    service = name.split("::")[1]
    return name in traits or (service in SERVICES and (service != "EC2" or name in EC2_KEPT))


def rows(schemas, traits):
    for name in sorted({n for n in schemas if n.startswith("AWS::") and wanted(n, traits)} | set(traits)):
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
        yield name, row["name"], sorted(properties), [t for t in TRAITS if t in row["traits"] | family]


# CloudFormation makes these without a registry schema.
NOT_IN_REGISTRY = {"AWS::CloudFormation::CustomResource", "AWS::CloudFormation::WaitCondition",
                   "AWS::CloudFormation::WaitConditionHandle"}


def text(value):
    return f'"{value}"' if value else "NULL"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = ["/* Written by scripts/cfn-types.py from the CloudFormation registry's schemas: do not edit. */",
           '#include "cfn/cfn.h"', "", "/* clang-format off */", "const struct cfn_type cfn_types[] = {"]
    all_rows = list(rows(read_schemas(sys.argv[1]), read_traits()))
    for name, named_by, properties, traits in all_rows:
        flags = " | ".join(map(constant, traits)) or "0"
        words, lines = [], []
        for word in properties:
            if words and len(" ".join([*words, word])) > 80:
                lines.append(" ".join(words) + " ")
                words = []
            words.append(word)
        lines.append(" ".join(words))
        out.append(f'    {{"{name}", {text(named_by)},')
        out.append(f"     {flags},")
        out += [f'     "{line}"' for line in lines[:-1]] + [f'     "{lines[-1]}"}},']
    out += ["};", "/* clang-format on */", "", "const size_t cfn_type_count = sizeof cfn_types / sizeof *cfn_types;"]
    (ROOT / "src" / "cfn" / "type_rows.c").write_text("\n".join(out) + "\n")
    print(f"{len(all_rows)} types")


if __name__ == "__main__":
    main()
