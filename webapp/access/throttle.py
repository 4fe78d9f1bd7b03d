"""A brake on wrong passwords and tokens: a few tries a minute for each source."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW_S = 60.0
_TRIES = 8
_MOST_SOURCES = 10_000


class Throttle:
    """Remembers wrong tries of the last minute by their source. Time is an argument, in seconds.

    A source is an address (IPv6: one /64), or a browser that has signed in before, which is counted apart so that
    nobody else can lock it out. The same wrong word again is no guess, but a program that was set up wrongly: it
    counts once.
    """

    def __init__(self) -> None:
        self._by_source: dict[str, deque[tuple[float, int | None]]] = {}
        self._lock = threading.Lock()

    def wait_s(self, source: str, now: float) -> int:
        """Return how long a source must wait before its next try; 0 when it may try now."""
        with self._lock:
            tries = self._by_source.get(source)
            if not tries or len(tries) < _TRIES:
                return 0
            left = tries[0][0] + _WINDOW_S - now
        return max(0, int(left) + 1) if left > 0 else 0

    def failed(self, source: str, now: float, word: str | None = None) -> None:
        """Note a wrong try, and of its word no more than a number that means nothing elsewhere."""
        mark = None if word is None else hash(word)
        with self._lock:
            if len(self._by_source) >= _MOST_SOURCES and source not in self._by_source:
                self._sweep(now)
            tries = self._by_source.setdefault(source, deque(maxlen=_TRIES))
            if mark is not None and any(mark == known for _, known in tries):
                return
            tries.append((now, mark))

    def _sweep(self, now: float) -> None:
        old = [source for source, tries in self._by_source.items() if tries[-1][0] < now - _WINDOW_S]
        for source in old or [next(iter(self._by_source))]:
            del self._by_source[source]
