"""The HTTP transport that all providers share: one POST, answered by a stream of bytes.

No redirects, no cookies, no proxies from the environment, no compression; the key goes to the address it
belongs to and nowhere else. A connection serves one call and is closed with it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from webapp.errors import ConfigurationError, Interrupted, UpstreamError
from webapp.providers.errors import refusal
from webapp.providers.http.chunked import BadChunk, ChunkedDecoder
from webapp.providers.http.connections import pool_classes
from webapp.providers.http.paced_socket import Exchange, PacedSocket, Timeouts, exchanging
from webapp.seams import Call, Control

_ERROR_BODY_BYTES = 64 * 1024
_ERROR_BODY_S = 3.0
_MOST_IDLE_CONNECTIONS = 1  # they are closed after one call; the pool is not used to keep any


def trust(*extra: str | None) -> ssl.SSLContext:
    """Make a TLS context that trusts the usual authorities and those in the files `extra`.

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


class _Adapter(HTTPAdapter):
    """Puts the paced connections under requests, with one TLS context for all of them."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=8, pool_maxsize=_MOST_IDLE_CONNECTIONS, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = pool_classes

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave verification to our context: requests would read the authorities again at every call."""


class _Session(requests.Session):
    """A session that does not look where a redirect goes: to find out, it would read all of its body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See none."""


class HttpTransport:
    """Sends calls over HTTP and HTTPS. May be shared by threads; close it when done."""

    def __init__(self, patience: Timeouts, context: ssl.SSLContext) -> None:
        self._patience = patience
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(context)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    @property
    def patience(self) -> Timeouts:
        """The limits in force."""
        return self._patience

    @contextmanager
    def post(self, call: Call, control: Control) -> Iterator[Iterable[bytes]]:
        """Send a call; see `seams.Transport`."""
        exchange = Exchange(control, self._patience)
        headers = {"Accept-Encoding": "identity", "Connection": "close", **call.headers}
        with exchanging(exchange):
            response = self._send(call, headers, control)
        try:
            reader = exchange.reader
            if reader is None:
                raise UpstreamError("upstream_protocol", detail="no connection was opened")
            body = _body(reader, response.headers, self._patience.max_body_bytes)
            if response.status_code != requests.codes.ok:
                reader.hurry(_ERROR_BODY_S)
                raise refusal(response.status_code, response.headers, _error_body(body))
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise UpstreamError("upstream_protocol", detail="the answer is compressed")
            yield _guarded(body, control)
        finally:
            response.close()

    def close(self) -> None:
        """Let go of what is pooled; calls in progress go on."""
        self._session.close()

    def _send(self, call: Call, headers: Mapping[str, str], control: Control) -> requests.Response:
        request = requests.Request("POST", call.url, data=call.body, headers=dict(headers))
        try:
            return self._session.send(
                request.prepare(),
                stream=True,
                allow_redirects=False,
                timeout=(self._patience.connect_s, self._patience.first_byte_s),
            )
        except (requests.RequestException, HTTPError, OSError) as error:
            control.wait(0)  # a stop looks like a broken connection
            raise _failure(error) from error


def _failure(error: BaseException) -> UpstreamError:
    """Say in our words why no answer came."""
    causes = list(_causes(error))
    detail = type(causes[-1]).__name__
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return UpstreamError("upstream_tls", detail=detail)
    if any(isinstance(cause, (NameResolutionError, NewConnectionError)) for cause in causes):
        return UpstreamError("upstream_unreachable", detail=detail)
    if isinstance(error, requests.ConnectTimeout):
        return UpstreamError("upstream_unreachable", detail=detail)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return UpstreamError("upstream_timeout", detail=detail)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return UpstreamError("upstream_tls", detail=detail)
    return UpstreamError("upstream_unreachable", detail=detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk what an exception wraps; bounded, because wrappers can point back at each other."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        cause = queue.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        queue += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _body(reader: PacedSocket, headers: Mapping[str, str], most_bytes: int) -> Iterator[bytes]:
    """Give the body as it comes, by whichever of HTTP's three ways it is delimited."""
    coding = headers.get("Transfer-Encoding", "").lower()
    length = headers.get("Content-Length", "")
    raw = _raw(reader, most_bytes)
    if "chunked" in coding:
        yield from _chunked(raw)
    elif length.isdigit():
        yield from _sized(raw, int(length))
    else:
        yield from raw


def _raw(reader: PacedSocket, most_bytes: int) -> Iterator[bytes]:
    taken = 0
    chunk = reader.leftover() or reader.read()
    while chunk:
        taken += len(chunk)
        if taken > most_bytes:
            raise UpstreamError("upstream_protocol", detail=f"the answer is over {most_bytes} bytes")
        yield chunk
        chunk = reader.read()


def _chunked(raw: Iterator[bytes]) -> Iterator[bytes]:
    decoder = ChunkedDecoder()
    for chunk in raw:
        try:
            content = decoder.decode(chunk)
        except BadChunk as error:
            raise Interrupted(str(error)) from error
        if content:
            yield content
        if decoder.ended:
            return
    raise Interrupted("the body was cut inside a chunk")


def _sized(raw: Iterator[bytes], left: int) -> Iterator[bytes]:
    if left == 0:
        return
    for chunk in raw:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
    raise Interrupted("the body was shorter than it said")


def _guarded(body: Iterator[bytes], control: Control) -> Iterator[bytes]:
    """Tell a stop and a broken connection from an end."""
    try:
        yield from body
    except OSError as error:
        control.wait(0)
        raise Interrupted(type(error).__name__) from error
    except Interrupted:
        control.wait(0)
        raise
    control.wait(0)


def _error_body(body: Iterator[bytes]) -> bytes:
    """Read the beginning of what an error says: at most 64 KiB of it, for a few seconds."""
    taken = b""
    until = time.monotonic() + _ERROR_BODY_S
    try:
        for chunk in body:
            taken += chunk
            if len(taken) >= _ERROR_BODY_BYTES or time.monotonic() >= until:
                break
    except (OSError, Interrupted, UpstreamError):
        pass  # what has come must do
    return taken[:_ERROR_BODY_BYTES]
