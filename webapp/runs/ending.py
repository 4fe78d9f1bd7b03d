"""How an answer ended, worked out once for the terminal frame, the receipt and the log line."""

from __future__ import annotations

import hashlib
import time
from decimal import Decimal
from typing import Literal

import msgspec

from webapp.chat import FinishReason, ModelRequest, Usage, estimate_input_tokens, estimate_tokens
from webapp.errors import AnswerError
from webapp.events import Finished, UsageReport
from webapp.frames import Frame, Outcome, StoppedBy, done_frame, error_frame
from webapp.providers.base import Pricer
from webapp.runs.log import RunLog
from webapp.seams import Answer, AnswerWriter

_MOST_TOKENS = 1_000_000_000
_MOST_MODEL_CHARS = 200

Ended = Literal["done", "failed", "cancelled", "interrupted"]
State = Literal["queued", "streaming"] | Ended


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer: its state, and what the receipt tells."""

    frame: Frame
    state: Ended
    finish_reason: FinishReason | None
    usage: Usage
    cost: Decimal | None
    error: str | None = None


class UsageMeter:
    """What is known of an answer's use while it is made."""

    def __init__(
        self, request: ModelRequest, provider: str, model: str, pricer: Pricer, kept: str = ""
    ) -> None:
        """Begin to count; `kept` is what the answer begins with, made and paid for by an earlier one."""
        self._request: ModelRequest | None = request
        self._guessed_input = 0
        self._pricer = pricer
        self._kept_tokens = estimate_tokens(kept)
        self._report = UsageReport()
        self._first_s: dict[str, float] = {}
        self.taken = False  # whether the provider has the request; one it never had is not paid for
        self.asked_model = model
        self.provider = provider
        self.model = model
        self.damaged = 0

    def switch(self, provider: str, model: str) -> None:
        """Note that another provider answers."""
        self.provider, self.model, self.asked_model = provider, model, model
        self._report = UsageReport()
        self.taken = False

    def report(self, report: UsageReport) -> None:
        """Put what the provider says over what it said before; what cannot be is not heard."""
        known = self._report
        self._report = UsageReport(
            report.input_tokens if _can_be(report.input_tokens) else known.input_tokens,
            report.output_tokens if _can_be(report.output_tokens) else known.output_tokens,
        )

    def heard(self, kind: str) -> None:
        """Note when a kind of frame came first."""
        if kind not in self._first_s:
            self._first_s[kind] = time.monotonic()

    @property
    def thought_ms(self) -> int | None:
        """How long the model thought before it answered; None where it did not do the one, then the other."""
        since, until = self._first_s.get("reasoning"), self._first_s.get("text")
        return round((until - since) * 1000) if since and until and since <= until else None

    def end(self, end: Finished) -> None:
        """Note what the provider told with its mark of an end. Its name for itself may hold anything."""
        self.damaged = end.damaged
        if end.model:
            self.model = end.model[:_MOST_MODEL_CHARS].encode(errors="replace").decode()

    def outcome(self, log: RunLog, *, cut: bool) -> Outcome:
        """Work out what was used. After a cut the provider's own count may be too low: the larger one holds."""
        text = log.said("text")
        usage = self._usage(text, log.said("reasoning"), cut=cut)
        cost = self._pricer(self.provider, self.model, usage)
        if cost is None:
            cost = self._pricer(self.provider, self.asked_model, usage)
        return Outcome(
            usage=usage,
            cost=cost,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            provider=self.provider,
            model=self.model,
            thought_ms=self.thought_ms,
            damaged=self.damaged,
        )

    def let_go(self) -> None:
        """Forget the request, which may be as large as a model's window: the answer has ended."""
        self._request = None

    def _guess_input(self) -> int:
        if self._request is not None:
            self._guessed_input = estimate_input_tokens(self._request)
        return self._guessed_input

    def _usage(self, text: str, reasoning: str, *, cut: bool) -> Usage:
        told_in, told_out = self._report.input_tokens, self._report.output_tokens
        if told_in is not None and told_out is not None and not cut:
            return Usage(told_in, told_out)
        guess = max(0, estimate_tokens(text) - self._kept_tokens) + estimate_tokens(reasoning)
        if not (self.taken or guess or told_in or told_out):
            return Usage()
        return Usage(
            self._guess_input() if told_in is None else told_in,
            guess if told_out is None else max(guess, told_out),
            estimated=True,
        )


def _can_be(tokens: int | None) -> bool:
    return tokens is not None and 0 <= tokens <= _MOST_TOKENS


def finished(log: RunLog, tally: UsageMeter, finish_reason: FinishReason, *, cut: bool = False) -> Ending:
    """End an answer that the provider has ended, or `cut` by a limit of ours."""
    outcome = tally.outcome(log, cut=cut)
    frame = done_frame(finish_reason, outcome)
    return _ending(frame, "done", finish_reason, outcome)


def cancelled(log: RunLog, tally: UsageMeter, by: StoppedBy) -> Ending:
    """End an answer that somebody stopped."""
    outcome = tally.outcome(log, cut=True)
    return _ending(done_frame("cancelled", outcome, by=by), "cancelled", "cancelled", outcome)


def failed(log: RunLog, tally: UsageMeter, error: AnswerError) -> Ending:
    """End an answer that failed or was cut."""
    outcome = tally.outcome(log, cut=True)
    frame = error_frame(error, outcome, partial=log.has("text"))
    state: Ended = "interrupted" if error.code == "interrupted" else "failed"
    return _ending(frame, state, None, outcome, error.code)


def _ending(
    frame: Frame,
    state: Ended,
    finish_reason: FinishReason | None,
    outcome: Outcome,
    error: str | None = None,
) -> Ending:
    return Ending(
        frame=frame,
        state=state,
        finish_reason=finish_reason,
        usage=outcome.usage,
        cost=outcome.cost,
        error=error,
    )


def kept(log: RunLog, tally: UsageMeter, ending: Ending, keeper: AnswerWriter, *, wait: bool) -> bool:
    """Give an answer to whoever keeps it, before its terminal frame leaves; tells whether it is kept."""
    answer = Answer(
        text=log.said("text"),
        reasoning=log.said("reasoning"),
        state=ending.state,
        provider=tally.provider,
        model=tally.model,
        usage=ending.usage,
        cost=ending.cost,
        finish_reason=ending.finish_reason,
        error=ending.error,
        thought_ms=tally.thought_ms,
    )
    return keeper.end(answer, wait=wait)
