"""The half that all providers' decoders share: pieces out of bytes, what cannot be read, and the end."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from webapp.codecs.sse import TooLong
from webapp.errors import Interrupted, UpstreamError
from webapp.events import Event

MAX_LINE_BYTES = 8 * 1024 * 1024
_MOST_DAMAGED = 2

Piece = TypeVar("Piece")


class _Pieces(Protocol[Piece]):
    def decode(self, chunk: bytes) -> list[Piece]: ...

    def flush(self) -> list[Piece]: ...


class ProviderDecoder(Generic[Piece]):
    """Bytes in, events out; see `seams.Decoder`. A provider's own decoder says what a piece means."""

    def __init__(self, pieces: _Pieces[Piece]) -> None:
        self._pieces = pieces
        self._damaged = 0
        self.heard: list[Event] = []
        self.finished = False

    def decode(self, chunk: bytes) -> list[Event]:
        """Read more bytes."""
        try:
            pieces = self._pieces.decode(chunk)
        except TooLong as error:
            self.heard = []
            raise UpstreamError("upstream_protocol", detail=str(error)) from error
        return self._read(pieces)

    def flush(self) -> list[Event]:
        """Read the end of the body."""
        events = self._read(self._pieces.flush())
        if not self.finished:
            if not self._may_end():
                raise Interrupted("the answer did not say that it is whole")
            self._finish(events)
        return events

    def _read(self, pieces: list[Piece]) -> list[Event]:
        events = self.heard = []
        for piece in pieces:
            if self.finished:
                break
            self._hear(piece, events)
        return events

    def _damage(self, raw: bytes) -> None:
        """Count a piece that cannot be read; several are a provider that cannot be understood."""
        self._damaged += bool(raw.strip())  # a blank one is only a sign of life
        if self._damaged > _MOST_DAMAGED:
            raise UpstreamError("upstream_protocol", detail="several events cannot be read")

    def _hear(self, piece: Piece, events: list[Event]) -> None:
        """Add what a piece says; raises `UpstreamError` where it is an error."""
        raise NotImplementedError

    def _may_end(self) -> bool:
        """Tell whether the answer counts as whole although its closing mark is missing."""
        return False

    def _finish(self, events: list[Event]) -> None:
        """Add the end of an answer whose closing mark is missing."""
        raise NotImplementedError
