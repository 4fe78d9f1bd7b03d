"""What a search of documents is for, and what it finds."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec


class SearchScope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a search looks: in collections that a caller may search, and in a conversation of the caller's.

    `grantees` are the names under which the caller may have been given collections of others. `collections` are names; None is
    for all of them. Of the conversation the caller has been checked.
    """

    owner: str
    grantees: Collection[str] = ()
    collections: Sequence[str] | None = None
    conversation: str | None = None


class FoundPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage that a search has found. `start` is where it begins in its document's text; `page` counts from 1."""

    document: str
    source: str
    title: str
    text: str
    heading: str
    start: int
    page: int | None
    score: float

    def as_result(self) -> dict[str, object]:
        """Return the passage as `retrieve_only` and `/documents/search` do."""
        metadata = {
            "source": self.source,
            "title": self.title,
            "page": self.page,
            "heading": self.heading,
            "document": self.document,
        }
        return {"content": self.text, "metadata": metadata, "score": self.score}
