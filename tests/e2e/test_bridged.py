"""A service with plugins that only the project's own framework can run, deployed to stages: from
then on it is one like any other. The framework is a stand-in.
"""

import json
import sys

from program import PROGRAM, ROOT

sys.path.insert(0, str(ROOT / "tests" / "program"))
import made_up_framework  # noqa: E402

FILE = """service: shop
provider: {name: aws, runtime: nodejs20.x}
plugins: [serverless-made-up]
functions:
  hello: {handler: f.main}
"""
# With what the plugin adds in memory; SIZE is another in each stage, and not by its name alone.
PLAIN = """service: shop
provider:
  name: aws
  runtime: nodejs20.x
  environment:
    STAGE: ${sls:stage}
    OTHER: shop-${sls:stage}-added
    SIZE: ${self:custom.sizes.${sls:stage}, 'small'}
custom: {sizes: {dev: middle, prod: large}}
functions:
  hello: {handler: f.main, events: [{http: GET /hello}]}
  added: {handler: f.main}
"""
CHANGE = """
resources = template["Resources"]
resources["Alarms"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"alarms-{stage}"}}
resources["HelloLambdaFunction"]["Properties"]["Description"] = f"hello of {stage}"
resources["HelloLambdaFunction"]["Properties"]["Environment"]["Variables"]["ALARMS"] = {
    "Ref": "Alarms"}
"""
CODE = """exports.main = async () => ({statusCode: 200, body: JSON.stringify({version: 1,
  ...Object.fromEntries(['STAGE', 'OTHER', 'SIZE', 'ALARMS'].map((x) => [x, process.env[x]]))})});
"""


def lay_out(troupe):
    plain = troupe.folder.parent / "plain"
    plain.mkdir()
    (plain / "serverless.yml").write_text(PLAIN)
    (plain / "f.js").write_text(CODE)
    troupe.write({"serverless.yml": FILE, "f.js": CODE})
    made_up_framework.install(troupe.folder, PROGRAM, plain, CHANGE)
    return plain


def change_code(troupe, plain, old, new):
    troupe.edit("f.js", old, new)
    (plain / "f.js").write_text((troupe.folder / "f.js").read_text())


def calls(plain):
    path = plain.parent / "calls"
    return path.read_text().split() if path.exists() else []


def answer(troupe, stage):
    return troupe.call_rest(stage, "/hello").json()


def described(account, stage):
    client = account.client("lambda")
    return client.get_function(FunctionName="shop-hello", Qualifier=stage)["Configuration"][
        "Description"
    ]


def test_stages_of_a_bridged_service(troupe, account):
    plain = lay_out(troupe)
    said = troupe("deploy", "dev").err
    assert "bridged" in said and "serverless-made-up" in said, said
    made_up = calls(plain)[1]
    assert calls(plain) == ["dev", made_up]
    troupe("deploy", "prod")
    assert calls(plain)[2:] == ["prod", made_up]
    wanted = {}
    for stage, size in (("dev", "middle"), ("prod", "large")):
        wanted[stage] = {
            "version": 1,
            "STAGE": stage,
            "OTHER": f"shop-added:{stage}",
            "SIZE": size,
            "ALARMS": f"arn:aws:sns:us-east-1:{account.id}:alarms-{stage}",
        }
        assert answer(troupe, stage) == wanted[stage]
        assert described(account, stage) == f"hello of {stage}"
    assert "nothing has changed" in troupe("deploy", "dev", "--verbose").err
    troupe("plan", "prod")
    assert len(calls(plain)) == 4

    # A change, back again, and everything that makes nothing from the files calls no framework.
    neighbour = troupe.stage("prod", "shop")
    change_code(troupe, plain, "version: 1", "version: 2")
    troupe("deploy", "dev")
    assert answer(troupe, "dev")["version"] == 2 and len(calls(plain)) == 6
    troupe("rollback", "dev")
    assert answer(troupe, "dev") == wanted["dev"]
    troupe("rollback", "dev", "--to", "2")
    assert answer(troupe, "dev")["version"] == 2
    assert troupe.stage("prod", "shop") == neighbour

    # prod becomes like dev: its own name, and its own size, which only its own deployment has.
    troupe("reset", "prod", "--to", "dev")
    assert answer(troupe, "prod") == {**wanted["prod"], "version": 2}
    assert described(account, "prod") == "hello of prod"
    refused = troupe("clone", "dev", "qa", check=2)
    assert "provider.environment.SIZE" in refused.err and "'qa'" in refused.err, str(refused)
    assert "shop-qa" not in json.dumps(troupe.world())
    troupe("history", "dev")
    troupe("diff", "dev", "prod")
    assert len(calls(plain)) == 6

    # Without the size a new stage needs nothing but its name.
    plain.joinpath("serverless.yml").write_text(PLAIN.replace("dev: middle, prod: large", ""))
    troupe.write({"serverless.yml": FILE + "# another one\n"})
    troupe("deploy", "dev")
    neighbour = troupe.stage("dev", "shop")
    troupe("clone", "dev", "qa")
    assert answer(troupe, "qa") == {
        "version": 2,
        "STAGE": "qa",
        "OTHER": "shop-added:qa",
        "SIZE": "small",
        "ALARMS": f"arn:aws:sns:us-east-1:{account.id}:alarms-qa",
    }
    troupe("remove", "qa", "--yes")
    assert troupe.stage("dev", "shop") == neighbour
    assert len(calls(plain)) == 8


def test_secrets_are_asked_for_and_not_recorded(troupe, account):
    """What the framework has resolved of a SecureString stands in no record, and another stage gets
    its own; also where it is a part of a text, or one of a map.
    """
    ssm = account.client("ssm")
    for stage in ("dev", "qa"):
        ssm.put_parameter(Name=f"/shop/{stage}/pw", Value=f"secret-of-{stage}", Type="SecureString")
    plain = lay_out(troupe)
    plain.joinpath("serverless.yml").write_text(
        """service: shop
provider: {name: aws, runtime: nodejs20.x}
functions:
  hello:
    handler: f.main
    environment: {OTHER: "secret-of-${sls:stage}", SIZE: "db://u:secret-of-${sls:stage}@${sls:stage}"}
    events: [{http: GET /hello}]
"""
    )
    text = "${ssm:/shop/${sls:stage}/pw}"
    troupe.write({"serverless.yml": FILE + f"custom: {{password: '{text}'}}\n"})
    made_up_framework.install(troupe.folder, PROGRAM, plain)
    troupe("deploy", "dev")
    assert answer(troupe, "dev")["SIZE"] == "db://u:secret-of-dev@dev"
    s3 = account.client("s3")
    (bucket,) = [item["Name"] for item in s3.list_buckets()["Buckets"]]
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        assert b"secret-of" not in body, item["Key"]
    troupe("clone", "dev", "qa")
    found = answer(troupe, "qa")
    assert found["OTHER"] == "secret-of-qa" and found["SIZE"] == "db://u:secret-of-qa@qa", found
    refused = troupe("package", "dev", check=2)
    assert "--with-secrets" in refused.err, refused.err


def test_a_package_of_another_tool(troupe, account):
    """`deploy --package DIR` deploys just that; then stages go on from it."""
    plain = lay_out(troupe)
    place = troupe.folder.parent / "ci"

    def change(state, template, stage):
        exec(CHANGE, {"state": state, "template": template, "stage": stage})

    made_up_framework.package(PROGRAM, plain, "dev", place, change)
    troupe("deploy", "prod", "--package", place, check=2)
    troupe("deploy", "dev", "--package", place)
    assert answer(troupe, "dev")["SIZE"] == "middle" and not calls(plain)
    troupe("clone", "dev", "prod")
    assert answer(troupe, "prod")["STAGE"] == "prod" and answer(troupe, "prod")["SIZE"] == "middle"
    troupe("remove", "prod", "--yes")
    assert answer(troupe, "dev")["STAGE"] == "dev"
