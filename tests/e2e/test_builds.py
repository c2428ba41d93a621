"""A command that makes the code runs for what is made of files, and for nothing else."""

import json

SERVICE = """service: built
provider: {name: aws, runtime: nodejs22.x}
custom:
  troupe:
    build: {command: 'printf x >> runs; test ! -e broken && cp source.txt $TROUPE_BUILD_DIR/handler.js'}
functions: {hello: {handler: handler.main}}
"""


def source(word):
    return f"exports.main = async () => '{word}';\n"


def call(troupe, stage):
    answer = troupe.account.client("lambda").invoke(FunctionName="built-hello", Qualifier=stage)
    return json.loads(answer["Payload"].read())


def test_what_builds(troupe):
    troupe.write({"serverless.yml": SERVICE, "source.txt": source("one")})
    log = troupe.folder / "runs"
    runs = lambda: len(log.read_text()) if log.exists() else 0
    troupe("validate", "dev")
    assert runs() == 0
    troupe("plan", "dev")
    troupe("deploy", "dev")
    assert runs() == 2 and call(troupe, "dev") == "one"
    troupe.edit("source.txt", "one", "two")
    troupe("deploy", "dev")
    assert runs() == 3 and call(troupe, "dev") == "two"
    troupe.write({"broken": ""})
    troupe("rollback", "dev", "--yes")
    troupe("clone", "dev", "copy", "--yes")
    troupe("reset", "dev", "--to", "copy", "--yes")
    assert runs() == 3 and call(troupe, "dev") == call(troupe, "copy") == "one"
