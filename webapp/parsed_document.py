"""What is kept of a file: its text, and where its pages begin."""

from __future__ import annotations

import msgspec


class ParsedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a file, with "\\n" between lines and headings, lists and tables written as in Markdown.

    `title` is the one that the file itself has, else its name without the ending. `pages` are the offsets into `text` at which the
    pages begin, the first of them 0; empty for formats without pages. `language` is the code that the file itself declares
    ("en", "pt-BR"), else "".
    """

    title: str
    text: str
    media_type: str
    pages: tuple[int, ...] = ()
    language: str = ""
