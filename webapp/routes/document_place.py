"""Reads the place in a document that a request asks for."""

from __future__ import annotations

from flask import request

from webapp.errors import InvalidRequest

_MAX_OFFSET = 100_000_000


def requested_place() -> tuple[int, int | None]:
    """Return the offset `at` and the `page` of a request; one beyond the end of a document is taken for its end.

    Raises `InvalidRequest`.
    """
    at, page = request.args.get("at", "0"), request.args.get("page")
    return _parse("at", at), None if page is None else _parse("page", page)


def _parse(name: str, raw: str) -> int:
    if not (raw.isascii() and raw.isdigit()):
        raise InvalidRequest(f"{name} must be a number.", param=name, code="invalid_type")
    return min(int(raw[:20]), _MAX_OFFSET)
