"""The seam of an answer and its continuation: what a model repeats there, or says about it, is trimmed."""

from __future__ import annotations

import re

from webapp.providers.code_blocks import open_fence
from webapp.providers.preambles import find_preamble

_MAX_HELD_CHARS = 4_000  # of a repetition; one of the whole answer is held as far as it goes
_MAX_LEAD_CHARS = 200
_MIN_WEIGHT = 12  # of a repetition, in narrow characters
_WIDE_WEIGHT = 3  # of a character of an East Asian script, which is as telling as several letters
_MIN_DISTINCT = 4  # rules and rows of dots repeat themselves
_MIN_WORD_CHARS = 3
_MIN_LINE_CHARS = 8  # of a repeated line after a fence that may also close the block
_MIN_DROPPED_CHARS = 40  # of a repetition that breaks off before the seam
_LEAD = re.compile(r"\s*(?:…|\.{3})?\s*")
_UNFINISHED_LEAD = re.compile(r"\s*\.{1,2}")
_OPENING = re.compile(r"\s*(`{3,}|~{3,})[^\n`]*\n")
_LINE_BREAKS = re.compile(r"(?:[ \t]*\r?\n)+")
# What a sentence is cut off after: it does not end there.
_MIDDLE_MARKS = ",，、،;-–—([{/\\&+=<>|"
# Languages of code blocks that hold prose.
_PROSE = ("", "text", "txt", "plain", "plaintext", "markdown", "md", "latex", "tex", "html", "email")
_UNFINISHED_OPENING = re.compile(r"\s*(?:`{1,}|~{1,})[^\n`]*")


class Seam:
    """Removes from a continuation what repeats the end of the text before it, and what introduces it.

    The result does not depend on how it is cut. Text is held back while it may still be either. `only_space` removes repeated
    space alone.
    """

    def __init__(self, text: str, *, only_space: bool = False) -> None:
        self._text = text
        self._only_space = only_space
        self._fence, language = open_fence(text)
        is_code = bool(self._fence) and language not in _PROSE
        # Whether no new sentence can begin at the seam.
        self._is_cut = is_code or text[-1:].isalnum() or (text[-1:] in _MIDDLE_MARKS and bool(text))
        self._squeezed = _squeeze(text)
        self._held = ""
        self._start: int | None = None  # of the rest, after what introduces it
        self.is_over = not text

    def feed(self, piece: str) -> str:
        """Add a piece of the continuation, and return what is certain."""
        if self.is_over:
            return piece
        self._held += piece
        return self._release(is_end=False)

    def flush(self, *, is_complete: bool) -> str:
        """Return what was held back. What the model repeated before it broke off is dropped unless the answer is complete."""
        held = self._held
        if self.is_over:
            return ""
        if not is_complete and len(held) >= _MIN_WEIGHT and self._start is None and not self._only_space:
            return ""
        text = self._release(is_end=True)
        is_repetition = len(held) >= _MIN_DROPPED_CHARS and text == held and held in self._text
        return "" if is_repetition and not is_complete and not self._only_space else text

    def _release(self, *, is_end: bool) -> str:
        drop = self._find_end(is_end=is_end)
        if drop is None:
            return ""
        text, self._held = self._held[drop:], ""
        self.is_over = True
        return text

    def _find_end(self, *, is_end: bool) -> int | None:
        """Return how many of the held characters are repeated; None while more of them are needed to know."""
        held = self._held
        if self._only_space:
            return None if not held.strip() and not is_end else _overlap_of_space(self._text, held)
        if self._start is None:
            self._start = self._skip_preamble(is_end=is_end)
        start = self._start
        if start is None:
            return None
        opening = self._skip_opening(held[start:], is_end=is_end, is_introduced=start > 0)
        if opening is None:
            return None
        skip = start + opening
        rest = held[skip:]
        lead = _lead(rest)
        if not is_end and self._may_repeat(rest, lead):
            return None
        found = self._overlap(rest, lead)
        if found == len(rest) and self._text[-1:].isspace() and not is_end and found < _MAX_HELD_CHARS:
            return None  # space may follow that repeats the text's last
        return skip + (_overlap_of_space(self._text, rest) if found == 0 else found)

    def _skip_preamble(self, *, is_end: bool) -> int | None:
        """Return the length of a line that introduces the continuation; None if it may be one.

        The line breaks after it belong to it where the text stops within a sentence or in code.
        """
        held = self._held
        end = find_preamble(held, is_end=is_end, is_cut_sentence=self._is_cut)
        if not end:
            return end
        if not (self._is_cut or self._fence):
            return end
        if not held[end:].strip() and not is_end and len(held) < _MAX_HELD_CHARS:
            return None
        breaks = _LINE_BREAKS.match(held, end)
        return end if breaks is None else breaks.end()

    def _skip_opening(self, rest: str, *, is_end: bool, is_introduced: bool) -> int | None:
        """Return the length of a line that opens the code block again in which the text stops; None if it may be one.

        Without a language it may also close the block: it opens it if a repetition follows, or if it was introduced.
        """
        head = rest[:_MAX_LEAD_CHARS]
        if not self._fence:
            return 0
        opening = _OPENING.match(head)
        if opening is None:
            may_be_one = not head.strip() or _UNFINISHED_OPENING.fullmatch(head)
            return None if may_be_one and not is_end and len(head) < _MAX_LEAD_CHARS else 0
        if opening[1][0] != self._fence[0]:
            return 0
        if is_introduced or opening[0].strip(" \t\r\n`~"):
            return opening.end()
        return self._skip_bare_opening(rest, opening.end(), is_end=is_end)

    def _skip_bare_opening(self, rest: str, end: int, *, is_end: bool) -> int | None:
        again = rest[end:]
        lead = _lead(again)
        if not is_end and self._may_repeat(again, lead):
            return None
        texts = (self._text, self._text.rstrip())
        if any(_longest_overlap(text, each) for text in texts for each in (again, again[lead:])):
            return end
        line = _longest_overlap(self._text, again, may_be_short=True)
        is_line = line >= _MIN_LINE_CHARS and self._text[:-line][-1:] in ("", "\n")
        return end if is_line else 0

    def _may_repeat(self, rest: str, lead: int) -> bool:
        """Return whether what is held lies within the text, so that what follows may lead up to its end."""
        if lead == len(rest) or _UNFINISHED_LEAD.fullmatch(rest):
            return len(rest) < _MAX_LEAD_CHARS
        text, squeezed = self._text, self._squeezed
        for start in {0, lead}:
            repeated = rest[start:]
            if len(rest) < _MAX_HELD_CHARS:
                similar = _squeeze(repeated)
                if squeezed.find(similar, 0, len(squeezed) - 1) >= 0:
                    return True
            if len(repeated) < len(text) and text.startswith(repeated):
                return True  # all of the answer again
            if len(repeated) < _MAX_HELD_CHARS and text.find(repeated, 0, len(text) - 1) >= 0:
                return True
        return False

    def _overlap(self, rest: str, lead: int) -> int:
        """Return the length of the longest repetition at the beginning, with what leads up to it; 0 if there is none."""
        length = _longest_overlap(self._text, rest, may_be_short=True)
        if length:
            return length
        length = _longest_overlap(self._text, rest[lead:], may_be_short=bool(rest[:lead].strip()))
        if length:
            return lead + length
        stripped = self._text.rstrip()
        if stripped != self._text:
            length = _longest_overlap(stripped, rest[lead:])
            if length:
                end = lead + length
                return end + len(rest[end:]) - len(rest[end:].lstrip())
        return self._similar_overlap(rest, lead)

    def _similar_overlap(self, rest: str, lead: int) -> int:
        """Return the length of a repetition with other white space and other capitals; 0 if there is none."""
        again = rest[lead:_MAX_HELD_CHARS]
        places = [at for at, char in enumerate(again) if not char.isspace()]
        length = _longest_overlap(self._squeezed, _squeeze(again))
        if not length:
            return 0
        end = lead + places[length - 1] + 1
        return end + _overlap_of_space(self._text, rest[end:])


def _lead(text: str) -> int:
    found = _LEAD.match(text, 0, _MAX_LEAD_CHARS)
    return found.end() if found is not None else 0


def _longest_overlap(text: str, rest: str, *, may_be_short: bool = False) -> int:
    if rest.startswith(text) and _is_telling(text):
        return len(text)
    for length in range(min(len(text), len(rest), _MAX_HELD_CHARS), 0, -1):
        repeated = rest[:length]
        if text.endswith(repeated) and (
            _is_telling(repeated) or (may_be_short and _is_word_or_line(text, repeated))
        ):
            return length
    return 0


def _squeeze(text: str) -> str:
    """Return a text without white space and capitals, with one character for each other one."""
    return "".join(text.lower().replace("i\u0307", "İ").split())  # the one character whose lower case is two


def _is_telling(repeated: str) -> bool:
    """Return whether a repetition is too long to be an accident."""
    core = repeated.strip()
    weight = len(core) + (_WIDE_WEIGHT - 1) * sum(char >= "\u2e80" for char in core)
    return weight >= _MIN_WEIGHT and len(set(core)) >= _MIN_DISTINCT


def _is_word_or_line(text: str, repeated: str) -> bool:
    """Return whether a repetition is the word or the line in the middle of which the text stops, from its beginning.

    Without it, two words would stand side by side with no space between.
    """
    if len(repeated.strip()) < _MIN_WORD_CHARS or not repeated[-1].isalnum():
        return False
    before = text[: len(text) - len(repeated)][-1:]
    if before in ("", "\n"):
        return True
    return repeated[0].isalpha() and not before.isalnum() and before != "_"


def _overlap_of_space(text: str, rest: str) -> int:
    """Return how much of the space at the beginning repeats the space at the text's end."""
    space = rest[: len(rest) - len(rest.lstrip())]
    end = text[len(text.rstrip()) :]
    return next((length for length in range(len(space), 0, -1) if end.endswith(space[:length])), 0)
