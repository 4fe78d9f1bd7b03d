"""Decodes HTTP/1.1's chunked transfer coding, all chunks of a read in one pass; RFC 9112, section 7.1.

`http.client` returns one chunk a call, and providers send one chunk for each delta: a caller that reads once a frame would
fall behind.
"""

from __future__ import annotations

import re

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_MAX_LINE_BYTES = 1024


class BadChunk(ValueError):
    """The body is not valid chunked coding."""


class ChunkedDecoder:
    """Decodes pieces of a chunked body, which may end anywhere, into its content. `ended` is true after the last chunk."""

    def __init__(self) -> None:
        self.ended = False
        self._left = 0  # missing bytes of the current chunk, including its CRLF
        self._rest = b""  # an incomplete size line
        self._trailing = False  # after the last chunk: trailers follow, up to a blank line

    def decode(self, raw: bytes) -> bytes:
        """Return the content in more bytes. Raises `BadChunk`."""
        content: list[bytes] = []
        at, end = 0, len(raw)
        if self._rest:
            raw = self._rest + raw
            end = len(raw)
            self._rest = b""
        while at < end and not self.ended:
            if self._left:
                at = self._take(raw, at, end, content)
                continue
            line_end = raw.find(b"\r\n", at)
            if line_end < 0:
                self._keep(raw[at:])
                break
            self._read_line(raw[at:line_end])
            at = line_end + 2
            stop = at + self._left
            if self._left and stop <= end:  # the common case: the whole chunk has arrived
                if raw[stop - 2 : stop] != b"\r\n":
                    raise BadChunk("a chunk does not match its size")
                content.append(raw[at : stop - 2])
                self._left = 0
                at = stop
        return content[0] if len(content) == 1 else b"".join(content)

    def _take(self, raw: bytes, at: int, end: int, content: list[bytes]) -> int:
        stop = at + self._left
        if stop <= end:
            if raw[max(at, stop - 2) : stop] != b"\r\n"[-min(2, self._left) :]:
                raise BadChunk("a chunk does not match its size")
            if self._left > 2:
                content.append(raw[at : stop - 2])
            self._left = 0
            return stop
        if stop - 2 > at:
            content.append(raw[at : min(end, stop - 2)])
        if raw[max(at, stop - 2) : end] not in (b"", b"\r"):
            raise BadChunk("a chunk does not match its size")
        self._left = stop - end
        return end

    def _read_line(self, line: bytes) -> None:
        if len(line) > _MAX_LINE_BYTES:
            raise BadChunk("a line between chunks is too long")
        if self._trailing:
            self.ended = not line
            return
        try:
            length = int(line, 16) if line.isalnum() else _size(line)
        except ValueError:
            raise BadChunk("a chunk's size is invalid") from None
        self._trailing = length == 0
        self._left = length + 2 if length else 0

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _MAX_LINE_BYTES + 1:  # it may end in the CR of its CRLF
            raise BadChunk("a line between chunks is too long")
        self._rest = rest


def _size(line: bytes) -> int:
    size = line.partition(b";")[0].rstrip(b" \t")  # chunk extensions are ignored
    if not _SIZE.fullmatch(size):
        raise BadChunk("a chunk's size is invalid")
    return int(size, 16)
