"""The caller's sign-in sessions: list and end them."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.access.principals import Principal
from webapp.errors import Forbidden, NotFound
from webapp.routes.current_principal import current_principal
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")


@blueprint.get("")
def list_sessions() -> Response:
    """List the sessions, the last used first."""
    caller = _require_user()
    bodies = [
        {
            "id": session.id,
            "device": session.device,
            "created_at": session.created_at,
            "seen_at": session.seen_at,
            "current": session.id == caller.session,
        }
        for session in services().sessions.list_for(caller.name or "")
    ]
    return json_response({"sessions": bodies})


@blueprint.delete("/<session>")
def end_session(session: str) -> Response:
    """End a session and close its connections; its runs continue."""
    caller, parts = _require_user(), services()
    if not parts.sessions.end(caller.name or "", session):
        raise NotFound(
            "There is no such session: it may have ended.", param="session", code="session_not_found"
        )
    parts.runs.sign_out({session})
    return json_response({"ended": [session]})


@blueprint.delete("")
def end_other_sessions() -> Response:
    """End all sessions except the caller's."""
    caller, parts = _require_user(), services()
    ended = parts.sessions.end_others(caller.name or "", caller.session)
    parts.runs.sign_out(set(ended))
    return json_response({"ended": ended})


def _require_user() -> Principal:
    """Return the caller, who must be a user. Raises `Forbidden`."""
    caller = current_principal()
    if caller.kind != "user":
        raise Forbidden("Only a signed-in user has sessions.", code="users_only")
    return caller
