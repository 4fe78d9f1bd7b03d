"""Builds a `ModelResponse` event by event, for calls without a run."""

from __future__ import annotations

from webapp.chat import ModelRequest, ModelResponse, TokenGuess, Usage
from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.usage import UsageMeter


class ResponseBuilder:
    """Adds events to `response`.

    While the answer streams its output is estimated, because providers count at the end, if at all.
    """

    def __init__(self, provider: str, model: str, request: ModelRequest) -> None:
        self.meter = UsageMeter(request)
        self.meter.taken = True
        self._estimate = TokenGuess()
        self._text, self._reasoning = SurrogateJoiner(), SurrogateJoiner()
        self.response = ModelResponse(provider=provider, model=model, usage=self.usage())

    def add(self, event: Event) -> str:
        """Add an event and return the text that is new, mended where it was cut inside a character."""
        response = self.response
        match event:
            case TextDelta(text):
                return self._add_text(self._text.decode(text))
            case ReasoningDelta(text):
                reasoning = self._reasoning.decode(text)
                response.reasoning += reasoning
                self._estimate.add(reasoning)
                response.usage = self.usage()
            case UsageReport():
                self.meter.report(event)
            case Finished(finish_reason, model):
                response.finish_reason = finish_reason
                response.model = model or response.model
                rest = self._add_text(self._text.flush())
                response.usage = self.usage(is_complete=True)
                return rest
        return ""

    def _add_text(self, text: str) -> str:
        self.response.content += text
        self._estimate.add(text)
        self.response.usage = self.usage()
        return text

    def usage(self, *, is_complete: bool = False) -> Usage:
        """Return what was used so far."""
        return self.meter.usage(self._estimate.add(""), is_complete=is_complete)
