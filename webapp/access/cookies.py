"""The cookies: their names, and what is signed into them.

A session's cookie holds a random token whose digest is a row in the database. A visitor's and a browser's cookies hold
a signed name, so that nobody can make up one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal

from itsdangerous import BadData, URLSafeTimedSerializer

Base = Literal["freshet-session", "freshet-visitor", "freshet-browser"]
SESSION: Base = "freshet-session"
VISITOR: Base = "freshet-visitor"
BROWSER: Base = "freshet-browser"
FORMER = "freshet"  # the one cookie of version 0.1, a session of Flask's

SESSION_AGE_S = 30 * 24 * 3600  # since it was last used
VISITOR_AGE_S = 365 * 24 * 3600  # since the page was last opened
RENEW_AFTER_S = 7 * 24 * 3600
_FORMER_AGE_S = 30 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{16,64}")


def cookie_name(base: str, *, secure: bool, path: str) -> str:
    """Return a cookie's name: over TLS with the prefix that lets nobody else set it.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes. `__Host-` needs the
    path `/`, so a server below another path has `__Secure-`.
    """
    if not secure:
        return base
    return f"__Host-{base}" if path == "/" else f"__Secure-{base}"


class Names:
    """Signs the names of visitors and browsers, and reads them again.

    `secret` returns the server's secret; it may raise `Unavailable`, and so does then every method. A name signed in
    the future is as good as any: clocks are set back.
    """

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @staticmethod
    def new() -> str:
        """Choose a name: 128 random bits in 22 characters."""
        return secrets.token_urlsafe(16)

    def sign(self, base: Base, name: str, context: str = "") -> str:
        """Return a cookie's value; it is read again only with the same `context`."""
        signed = self._serializer(base, context).dumps(name)
        return signed if isinstance(signed, str) else signed.decode()

    def read(self, base: Base, value: str | None, context: str = "") -> tuple[str, float] | None:
        """Return the name in a cookie's value and its age in seconds; None for one that is not ours."""
        name, age_s = self._load(self._serializer(base, context), value)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return None
        return name, age_s

    def former_visitor(self, value: str | None) -> str | None:
        """Return the visitor's name in a cookie of version 0.1, for the thirty days that it was good for."""
        former = URLSafeTimedSerializer(
            self._secret(),
            salt="cookie-session",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
        )
        content, age_s = self._load(former, value)
        name = content.get("visitor") if isinstance(content, dict) else None
        if age_s > _FORMER_AGE_S or not isinstance(name, str) or not _NAME.fullmatch(name):
            return None
        return name

    def _serializer(self, base: Base, context: str) -> URLSafeTimedSerializer:
        salt = f"{base} {context}" if context else base
        return URLSafeTimedSerializer(
            self._secret(), salt=salt, signer_kwargs={"digest_method": hashlib.sha256}
        )

    @staticmethod
    def _load(serializer: URLSafeTimedSerializer, value: str | None) -> tuple[Any, float]:
        if not value or not value.isascii():
            return None, 0.0
        try:
            content, signed_at = serializer.loads(value, return_timestamp=True)
        except BadData:
            return None, 0.0
        return content, time.time() - signed_at.timestamp()
