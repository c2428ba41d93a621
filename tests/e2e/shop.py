"""The service `shop` (services/shop) in the hands of tests: its next code, what it serves, its
numbers; how a command is held in one of its calls; and how to wait.
"""

import threading
import time

PATIENCE_S = 120  # for what comes soon on a machine that has nothing else to do


def eventually(question, what="it"):
    """Ask until the answer is true; the answer."""
    end = time.monotonic() + PATIENCE_S
    while not (answer := question()):
        assert time.monotonic() < end, f"{what} does not come true"
        time.sleep(0.05)
    return answer


def code(troupe, text):
    """The next code, whatever the last was."""
    path = troupe.folder / "handler.js"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join(
            f"const CODE = '{text}';" if line.startswith("const CODE") else line for line in lines
        )
    )


def append(troupe, text):
    """Add to the service's file."""
    with open(troupe.folder / "serverless.yml", "a", encoding="utf-8") as file:
        file.write(text)


def served(troupe, stage="dev"):
    return troupe.call_rest(stage, "/hello").json()["code"]


def number(troupe, stage="dev"):
    return int(troupe.world()["stacks"][f"shop-{stage}"]["outputs"]["TroupeDeployment"])


def versions(troupe, stage="dev"):
    return {
        name: function["aliases"][stage]["version"]
        for name, function in troupe.world()["functions"].items()
        if stage in function["aliases"]
    }


def outcomes(troupe, stage="dev", *args):
    return [
        entry["outcome"] for entry in troupe("history", stage, "--json", *args).json["deployments"]
    ]


def bucket(troupe):
    (name,) = troupe.world()["buckets"]
    return name


class Held:
    """A command that stands still in one of its calls."""

    def __init__(self, troupe, proxy, operation, *args, key=""):
        self.reached, self.go_on, self.key = threading.Event(), threading.Event(), key
        proxy.rule("call", operation=operation, function=self.wait)
        self.running = troupe.start(*args)
        assert self.reached.wait(PATIENCE_S), f"it never came to {operation}\n{proxy.show()}"

    def wait(self, call):
        """Only the first such call waits."""
        if self.reached.is_set() or not call.params.get("Key", "").endswith(self.key):
            return
        self.reached.set()
        assert self.go_on.wait(PATIENCE_S)

    def end(self):
        self.go_on.set()
        return self.running.wait()
