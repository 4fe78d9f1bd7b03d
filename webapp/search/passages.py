"""Splits a document into passages: pieces of a size that fits into a prompt, which begin and end where the text does."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from webapp.parsed_document import ParsedDocument

TARGET_CHARS = 1_000
"""A passage is as long as this at most, and half as long in scripts whose characters say as much as two letters."""
OVERLAP_CHARS = 150
"""At most so much of a passage is repeated at the beginning of the next one of its section, in whole sentences."""
_MIN_CHARS = 300  # a section shorter than this is joined with the next one
_MIN_PAGE_CHARS = 150  # the end of a page that is shorter than this is joined with the next page
_MAX_HEADING_CHARS = 200
_MAX_HEADING_LINE = 300  # a longer line is text

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)")
# The first mark of a run, which ends a sentence with those that follow: tried once for a run, and without backtracking, as a text
# may have a million of them. It begins with all of its first characters, which Python searches for fast.
_SENTENCE_END = re.compile(
    r"[.!?…。！？｡．\n](?:(?<=\n)"
    r"|(?<=[.!?…])(?<![.!?…][.!?…])[.!?…]*+[\"'”’»)\]]*+\s++"
    r"|(?<=[。！？｡．])(?<![。！？｡．][。！？｡．])[。！？｡．]*+[”’」』）]*+\s*+)"
)
_DENSE = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a document's text, from `start` to `end`.

    `page` is the one with most of what the passage before does not have; it counts from 1, and is None in a document without
    pages.
    `heading` is the path of headings above it, such as "Install › On Linux".
    """

    number: int
    start: int
    end: int
    heading: str
    page: int | None


class _Section(msgspec.Struct):
    start: int
    end: int
    heading: str


def split_passages(document: ParsedDocument) -> list[Passage]:
    """Return the passages of a document in order; together they contain all of its text but white space between them."""
    text = document.text
    limit = TARGET_CHARS // 2 if len(_DENSE.findall(text[:20_000])) * 5 > len(text[:20_000]) else TARGET_CHARS
    found: list[Passage] = []
    for section in _join_short(list(_sections(text))):
        sentences = _sentences(text, section.start, section.end, limit)
        for start, fresh, end in _pack(sentences, limit, document.pages):
            begin, stop = _strip(text, start, end)
            if begin < stop:
                middle = (_strip(text, fresh, end)[0] + stop) // 2
                page = bisect_right(document.pages, middle) if document.pages else None
                found.append(
                    Passage(number=len(found), start=begin, end=stop, heading=section.heading, page=page)
                )
    return found


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a piece of a text begins and ends without the white space around it."""
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    return begin, begin + len(piece.strip())


def _sections(text: str) -> Iterator[_Section]:
    """Yield the parts of a text between headings, each with its heading; headings in code blocks are text."""
    path: list[tuple[int, str]] = []
    fence, start, at = "", 0, 0
    heading = ""
    for line in _LINE.findall(text):
        mark = _FENCE.match(line) if "``" in line or "~~" in line else None
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and line.strip() == mark[1]:
            fence = ""
        may_be_heading = line.startswith("#") and len(line) <= _MAX_HEADING_LINE and not fence
        title = _HEADING.match(line.rstrip("\n")) if may_be_heading else None
        if title:
            if text[start:at].strip():
                yield _Section(start, at, heading)
            start = at
            path = [each for each in path if each[0] < len(title[1])] + [(len(title[1]), title[2])]
            heading = " › ".join(name for _, name in path)[:_MAX_HEADING_CHARS]
        at += len(line)
    if text[start:at].strip():
        yield _Section(start, at, heading)


def _join_short(sections: Sequence[_Section]) -> list[_Section]:
    """Join a short section with the next one, whose heading it then precedes in the text."""
    joined: list[_Section] = []
    for section in sections:
        last = joined[-1] if joined else None
        if last and last.end - last.start < _MIN_CHARS and section.heading.startswith(last.heading):
            last.end = section.end
        else:
            joined.append(section)
    return joined


def _sentences(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences and lines of a part of a text; one longer than `limit` is cut, at white space if it has some."""
    at = start
    while at < end:
        match = _SENTENCE_END.search(text, at, end)
        stop = match.end() if match else end
        while stop - at > limit:
            space = max(
                text.rfind(" ", at + limit // 2, at + limit), text.rfind("\t", at + limit // 2, at + limit)
            )
            cut = at + limit if space < 0 else space + 1
            yield at, cut
            at = cut
        yield at, stop
        at = stop


def _pack(
    sentences: Iterator[tuple[int, int]], limit: int, pages: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """Join sentences to pieces of at most `limit` characters; each piece but the first begins with the end of the one before.

    A piece with a few new sentences ends at the end of a page. Of each piece this yields its start, where what is new in it
    begins, and its end.
    """
    held: list[tuple[int, int]] = []
    fresh = 0  # how many of the sentences held were in no piece yet
    for sentence in sentences:
        is_new_page = (
            fresh > 0
            and sentence[0] - held[-fresh][0] >= _MIN_PAGE_CHARS
            and bool(pages)
            and bisect_right(pages, sentence[0]) > bisect_right(pages, held[-1][0])
        )
        if held and fresh and (is_new_page or sentence[1] - held[0][0] > limit):
            yield held[0][0], held[-fresh][0], held[-1][1]
            room = min(OVERLAP_CHARS, limit - (sentence[1] - sentence[0]))
            while held and held[-1][1] - held[0][0] > room:
                del held[0]
            fresh = 0
        held.append(sentence)
        fresh += 1
    if fresh:
        yield held[0][0], held[-fresh][0], held[-1][1]
