"""Stands in for MiniStack in tests of the local cloud's life: the same signals, variables and
paths, without packages to install. It starts a child, as functions are, and says its number in
`child`.
"""

import http.server
import os
import signal
import subprocess
import sys

if os.environ.get("TROUPE_CLOUD_TEST") == "die":
    print("first line\nlast words: no stack left")
    sys.exit(3)

if len(os.environ["TROUPE_CLOUD_SECRET"]) < 40:
    sys.exit("no secret")
child = subprocess.Popen(["sleep", "600"])
with open("child", "w", encoding="ascii") as out:
    out.write(str(child.pid))


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the health probe only."""

    def do_GET(self):
        self.send_response(200 if self.path == "/_ministack/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def stop(*_):
    """Like the real one, keep state on a clean stop only."""
    if os.environ.get("PERSIST_STATE") == "1":
        os.makedirs(os.environ["STATE_DIR"], exist_ok=True)
        with open(os.path.join(os.environ["STATE_DIR"], "kept"), "w", encoding="ascii") as kept:
            kept.write("kept")
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
if os.environ.get("TROUPE_CLOUD_TEST") == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
address = (os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))
http.server.HTTPServer(address, Handler).serve_forever()
