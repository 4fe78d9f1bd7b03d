"""What a visitor has, and moving it to the user that the visitor has become."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.access import cookies
from webapp.errors import Forbidden
from webapp.routes.authentication import movable_owner, principal, set_cookie, visit
from webapp.routes.responses import json_response
from webapp.services import services
from webapp.store import ownership

blueprint = Blueprint("visitor", __name__, url_prefix="/visitor")


@blueprint.get("")
def counted() -> Response:
    """Return how many conversations this browser has as a visitor, which its user may take over."""
    source = _movable()
    number = 0 if source is None else services().store.read(lambda c: ownership.count(c, source))
    return json_response({"conversations": number})


@blueprint.post("/move")
def move() -> Response:
    """Move them to the user, with their links and the answers in progress; the visitor ends."""
    source, parts, target = _movable(), services(), principal().owner or ""
    moved = 0
    if source is not None:
        moved = parts.store.move(source, target)
        parts.runs.transfer(source, target)
    response = json_response({"moved": moved})
    set_cookie(response, cookies.VISITOR, "", max_age_s=0)
    response.delete_cookie(cookies.FORMER)
    return response


def _movable() -> str | None:
    """Return the owner of what can be moved, by the visitor's own cookie alone. Raises `Forbidden`."""
    if principal().kind != "user":
        raise Forbidden("Only a user can take over what a visitor has.", code="users_only")
    return movable_owner(visit())
