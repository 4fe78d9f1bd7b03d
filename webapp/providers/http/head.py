"""Parses the status line and the headers of an HTTP/1.1 response; RFC 9112, sections 2 to 6."""

from __future__ import annotations

import re

import msgspec

MAX_HEAD_BYTES = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: |$)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class BadHead(ValueError):
    """The bytes are not the head of an HTTP/1 response, or it is larger than `MAX_HEAD_BYTES`."""


class ResponseHead(msgspec.Struct, frozen=True):
    """A status and the headers by lower-case name; the values of a repeated header are joined by commas."""

    status: int
    headers: dict[str, str]
    keeps_alive: bool

    @property
    def is_chunked(self) -> bool:
        """Whether chunked is the last transfer coding of the body."""
        return self.headers.get("transfer-encoding", "").rpartition(",")[2].strip().lower() == "chunked"

    @property
    def length(self) -> int | None:
        """The body's length in bytes; None if it is missing, invalid or contradictory."""
        lengths = {value.strip() for value in self.headers.get("content-length", "").split(",")}
        value = lengths.pop()
        return int(value) if not lengths and value.isascii() and value.isdigit() and len(value) < 16 else None


def split_head(raw: bytes) -> tuple[ResponseHead, bytes] | None:
    """Return the head and the bytes after it, or None while it is incomplete. Raises `BadHead`.

    Interim responses (1xx) are skipped.
    """
    while True:
        end = _HEAD_END.search(raw, 0, MAX_HEAD_BYTES + 4)
        if end is None:
            if len(raw) > MAX_HEAD_BYTES:
                raise BadHead("the head of the response is too large")
            if not b"HTTP/1."[: len(raw)] == raw[:7]:
                raise BadHead("the response is not HTTP/1")
            return None
        head = _parse(raw[: end.start()])
        raw = raw[end.end() :]
        if not 100 <= head.status < 200 or head.status == 101:
            return head, raw


def _parse(raw: bytes) -> ResponseHead:
    status_line, *lines = raw.split(b"\n")
    found = _STATUS_LINE.match(status_line.rstrip(b"\r"))
    if found is None:
        raise BadHead("the status line is invalid")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.rstrip(b"\r").decode("latin-1")
        if text[:1] in (" ", "\t") and name:  # a folded line, RFC 9112, section 5.2
            headers[name] += " " + text.strip()
            continue
        key, colon, value = text.partition(":")
        if not colon or not key or key != key.strip():
            raise BadHead("a header line is invalid")
        name = key.lower()
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    options = headers.get("connection", "").lower()
    keeps_alive = "close" not in options and (found[1] == b"1" or "keep-alive" in options)
    return ResponseHead(int(found[2]), headers, keeps_alive)
