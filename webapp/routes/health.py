"""Operations: is the process there, and may it be given work."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Tell that the process answers, locked or not."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Tell whether new answers may be started here, and how the store stands: without it the chat goes on."""
    parts = services()
    ready = parts.runs.accepting
    body = {"status": "ready" if ready else "full", "store": parts.store.described()}
    return json_response(body, 200 if ready else 503)
