"""The scripts that other sites load by a short address: the chat's loader and what it loads, and the client module. They are public."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from webapp.services import services

blueprint = Blueprint("site_scripts", __name__)

_MAX_AGE_S = 300  # for so long a site may show the version before


@blueprint.get("/client.js")
def client() -> AnyResponse:
    """Lead to the client module of this version."""
    return _lead_to(services().assets.site_url("client.js"))


@blueprint.get("/embed.js")
def loader() -> AnyResponse:
    """Lead to the loader of this version."""
    return _lead_to(services().assets.site_url("embed.js"))


@blueprint.get("/embed/widget.js")
def widget() -> AnyResponse:
    """Lead to what draws the chat, in this version."""
    return _lead_to(services().assets.site_url("embed/widget.js"))


@blueprint.get("/embed/tokens.css")
def tokens() -> AnyResponse:
    """Lead to the colours and sizes of this version."""
    return _lead_to(services().assets.url("styles/tokens.css"))


def _lead_to(path: str) -> AnyResponse:
    response = redirect(request.script_root + path)
    response.set_data(b"")  # the usual body is HTML
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_S}"
    response.headers["Access-Control-Allow-Origin"] = "*"  # modules are loaded by CORS
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
