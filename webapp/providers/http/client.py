"""The HTTP transport that all providers share: sends one request and returns its response's body.

No redirects, cookies or proxies from the environment, so that a key is sent only to the configured address.
HTTP/1.1 is encoded and parsed here, because a call through `requests` would double the CPU time of starting an answer.
"""

from __future__ import annotations

import ssl
import time
from urllib.parse import urlsplit

import certifi
import msgspec

from webapp.errors import ConfigurationError, Interrupted, UpstreamError
from webapp.providers.errors import error_from_response
from webapp.providers.http.body import BodyLimits, ResponseBody
from webapp.providers.http.connection_pool import (
    Address,
    ConnectFailed,
    ConnectionPool,
    NameNotResolved,
    StopHandle,
)
from webapp.providers.http.content_coding import BadCoding
from webapp.providers.http.head import BadHead, ResponseHead, split_head
from webapp.providers.http.sockets import Connection, NothingSent
from webapp.seams import Call, Control

_MAX_ERROR_BODY_BYTES = 64 * 1024
_ERROR_BODY_S = 3.0
_SUCCESS = range(200, 300)
_MAX_INTERIM_BYTES = 256 * 1024


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Timeouts of a call in seconds, and limits of its response in bytes."""

    connect_s: float = 10.0
    first_byte_s: float = 300.0
    idle_s: float = 120.0
    quiet_s: float = 600.0
    max_line_bytes: int = 8 * 1024 * 1024
    max_body_bytes: int = 1024 * 1024 * 1024


def create_tls_context(*ca_files: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts certifi's authorities and those in `ca_files`.

    Raises `ConfigurationError` for a file without certificates.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    for path in ca_files:
        try:
            if path:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # includes `ssl.SSLError`
            raise ConfigurationError(
                f"SSL_CERT_FILE, REQUESTS_CA_BUNDLE: {path} contains no readable certificates"
            ) from error
    return context


class HttpTransport:
    """Sends calls over HTTP and HTTPS. Thread-safe; the caller closes it."""

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
            is_success = head.status in _SUCCESS
            limits = self._limits if is_success else self._error_limits
            try:
                body = ResponseBody(connection, head, first, control, limits, self._pool, stop)
            except BadCoding as error:
                self._pool.discard(connection)
                if not is_success:
                    raise error_from_response(head.status, head.headers, b"") from error
                # The answer was made, and another would be compressed again.
                raise UpstreamError(
                    "upstream_protocol", retryable=False, detail=str(error), delivered=True
                ) from error
            if not is_success:
                try:
                    raise error_from_response(head.status, head.headers, _error_body(body))
                finally:
                    body.close(reuse=False)
        except BaseException:
            stop.release()
            raise
        return body

    def close(self) -> None:
        """Close the idle connections; calls in progress continue."""
        self._pool.close()

    def _exchange(
        self, call: Call, control: Control, stop: StopHandle
    ) -> tuple[Connection, ResponseHead, bytes]:
        """Send the request; return the connection, the response's head and the first bytes of its body.

        A reused connection that turns out to be closed before any byte was sent is replaced by a new one.
        """
        address, request, credentials = _encode_request(call)
        connection: Connection | None = None
        try:
            connection = self._pool.acquire(address, credentials, stop)
            try:
                self._send(connection, request)
            except NothingSent:
                if not connection.is_reused:
                    raise
                self._pool.discard(connection)
                connection = self._pool.open(address, credentials, stop)
                self._send(connection, request)
            control.report_delivery(True)
            return (connection, *self._receive_head(connection))
        except (OSError, UnicodeError, BadHead) as error:
            expired = connection is not None and connection.expired
            if connection is not None:
                self._pool.discard(connection)
            control.wait(0)  # raises `Stopped` if a stop has shut the connection
            raise _no_response_error(error, expired) from error
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
            pass  # a server may respond with an error before it has read the whole request

    @staticmethod
    def _receive_head(connection: Connection) -> tuple[ResponseHead, bytes]:
        raw = b""
        while True:
            received = connection.receive()
            if not received:
                raise ConnectionResetError("the connection was closed before a response")
            raw += received
            found = split_head(raw)
            if found is not None:
                return found
            if len(raw) > _MAX_INTERIM_BYTES:
                raise BadHead("the interim responses are too large")


def _encode_request(call: Call) -> tuple[Address, bytes, tuple[str, ...]]:
    """Return the address, the encoded request and the credentials of a call. Raises `NameNotResolved` for a bad URL.

    Connections are reused only for the same credentials.
    """
    try:
        parts = urlsplit(call.url)
        secure = parts.scheme == "https"
        address = Address(secure, parts.hostname or "", parts.port or (443 if secure else 80))
        host = address.host.encode("idna").decode() if not address.host.isascii() else address.host
    except (ValueError, UnicodeError) as error:
        raise NameNotResolved("the URL is invalid") from error
    if not host or any(char.isspace() for char in host):
        raise NameNotResolved("the URL has no valid host")
    host_header = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        host_header += f":{parts.port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": host_header, "Accept-Encoding": "identity", "Content-Length": str(len(call.body))}
    lines = [
        f"{call.method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {**headers, **call.headers}.items()),
    ]
    head = "\r\n".join(lines)
    if "\n" in head.replace("\r\n", ""):
        raise NameNotResolved("a header contains a line break")
    credentials = tuple(value for name, value in call.headers.items() if name.lower() in _CREDENTIALS)
    return address, head.encode("latin-1") + b"\r\n\r\n" + call.body, credentials


_CREDENTIALS = ("authorization", "x-api-key", "api-key")


def _no_response_error(error: Exception, expired: bool) -> UpstreamError:
    """Return the error for a call without a response. `expired` is whether the watchdog has shut the connection."""
    detail = type(error.__cause__ or error).__name__
    if isinstance(error, ssl.SSLError):
        return UpstreamError("upstream_tls", detail=detail)
    if isinstance(error, (NameNotResolved, ConnectFailed, NothingSent, UnicodeError)):
        return UpstreamError("upstream_unreachable", detail=detail)
    if expired or isinstance(error, TimeoutError):
        return UpstreamError("upstream_timeout", detail="TimeoutError", delivered=True)
    # The request was sent, so the provider may charge for it.
    return UpstreamError("upstream_unreachable", detail=detail, delivered=True)


def _error_body(body: ResponseBody) -> bytes:
    """Read the beginning of an error's body, limited in size and time."""
    received = b""
    until = time.monotonic() + _ERROR_BODY_S
    try:
        while len(received) < _MAX_ERROR_BODY_BYTES and time.monotonic() < until:
            content = body.read()
            if not content:
                break
            received += content
    except (OSError, Interrupted, UpstreamError):
        pass  # use the part that has arrived
    return received[:_MAX_ERROR_BODY_BYTES]
