"""The page, the sign-in and what a locked server shows. The one door that speaks HTML."""

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
    session,
    url_for,
)

from webapp.access.gate import UNLOCKING
from webapp.errors import Forbidden
from webapp.routes.admission import address, make_visitor, visit
from webapp.routes.services import services
from webapp.routes.words import direction, language
from webapp.seams import Provider

blueprint = Blueprint("page", __name__)

_DEMO_SETTINGS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST")
# Which colours a person chose, where that was not the device; static/scheme.js writes it.
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
    parts, seen = services(), visit()
    match parts.gate.mode(seen):
        case "locked":
            return show("locked.html", 503, settings=UNLOCKING)
        case "password" if not parts.gate.passes(seen):
            return _sign_in_page(401)
        case _:
            pass
    make_visitor()
    default = parts.catalog.resolve(None, None)[0]
    boot = {
        "version": parts.version,
        "page": parts.assets.digest,
        "provider": default.name,
        "model": default.model_name,
        "models": _models(default),
        "blind": parts.catalog.blind(),
        "demo": {"settings": _DEMO_SETTINGS} if parts.demo else None,
        "import_max_bytes": parts.import_max_bytes,
        "signed_in": "pass" in session,
        "frame_ms": parts.frame_ms,
        "starters": parts.starters,
    }
    return show("index.html", 200, boot=boot, first=parts.assets.first[1:], beside=parts.assets.beside)


def _models(default: Provider) -> list[str]:
    """List what can be chosen, the default first."""
    first = f"{default.name}/{default.model_name}"
    return [first, *(name for name in services().catalog.listed() if name != first)]


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Give the icon to browsers that ask without having read the page."""
    return send_from_directory(services().assets.folder, "icon.svg")


@blueprint.post("/signin")
def sign_in() -> Response:
    """Compare the password and remember the visitor in the signed cookie."""
    parts, now = services(), time.monotonic()
    if parts.gate.mode(visit()) == "locked":
        return show("locked.html", 503, settings=UNLOCKING)
    wait_s = parts.throttle.wait_s(address(), now)
    if wait_s:
        response = _sign_in_page(429, wait_s=wait_s)
        response.headers["Retry-After"] = str(wait_s)
        return response
    word = request.form.get("password", "")
    if not parts.gate.is_password(word):
        parts.throttle.failed(address(), now, word or None)
        return _sign_in_page(401, wrong=True)
    make_visitor()
    session["pass"] = parts.gate.proof()
    return _home()


@blueprint.post("/signout")
def sign_out() -> Response:
    """Forget the visitor."""
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin"):
        raise Forbidden("Signing out is for the page itself.")
    session.clear()
    return _home()


def _home() -> Response:
    response = make_response(redirect(url_for("page.index"), 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def _sign_in_page(status: int, *, wrong: bool = False, wait_s: int | None = None) -> Response:
    return show("signin.html", status, action=url_for("page.sign_in"), wrong=wrong, wait_s=wait_s)


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
