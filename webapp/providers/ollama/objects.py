"""Splits a body of Ollama's into its objects: one a line, or in what gateways make of them."""

from __future__ import annotations

import json
import re

from webapp.codecs.ndjson import LineDecoder
from webapp.codecs.sse import TooLong
from webapp.providers.loose_json import parse_loosely

_FIELD = re.compile(rb"(?:event|id|retry):|:")
_OPENING = (b"{", b"[{", b"[ {")


class ObjectDecoder:
    """Decodes chunks of bytes into objects, each as its JSON.

    Beside one object a line these are read: events whose `data:` is an object, objects with line breaks and indentation, and a
    list of objects. Buffers at most `max_bytes` of an unfinished object.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lines = LineDecoder(max_bytes)
        self._max_bytes = max_bytes
        self._open: list[bytes] = []  # the lines of an indented object that is not complete
        self._open_bytes = 0
        self._depth = 0  # of that object's lines

    @property
    def tail(self) -> bytes:
        """The end of the bytes that `flush` would return as an object; b"" if there are none."""
        return self._lines.tail or (self._open[-1] if self._open else b"")

    def decode(self, chunk: bytes) -> list[bytes]:
        """Return the objects that a chunk completes. Raises `TooLong`."""
        return self._join(self._lines.decode(chunk))

    def flush(self) -> list[bytes]:
        """Return the last object, even if it is not complete."""
        objects = self._join(self._lines.flush())
        if self._open:
            objects.append(b"\n".join(self._open))
            self._open = []
        return objects

    def _join(self, lines: list[bytes]) -> list[bytes]:
        objects: list[bytes] = []
        for line in lines:
            if self._open:
                self._continue(line, objects)
            elif line in _OPENING:
                self._open, self._open_bytes, self._depth = [b"{"], 1, 1
            elif line[:1] == b"{":  # almost every line
                objects.append(line.rstrip(b","))
            else:
                objects += _unwrap(line)
        return objects

    def _continue(self, line: bytes, objects: list[bytes]) -> None:
        """Add a line of an indented object: only the ends of such lines open and close what is in them."""
        self._open_bytes += len(line)
        if self._open_bytes > self._max_bytes:
            raise TooLong(f"an object is longer than {self._max_bytes} bytes")
        self._depth -= line[:1] in b"}]"
        if self._depth == 0:
            self._open.append(b"}")
            objects.append(b"\n".join(self._open))
            self._open = []
            if line[-1:] == b"{":  # the next one begins on the same line
                self._open, self._open_bytes, self._depth = [b"{"], 1, 1
            return
        self._depth += line[-1:] in b"{["
        self._open.append(line)


def _unwrap(line: bytes) -> list[bytes]:
    """Return the objects of a line that does not begin with one."""
    if line.startswith(b"data:"):
        data = line[5:].strip()
        return [] if data in (b"", b"[DONE]") else [data]
    if line.startswith(b"error:"):
        return [line]
    if _FIELD.match(line) or line in (b"[", b"]", b","):
        return []
    return _items(line) if line[:1] == b"[" else [line]


def _items(line: bytes) -> list[bytes]:
    """Return the objects of a line that is a list of them; else the line itself."""
    try:
        items = parse_loosely(line)
    except ValueError:
        return [line]
    is_list = isinstance(items, list) and items and all(isinstance(item, dict) for item in items)
    return [json.dumps(item).encode() for item in items] if is_list else [line]
