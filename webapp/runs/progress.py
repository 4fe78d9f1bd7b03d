"""What is known of an answer while it is generated, and the result that it ends with."""

from __future__ import annotations

import hashlib
import time
from typing import Literal

from webapp.chat import FinishReason, ModelRequest, estimate_tokens
from webapp.errors import AnswerError
from webapp.events import Finished
from webapp.frames import Frame, RunResult, StoppedBy, done_frame, error_frame
from webapp.runs.log import RunLog
from webapp.seams import Pricer, Provider
from webapp.usage import UsageMeter

_MAX_MODEL_CHARS = 200

State = Literal["queued", "streaming", "done", "failed", "cancelled", "interrupted"]
Ending = tuple[RunResult, Frame]


class Progress:
    """Which provider answers, what it has used, and when its thinking and its text began."""

    def __init__(
        self, log: RunLog, request: ModelRequest, provider: Provider, pricer: Pricer, kept: str = ""
    ) -> None:
        """Start to count; `kept` is the text that the answer begins with, generated and paid for by an earlier one."""
        self._log = log
        self._pricer = pricer
        self._kept_tokens = estimate_tokens(kept)
        self._first_s: dict[str, float] = {}
        self._damaged = 0
        self.meter = UsageMeter(request)
        self.provider = provider.name
        self.asked_model = provider.model_name
        self.model = provider.model_name

    def switch(self, provider: Provider) -> None:
        """Note that another provider answers."""
        self.provider, self.model, self.asked_model = provider.name, provider.model_name, provider.model_name
        self.meter.switch()

    def note_frame(self, kind: str) -> None:
        """Note when the first frame of a kind was sent."""
        if kind not in self._first_s:
            self._first_s[kind] = time.monotonic()

    def note_end(self, end: Finished) -> None:
        """Note what the provider said with its end. Its name for its model may hold anything."""
        self._damaged = end.damaged
        if end.model:
            self.model = end.model[:_MAX_MODEL_CHARS].encode(errors="replace").decode()

    def finished(self, finish_reason: FinishReason, *, is_complete: bool = True) -> Ending:
        """Return the end of an answer that the provider has finished, or that a limit of ours has cut."""
        result = self._result("done", finish_reason, is_complete=is_complete)
        return result, done_frame(result)

    def cancelled(self, by: StoppedBy) -> Ending:
        """Return the end of an answer that was stopped."""
        result = self._result("cancelled", "cancelled", stopped_by=by)
        return result, done_frame(result)

    def failed(self, error: AnswerError) -> Ending:
        """Return the end of an answer that failed or was interrupted."""
        state: Literal["failed", "interrupted"] = "interrupted" if error.code == "interrupted" else "failed"
        result = self._result(state, None, error=error.code)
        return result, error_frame(error, result, partial=self._log.has("text"))

    def _result(
        self,
        state: Literal["done", "failed", "cancelled", "interrupted"],
        finish_reason: FinishReason | None,
        *,
        is_complete: bool = False,
        error: str | None = None,
        stopped_by: StoppedBy | None = None,
    ) -> RunResult:
        text, reasoning = self._log.text_of("text"), self._log.text_of("reasoning")
        estimate = max(0, estimate_tokens(text) - self._kept_tokens) + estimate_tokens(reasoning)
        usage = self.meter.usage(estimate, is_complete=is_complete)
        return RunResult(
            state=state,
            finish_reason=finish_reason,
            usage=usage,
            cost=self._pricer(self.provider, (self.model, self.asked_model), usage),
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            provider=self.provider,
            model=self.model,
            error=error,
            stopped_by=stopped_by,
            thought_ms=self._thought_ms(),
            damaged=self._damaged,
        )

    def _thought_ms(self) -> int | None:
        since, until = self._first_s.get("reasoning"), self._first_s.get("text")
        return round((until - since) * 1000) if since and until and since <= until else None
