"""The connections of readers, and how many each caller may have."""

from __future__ import annotations

import threading
from collections.abc import Container

from webapp.errors import TooManyRequests, Unavailable
from webapp.runs.readers import ReaderConnection

ReaderQuota = tuple[str, int]  # a caller's name and its maximum number of connections

_RETRY_AFTER_S = 5


class Connections:
    """The open connections: at most `limit`, and of each caller at most its quota."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[ReaderConnection] = set()
        self._by_quota: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def list_all(self) -> list[ReaderConnection]:
        """Return the open connections."""
        return list(self._open)

    def sessions(self) -> set[str]:
        """Return the sign-in sessions of the open connections."""
        return {connection.session for connection in list(self._open) if connection.session is not None}

    def sign_out(self, sessions: Container[str]) -> None:
        """End the connections of these sign-in sessions."""
        for connection in list(self._open):
            if connection.session is not None and connection.session in sessions:
                connection.sign_out()

    def keys(self) -> set[str]:
        """Return the publishable keys of the open connections."""
        return {connection.key for connection in list(self._open) if connection.key is not None}

    def revoke(self, keys: Container[str]) -> None:
        """End the connections of these publishable keys."""
        for connection in list(self._open):
            if connection.key is not None and connection.key in keys:
                connection.sign_out()

    def add(self, connection: ReaderConnection, quota: ReaderQuota | None) -> None:
        """Admit a connection. Raises `Unavailable` and `TooManyRequests`."""
        with self._lock:
            if len(self._open) >= self._limit:
                raise Unavailable(
                    "Too many clients are connected. Try again in a moment.",
                    retry_after_s=_RETRY_AFTER_S,
                    code="full",
                )
            self._count(connection, quota)
            self._open.add(connection)

    def change_quota(self, connection: ReaderConnection, quota: ReaderQuota | None) -> None:
        """Count a connection against another caller. Raises `TooManyRequests`."""
        with self._lock:
            self._uncount(connection)
            self._count(connection, quota)

    def remove(self, connection: ReaderConnection) -> None:
        """Remove a connection; idempotent."""
        with self._lock:
            if connection in self._open:
                self._open.discard(connection)
                self._uncount(connection)

    def _count(self, connection: ReaderConnection, quota: ReaderQuota | None) -> None:
        if quota is None:
            return
        name, max_readers = quota
        if self._by_quota.get(name, 0) >= max_readers:
            raise TooManyRequests(
                f"Too many connections at once: {max_readers} are allowed. Close one.",
                code="too_many_readers",
                retry_after_s=_RETRY_AFTER_S,
                limit=max_readers,
            )
        connection.quota_name = name
        self._by_quota[name] = self._by_quota.get(name, 0) + 1

    def _uncount(self, connection: ReaderConnection) -> None:
        name, connection.quota_name = connection.quota_name, None
        if name is not None:
            left = self._by_quota[name] - 1
            if left:
                self._by_quota[name] = left
            else:
                del self._by_quota[name]
