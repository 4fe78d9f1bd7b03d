"""Groups an answer's deltas into frames. Pure: time is an argument, in seconds.

The first delta is sent at once. After that at most one *timed* frame is sent in each window, and no delta waits longer
than one window. A frame that is closed by its size, by a change of kind or by a control frame is sent at once; so is one
closed by a count of deltas or by a newline, if those rules are on.
"""

from __future__ import annotations

import msgspec

from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import LogprobsFound, ReasoningDelta, TextDelta, TokenLogprob
from webapp.frames import Frame, logprobs_frame, reasoning_frame, text_frame

FRAME_BYTES = 8 * 1024
_PARAGRAPH = "\n\n"
_MAX_TOKENS = 64  # of a `logprobs` frame; with 20 alternatives each they are about 100 kB


class FramingRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a frame is closed: after a window, after a count of deltas (0: off), or at a newline."""

    window_s: float
    deltas: int = 0
    newline: bool = False


class Framer:
    """Collects the deltas of one answer into `text` and `reasoning` frames; the caller creates control frames."""

    def __init__(self, rules: FramingRules, *, follows_reasoning: bool = False) -> None:
        """Begin with an answer's first delta, or with `follows_reasoning` go on after reasoning of an earlier call."""
        self._rules = rules
        self._before_reasoning = _PARAGRAPH if follows_reasoning else ""
        self._window_s = rules.window_s
        self._early = bool(rules.deltas or rules.newline)
        self._kind: type[TextDelta] | type[ReasoningDelta] = TextDelta
        self._pending: list[str] = []
        self._pending_bytes = 0  # a running total: summing at each delta would be quadratic
        self._tokens: list[TokenLogprob] = []
        self._joiner = SurrogateJoiner()
        self._sent_at: float | None = None  # when the last timed frame was sent; None before the first

    def feed(self, delta: TextDelta | ReasoningDelta, now: float) -> list[Frame]:
        """Add a delta and return the frames to send at once, mostly none. Call `flush` after each batch of deltas."""
        text = delta.text
        if not text:
            return []
        kind = type(delta)
        frames: list[Frame] = []
        if kind is not self._kind:
            frames = self.close()
            self._kind = kind
            if kind is ReasoningDelta and self._before_reasoning:
                text, self._before_reasoning = self._before_reasoning + text, ""
        text = self._joiner.decode(text)
        if not text:
            return frames
        self._pending.append(text)
        self._pending_bytes += len(text) if text.isascii() else len(text.encode())
        if self._sent_at is None:
            self._sent_at = now
            return frames + self._take()
        if self._pending_bytes >= FRAME_BYTES or (self._early and self._closes_early(text)):
            return frames + self._take()
        return frames

    def add_logprobs(self, event: LogprobsFound) -> list[Frame]:
        """Add the tokens of the next delta, to be sent before it; return the frames that are full."""
        self._tokens += event.tokens
        frames = []
        while len(self._tokens) >= _MAX_TOKENS:
            frames.append(logprobs_frame(self._tokens[:_MAX_TOKENS]))
            del self._tokens[:_MAX_TOKENS]
        return frames

    @property
    def has_pending(self) -> bool:
        """Whether deltas wait for the next frame."""
        return bool(self._pending)

    def due_at(self) -> float | None:
        """Return when the pending deltas must be sent; None if there are none."""
        if not self._pending or self._sent_at is None:
            return None
        return self._sent_at + self._window_s

    def next_window_at(self) -> float | None:
        """Return when the next timed frame may be sent; None before the first."""
        return None if self._sent_at is None else self._sent_at + self._window_s

    def flush(self, now: float) -> list[Frame]:
        """Return the frames that are due at `now`."""
        due_at = self.due_at()
        if due_at is None or now < due_at:
            return []
        self._sent_at = now
        return self._take()

    def close(self) -> list[Frame]:
        """Return the pending deltas as frames, because a control frame comes next."""
        remainder = self._joiner.flush()
        if remainder:
            self._pending.append(remainder)
            self._pending_bytes += len(remainder.encode())
        return self._take() if self._pending or self._tokens else []

    def _closes_early(self, text: str) -> bool:
        rules = self._rules
        return bool(rules.deltas and len(self._pending) >= rules.deltas) or (rules.newline and "\n" in text)

    def _take(self) -> list[Frame]:
        if self._tokens:
            tokens, self._tokens = self._tokens, []
            return [logprobs_frame(tokens), *(self._take() if self._pending else ())]
        text = self._pending[0] if len(self._pending) == 1 else "".join(self._pending)
        make = text_frame if self._kind is TextDelta else reasoning_frame
        frames = (
            [make(text)] if self._pending_bytes <= FRAME_BYTES else [make(piece) for piece in _pieces(text)]
        )
        self._pending, self._pending_bytes = [], 0
        return frames


def text_frames(text: str) -> list[Frame]:
    """Return a complete text as frames."""
    return [text_frame(piece) for piece in _pieces(text)]


def _pieces(text: str) -> list[str]:
    """Split a text into pieces of at most `FRAME_BYTES` in UTF-8, never inside a character."""
    raw = text.encode()
    pieces, at = [], 0
    while at < len(raw):
        stop = min(at + FRAME_BYTES, len(raw))
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        pieces.append(raw[at:stop].decode())
        at = stop
    return pieces
