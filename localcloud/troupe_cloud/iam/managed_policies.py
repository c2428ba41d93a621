"""AWS's own policies that roles of functions, and those who deploy them, are given.

What AWS does (AWS Managed Policy Reference): about a thousand policies exist in every account.
MiniStack has the most common ones; ``managed_policies.json`` adds others that serverless services
name, with their actions and resources, without conditions and statements about consoles. One that
is in neither can be attached, and allows nothing.

Without it fails: ``test_roles.py::test_policies_of_aws_count``
"""

import json
from pathlib import Path

from ministack.services import iam

from troupe_cloud.patching import patch, require

require(iam, "_aws_managed_policies", "_make_aws_managed_record", "_AWS_MANAGED_POLICY_PREFIX")


@patch(iam, "_seed_aws_managed_policies")
def seed(original):
    original()
    table = json.loads(Path(__file__).with_name("managed_policies.json").read_text())
    for name, rights in table.items():
        statements = [
            {"Effect": "Allow", "Action": actions.split(), "Resource": resource}
            for actions, resource in rights.items()
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        arn = iam._AWS_MANAGED_POLICY_PREFIX + name
        iam._aws_managed_policies.setdefault(arn, iam._make_aws_managed_record(name, document))


iam._seed_aws_managed_policies()
