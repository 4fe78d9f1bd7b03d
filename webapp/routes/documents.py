"""The caller's documents, in collections and in conversations: upload, list, read and delete them."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request

from webapp.access.principals import grantees_of
from webapp.api.document_upload import check_collection_name
from webapp.documents.parse import MAX_FILE_BYTES
from webapp.errors import InvalidRequest
from webapp.routes.current_principal import current_principal, require_current_owner
from webapp.routes.document_place import requested_place
from webapp.routes.responses import json_response
from webapp.search.ranking import DEFAULT_PASSAGES, MAX_PASSAGES
from webapp.services import services
from webapp.store import conversations, documents
from webapp.store.document_places import Place, remove_document

blueprint = Blueprint("documents", __name__, url_prefix="/documents")


@blueprint.get("")
def list_documents() -> Response:
    """List the collections that the caller may search, or the documents of one collection or conversation."""
    owner, grantees, store = require_current_owner(), grantees_of(current_principal()), services().store
    collection, conversation = request.args.get("collection"), request.args.get("conversation")
    if collection is not None and conversation is not None:
        raise InvalidRequest(
            "Send collection or conversation, not both.", param="conversation", code="two_places"
        )
    if collection is not None:
        name = check_collection_name(collection)
        found = store.read(
            lambda c: [
                each
                for id_ in documents.find_collections(c, owner, grantees, [name])
                for each in documents.list_documents(c, collection=id_)
            ]
        )
        return json_response({"documents": found})
    if conversation is not None:
        conversations_documents = store.read(
            lambda c: (
                conversations.find(c, owner, conversation),
                documents.list_documents(c, conversation=conversation),
            )[1]
        )
        return json_response({"documents": conversations_documents})
    listed = store.read(lambda c: documents.list_collections(c, owner, grantees))
    return json_response({"collections": listed})


@blueprint.get("/search")
def search_documents() -> Response:
    """Return the passages that match a query best, of one collection or of all that the caller may search."""
    query, names = request.args.get("query", ""), request.args.getlist("collection") or None
    if not query.strip():
        raise InvalidRequest("query is empty.", param="query", code="empty")
    limit = _parse_limit(request.args.get("limit"))
    caller = current_principal()
    services().limiter.count_search(caller)
    found = services().retrieval.search(caller, query, names, limit)
    return json_response({"passages": [passage.as_result() for passage in found]})


@blueprint.post("")
def add_document() -> Response:
    """Store the file that is the request's body, in a collection or in a conversation; both are created if there is none."""
    require_current_owner()
    arguments = request.args
    place = Place(collection=arguments.get("collection"), conversation=arguments.get("conversation"))
    request.max_content_length = MAX_FILE_BYTES
    stored = services().uploads.add(current_principal(), arguments.get("name", ""), request.get_data(), place)
    return json_response(stored, 201)


@blueprint.delete("")
def delete_collection() -> Response:
    """Delete one of the caller's collections with its documents."""
    owner, name = require_current_owner(), check_collection_name(request.args.get("collection", ""))
    services().store.write(lambda c: documents.delete_collection(c, owner, name))
    return json_response({"deleted": name})


@blueprint.get("/<document>")
def read_document(document: str) -> Response:
    """Return what a document is, without its text."""
    owner, grantees = require_current_owner(), grantees_of(current_principal())
    return json_response(
        services().store.read(lambda c: documents.find_document(c, owner, grantees, document))
    )


@blueprint.get("/<document>/text")
def read_text(document: str) -> Response:
    """Return a page of a document, by its number or by an offset into the text, or some thousand characters around that."""
    owner, grantees = require_current_owner(), grantees_of(current_principal())
    at, page = requested_place()
    part = services().store.read(
        lambda c: documents.read_part(c, documents.find_document(c, owner, grantees, document), at, page)
    )
    return json_response(msgspec.structs.asdict(part))


@blueprint.delete("/<document>")
def delete_document(document: str) -> Response:
    """Delete one of the caller's documents with its passages."""
    owner = require_current_owner()
    services().store.write(lambda c: remove_document(c, owner, document))
    return json_response({"deleted": document})


def _parse_limit(raw: str | None) -> int:
    if raw is None:
        return DEFAULT_PASSAGES
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= MAX_PASSAGES):
        raise InvalidRequest(
            f"limit must be a number from 1 to {MAX_PASSAGES}.", param="limit", code="invalid_type"
        )
    return int(raw)
