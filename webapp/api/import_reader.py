"""Checks an exported conversation, which is untrusted input, and gives all its messages new ids.

Every error names the field.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated

import msgspec

from webapp.api import image_upload
from webapp.chat import TextPart
from webapp.conversation import (
    MAX_IMAGES,
    MAX_STORED_IMAGES,
    BrokenTree,
    Message,
    make_title,
    sort_parents_first,
    to_one_line,
)
from webapp.documents.formats import Format
from webapp.documents.jobs import MAX_TEXT_CHARS
from webapp.documents.names import clean_name
from webapp.documents.plain import clean
from webapp.errors import InvalidRequest
from webapp.events import MAX_SOURCES, Source, web_address
from webapp.frames import new_run
from webapp.offload import yield_control
from webapp.parsed_document import ParsedDocument
from webapp.store.document_places import MAX_CONVERSATION_DOCUMENTS
from webapp.store.documents import SourceFile
from webapp.store.images import StoredImage
from webapp.store.imports import ImportedConversation, ImportedDocument
from webapp.store.rows import now_ms

VERSION = 1
MAX_MESSAGES = 10_000
_MAX_NAME_CHARS = 200
_MAX_TOKENS = 1_000_000_000
_TOKEN_FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_MAX_MS = 2**31 - 1
_MAX_SOURCE_NUMBER = 9_999
_HAS_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:|\s*//")
_MAX_SOURCE_CHARS = 2_000
_MAX_DOCUMENT_TITLE_CHARS = 2_000
_MAX_PAGES = 100_000
_YIELD_EVERY = 200  # messages between two yields to the event loop

_Name = Annotated[str, msgspec.Meta(max_length=_MAX_NAME_CHARS)]


class ExportedImage(msgspec.Struct, frozen=True):
    """An image in an export file; `data` is base64."""

    media_type: str
    data: str


class ExportedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document in an export file: its text, and the offsets at which its pages begin."""

    source: Annotated[str, msgspec.Meta(max_length=_MAX_NAME_CHARS)]
    title: Annotated[str, msgspec.Meta(max_length=_MAX_DOCUMENT_TITLE_CHARS)]
    media_type: str
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
    pages: Annotated[tuple[int, ...], msgspec.Meta(max_length=_MAX_PAGES)] = ()
    language: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{0,20}$")] = ""
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    file_bytes: Annotated[int, msgspec.Meta(ge=0, le=_MAX_MS)] = 0
    created_at: Annotated[int, msgspec.Meta(ge=0)] | None = None


class ExportFile(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an export file, of which only the types are checked."""

    freshet: int
    messages: Annotated[list[Message], msgspec.Meta(max_length=MAX_MESSAGES)]
    title: _Name | None = None
    system: Annotated[str, msgspec.Meta(max_length=100_000)] | None = None
    leaf: _Name | None = None
    created_at: int | None = None
    images: Annotated[dict[str, ExportedImage], msgspec.Meta(max_length=MAX_STORED_IMAGES)] = {}
    documents: Annotated[
        dict[str, ExportedDocument], msgspec.Meta(max_length=MAX_CONVERSATION_DOCUMENTS)
    ] = {}


def read_export(file: ExportFile) -> ImportedConversation:
    """Check an export file and return it with new ids. Raises `InvalidRequest` that names the field."""
    if file.freshet != VERSION:
        raise _bad_import("freshet", f"must be {VERSION}: this was exported by another version")
    if not file.messages:
        raise _bad_import("messages", "is empty")
    for index, message in enumerate(file.messages):
        if not message.id or len(message.id) > _MAX_NAME_CHARS:
            raise _bad_import(f"messages[{index}].id", f"must have 1 to {_MAX_NAME_CHARS} characters")
    try:
        order = sort_parents_first([(message.id, message.parent) for message in file.messages])
    except BrokenTree as broken:
        raise _bad_import(f"messages[{broken.index}].{broken.field}", broken.reason) from None
    if file.leaf is not None and not any(message.id == file.leaf for message in file.messages):
        raise _bad_import("leaf", "is not the id of a message in this file")
    images = {key: _read_image(key, image) for key, image in file.images.items()}
    attached = {key: _read_document(key, document) for key, document in file.documents.items()}
    document_ids = {key: document.id for key, document in attached.items()}
    new_ids = {message.id: new_run() for message in file.messages}
    now = now_ms()
    latest: dict[str | None, int] = {}  # the last creation time of a child, by parent
    messages: list[Message] = []
    for count, index in enumerate(order):
        message = file.messages[index]
        if count % _YIELD_EVERY == 0:
            yield_control()
        _check_message(f"messages[{index}]", message, images)
        # Siblings keep their order, so no two may have the same time.
        created_at = max(min(message.created_at, now), latest.get(message.parent, -1) + 1)
        latest[message.parent] = created_at
        messages.append(_with_new_ids(message, new_ids, images, document_ids, created_at))
    return ImportedConversation(
        id=new_run(),
        title=_title(file),
        system=file.system or None,
        leaf=new_ids[file.leaf or file.messages[order[-1]].id],
        created_at=max(0, min(file.created_at or now, now)),
        messages=messages,
        images=list({image.id: image for image in images.values()}.values()),
        documents=list(attached.values()),
    )


def _check_message(path: str, message: Message, images: Mapping[str, StoredImage]) -> None:
    if message.created_at < 0:
        raise _bad_import(f"{path}.created_at", "must be in milliseconds since 1970")
    for field in ("provider", "model", "error"):
        if len(getattr(message, field) or "") > _MAX_NAME_CHARS:
            raise _bad_import(f"{path}.{field}", f"may have at most {_MAX_NAME_CHARS} characters")
    if len(message.images) > MAX_IMAGES:
        raise _bad_import(f"{path}.content", f"may have at most {MAX_IMAGES} images")
    for image in message.images:
        if image.image not in images:
            raise _bad_import(f"{path}.content", "refers to an image that is not in images")
    usage, cost = message.usage, message.cost
    if usage is not None and not all(0 <= getattr(usage, field) <= _MAX_TOKENS for field in _TOKEN_FIELDS):
        raise _bad_import(f"{path}.usage", f"must be 0 to {_MAX_TOKENS} tokens")
    if cost is not None and not (cost.is_finite() and 0 <= cost <= _MAX_TOKENS and len(str(cost)) <= 40):
        raise _bad_import(f"{path}.cost", f"must be an amount from 0 to {_MAX_TOKENS}, in at most 40 digits")
    if message.thought_ms is not None and not 0 <= message.thought_ms <= _MAX_MS:
        raise _bad_import(f"{path}.thought_ms", f"must be 0 to {_MAX_MS} milliseconds")
    _check_sources(f"{path}.sources", message.sources)


def _check_sources(path: str, sources: Sequence[Source]) -> None:
    if len(sources) > MAX_SOURCES:
        raise _bad_import(path, f"may have at most {MAX_SOURCES} entries")
    for index, source in enumerate(sources):
        if not 1 <= source.n <= _MAX_SOURCE_NUMBER:
            raise _bad_import(f"{path}[{index}].n", f"must be 1 to {_MAX_SOURCE_NUMBER}")
        if _HAS_SCHEME.match(source.source) and web_address(source.source) != source.source:
            raise _bad_import(
                f"{path}[{index}].source", "must be an http or https address, or the name of a file"
            )
        for field in ("title", "snippet", "source"):
            if len(getattr(source, field)) > _MAX_SOURCE_CHARS:
                raise _bad_import(
                    f"{path}[{index}].{field}", f"may have at most {_MAX_SOURCE_CHARS} characters"
                )


def _with_new_ids(
    message: Message,
    new_ids: Mapping[str, str],
    images: Mapping[str, StoredImage],
    document_ids: Mapping[str, str],
    created_at: int,
) -> Message:
    content = tuple(
        piece if isinstance(piece, TextPart) else images[piece.image].ref for piece in message.content
    )
    return msgspec.structs.replace(
        message,
        id=new_ids[message.id],
        parent=None if message.parent is None else new_ids[message.parent],
        content=content,
        created_at=created_at,
        state="interrupted" if message.state == "streaming" else message.state,
        sources=tuple(_with_new_document(source, document_ids) for source in message.sources),
    )


def _with_new_document(source: Source, document_ids: Mapping[str, str]) -> Source:
    """Return a source of a document that is imported, too, or else without one: that is another server's or owner's."""
    if source.document in document_ids:
        return msgspec.structs.replace(source, document=document_ids[source.document])
    return msgspec.structs.replace(source, document="", start=None)


def _read_document(key: str, document: ExportedDocument) -> ImportedDocument:
    field = f"documents.{key[:80]}"
    name = clean_name(document.source)
    if not name:
        raise _bad_import(f"{field}.source", "is empty")
    if document.media_type not in set(Format):
        raise _bad_import(f"{field}.media_type", "is of no kind of document that can be read")
    text = clean(document.text)
    pages = document.pages if text == document.text else ()
    if pages and not (
        pages[0] == 0 and pages[-1] <= len(text) and all(one <= other for one, other in pairwise(pages))
    ):
        raise _bad_import(f"{field}.pages", "must be ascending offsets into the text, the first of them 0")
    if not text.strip():
        raise _bad_import(f"{field}.text", "is empty")
    return ImportedDocument(
        id=new_run(),
        file=SourceFile(name, document.digest, document.file_bytes),
        parsed=ParsedDocument(
            title=to_one_line(document.title) or name,
            text=text,
            media_type=document.media_type,
            pages=pages,
            language=document.language,
        ),
        created_at=now_ms() if document.created_at is None else min(document.created_at, now_ms()),
    )


def _read_image(key: str, image: ExportedImage) -> StoredImage:
    field = f"images.{key[:80]}"
    try:
        raw = base64.b64decode(image.data, validate=True)
        info = image_upload.check(raw, image.media_type)
    except ValueError:
        raise _bad_import(field, "is not valid base64") from None
    except image_upload.BadImage as bad:
        raise _bad_import(field, bad.reason) from None
    return StoredImage(
        id=hashlib.sha256(raw).hexdigest(),
        media_type=info.media_type,
        content=raw,
        width=info.width,
        height=info.height,
    )


def _title(file: ExportFile) -> str:
    first = next((message.text for message in file.messages if message.role == "user"), "")
    return to_one_line(file.title or "") or make_title(first) or "…"


def _bad_import(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {reason}.", param=field, code="bad_import")
