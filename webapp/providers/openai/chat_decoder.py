"""Decodes the responses of Chat Completions; https://platform.openai.com/docs/api-reference/chat/streaming.

Compatible servers differ: text at `choices[0].text`, reasoning as `reasoning_content`, `reasoning`, `reasoning_details` or
between tags in the text, errors inside the stream (`error`, `choices[0].error`, `x_groq.error`, a finish reason), usage on
every chunk or on none, one whole object instead of a stream, no `[DONE]`.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import msgspec

from webapp.chat import FinishReason
from webapp.codecs.sse import Record, SSEDecoder, is_end
from webapp.events import Event, Finished, LogprobsFound, ReasoningDelta, TokenLogprob, UsageReport
from webapp.providers.decoder import LineRecords, ProviderDecoder
from webapp.providers.errors import error_from_event
from webapp.providers.finish_reasons import parse_finish_reason
from webapp.providers.loose_json import DECODE_ERRORS, as_int, as_string, parse_loosely
from webapp.providers.reasoning_tags import ReasoningHabit, ReasoningSplitter
from webapp.providers.sources import SourceCollector, find_list

_DONE = (b"[DONE]", b"DONE")
_STARTS_AS_ERROR = re.compile(rb"\s*\W?(?:error|exception|internal server error)\b", re.I)
_NO_REASON = ("null", "none")  # of some servers, in every chunk before the last


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    refusal: str | None = None
    annotations: Any = None
    citations: Any = None
    context: Any = None  # Azure, with data of one's own
    provider_specific_fields: Any = None  # LiteLLM
    reasoning_text: str | None = None  # Copilot
    thinking: str | None = None  # gateways of Ollama and Anthropic


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None
    other_reason: str | None = msgspec.field(default=None, name="finishReason")  # of gateways of Google's
    error: Any = None
    citations: Any = None
    message: _Delta | None = None  # of a whole answer that is sent as an event


class _CacheTokens(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _Tokens(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _CacheTokens | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek

    def report(self) -> UsageReport:
        """Return the usage."""
        cached = self.prompt_tokens_details or _CacheTokens(self.prompt_cache_hit_tokens)
        return UsageReport(
            self.prompt_tokens, self.completion_tokens, cached.cached_tokens, cached.cache_write_tokens
        )


class _Groq(msgspec.Struct, gc=False):
    error: str | None = None
    usage: _Tokens | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Tokens | None = None
    model: str | None = None
    error: Any = None
    x_groq: _Groq | None = None
    citations: Any = None
    search_results: Any = None
    sources: Any = None  # Open WebUI


_read_chunk = msgspec.json.Decoder(_Chunk).decode


class _Logprobs(msgspec.Struct, gc=False):
    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


class _LogprobsChoice(_Choice, gc=False):
    logprobs: _Logprobs | None = None


class _LogprobsChunk(_Chunk, gc=False):
    choices: list[_LogprobsChoice] | None = None  # type: ignore[assignment]


_read_logprobs_chunk = msgspec.json.Decoder(_LogprobsChunk).decode


class OpenAIDecoder(ProviderDecoder[Record]):
    """Decodes OpenAI's chunks. A finish reason completes an answer even without `[DONE]`."""

    _parse_chunk = staticmethod(_read_chunk)
    address_hint: ClassVar[str] = "Check OPENAI_BASE_URL: it usually ends in /v1."

    def __init__(self, max_line_bytes: int, habit: ReasoningHabit | None = None) -> None:
        super().__init__(SSEDecoder(max_line_bytes), max_line_bytes)
        self._max_line_bytes = max_line_bytes
        self._reason: FinishReason | None = None
        self._model: str | None = None
        self._refused = False
        self._has_text_after_reason = False
        self._reasoning = ReasoningSplitter(habit)
        self._sources = SourceCollector()

    def _read(self, record: Record, events: list[Event]) -> None:
        try:
            chunk = self._parse_chunk(record.data)
        except DECODE_ERRORS:
            if record.data.strip(b' "').upper() in _DONE or is_end(record):
                self._finish(events)
                return
            parsed = self._parse_chunk_loosely(record)
            if parsed is None:
                return
            chunk = parsed
        if not self._model:  # the model of Azure's first chunk is empty
            self._model = chunk.model
        choices = chunk.choices
        if choices and not chunk.error and record.event != b"error":
            self._read_choice(choices[0], events)
        if chunk.usage is not None or chunk.x_groq is not None or chunk.error or record.event:
            self._read_extras(record, chunk, events)
        elif not choices:
            self._raise_bare_error(record)
        listed = chunk.citations or chunk.sources
        if listed or chunk.search_results:
            self._sources.add_lists(listed, chunk.search_results, events)
        elif choices and choices[0].finish_reason and self._sources.is_empty:
            self._sources.add_lists(find_list(parse_loosely(record.data)), None, events)

    def _read_choice(self, choice: _Choice, events: list[Event]) -> None:
        delta = choice.delta or choice.message
        text = choice.text
        if delta is not None:
            reasoning = delta.reasoning_content or delta.reasoning or delta.reasoning_text or delta.thinking
            if delta.reasoning_details and not reasoning:
                reasoning = _text_of_details(delta.reasoning_details)
            if reasoning and self._reasoning.note_reasoning():
                events.append(ReasoningDelta(reasoning))
            text = delta.content or text
            if delta.refusal:
                self._refused = True
                text = (text or "") + delta.refusal
        if text:
            self._has_text_after_reason = self._reason is not None
            self._reasoning.add(text, events)
        if choice.citations:
            self._sources.add_lists(choice.citations, None, events)
        if delta is not None and (
            delta.annotations or delta.citations or delta.context or delta.provider_specific_fields
        ):
            self._read_citations(delta, events)
        if choice.error:
            raise error_from_event(choice.error)
        reason = choice.finish_reason or choice.other_reason
        if reason and reason.lower() not in _NO_REASON:
            self._reason = parse_finish_reason(reason)

    def _raise_bare_error(self, record: Record) -> None:
        """Raise the error of an object that has it without a field `error`, as older versions of vLLM send it."""
        parsed = parse_loosely(record.data)
        if isinstance(parsed, dict):
            self._raise_whole_error(parsed)
            status = parsed.get("base_resp")  # MiniMax
            if isinstance(status, dict) and status.get("status_code"):
                raise error_from_event(status)

    def _read_citations(self, delta: _Delta, events: list[Event]) -> None:
        cited = delta.annotations or delta.citations
        if not cited:
            cited = _nested_citations(delta.context) or _nested_citations(delta.provider_specific_fields)
        if cited:
            self._sources.add_citations(cited, events)

    def _read_extras(self, record: Record, chunk: _Chunk, events: list[Event]) -> None:
        """Raise a chunk's error, or append its usage, or the end that its name says."""
        if is_end(record):
            self._finish(events)
            return
        if chunk.error:
            raise error_from_event(chunk.error)
        if record.event == b"error":
            raise error_from_event(parse_loosely(record.data))
        if chunk.x_groq is not None and chunk.x_groq.error:
            raise error_from_event(chunk.x_groq.error)
        tokens = chunk.usage or (chunk.x_groq.usage if chunk.x_groq is not None else None)
        if tokens is not None:
            events.append(tokens.report())

    def _read_whole(self, answer: dict[str, Any], events: list[Event]) -> None:
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            super()._read_whole(answer, events)
            return
        message = choices[0].get("message")
        if isinstance(message, dict):
            answer = {**answer, "choices": [{**choices[0], "delta": message}]}
        self._read(Record(b"", json.dumps(answer).encode()), events)
        self._finish(events)

    def _line_splitter(self, first: Any) -> LineRecords | None:
        choices = first.get("choices") if isinstance(first, dict) else None
        is_chunk = (
            isinstance(choices, list) and choices and isinstance(choices[0], dict) and "delta" in choices[0]
        )
        return LineRecords(self._max_line_bytes) if is_chunk else None

    def _may_end(self) -> bool:
        return self._reason is not None

    def _flush_text(self, events: list[Event]) -> None:
        self._reasoning.flush(events, is_complete=False)

    def _goes_on(self) -> bool:
        return self._has_text_after_reason  # some servers send a finish reason with every chunk

    def _finish(self, events: list[Event]) -> None:
        self._reasoning.flush(events)
        self.finished = True
        reason = self._reason or "stop"
        if self._refused and reason == "stop":
            reason = "content_filter"
        events.append(Finished(reason, self._model, self._damaged))

    def _parse_chunk_loosely(self, record: Record) -> _Chunk | None:
        """Parse a chunk of an unusual form; count it as damaged and return None if that fails too."""
        try:
            parsed = parse_loosely(record.data)
            if isinstance(parsed, list) and parsed:
                parsed = parsed[0]  # Google's errors
            if not isinstance(parsed, dict):
                raise ValueError("a chunk must be an object")
        except ValueError:
            if record.event == b"error" or _STARTS_AS_ERROR.match(record.data):
                raise error_from_event(record.data.decode("utf-8", "replace")) from None
            self._count_damaged(record.data)
            return None
        if parsed.get("error"):
            raise error_from_event(parsed["error"])
        return _loose_chunk(parsed)


class LogprobsDecoder(OpenAIDecoder):
    """Decodes also the probabilities of tokens, before the delta whose tokens they are.

    A chunk where they have another form, such as that of the older endpoint, is read without them.
    """

    _parse_chunk = staticmethod(_read_logprobs_chunk)

    def _read_choice(self, choice: _Choice, events: list[Event]) -> None:
        found = choice.logprobs if isinstance(choice, _LogprobsChoice) else None
        tokens = (*(found.content or ()), *(found.refusal or ())) if found is not None else ()
        if tokens:
            events.append(LogprobsFound(tokens))
        super()._read_choice(choice, events)


def _nested_citations(holder: Any) -> Any:
    return (holder.get("citations") or holder.get("citation")) if isinstance(holder, dict) else None


def _text_of_details(details: list[Any] | None) -> str:
    """Return the readable text of OpenRouter's structured reasoning, which may also be encrypted."""
    texts = [
        as_string(detail.get("text")) or as_string(detail.get("summary")) or ""
        for detail in details or ()
        if isinstance(detail, dict) and detail.get("type") != "reasoning.encrypted"
    ]
    return "".join(texts)


def _loose_chunk(parsed: dict[str, Any]) -> _Chunk:
    choices = parsed.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta, usage = first.get("delta") or first.get("message"), parsed.get("usage")
    chunk = _Chunk(model=as_string(parsed.get("model")))
    if isinstance(usage, dict):
        chunk.usage = _Tokens(as_int(usage.get("prompt_tokens")), as_int(usage.get("completion_tokens")))
    choice = _Choice(
        text=as_string(first.get("text")),
        finish_reason=as_string(first.get("finish_reason")),
        other_reason=as_string(first.get("finishReason")),
        error=first.get("error"),
        citations=first.get("citations"),
    )
    if isinstance(delta, dict):
        content, reasoning = delta.get("content"), ""
        if isinstance(content, list):  # Mistral sends parts of text and of thinking
            content, reasoning = _split_parts(content)
        choice.delta = _Delta(
            as_string(content),
            _text_of(delta.get("reasoning_content")) or reasoning,
            _text_of(delta.get("reasoning")),
            _as_list(delta.get("reasoning_details")),
            as_string(delta.get("refusal")),
            delta.get("annotations") or _references(delta.get("content")),
            delta.get("citations"),
            delta.get("context"),
            delta.get("provider_specific_fields"),
            as_string(delta.get("reasoning_text")),
            as_string(delta.get("thinking")),
        )
    chunk.choices = [choice]
    chunk.citations, chunk.search_results = parsed.get("citations"), parsed.get("search_results")
    chunk.sources = parsed.get("sources")
    return chunk


def _text_of(value: Any) -> str:
    """Return the text of reasoning: some servers send an object or a list of parts."""
    if isinstance(value, list):
        return "".join(map(_text_of, value))
    if isinstance(value, dict):
        value = next((value[name] for name in ("text", "content", "summary") if value.get(name)), None)
    return as_string(value) or ""


def _as_list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _references(content: Any) -> list[Any]:
    """Return the parts of a text that are references with an address, Mistral's."""
    return (
        [part for part in content if isinstance(part, dict) and part.get("url")]
        if isinstance(content, list)
        else []
    )


def _split_parts(parts: list[Any]) -> tuple[str, str]:
    """Return the text and the reasoning of parts."""
    text, reasoning = "", ""
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "text":
            text += as_string(part.get("text")) or ""
        elif isinstance(part, dict) and part.get("type") == "thinking":
            thinking = part.get("thinking")
            reasoning += (
                _split_parts(thinking)[0] if isinstance(thinking, list) else as_string(thinking) or ""
            )
    return text, reasoning
