"""What all providers share: the way from a call to events, retries, and the calls without an engine."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from webapp.chat import ModelRequest, ModelResponse, Usage
from webapp.errors import AnswerError, Interrupted, Stopped, UpstreamError
from webapp.events import Event
from webapp.providers.response_builder import ResponseBuilder
from webapp.seams import Call, Control, Decoder, Transport

Pricer = Callable[[str, str, Usage], Decimal | None]

_FIRST_BACKOFF_S = 0.5


class RetryingClient:
    """How a provider's calls are made: the transport and how often a failed one is repeated."""

    def __init__(
        self, transport: Transport, *, retries: int = 2, retry_max_s: float = 20.0, quiet_s: float = 300.0
    ) -> None:
        self._transport = transport
        self._retries = retries
        self._retry_max_s = retry_max_s
        self._quiet_s = quiet_s

    def events(
        self, calls: Callable[[UpstreamError | None], Call | None], decoder: Decoder, control: Control
    ) -> Iterator[Event]:
        """Make a call and yield what it says, up to `Finished`.

        `calls(None)` gives the call; `calls(error)` may give another one to make instead, where the
        provider refused the first for something that can be left out.
        """
        with self._opened(calls, control) as chunks:
            try:
                yield from self._read(chunks, decoder)
            except (Interrupted, UpstreamError) as error:
                if isinstance(error, UpstreamError) and error.code != "upstream_stalled":
                    raise
                try:
                    yield from _flushed(decoder)  # nothing but the closing words may be missing
                except Interrupted:
                    raise error from None

    def _read(self, chunks: Iterable[bytes], decoder: Decoder) -> Iterator[Event]:
        heard = time.monotonic()
        for chunk in chunks:
            try:
                events = decoder.decode(chunk)
            except UpstreamError:
                yield from decoder.heard  # what the same read held before the error
                raise
            if events:
                heard = 0.0
                yield from events
                if decoder.finished:
                    return
            elif not heard:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._quiet_s:
                raise UpstreamError("upstream_stalled")
        yield from _flushed(decoder)

    @contextmanager
    def _opened(
        self, calls: Callable[[UpstreamError | None], Call | None], control: Control
    ) -> Iterator[Iterable[bytes]]:
        """Open a call, again where it failed and that may help; nothing has been said yet."""
        call = calls(None)
        if call is None:
            raise ValueError("a provider gives its first call")
        tries = 0
        while True:
            opened = self._transport.post(call, control)
            try:
                chunks = opened.__enter__()
            except UpstreamError as error:
                # A call that timed out may still be worked on, and paid for: it is not made twice.
                control.asked(error.code == "upstream_timeout")
                other = calls(error)
                if other is not None:
                    call = other
                    continue
                pause = self._pause(error, tries)
                tries += 1
                control.wait(pause)
                continue
            break
        try:
            yield chunks
        finally:
            opened.__exit__(None, None, None)

    def _pause(self, error: UpstreamError, tries: int) -> float:
        """Tell how long to wait before the next try; raises `error` where there is none."""
        if not error.retryable or error.code == "upstream_timeout" or tries >= self._retries:
            raise error
        if error.retry_after_s is not None:
            if error.retry_after_s > self._retry_max_s:
                raise error
            return error.retry_after_s
        backoff: float = _FIRST_BACKOFF_S * 2**tries
        return backoff * random.uniform(0.75, 1.25)


def _flushed(decoder: Decoder) -> Iterator[Event]:
    try:
        decoder.flush()
    except AnswerError:
        yield from decoder.heard
        raise
    yield from decoder.heard


class FreeControl:
    """A control for calls without an engine: nothing is paced, and `stop` shuts the provider's socket."""

    window_s = 0.0

    def __init__(self) -> None:
        self._abort: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self.taken = False

    def drained(self) -> bool:
        """Answer that no frame left: there are none."""
        return False

    def opened(self, abort: Callable[[], None]) -> None:
        """Keep the way to shut the socket."""
        self._abort = abort
        if self._stopped.is_set():
            abort()
            raise Stopped

    def asked(self, taken: bool) -> None:
        """Note whether the provider has the request."""
        self.taken = taken

    def wait(self, seconds: float) -> None:
        """Sleep; raises `Stopped` as soon as the call is stopped."""
        if seconds > 0:
            self._stopped.wait(seconds)
        if self._stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """Stop the call from another thread."""
        self._stopped.set()
        if self._abort is not None:
            self._abort()


class BaseProvider:
    """A provider's common half: `stream_with_callback` and `complete` on top of `stream`."""

    name: str

    def __init__(self, model_name: str, max_tokens: int, pricer: Pricer) -> None:
        self._model_name = model_name
        self._max_tokens = max_tokens
        self._pricer = pricer

    @property
    def model_name(self) -> str:
        """The model it asks for."""
        return self._model_name

    def stream(self, request: ModelRequest, control: Control) -> Iterator[Event]:
        """Yield what the model says; see `seams.Provider`."""
        raise NotImplementedError

    def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the whole answer."""
        return self.stream_with_callback(request, lambda _delta, _response: None)

    def stream_with_callback(
        self, request: ModelRequest, callback: Callable[[str, ModelResponse], None]
    ) -> ModelResponse:
        """Call `callback(delta, response)` for every delta of text and return the whole answer.

        `response.content` and `response.usage` grow as it goes; usage is an estimate until the provider
        says more. An exception in the callback closes the provider's connection and comes out unchanged.
        Raises `AnswerError`.
        """
        growth = ResponseBuilder(self.name, self._model_name, request)
        response = growth.response
        events = self.stream(request, FreeControl())
        try:
            for event in events:
                text = growth.take(event)
                if text:
                    callback(text, response)
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()
        response.cost = self._pricer(self.name, response.model, response.usage)
        if response.cost is None:
            response.cost = self._pricer(self.name, self._model_name, response.usage)
        return response

    def _limit(self, request: ModelRequest) -> int:
        return request.max_tokens or self._max_tokens
