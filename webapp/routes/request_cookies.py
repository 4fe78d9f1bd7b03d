"""Reads and sets the cookies of `access/cookies.py`, whose names depend on TLS and on the application's path."""

from __future__ import annotations

from flask import Request, Response
from flask import request as current_request

from webapp.access import cookies
from webapp.services import services


def read_cookie(request: Request, base: cookies.Base, *, secure: bool) -> str | None:
    """Return the value of a cookie; None if the request has none with exactly that name and prefix."""
    return request.cookies.get(cookies.cookie_name(base, secure=secure, path=_path(request)))


def set_cookie(response: Response, base: cookies.Base, value: str, *, max_age_s: int) -> None:
    """Set a cookie for the current request's browser; an age of 0 deletes it."""
    path = _path(current_request)
    secure = services().proxies.is_secure(current_request.environ)
    response.set_cookie(
        cookies.cookie_name(base, secure=secure, path=path),
        value,
        max_age=max_age_s,
        path=path,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def _path(request: Request) -> str:
    return request.script_root or "/"
