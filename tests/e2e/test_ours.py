"""What troupe deletes and empties is its own: beside it stand a service and stages whose names
begin like ours, in the same account and the same bucket, and objects of somebody else's.
"""

import json
import re

import pytest

from program import ROOT
from shop import code
from world import World

BUCKET = "company-files"
FOREIGN = (
    "others/thing",
    "troupe/shopx",
    "troupe/shop",
    "troupe/shop-api/mine",
    "troupe/shop-apix/stages/dev/1.json",
    "serverless/other/dev/1-x/other.zip",
    "shop/dev",
    "troupe/",
)
HANDLER = "const CODE = 'one';\nexports.main = async () => CODE;\n"
SERVICE = """service: %s
provider:
  name: aws
  runtime: nodejs20.x
  deploymentBucket: {name: company-files}
functions:
  a: {handler: handler.main}
  a-b: {handler: handler.main, name: '%s-${sls:stage}-own'}
custom:
  troupe:
    history: {keep: 1}
"""
NOW = ("--unused-for", "0s")


def versions(account, bucket=BUCKET):
    """Every version of every object, with what it holds."""
    client = account.client("s3")
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return {
        (item["Key"], item["VersionId"]): item["ETag"]
        for page in pages
        for item in page.get("Versions", [])
    }


def neighbours(account, service="shop", bucket=BUCKET):
    """What is not ours in the bucket."""
    return {
        key: tag
        for key, tag in versions(account, bucket).items()
        if not key[0].startswith(f"troupe/{service}/")
    }


def ours(account, service="shop", bucket=BUCKET):
    return {key for key, _ in versions(account, bucket) if key.startswith(f"troupe/{service}/")}


def of_others(world):
    """Stacks, functions, groups and buckets that are not the service's."""
    strange = lambda names: {
        name: value for name, value in names.items() if re.search("shop-api|foreign", name)
    }
    return {
        section: strange(world[section])
        for section in ("stacks", "functions", "log_groups", "roles")
    }


@pytest.fixture
def beside(troupe, account):
    """`shop` and `shop-api` in one bucket of the user's, and what else is there."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in FOREIGN:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    troupe.write({"handler.js": HANDLER, "serverless.yml": SERVICE % (("shop-api",) * 2)})
    for stage in ("dev", "dev-2"):
        troupe("deploy", stage)
    troupe.write({"serverless.yml": SERVICE % (("shop",) * 2)})
    return troupe


def test_every_command_leaves_the_bucket_of_the_user_alone(beside, account):
    troupe = beside
    foreign, world = neighbours(account), of_others(troupe.world())
    assert {key for key, _ in foreign} > set(FOREIGN) and world["stacks"].keys() >= {
        "shop-api",
        "shop-api-dev-2",
    }

    def run(*args, **kwargs):
        result = troupe(*args, **kwargs)
        assert neighbours(account) == foreign, str(result)
        assert of_others(troupe.world()) == world, str(result)
        return result

    run("deploy", "dev")
    run("deploy", "dev-2")
    for text in ("two", "three"):
        code(troupe, text)
        run("deploy", "dev")
    run("rollback", "dev")
    run("reset", "dev-2", "--to", "dev#3")
    run("clone", "dev", "dev-3")
    run("shift", "dev", "--to", "3", "--weight", "10")
    run("shift", "dev", "--abort")
    run("prune", *NOW)
    run("repair", "dev")
    run("deploy", "--service")
    run("remove", "dev-3", "--yes")
    run("prune", *NOW)
    mine, theirs = "troupe/shop/parts/shop-dev/1.json", "troupe/shop/parts/shop-dev-2/1.json"
    for key in (mine, theirs):
        account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    beside_it, kept = troupe.stage("dev-2", "shop"), ours(account)
    run("remove", "dev", "--yes", "--purge")
    assert troupe.stage("dev-2", "shop") == beside_it and "shop-api-dev" in troupe.world()["stacks"]
    assert kept - ours(account) == {mine}, "records and what they need stay"
    result = run("remove", "--service", "--yes", "--json")
    assert not ours(account), "troupe/shop/ is ours, all of it"
    assert [item["name"] for item in result.json["deleted"]] == [
        "shop-dev-2",
        f"s3://{BUCKET}/troupe/shop/parts/shop-dev-2/",
        f"s3://{BUCKET}/troupe/shop/",
        "shop",
    ], str(result)
    assert "emptied" not in result.json and "kept" not in result.json, str(result)
    troupe.write({"serverless.yml": SERVICE % (("shop-api",) * 2)})
    assert troupe("plan", "dev", "--json", check=False).json["nothing"] is False
    troupe("deploy", "dev")
    troupe("rollback", "dev")


RETAINED = """resources:
  Resources:
    Keep: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: "kept-${sls:stage}"}}
    KeepToo: {Type: AWS::S3::Bucket, DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Delete, Properties: {BucketName: "kept-too-${sls:stage}"}}
    Goes: {Type: AWS::S3::Bucket, DeletionPolicy: Delete, UpdateReplacePolicy: Retain, Properties: {BucketName: "goes-${sls:stage}"}}
    Shared: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: "shared-kept"}}
    SharedGoes: {Type: AWS::S3::Bucket, Properties: {BucketName: "shared-goes"}}
    Nest:
      Type: AWS::CloudFormation::Stack
      Properties: {TemplateURL: "https://templates.s3.us-east-1.amazonaws.com/nest.yml", Parameters: {Stage: "${sls:stage}"}}
    KeptNest:
      Type: AWS::CloudFormation::Stack
      DeletionPolicy: Retain
      Properties: {TemplateURL: "https://templates.s3.us-east-1.amazonaws.com/nest.yml", Parameters: {Stage: "${sls:stage}-kept"}}
"""
NEST = """Parameters: {Stage: {Type: String}}
Resources:
  Keep: {Type: AWS::S3::Bucket, DeletionPolicy: Retain, Properties: {BucketName: !Sub "nest-kept-${Stage}"}}
  Goes: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "nest-goes-${Stage}"}}
"""


def test_purge_empties_only_what_goes(troupe, account):
    s3 = account.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="nest.yml", Body=NEST.encode())
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": (
                (SERVICE % (("shop",) * 2)).replace(
                    "  deploymentBucket: {name: company-files}\n", ""
                )
                + "    resources: {service: [Shared, SharedGoes]}\n"
                + RETAINED
            ),
        }
    )
    troupe("deploy", "dev")
    kept = ["kept-dev", "kept-too-dev", "nest-kept-dev", "nest-kept-dev-kept", "nest-goes-dev-kept"]
    goes = ["goes-dev", "nest-goes-dev"]
    for bucket in (*kept, *goes, "shared-kept", "shared-goes"):
        s3.put_object(Bucket=bucket, Key="mine", Body=b"mine")
    result = troupe("remove", "dev", "--yes", "--purge", "--json")
    holds = lambda: {
        name: set(objects) for name, objects in World(account.client).buckets().items()
    }
    now = holds()
    assert all(now[bucket] == {"mine"} for bucket in (*kept, "shared-kept", "shared-goes")), now
    assert not set(goes) & set(now)
    named = {item["name"]: item["why"] for item in result.json["kept"]}
    assert (
        set(kept) <= set(named) and named["kept-too-dev"] == "DeletionPolicy: RetainExceptOnCreate"
    ), str(result)
    assert {item["name"] for item in result.json["emptied"]} == set(goes)
    record = json.loads(
        s3.get_object(
            Bucket=next(name for name in now if name.startswith("shop-")),
            Key="troupe/shop/stages/dev/2.json",
        )["Body"].read()
    )
    assert record["what"] == "remove"
    for part in ("deleted", "emptied", "kept"):
        assert record[part] == result.json[part]
    result = troupe("remove", "--service", "--yes", "--purge")
    assert "kept AWS::S3::Bucket shared-kept: DeletionPolicy: Retain" in result.out, str(result)
    now = holds()
    assert now["shared-kept"] == {"mine"} and not {
        "shared-goes",
        *(name for name in now if name.startswith("shop-")),
    } & set(now)


def test_a_bucket_of_the_service_that_is_to_stay_keeps_its_content(troupe, account):
    troupe.write(
        {
            "handler.js": HANDLER,
            "serverless.yml": (
                (SERVICE % (("shop",) * 2)).replace(
                    "  deploymentBucket: {name: company-files}\n", ""
                )
                + "resources:\n  extensions:\n    ServerlessDeploymentBucket: {DeletionPolicy:"
                " Retain}\n"
            ),
        }
    )
    troupe("deploy", "dev")
    bucket = next(iter(troupe.world()["buckets"]))
    before = versions(account, bucket)
    result = troupe("remove", "--service", "--yes", "--purge")
    assert f"kept AWS::S3::Bucket {bucket}: DeletionPolicy: Retain" in result.out, str(result)
    assert before.items() <= versions(account, bucket).items()


# -- where it is decided ---------------------------------------------------------------------------


def test_one_place_destroys():
    """Only release/dispose may call what destroys; the operations are declared for it alone."""
    words = r"\b(cloudformation_delete|s3_delete|s3_empty|lambda_delete_version|logs_delete_group)\(|->delete_deployment\(|services/destroy\.h"
    where = {
        path.parent.name
        for path in (ROOT / "src").rglob("*.c")
        if "/aws/" not in str(path) and re.search(words, path.read_text())
    }
    assert where == {"dispose"}


# -- log groups that a late call makes anew --------------------------------------------------------

PLAIN = (
    "service: shop\nprovider: {name: aws, runtime: nodejs20.x}\nfunctions:\n  a: {handler:"
    " handler.main}\n  a-b: {handler: handler.main}\n"
)
STAGE_LOGS = PLAIN + "custom: {troupe: {logs: stage}}\n"
PER_STAGE = PLAIN + "custom: {troupe: {functions: {perStage: [a]}}}\n"
GROUP, NEIGHBOURS = (
    "/aws/lambda/shop-dev-a",
    ("/aws/lambda/shop-api-dev-a", "/aws/lambda/shop-dev-a-bc", "/aws/lambda/shop"),
)


class Groups:
    def __init__(self, troupe):
        self.troupe, self.logs = troupe, troupe.account.client("logs")
        troupe.write({"handler.js": HANDLER})
        for name in NEIGHBOURS:
            self.late(name)

    def all(self):
        return {group["logGroupName"] for group in self.logs.describe_log_groups()["logGroups"]}

    def late(self, name=GROUP):
        """As Lambda does for a call that was under way: a group, a stream, a line; no tags, kept
        for ever.
        """
        self.logs.create_log_group(logGroupName=name)
        self.logs.create_log_stream(logGroupName=name, logStreamName="late")
        self.logs.put_log_events(
            logGroupName=name,
            logStreamName="late",
            logEvents=[{"timestamp": 1790000000000, "message": "late"}],
        )

    def has_late_lines(self, name=GROUP):
        return name in self.all() and bool(
            self.logs.describe_log_streams(logGroupName=name)["logStreams"]
        )

    def deploy(self, text, *args, **kwargs):
        self.troupe.write({"serverless.yml": text})
        result = self.troupe(*(args or ("deploy", "dev")), **kwargs)
        assert set(NEIGHBOURS) <= self.all(), str(result)
        return result


def test_late_log_groups_are_in_nobodys_way(troupe):
    groups = Groups(troupe)
    groups.deploy(STAGE_LOGS)
    for text, args in (
        (STAGE_LOGS, ("deploy", "dev")),
        (PER_STAGE, ("deploy", "dev")),
        (PLAIN, ("rollback", "dev", "--to", "1")),
    ):
        groups.deploy(PLAIN)
        assert GROUP not in groups.all()
        groups.late()
        result = groups.deploy(text, *args)
        assert GROUP in groups.all() and not groups.has_late_lines(), str(result)
    troupe("remove", "dev", "--yes")
    groups.late()
    groups.deploy(STAGE_LOGS)
    assert not groups.has_late_lines()
    groups.deploy(PLAIN)
    groups.late()
    groups.late("/aws/lambda/shop-dev-a-b")
    result = groups.deploy(PLAIN, "remove", "--service", "--yes", "--json")
    assert groups.all() == set(NEIGHBOURS), str(result)
    assert {
        item["name"] for item in result.json["deleted"] if item["type"] == "AWS::Logs::LogGroup"
    } == {GROUP, "/aws/lambda/shop-dev-a-b"}, str(result)


def test_log_groups_of_others_stay(troupe):
    groups = Groups(troupe)
    groups.late()  # before there was a stage
    for _ in range(2):
        result = groups.deploy(STAGE_LOGS, check=1)
        assert (
            groups.has_late_lines() and "already exists" in result.err and "delete it" in result.err
        ), str(result)
        troupe("remove", "dev", "--yes")
        assert groups.has_late_lines()
    groups.logs.delete_log_group(logGroupName=GROUP)
    groups.deploy(STAGE_LOGS)
    groups.deploy(PLAIN)
    groups.late()
    groups.logs.put_retention_policy(
        logGroupName=GROUP, retentionInDays=30
    )  # somebody cares for it
    groups.deploy(STAGE_LOGS, check=1)
    assert groups.has_late_lines()
    groups.logs.delete_retention_policy(logGroupName=GROUP)
    groups.deploy(
        PER_STAGE.replace(
            "a: {handler: handler.main}", "a: {handler: handler.main, disableLogs: true}", 1
        )
    )
    result = groups.deploy(PER_STAGE, check=1)  # the stage writes to it
    assert groups.has_late_lines() and "already exists" in result.err, str(result)
