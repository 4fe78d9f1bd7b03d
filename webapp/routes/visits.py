"""Builds a `Visit`, the framework-free input of the access rules, from a Flask request."""

from __future__ import annotations

import re

from flask import Request

from webapp.access import cookies
from webapp.access.gate import Visit
from webapp.publishable_keys import is_token
from webapp.routes.request_cookies import read_cookie
from webapp.services import services

_PROXY_HEADERS = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_TRUE_CLIENT_IP")
_PROXY_HEADER_PREFIXES = ("HTTP_X_FORWARDED", "HTTP_CF_", "HTTP_FLY_")
_BEARER = re.compile(r"Bearer[ \t]+(\S.{0,3999}?)[ \t]*", re.IGNORECASE)


def visit_of(request: Request) -> Visit:
    """Return what the access rules need to know of a request."""
    environ, headers = request.environ, request.headers
    proxies = services().proxies
    secure = proxies.is_secure(environ)
    bearer = _BEARER.fullmatch(headers.get("Authorization", ""))
    purpose = headers.get("Sec-Purpose", "") + headers.get("Purpose", "") + headers.get("X-Moz", "")
    return Visit(
        bound=_bound_address(environ),
        port=str(environ.get("SERVER_PORT", "")),
        host=headers.get("Host", ""),
        forwarded=any(name in environ for name in _PROXY_HEADERS)
        or any(name.startswith(_PROXY_HEADER_PREFIXES) for name in environ),
        client=proxies.client_address(environ),
        secure=secure,
        origin=headers.get("Origin"),
        bearer=_utf8(bearer[1]) if bearer else None,
        session=read_cookie(request, cookies.SESSION, secure=secure),
        visitor=read_cookie(request, cookies.VISITOR, secure=secure),
        browser=read_cookie(request, cookies.BROWSER, secure=secure),
        legacy=request.cookies.get(cookies.LEGACY),
        fetch_site=headers.get("Sec-Fetch-Site"),
        fetch_mode=headers.get("Sec-Fetch-Mode"),
        fetch_dest=headers.get("Sec-Fetch-Dest"),
        accept=headers.get("Accept", ""),
        agent=headers.get("User-Agent", ""),
        referer=headers.get("Referer"),
        key=_key_of(request),
        prefetch="prefetch" in purpose or "prerender" in purpose,
    )


def _key_of(request: Request) -> str | None:
    """Return the publishable key in the address, where an EventSource has to put it."""
    found = request.args.get("key", "")
    return found if is_token(found) else None


def _utf8(header: str) -> str:
    """Decode a header as UTF-8 where possible: WSGI has decoded it as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _bound_address(environ: dict[str, object]) -> str:
    """Return the address that the server listens on; "" for a Unix socket, whose peer may be a proxy for anybody."""
    if not environ.get("REMOTE_ADDR"):
        return ""
    return str(environ.get("SERVER_NAME", ""))
