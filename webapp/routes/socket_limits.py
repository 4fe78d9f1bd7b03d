"""What a WebSocket may use: the memory of its messages, and its caller's share of readers."""

from __future__ import annotations

from collections.abc import Callable

from webapp.access.principals import Principal
from webapp.api.request_bodies import UNAUTHENTICATED
from webapp.routes.current_principal import current_address
from webapp.runs.connections import ReaderQuota
from webapp.services import Services

_MIN_UNAUTHENTICATED = 8  # connections


def memory_functions(
    parts: Services, *, is_authenticated: bool
) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """Return the functions that reserve and release memory for a connection's messages."""
    bodies = parts.bodies
    address = None if parts.gate.is_local else current_address() if is_authenticated else UNAUTHENTICATED
    return lambda size: bodies.reserve(address, size), lambda size: bodies.release(address, size)


def reader_quota(parts: Services, caller: Principal | None) -> ReaderQuota | None:
    """Return the share of readers that a connection counts against; unauthenticated ones have a small one together."""
    if caller is None:
        return "unknown", max(_MIN_UNAUTHENTICATED, parts.runs.limits.max_readers // 4)
    return parts.limiter.reader_quota(caller)
