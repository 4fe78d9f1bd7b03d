"""Decodes server-sent events; https://html.spec.whatwg.org/multipage/server-sent-events.html.

Unlike the specification it limits the size of a line and of an event, and what some servers send instead of an event is one: a
line `error: …`, and the name of an end without data.
"""

from __future__ import annotations

import re

import msgspec

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_ENDS = (b"done", b"end", b"complete", b"message_stop")
_NO_DATA = (b"", b"{}", b"null")


class TooLong(ValueError):
    """A line, or an event of several lines, is over the limit."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event: its type, its data with lines joined by a newline, and its own id. Missing fields are b""."""

    event: bytes
    data: bytes
    id: bytes = b""


def is_end(record: Record) -> bool:
    """Return whether an event says by its name alone that the stream is complete, as `event: done` does."""
    return record.event in _ENDS and record.data.strip() in _NO_DATA


class SSEDecoder:
    """Decodes chunks of bytes into records; buffers at most `max_bytes` of an unfinished one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pending: list[bytes] = []  # the pieces of an unfinished line: joined once, when it ends
        self._pending_bytes = 0
        self._data: list[bytes] = []  # data lines of an unfinished record
        self._data_bytes = 0  # of those lines with their line ends, because empty lines take memory too
        self._event = b""
        self._id = b""
        self._is_past_bom = False
        self._after_cr = False  # the last chunk ended in CR: a leading LF belongs to it

    def decode(self, chunk: bytes) -> list[Record]:
        """Return the records that a chunk completes. Raises `TooLong`."""
        if not self._is_past_bom:
            chunk = self._skip_bom(chunk)
            if not self._is_past_bom:
                return []
        is_within = self._pending or self._data or self._event or self._id or self._after_cr
        if not is_within and len(chunk) <= self._max_bytes:
            records = _parse_simple(chunk)
            if records is not None:
                return records
        return self._decode_lines(chunk)

    def flush(self) -> list[Record]:
        """Return the last record, even if unfinished, because some servers omit the final blank line."""
        records = self._decode_lines(b"\n\n") if self._pending or self._data or self._event in _ENDS else []
        self._pending, self._data, self._event, self._id = [], [], b"", b""
        self._pending_bytes = self._data_bytes = 0
        return records

    @property
    def tail(self) -> bytes:
        """The end of the bytes that `flush` would return as a record; b"" if there are none."""
        return self._pending[-1] if self._pending else self._data[-1] if self._data else b""

    def _skip_bom(self, chunk: bytes) -> bytes:
        chunk = b"".join([*self._pending, chunk])
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._pending = [chunk]
            return b""
        self._is_past_bom, self._pending = True, []
        return chunk.removeprefix(_BOM)

    def _decode_lines(self, chunk: bytes) -> list[Record]:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if chunk.endswith(b"\r"):
            self._after_cr = True
        first, *lines = _LINE_END.split(chunk)
        self._pending.append(first)
        self._pending_bytes += len(first)
        records: list[Record] = []
        if lines:
            *lines, last = b"".join(self._pending), *lines
            records = self._read_lines(lines)
            self._pending, self._pending_bytes = ([last] if last else []), len(last)
        self._check_size(self._pending_bytes)
        return records

    def _read_lines(self, lines: list[bytes]) -> list[Record]:
        records: list[Record] = []
        for line in lines:
            if line:
                self._check_size(len(line))
                if line.startswith(b"error:"):
                    self._end_record(records)
                    records.append(Record(b"error", line[6:].strip()))
                else:
                    self._read_line(line)
            else:
                self._end_record(records)
        return records

    def _end_record(self, records: list[Record]) -> None:
        if self._data or self._event in _ENDS:
            records.append(Record(self._event, b"\n".join(self._data), self._id))
        self._data, self._event, self._id, self._data_bytes = [], b"", b"", 0

    def _check_size(self, line_bytes: int) -> None:
        if self._data_bytes + line_bytes > self._max_bytes:
            raise TooLong(f"a line or an event is longer than {self._max_bytes} bytes")

    def _read_line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(value) + 1
        elif name == b"event":
            self._event = value
        elif name == b"id":
            self._id = value


def _parse_simple(chunk: bytes) -> list[Record] | None:
    """Parse the common case, complete records of one `data: ` line each; return None for anything else.

    It is faster than parsing line by line.
    """
    if not chunk.endswith(b"\n\n") or b"\r" in chunk:
        return None
    records = []
    for block in chunk[:-2].split(b"\n\n"):
        if not block.startswith(b"data: ") or b"\n" in block:
            return None
        records.append(Record(b"", block[6:]))
    return records
