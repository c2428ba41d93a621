"""A proxy between troupe and the local cloud that watches every call.

It forwards requests as they are, ``Host`` included, so that signatures hold. Each one is read back
into the AWS call it is (``aws_models``) and its signature is computed again (``signatures``); what
is wrong is collected in ``violations``, which fails the test. The calls are kept for tests to ask
about, and ``faults`` can be injected. Calls of a service's own URLs pass through unchecked.
"""

import dataclasses
import http.client
import os
import re
import signal
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aws_models
import signatures
import templates
from faults import Rule, error_answer
from operations import operations

# What users of a service call: REST and HTTP APIs, function URLs.
USER_PATHS = re.compile(
    r"/restapis/[^/]+/[^/]+/_user_request_(/|$)|/_aws/(execute-api|lambda-url)/"
)
USER_HOSTS = re.compile(r"[a-z0-9]+\.(execute-api|lambda-url)\.")
HOP_HEADERS = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "proxy-connection",
    "content-length",
}
READING = (
    "Get",
    "List",
    "Describe",
    "Head",
    "Filter",
    "Batch",
    "Query",
    "Scan",
    "Validate",
    "Detect",
)


@dataclass
class Record:
    """One call. ``status`` is None when no answer was given."""

    number: int
    at: float
    service: str
    operation: str
    params: dict
    request_bytes: int
    access_key: str = ""
    region: str = ""
    user_agent: str = ""
    status: int | None = None
    seconds: float = 0.0
    fault: str = ""
    problems: list = field(default_factory=list)

    @property
    def name(self):
        return f"{self.service}.{self.operation}"

    @property
    def writes(self):
        return not self.operation.startswith(READING)

    def __str__(self):
        shown = {
            key: (
                f"<{len(value)} bytes>"
                if isinstance(value, bytes) or (isinstance(value, str) and len(value) > 100)
                else value
            )
            for key, value in self.params.items()
        }
        return f"{self.number:4} {self.status or self.fault or '-'} {self.name} {shown}"


class Proxy:
    """One proxy on a port of its own. ``secrets`` maps access keys to secret keys; others have the
    cloud's.
    """

    def __init__(self, cloud):
        self.host, self.port, self.secret = "127.0.0.1", cloud.port, cloud.secret
        self.secrets, self.tokens = {}, {}
        self.check_signatures = True
        self.victim = None  # process id that a kill rule kills
        self.records, self.rules, self.violations = [], [], []
        self._lock = threading.Lock()
        self._local = threading.local()
        self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"proxy": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- what tests ask --------------------------------------------------------------------------

    def mark(self):
        """A place in the log, for ``since``."""
        return len(self.records)

    def calls(self, name=None, since=0, writes=None):
        """Calls since a mark: of one operation (``lambda.PublishVersion``), or only the writing
        ones.
        """
        return [
            record
            for record in self.records[since:]
            if (name is None or record.name == name) and (writes is None or record.writes == writes)
        ]

    def names(self, since=0):
        return [record.name for record in self.records[since:]]

    def show(self, since=0):
        return "\n".join(str(record) for record in self.records[since:])

    # -- faults ----------------------------------------------------------------------------------

    def rule(self, kind, **settings):
        added = Rule(kind, **settings)
        self.rules.append(added)
        return added

    def fail(self, status=500, code="InternalFailure", **settings):
        return self.rule("status", status=status, code=code, **settings)

    def throttle(self, probability, seed=1, **settings):
        return self.rule(
            "status",
            status=settings.pop("status", 400),
            code="ThrottlingException",
            message="Rate exceeded",
            probability=probability,
            seed=seed,
            **settings,
        )

    def reset(self, **settings):
        return self.rule("reset", **settings)

    def lose(self, **settings):
        return self.rule("lose", **settings)

    def delay(self, seconds, **settings):
        return self.rule("delay", seconds=seconds, **settings)

    def late(self, seconds, **settings):
        """The call takes effect at once, its answer comes later."""
        return self.rule("late", seconds=seconds, **settings)

    def kill(self, nth, after=False, **settings):
        """Kill the victim at the n-th call: before it is sent, or when it took effect."""
        return self.rule("kill-after" if after else "kill", nth=nth, **settings)

    def clear(self):
        self.rules.clear()
        self.victim = None

    # -- the work --------------------------------------------------------------------------------

    def handle(self, request, headers):
        """``(status, headers, body)`` of the answer, or None to drop the connection."""
        if USER_PATHS.match(request.path) or USER_HOSTS.match(request.headers.get("host", "")):
            return self.forward(request, headers)
        record, protocol = self.inspect(request)
        rules = [
            rule
            for rule in list(self.rules)
            if rule.hit(
                record.service, record.operation, str(record.params.get("Key", "")), record.region
            )
        ]
        record.fault = ",".join(rule.kind for rule in rules)
        kinds = {rule.kind for rule in rules}
        for rule in rules:
            if rule.kind == "delay":
                time.sleep(rule.seconds)
            elif rule.kind == "call":
                rule.function(record)
            elif rule.kind == "status":
                if record.service == "s3" and rule.code == "ThrottlingException":
                    rule = dataclasses.replace(
                        rule, status=503, code="SlowDown"
                    )  # S3's way to say so
                rule = rule.as_s3_says_it() if record.service == "s3" else rule
                record.status = rule.status
                return rule.status, *error_answer(protocol, rule, str(uuid.uuid4()))
        if "kill" in kinds:
            self.kill_victim()
        if kinds & {"reset", "kill"}:
            return None
        answer = self.forward(request, headers)
        record.status = answer[0]
        record.seconds = time.time() - record.at
        for rule in rules:
            if rule.kind == "late":
                time.sleep(rule.seconds)
        if "kill-after" in kinds:
            self.kill_victim()
        return None if kinds & {"lose", "kill-after"} else answer

    def kill_victim(self):
        victim = self.victim() if callable(self.victim) else self.victim
        if victim is None:
            self.violations.append("a kill rule hit, but there is no victim")
            return
        os.kill(victim, signal.SIGKILL)

    def inspect(self, request):
        """The record of a call and the protocol to answer errors in."""
        parts = signatures.scope(request)
        record = Record(
            0,
            time.time(),
            parts["service"] if parts else "?",
            "?",
            {},
            len(request.body),
            user_agent=request.headers.get("user-agent", ""),
        )
        protocol = "query"
        try:
            if parts is None:
                raise aws_models.Unknown(f"unsigned request {request.method} {request.path}")
            record.access_key, record.region = parts["key"], parts["region"]
            call = aws_models.identify(parts["service"], request)
            record.service, record.operation, record.params = (
                call.service,
                call.operation,
                call.params,
            )
            protocol = aws_models.protocol(aws_models.model(call.service), request)
            aws_models.check(call)
            if record.user_agent.startswith("troupe/"):
                templates.keep(call, request.body)
            record.problems += call.problems
            if record.user_agent.startswith("troupe/") and record.name not in operations():
                record.problems.append(
                    "`troupe iam` does not know it: it has no row in operations.c"
                )
            if self.check_signatures:
                record.problems += signatures.problems(
                    request,
                    self.secrets.get(parts["key"], self.secret),
                    self.tokens.get(parts["key"]),
                )
        except aws_models.Unknown as unknown:
            record.problems.append(str(unknown))
        with self._lock:
            record.number = len(self.records) + 1
            self.records.append(record)
            self.violations += [
                f"call {record.number} {record.name}: {problem}" for problem in record.problems
            ]
        return record, protocol

    def forward(self, request, headers):
        """Send to the cloud over this thread's connection, and read the whole answer."""
        target = request.path + (f"?{request.query}" if request.query else "")
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = self._local.connection = http.client.HTTPConnection(
                    self.host, self.port, timeout=120
                )
            try:
                connection.putrequest(
                    request.method, target, skip_host=True, skip_accept_encoding=True
                )
                for name, value in headers:
                    if name.lower() not in HOP_HEADERS and name.lower() != "expect":
                        connection.putheader(name, value)
                if request.body or request.method in ("POST", "PUT", "PATCH"):
                    connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body or None)
                answer = connection.getresponse()
                body = answer.read()
                if answer.will_close:
                    self.drop_connection()
                # The answer to HEAD tells a length that its body does not have.
                dropped = HOP_HEADERS - ({"content-length"} if request.method == "HEAD" else set())
                return (
                    answer.status,
                    [pair for pair in answer.getheaders() if pair[0].lower() not in dropped],
                    body,
                )
            except (http.client.BadStatusLine, ConnectionError):
                self.drop_connection()
                if fresh or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def drop_connection(self):
        self._local.connection.close()
        self._local.connection = None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A caller that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write per answer
    disable_nagle_algorithm = True
    proxy: Proxy

    def log_message(self, *_):
        """Quiet: the records say it all."""

    def do(self):
        pairs = list(self.headers.items())
        named = {}
        for name, value in pairs:
            named[name.lower()] = (
                f"{named[name.lower()]},{value}" if name.lower() in named else value
            )
        if "chunked" in named.get("transfer-encoding", ""):
            self.proxy.violations.append(
                f"{self.command} {self.path} is chunked, which AWS does not take"
            )
            self.close_connection = True
            return
        length = int(named.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # its sender was killed: AWS would not act on it, either
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        try:
            answer = self.proxy.handle(
                aws_models.Request(self.command, path, query, named, body), pairs
            )
        except (OSError, http.client.HTTPException) as error:
            self.proxy.violations.append(
                f"the local cloud did not answer {self.command} {self.path}: {error!r}"
            )
            answer = None
        if answer is None:
            self.drop()
            return
        self.answer(*answer)

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def drop(self):
        """Close with a reset instead of a proper end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do
