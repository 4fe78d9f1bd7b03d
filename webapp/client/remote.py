"""A client of a running server: `requests`, a run of its own choosing, and as many connections as it takes.

The run is chosen before it is asked for, so an answer whose first byte never came is joined, not bought
again; after a cut the client comes back with its cursor.
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
from webapp.client.base import AnswerStream, QueryClient, Question
from webapp.client.deadline import Deadline
from webapp.client.reading import Reading
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
_SILENCE_S = 25.0  # the server says something every ten seconds
_TRIES = 8  # without one new frame between them
_FIRST_TRIES = 3  # where no server was ever there
_BACKOFF_S = 0.3
_LONGEST_BACKOFF_S = 5.0
_STOP_S = 3.0
_RECORD_BYTES = 8 * 1024 * 1024
_BETWEEN = (502, 504)  # said by a proxy whose server is away for a moment, and never by ours
_REFUSALS: dict[int, type[RequestError]] = {
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
    503: Unavailable,
}


class RemoteClient(QueryClient):
    """See `create_query_client`. Callbacks come per frame."""

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
        """Let go of connections."""
        self._session.close()

    def _open(self, question: Question) -> AnswerStream:
        response = ModelResponse(provider=question.provider or "", model=question.model or "")
        call = _Call(self._session, self._url, question, Reading(response))
        return AnswerStream(call.deltas(), response, call.stop)


class _Call:
    """One answer, over as many connections as it takes."""

    def __init__(self, session: requests.Session, url: str, question: Question, reading: Reading) -> None:
        self._session = session
        self._url = url
        self._run = new_run()
        self._body = _body(question, self._run)
        self._reading = reading
        self._timeout_s = question.timeout_s
        self._begun = False
        self._stopped = threading.Event()

    def deltas(self) -> Iterator[str]:
        """Read the answer to its end, or for `timeout_s`. Leaving early stops it at the server."""
        self._begun = True
        with Deadline(self._timeout_s, self.stop) as alarm:
            try:
                yield from self._connections()
            finally:
                if not self._reading.ended:
                    self.stop()
        if alarm.rang and self._reading.response.finish_reason == "cancelled":
            raise UpstreamError("upstream_timeout")
        if self._reading.error is not None:
            raise self._reading.error

    def _connections(self) -> Iterator[str]:
        """Read from one connection after another."""
        failures = 0
        while not self._reading.ended and not self._stopped.is_set():
            before = self._reading.cursor
            try:
                yield from self._connection()
            except requests.RequestException as error:
                failures = 0 if self._reading.cursor != before else failures + 1
                if self._stopped.is_set():
                    return
                if failures >= (_FIRST_TRIES if before is None and _absent(error) else _TRIES):
                    raise _unreachable(self._url, error, begun=before is not None) from error
                self._pause(failures)

    def stop(self) -> None:
        """Stop the answer at the server; its receipt is not waited for long."""
        stopped = self._stopped.is_set()
        self._stopped.set()
        if stopped or self._reading.ended or not self._begun:
            return
        self._reading.response.finish_reason = "cancelled"
        try:
            self._session.post(f"{self._url}/stream/{self._run}/stop", timeout=_STOP_S).close()
        except requests.RequestException:
            pass  # nobody reads it any more: the server ends it by itself

    def _connection(self) -> Iterator[str]:
        """Read until the answer or the connection ends."""
        response = self._ask()
        with response:
            if response.status_code == requests.codes.no_content:
                raise Interrupted("the server has nothing more to say")
            away = response.status_code == requests.codes.unavailable and self._reading.cursor is not None
            if away or response.status_code in _BETWEEN:
                raise requests.ConnectionError(f"status {response.status_code}")
            if response.status_code != requests.codes.ok:
                raise _refusal(response)
            for record in _records(response):
                yield from self._reading.take(record)
                if self._reading.ended or self._stopped.is_set():
                    return
        if not self._reading.ended:
            raise requests.ConnectionError("the connection ended before the answer")

    def _ask(self) -> requests.Response:
        shortest = _SILENCE_S if self._timeout_s is None else max(0.05, self._timeout_s)
        timeout = (min(_CONNECT_S, shortest), min(_SILENCE_S, shortest))
        cursor = self._reading.cursor
        if cursor is None:
            return self._session.post(f"{self._url}/stream", json=self._body, stream=True, timeout=timeout)
        headers = {"Last-Event-ID": cursor}
        return self._session.get(
            f"{self._url}/stream/{self._run}", headers=headers, stream=True, timeout=timeout
        )

    def _pause(self, failures: int) -> None:
        longest = min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2**failures)
        self._stopped.wait(random.uniform(longest / 2, longest) if failures else 0.05)


def _records(response: requests.Response) -> Iterator[Record]:
    """Read records as they come; http.client's buffering must not hold one back."""
    decoder = SSEDecoder(_RECORD_BYTES)
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


def _body(question: Question, run: str) -> dict[str, Any]:
    named = {
        "provider": question.provider,
        "model": question.model,
        "max_tokens": question.request.max_tokens,
        "temperature": question.request.temperature,
    }
    body: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    return body | {"run": run, "messages": [_message(message) for message in question.request.messages]}


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


def _refusal(response: requests.Response) -> RequestError:
    """Turn a refusal back into the error that it was."""
    try:
        told = msgspec.json.decode(response.content)["error"]
        message, param, code = str(told["message"]), told.get("param"), told.get("code")
    except (msgspec.DecodeError, KeyError, TypeError, requests.RequestException):
        message, param, code = f"The server answered {response.status_code}.", None, None
    kind = _REFUSALS.get(response.status_code, InvalidRequest)
    wait = response.headers.get("Retry-After", "")
    return kind(message, param=param, code=code, retry_after_s=int(wait) if wait.isdigit() else None)


def _absent(error: requests.RequestException) -> bool:
    """Tell whether nobody was there to connect to."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(cause, (NewConnectionError, ConnectTimeoutError))


def _unreachable(url: str, error: Exception, *, begun: bool) -> AnswerError:
    if begun:
        return Interrupted(type(error).__name__)
    return UpstreamError("upstream_unreachable", f"No server answers at {url}.", detail=type(error).__name__)
