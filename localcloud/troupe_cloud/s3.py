"""S3: parts of 5 MiB or more with the checksums that were promised, bodies that fit their hash,
buckets of the owner the caller expects, notifications that do not overlap.

What AWS does (S3 user guide, "Amazon S3 multipart upload limits"; API reference, "Common error
codes"): every part but the last has 5 MiB or more, else CompleteMultipartUpload answers
EntityTooSmall; an upload that was begun with ``x-amz-checksum-algorithm`` wants the checksum with
each part, and of each part again to be completed (user guide, "Checking object integrity"), and
ListMultipartUploads names the algorithm; a body whose SHA-256 differs from ``x-amz-content-sha256``
is XAmzContentSHA256Mismatch. A request whose ``x-amz-expected-bucket-owner`` (for the source of a
copy ``x-amz-source-expected-bucket-owner``) is not the account that owns the bucket is AccessDenied
(user guide, "Verifying bucket ownership with bucket owner condition"). Two notifications of one
bucket may not have an event in common for keys that fit the filters of both (user guide,
"Configuring event notifications using object key name filtering"). MiniStack accepts all five.

Without it fails: ``test_s3.py::test_small_parts_are_refused``
"""

import hashlib
import re
from urllib.parse import unquote

from ministack.services import s3

from troupe_cloud.patching import patch, require

require(s3, "_bucket_owner_account", "_error", "_multipart_uploads", "_parse_bucket_key", "_qp")
LEAST_PART = 5 * 1024 * 1024


def small_part(upload, body):
    """The number of the first part that is too small and not the last, or None."""
    numbers = sorted(
        {int(number) for number in re.findall(rb"<PartNumber>\s*(\d+)\s*</PartNumber>", body)}
    )
    for number in numbers[:-1]:
        if number in upload["parts"] and len(upload["parts"][number]["body"]) < LEAST_PART:
            return number
    return None


def algorithm(upload):
    return (upload or {}).get("checksum_algorithm") or ""


def unnamed_checksum(upload, body):
    """The number of the first part that is completed without its checksum, or None."""
    wanted = algorithm(upload)
    for part in re.findall(rb"<Part>(.*?)</Part>", body, re.DOTALL) if wanted else []:
        number = re.search(rb"<PartNumber>\s*(\d+)", part)
        if number and b"<Checksum%s>" % wanted.encode() not in part:
            return int(number[1])
    return None


@patch(s3, "_upload_part")
def upload_part(original, bucket_name, key, body, query_params, headers):
    upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"))
    given = {
        name.rpartition("-")[2]
        for name in headers
        if re.fullmatch(r"x-amz-checksum-(crc\w+|sha\w+)", name)
    }
    wanted = algorithm(upload).lower()
    if wanted and wanted not in given:
        return s3._error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {wanted}, actual checksum"
            f" Type: {min(given, default='null')}",
            400,
            f"/{bucket_name}/{key}",
        )
    return original(bucket_name, key, body, query_params, headers)


@patch(s3, "_list_multipart_uploads")
def list_multipart_uploads(original, bucket_name, query_params):
    status, headers, body = original(bucket_name, query_params)
    for upload_id, upload in s3._multipart_uploads.items():
        if status == 200 and algorithm(upload):
            shown = b"<UploadId>%s</UploadId>" % upload_id.encode()
            body = body.replace(
                shown,
                shown
                + b"<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType>"
                % algorithm(upload).encode(),
            )
    return status, headers, body


def have_common_event(x, y):
    return any(
        a == b
        or (a.endswith("*") and b.startswith(a[:-1]))
        or (b.endswith("*") and a.startswith(b[:-1]))
        for a in x["events"]
        for b in y["events"]
    )


def overlap(x, y):
    """Do two notifications want the same event of the same key?"""
    begins = [config["filter_prefix"] or "" for config in (x, y)]
    ends = [config["filter_suffix"] or "" for config in (x, y)]
    return (
        have_common_event(x, y)
        and (begins[0].startswith(begins[1]) or begins[1].startswith(begins[0]))
        and (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0]))
    )


@patch(s3, "_validate_notification_configs")
def validate_notification_configs(original, configs, *args, **kwargs):
    if any(overlap(x, y) for i, x in enumerate(configs) for y in configs[:i]):
        return s3._error(
            "InvalidArgument",
            "Configurations overlap. Configurations on the same bucket cannot share a common event"
            " type.",
            400,
        )
    return original(configs, *args, **kwargs)


@patch(s3, "_complete_multipart_upload")
def complete_multipart_upload(original, bucket_name, key, body, query_params, headers=None):
    upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"))
    if upload and small_part(upload, body) is not None:
        return s3._error(
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
            400,
            f"/{bucket_name}/{key}",
        )
    unnamed = unnamed_checksum(upload, body)
    if unnamed is not None:
        return s3._error(
            "InvalidRequest",
            f"The upload was created using a {algorithm(upload).lower()} checksum. The complete"
            f" request must include the checksum for each part. It was missing for part {unnamed} in"
            " the request.",
            400,
            f"/{bucket_name}/{key}",
        )
    return original(bucket_name, key, body, query_params, headers)


def is_another_owners(bucket, expected):
    """Does the bucket exist, and belong to somebody else than the caller expects?"""
    return bool(expected) and s3._bucket_owner_account(bucket) not in (None, expected)


def wrong_owner(path, headers):
    """The bucket that is not whose the caller says, or None."""
    bucket, _ = s3._parse_bucket_key(path, headers)
    if is_another_owners(bucket, headers.get("x-amz-expected-bucket-owner")):
        return bucket
    source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/").partition("/")[0]
    if is_another_owners(source, headers.get("x-amz-source-expected-bucket-owner")):
        return source
    return None


@patch(s3, "handle_request")
async def handle_request(original, method, path, headers, body, query_params, *args, **kwargs):
    declared = headers.get("x-amz-content-sha256", "")
    chunked = "aws-chunked" in headers.get("content-encoding", "") or headers.get(
        "x-amz-decoded-content-length"
    )
    if (
        re.fullmatch(r"[0-9a-f]{64}", declared)
        and not chunked
        and not kwargs.get("internal")
        and hashlib.sha256(body or b"").hexdigest() != declared
    ):
        return s3._error(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            400,
            path,
        )
    denied = None if kwargs.get("internal") else wrong_owner(path, headers)
    if denied:
        return s3._error("AccessDenied", "Access Denied", 403, f"/{denied}")
    return await original(method, path, headers, body, query_params, *args, **kwargs)
