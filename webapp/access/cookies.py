"""The names of the cookies, and the signing of their values.

The session cookie is a random token; the database has its digest. The visitor and browser cookies contain a signed
random name, so that nobody can forge one.
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
LEGACY = "freshet"  # the only cookie of version 0.1, a Flask session

SESSION_AGE_S = 30 * 24 * 3600  # since it was last used; the database ends it then, too (`store/sessions.py`)
VISITOR_AGE_S = 365 * 24 * 3600  # since the page was last opened
RENEW_AFTER_S = 7 * 24 * 3600
_LEGACY_AGE_S = 30 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{16,64}")


def cookie_name(base: str, *, secure: bool, path: str) -> str:
    """Return the cookie's name, over TLS with a prefix that keeps other hosts and plain http from setting it.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes. `__Host-` requires the
    path `/`, so a server under another path uses `__Secure-`.
    """
    if not secure:
        return base
    return f"__Host-{base}" if path == "/" else f"__Secure-{base}"


class NameSigner:
    """Signs and verifies the random names of visitors and browsers.

    `secret` returns the server's secret. It may raise `Unavailable`; then every method does. Timestamps in the future
    are accepted, because clocks are sometimes set back.
    """

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret

    @staticmethod
    def generate() -> str:
        """Return a random name: 128 bits in 22 characters."""
        return secrets.token_urlsafe(16)

    def sign(self, base: Base, name: str, context: str = "") -> str:
        """Return a cookie value; `verify` accepts it only with the same `base` and `context`."""
        signed = self._serializer(base, context).dumps(name)
        return signed if isinstance(signed, str) else signed.decode()

    def verify(self, base: Base, value: str | None, context: str = "") -> tuple[str, float] | None:
        """Return the name in a cookie value and the value's age in seconds, or None for an invalid one."""
        name, age_s = self._load(self._serializer(base, context), value)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return None
        return name, age_s

    def legacy_visitor(self, value: str | None) -> str | None:
        """Return the visitor's name in a cookie of version 0.1, or None for an invalid one or after 30 days."""
        serializer = URLSafeTimedSerializer(
            self._secret(),
            salt="cookie-session",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
        )
        content, age_s = self._load(serializer, value)
        name = content.get("visitor") if isinstance(content, dict) else None
        if age_s > _LEGACY_AGE_S or not isinstance(name, str) or not _NAME.fullmatch(name):
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
