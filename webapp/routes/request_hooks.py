"""The hooks around every request: check its URL and origin, resolve its principal, and complete its response."""

from __future__ import annotations

import msgspec
from flask import Flask, Response, g, request

from webapp.access.gate import Visit
from webapp.access.hosts import parse_host
from webapp.errors import Forbidden, InvalidRequest, UriTooLong
from webapp.routes.current_principal import current_visit, resolve_operator, resolve_principal
from webapp.routes.large_responses import send_in_pieces
from webapp.routes.response_headers import add_headers, preflight_response
from webapp.services import services

MAX_URL_CHARS = 4_000
_PAGES = ("page.", "sign_in.", "web_app.")
_SHARED_LINKS = "shared."
_OPERATIONS = ("operations.", "keys.")
_SOCKET = "socket.ws"  # browsers cannot send headers with it, so it may authenticate by its first message
_SITE_SCRIPTS = "site_scripts."
_FOR_VISITORS = (
    "embed.frame",
    "embed.visitor_token",
)  # before they have a token; they check the key themselves
# What sites may use that a key admits: chatting, and what the visitor has stored.
_FOR_KEYS = (
    "stream.",
    "socket.",
    "conversations.",
    "changes.",
    "documents.",
    "completions.",
    "models.",
    "embed.",
    "ai_sdk.",
)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def register(app: Flask) -> None:
    """Add the hooks to an application."""
    app.before_request(_before_request)
    app.after_request(_after_request)


def _before_request() -> Response | None:
    """Set `g.cross_origin`, and `g.principal` where the endpoint does not resolve it itself; or refuse the request."""
    _check_url_and_host()
    endpoint = request.endpoint or ""
    if endpoint.startswith(_SITE_SCRIPTS):
        return None
    visit = _check_origin()
    if request.method not in _SAFE_METHODS and visit.origin is None and visit.fetch_site == "cross-site":
        raise Forbidden(
            "A request from another site must have an Origin header.", param="Origin", code="origin"
        )
    if endpoint == "health.healthz":
        return None
    if request.method == "OPTIONS":
        return preflight_response()
    if endpoint.startswith(_OPERATIONS) and not visit.needs_key:
        g.principal = resolve_operator(visit)
    elif _needs_principal(endpoint, visit):
        g.principal = resolve_principal(visit)
    return None


def _needs_principal(endpoint: str, visit: Visit) -> bool:
    """Return whether an endpoint's caller is to be resolved here. Raises `Forbidden` for what no key allows."""
    gate = services().gate
    if visit.needs_key and not endpoint.startswith(_FOR_KEYS):
        raise Forbidden("Other sites may chat, and nothing else.", param="Origin", code="origin")
    if endpoint in _FOR_VISITORS:
        gate.check_unlocked(visit)
        return False
    if visit.needs_key:
        return endpoint != _SOCKET
    mode = gate.mode(visit)
    if visit.bearer is None or mode != "password":  # a token is checked, and counted, at every endpoint
        if endpoint.startswith(_PAGES):
            return False  # the page itself decides between chat and sign-in
        if mode != "locked" and (endpoint == _SOCKET or endpoint.startswith(_SHARED_LINKS)):
            return False  # the socket resolves its principal later; a shared link needs none
    return True


def _check_origin() -> Visit:
    """Set `g.cross_origin`, and return the visit; raise `Forbidden` for a site that nothing admits."""
    parts, visit = services(), current_visit()
    try:
        g.cross_origin = parts.gate.check_origin(visit)
    except Forbidden:
        if visit.origin is None or not parts.keys.admits_anywhere(visit.origin):
            raise
        g.cross_origin = visit.origin
        g.visit = visit = msgspec.structs.replace(visit, needs_key=True)
    return visit


def _check_url_and_host() -> None:
    """Check what no endpoint and no database accepts. Raises `InvalidRequest` and `UriTooLong`."""
    if len(request.environ.get("RAW_URI", "")) > MAX_URL_CHARS:
        raise UriTooLong(f"The URL is longer than {MAX_URL_CHARS} characters: POST the question instead.")
    if "\0" in request.path:
        raise InvalidRequest("The path must not contain a NUL character.", param="path", code="nul")
    for name, value in request.args.items(multi=True):
        if "\0" in name + value:
            raise InvalidRequest(
                "The query string must not contain a NUL character.",
                param=name.replace("\0", ""),
                code="nul",
            )
    host = request.headers.get("Host", "")
    if host and parse_host(host) is None:
        raise InvalidRequest("Host must be a host name or an IP address.", param="Host", code="bad_host")


def _after_request(response: Response) -> Response:
    add_headers(response)
    return send_in_pieces(response)
