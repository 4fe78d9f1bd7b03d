"""Finds where a message has the words of a search, and cuts a snippet around the first of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, or_, select

from webapp.conversation import fold, to_one_line
from webapp.store.conversations import PageKey, list_page
from webapp.store.rows import MESSAGE_COLUMNS, ConversationHead, parse_message
from webapp.store.schema import messages

_BEFORE, _CHARS = 40, 160  # characters of a snippet before its first word, and in all
_SEARCHED_CHARS = 100_000  # of a message, as many as are searched


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message. `marks` are the places of the words in `text`, in UTF-16 code units, as pages count."""

    message: str
    text: str
    marks: tuple[tuple[int, int], ...]


def list_with_snippets(
    connection: Connection, owner: str, *, limit: int, after: PageKey | None, search: str
) -> tuple[Sequence[ConversationHead], dict[str, Snippet]]:
    """Return up to `limit` + 1 conversations, as `list_page` does, and the snippets of the first `limit` by id."""
    page = list_page(connection, owner, limit=limit + 1, after=after, search=search)
    return page, find_snippets(connection, [head.id for head in page[:limit]], search)


def find_snippets(connection: Connection, ids: Sequence[str], search: str) -> dict[str, Snippet]:
    """Return a snippet for each of these conversations that has a message with a word of the search, by id.

    Of a conversation's messages the newest with all words is taken, else the newest with one.
    """
    words = fold(search).split()
    if not words:
        return {}
    return {
        conversation: snippet
        for conversation in ids
        if (snippet := _find_snippet(connection, conversation, words)) is not None
    }


def _find_snippet(connection: Connection, conversation: str, words: Sequence[str]) -> Snippet | None:
    table = messages.c
    has_word = [table.folded.contains(word, autoescape=True) for word in words]
    newest = (
        select(*MESSAGE_COLUMNS)
        .where(table.conversation == conversation)
        .order_by(table.created_at.desc(), table.id)
    )
    row = connection.execute(newest.where(*has_word).limit(1)).first()
    if row is None and len(words) > 1:
        row = connection.execute(newest.where(or_(*has_word)).limit(1)).first()
    if row is None:
        return None
    message = parse_message(row)
    return make_snippet(message.id, message.text, words)


def make_snippet(message: str, text: str, words: Sequence[str]) -> Snippet | None:
    """Cut the text around the first of these folded words; None if it has none of them."""
    start = _find_first(text[:_SEARCHED_CHARS], words)
    if start is None:
        return None
    at_word = max(0, start - _BEFORE)
    if at_word > 0:
        space = text.find(" ", at_word, start)
        at_word = at_word if space < 0 else space + 1
    part = to_one_line(text[at_word : at_word + _CHARS])
    shown = f"{'…' if at_word > 0 else ''}{part}{'…' if at_word + _CHARS < len(text) else ''}"
    return Snippet(message=message, text=shown, marks=_find_marks(shown, words))


def _find_first(text: str, words: Sequence[str]) -> int | None:
    folded = fold(text)
    found = [at for word in words if (at := folded.find(word)) >= 0]
    if not found:
        return None
    if len(folded) == len(text):
        return min(found)
    # Folding has changed the length: find the part of the text whose folded form is as long as what is before the word.
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(fold(text[:middle])) <= min(found) else (low, middle - 1)
    return low


def _find_marks(text: str, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    folded, origins = "", []
    for index, char in enumerate(text):
        piece = fold(char)
        folded += piece
        origins += [index] * len(piece)
    marked = [False] * len(text)
    for word in words:
        at = folded.find(word)
        while at >= 0:
            for index in range(origins[at], origins[at + len(word) - 1] + 1):
                marked[index] = True
            at = folded.find(word, at + len(word))
    return _ranges(text, marked)


def _ranges(text: str, marked: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    offset = 0
    for char, is_marked in zip(text, marked, strict=True):
        end = offset + (2 if ord(char) > 0xFFFF else 1)
        if is_marked and ranges and ranges[-1][1] == offset:
            ranges[-1] = (ranges[-1][0], end)
        elif is_marked:
            ranges.append((offset, end))
        offset = end
    return tuple(ranges)
