"""What a shared link shows: one branch, read-only, to whoever has the link. It names no owner and no run."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from webapp.chat import TextPart
from webapp.conversation import Message, Piece
from webapp.routes import history
from webapp.routes.services import services
from webapp.store import shares

blueprint = Blueprint("shared", __name__, url_prefix="/shared")

_MOST_TOKEN_CHARS = 64


@blueprint.after_request
def _hide(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the key
    return response


@blueprint.get("/<token>")
def shown(token: str) -> Response:
    """Give the branch."""
    found = services().store.read(lambda c: shares.shown(c, token[:_MOST_TOKEN_CHARS]))
    runs = services().runs
    told = [_told(token, history.as_it_is(message, found.head.id, runs)) for message in found.messages]
    return history.reply({"title": found.head.title, "messages": told})


@blueprint.get("/<token>/images/<image>")
def picture(token: str, image: str) -> Response:
    """Give an image of the branch."""
    found = services().store.read(lambda c: shares.shown_picture(c, token[:_MOST_TOKEN_CHARS], image))
    response = history.picture_reply(found)
    response.headers["Cache-Control"] = "no-store"  # the link may be taken back
    return response


def _told(token: str, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {
        "role": message.role,
        "content": [_piece(token, piece) for piece in message.content],
        "created_at": message.created_at,
    }
    if message.role == "assistant":
        body |= {"model": message.model, "state": message.state}
    return body


def _piece(token: str, piece: Piece) -> dict[str, str]:
    if isinstance(piece, TextPart):
        return {"type": "text", "text": piece.text}
    return {
        "type": "image",
        "media_type": piece.media_type,
        "url": url_for("shared.picture", token=token, image=piece.image),
    }
