"""Reads text, Markdown and code: the bytes as characters, and the text without what cannot be shown."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath

from webapp.documents.formats import Format
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\f\r\x1b"})  # an escape begins a colour in logs of terminals
_MAX_CONTROL_SHARE = 0.002  # more is no text
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85]")
_INVISIBLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.{1,500}?)[ \t]*#*$", re.M)
_TITLE_CHARS = 200


def decode(data: bytes) -> str:
    """Return the characters of a text file. Raises `DocumentRefused` for a binary file."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return clean(data[len(mark) :].decode(encoding, "replace"))
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MAX_CONTROL_SHARE:
        raise DocumentRefused("document_type")
    return clean(data.decode("utf-8", "replace"))


def clean(text: str) -> str:
    """Return text with "\\n" between lines and without control characters and colours of terminals."""
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def read_plain(name: str, text: str, format_: Format) -> ParsedDocument:
    """Return the document of a text or Markdown file."""
    heading = _HEADING.search(text) if format_ is Format.MARKDOWN else None
    title = heading[1] if heading else title_from_name(name)
    return ParsedDocument(title=title[:_TITLE_CHARS], text=text, media_type=format_)


def title_from_name(name: str) -> str:
    """Return a file's name without its folders and ending."""
    return PurePosixPath(name.replace("\\", "/")).stem[:_TITLE_CHARS]
