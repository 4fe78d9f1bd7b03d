"""Finds what an answer is to be based on: the conversation's documents, and collections that its caller may search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from webapp.access.principals import Principal, grantees_of
from webapp.chat import Source
from webapp.found_passage import FoundPassage, SearchScope
from webapp.seams import PassageSearch
from webapp.search.context import quote_passages
from webapp.search.ranking import fuse
from webapp.store import documents
from webapp.store.documents import StoredDocument
from webapp.store.store import Store

_MAX_PASSAGES = 8
_CANDIDATES = 16  # of each ranking
_MAX_CHARS = 48_000  # of all documents and passages that go to the model
_WHOLE_SHARE = 0.5  # of these for whole documents
_MAX_EARLIER_CHARS = 1_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be searched: collections by name, all that the caller may search, or none; and a conversation's documents.

    `max_chars` is how much may go to the model.
    """

    collections: Sequence[str] = ()
    all_collections: bool = False
    conversation: str | None = None
    max_chars: int = _MAX_CHARS


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Searches documents for answers and for programs. One instance serves all requests of a server."""

    store: Store
    searches: Sequence[PassageSearch]

    def find(self, caller: Principal, questions: Sequence[str], wanted: Wanted) -> tuple[Source, ...]:
        """Return the passages for the last of the questions, the best first; small documents of the conversation are there whole.

        A question that follows others is searched by itself and together with the one before: "And in winter?" says little
        alone. Takes 1.5 s at most. Raises `NotFound` for an unknown collection, and `Unavailable`.
        """
        budget = min(wanted.max_chars, _MAX_CHARS)
        whole = self._find_whole(wanted, budget)
        budget -= sum(length for _, length in whole)
        sources = [_whole_source(n, document) for n, (document, _) in enumerate(whole, 1)]
        known = {source.document for source in sources}
        for passage, score in self._rank(caller, questions, wanted):
            if passage.document in known:
                continue
            budget -= len(passage.text)
            if budget < 0 or len(sources) - len(known) >= _MAX_PASSAGES:
                break
            sources.append(_to_source(len(sources) + 1, passage, score))
        return tuple(sources)

    def search(
        self, caller: Principal, query: str, names: Sequence[str] | None, limit: int
    ) -> list[FoundPassage]:
        """Return the best passages of these collections, or of all that the caller may search.

        Takes 1.5 s at most. Raises `NotFound` for an unknown collection, and `Unavailable`.
        """
        scope = SearchScope(owner=caller.owner or "", grantees=grantees_of(caller), collections=names)
        rankings = [search.rank([query], scope, limit)[0] for search in self.searches]
        if len(rankings) == 1:  # whose own scores say more
            return rankings[0]
        return [msgspec.structs.replace(passage, score=round(score, 4)) for passage, score in _join(rankings)]

    def quote(self, sources: Sequence[Source]) -> str:
        """Return what is put before the question. Raises `Unavailable`."""
        whole = [source.document for source in sources if source.document and not source.snippet]
        texts = self.store.read(lambda c: documents.load_texts(c, whole)) if whole else {}
        return quote_passages(sources, texts)

    def _find_whole(self, wanted: Wanted, budget: int) -> list[tuple[StoredDocument, int]]:
        """Return the conversation's documents that go to the model whole, with their lengths."""
        conversation = wanted.conversation
        if conversation is None:
            return []
        left = int(budget * _WHOLE_SHARE)
        chosen = []
        for document, length in self.store.read(lambda c: documents.measure_documents(c, conversation)):
            if length <= left:
                left -= length
                chosen.append((document, length))
        return chosen

    def _rank(
        self, caller: Principal, questions: Sequence[str], wanted: Wanted
    ) -> list[tuple[FoundPassage, float]]:
        queries = [questions[-1]] if questions else []
        if len(questions) > 1:
            queries.append(f"{questions[-1]}\n{questions[-2][:_MAX_EARLIER_CHARS]}")
        names = None if wanted.all_collections else list(wanted.collections)
        if not (queries and (wanted.conversation or names is None or names)):
            return []
        scope = SearchScope(
            owner=caller.owner or "",
            grantees=grantees_of(caller),
            collections=names,
            conversation=wanted.conversation,
        )
        return _join(
            [ranking for search in self.searches for ranking in search.rank(queries, scope, _CANDIDATES)]
        )


def _join(rankings: Sequence[Sequence[FoundPassage]]) -> list[tuple[FoundPassage, float]]:
    """Return what is in any of the rankings, the best first, with its score in all of them."""
    best = {_key(passage): passage for ranking in reversed(rankings) for passage in ranking}
    fused = fuse([[_key(passage) for passage in ranking] for ranking in rankings])
    return [(best[key], score) for key, score in fused]


def _key(passage: FoundPassage) -> tuple[str, int]:
    return passage.document, passage.start


def _whole_source(n: int, document: StoredDocument) -> Source:
    return Source(n=n, title=document.title, source=document.source, document=document.id, start=0)


def _to_source(n: int, passage: FoundPassage, score: float) -> Source:
    return Source(
        n=n,
        title=passage.title,
        source=passage.source,
        snippet=passage.text.strip(),
        document=passage.document,
        page=passage.page,
        start=passage.start,
        score=round(score, 4),
    )
