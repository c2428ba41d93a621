"""Code that is too large for one request: sent in parts, and gone on with by the next run."""

import random
import re
from pathlib import Path

import pytest
from program import PROGRAM

MB = 1 << 20
FILE = """service: shop
provider: {name: aws, runtime: nodejs20.x}
functions: {hello: {handler: handler.main}}
"""


def noise(troupe, megabytes, seed=1):
    """What does not become smaller by compression."""
    data = random.Random(seed).randbytes(megabytes * MB)
    (troupe.folder / "noise.bin").write_bytes(data)


@pytest.fixture
def large(troupe):
    """A service that is deployed, and then gets a zip of four parts, 26 MB."""
    troupe.write({"serverless.yml": FILE, "handler.js": "exports.main = async () => 'one';\n"})
    troupe("deploy", "dev")
    noise(troupe, 26)
    return troupe


def bucket(troupe):
    return troupe.world()["stacks"]["shop"]["outputs"]["ServerlessDeploymentBucketName"]


def uploads(troupe):
    client = troupe.account.client("s3")
    return client.list_multipart_uploads(Bucket=bucket(troupe)).get("Uploads", [])


def parts(troupe, since):
    """Numbers and bytes of the parts that S3 got and took."""
    return {
        call.params["PartNumber"]: call.request_bytes
        for call in troupe.proxy.calls("s3.UploadPart", since=since)
        if call.status == 200
    }


def stored(troupe):
    """Sizes of the artifacts in the bucket."""
    objects = troupe.account.client("s3").list_objects_v2(
        Bucket=bucket(troupe), Prefix="troupe/shop/artifacts/"
    )["Contents"]
    return sorted(item["Size"] for item in objects)


@pytest.mark.parametrize("how", ["cut", "killed"])
def test_the_next_run_sends_the_rest(large, how):
    proxy, mark = large.proxy, large.proxy.mark()
    rule = {"service": "s3", "operation": "UploadPart"}
    if how == "cut":
        proxy.reset(since=3, **rule)
        result = large("deploy", "dev", check=1)
        assert "upload 'shop.zip'" in result.err, result
        assert len(parts(large, mark)) == 2
    else:
        proxy.kill(3, after=True, **rule)
        large("deploy", "dev", check=False)
    proxy.clear()
    s3, place = large.account.client("s3"), bucket(large)
    (left,) = uploads(large)
    there = s3.list_parts(Bucket=place, Key=left["Key"], UploadId=left["UploadId"])["Parts"]
    first = {part["PartNumber"]: part["Size"] for part in there}

    # A neighbour's upload, of a key that begins with ours, and one of ours that is of no use.
    other = s3.create_multipart_upload(
        Bucket=place, Key=left["Key"] + ".bak", ChecksumAlgorithm="SHA256"
    )["UploadId"]
    s3.create_multipart_upload(Bucket=place, Key=left["Key"], ChecksumAlgorithm="CRC32")

    mark = proxy.mark()
    result = large("deploy", "dev")
    second = parts(large, mark)
    assert "of an upload that was cut off" in result.err, result
    assert set(second) == {1, 2, 3, 4} - set(first), (first, second)
    assert 26 * MB < sum(first.values()) + sum(second.values()) < 27 * MB
    assert not proxy.calls("s3.CreateMultipartUpload", since=mark)
    assert stored(large)[-1] > 26 * MB
    assert other in [upload["UploadId"] for upload in uploads(large)]
    assert large("invoke", "dev", "hello").out.strip() == '"one"'


def test_parts_that_are_not_ours_are_sent_again(large):
    """Somebody put another content into a part, and one of another size."""
    proxy = large.proxy
    proxy.reset(since=3, service="s3", operation="UploadPart")
    large("deploy", "dev", check=1)
    proxy.clear()
    (left,) = uploads(large)
    s3, place = large.account.client("s3"), {"Bucket": bucket(large), "Key": left["Key"]}
    place["UploadId"] = left["UploadId"]
    there = s3.list_parts(**place)["Parts"]
    for part, size in zip(there, (8 * MB, 5 * MB)):
        s3.upload_part(
            **place, PartNumber=part["PartNumber"], Body=b"x" * size, ChecksumAlgorithm="SHA256"
        )
    mark = proxy.mark()
    large("deploy", "dev")
    assert len(parts(large, mark)) == 4
    assert large("invoke", "dev", "hello").out.strip() == '"one"'


def test_who_may_not_look_begins_anew(large):
    """A policy of before does not have the right; what fails is taken back then."""
    proxy, s3 = large.proxy, {"service": "s3"}
    proxy.fail(403, "AccessDenied", operation="ListMultipartUploads", **s3)
    cut = proxy.reset(since=3, operation="UploadPart", **s3)
    large("deploy", "dev", check=1)
    assert not uploads(large)
    proxy.rules.remove(cut)
    mark = proxy.mark()
    large("deploy", "dev")
    assert len(parts(large, mark)) == 4 and not uploads(large)


def test_another_run_completes_it(large):
    """Two runs on one upload: who comes second finds the object, or begins anew."""
    proxy = large.proxy
    proxy.reset(since=4, service="s3", operation="UploadPart")
    large("deploy", "dev", check=1)
    proxy.clear()
    (left,) = uploads(large)
    s3 = large.account.client("s3")

    def abort(_record):
        s3.abort_multipart_upload(Bucket=bucket(large), Key=left["Key"], UploadId=left["UploadId"])

    mark = proxy.mark()
    proxy.rule("call", service="s3", operation="UploadPart", nth=1, function=abort)
    large("deploy", "dev")
    assert len(proxy.calls("s3.CreateMultipartUpload", since=mark)) == 1
    assert not uploads(large) and stored(large)[-1] > 26 * MB


def test_another_encryption_begins_anew(large):
    """An upload keeps the encryption that it was begun with."""
    s3, key = large.account.client("s3"), "arn:aws:kms:us-east-1:123456789012:key/one"
    s3.create_bucket(Bucket="own-bucket")
    head = FILE.replace("nodejs20.x}", "nodejs20.x, deploymentBucket: {name: own-bucket%s}}")
    large("remove", "--service", "--yes")
    large.write({"serverless.yml": head % ""})
    proxy = large.proxy
    proxy.reset(since=3, service="s3", operation="UploadPart")
    large("deploy", "dev", check=1)
    proxy.clear()
    sse = f", serverSideEncryption: 'aws:kms', sseKMSKeyId: '{key}'"
    large.write({"serverless.yml": head % sse})
    large("deploy", "dev")
    (item,) = s3.list_objects_v2(Bucket="own-bucket", Prefix="troupe/shop/artifacts/")["Contents"]
    assert s3.head_object(Bucket="own-bucket", Key=item["Key"])["SSEKMSKeyId"] == key
    assert not s3.list_multipart_uploads(Bucket="own-bucket").get("Uploads")


def test_progress_is_for_terminals(large):
    """A log has a line for what was done, and none for each second."""
    lines = [line for line in large("deploy", "dev").err.splitlines() if "upload" in line]
    assert len(lines) == 1 and "1 artifact, 26.0 MB" in lines[0], lines


def test_removing_the_service_takes_them_along(large):
    """From a bucket of the user's, where a neighbour has one, too."""
    s3 = large.account.client("s3")
    s3.create_bucket(Bucket="kept-bucket")
    large("remove", "--service", "--yes")
    large.write({"serverless.yml": FILE.replace("20.x}", "20.x, deploymentBucket: kept-bucket}")})
    large.proxy.reset(since=3, service="s3", operation="UploadPart")
    large("deploy", "dev", check=1)
    large.proxy.clear()
    s3.create_multipart_upload(Bucket="kept-bucket", Key="troupe/shop2/artifacts/x.zip")
    left = s3.list_multipart_uploads(Bucket="kept-bucket")["Uploads"]
    assert len(left) == 2
    large("prune")  # it is not a day old
    assert len(s3.list_multipart_uploads(Bucket="kept-bucket")["Uploads"]) == 2
    large("remove", "--service", "--yes")
    (left,) = s3.list_multipart_uploads(Bucket="kept-bucket")["Uploads"]
    assert left["Key"].startswith("troupe/shop2/")


def mapped(least):
    """Kilobytes in memory of files of so many bytes that running troupes have mapped."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/smaps"):
        try:
            if (status.parent / "exe").resolve() != Path(PROGRAM).resolve():
                continue
            lines = status.read_text().splitlines()
        except OSError:
            continue
        size = 0
        for line in lines:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                begin, end = (int(number, 16) for number in line.split()[0].split("-"))
                size = end - begin if "(deleted)" in line else 0
            elif line.startswith("Rss:") and size >= least:
                found[status.parent.name, size] = int(line.split()[1])
    return found


def test_what_was_sent_is_let_go_of(large):
    """A zip is not in memory as a whole when its last part has been sent."""
    noise(large, 64, seed=2)
    seen = []
    large.proxy.rule(
        "call",
        service="s3",
        operation="CompleteMultipartUpload",
        function=lambda _record: seen.append(mapped(64 * MB)),
    )
    large("deploy", "dev")
    (found,) = seen
    (kilobytes,) = found.values()
    assert kilobytes <= 9 * 1024, found
