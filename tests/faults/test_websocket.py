"""WebSocket clients that break the protocol or flood (docs/faults.md, C15 and C16)."""

import contextlib
import json
import time
from collections.abc import Callable

import pytest

from tests.faults.answers import new_run, stop
from tests.support.dialects import openai, openai_delta
from tests.support.fake_provider import FakeProvider
from tests.support.promises import check_promises
from tests.support.rawhttp import dial, encode_request
from tests.support.script import STALL, Answer
from tests.support.server import Server
from tests.support.ws import BINARY, CLOSE, CONTINUATION, PING, TEXT, WsClient

START = {"type": "start", "ref": "1", "query": "hello"}


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"FRESHET_HEARTBEAT_S": "0.5", "FRESHET_MAX_BODY_BYTES": "262144"}


def unmasked(client: WsClient) -> None:
    client.send_frame(TEXT, b"{}", masked=False)


def endless_fragment(client: WsClient) -> None:
    client.send_frame(TEXT, b'{"type": "', fin=False)
    for _ in range(200):
        client.send_frame(CONTINUATION, b"x" * 4096, fin=False)


BROKEN: dict[str, tuple[Callable[[WsClient], None], set[int]]] = {
    "unmasked": (unmasked, {1002}),
    "reserved bits": (lambda client: client.send_frame(TEXT, b"{}", reserved=4), {1002}),
    "bad opcode": (lambda client: client.send_frame(0x3, b"{}"), {1002}),
    "bad control opcode": (lambda client: client.send_frame(0xB, b""), {1002}),
    "long ping": (lambda client: client.send_frame(PING, b"x" * 126), {1002}),
    "ping in parts": (lambda client: client.send_frame(PING, b"x", fin=False), {1002}),
    "continuation of nothing": (lambda client: client.send_frame(CONTINUATION, b"x"), {1002}),
    "bad utf-8": (lambda client: client.send_frame(TEXT, b'{"type": "\xff\xfe"}'), {1007}),
    "cut utf-8": (lambda client: client.send_frame(TEXT, b'{"type": "\xf0\x9f"}'), {1007}),
    "length of 2^62": (lambda client: client.send_frame(TEXT, b"x" * 64, length=2**62), {1009}),
    "oversized": (lambda client: client.send_frame(TEXT, b" " * 300_000), {1009}),
    "fragments without end": (endless_fragment, {1009}),
    "close of one byte": (lambda client: client.send_frame(CLOSE, b"\x03"), {1002}),
    "binary": (lambda client: client.send_frame(BINARY, b"{}"), {1003}),
    "not json": (lambda client: client.send_frame(TEXT, b"hello"), {4400}),
    "not an object": (lambda client: client.send_frame(TEXT, b"[1]"), {4400}),
    "no type": (lambda client: client.send_frame(TEXT, b'{"query": "x"}'), {4400}),
    "unknown type": (lambda client: client.send_frame(TEXT, b'{"type": "dance"}'), {4400}),
    "type is no word": (lambda client: client.send_frame(TEXT, b'{"type": {"a": []}}'), {4400}),
    "deep": (lambda client: client.send_frame(TEXT, b"[" * 100_000), {4400}),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_c15_c16_a_broken_message_has_its_close_code(
    server: Server, provider: FakeProvider, name: str, busy: bool
) -> None:
    provider.play(Answer(steps=(openai_delta("Hello"), STALL)))
    breach, codes = BROKEN[name]
    run = new_run()
    with WsClient(server.address) as client:
        if busy:
            client.send_json(**START, run=run)
            client.read_until(lambda: any("text" in one.frame for one in client.received(run)))
        with contextlib.suppress(ConnectionError):
            breach(client)
        assert client.read_close(5) in codes
    if busy:
        assert stop(server, run)["state"] == "cancelled"
    assert len(provider.calls) == busy


def test_c15_a_fragment_that_is_never_finished(server: Server) -> None:
    began = time.monotonic()
    with WsClient(server.address) as client:
        client.send_frame(TEXT, b'{"type": "st', fin=False)
        assert client.read_close(15) == 1002
    assert time.monotonic() - began > 5


def test_c15_a_client_that_leaves_within_a_frame(server: Server) -> None:
    for piece in (b"\x81", b"\x81\xfe", b"\x81\xfe\x01\x00abcd", b"\x88"):
        with WsClient(server.address) as client:
            client.sock.sendall(piece)
            client.drop(with_reset=True)
    status, _, _ = server.request("GET", "/healthz")
    assert status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"Upgrade": "h2c"},
        {"Connection": "close"},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "short"},
    ],
)
def test_c15_a_broken_handshake_is_an_http_error(server: Server, change: dict[str, str]) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with dial(server.address) as sock:
        sock.sendall(encode_request(server.address, "GET", "/ws", headers | change))
        status = int(sock.recv(65536).split(b" ")[1])
        assert 400 <= status < 500


def test_c16_ten_thousand_messages(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    before = server.memory_bytes()
    with WsClient(server.address) as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(10_000):
                client.send_json(type="resume", ref="r", run=new_run(), after="nothing" * 20)
        assert client.read_close(10) == 4429
    assert server.memory_bytes() - before < 40 * 2**20


def test_c16_a_flood_of_pings(server: Server, provider: FakeProvider) -> None:
    before = server.memory_bytes()
    with WsClient(server.address) as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(20_000):
                client.send_frame(PING, b"x" * 100)
        assert client.read_close(10) == 4429
    assert server.memory_bytes() - before < 40 * 2**20


def test_c16_at_most_four_runs_a_socket(server: Server, provider: FakeProvider) -> None:
    provider.play(Answer(steps=(openai_delta("Hello"), STALL)))
    runs = [new_run() for _ in range(5)]
    with WsClient(server.address) as client:
        for number, run in enumerate(runs):
            client.send_json(type="start", ref=str(number), query="hello", run=run)
        refused = client.read_reply("refused")
        assert (refused["ref"], refused["status"]) == ("4", 429)
        client.read_until(lambda: all(client.received(run) for run in runs[:4]))
        assert len(provider.wait_calls(4)) == 4
        for run in runs[:4]:
            client.send_json(type="stop", ref="s", run=run)
            check_promises(client.read_to_end(run))
        client.send_json(type="start", ref="again", query="hello", run=runs[4])
        client.read_until(lambda: bool(client.received(runs[4])))
    assert stop(server, runs[4])["state"] == "cancelled"


BAD_STARTS = [
    ({"query": ""}, "query"),
    ({"query": 5}, "query"),
    ({}, "query"),
    ({"query": "x", "run": "short"}, "run"),
    ({"query": "x", "provider": "nobody"}, "provider"),
    ({"query": "x", "max_tokens": "many"}, "max_tokens"),
    ({"query": "x", "temperature": 99}, "temperature"),
    ({"messages": "x"}, "messages"),
]


@pytest.mark.parametrize(("body", "param"), BAD_STARTS)
def test_c16_an_invalid_start_is_refused_and_the_socket_stays_open(
    server: Server, provider: FakeProvider, body: dict[str, object], param: str
) -> None:
    provider.play(Answer(steps=openai(["Hello"])))
    run = new_run()
    with WsClient(server.address) as client:
        client.send_json(type="start", ref="bad", **body)
        refused = client.read_reply("refused")
        assert (refused["ref"], refused["status"]) == ("bad", 400)
        assert param in json.dumps(refused)
        assert not provider.calls
        client.send_json(**START, run=run)
        assert check_promises(client.read_to_end(run)).text == "Hello"
