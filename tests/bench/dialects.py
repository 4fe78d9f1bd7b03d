"""Requests for each kind of endpoint, and the framing of their response bodies. No sockets."""

import base64
import json
import os
import struct
from collections.abc import Iterator
from typing import Literal

from tests.bench.question import Order

Dialect = Literal["openai", "freshet", "websocket"]
Piece = tuple[int, int]  # where a piece of the body begins and ends in the bytes as they came

END_MARKS: dict[Dialect, bytes] = {
    "openai": b"data: [DONE]",
    "freshet": b"event: done",
    "websocket": b'"done"',
}
_MASK = b"\x00\x00\x00\x00"


def new_run() -> str:
    """Return a new run id: 128 random bits in 22 characters."""
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def first_words(dialect: Dialect, order: Order, port: int) -> bytes:
    """Return the bytes that a client sends once connected."""
    match dialect:
        case "openai":
            question = {"role": "user", "content": order.text()}
            asked = {"model": "gpt-4.1", "messages": [question], "stream": True}
            return _post("/v1/chat/completions", asked, port)
        case "freshet":
            return _post("/stream", {"query": order.text(), "run": new_run()}, port)
        case "websocket":
            key = base64.b64encode(os.urandom(16)).decode()
            return (
                f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()


def next_words(dialect: Dialect, order: Order) -> bytes:
    """Return the bytes that a client sends after the response's head; empty but for WebSockets."""
    if dialect != "websocket":
        return b""
    start = {"type": "start", "ref": "1", "query": order.text(), "run": new_run()}
    return _websocket_frame(json.dumps(start).encode())


def split_head(received: bytes) -> tuple[int, int]:
    """Return the status and the offset of the body; (0, 0) when the head is incomplete."""
    end = received.find(b"\r\n\r\n")
    if end < 0 or not received.startswith(b"HTTP/1.1 "):
        return 0, 0
    return int(received[9:12]), end + 4


def pieces(dialect: Dialect, received: bytes, begin: int) -> Iterator[Piece]:
    """Yield the payloads of a body; the last may be incomplete. Raises `ValueError` on broken framing."""
    if dialect == "websocket":
        yield from _messages(received, begin)
    elif b"transfer-encoding: chunked" in received[:begin].lower():
        yield from _http_chunks(received, begin)
    else:
        yield begin, len(received)


def _http_chunks(received: bytes, at: int) -> Iterator[Piece]:
    while True:
        line_end = received.find(b"\r\n", at)
        if line_end < 0:
            return
        size = int(received[at:line_end], 16)
        if size == 0:
            return
        yield line_end + 2, min(line_end + 2 + size, len(received))
        at = line_end + 2 + size + 2


def _messages(received: bytes, at: int) -> Iterator[Piece]:
    while at + 2 <= len(received):
        size, begin = received[at + 1], at + 2
        if size == 126:
            (size,) = struct.unpack_from("!H", received, begin)
            begin += 2
        elif size == 127:
            (size,) = struct.unpack_from("!Q", received, begin)
            begin += 8
        if received[at] & 0x0F in (0, 1):
            yield begin, min(begin + size, len(received))
        at = begin + size


def _websocket_frame(payload: bytes) -> bytes:
    if len(payload) > 125:
        return struct.pack("!BBH", 0x81, 0x80 | 126, len(payload)) + _MASK + payload
    return struct.pack("!BB", 0x81, 0x80 | len(payload)) + _MASK + payload


def _post(path: str, body: object, port: int) -> bytes:
    payload = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload
