"""Statistics of an answer while it streams: tokens, words, tokens per second, time to the first token."""

from __future__ import annotations

import time
from collections.abc import Callable

from webapp.chat import ModelResponse, TokenEstimator


class StreamStats:
    """A callback that counts; pass it to `query_streaming` or `stream_with_callback`. It may wrap another callback.

    Times are in seconds and None before the first delta. `tokens` is an estimate until the provider has reported its
    own count.
    """

    def __init__(
        self,
        callback: Callable[[str, str], object] | Callable[[str, ModelResponse], object] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callback = callback
        self._clock = clock
        self._created_at = clock()
        self._first_at: float | None = None
        self._last_at: float | None = None
        self._in_word = False
        self._reported_tokens: int | None = None
        self._estimator = TokenEstimator()
        self._estimated_tokens = 0
        self.deltas = 0
        self.words = 0

    def __call__(self, delta: str, so_far: str | ModelResponse) -> None:
        """Count a delta, then call the wrapped callback."""
        self._last_at = self._clock()
        if self._first_at is None:
            self._first_at = self._last_at
        self.deltas += 1
        self._estimated_tokens = self._estimator.add(delta)
        for char in delta:
            starts_word = not char.isspace() and not self._in_word
            self.words += starts_word
            self._in_word = not char.isspace()
        if isinstance(so_far, ModelResponse):
            self.finish(so_far)
        if self._callback is not None:
            self._callback(delta, so_far)  # type: ignore[arg-type]  # the caller's own argument, of the right type

    def finish(self, response: ModelResponse) -> None:
        """Use the provider's own token count, if it reported one. The client calls this at the end."""
        if not response.usage.estimated:
            self._reported_tokens = response.usage.output_tokens

    @property
    def estimated(self) -> bool:
        """Whether `tokens` is an estimate."""
        return self._reported_tokens is None

    @property
    def tokens(self) -> int:
        """The number of output tokens."""
        return self._estimated_tokens if self._reported_tokens is None else self._reported_tokens

    @property
    def time_to_first_token_s(self) -> float | None:
        """Seconds from the creation of this object to the first delta."""
        return None if self._first_at is None else self._first_at - self._created_at

    @property
    def elapsed_s(self) -> float | None:
        """Seconds from the first delta to the last."""
        return None if self._first_at is None or self._last_at is None else self._last_at - self._first_at

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens per second after the first delta; None before the second."""
        elapsed = self.elapsed_s
        return self.tokens / elapsed if elapsed else None

    def __str__(self) -> str:
        about = "about " if self.estimated else ""
        pace = "" if self.tokens_per_second is None else f", {self.tokens_per_second:.1f} tokens/s"
        first = (
            "" if self.time_to_first_token_s is None else f", first after {self.time_to_first_token_s:.2f} s"
        )
        return f"{about}{self.tokens} tokens, {self.words} words{pace}{first}"
