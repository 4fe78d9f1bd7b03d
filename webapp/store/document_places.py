"""Puts documents where they belong, in a collection or in a conversation, within the limits of both."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from webapp.errors import TooLarge
from webapp.search.prepare import IndexedDocument
from webapp.store import changes, conversations, documents
from webapp.store.documents import StoredDocument
from webapp.store.quota import check_owner_quota

MAX_CONVERSATION_DOCUMENTS = 50
MAX_COLLECTION_DOCUMENTS = 10_000
MAX_COLLECTIONS = 200


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a document belongs: exactly one of a collection, by its name, and a conversation, by its id."""

    collection: str | None = None
    conversation: str | None = None


def find_same(
    connection: Connection, owner: str, place: Place, name: str, digest: str
) -> StoredDocument | None:
    """Return the document of this name and these bytes in this place; None if there is none."""
    if place.collection is not None:
        found = documents.find_own_collection(connection, owner, place.collection)
        listed = [] if found is None else documents.list_documents(connection, collection=found, source=name)
    else:
        listed = documents.list_documents(
            connection, conversation=place.conversation, owner=owner, source=name
        )
    return next((each for each in listed if each.digest == digest), None)


def put_in_place(
    connection: Connection,
    owner: str,
    document: IndexedDocument,
    name: str,
    digest: str,
    place: Place,
    owner_bytes: int,
) -> StoredDocument:
    """Store a document where it belongs, which is created if there is none. Raises `TooLarge`, and `NotFound` for a conversation.

    `name` is that of its file, `digest` the SHA-256 of its bytes, and `owner_bytes` the owner's quota.
    """
    check_owner_quota(connection, owner, documents.size_of(document), owner_bytes, "body")
    if place.conversation is not None:
        conversations.open_or_create(connection, owner, place.conversation)
        stored = documents.put_document(
            connection, owner, document, name, digest, conversation=place.conversation
        )
        count, most = (
            documents.count_documents(connection, conversation=place.conversation),
            MAX_CONVERSATION_DOCUMENTS,
        )
    else:
        collection = documents.create_collection(connection, owner, place.collection or "")
        if documents.count_collections(connection, owner) > MAX_COLLECTIONS:
            raise _too_many("collections", MAX_COLLECTIONS)
        # It may have replaced one: what is counted is what there is now, and an error undoes all of it.
        stored = documents.put_document(connection, owner, document, name, digest, collection=collection)
        count, most = documents.count_documents(connection, collection=collection), MAX_COLLECTION_DOCUMENTS
    if count > most:
        raise _too_many("documents", most)
    if place.conversation is not None:
        changes.record(connection, [(owner, place.conversation)])
    return stored


def _too_many(what: str, most: int) -> TooLarge:
    return TooLarge(
        f"There can be at most {most:,} {what} here. Delete some, then try again.", code=f"too_many_{what}"
    )
