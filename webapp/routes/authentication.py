"""Turns a Flask request into a visit, and resolves who is asking, or refuses, before any work."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import msgspec
from flask import Flask, Request, Response, g, request

from webapp.access import cookies
from webapp.access.addresses import network_of
from webapp.access.gate import Visit
from webapp.access.hosts import parse_host
from webapp.access.principals import OWNER, Principal, owner_of, require_owner
from webapp.errors import Forbidden, InvalidRequest, NotSignedIn, TooManyRequests, Unavailable, UriTooLong
from webapp.routes.error_responses import request_error
from webapp.services import services

MAX_URL_CHARS = 4_000
_FORWARDED = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_TRUE_CLIENT_IP")
_FORWARDED_BEGIN = ("HTTP_X_FORWARDED", "HTTP_CF_", "HTTP_FLY_")
_BEARER = re.compile(r"Bearer[ \t]+(\S.{0,499}?)[ \t]*", re.IGNORECASE)
_CORS_HEADERS = "Content-Type, Authorization, Last-Event-ID, Idempotency-Key"
_EXPOSED_HEADERS = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
_PAGES = ("page.", "web_app.")
_BY_LINK = "shared."
_FIRST_MESSAGE = "socket.ws"  # a browser sends no header with it: it may authenticate by its first message
_SAFE = ("GET", "HEAD", "OPTIONS")
# Features that no page of ours uses; https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Permissions-Policy
_PERMISSIONS = "camera=(), display-capture=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()"
_PIECE_BYTES = 64 * 1024
_HSTS = "max-age=31536000"


def visit() -> Visit:
    """Read what must be known of the present request before it is let in; once a request."""
    found: Visit | None = g.get("visit")
    if found is None:
        found = g.visit = visit_of(request)
    return found


def visit_of(asked: Request) -> Visit:
    """Read what must be known of a request before it is let in."""
    environ, headers = asked.environ, asked.headers
    proxies = services().proxies
    secure = proxies.is_secure(environ)
    bearer = _BEARER.fullmatch(headers.get("Authorization", ""))
    purpose = headers.get("Sec-Purpose", "") + headers.get("Purpose", "") + headers.get("X-Moz", "")
    path = cookie_path(asked)

    def cookie(base: cookies.Base) -> str | None:
        return asked.cookies.get(cookies.cookie_name(base, secure=secure, path=path))

    return Visit(
        bound=_bound(environ),
        port=str(environ.get("SERVER_PORT", "")),
        host=headers.get("Host", ""),
        forwarded=any(name in environ for name in _FORWARDED)
        or any(name.startswith(_FORWARDED_BEGIN) for name in environ),
        client=proxies.client(environ),
        secure=secure,
        origin=headers.get("Origin"),
        bearer=_typed(bearer[1]) if bearer else None,
        session=cookie(cookies.SESSION),
        visitor=cookie(cookies.VISITOR),
        browser=cookie(cookies.BROWSER),
        former=asked.cookies.get(cookies.FORMER),
        fetch_site=headers.get("Sec-Fetch-Site"),
        fetch_dest=headers.get("Sec-Fetch-Dest"),
        accept=headers.get("Accept", ""),
        agent=headers.get("User-Agent", ""),
        referer=headers.get("Referer"),
        prefetch="prefetch" in purpose or "prerender" in purpose,
    )


def cookie_path(asked: Request) -> str:
    """Return the path below which the cookies of a request's application count."""
    return asked.script_root or "/"


def _typed(token: str) -> str:
    """Undo WSGI's reading of a header as Latin-1, where what was typed is UTF-8."""
    try:
        return token.encode("latin-1").decode()
    except UnicodeError:
        return token


def _bound(environ: dict[str, object]) -> str:
    """Return the address that the server listens on; "" for a Unix socket, whose peer can be anybody's proxy."""
    if not environ.get("REMOTE_ADDR"):
        return ""
    return str(environ.get("SERVER_NAME", ""))


def principal() -> Principal:
    """Return who asks, as the present request was admitted."""
    found: Principal = g.principal
    return found


def owner() -> str | None:
    """Return the owner that the present request was admitted as; None for a caller that owns nothing."""
    return principal().owner


def named_owner() -> str:
    """Return the owner of what the present request reads or changes. Raises as `require_owner`."""
    return require_owner(principal())


def address() -> str:
    """Return what counts as the address of the present request; see `addresses.network_of`."""
    return network_of(visit().client)


def resolve(seen: Visit) -> Principal:
    """Return who asks: the one place where that is decided.

    Raises `Unavailable` when the server is locked or the database with the sessions is away, `NotSignedIn` where a
    password is needed, and `TooManyRequests` after too many wrong ones.
    """
    gate = services().gate
    gate.check_unlocked(seen)
    from_ = network_of(seen.client)
    match gate.mode(seen):
        case "local":
            return Principal(kind="user", name=OWNER, address=from_, is_counted=False)
        case "password" if seen.bearer is not None:
            _check_token(seen.bearer, from_)
            return Principal(kind="user", name=OWNER, address=from_)
        case "password":
            return _by_session(seen.session, from_)
        case _:
            return _visitor(seen, from_)


def _visitor(seen: Visit, from_: str) -> Principal:
    try:
        return Principal(kind="visitor", name=visitor_of(seen), address=from_)
    except Unavailable:  # chatting needs no name
        return Principal(kind="visitor", name=None, address=from_, is_unverified=True)


def visitor_of(seen: Visit) -> str | None:
    """Return the visitor that a visit's own cookie names, the cookie of version 0.1 included.

    Raises `Unavailable` where there is a cookie and the secret that signs it cannot be had.
    """
    names = services().names
    if seen.visitor:
        found = names.read(cookies.VISITOR, seen.visitor)
        if found is not None:
            return found[0]
    return names.former_visitor(seen.former) if seen.former else None


def movable_owner(seen: Visit) -> str | None:
    """Return the owner whose things a user may take over: the visitor of the same browser."""
    name = visitor_of(seen)
    return None if name is None else owner_of("visitor", name)


def _by_session(token: str | None, from_: str) -> Principal:
    if not token:
        raise NotSignedIn("A password is needed: sign in, or send it as a bearer token.")
    parts = services()
    session = parts.sessions.find(token)
    parts.sessions.watch(parts.runs.sessions, parts.runs.sign_out)
    return Principal(kind="user", name=session.user, address=from_, session=session.id)


def _check_token(token: str, from_: str) -> None:
    """Compare a bearer token with the password; past the limit of wrong ones it is not even looked at."""
    parts, now = services(), time.monotonic()
    wait_s = parts.throttle.wait_s(from_, now)
    if wait_s:
        raise TooManyRequests("Too many wrong passwords.", retry_after_s=wait_s, code="throttled")
    if not parts.gate.is_password(token):
        parts.throttle.failed(from_, now, token)
        raise NotSignedIn("A password is needed: sign in, or send it as a bearer token.")


def _before() -> Response | None:
    _check_form()
    endpoint = request.endpoint or ""
    gate, seen = services().gate, visit()
    g.cross_origin = gate.cross_origin(seen)
    if request.method not in _SAFE and seen.origin is None and seen.fetch_site == "cross-site":
        raise Forbidden("A request from another site must say which.", param="Origin", code="origin")
    if endpoint == "health.healthz":
        return None
    if request.method == "OPTIONS":
        return _preflight()
    mode = gate.mode(seen)
    if seen.bearer is None or mode != "password":  # a token is tried at every endpoint, and counted
        if endpoint.startswith(_PAGES):
            return None  # the page decides what to show to whom
        if mode != "locked" and (endpoint == _FIRST_MESSAGE or endpoint.startswith(_BY_LINK)):
            return None  # the socket asks for itself, and a link is the key
    g.principal = resolve(seen)
    return None


def _check_form() -> None:
    """Refuse what no endpoint and no database takes. Raises `InvalidRequest` and `UriTooLong`."""
    if len(request.environ.get("RAW_URI", "")) > MAX_URL_CHARS:
        raise UriTooLong("The address is longer than this server takes: POST the question instead.")
    if "\0" in request.path:
        raise InvalidRequest("The path must not hold a NUL character.", param="path", code="nul")
    for name, value in request.args.items(multi=True):
        if "\0" in name + value:
            raise InvalidRequest(
                "The address must not hold a NUL character.", param=name.replace("\0", ""), code="nul"
            )
    host = request.headers.get("Host", "")
    if host and parse_host(host) is None:
        raise InvalidRequest("Host must be a name or an address.", param="Host", code="bad_host")


def admit_token(seen: Visit, token: str | None) -> Principal:
    """Resolve a visit that says who it is after all, by the first message of a WebSocket. Raises as `resolve`."""
    return resolve(msgspec.structs.replace(seen, bearer=token or None))


def _preflight() -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE, PATCH"
    response.headers["Access-Control-Allow-Headers"] = _CORS_HEADERS
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _after(response: Response) -> Response:
    origin, headers = g.get("cross_origin"), response.headers
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if request.headers.get("Origin"):
        response.vary.add("Origin")
    if response.status_code == 204:
        headers.pop("Content-Type", None)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")  # with none, a form's Origin is null
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if origin else "same-origin")
    headers.setdefault("Permissions-Policy", _PERMISSIONS)
    if visit().secure:
        headers["Strict-Transport-Security"] = _HSTS
    return _in_pieces(response)


def _in_pieces(response: Response) -> Response:
    """Send a large answer in pieces, each with the time that a write has, and count its memory until it is sent."""
    if response.direct_passthrough or response.is_streamed:
        return response
    content = response.get_data()
    if len(content) <= _PIECE_BYTES:
        return response
    parts = services()
    from_ = None if parts.gate.is_local else address()
    counted = min(len(content), parts.runs.limits.log_max_bytes // 4)
    try:
        parts.bodies.hold(from_, counted)
    except (Unavailable, TooManyRequests) as error:
        return request_error(error)
    response.response = _Pieces(content, lambda: parts.bodies.let_go(from_, counted))
    response.content_length = len(content)
    return response


class _Pieces:
    """The body of a large answer; `sent` is called once, when all of it was read or the answer is closed."""

    def __init__(self, content: bytes, sent: Callable[[], None]) -> None:
        self._content = content
        self._sent: Callable[[], None] | None = sent

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._content), _PIECE_BYTES):
            yield self._content[at : at + _PIECE_BYTES]
        self.close()

    def close(self) -> None:
        """Release what was counted; called by the server, also after a broken write."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent()


def set_cookie(response: Response, base: str, value: str, *, max_age_s: int) -> None:
    """Set one of the cookies; with an age of 0 it ends."""
    secure, path = visit().secure, cookie_path(request)
    response.set_cookie(
        cookies.cookie_name(base, secure=secure, path=path),
        value,
        max_age=max_age_s,
        path=path,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def register(app: Flask) -> None:
    """Put the resolver before every endpoint of an application."""
    app.before_request(_before)
    app.after_request(_after)
