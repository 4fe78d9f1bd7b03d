"""Parses JSON that is not quite valid: bytes that are no UTF-8, halves of surrogate pairs."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

# What msgspec raises for JSON that it cannot decode; `parse` may still be able to.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse(raw: bytes) -> Any:
    """Return the value of lenient JSON: bytes that are no UTF-8 become U+FFFD, half a surrogate pair is kept.

    A byte order mark is skipped. Raises `ValueError`, also for what is nested too deeply.
    """
    try:
        return json.loads(raw.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def as_string(found: Any) -> str | None:
    """Return a string, None for anything else."""
    return found if isinstance(found, str) else None


def as_int(found: Any) -> int | None:
    """Return a whole number, also one that is written 3.0; None for anything else."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        return None
    return int(found)
