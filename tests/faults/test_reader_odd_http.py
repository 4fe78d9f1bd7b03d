"""Unusual and broken HTTP from a reader."""

import contextlib
import json
import socket
import time
from contextlib import ExitStack

import pytest
import requests

from tests.faults.answers import refusal_of
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.rawhttp import Response, dial, encode_request
from tests.support.script import Answer
from tests.support.server import Server

HELLO = Answer(steps=openai(["Hello"]))
QUESTION = json.dumps({"query": "hello"}).encode()


def exchange(server: Server, *pieces: bytes | float, then_leave: bool = False) -> bytes:
    """Send pieces with pauses between them; return all bytes until the end of the connection."""
    with dial(server.address) as sock:
        for piece in pieces:
            if isinstance(piece, float):
                time.sleep(piece)
            else:
                sock.sendall(piece)
        if then_leave:
            sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := sock.recv(65536):
                received += chunk
        return received


def post(
    extra: bytes = b"", body: bytes = QUESTION, length: bytes | None = None, version: bytes = b"1.1"
) -> bytes:
    return (
        b"POST /stream HTTP/%b\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %b\r\n%b\r\n%b" % (version, length or b"%d" % len(body), extra, body)
    )


def test_a_client_of_http_1_0_reads_to_the_end(server: Server, provider: FakeProvider) -> None:
    provider.play(HELLO)
    received = exchange(server, post(version=b"1.0"))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert b'"done":true' in body.replace(b" ", b"")


def test_a_request_in_small_pieces(server: Server, provider: FakeProvider) -> None:
    provider.play(HELLO)
    raw = post()
    pieces: list[bytes | float] = []
    for at in range(0, len(raw), 17):
        pieces += [raw[at : at + 17], 0.005]
    assert b"Hello" in exchange(server, *pieces)
    assert len(provider.calls) == 1


def test_expect_continue(server: Server, provider: FakeProvider) -> None:
    provider.play(HELLO)
    received = exchange(server, post(b"Expect: 100-continue\r\n"))
    assert b"Hello" in received


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nNo colon\r\n\r\n",
        b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        post(b"Transfer-Encoding: chunked\r\n", b"xyz\r\n").replace(b"Content-Length: 5\r\n", b""),
        post(b"Transfer-Encoding: chunked\r\n", b"5\r\n{12").replace(b"Content-Length: 6\r\n", b""),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
    ],
)
def test_malformed_http_gets_json_or_nothing(server: Server, provider: FakeProvider, raw: bytes) -> None:
    provider.play(HELLO)
    received = exchange(server, raw, then_leave=True)
    head, _, body = received.partition(b"\r\n\r\n")
    if head:
        status = int(head.split(b" ")[1])
        assert 400 <= status < 500, received[:300]
        assert json.JSONDecoder().raw_decode(body.decode())[0]["error"]["message"]
    assert b"<" not in body
    assert not provider.calls


@pytest.mark.parametrize(
    ("body", "headers", "status", "param"),
    [
        (b"", {}, 400, "body"),
        (b"{", {}, 400, "body"),
        (b"[]", {}, 400, "body"),
        (b'{"query": 5}', {}, 400, "query"),
        (b'{"query": "x", "messages": []}', {}, 400, "messages"),
        (b'{"query": "\xff"}', {}, 400, "body"),
        (b"[" * 100_000, {}, 400, "body"),
        (QUESTION, {"Content-Type": "text/plain"}, 415, "body"),
        (QUESTION, {"Content-Type": "application/x-www-form-urlencoded"}, 415, "body"),
    ],
)
def test_an_invalid_body_is_refused_with_the_field_s_name(
    server: Server, provider: FakeProvider, body: bytes, headers: dict[str, str], status: int, param: str
) -> None:
    provider.play(HELLO)
    got, _, reply = server.request("POST", "/stream", body, **headers)
    assert got == status
    assert refusal_of(got, reply)["param"] == param
    assert not provider.calls


def test_a_body_over_the_limit(server: Server, provider: FakeProvider) -> None:
    provider.play(HELLO)
    claimed = exchange(server, post(length=b"999999999"))
    assert b" 413 " in claimed.split(b"\r\n")[0]
    with dial(server.address) as sock:
        sock.sendall(
            encode_request(server.address, "POST", "/stream", {"Content-Length": str(20 * 2**20)}, b"")
        )
        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                sock.sendall(b" " * 2**20)
        with contextlib.suppress(ConnectionError):
            assert Response(sock).status == 413
    assert not provider.calls


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_another_method_starts_nothing(server: Server, provider: FakeProvider, method: str) -> None:
    provider.play(HELLO)
    status, _, body = server.request(method, "/stream?query=x")
    assert status in (403, 405, 501) or (method, status, body) == ("HEAD", 200, b"")
    assert b"<" not in body
    assert not provider.calls


def test_a_head_request_starts_nothing(server: Server) -> None:
    assert requests.head(f"{server.url}/stream/{'x' * 22}", timeout=10).status_code == 404


def test_a_response_without_a_body_has_no_content_type(server: Server) -> None:
    status, headers, body = server.request("GET", "/stream?query=x", Last_Event_ID="gone")
    assert (status, headers.get("content-type"), body) == (204, None, b"")


def test_unfinished_requests_cost_little(server: Server, provider: FakeProvider) -> None:
    """A hundred incomplete requests, in head and body, delay nobody and are released when their senders leave."""
    provider.play(HELLO)
    halves = (b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", post(length=b"5000"))
    with ExitStack() as stack:
        for number in range(100):
            sock = stack.enter_context(dial(server.address))
            sock.sendall(halves[number % 2])
        watch = server.stopwatch()
        assert b"Hello" in exchange(server, post())
        assert watch.busy_s < 2
    assert len(provider.calls) == 1


def test_a_connection_that_is_idle_after_an_unread_body_ends_without_an_error_in_the_log() -> None:
    with Server() as server:
        for path in (b"/v1/responses", b"/stream?query=", b"/conversations/import"):
            head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n"
            received = exchange(server, head % path, b"x" * 9)  # until the server closes the idle connection
            assert received.startswith(b"HTTP/1.1 4")
        assert "Socket error" not in server.log
