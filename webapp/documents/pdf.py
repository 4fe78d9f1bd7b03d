"""Reads PDF files by pdfium, the library of Chrome: a page of text takes it about a millisecond, and it repairs what it can.

A PDF knows no paragraphs, only lines with their places on the page. Lines are joined again by their distance, indent and size, over the end
of a column or page too where a sentence goes on; words hyphenated at the end of a line are made whole; lines in a larger size
become headings; what repeats at the top or foot of most pages, like page numbers, is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import msgspec
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from webapp.documents.formats import Format
from webapp.documents.names import clean_name, title_from_name
from webapp.documents.plain import clean
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

_ENCRYPTED = (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY)
_LINE_ENDS = re.compile(r"\r\n|[\r\n\ufffe\x02]")  # the last two: a hyphen at the end of a line
_HYPHENED_ENDS = ("\ufffe", "\x02")
_LIST_ITEM = re.compile(r"([•‣◦▪–—*-]|\(?(\d{1,3}|[a-zA-Z])[.)])\s")
_SENTENCE_ENDS = tuple('.!?:;。！？।؟"”»)')
_SAME_SIZE = 0.08  # the share by which the sizes of one paragraph's lines differ
_MAX_STEP = 1.3  # the distance between a paragraph's lines, by the usual one of the page
_MAX_STEP_SIZES = 2.0  # and by their size, where the page has too few lines to tell
_MIN_STEPS = 5
_SAME_LINE_SIZES = 0.5  # lower or higher by less is the same line
_INDENT_SIZES = 0.8  # of a paragraph's first line
_HEADING_SIZE = 1.15  # by the size of most of the text
_MAX_HEADING_CHARS = 150
_HEADING_LEVELS = 3
_MIN_REPEATS = 3  # pages from which a line may be recognised as running
_RUNNING_SHARE = 0.5
_NO_TITLE = re.compile(r"(untitled|microsoft word - |.*\.(docx?|tex|dvi|indd|pdf)$|\W*$)", re.I)
_NUMBERS = re.compile(r"\d+")


class PdfLine(msgspec.Struct, frozen=True):
    """A line of text with its left edge, lower edge and height in points; `hyphened` where its last word goes on in the next line."""

    text: str
    left: float
    base: float
    size: float
    hyphened: bool


def read_pdf(name: str, data: bytes, max_chars: int) -> ParsedDocument:
    """Return the text of a PDF file with the offsets of its pages. Raises `DocumentRefused`."""
    try:
        document = pdfium.PdfDocument(data)
        pages = _read_pages(document, max_chars)
        title = clean_name(document.get_metadata_value("Title"))
    except pdfium.PdfiumError as error:
        encrypted = error.err_code in _ENCRYPTED
        raise DocumentRefused("document_encrypted" if encrypted else "document_unreadable") from error
    running = _running_lines(pages)
    pages = [_without_running_lines(page, running) for page in pages]
    writer = PdfWriter(pages)
    for page in pages:
        writer.write_page(page)
    if _NO_TITLE.match(title):
        title = writer.first_heading or title_from_name(name)
    return ParsedDocument(
        title=clean_name(title), text=writer.text(), media_type=Format.PDF, pages=tuple(writer.pages)
    )


def _read_pages(document: Any, max_chars: int) -> list[Sequence[PdfLine]]:
    """Return the lines of each page, in the order of the file's text. Raises `DocumentRefused`."""
    pages: list[Sequence[PdfLine]] = []
    chars = 0
    for index in range(len(document)):
        page = document[index]
        text_page = page.get_textpage()
        lines = list(_read_lines(text_page))
        text_page.close()
        page.close()
        chars += sum(len(line.text) for line in lines)
        if chars > max_chars:
            raise DocumentRefused("document_too_large")
        pages.append(lines)
    return pages


def _read_lines(text_page: Any) -> Iterator[PdfLine]:
    text = text_page.get_text_range()
    box = pdfium_c.FS_RECTF()
    start = 0
    for end in (*_LINE_ENDS.finditer(text), None):
        line = text[start : end.start() if end else len(text)]
        shown = clean(line).strip()
        if shown:
            first = start + len(line) - len(line.lstrip())
            char = pdfium_c.FPDFText_GetCharIndexFromTextIndex(text_page, first)
            pdfium_c.FPDFText_GetLooseCharBox(text_page, char, box)
            hyphened = end is not None and end[0] in _HYPHENED_ENDS
            yield PdfLine(shown, box.left, box.bottom, box.top - box.bottom, hyphened)
        start = end.end() if end else start


def _pattern(line: PdfLine) -> str:
    """Return a line with its numbers alike, so that page numbers are recognised."""
    return _NUMBERS.sub("0", line.text)


def _running_lines(pages: Sequence[Sequence[PdfLine]]) -> frozenset[str]:
    """Return the patterns of lines that stand first or last on most pages."""
    found = Counter(pattern for page in pages if page for pattern in {_pattern(page[0]), _pattern(page[-1])})
    least = max(_MIN_REPEATS, len(pages) * _RUNNING_SHARE)
    return frozenset(pattern for pattern, count in found.items() if count >= least)


def _without_running_lines(page: Sequence[PdfLine], running: frozenset[str]) -> Sequence[PdfLine]:
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
        self._in_list_item = False

    def text(self) -> str:
        """Return what was written."""
        return "".join(self._parts)

    def write_page(self, lines: Sequence[PdfLine]) -> None:
        """Write the lines of the next page."""
        step = _usual_step(lines)
        for index, line in enumerate(lines):
            self._append(self._separator(line, step, is_first=index == 0))
            if index == 0:
                self.pages.append(self._length if self._parts else 0)
            self._append(line.text)
            self._last = line
        if not lines:
            self.pages.append(self._length)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _separator(self, line: PdfLine, step: float, *, is_first: bool) -> str:
        """Return what stands between the last line and this one, with the mark of a heading."""
        level = self._level(line)
        last = self._last
        if last is not None and self._level(last) == level:
            if last.hyphened:
                return "" if line.text[0].islower() else "-"
            if self._continues(last, line, step, is_first=is_first):
                return "" if _is_unspaced(last.text[-1]) and _is_unspaced(line.text[0]) else " "
        was_list_item, self._in_list_item = self._in_list_item, bool(_LIST_ITEM.match(line.text))
        if level and not self.first_heading:
            self.first_heading = line.text
        between = "\n" if was_list_item and self._in_list_item else "\n\n"
        return (between if last is not None else "") + ("#" * level + " " if level else "")

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
