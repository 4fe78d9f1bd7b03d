"""The client's address: the peer's, or the one that a trusted proxy forwards.

Forwarding headers from any other peer are ignored, because anybody can write them.
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
# An address in X-Forwarded-For: some proxies append the client's port.
_WITH_PORT = re.compile(r"^(?:\[(.*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$")
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_MAX_PREFIX_CHARS = 200
_IPV6_PREFIX = 64  # the usual allocation of one customer; RFC 6177
_PRIVATE_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "127.0.0.0/8",
    "::1",
)
# The router of each platform connects from a private address. Where the last entry of its X-Forwarded-For is not the
# client, another header has the client's address: https://fly.io/docs/networking/request-headers/,
# https://developers.cloudflare.com/fundamentals/reference/http-headers/ (Render is behind Cloudflare).
_CLIENT_HEADERS = {"heroku": None, "render": "HTTP_CF_CONNECTING_IP", "fly": "HTTP_FLY_CLIENT_IP"}


class TrustedProxies:
    """The reverse proxies whose forwarding headers are trusted."""

    def __init__(self, trusted: Iterable[str], platform: str | None = None) -> None:
        """Trust the listed networks and `unix`; without any, the router of `platform` (`heroku`, `render`, `fly`)."""
        networks = tuple(trusted)
        self._has_warned = False
        self._client_header: str | None = None
        if not networks and platform is not None:
            networks = _PRIVATE_NETWORKS
            self._client_header = _CLIENT_HEADERS[platform]
        self._trusts_unix = UNIX in networks
        self._networks: list[_Network] = [
            ipaddress.ip_network(network, strict=False) for network in networks if network != UNIX
        ]

    def trusts(self, peer: str) -> bool:
        """Return whether a connection's peer is a trusted proxy; "" is the peer of a Unix socket."""
        if not peer:
            return self._trusts_unix
        address = parse_address(peer)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def client_address(self, environ: dict[str, object]) -> str:
        """Return the peer's address, or behind a trusted proxy that of the nearest hop that is not one."""
        peer = str(environ.get("REMOTE_ADDR") or "")
        if not self.trusts(peer):
            if "HTTP_X_FORWARDED_FOR" in environ:
                self._warn(peer)
            return peer
        if self._client_header is not None:
            forwarded = str(environ.get(self._client_header, "")).strip()
            if parse_address(forwarded) is not None:
                return forwarded
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            address = _WITH_PORT.sub(r"\1\2", hop.strip())
            if parse_address(address) is None:
                return peer  # the proxy has passed on a client's own header
            if not self.trusts(address) or address == peer:
                return address  # equal to the peer: a client on the proxy's machine
        return peer

    def _warn(self, peer: str) -> None:
        """Log once that an unlisted proxy seems to be in front of the server, if the peer's address is private."""
        address = parse_address(peer)
        if not self._has_warned and (address is None or address.is_private):
            self._has_warned = True
            log_.warning(
                "a proxy at %s sends X-Forwarded-For but is not listed in FRESHET_TRUSTED_PROXIES: "
                "all its clients count as one address",
                peer or "a Unix socket",
            )

    def prefix(self, environ: dict[str, object]) -> str:
        """Return the sub-path that a trusted proxy has stripped, such as `/chat`; "" without one. Nested proxies add theirs."""
        if not self.trusts(str(environ.get("REMOTE_ADDR") or "")):
            return ""
        named = [
            part.strip().rstrip("/") for part in str(environ.get("HTTP_X_FORWARDED_PREFIX", "")).split(",")
        ]
        prefix = "".join(named)
        return prefix if len(prefix) <= _MAX_PREFIX_CHARS and _PREFIX.fullmatch(prefix) else ""

    def is_secure(self, environ: dict[str, object]) -> bool:
        """Return whether the client used TLS, to this server or to a trusted proxy."""
        if environ.get("wsgi.url_scheme") == "https":
            return True
        if not self.trusts(str(environ.get("REMOTE_ADDR") or "")):
            return False
        nearest = str(environ.get("HTTP_X_FORWARDED_PROTO", "")).rpartition(",")[2]
        return nearest.strip().lower() == "https"


def parse_address(text: str) -> _Address | None:
    """Parse an IP address, or return None. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def network_of(client: str) -> str:
    """Return the network that limits apply to: the IPv4 address, the IPv6 /64, or `unix`."""
    address = parse_address(client)
    if address is None:
        return UNIX
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
