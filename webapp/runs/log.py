"""The frames of one run in memory, each encoded once. Hot path: readers copy frames without I/O."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from webapp.errors import FreshetError
from webapp.events import Source
from webapp.frames import Cursor, Frame, Reset, Start, reset_frames
from webapp.offload import Wake, short_lock

_FRAME_OVERHEAD_BYTES = 96  # of a frame's Python objects


class _SourcesFrame(msgspec.Struct):
    sources: tuple[Source, ...]


class _ResetFrame(msgspec.Struct):
    reset: _SourcesFrame


_decode_sources = msgspec.json.Decoder(_SourcesFrame).decode
_decode_reset = msgspec.json.Decoder(_ResetFrame).decode


class StaleEpoch(FreshetError):
    """The writer's epoch has ended, or the log is closed."""


class RunLog:
    """An append-only list of frames in epochs. The frames of an epoch are numbered from 1 without gaps.

    An epoch after the first may begin with a reset, whose frames have no numbers.
    """

    def __init__(self, start: Start, epoch: int = 1, reset: Sequence[Frame] = ()) -> None:
        """Begin with an epoch, and with what was said in earlier ones."""
        self.start = start
        self.epoch = epoch
        self.size_bytes = sum(map(_size_bytes, reset))
        self.closed = False
        self._writer = epoch  # the epoch whose writer may append; 0: nobody
        self._seized = 0  # the epoch that begins with its writer's first frame; 0: none
        self._is_ending = False
        self.had_readers = False
        self.idle_since = time.monotonic()  # when the last reader left
        self.sse_blocks: dict[tuple[int, int], bytes] = {}  # see `sse_blocks`, which limits them
        self._frames: list[Frame] = list(reset)
        self._epoch_starts = {epoch: len(reset)}  # the index of each epoch's first frame
        self._lock = short_lock()
        self._wakes: tuple[Wake, ...] = ()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def readers(self) -> int:
        """The number of readers."""
        return len(self._wakes)

    @property
    def last_seq(self) -> int:
        """The number of the last frame of the current epoch; 0 if it has none."""
        return len(self._frames) - self._epoch_starts[self.epoch]

    @property
    def next_epoch(self) -> int:
        """The epoch that has been seized and has no frame yet, or else the current one."""
        return self._seized or self.epoch

    @property
    def payload_bytes(self) -> int:
        """The size of all frames' payloads."""
        return self.size_bytes - _FRAME_OVERHEAD_BYTES * len(self._frames)

    def append(self, frame: Frame, epoch: int) -> None:
        """Append a frame and wake the readers. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self._writer or self.closed:
                self._begin_seized(epoch)
            self._frames.append(frame)
            self.size_bytes += len(frame.payload) + _FRAME_OVERHEAD_BYTES
            self.closed = frame.terminal
        for wake in self._wakes:
            wake.set()

    def extend(self, frames: Sequence[Frame], epoch: int) -> None:
        """Append frames, of which only the last may be terminal, and wake the readers once. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self._writer or self.closed:
                self._begin_seized(epoch)
            self._frames.extend(frames)
            self.size_bytes += sum(map(_size_bytes, frames))
            self.closed = any(frame.terminal for frame in frames[-1:])
        for wake in self._wakes:
            wake.set()

    def seize(self, epoch: int) -> int:
        """Return a new epoch, which begins with its first frame. The writer of `epoch` cannot append any more.

        Until then another worker may begin the same epoch, see `begin_epoch`: readers know only epochs that have begun. Raises
        `StaleEpoch`.
        """
        with self._lock:
            self._check_open(epoch)
            self._seized, self._writer = epoch + 1, 0
            return self._seized

    def reserve_end(self, epoch: int) -> None:
        """Leave the end of the log to the writer of `epoch`, who is about to append the last frame. Raises `StaleEpoch`.

        From now on nobody can seize the log.
        """
        with self._lock:
            self._check_open(epoch)
            self._is_ending = True

    def fence(self) -> None:
        """Accept no more frames until the next `begin_epoch`: another worker has the run."""
        with self._lock:
            self._writer = self._seized = 0

    def _begin_seized(self, epoch: int) -> None:
        """Begin an epoch that was seized; raise `StaleEpoch` for any other. Called under the lock."""
        if epoch != self._seized or not epoch or self.closed:
            raise StaleEpoch(f"epoch {epoch} has ended or the log is closed")
        self._epoch_starts[epoch] = len(self._frames)
        self.epoch = self._writer = epoch
        self._seized = 0

    def _check_open(self, epoch: int) -> None:
        """Raise `StaleEpoch` unless the writer of `epoch` may append and has not begun to end the log."""
        if epoch not in (self._writer, self._seized) or self.closed or self._is_ending:
            raise StaleEpoch(f"epoch {epoch} has ended or the log is closed")

    def begin_epoch(self, epoch: int, reset: Sequence[Frame]) -> None:
        """Start an epoch that another worker has begun, with its reset. Raises `StaleEpoch` unless it is a later one."""
        with self._lock:
            if epoch <= self.epoch or self.closed:
                raise StaleEpoch(f"epoch {epoch} is not later, or the log is closed")
            self._epoch_starts[epoch] = len(self._frames) + len(reset)
            self._writer, self._seized, self._is_ending = epoch, 0, False
            self.epoch = epoch  # first: a reader that copies the reset's frames must notice the new epoch
            self._frames.extend(reset)
            self.size_bytes += sum(map(_size_bytes, reset))
        for wake in self._wakes:
            wake.set()

    def subscribe(self, wake: Wake) -> None:
        """Set `wake` whenever a frame is appended: it belongs to a reader."""
        with self._lock:
            self._wakes = (*self._wakes, wake)
            self.had_readers = True

    def unsubscribe(self, wake: Wake) -> None:
        """Stop setting `wake`."""
        with self._lock:
            self._wakes = tuple(other for other in self._wakes if other is not wake)
            self.idle_since = time.monotonic()

    def is_read_by(self, wake: Wake) -> bool:
        """Return whether `wake` belongs to a reader."""
        return wake in self._wakes

    def index_after(self, cursor: Cursor) -> int | None:
        """Return the index of the frame after `cursor`; None for a cursor of another epoch. Takes constant time."""
        if cursor.epoch != self.epoch:
            return None
        index = self._epoch_starts[cursor.epoch] + cursor.seq
        return index if index <= len(self._frames) else None

    def epoch_start(self, epoch: int) -> int:
        """Return the index of an epoch's first frame."""
        return self._epoch_starts[epoch]

    def frames_from(self, index: int) -> list[Frame]:
        """Return the frames from `index` on."""
        return self._frames[index:]

    def fold(self) -> tuple[int, int, list[Frame]]:
        """Return the epoch, an index, and the frames before that index as a reset, of which only the last may have an id.

        All frames so far are folded, except for the terminal one.
        """
        with self._lock:
            end = len(self._frames) - self.closed
            return self.epoch, end, self._fold(end)

    def earlier(self, epoch: int) -> list[Frame]:
        """Return the frames before an epoch, which may still have none, as a reset with which it can begin elsewhere."""
        return self._fold(self._epoch_starts.get(epoch, len(self._frames)))

    def _fold(self, end: int) -> list[Frame]:
        return reset_frames(
            Reset(
                text=self.text_of("text", end),
                reasoning=self.text_of("reasoning", end),
                start=self.start,
                sources=self.sources(end),
            )
        )

    def sources(self, end: int | None = None) -> tuple[Source, ...]:
        """Return the sources in the last `sources` frame or reset; empty if there is none."""
        for frame in reversed(self._frames[:end]):
            if frame.kind == "sources":
                return _decode_sources(frame.payload).sources
            if frame.kind == "reset":
                return _decode_reset(frame.payload).reset.sources
        return ()

    def text_of(self, kind: str, end: int | None = None) -> str:
        """Return the joined text of the frames of a kind (`text` or `reasoning`), from the last reset on."""
        decode = msgspec.json.decode
        pieces: list[str] = []
        for frame in self._frames[:end]:
            if frame.kind == kind:
                pieces.append(decode(frame.payload)[kind])
            elif frame.kind == "reset":
                pieces = [decode(frame.payload)["reset"][kind]]
        return "".join(pieces)

    def frames_after(self, epoch: int, seq: int) -> list[Frame]:
        """Return the frames of an epoch that follow its frame `seq`; an earlier epoch's may be followed by a later one's.

        An epoch that has only been seized has none.
        """
        return self._frames[self._epoch_starts.get(epoch, len(self._frames)) + seq :]

    def move_text(self, kept_chars: int) -> list[Frame]:
        """Return frames that turn the text so far into reasoning, except for its first `kept_chars` characters."""
        text, reasoning = self.text_of("text"), self.text_of("reasoning")
        moved = text[kept_chars:].strip()
        return reset_frames(
            Reset(
                text=text[:kept_chars],
                reasoning=reasoning + moved,
                start=self.start,
                sources=self.sources(),
                replaced=True,
            )
        )


def _size_bytes(frame: Frame) -> int:
    return len(frame.payload) + _FRAME_OVERHEAD_BYTES
