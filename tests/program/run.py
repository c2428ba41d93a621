"""Running the program on files alone: no cloud, an environment of its own."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TROUPE", str(ROOT / "build" / "troupe"))
TIMEOUT_S = 300  # for what would never end
SANITIZED = ("AddressSanitizer", "LeakSanitizer", "runtime error:")


def environment(home):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }


def troupe(*args, cwd, env, **how):
    """One run, in time; a crash or a report of a sanitizer fails the test."""
    sanitizers = {
        name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ
    }
    done = subprocess.run(
        [PROGRAM, *map(str, args)],
        cwd=cwd,
        env={**env, **sanitizers},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        check=False,
        **how,
    )
    assert done.returncode >= 0, f"{args}: signal {-done.returncode}\n{done.stderr}"
    assert not any(word in done.stderr for word in SANITIZED), done.stderr
    return done


def small_service(place, text):
    """A folder with ``text`` as serverless.yml and the handler `handler.hello`."""
    folder = place / "service"
    folder.mkdir()
    (folder / "serverless.yml").write_text(text)
    (folder / "handler.js").write_text("exports.hello = async () => 1;\n")
    return folder
