"""Drops what ends a turn in chat templates, such as `<|im_end|>`, at the end of an answer: some servers pass it on.

`</s>` also ends struck text in HTML, so it stays where the answer has any tag that may have begun that.
"""

from __future__ import annotations

import re

from webapp.events import Event, TextDelta

_MARKS = (
    *(
        "<|im_end|>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|end|>",
        "<|return|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|eot|>",
    ),
    *(
        "<|end_of_turn|>",
        "<|end_of_turn_token|>",
        "<|end_response|>",
        "<|end_of_solution|>",
        "<end_of_turn>",
        "<turn|>",
    ),
    *("<eos>", "<|eos|>", "<|user|>", "<|observation|>", "<｜end▁of▁sentence｜>"),
    *("</s>", "[/INST]"),
)
_FIRST_CHARS = re.compile(r"[<\[]")
_STRUCK, _STRUCK_END = "<s", "</s>"
_ANY = "|".join(map(re.escape, _MARKS))
_COMPLETE = re.compile(rf"(?:(?:{_ANY})\s*)+", re.I)
_TAIL = re.compile(rf"(?:(?:{_ANY})\s*)*(?P<partial>[<\[][^<>\[\]\s]*)?", re.I)
_MAX_CHARS = 200
_SPEAKS_OF_IT = " \t`\"'“‘«(["  # before a mark that a sentence speaks of


class EndMarks:
    """Holds back the end of an answer's text while it may be such marks. One object for each answer."""

    def __init__(self) -> None:
        self.held = ""
        self._before = ""  # the character before it
        self._has_struck = False  # whether a tag came that `</s>` may belong to

    def restore(self, events: list[Event]) -> None:
        """Append what is held, because more follows."""
        if self.held:
            events.append(TextDelta(self.held))
            self.held = ""

    def hold(self, events: list[Event], start: int, before: str) -> str:
        """Take what may be marks from the end of the text in `events[start:]`.

        `before` is the last character of the text before that; the one now is returned.
        """
        pieces: list[str] = []
        while len(events) > start and isinstance(last := events[-1], TextDelta):
            pieces.insert(0, last.text)
            del events[-1]
        text = "".join(pieces)
        at = _find_tail(text)
        self.held = text[at:]
        self._has_struck = self._has_struck or _STRUCK in text[:at].lower()
        if at:
            events.append(TextDelta(text[:at]))
        self._before = text[at - 1 : at] if at else before
        return self._before

    def flush(self, events: list[Event], *, is_text: bool, is_after_block: bool = False) -> None:
        """Append what is held, unless it is marks after an answer.

        `is_text` is whether more text follows, or it is code; `is_after_block`, whether it follows a code block's closing fence.
        """
        is_spoken_of = not self._before or (self._before in _SPEAKS_OF_IT and not is_after_block)
        is_mark = _COMPLETE.fullmatch(self.held) and not is_spoken_of
        is_struck = self._has_struck and _STRUCK_END in self.held.lower()
        if is_text or is_struck or not is_mark:
            self.restore(events)
        self.held = ""


def _find_tail(text: str) -> int:
    """Return where the end of a text begins that may be marks, or the beginning of one."""
    for first in _FIRST_CHARS.finditer(text, max(0, len(text) - _MAX_CHARS)):
        found = _TAIL.fullmatch(text, first.start())
        if found is not None and _may_become_mark(found["partial"]):
            return first.start()
    return len(text)


def _may_become_mark(partial: str | None) -> bool:
    return partial is None or any(mark.lower().startswith(partial.lower()) for mark in _MARKS)
