"""Decodes JSON without recursion: a nested export of a conversation is as deep as the conversation is long."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from webapp.offload import yield_control

_MAX_DEPTH = 30_000
_YIELD_EVERY = 10_000  # tokens between two yields to the event loop
_TOKEN = re.compile(rb'[ \t\r\n]*+("(?:[^"\\]++|(?:\\.)++)*+"|[][{},:]|[^][{},:" \t\r\n]++)', re.DOTALL)
_SPACE = b" \t\r\n"
_CLOSING = {b"}": dict, b"]": list}


def decode_nested(raw: bytes) -> Any:
    """Return the decoded value. Raises `msgspec.DecodeError` if it is not JSON, or nested too deeply."""
    builder = _Builder()
    at = 0
    for count, token in enumerate(_TOKEN.finditer(raw)):
        if count % _YIELD_EVERY == 0:
            yield_control()
        if token.start() != at:
            break
        at = token.end()
        builder.add(token[1])
    if raw[at:].strip(_SPACE):
        raise msgspec.DecodeError("there is an invalid character")
    return builder.value()


class _Builder:
    """Builds a value from its tokens."""

    def __init__(self) -> None:
        self._root: list[Any] = []
        self._open: list[Any] = [self._root]
        self._keys: list[str] = [""]  # of each open object, the key of the next value
        self._expected = "value"  # or "key", "colon", "comma", or "first": a value, a key or the end

    def add(self, token: bytes) -> None:
        """Add a token. Raises `msgspec.DecodeError` where it may not be."""
        container = self._open[-1]
        if token in _CLOSING:
            self._require("first", "comma")
            if len(self._open) == 1 or not isinstance(container, _CLOSING[token]):
                raise msgspec.DecodeError("a bracket has no counterpart")
            self._open.pop()
            self._keys.pop()
            self._expected = "comma"
        elif token == b",":
            self._require("comma")
            if len(self._open) == 1:
                raise msgspec.DecodeError("there is more than one value")
            self._expected = "key" if isinstance(container, dict) else "value"
        elif token == b":":
            self._require("colon")
            self._expected = "value"
        elif isinstance(container, dict) and self._expected in ("first", "key"):
            self._keys[-1] = msgspec.json.decode(token, type=str)
            self._expected = "colon"
        else:
            self._require("first", "value")
            self._put(container, token)

    def value(self) -> Any:
        """Return the value. Raises `msgspec.DecodeError` if it is not complete."""
        if len(self._open) > 1 or len(self._root) != 1:
            raise msgspec.DecodeError("the end is missing")
        return self._root[0]

    def _put(self, container: Any, token: bytes) -> None:
        value: Any = {} if token == b"{" else [] if token == b"[" else msgspec.json.decode(token)
        if isinstance(container, dict):
            container[self._keys[-1]] = value
        else:
            container.append(value)
        self._expected = "comma"
        if token in (b"{", b"["):
            if len(self._open) > _MAX_DEPTH:
                raise msgspec.DecodeError("it is nested too deeply")
            self._open.append(value)
            self._keys.append("")
            self._expected = "first"

    def _require(self, *expected: str) -> None:
        if self._expected not in expected:
            raise msgspec.DecodeError(f"there is no {self._expected}")
