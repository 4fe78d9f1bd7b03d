"""Reads PDF files by pdfium, the library of Chrome: a page of text takes it about a millisecond, and it repairs what it can.

pypdf, which is plain Python, took eleven times as long for a manual of 36 pages. `pdf_layout` makes text of the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from webapp.documents.formats import Format
from webapp.documents.names import clean_name, title_from_name
from webapp.documents.pdf_layout import PdfLine, PdfWriter, running_lines, without_running_lines
from webapp.documents.plain import clean
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

_ENCRYPTED = (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY)
_LINE_ENDS = re.compile(r"\r\n|[\r\n\ufffe\x02]")  # the last two: a hyphen at the end of a line
_HYPHENED_ENDS = ("\ufffe", "\x02")
_NO_TITLE = re.compile(r"(untitled|microsoft word - |.*\.(docx?|tex|dvi|indd|pdf)$|\W*$)", re.I)


def read_pdf(name: str, data: bytes, max_chars: int) -> ParsedDocument:
    """Return the text of a PDF file with the offsets of its pages. Raises `DocumentRefused`."""
    try:
        document = pdfium.PdfDocument(data)
        pages = _read_pages(document, max_chars)
        title = clean_name(document.get_metadata_value("Title"))
    except pdfium.PdfiumError as error:
        encrypted = error.err_code in _ENCRYPTED
        raise DocumentRefused("document_encrypted" if encrypted else "document_unreadable") from error
    running = running_lines(pages)
    pages = [without_running_lines(page, running) for page in pages]
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
    start = 0
    for end in (*_LINE_ENDS.finditer(text), None):
        line = text[start : end.start() if end else len(text)]
        shown = clean(line).strip()
        if shown:
            first = start + len(line) - len(line.lstrip())
            box, last_box = _box(text_page, first), _box(text_page, start + len(line.rstrip()) - 1)
            yield PdfLine(
                text=shown,
                left=min(
                    box.left, last_box.left
                ),  # of the first character, or of the last from right to left
                right=max(box.right, last_box.right),
                base=box.bottom,
                size=box.top - box.bottom,
                hyphened=end is not None and end[0] in _HYPHENED_ENDS,
            )
        start = end.end() if end else start


def _box(text_page: Any, index: int) -> Any:
    """Return the box of a character of the page's text, in points from the page's lower left corner."""
    box = pdfium_c.FS_RECTF()
    char = pdfium_c.FPDFText_GetCharIndexFromTextIndex(text_page, index)
    pdfium_c.FPDFText_GetLooseCharBox(text_page, char, box)
    return box
