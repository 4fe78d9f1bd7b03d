"""Decodes the responses of OpenAI's Responses API; https://platform.openai.com/docs/api-reference/responses-streaming.

Its stream has typed events. `response.completed`, `response.incomplete`, `response.failed` and `error` end an answer, and no
`[DONE]` follows. Events and items of unknown types are ignored: new ones appear with every kind of tool.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from webapp.chat import FinishReason
from webapp.codecs.sse import Record, SSEDecoder
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.providers.decoder import LineRecords, ProviderDecoder
from webapp.providers.errors import error_from_event
from webapp.providers.loose_json import DECODE_ERRORS, as_int, as_string, parse_loosely
from webapp.providers.sources import SourceCollector

log_ = logging.getLogger("freshet.providers")

_QUEUED_S = 120.0
_MAX_PARTS = 1_000  # of an answer, that are told apart
_PARAGRAPH = "\n\n"

_BEGINNINGS = ("response.created", "response.queued", "response.in_progress")
_ENDINGS = (
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
    "response.done",
)


class _StreamEvent(msgspec.Struct, gc=False):
    type: str | None = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    annotation: Any = None
    item: Any = None
    response: Any = None
    error: Any = None


_decode_event = msgspec.json.Decoder(_StreamEvent).decode


class ResponsesDecoder(ProviderDecoder[Record]):
    """Decodes the events of a response.

    A response that stays `queued` for `queued_s` fails even if the server keeps the connection alive: OpenAI has left some in
    that state for ever. `clock` returns the time in seconds.
    """

    address_hint: ClassVar[str] = (
        "Check OPENAI_BASE_URL, which usually ends in /v1; a server without the Responses API needs FRESHET_OPENAI_API=chat."
    )

    def __init__(
        self,
        max_line_bytes: int,
        *,
        queued_s: float = _QUEUED_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(SSEDecoder(max_line_bytes), max_line_bytes)
        self._max_line_bytes = max_line_bytes
        self._model: str | None = None
        self._sources = SourceCollector()
        self._parts: set[_Part] = set()  # those with text, so that what completes them does not repeat it
        self._last_part: dict[type[Event], _Part] = {}
        self._reasoning_kind: str | None = None  # beside summaries the text that they sum up may come, too
        self._refused = False
        self._called_tool = False
        self._queued_s = queued_s
        self._clock = clock
        self._queued_until: float | None = None

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events that a chunk of the body completes."""
        events = super().decode(chunk)
        if self._queued_until is not None and self._clock() > self._queued_until and self.error is None:
            self.error = UpstreamError("upstream_stalled", detail="the response stayed queued")
        return events

    def _read(self, record: Record, events: list[Event]) -> None:
        event = self._parse(record)
        if event is None:
            return
        kind = event.type or record.event.decode("utf-8", "replace")
        if kind in _BEGINNINGS:
            self._note_status(kind, event.response)
            return
        self._queued_until = None
        if not kind:
            self._raise_bare_error(record)
        if kind in _ENDINGS:
            self._end(kind, event.response, events)
        elif kind in ("error", "response.error") or (
            event.error is not None and not kind.startswith("response.")
        ):
            raise _error(event.error, record)
        else:
            self._read_part(kind, event, events)

    def _raise_bare_error(self, record: Record) -> None:
        """Raise the error of an object without a type, as some gateways send it."""
        parsed = parse_loosely(record.data)
        if isinstance(parsed, dict):
            self._raise_whole_error(parsed)

    def _read_part(self, kind: str, event: _StreamEvent, events: list[Event]) -> None:
        """Append what an event adds to the answer; others are the progress of tools, and what future versions add."""
        match kind:
            case "response.output_text.delta":
                self._add(TextDelta, _part("text", event), event.delta, events)
            case "response.output_text.done":
                self._complete(TextDelta, _part("text", event), event.text, events)
            case "response.refusal.delta":
                self._refused = True
                self._add(TextDelta, _part("refusal", event), event.delta, events)
            case "response.refusal.done":
                self._refused = True
                self._complete(TextDelta, _part("refusal", event), event.refusal, events)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self._add_reasoning(_part(kind, event), event.delta, events)
            case "response.reasoning_summary_text.done" | "response.reasoning_text.done":
                self._add_reasoning(_part(kind, event), event.text, events, is_whole=True)
            case "response.output_text.annotation.added":
                self._sources.add_citations(event.annotation, events)
            case "response.output_item.done":
                self._read_item(event.item, as_int(event.output_index) or 0, events)

    # Text and reasoning.

    def _add(
        self, kind: type[TextDelta | ReasoningDelta], part: _Part, text: Any, events: list[Event]
    ) -> None:
        """Append a delta of a part. A blank line separates it from the part before."""
        if not isinstance(text, str) or not text:
            return
        if self._last_part.get(kind, part) != part:
            events.append(kind(_PARAGRAPH))
        self._last_part[kind] = part
        if len(self._parts) < _MAX_PARTS:
            self._parts.add(part)
        events.append(kind(text))

    def _complete(
        self, kind: type[TextDelta | ReasoningDelta], part: _Part, text: Any, events: list[Event]
    ) -> None:
        """Append the text of a part that had no deltas: some servers send none."""
        if part not in self._parts and len(self._parts) < _MAX_PARTS:
            self._add(kind, part, text, events)

    def _add_reasoning(self, part: _Part, text: Any, events: list[Event], *, is_whole: bool = False) -> None:
        kind = part[0].rpartition(".")[0]
        if not text or (self._reasoning_kind or kind) != kind:
            return
        self._reasoning_kind = kind
        add = self._complete if is_whole else self._add
        add(ReasoningDelta, (kind, *part[1:]), text, events)

    def _read_item(self, item: Any, output_index: int, events: list[Event]) -> None:
        """Append the text and the citations of a complete item that came in no event of their own."""
        if not isinstance(item, dict):
            return
        match item.get("type"):
            case "message":
                for index, content in enumerate(_dicts(item.get("content"))):
                    if content.get("type") == "refusal":
                        self._refused = True
                        part = ("refusal", output_index, index)
                        self._complete(TextDelta, part, content.get("refusal"), events)
                    elif content.get("type") == "output_text":
                        self._complete(TextDelta, ("text", output_index, index), content.get("text"), events)
                        self._sources.add_citations(content.get("annotations"), events)
            case "reasoning":
                for name, kind in _REASONING_TEXTS:
                    for index, content in enumerate(_dicts(item.get(name))):
                        part = (kind, output_index, index)
                        self._add_reasoning(part, content.get("text"), events, is_whole=True)
            case "function_call" | "custom_tool_call":
                self._called_tool = True
            case _:
                pass

    # The state and the end.

    def _note_status(self, kind: str, response: Any) -> None:
        """Store the model, and when a response that does not begin has failed."""
        fields = response if isinstance(response, dict) else {}
        self._model = as_string(fields.get("model")) or self._model
        if kind == "response.in_progress" or fields.get("status") == "in_progress":
            self._queued_until = None
        elif self._queued_until is None:
            self._queued_until = self._clock() + self._queued_s

    def _end(self, kind: str, raw: Any, events: list[Event]) -> None:
        response = raw if isinstance(raw, dict) else {}
        told = f"response.{response.get('status')}"  # some gateways have one event for every end
        kind = told if told in _ENDINGS else kind
        self._model = as_string(response.get("model")) or self._model
        for index, item in enumerate(_dicts(response.get("output"))):
            self._read_item(item, index, events)
        if response.get("citations"):  # xAI
            self._sources.add_lists(response["citations"], None, events)
        if isinstance(response.get("usage"), dict):
            events.append(_usage(response["usage"]))
        if kind in ("response.failed", "response.cancelled"):
            raise _error(response.get("error") or {"code": "server_error", "message": kind}, None)
        self.finished = True
        events.append(Finished(self._finish_reason(kind, response), self._model, self._damaged))

    def _read_whole(self, answer: dict[str, Any], events: list[Event]) -> None:
        """Append the events of a response that was not streamed."""
        if not isinstance(answer.get("output"), list):
            super()._read_whole(answer, events)
            return
        kind = f"response.{answer.get('status', 'completed')}"
        if kind in _ENDINGS:
            self._end(kind, answer, events)

    def _line_splitter(self, first: Any) -> LineRecords | None:
        kind = first.get("type") if isinstance(first, dict) else None
        is_event = isinstance(kind, str) and kind.startswith("response.")
        return LineRecords(self._max_line_bytes) if is_event else None

    def _finish_reason(self, kind: str, response: dict[str, Any]) -> FinishReason:
        if kind == "response.incomplete":
            return _incomplete_reason(response.get("incomplete_details"))
        if self._refused:
            return "content_filter"
        return "tool_calls" if self._called_tool else "stop"

    def _parse(self, record: Record) -> _StreamEvent | None:
        try:
            return _decode_event(record.data)
        except DECODE_ERRORS:
            pass
        if record.data.strip() == b"[DONE]":  # gateways send it
            return None
        if record.event == b"error":
            raise _error(None, record)
        try:
            return msgspec.convert(parse_loosely(record.data), _StreamEvent)
        except (ValueError, msgspec.ValidationError):
            self._count_damaged(record.data)
            return None


_Part = tuple[str, int, int]
"""A part of the answer: what it is, the index of its item, and its index in that. Ids are no use: gateways change them."""

# The fields of a reasoning item with texts, and the kind of the events that carry these.
_REASONING_TEXTS = (
    ("summary", "response.reasoning_summary_text.done"),
    ("content", "response.reasoning_text.done"),
)


def _part(name: str, event: _StreamEvent) -> _Part:
    index = event.content_index if event.summary_index is None else event.summary_index
    return name, as_int(event.output_index) or 0, as_int(index) or 0


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [each for each in raw if isinstance(each, dict)] if isinstance(raw, list) else []


def _usage(usage: dict[str, Any]) -> UsageReport:
    details = usage.get("input_tokens_details")
    cached = details if isinstance(details, dict) else {}
    return UsageReport(
        as_int(usage.get("input_tokens")),
        as_int(usage.get("output_tokens")),
        as_int(cached.get("cached_tokens")),
        as_int(cached.get("cache_write_tokens")),
    )


def _incomplete_reason(details: Any) -> FinishReason:
    reason = details.get("reason") if isinstance(details, dict) else None
    if reason == "content_filter":
        return "content_filter"
    if reason != "max_output_tokens":
        log_.warning("unknown reason of an incomplete response: %s", str(reason)[:60])
    return "length"


_BAD_REQUEST = re.compile(
    r"^(invalid|image|unsupported|empty|failed_to_download|data_residency|vector_store)_"
)
_POLICY = re.compile(r"policy|misalignment")


def _error(error: Any, record: Record | None) -> UpstreamError:
    """Return the error for both of its forms: nested under `error`, or flat in the event."""
    found = error
    if found is None and record is not None:
        try:
            found = parse_loosely(record.data)
        except ValueError:
            found = record.data.decode("utf-8", "replace")
    if not isinstance(found, dict):
        return error_from_event(found)
    fields = {name: value for name, value in found.items() if not (name == "type" and value == "error")}
    code = as_string(fields.get("code")) or ""
    if _POLICY.search(code):
        fields["type"] = "invalid_request_error content_policy"
    elif _BAD_REQUEST.search(code) and not code.endswith(("_timeout", "api_key")):
        fields["type"] = "invalid_request_error"
    return error_from_event(fields)
