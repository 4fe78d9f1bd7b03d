"""A rate limit on wrong passwords and tokens."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from webapp.errors import TooManyRequests
from webapp.seams import RateLimit, SharedCounters

_WINDOW_S = 60.0
_MAX_FAILURES = 8
_MAX_SOURCES = 10_000
_SHARED_S = 1.0  # then a source goes by what its worker has counted
_TRUSTED_S = 10.0  # after a right password: programs send one with every request


class Throttle:
    """Counts each source's wrong passwords of the last minute, and over all workers those of the current one.

    A source is an address (IPv6: one /64), or a browser that has signed in before: it is counted separately, so that
    other clients of its address cannot lock it out. The same wrong password again counts once: it comes from a
    misconfigured program, not from somebody who guesses. Time is an argument, in seconds.
    """

    def __init__(self, shared: SharedCounters | None = None) -> None:
        self._shared = shared
        self._by_source: dict[str, deque[tuple[float, int | None]]] = {}
        self._trusted: OrderedDict[str, float] = OrderedDict()  # sources, by when they were last looked up
        self._lock = threading.Lock()

    def verify(self, source: str, password: str, is_right: Callable[[str], bool], now: float) -> bool:
        """Return whether a password is right. Raises `TooManyRequests` after too many wrong ones of its source.

        It is raised for wrong and right ones alike, so that one guess too many learns nothing.
        """
        wait_s = self.wait_s(source, now)
        if wait_s:
            raise _throttled(wait_s)
        is_accepted = is_right(password)
        if is_accepted:
            is_exhausted = self._is_reached_elsewhere(source, now)
        else:
            is_exhausted = self._is_one_too_many(source, now, password or None)
        if is_exhausted:
            self._exhaust(source, now)
            raise _throttled(self.wait_s(source, now))
        return is_accepted

    def wait_s(self, source: str, now: float) -> int:
        """Return the seconds until a source may try again; 0 when it may try now, as far as this worker knows."""
        with self._lock:
            failures = self._by_source.get(source)
            if not failures or len(failures) < _MAX_FAILURES:
                return 0
            left_s = failures[0][0] + _WINDOW_S - now
        return max(0, int(left_s) + 1) if left_s > 0 else 0

    def record_failure(self, source: str, now: float, password: str | None = None) -> bool:
        """Record a wrong password in this worker, unless it is known. Of the password only its `hash` is stored, which differs
        in every process. Returns whether it was recorded.
        """
        mark = None if password is None else hash(password)
        with self._lock:
            self._trusted.pop(source, None)
            if len(self._by_source) >= _MAX_SOURCES and source not in self._by_source:
                self._sweep(now)
            failures = self._by_source.setdefault(source, deque(maxlen=_MAX_FAILURES))
            if mark is not None and any(mark == known for _, known in failures):
                return False
            failures.append((now, mark))
            return True

    def _is_one_too_many(self, source: str, now: float, password: str | None) -> bool:
        """Count a wrong password; return whether all workers together had seen too many before."""
        is_new = self.record_failure(source, now, password)
        return (
            is_new and self._shared is not None and self._shared.hit([_limit(source)], _SHARED_S) is not None
        )

    def _is_reached_elsewhere(self, source: str, now: float) -> bool:
        """Return whether other workers have seen too many wrong passwords of a source. Asks the store now and then."""
        if self._shared is None:
            return False
        with self._lock:
            if now - self._trusted.get(source, -_TRUSTED_S) < _TRUSTED_S:
                return False
        if self._shared.is_reached(_limit(source), _SHARED_S):
            return True
        with self._lock:
            self._trusted[source] = now
            while len(self._trusted) > _MAX_SOURCES:
                self._trusted.popitem(last=False)
        return False

    def _exhaust(self, source: str, now: float) -> None:
        """Block a source that has tried too many wrong passwords at other workers."""
        with self._lock:
            failures = self._by_source.setdefault(source, deque(maxlen=_MAX_FAILURES))
            failures.extend([(now, None)] * _MAX_FAILURES)

    def _sweep(self, now: float) -> None:
        """Remove the sources without a recent failure, or else the oldest one."""
        expired = [
            source for source, failures in self._by_source.items() if failures[-1][0] < now - _WINDOW_S
        ]
        for source in expired or [next(iter(self._by_source))]:
            del self._by_source[source]


def _limit(source: str) -> RateLimit:
    return RateLimit(name=f"passwords {source}", most=_MAX_FAILURES, window_s=round(_WINDOW_S))


def _throttled(wait_s: int) -> TooManyRequests:
    return TooManyRequests("Too many wrong passwords.", retry_after_s=wait_s, code="throttled")
