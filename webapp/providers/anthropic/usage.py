"""The usage of an answer of Anthropic's, from counts that are cumulative or each for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from webapp.chat import Usage
from webapp.events import CallUsage, UsageReport

_MAX_ITERATIONS = 1_000


class _Iteration(msgspec.Struct, gc=False):
    """One of the calls behind an answer: of the model itself, of one that took over, or one that compacts the context."""

    type: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    @property
    def usage(self) -> Usage:
        """The counts; tokens read from the prompt cache or written to it count as input, too."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        return Usage(
            (self.input_tokens or 0) + read + written,
            self.output_tokens or 0,
            cache_read_tokens=read,
            cache_write_tokens=written,
        )


class TokenCounts(msgspec.Struct, gc=False):
    """The counts of one event, which are cumulative; those of `iterations` are each for itself."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    iterations: Any = None

    @property
    def has_input(self) -> bool:
        """Whether the event counts anything of the input."""
        return (self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens) != (
            None,
            None,
            None,
        )

    def calls(self) -> list[_Iteration]:
        """Return the iterations, none where a later version has given them another form."""
        try:
            return msgspec.convert(self.iterations or [], list[_Iteration])[:_MAX_ITERATIONS]
        except msgspec.ValidationError:
            return []


class UsageCounter:
    """The usage of an answer so far: the highest of the cumulative counts, or the sum of the iterations."""

    def __init__(self) -> None:
        self._input: int | None = None
        self._cache_read = self._cache_write = 0

    def add(self, tokens: TokenCounts) -> UsageReport:
        """Return the usage after an event. Tokens read from the prompt cache or written to it count as input, too."""
        iterations = tokens.calls()
        if iterations:
            return _sum_of(iterations)
        if tokens.input_tokens is not None:
            self._input = max(self._input or 0, tokens.input_tokens)
        self._cache_read = max(self._cache_read, tokens.cache_read_input_tokens or 0)
        self._cache_write = max(self._cache_write, tokens.cache_creation_input_tokens or 0)
        if self._input is None or not tokens.has_input:
            return UsageReport(None, tokens.output_tokens)
        total = self._input + self._cache_read + self._cache_write
        return UsageReport(total, tokens.output_tokens, self._cache_read, self._cache_write)


def _sum_of(iterations: Sequence[_Iteration]) -> UsageReport:
    """Return the usage of all iterations. The counts beside them leave out what compacting the context has cost."""
    calls = tuple(CallUsage(one.model, one.usage) for one in iterations)
    return UsageReport(
        sum(call.usage.input_tokens for call in calls),
        sum(call.usage.output_tokens for call in calls),
        sum(call.usage.cache_read_tokens for call in calls),
        sum(call.usage.cache_write_tokens for call in calls),
        calls,
    )
