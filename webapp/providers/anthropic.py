"""Anthropic's messages; https://docs.anthropic.com/en/api/messages-streaming.

Thinking is kept apart and redacted thinking left out; an answer is whole at `message_stop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from webapp.chat import FinishReason, ImagePart, ModelMessage, ModelRequest, TextPart
from webapp.codecs.sse import Record, SSEDecoder
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.providers.base import BaseProvider
from webapp.providers.decoder import MAX_LINE_BYTES, ProviderDecoder
from webapp.providers.errors import reported
from webapp.providers.loose_json import UNREADABLE, parse
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control, EventStream, Pricer

BASE_URL = "https://api.anthropic.com"
DEFAULT_MODEL = "claude-3-7-sonnet-20250219"
_VERSION = "2023-06-01"

_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Tokens(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def report(self) -> UsageReport:
        """Count what was written to or read from the cache as input, which it is."""
        if self.input_tokens is None:
            return UsageReport(None, self.output_tokens)
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return UsageReport(self.input_tokens + cached, self.output_tokens)


class _Delta(msgspec.Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    stop_reason: str | None = None


class _Message(msgspec.Struct, gc=False):
    model: str | None = None
    usage: _Tokens | None = None


class _Block(msgspec.Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class _StreamEvent(msgspec.Struct, gc=False):
    type: str | None = None
    delta: _Delta | None = None
    message: _Message | None = None
    content_block: _Block | None = None
    usage: _Tokens | None = None
    error: Any = None


_decode_event = msgspec.json.Decoder(_StreamEvent).decode


class AnthropicDecoder(ProviderDecoder[Record]):
    """Decodes an answer in Anthropic's dialect. A stop reason without `message_stop` is an end too."""

    def __init__(self, max_line_bytes: int) -> None:
        super().__init__(SSEDecoder(max_line_bytes))
        self._reason: FinishReason | None = None
        self._model: str | None = None

    def _read(self, record: Record, events: list[Event]) -> None:
        event = self._parse(record)
        if event is None:
            return
        match event.type or record.event.decode("utf-8", "replace"):
            case "content_block_delta" | "content_block_start":
                self._add(event.delta or event.content_block, events)
            case "message_start" if event.message is not None:
                self._model = event.message.model
                self._count(event.message.usage, events)
            case "message_delta":
                self._count(event.usage, events)
                if event.delta is not None and event.delta.stop_reason:
                    self._reason = _REASONS.get(event.delta.stop_reason, "stop")
            case "message_stop":
                self._finish(events)
            case "error":
                raise reported(event.error)
            case _:
                pass  # ping, content_block_stop, and what will be invented

    @staticmethod
    def _count(tokens: _Tokens | None, events: list[Event]) -> None:
        if tokens is not None:
            events.append(tokens.report())

    @staticmethod
    def _add(event: _Delta | _Block | None, events: list[Event]) -> None:
        if event is None:
            return
        if event.text:
            events.append(TextDelta(event.text))
        if event.thinking:
            events.append(ReasoningDelta(event.thinking))

    def _may_end(self) -> bool:
        return self._reason is not None

    def _finish(self, events: list[Event]) -> None:
        self.finished = True
        events.append(Finished(self._reason or "stop", self._model, self._damaged))

    def _parse(self, record: Record) -> _StreamEvent | None:
        try:
            return _decode_event(record.data)
        except UNREADABLE:
            pass
        try:
            return msgspec.convert(parse(record.data), _StreamEvent)
        except (ValueError, msgspec.ValidationError):
            self._count_damaged(record.data)
            return None


class AnthropicProvider(BaseProvider):
    """Anthropic, or a compatible server at `base_url`."""

    name = "anthropic"

    def __init__(
        self,
        client: RetryingClient,
        *,
        model_name: str,
        max_tokens: int,
        pricer: Pricer,
        api_key: str | None,
        base_url: str = BASE_URL,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        super().__init__(model_name, max_tokens, pricer)
        self._client = client
        self._url = base_url.rstrip("/").removesuffix("/v1") + "/v1/messages"
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "anthropic-version": _VERSION,
        }
        if api_key:
            self._headers["x-api-key"] = api_key
        self._max_line_bytes = max_line_bytes

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Ask the model; see `seams.Provider`."""
        call = Call(url=self._url, headers=self._headers, body=msgspec.json.encode(self._body(request)))
        decoder = AnthropicDecoder(self._max_line_bytes)
        return self._client.open(lambda error: None if error else call, decoder, control)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model_name,
            "messages": [_message(message) for message in request.turns],
            "max_tokens": self._limit(request),
            "stream": True,
        }
        if request.system:
            body["system"] = request.system
        if request.temperature is not None:
            body["temperature"] = min(request.temperature, 1.0)  # Anthropic's scale ends at 1
        if request.stop:
            body["stop_sequences"] = list(request.stop)
        return body


def _message(message: ModelMessage) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    return {"role": message.role, "content": [_part(part) for part in message.content]}


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if part.url:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}
