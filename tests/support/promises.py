"""What a reader has received, and checks of what every answer promises (docs/faults.md, I1 and I2)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as a reader received it: the time, the frame, and its cursor, if any."""

    at: float
    frame: dict[str, Any]
    id: str | None = None

    @property
    def terminal(self) -> bool:
        """Return whether it is a terminal frame."""
        return "done" in self.frame or "error" in self.frame

    @property
    def cursor(self) -> tuple[str, int, int] | None:
        """Return the run, epoch and seq of its id."""
        if self.id is None:
            return None
        run, epoch, seq = self.id.rsplit(":", 2)
        return run, int(epoch), int(seq)


class Reading:
    """A correct reader: it drops frames it has seen, starts over on a reset, and ends at a terminal frame.

    `cursor` is what to resume with. A hole in seq is kept in `faults`, and so is everything else that
    the wire form forbids.
    """

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.cursor: str | None = None
        self.terminal: dict[str, Any] | None = None
        self.faults: list[str] = []
        self.resets = 0
        self._epoch, self._seq = 1, 0
        self._folding = False

    def feed(self, received: Received) -> None:
        """Apply one frame."""
        if self.terminal is not None and "notice" not in received.frame:
            self.faults.append(f"after the terminal frame: {_brief(received.frame)}")
            return
        if received.cursor is not None and not self._advance(received):
            return
        match received.frame:
            case {"reset": folded}:
                self.text, self.reasoning = folded["text"], folded["reasoning"]
                self.resets += 1
                self._folding = received.id is None
            case {"text": text}:
                self.text += text
            case {"reasoning": thought}:
                self.reasoning += thought
            case {"done": _} | {"error": _}:
                self.terminal = received.frame

    def _advance(self, received: Received) -> bool:
        assert received.cursor is not None
        _, epoch, seq = received.cursor
        folded = "reset" in received.frame or self._folding
        self._folding = False
        if epoch == self._epoch and seq <= self._seq and not folded:
            return False
        if not folded and (epoch, seq) != (self._epoch, self._seq + 1):
            self.faults.append(f"a hole: {self._epoch}:{self._seq} then {epoch}:{seq}")
        self._epoch, self._seq, self.cursor = epoch, seq, received.id
        return True


def read_frames(received: Iterable[Received]) -> Reading:
    """Return a new reader after all frames."""
    reading = Reading()
    for one in received:
        reading.feed(one)
    return reading


def check_promises(received: Sequence[Received]) -> Reading:
    """Assert I1 and I2 of a whole answer, and that its digest is that of the text; return the reader."""
    reading = read_frames(received)
    assert not reading.faults, reading.faults
    terminals = [one for one in received if one.terminal]
    assert len(terminals) == 1, (
        f"{len(terminals)} terminal frames in {[_brief(one.frame) for one in received]}"
    )
    assert received[-1].terminal, f"last came {_brief(received[-1].frame)}"
    check_digest(reading)
    return reading


def check_digest(reading: Reading) -> None:
    """Assert that the terminal frame's sha256 is that of the text."""
    assert reading.terminal is not None
    assert reading.terminal["sha256"] == digest(reading.text), (
        f"{len(reading.text)} characters read end in {_brief(reading.terminal)}"
    )


def check_contiguous(received: Sequence[Received], first: int) -> None:
    """Assert that the ids continue from `first` without a gap, in one epoch."""
    seqs = [one.cursor[2] for one in received if one.cursor]
    assert seqs == list(range(first, first + len(seqs))), seqs
    assert len({one.cursor[:2] for one in received if one.cursor}) <= 1


def digest(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def _brief(frame: dict[str, Any]) -> str:
    return json.dumps(frame)[:120]
