"""Decodes the responses of Ollama's chat API, which streams NDJSON; https://github.com/ollama/ollama/blob/main/docs/api.md.

Reasoning comes in a field whose name differs between versions and servers, or between tags in the text.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from webapp.events import Event, Finished, ReasoningDelta, UsageReport
from webapp.providers.decoder import ProviderDecoder
from webapp.providers.errors import error_from_event
from webapp.providers.finish_reasons import parse_finish_reason
from webapp.providers.loose_json import DECODE_ERRORS, parse_loosely
from webapp.providers.ollama.objects import ObjectDecoder
from webapp.providers.reasoning_tags import ReasoningHabit, ReasoningSplitter


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Any] | None = None


class _Line(msgspec.Struct, gc=False):
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    other_reason: str | None = msgspec.field(default=None, name="doneReason")
    model: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None
    response: str | None = None  # of a proxy that answers in the form of /api/generate


_read_line = msgspec.json.Decoder(_Line).decode


class OllamaDecoder(ProviderDecoder[bytes]):
    """Decodes Ollama's objects. Only `done` completes an answer."""

    address_hint: ClassVar[str] = "Check OLLAMA_HOST: it is an address without a path."
    streams_objects: ClassVar[bool] = True

    def __init__(self, max_line_bytes: int, habit: ReasoningHabit | None = None) -> None:
        super().__init__(ObjectDecoder(max_line_bytes))
        self._has_tool_calls = False
        self._tags = ReasoningSplitter(habit)

    def _read(self, record: bytes, events: list[Event]) -> None:
        line = self._line(record)
        if line is None:
            return
        if line.error:
            raise error_from_event(line.error)
        self._add(line.message, events)
        if line.response:
            self._tags.add(line.response, events)
        if line.done:
            self._tags.flush(events)
            events.append(UsageReport(line.prompt_eval_count, line.eval_count))
            events.append(self._end(line))

    def _add(self, message: _Message | None, events: list[Event]) -> None:
        if message is None:
            return
        reasoning = message.thinking or message.reasoning or message.reasoning_content
        if reasoning and self._tags.note_reasoning():
            events.append(ReasoningDelta(reasoning))
        if message.content:
            self._tags.add(message.content, events)
        if message.tool_calls:
            self._has_tool_calls = True

    def _flush_text(self, events: list[Event]) -> None:
        self._tags.flush(events, is_complete=False)

    def _end(self, line: _Line) -> Finished:
        reason = parse_finish_reason(line.done_reason or line.other_reason or "stop")
        self.finished = True
        return Finished(
            "tool_calls" if self._has_tool_calls and reason == "stop" else reason, line.model, self._damaged
        )

    def _line(self, raw: bytes) -> _Line | None:
        try:
            return _read_line(raw)
        except DECODE_ERRORS:
            pass
        try:
            return msgspec.convert(parse_loosely(raw), _Line)
        except (ValueError, msgspec.ValidationError):
            self._count_damaged(raw)
            return None
