"""Where a request comes from: the peer, or what a trusted proxy says of it.

Nobody else's header counts: anybody can write one.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable

log_ = logging.getLogger("freshet.access")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNIX = "unix"
_PORT = re.compile(
    r"^(?:\[(.*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$"
)  # some proxies name the client's port, too
_IPV6_PREFIX = 64  # what one customer of a provider usually has; RFC 6177
_PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "127.0.0.0/8",
    "::1",
)
# The router of each platform asks from a private address. Where its X-Forwarded-For ends with an address that is
# not the client's, another header names the client: https://fly.io/docs/networking/request-headers/,
# https://developers.cloudflare.com/fundamentals/reference/http-headers/ (Render stands behind Cloudflare).
_CLIENT_HEADERS = {"heroku": None, "render": "HTTP_CF_CONNECTING_IP", "fly": "HTTP_FLY_CLIENT_IP"}


class Proxies:
    """The reverse proxies whose word counts."""

    def __init__(self, trusted: Iterable[str], platform: str | None = None) -> None:
        """Trust the listed networks and `unix`; else the router of `platform` (`heroku`, `render`, `fly`)."""
        named = tuple(trusted)
        self._has_warned = False
        self._client_header: str | None = None
        if not named and platform is not None:
            named = _PRIVATE
            self._client_header = _CLIENT_HEADERS[platform]
        self._trusts_unix = UNIX in named
        self._networks: list[_Network] = [
            ipaddress.ip_network(one, strict=False) for one in named if one != UNIX
        ]

    def trusts(self, peer: str) -> bool:
        """Return whether the other end of a connection is a trusted proxy; `peer` is "" for a Unix socket."""
        if not peer:
            return self._trusts_unix
        address = parse(peer)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def client(self, environ: dict[str, object]) -> str:
        """Return the client's address: the peer's, or the nearest hop that is no trusted proxy itself."""
        peer = str(environ.get("REMOTE_ADDR") or "")
        if not self.trusts(peer):
            if "HTTP_X_FORWARDED_FOR" in environ:
                self._warn(peer)
            return peer
        if self._client_header is not None:
            named = str(environ.get(self._client_header, "")).strip()
            if parse(named) is not None:
                return named
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            address = _PORT.sub(r"\1\2", hop.strip())
            if parse(address) is None:
                return peer  # the proxy passed on what it was told
            if not self.trusts(address) or address == peer:
                return address  # a client beside the proxy, on the same machine, is no proxy
        return peer

    def _warn(self, peer: str) -> None:
        """Warn once that a proxy seems to stand before the server, if it asks from a private address."""
        address = parse(peer)
        if not self._has_warned and (address is None or address.is_private):
            self._has_warned = True
            log_.warning(
                "a proxy at %s sends X-Forwarded-For, but FRESHET_TRUSTED_PROXIES does not name it: "
                "all its clients count as one address",
                peer or "a Unix socket",
            )

    def is_secure(self, environ: dict[str, object]) -> bool:
        """Return whether the client came over TLS, to this server or to a trusted proxy."""
        if environ.get("wsgi.url_scheme") == "https":
            return True
        if not self.trusts(str(environ.get("REMOTE_ADDR") or "")):
            return False
        told = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).rpartition(",")[2]
        return told.strip().lower() == "https"


def parse(text: str) -> _Address | None:
    """Read an address; an IPv4 address written as IPv6 is IPv4. None where it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def network_of(client: str) -> str:
    """Return what counts as one address: an IPv4 address, an IPv6 /64, or `unix`."""
    address = parse(client)
    if address is None:
        return UNIX
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
