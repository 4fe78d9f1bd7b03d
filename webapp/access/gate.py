"""Who may come in, decided before any work.

*Open*: bound to loopback, asked by a loopback name, with no sign of a proxy. Otherwise a password, or
`FRESHET_PUBLIC`, or nothing but `mock` configured. Otherwise *locked*.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from webapp.errors import Forbidden, NotSignedIn, Unavailable

Mode = Literal["open", "password", "public", "locked"]

UNLOCKING = ("FRESHET_ACCESS_PASSWORD", "FRESHET_PUBLIC")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LOOPBACK_BINDS = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request before it is let in.

    `bound` is the address that the server listens on ("" where that is no TCP address), `host` the Host
    header, `fetched` tells that any Sec-Fetch-* header came, `visitor` the signed cookie's name and `pass_` the proof of a sign-in that it carries.
    """

    bound: str
    host: str
    forwarded: bool = False
    origin: str | None = None
    bearer: str | None = None
    visitor: str | None = None
    pass_: str | None = None
    fetch_site: str | None = None
    fetch_dest: str | None = None
    fetched: bool = False
    prefetch: bool = False


class Gate:
    """The rules, for one set of settings."""

    def __init__(
        self, *, password: str | None, public: bool, only_mock: bool, origins: tuple[str, ...], secret: str
    ) -> None:
        self._password = password
        self._public = public
        self._only_mock = only_mock
        self._origins = origins
        self._secret = secret

    def mode(self, visit: Visit) -> Mode:
        """Tell how the server stands towards this visit."""
        host = (
            visit.host.rpartition(":")[0]
            if not visit.host.endswith("]") and ":" in visit.host
            else visit.host
        )
        if visit.bound in _LOOPBACK_BINDS and host.lower() in _LOOPBACK_NAMES and not visit.forwarded:
            return "open"
        if self._password:
            return "password"
        return "public" if self._public or self._only_mock else "locked"

    def admit(self, visit: Visit) -> str | None:
        """Let a visit in and name its owner; None is an anonymous caller.

        Raises `Unavailable` when locked and `NotSignedIn` when a password is asked for.
        """
        mode = self.mode(visit)
        if mode == "locked":
            raise Unavailable(
                "This server is locked: its operator has to set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true.",
                code="locked",
                retry_after_s=60,
            )
        if mode == "password" and not self.passes(visit):
            raise NotSignedIn("A password is needed: sign in, or send it as a bearer token.")
        return self.owner(visit)

    def passes(self, visit: Visit) -> bool:
        """Tell whether a visit carries the password, or the proof of a sign-in."""
        if visit.bearer is not None:
            return self.is_password(visit.bearer)
        return visit.pass_ is not None and hmac.compare_digest(visit.pass_, self.proof())

    def is_password(self, word: str) -> bool:
        """Compare with the password, in constant time."""
        expected = (self._password or "").encode()
        return bool(expected) and hmac.compare_digest(word.encode(), expected)

    def proof(self) -> str:
        """What a signed cookie carries after a sign-in; another password makes it void."""
        return hmac.new(self._secret.encode(), (self._password or "").encode(), hashlib.sha256).hexdigest()[
            :32
        ]

    @staticmethod
    def owner(visit: Visit) -> str | None:
        """Name who is asking: a key before a cookie."""
        if visit.bearer:
            return "key:" + hashlib.sha256(visit.bearer.encode()).hexdigest()[:32]
        return f"visitor:{visit.visitor}" if visit.visitor else None

    def cross_origin(self, visit: Visit) -> str | None:
        """Name the other site that asks, if it may; None for our own page and for programs.

        Raises `Forbidden` for a site that may not, and for `null`, which anybody can be.
        """
        if visit.origin is None:
            return None
        origin = visit.origin.lower()
        if origin != "null":
            if _is_of(origin, visit.host.lower()):
                return None
            if origin in self._origins or "*" in self._origins:
                return visit.origin
        raise Forbidden("This site may not use the server: see FRESHET_ALLOWED_ORIGINS.", code="origin")

    def check_get_start(self, visit: Visit, allowed: str | None) -> None:
        """Refuse a GET that would spend money because of an image tag, a link or a prefetch."""
        site, dest = visit.fetch_site, visit.fetch_dest
        if visit.prefetch or dest not in (None, "empty"):
            raise Forbidden("GET /stream starts no answer for a page, an image or a prefetch.", code="fetch")
        own_page = site == "same-origin" or (
            site is None and not visit.fetched
        )  # some programs send no Sec-Fetch-* at all
        if allowed is None and not own_page:
            raise Forbidden("GET /stream starts an answer only for its own page.", code="fetch")


def _is_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:  # brackets without an address in them
        return False
    return _with_port(parts.netloc, parts.scheme) == _with_port(host, parts.scheme)


def _with_port(netloc: str, scheme: str) -> str:
    has_port = ":" in netloc.rpartition("]")[2]
    return netloc if has_port else f"{netloc}:{_DEFAULT_PORTS.get(scheme, '')}"
