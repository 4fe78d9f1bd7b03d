"""Calls a provider with retries, and decodes the bytes of its response into events."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from webapp.errors import AnswerError, Interrupted, UpstreamError, release_frames
from webapp.events import Event
from webapp.seams import Body, Call, Control, Decoder, EventStream, Transport

_FIRST_BACKOFF_S = 0.5
_END_S = 1.5  # how long an answer's end is waited for after what usually is its last event

NextCall = Callable[[UpstreamError | None], Call | None]


class RetryingClient:
    """Makes calls over a transport. A call is repeated only if it failed before the first byte of its response."""

    def __init__(
        self, transport: Transport, *, retries: int = 2, retry_max_s: float = 20.0, quiet_s: float = 300.0
    ) -> None:
        """Create a client. A server's values are set in `settings/providers.py`; the defaults are for tests.

        Args:
            transport: Sends the calls.
            retries: How many times a failed call is repeated.
            retry_max_s: The longest `Retry-After` of a provider that is waited for.
            quiet_s: The time after which an answer has stalled whose bytes contain no events.
        """
        self._transport = transport
        self._retries = retries
        self._retry_max_s = retry_max_s
        self._quiet_s = quiet_s

    def open(self, next_call: NextCall, decoder: Decoder, control: Control) -> EventStream:
        """Make a call and return the events of its response. Raises `UpstreamError` and `Stopped`.

        `next_call(None)` returns the first call. `next_call(error)` may return a modified call to make at once, without the
        field that the provider has refused.
        """
        call = next_call(None)
        if call is None:
            raise ValueError("next_call(None) must return a call")
        failures = 0
        while True:
            try:
                body = self._transport.post(call, control)
            except UpstreamError as error:
                control.report_delivery(error.delivered)
                changed = next_call(error)
                if changed is not None:
                    call = changed
                    continue
                pause_s = self._pause_s(error, failures)
                failures += 1
                control.report_retry(error)
                control.wait(pause_s)
            else:
                return _ResponseEvents(
                    body, decoder, self._quiet_s, lambda error: self._explain(error, control)
                )

    def _explain(self, error: UpstreamError, control: Control) -> UpstreamError:
        """Return the error to raise instead of one that the provider reports within a response: a subclass may know more."""
        del control
        return error

    def _pause_s(self, error: UpstreamError, failures: int) -> float:
        """Return how long to wait before the next attempt. Raises `error` if there is none."""
        # The provider may charge for a call that it has received, so such a call is not repeated.
        if (
            not error.retryable
            or error.delivered
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

    def __init__(
        self,
        body: Body,
        decoder: Decoder,
        quiet_s: float,
        explain: Callable[[UpstreamError], UpstreamError],
    ) -> None:
        self._body = body
        self._decoder = decoder
        self._quiet_s = quiet_s
        self._explain = explain
        self._quiet_since: float | None = None
        self._is_ending = False
        self._failure: AnswerError | None = None  # raised after the events before it were returned

    @property
    def has_more(self) -> bool:
        """See `seams.EventStream`."""
        return self._body.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; see `seams.EventStream`."""
        while True:
            if self._failure is not None:
                self._raise(self._failure)
            events = self._next(wait=wait)
            if events or (not wait and self._failure is None):
                return events

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`."""
        return self

    def close(self) -> None:
        """Release the connection for another call if the answer is complete, else close it."""
        self._body.close(reuse=self._decoder.finished)

    def _next(self, *, wait: bool) -> Sequence[Event]:
        decoder, body = self._decoder, self._body
        try:
            chunk = body.read(wait=wait)
            events = decoder.decode(chunk) if chunk else decoder.flush() if body.ended else []
        except (Interrupted, UpstreamError) as error:
            if isinstance(error, UpstreamError) and error.code != "upstream_stalled":
                raise
            events = decoder.flush()  # the answer may be complete except for its terminal event
            if not decoder.finished:
                self._keep_failure(decoder.error if isinstance(decoder.error, UpstreamError) else error)
            return events
        if chunk and not decoder.finished:
            is_ending = decoder.is_ending()
            if is_ending or self._is_ending:
                self._limit_end(is_ending=is_ending, has_events=bool(events))
        if decoder.error is not None:
            self._keep_failure(decoder.error)
        elif events:
            self._quiet_since = None
        elif chunk:
            self._check_quiet()
        return events

    def _keep_failure(self, failure: AnswerError) -> None:
        """Raise it at the next read, which there may never be."""
        release_frames(failure)
        self._failure = failure

    def _raise(self, failure: AnswerError) -> NoReturn:
        explained = self._explain(failure) if isinstance(failure, UpstreamError) else failure
        if explained is failure:
            raise failure
        raise explained from failure

    def _limit_end(self, *, is_ending: bool, has_events: bool) -> None:
        """Set a short deadline once the answer is complete except for its terminal event, which some servers never send."""
        if is_ending and (has_events or not self._is_ending):
            self._body.end_within(_END_S)
        elif self._is_ending and not is_ending:
            self._body.end_within(math.inf)
        self._is_ending = is_ending

    def _check_quiet(self) -> None:
        """Raise `UpstreamError` if bytes have contained no event for too long."""
        now = time.monotonic()
        if self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since > self._quiet_s:
            raise UpstreamError("upstream_stalled")
