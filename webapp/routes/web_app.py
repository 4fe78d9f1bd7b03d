"""What lets a device keep the page: its manifest, its service worker, and what is shown without a network."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory, url_for

from webapp.routes.page import asset, show
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("web_app", __name__)

_COLOUR = "#fcfcfb"
_ICONS = (
    ("icon.svg", "image/svg+xml", "any", "any"),
    ("icons/192.png", "image/png", "192x192", "any"),
    ("icons/512.png", "image/png", "512x512", "any"),
    ("icons/maskable.png", "image/png", "512x512", "maskable"),
)


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the page as an application; https://www.w3.org/TR/appmanifest/."""
    root = url_for("page.index")
    icons = [
        {"src": asset(name), "type": type_, "sizes": sizes, "purpose": purpose}
        for name, type_, sizes, purpose in _ICONS
    ]
    about = {
        "name": "Freshet",
        "description": "A chat whose answers, once started, are never lost.",
        "id": root,
        "start_url": root,
        "scope": root,
        "display": "standalone",
        "background_color": _COLOUR,
        "theme_color": _COLOUR,
        "icons": icons,
    }
    response = json_response(about)
    response.mimetype = "application/manifest+json"
    return response


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """Give the service worker from the root, which is then its scope."""
    response = send_from_directory(services().assets.folder, "sw.js", mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/offline")
def offline() -> Response:
    """Show what the service worker keeps for when there is no network."""
    return show("offline.html", 200)
