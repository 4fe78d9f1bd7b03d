"""Sentences with which models begin the rest of an answer, although they are asked to say nothing about it.

"Sure, here is the rest:" or "Certainly! Continuing from where I left off:" in the six languages of the page. Only a whole line in
one of these wordings counts, so that no other text is taken for one.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from webapp.providers.preamble_wordings import SORTED_AGREEMENTS, wordings

MAX_CHARS = 200
_LONGEST_FIRST = sorted(SORTED_AGREEMENTS, key=len, reverse=True)
_AGREEMENT = re.compile(rf"(?:{'|'.join(map(re.escape, _LONGEST_FIRST))})[ \n,.!;:，。！、،؛—–-]+")
_END = re.compile(r" ?(?:[:：。!！…]|\.{1,3})(?P<line>\n)?")
_ENDS = ":：.。!！…"
_MAX_AGREEMENTS = 2
_NO_LETTERS = frozenset("*_#()[]¡\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")


def find_preamble(text: str, *, is_end: bool, is_cut_sentence: bool) -> int | None:
    """Return the length of the line that introduces the rest of an answer, without its line break.

    Returns 0 if there is none, and None if more text is needed to know.

    Args:
        text: The beginning of the rest.
        is_end: Whether nothing follows it.
        is_cut_sentence: Whether the answer was cut off where no new sentence can begin.
    """
    folded, ends = _fold(text[:MAX_CHARS])
    may_be_one = False
    for start in _find_starts(folded):
        may_be_one = may_be_one or _is_beginning(folded[start:], SORTED_AGREEMENTS)
        for is_rest in (False, True):
            if is_rest and start == 0 and not is_cut_sentence:
                continue
            found = _match(folded, start, wordings(is_rest=is_rest), is_end=is_end)
            if found:
                return ends[found - 1]
            may_be_one = may_be_one or found is None
    return None if may_be_one and not is_end and len(text) < MAX_CHARS else 0


def _find_starts(folded: str) -> list[int]:
    """Return where the sentence may begin: at the beginning, and after an agreement or two."""
    starts = [0]
    while len(starts) <= _MAX_AGREEMENTS and (found := _AGREEMENT.match(folded, starts[-1])):
        starts.append(found.end())
    return starts


def _match(folded: str, start: int, known: list[str], *, is_end: bool) -> int | None:
    """Return where a wording with the mark after it ends; 0 if it is none, None if it may become one."""
    mark = _END.search(folded, start)
    if mark is None:
        said = folded[start:]
        return None if _is_beginning(said, known) or _is_among(said.rstrip(" "), known) else 0
    if not _is_among(folded[start : mark.start()], known):
        return 0
    if mark["line"] is not None:
        return mark.end() - 1
    if folded[mark.end() :].strip(" ."):
        return 0
    return mark.end() if is_end else None


def _is_beginning(folded: str, known: list[str]) -> bool:
    at = bisect_left(known, folded)
    return at < len(known) and known[at].startswith(folded)


def _is_among(folded: str, known: list[str]) -> bool:
    at = bisect_left(known, folded)
    return at < len(known) and known[at] == folded


def _fold(text: str) -> tuple[str, list[int]]:
    """Return a text without marks, capitals and repeated space, and where each of its characters ends in the original.

    A line break is a single one, and nothing stands at the beginning.
    """
    chars: list[str] = []
    ends: list[int] = []
    for at, char in enumerate(text, 1):
        if char in _NO_LETTERS:
            if ends and chars[-1] in _ENDS:
                ends[-1] = at  # marks that close after the sentence
            continue
        if char.isspace():
            is_break = char in "\n\r\u2028\u2029"
            if not chars:
                continue
            if chars[-1] in " \n":
                chars[-1] = "\n" if is_break or chars[-1] == "\n" else " "
                if is_break:
                    ends[-1] = at
                continue
            chars.append("\n" if is_break else " ")
            ends.append(at)
            continue
        for each in {"\u2019": "'", "\u02bc": "'"}.get(char, char.lower()):
            chars.append(each)
            ends.append(at)
    return "".join(chars), ends
