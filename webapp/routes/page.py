"""The page, the sign-in and what a locked server shows."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)

from webapp.access import cookies
from webapp.access.gate import UNLOCKING, Visit
from webapp.access.principals import OWNER, Principal
from webapp.access.sessions import device_of
from webapp.errors import Forbidden, NotSignedIn, TooManyRequests, Unavailable
from webapp.routes.authentication import address, movable_owner, resolve, set_cookie, visit
from webapp.seams import Provider
from webapp.services import services

blueprint = Blueprint("page", __name__)

_DEMO_SETTINGS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST")
LANGUAGES = ("en", "de", "fr", "es", "zh", "ar")
_RIGHT_TO_LEFT = frozenset({"ar"})
# Which colours a person chose, where that was not the device; static/settings/color-scheme.js writes it.
_SCHEME_COOKIE, _SCHEMES = "freshet-scheme", ("light", "dark")
# What a page may load and do; https://www.w3.org/TR/CSP3/
RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "freshet",
}


@blueprint.app_template_global()
def asset(name: str) -> str:
    """Give the address of a file under static/."""
    return request.script_root + services().assets.url(name)


@blueprint.get("/")
def index() -> Response:
    """Show the chat, or the sign-in, or why the server is locked."""
    seen = visit()
    try:
        caller = resolve(seen)
    except NotSignedIn:
        return _sign_in_page(401)
    except TooManyRequests as error:  # after too many wrong tokens
        return _sign_in_page(429, wait_s=error.retry_after_s)
    except Unavailable as error:
        if error.code == "locked":
            return show("locked.html", 503, settings=UNLOCKING)
        return show("away.html", 503)
    if caller.kind != "visitor":
        return _renewed(_chat(caller), seen, caller)
    try:
        is_visit = request.method == "GET" and services().gate.is_page_visit(seen)
        signed = _visitor_cookie(seen, caller) if is_visit and not caller.is_unverified else None
    except TooManyRequests as error:
        return _crowded(error)
    except Unavailable:
        return show("away.html", 503)
    response = _chat(caller)
    if signed is not None:
        set_cookie(response, cookies.VISITOR, signed, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _renewed(response: Response, seen: Visit, caller: Principal) -> Response:
    """Renew the cookies of a session: they last for thirty days from the last visit."""
    if caller.session is not None and seen.session and request.method == "GET":
        set_cookie(response, cookies.SESSION, seen.session, max_age_s=cookies.SESSION_AGE_S)
        if seen.browser:
            set_cookie(response, cookies.BROWSER, seen.browser, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _visitor_cookie(seen: Visit, caller: Principal) -> str | None:
    """Return the cookie to set: a new visitor's, one of before that is signed anew, or None.

    Raises `TooManyRequests`, and `Unavailable` where nothing can be signed now.
    """
    parts = services()
    if caller.name is None:
        signed = parts.names.sign(cookies.VISITOR, parts.names.new())
        parts.limiter.make_visitor(caller.address)
        return signed
    known = parts.names.read(cookies.VISITOR, seen.visitor)
    is_fresh = known is not None and known[1] < cookies.RENEW_AFTER_S
    return None if is_fresh else parts.names.sign(cookies.VISITOR, caller.name)


def _chat(caller: Principal) -> Response:
    parts = services()
    default = parts.providers.resolve(None, None)[0]
    boot = {
        "version": parts.version,
        "page": parts.assets.digest,
        "provider": default.name,
        "model": default.model_name,
        "models": _models(default, caller),
        "blind": parts.providers.blind(),
        "demo": {"settings": _DEMO_SETTINGS} if parts.demo else None,
        "import_max_bytes": parts.import_max_bytes,
        "signed_in": caller.session is not None,
        "movable": caller.kind == "user" and _has_visitor(),
        "frame_ms": parts.frame_ms,
        "starters": parts.starters,
    }
    return show("index.html", 200, boot=boot, first=parts.assets.first[1:], beside=parts.assets.beside)


def _has_visitor() -> bool:
    """Return whether this browser was a visitor's before; what that one has is looked up later."""
    try:
        return movable_owner(visit()) is not None
    except Unavailable:
        return False


def _models(default: Provider, caller: Principal) -> list[str]:
    """List what the caller can choose, the default first."""
    parts = services()
    first = f"{default.name}/{default.model_name}"
    priced = parts.limiter.allowance(caller).models == "priced"
    return [first, *(name for name in parts.providers.listed(priced=priced) if name != first)]


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Give the icon to browsers that ask without having read the page."""
    return send_from_directory(services().assets.folder, "icon.svg")


@blueprint.post("/signin")
def sign_in() -> Response:
    """Compare the password and begin a session, in the place of one that the browser had."""
    parts, seen = services(), visit()
    if parts.gate.mode(seen) == "locked":
        return show("locked.html", 503, settings=UNLOCKING)
    browser = _browser(seen)
    source = address() if browser is None else f"browser {browser}"
    # All that has to be waited for comes before the look at how many tries there were: a body may be held back.
    word = request.form.get("password", "")
    now = time.monotonic()
    wait_s = parts.throttle.wait_s(source, now)
    if wait_s:
        return _sign_in_page(429, wait_s=wait_s)
    if not parts.gate.is_password(word):
        parts.throttle.failed(source, now, word or None)
        return _sign_in_page(401, wrong=True)
    try:
        token = parts.sessions.begin(
            OWNER, device_of(request.headers.get("User-Agent", "")), replaced=seen.session
        )
        signed = parts.names.sign(cookies.BROWSER, browser or parts.names.new(), parts.sessions.credential())
    except Unavailable:
        return show("away.html", 503)
    response = _home()
    set_cookie(response, cookies.SESSION, token, max_age_s=cookies.SESSION_AGE_S)
    set_cookie(response, cookies.BROWSER, signed, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _browser(seen: Visit) -> str | None:
    """Return the name of a browser that has signed in before: nobody else's wrong tries count against it."""
    parts = services()
    try:
        found = parts.names.read(cookies.BROWSER, seen.browser, parts.sessions.credential())
    except Unavailable:
        return None
    return None if found is None else found[0]


@blueprint.post("/signout")
def sign_out() -> Response:
    """End the session; what its user has stays, and so do the answers in progress."""
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin"):
        raise Forbidden("Signing out is for the page itself.")
    parts, seen = services(), visit()
    if seen.session:
        try:
            session = parts.sessions.find(seen.session)
            parts.sessions.end(session.user, session.id)
            parts.runs.sign_out({session.id})
        except NotSignedIn:
            pass  # it has ended already
        except Unavailable:
            return show("away.html", 503)  # it goes on until it can be ended
    response = _home()
    set_cookie(response, cookies.SESSION, "", max_age_s=0)
    return response


def _home() -> Response:
    response = make_response(redirect(url_for("page.index"), 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def _sign_in_page(status: int, *, wrong: bool = False, wait_s: int | None = None) -> Response:
    response = show("signin.html", status, action=url_for("page.sign_in"), wrong=wrong, wait_s=wait_s)
    if wait_s is not None:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _crowded(error: TooManyRequests) -> Response:
    """Show that no more visitors are made for this address now."""
    wait_s = error.retry_after_s or 60
    response = show("crowded.html", 429, minutes=-(-wait_s // 60))
    response.headers["Retry-After"] = str(wait_s)
    return response


def show(template: str, status: int, *, rules: Mapping[str, str] = RULES, **context: object) -> Response:
    """Make a page that nothing keeps and that may load nothing but our own files."""
    tag = language()
    words = services().assets.words[tag]
    scheme = request.cookies.get(_SCHEME_COOKIE)
    chosen = scheme if scheme in _SCHEMES else None
    html = render_template(template, **context, lang=tag, dir=direction(tag), words=words, scheme=chosen)
    response = make_response(html, status)
    response.vary.add("Accept-Language")
    policy = "; ".join(f"{name} {value}" for name, value in rules.items())
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response


def language() -> str:
    """Choose the best of our languages for the present visitor; English where none fits."""
    for tag, quality in request.accept_languages:  # the most wanted first
        spoken = tag.partition("-")[0].lower()
        if quality > 0 and spoken in LANGUAGES:
            return spoken
    return "en"


def direction(tag: str) -> str:
    """Tell where a language's lines begin: `ltr` or `rtl`."""
    return "rtl" if tag in _RIGHT_TO_LEFT else "ltr"
