"""The half that all providers' decoders share: records out of bytes, damaged records, and the end."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from webapp.codecs.sse import TooLong
from webapp.errors import AnswerError, Interrupted, UpstreamError
from webapp.events import Event

MAX_LINE_BYTES = 8 * 1024 * 1024
_MAX_DAMAGED = 2

T = TypeVar("T")


class _Splitter(Protocol[T]):
    def decode(self, chunk: bytes) -> list[T]: ...

    def flush(self) -> list[T]: ...


class ProviderDecoder(Generic[T]):
    """Bytes in, events out; see `seams.Decoder`. A provider's own decoder says what a record (`T`) means.

    An error ends the answer, but not before the events that came with it: it is kept in `error`.
    """

    def __init__(self, splitter: _Splitter[T]) -> None:
        self._splitter = splitter
        self._damaged = 0
        self.error: AnswerError | None = None
        self.finished = False

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events in more bytes."""
        try:
            records = self._splitter.decode(chunk)
        except TooLong as error:
            self.error = UpstreamError("upstream_protocol", detail=str(error))
            return []
        return self._events(records)

    def flush(self) -> list[Event]:
        """Return the events in what is left at the end of the body."""
        events = self._events(self._splitter.flush())
        if not self.finished and self.error is None:
            if self._may_end():
                self._finish(events)
            else:
                self.error = Interrupted("the answer did not say that it is complete")
        return events

    def _events(self, records: list[T]) -> list[Event]:
        events: list[Event] = []
        try:
            for record in records:
                if self.finished:
                    break
                self._read(record, events)
        except UpstreamError as error:
            self.error = error
        return events

    def _count_damaged(self, raw: bytes) -> None:
        """Count a record that cannot be read; raises `UpstreamError` when there are too many."""
        self._damaged += bool(raw.strip())  # a blank one is only a sign of life
        if self._damaged > _MAX_DAMAGED:
            raise UpstreamError("upstream_protocol", detail="several events cannot be read")

    def _read(self, record: T, events: list[Event]) -> None:
        """Append the events of a record; raises `UpstreamError` where it is an error."""
        raise NotImplementedError

    def _may_end(self) -> bool:
        """Return whether the answer counts as complete although its terminal marker is missing."""
        return False

    def _finish(self, events: list[Event]) -> None:
        """Append the end of an answer whose terminal marker is missing."""
        raise NotImplementedError
