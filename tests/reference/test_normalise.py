"""What normalise.py forgives, and what it must not. Run: python3 -m unittest discover
tests/reference
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from normalise import dumps, normalise  # noqa: E402


def template(version, code, deployment, stamp):
    """A small template as one run would write it."""
    return {
        "Resources": {
            "FooLambdaFunction": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"S3Key": f"serverless/svc/dev/{stamp}/svc.zip"}},
            },
            version: {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "FooLambdaFunction"}, "CodeSha256": code},
            },
            deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": {}},
            "Key": {"Type": "AWS::ApiGateway::ApiKey", "DependsOn": deployment},
        },
        "Outputs": {"Foo": {"Value": {"Fn::Sub": "${" + version + "}"}}},
    }


FIRST = template(
    "FooLambdaVersionAb1", "x=", "ApiGatewayDeployment1", "1700000000000-2023-11-14T22:13:20.000Z"
)
SECOND = template(
    "FooLambdaVersionCd2", "y=", "ApiGatewayDeployment2", "1800000000000-2027-01-15T08:00:00.000Z"
)


class Normalise(unittest.TestCase):
    def test_two_runs_become_equal(self):
        self.assertEqual(dumps(normalise(FIRST)), dumps(normalise(SECOND)))

    def test_fixed_names(self):
        result = normalise(FIRST)
        version = result["Resources"]["FooLambdaVersionHASH"]
        self.assertEqual(version["Properties"]["CodeSha256"], "SHA256")
        self.assertEqual(result["Resources"]["Key"]["DependsOn"], "ApiGatewayDeploymentID")
        self.assertEqual(result["Outputs"]["Foo"]["Value"], {"Fn::Sub": "${FooLambdaVersionHASH}"})
        key = result["Resources"]["FooLambdaFunction"]["Properties"]["Code"]["S3Key"]
        self.assertEqual(key, "serverless/svc/dev/TIMESTAMP/svc.zip")

    def test_a_users_version_stays(self):
        own = {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": "foo", "CodeSha256": "z="},
        }
        self.assertEqual(normalise({"Resources": {"Mine": own}}), {"Resources": {"Mine": own}})

    def test_other_differences_stay(self):
        changed = template("FooLambdaVersionAb1", "x=", "ApiGatewayDeployment1", "other")
        self.assertNotEqual(dumps(normalise(FIRST)), dumps(normalise(changed)))

    def test_no_section_has_to_be_a_map(self):
        odd = {"Resources": [{"Foo": 1}], "Outputs": None}
        self.assertEqual(normalise(odd), odd)

    def test_the_input_is_not_changed(self):
        before = dumps(FIRST)
        normalise(FIRST)
        self.assertEqual(dumps(FIRST), before)


if __name__ == "__main__":
    unittest.main()
