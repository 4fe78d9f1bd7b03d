"""The admission rules, applied before any other work.

| mode | when |
|---|---|
| local | `FRESHET_LOCAL` without a password; requests to a loopback host name and this server's port, without proxy headers |
| password | `FRESHET_ACCESS_PASSWORD`, on loopback too |
| public | `FRESHET_PUBLIC`, or no provider but `mock` is configured |
| locked | otherwise |
"""

from __future__ import annotations

import hmac
from typing import Literal

import msgspec

from webapp.access.hosts import is_own_origin, parse_host
from webapp.errors import Forbidden, Unavailable

Mode = Literal["local", "password", "public", "locked"]

UNLOCKING_VARIABLES = ("FRESHET_ACCESS_PASSWORD", "FRESHET_PUBLIC")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LOOPBACK_BINDS = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORT = 80
# What browsers accept for an <img>, a link, a frame, a style sheet or a video, for those without Sec-Fetch-* headers.
_ELEMENT_TYPES = ("image/", "text/html", "application/xhtml", "text/css", "video/", "audio/", "font/")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a request that admission depends on.

    `key` is a publishable key in the address; `needs_key`: the request comes from a site that only some keys admit. `bound` and `port` are the address that the server listens on ("" for a Unix socket), `host` is the Host header.
    `forwarded`: a header shows that a proxy has forwarded the request. `client` and `secure` (over TLS) respect the
    headers of trusted proxies. The cookies are unverified; `legacy` is the cookie of version 0.1.
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
    legacy: str | None = None
    fetch_site: str | None = None
    fetch_mode: str | None = None
    fetch_dest: str | None = None
    accept: str = ""
    agent: str = ""
    referer: str | None = None
    prefetch: bool = False
    key: str | None = None
    needs_key: bool = False


class Gate:
    """The admission rules for one set of settings."""

    def __init__(
        self,
        *,
        password: str | None,
        public: bool,
        local: bool,
        mock_only: bool,
        origins: tuple[str, ...],
        operator_key: str | None = None,
    ) -> None:
        self._password = password
        self._operator_key = operator_key
        self._public = public
        self._local = local
        self._mock_only = mock_only
        self._origins = origins

    @property
    def is_local(self) -> bool:
        """Whether every admitted caller is the local user."""
        return self._local and not self._password

    def mode(self, visit: Visit) -> Mode:
        """Return the mode that applies to a request."""
        if self._password:
            return "password"
        if (
            self._local
        ):  # never "public": another host name or a proxy means that the request may come from outside
            return "local" if _is_local(visit) else "locked"
        return "public" if self._public or self._mock_only else "locked"

    def check_unlocked(self, visit: Visit) -> None:
        """Raise `Unavailable`, naming the settings that would unlock the server, if it is locked."""
        if self.mode(visit) != "locked":
            return
        message = (
            "This server is locked. Its operator must set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true."
        )
        if self._local:
            message = (
                "FRESHET_LOCAL admits only this computer, by a loopback address and without a proxy. "
                "To admit others, set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true."
            )
        raise Unavailable(message, code="locked", retry_after_s=60)

    def is_password(self, text: str) -> bool:
        """Compare with the password in constant time."""
        return _is_equal(text, self._password)

    def is_operator_key(self, text: str) -> bool:
        """Compare with the operator's key in constant time."""
        return _is_equal(text, self._operator_key)

    def check_origin(self, visit: Visit) -> str | None:
        """Return the allowed other site that sends the request; None for the server's own page and for programs.

        Raises `Forbidden` for any other site, and for the origin `null`, which any site can have.
        """
        if visit.origin is None:
            return None
        origin = visit.origin.lower()
        if origin != "null":
            if is_own_origin(origin, visit.host, secure=visit.secure):
                return None
            if origin in self._origins or "*" in self._origins:
                return visit.origin
        raise Forbidden(_origin_message(visit), code="origin")

    def is_own(self, origin: str, visit: Visit) -> bool:
        """Return whether an origin is this server's own page."""
        return is_own_origin(origin.lower(), visit.host, secure=visit.secure)

    def check_get_start(self, visit: Visit, allowed_origin: str | None) -> None:
        """Raise `Forbidden` for a GET that would start a paid answer from an image tag, a link or a prefetch."""
        site, dest = visit.fetch_site, visit.fetch_dest
        accepted = visit.accept.lower()
        is_from_element = dest not in (None, "empty") or any(kind in accepted for kind in _ELEMENT_TYPES)
        if visit.prefetch or is_from_element:
            raise Forbidden("GET /stream starts no answer for a page, an image or a prefetch.", code="fetch")
        is_own = site == "same-origin" or (site is None and not _may_be_script_tag(visit))
        is_admitted = allowed_origin is not None or visit.key is not None
        if not is_admitted and not is_own:  # programs send no Sec-Fetch-Site
            raise Forbidden("GET /stream starts an answer only for its own page.", code="fetch")

    @staticmethod
    def is_navigation(visit: Visit) -> bool:
        """Return whether a browser opens the page itself, not an image tag or frame of another site."""
        accepted = visit.accept.lower()
        if visit.prefetch or visit.fetch_dest not in (None, "document"):
            return False
        return "text/html" in accepted or not any(kind in accepted for kind in _ELEMENT_TYPES)


def _is_equal(text: str, secret: str | None) -> bool:
    expected = (secret or "").encode()
    return bool(expected) and hmac.compare_digest(text.encode(errors="replace"), expected)


def _may_be_script_tag(visit: Visit) -> bool:
    """Return whether another site's <script> may have sent a request without Sec-Fetch-Site (plain http).

    An EventSource accepts text/event-stream; a <script> accepts anything, and its Referer is the page.
    """
    if not visit.agent.startswith("Mozilla/"):
        return False
    if visit.fetch_mode == "cors":
        return False  # Node's fetch, whatever agent it names: a browser sends either both headers or none
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


def _origin_message(visit: Visit) -> str:
    if not visit.secure and is_own_origin(visit.origin or "", visit.host, secure=True):
        return (
            "The page was loaded over https, but the request arrived over http. If a proxy terminates TLS, "
            "list it in FRESHET_TRUSTED_PROXIES and let it send X-Forwarded-Proto."
        )
    return "This site may not use the server: see FRESHET_ALLOWED_ORIGINS."
