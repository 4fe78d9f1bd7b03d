"""Counts an answer as it streams: tokens, words, pace, time to the first token."""

from __future__ import annotations

import time
from collections.abc import Callable

from webapp.chat import ModelResponse, TokenGuess


class StreamStats:
    """A callback that counts; pass it to `query_streaming` or `stream_with_callback`, or wrap another in it.

    Times are in seconds and None before the first delta. `tokens` is an estimate, and `estimated` says so,
    until the provider's own count is known.
    """

    def __init__(
        self,
        callback: Callable[[str, str], object] | Callable[[str, ModelResponse], object] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callback = callback
        self._clock = clock
        self._began = clock()
        self._first: float | None = None
        self._last: float | None = None
        self._in_word = False
        self._reported: int | None = None
        self._guess = TokenGuess()
        self._text_tokens = 0
        self.deltas = 0
        self.words = 0

    def __call__(self, delta: str, so_far: str | ModelResponse) -> None:
        """Count a delta, and hand it on."""
        self._last = self._clock()
        if self._first is None:
            self._first = self._last
        self.deltas += 1
        self._text_tokens = self._guess.add(delta)
        for char in delta:
            begins = not char.isspace() and not self._in_word
            self.words += begins
            self._in_word = not char.isspace()
        if isinstance(so_far, ModelResponse):
            self.finish(so_far)
        if self._callback is not None:
            self._callback(delta, so_far)  # type: ignore[arg-type]  # it takes what we were given

    def finish(self, response: ModelResponse) -> None:
        """Take the provider's own count, where it gave one. The client calls this at the end."""
        if not response.usage.estimated:
            self._reported = response.usage.output_tokens

    @property
    def estimated(self) -> bool:
        """Whether `tokens` is a guess."""
        return self._reported is None

    @property
    def tokens(self) -> int:
        """Tokens of the answer."""
        return self._text_tokens if self._reported is None else self._reported

    @property
    def time_to_first_token_s(self) -> float | None:
        """Seconds from the making of this object to the first delta."""
        return None if self._first is None else self._first - self._began

    @property
    def elapsed_s(self) -> float | None:
        """Seconds from the first delta to the last."""
        return None if self._first is None or self._last is None else self._last - self._first

    @property
    def tokens_per_second(self) -> float | None:
        """The pace after the first delta; None before the second."""
        elapsed = self.elapsed_s
        return self.tokens / elapsed if elapsed else None

    def __str__(self) -> str:
        about = "about " if self.estimated else ""
        pace = "" if self.tokens_per_second is None else f", {self.tokens_per_second:.1f} tokens/s"
        first = (
            "" if self.time_to_first_token_s is None else f", first after {self.time_to_first_token_s:.2f} s"
        )
        return f"{about}{self.tokens} tokens, {self.words} words{pace}{first}"
