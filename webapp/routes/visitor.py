"""Moves the conversations that a browser stored as a visitor to the user who has signed in there."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.access import cookies
from webapp.errors import Forbidden
from webapp.routes.current_principal import current_principal, current_visit, movable_owner
from webapp.routes.request_cookies import set_cookie
from webapp.routes.responses import json_response
from webapp.services import services
from webapp.store import ownership

blueprint = Blueprint("visitor", __name__, url_prefix="/visitor")


@blueprint.get("")
def count_conversations() -> Response:
    """Count the conversations that this browser stored as a visitor."""
    source = _require_source()
    count = 0 if source is None else services().store.read(lambda c: ownership.count_conversations(c, source))
    return json_response({"conversations": count})


@blueprint.post("/move")
def move_conversations() -> Response:
    """Move the visitor's conversations, links and current runs to the user, and delete the visitor's cookies."""
    source, parts, target = _require_source(), services(), current_principal().owner or ""
    moved = 0
    if source is not None:
        moved = parts.store.move(source, target)
        parts.runs.change_owner(source, target)
    response = json_response({"moved": moved})
    set_cookie(response, cookies.VISITOR, "", max_age_s=0)
    response.delete_cookie(cookies.LEGACY)
    return response


def _require_source() -> str | None:
    """Return the visitor's owner, known only from its own cookie; None if the browser has none.

    Raises `Forbidden` for a caller that is not a user.
    """
    if current_principal().kind != "user":
        raise Forbidden(
            "Only a signed-in user can take over a visitor's conversations: sign in first.", code="users_only"
        )
    return movable_owner(current_visit())
