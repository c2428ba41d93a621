"""Images: tags become digests, and images of the service's own are built and pushed once for a
content. What builds is a stand-in for docker that writes down how it is called and puts an image
into the local cloud's registry; MiniStack runs no images, so what the stages serve is compared."""

import json
import os
import sys

BUILDER = """#!{python}
import hashlib, json, os, sys
import boto3
from botocore.config import Config
words = sys.argv[1:]
entry = {{"words": words, "folder": os.getcwd(), "input": sys.stdin.read()}}
with open(os.environ["BUILDER_LOG"], "a") as log:
    log.write(json.dumps(entry) + "\\n")
if os.environ.get("BUILDER_FAILS") == words[0]:
    sys.exit(7)
if words[0] == "push":
    uri, tag = words[1].rsplit(":", 1)
    ecr = boto3.client("ecr", endpoint_url="{endpoint}", region_name="us-east-1")
    ecr.put_image(repositoryName=uri.split("/", 1)[1], imageTag=tag, imageManifest=json.dumps({{"tag": tag}}))
"""
SERVICE = """service: img
provider:
  name: aws
  ecr:
    scanOnPush: true
    images:
      app:
        path: app
        file: Dockerfile.dev
        buildArgs: {STAGE: for-all, TOKEN: secret}
        cacheFrom: [app:latest]
        buildOptions: [--quiet]
        platform: linux/arm64
        provenance: 'false'
      plain: plain
functions:
  built:
    image: {name: app, command: [main.run], entryPoint: [/start], workingDirectory: /work}
  second:
    image: app
  simple:
    image: plain
  tagged:
    image: ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/base:v1
"""


def prepared(troupe):
    folder = troupe.home / "bin"
    folder.mkdir(parents=True)
    builder = folder / "docker"
    builder.write_text(
        BUILDER.format(python=sys.executable, endpoint=troupe.account.cloud.endpoint)
    )
    builder.chmod(0o755)
    log = troupe.home / "builder.log"
    log.touch()
    troupe.env |= {"PATH": f"{folder}:{os.environ['PATH']}", "BUILDER_LOG": str(log)}
    troupe.write(
        {
            "serverless.yml": SERVICE.replace("ACCOUNT", troupe.account.id),
            "app/Dockerfile.dev": "FROM x\n",
            "app/main.py": "one\n",
            "app/.git/index": "1",
            "plain/Dockerfile": "FROM y\n",
        }
    )
    ecr = troupe.account.client("ecr")
    ecr.create_repository(repositoryName="base")
    ecr.put_image(repositoryName="base", imageManifest='{"v": 1}', imageTag="v1")

    def calls():
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        log.write_text("")
        return entries

    return ecr, calls


def image_of(troupe, function, stage):
    client = troupe.account.client("lambda")
    return client.get_function(FunctionName=f"img-{function}", Qualifier=stage)["Code"]["ImageUri"]


def test_images_of_two_stages(troupe, proxy):
    ecr, calls = prepared(troupe)
    troupe("validate")
    assert "would be built" in troupe("plan", "dev").err
    assert calls() == [] and [
        r["repositoryName"] for r in ecr.describe_repositories()["repositories"]
    ] == ["base"]

    troupe("deploy", "dev")
    made = calls()
    uri = f"{troupe.account.id}.dkr.ecr.us-east-1.amazonaws.com/troupe/img"
    app, login, push = made[:3]
    tag = push["words"][1].rsplit(":", 1)[1]
    assert app["words"] == [
        "build",
        "-t",
        f"{uri}:{tag}",
        "-f",
        str(troupe.folder / "app/Dockerfile.dev"),
        "--build-arg",
        "STAGE=for-all",
        "--build-arg",
        "TOKEN=secret",
        "--cache-from",
        "app:latest",
        "--quiet",
        "app",
        "--platform=linux/arm64",
        "--provenance=false",
    ] and app["folder"] == str(troupe.folder)
    assert (
        login["words"] == ["login", "--username", "AWS", "--password-stdin", uri.split("/")[0]]
        and login["input"]
    )
    assert push["words"] == ["push", f"{uri}:{tag}"] and tag.startswith("app-")
    assert [entry["words"][0] for entry in made] == ["build", "login", "push", "build", "push"]
    repository = ecr.describe_repositories(repositoryNames=["troupe/img"])["repositories"][0]
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    first = image_of(troupe, "built", "dev")
    assert first.startswith(f"{uri}@sha256:") and image_of(troupe, "second", "dev") == first
    assert (
        image_of(troupe, "simple", "dev").startswith(f"{uri}@sha256:")
        and image_of(troupe, "simple", "dev") != first
    )
    v1 = image_of(troupe, "tagged", "dev")
    assert "/base@sha256:" in v1
    config = troupe.account.client("lambda").get_function(
        FunctionName="img-built", Qualifier="dev"
    )["Configuration"]
    assert config["ImageConfigResponse"]["ImageConfig"] == {
        "Command": ["main.run"],
        "EntryPoint": ["/start"],
        "WorkingDirectory": "/work",
    }

    # the same content is neither built nor published again, whatever stage; folders of git do not
    # count
    (troupe.folder / "app/.git/index").write_text("2")
    mark = proxy.mark()
    troupe("deploy", "prod")
    troupe("deploy", "dev")
    assert calls() == [] and not proxy.calls("lambda.PublishVersion", mark)

    # another content, and a tag that was moved, go to the stage that is deployed
    (troupe.folder / "app/main.py").write_text("two\n")
    ecr.put_image(repositoryName="base", imageManifest='{"v": 2}', imageTag="v1")
    troupe("deploy", "dev")
    assert [entry["words"][0] for entry in calls()] == ["build", "login", "push"]
    second = image_of(troupe, "built", "dev")
    assert second != first and image_of(troupe, "tagged", "dev") != v1
    assert image_of(troupe, "built", "prod") == first and image_of(troupe, "tagged", "prod") == v1
    mark = proxy.mark()
    troupe("rollback", "dev", "--yes")
    assert image_of(troupe, "built", "dev") == first and image_of(troupe, "tagged", "dev") == v1
    troupe("reset", "prod", "--to", "dev#2", "--yes")
    assert image_of(troupe, "built", "prod") == second and image_of(troupe, "tagged", "prod") != v1
    assert calls() == [] and not proxy.calls("lambda.PublishVersion", mark)
    for name in ("troupe/img2", "troupe/im"):  # neighbours
        ecr.create_repository(
            repositoryName=name, tags=[{"Key": "troupe:service", "Value": name[7:]}]
        )
    plan = troupe("remove", "--service", "--plan", "--json").json
    assert plan["repositories"] == [{"name": "troupe/img"}]
    removed = troupe("remove", "--service", "--yes", "--json").json
    assert ("AWS::ECR::Repository", "troupe/img") in [
        (d["type"], d["name"]) for d in removed["deleted"]
    ]
    assert sorted(r["repositoryName"] for r in ecr.describe_repositories()["repositories"]) == [
        "base",
        "troupe/im",
        "troupe/img2",
    ]
    assert len(ecr.list_images(repositoryName="base")["imageIds"]) == 2

    # `package` names the repository as the dialect's reference does
    troupe("package", "dev")
    template = json.loads(
        (troupe.folder / ".serverless/cloudformation-template-update-stack.json").read_text()
    )
    image = template["Resources"]["BuiltLambdaFunction"]["Properties"]["Code"]["ImageUri"]
    assert image.startswith(
        f"{troupe.account.id}.dkr.ecr.us-east-1.amazonaws.com/serverless-img-dev@sha256:"
    )


IGNORE = """# what is not for the image
node_modules
**/*.pyc
/tests/
*.md
! README.md
  docs/**\r
d?b
[x-z].txt
**.log
cache
!cache/kept
"""
LEFT_OUT = [
    "node_modules/deep/in.js",
    "one.pyc",
    "sub/two.pyc",
    "tests/test_main.py",
    "CHANGES.md",
    "docs/a/b",
    "dab",
    "y.txt",
    "server.log",
    "sub/server.log",
    "cache/a/b",
    "cache/keptnot",
]
IN_IT = [
    "sub/node_modules/x.js",
    "sub/tests/t.py",
    "sub/CHANGES.md",
    "README.md",
    "daab",
    "w.txt",
    "sub/y.txt",
    "cache/kept/x",
    ".env",
    "log",
]


def test_what_the_builder_does_not_get_changes_no_image(troupe):
    _, calls = prepared(troupe)
    troupe.write({"app/.dockerignore": "\ufeff" + IGNORE, "plain/.dockerignore": "*"})
    troupe("deploy", "dev")
    assert len(calls()) == 5

    def built():
        said = troupe("plan", "dev").err
        return {name for name in ("app", "plain") if f"'{name}' would be built" in said}

    for path in LEFT_OUT:
        troupe.write({f"app/{path}": "new\n"})
    troupe.write({"plain/anything": "new\n"})
    assert built() == set()
    for path in IN_IT:
        troupe.write({f"app/{path}": "new\n"})
        assert built() == {"app"}, path
        (troupe.folder / "app" / path).unlink()
    assert built() == set()

    # the Dockerfile's own list counts instead of the folder's; Podman's is not Docker's, so nothing
    # is left out
    troupe.write(
        {
            "app/Dockerfile.dev.dockerignore": "Dockerfile.dev*\n**/*\n!main.py\n",
            "app/w.txt": "new\n",
        }
    )
    assert built() == {"app"}
    troupe("deploy", "dev")
    troupe.write({"app/y.txt": "other\n", "app/w.txt": "other\n", "app/README.md": "other\n"})
    assert built() == set()
    troupe.write({"app/main.py": "other\n"})
    assert built() == {"app"}
    troupe.write({"app/main.py": "one\n", "plain/.containerignore": "nothing\n"})
    assert built() == {"plain"}

    # what is no pattern is said before anything is built
    troupe.write(
        {"plain/.dockerignore": "*\n\n[a\n", "app/Dockerfile.dev.dockerignore": "fine\n!\n"}
    )
    (troupe.folder / "plain/.containerignore").unlink()
    calls()
    wrong = troupe("deploy", "dev", check=False)
    assert wrong.code and "app/Dockerfile.dev.dockerignore:2: '!' is no pattern" in wrong.err, wrong
    assert "plain/.dockerignore:3: '[a' is no pattern" in wrong.err and calls() == [], wrong


def test_repositories_of_others_stay(troupe, proxy):
    """One that the user made, one with somebody's image in it, and one that may not be
    looked at.
    """
    ecr, _ = prepared(troupe)

    def removed(why):
        troupe("deploy", "dev")
        stays = troupe("remove", "--service", "--plan")
        assert f"stays: {why}" in stays.out, stays
        kept = troupe("remove", "--service", "--yes")
        assert f"kept AWS::ECR::Repository troupe/img: {why}" in kept.out, kept
        tags = [i["imageTag"] for i in ecr.list_images(repositoryName="troupe/img")["imageIds"]]
        assert {tag.split("-")[0] for tag in tags} >= {"app", "plain"}, tags

    ecr.create_repository(repositoryName="troupe/img")
    removed("it has no owner tag of the service")
    ecr.delete_repository(repositoryName="troupe/img", force=True)
    troupe("deploy", "dev")
    ecr.put_image(repositoryName="troupe/img", imageManifest="{}", imageTag="app-v1")
    removed("it has image 'app-v1', which somebody else pushed")
    ecr.batch_delete_image(repositoryName="troupe/img", imageIds=[{"imageTag": "app-v1"}])
    proxy.fail(403, "AccessDeniedException", operation="DescribeRepositories", message="not you")
    assert "nobody knows whether it is there: " in troupe("remove", "--service", "--yes").out
    proxy.clear()
    # images were pushed by a deployment that failed, and nothing else is there
    assert "kept" not in troupe("remove", "--service", "--yes").out
    assert [r["repositoryName"] for r in ecr.describe_repositories()["repositories"]] == ["base"]


def test_images_that_cannot_be_built(troupe):
    _, calls = prepared(troupe)
    (troupe.home / "nothing").mkdir()
    without = troupe("deploy", "dev", env={"PATH": str(troupe.home / "nothing")}, check=False)
    assert without.code and "no docker, podman or buildah" in without.err and "'app'" in without.err
    failed = troupe("deploy", "dev", env={"BUILDER_FAILS": "build"}, check=False)
    assert failed.code and "ended with status 7" in failed.err and "secret" not in failed.err, (
        failed
    )
    failed = troupe("deploy", "dev", env={"BUILDER_FAILS": "push"}, check=False)
    assert failed.code and "push" in failed.err
    troupe.edit("serverless.yml", "base:v1", "base:v9")
    missing = troupe("deploy", "dev", check=False)
    assert missing.code and "there is no image" in missing.err and "serverless.yml:" in missing.err
    troupe.edit("serverless.yml", "base:v9", "base:v1")
    (troupe.folder / "plain/Dockerfile").unlink()
    missing = troupe("plan", "dev", check=False)
    assert missing.code and "has no Dockerfile: there is no 'plain/Dockerfile'" in missing.err
    calls()
