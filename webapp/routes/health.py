"""Liveness and readiness probes."""

from __future__ import annotations

from flask import Blueprint, Response

from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Return 200 as long as the process answers, also when it is locked."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Return 200 if new runs can be started, else 503; with the states of store and journal, which do not affect the status."""
    parts = services()
    is_ready = parts.runs.accepts_runs
    body = {
        "status": "ready" if is_ready else "full",
        "store": parts.store.status(),
        "journal": {"kind": parts.journal.kind, "state": parts.journal.condition},
    }
    return json_response(body, 200 if is_ready else 503)
