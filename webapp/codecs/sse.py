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
    """One event: its name (b"" when it has none) and its data, lines joined by a newline."""

    event: bytes
    data: bytes


class SSEDecoder:
    """Turns bytes, cut anywhere, into records; keeps at most `max_bytes` of an unfinished one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []  # the pieces of an unfinished line: joined once, when it ends
        self._data: list[bytes] = []  # data lines of an unfinished record
        self._held = 0  # bytes of what is unfinished
        self._event = b""
        self._begun = False  # whether a byte order mark can still come
        self._after_cr = False  # the last chunk ended in CR: a LF now belongs to it

    def decode(self, chunk: bytes) -> list[Record]:
        """Read more bytes and return the records that are complete."""
        if not self._begun:
            chunk = self._skip_mark(chunk)
            if not self._begun:
                return []
        if not self._rest and not self._data and not self._event and not self._after_cr:
            plain = _plain_records(chunk)
            if plain is not None:
                return plain
        return self._decode_lines(chunk)

    def flush(self) -> list[Record]:
        """Read the end: an unfinished record is given too, because servers forget the last blank line."""
        records = self._decode_lines(b"\n\n") if self._rest or self._data else []
        self._rest, self._data, self._event, self._held = [], [], b"", 0
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
        self._held += len(first)
        if self._held > self._max_bytes:
            raise TooLong(f"a line or an event is longer than {self._max_bytes} bytes")
        if not lines:
            return []
        lines.insert(0, b"".join(self._rest))
        last = lines.pop()
        self._rest = [last] if last else []
        return self._read_lines(lines, len(last))

    def _read_lines(self, lines: list[bytes], unfinished_bytes: int) -> list[Record]:
        records: list[Record] = []
        for line in lines:
            if line:
                self._read_line(line)
            elif self._data:
                records.append(Record(self._event, b"\n".join(self._data)))
                self._data, self._event = [], b""
            else:
                self._event = b""
        self._held = unfinished_bytes + sum(map(len, self._data))
        return records

    def _read_line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value


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
