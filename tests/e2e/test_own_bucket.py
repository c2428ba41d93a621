"""A deployment bucket that the user brings, and that cannot be used: said before anything
is made.
"""

SERVICE = """service: brought
provider:
  name: aws
  runtime: nodejs22.x
  deploymentBucket: {bucket}
functions:
  a: {{handler: handler.main}}
"""


def test_a_bucket_that_cannot_be_used(troupe, account):
    account.client("s3", "eu-west-1").create_bucket(
        Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    account.client("s3").create_bucket(Bucket="brought-here")
    cases = {
        "nowhere": "there is no bucket 'nowhere'",
        "elsewhere": "is in eu-west-1, and the service in us-east-1",
        "brought-here": "provider.deploymentBucket 'brought-here'",
    }
    troupe.write({"handler.js": "exports.main = async () => 1;\n"})
    before = troupe.world()
    for bucket, said in cases.items():
        if bucket == "brought-here":  # somebody else's, for as long
            troupe.proxy.fail(status=403, code="AccessDenied", operation="HeadBucket", times=6)
        for written in (bucket, f"{{name: {bucket}}}"):
            troupe.write({"serverless.yml": SERVICE.format(bucket=written)})
            for command in (["plan", "dev"], ["deploy", "dev"], ["deploy", "--service"]):
                result = troupe(*command, check=1)
                assert said in result.err, str(result)
                assert "--> serverless.yml:5:" in result.err or bucket == "brought-here"
    troupe.proxy.clear()
    assert troupe.world() == before
    troupe.write({"serverless.yml": SERVICE.format(bucket="brought-here")})
    troupe("deploy", "dev")
    assert "nothing to do" in troupe("deploy", "dev").out
