"""A client of a running server.

The client chooses the run's id. So a request whose response was lost is repeated with the same id and joins the run
instead of paying for a second one. After a broken connection the client resumes at its cursor.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from webapp.chat import ImagePart, ModelMessage, ModelResponse
from webapp.client.base import AnswerStream, Query, QueryClient
from webapp.client.deadline import Deadline
from webapp.client.reading import FrameReader
from webapp.codecs.sse import Record, SSEDecoder
from webapp.errors import (
    AnswerError,
    ConfigurationError,
    Conflict,
    Forbidden,
    Interrupted,
    InvalidRequest,
    NotFound,
    NotSignedIn,
    RequestError,
    TooManyRequests,
    Unavailable,
    UpstreamError,
)
from webapp.frames import new_run
from webapp.settings import parsers

_CONNECT_S = 10.0
_SILENCE_S = 25.0  # the server sends a heartbeat every ten seconds, unless its response says otherwise
_HEARTBEAT_HEADER = "Freshet-Heartbeat"
_MAX_HEARTBEAT_S = 60.0
_MAX_ATTEMPTS = 8  # in a row without a new frame
_MAX_FIRST_ATTEMPTS = 3  # while no server accepts a connection
_BACKOFF_S = 0.3
_MAX_BACKOFF_S = 5.0
_STOP_S = 3.0
_MAX_RECORD_BYTES = 8 * 1024 * 1024
_PROXY_STATUSES = (502, 504)  # sent by a proxy whose server is restarting, never by Freshet
_ERRORS: dict[int, type[RequestError]] = {
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


class RemoteClient(QueryClient):
    """See `create_query_client`. A delta is the text of one frame."""

    def __init__(self, url: str, *, key: str | None, provider: str | None, model: str | None) -> None:
        super().__init__(provider, model)
        try:
            self._url = parsers.url(url)
        except ValueError as error:
            raise ConfigurationError(f"url {error}, not {url!r}") from None
        self._session = requests.Session()
        self._session.trust_env = False
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}".encode()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _search(self, query: str, collection: str | None, limit: int) -> list[dict[str, Any]]:
        """Search the collections that the caller may read at the server. Raises as the server does."""
        asked: dict[str, str | int] = {"query": query, "limit": limit}
        if collection is not None:
            asked["collection"] = collection
        try:
            response = self._session.get(
                f"{self._url}/documents/search", params=asked, timeout=(_CONNECT_S, _SILENCE_S)
            )
        except requests.RequestException as error:
            raise _unreachable(self._url, error, has_frames=False) from error
        with response:
            if response.status_code != requests.codes.ok:
                raise _request_error(response)
            found: list[dict[str, Any]] = msgspec.json.decode(response.content)["passages"]
            return found

    def _open(self, query: Query) -> AnswerStream:
        response = ModelResponse(provider=query.provider or "", model=query.model or "")
        call = _StreamCall(self._session, self._url, query, FrameReader(response))
        return AnswerStream(call.deltas(), response, call.stop)


class _StreamCall:
    """One answer, read over one or more connections."""

    def __init__(self, session: requests.Session, url: str, query: Query, reader: FrameReader) -> None:
        self._session = session
        self._url = url
        self._run = new_run()
        self._body = _body(query, self._run)
        self._reader = reader
        self._timeout_s = query.timeout_s
        self._started = False
        self._silence_s = _SILENCE_S
        self._stopped = threading.Event()

    def deltas(self) -> Iterator[str]:
        """Yield the deltas up to the end of the answer or `timeout_s`. Closing the generator early stops the run."""
        self._started = True
        with Deadline(self._timeout_s, self.stop) as deadline:
            try:
                yield from self._read_with_retries()
            finally:
                if not self._reader.ended:
                    self.stop()
        if deadline.expired and self._reader.response.finish_reason == "cancelled":
            raise UpstreamError("upstream_timeout")
        if self._reader.error is not None:
            raise self._reader.error

    def _read_with_retries(self) -> Iterator[str]:
        """Read from one connection after another."""
        failures = 0
        while not self._reader.ended and not self._stopped.is_set():
            cursor = self._reader.cursor
            try:
                yield from self._read_connection()
            except requests.RequestException as error:
                failures = 0 if self._reader.cursor != cursor else failures + 1
                if self._stopped.is_set():
                    return
                limit = _MAX_FIRST_ATTEMPTS if cursor is None and _is_refused(error) else _MAX_ATTEMPTS
                if failures >= limit:
                    raise _unreachable(self._url, error, has_frames=cursor is not None) from error
                self._pause(failures)

    def stop(self) -> None:
        """Stop the run at the server, waiting at most `_STOP_S` for the confirmation. Idempotent."""
        stopped = self._stopped.is_set()
        self._stopped.set()
        if stopped or self._reader.ended or not self._started:
            return
        self._reader.response.finish_reason = "cancelled"
        try:
            self._session.post(f"{self._url}/stream/{self._run}/stop", timeout=_STOP_S).close()
        except requests.RequestException:
            pass  # a run without readers is stopped by the server

    def _read_connection(self) -> Iterator[str]:
        """Yield deltas until the answer or the connection ends."""
        response = self._connect()
        with response:
            if response.status_code == requests.codes.no_content:
                raise Interrupted("the server has no more frames")
            is_restarting = (
                response.status_code == requests.codes.unavailable and self._reader.cursor is not None
            )
            if is_restarting or response.status_code in _PROXY_STATUSES:
                raise requests.ConnectionError(f"status {response.status_code}")
            if response.status_code != requests.codes.ok:
                raise _request_error(response)
            self._silence_s = max(_SILENCE_S, 2.5 * _heartbeat_s(response))
            for record in _records(response):
                yield from self._reader.read(record)
                if self._reader.ended or self._stopped.is_set():
                    return
        if not self._reader.ended:
            raise requests.ConnectionError("the connection ended before the answer")

    def _connect(self) -> requests.Response:
        """Start the run, or resume reading at the cursor."""
        limit_s = self._silence_s if self._timeout_s is None else max(0.05, self._timeout_s)
        timeout = (min(_CONNECT_S, limit_s), min(self._silence_s, limit_s))
        cursor = self._reader.cursor
        if cursor is None:
            return self._session.post(f"{self._url}/stream", json=self._body, stream=True, timeout=timeout)
        headers = {"Last-Event-ID": cursor}
        return self._session.get(
            f"{self._url}/stream/{self._run}", headers=headers, stream=True, timeout=timeout
        )

    def _pause(self, failures: int) -> None:
        backoff_s = min(_MAX_BACKOFF_S, _BACKOFF_S * 2**failures)
        self._stopped.wait(random.uniform(backoff_s / 2, backoff_s) if failures else 0.05)


def _heartbeat_s(response: requests.Response) -> float:
    """Return the longest silence that a response announces, bounded; 0 if none."""
    try:
        heartbeat_s = float(response.headers.get(_HEARTBEAT_HEADER, 0))
    except ValueError:
        return 0.0
    return heartbeat_s if 0 < heartbeat_s <= _MAX_HEARTBEAT_S else 0.0


def _records(response: requests.Response) -> Iterator[Record]:
    """Yield records as they arrive. Uses `read1`, because `read` would block until its buffer is full."""
    decoder = SSEDecoder(_MAX_RECORD_BYTES)
    while True:
        try:
            chunk = response.raw.read1(64 * 1024)
        except OSError as error:
            raise requests.ConnectionError(str(error)) from error
        except HTTPError as error:
            raise requests.ConnectionError(type(error).__name__) from error
        if not chunk:
            return
        yield from decoder.decode(chunk)


def _body(query: Query, run: str) -> dict[str, Any]:
    options = {
        "provider": query.provider,
        "model": query.model,
        "max_tokens": query.request.max_tokens,
        "temperature": query.request.temperature,
        "effort": query.request.effort,
    }
    body: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return body | {"run": run, "messages": [_message(message) for message in query.request.messages]}


def _message(message: ModelMessage) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    parts = [
        {"type": "image", "media_type": part.media_type, "data": part.data, "url": part.url}
        if isinstance(part, ImagePart)
        else {"type": "text", "text": part.text}
        for part in message.content
    ]
    return {"role": message.role, "content": parts}


def _request_error(response: requests.Response) -> RequestError:
    """Return the exception for an error response, of the class that the server raised."""
    try:
        body = msgspec.json.decode(response.content)["error"]
        message, param, code = str(body["message"]), body.get("param"), body.get("code")
    except (msgspec.DecodeError, KeyError, TypeError, requests.RequestException):
        message, param, code = f"The server responded with status {response.status_code}.", None, None
    error_type = _ERRORS.get(response.status_code, InvalidRequest)
    wait = response.headers.get("Retry-After", "")
    return error_type(message, param=param, code=code, retry_after_s=int(wait) if wait.isdigit() else None)


def _is_refused(error: requests.RequestException) -> bool:
    """Return whether no connection could be opened."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(cause, (NewConnectionError, ConnectTimeoutError))


def _unreachable(url: str, error: Exception, *, has_frames: bool) -> AnswerError:
    if has_frames:
        return Interrupted(type(error).__name__)
    return UpstreamError(
        "upstream_unreachable",
        f"No server responds at {url}. Check the URL, or start the server.",
        detail=type(error).__name__,
    )
