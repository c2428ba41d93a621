"""On a terminal, text of files, of AWS and of functions is shown and does nothing."""

import json
import os
import pty
import re
import subprocess
import threading

from conftest import REGION
from program import PROGRAM, SANITIZED, bare_environment

# Clears the screen and sets the title, by two sets of control characters; turns what follows
# around.
POISON = "A\x1b[2J\x1b]0;x\x07\r\x9b2J\x9d0;x\x9c\u202ekcab\u2066\u200f\x7fZ"
# What stacks may have in their tags and outputs: XML has no other control characters.
SOFT = POISON[POISON.index("\x9b") :]
# The sequences that troupe itself uses, and the terminal's own end of a line.
OWN = re.compile(r"\x1b\[(0|1|2|31|32|36|1;31|1;33)m|\r?\x1b\[K|\r\n|[\n\t]")
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]")
SHOWN = re.compile(r"(\\u009b|\\x9B)2J.*\\u202ekcab")

FILE = """
service: shop
provider:
  name: aws
  runtime: nodejs20.x
  tags: {about: %(soft)s}
functions:
  hello:
    handler: handler.hello
    description: %(poison)s
    environment: {TEXT: %(poison)s}
    events: [{httpApi: GET /hello}]
resources:
  Resources:
    Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: %(soft)s}}
  Outputs:
    Text: {Description: %(soft)s, Value: %(soft)s}
custom: {text: %(poison)s, %(poison)s: key}
"""
HANDLER = """
const POISON = %s;
exports.hello = async (event) => {
  console.log(POISON);
  if (event && event.fail) throw new Error(POISON);
  return {text: POISON};
};
"""


def on_terminal(troupe, *args, **env):
    """``(exit code, what a terminal gets)``; its stdout and stderr are one."""
    ours, theirs = pty.openpty()
    environment = {**bare_environment(troupe.home), **troupe.env, "TERM": "xterm-256color", **env}
    environment.pop("NO_COLOR")
    chunks = []

    def read():
        try:
            while chunk := os.read(ours, 65536):
                chunks.append(chunk)
        except OSError:  # nobody writes to it any more
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.Popen(
        [PROGRAM, *args],
        cwd=troupe.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    code = process.wait(180)
    reader.join()
    os.close(ours)
    text = b"".join(chunks).decode("utf-8", "replace")
    assert not any(word in text for word in SANITIZED), text
    return code, text


def test_nothing_drives_the_terminal(troupe):
    poison = json.dumps(POISON)
    troupe.write(
        {
            "serverless.yml": FILE % {"poison": poison, "soft": json.dumps(SOFT)},
            "handler.js": HANDLER % poison,
        }
    )
    wrong = {
        "place.yml": (
            f"service: shop\nprovider: {{name: aws}}\nfunctions: {{hello: {{handlr: {poison}}}}}\n"
        ),
        "key.yml": f"service: shop\nprovider: {{name: aws, {poison}: 1}}\n",
        "raw.yml": "service: shop\nprovider: {name: aws, x\u009b\u202ey: 1}\n",
    }
    troupe.write(wrong)
    must, may = True, False
    steps = [
        (must, 0, "print"),
        (must, 0, "print", "--format", "json"),
        (may, 0, "validate", "dev"),
        (may, None, "plan", "dev"),
        (may, 0, "deploy", "dev", "--debug-http", "--verbose"),
        (may, 0, "deploy", "prod"),
        (must, 0, "info", "dev"),
        (must, 0, "info", "dev", "--json"),
        (may, 0, "stages"),
        (may, 0, "history", "dev"),
        (may, 0, "history", "dev", "--json"),
        (may, 0, "diff", "dev", "prod"),
        (must, 0, "invoke", "dev", "hello", "--log"),
        (must, 1, "invoke", "dev", "hello", "-d", '{"fail": 1}'),
        (must, 0, "logs", "dev", "hello"),
        (must, 0, "logs", "dev", "hello", "--json"),
        (must, 0, "explain", "custom.text"),
        (must, 1, "invoke", "dev", POISON),
        (must, None, POISON),
        (must, None, "info", f"--{POISON}"),
        (must, None, "info", POISON),
        (must, 2, "validate", "dev", "-c", f"{POISON}.yml"),
        (must, 2, "validate", "dev", "-c", "place.yml"),
        (must, 2, "validate", "dev", "--strict", "-c", "key.yml"),
        (may, 2, "validate", "dev", "-c", "raw.yml"),
        (may, 0, "deploy", "dev", "--json-progress"),
        (may, 0, "remove", "dev", "--yes"),
    ]
    wrong = []
    for shows, code, *args in steps:
        got, text = on_terminal(troupe, *args, USER=POISON)
        left = HIDDEN.findall(OWN.sub("", text))
        if left or (shows and not SHOWN.search(text)) or (code is not None and got != code):
            wrong.append(f"{args}: exit {got}, hidden {left}\n{text!r}")
    assert not wrong, "\n\n".join(wrong)


def test_a_pipe_gets_every_byte(troupe):
    """What a function answers and writes is the user's data."""
    poison = json.dumps(POISON)
    troupe.write(
        {
            "serverless.yml": FILE % {"poison": "plain", "soft": "plain"},
            "handler.js": HANDLER % poison,
        }
    )
    troupe("deploy", "dev")
    assert troupe("invoke", "dev", "hello").json == {"text": POISON}
    lam = troupe.account.client("lambda", REGION)
    name = next(
        f["FunctionName"] for f in lam.list_functions()["Functions"] if "hello" in f["FunctionName"]
    )
    answer = lam.invoke(FunctionName=name, Qualifier="dev")["Payload"].read().decode()
    assert troupe("invoke", "dev", "hello").out == answer + "\n"
    # A carriage return ends a line where the local cloud takes the log apart.
    assert POISON.split("\r")[1] in troupe("logs", "dev", "hello").out
