"""Somebody may write to the deployment bucket, but not change stacks: what the bucket says is used
only where a stack vouches for it, and the environment of a command is not for what the bucket says.
"""

import hashlib
import json

import pytest

from conftest import REGION, new_account, new_troupe
from shop import code

FOLDER = "troupe/shop"
EVIL = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "RoleName": "evil-admin",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
    },
}
# What whoever writes to the bucket would like to see in a function.
SECRETS = {
    "AWS_ROLE_SESSION_NAME": "an operator's",
    "DEPLOY_TOKEN": "of the build",
    "OWN_dev": "d",
    "OWN_prod": "p",
}


class Mallory:
    """dev and prod at their second deployments, a neighbour whose name begins like prod's, and
    somebody who may write to the bucket."""

    def __init__(self, cloud, place):
        from conftest import Proxy

        self.account = new_account(cloud)
        self.proxy = Proxy(cloud)
        self.troupe = new_troupe(place / "one", self.account, self.proxy)
        self.troupe.use("shop")
        self.troupe.edit(
            "serverless.yml",
            "      STAGE: ${sls:stage}\n",
            "      STAGE: ${sls:stage}\n      OWN: ${env:OWN_${sls:stage}, 'none'}\n",
        )
        for stage in ("dev", "prod", "prod-2"):
            self.troupe("deploy", stage, env=SECRETS)
        code(self.troupe, "two")
        for stage in ("dev", "prod"):
            self.troupe("deploy", stage, env=SECRETS)
        self.s3 = self.account.client("s3")
        self.bucket = self.s3.list_buckets()["Buckets"][0]["Name"]
        self.account.keep("unharmed")

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=f"{FOLDER}/{key}")["Body"].read()

    def json(self, key):
        return json.loads(self.read(key))

    def put(self, key, content):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"{FOLDER}/{key}", Body=body)

    def named(self, folder, content):
        """A new object that its name fits; the name."""
        body = json.dumps(content).encode()
        sha = hashlib.sha256(body).hexdigest()
        self.put(f"{folder}/{sha}.json", body)
        return sha

    # -- what is altered ---------------------------------------------------------------------------

    def template(self, key="stages/prod/1.versions.json"):
        return self.json(key)["stage_template"]

    def evil_template(self):
        template = self.json(f"templates/{self.template()}.json")
        template["Resources"]["Evil"] = EVIL
        return template

    def alter_template(self):
        self.put(f"templates/{self.template()}.json", self.evil_template())

    def evil_sources(self):
        sources = self.json(f"sources/{self.json('stages/dev/2.json')['sources']}.json")
        sources["files"]["serverless.yml"] = sources["files"]["serverless.yml"].replace(
            "      OWN: ", "      MINE: ${env:AWS_SECRET_ACCESS_KEY}\n      OWN: "
        )
        return sources

    def alter_sources(self):
        self.put(f"sources/{self.json('stages/dev/2.json')['sources']}.json", self.evil_sources())

    def alter_versions(self):
        versions = self.json("stages/prod/1.versions.json")
        self.put(
            "stages/prod/1.versions.json",
            {**versions, "stage_template": self.named("templates", self.evil_template())},
        )

    def alter_record(self):
        self.put(
            "stages/dev/2.json",
            {
                **self.json("stages/dev/2.json"),
                "sources": self.named("sources", self.evil_sources()),
            },
        )

    def alter_old_record(self):
        self.put("stages/prod/1.json", {**self.json("stages/prod/1.json"), "needs": []})

    def alter_current(self):
        self.put("stages/prod/2.json", {**self.json("stages/prod/2.json"), "before": 0})

    def invent(self, number):
        """A deployment that looks as if it had served."""
        self.put(
            f"stages/prod/{number}.json", {**self.json("stages/prod/1.json"), "number": number}
        )
        self.put(
            f"stages/prod/{number}.versions.json",
            {
                **self.json("stages/prod/1.versions.json"),
                "stage_template": self.named("templates", self.evil_template()),
            },
        )
        self.put(f"stages/prod/{number}.outcome.json", self.json("stages/prod/1.outcome.json"))

    def invent_later(self):
        self.invent(9)

    def invent_rollback(self):
        """One that was cut off, to what never served."""
        self.invent(9)
        self.put(
            "stages/prod/10.json",
            {
                **self.json("stages/prod/2.json"),
                "number": 10,
                "flips": True,
                "restores": 9,
                "what": "rollback of 9",
                "before": 2,
            },
        )


@pytest.fixture(scope="module")
def one(cloud, tmp_path_factory):
    from conftest import closed

    made = Mallory(cloud, tmp_path_factory.mktemp("hostile"))
    yield made
    closed(made.proxy)


@pytest.fixture
def mallory(one):
    one.account.put_back("unharmed")
    one.proxy.clear()
    return one


# what is altered: the commands that would use it, and what they say
TABLE = {
    "alter_template": ("was altered", ["rollback prod -y", "diff prod#1 prod"]),
    "alter_sources": ("was altered", ["reset prod --to dev -y", "clone dev qa -y"]),
    "alter_versions": (
        "was altered",
        ["rollback prod -y", "rollback prod --to 1 -y", "diff prod#1 prod"],
    ),
    "alter_record": (
        "was altered",
        [
            "reset prod --to dev -y",
            "clone dev qa -y",
            "diff dev prod",
            "deploy dev",
            "repair dev",
            "rollback dev -y",
        ],
    ),
    "alter_old_record": (
        "was altered",
        ["rollback prod -y", "reset dev --to prod#1 -y", "diff prod#1 prod"],
    ),
    "alter_current": (
        "was altered",
        ["deploy prod", "plan prod", "rollback prod -y", "info prod", "reset dev --to prod -y"],
    ),
    "invent_later": (
        "never served",
        ["rollback prod --to 9 -y", "reset dev --to prod#9 -y", "clone prod#9 qa -y"],
    ),
    "invent_rollback": ("never served", ["repair prod"]),
}


@pytest.mark.parametrize("what", TABLE)
def test_what_is_altered_is_refused_and_nothing_changes(mallory, what):
    say, commands = TABLE[what]
    getattr(mallory, what)()
    before = mallory.troupe.world()
    for command in commands:
        result = mallory.troupe(*command.split(), check=False, env=SECRETS)
        assert result.code == 3 and say in result.err, str(result)
        assert mallory.troupe.world() == before, command


def test_what_was_altered_is_shown(mallory):
    """The chain ends at an altered record: history and stages say so, and do not fail."""
    mallory.alter_old_record()
    shown = mallory.troupe("history", "prod", "--json").json["deployments"]
    assert [entry["outcome"] for entry in shown] == ["succeeded", "record altered"]
    mallory.alter_current()
    shown = mallory.troupe("history", "prod", "--json").json["deployments"]
    assert shown[0]["outcome"] == "record altered"
    assert "altered" in mallory.troupe("stages").out


def test_other_stages_are_not_hindered(mallory):
    mallory.alter_current()
    mallory.alter_template()
    for command in (["deploy", "prod-2"], ["rollback", "dev", "-y"]):
        mallory.troupe(*command, env=SECRETS)


def test_what_is_not_altered_works_and_is_vouched_for_again(mallory):
    """Two back through a rollback, then forward: the records in between are followed."""
    troupe = mallory.troupe
    assert "vouches" not in troupe("rollback", "prod", "-y").err
    assert troupe.call_rest("prod", "/hello").json()["code"] == "one"
    assert "vouches" not in troupe("rollback", "prod", "--to", "2", "-y").err
    assert troupe.call_rest("prod", "/hello").json()["code"] == "two"
    assert "vouches" not in troupe("reset", "dev", "--to", "prod#1", "-y", env=SECRETS).err


def test_records_of_an_older_troupe_are_accepted_and_that_is_said(mallory):
    """Its stacks say nothing about records, nor do its records about those before."""
    stacks = mallory.account.client("cloudformation")
    stack = stacks.describe_stacks(StackName="shop-prod")["Stacks"][0]
    template = json.loads(json.dumps(stacks.get_template(StackName="shop-prod")["TemplateBody"]))
    template = json.loads(template) if isinstance(template, str) else template
    del template["Outputs"]["TroupeRecord"]
    stacks.update_stack(
        StackName="shop-prod",
        TemplateBody=json.dumps(template),
        Tags=stack["Tags"],
        Parameters=stack.get("Parameters", []),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stacks.get_waiter("stack_update_complete").wait(
        StackName="shop-prod", WaiterConfig={"Delay": 1}
    )
    for number in (1, 2):
        record = mallory.json(f"stages/prod/{number}.json")
        del record["before_digest"]
        mallory.put(f"stages/prod/{number}.json", record)
    result = mallory.troupe("rollback", "prod", "-y")
    assert "vouches for the record of prod#1: it was deployed by an older troupe" in result.err, (
        str(result)
    )
    assert mallory.troupe.call_rest("prod", "/hello").json()["code"] == "one"
    assert "TroupeRecord" in mallory.troupe.world()["stacks"]["shop-prod"]["outputs"]


def test_recorded_sources_get_no_variable_that_their_deployment_did_not_use(mallory):
    """Whoever deploys dev writes its sources, and the operator resets prod to them."""
    troupe = mallory.troupe
    text = (troupe.folder / "serverless.yml").read_text()
    line = "      OWN: "
    for front, part in (("AWS_", "ROLE_SESSION_NAME"), ("DEPLOY_", "TOKEN")):
        mallory.account.put_back("unharmed")
        wish = f"${{env:{front}${{self:custom.part.${{sls:stage}}, 'X'}}, 'none'}}"
        troupe.write(
            {
                "serverless.yml": (
                    text.replace(line, f"      MINE: {wish}\n{line}")
                    + f"custom:\n  part: {{prod: {part}}}\n"
                )
            }
        )
        troupe("deploy", "dev", env=SECRETS)
        before = troupe.world()
        refused = troupe("reset", "prod", "--to", "dev", "-y", env=SECRETS, check=2)
        assert f"'{front}{part}'" in refused.err and "serverless.yml:" in refused.err, str(refused)
        assert troupe.world() == before
        troupe("reset", "prod", "--to", "dev", "-y", env={**SECRETS, front + part: None})
        settings = mallory.account.client("lambda", REGION).get_function_configuration(
            FunctionName="shop-orders", Qualifier="prod"
        )["Environment"]["Variables"]
        assert settings == {"STAGE": "prod", "OWN": "p", "MINE": "none"}
    troupe.write({"serverless.yml": text})


def test_another_stages_record_does_not_choose_what_an_api_serves(mallory):
    """Deployments of an API are used again by what records say; AWS cannot be asked what is
    in one.
    """
    troupe, shop = mallory.troupe, mallory.troupe.folder / "serverless.yml"
    text = shop.read_text()
    shop.write_text(
        text.replace("- http: GET /hello\n", "- http: GET /hello\n      - http: GET /newer\n")
    )
    troupe("deploy", "dev", env=SECRETS)
    new = mallory.json("stages/dev/3.versions.json")["apis"]
    mallory.account.put_back("unharmed")
    old = mallory.json("stages/dev/2.versions.json")
    forged = {
        **old,
        "apis": {
            key: {**api, "fingerprint": new[key]["fingerprint"]} for key, api in old["apis"].items()
        },
    }
    mallory.put(
        "stages/qa/1.json", {**mallory.json("stages/dev/2.json"), "number": 1, "stage": "qa"}
    )
    mallory.put("stages/qa/1.versions.json", forged)
    troupe("deploy", "prod", env=SECRETS)
    assert troupe.call_rest("prod", "/newer").status_code == 200
    shop.write_text(text)


def test_code_that_was_altered_is_not_published(mallory):
    troupe = mallory.troupe
    code(troupe, "three")
    troupe("deploy", "dev", env=SECRETS)
    sha = mallory.json("stages/dev/3.json")["functions"]["hello"]["artifact"]
    poison = mallory.read(
        f"artifacts/{mallory.json('stages/dev/1.json')['functions']['hello']['artifact']}.zip"
    )
    mallory.account.put_back("unharmed")
    mallory.put(f"artifacts/{sha}.zip", poison)
    served = troupe.stage("prod", "shop")
    refused = troupe("deploy", "prod", env=SECRETS, check=3)
    assert (
        f"artifacts/{sha}.zip was altered" in refused.err and "somebody else" not in refused.err
    ), str(refused)
    assert troupe.stage("prod", "shop") == served
    mallory.s3.delete_object(Bucket=mallory.bucket, Key=f"{FOLDER}/artifacts/{sha}.zip")
    troupe("deploy", "prod", env=SECRETS)
    assert troupe.call_rest("prod", "/hello").json()["code"] == "three"
    code(troupe, "two")


def test_code_of_a_stages_own_function_that_was_altered_is_not_served(troupe):
    troupe.use("shop")
    with (troupe.folder / "serverless.yml").open("a") as file:
        file.write(
            "custom:\n  troupe:\n    functions: {perStage: ['*']}\n    apis: {rest: perStage}\n"
        )
    troupe("deploy", "dev")
    s3 = troupe.account.client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]

    def artifact(number):
        record = json.loads(
            s3.get_object(Bucket=bucket, Key=f"{FOLDER}/stages/dev/{number}.json")["Body"].read()
        )
        return f"{FOLDER}/artifacts/{record['functions']['hello']['artifact']}.zip"

    one = s3.get_object(Bucket=bucket, Key=artifact(1))["Body"].read()
    code(troupe, "two")
    troupe("deploy", "dev")
    troupe("rollback", "dev", "-y")
    s3.put_object(Bucket=bucket, Key=artifact(2), Body=one)
    refused = troupe("deploy", "dev", check=1)
    assert "artifacts/, was altered" in refused.err, str(refused)
    assert troupe.call_rest("dev", "/hello").json()["code"] == "one"


def test_a_bucket_that_somebody_else_took_gets_nothing(cloud, troupe):
    """Names of buckets are the whole world's: one that was deleted may be made by anybody, who
    allows everybody everything.
    """
    squatter = new_account(cloud).client("s3")
    squatter.create_bucket(Bucket="shop-code-of-ours")
    squatter.delete_public_access_block(Bucket="shop-code-of-ours")
    squatter.put_bucket_policy(
        Bucket="shop-code-of-ours",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [
                            "arn:aws:s3:::shop-code-of-ours",
                            "arn:aws:s3:::shop-code-of-ours/*",
                        ],
                    }
                ],
            }
        ),
    )
    troupe.use("shop").edit(
        "serverless.yml",
        "  timeout: 10\n",
        "  timeout: 10\n  deploymentBucket: shop-code-of-ours\n",
    )
    result = troupe("deploy", "dev", check=False)
    assert (
        result.code
        and f"'shop-code-of-ours' has to belong to account {troupe.account.id}" in result.err
    ), str(result)
    assert squatter.list_objects_v2(Bucket="shop-code-of-ours")["KeyCount"] == 0
    assert "shop-dev" not in troupe.world()["stacks"]
