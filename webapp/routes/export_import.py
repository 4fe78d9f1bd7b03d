"""Export of a conversation as Markdown or JSON, and import of that JSON and of other apps' exports."""

from __future__ import annotations

import base64
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, request

from webapp.api.export_markdown import conversation_to_markdown
from webapp.api.import_file import ImportFile
from webapp.api.import_reader import VERSION, ExportedDocument, ExportedImage
from webapp.api.import_report import import_all
from webapp.api.stored_conversations import SETTLE_S
from webapp.errors import InvalidRequest, TooManyRequests, UnsupportedType
from webapp.routes.current_principal import current_principal, require_current_owner
from webapp.routes.error_responses import request_error
from webapp.routes.responses import json_response, stored_response
from webapp.services import services
from webapp.store import conversations, documents, images, imports
from webapp.store.branches import load_messages
from webapp.store.imports import ImportedConversation
from webapp.store.rows import ConversationHead

blueprint = Blueprint("export_import", __name__, url_prefix="/conversations")

_UNSAFE_CHARS = re.compile(r"[^\w.-]+")
_MAX_FILE_NAME_CHARS = 60
_MAX_LARGE_IMPORTS = 2
_STORE_TIMEOUT_S = 20.0  # ten thousand messages take seconds in a remote or busy database
_large_imports = threading.BoundedSemaphore(_MAX_LARGE_IMPORTS)


@blueprint.get("/<conversation>/export")
def export_conversation(conversation: str) -> Response:
    """Return a conversation as a file: its current branch as Markdown, or all of it as JSON."""
    owner, parts = require_current_owner(), services()
    file_format = request.args.get("format", "json")
    if file_format not in ("json", "markdown"):
        raise InvalidRequest("format must be json or markdown.", param="format", code="invalid_type")
    parts.store.saver.settle(conversation, SETTLE_S)
    head, stored = parts.store.read(
        lambda c: (conversations.find(c, owner, conversation), load_messages(c, owner, conversation))
    )
    messages = [parts.ended_answers.complete(message, conversation) for message in stored]
    if file_format == "markdown":
        listed = parts.store.read(lambda c: documents.list_documents(c, conversation=conversation))
        names = [document.source for document in listed]
        response = Response(conversation_to_markdown(head, messages, names), mimetype="text/markdown")
        return _as_download(response, head.title, "md")
    body: dict[str, Any] = {
        "freshet": VERSION,
        "title": head.title,
        "system": head.system,
        "leaf": head.leaf,
        "created_at": head.created_at,
        "messages": messages,
        "images": _exported_images(owner, conversation),
        "documents": _exported_documents(conversation),
    }
    return _as_download(stored_response(body), head.title, "json")


def _exported_images(owner: str, conversation: str) -> dict[str, ExportedImage]:
    found = services().store.read(lambda c: images.load_all(c, owner, conversation))
    return {
        image.id: ExportedImage(image.media_type, base64.b64encode(image.content).decode()) for image in found
    }


def _exported_documents(conversation: str) -> dict[str, ExportedDocument]:
    found = services().store.read(lambda c: documents.load_parsed(c, conversation))
    return {
        stored.id: ExportedDocument(
            source=stored.source,
            digest=stored.digest,
            file_bytes=stored.file_bytes,
            created_at=stored.created_at,
            **msgspec.structs.asdict(parsed),
        )
        for stored, parsed in found
    }


@blueprint.post("/import")
def import_conversations() -> Response:
    """Create conversations from an export of this app or another: each as a whole, or not at all.

    One conversation of this app is answered by itself, as an error if it cannot be imported; anything else by a report.
    """
    owner = require_current_owner()
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    limiter, caller = services().limiter, current_principal()
    limiter.count_import(caller)
    raw = _read_body()
    with _import_slot(len(raw)):
        file = ImportFile(raw)
        del raw
        report = import_all(file, lambda conversation: _store(conversation, owner))
    if report.error is None:
        return json_response(report.body, 201)
    return request_error(report.error, report.body)


def _store(conversation: ImportedConversation, owner: str) -> ConversationHead:
    """Store a conversation in one transaction. Raises `RequestError` if the caller may not store that much."""
    limiter, caller = services().limiter, current_principal()
    indexed = services().uploads.index_all(caller, [each.parsed for each in conversation.documents])
    limiter.count_stored_bytes(caller, conversation.size_bytes + sum(map(documents.size_of, indexed)))
    owner_bytes = limiter.allowance(caller).stored_bytes
    return services().store.write(
        lambda c: imports.insert_conversation(c, owner, conversation, owner_bytes, indexed), _STORE_TIMEOUT_S
    )


@contextmanager
def _import_slot(size: int) -> Iterator[None]:
    """Limit the number of concurrent large imports: each is in memory more than once. Raises `TooManyRequests`."""
    if size <= services().max_body_bytes:
        yield
        return
    if not _large_imports.acquire(blocking=False):
        raise TooManyRequests(
            "Other large imports are in progress: try again in a few seconds.", retry_after_s=10, code="busy"
        )
    try:
        yield
    finally:
        _large_imports.release()


def _read_body() -> bytes:
    """Return the body, which may be larger than at other endpoints."""
    request.max_content_length = services().import_max_bytes
    return request.get_data()


def _as_download(response: Response, title: str, extension: str) -> Response:
    """Add a file name made from the title: in ASCII for old clients, and in UTF-8; RFC 6266."""
    name = _UNSAFE_CHARS.sub("-", title)[:_MAX_FILE_NAME_CHARS].strip("-.") or "conversation"
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip("-.")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{ascii_name or "conversation"}.{extension}"; '
        f"filename*=UTF-8''{quote(f'{name}.{extension}', safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
