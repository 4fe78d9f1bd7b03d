"""HTTP/1.1 on a bare socket, so that tests can cut, reset, stop reading and see every byte."""

import json
import socket
import time
from collections.abc import Mapping

from tests.support.script import reset

Address = tuple[str, int]

VISITORS: dict[Address, str] = {}
"""Cookies for requests that have neither a cookie nor another credential: so that a server with several workers knows its callers."""

_CREDENTIALS = ("cookie", "authorization")


class Cut(Exception):
    """The connection ended before the body did."""


def dial(address: Address, *, receive_buffer: int | None = None, timeout_s: float = 10.0) -> socket.socket:
    """Connect; a small `receive_buffer` lets the server notice a slow reader sooner."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout_s)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def encode_request(
    address: Address, method: str, path: str, headers: Mapping[str, str], body: object = None
) -> bytes:
    """Encode a request; a body that is not bytes is sent as JSON."""
    lines = {"Host": f"{address[0]}:{address[1]}", "Connection": "close"}
    payload = b""
    if body is not None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(payload))}
    lines |= headers
    if address in VISITORS and not any(name.lower() in _CREDENTIALS for name in headers):
        lines["Cookie"] = VISITORS[address]
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode("latin-1") + b"\r\n" + payload


class Response:
    """One response, read as it arrives. The caller closes it: `drop()` or `with`."""

    def __init__(self, sock: socket.socket, timeout_s: float = 10.0) -> None:
        self.sock = sock
        self._buffer = b""
        self._left: int | None = None
        self._chunked = False
        self.ended = False
        self.received_bytes = 0
        self._read_head(time.monotonic() + timeout_s)

    def _read_head(self, deadline: float) -> None:
        while b"\r\n\r\n" not in self._buffer:
            self._fill(deadline)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.received_bytes = len(self._buffer)
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split(" ")[1])
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        self.cookies = [
            line.partition(":")[2].strip() for line in lines if line.lower().startswith("set-cookie:")
        ]
        self._chunked = self.headers.get("transfer-encoding", "") == "chunked"
        if self._chunked:
            self._left = 0
        elif "content-length" in self.headers:
            self._left = int(self.headers["content-length"])
        self.ended = self.status in (101, 204, 304) or (self._left == 0 and not self._chunked)

    def read(self, deadline: float, limit: int = 65536) -> bytes:
        """Read some of the body, at most `limit` bytes; b"" at its end. Raises `Cut` and `TimeoutError`."""
        if self.ended:
            return b""
        if self._chunked and not self._left:
            self._next_chunk(deadline)
            if self.ended:
                return b""
        if not self._buffer:
            try:
                self._fill(deadline, limit)
            except Cut:
                if self._left is None:
                    self.ended = True
                    return b""
                raise
        size = min(limit, len(self._buffer) if self._left is None else self._left)
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        if self._left is not None:
            self._left -= len(piece)
            if self._chunked and not self._left:
                self._take(2, deadline)
            elif not self._left:
                self.ended = True
        return piece

    def read_all(self, timeout_s: float = 10.0) -> bytes:
        """Read the body to its end."""
        deadline, pieces = time.monotonic() + timeout_s, []
        while piece := self.read(deadline):
            pieces.append(piece)
        return b"".join(pieces)

    def leftover(self) -> bytes:
        """Return the unread bytes behind the head: the first after an upgrade."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _next_chunk(self, deadline: float) -> None:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._take(1, deadline)
        self._left = int(line.split(b";")[0], 16)
        if not self._left:
            assert self._take(2, deadline) == b"\r\n"
            self.ended = True

    def _take(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            self._fill(deadline)
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _fill(self, deadline: float, limit: int = 65536) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing more came in time")
        self.sock.settimeout(left)
        try:
            chunk = self.sock.recv(limit)
        except ConnectionResetError as error:
            raise Cut("reset") from error
        if not chunk:
            raise Cut("end of stream")
        self.received_bytes += len(chunk)
        self._buffer += chunk

    def drop(self, *, with_reset: bool = False) -> None:
        """Close the connection by FIN or RST; may be called twice."""
        if self.sock.fileno() < 0:
            return
        if with_reset:
            reset(self.sock)
        else:
            self.sock.close()

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()


def request(
    address: Address,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request and read the whole response: status, headers, body."""
    sock = dial(address, timeout_s=timeout_s)
    try:
        sock.sendall(encode_request(address, method, path, headers or {}, body))
        response = Response(sock, timeout_s)
        return response.status, response.headers, response.read_all(timeout_s)
    finally:
        sock.close()
