"""The `Host` header and the `Origin` header, parsed exactly; RFC 9110, section 7.2, and RFC 6454, section 7."""

from __future__ import annotations

import re
from typing import NamedTuple

_HOST = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?)(?::(?P<port>[0-9]{1,5}))?"
)
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#@]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOST_CHARS = 255


class Host(NamedTuple):
    """A name or address in small letters, IPv6 in brackets, and the port, None where none was named."""

    name: str
    port: int | None


def parse_host(text: str) -> Host | None:
    """Parse a `Host` header; None where it is anything but a name or an address with or without a port."""
    found = _HOST.fullmatch(text.lower()) if len(text) <= _MOST_CHARS else None
    if found is None:
        return None
    port = None if found["port"] is None else int(found["port"])
    return None if port is not None and port > 65_535 else Host(found["name"], port)


def is_own_origin(origin: str, host: str, *, secure: bool) -> bool:
    """Return whether an `Origin` is this server's own: scheme, name and port are all the same."""
    scheme = "https" if secure else "http"
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None or found["scheme"] != scheme:
        return False
    theirs, ours = parse_host(found["host"]), parse_host(host)
    if theirs is None or ours is None:
        return False
    default = _DEFAULT_PORTS[scheme]
    return (theirs.name, theirs.port or default) == (ours.name, ours.port or default)
