"""Turns a Flask request into a visit, and lets it in or refuses it before any work."""

from __future__ import annotations

import ipaddress
import re
import secrets
import time

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface

from webapp.access.gate import Visit
from webapp.errors import NotSignedIn, TooManyRequests, UriTooLong
from webapp.routes.services import services

MAX_URL_CHARS = 4_000
_FORWARDED = ("HTTP_FORWARDED", "HTTP_VIA")
_BEARER = re.compile(r"Bearer[ \t]+(\S.{0,499}?)[ \t]*", re.IGNORECASE)
_CORS_HEADERS = "Content-Type, Authorization, Last-Event-ID, Idempotency-Key"
_BY_LINK = "shared."
_FIRST_MESSAGE = "socket.ws"  # a browser sends no header with it: it may authenticate by its first message


class SessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie, marked `Secure` where the visitor came over TLS, a proxy's word included."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  (Flask's signature)
        """Tell whether the present request came over TLS."""
        return request.is_secure or request.headers.get("X-Forwarded-Proto", "") == "https"


def visit() -> Visit:
    """Read what the gate needs to know of the present request."""
    return visit_of(request)


def visit_of(asked: Request) -> Visit:
    """Read what the gate needs to know of a request."""
    environ, headers = asked.environ, asked.headers
    bearer = _BEARER.fullmatch(headers.get("Authorization", ""))
    forwarded = any(name in environ for name in _FORWARDED) or any(
        name.startswith("HTTP_X_FORWARDED_") for name in environ
    )
    purpose = headers.get("Sec-Purpose", "") + headers.get("Purpose", "") + headers.get("X-Moz", "")
    return Visit(
        bound=_bound(environ),
        host=headers.get("Host", ""),
        forwarded=forwarded,
        origin=headers.get("Origin"),
        bearer=_typed(bearer[1]) if bearer else None,
        visitor=session.get("visitor"),
        pass_=session.get("pass"),
        fetch_site=headers.get("Sec-Fetch-Site"),
        fetch_dest=headers.get("Sec-Fetch-Dest"),
        fetched=any(name.startswith("HTTP_SEC_FETCH_") for name in environ),
        prefetch="prefetch" in purpose or "prerender" in purpose,
    )


def _typed(token: str) -> str:
    """Undo WSGI's reading of a header as Latin-1, where what was typed is UTF-8."""
    try:
        return token.encode("latin-1").decode()
    except UnicodeError:
        return token


def _bound(environ: dict[str, object]) -> str:
    """Name the address that the server listens on; "" for a Unix socket, whose peer can be anybody's proxy."""
    if not environ.get("REMOTE_ADDR"):
        return ""
    return str(environ.get("SERVER_NAME", ""))


def owner() -> str | None:
    """Name the owner that the present request was admitted as."""
    found: str | None = g.owner
    return found


def named(owner: str | None) -> str:
    """Refuse who has no name: what is kept must belong to somebody. Raises `NotSignedIn`."""
    if owner is None:
        raise NotSignedIn(
            "Conversations need an owner: open the page first, which sets a cookie, or send a bearer token.",
            code="no_owner",
        )
    return owner


def named_owner() -> str:
    """Name the owner of what the present request reads or changes. Raises `NotSignedIn`."""
    return named(owner())


def address() -> str:
    """Name the machine that asks, for the throttle: behind a proxy, the one that the proxy saw.

    A host's router asks from a private address; anybody else's word for who it is counts for nothing.
    """
    peer = request.remote_addr or ""
    try:
        near = ipaddress.ip_address(peer).is_private
    except ValueError:
        near = True  # a Unix socket: its other end is on this machine
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return seen if near and seen else peer


def make_visitor() -> None:
    """Give the present visitor a name in a signed cookie, if there is none yet."""
    if "visitor" not in session:
        session.permanent = True
        session["visitor"] = secrets.token_urlsafe(16)


def _before() -> Response | None:
    if len(request.environ.get("RAW_URI", "")) > MAX_URL_CHARS:
        raise UriTooLong("The address is longer than this server takes: POST the question instead.")
    endpoint = request.endpoint or ""
    gate, seen = services().gate, visit()
    g.cross_origin = gate.cross_origin(seen)
    if endpoint == "health.healthz":
        return None
    if request.method == "OPTIONS":
        return _preflight()
    if seen.bearer is None or gate.mode(seen) != "password":  # a token is tried at every door, and counted
        if endpoint.startswith(("page.", "install.")):
            return None  # the page decides what to show to whom
        if endpoint == _FIRST_MESSAGE and gate.mode(seen) != "locked":
            return None
        if endpoint.startswith(_BY_LINK) and gate.mode(seen) != "locked":
            return None  # the link is the key
    g.owner = admitted(seen)
    return None


def admitted(seen: Visit) -> str | None:
    """Let a visit in and name its owner; wrong bearer tokens are slowed down like wrong passwords.

    Raises what `Gate.admit` raises, and `TooManyRequests`.
    """
    gate = services().gate
    if seen.bearer is None or gate.mode(seen) != "password":
        return gate.admit(seen)
    throttle, now = services().throttle, time.monotonic()
    wait_s = throttle.wait_s(address(), now)
    if wait_s:
        raise TooManyRequests("Too many wrong passwords.", retry_after_s=wait_s, code="throttled")
    try:
        return gate.admit(seen)
    except NotSignedIn:
        throttle.failed(address(), now, seen.bearer)
        raise


def _preflight() -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE, PATCH"
    response.headers["Access-Control-Allow-Headers"] = _CORS_HEADERS
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _after(response: Response) -> Response:
    origin = g.get("cross_origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    if request.headers.get("Origin"):
        response.vary.add("Origin")
    if response.status_code == 204:
        response.headers.pop("Content-Type", None)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")  # with none, a form's Origin is null
    return response


def register(app: Flask) -> None:
    """Put the gate before every door of an application."""
    app.session_interface = SessionInterface()
    app.before_request(_before)
    app.after_request(_after)
