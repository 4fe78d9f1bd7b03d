"""Where the server is under a sub-path of a site: `https://example.org/chat/`.

A proxy that strips the sub-path may name it in X-Forwarded-Prefix, or say nothing at all. So pages name everything relative to their
own address where nobody has named the sub-path, and cookies then have the path `/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import request

from webapp.access.addresses import TrustedProxies

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def mount(application: WSGIApplication, proxies: TrustedProxies) -> WSGIApplication:
    """Wrap an application: its SCRIPT_NAME begins with the sub-path that a trusted proxy names."""

    def mounted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix = proxies.prefix(environ) if "HTTP_X_FORWARDED_PREFIX" in environ else ""
        if prefix and environ.get("SCRIPT_NAME", "") == "":  # else the operator has named it
            environ["SCRIPT_NAME"] = prefix
        return application(environ, start_response)

    return mounted


def path_to_root() -> str:
    """Return the path of the application's root, with `/` at its end: relative to the current page where it is unknown."""
    if request.script_root:
        return f"{request.script_root}/"
    return "../" * (request.path.count("/") - 1) or "./"
