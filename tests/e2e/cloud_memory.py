"""The local cloud with a memory: what one account holds can be kept under a name and put back.

Runs in place of ``python -m troupe_cloud``, with a second port for ``/keep`` and ``/put-back``. A
test that tries one command at a hundred moments prepares its account once.
"""

import copy
import gc
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

KEPT = {}


def stores():
    """Every store of the cloud: dictionaries whose keys begin with the account."""
    from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

    return [
        item
        for item in gc.get_objects()
        if isinstance(item, (AccountRegionScopedDict, AccountScopedDict))
    ]


def content(account):
    return [
        (store, {key: value for key, value in list(store._data.items()) if key[0] == account})
        for store in stores()
    ]


def copied(pairs):
    """One copy of it all, in which what was shared is still shared."""
    for _ in range(20):
        try:
            values = copy.deepcopy([values for _, values in pairs])
            return [(store, value) for (store, _), value in zip(pairs, values)]
        except RuntimeError:  # changed while it was copied
            time.sleep(0.02)
    raise RuntimeError("the account does not keep still")


def keep(account, name):
    KEPT[account, name] = copied(content(account))


def put_back(account, name):
    for store, _ in content(account):
        for key in [key for key in list(store._data) if key[0] == account]:
            store._data.pop(key, None)
    for store, values in copied(KEPT[account, name]):
        store._data.update(values)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Quiet."""

    def do_POST(self):
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = b""
        try:
            {"/keep": keep, "/put-back": put_back}[parts.path](query["account"], query["name"])
            self.send_response(200)
        except Exception as error:
            body = repr(error).encode()
            self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    server = HTTPServer(("127.0.0.1", int(os.environ["TROUPE_TEST_MEMORY_PORT"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    from troupe_cloud.__main__ import main as serve

    serve()


if __name__ == "__main__":
    main()
