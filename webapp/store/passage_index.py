"""The index of passages by their words: FTS5 in SQLite, `tsvector` in Postgres.

Words are prepared by `search/words`, so that both databases compare the same ones. Every passage also has a word for the
collection or conversation that it belongs to: a search meets only passages of those that are asked for, however many others
there are. A query's rarest words choose the candidates, because a word that half of the passages have says nothing and costs
most.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

QueryWord = tuple[str, ...]
"""The forms of one word of a query: as it was written, and its stems."""

_MAX_WORDS = 32  # of a query: the rarest
_CANDIDATES = 3_000  # passages that are compared, roughly
_COMMON_SHARE = 0.2  # a word that more passages have, and more than _FEW, chooses no candidates
_FEW = 2
_MAX_POSITIONS = 255  # of a word in a `tsvector`
_MAX_POSITION = 16_383
_INSERTED_AT_ONCE = 200

_SQLITE_FREQUENCY = text("SELECT term, doc FROM passage_vocabulary WHERE term IN :words").bindparams(
    bindparam("words", expanding=True)
)
_SQLITE_TOTAL = text("SELECT count(*) FROM passages")
_SQLITE_SEARCH = text(
    "SELECT rowid AS passage, -bm25(passage_words) AS score FROM passage_words WHERE passage_words MATCH :query "
    "ORDER BY rank, rowid LIMIT :limit"
)
_POSTGRES_STATISTICS = text(
    "SELECT most_common_elems::text::text[] AS words, most_common_elem_freqs AS shares FROM pg_stats "
    "WHERE schemaname = current_schema() AND tablename = 'passage_words' AND attname = 'words'"
)
_POSTGRES_TOTAL = text("SELECT reltuples FROM pg_class WHERE oid = 'passage_words'::regclass")
_POSTGRES_COUNT = text(
    "SELECT count(*) FROM (SELECT 1 FROM passage_words WHERE words @@ CAST(:query AS tsquery) LIMIT :limit) AS found"
)


def scope_of(collection: str | None, conversation: str | None = None) -> str:
    """Return the word that all passages of a collection or conversation have. No text has it: it begins with no letter."""
    name = f"collection {collection}" if conversation is None else f"conversation {conversation}"
    return "§" + hashlib.sha256(name.encode()).hexdigest()[:20]


def add_words(connection: Connection, words: Iterable[tuple[int, str]]) -> None:
    """Index passages: the id of each, and its words with its scope, separated by blanks."""
    if connection.dialect.name == "postgresql":
        statement = text(
            "INSERT INTO passage_words (passage, words) VALUES (:passage, CAST(:words AS tsvector))"
        )
        rows = [{"passage": passage, "words": _vector(found)} for passage, found in words]
    else:
        statement = text("INSERT INTO passage_words (rowid, words) VALUES (:passage, :words)")
        rows = [{"passage": passage, "words": found} for passage, found in words]
    for first in range(0, len(rows), _INSERTED_AT_ONCE):
        connection.execute(statement, rows[first : first + _INSERTED_AT_ONCE])


def search_words(
    connection: Connection, words: Sequence[QueryWord], scopes: Sequence[str], limit: int
) -> list[tuple[int, float]]:
    """Return the ids of the passages that match a query best, and their scores, the best first.

    A passage matches if it has any of the words; rare words weigh more. Scores can be compared within one result only.
    """
    if not words or not scopes:
        return []
    is_postgres = connection.dialect.name == "postgresql"
    total, counts = (_count_postgres if is_postgres else _count_sqlite)(connection, words)
    chosen = _choose(words, counts, total)
    if not chosen:
        return []
    if is_postgres:
        return _search_postgres(connection, chosen, counts, total, scopes, limit)
    asked = f"({_any(scopes)}) AND ({_any(form for word in chosen for form in word)})"
    rows = connection.execute(_SQLITE_SEARCH, {"query": asked, "limit": limit})
    return [(row.passage, row.score) for row in rows]


def _choose(words: Sequence[QueryWord], counts: Mapping[str, int], total: int) -> list[QueryWord]:
    """Return the rarest words of a query, whose passages are few enough to be compared; none that no passage has."""
    known = [word for word in words if any(counts[form] for form in word)]
    known.sort(key=lambda word: max(counts[form] for form in word))
    chosen: list[QueryWord] = []
    passages = 0
    for word in known[:_MAX_WORDS]:
        count = max(counts[form] for form in word)
        if chosen and (passages + count > _CANDIDATES or count > max(_FEW, total * _COMMON_SHARE)):
            break
        chosen.append(word)
        passages += count
    return chosen


def _count_sqlite(connection: Connection, words: Sequence[QueryWord]) -> tuple[int, Mapping[str, int]]:
    """Return how many passages there are, and how many have each form of the words."""
    forms = sorted({form for word in words for form in word})
    counts: Counter[str] = Counter()
    for row in connection.execute(_SQLITE_FREQUENCY, {"words": forms}):
        counts[row.term] = row.doc
    return int(connection.execute(_SQLITE_TOTAL).scalar() or 0), counts


def _count_postgres(connection: Connection, words: Sequence[QueryWord]) -> tuple[int, Mapping[str, int]]:
    """As `_count_sqlite`, roughly: the database's statistics name the common words, and the others are counted."""
    total = max(0, int(connection.execute(_POSTGRES_TOTAL).scalar() or 0))
    statistics = connection.execute(_POSTGRES_STATISTICS).one_or_none()
    shares: Mapping[str, float] = {}
    if statistics is not None and statistics.words:
        shares = dict(zip(statistics.words, statistics.shares, strict=False))
    counts: Counter[str] = Counter()
    for form in {form for word in words for form in word}:
        if form in shares:
            counts[form] = max(1, round(shares[form] * total))
        else:
            counts[form] = int(
                connection.execute(_POSTGRES_COUNT, {"query": _quoted(form), "limit": _CANDIDATES}).scalar()
                or 0
            )
    return max(total, *counts.values()), counts


def _search_postgres(
    connection: Connection,
    words: Sequence[QueryWord],
    counts: Mapping[str, int],
    total: int,
    scopes: Sequence[str],
    limit: int,
) -> list[tuple[int, float]]:
    """Rank as BM25 does: words by how rare they are, and repetitions of a word less and less, which `ts_rank` does."""
    parameters: dict[str, Any] = {"limit": limit}
    terms = []
    for at, form in enumerate(dict.fromkeys(form for word in words for form in word if counts[form])):
        parameters[f"form{at}"] = _quoted(form)
        parameters[f"weight{at}"] = math.log(1 + (total - counts[form] + 0.5) / (counts[form] + 0.5))
        terms.append(f":weight{at} * ts_rank(words, CAST(:form{at} AS tsquery))")
    either = " | ".join(_quoted(form) for word in words for form in word)
    within = " | ".join(map(_quoted, scopes))
    parameters["query"] = f"({within}) & ({either})"
    statement = text(
        f"SELECT passage, {' + '.join(terms)} AS score FROM passage_words WHERE words @@ CAST(:query AS tsquery) "  # noqa: S608
        "ORDER BY score DESC, passage LIMIT :limit"
    )
    return [(row.passage, row.score) for row in connection.execute(statement, parameters)]


def _any(words: Iterable[str]) -> str:
    """Return an expression of FTS5 for any of these words; they contain no quotes."""
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(words))


def _quoted(word: str) -> str:
    return f"'{word}'"


def _vector(words: str) -> str:
    """Return words as the text of a `tsvector`, with their places."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words.split(" "), 1):
        found = places.setdefault(word, [])
        if len(found) < _MAX_POSITIONS:
            found.append(min(place, _MAX_POSITION))
    return " ".join(f"'{word}':{','.join(map(str, found))}" for word, found in places.items())
