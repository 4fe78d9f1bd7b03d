"""Documents and collections: stored, listed, deleted and searched. Each belongs to an owner, and every query says who asks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import count

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from webapp.errors import NotFound
from webapp.found_passage import FoundPassage
from webapp.frames import new_run
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import IndexedDocument
from webapp.search.words import query_words
from webapp.store.passage_index import scope_of, search_words
from webapp.store.rows import clean_text, now_ms
from webapp.store.schema import (
    collection_grants,
    collections,
    conversations,
    document_texts,
    documents,
    passages,
)

_ROW_BYTES = 300  # what a document or a passage takes besides its texts, roughly
_MAX_QUERY_CHARS = 4_000
_PART_CHARS = 4_000  # of a document without pages
_MAX_PAGE_CHARS = 20_000


class StoredCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection and what is in it; times are milliseconds since 1970. `is_own` is whether the caller may change it."""

    id: str
    name: str
    is_own: bool
    documents: int
    created_at: int


class SourceFile(msgspec.Struct, frozen=True):
    """The file that a document was read from: its name, the SHA-256 of its bytes, and how many they are (0: unknown)."""

    name: str
    digest: str
    bytes: int


class StoredDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document without its text.

    `source` is its file's name and `file_bytes` the file's size; `size` is what the document counts in the owner's quota, in bytes.
    """

    id: str
    source: str
    title: str
    media_type: str
    digest: str
    file_bytes: int
    size: int
    pages: int
    passages: int
    created_at: int
    collection: str | None = None
    conversation: str | None = None


class DocumentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a document's text around an offset: its page, or else whole lines. `start` and `end` are offsets into the text."""

    document: str
    source: str
    title: str
    page: int | None
    pages: int
    start: int
    end: int
    length: int
    text: str


def size_of(document: IndexedDocument) -> int:
    """Return what a document counts in its owner's quota: its text, and the index of its words."""
    texts = len(document.parsed.text.encode()) + sum(len(words.encode()) for words in document.words)
    return texts + _ROW_BYTES * (1 + len(document.passages))


def create_collection(connection: Connection, owner: str, name: str) -> str:
    """Return the id of an owner's collection, which is created if there is none with this name."""
    found = find_own_collection(connection, owner, name)
    if found is None:
        found = new_run()
        connection.execute(
            insert(collections).values(id=found, owner=owner, name=clean_text(name), created_at=now_ms())
        )
    return found


def list_collections(connection: Connection, owner: str, grantees: Collection[str]) -> list[StoredCollection]:
    """Return the collections that a caller may search: own ones, and those that are given to one of `grantees`, by name."""
    number = select(func.count()).where(documents.c.collection == collections.c.id).scalar_subquery()
    query = (
        select(collections, number.label("documents"))
        .where(_is_visible(owner, grantees))
        .order_by(collections.c.name, collections.c.id)
    )
    return [
        StoredCollection(
            id=row.id,
            name=row.name,
            is_own=row.owner == owner,
            documents=row.documents,
            created_at=row.created_at,
        )
        for row in connection.execute(query)
    ]


def find_collections(
    connection: Connection, owner: str, grantees: Collection[str], names: Sequence[str] | None
) -> list[str]:
    """Return the ids of the collections with these names that a caller may search, or of all. Raises `NotFound`, naming one."""
    query = select(collections.c.id, collections.c.name).where(_is_visible(owner, grantees))
    if names is not None:
        query = query.where(collections.c.name.in_(names))
    rows = connection.execute(query).all()
    for name in names or ():
        if all(row.name != name for row in rows):
            raise collection_not_found(name)
    return [row.id for row in rows]


def delete_collection(connection: Connection, owner: str, name: str) -> None:
    """Delete an owner's collection with its documents. Raises `NotFound`."""
    found = find_own_collection(connection, owner, name)
    if found is None:
        raise collection_not_found(name)
    connection.execute(delete(collections).where(collections.c.id == found))


def grant_collection(connection: Connection, owner: str, name: str, grantees: Collection[str]) -> None:
    """Grant the search of a collection to these callers, and to no others. Raises `NotFound`."""
    found = find_own_collection(connection, owner, name)
    if found is None:
        raise collection_not_found(name)
    connection.execute(delete(collection_grants).where(collection_grants.c.collection == found))
    rows = [{"collection": found, "grantee": grantee} for grantee in dict.fromkeys(grantees)]
    if rows:
        connection.execute(insert(collection_grants), rows)


def list_documents(
    connection: Connection,
    *,
    collection: str | None = None,
    conversation: str | None = None,
    owner: str | None = None,
    source: str | None = None,
) -> list[StoredDocument]:
    """Return the documents of a collection by source, or of a conversation by age; of `owner` and with `source` alone, if given.

    Without an owner the caller has checked who asks.
    """
    query = select(documents).where(_is_in(collection, conversation))
    if owner is not None:
        query = query.where(documents.c.owner == owner)
    if source is not None:
        query = query.where(documents.c.source == clean_text(source))
    order = (documents.c.source,) if collection is not None else (documents.c.created_at, documents.c.id)
    return [_parse(row) for row in connection.execute(query.order_by(*order))]


def count_documents(
    connection: Connection, *, collection: str | None = None, conversation: str | None = None
) -> int:
    """Return how many documents a collection or a conversation has."""
    query = select(func.count()).select_from(documents).where(_is_in(collection, conversation))
    return int(connection.execute(query).scalar_one())


def count_collections(connection: Connection, owner: str) -> int:
    """Return how many collections an owner has."""
    query = select(func.count()).select_from(collections).where(collections.c.owner == owner)
    return int(connection.execute(query).scalar_one())


def find_document(
    connection: Connection, owner: str, grantees: Collection[str], document: str
) -> StoredDocument:
    """Return a document that a caller may read: an own one, or one of a collection given to `grantees`. Raises `NotFound`."""
    row = connection.execute(
        select(documents)
        .outerjoin(collections, collections.c.id == documents.c.collection)
        .outerjoin(conversations, conversations.c.id == documents.c.conversation)
        .where(
            documents.c.id == document,
            or_(
                and_(conversations.c.owner == owner, conversations.c.deleted_at.is_(None)),
                and_(documents.c.collection.is_not(None), _is_visible(owner, grantees)),
            ),
        )
    ).one_or_none()
    if row is None:
        raise document_not_found()
    return _parse(row)


def find_own_document(connection: Connection, owner: str, document: str) -> StoredDocument:
    """Return one of an owner's own documents. Raises `NotFound`."""
    query = select(documents).where(documents.c.id == document, documents.c.owner == owner)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise document_not_found()
    return _parse(row)


def read_part(
    connection: Connection, document: StoredDocument, at: int, page: int | None = None
) -> DocumentPart:
    """Return the page of a document, or about 4,000 characters of one without pages, around the offset `at` into its text.

    With `page`, which counts from 1, `at` does not matter in a document with pages.
    """
    row = connection.execute(
        select(document_texts.c.pages, func.length(document_texts.c.text).label("length")).where(
            document_texts.c.document == document.id
        )
    ).one()
    pages = msgspec.json.decode(row.pages, type=list[int])
    at = max(0, min(at, row.length - 1))
    if not pages:
        page = None
    elif page is None:
        page = bisect_right(pages, at)
    else:
        page = max(1, min(page, len(pages)))
    start, end = max(0, at - _PART_CHARS // 4), min(row.length, at + _PART_CHARS * 3 // 4)
    if page is not None:
        start, end = pages[page - 1], pages[page] if page < len(pages) else row.length
        end = min(end, start + _MAX_PAGE_CHARS)
    part = func.substr(document_texts.c.text, start + 1, end - start)
    text: str = connection.execute(select(part).where(document_texts.c.document == document.id)).scalar_one()
    if page is None:
        begins = text.find("\n", 0, at - start) + 1 if start > 0 else 0
        stops = text.rfind("\n", at - start) if end < row.length else -1
        text = text[begins : stops if stops > 0 else None]
        start += begins
    return DocumentPart(
        document=document.id,
        source=document.source,
        title=document.title,
        page=page,
        pages=len(pages),
        start=start,
        end=start + len(text),
        length=row.length,
        text=text,
    )


def measure_documents(connection: Connection, conversation: str) -> list[tuple[StoredDocument, int]]:
    """Return the documents of a conversation by age, each with the characters of its text. The caller has checked who asks."""
    query = (
        select(documents, func.length(document_texts.c.text).label("length"))
        .join(document_texts, document_texts.c.document == documents.c.id)
        .where(documents.c.conversation == conversation)
        .order_by(documents.c.created_at, documents.c.id)
    )
    return [(_parse(row), row.length) for row in connection.execute(query)]


def load_texts(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the whole texts of documents by id."""
    query = select(document_texts.c.document, document_texts.c.text).where(document_texts.c.document.in_(ids))
    return {row.document: row.text for row in connection.execute(query)}


def load_parsed(connection: Connection, conversation: str) -> list[tuple[StoredDocument, ParsedDocument]]:
    """Return the documents of a conversation by age, each with its text and pages. The caller has checked who asks."""
    query = (
        select(documents, document_texts.c.text, document_texts.c.pages.label("page_starts"))
        .join(document_texts, document_texts.c.document == documents.c.id)
        .where(documents.c.conversation == conversation)
        .order_by(documents.c.created_at, documents.c.id)
    )
    return [
        (
            _parse(row),
            ParsedDocument(
                title=row.title,
                text=row.text,
                media_type=row.media_type,
                pages=msgspec.json.decode(row.page_starts, type=tuple[int, ...]),
                language=row.language,
            ),
        )
        for row in connection.execute(query)
    ]


def delete_documents(connection: Connection, owner: str, ids: Sequence[str]) -> int:
    """Delete an owner's documents with their passages; return how many there were."""
    return connection.execute(
        delete(documents).where(documents.c.owner == owner, documents.c.id.in_(ids))
    ).rowcount


def search_documents(
    connection: Connection, query: str, *, collection_ids: Sequence[str], conversation: str | None, limit: int
) -> list[FoundPassage]:
    """Return the passages of these collections and this conversation that match a query best, the best first.

    Scores are between 0 and 1: of each passage, beside the best one's. The caller has checked who asks.
    """
    scopes = [scope_of(each) for each in collection_ids]
    within: list[ColumnElement[bool]] = [documents.c.collection.in_(collection_ids)]
    if conversation is not None:
        scopes.append(scope_of(None, conversation))
        within.append(documents.c.conversation == conversation)
    query_of_languages = (
        select(documents.c.language, func.sum(documents.c.passages).label("passages"))
        .where(or_(*within))
        .group_by(documents.c.language)
    )
    languages = {row.language: int(row.passages) for row in connection.execute(query_of_languages)}
    words = query_words(query[:_MAX_QUERY_CHARS], languages)
    found = dict(search_words(connection, words, scopes, sum(languages.values()), limit))
    best = max(found.values(), default=0.0)
    span = passages.c.stop - passages.c.start
    rows = connection.execute(
        select(
            passages.c.id,
            passages.c.document,
            passages.c.start,
            passages.c.page,
            passages.c.heading,
            documents.c.source,
            documents.c.title,
            func.substr(document_texts.c.text, passages.c.start + 1, span).label("text"),
        )
        .join(documents, documents.c.id == passages.c.document)
        .join(document_texts, document_texts.c.document == passages.c.document)
        .where(passages.c.id.in_(list(found)))
    ).all()
    rows = sorted(rows, key=lambda row: (-found[row.id], row.id))
    return [
        FoundPassage(
            document=row.document,
            source=row.source,
            title=row.title,
            text=row.text,
            heading=row.heading,
            start=row.start,
            page=row.page,
            score=round(found[row.id] / best, 4) if best > 0 else 0.0,
        )
        for row in rows
    ]


def move_documents(connection: Connection, source: str, target: str) -> None:
    """Transfer the documents and collections of one owner to another; a collection whose name the other has gets a number."""
    connection.execute(update(documents).where(documents.c.owner == source).values(owner=target))
    names = select(collections.c.name).where(collections.c.owner == target)
    taken = set(connection.execute(names).scalars())
    mine = select(collections.c.id, collections.c.name).where(collections.c.owner == source)
    for row in connection.execute(mine).all():
        numbered = (f"{row.name} ({number})" for number in count(2))
        name = row.name if row.name not in taken else next(each for each in numbered if each not in taken)
        taken.add(name)
        connection.execute(
            update(collections).where(collections.c.id == row.id).values(owner=target, name=name)
        )


def document_not_found() -> NotFound:
    """Return the error for a document that does not exist, or that the caller may not read."""
    return NotFound("There is no such document.", param="document", code="document_not_found")


def collection_not_found(name: str) -> NotFound:
    """Return the error for a collection that does not exist, or that the caller may not search."""
    return NotFound(
        f"There is no collection {name[:100]!r}.", param="collection", code="collection_not_found"
    )


def find_own_collection(connection: Connection, owner: str, name: str) -> str | None:
    """Return the id of an owner's collection; None if there is none with this name."""
    query = select(collections.c.id).where(
        collections.c.owner == owner, collections.c.name == clean_text(name)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def _is_in(collection: str | None, conversation: str | None) -> ColumnElement[bool]:
    if collection is not None:
        return documents.c.collection == collection
    return documents.c.conversation == conversation


def _is_visible(owner: str, grantees: Collection[str]) -> ColumnElement[bool]:
    is_given = exists().where(
        collection_grants.c.collection == collections.c.id, collection_grants.c.grantee.in_(grantees)
    )
    return or_(collections.c.owner == owner, is_given)


def _parse(row: Row[*tuple[object, ...]]) -> StoredDocument:
    values = row._asdict()
    for other in ("owner", "language", "length", "text", "page_starts"):
        values.pop(other, None)
    return StoredDocument(**values)
