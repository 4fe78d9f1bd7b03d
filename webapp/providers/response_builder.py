"""A response that grows event by event, for calls without an engine."""

from __future__ import annotations

from webapp.chat import ModelRequest, ModelResponse, TokenGuess, Usage, estimate_input_tokens
from webapp.codecs.surrogates import SurrogateJoiner
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport


class ResponseBuilder:
    """Puts what a provider says into a `ModelResponse`.

    While the answer comes its output is estimated, because providers count at the end, if at all; a first
    report (Anthropic's says 1) must not stop the count.
    """

    def __init__(self, provider: str, model: str, request: ModelRequest) -> None:
        self._input = estimate_input_tokens(request)
        self._input_told = False
        self._output_told: int | None = None
        self._guess = TokenGuess()
        self._text, self._thought = SurrogateJoiner(), SurrogateJoiner()
        self.response = ModelResponse(
            provider=provider, model=model, usage=Usage(self._input, 0, estimated=True)
        )

    def take(self, event: Event) -> str:
        """Grow by one event; returns the text that is new, mended where it was cut inside a character."""
        response = self.response
        match event:
            case TextDelta(text):
                return self._add(self._text.decode(text))
            case ReasoningDelta(text):
                thought = self._thought.decode(text)
                response.reasoning += thought
                self._count(thought)
            case UsageReport(input_tokens, output_tokens):
                if input_tokens is not None:
                    self._input, self._input_told = input_tokens, True
                if output_tokens is not None:
                    self._output_told = output_tokens
            case Finished(finish_reason, model):
                response.finish_reason = finish_reason
                response.model = model or response.model
                left = self._add(self._text.flush())
                self._settle()
                return left
        return ""

    def _add(self, text: str) -> str:
        self.response.content += text
        self._count(text)
        return text

    def _count(self, text: str) -> None:
        output = max(self._guess.add(text), self._output_told or 0)
        self.response.usage = Usage(self._input, output, estimated=True)

    def _settle(self) -> None:
        told = self._output_told
        if told is None:
            self.response.usage = Usage(self._input, self._guess.add(""), estimated=True)
        else:
            self.response.usage = Usage(self._input, told, estimated=not self._input_told)
