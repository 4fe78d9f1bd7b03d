"""Ollama's chat, newline-delimited JSON; https://github.com/ollama/ollama/blob/main/docs/api.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from webapp.chat import FinishReason, ImagePart, ModelMessage, ModelRequest
from webapp.codecs.ndjson import LineDecoder
from webapp.errors import InvalidRequest
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.providers.base import BaseProvider
from webapp.providers.decoder import MAX_LINE_BYTES, ProviderDecoder
from webapp.providers.errors import reported
from webapp.providers.loose_json import UNREADABLE, parse
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control, EventStream, Pricer

BASE_URL = "http://127.0.0.1:11434"
DEFAULT_MODEL = "llama3"

_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length", "load": "stop", "unload": "stop"}


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Any] | None = None


class _Line(msgspec.Struct, gc=False):
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    model: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_read_line = msgspec.json.Decoder(_Line).decode


class OllamaDecoder(ProviderDecoder[bytes]):
    """Decodes an answer in Ollama's dialect; only `done` completes it."""

    def __init__(self, max_line_bytes: int) -> None:
        super().__init__(LineDecoder(max_line_bytes))
        self._called = False

    def _read(self, record: bytes, events: list[Event]) -> None:
        line = self._line(record)
        if line is None:
            return
        if line.error is not None:
            raise reported(line.error)
        self._add(line.message, events)
        if line.done:
            events.append(UsageReport(line.prompt_eval_count, line.eval_count))
            events.append(self._end(line))

    def _add(self, message: _Message | None, events: list[Event]) -> None:
        if message is None:
            return
        if message.thinking:
            events.append(ReasoningDelta(message.thinking))
        if message.content:
            events.append(TextDelta(message.content))
        if message.tool_calls:
            self._called = True

    def _end(self, line: _Line) -> Finished:
        self.finished = True
        reason = _REASONS.get(line.done_reason or "stop", "stop")
        return Finished(
            "tool_calls" if self._called and reason == "stop" else reason, line.model, self._damaged
        )

    def _line(self, raw: bytes) -> _Line | None:
        try:
            return _read_line(raw)
        except UNREADABLE:
            pass
        try:
            return msgspec.convert(parse(raw), _Line)
        except (ValueError, msgspec.ValidationError):
            self._count_damaged(raw)
            return None


class OllamaProvider(BaseProvider):
    """An Ollama server at `base_url`."""

    name = "ollama"

    def __init__(
        self,
        client: RetryingClient,
        *,
        model_name: str,
        max_tokens: int,
        pricer: Pricer,
        base_url: str = BASE_URL,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        super().__init__(model_name, max_tokens, pricer)
        self._client = client
        self._url = base_url.rstrip("/") + "/api/chat"
        self._max_line_bytes = max_line_bytes

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Ask the model; see `seams.Provider`. Raises `InvalidRequest` for an image's URL."""
        call = Call(
            url=self._url,
            headers={"Content-Type": "application/json"},
            body=msgspec.json.encode(self._body(request)),
        )
        decoder = OllamaDecoder(self._max_line_bytes)
        return self._client.open(lambda error: None if error else call, decoder, control)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        options: dict[str, Any] = {"num_predict": self._limit(request)}
        if request.temperature is not None:
            options["temperature"] = request.temperature
        if request.stop:
            options["stop"] = list(request.stop)
        if request.seed is not None:
            options["seed"] = request.seed
        return {
            "model": self._model_name,
            "messages": [_message(index, message) for index, message in enumerate(request.messages)],
            "stream": True,
            "options": options,
        }


def _message(index: int, message: ModelMessage) -> dict[str, Any]:
    images = [part for part in message.parts if isinstance(part, ImagePart)]
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    if any(image.data is None for image in images):
        raise InvalidRequest(
            "ollama takes images as data, not as addresses",
            param=f"messages[{index}].content",
            code="no_image_urls",
        )
    if images:
        body["images"] = [image.data for image in images]
    return body
