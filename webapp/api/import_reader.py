"""Reads an exported conversation, believing nothing: every error names its field, and every id is made anew."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated

import msgspec

from webapp.api import image_upload
from webapp.chat import TextPart
from webapp.conversation import (
    MOST_IMAGES,
    MOST_IMAGES_KEPT,
    BrokenTree,
    Message,
    in_order,
    plain,
    title_of,
)
from webapp.errors import InvalidRequest
from webapp.frames import new_run
from webapp.offload import breathe
from webapp.store.export_import import ConversationExport
from webapp.store.images import StoredImage
from webapp.store.rows import now_ms

VERSION = 1
MOST_MESSAGES = 10_000
_MOST_NAME_CHARS = 200
_MOST_TOKENS = 1_000_000_000
_MOST_MS = 2**31 - 1
_EVERY = 200  # messages between two chances for others to work

_Name = Annotated[str, msgspec.Meta(max_length=_MOST_NAME_CHARS)]


class _Image(msgspec.Struct, frozen=True):
    media_type: str
    data: str


class ExportFile(msgspec.Struct, frozen=True, kw_only=True):
    """An exported conversation, as it claims to be."""

    freshet: int
    messages: Annotated[list[Message], msgspec.Meta(max_length=MOST_MESSAGES)]
    title: _Name | None = None
    system: Annotated[str, msgspec.Meta(max_length=100_000)] | None = None
    leaf: _Name | None = None
    created_at: int | None = None
    images: Annotated[dict[str, _Image], msgspec.Meta(max_length=MOST_IMAGES_KEPT)] = {}


def checked(file: ExportFile) -> ConversationExport:
    """Check all of it and give it new ids. Raises `InvalidRequest` that names the field."""
    if file.freshet != VERSION:
        raise _wrong("freshet", f"must be {VERSION}: this was exported by another version")
    if not file.messages:
        raise _wrong("messages", "holds nothing")
    for index, message in enumerate(file.messages):
        if not message.id or len(message.id) > _MOST_NAME_CHARS:
            raise _wrong(f"messages[{index}].id", f"must have 1 to {_MOST_NAME_CHARS} characters")
    try:
        order = in_order([(message.id, message.parent) for message in file.messages])
    except BrokenTree as broken:
        raise _wrong(f"messages[{broken.index}].{broken.field}", broken.reason) from None
    if file.leaf is not None and not any(message.id == file.leaf for message in file.messages):
        raise _wrong("leaf", "names no message of this conversation")
    pictures = {name: _picture(name, image) for name, image in file.images.items()}
    names = {message.id: new_run() for message in file.messages}
    now = now_ms()
    last: dict[str | None, int] = {}
    kept: list[Message] = []
    for count, index in enumerate(order):
        message = file.messages[index]
        if count % _EVERY == 0:
            breathe()
        _check(f"messages[{index}]", message, pictures)
        at = max(min(message.created_at, now), last.get(message.parent, -1) + 1)  # siblings keep their order
        last[message.parent] = at
        kept.append(_renamed(message, names, pictures, at))
    return ConversationExport(
        id=new_run(),
        title=_title(file),
        system=file.system or None,
        leaf=names[file.leaf or file.messages[order[-1]].id],
        created_at=max(0, min(file.created_at or now, now)),
        messages=kept,
        pictures=list({picture.id: picture for picture in pictures.values()}.values()),
    )


def _check(place: str, message: Message, pictures: Mapping[str, StoredImage]) -> None:
    if message.created_at < 0:
        raise _wrong(f"{place}.created_at", "must be milliseconds since 1970")
    for field in ("provider", "model", "error"):
        if len(getattr(message, field) or "") > _MOST_NAME_CHARS:
            raise _wrong(f"{place}.{field}", f"may have {_MOST_NAME_CHARS} characters")
    if len(message.images) > MOST_IMAGES:
        raise _wrong(f"{place}.content", f"may hold {MOST_IMAGES} images")
    for image in message.images:
        if image.image not in pictures:
            raise _wrong(f"{place}.content", "names an image that is not in images")
    usage, cost = message.usage, message.cost
    if usage is not None and not (
        0 <= usage.input_tokens <= _MOST_TOKENS and 0 <= usage.output_tokens <= _MOST_TOKENS
    ):
        raise _wrong(f"{place}.usage", "cannot be")
    if cost is not None and not (cost.is_finite() and 0 <= cost <= _MOST_TOKENS and len(str(cost)) <= 40):
        raise _wrong(f"{place}.cost", "cannot be")
    if message.thought_ms is not None and not 0 <= message.thought_ms <= _MOST_MS:
        raise _wrong(f"{place}.thought_ms", "cannot be")


def _renamed(
    message: Message, names: Mapping[str, str], pictures: Mapping[str, StoredImage], at: int
) -> Message:
    content = tuple(
        piece if isinstance(piece, TextPart) else pictures[piece.image].ref for piece in message.content
    )
    return msgspec.structs.replace(
        message,
        id=names[message.id],
        parent=None if message.parent is None else names[message.parent],
        content=content,
        created_at=at,
        state="interrupted" if message.state == "streaming" else message.state,
    )


def _picture(name: str, image: _Image) -> StoredImage:
    place = f"images.{name[:80]}"
    try:
        raw = base64.b64decode(image.data, validate=True)
        facts = image_upload.check(raw, image.media_type)
    except ValueError:
        raise _wrong(place, "is not base64") from None
    except image_upload.BadImage as bad:
        raise _wrong(place, bad.reason) from None
    return StoredImage(
        id=hashlib.sha256(raw).hexdigest(),
        media_type=facts.media_type,
        content=raw,
        width=facts.width,
        height=facts.height,
    )


def _title(file: ExportFile) -> str:
    first = next((message.text for message in file.messages if message.role == "user"), "")
    return plain(file.title or "") or title_of(first) or "…"


def _wrong(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {reason}.", param=field, code="bad_import")
