"""Reads JSON that is not quite what a provider promised: bytes that are no UTF-8, halves of characters."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

# What msgspec raises for JSON that is not as promised; `read` may still make something of it.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(raw: bytes) -> Any:
    """Read JSON leniently: bytes that are no UTF-8 become U+FFFD, half a surrogate pair is kept.

    A byte order mark is skipped. Raises `ValueError`, also for what is nested too deeply.
    """
    try:
        return json.loads(raw.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def string(found: Any) -> str | None:
    """Take a text, and nothing else."""
    return found if isinstance(found, str) else None


def whole(found: Any) -> int | None:
    """Take a whole number, also where it is written 3.0."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        return None
    return int(found)
