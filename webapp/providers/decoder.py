"""The base class of the providers' decoders: splits bytes into records, counts damaged ones and detects the end."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from webapp.codecs.ndjson import LineDecoder
from webapp.codecs.sse import Record, TooLong
from webapp.errors import AnswerError, Interrupted, UpstreamError
from webapp.events import Event
from webapp.providers.errors import error_from_event
from webapp.providers.loose_json import parse_loosely

MAX_LINE_BYTES = 8 * 1024 * 1024
_MAX_DAMAGED = 2
_BLANK = b" \t\r\n\xef\xbb\xbf"  # white space and the bytes of a byte order mark
# Ends of a record that may be complete without its line end.
_CLOSED = (b"}", b"]", b">")
_ERROR_FIELDS = ("detail", "msg", "errors", "error_msg", "error_message")
_OBJECT_FIELDS = (b"{", b"[", b"data:", b"event:")
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b"error:", b":")
_WRONG_PATH = re.compile(
    r"unexpected (endpoint|path|url)|(endpoint|route|path|url|page|method)\b.{0,40}\bnot (be )?(found|allowed|exist|supported)|"
    r"^\W*(404\W+(page )?)?not found\W*$|no (such |matching )?(route|endpoint|handler)\b|cannot (post|get)|default backend|method not allowed|"
    r"(unknown|invalid|unsupported) (request )?(endpoint|route|path|url)",
    re.I,
)

T = TypeVar("T")


class _Splitter(Protocol[T]):
    @property
    def tail(self) -> bytes: ...

    def decode(self, chunk: bytes) -> list[T]: ...

    def flush(self) -> list[T]: ...


class LineRecords:
    """Splits a body of one object a line into the records of an event stream."""

    def __init__(self, max_line_bytes: int) -> None:
        self._lines = LineDecoder(max_line_bytes)

    @property
    def tail(self) -> bytes:
        """The bytes of the line that is not complete."""
        return self._lines.tail

    def decode(self, chunk: bytes) -> list[Record]:
        """Return the records that a chunk completes."""
        return [Record(b"", line) for line in self._lines.decode(chunk)]

    def flush(self) -> list[Record]:
        """Return the last record, if it has no line end."""
        return [Record(b"", line) for line in self._lines.flush()]


class ProviderDecoder(Generic[T]):
    """Decodes a response's body into events; see `seams.Decoder`. A subclass decodes one record (`T`).

    A failure is stored in `error` instead of being raised, so that the events before it are returned first. A server that does
    not stream sends one JSON object, and a wrong address leads to some page: what a body is shows in its first byte, because
    its `Content-Type` is often wrong.
    """

    # Names the setting that holds the provider's address, and what is often wrong with it.
    address_hint: ClassVar[str] = "Check the provider's base URL."
    # Whether a body of this dialect begins with an object anyway.
    streams_objects: ClassVar[bool] = False

    def __init__(self, splitter: _Splitter[T], max_whole_bytes: int = MAX_LINE_BYTES) -> None:
        self._splitter = splitter
        self._damaged = 0
        self._form: Literal["unknown", "stream", "whole"] = "unknown"
        self._head = b""
        self._has_records = False
        self._whole: list[bytes] = []
        self._may_be_lines = True
        self._whole_bytes_left = max_whole_bytes
        self.error: AnswerError | None = None
        self.finished = False

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events that a chunk of the body completes."""
        try:
            if self._form == "unknown":
                self._detect_form(chunk)
            if self._form == "whole":
                self._collect(chunk)
                if not self._begins_lines(chunk):
                    return []
                chunk, self._whole = b"".join(self._whole), []
            records = self._splitter.decode(chunk)
        except TooLong as error:
            self.error = UpstreamError("upstream_protocol", detail=str(error))
            return []
        except UpstreamError as error:
            self.error = error
            return []
        return self._events(records)

    def flush(self) -> list[Event]:
        """Return the remaining events after the end of the body."""
        events = self._flush_whole() if self._form == "whole" else self._events(self._splitter.flush())
        if not self.finished and self.error is None:
            if self._may_end():
                try:
                    self._finish(events)
                except UpstreamError as error:
                    self.error = error
            else:
                self.error = self._end_error()
        if self.error is not None:
            self._flush_text(events)
        return events

    def is_ending(self) -> bool:
        """Return whether the answer, or the error instead of it, would be complete if nothing more arrived."""
        if self.finished or self.error is not None:
            return False
        if self._may_end():
            return not self._goes_on()
        tail = self._whole[-1] if self._whole else self._splitter.tail
        if not tail.rstrip().endswith(_CLOSED):
            return False
        probe = copy.deepcopy(self)
        probe.flush()
        return probe.finished or isinstance(probe.error, UpstreamError)

    def _detect_form(self, chunk: bytes) -> None:
        """Set the body's form. Raises `UpstreamError` for a web page."""
        start = chunk.lstrip(_BLANK)[:1]
        if not start:
            return
        if start == b"<":
            raise self._wrong_address("the response is a web page")
        self._form = "whole" if start in b"{[" and not self.streams_objects else "stream"
        self._head = chunk.lstrip(_BLANK)[:16]

    def _collect(self, chunk: bytes) -> None:
        self._whole.append(chunk)
        self._whole_bytes_left -= len(chunk)
        if self._whole_bytes_left < 0:
            self._whole = []
            raise UpstreamError(
                "upstream_protocol", detail="the response is too large for one that is no stream"
            )

    def _begins_lines(self, chunk: bytes) -> bool:
        """Return whether the body turns out to be a stream of one event a line, and then split it so."""
        if not self._may_be_lines or b"\n" not in chunk:
            return False
        self._may_be_lines = False  # the first line tells it
        splitter = self._line_splitter(_parse_object(b"".join(self._whole).partition(b"\n")[0]))
        if splitter is None:
            return False
        self._form, self._splitter = "stream", splitter
        return True

    def _line_splitter(self, first: Any) -> _Splitter[T] | None:
        """Return the splitter for a body of one event a line that begins with `first`; None if that is no event."""
        del first
        return None

    def _flush_whole(self) -> list[Event]:
        raw, self._whole = b"".join(self._whole), []
        events: list[Event] = []
        try:
            parsed = parse_loosely(raw.strip(_BLANK))
        except ValueError:
            return events  # cut off
        if isinstance(parsed, list) and parsed:
            lines = self._line_splitter(parsed[0])
            if lines is not None:
                raws = [json.dumps(each).encode() + b"\n" for each in parsed]
                return self._events(lines.decode(b"".join(raws)))
            parsed = parsed[0]  # Google sends a list of one error
        try:
            if not isinstance(parsed, dict):
                raise self._wrong_address("the response is no object")
            self._raise_whole_error(parsed)
            self._read_whole(parsed, events)
        except UpstreamError as error:
            self.error = error
        return events

    def _raise_whole_error(self, parsed: dict[str, Any]) -> None:
        """Raise the error that an object reports in one of the common forms."""
        error = parsed.get("error") or None
        is_error = "error" in (parsed.get("object"), parsed.get("type")) or any(
            parsed.get(name) for name in _ERROR_FIELDS
        )
        if error is None and "choices" not in parsed and (is_error or isinstance(parsed.get("message"), str)):
            error = parsed
        if error is None:
            return
        found = error_from_event(error)
        raise self._wrong_address(found.detail) if _WRONG_PATH.search(found.reason.strip()) else found

    def explain(self, error: UpstreamError) -> UpstreamError:
        """Return the error for a refused call: another one if the address is wrong, which only some servers say."""
        is_path = error.status == 405 or (
            error.status == 404 and (not error.reason.strip() or _WRONG_PATH.search(error.reason.strip()))
        )
        if not is_path:
            return error
        explained = self._wrong_address(error.detail)
        explained.status, explained.reason = error.status, error.reason
        return explained

    def _wrong_address(self, detail: str) -> UpstreamError:
        return UpstreamError(
            "upstream_bad_request",
            f"The model provider's address does not lead to its API. {self.address_hint}",
            retryable=False,
            detail=detail,
        )

    def _end_error(self) -> AnswerError:
        """Return the error for a body that has ended before the answer."""
        head = self._head
        fields = _OBJECT_FIELDS if self.streams_objects else _FIELDS
        is_known = any(head.startswith(field) or field.startswith(head) for field in fields)
        if (
            self._form == "stream"
            and not is_known
            and head
            and (self.streams_objects or not self._has_records)
        ):
            return self._wrong_address("the response is neither a stream nor an object")
        return Interrupted("the answer ended without its terminal event")

    def _events(self, records: list[T]) -> list[Event]:
        events: list[Event] = []
        self._has_records = self._has_records or bool(records)
        try:
            for record in records:
                if self.finished:
                    break
                self._read(record, events)
        except UpstreamError as error:
            self.error = error
            self._flush_text(events)
        return events

    def _count_damaged(self, raw: bytes) -> None:
        """Count a record that cannot be parsed. Raises `UpstreamError` if there are too many."""
        self._damaged += bool(raw.strip())  # a blank record is a heartbeat
        if self._damaged > _MAX_DAMAGED:
            raise UpstreamError("upstream_protocol", detail="several events cannot be parsed")

    def _read(self, record: T, events: list[Event]) -> None:
        """Append the events of a record. Raises `UpstreamError` for an error that the provider reports."""
        raise NotImplementedError

    def _read_whole(self, answer: dict[str, Any], events: list[Event]) -> None:
        """Append the events of an answer that was sent as one object. Raises `UpstreamError` for any other object."""
        del events
        raise self._wrong_address(f"the response is an object with {len(answer)} other fields")

    def _flush_text(self, events: list[Event]) -> None:
        """Append what was held back of the text of an answer that broke off."""

    def _goes_on(self) -> bool:
        """Return whether more has come after what usually ends an answer, so that its end must be waited for."""
        return False

    def _may_end(self) -> bool:
        """Return whether the answer is complete even without its terminal event."""
        return False

    def _finish(self, events: list[Event]) -> None:
        """Append the `Finished` event. Called only where `_may_end` returns true."""
        raise NotImplementedError


def _parse_object(raw: bytes) -> Any:
    try:
        return parse_loosely(raw)
    except ValueError:
        return None
