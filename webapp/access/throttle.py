"""A rate limit on wrong passwords and tokens."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW_S = 60.0
_MAX_FAILURES = 8
_MAX_SOURCES = 10_000


class Throttle:
    """Counts each source's wrong passwords of the last minute. Time is an argument, in seconds.

    A source is an address (IPv6: one /64), or a browser that has signed in before: it is counted separately, so that
    other clients of its address cannot lock it out. The same wrong password again counts once: it comes from a
    misconfigured program, not from somebody who guesses.
    """

    def __init__(self) -> None:
        self._by_source: dict[str, deque[tuple[float, int | None]]] = {}
        self._lock = threading.Lock()

    def wait_s(self, source: str, now: float) -> int:
        """Return the seconds until a source may try again; 0 when it may try now."""
        with self._lock:
            failures = self._by_source.get(source)
            if not failures or len(failures) < _MAX_FAILURES:
                return 0
            left_s = failures[0][0] + _WINDOW_S - now
        return max(0, int(left_s) + 1) if left_s > 0 else 0

    def record_failure(self, source: str, now: float, password: str | None = None) -> None:
        """Record a wrong password. Of the password only its `hash` is stored, which differs in every process."""
        mark = None if password is None else hash(password)
        with self._lock:
            if len(self._by_source) >= _MAX_SOURCES and source not in self._by_source:
                self._sweep(now)
            failures = self._by_source.setdefault(source, deque(maxlen=_MAX_FAILURES))
            if mark is not None and any(mark == known for _, known in failures):
                return
            failures.append((now, mark))

    def _sweep(self, now: float) -> None:
        """Remove the sources without a recent failure, or else the oldest one."""
        expired = [
            source for source, failures in self._by_source.items() if failures[-1][0] < now - _WINDOW_S
        ]
        for source in expired or [next(iter(self._by_source))]:
            del self._by_source[source]
