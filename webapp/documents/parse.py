"""The entrance: a file's name and bytes become a `ParsedDocument`, or a `DocumentRefused` that says why not."""

from __future__ import annotations

from webapp.documents.formats import Format, detect_binary, detect_text
from webapp.documents.plain import decode, read_plain
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

MAX_FILE_BYTES = 20_000_000
MAX_TEXT_CHARS = 5_000_000


class DocumentParser:
    """Reads files. May be shared by threads; under gevent, call it from greenlets of the main thread only."""

    def parse(self, name: str, data: bytes) -> ParsedDocument:
        """Return the text of a file. Raises `DocumentRefused`, and `Unavailable` when too many files are being read."""
        if len(data) > MAX_FILE_BYTES:
            raise DocumentRefused("document_too_large")
        if detect_binary(data) is not None:
            raise DocumentRefused("document_type")
        text = decode(data)
        if not text.strip():
            raise DocumentRefused("document_empty")
        if len(text) > MAX_TEXT_CHARS:
            raise DocumentRefused("document_too_large")
        format_ = detect_text(name, text)
        return read_plain(name, text, format_ if format_ is Format.MARKDOWN else Format.TEXT)
