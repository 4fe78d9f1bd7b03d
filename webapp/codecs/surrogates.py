"""Joins surrogate pairs that were split between two JSON strings."""

from __future__ import annotations

REPLACEMENT = "\ufffd"


class SurrogateJoiner:
    """Joins the halves of split surrogate pairs and replaces lone halves by U+FFFD, so that text can be encoded."""

    def __init__(self) -> None:
        self._half = ""

    def decode(self, text: str) -> str:
        """Return the text that can be encoded; a high surrogate at the end is kept back until the next call."""
        if not self._half and text.isascii():
            return text
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text

    def flush(self) -> str:
        """Return U+FFFD for a surrogate that was kept back, or an empty text."""
        remainder, self._half = (REPLACEMENT if self._half else ""), ""
        return remainder
