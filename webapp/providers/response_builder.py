"""Builds a `ModelResponse` event by event, for calls without a run."""

from __future__ import annotations

from webapp.chat import ModelRequest, ModelResponse, TokenEstimator, Usage
from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import (
    Event,
    Finished,
    ReasoningDelta,
    SourcesFound,
    TextDelta,
    TextWasReasoning,
    UsageReport,
)
from webapp.usage import UsageMeter


class ResponseBuilder:
    """Adds events to `response`.

    While the answer streams its output tokens are estimated, because providers report them at the end or not at all.
    """

    def __init__(self, provider: str, model: str, request: ModelRequest) -> None:
        self.meter = UsageMeter(request)
        self.meter.delivered = True
        self._estimator = TokenEstimator()
        self._text, self._reasoning = SurrogateJoiner(), SurrogateJoiner()
        self.response = ModelResponse(provider=provider, model=model, usage=self.usage())

    def add(self, event: Event) -> str:
        """Add an event and return its text, in which split surrogate pairs are joined."""
        response = self.response
        match event:
            case TextDelta(text):
                return self._add_text(self._text.decode(text))
            case ReasoningDelta(text):
                reasoning = self._reasoning.decode(text)
                response.reasoning += reasoning
                self._estimator.add(reasoning)
                response.usage = self.usage()
            case TextWasReasoning():
                self._text.flush()
                response.reasoning += response.content.strip()
                response.content = ""
            case SourcesFound(sources):
                response.sources = sources
            case UsageReport():
                self.meter.report(event)
            case Finished(finish_reason, model):
                response.finish_reason = finish_reason
                response.model = model or response.model
                remainder = self._add_text(self._text.flush())
                response.usage = self.usage(is_complete=True)
                return remainder
        return ""

    def _add_text(self, text: str) -> str:
        self.response.content += text
        self._estimator.add(text)
        self.response.usage = self.usage()
        return text

    def usage(self, *, is_complete: bool = False) -> Usage:
        """Return the usage so far."""
        return self.meter.usage(self._estimator.add(""), is_complete=is_complete)
