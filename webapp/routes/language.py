"""The language of a visitor, and the words of the pages that the server itself writes."""

from __future__ import annotations

from pathlib import Path

import msgspec
from flask import request

LANGUAGES = ("en", "de", "fr", "es", "zh", "ar")
_RIGHT_TO_LEFT = frozenset({"ar"})

Words = dict[str, str]


def language() -> str:
    """Choose the best of our languages for the present visitor; English where none fits."""
    for tag, quality in request.accept_languages:  # the most wanted first
        spoken = tag.partition("-")[0].lower()
        if quality > 0 and spoken in LANGUAGES:
            return spoken
    return "en"


def direction(tag: str) -> str:
    """Tell where a language's lines begin: `ltr` or `rtl`."""
    return "rtl" if tag in _RIGHT_TO_LEFT else "ltr"


def read_words(static: Path) -> dict[str, Words]:
    """Read the words of the sign-in and its like, by language."""
    return msgspec.json.decode((static / "strings" / "gate.json").read_bytes(), type=dict[str, Words])
