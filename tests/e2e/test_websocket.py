"""WebSocket APIs: one of each per stage."""

import socket
from urllib.parse import urlsplit

import pytest

from world import leftovers

FILE = """service: chat
provider: {name: aws, runtime: nodejs20.x}
functions:
  talk:
    handler: handler.main
    events:
      - websocket: $connect
      - websocket: $default
"""
HANDLER = "exports.main = async () => ({statusCode: 200, body: 'one'});\n"


def handshake(troupe, stage):
    """The status of a WebSocket handshake with the stage's API."""
    apis = troupe.account.client("apigatewayv2").get_apis()["Items"]
    id = next(item["ApiId"] for item in apis if item["Name"] == f"{stage}-chat-websockets")
    place = urlsplit(troupe.account.cloud.endpoint)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall((f"GET /_aws/execute-api/{id}/{stage} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        return int(connection.recv(500).split()[1])


@pytest.fixture
def chat(troupe):
    troupe.write({"serverless.yml": FILE, "handler.js": HANDLER})
    troupe("deploy", "dev")
    troupe("deploy", "prod")
    return troupe


def test_life(chat):
    assert (handshake(chat, "dev"), handshake(chat, "prod")) == (101, 101)
    before, prod = chat.world(), chat.stage("prod", "chat")
    assert "nothing to do" in chat("deploy", "dev").out
    assert chat.world() == before
    chat.edit("handler.js", "200", "403")
    chat.edit("serverless.yml", "$default", "greet")
    chat("deploy", "dev")
    assert (handshake(chat, "dev"), handshake(chat, "prod")) == (403, 101)
    assert chat.stage("prod", "chat") == prod
    chat("rollback", "dev", "--yes")
    assert handshake(chat, "dev") == 101
    chat("remove", "--service", "--yes")
    assert leftovers(chat.world()) == {}
