"""Puts the OpenAPI document together; https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from webapp.api.openapi.answers import answer_paths
from webapp.api.openapi.pages import page_paths
from webapp.api.openapi.parts import JsonObject, error_responses
from webapp.api.openapi.schemas import build_schemas
from webapp.api.openapi.sites import site_paths
from webapp.api.openapi.stored import stored_paths

_TAGS = {
    "answers": "Start, stream, resume and stop answers.",
    "OpenAI-compatible": "For programs that know OpenAI's API.",
    "conversations": "Stored conversations; every caller has its own.",
    "documents": "Documents that answers can be based on, in collections and in conversations.",
    "links": "Links that show one branch of a conversation to others.",
    "sites": "For other sites: keys, visitors, and the AI SDK's chat.",
    "account": "Sessions of the signed-in user, and what a visitor's browser has.",
    "page": "The page, sign-in, and its files at the root.",
    "operations": "For hosts and operators.",
}


def build_document(version: str, root: str) -> JsonObject:
    """Return the document for a server of this version below the path `root` ("" for the host's root)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Freshet",
            "version": version,
            "summary": "A streaming chat server.",
            "description": (
                "Frames, cursors and the WebSocket are described in docs/protocol.md. "
                "A field or frame that a client does not know is to be ignored."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root or "/"}],
        "security": [{}, {"password": []}, {"session": []}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": answer_paths() | stored_paths() | site_paths() | page_paths(),
        "components": {
            "schemas": build_schemas(),
            "responses": error_responses(),
            "securitySchemes": {
                "password": {"type": "http", "scheme": "bearer", "description": "The server's password."},
                "session": {"type": "apiKey", "in": "cookie", "name": "freshet-session"},
            },
        },
    }
