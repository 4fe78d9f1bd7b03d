"""Prepares a document for the index: its passages and the words of each."""

from __future__ import annotations

import msgspec

from webapp.parsed_document import ParsedDocument
from webapp.search.languages import detect_language
from webapp.search.passages import Passage, split_passages
from webapp.search.words import index_words


class IndexedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document with its passages. `words` are those of each passage, separated by blanks, its headings' included."""

    parsed: ParsedDocument
    language: str
    passages: list[Passage]
    words: list[str]


def index_document(parsed: ParsedDocument) -> IndexedDocument:
    """Return a document with its passages and their words; takes about a second for two megabytes of text."""
    language = _language_of(parsed)
    passages = split_passages(parsed)
    return IndexedDocument(
        parsed=parsed,
        language=language,
        passages=passages,
        words=[_words_of(parsed, passage, language) for passage in passages],
    )


def _language_of(parsed: ParsedDocument) -> str:
    return parsed.language.partition("-")[0].lower() or detect_language(parsed.text)


def _words_of(parsed: ParsedDocument, passage: Passage, language: str) -> str:
    """Return the words of a passage; where it stands tells what it is about, too."""
    piece = parsed.text[passage.start : passage.end]
    above = "\n".join(part for part in (parsed.title, passage.heading) if part not in piece)
    return index_words(f"{above}\n{piece}" if above else piece, language)
