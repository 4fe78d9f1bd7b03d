"""Framing: deltas in, frames out, many deltas to a frame. Pure; time is an argument, in seconds.

The first delta leaves at once. After that at most one *timed* frame leaves in each window, and no delta waits longer than
one window. A frame closed by its size, by a change of kind or by a control frame leaves at once; so does one closed by a
count of deltas or by a newline, where that is switched on.
"""

from __future__ import annotations

import msgspec

from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import ReasoningDelta, TextDelta
from webapp.frames import Frame, reasoning_frame, text_frame

FRAME_BYTES = 8 * 1024


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When a frame is closed: after a window in seconds, and by two rules that are off by default."""

    window_s: float = 0.033
    deltas: int = 0
    newline: bool = False


class Framer:
    """Collects the deltas of one answer into `text` and `reasoning` frames; control frames are made by the caller."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._window_s = rules.window_s
        self._early = bool(rules.deltas or rules.newline)
        self._kind: type[TextDelta] | type[ReasoningDelta] = TextDelta
        self._held: list[str] = []
        self._held_bytes = 0  # counted as they come: a count for each delta would be quadratic
        self._joiner = SurrogateJoiner()
        self._left_at: float | None = None  # when the last timed frame left; None before the first

    def feed(self, delta: TextDelta | ReasoningDelta, now: float) -> list[Frame]:
        """Add one delta; returns the frames that leave at once, mostly none. Call `flush` after what came together."""
        text = delta.text
        if not text:
            return []
        kind = type(delta)
        frames: list[Frame] = []
        if kind is not self._kind:
            frames = self.close()
            self._kind = kind
        text = self._joiner.decode(text)
        if not text:
            return frames
        self._held.append(text)
        self._held_bytes += len(text) if text.isascii() else len(text.encode())
        if self._left_at is None:
            self._left_at = now
            return frames + self._take()
        if self._held_bytes >= FRAME_BYTES or (self._early and self._closes_early(text)):
            return frames + self._take()
        return frames

    @property
    def is_holding(self) -> bool:
        """Whether deltas are held for the next frame."""
        return bool(self._held)

    def due(self) -> float | None:
        """Return when what is held must leave; None when nothing is held."""
        if not self._held or self._left_at is None:
            return None
        return self._left_at + self._window_s

    def next_window(self) -> float | None:
        """Return when the next timed frame may leave; None before the first."""
        return None if self._left_at is None else self._left_at + self._window_s

    def flush(self, now: float) -> list[Frame]:
        """Return the frames that are due at `now`."""
        due = self.due()
        if due is None or now < due:
            return []
        self._left_at = now
        return self._take()

    def close(self) -> list[Frame]:
        """Return all that is held, because a control frame comes next."""
        left = self._joiner.flush()
        if left:
            self._held.append(left)
            self._held_bytes += len(left.encode())
        return self._take() if self._held else []

    def _closes_early(self, text: str) -> bool:
        rules = self._rules
        return bool(rules.deltas and len(self._held) >= rules.deltas) or (rules.newline and "\n" in text)

    def _take(self) -> list[Frame]:
        text = self._held[0] if len(self._held) == 1 else "".join(self._held)
        make = text_frame if self._kind is TextDelta else reasoning_frame
        frames = [make(text)] if self._held_bytes <= FRAME_BYTES else [make(piece) for piece in _pieces(text)]
        self._held, self._held_bytes = [], 0
        return frames


def text_frames(text: str) -> list[Frame]:
    """Return the frames of a text that is complete already."""
    return [text_frame(piece) for piece in _pieces(text)]


def _pieces(text: str) -> list[str]:
    """Return a text in pieces of at most `FRAME_BYTES` in UTF-8, never cut inside a character."""
    raw = text.encode()
    pieces, at = [], 0
    while at < len(raw):
        stop = min(at + FRAME_BYTES, len(raw))
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        pieces.append(raw[at:stop].decode())
        at = stop
    return pieces
