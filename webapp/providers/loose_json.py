"""Parses slightly invalid JSON: bytes that are not UTF-8, and lone surrogates."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

# Raised by msgspec for JSON that `parse_loosely` may still be able to parse.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_loosely(raw: bytes) -> Any:
    """Parse JSON. Invalid UTF-8 becomes U+FFFD, lone surrogates are kept, and a byte order mark is skipped.

    Raises `ValueError`, also if the value is nested too deeply.
    """
    try:
        return json.loads(raw.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def as_string(value: Any) -> str | None:
    """Return a string, or None for any other type."""
    return value if isinstance(value, str) else None


def as_int(value: Any) -> int | None:
    """Return a number as an integer, also if it is written 3.0; None for any other type."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value)
