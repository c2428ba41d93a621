"""WebSocket APIs: one of each per stage, spoken to by a client that troupe knows nothing of."""

import json
import socket
from urllib.parse import urlsplit

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, Request, TextMessage

from world import leftovers

FILE = """service: chat
provider: {name: aws, runtime: nodejs20.x}
custom: {troupe: {functions: {perStage: []}}}
functions:
  door:
    handler: handler.door
    events:
      - websocket: $connect
  talk:
    handler: handler.talk
    events:
      - websocket: {route: say, routeResponseSelectionExpression: $default}
      - websocket: {route: shout, routeResponseSelectionExpression: $default}
"""
HANDLER = """exports.door = async () => ({statusCode: 200});
exports.talk = async (event, context) => ({statusCode: 200, body: JSON.stringify({
  code: 'one', stage: event.requestContext.stage, route: event.requestContext.routeKey,
  arn: context.invokedFunctionArn})});
"""


class Session:
    """A WebSocket connection, or the status that refused it."""

    def __init__(self, cloud, url, headers=()):
        parts = urlsplit(url)
        place = urlsplit(cloud.endpoint)
        self.socket = socket.create_connection((place.hostname, place.port), timeout=20)
        self.wire = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host=parts.netloc, target=parts.path, extra_headers=list(headers)))
        answer = next(self.events())
        self.status = 101 if isinstance(answer, AcceptConnection) else answer.status_code
        assert isinstance(answer, (AcceptConnection, RejectConnection))

    def send(self, event):
        self.socket.sendall(self.wire.send(event))

    def events(self):
        while True:
            yield from self.wire.events()
            data = self.socket.recv(4096)
            assert data, "the connection was cut"
            self.wire.receive_data(data)

    def ask(self, action):
        """What the route answers; None: nothing within a second."""
        self.send(TextMessage(json.dumps({"action": action})))
        self.socket.settimeout(1)
        try:
            return json.loads(next(e.data for e in self.events() if isinstance(e, TextMessage)))
        except TimeoutError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def session(troupe, stage, *headers):
    return Session(
        troupe.account.cloud, troupe("info", stage, "--json").json["urls"]["websocket"], headers
    )


def served(troupe, stage, *actions):
    """What a new connection gets: the refusing status, or (code, stage, route) of each action."""
    with session(troupe, stage) as connection:
        if connection.status != 101:
            return connection.status
        answers = [connection.ask(action) for action in actions or ("say",)]
    for answer in filter(None, answers):
        assert answer["arn"].endswith(
            (f":chat-talk:{stage}", f":chat-{stage.partition('@')[0]}-talk")
        ), answer
    return [answer and (answer["code"], answer["stage"], answer["route"]) for answer in answers]


@pytest.fixture
def chat(troupe):
    troupe.write({"serverless.yml": FILE, "handler.js": HANDLER})
    out = troupe("deploy", "dev").out
    assert f"websocket  {troupe('info', 'dev', '--json').json['urls']['websocket']}\n" in out
    troupe("deploy", "prod")
    return troupe


def test_stages_speak_for_themselves(chat):
    assert served(chat, "dev", "say", "shout", "whisper") == [
        ("one", "dev", "say"),
        ("one", "dev", "shout"),
        None,
    ]
    assert served(chat, "prod") == [("one", "prod", "say")]
    before, prod = chat.world(), chat.stage("prod", "chat")
    assert "nothing to do" in chat("deploy", "dev").out
    assert chat.world() == before
    chat.edit("handler.js", "'one'", "'two'")
    chat.edit("serverless.yml", "route: shout", "route: whisper")
    chat("deploy", "dev")
    assert served(chat, "dev", "say", "whisper") == [
        ("two", "dev", "say"),
        ("two", "dev", "whisper"),
    ]
    assert served(chat, "prod", "say", "whisper") == [("one", "prod", "say"), None]
    assert chat.stage("prod", "chat") == prod


def test_rollback_reset_clone_remove(chat):
    first = served(chat, "dev", "say", "shout")
    chat.edit("handler.js", "statusCode: 200}", "statusCode: 403}")
    chat.edit("serverless.yml", "route: shout", "route: whisper")
    chat("deploy", "dev")
    assert served(chat, "dev") == 403
    assert served(chat, "prod") == [("one", "prod", "say")]
    chat("rollback", "dev", "--yes")
    assert served(chat, "dev", "say", "shout") == first
    chat.edit("handler.js", "statusCode: 403}", "statusCode: 200}")
    chat.edit("handler.js", "'one'", "'two'")
    chat("deploy", "dev")
    prod = chat.stage("prod", "chat")
    chat("clone", "dev", "copy")
    assert served(chat, "copy", "say", "whisper") == [
        ("two", "copy", "say"),
        ("two", "copy", "whisper"),
    ]
    chat("reset", "copy", "--to", "prod", "--yes")
    assert served(chat, "copy", "say", "shout") == [
        ("one", "copy", "say"),
        ("one", "copy", "shout"),
    ]
    chat("remove", "dev", "--yes")
    assert chat.stage("prod", "chat") == prod
    assert served(chat, "prod") == [("one", "prod", "say")]
    chat("remove", "--service", "--yes")
    assert leftovers(chat.world()) == {}


def test_a_stage_in_another_region(chat):
    before = chat.stage("dev", "chat")
    chat("clone", "dev", "dev@eu-central-1")
    assert served(chat, "dev@eu-central-1", "say", "shout") == [
        ("one", "dev", "say"),
        ("one", "dev", "shout"),
    ]
    assert (
        chat.account.client("apigatewayv2", "eu-central-1").get_apis()["Items"][0]["Name"]
        == "dev-chat-websockets"
    )
    chat.edit("handler.js", "'one'", "'two'")
    chat("deploy", "dev@eu-central-1")
    assert (
        served(chat, "dev@eu-central-1") == [("two", "dev", "say")]
        and chat.stage("dev", "chat") == before
    )
    chat("rollback", "dev@eu-central-1")
    assert served(chat, "dev@eu-central-1") == [("one", "dev", "say")] and served(chat, "dev") == [
        ("one", "dev", "say")
    ]


def test_functions_of_each_stage(chat):
    """A deployment names what it calls: it is cut again when a function moves, and when it moves
    back.
    """
    for before, after in (("[]", "[talk]"), ("[talk]", "[]")):
        chat.edit("serverless.yml", f"perStage: {before}", f"perStage: {after}")
        chat("deploy", "dev")
        assert served(chat, "dev", "say", "shout") == [
            ("one", "dev", "say"),
            ("one", "dev", "shout"),
        ]
        assert served(chat, "prod") == [("one", "prod", "say")]
    chat("rollback", "dev", "--yes")
    assert served(chat, "dev") == [("one", "dev", "say")]


def test_parts_of_the_users_own_are_deployed_with_the_others(chat):
    """A route response in `resources` is in the first deployment that knows it."""
    chat.edit(
        "serverless.yml",
        "      - websocket: {route: shout, routeResponseSelectionExpression: $default}\n",
        """
resources:
  Resources:
    OwnRoute:
      Type: AWS::ApiGatewayV2::Route
      Properties:
        ApiId: {Ref: WebsocketsApi}
        RouteKey: own
        AuthorizationType: NONE
        RouteResponseSelectionExpression: $default
        Target: {'Fn::Join': ['/', [integrations, {Ref: TalkWebsocketsIntegration}]]}
    OwnRouteResponse:
      Type: AWS::ApiGatewayV2::RouteResponse
      Properties: {ApiId: {Ref: WebsocketsApi}, RouteId: {Ref: OwnRoute}, RouteResponseKey: $default}
""",
    )
    chat("deploy", "dev")
    assert served(chat, "dev", "own") == [("one", "dev", "own")]


def test_authorizers_and_logs(troupe):
    troupe.write(
        {
            "serverless.yml": (
                FILE.replace(
                    "websocket: $connect",
                    "websocket: {route: $connect, authorizer: "
                    "{name: judge, identitySource: [route.request.header.X-Word]}}",
                ).replace("nodejs20.x}", "nodejs20.x, logs: {websocket: true}}")
                + "  judge: {handler: handler.judge}\n"
            ),
            "handler.js": (
                HANDLER
                + """exports.judge = async (event) => ({principalId: 'me', policyDocument: {
  Version: '2012-10-17', Statement: [{Action: 'execute-api:Invoke', Resource: event.methodArn,
    Effect: event.headers['x-word'] === 'friend' || event.headers['X-Word'] === 'friend' ? 'Allow' : 'Deny'}]}});
"""
            ),
        }
    )
    troupe.account.let_apis_log()
    troupe("deploy", "dev")
    assert session(troupe, "dev").status == 401
    assert session(troupe, "dev", (b"X-Word", b"foe")).status == 403
    with session(troupe, "dev", (b"X-Word", b"friend")) as connection:
        assert connection.ask("say")["code"] == "one"
    v2 = troupe.account.client("apigatewayv2")
    api = next(item["ApiId"] for item in v2.get_apis()["Items"])
    stage = v2.get_stage(ApiId=api, StageName="dev")
    assert stage["DefaultRouteSettings"]["LoggingLevel"] == "INFO"
    assert ":log-group:/aws/websocket/chat-dev" in stage["AccessLogSettings"]["DestinationArn"]
    troupe("remove", "--service", "--yes")
    assert leftovers(troupe.world()) == {}
