"""The requests of `freshet doctor`. Each is bounded in time; none starts an answer."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from webapp.doctor.findings import Streamed, TimedRecord
from webapp.errors import ConfigurationError

_TIMEOUT_S = 10.0
_MAX_BODY_BYTES = 64 * 1024
_MAX_HEAD_BYTES = 32 * 1024
_PING = b"\x89\x80\x00\x00\x00\x00"  # a masked ping without data; RFC 6455, section 5.5.2
_PONG = b"\x8a\x00"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A response; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _RecordBody(msgspec.Struct):
    at_ms: int
    end: bool = False


class Target:
    """A server's address as its users know it, and the operator's key."""

    def __init__(self, url: str, key: str | None, context: ssl.SSLContext | None) -> None:
        """Parse the address. Raises `ConfigurationError`."""
        try:
            parts: SplitResult = urlsplit(url if "://" in url else f"https://{url}")
            self.port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"{url} is not an address") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(f"{url} is not an address such as https://chat.example.org/")
        self.secure = parts.scheme == "https"
        self.host = parts.hostname
        self.prefix = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.url = self.origin + self.prefix
        self._key = key
        self._context = context or ssl.create_default_context()

    @property
    def has_key(self) -> bool:
        """Whether requests carry a key."""
        return self._key is not None

    def get(self, path: str, headers: Mapping[str, str] | None = None, *, with_key: bool = True) -> Reply:
        """Make a request and return its response. Raises `OSError` and `http.client.HTTPException`."""
        return self.request("GET", path, self._headers(headers or {}, with_key=with_key))

    def request(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Make a request with these headers alone, and return its response. Raises as `get`."""
        connection = self._connect(_TIMEOUT_S)
        try:
            connection.request(method, self.prefix + path, headers=dict(headers))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(status=response.status, headers=named, body=response.read(_MAX_BODY_BYTES))
        finally:
            connection.close()

    def stream(self, seconds: float, every_s: float, encodings: str = "identity") -> Streamed:
        """Read a test stream of `seconds` with a record every `every_s`. Raises nothing."""
        began = time.monotonic()
        connection = self._connect(every_s + _TIMEOUT_S)
        records: list[TimedRecord] = []
        status, encoding, complete, failure = 0, "", False, ""
        try:
            path = f"{self.prefix}/doctor/stream?seconds={seconds:g}&every_ms={every_s * 1000:.0f}"
            headers = {"Accept": "text/event-stream", "Accept-Encoding": encodings}
            connection.request("GET", path, headers=self._headers(headers))
            response = connection.getresponse()
            status, encoding = response.status, response.getheader("Content-Encoding", "")
            if status == 200 and encoding in ("", "identity"):
                records, complete = _read_records(response, began, began + seconds + _TIMEOUT_S)
        except (OSError, http.client.HTTPException) as error:
            failure = type(error).__name__
        finally:
            connection.close()
        return Streamed(
            status=status,
            encoding=encoding,
            records=records,
            complete=complete,
            seconds=time.monotonic() - began,
            failure=failure,
        )

    def upgrade(self, origin: str | None = None) -> tuple[int, bool]:
        """Open a WebSocket and ping, as a page of `origin`; return the status (0 without one) and whether a pong came. Raises nothing."""
        from_page = "" if origin is None else f"Origin: {origin}\r\n"
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {self.prefix}/ws HTTP/1.1\r\nHost: {self.origin.partition('://')[2]}\r\n{from_page}"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        try:
            with self._dial() as sock:
                sock.sendall(request.encode())
                head = _read_head(sock)
                status = int(head.split(b" ", 2)[1])
                if status != 101:
                    return status, False
                sock.sendall(_PING)
                received = head.partition(b"\r\n\r\n")[2]
                while _PONG not in received and len(received) < _MAX_HEAD_BYTES:
                    more = sock.recv(4096)
                    if not more:
                        break
                    received += more
                return status, _PONG in received
        except (OSError, ValueError, IndexError):
            return 0, False

    def _headers(self, headers: Mapping[str, str], *, with_key: bool = True) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self._key}"} if self._key and with_key else {}
        return {"User-Agent": "freshet-doctor", **own, **headers}

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        if self.secure:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout_s, context=self._context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)

    def _dial(self) -> socket.socket:
        sock = socket.create_connection((self.host, self.port or (443 if self.secure else 80)), _TIMEOUT_S)
        return self._context.wrap_socket(sock, server_hostname=self.host) if self.secure else sock


def arrival_path(target: Target) -> str:
    """Return the path that asks how a request to the target's address arrives."""
    return f"/doctor?url={quote(target.url, safe='')}"


def _read_head(sock: socket.socket) -> bytes:
    head = b""
    deadline = time.monotonic() + _TIMEOUT_S
    while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD_BYTES and time.monotonic() < deadline:
        more = sock.recv(4096)
        if not more:
            break
        head += more
    return head


def _read_records(
    response: http.client.HTTPResponse,
    began: float,
    deadline: float,
    now: Callable[[], float] = time.monotonic,
) -> tuple[list[TimedRecord], bool]:
    """Read records up to the last one; return them and whether the last one came."""
    records: list[TimedRecord] = []
    buffer = b""
    while now() < deadline and len(buffer) < _MAX_BODY_BYTES:
        try:
            piece = response.read1(_MAX_BODY_BYTES)
        except (OSError, http.client.HTTPException):
            break
        if not piece:
            break
        buffer += piece
        *lines, buffer = buffer.split(b"\n\n")
        for line in lines:
            body = msgspec.json.decode(line.removeprefix(b"data: "), type=_RecordBody)
            records.append(TimedRecord(sent_s=body.at_ms / 1000, arrived_s=now() - began))
            if body.end:
                return records, True
    return records, False
