"""Finds out what a file is by its content. The name only decides how text is read: as Markdown, CSV, HTML or as it stands."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath

from webapp.errors import DocumentRefused

_PDF_HEADER_BYTES = 1024  # readers accept a header anywhere in these
_ZIP_SIGNATURE = b"PK\x03\x04"
_OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")  # Office files before 2007, and encrypted newer ones
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_TEXTS_FOR_PROGRAMS = ("{\\rtf", "%!PS")  # text that nobody reads as it stands
_SNIFFED_CHARS = 2000
_HTML_START = re.compile(
    r"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S
)


class Format(StrEnum):
    """The formats that are read; the values are their media types."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    CSV = "text/csv"
    HTML = "text/html"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


_BY_ENDING = {
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
}


def looks_binary(data: bytes) -> bool:
    """Return whether a file begins like one of the binary formats that are known here."""
    return b"%PDF-" in data[:_PDF_HEADER_BYTES] or data.startswith((_ZIP_SIGNATURE, _OLE_SIGNATURE))


def detect_binary(data: bytes) -> Format | None:
    """Return the format of a binary file; None for what may be text. Raises `DocumentRefused`."""
    if b"%PDF-" in data[:_PDF_HEADER_BYTES]:
        return Format.PDF
    if data.startswith(_ZIP_SIGNATURE):
        return _detect_in_zip(data)
    if data.startswith(_OLE_SIGNATURE):
        raise DocumentRefused("document_encrypted" if _ENCRYPTED_PACKAGE in data else "document_type")
    return None


def _detect_in_zip(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DocumentRefused("document_unreadable") from error
    if not any(name.startswith("word/") for name in names):
        raise DocumentRefused("document_type")
    return Format.DOCX


def detect_text(name: str, text: str) -> Format:
    """Return how a file's text is read. Raises `DocumentRefused` for text that is meant for programs."""
    if text.startswith(_TEXTS_FOR_PROGRAMS):
        raise DocumentRefused("document_type")
    by_name = _BY_ENDING.get(PurePosixPath(name).suffix.lower())
    if by_name is None and _HTML_START.match(text[:_SNIFFED_CHARS]):
        return Format.HTML
    return by_name or Format.TEXT
