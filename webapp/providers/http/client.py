"""The HTTP transport that all providers share: one POST, answered by a body that is read when its reader wants it.

No redirects, no cookies, no proxies from the environment, no compression; the key goes to the address it belongs to
and nowhere else. HTTP/1.1 is written and parsed here: through `requests` a call costs as much CPU time as the rest of
starting an answer.
"""

from __future__ import annotations

import ssl
import time
from urllib.parse import urlsplit

import certifi
import msgspec

from webapp.errors import ConfigurationError, Interrupted, UpstreamError
from webapp.providers.errors import refusal
from webapp.providers.http.body import BodyLimits, ResponseBody
from webapp.providers.http.connections import (
    Address,
    ConnectFailed,
    ConnectionPool,
    NameNotResolved,
    StopHandle,
)
from webapp.providers.http.head import BadHead, ResponseHead, split_head
from webapp.providers.http.sockets import Connection, NothingSent
from webapp.seams import Call, Control

_ERROR_BODY_BYTES = 64 * 1024
_ERROR_BODY_S = 3.0
_OK = 200


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long, in seconds, to wait for a provider, and how much to read from it, in bytes."""

    connect_s: float = 10.0
    first_byte_s: float = 300.0
    idle_s: float = 120.0
    quiet_s: float = 600.0
    max_line_bytes: int = 8 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024 * 1024


def trust(*extra: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the usual authorities and those in the files `extra`.

    Raises `ConfigurationError` for a file that holds none.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    for path in extra:
        try:
            if path:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # ssl's own are of this kind
            raise ConfigurationError(f"SSL_CERT_FILE, REQUESTS_CA_BUNDLE: {path} cannot be read") from error
    return context


class HttpTransport:
    """Sends calls over HTTP and HTTPS. May be shared by threads; close it when done."""

    def __init__(self, timeouts: Timeouts, context: ssl.SSLContext) -> None:
        self._timeouts = timeouts
        self._pool = ConnectionPool(context, timeouts.connect_s)
        self._limits = BodyLimits(idle_s=timeouts.idle_s, max_bytes=timeouts.max_body_bytes)
        self._error_limits = BodyLimits(idle_s=_ERROR_BODY_S, max_bytes=timeouts.max_body_bytes)

    def post(self, call: Call, control: Control) -> ResponseBody:
        """Send a call; see `seams.Transport`."""
        stop = StopHandle(control)
        try:
            connection, head, first = self._exchange(call, control, stop)
            limits = self._limits if head.status == _OK else self._error_limits
            body = ResponseBody(connection, head, first, control, limits, self._pool, stop)
            try:
                if head.status != _OK:
                    raise refusal(head.status, head.headers, _error_body(body))
                if head.headers.get("content-encoding", "identity") != "identity":
                    raise UpstreamError("upstream_protocol", detail="the answer is compressed")
            except BaseException:
                body.close(reuse=False)
                raise
        except BaseException:
            stop.release()
            raise
        return body

    def close(self) -> None:
        """Close the idle connections; calls in progress go on."""
        self._pool.close()

    def _exchange(
        self, call: Call, control: Control, stop: StopHandle
    ) -> tuple[Connection, ResponseHead, bytes]:
        """Send the request and return the head of its response, and what has come of the body with it.

        An idle connection that was closed before it took a byte of the request is replaced by a new one.
        """
        address, request, credentials = _written(call)
        connection: Connection | None = None
        try:
            connection = self._pool.take(address, credentials, stop)
            try:
                self._send(connection, request)
            except NothingSent:
                if not connection.is_reused:
                    raise
                self._pool.discard(connection)
                connection = self._pool.open(address, credentials, stop)
                self._send(connection, request)
            control.asked(True)
            return (connection, *self._head(connection))
        except (OSError, UnicodeError, BadHead) as error:
            expired = connection is not None and connection.expired
            if connection is not None:
                self._pool.discard(connection)
            control.wait(0)  # a stop looks like a broken connection
            raise _failure(error, expired) from error
        except BaseException:
            if connection is not None:
                self._pool.discard(connection)
            raise

    def _send(self, connection: Connection, request: bytes) -> None:
        connection.deadline = time.monotonic() + self._timeouts.first_byte_s
        self._pool.check_by(connection.deadline)
        try:
            connection.send(request)
        except NothingSent:
            raise
        except OSError:
            pass  # a server may refuse a request before it has read all of it: the response tells

    @staticmethod
    def _head(connection: Connection) -> tuple[ResponseHead, bytes]:
        raw = b""
        while True:
            received = connection.receive()
            if not received:
                raise ConnectionResetError("the connection was closed before an answer")
            raw += received
            found = split_head(raw)
            if found is not None:
                return found


def _written(call: Call) -> tuple[Address, bytes, tuple[str, ...]]:
    """Return where a call goes, its request as bytes, and the credentials that its connection belongs to.

    Raises `OSError` for an address that is none.
    """
    try:
        parts = urlsplit(call.url)
        secure = parts.scheme == "https"
        address = Address(secure, parts.hostname or "", parts.port or (443 if secure else 80))
        host = address.host.encode("idna").decode() if not address.host.isascii() else address.host
    except (ValueError, UnicodeError) as error:
        raise NameNotResolved("the address cannot be read") from error
    if not host or any(char.isspace() for char in host):
        raise NameNotResolved("the address has no host")
    shown = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        shown += f":{parts.port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": shown, "Accept-Encoding": "identity", "Content-Length": str(len(call.body))}
    lines = [
        f"POST {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {**headers, **call.headers}.items()),
    ]
    head = "\r\n".join(lines)
    if "\n" in head.replace("\r\n", ""):
        raise NameNotResolved("a header holds a line break")
    credentials = tuple(value for name, value in call.headers.items() if name.lower() in _CREDENTIALS)
    return address, head.encode("latin-1") + b"\r\n\r\n" + call.body, credentials


_CREDENTIALS = ("authorization", "x-api-key", "api-key")


def _failure(error: Exception, expired: bool) -> UpstreamError:
    """Return the error for a call to which no response came."""
    detail = type(error.__cause__ or error).__name__
    if isinstance(error, ssl.SSLError):
        return UpstreamError("upstream_tls", detail=detail)
    if isinstance(error, (NameNotResolved, ConnectFailed, NothingSent, UnicodeError)):
        return UpstreamError("upstream_unreachable", detail=detail)
    if expired or isinstance(error, TimeoutError):
        return UpstreamError("upstream_timeout", detail="TimeoutError", taken=True)
    # The request was sent: the provider may be working on it, and charge for it.
    return UpstreamError("upstream_unreachable", detail=detail, taken=True)


def _error_body(body: ResponseBody) -> bytes:
    """Read the beginning of an error's body: at most 64 KiB of it, for a few seconds."""
    taken = b""
    until = time.monotonic() + _ERROR_BODY_S
    try:
        while len(taken) < _ERROR_BODY_BYTES and time.monotonic() < until:
            content = body.read()
            if not content:
                break
            taken += content
    except (OSError, Interrupted, UpstreamError):
        pass  # what has come must do
    return taken[:_ERROR_BODY_BYTES]
