"""Reads DOCX files by mammoth, which turns Word's headings, lists, tables, notes and tracked changes into HTML.

It is small and pure Python. python-docx knows no lists, and leaves out what was inserted by a tracked change or stands in a content
control; markitdown itself calls mammoth.
"""

from __future__ import annotations

import io
import zipfile
from xml.dom import expatbuilder  # noqa: F401  (mammoth loads it when it reads: too late for this process)

import mammoth

from webapp.documents.formats import Format
from webapp.documents.html import read_html
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

_MAX_PARTS = 5_000
_MAX_UNPACKED_BYTES = 200_000_000  # images count too
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"


def read_docx(name: str, data: bytes) -> ParsedDocument:
    """Return the text of a DOCX file. Raises `DocumentRefused`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        # Reading a part ends at the size that the archive says, so a bomb can only be an honest one.
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > _MAX_UNPACKED_BYTES:
            raise DocumentRefused("document_too_large")
        if any(part.flag_bits & 1 for part in parts):
            raise DocumentRefused("document_encrypted")
    result = mammoth.convert_to_html(
        io.BytesIO(data), convert_image=mammoth.images.img_element(lambda _: {}), style_map=_STYLES
    )
    return read_html(name, result.value, Format.DOCX)
