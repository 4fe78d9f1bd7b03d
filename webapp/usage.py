"""Counts the tokens of one answer, from the provider's reports or by estimates, and computes their cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from webapp.chat import ModelRequest, Usage, estimate_input_tokens
from webapp.events import CallUsage, UsageReport
from webapp.seams import Pricer

_MAX_TOKENS = 1_000_000_000


class UsageMeter:
    """The usage of one answer. `delivered` is true once the provider has the request: before, nothing is charged."""

    def __init__(self, request: ModelRequest | None) -> None:
        """Count a call with this request; None for an answer that only ends, without a call."""
        self._request = request
        self._estimated_input = 0
        self._input: int | None = None
        self._output: int | None = None
        self._cache_read = self._cache_write = 0
        self._calls: tuple[CallUsage, ...] = ()
        self.delivered = False

    def switch(self) -> None:
        """Reset the counts for another provider."""
        self._input = self._output = None
        self._cache_read = self._cache_write = 0
        self._calls = ()
        self.delivered = False

    def report(self, report: UsageReport) -> None:
        """Store the provider's counts, ignoring implausible numbers."""
        if _is_plausible(report.input_tokens):
            self._input = report.input_tokens
        if _is_plausible(report.output_tokens):
            self._output = report.output_tokens
        if report.cache_read_tokens is not None and _is_plausible(report.cache_read_tokens):
            self._cache_read = report.cache_read_tokens
        if report.cache_write_tokens is not None and _is_plausible(report.cache_write_tokens):
            self._cache_write = report.cache_write_tokens
        self._calls = report.calls or self._calls

    def usage(self, output_estimate: int, *, is_complete: bool) -> Usage:
        """Return the usage; `output_estimate` is the estimate for the text received.

        The provider's counts are used if it reported both and the answer is complete. For an incomplete answer its
        output count may be too low, so the larger of count and estimate is used.
        """
        if is_complete and self._input is not None and self._output is not None:
            return Usage(
                self._input,
                self._output,
                cache_read_tokens=min(self._cache_read, self._input),
                cache_write_tokens=min(self._cache_write, self._input),
            )
        if not (self.delivered or output_estimate or self._input or self._output):
            return Usage()
        return Usage(
            self._estimate_input() if self._input is None else self._input,
            output_estimate if self._output is None else max(output_estimate, self._output),
            estimated=True,
        )

    def cost(self, pricer: Pricer, provider: str, names: Sequence[str], usage: Usage) -> Decimal | None:
        """Return the cost in US dollars of `usage`, which `usage()` has returned; None where a price is unknown.

        `names` are the model that answered and the one that was asked for. Of several calls each has the price of its own model.
        """
        if not self._calls or usage.estimated:
            return pricer(provider, names, usage)
        costs = [pricer(provider, (call.model or names[-1],), call.usage) for call in self._calls]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None

    def release_request(self) -> None:
        """Drop the request, which may be as large as a model's context window, once the answer has ended."""
        self._estimate_input()
        self._request = None

    def _estimate_input(self) -> int:
        if self._request is not None and not self._estimated_input:
            self._estimated_input = estimate_input_tokens(self._request)
        return self._estimated_input


def add_usage(first: Usage, second: Usage) -> Usage:
    """Return the usage of two calls together."""
    return Usage(
        first.input_tokens + second.input_tokens,
        first.output_tokens + second.output_tokens,
        first.estimated or second.estimated,
        first.cache_read_tokens + second.cache_read_tokens,
        first.cache_write_tokens + second.cache_write_tokens,
    )


def _is_plausible(tokens: int | None) -> bool:
    return tokens is not None and 0 <= tokens <= _MAX_TOKENS
