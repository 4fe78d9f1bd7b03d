"""Calls the providers of a chain in turn: a failure before the first delta leads to the next provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webapp.chat import ModelRequest
from webapp.errors import AnswerError
from webapp.events import Event, ReasoningDelta, TextDelta
from webapp.seams import Control, EventStream, Provider


class FallbackEvents:
    """The events of the first provider of a chain that sends a delta; see `seams.EventStream`.

    `on_switch(error, provider)` is called before the next provider is called. The last provider's failure is raised.
    """

    def __init__(
        self,
        chain: Sequence[Provider],
        request: ModelRequest,
        control: Control,
        on_switch: Callable[[AnswerError, Provider], None],
    ) -> None:
        self._chain = list(chain)
        self._request: ModelRequest | None = request
        self._control = control
        self._on_switch = on_switch
        self._events: EventStream | None = None

    @property
    def has_more(self) -> bool:
        """See `seams.EventStream`."""
        return self._events is not None and self._events.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; see `seams.EventStream`."""
        while True:
            try:
                events = self._open().read(wait=wait)
            except AnswerError as error:
                if len(self._chain) == 1 or self._request is None:
                    raise
                self.close()
                self._events = None
                del self._chain[0]
                self._on_switch(error, self._chain[0])
            else:
                if any(isinstance(event, (TextDelta, ReasoningDelta)) for event in events):
                    self._request = None  # frees memory: a request may fill a context window
                return events

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`: there is no fallback after the first delta."""
        return self if self._request is not None or self._events is None else self._events.rest

    def close(self) -> None:
        """End the call in progress."""
        if self._events is not None:
            self._events.close()

    def _open(self) -> EventStream:
        if self._events is None:
            assert self._request is not None  # noqa: S101  (set to None only when `_events` is set)
            self._events = self._chain[0].open(self._request, self._control)
        return self._events
