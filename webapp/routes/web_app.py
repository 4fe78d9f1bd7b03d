"""What makes the page installable: the manifest, the service worker and the offline page."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory

from webapp.routes.html_pages import asset, render_page
from webapp.routes.responses import json_response
from webapp.routes.sub_path import path_to_root
from webapp.services import services

blueprint = Blueprint("web_app", __name__)

_THEME_COLOR = "#fcfcfb"
_ICONS = (
    ("icon.svg", "image/svg+xml", "any", "any"),
    ("icons/192.png", "image/png", "192x192", "any"),
    ("icons/512.png", "image/png", "512x512", "any"),
    ("icons/maskable.png", "image/png", "512x512", "maskable"),
)


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """Return the web app manifest; https://www.w3.org/TR/appmanifest/."""
    icons = [
        {"src": asset(name), "type": type_, "sizes": sizes, "purpose": purpose}
        for name, type_, sizes, purpose in _ICONS
    ]
    body = {
        "name": "Freshet",
        "description": "An AI chat whose responses survive reloads and lost connections.",
        "start_url": path_to_root(),  # relative to the manifest; also the id
        "scope": path_to_root(),
        "display": "standalone",
        "background_color": _THEME_COLOR,
        "theme_color": _THEME_COLOR,
        "icons": icons,
    }
    response = json_response(body)
    response.mimetype = "application/manifest+json"
    return response


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """Return the service worker; it is served at the root, because its path determines its scope."""
    response = send_from_directory(services().assets.folder, "sw.js", mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/offline")
def offline() -> Response:
    """Return the page that the service worker caches for use without a network."""
    return render_page("offline.html", 200)
