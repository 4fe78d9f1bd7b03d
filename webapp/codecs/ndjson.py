"""Newline-delimited JSON: bytes in, lines out; https://github.com/ndjson/ndjson-spec."""

from __future__ import annotations

from webapp.codecs.sse import TooLong


class LineDecoder:
    """Turns bytes, cut anywhere, into lines without their ends; blank lines are left out."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []  # the pieces of an unfinished line: joined once, when it ends
        self._held = 0

    def decode(self, chunk: bytes) -> list[bytes]:
        """Read more bytes and return the lines that are complete."""
        first, *lines = chunk.split(b"\n")
        self._rest.append(first)
        self._held += len(first)
        self._bound(self._held)
        if not lines:
            return []
        *lines, last = b"".join(self._rest), *lines
        self._rest, self._held = ([last] if last else []), len(last)
        if len(chunk) > self._max_bytes:
            self._bound(max(map(len, (*lines, last))))
        return [stripped for line in lines if (stripped := line.strip())]

    def flush(self) -> list[bytes]:
        """Read the end: a last line without its end is given too."""
        last = b"".join(self._rest).strip()
        self._rest, self._held = [], 0
        return [last] if last else []

    def _bound(self, line_bytes: int) -> None:
        if line_bytes > self._max_bytes:
            raise TooLong(f"a line is longer than {self._max_bytes} bytes")
