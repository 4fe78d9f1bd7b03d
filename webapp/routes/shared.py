"""What a shared link shows: one branch, read-only, to whoever has the link. It names no owner and no run.

Browsers get a page, programs JSON. Neither gets a cookie.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from webapp.access.gate import UNLOCKING
from webapp.api.stored_conversations import current_message
from webapp.chat import TextPart
from webapp.conversation import Message, Piece
from webapp.errors import RequestError
from webapp.routes.error_responses import request_error
from webapp.routes.page import RULES, show
from webapp.routes.responses import image_response, stored_response
from webapp.services import services
from webapp.store import shares

blueprint = Blueprint("shared", __name__, url_prefix="/shared")

_MOST_TOKEN_CHARS = 64
# The page asks for nothing, sends nothing, and names no script by a text.
_RULES = RULES | {
    "img-src": "'self'",
    "connect-src": "'none'",
    "manifest-src": "'none'",
    "form-action": "'none'",
    "trusted-types": "'none'",
}


@blueprint.after_request
def _hide(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is the key
    response.vary.add("Accept")
    return response


@blueprint.errorhandler(RequestError)
def _refused(error: RequestError) -> Response:
    """Say it to a browser on a page of its own."""
    if request.endpoint != "shared.shown" or not _asks_for_a_page() or error.status not in (404, 503):
        return request_error(error)
    if error.code == "locked":
        return show("locked.html", 503, settings=UNLOCKING)
    return show("unshared.html", error.status, rules=_RULES, away=error.status == 503)


def _asks_for_a_page() -> bool:
    """Tell browsers from programs: who takes anything gets JSON."""
    taken = request.accept_mimetypes
    return taken.quality("text/html") > taken.quality("application/json")


@blueprint.get("/<token>")
def shown(token: str) -> Response:
    """Give the branch."""
    found = services().store.read(lambda c: shares.shown(c, token[:_MOST_TOKEN_CHARS]))
    runs = services().runs
    told = [_told(token, current_message(message, found.head.id, runs)) for message in found.messages]
    body = {"title": found.head.title, "messages": told}
    if not _asks_for_a_page():
        return stored_response(body)
    return show("shared.html", 200, rules=_RULES, shared=body, modules=services().assets.shared[1:])


@blueprint.get("/<token>/images/<image>")
def picture(token: str, image: str) -> Response:
    """Give an image of the branch."""
    found = services().store.read(lambda c: shares.shown_picture(c, token[:_MOST_TOKEN_CHARS], image))
    response = image_response(found)
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
