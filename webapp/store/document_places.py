"""Puts documents where they belong, in a collection or in a conversation, within the limits of both."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from webapp.errors import TooLarge
from webapp.search.prepare import IndexedDocument
from webapp.store import changes, conversations, documents
from webapp.store.documents import SourceFile, StoredDocument
from webapp.store.new_documents import NewDocument, put_documents
from webapp.store.quota import StorageLimits, check_attachments, check_owner_quota

MAX_CONVERSATION_DOCUMENTS = 50
MAX_COLLECTION_DOCUMENTS = 10_000
MAX_COLLECTIONS = 200


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a document belongs: exactly one of a collection, by its name, and a conversation, by its id."""

    collection: str | None = None
    conversation: str | None = None


def find_same(connection: Connection, owner: str, place: Place, file: SourceFile) -> StoredDocument | None:
    """Return the document of this file in this place; None if there is none."""
    if place.collection is not None:
        found = documents.find_own_collection(connection, owner, place.collection)
        listed = (
            [] if found is None else documents.list_documents(connection, collection=found, source=file.name)
        )
    else:
        listed = documents.list_documents(
            connection, conversation=place.conversation, owner=owner, source=file.name
        )
    return next((each for each in listed if each.digest == file.digest), None)


def put_in_place(
    connection: Connection,
    owner: str,
    document: IndexedDocument,
    file: SourceFile,
    place: Place,
    limits: StorageLimits,
) -> StoredDocument:
    """Store a document where it belongs, which is created if there is none. Raises `TooLarge`, and `NotFound` for a conversation."""
    check_owner_quota(connection, owner, documents.size_of(document), limits.owner_bytes, "body")
    new = NewDocument(document=document, file=file)
    if place.conversation is not None:
        conversations.open_or_create(connection, owner, place.conversation, file.name)
        (stored,) = put_documents(connection, owner, [new], conversation=place.conversation)
        check_attachments(connection, place.conversation, limits, "documents")
        count, most = (
            documents.count_documents(connection, conversation=place.conversation),
            MAX_CONVERSATION_DOCUMENTS,
        )
    else:
        collection = documents.create_collection(connection, owner, place.collection or "")
        if documents.count_collections(connection, owner) > MAX_COLLECTIONS:
            raise _too_many("collections", MAX_COLLECTIONS)
        # It may have replaced one: what is counted is what there is now, and an error undoes all of it.
        (stored,) = put_documents(connection, owner, [new], collection=collection)
        count, most = documents.count_documents(connection, collection=collection), MAX_COLLECTION_DOCUMENTS
    if count > most:
        raise _too_many("documents", most)
    if place.conversation is not None:
        changes.record(connection, [(owner, place.conversation)])
    return stored


def remove_document(connection: Connection, owner: str, document: str) -> None:
    """Delete one of an owner's documents with its passages. Raises `NotFound`."""
    found = documents.find_own_document(connection, owner, document)
    documents.delete_documents(connection, owner, [document])
    if found.conversation is not None:
        changes.record(connection, [(owner, found.conversation)])


def _too_many(what: str, most: int) -> TooLarge:
    return TooLarge(
        f"There can be at most {most:,} {what} here. Delete some, then try again.", code=f"too_many_{what}"
    )
