"""Sign-in with the server's password, and sign-out."""

from __future__ import annotations

import time

from flask import Blueprint, Response, make_response, redirect, request

from webapp.access import cookies
from webapp.access.gate import UNLOCKING_VARIABLES, Visit
from webapp.access.principals import SOLE_USER
from webapp.access.sessions import describe_device
from webapp.errors import Forbidden, NotSignedIn, TooManyRequests, Unavailable
from webapp.routes.current_principal import current_address, current_visit
from webapp.routes.html_pages import render_page
from webapp.routes.request_cookies import set_cookie
from webapp.routes.sub_path import path_to_root
from webapp.services import services

blueprint = Blueprint("sign_in", __name__)


@blueprint.post("/signin")
def sign_in() -> Response:
    """Check the password and start a session, which replaces the browser's current session."""
    parts, visit = services(), current_visit()
    if parts.gate.mode(visit) == "locked":
        return render_page("locked.html", 503, settings=UNLOCKING_VARIABLES)
    browser = _known_browser(visit)
    source = current_address() if browser is None else f"browser {browser}"
    # Read the body before the throttle is checked: a client could delay its body and pass the check many times.
    password = request.form.get("password", "")
    try:
        if not parts.throttle.verify(source, password, parts.gate.is_password, time.monotonic()):
            return sign_in_page(401, wrong=True)
    except TooManyRequests as refused:
        return sign_in_page(429, wait_s=refused.retry_after_s)
    try:
        token = parts.sessions.create(
            SOLE_USER, describe_device(request.headers.get("User-Agent", "")), replaced=visit.session
        )
        signed = parts.name_signer.sign(
            cookies.BROWSER, browser or parts.name_signer.generate(), parts.sessions.credential()
        )
    except Unavailable:
        return render_page("away.html", 503)
    response = _redirect_to_chat()
    set_cookie(response, cookies.SESSION, token, max_age_s=cookies.SESSION_AGE_S)
    set_cookie(response, cookies.BROWSER, signed, max_age_s=cookies.VISITOR_AGE_S)
    return response


def _known_browser(visit: Visit) -> str | None:
    """Return the name of a browser that has signed in before; None for others.

    Such a browser is throttled on its own, so that wrong passwords from its address cannot lock it out.
    """
    parts = services()
    try:
        signed = parts.name_signer.verify(cookies.BROWSER, visit.browser, parts.sessions.credential())
    except Unavailable:
        return None
    return None if signed is None else signed[0]


@blueprint.post("/signout")
def sign_out() -> Response:
    """End the session; the user's conversations stay and current runs continue."""
    if request.headers.get("Sec-Fetch-Site") not in (None, "same-origin"):
        raise Forbidden("Only the page itself can sign out: open it and sign out there.")
    parts, visit = services(), current_visit()
    if visit.session:
        try:
            session = parts.sessions.find(visit.session)
            parts.sessions.end(session.user, session.id)
            parts.runs.sign_out({session.id})
        except NotSignedIn:
            pass  # already ended
        except Unavailable:
            return render_page("away.html", 503)  # the session was not ended
    response = _redirect_to_chat()
    set_cookie(response, cookies.SESSION, "", max_age_s=0)
    return response


def _redirect_to_chat() -> Response:
    response = make_response(redirect(path_to_root(), 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def sign_in_page(status: int, *, wrong: bool = False, wait_s: int | None = None) -> Response:
    """Return the sign-in page; after a `wrong` password, or with the seconds to wait before the next try."""
    response = render_page(
        "signin.html", status, action=path_to_root() + "signin", wrong=wrong, wait_s=wait_s
    )
    if wait_s is not None:
        response.headers["Retry-After"] = str(wait_s)
    return response
