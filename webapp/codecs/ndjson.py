"""Newline-delimited JSON: bytes in, lines out; https://github.com/ndjson/ndjson-spec."""

from __future__ import annotations

from webapp.codecs.sse import TooLong


class LineDecoder:
    """Decodes chunks of bytes into lines without their line ends, skipping blank lines."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pending: list[bytes] = []  # the pieces of an unfinished line: joined once, when it ends
        self._pending_bytes = 0

    def decode(self, chunk: bytes) -> list[bytes]:
        """Return the lines that a chunk completes. Raises `TooLong`."""
        first, *lines = chunk.split(b"\n")
        self._pending.append(first)
        self._pending_bytes += len(first)
        self._check_size(self._pending_bytes)
        if not lines:
            return []
        *lines, last = b"".join(self._pending), *lines
        self._pending, self._pending_bytes = ([last] if last else []), len(last)
        if len(chunk) > self._max_bytes:
            self._check_size(max(map(len, (*lines, last))))
        return [stripped for line in lines if (stripped := line.strip())]

    def flush(self) -> list[bytes]:
        """Return the last line if it has no line end."""
        last = b"".join(self._pending).strip()
        self._pending, self._pending_bytes = [], 0
        return [last] if last else []

    @property
    def tail(self) -> bytes:
        """The end of the bytes that `flush` would return as a line; b"" if there are none."""
        return self._pending[-1] if self._pending else b""

    def _check_size(self, line_bytes: int) -> None:
        if line_bytes > self._max_bytes:
            raise TooLong(f"a line is longer than {self._max_bytes} bytes")
