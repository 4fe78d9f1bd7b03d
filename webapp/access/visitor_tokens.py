"""Visitor tokens: who a visitor of somebody else's site is, signed by this server or by the site's own.

They are JSON Web Tokens, https://www.rfc-editor.org/rfc/rfc7519, signed by HMAC-SHA256. Their `kid` names the key's value, with
`.visitor` behind it where this server has signed; `aud` is `freshet`, `origin` the site, and `sub` the visitor. They expire after
15 minutes and are renewed meanwhile. They come in the Authorization header or the first WebSocket message, never in an address.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING

import msgspec

from webapp.access.keys import Keys
from webapp.access.secret import Secret
from webapp.errors import NotSignedIn
from webapp.publishable_keys import KeyValue, PublishableKey, is_token

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

LIFETIME_S = 15 * 60
AUDIENCE = "freshet"
RENEWABLE_S = (
    400 * 24 * 3_600
)  # as long as browsers keep a cookie: https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html
_LEEWAY_S = 5 * 60  # between two clocks
_OWN = ".visitor"
_MAX_CHARS = 4_000
_MAX_SUBJECT_CHARS = 255


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A verified visitor. `name` is unique among all visitors of all keys; `is_signed`: the site has signed this one in."""

    key: PublishableKey
    value: KeyValue
    name: str
    origin: str
    is_signed: bool
    expires_at: float

    @property
    def subject(self) -> str:
        """The part of the name that the key does not say."""
        return self.name.removeprefix(f"{self.key.id}.")


def is_visitor_token(bearer: str) -> bool:
    """Return whether a bearer token claims to be a visitor's, by its header."""
    return _key_token(bearer) is not None


class VisitorTokens:
    """Issues and verifies the tokens of one server."""

    def __init__(self, keys: Keys, secret: Secret) -> None:
        self._keys = keys
        self._secret = secret

    def issue(self, key: PublishableKey, value: KeyValue, origin: str, subject: str | None = None) -> str:
        """Return a token for a visitor whom the site has not signed in; without `subject`, for a new one. Raises `Unavailable`."""
        from joserfc import jwt  # noqa: PLC0415  (a server without keys does not need it)

        now = int(time.time())
        claims = {
            "aud": AUDIENCE,
            "origin": origin,
            "sub": subject or f"a.{secrets.token_urlsafe(16)}",
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        header = {"alg": "HS256", "typ": "JWT", "kid": value.token + _OWN}
        return jwt.encode(header, claims, _oct_key(self._own_secret(key)), algorithms=["HS256"])

    def verify(self, token: str, *, expired_for_s: float = 0.0) -> Visitor:
        """Return the visitor of a token, which may have expired `expired_for_s` ago if this server has signed it.

        Raises `NotSignedIn` for any other, `Unavailable` while the keys cannot be read.
        """
        kid = _key_token(token)
        found = None if kid is None else self._keys.find(kid.removesuffix(_OWN))
        if kid is None or found is None:
            raise _refused("The key of this token is unknown, or was revoked.", "key_revoked")
        key, value = found
        is_own = kid.endswith(_OWN)
        secret = self._own_secret(key) if is_own else self._keys.open_secret(value)
        claims = None if secret is None else _read_claims(token, secret)
        if claims is None:
            raise _refused("The token's signature is wrong.", "bad_token")
        subject, origin, expires_at = claims.get("sub"), claims.get("origin"), claims.get("exp")
        if not isinstance(origin, str) or claims.get("aud") not in (AUDIENCE, [AUDIENCE]):
            raise _refused("The token needs aud and origin.", "bad_token")
        if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT_CHARS:
            raise _refused(f"The token needs a sub of at most {_MAX_SUBJECT_CHARS} characters.", "bad_token")
        if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
            raise _refused("The token needs exp, the seconds since 1970 when it expires.", "bad_token")
        _check_times(claims, expires_at, expired_for_s if is_own else 0.0)
        name = subject if is_own else f"u.{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
        return Visitor(
            key=key,
            value=value,
            name=f"{key.id}.{name}",
            origin=origin.lower(),
            is_signed=not is_own,
            expires_at=expires_at,
        )

    def _own_secret(self, key: PublishableKey) -> str:
        return self._secret.digest("visitor tokens", key.id)


def _check_times(claims: dict[str, object], expires_at: float, expired_for_s: float) -> None:
    now = time.time()
    if now > expires_at + expired_for_s:
        raise _refused("The token has expired.", "token_expired")
    if expires_at > now + LIFETIME_S + _LEEWAY_S:
        raise _refused(f"The token may be valid for {LIFETIME_S} seconds at most.", "token_lifetime")
    for name in ("nbf", "iat"):
        begins = claims.get(name)
        if isinstance(begins, int | float) and begins > now + _LEEWAY_S:
            raise _refused("The token is not valid yet: compare the clocks of both servers.", "token_early")


def _read_claims(token: str, secret: str) -> dict[str, object] | None:
    """Return the claims of a token whose signature is right."""
    from joserfc import jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415

    try:
        return dict(jwt.decode(token, _oct_key(secret), algorithms=["HS256"]).claims)
    except (JoseError, ValueError, TypeError):
        return None


def _oct_key(secret: str) -> OctKey:
    from joserfc.jwk import OctKey  # noqa: PLC0415

    return OctKey.import_key(secret.encode())


def _key_token(token: str) -> str | None:
    """Return the `kid` in a token's header, if it names a publishable key."""
    head, separator, _ = token.partition(".")
    if not separator or len(token) > _MAX_CHARS:
        return None
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) and is_token(kid.removesuffix(_OWN)) else None


def _refused(message: str, code: str) -> NotSignedIn:
    return NotSignedIn(message, code=code)
