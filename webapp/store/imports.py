"""Insert an imported conversation in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from webapp.conversation import Message, fold
from webapp.offload import yield_control
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import IndexedDocument
from webapp.store import changes, documents, images
from webapp.store.conversations import find
from webapp.store.documents import SourceFile
from webapp.store.images import StoredImage
from webapp.store.new_documents import NewDocument, put_documents
from webapp.store.quota import check_owner_quota
from webapp.store.rows import ROW_BYTES, ConversationHead, clean_text, message_to_row, now_ms
from webapp.store.schema import conversations, messages

_BATCH_ROWS = 200
_BATCH_BYTES = 500_000
_encode = msgspec.json.Encoder().encode


class ImportedDocument(msgspec.Struct, frozen=True):
    """A document of an imported conversation, with a new id. It has no passages yet."""

    id: str
    file: SourceFile
    parsed: ParsedDocument
    created_at: int


class ImportedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with its messages, images and documents, validated, with new ids."""

    id: str
    title: str
    system: str | None
    leaf: str | None
    created_at: int
    messages: Sequence[Message]
    images: Sequence[StoredImage]
    updated_at: int | None = None  # None: now
    documents: Sequence[ImportedDocument] = ()

    @property
    def size_bytes(self) -> int:
        """The approximate size in the owner's storage, without the documents."""
        texts = sum(ROW_BYTES + len(_encode(message)) for message in self.messages)
        texts += len((self.system or "").encode(errors="replace"))
        return texts + sum(len(image.content) for image in self.images)


def insert_conversation(
    connection: Connection,
    owner: str,
    imported: ImportedConversation,
    owner_bytes: int,
    indexed: Sequence[IndexedDocument] = (),
) -> ConversationHead:
    """Insert a conversation for an owner who may store `owner_bytes`. Raises `TooLarge` beyond that.

    `indexed` are its documents with their passages, in the same order.
    """
    added = imported.size_bytes + sum(map(documents.size_of, indexed))
    check_owner_quota(connection, owner, added, owner_bytes, "body")
    title = clean_text(imported.title)
    connection.execute(
        insert(conversations).values(
            id=imported.id,
            owner=owner,
            title=title,
            folded=fold(title),
            system=imported.system and clean_text(imported.system),
            leaf=imported.leaf,
            created_at=imported.created_at,
            updated_at=now_ms() if imported.updated_at is None else imported.updated_at,
        )
    )
    images.insert_missing(connection, imported.id, imported.images)
    for rows in _batches(imported):
        connection.execute(insert(messages), rows)
        yield_control()
    for document, with_passages in zip(imported.documents, indexed, strict=True):
        new = NewDocument(
            document=with_passages, file=document.file, id=document.id, created_at=document.created_at
        )
        put_documents(connection, owner, [new], conversation=imported.id)
        yield_control()
    check_owner_quota(connection, owner, 0, owner_bytes, "body")  # the exact size, now that the rows exist
    changes.record(connection, [(owner, imported.id)])
    return find(connection, owner, imported.id)


def _batches(imported: ImportedConversation) -> Iterator[list[dict[str, Any]]]:
    """Yield the messages' rows in batches that are small enough not to block others."""
    rows: list[dict[str, Any]] = []
    size = 0
    for message in imported.messages:
        rows.append(message_to_row(imported.id, message))
        size += rows[-1]["size"]
        if len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows
