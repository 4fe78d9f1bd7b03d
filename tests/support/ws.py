"""A WebSocket client on a bare socket, which can also break the protocol."""

import base64
import contextlib
import hashlib
import json
import os
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.promises import Received
from tests.support.rawhttp import Address, Cut, Response, dial, encode_request
from tests.support.script import reset

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received: text, binary, or a control frame."""

    at: float
    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int | None:
        """Return the code of a close frame."""
        if self.opcode != CLOSE:
            return None
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else 1005


class Refused(Exception):
    """The server refused the upgrade with an HTTP status."""

    def __init__(self, response: Response) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read_all()
        super().__init__(f"{self.status} {self.body[:200]!r}")


class WsClient:
    """One WebSocket. Close it: `drop()` or `with`. `messages` has all messages, in order."""

    def __init__(
        self,
        address: Address,
        *,
        headers: Mapping[str, str] | None = None,
        receive_buffer: int | None = None,
        timeout_s: float = 10.0,
        answer_pings: bool = True,
    ) -> None:
        self.messages: list[Message] = []
        self.jsons: list[tuple[float, dict[str, Any]]] = []
        self._by_run: dict[str, list[Received]] = {}
        self.closed: int | None = None
        self._answer_pings = answer_pings
        self._buffer = b""
        self._parts: list[bytes] = []
        self._first = TEXT
        self.sock = dial(address, receive_buffer=receive_buffer, timeout_s=timeout_s)
        try:
            self._upgrade(address, headers or {}, timeout_s)
        except BaseException:
            self.sock.close()
            raise

    def _upgrade(self, address: Address, headers: Mapping[str, str], timeout_s: float) -> None:
        key = base64.b64encode(os.urandom(16))
        lines = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key.decode(),
        }
        self.sock.sendall(encode_request(address, "GET", "/ws", lines | dict(headers)))
        response = Response(self.sock, timeout_s)
        self.headers = response.headers
        if response.status != 101:
            raise Refused(response)
        expected = base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode()
        assert response.headers["sec-websocket-accept"] == expected
        self._buffer = response.leftover()

    @property
    def port(self) -> int:
        """Return the local port, while the connection is open."""
        port: int = self.sock.getsockname()[1]
        return port

    def send_json(self, **message: Any) -> None:
        """Send one message."""
        self.send_frame(TEXT, json.dumps(message).encode())

    def send_frame(
        self,
        opcode: int,
        payload: bytes = b"",
        *,
        fin: bool = True,
        masked: bool = True,
        reserved: int = 0,
        length: int | None = None,
    ) -> None:
        """Send one frame, valid or not; `length` is the length that its head claims."""
        claimed = len(payload) if length is None else length
        head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
        flag = 0x80 if masked else 0
        if claimed < 126:
            head += bytes([flag | claimed])
        elif claimed < 2**16:
            head += struct.pack(">BH", flag | 126, claimed)
        else:
            head += struct.pack(">BQ", flag | 127, claimed)
        if masked:
            mask = os.urandom(4)
            head += mask
            whole = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)])
            payload = (int.from_bytes(payload) ^ whole).to_bytes(len(payload))
        self.sock.sendall(head + payload)

    def receive(self, timeout_s: float = 10.0) -> Message | None:
        """Wait for the next message of any kind; None at the end of the connection."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                message = self._receive_frame(deadline)
            except (Cut, ConnectionResetError, BrokenPipeError):
                return None
            if message is not None:
                self._take(message)
                return message

    def read_until(self, met: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Receive until `met()` or the end; return whether `met()`. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout_s
        while not met():
            if self.receive(max(0.0, deadline - time.monotonic())) is None:
                return met()
        return True

    def received(self, run: str) -> list[Received]:
        """Return the frames of one run so far."""
        return self._by_run.setdefault(run, [])

    def read_to_end(self, run: str, timeout_s: float = 20.0) -> list[Received]:
        """Receive until the run's terminal frame."""
        met = self.read_until(lambda: any(one.terminal for one in self.received(run)[-2:]), timeout_s)
        assert met, f"closed with {self.closed} before the end"
        return self.received(run)

    def read_close(self, timeout_s: float = 10.0) -> int | None:
        """Receive until the server closes; return its code, None without a close frame."""
        self.read_until(lambda: self.closed is not None, timeout_s)
        return self.closed

    def read_reply(self, key: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Receive until a message has `key`, and return it."""

        def found() -> dict[str, Any] | None:
            return next((body for _, body in self.jsons if key in body), None)

        self.read_until(lambda: found() is not None, timeout_s)
        reply = found()
        assert reply is not None, f"no {key}: closed with {self.closed}, {self.jsons}"
        return reply

    def _take(self, message: Message) -> None:
        self.messages.append(message)
        if message.opcode == TEXT:
            self._sort(message.at, json.loads(message.payload))
        elif message.opcode == PING and self._answer_pings:
            self.send_frame(PONG, message.payload)
        elif message.opcode == CLOSE:
            self.closed = message.close_code

    def _sort(self, at: float, body: dict[str, Any]) -> None:
        self.jsons.append((at, body))
        if "run" in body and "stopped" not in body:
            frame = {key: value for key, value in body.items() if key not in ("run", "id")}
            self.received(body["run"]).append(Received(at, frame, body.get("id")))

    def _receive_frame(self, deadline: float) -> Message | None:
        first, second = self._need(2, deadline)
        assert not first & 0x70, "reserved bits"
        assert not second & 0x80, "a server masks nothing"
        length, skip = second & 0x7F, 2
        if length == 126:
            length, skip = int.from_bytes(self._need(4, deadline)[2:]), 4
        elif length == 127:
            length, skip = int.from_bytes(self._need(10, deadline)[2:]), 10
        payload = self._need(skip + length, deadline)[skip:]
        self._buffer = self._buffer[skip + length :]
        opcode, fin = first & 0x0F, first & 0x80
        if opcode >= CLOSE:
            return Message(time.monotonic(), opcode, payload)
        if opcode:
            assert not self._parts, "a new message inside another"
            self._first = opcode
        self._parts.append(payload)
        if not fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        return Message(time.monotonic(), self._first, whole)

    def _need(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("nothing more came in time")
            self.sock.settimeout(left)
            chunk = self.sock.recv(65536)
            if not chunk:
                raise Cut("end of stream")
            self._buffer += chunk
        return self._buffer[:count]

    def drop(self, *, with_reset: bool = False, politely: bool = False) -> None:
        """Close the connection by a close frame, FIN or RST; may be called twice."""
        if self.sock.fileno() < 0:
            return
        if politely:
            with contextlib.suppress(OSError):
                self.send_frame(CLOSE, struct.pack(">H", 1000))
        if with_reset:
            reset(self.sock)
        else:
            self.sock.close()

    def __enter__(self) -> "WsClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
