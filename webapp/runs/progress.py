"""The state of an answer while it is generated, and its result."""

from __future__ import annotations

import hashlib
import time
from decimal import Decimal
from typing import Literal, Protocol

from webapp.chat import FinishReason, ModelRequest, Usage, estimate_tokens
from webapp.errors import AnswerError
from webapp.events import Finished, ReasoningSealed, UsageReport
from webapp.frames import Frame, RunResult, StoppedBy, done_frame, error_frame
from webapp.measurements import FrameGaps
from webapp.runs.log import RunLog
from webapp.seams import Pricer
from webapp.usage import UsageMeter, add_usage

_MAX_MODEL_CHARS = 200

State = Literal["queued", "streaming", "done", "failed", "cancelled", "interrupted"]
Ending = tuple[RunResult, Frame]


class NamedModel(Protocol):
    """A provider, of which only the names are needed."""

    @property
    def name(self) -> str:
        """The provider's name."""

    @property
    def model_name(self) -> str:
        """The model's name."""


class Progress:
    """The provider of an answer, its usage, and the times of its frames."""

    def __init__(
        self,
        log: RunLog,
        request: ModelRequest | None,
        provider: NamedModel,
        pricer: Pricer,
        earlier: Usage | None = None,
    ) -> None:
        """Start counting what follows the frames of the log: earlier calls have generated those.

        `earlier` is what of them belongs to this answer, where another worker has begun it. `request` is None for an answer
        that only ends.
        """
        self._log = log
        self._pricer = pricer
        self._earlier = earlier
        self._earlier_tokens = self._count_tokens()
        self._first_at: dict[str, float] = {}  # by kind of frame
        self._damaged = 0
        self.sealed: str | None = None  # of the reasoning of `provider`
        self.gaps = FrameGaps()
        self.meter = UsageMeter(request)
        self.provider = provider.name
        self.requested_model = provider.model_name
        self.model = provider.model_name

    def switch(self, provider: NamedModel) -> None:
        """Record that another provider is called."""
        self.provider = provider.name
        self.model = self.requested_model = provider.model_name
        self.sealed = None
        self.meter.switch()

    def note(self, event: UsageReport | ReasoningSealed) -> None:
        """Record what the provider reports beside the answer."""
        if isinstance(event, UsageReport):
            self.meter.report(event)
        else:
            self.sealed = event.data

    def note_frame(self, kind: str) -> None:
        """Record the time of a frame."""
        now = time.monotonic()
        if kind not in self._first_at:
            self._first_at[kind] = now
        self.gaps.note(now)

    def note_end(self, end: Finished) -> None:
        """Record the provider's last event. The model's name in it is not trusted: it is shortened and sanitised."""
        self._damaged = end.damaged
        if end.model:
            self.model = end.model[:_MAX_MODEL_CHARS].encode(errors="replace").decode()

    def first_delta_at(self) -> float | None:
        """Return when the first delta was framed; None if none was."""
        return min(
            (self._first_at[kind] for kind in ("reasoning", "text") if kind in self._first_at), default=None
        )

    def finished(self, finish_reason: FinishReason, *, is_complete: bool = True) -> Ending:
        """Return the end of an answer that the provider has finished or that one of our limits has cut off."""
        result = self._result("done", finish_reason, is_complete=is_complete)
        return result, done_frame(result)

    def cancelled(self, by: StoppedBy) -> Ending:
        """Return the end of an answer that was stopped."""
        result = self._result("cancelled", "cancelled", stopped_by=by)
        return result, done_frame(result)

    def failed(self, error: AnswerError) -> Ending:
        """Return the end of an answer that failed or was interrupted."""
        state: Literal["failed", "interrupted"] = "interrupted" if error.code == "interrupted" else "failed"
        result = self._result(state, None, error=error.cause)
        return result, error_frame(error, result, partial=bool(self._log.text_of("text")))

    def _result(
        self,
        state: Literal["done", "failed", "cancelled", "interrupted"],
        finish_reason: FinishReason | None,
        *,
        is_complete: bool = False,
        error: str | None = None,
        stopped_by: StoppedBy | None = None,
    ) -> RunResult:
        usage = self.meter.usage(max(0, self._count_tokens() - self._earlier_tokens), is_complete=is_complete)
        cost = self.meter.cost(self._pricer, self.provider, (self.model, self.requested_model), usage)
        if self._earlier is not None:
            cost = self._add_earlier(cost)
            usage = add_usage(usage, self._earlier)
        return RunResult(
            state=state,
            finish_reason=finish_reason,
            usage=usage,
            cost=cost,
            sha256=hashlib.sha256(self._log.text_of("text").encode()).hexdigest(),
            provider=self.provider,
            model=self.model,
            error=error,
            stopped_by=stopped_by,
            thought_ms=self._thought_ms(),
            damaged=self._damaged,
            sealed=self.sealed,
        )

    def _count_tokens(self) -> int:
        """Estimate the tokens of the text and reasoning so far."""
        return estimate_tokens(self._log.text_of("text")) + estimate_tokens(self._log.text_of("reasoning"))

    def _add_earlier(self, cost: Decimal | None) -> Decimal | None:
        """Return a cost with that of the earlier calls; None if either is unknown."""
        assert self._earlier is not None  # noqa: S101  (checked by the caller)
        earlier = self._pricer(self.provider, (self.model, self.requested_model), self._earlier)
        return None if cost is None or earlier is None else cost + earlier

    def _thought_ms(self) -> int | None:
        since, until = self._first_at.get("reasoning"), self._first_at.get("text")
        return round((until - since) * 1000) if since and until and since <= until else None
