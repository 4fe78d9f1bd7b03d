"""Makes names and titles from strangers fit to be shown and stored."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

MAX_NAME_CHARS = 200
_JOINERS = "\u200c\u200d"  # within words of Persian and Hindi, and within emoji


def clean_name(name: str) -> str:
    """Return a name in one line, without control and direction characters, at most `MAX_NAME_CHARS` long."""
    shown = (char for char in " ".join(name.split()) if char in _JOINERS or _is_shown(char))
    return "".join(shown)[:MAX_NAME_CHARS].strip()


def title_from_name(name: str) -> str:
    """Return a file's name without its folders and ending."""
    return clean_name(PurePosixPath(name.replace("\\", "/")).stem)


def _is_shown(char: str) -> bool:
    """Return whether a character is more than a control, a format, or half of a character."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
