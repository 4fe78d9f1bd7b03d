"""OpenAI's Chat Completions, and every server compatible with them.

https://platform.openai.com/docs/api-reference/chat/streaming. Compatible servers differ in small ways that are handled
here: text at `choices[0].text`, thinking as `reasoning_content` or `reasoning`, errors inside the stream (`error`,
`x_groq.error`), usage on every chunk or none, no `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from webapp.chat import FinishReason, ImagePart, ModelMessage, ModelRequest, TextPart
from webapp.codecs.sse import Record, SSEDecoder
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.providers.base import BaseProvider
from webapp.providers.decoder import MAX_LINE_BYTES, ProviderDecoder
from webapp.providers.errors import reported
from webapp.providers.loose_json import UNREADABLE, as_int, as_string, parse
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control, EventStream, Pricer

BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1"

_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Tokens(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Groq(msgspec.Struct, gc=False):
    error: str | None = None
    usage: _Tokens | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Tokens | None = None
    model: str | None = None
    error: Any = None
    x_groq: _Groq | None = None


_read_chunk = msgspec.json.Decoder(_Chunk).decode


class OpenAIDecoder(ProviderDecoder[Record]):
    """Decodes an answer in OpenAI's dialect. A finish reason without `[DONE]` is an end too."""

    def __init__(self, max_line_bytes: int) -> None:
        super().__init__(SSEDecoder(max_line_bytes))
        self._reason: FinishReason | None = None
        self._model: str | None = None
        self._refused = False

    def _read(self, record: Record, events: list[Event]) -> None:
        try:
            chunk = _read_chunk(record.data)
        except UNREADABLE:
            if record.data.strip() == b"[DONE]":
                self._finish(events)
                return
            loose = self._read_loosely(record)
            if loose is None:
                return
            chunk = loose
        choices = chunk.choices
        if choices and chunk.error is None and record.event != b"error":
            self._read_choice(choices[0], events)
        if chunk.usage is not None or chunk.x_groq is not None or chunk.error is not None or record.event:
            self._read_extras(record, chunk, events)
        if not self._model:  # Azure's first chunk names none
            self._model = chunk.model

    def _read_choice(self, choice: _Choice, events: list[Event]) -> None:
        delta = choice.delta
        if delta is not None:
            if delta.content:
                events.append(TextDelta(delta.content))
            thought = delta.reasoning_content or delta.reasoning
            if thought:
                events.append(ReasoningDelta(thought))
            if delta.refusal:
                self._refused = True
                events.append(TextDelta(delta.refusal))
        elif choice.text:
            events.append(TextDelta(choice.text))
        if choice.finish_reason:
            self._reason = _REASONS.get(choice.finish_reason, "stop")

    def _read_extras(self, record: Record, chunk: _Chunk, events: list[Event]) -> None:
        """Read what only some chunks hold: an error, or usage."""
        if chunk.error is not None:
            raise reported(chunk.error)
        if record.event == b"error":
            raise reported(parse(record.data))
        if chunk.x_groq is not None and chunk.x_groq.error:
            raise reported(chunk.x_groq.error)
        tokens = chunk.usage or (chunk.x_groq.usage if chunk.x_groq is not None else None)
        if tokens is not None:
            events.append(UsageReport(tokens.prompt_tokens, tokens.completion_tokens))

    def _may_end(self) -> bool:
        return self._reason is not None

    def _finish(self, events: list[Event]) -> None:
        self.finished = True
        reason = self._reason or "stop"
        if self._refused and reason == "stop":
            reason = "content_filter"
        events.append(Finished(reason, self._model, self._damaged))

    def _read_loosely(self, record: Record) -> _Chunk | None:
        """Return a chunk of an unusual form; None, and counted as damaged, where it cannot be read at all."""
        try:
            parsed = parse(record.data)
            if not isinstance(parsed, dict):
                raise ValueError("a chunk is an object")
        except ValueError:
            if record.event == b"error":
                raise reported(record.data.decode("utf-8", "replace")) from None
            self._count_damaged(record.data)
            return None
        if "error" in parsed and parsed["error"] is not None:
            raise reported(parsed["error"])
        return _loose_chunk(parsed)


def _loose_chunk(parsed: dict[str, Any]) -> _Chunk:
    choices = parsed.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta, usage = first.get("delta"), parsed.get("usage")
    chunk = _Chunk(model=as_string(parsed.get("model")))
    if isinstance(usage, dict):
        chunk.usage = _Tokens(as_int(usage.get("prompt_tokens")), as_int(usage.get("completion_tokens")))
    choice = _Choice(text=as_string(first.get("text")), finish_reason=as_string(first.get("finish_reason")))
    if isinstance(delta, dict):
        content, thoughts = delta.get("content"), ""
        if isinstance(content, list):  # Mistral's: parts of text and of thinking
            content, thoughts = _split_parts(content)
        choice.delta = _Delta(
            as_string(content),
            as_string(delta.get("reasoning_content")) or thoughts,
            as_string(delta.get("reasoning")),
        )
    chunk.choices = [choice]
    return chunk


def _split_parts(parts: list[Any]) -> tuple[str, str]:
    text, thoughts = "", ""
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "text":
            text += as_string(part.get("text")) or ""
        elif isinstance(part, dict) and part.get("type") == "thinking":
            inner = part.get("thinking")
            thoughts += _split_parts(inner)[0] if isinstance(inner, list) else as_string(inner) or ""
    return text, thoughts


class OpenAIProvider(BaseProvider):
    """OpenAI, or a compatible server at `base_url`."""

    name = "openai"

    def __init__(
        self,
        client: RetryingClient,
        *,
        model_name: str,
        max_tokens: int,
        pricer: Pricer,
        api_key: str | None,
        base_url: str = BASE_URL,
        reasoning: bool = False,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        super().__init__(model_name, max_tokens, pricer)
        self._client = client
        self._url = _under(base_url, "/chat/completions")
        self._headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._uses_completion_tokens = (
            reasoning and urlsplit(base_url).hostname == urlsplit(BASE_URL).hostname
        )
        self._max_line_bytes = max_line_bytes

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Ask the model; see `seams.Provider`."""
        body = self._body(request)

        def calls(error: UpstreamError | None) -> Call | None:
            if error is not None and not _amend(body, error):
                return None
            return Call(url=self._url, headers=self._headers, body=msgspec.json.encode(body))

        return self._client.open(calls, OpenAIDecoder(self._max_line_bytes), control)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model_name,
            "messages": [_message(message) for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens" if self._uses_completion_tokens else "max_tokens": self._limit(request),
        }
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.stop:
            body["stop"] = list(request.stop)
        if request.seed is not None:
            body["seed"] = request.seed
        return body


def _amend(body: dict[str, Any], error: UpstreamError) -> bool:
    """Remove from a request what a server refused by name; return whether there was such a thing."""
    if error.status not in (400, 422):
        return False
    if "stream_options" in body and "stream_options" in error.detail:
        del body["stream_options"]
        return True
    if "max_tokens" in body and "max_completion_tokens" in error.detail:
        body["max_completion_tokens"] = body.pop("max_tokens")
        return True
    if "temperature" in body and "nsupported" in error.detail and "temperature" in error.detail:
        del body["temperature"]
        return True
    return False


def _under(base_url: str, path: str) -> str:
    """Add a path to a base address, before its query if it has one (Azure's `?api-version=`)."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + path))


def _message(message: ModelMessage) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    return {"role": message.role, "content": [_part(part) for part in message.content]}


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = part.url or f"data:{part.media_type};base64,{part.data}"
    return {"type": "image_url", "image_url": {"url": url}}
