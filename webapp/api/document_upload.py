"""Takes a file in as a document: checks it, has it read, and stores it in a collection or in a conversation, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from webapp.access.limits import Limiter
from webapp.access.principals import Principal, require_owner
from webapp.documents.names import clean_name
from webapp.documents.parse import MAX_FILE_BYTES, DocumentParser
from webapp.errors import DocumentRefused, InvalidRequest
from webapp.frames import is_run_id
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import IndexedDocument
from webapp.store.document_places import Place, find_same, put_in_place
from webapp.store.documents import SourceFile, StoredDocument, size_of
from webapp.store.store import Store

_STORE_S = 20.0  # thousands of passages take seconds in a remote or busy database


@dataclass(frozen=True, kw_only=True)
class DocumentUpload:
    """Stores files as documents. One instance serves all requests of a server."""

    parser: DocumentParser
    store: Store
    limiter: Limiter

    def add(self, caller: Principal, name: str, data: bytes, place: Place) -> StoredDocument:
        """Store a file, or return the document that it is already: the same bytes under the same name.

        In a collection it replaces the document with its name. Takes up to a minute for a file that is hard to read. Raises
        `DocumentRefused`, `InvalidRequest`, `NotFound`, `TooLarge`, `TooManyRequests`, `NotSignedIn` and `Unavailable`.
        """
        owner, name = require_owner(caller), clean_name(name)
        if not name:
            raise InvalidRequest("name is missing: send the file's name.", param="name", code="empty")
        _check_place(place)
        if len(data) > MAX_FILE_BYTES:
            raise DocumentRefused("document_too_large", param="body")
        file = SourceFile(name, hashlib.sha256(data).hexdigest(), len(data))
        known = self.store.read(lambda c: find_same(c, owner, place, file))
        if known is not None:
            return known
        self.limiter.count_document(caller)
        document = self.parser.parse(name, data, share=caller.owner if caller.is_counted else None)
        size = size_of(document)
        self.limiter.count_stored_bytes(caller, size)
        limits = msgspec.structs.replace(
            self.store.limits, owner_bytes=self.limiter.allowance(caller).stored_bytes
        )
        return self.store.write(lambda c: put_in_place(c, owner, document, file, place, limits), _STORE_S)

    def index_all(self, caller: Principal, parsed: Sequence[ParsedDocument]) -> list[IndexedDocument]:
        """Return the documents of an import with their passages. Raises as `add`."""
        share = caller.owner if caller.is_counted else None
        return [self.parser.index(document, share=share) for document in parsed]


def check_collection_name(name: str) -> str:
    """Return a collection's name as it is stored. Raises `InvalidRequest`."""
    cleaned = clean_name(name)
    if not cleaned or cleaned != name.strip():
        raise InvalidRequest(
            "collection must be a name of 1 to 200 characters in one line.",
            param="collection",
            code="bad_collection",
        )
    return cleaned


def _check_place(place: Place) -> None:
    if (place.collection is None) == (place.conversation is None):
        raise InvalidRequest(
            "Send collection, a name, or conversation, an id: where the document belongs.",
            param="collection",
            code="no_place" if place.collection is None else "two_places",
        )
    if place.collection is not None:
        check_collection_name(place.collection)
    elif not is_run_id(place.conversation or ""):
        raise InvalidRequest(
            "conversation must be 22 characters of A-Z a-z 0-9 - _.",
            param="conversation",
            code="bad_conversation",
        )
