"""Reads the place in a document that a request asks for."""

from __future__ import annotations

from webapp.errors import InvalidRequest

_MAX_OFFSET = 100_000_000


def parse_offset(raw: str) -> int:
    """Return an offset; one beyond the end of every document is taken for its end. Raises `InvalidRequest`."""
    if not (raw.isascii() and raw.isdigit()):
        raise InvalidRequest("at must be a number of characters.", param="at", code="invalid_type")
    return min(int(raw), _MAX_OFFSET)
