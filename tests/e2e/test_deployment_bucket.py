"""serverless-deployment-bucket: the bucket that the file names is made, and set up as with the
plugin, which makes the same calls."""

import json

import pytest
from botocore.exceptions import ClientError

NAME, OTHER = "made-for-shop", "made-for-another-shop"  # they are the whole cloud's
FILE = """service: shop
provider:
  name: aws
  runtime: nodejs20.x
  deploymentBucket: %s
plugins: [serverless-deployment-bucket]
custom:
  deploymentBucket: %s
functions: {hello: {handler: handler.main}}
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "never"}},
        }
    ],
}
TAGS = [{"Key": "team", "Value": "a & b"}, {"Key": "cost", "Value": "1"}]
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def write(troupe, bucket, options):
    troupe.write(
        {
            "serverless.yml": FILE % (json.dumps(bucket), json.dumps(options)),
            "handler.js": "exports.main = async () => 'one';\n",
        }
    )


def setting(call, *path, bucket=NAME):
    """What is set on a bucket, or None."""
    try:
        value = call(Bucket=bucket)
    except ClientError:
        return None
    for key in path:
        value = (value or {}).get(key)
    return value


@pytest.fixture
def s3(account):
    return account.client("s3")


def puts(proxy, mark):
    return sorted(
        call.operation
        for call in proxy.calls(since=mark, writes=True)
        if call.service == "s3" and call.operation.startswith(("PutBucket", "PutPublic", "Create"))
    )


def test_a_bucket_is_made_and_set_up(troupe, s3, proxy):
    s3.create_bucket(Bucket=NAME + "-too")
    s3.create_bucket(Bucket="logs-of-all")
    options = {
        "versioning": True,
        "accelerate": True,
        "policy": POLICY,
        "tags": TAGS,
        "blockPublicAccess": True,
        "accessLog": {"bucket": "logs-of-all", "prefix": "shop/"},
    }
    write(troupe, {"name": NAME, "serverSideEncryption": "AES256"}, options)
    before = troupe.world()
    planned = troupe("plan", "dev")
    assert f"bucket '{NAME}'" in planned.err and troupe.world() == before
    mark = proxy.mark()
    troupe("deploy", "dev")
    # The calls of the plugin that change something, in the order of their names. A new bucket is
    # encrypted and blocks the public from the beginning.
    assert puts(proxy, mark) == [
        "CreateBucket",
        "PutBucketAccelerateConfiguration",
        "PutBucketLogging",
        "PutBucketPolicy",
        "PutBucketTagging",
        "PutBucketVersioning",
    ]
    assert setting(s3.get_bucket_versioning, "Status") == "Enabled"
    assert setting(s3.get_bucket_accelerate_configuration, "Status") == "Enabled"
    assert json.loads(setting(s3.get_bucket_policy, "Policy")) == POLICY
    key = lambda tag: tag["Key"]
    assert sorted(setting(s3.get_bucket_tagging, "TagSet"), key=key) == sorted(TAGS, key=key)
    block = setting(s3.get_public_access_block, "PublicAccessBlockConfiguration")
    assert block == dict.fromkeys(BLOCKS, True)
    log = setting(s3.get_bucket_logging, "LoggingEnabled")
    assert (log["TargetBucket"], log["TargetPrefix"]) == ("logs-of-all", "shop/")
    (rule,) = setting(s3.get_bucket_encryption, "ServerSideEncryptionConfiguration", "Rules")
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    neighbour = s3.get_bucket_versioning(Bucket=NAME + "-too")
    assert "Status" not in neighbour
    assert troupe("invoke", "dev", "hello").out.strip() == '"one"'

    # What is set so is not set again, but for the policy, which the plugin does not compare.
    mark = proxy.mark()
    assert "nothing to do" in troupe("deploy", "dev").out
    assert puts(proxy, mark) == ["PutBucketPolicy"]

    # What changes is set, though nothing else changes; what is not said is left as it is.
    options = {"versioning": False, "tags": TAGS[:1], "accessLog": False}
    write(troupe, {"name": NAME}, {**options, "blockPublicAccess": False})
    mark = proxy.mark()
    troupe("deploy", "dev")
    assert puts(proxy, mark) == [
        "PutBucketLogging",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutPublicAccessBlock",
    ]
    block = setting(s3.get_public_access_block, "PublicAccessBlockConfiguration")
    assert not block or block == dict.fromkeys(BLOCKS, False)
    assert setting(s3.get_bucket_versioning, "Status") == "Suspended"
    assert setting(s3.get_bucket_tagging, "TagSet") == TAGS[:1]
    assert setting(s3.get_bucket_logging, "LoggingEnabled") is None
    assert setting(s3.get_bucket_accelerate_configuration, "Status") == "Enabled"

    # The bucket is the user's.
    troupe("remove", "--service", "--yes")
    assert s3.head_bucket(Bucket=NAME)


def test_where_the_plugin_does_nothing(troupe, s3, proxy):
    """A name alone, `enabled: false`, and other commands."""
    for bucket, options in ((OTHER, {}), ({"name": OTHER}, {"enabled": False})):
        write(troupe, bucket, options)
        assert f"there is no bucket '{OTHER}'" in troupe("deploy", "dev", check=1).err
    assert setting(s3.head_bucket, bucket=OTHER) is None
    write(troupe, {"name": OTHER}, {"versioning": True})
    assert "s3:PutBucketVersioning" in troupe("iam", "dev", "--json").out
    assert setting(s3.head_bucket, bucket=OTHER) is None
    # A failure comes before anything else is made.
    proxy.fail(403, "AccessDenied", operation="PutBucketVersioning")
    result = troupe("deploy", "dev", check=1)
    assert f"set versioning of bucket '{OTHER}'" in result.err, result
    assert not troupe.world()["stacks"]
    proxy.clear()
    troupe("deploy", "dev")
    write(troupe, {"name": OTHER}, {"versioning": "sometimes", "colour": "blue"})
    told = troupe("validate", check=False).err
    assert "versioning" in told and "colour" in told and "serverless.yml:8" in told, told
