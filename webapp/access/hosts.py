"""Strict parsing of the `Host` and `Origin` headers; RFC 9110, section 7.2, and RFC 6454, section 7."""

from __future__ import annotations

import re
from typing import NamedTuple

_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?)(?::(?P<port>[0-9]{1,5}))?"
)
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#@]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_CHARS = 255


class Host(NamedTuple):
    """A lowercase name or address, IPv6 in brackets; `port` is None where the header has none."""

    name: str
    port: int | None


def parse_host(text: str) -> Host | None:
    """Parse a `Host` header; return None for anything but a name or address with an optional port."""
    found = _HOST.fullmatch(text.lower()) if len(text) <= _MAX_CHARS else None
    if found is None:
        return None
    port = None if found["port"] is None else int(found["port"])
    return None if port is not None and port > 65_535 else Host(found["name"], port)


def is_own_origin(origin: str, host: str, *, secure: bool) -> bool:
    """Return whether an `Origin` has this server's scheme, name and port."""
    scheme = "https" if secure else "http"
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None or found["scheme"] != scheme:
        return False
    theirs, ours = parse_host(found["host"]), parse_host(host)
    if theirs is None or ours is None:
        return False
    default = _DEFAULT_PORTS[scheme]
    return (theirs.name, theirs.port or default) == (ours.name, ours.port or default)
