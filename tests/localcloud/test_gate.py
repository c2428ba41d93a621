"""Who is let in: other users of the machine and web pages know the port, but not the secret."""

import hashlib
import json
import time

import boto3
import pytest
import requests
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cloud import ACCOUNT, NODE, REGION, Cloud, function_arn, invocation_uri, name, trust, zipped
from test_http import handshake

EVIL = "https://evil.example"
LIST = "/2015-03-31/functions/"
CALLER = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def sent(cloud, method, path, key=ACCOUNT, secret=None, service="lambda", change=None, **headers):
    """A call signed with ``secret`` (the right one by default); ``change`` alters it afterwards."""
    request = AWSRequest(method, cloud.endpoint + path, headers=headers, data=b"")
    SigV4Auth(Credentials(key, secret or cloud.secret), service, REGION).add_auth(request)
    made = requests.Request(method, request.url, headers=dict(request.headers)).prepare()
    if change:
        change(made)
    with requests.Session() as session:
        return session.send(made, timeout=30)


def cors(answer):
    return [key for key in answer.headers if key.lower().startswith("access-control-")]


def test_signed_calls_are_taken(cloud):
    answer = sent(cloud, "GET", LIST)
    assert answer.status_code == 200 and cors(answer) == []
    assert sent(cloud, "GET", LIST, Origin=f"http://localhost:{cloud.port}").status_code == 200


def other_body(request):
    request.body = b"x"
    request.headers["Content-Length"] = "1"


def later(request):
    request.headers["X-Amz-Date"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 5))


@pytest.mark.parametrize(
    "case",
    [
        dict(secret="test"),
        dict(secret="wrong" * 8),
        dict(key="test", secret="test"),
        dict(key="AKIAIOSFODNN7EXAMPLE"),
        dict(key="123456789012", secret="test"),
        dict(change=later),
        dict(change=other_body),
        dict(change=lambda request: setattr(request, "url", request.url + "x/aliases")),
        dict(change=lambda request: request.headers.pop("Authorization")),
        dict(change=lambda request: request.headers.update(Authorization="Basic dGVzdDp0ZXN0")),
        dict(change=lambda request: request.headers.update(Authorization="AWS test:x")),
        dict(change=lambda request: request.headers.update(Host="evil.example")),
        dict(change=lambda request: request.headers.update(Host="localhost.evil.example")),
        dict(change=lambda request: request.headers.update(Origin=EVIL)),
        dict(change=lambda request: request.headers.update(Origin="null")),
    ],
)
@pytest.mark.parametrize("service", ["lambda", "s3"])
def test_others_are_refused(cloud, service, case):
    answer = sent(cloud, "GET", LIST if service == "lambda" else "/", service=service, **case)
    assert answer.status_code in (400, 401, 403), answer.text
    assert "Functions" not in answer.text and "Buckets" not in answer.text and cors(answer) == []


# Every address of MiniStack that shows or changes something, and calls that need no header.
UNSIGNED = [
    ("POST", "/_ministack/reset", {}),
    ("POST", "/_ministack/reset?init=1", {}),
    ("POST", "/_ministack/config", {}),
    ("GET", "/_ministack/ready", {}),
    ("GET", "/_ministack/ses/messages", {}),
    ("GET", "/_ministack/sqs/messages", {}),
    ("GET", "/_ministack/sns/sms-messages", {}),
    ("GET", f"/_ministack/lambda-code/{ACCOUNT}/{REGION}/x", {}),
    ("GET", "/_localstack/health", {}),
    ("GET", "/health", {}),
    ("GET", "/", {}),
    ("PUT", "/a-bucket", {}),
    ("GET", LIST, {}),
    ("POST", "/", {"data": CALLER, "headers": FORM}),
    ("POST", "/", {"data": "Action=ListUsers&Version=2010-05-08", "headers": FORM}),
    ("POST", "/", {"data": "{}", "headers": {"X-Amz-Target": "DynamoDB_20120810.ListTables"}}),
    ("GET", "/?Action=ListTopics&Version=2010-03-31", {}),
    ("OPTIONS", LIST, {"headers": {"Origin": EVIL, "Access-Control-Request-Method": "POST"}}),
    ("GET", "/v2/", {}),
    ("GET", "/iceberg/v1/config", {}),
    ("GET", "/oauth2/authorize", {}),
]


@pytest.mark.parametrize("method, path, more", UNSIGNED)
def test_nothing_is_done_without_a_signature(aws, method, path, more):
    bucket = name("stays")
    aws.s3.create_bucket(Bucket=bucket)
    for host in (None, "x.localhost", f"{'a' * 8}.execute-api.localhost", "evil.example"):
        answer = aws.cloud.get(path, host=host, method=method, **more)
        # An API that is not there is told so; the others are refused.
        wanted = (403, 404) if host and "execute-api" in host else (400, 401, 403)
        assert answer.status_code in wanted, (host, answer.status_code, answer.text)
        assert cors(answer) == []
    aws.s3.head_bucket(Bucket=bucket)


def test_a_page_cannot_empty_the_cloud(aws):
    """A form of another page needs no permission of a browser to be sent."""
    bucket = name("stays")
    aws.s3.create_bucket(Bucket=bucket)
    form = {"Origin": EVIL, **FORM}
    assert aws.cloud.get("/_ministack/reset", method="POST", headers=form).status_code == 403
    wrong = {"X-Troupe-Secret": "test"}
    assert aws.cloud.get("/_ministack/reset", method="POST", headers=wrong).status_code == 403
    right = {"X-Troupe-Secret": aws.cloud.secret, "Origin": EVIL}
    assert aws.cloud.get("/_ministack/reset", method="POST", headers=right).status_code == 403
    aws.s3.head_bucket(Bucket=bucket)
    right = {"X-Troupe-Secret": aws.cloud.secret}
    assert aws.cloud.get("/_ministack/sqs/messages", headers=right).status_code != 403
    assert aws.cloud.get("/_ministack/health").status_code == 200
    assert aws.cloud.get("/_ministack/health", host="evil.example").status_code == 403


def test_the_secret_empties_it(tmp_path):
    cloud = Cloud(tmp_path)
    try:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="gone")
        right = {"X-Troupe-Secret": cloud.secret}
        assert cloud.get("/_ministack/reset", method="POST", headers=right).status_code == 200
        assert s3.list_buckets()["Buckets"] == []
    finally:
        cloud.stop()


# -- what users of a service call ------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(aws):
    """An HTTP API with paths that MiniStack has, too, and CORS settings; another needs IAM."""
    function = aws.function("one")
    aws.lam.add_permission(FunctionName=function, StatementId="a", Principal="apigateway.amazonaws.com",
                           Action="lambda:InvokeFunction")  # fmt: skip
    id = aws.http.create_api(
        Name=name("gate"),
        ProtocolType="HTTP",
        CorsConfiguration={"AllowOrigins": ["https://shop.example"], "AllowMethods": ["GET"]},
    )["ApiId"]
    integration = aws.http.create_integration(
        ApiId=id,
        IntegrationType="AWS_PROXY",
        PayloadFormatVersion="2.0",
        IntegrationUri=invocation_uri(function_arn(function)),
    )["IntegrationId"]
    target = f"integrations/{integration}"
    aws.http.create_route(ApiId=id, RouteKey="ANY /{any+}", Target=target)
    aws.http.create_route(
        ApiId=id, RouteKey="GET /signed", Target=target, AuthorizationType="AWS_IAM"
    )
    aws.http.create_stage(ApiId=id, StageName="$default", AutoDeploy=True)
    return id


def test_users_need_no_signature(aws, api):
    host = f"{api}.execute-api.localhost"
    for path, at in ((f"/_aws/execute-api/{api}/$default/x", None), ("/x", host)):
        answer = aws.cloud.get(path, host=at, headers={"Authorization": "Bearer x"})
        assert answer.json()["tag"] == "one", answer.text
        assert cors(answer) == []
        assert aws.cloud.get(path, host=f"{api}.execute-api.evil.example").status_code == 403
    assert aws.cloud.get("/x?Signature=theirs&Action=own", host=host).json()["tag"] == "one"


@pytest.mark.parametrize(
    "path", ["/health", "/_ministack/reset", "/v2/email/x", "/iceberg/x", "/_aws/x"]
)
def test_paths_of_an_api_are_its_own(aws, api, path):
    bucket = name("stays")
    aws.s3.create_bucket(Bucket=bucket)
    answer = aws.cloud.get(path, host=f"{api}.execute-api.localhost", method="POST")
    assert answer.json()["event"]["rawPath"] == path
    aws.s3.head_bucket(Bucket=bucket)


def test_cors_is_what_the_api_says(aws, api):
    host = f"{api}.execute-api.localhost"

    def allowed(origin, method="GET"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = aws.cloud.get("/x", host=host, method=method, headers=headers)
        return answer.headers.get("Access-Control-Allow-Origin")

    for method in ("GET", "OPTIONS"):
        assert allowed("https://shop.example", method) == "https://shop.example"
        assert allowed(EVIL, method) is None


def test_iam_of_an_api_is_asked(aws, api):
    path = f"/_aws/execute-api/{api}/$default/signed"
    assert sent(aws.cloud, "GET", path, service="execute-api").status_code == 200
    assert sent(aws.cloud, "GET", path, secret="test", service="execute-api").status_code == 403
    assert aws.cloud.get(path).status_code == 403
    assert aws.cloud.get(f"{path}?AWSAccessKeyId=test&Signature=x").status_code in (400, 403)


def test_websockets_need_a_local_name(aws):
    assert handshake(aws, "a" * 8, "dev") == 403
    assert handshake(aws, "a" * 8, "dev", host="evil.example") == 403


def test_function_urls_are_public_as_configured(aws):
    function = aws.function("url")
    origins = {"AllowOrigins": ["https://shop.example"]}
    url = aws.lam.create_function_url_config(FunctionName=function, AuthType="NONE", Cors=origins)
    aws.lam.add_permission(FunctionName=function, StatementId="u", Principal="*",
                           Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")  # fmt: skip
    id = url["FunctionUrl"].split("//")[1].split(".")[0]
    host = f"{id}.lambda-url.{REGION}.on.aws"
    for path, at in (("/health", host), (f"/_aws/lambda-url/{id}/health", None)):
        answer = aws.cloud.get(path, host=at, headers={"Origin": EVIL})
        assert answer.json()["event"]["rawPath"] == "/health" and cors(answer) == []
    answer = aws.cloud.get("/", host=host, headers={"Origin": "https://shop.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert aws.cloud.get("/", host=f"{id}.lambda-url.{REGION}.evil.example").status_code == 403


# -- signatures that are not in a header -----------------------------------------------------------


def signer_of(cloud, version):
    """A client for S3; of itself it signs addresses in us-east-1 with version 2."""
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name=REGION,
        config=Config(signature_version=version, s3={"addressing_style": "path"}),
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=cloud.secret,
    )


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_addresses(aws, version):
    s3, bucket = signer_of(aws.cloud, version), name("signed")
    aws.s3.create_bucket(Bucket=bucket)
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b"}, 60)
    assert requests.put(put, data=b"content", timeout=60).status_code == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"}, 60)
    assert requests.get(get, timeout=60).content == b"content"
    for wrong in (
        get.replace("a%20b", "a"),
        get.split("?")[0],
        get.replace("Signature=", "Signature=x"),
    ):
        assert requests.get(wrong, timeout=60).status_code == 403
    request = AWSRequest("GET", f"{aws.cloud.endpoint}/{bucket}/a")
    signer = S3SigV4QueryAuth(Credentials(ACCOUNT, "test"), "s3", REGION)
    signer.add_auth(request)
    assert requests.get(request.url, timeout=60).status_code == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_expired_address(aws, version):
    bucket = name("signed")
    aws.s3.create_bucket(Bucket=bucket)
    aws.s3.put_object(Bucket=bucket, Key="k")
    for seconds, status in ((60, 200), (-5, 403)):
        url = signer_of(aws.cloud, version).generate_presigned_url(
            "get_object", {"Bucket": bucket, "Key": "k"}, seconds
        )
        assert requests.get(url, timeout=60).status_code == status


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_forms_need_a_signed_policy(aws, version):
    bucket = name("forms")
    aws.s3.create_bucket(Bucket=bucket)
    post = signer_of(aws.cloud, version).generate_presigned_post(bucket, "k")
    file = {"file": ("f", b"x")}
    assert requests.post(post["url"], data=post["fields"], files=file, timeout=60).ok
    signature = "signature" if version == "s3" else "x-amz-signature"
    for fields in ({"key": "no"}, {**post["fields"], signature: "0" * 64}):
        assert requests.post(post["url"], data=fields, files=file, timeout=60).status_code == 403
    answer = requests.post(post["url"] + "?delete", data={"key": "k"}, files=file, timeout=60)
    assert answer.status_code == 403
    assert [item["Key"] for item in aws.s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_a_bucket_says_what_pages_may(aws):
    bucket = name("cors")
    aws.s3.create_bucket(Bucket=bucket)
    rules = [{"AllowedOrigins": ["http://localhost:3000"], "AllowedMethods": ["GET", "PUT"]}]
    aws.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    ask = {"Access-Control-Request-Method": "PUT"}
    for origin, allowed in (("http://localhost:3000", True), (EVIL, False)):
        headers = {**ask, "Origin": origin}
        answer = aws.cloud.get(f"/{bucket}/k", method="OPTIONS", headers=headers)
        assert bool(cors(answer)) == allowed


# -- functions -------------------------------------------------------------------------------------

ASKS = """
const http = require('http');
exports.handler = async () => ({key: process.env.AWS_ACCESS_KEY_ID,
  secret: process.env.AWS_SECRET_ACCESS_KEY, token: process.env.AWS_SESSION_TOKEN,
  all: JSON.stringify(process.env), endpoint: process.env.AWS_ENDPOINT_URL});
"""


def test_functions_have_keys_of_their_own(aws):
    """They hold for the function's role, and nobody can compute them."""
    role = name("role")
    aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust()))
    allow = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    aws.iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [allow]}))  # fmt: skip
    function = aws.function(files={"index.js": ASKS}, Role=f"arn:aws:iam::{ACCOUNT}:role/{role}")
    _, failed, seen = aws.call(function)
    assert not failed and aws.cloud.secret not in seen["all"], seen
    config = Config(retries={"total_max_attempts": 1})

    def client(service, secret=seen["secret"], token=seen["token"]):
        return boto3.client(service, endpoint_url=seen["endpoint"], region_name=REGION, config=config,
                            aws_access_key_id=seen["key"], aws_secret_access_key=secret,
                            aws_session_token=token)  # fmt: skip

    assert "Buckets" in client("s3").list_buckets()
    with pytest.raises(ClientError, match="AccessDenied"):
        client("lambda").list_functions()
    # What anybody can compute who knows the two names (MiniStack's execution_credentials).
    arns = f"{function_arn(function)}:arn:aws:iam::{ACCOUNT}:role/{role}"
    digest = hashlib.sha256(arns.encode()).hexdigest()
    computed = {part: hashlib.sha256(f"{part}:{digest}".encode()).hexdigest()
                for part in ("secret", "token")}  # fmt: skip
    for wrong in (computed, dict(secret="wrong"), dict(token="wrong"), dict(token=None)):
        with pytest.raises(ClientError):
            client("s3", **wrong).list_buckets()


def test_code_is_shown_to_who_was_given_its_address(aws):
    function = aws.function(files={"index.js": NODE % "secret code"})
    url = aws.lam.get_function(FunctionName=function)["Code"]["Location"]
    assert requests.get(url, timeout=60).content[:2] == b"PK"
    assert requests.get(url.split("&X-Troupe")[0], timeout=60).status_code == 403
    other = aws.function("other")
    assert requests.get(url.replace(function, other), timeout=60).status_code == 403
    content = {"ZipFile": zipped({"a": "b"})}
    layer = aws.lam.publish_layer_version(LayerName=name("layer"), Content=content)
    url = layer["Content"]["Location"]
    assert requests.get(url, timeout=60).content[:2] == b"PK"
    assert requests.get(url.split("?")[0], timeout=60).status_code == 403


# -- users of a user pool --------------------------------------------------------------------------


def test_sign_in_is_public_and_administration_is_not(aws):
    pools = aws.cloud.client("cognito-idp")
    pool = pools.create_user_pool(PoolName="p")["UserPool"]["Id"]
    assert aws.cloud.get(f"/{pool}/.well-known/jwks.json").json()["keys"]
    assert aws.cloud.get("/bucket/.well-known/jwks.json").status_code == 403

    def call(operation):
        headers = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
                   "Content-Type": "application/x-amz-json-1.1"}  # fmt: skip
        return aws.cloud.get("/", method="POST", headers=headers, data='{"ClientId": "none"}').text

    assert "ResourceNotFoundException" in call("InitiateAuth")
    assert "MissingAuthenticationToken" in call("ListUserPools")
