"""Stores documents: their texts, their passages and the index of their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, and_, delete, insert, select, text

from webapp.frames import new_run
from webapp.search.passages import Passage
from webapp.search.prepare import IndexedDocument
from webapp.store.documents import SourceFile, StoredDocument, size_of
from webapp.store.passage_index import add_words, scope_of
from webapp.store.rows import clean_text, now_ms
from webapp.store.schema import document_texts, documents, passages

_INSERTED_AT_ONCE = 1_000
# One statement with arrays: a statement for each row takes the driver and the server twice as long.
_POSTGRES_INSERT = text(
    "INSERT INTO passages (document, number, start, stop, page, heading) SELECT * FROM unnest(CAST(:document AS text[]), "
    "CAST(:number AS int[]), CAST(:start AS int[]), CAST(:stop AS int[]), CAST(:page AS int[]), CAST(:heading AS text[]))"
)


class NewDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document to store. Without `id` it gets a new one; without `created_at`, in milliseconds since 1970, it is created now."""

    document: IndexedDocument
    file: SourceFile
    id: str | None = None
    created_at: int | None = None


def put_documents(
    connection: Connection,
    owner: str,
    added: Sequence[NewDocument],
    *,
    collection: str | None = None,
    conversation: str | None = None,
) -> list[StoredDocument]:
    """Store documents in a collection, where they replace those of the same file names, or in a conversation; at most some hundred.

    The caller has checked both, and the quota.
    """
    if collection is not None:
        added = list({clean_text(each.file.name): each for each in added}.values())
        _delete_replaced(connection, collection, [clean_text(each.file.name) for each in added])
    stored = [_describe(each, collection, conversation) for each in added]
    if not stored:
        return []
    rows = [
        msgspec.structs.asdict(each) | {"owner": owner, "language": clean_text(new.document.language)}
        for each, new in zip(stored, added, strict=True)
    ]
    connection.execute(insert(documents), rows)
    texts = [
        {
            "document": each.id,
            "text": clean_text(new.document.parsed.text),
            "pages": msgspec.json.encode(new.document.parsed.pages).decode(),
        }
        for each, new in zip(stored, added, strict=True)
    ]
    connection.execute(insert(document_texts), texts)
    words = {each.id: new.document.words for each, new in zip(stored, added, strict=True)}
    _insert_passages(
        connection,
        [
            _row(each.id, passage)
            for each, new in zip(stored, added, strict=True)
            for passage in new.document.passages
        ],
    )
    add_words(connection, _index_rows(connection, words, scope_of(collection, conversation)))
    return stored


def _delete_replaced(connection: Connection, collection: str, sources: Sequence[str]) -> None:
    same = and_(documents.c.collection == collection, documents.c.source.in_(sources))
    # Without the question SQLite would write the words of the documents before into its index: that takes longer than storing them.
    if connection.execute(select(documents.c.id).where(same).limit(1)).first() is not None:
        connection.execute(delete(documents).where(same))


def _describe(new: NewDocument, collection: str | None, conversation: str | None) -> StoredDocument:
    document = new.document
    return StoredDocument(
        id=new.id or new_run(),
        source=clean_text(new.file.name),
        title=clean_text(document.parsed.title),
        media_type=document.parsed.media_type,
        digest=new.file.digest,
        file_bytes=new.file.bytes,
        size=size_of(document),
        pages=len(document.parsed.pages),
        passages=len(document.passages),
        created_at=now_ms() if new.created_at is None else new.created_at,
        collection=collection,
        conversation=conversation,
    )


def _row(document: str, passage: Passage) -> dict[str, object]:
    return {
        "document": document,
        "number": passage.number,
        "start": passage.start,
        "stop": passage.end,
        "page": passage.page,
        "heading": clean_text(passage.heading),
    }


def _insert_passages(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    for first in range(0, len(rows), _INSERTED_AT_ONCE):
        some = rows[first : first + _INSERTED_AT_ONCE]
        if connection.dialect.name == "postgresql":
            connection.execute(_POSTGRES_INSERT, {name: [row[name] for row in some] for name in some[0]})
        else:
            connection.execute(insert(passages), some)


def _index_rows(connection: Connection, words: dict[str, list[str]], scope: str) -> Iterator[tuple[int, str]]:
    """Return the id of each passage with its words and its scope; `words` are those of the passages of each document."""
    query = select(passages.c.id, passages.c.document, passages.c.number).where(
        passages.c.document.in_(words)
    )
    found = connection.execute(query.order_by(passages.c.id)).all()
    return ((passage, f"{scope} {words[document][number]}") for passage, document, number in found)
