"""The frames of one answer, in memory, each encoded once. The hot path: no I/O lies between it and a reader."""

from __future__ import annotations

import msgspec

from webapp.errors import FreshetError
from webapp.frames import Cursor, Frame, Reset, Start, reset_frames
from webapp.offload import Wake, short_lock

_FRAME_OVERHEAD_BYTES = 96  # what Python keeps for a frame besides its JSON


class StaleEpoch(FreshetError):
    """A writer of an older epoch came late, or the log is closed: its frame is refused."""


class RunLog:
    """An append-only list of frames in epochs; frames of an epoch are numbered from 1 without a hole."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.epoch = 1
        self.size_bytes = 0
        self.closed = False
        self._frames: list[Frame] = []
        self._begins = [0, 0]  # where each epoch begins, by its number
        self._lock = short_lock()
        self._wakes: tuple[Wake, ...] = ()

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, frame: Frame, epoch: int) -> None:
        """Add a frame and wake the readers. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self.epoch or self.closed:
                raise StaleEpoch(f"epoch {epoch} cannot write: {self.epoch} does")
            self._frames.append(frame)
            self.size_bytes += len(frame.payload) + _FRAME_OVERHEAD_BYTES
            self.closed = frame.terminal
        for wake in self._wakes:
            wake.set()

    def seize(self, epoch: int) -> int:
        """Take the right to write from the producer of `epoch`; returns the new epoch. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self.epoch or self.closed:
                raise StaleEpoch(f"epoch {epoch} is over")
            self.epoch += 1
            self._begins.append(len(self._frames))
            return self.epoch

    def subscribe(self, wake: Wake) -> None:
        """Wake a reader at every frame from now on."""
        with self._lock:
            self._wakes = (*self._wakes, wake)

    def unsubscribe(self, wake: Wake) -> None:
        """Leave a reader in peace."""
        with self._lock:
            self._wakes = tuple(other for other in self._wakes if other is not wake)

    def after(self, cursor: Cursor) -> int | None:
        """Find where a reader goes on; None when continuity cannot be proven. Constant cost."""
        if cursor.epoch != self.epoch:
            return None
        at = self._begins[cursor.epoch] + cursor.seq
        return at if at <= len(self._frames) else None

    def begin(self, epoch: int) -> int:
        """Tell where an epoch's frames begin."""
        return self._begins[epoch]

    def since(self, at: int) -> list[Frame]:
        """Give the frames from a place on."""
        return self._frames[at:]

    def folded(self, end: int) -> list[Frame]:
        """Fold the frames before `end` into a reset; only its last frame may be given an id."""
        return reset_frames(
            Reset(text=self.said("text", end), reasoning=self.said("reasoning", end), start=self.start)
        )

    def said(self, kind: str, end: int | None = None) -> str:
        """Join what frames of a kind (`text`, `reasoning`) carry."""
        decode = msgspec.json.decode
        return "".join(decode(frame.payload)[kind] for frame in self._frames[:end] if frame.kind == kind)

    def has(self, kind: str) -> bool:
        """Tell whether a frame of a kind is there."""
        return any(frame.kind == kind for frame in self._frames)
