"""Decodes the responses of Anthropic's Messages API; https://platform.claude.com/docs/en/build-with-claude/streaming.

Thinking becomes reasoning. Blocks and deltas are told apart by their type, and unknown ones are skipped, as is what only the
provider can read (signatures, redacted thinking, a compacted context); the thinking that an answer begins with is also kept as
it came, for a continuation of the answer. `message_stop` completes an answer.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import msgspec

from webapp.chat import FinishReason
from webapp.codecs.sse import Record, SSEDecoder, is_end
from webapp.events import Event, Finished, ReasoningDelta, ReasoningSealed
from webapp.providers.anthropic.thinking_blocks import ThinkingCollector
from webapp.providers.anthropic.usage import TokenCounts, UsageCounter
from webapp.providers.decoder import LineRecords, ProviderDecoder
from webapp.providers.errors import error_from_event
from webapp.providers.finish_reasons import parse_finish_reason
from webapp.providers.loose_json import DECODE_ERRORS, parse_loosely
from webapp.providers.reasoning_tags import ReasoningHabit, ReasoningSplitter
from webapp.providers.sources import SourceCollector

log_ = logging.getLogger("freshet.providers")

_MAX_CATEGORY_CHARS = 100

_TEXT_TYPES = ("text_delta", "text", None)  # compatible servers leave the type out
_CITATIONS = "citations_delta"
_THINKING_TYPES = ("thinking_delta", "thinking", None)
# Blocks that only the provider can read, whatever their deltas are called.
_SEALED_TYPES = ("redacted_thinking", "compaction")


_EVENTS = (
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "ping",
    "error",
)


class _Delta(msgspec.Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: Any = None
    stop_reason: str | None = None
    other_stop_reason: str | None = msgspec.field(default=None, name="stopReason")  # of gateways
    citation: Any = None
    stop_details: Any = None


class _Message(msgspec.Struct, gc=False):
    model: str | None = None
    usage: TokenCounts | None = None


class _Block(msgspec.Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: Any = None
    data: Any = None
    citations: Any = None


class _StreamEvent(msgspec.Struct, gc=False):
    type: str | None = None
    index: int | None = None
    delta: _Delta | None = None
    message: _Message | None = None
    content_block: _Block | None = None
    usage: TokenCounts | None = None
    error: Any = None


_decode_event = msgspec.json.Decoder(_StreamEvent).decode


class AnthropicDecoder(ProviderDecoder[Record]):
    """Decodes Anthropic's events. A stop reason completes an answer even without `message_stop`.

    `blocks` collects the thinking before the first text; None if it is of no use.
    """

    address_hint: ClassVar[str] = "Check ANTHROPIC_BASE_URL."

    def __init__(
        self,
        max_line_bytes: int,
        habit: ReasoningHabit | None = None,
        blocks: ThinkingCollector | None = None,
    ) -> None:
        super().__init__(SSEDecoder(max_line_bytes), max_line_bytes)
        self._max_line_bytes = max_line_bytes
        self._reason: FinishReason | None = None
        self._model: str | None = None
        self._sources = SourceCollector()
        self._usage = UsageCounter()
        self._sealed: set[int | None] = set()  # the places of the open blocks that only the provider can read
        self._tags = ReasoningSplitter(habit)
        self._blocks = blocks

    def _read(self, record: Record, events: list[Event]) -> None:
        event = self._parse(record)
        if event is None:
            is_done = record.data.strip() == b"[DONE]" or is_end(record)  # gateways send it
            if is_done and self._model is not None:
                self._finish(events)
            return
        kind = event.type or record.event.decode("utf-8", "replace")
        if kind == "content_block_delta":  # almost every event
            if event.index not in self._sealed:
                self._add(event.delta, events)
        elif kind in ("", "message", "error"):
            self._read_other(kind, record, events)
        else:
            self._read_event(kind, event, events)

    def _read_other(self, kind: str, record: Record, events: list[Event]) -> None:
        """Raise an error, perhaps without a type, or append the events of a whole message."""
        parsed = _parsed_or_text(record.data)
        if isinstance(parsed, dict):
            self._raise_whole_error(parsed)
        if kind == "error":
            raise error_from_event(parsed)
        if kind == "message" and isinstance(parsed, dict):
            self._read_whole(parsed, events)

    def _read_event(self, kind: str, event: _StreamEvent, events: list[Event]) -> None:
        match kind:
            case "content_block_start":
                self._start_block(event, events)
            case "content_block_stop":
                self._sealed.discard(event.index)
                if self._blocks is not None:
                    self._blocks.stop()
            case "message_start" if event.message is not None:
                self._model = event.message.model
                self._count(event.message.usage, events)
            case "message_delta":
                self._count(event.usage, events)
                if event.delta is not None and (event.delta.stop_reason or event.delta.other_stop_reason):
                    self._stop(event.delta)
            case "message_stop":
                self._finish(events)
            case _:
                pass  # ping, and events of future versions

    def _start_block(self, event: _StreamEvent, events: list[Event]) -> None:
        block = event.content_block
        if self._blocks is not None:
            known = block or _Block("unknown")
            self._blocks.start(known.type, known.thinking, known.signature, known.data)
        if block is not None and block.type in _SEALED_TYPES:
            self._sealed.add(event.index)
        else:
            self._sealed.discard(event.index)  # of a block that was never closed
            self._add(block, events)

    def _count(self, tokens: TokenCounts | None, events: list[Event]) -> None:
        """Append the usage, and store the model that took over after a refusal: only the iterations name it."""
        if tokens is None:
            return
        events.append(self._usage.add(tokens))
        for one in tokens.calls():
            if one.type == "fallback_message" and one.model:
                self._model = one.model

    def _add(self, event: _Delta | _Block | None, events: list[Event]) -> None:
        if event is None:
            return
        if event.text and event.type in _TEXT_TYPES:
            if self._blocks is not None:
                self._seal_blocks(events)
            self._tags.add(event.text, events)
        if event.thinking and event.type in _THINKING_TYPES and self._tags.note_reasoning():
            events.append(ReasoningDelta(event.thinking))
        if self._blocks is not None and isinstance(event, _Delta):
            self._blocks.add(event.thinking, event.signature)
        citations = event.citation if isinstance(event, _Delta) else event.citations
        if citations:
            self._sources.add_citations(citations, events)

    def _seal_blocks(self, events: list[Event]) -> None:
        blocks, self._blocks = self._blocks, None
        sealed = None if blocks is None or self._damaged else blocks.seal()
        if sealed is not None:
            events.append(ReasoningSealed(sealed))

    def _stop(self, delta: _Delta) -> None:
        # After `compaction` the answer can be continued, as after a limit.
        raw = delta.stop_reason or delta.other_stop_reason or ""
        self._reason = "length" if raw == "compaction" else parse_finish_reason(raw)
        details = delta.stop_details
        if isinstance(details, dict) and isinstance(details.get("category"), str):
            log_.info("anthropic refused to answer: %s", details["category"][:_MAX_CATEGORY_CHARS])

    def _read_whole(self, answer: dict[str, Any], events: list[Event]) -> None:
        """Append the events of a message that was not streamed."""
        self._blocks = None  # a server that does not stream is no Anthropic's
        content = answer.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if not isinstance(content, list):
            super()._read_whole(answer, events)
            return
        delta = {name: answer.get(name) for name in ("stop_reason", "stop_details")}
        pieces = [
            {"type": "message_start", "message": {"model": answer.get("model")}},
            *({"type": "content_block_start", "content_block": part} for part in content),
            {"type": "message_delta", "delta": delta, "usage": answer.get("usage")},
        ]
        for piece in pieces:
            try:
                event = msgspec.convert(_without_unknown(piece), _StreamEvent)
            except msgspec.ValidationError:
                self._count_damaged(msgspec.json.encode(piece))
            else:
                self._read_event(event.type or "", event, events)
        self._finish(events)

    def _line_splitter(self, first: Any) -> LineRecords | None:
        kind = first.get("type") if isinstance(first, dict) else None
        return LineRecords(self._max_line_bytes) if kind in _EVENTS and kind != "error" else None

    def _may_end(self) -> bool:
        return self._reason is not None

    def _flush_text(self, events: list[Event]) -> None:
        self._tags.flush(events, is_complete=False)

    def _finish(self, events: list[Event]) -> None:
        self._tags.flush(events)
        self.finished = True
        events.append(Finished(self._reason or "stop", self._model, self._damaged))

    def _parse(self, record: Record) -> _StreamEvent | None:
        try:
            return _decode_event(record.data)
        except DECODE_ERRORS:
            pass
        if record.event == b"error":
            raise error_from_event(_parsed_or_text(record.data))
        try:
            return msgspec.convert(_without_unknown(parse_loosely(record.data)), _StreamEvent)
        except (ValueError, msgspec.ValidationError):
            if record.data.strip() != b"[DONE]":
                self._count_damaged(record.data)
            return None


def _parsed_or_text(raw: bytes) -> Any:
    try:
        return parse_loosely(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _without_unknown(event: Any) -> Any:
    """Return an event without what future versions may add: other events, blocks and deltas, and counts of another form."""
    if not isinstance(event, dict):
        return event
    kind = event.get("type")
    if isinstance(kind, str) and kind not in _EVENTS:
        return {"type": kind}
    known = dict(event)
    for name in ("delta", "content_block"):
        part = known.get(name)
        if isinstance(part, dict) and part.get("type") in _SEALED_TYPES:
            known[name] = {"type": part["type"]}
        elif isinstance(part, dict) and part.get("type") not in (*_TEXT_TYPES, *_THINKING_TYPES, _CITATIONS):
            known[name] = None
    if not isinstance(known.get("index"), int):
        known.pop("index", None)
    try:
        msgspec.convert(known.get("usage"), TokenCounts | None)
    except msgspec.ValidationError:
        known["usage"] = None
    return known
