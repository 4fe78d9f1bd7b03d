"""The chat page, or what is shown in its place: the sign-in page, or the page of a locked or unavailable server."""

from __future__ import annotations

from flask import Blueprint, Response, request, send_from_directory

from webapp.access import cookies
from webapp.access.gate import UNLOCKING_VARIABLES, Visit
from webapp.access.principals import SOLE_USER, Principal
from webapp.errors import NotSignedIn, TooManyRequests, Unavailable
from webapp.routes.current_principal import current_visit, movable_owner, resolve_principal
from webapp.routes.html_pages import render_page
from webapp.routes.request_cookies import set_cookie
from webapp.routes.sign_in import sign_in_page
from webapp.seams import Provider
from webapp.services import services

blueprint = Blueprint("page", __name__)

_BOOT_MODELS = 50  # of each provider, and
_BOOT_TEXT_ONLY = 500  # in all: some servers list a thousand models
_DEMO_SETTINGS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST")


@blueprint.get("/")
def index() -> Response:
    """Return the chat page, the sign-in page, or the page of a locked, busy or unavailable server."""
    visit = current_visit()
    try:
        caller = resolve_principal(visit)
    except NotSignedIn:
        return sign_in_page(401)
    except TooManyRequests as error:  # too many wrong bearer tokens
        return sign_in_page(429, wait_s=error.retry_after_s)
    except Unavailable as error:
        if error.code == "locked":
            return render_page("locked.html", 503, settings=UNLOCKING_VARIABLES)
        return render_page("away.html", 503)
    if caller.kind != "visitor":
        return _renew_session_cookies(_chat_page(caller), visit, caller)
    try:
        opens_page = request.method == "GET" and services().gate.is_navigation(visit)
        signed = _new_visitor_cookie(visit, caller) if opens_page and not caller.is_unverified else None
    except TooManyRequests as error:
        return _too_many_visitors_page(error)
    except Unavailable:
        return render_page("away.html", 503)
    response = _chat_page(caller)
    if signed is not None:
        set_cookie(response, cookies.VISITOR, signed, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _renew_session_cookies(response: Response, visit: Visit, caller: Principal) -> Response:
    """Set a session's cookies anew, so that they expire thirty days after the last visit."""
    if caller.session is not None and visit.session and request.method == "GET":
        set_cookie(response, cookies.SESSION, visit.session, max_age_s=cookies.SESSION_AGE_S)
        if visit.browser:
            set_cookie(response, cookies.BROWSER, visit.browser, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _new_visitor_cookie(visit: Visit, caller: Principal) -> str | None:
    """Return the visitor cookie to set: of a new visitor, or an old one's signed again; None if it is recent.

    Raises `TooManyRequests`, and `Unavailable` if the signing secret cannot be loaded.
    """
    parts = services()
    if caller.name is None:
        signed = parts.name_signer.sign(cookies.VISITOR, parts.name_signer.generate())
        parts.limiter.count_visitor(caller.address)
        return signed
    known = parts.name_signer.verify(cookies.VISITOR, visit.visitor)
    is_recent = known is not None and known[1] < cookies.RENEW_AFTER_S
    return None if is_recent else parts.name_signer.sign(cookies.VISITOR, caller.name)


def _chat_page(caller: Principal) -> Response:
    parts = services()
    default = parts.providers.default
    boot = {
        "version": parts.version,
        "page": parts.assets.digest,
        "provider": default.name,
        "model": default.model_name,
        "models": _list_models(default, caller),
        "blind": parts.providers.list_text_only_models()[:_BOOT_TEXT_ONLY],
        "demo": {"settings": _DEMO_SETTINGS} if parts.demo else None,
        "import_max_bytes": parts.import_max_bytes,
        "heartbeat_ms": round(parts.runs.limits.heartbeat_s * 1000),
        "signed_in": caller.session is not None,
        "movable": caller.kind == "user" and _has_visitor(),
        "frame_ms": parts.frame_ms,
        "starters": parts.starters,
        "addresses": parts.provider_addresses if _is_operator(caller) else {},
    }
    return render_page("index.html", 200, boot=boot, first=parts.assets.first[1:], beside=parts.assets.beside)


def _is_operator(caller: Principal) -> bool:
    """Return whether the caller is the only user of this server: who runs it, or was given its password."""
    return caller.kind == "user" and caller.name == SOLE_USER


def _has_visitor() -> bool:
    """Return whether this browser has a visitor cookie; the page asks later whether that visitor has conversations."""
    try:
        return movable_owner(current_visit()) is not None
    except Unavailable:
        return False


def _list_models(default: Provider, caller: Principal) -> list[str]:
    """List the first models of each provider that the caller may choose, the default first; `GET /models` has all."""
    parts = services()
    first = f"{default.name}/{default.model_name}"
    priced = parts.limiter.allowance(caller).models == "priced"
    groups = parts.providers.list_groups(priced=priced)
    names = [model.id for group in groups for model in group.models[:_BOOT_MODELS]]
    return [first, *(name for name in names if name != first)]


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Return the icon to browsers that request it without having read the page."""
    return send_from_directory(services().assets.folder, "icon.svg")


def _too_many_visitors_page(error: TooManyRequests) -> Response:
    """Return the page for an address that has too many new visitors."""
    wait_s = error.retry_after_s or 60
    response = render_page("crowded.html", 429, minutes=-(-wait_s // 60))
    response.headers["Retry-After"] = str(wait_s)
    return response
