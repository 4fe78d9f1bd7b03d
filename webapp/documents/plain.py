"""Reads text, Markdown and code as they stand, without what cannot be shown."""

from __future__ import annotations

import re

from webapp.documents.formats import Format
from webapp.documents.names import clean_name, title_from_name
from webapp.parsed_document import ParsedDocument

_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85]")
_INVISIBLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
# All that the two above begin with: nearly every text has none of it, and is searched for it four times as fast.
_UNUSUAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.{1,500}?)[ \t]*#*$", re.M)


def clean(text: str) -> str:
    """Return text with "\\n" between lines and without control characters and colours of terminals."""
    if _UNUSUAL.search(text) is None:
        return text
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def read_plain(name: str, text: str, format_: Format) -> ParsedDocument:
    """Return the document of a text or Markdown file."""
    heading = _HEADING.search(text) if format_ is Format.MARKDOWN else None
    title = heading[1] if heading else title_from_name(name)
    return ParsedDocument(title=clean_name(title), text=text, media_type=format_)
