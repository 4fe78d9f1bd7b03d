"""The machine-readable description of all endpoints."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, request

from webapp.api.openapi.document import build_document
from webapp.api.openapi.parts import JsonObject
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("openapi", __name__)

_build = lru_cache(maxsize=4)(build_document)


@blueprint.get("/openapi.json")
def document() -> Response:
    """Return the OpenAPI document."""
    body: JsonObject = _build(services().version, request.script_root)
    return json_response(body)
