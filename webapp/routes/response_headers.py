"""The CORS and security headers of every response."""

from __future__ import annotations

from flask import Response, g, request

from webapp.routes.current_principal import current_visit

_CORS_METHODS = "GET, POST, DELETE, PATCH"
_CORS_HEADERS = "Content-Type, Authorization, Last-Event-ID, Idempotency-Key"
_CORS_MAX_AGE_S = 600
_EXPOSED_HEADERS = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Freshet-Heartbeat, Freshet-Ignored"
# Features that the page does not use; https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Permissions-Policy
_PERMISSIONS = "camera=(), display-capture=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()"
_HSTS = "max-age=31536000"


def preflight_response() -> Response:
    """Return the answer to a CORS preflight; `add_headers` adds the origin, if it is allowed."""
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = _CORS_METHODS
    response.headers["Access-Control-Allow-Headers"] = _CORS_HEADERS
    response.headers["Access-Control-Max-Age"] = str(_CORS_MAX_AGE_S)
    return response


def add_headers(response: Response) -> None:
    """Add the headers to a response; security headers that its endpoint has set stay."""
    origin, headers = g.get("cross_origin"), response.headers
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if request.headers.get("Origin"):
        response.vary.add("Origin")
    if response.status_code == 204:
        headers.pop("Content-Type", None)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")  # with `no-referrer`, the Origin of a form is null
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if origin else "same-origin")
    headers.setdefault("Permissions-Policy", _PERMISSIONS)
    if current_visit().secure:
        headers["Strict-Transport-Security"] = _HSTS
