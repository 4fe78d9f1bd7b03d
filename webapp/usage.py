"""Counts what one answer uses: the provider's own reports, and estimates where it reports nothing."""

from __future__ import annotations

from webapp.chat import ModelRequest, Usage, estimate_input_tokens
from webapp.events import UsageReport

_MAX_TOKENS = 1_000_000_000


class UsageMeter:
    """The usage of one answer. `taken` says whether the provider has the request: one it never had is not charged."""

    def __init__(self, request: ModelRequest) -> None:
        self._request: ModelRequest | None = request
        self._estimated_input = 0
        self._input: int | None = None
        self._output: int | None = None
        self.taken = False

    def switch(self) -> None:
        """Start anew, because another provider is asked."""
        self._input = self._output = None
        self.taken = False

    def report(self, report: UsageReport) -> None:
        """Add what the provider reports; a number that cannot be is ignored."""
        if _is_possible(report.input_tokens):
            self._input = report.input_tokens
        if _is_possible(report.output_tokens):
            self._output = report.output_tokens

    def usage(self, output_estimate: int, *, is_complete: bool) -> Usage:
        """Return what was used, where the text received is estimated at `output_estimate` tokens.

        The provider's own numbers count where it reported both and the answer is complete. Of an answer that was cut
        its count may be too low, so the larger one counts.
        """
        if is_complete and self._input is not None and self._output is not None:
            return Usage(self._input, self._output)
        if not (self.taken or output_estimate or self._input or self._output):
            return Usage()
        return Usage(
            self._estimate_input() if self._input is None else self._input,
            output_estimate if self._output is None else max(output_estimate, self._output),
            estimated=True,
        )

    def release_request(self) -> None:
        """Forget the request, which may be as large as a model's window, once the answer has ended."""
        self._estimate_input()
        self._request = None

    def _estimate_input(self) -> int:
        if self._request is not None and not self._estimated_input:
            self._estimated_input = estimate_input_tokens(self._request)
        return self._estimated_input


def _is_possible(tokens: int | None) -> bool:
    return tokens is not None and 0 <= tokens <= _MAX_TOKENS
