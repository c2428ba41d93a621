"""Running troupe as a user does: a process with an environment of its own."""

import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TROUPE", str(ROOT / "build" / "troupe"))
SANITIZED = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")
TIMEOUT_S = 180


@dataclass
class Result:
    args: tuple
    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self):
        """The one JSON document on stdout."""
        return json.loads(self.out)

    def __str__(self):
        return (
            f"troupe {' '.join(self.args)}: exit {self.code} after {self.seconds:.2f} s\n"
            f"--- stdout\n{self.out}\n--- stderr\n{self.err}"
        )


def bare_environment(home):
    """An environment without anything of this machine's user in it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "XDG_CACHE_HOME": f"{home}/cache",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ASAN_OPTIONS": "exitcode=99",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    }


class Running:
    """A started process; ``wait`` gives its Result."""

    def __init__(self, args, cwd, env, stdin=None):
        self.args = tuple(map(str, args))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, *self.args],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.pid = self.process.pid
        self._texts = {}
        self._readers = [
            threading.Thread(target=self._read, args=(name,)) for name in ("stdout", "stderr")
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.process.stdin.write((stdin or "").encode())
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def _read(self, name):
        self._texts[name] = b""
        while part := os.read(getattr(self.process, name).fileno(), 1 << 16):
            self._texts[name] += part

    def said(self, text):
        """Did it write this by now?"""
        return any(text.encode() in written for written in list(self._texts.values()))

    def wait(self, timeout=TIMEOUT_S):
        """Wait for the end; a process that does not end is killed and fails the test."""
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        self.process.wait()
        late = not timer.is_alive()
        timer.cancel()
        for reader in self._readers:
            reader.join()
        seconds = time.monotonic() - self.started
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        result = Result(
            self.args,
            self.process.returncode,
            self._texts["stdout"].decode("utf-8", "replace"),
            self._texts["stderr"].decode("utf-8", "replace"),
            seconds,
        )
        assert not late, f"did not end in {timeout} s\n{result}"
        assert not any(word in result.err for word in SANITIZED), str(result)
        assert result.code >= 0 or result.code == -9, f"crashed\n{result}"
        return result
