"""Halves of surrogate pairs, which JSON can carry in two pieces: joined where they meet, else U+FFFD."""

from __future__ import annotations

LONE = "\ufffd"


class SurrogateJoiner:
    """Turns text that was cut inside a character into text that can be encoded."""

    def __init__(self) -> None:
        self._half = ""

    def decode(self, text: str) -> str:
        """Read more text; half a character at its end is held back until the other half comes."""
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
        """Read the end: a half that is left alone is U+FFFD."""
        left, self._half = (LONE if self._half else ""), ""
        return left
