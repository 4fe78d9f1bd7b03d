"""What is compared: Freshet's search, plain LIKE, and BM25 over whole documents; and how well each finds what answers a question.

All search the same passages, and for each its document's name counts as its words, as it does in Freshet's index.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench_search.corpus import title_of
from tests.bench_search.questions import Question, content_words
from webapp.search.words import index_words, query_words

AT = 5
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A passage by its document's name, with the offsets where it begins and ends."""

    document: str
    start: int
    end: int


Search = Callable[[str], Sequence[Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The share of questions whose answer is among the first five passages, and the mean reciprocal rank within the first 50."""

    recall: float
    mrr: float


def rank_of(found: Sequence[Place], question: Question, text: str) -> int:
    """Return the rank of the first passage that answers a question; 0 if none does."""
    at = question.place_in(text)
    for rank, place in enumerate(found[:DEPTH], 1):
        if place.document == question.document and place.start <= at < place.end:
            return rank
    return 0


def figure(ranks: Sequence[int]) -> Figures:
    """Return the figures of ranks, where 0 is not found."""
    return Figures(
        recall=sum(0 < rank <= AT for rank in ranks) / max(1, len(ranks)),
        mrr=sum(1 / rank for rank in ranks if rank) / max(1, len(ranks)),
    )


def measure(search: Search, questions: Sequence[Question], texts: Mapping[str, str]) -> list[int]:
    """Return the rank of each question's answer."""
    return [rank_of(search(each.question), each, texts[each.document]) for each in questions]


class Plain:
    """The comparisons, over all passages by document."""

    def __init__(self, passages: Mapping[str, Sequence[tuple[int, str]]]) -> None:
        self._places = [
            Place(name, start, start + len(text)) for name, found in passages.items() for start, text in found
        ]
        self._database = sqlite3.connect(":memory:")
        self._database.execute(
            "CREATE TABLE passages (id INTEGER PRIMARY KEY, document TEXT, text TEXT, words TEXT)"
        )
        rows = (
            (name, whole, f" {index_words(whole, 'en')} ")
            for name, found in passages.items()
            for whole in (f"{title_of(name)}\n{text}" for _, text in found)
        )
        self._database.executemany("INSERT INTO passages (document, text, words) VALUES (?, ?, ?)", rows)
        self._database.execute("CREATE INDEX by_document ON passages (document)")
        self._database.execute("CREATE VIRTUAL TABLE wholes USING fts5(document UNINDEXED, words)")
        wholes = (
            (name, index_words("\n".join([title_of(name), *(text for _, text in found)]), "en"))
            for name, found in passages.items()
        )
        self._database.executemany("INSERT INTO wholes VALUES (?, ?)", wholes)

    def like(self, question: str) -> Sequence[Place]:
        """Return the passages with most content words of a question, each found by `LIKE '%word%'`; ties as the texts stand."""
        words = [forms[0] for forms in content_words(question)]
        return self._best("text", [f"%{word}%" for word in words], "", DEPTH)

    def whole_documents(self, question: str) -> Sequence[Place]:
        """Return a passage of each of the documents that are best by FTS5's BM25: the one with most of the question's words.

        Whoever has found a document still has to find the place in it; this is the kindest reading of that. The words are those
        that Freshet's index has, with their stems.
        """
        stems = [word[-1] for word in query_words(question, ["en"])]
        query = " OR ".join(f'"{stem}"' for stem in stems)
        rows = self._database.execute(
            "SELECT document FROM wholes WHERE wholes MATCH ? ORDER BY rank LIMIT ?", (query, AT)
        ).fetchall()
        patterns = [f"% {stem} %" for stem in stems]
        return [place for (name,) in rows for place in self._best("words", patterns, name, 1)]

    def _best(self, column: str, patterns: Sequence[str], document: str, limit: int) -> list[Place]:
        count = " + ".join([f"({column} LIKE ?)"] * len(patterns)) or "0"
        within = "WHERE document = ?" if document else ""
        rows = self._database.execute(
            f"SELECT id FROM passages {within} ORDER BY {count} DESC, id LIMIT ?",
            (*([document] if document else []), *patterns, limit),
        )
        return [self._places[number - 1] for (number,) in rows]
