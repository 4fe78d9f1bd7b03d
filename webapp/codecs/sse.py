"""Server-sent events, decoded as https://html.spec.whatwg.org/multipage/server-sent-events.html says.

One thing is added for providers: bytes are bounded, a line over the limit raises.
"""

from __future__ import annotations

import re

import msgspec

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class TooLong(ValueError):
    """A line, or an event of many lines, is over the limit."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One event: its name (b"" when it has none), its data, lines joined by a newline, and its id.

    `id` is that of this record alone: b"" when it has none of its own.
    """

    event: bytes
    data: bytes
    id: bytes = b""


class SSEDecoder:
    """Turns bytes, cut anywhere, into records; keeps at most `max_bytes` of an unfinished one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []  # the pieces of an unfinished line: joined once, when it ends
        self._data: list[bytes] = []  # data lines of an unfinished record
        self._data_bytes = 0  # of those lines, each with its end: an empty one takes memory, too
        self._rest_bytes = 0
        self._event = b""
        self._id = b""
        self._begun = False  # whether a byte order mark can still come
        self._after_cr = False  # the last chunk ended in CR: a LF now belongs to it

    def decode(self, chunk: bytes) -> list[Record]:
        """Read more bytes and return the records that are complete."""
        if not self._begun:
            chunk = self._skip_mark(chunk)
            if not self._begun:
                return []
        begun = self._rest or self._data or self._event or self._id or self._after_cr
        if not begun and len(chunk) <= self._max_bytes:
            plain = _plain_records(chunk)
            if plain is not None:
                return plain
        return self._decode_lines(chunk)

    def flush(self) -> list[Record]:
        """Read the end: an unfinished record is given too, because servers forget the last blank line."""
        records = self._decode_lines(b"\n\n") if self._rest or self._data else []
        self._rest, self._data, self._event, self._id = [], [], b"", b""
        self._rest_bytes = self._data_bytes = 0
        return records

    def _skip_mark(self, chunk: bytes) -> bytes:
        chunk = b"".join([*self._rest, chunk])
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._rest = [chunk]
            return b""
        self._begun, self._rest = True, []
        return chunk.removeprefix(_BOM)

    def _decode_lines(self, chunk: bytes) -> list[Record]:
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if chunk.endswith(b"\r"):
            self._after_cr = True
        first, *lines = _LINE_END.split(chunk)
        self._rest.append(first)
        self._rest_bytes += len(first)
        records: list[Record] = []
        if lines:
            *lines, last = b"".join(self._rest), *lines
            records = self._read_lines(lines)
            self._rest, self._rest_bytes = ([last] if last else []), len(last)
        self._bound(self._rest_bytes)
        return records

    def _read_lines(self, lines: list[bytes]) -> list[Record]:
        records: list[Record] = []
        for line in lines:
            if line:
                self._bound(len(line))
                self._read_line(line)
            elif self._data:
                records.append(Record(self._event, b"\n".join(self._data), self._id))
                self._data, self._event, self._id, self._data_bytes = [], b"", b"", 0
            else:
                self._event = self._id = b""
        return records

    def _bound(self, line_bytes: int) -> None:
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


def _plain_records(chunk: bytes) -> list[Record] | None:
    """Read what nearly every provider sends nearly always: whole records of one `data: ` line each.

    None when the chunk holds anything else; the caller then reads it line by line.
    """
    if not chunk.endswith(b"\n\n") or b"\r" in chunk:
        return None
    records = []
    for block in chunk[:-2].split(b"\n\n"):
        if not block.startswith(b"data: ") or b"\n" in block:
            return None
        records.append(Record(b"", block[6:]))
    return records
