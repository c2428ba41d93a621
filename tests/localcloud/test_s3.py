"""S3 where troupe keeps artifacts, records and the lease."""

import concurrent.futures
import hashlib
import json

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
import requests

from cloud import ACCOUNT, name, refused


@pytest.fixture(scope="module")
def bucket(aws):
    made = name("bucket")
    aws.s3.create_bucket(Bucket=made)
    return made


def signed(aws, bucket, key, body, declared=None, **headers):
    """A PUT as a client without helpers makes it; ``declared`` replaces the body's hash."""
    request = AWSRequest(
        method="PUT",
        url=f"{aws.cloud.endpoint}/{bucket}/{key}",
        data=body,
        headers={"x-amz-content-sha256": declared or hashlib.sha256(body).hexdigest(), **headers},
    )
    signer = S3SigV4Auth(Credentials(ACCOUNT, aws.cloud.secret), "s3", "us-east-1")
    if declared:
        signer.payload = lambda request: declared
    signer.add_auth(request)
    return requests.put(request.url, data=body, headers=dict(request.headers), timeout=10)


def test_wrong_hash_is_refused(aws, bucket):
    assert signed(aws, bucket, "ok", b"x").status_code == 200
    answer = signed(aws, bucket, "bad", b"x", declared="0" * 64)
    assert answer.status_code == 400
    assert "<Code>XAmzContentSHA256Mismatch</Code>" in answer.text
    assert refused(aws.s3.head_object, Bucket=bucket, Key="bad")[0] == 404


def test_a_bucket_of_another_account_than_expected_is_refused(aws, bucket):
    own = aws.sts.get_caller_identity()["Account"]
    denied = (403, "AccessDenied")
    aws.s3.put_object(Bucket=bucket, Key="owned", Body=b"x", ExpectedBucketOwner=own)
    calls = {
        "put": lambda owner: aws.s3.put_object(
            Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=owner
        ),
        "get": lambda owner: aws.s3.get_object(
            Bucket=bucket, Key="owned", ExpectedBucketOwner=owner
        ),
        "list": lambda owner: aws.s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner=owner),
        "delete": lambda owner: aws.s3.delete_object(
            Bucket=bucket, Key="k", ExpectedBucketOwner=owner
        ),
        "source": lambda owner: aws.s3.copy_object(
            Bucket=bucket,
            Key="copy",
            CopySource=f"{bucket}/owned",
            ExpectedSourceBucketOwner=owner,
        ),
    }
    for what, call in calls.items():
        call(own)
        assert refused(call, owner="999999999999")[:2] == denied, what
    absent = refused(aws.s3.get_object, Bucket=name("none"), Key="k", ExpectedBucketOwner=own)
    assert absent[0] == 404


def test_small_parts_are_refused(aws, bucket):
    upload = aws.s3.create_multipart_upload(Bucket=bucket, Key="mp")["UploadId"]

    def part(number, body):
        tag = aws.s3.upload_part(
            Bucket=bucket, Key="mp", UploadId=upload, PartNumber=number, Body=body
        )["ETag"]
        return {"PartNumber": number, "ETag": tag}

    def complete(*parts):
        return aws.s3.complete_multipart_upload(
            Bucket=bucket, Key="mp", UploadId=upload, MultipartUpload={"Parts": list(parts)}
        )

    small, last = part(1, b"x"), part(2, b"y")
    assert refused(lambda: complete(small, last)) == (
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
    )
    large = part(1, b"x" * (5 << 20))
    complete(large, last)
    assert aws.s3.head_object(Bucket=bucket, Key="mp")["ContentLength"] == (5 << 20) + 1


def test_parts_without_the_checksum_that_was_promised_are_refused(aws, bucket):
    place = {"Bucket": bucket, "Key": "sums"}
    place["UploadId"] = aws.s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")[
        "UploadId"
    ]
    (shown,) = [
        upload
        for upload in aws.s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
        if upload["UploadId"] == place["UploadId"]
    ]
    assert (shown["ChecksumAlgorithm"], shown["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert refused(
        lambda: aws.s3.upload_part(**place, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    ) == (
        400,
        "InvalidRequest",
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type:"
        " crc32",
    )
    part = aws.s3.upload_part(**place, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")
    named = {"PartNumber": 1, "ETag": part["ETag"]}

    def complete():
        aws.s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [named]})

    assert refused(complete) == (
        400,
        "InvalidRequest",
        "The upload was created using a sha256 checksum. The complete request must include the"
        " checksum for each part. It was missing for part 1 in the request.",
    )
    named["ChecksumSHA256"] = part["ChecksumSHA256"]
    complete()


def test_conditional_writes_have_one_winner(aws, bucket):
    def write(number):
        return signed(aws, bucket, "lease", b"%d" % number, **{"If-None-Match": "*"}).status_code

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(write, range(12)))
    assert sorted(answers) == [200] + [412] * 11
    tag = aws.s3.head_object(Bucket=bucket, Key="lease")["ETag"]
    assert signed(aws, bucket, "lease", b"new", **{"If-Match": tag}).status_code == 200
    assert signed(aws, bucket, "lease", b"old", **{"If-Match": tag}).status_code == 412
    assert signed(aws, bucket, "none", b"old", **{"If-Match": tag}).status_code == 404
    assert refused(aws.s3.delete_object, Bucket=bucket, Key="lease", IfMatch=tag)[0] == 412


def test_paged_listing(aws, bucket):
    for number in range(5):
        aws.s3.put_object(Bucket=bucket, Key=f"page/{number}", Body=b"1")
    pages = aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="page/", PaginationConfig={"PageSize": 2}
    )
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == [
        f"page/{n}" for n in range(5)
    ]


def test_bucket_with_objects_is_not_deleted(aws, bucket):
    aws.s3.put_object(Bucket=bucket, Key="kept", Body=b"")
    assert refused(aws.s3.delete_bucket, Bucket=bucket)[:2] == (409, "BucketNotEmpty")


def test_a_bucket_policy_that_wants_encryption(aws):
    """It holds for the account's own key, for whole objects, parts and copies."""
    bucket, key = name("bucket"), f"arn:aws:kms:us-east-1:{ACCOUNT}:key/one"
    aws.s3.create_bucket(Bucket=bucket)
    aws.s3.put_object(Bucket=bucket, Key="old", Body=b"x")
    objects = dict(Principal="*", Action="s3:PutObject", Resource=f"arn:aws:s3:::{bucket}/*")
    keys = "s3:x-amz-server-side-encryption"
    statements = [
        {"Effect": "Deny", **objects, "Condition": {"Null": {keys: "true"}}},
        {"Effect": "Deny", **objects,
         "Condition": {"StringNotEquals": {f"{keys}-aws-kms-key-id": key}}},
    ]  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    aws.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    calls = {
        "put": lambda **more: aws.s3.put_object(Bucket=bucket, Key="k", Body=b"x", **more),
        "parts": lambda **more: aws.s3.create_multipart_upload(Bucket=bucket, Key="m", **more),
        "copy": lambda **more: aws.s3.copy_object(
            Bucket=bucket, Key="c", CopySource=f"{bucket}/old", **more
        ),
    }
    wanted = dict(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    for what, call in calls.items():
        for given in ({}, {"ServerSideEncryption": "AES256"}, {**wanted, "SSEKMSKeyId": "other"}):
            status, code, text = refused(call, **given)
            assert (status, code) == (403, "AccessDenied"), (what, given)
            assert "with an explicit deny in a resource-based policy" in text
        call(**wanted)
    upload = calls["parts"](**wanted)["UploadId"]
    place = dict(Bucket=bucket, Key="m", UploadId=upload)
    tag = aws.s3.upload_part(**place, PartNumber=1, Body=b"y")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    aws.s3.complete_multipart_upload(**place, MultipartUpload=parts)
    assert aws.s3.get_object(Bucket=bucket, Key="m")["SSEKMSKeyId"] == key


def test_overlapping_notifications_are_refused(aws, bucket):
    sqs = aws.cloud.client("sqs")
    sqs.create_queue(
        QueueName="overlaps",
        Attributes={
            "Policy": json.dumps(
                {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "s3.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": "*",
                        }
                    ]
                }
            )
        },
    )

    def put(configs):
        aws.s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:overlaps",
                        "Events": [f"s3:ObjectCreated:{event}"],
                        "Filter": {
                            "Key": {
                                "FilterRules": [
                                    {"Name": "prefix", "Value": begin},
                                    {"Name": "suffix", "Value": end},
                                ]
                            }
                        },
                    }
                    for event, begin, end in configs
                ]
            },
        )

    put([("*", "a/", ".txt"), ("*", "b/", ".txt"), ("*", "a/", ".jpg")])
    put([("Put", "a/", ""), ("Copy", "a/", "")])
    for other in (("Put", "a/", ".txt"), ("*", "", ""), ("*", "a/b/", "x.txt")):
        answer = refused(put, configs=[("*", "a/", ".txt"), other])
        assert answer[:2] == (400, "InvalidArgument"), other
