"""The index of passages by their words: FTS5 in SQLite, `tsvector` in Postgres.

Words are prepared by `search/words`, so that both databases compare the same ones. Every passage also has a word for the
collection or conversation that it belongs to: a search meets only passages of those that are asked for, however many others
there are. A query's rarest words choose the candidates, because a word that half of the passages have says nothing and costs
most; then all of its words rank them. How rare a word is, is judged among the passages that are searched.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, text

from webapp.search.scoring import (
    Candidate,
    SoughtWord,
    collect,
    score_surroundings,
    score_words,
    weigh,
)
from webapp.sql import driver_cursor

QueryWord = tuple[str, ...]
"""The forms of one word of a query: as it was written, and its stems."""

_MAX_WORDS = 64  # of a query: the longest
_LISTED = 1_500
_LISTED_OF_ONE = 3_000
_COMMON_SHARE = (
    0.2  # a word that more passages have, and more than _FEW, chooses no candidates beside a rarer one
)
_FEW = 2
_PLACED = 200  # candidates whose surroundings are looked at
_READ = 50  # candidates whose words are counted
_KNOWN_S = 300.0  # how long it is remembered how common a word is
_OFTEN = 1_000  # passages: counting a word in more takes time
_MAX_PLACES = 255  # of a word in a `tsvector`
_PLACES = [",".join(map(str, range(1, count + 1))) for count in range(_MAX_PLACES + 1)]
_INSERTED_AT_ONCE = 200

_SQLITE_FREQUENCY = text("SELECT term, doc FROM passage_vocabulary WHERE term IN :words").bindparams(
    bindparam("words", expanding=True)
)
_SQLITE_TOTAL = text("SELECT count(*) FROM passages")
# One row each: a row of its own for every passage would cost more than finding it.
_SQLITE_LIST = text(
    "SELECT group_concat(rowid) FROM (SELECT rowid FROM passage_words WHERE passage_words MATCH :query LIMIT :limit)"
)
_SQLITE_WORDS = text(
    "SELECT rowid AS passage, words FROM passage_words WHERE rowid IN (SELECT value FROM json_each(:ids))"
)
_POSTGRES_STATISTICS = text(
    "SELECT most_common_elems::text::text[] AS words, most_common_elem_freqs AS shares FROM pg_stats "
    "WHERE schemaname = current_schema() AND tablename = 'passage_words' AND attname = 'words'"
)
_POSTGRES_TOTAL = text("SELECT reltuples FROM pg_class WHERE oid = 'passage_words'::regclass")
# Postgres collects what comes into the index until it is 4 MB, or until it is told to sort it in. Meanwhile each word of a search reads
# all of it, in tens of milliseconds; but to sort in little at a time takes four times as long. Only the index's owner may tell it.
_POSTGRES_COMPLETE = text(
    "SELECT gin_clean_pending_list(oid) FROM pg_class "
    "WHERE oid = 'passage_words_index'::regclass AND pg_has_role(relowner, 'USAGE')"
)
# For the driver itself: it sends one after another while the server works, and arrays in binary form, which need no escapes.
_POSTGRES_ADD = (
    "INSERT INTO passage_words (passage, words) SELECT passage, vector::tsvector "
    "FROM unnest(%(passages)b::bigint[], %(words)b::text[]) AS added (passage, vector)"
)
# Postgres does it by itself, but a minute later. Whoever does not own the tables is warned, and changes nothing.
_POSTGRES_ANALYZE = "SET LOCAL statement_timeout = 0; ANALYZE passage_words, passages, documents"
_POSTGRES_COUNT = text(
    "SELECT form, (SELECT count(*) FROM (SELECT 1 FROM passage_words WHERE words @@ CAST('''' || form || '''' AS tsquery) "
    "LIMIT :limit) AS found) AS count FROM unnest(CAST(:words AS text[])) AS form"
)
_POSTGRES_LIST = text(
    "SELECT array_agg(passage) FROM (SELECT passage FROM passage_words WHERE words @@ CAST(:query AS tsquery) LIMIT :limit) "
    "AS found"
)
_POSTGRES_WORDS = text("SELECT passage, words::text AS words FROM passage_words WHERE passage = ANY(:ids)")
_SQLITE_PLACES, _POSTGRES_PLACES = (
    text(
        "SELECT passages.id, passages.id - passages.number AS first, passages.stop - passages.start AS length, "  # noqa: S608
        "documents.passages AS count FROM passages JOIN documents ON documents.id = passages.document "
        f"WHERE passages.id {among}"
    )
    for among in ("IN (SELECT value FROM json_each(:ids))", "= ANY(:ids)")
)


def scope_of(collection: str | None, conversation: str | None = None) -> str:
    """Return the word that all passages of a collection or conversation have. No text has it: it begins with no letter."""
    name = f"collection {collection}" if conversation is None else f"conversation {conversation}"
    return "§" + hashlib.sha256(name.encode()).hexdigest()[:20]


def add_words(connection: Connection, words: Iterable[tuple[int, str]]) -> None:
    """Index passages: the id of each, and its words with its scope, separated by blanks. `words` is read while the connection is in use."""
    if connection.dialect.name == "postgresql":
        with driver_cursor(connection) as cursor:
            cursor.executemany(_POSTGRES_ADD, _arrays(words))
        connection.execute(_POSTGRES_COMPLETE)
    elif rows := list(words):
        connection.exec_driver_sql("INSERT INTO passage_words (rowid, words) VALUES (?, ?)", rows)


def count_words(connection: Connection) -> None:
    """Update the statistics of how common words are, after much was added; without them every search counts its own words."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRES_ANALYZE)


def search_words(
    connection: Connection, words: Sequence[QueryWord], scopes: Sequence[str], total: int, limit: int
) -> list[tuple[int, float]]:
    """Return the ids of the passages that match a query best, and their scores, the best first.

    `total` is how many passages the scopes have. A passage matches if it has any of the words; rare words weigh more. Scores can
    be compared within one result only.
    """
    if not words or not scopes or not total:
        return []
    sought = _seek(connection, words, scopes, total)
    weights = dict(collect(_choose(sought, total), _PLACED))
    around = {place: score_surroundings(sought, place) for place in _read_places(connection, list(weights))}
    best = sorted(around, key=lambda place: (-around[place] - weights[place.id], place.id))
    best = best[: max(_READ, limit)]
    forms = {form for word in sought for form in word.forms}
    counts = _count_forms(connection, [place.id for place in best], forms)
    usual = sum(place.length for place in best) / max(1, len(best))
    scored = [
        (place.id, around[place] + score_words(sought, counts.get(place.id, {}), place.length / usual))
        for place in best
    ]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:limit]


def _seek(
    connection: Connection, words: Sequence[QueryWord], scopes: Sequence[str], total: int
) -> list[SoughtWord]:
    """Return the words of a query that passages have, the rarest first, each with its passages unless these are too many."""
    longest = sorted(words, key=lambda word: -len(word[0]))[:_MAX_WORDS]
    known = _known_words(connection)
    counts = known.count(connection, {form for word in longest for form in word})
    found: list[SoughtWord] = []
    room = _LISTED_OF_ONE
    for count, word in sorted((max(counts[form] for form in word), word) for word in longest):
        ids: list[int] | None = None
        if not found or min(count, total) <= room:
            ids = _list(connection, word, scopes, room + 1)
            if not ids:
                continue
        if ids is not None and (len(ids) <= room or not found):
            room = min(room, _LISTED) - len(ids)
            share: float = len(ids)
        else:
            ids = None
            share = count * total / max(1, known.total)
        found.append(SoughtWord(forms=word, weight=weigh(share, total), passages=ids))
    return found


def _choose(sought: Sequence[SoughtWord], total: int) -> list[SoughtWord]:
    """Return the words whose passages are compared: the rarest."""
    listed = sorted(
        (word for word in sought if word.passages is not None), key=lambda word: len(word.passages or ())
    )
    most = max(_FEW, total * _COMMON_SHARE)
    return [word for at, word in enumerate(listed) if at == 0 or len(word.passages or ()) <= most]


class _KnownWords:
    """How many passages of all owners have a word, as far as that is known without reading much: it is remembered of common words."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: Mapping[str, int] = {}
        self._rest: int | None = None  # how many have any other word, at most, if that is known
        self._until = 0.0
        self._lock = threading.Lock()

    def count(self, connection: Connection, forms: Collection[str]) -> Counter[str]:
        """Return how many passages have each form; in Postgres roughly."""
        is_postgres = connection.dialect.name == "postgresql"
        with self._lock:
            if time.monotonic() >= self._until:
                self.total, self._counts = (_statistics if is_postgres else _sqlite_total)(connection)
                self._rest = min(self._counts.values(), default=None)
                self._until = time.monotonic() + _KNOWN_S
            known, most = self._counts, self._rest
        counts = Counter({form: known[form] for form in forms if form in known})
        rest = sorted(set(forms) - counts.keys())
        if most is not None:
            counts.update(dict.fromkeys(rest, most))
        elif rest:
            statement = _POSTGRES_COUNT if is_postgres else _SQLITE_FREQUENCY
            limits = {"limit": _LISTED_OF_ONE + 1} if is_postgres else {}
            rows = connection.execute(statement, {"words": rest} | limits).all()
            counts.update({form: count for form, count in rows})  # noqa: C416  (rows are no pairs to mypy)
            often = {form: count for form, count in rows if count > _OFTEN}
            with self._lock:
                self._counts = {**self._counts, **often}
        return counts


_known: WeakKeyDictionary[Engine, _KnownWords] = WeakKeyDictionary()


def _known_words(connection: Connection) -> _KnownWords:
    return _known.setdefault(connection.engine, _KnownWords())


def _sqlite_total(connection: Connection) -> tuple[int, Mapping[str, int]]:
    return int(connection.execute(_SQLITE_TOTAL).scalar() or 0), {}


def _statistics(connection: Connection) -> tuple[int, Mapping[str, int]]:
    """Return how many passages Postgres has, roughly, and how many have each of the common words."""
    total = max(0, int(connection.execute(_POSTGRES_TOTAL).scalar() or 0))
    found = connection.execute(_POSTGRES_STATISTICS).one_or_none()
    if found is None or not found.words:
        return total, {}
    return total, {
        word: max(1, round(share * total)) for word, share in zip(found.words, found.shares, strict=False)
    }


def _list(connection: Connection, word: QueryWord, scopes: Sequence[str], limit: int) -> list[int]:
    """Return the passages of the scopes that have a word, in order."""
    if connection.dialect.name == "postgresql":
        query = f"({' | '.join(map(_quoted, scopes))}) & ({' | '.join(map(_quoted, word))})"
        found = connection.execute(_POSTGRES_LIST, {"query": query, "limit": limit}).scalar()
        return sorted(found or ())
    query = f"({_any(scopes)}) AND ({_any(word)})"
    joined = connection.execute(_SQLITE_LIST, {"query": query, "limit": limit}).scalar()
    return sorted(map(int, str(joined).split(","))) if joined else []


def _read_places(connection: Connection, ids: Sequence[int]) -> list[Candidate]:
    if connection.dialect.name == "postgresql":
        rows = connection.execute(_POSTGRES_PLACES, {"ids": list(ids)})
    else:
        rows = connection.execute(_SQLITE_PLACES, {"ids": str(list(ids))})
    return [
        Candidate(id=passage, first=first, last=first + count - 1, length=length)
        for passage, first, length, count in rows
    ]


def _count_forms(
    connection: Connection, ids: Sequence[int], forms: Collection[str]
) -> dict[int, Mapping[str, int]]:
    """Return how often each form comes in each of these passages."""
    if connection.dialect.name == "postgresql":
        either = "|".join(map(re.escape, forms))
        lexeme = re.compile(rf"'({either})'(?::([\d,]+))?")
        rows = connection.execute(_POSTGRES_WORDS, {"ids": list(ids)})
        return {
            passage: {form: places.count(",") + 1 for form, places in lexeme.findall(words)}
            for passage, words in rows
        }
    rows = connection.execute(_SQLITE_WORDS, {"ids": str(list(ids))})
    return {passage: Counter(words.split(" ")) for passage, words in rows}


def _any(words: Iterable[str]) -> str:
    """Return an expression of FTS5 for any of these words; they contain no quotes."""
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(words))


def _quoted(word: str) -> str:
    return f"'{word}'"


def _arrays(words: Iterable[tuple[int, str]]) -> Iterator[dict[str, list[int] | list[str]]]:
    coming = iter(words)
    while rows := list(islice(coming, _INSERTED_AT_ONCE)):
        yield {"passages": [passage for passage, _ in rows], "words": [_vector(found) for _, found in rows]}


def _vector(words: str) -> str:
    """Return words as the text of a `tsvector`. How often a word comes is all that is read of its places: one that comes once has none."""
    counts = Counter(words.split(" "))
    parts = [
        f"'{word}'" if count == 1 else f"'{word}':{_PLACES[min(count, _MAX_PLACES)]}"
        for word, count in counts.items()
    ]
    return " ".join(parts)
