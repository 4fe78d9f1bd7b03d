"""Calls to a provider: when a failed one is repeated, and how the bytes of a response become events."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from webapp.errors import AnswerError, Interrupted, UpstreamError
from webapp.events import Event
from webapp.seams import Body, Call, Control, Decoder, EventStream, Transport

_FIRST_BACKOFF_S = 0.5

NextCall = Callable[[UpstreamError | None], Call | None]


class RetryingClient:
    """Makes calls over a transport. A call is repeated only before its first byte, where that may help."""

    def __init__(
        self, transport: Transport, *, retries: int = 2, retry_max_s: float = 20.0, quiet_s: float = 300.0
    ) -> None:
        """Repeat a failed call up to `retries` times, waiting at most `retry_max_s` where the provider asks for it.

        After `quiet_s` seconds of bytes without an event an answer counts as stalled.
        """
        self._transport = transport
        self._retries = retries
        self._retry_max_s = retry_max_s
        self._quiet_s = quiet_s

    def open(self, next_call: NextCall, decoder: Decoder, control: Control) -> EventStream:
        """Make a call and return the events of its response. Raises `UpstreamError` and `Stopped`.

        `next_call(None)` returns the call; `next_call(error)` may return another one to make at once, where the
        provider refused something that can be left out.
        """
        call = next_call(None)
        if call is None:
            raise ValueError("a provider has a first call")
        failures = 0
        while True:
            try:
                body = self._transport.post(call, control)
            except UpstreamError as error:
                control.asked(error.taken)
                changed = next_call(error)
                if changed is not None:
                    call = changed
                    continue
                pause_s = self._pause_s(error, failures)
                failures += 1
                control.wait(pause_s)
            else:
                return _ResponseEvents(body, decoder, self._quiet_s)

    def _pause_s(self, error: UpstreamError, failures: int) -> float:
        """Return how long to wait before the next attempt; raises `error` where there is none."""
        # A call that the provider may be working on is paid for: it is not made twice.
        if (
            not error.retryable
            or error.taken
            or error.code == "upstream_timeout"
            or failures >= self._retries
        ):
            raise error
        if error.retry_after_s is not None:
            if error.retry_after_s > self._retry_max_s:
                raise error
            return error.retry_after_s
        backoff_s: float = _FIRST_BACKOFF_S * 2**failures
        return backoff_s * random.uniform(0.75, 1.25)


class _ResponseEvents:
    """The events of one response; see `seams.EventStream`."""

    def __init__(self, body: Body, decoder: Decoder, quiet_s: float) -> None:
        self._body = body
        self._decoder = decoder
        self._quiet_s = quiet_s
        self._quiet_since: float | None = None
        self._failure: AnswerError | None = None  # raised once the events before it were returned

    @property
    def has_more(self) -> bool:
        """Whether the last read did not take all that had come."""
        return self._body.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have come."""
        while True:
            if self._failure is not None:
                raise self._failure
            events = self._next(wait=wait)
            if events or (not wait and self._failure is None):
                return events

    def close(self) -> None:
        """Release the connection: for another call where the answer is complete, else closed."""
        self._body.close(reuse=self._decoder.finished)

    def _next(self, *, wait: bool) -> Sequence[Event]:
        decoder, body = self._decoder, self._body
        try:
            chunk = body.read(wait=wait)
            events = decoder.decode(chunk) if chunk else decoder.flush() if body.ended else []
        except (Interrupted, UpstreamError) as error:
            if isinstance(error, UpstreamError) and error.code != "upstream_stalled":
                raise
            events = decoder.flush()  # nothing but the terminal marker may be missing
            if not decoder.finished:
                self._failure = error
            return events
        if decoder.error is not None:
            self._failure = decoder.error
        elif events:
            self._quiet_since = None
        elif chunk:
            self._check_quiet()
        return events

    def _check_quiet(self) -> None:
        """Raise `UpstreamError` after bytes without an event for too long."""
        now = time.monotonic()
        if self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since > self._quiet_s:
            raise UpstreamError("upstream_stalled")
