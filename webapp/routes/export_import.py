"""Taking a conversation away as Markdown or JSON, and bringing that JSON back."""

from __future__ import annotations

import base64
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, request

from webapp.api.import_reader import MOST_MESSAGES, VERSION, ExportFile, checked
from webapp.api.start_request import read_json
from webapp.api.stored_conversations import SETTLE_S, current_message, head_body
from webapp.chat import TextPart
from webapp.conversation import Message, branch
from webapp.errors import InvalidRequest, TooLarge, TooManyRequests, UnsupportedType
from webapp.offload import breathe
from webapp.routes.authentication import named_owner, principal
from webapp.routes.responses import json_response, stored_response
from webapp.services import services
from webapp.store import conversations, export_import, images
from webapp.store.branches import all_of
from webapp.store.rows import Head

blueprint = Blueprint("export_import", __name__, url_prefix="/conversations")

_UNSAFE = re.compile(r"[^\w.-]+")
_MOST_NAME_CHARS = 60
_ROLE_KEY = b'"role"'
_LARGE_AT_ONCE = 2
_MOST_VALUES = 20 * MOST_MESSAGES
_STORING_S = 20.0  # ten thousand messages take seconds where the database is far or busy
_large = threading.BoundedSemaphore(_LARGE_AT_ONCE)


@blueprint.get("/<conversation>/export")
def export(conversation: str) -> Response:
    """Give a conversation as a file: the present branch as Markdown, or all of it as JSON."""
    who, parts = named_owner(), services()
    form = request.args.get("format", "json")
    if form not in ("json", "markdown"):
        raise InvalidRequest("format must be json or markdown.", param="format", code="invalid_type")
    parts.store.saver.settle(conversation, SETTLE_S)
    head, found = parts.store.read(
        lambda c: (conversations.find(c, who, conversation), all_of(c, who, conversation))
    )
    messages = [current_message(message, conversation, parts.runs) for message in found]
    if form == "markdown":
        response = Response(_markdown(head, messages), mimetype="text/markdown")
        return _as_file(response, head.title, "md")
    kept = parts.store.read(lambda c: images.all_of(c, who, conversation))
    body: dict[str, Any] = {
        "freshet": VERSION,
        "title": head.title,
        "system": head.system,
        "leaf": head.leaf,
        "created_at": head.created_at,
        "messages": messages,
        "images": {
            picture.id: {
                "media_type": picture.media_type,
                "data": base64.b64encode(picture.content).decode(),
            }
            for picture in kept
        },
    }
    return _as_file(stored_response(body), head.title, "json")


@blueprint.post("/import")
def bring() -> Response:
    """Make a new conversation of an exported one; all of it or, with one error, nothing."""
    who = named_owner()
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    limiter, caller = services().limiter, principal()
    limiter.bring(caller)
    raw = _body()
    with _in_turn(len(raw)):
        if raw.count(_ROLE_KEY) > MOST_MESSAGES:  # found out before they are read, which would hold others up
            raise TooLarge(
                f"messages: a conversation may have {MOST_MESSAGES}.",
                param="messages",
                code="too_many_messages",
            )
        breathe()
        whole = checked(read_json(raw, ExportFile, _MOST_VALUES))
        del raw
        store = services().store
        limiter.store(caller, whole.size_bytes)
        owner_bytes = limiter.allowance(caller).stored_bytes
        head = store.write(lambda c: export_import.put_whole(c, who, whole, owner_bytes), _STORING_S)
    return json_response(head_body(head), 201)


@contextmanager
def _in_turn(size: int) -> Iterator[None]:
    """Read few large files at a time: each is in memory more than once meanwhile. Raises `TooManyRequests`."""
    if size <= services().max_body_bytes:
        yield
        return
    if not _large.acquire(blocking=False):
        raise TooManyRequests("Other large imports are under way.", retry_after_s=10, code="busy")
    try:
        yield
    finally:
        _large.release()


def _body() -> bytes:
    """Read a body that may be larger than those of other endpoints."""
    request.max_content_length = services().import_max_bytes
    return request.get_data()


def _as_file(response: Response, title: str, ending: str) -> Response:
    """Name the file after the title: a plain name for all, the true one for those who can read it."""
    name = _UNSAFE.sub("-", title)[:_MOST_NAME_CHARS].strip("-.") or "conversation"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip("-.")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{plain or "conversation"}.{ending}"; '
        f"filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _markdown(head: Head, messages: list[Message]) -> str:
    """Write the present branch for a person to read."""
    every = {message.id: message for message in messages}
    names = branch({name: message.parent for name, message in every.items()}, head.leaf)
    parts = [f"# {_escaped(head.title)}"]
    if head.system:
        parts.append("\n".join(f"> {line}" for line in head.system.splitlines()))
    for name in names:
        message = every[name]
        who = "You" if message.role == "user" else _escaped(message.model or "Answer")
        pieces = [piece.text if isinstance(piece, TextPart) else "*(an image)*" for piece in message.content]
        parts += [f"## {who}", *pieces]
        if message.state not in ("done", "streaming"):
            parts.append(f"*({message.state})*")
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
