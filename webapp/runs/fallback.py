"""Asks one provider after another: only a failure before the first delta goes on to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webapp.chat import ModelRequest
from webapp.errors import AnswerError
from webapp.events import Event, ReasoningDelta, TextDelta
from webapp.seams import Control, EventStream, Provider


class FallbackEvents:
    """The events of the first provider of a chain that says anything; see `seams.EventStream`.

    `on_switch(error, provider)` is called before the next provider is asked. The last one's failure is raised.
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
        """Whether the last read did not take all that had come."""
        return self._events is not None and self._events.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have come."""
        if self._request is None and self._events is not None:
            return self._events.read(wait=wait)  # a delta has come: there is no fallback any more
        while True:
            try:
                events = self._opened().read(wait=wait)
            except AnswerError as error:
                if len(self._chain) == 1 or self._request is None:
                    raise
                self.close()
                self._events = None
                del self._chain[0]
                self._on_switch(error, self._chain[0])
            else:
                if any(isinstance(event, (TextDelta, ReasoningDelta)) for event in events):
                    self._request = None  # it may be as large as a model's window
                return events

    def close(self) -> None:
        """End the call in progress."""
        if self._events is not None:
            self._events.close()

    def _opened(self) -> EventStream:
        if self._events is None:
            assert self._request is not None  # noqa: S101  (forgotten only once there are events)
            self._events = self._chain[0].open(self._request, self._control)
        return self._events
