"""Where the code of a Markdown text begins and ends, as far as what follows a text depends on it."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.M)
_BACKTICKS = re.compile(r"`+")


def open_fence(text: str) -> tuple[str, str]:
    """Return the fence of the code block in which a text stops, and its language; "" if it stops in none."""
    fence = language = ""
    for found in _FENCE.finditer(text):
        mark, rest = found[1], found[2]
        if not fence:
            fence = "" if mark[0] == "`" and "`" in rest else mark
            language = rest.strip().partition(" ")[0].lower()
        elif mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip():
            fence = ""
    return (fence, language) if fence else ("", "")


def stops_in_code(text: str) -> bool:
    """Return whether what follows a text stands within a block of code, or within a span of code on its line."""
    lines, _, last = text.rpartition("\n")
    if open_fence(lines)[0]:
        return True
    span = ""
    for run in _BACKTICKS.findall(last):
        span = run if not span else "" if run == span else span
    return bool(span)


def closes_block(text: str) -> bool:
    """Return whether the last line of a text is a fence that closes a block of code."""
    lines, _, _ = text.rpartition("\n")
    return bool(open_fence(lines)[0]) and not open_fence(text)[0]
