"""The frames of one run in memory, each encoded once. This is the hot path: there is no I/O between it and a reader."""

from __future__ import annotations

import msgspec

from webapp.errors import FreshetError
from webapp.frames import Cursor, Frame, Reset, Start, reset_frames
from webapp.offload import Wake, short_lock

_FRAME_OVERHEAD_BYTES = 96  # what Python keeps for a frame besides its JSON


class StaleEpoch(FreshetError):
    """A frame was refused, because its writer's epoch is over or the log is closed."""


class RunLog:
    """An append-only list of frames in epochs; the frames of an epoch are numbered from 1 without gaps."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.epoch = 1
        self.size_bytes = 0
        self.closed = False
        self._frames: list[Frame] = []
        self._begins = [0, 0]  # the index of each epoch's first frame, by its number
        self._lock = short_lock()
        self._wakes: tuple[Wake, ...] = ()

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, frame: Frame, epoch: int) -> None:
        """Append a frame and wake the readers. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self.epoch or self.closed:
                raise StaleEpoch(f"epoch {epoch} cannot write: {self.epoch} does")
            self._frames.append(frame)
            self.size_bytes += len(frame.payload) + _FRAME_OVERHEAD_BYTES
            self.closed = frame.terminal
        for wake in self._wakes:
            wake.set()

    def seize(self, epoch: int) -> int:
        """Start a new epoch, so that the writer of `epoch` can append no more; return its number. Raises `StaleEpoch`."""
        with self._lock:
            if epoch != self.epoch or self.closed:
                raise StaleEpoch(f"epoch {epoch} is over")
            self.epoch += 1
            self._begins.append(len(self._frames))
            return self.epoch

    def subscribe(self, wake: Wake) -> None:
        """Set `wake` at every frame from now on."""
        with self._lock:
            self._wakes = (*self._wakes, wake)

    def unsubscribe(self, wake: Wake) -> None:
        """Stop setting `wake`."""
        with self._lock:
            self._wakes = tuple(other for other in self._wakes if other is not wake)

    def after(self, cursor: Cursor) -> int | None:
        """Return the index of the frame after `cursor`; None when continuity cannot be proven. Constant cost."""
        if cursor.epoch != self.epoch:
            return None
        at = self._begins[cursor.epoch] + cursor.seq
        return at if at <= len(self._frames) else None

    def epoch_start(self, epoch: int) -> int:
        """Return the index of an epoch's first frame."""
        return self._begins[epoch]

    def since(self, at: int) -> list[Frame]:
        """Return the frames from an index on."""
        return self._frames[at:]

    def reset(self, end: int) -> list[Frame]:
        """Return a reset that holds the frames before index `end`; only its last frame may be given an id."""
        return reset_frames(
            Reset(text=self.text_of("text", end), reasoning=self.text_of("reasoning", end), start=self.start)
        )

    def text_of(self, kind: str, end: int | None = None) -> str:
        """Return the text that frames of a kind (`text`, `reasoning`) carry."""
        decode = msgspec.json.decode
        return "".join(decode(frame.payload)[kind] for frame in self._frames[:end] if frame.kind == kind)

    def has(self, kind: str) -> bool:
        """Return whether the log has a frame of a kind."""
        return any(frame.kind == kind for frame in self._frames)
