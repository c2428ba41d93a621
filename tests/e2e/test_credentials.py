"""Profiles whose credentials others give out: logins and roles, side by side with botocore.

A server on loopback is the login services. botocore and troupe each get a home with the same files;
what they send, and what they leave in the aws command's caches, has to be the same.
"""

import base64
import hashlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from program import PROGRAM, SANITIZED, bare_environment

SERVICE = "service: shop\nprovider:\n  name: aws\n  runtime: nodejs20.x\n%s"
SESSION = "arn:aws:sts::1:assumed-role/me"
KEYS = "AccessKeyId", "SecretAccessKey", "SessionToken"
CONFIG = f"""
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Dev Role
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://corp.awsapps.com/start
sso_registration_scopes = sso:account:access
[profile login]
login_session = {SESSION}
region = us-east-1
[profile base]
aws_access_key_id = %s
aws_secret_access_key = %s
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/deployer
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
external_id = "a/b" c
duration_seconds = 3600
region = us-east-1
"""

# botocore in a process of its own, as it looks at the home folder when it is loaded. The key of a
# login it signs with a package that need not be there: openssl does the same.
BOTOCORE = """
import os, subprocess, sys, tempfile
import botocore.credentials, botocore.session
from botocore.utils import JSONFileCache

class EC:
    def __init__(self, der):
        self.der = der
    new_key_from_der_data = classmethod(lambda cls, der: cls(der))
    def openssl(self, *args, data=b""):
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.der), file.flush()
            words = [file.name if word == "KEY" else word for word in args]
            return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout
    def get_public_coords(self):
        point = self.openssl("ec", "-inform", "DER", "-in", "KEY", "-pubout", "-outform", "DER")[-64:]
        return point[:32], point[32:]
    def sign(self, digest):
        return self.openssl("pkeyutl", "-sign", "-inkey", "KEY", "-keyform", "DER", data=digest)
    @staticmethod
    def decode_der_signature_to_padded_pair(der, pad_to):
        numbers, rest = [], der[2:]
        for _ in range(2):
            length = rest[1]
            numbers.append(int.from_bytes(rest[2:2 + length], "big").to_bytes(pad_to, "big"))
            rest = rest[2 + length:]
        return b"".join(numbers)

botocore.credentials.EC = EC
session = botocore.session.Session(profile=sys.argv[1])
provider = session.get_component("credential_provider").get_provider("assume-role")
provider._prompter = lambda question: "123456"
provider.cache = JSONFileCache(os.path.expanduser("~/.aws/cli/cache"))  # as the aws command does
print(session.get_credentials().get_frozen_credentials().access_key)
"""


class Logins:
    """IAM Identity Center, sign-in and STS: each refresh token is good for one renewal."""

    def __init__(self, session):
        self.session, self.requests, self.refuse = session, [], None
        self.lock, self.used = threading.Lock(), set()
        logins = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                url = urlsplit(self.path)
                with logins.lock:
                    logins.requests.append(
                        (self.command, url, {k.lower(): v for k, v in self.headers.items()}, body)
                    )
                    status, text = logins.answer(url.path, body)
                self.send_response(status)
                self.send_header(
                    "content-type", "text/xml" if text.startswith("<") else "application/json"
                )
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path, body):
        keys = {name[0].lower() + name[1:]: self.session[name] for name in KEYS}
        if path == "/federation/credentials":
            return 200, json.dumps(
                {"roleCredentials": {**keys, "expiration": int(time.time() + 3600) * 1000}}
            )
        if path == "/":
            return 200, (
                "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
                + "".join(f"<{name}>{self.session[name]}</{name}>" for name in KEYS)
                + "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/deployer/x</Arn>"
                "<AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
            )
        token = json.loads(body)["refreshToken"]
        if self.refuse or token in self.used:
            return 400, json.dumps(
                self.refuse or {"error": "invalid_grant", "error_description": "used"}
            )
        self.used.add(token)
        given = {
            "expiresIn": 900 if path == "/v1/token" else 3600,
            "refreshToken": f"{token}+",
            "tokenType": "Bearer",
        }
        return 200, json.dumps(
            {**given, "accessToken": keys if path == "/v1/token" else f"access of {token}"}
        )

    def since(self, mark=0):
        return [seen(*request) for request in self.requests[mark:]]


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def proof(token):
    """What a DPoP header says; openssl checks its signature with the key in it."""
    head, claims, signature = token.split(".")
    said = {"head": json.loads(unpadded(head)), "claims": json.loads(unpadded(claims))}
    key = said["head"]["jwk"]
    info = (
        bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
        + unpadded(key["x"])
        + unpadded(key["y"])
    )
    pair = [int.from_bytes(unpadded(signature)[i : i + 32], "big") for i in (0, 32)]
    numbers = b"".join(
        b"\x02" + bytes([len(n)]) + n
        for n in (n.to_bytes(33, "big").lstrip(b"\0") for n in pair)
        for n in [b"\0" + n if n[0] > 127 else n]
    )
    der = b"\x30" + bytes([len(numbers)]) + numbers
    digest = hashlib.sha256(f"{head}.{claims}".encode()).digest()
    read, write = zip(*(os.pipe() for _ in range(2)))
    for end, data in zip(write, (info, der)):
        os.write(end, data), os.close(end)
    subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-keyform",
            "DER",
            "-inkey",
            f"/dev/fd/{read[0]}",
            "-sigfile",
            f"/dev/fd/{read[1]}",
        ],
        input=digest,
        pass_fds=read,
        check=True,
        capture_output=True,
    )
    [os.close(end) for end in read]
    assert abs(said["claims"].pop("iat") - time.time()) < 300
    assert len(said["claims"].pop("jti")) == 36
    return said


def seen(method, url, headers, body):
    """A request, without what differs from run to run."""
    kept = {
        name: headers[name]
        for name in ("x-amz-sso_bearer_token", "content-type")
        if name in headers and body or name == "x-amz-sso_bearer_token" and name in headers
    }
    kept["content-type"] = kept.get("content-type", "").partition(";")[0]
    if "dpop" in headers:
        kept["dpop"] = proof(headers["dpop"])
    signer = headers.get("authorization", "unsigned").partition("/")[0]
    form = kept["content-type"] == "application/x-www-form-urlencoded"
    data = {**dict(parse_qsl(body)), "RoleSessionName": "x"} if form else json.loads(body or "null")
    return method, url.path, sorted(parse_qsl(url.query)), signer, kept, data


def in_minutes(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60 * n))


class Home:
    """A home folder with logins that end in ``minutes``; ``same`` is the part of tokens that makes
    them its own.
    """

    def __init__(self, folder, account, session, key, minutes):
        self.path, self.session = folder, session
        sso = {
            "startUrl": "https://corp.awsapps.com/start",
            "region": "us-east-1",
            "accessToken": "old",
            "expiresAt": in_minutes(minutes),
            "clientId": "client",
            "clientSecret": "secret",
            "registrationExpiresAt": in_minutes(60 * 24),
            "refreshToken": "again",
        }
        login = {
            "accessToken": {
                "accessKeyId": session["AccessKeyId"],
                "accountId": "123456789012",
                "expiresAt": in_minutes(minutes),
                "secretAccessKey": session["SecretAccessKey"],
                "sessionToken": session["SessionToken"],
            },
            "tokenType": "aws_sigv4",
            "clientId": "arn:aws:signin:::devtools/same-device",
            "refreshToken": "login again",
            "idToken": "id",
            "dpopKey": key,
        }
        self.write("config", CONFIG % (account.id, account.cloud.secret))
        self.write(f"sso/cache/{hashlib.sha1(b'corp').hexdigest()}.json", json.dumps(sso))
        self.write(
            f"login/cache/{hashlib.sha256(SESSION.encode()).hexdigest()}.json", json.dumps(login)
        )

    def write(self, name, text):
        path = self.path / ".aws" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def caches(self):
        """What is in the caches, without what differs from run to run, and the mode of the
        files.
        """
        found = {}
        for path in sorted((self.path / ".aws").glob("*/cache/*")):
            content = json.loads(path.read_text())
            for holder, key in (
                (content, "expiresAt"),
                (content, "registrationExpiresAt"),
                (content.get("accessToken"), "expiresAt"),
            ):
                if isinstance(holder, dict) and key in holder:
                    minutes = (
                        time.mktime(time.strptime(holder[key], "%Y-%m-%dT%H:%M:%SZ"))
                        - time.mktime(time.gmtime())
                    ) / 60
                    holder[key] = round(minutes / 5) * 5
            if (
                "Credentials" in content
            ):  # of AssumeRole: botocore adds what it was answered beside them
                content = {name: content["Credentials"][name] for name in KEYS}
            found[f"{path.parent.parent.name}/{path.name}"] = (
                content,
                oct(path.stat().st_mode & 0o777),
            )
        return found


@pytest.fixture
def session(account, proxy):
    """Credentials that all logins end in: a role's that may do everything in the account."""
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = account.client("iam")
    role = iam.create_role(
        RoleName="deployer", AssumeRolePolicyDocument=json.dumps({"Statement": [anybody]})
    )["Role"]
    iam.put_role_policy(
        RoleName="deployer",
        PolicyName="all",
        PolicyDocument=json.dumps({"Statement": [everything]}),
    )
    made = account.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")[
        "Credentials"
    ]
    proxy.secrets[made["AccessKeyId"]] = made["SecretAccessKey"]
    proxy.tokens[made["AccessKeyId"]] = made["SessionToken"]
    return made


@pytest.fixture
def logins(session):
    made = Logins(session)
    yield made
    made.close()


@pytest.fixture
def homes(tmp_path, account, session):
    key = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return lambda name, minutes: Home(tmp_path / name, account, session, key, minutes)


def use(troupe, home, logins, profile="", **env):
    """Let it run in ``home``, with the login services of ``logins`` and without keys in the
    environment.
    """
    troupe.home = home.path
    troupe.env = {"AWS_ENDPOINT_URL": troupe.proxy.endpoint, "AWS_PROFILE": profile or None, **env}
    for service in ("SSO", "SSO_OIDC", "SIGNIN"):
        troupe.env[f"AWS_ENDPOINT_URL_{service}"] = logins.url


def botocore(home, logins, profile):
    env = {**bare_environment(home.path), "AWS_ENDPOINT_URL": logins.url}
    ran = subprocess.run(
        [sys.executable, "-c", BOTOCORE, profile], env=env, capture_output=True, text=True
    )
    assert ran.returncode == 0 and ran.stdout.strip() == home.session["AccessKeyId"], ran


def answer_on_terminal(troupe, question, text, *args):
    """Run with a terminal as stdin; give ``text`` once ``question`` is asked."""
    ours, theirs = pty.openpty()
    env = {
        key: value
        for key, value in {**bare_environment(troupe.home), **troupe.env}.items()
        if value
    }
    process = subprocess.Popen(
        [PROGRAM, *args],
        cwd=troupe.folder,
        env=env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    told = b""
    while question not in told and (more := os.read(process.stderr.fileno(), 4096)):
        told += more
    os.write(ours, text)
    out, err = process.communicate(timeout=180)
    os.close(ours)
    assert not any(word.encode() in told + err for word in SANITIZED), told + err
    return process.returncode, (told + err).decode(), out.decode()


def test_logins_are_renewed_as_botocore_does(troupe, logins, homes):
    """The requests and what is kept are botocore's; what was renewed is good for calls."""
    troupe.write({"serverless.yml": SERVICE % ""})
    for profile, minutes, renewals in (
        ("sso", 60, 0),
        ("sso", 8, 1),
        ("sso", -600, 1),
        ("login", 60, 0),
        ("login", 4, 1),
        ("login", -600, 1),
    ):
        sent, kept = [], []
        for who in ("botocore", "troupe"):
            home = homes(f"{who}-{profile}-{minutes}", minutes)
            logins.used.clear()
            mark = len(logins.requests)
            if who == "botocore":
                botocore(home, logins, profile)
            else:
                use(troupe, home, logins, profile)
                troupe("stages")
            sent.append(logins.since(mark))
            kept.append(home.caches())
        assert sent[1] == sent[0], (profile, minutes)
        assert len([request for request in sent[1] if request[0] == "POST"]) == renewals
        files = [{name: content for name, (content, _) in one.items()} for one in kept]
        assert files[1] == files[0], (profile, minutes)
        renewed = [mode for name, (_, mode) in kept[1].items() if name.startswith(f"{profile}/")]
        assert not renewals or renewed == ["0o600"]


def test_runs_at_once_renew_a_login_once(troupe, logins, homes):
    """A refresh token is good for one renewal: the others wait, and take what the first one got."""
    troupe.write({"serverless.yml": SERVICE % ""})
    for profile in ("sso", "login"):
        logins.used.clear()
        use(troupe, homes(f"many-{profile}", -5), logins, profile)
        mark = len(logins.requests)
        for result in [run.wait() for run in [troupe.start("stages") for _ in range(4)]]:
            assert result.code == 0, result
        assert len([request for request in logins.since(mark) if request[0] == "POST"]) == 1


def test_a_code_is_asked_for_on_a_terminal(troupe, logins, homes):
    """The session is the aws command's: what it kept, troupe uses, and the other way round."""
    troupe.write({"serverless.yml": SERVICE % ""})
    ours, theirs = homes("troupe", 60), homes("botocore", 60)
    use(troupe, ours, logins, "mfa", AWS_ENDPOINT_URL_STS=logins.url)
    refused = troupe("stages", check=False)
    assert (
        refused.code == 1
        and "needs a code of MFA device 'arn:aws:iam::123456789012:mfa/me'" in refused.err
    )
    assert "aws sts get-caller-identity --profile mfa" in refused.err and not logins.requests
    code, told, _ = answer_on_terminal(troupe, b"code of MFA device", b" 123456 \n", "stages")
    assert code == 0, told
    first = [request for request in logins.since() if request[-1].get("Action") == "AssumeRole"]
    mark = len(logins.requests)
    botocore(theirs, logins, "mfa")
    assert first == logins.since(mark), "the request is not botocore's"
    assert ours.caches() == theirs.caches()
    mark = len(logins.requests)
    troupe("stages")
    botocore(ours, logins, "mfa")
    use(troupe, theirs, logins, "mfa", AWS_ENDPOINT_URL_STS=logins.url)
    troupe("stages")
    assert not [
        request for request in logins.since(mark) if request[-1].get("Action") == "AssumeRole"
    ]


def test_errors_name_the_profile_and_the_command(troupe, logins, homes):
    """Whoever reads it knows which profile is meant, who chose it, and what to type."""
    old = homes("old", -600)
    chosen = {name: f"  profile: {name}\n" for name in ("nope", "sso", "login", "mfa")}
    cases = [
        ("nope", "AWS profile 'nope' does not exist", "use one of: sso, login, base, mfa"),
        (
            "sso",
            "AWS profile 'sso': the SSO login has expired and cannot be renewed",
            "aws sso login --profile sso",
        ),
        (
            "login",
            "AWS profile 'login': its login has expired and cannot be renewed",
            "aws login --profile login",
        ),
        (
            "mfa",
            "AWS profile 'mfa': its role needs a code of MFA device",
            "aws sts get-caller-identity --profile mfa",
        ),
    ]
    logins.refuse = {
        "error": "invalid_grant",
        "error_description": "it was revoked",
        "message": "it was revoked",
    }
    use(troupe, old, logins)
    wrong = []
    for profile, message, command in cases:
        troupe.write({"serverless.yml": SERVICE % chosen[profile]})
        for args, place in ((("stages",), True), (("stages", "--aws-profile", profile), False)):
            result = troupe(*args, check=False)
            named = (
                "serverless.yml:5:12" in result.err
                and f"AWS profile '{profile}' is chosen here" in result.err
            )
            if (
                result.code != 1
                or message not in result.err
                or command not in result.err
                or named != place
            ):
                wrong.append(str(result))
            if profile in ("sso", "login") and "it was revoked" not in result.err:
                wrong.append(str(result))
    assert not wrong, "\n\n".join(wrong)


def test_the_profile_is_the_one_that_the_framework_takes(troupe, account):
    """Keys in the environment, as in CI, go before the service's profile; an option goes before
    all.
    """
    keys = {
        name: f"{number}{account.id[1:]}"
        for number, name in enumerate(("env", "one", "two", "three"), 2)
    }
    files = "".join(
        f"[profile {name}]\naws_access_key_id = {key}\naws_secret_access_key ="
        f" {account.cloud.secret}\n"
        for name, key in keys.items()
        if name != "env"
    )
    (troupe.home / ".aws").mkdir(parents=True)
    (troupe.home / ".aws/config").write_text(files)
    troupe.env = {"AWS_ENDPOINT_URL": troupe.proxy.endpoint}
    in_ci = {"AWS_ACCESS_KEY_ID": keys["env"], "AWS_SECRET_ACCESS_KEY": account.cloud.secret}
    cases = [  # provider.profile, variables, options, whose key signs; or an error
        ("one", {}, (), "one"),
        ("one", {"AWS_PROFILE": "two"}, (), "two"),
        ("one", {"AWS_DEFAULT_PROFILE": "two"}, (), "one"),
        ("one", in_ci, (), "env"),
        ("nope", in_ci, (), "env"),
        ("one", {"AWS_PROFILE": "two", **in_ci}, ("--aws-profile", "three"), "three"),
        ("one", {"AWS_DEV_PROFILE": "two"}, ("--aws-profile", "three"), "three"),
        ("one", {"AWS_PROD_PROFILE": "two", "AWS_DEV_PROFILE": ""}, (), "one"),
        ("one", {"AWS_DEV_PROFILE": "two"}, (), "AWS_DEV_PROFILE is set"),
        ("one", {"AWS_DEV_ACCESS_KEY_ID": "two"}, (), "AWS_DEV_ACCESS_KEY_ID is set"),
    ]
    wrong = []
    for profile, env, options, who in cases:
        troupe.write(
            {
                "serverless.yml": (
                    SERVICE % f"  profile: {profile}\ncustom: {{v: '${{ssm:/v, \"none\"}}'}}\n"
                )
            }
        )
        for args in (("info", "dev"), ("print", "dev")):
            result = troupe(*args, *options, "--debug-http", env=env, check=False)
            signers = {word.partition("/")[0] for word in result.err.split("Credential=")[1:]}
            if (
                who in keys
                and signers != {keys[who]}
                or who not in keys
                and (result.code != 2 or who not in result.err or signers)
            ):
                wrong.append(f"{profile} {env}: {signers}\n{result}")
    assert not wrong, "\n\n".join(wrong)


def test_settings_of_endpoints_are_not_ignored(troupe):
    """FIPS and dual-stack endpoints are used or refused, before anything is sent."""
    troupe.write({"serverless.yml": SERVICE % "  region: ${env:REGION, 'us-east-1'}\n"})
    aws = {"AWS_ENDPOINT_URL": None}
    cases = [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, 2, "is not AWS's, but FIPS endpoints are asked for"),
        (
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            2,
            "is not AWS's, but dual-stack endpoints are asked for",
        ),
        (
            {"AWS_USE_FIPS_ENDPOINT": "1"},
            2,
            "AWS_USE_FIPS_ENDPOINT must be 'true' or 'false', not '1'",
        ),
        (
            {"AWS_USE_FIPS_ENDPOINT": "true", "REGION": "cn-north-1", **aws},
            2,
            "s3 has no FIPS endpoint in cn-north-1",
        ),
        ({"AWS_USE_FIPS_ENDPOINT": "false", "AWS_USE_DUALSTACK_ENDPOINT": "FALSE"}, 0, ""),
    ]
    wrong = []
    for env, code, message in cases:
        mark = troupe.proxy.mark()
        result = troupe("stages", env=env, check=False)
        if (
            result.code != code
            or message not in result.err
            or (code and troupe.proxy.calls(since=mark))
        ):
            wrong.append(str(result))
    assert not wrong, "\n\n".join(wrong)
    # A proxy that lets nothing through sees which host was asked for.
    result = troupe(
        "stages",
        env={
            **aws,
            "AWS_USE_FIPS_ENDPOINT": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "HTTPS_PROXY": "http://127.0.0.1:9",
        },
        check=False,
    )
    assert (
        result.code == 1
        and "-fips.us-east-1.amazonaws.com'" in result.err
        and "AWS_USE_FIPS_ENDPOINT" in result.err
    )
