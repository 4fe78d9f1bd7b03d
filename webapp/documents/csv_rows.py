"""Reads CSV: each row becomes a line that names its columns, so that it can be understood, and found, without the others."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from webapp.documents.formats import Format
from webapp.documents.names import title_from_name
from webapp.errors import DocumentRefused
from webapp.parsed_document import ParsedDocument

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50
_MAX_FIELD_CHARS = 5_000_000
_NUMBER = re.compile(r"[-+]?[\d.,\s%€$£]*\d[\d.,\s%€$£]*|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def read_csv(name: str, text: str, max_chars: int) -> ParsedDocument:
    """Return the document of a CSV file: `Column: value; Column: value`. Raises `DocumentRefused`."""
    csv.field_size_limit(_MAX_FIELD_CHARS)
    rows = _rows(text.split("\n"), _delimiter(text))
    lines, chars = [], 0
    for line in _lines(rows):
        chars += len(line) + 1
        if chars > max_chars:
            raise DocumentRefused("document_too_large")
        lines.append(line)
    return ParsedDocument(title=title_from_name(name), text="\n".join(lines), media_type=Format.CSV)


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts most of the first rows into the same number of fields, and into more than one."""
    sample = text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES]

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in _rows(sample, delimiter)]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual) if usual > 1 else 0, usual)

    return max(_DELIMITERS, key=evenness)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the rows that are not empty."""
    for row in csv.reader((line + "\n" for line in lines), delimiter=delimiter):
        fields = [" ".join(field.split()) for field in row]
        if any(fields):
            yield fields


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    first, second = next(rows, []), next(rows, None)
    heads = first if second is not None and _are_heads(first) else []
    for row in chain([] if heads else [first], [] if second is None else [second], rows):
        fields = zip_longest(heads, row, fillvalue="")
        yield "; ".join(f"{head}: {field}" if head else field for head, field in fields if field)


def _are_heads(row: Sequence[str]) -> bool:
    """Return whether a first row names the columns: distinct texts, none of them a number or a date."""
    named = [field for field in row if field]
    return len(named) > 1 and len(set(named)) == len(named) and not any(map(_NUMBER.fullmatch, named))
