"""Shared links: anybody with the link may read one branch. Responses contain no owner, no run id and set no cookie.

Browsers get a page, programs JSON.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response, request, url_for

from webapp.access.gate import UNLOCKING_VARIABLES
from webapp.chat import TextPart
from webapp.conversation import Message, StoredPart
from webapp.errors import RequestError
from webapp.routes.document_place import requested_place
from webapp.routes.error_responses import request_error
from webapp.routes.html_pages import PAGE_POLICY, render_page
from webapp.routes.responses import image_response, json_response, stored_response
from webapp.routes.sub_path import path_to_root
from webapp.services import services
from webapp.store import shares
from webapp.store.documents import StoredDocument

blueprint = Blueprint("shared", __name__, url_prefix="/shared")

_MAX_TOKEN_CHARS = 64
# The page requests the text of its documents alone, submits no form and creates no script.
_POLICY = PAGE_POLICY | {
    "img-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'none'",
    "form-action": "'none'",
    "trusted-types": "'none'",
}


@blueprint.after_request
def _hide_from_robots(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"  # the URL grants access
    response.vary.add("Accept")
    return response


@blueprint.errorhandler(RequestError)
def _show_error(error: RequestError) -> Response:
    """Return an error as a page to a browser, as JSON to a program."""
    if request.endpoint != "shared.read_branch" or not _prefers_html() or error.status not in (404, 503):
        return request_error(error)
    if error.code == "locked":
        return render_page("locked.html", 503, settings=UNLOCKING_VARIABLES)
    return render_page("unshared.html", error.status, policy=_POLICY, away=error.status == 503)


def _prefers_html() -> bool:
    """Return whether the client prefers HTML, as browsers do; `*/*` alone means JSON."""
    accepted = request.accept_mimetypes
    return accepted.quality("text/html") > accepted.quality("application/json")


@blueprint.get("/<token>")
def read_branch(token: str) -> Response:
    """Return the branch."""
    branch = services().store.read(lambda c: shares.load_shared(c, token[:_MAX_TOKEN_CHARS]))
    complete = services().ended_answers.complete
    messages = [_message_body(token, complete(message, branch.head.id)) for message in branch.messages]
    body = {
        "title": branch.head.title,
        "documents": [_document_body(document) for document in branch.documents],
        "messages": messages,
    }
    if not _prefers_html():
        return stored_response(body)
    for part in (part for message in messages for part in message["content"] if "url" in part):
        part["url"] = path_to_root() + part["url"].removeprefix(f"{request.script_root}/")
    return render_page("shared.html", 200, policy=_POLICY, shared=body, modules=services().assets.shared[1:])


@blueprint.get("/<token>/images/<image>")
def read_image(token: str, image: str) -> Response:
    """Return an image of the branch."""
    stored = services().store.read(lambda c: shares.load_shared_image(c, token[:_MAX_TOKEN_CHARS], image))
    response = image_response(stored)
    response.headers["Cache-Control"] = "no-store"  # the link may be revoked
    return response


@blueprint.get("/<token>/documents/<document>/text")
def read_text(token: str, document: str) -> Response:
    """Return a page of a shared document, by its number or by an offset into the text, or some thousand characters around that."""
    at, page = requested_place()
    part = services().store.read(
        lambda c: shares.read_shared_part(c, token[:_MAX_TOKEN_CHARS], document, at, page)
    )
    response = json_response(msgspec.structs.asdict(part))
    response.headers["Cache-Control"] = "no-store"  # the link may be revoked
    return response


def _document_body(document: StoredDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "source": document.source,
        "title": document.title,
        "file_bytes": document.file_bytes,
        "pages": document.pages,
    }


def _message_body(token: str, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {
        "role": message.role,
        "content": [_part_body(token, part) for part in message.content],
        "created_at": message.created_at,
    }
    if message.role == "assistant":
        body |= {"model": message.model, "state": message.state}
        if message.sources:
            body["sources"] = msgspec.to_builtins(message.sources)
    return body


def _part_body(token: str, part: StoredPart) -> dict[str, str]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {
        "type": "image",
        "media_type": part.media_type,
        "url": url_for("shared.read_image", token=token, image=part.image),
    }
