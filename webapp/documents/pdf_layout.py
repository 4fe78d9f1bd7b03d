"""Joins the lines of a PDF's pages to text with paragraphs, headings and lists.

A PDF knows no paragraphs, only lines with their places on the page. Lines are joined again by their distance, indent and size, over the end
of a column or page too where a sentence goes on; words hyphenated at the end of a line are made whole; lines in a larger size
become headings; what repeats at the top or foot of most pages, like page numbers, is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import msgspec

_LIST_ITEM = re.compile(r"([•‣◦▪–—*-]|\(?(\d{1,3}|[a-zA-Z])[.)])\s")
_SENTENCE_ENDS = tuple('.!?:;。！？।؟"”»)')
_SAME_SIZE = 0.08  # the share by which the sizes of one paragraph's lines differ
_MAX_STEP = 1.3  # the distance between a paragraph's lines, by the usual one of the page
_MAX_STEP_SIZES = 2.0  # and by their size, where the page has too few lines to tell
_MIN_STEPS = 5
_SAME_LINE_SIZES = 0.5  # lower or higher by less is the same line
_WIDE_CHAR = 0.6  # the width of a character, by the size: wider than most
_COLUMN_WIDTH = 72.0  # points
_INDENT_SIZES = 0.8  # of a paragraph's first line
_HEADING_SIZE = 1.15  # by the size of most of the text
_MAX_HEADING_CHARS = 150
_HEADING_LEVELS = 3
_MIN_REPEATS = 3  # pages from which a line may be recognised as running
_RUNNING_SHARE = 0.5
_NUMBERS = re.compile(r"\d+")


class PdfLine(msgspec.Struct, frozen=True):
    """A line of text with its edges and height in points; `hyphened` where its last word goes on in the next line."""

    text: str
    left: float
    right: float
    base: float
    size: float
    hyphened: bool


def _pattern(line: PdfLine) -> str:
    """Return a line with its numbers alike, so that page numbers are recognised."""
    return _NUMBERS.sub("0", line.text)


def running_lines(pages: Sequence[Sequence[PdfLine]]) -> frozenset[str]:
    """Return the patterns of lines that stand first or last on most pages."""
    found = Counter(pattern for page in pages if page for pattern in {_pattern(page[0]), _pattern(page[-1])})
    least = max(_MIN_REPEATS, len(pages) * _RUNNING_SHARE)
    return frozenset(pattern for pattern, count in found.items() if count >= least)


def without_running_lines(page: Sequence[PdfLine], running: frozenset[str]) -> Sequence[PdfLine]:
    """Return a page's lines without a first and a last one that most pages share; never without all."""
    shortened = page
    if shortened and _pattern(shortened[0]) in running:
        shortened = shortened[1:]
    if shortened and _pattern(shortened[-1]) in running:
        shortened = shortened[:-1]
    return shortened or page


class PdfWriter:
    """Joins lines to paragraphs, page after page. `pages` are the offsets at which they begin."""

    def __init__(self, pages: Sequence[Sequence[PdfLine]]) -> None:
        self.pages: list[int] = []
        self.first_heading = ""
        self._levels = _heading_levels(pages)
        self._parts: list[str] = []
        self._length = 0
        self._last: PdfLine | None = None
        self._last_margin = 0.0
        self._is_in_heading = False
        self._in_list_item = False

    def text(self) -> str:
        """Return what was written."""
        return "".join(self._parts)

    def write_page(self, lines: Sequence[PdfLine]) -> None:
        """Write the lines of the next page."""
        step, margins = _usual_step(lines), _right_margins(lines)
        for index, line in enumerate(lines):
            self._append(self._separator(line, step, is_first=index == 0))
            if index == 0:
                self.pages.append(self._length)
            level = self._level(line)
            if level and not self._is_in_heading:
                self._append("#" * level + " ")
                self.first_heading = self.first_heading or line.text
            self._is_in_heading = bool(level)
            self._append(line.text)
            self._last, self._last_margin = line, margins[_column(line)]
        if not lines:
            self.pages.append(self._length)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _separator(self, line: PdfLine, step: float, *, is_first: bool) -> str:
        """Return what stands between the last line and this one."""
        last = self._last
        if last is None:
            self._in_list_item = bool(_LIST_ITEM.match(line.text))
            return ""
        if self._level(last) == self._level(line):
            if last.hyphened:
                return "" if _is_one_word(last.text, line.text) else "-"
            if self._continues(last, line, step, is_first=is_first):
                if self._ends_early(last, line, is_first=is_first):
                    return "\n"
                return "" if _is_unspaced(last.text[-1]) and _is_unspaced(line.text[0]) else " "
        self._is_in_heading = False
        was_list_item, self._in_list_item = self._in_list_item, bool(_LIST_ITEM.match(line.text))
        return "\n" if was_list_item and self._in_list_item else "\n\n"

    def _ends_early(self, last: PdfLine, line: PdfLine, *, is_first: bool) -> bool:
        """Return whether the next word would still have fitted into the last line, so that its end was meant."""
        if is_first or self._is_in_heading or last.base - line.base < _SAME_LINE_SIZES * line.size:
            return False
        word = len(line.text.split(None, 1)[0]) + 1
        return last.right + word * last.size * _WIDE_CHAR < self._last_margin

    def _level(self, line: PdfLine) -> int:
        return self._levels.get(round(line.size), 0) if len(line.text) <= _MAX_HEADING_CHARS else 0

    def _continues(self, last: PdfLine, line: PdfLine, step: float, *, is_first: bool) -> bool:
        """Return whether a line goes on with the paragraph of the last one."""
        if _LIST_ITEM.match(line.text) or abs(line.size - last.size) > line.size * _SAME_SIZE:
            return False
        below = last.base - line.base
        if is_first or below < -_SAME_LINE_SIZES * line.size:  # a new page or column
            return not last.text.endswith(_SENTENCE_ENDS) and line.text[0].islower()
        if below > (step * _MAX_STEP if step else line.size * _MAX_STEP_SIZES):
            return False
        is_indented = line.left - last.left > line.size * _INDENT_SIZES
        return self._in_list_item or not is_indented or below < _SAME_LINE_SIZES * line.size


def _column(line: PdfLine) -> tuple[int, int]:
    """Return what lines of one column and size share; those of a column are indented by less than its width."""
    return int(line.left // _COLUMN_WIDTH), round(line.size)


def _right_margins(lines: Sequence[PdfLine]) -> dict[tuple[int, int], float]:
    """Return how far to the right the lines of each column and size reach on a page."""
    margins: dict[tuple[int, int], float] = {}
    for line in lines:
        margins[_column(line)] = max(line.right, margins.get(_column(line), 0.0))
    return margins


def _is_one_word(start: str, end: str) -> bool:
    """Return whether a word cut by a hyphen has none when it is whole: its end goes on in small letters, or all is in capitals."""
    return end[0].islower() or (end[:2].isupper() and start[-2:].isupper())


def _usual_step(lines: Sequence[PdfLine]) -> float:
    """Return the distance of most lines of a page, 0 where there are too few to tell."""
    steps = [above.base - line.base for above, line in pairwise(lines)]
    steps = [step for step in steps if step > 0]
    return median(steps) if len(steps) >= _MIN_STEPS else 0.0


def _heading_levels(pages: Sequence[Sequence[PdfLine]]) -> dict[int, int]:
    """Return the levels of headings by their size: those larger than most of the text."""
    chars: Counter[int] = Counter()
    for page in pages:
        for line in page:
            chars[round(line.size)] += len(line.text)
    if not chars:
        return {}
    body = chars.most_common(1)[0][0]
    larger = sorted((size for size in chars if size >= body * _HEADING_SIZE), reverse=True)
    return {size: min(level, _HEADING_LEVELS) for level, size in enumerate(larger, 1)}


def _is_unspaced(char: str) -> bool:
    """Return whether a character belongs to a script without spaces: Chinese, Japanese, Thai."""
    return "\u2e80" <= char <= "\ua4cf" or "\uff00" <= char <= "\uffef" or "\u0e00" <= char <= "\u0e7f"
