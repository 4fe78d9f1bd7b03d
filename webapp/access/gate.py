"""Who may come in, decided before any work.

| mode | when |
|---|---|
| local | `FRESHET_LOCAL`, without a password; asked by a loopback name and this server's port, with no sign of a proxy |
| password | `FRESHET_ACCESS_PASSWORD`, on loopback too |
| public | `FRESHET_PUBLIC`, or nothing but `mock` configured |
| locked | otherwise |
"""

from __future__ import annotations

import hmac
from typing import Literal

import msgspec

from webapp.access.hosts import is_own_origin, parse_host
from webapp.errors import Forbidden, Unavailable

Mode = Literal["local", "password", "public", "locked"]

UNLOCKING = ("FRESHET_ACCESS_PASSWORD", "FRESHET_PUBLIC")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LOOPBACK_BINDS = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORT = 80
# What an <img>, a link, a frame, a style sheet or a video asks for, where a browser sends no Sec-Fetch-* headers.
_ASKED_FOR_BY_TAGS = ("image/", "text/html", "application/xhtml", "text/css", "video/", "audio/", "font/")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a request before it is let in.

    `bound` and `port` are the address that the server listens on ("" where that is no TCP address), `host` the Host
    header. `forwarded` says that some proxy left a sign. `client` is the client's address, `secure` whether it came
    over TLS; both count a trusted proxy's word. The cookies are as they came, unverified; `former` is the cookie of
    version 0.1.
    """

    bound: str
    port: str = ""
    host: str
    forwarded: bool = False
    client: str = ""
    secure: bool = False
    origin: str | None = None
    bearer: str | None = None
    session: str | None = None
    visitor: str | None = None
    browser: str | None = None
    former: str | None = None
    fetch_site: str | None = None
    fetch_dest: str | None = None
    accept: str = ""
    agent: str = ""
    referer: str | None = None
    prefetch: bool = False


class Gate:
    """The rules, for one set of settings."""

    def __init__(
        self, *, password: str | None, public: bool, local: bool, only_mock: bool, origins: tuple[str, ...]
    ) -> None:
        self._password = password
        self._public = public
        self._local = local
        self._only_mock = only_mock
        self._origins = origins

    @property
    def is_local(self) -> bool:
        """Whether whoever comes in is the one local user."""
        return self._local and not self._password

    def mode(self, visit: Visit) -> Mode:
        """Return how the server stands towards this visit."""
        if self._password:
            return "password"
        if self._local:  # another name for this computer, or a proxy's sign, is no reason to let anybody in
            return "local" if _is_local(visit) else "locked"
        return "public" if self._public or self._only_mock else "locked"

    def check_unlocked(self, visit: Visit) -> None:
        """Refuse everybody while the server is locked. Raises `Unavailable` that names the settings."""
        if self.mode(visit) != "locked":
            return
        message = (
            "This server is locked: its operator has to set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true."
        )
        if self._local:
            message = (
                "FRESHET_LOCAL serves this computer only, by a loopback address and without a proxy. "
                "For others set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true."
            )
        raise Unavailable(message, code="locked", retry_after_s=60)

    def is_password(self, word: str) -> bool:
        """Compare with the password, in constant time."""
        expected = (self._password or "").encode()
        return bool(expected) and hmac.compare_digest(word.encode(errors="replace"), expected)

    def cross_origin(self, visit: Visit) -> str | None:
        """Return the other site that asks, if it may; None for our own page and for programs.

        Raises `Forbidden` for a site that may not, and for `null`, which anybody can be.
        """
        if visit.origin is None:
            return None
        origin = visit.origin.lower()
        if origin != "null":
            if is_own_origin(origin, visit.host, secure=visit.secure):
                return None
            if origin in self._origins or "*" in self._origins:
                return visit.origin
        raise Forbidden(_not_allowed(visit), code="origin")

    def check_get_start(self, visit: Visit, allowed: str | None) -> None:
        """Refuse a GET that would spend money because of an image tag, a link or a prefetch."""
        site, dest = visit.fetch_site, visit.fetch_dest
        accepted = visit.accept.lower()
        by_tag = dest not in (None, "empty") or any(kind in accepted for kind in _ASKED_FOR_BY_TAGS)
        if visit.prefetch or by_tag:
            raise Forbidden("GET /stream starts no answer for a page, an image or a prefetch.", code="fetch")
        is_own = site == "same-origin" or (site is None and not _may_be_script_tag(visit))
        if allowed is None and not is_own:  # programs send no Sec-Fetch-Site
            raise Forbidden("GET /stream starts an answer only for its own page.", code="fetch")

    @staticmethod
    def is_page_visit(visit: Visit) -> bool:
        """Return whether somebody opens the page, and not an image tag or the like of another site's."""
        accepted = visit.accept.lower()
        if visit.prefetch or visit.fetch_dest not in (None, "document"):
            return False
        return "text/html" in accepted or not any(kind in accepted for kind in _ASKED_FOR_BY_TAGS)


def _may_be_script_tag(visit: Visit) -> bool:
    """Return whether a browser without Sec-Fetch-* headers (plain http) may be asking for another site's script.

    An EventSource names what it accepts; a <script> accepts anything, and its page is its Referer.
    """
    if not visit.agent.startswith("Mozilla/"):
        return False
    if "text/event-stream" not in visit.accept.lower():
        return True
    if not visit.referer:
        return False
    scheme, _, rest = visit.referer.partition("://")
    return not is_own_origin(f"{scheme}://{rest.partition('/')[0]}", visit.host, secure=visit.secure)


def _is_local(visit: Visit) -> bool:
    host = parse_host(visit.host)
    if host is None or visit.forwarded or visit.bound not in _LOOPBACK_BINDS:
        return False
    return host.name in _LOOPBACK_NAMES and str(host.port or _DEFAULT_PORT) == visit.port


def _not_allowed(visit: Visit) -> str:
    if not visit.secure and is_own_origin(visit.origin or "", visit.host, secure=True):
        return (
            "The page came over https, but the request did not: if a proxy in front speaks TLS, "
            "name it in FRESHET_TRUSTED_PROXIES and let it send X-Forwarded-Proto."
        )
    return "This site may not use the server: see FRESHET_ALLOWED_ORIGINS."
