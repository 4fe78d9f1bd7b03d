"""The sign-in sessions of whoever asks: on which devices, and ending them."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.access.principals import Principal
from webapp.errors import Forbidden, NotFound
from webapp.routes.authentication import principal
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")


@blueprint.get("")
def listed() -> Response:
    """List the sessions, the last used first."""
    caller = _user()
    told = [
        {
            "id": session.id,
            "device": session.device,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "current": session.id == caller.session,
        }
        for session in services().sessions.listed(caller.name or "")
    ]
    return json_response({"sessions": told})


@blueprint.delete("/<session>")
def end(session: str) -> Response:
    """End one; its connections close, and its answers go on."""
    caller, parts = _user(), services()
    if not parts.sessions.end(caller.name or "", session):
        raise NotFound("There is no such session.", param="session", code="session_not_found")
    parts.runs.sign_out({session})
    return json_response({"ended": [session]})


@blueprint.delete("")
def end_others() -> Response:
    """End all but the one that asks."""
    caller, parts = _user(), services()
    ended = parts.sessions.end_others(caller.name or "", caller.session)
    parts.runs.sign_out(set(ended))
    return json_response({"ended": ended})


def _user() -> Principal:
    """Return the user who asks. Raises `Forbidden` for others, who have no sessions."""
    caller = principal()
    if caller.kind != "user":
        raise Forbidden("Only a user has sessions.", code="users_only")
    return caller
