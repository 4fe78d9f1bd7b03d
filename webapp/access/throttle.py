"""A brake on wrong passwords: a few tries a minute for each address, and a bound for all together."""

from __future__ import annotations

import threading
from collections import deque

_WINDOW_S = 60.0
_TRIES = 8
_TRIES_OF_ALL = 200
_MOST_ADDRESSES = 10_000


class Throttle:
    """Remembers wrong tries of the last minute. Time is an argument, in seconds.

    The same wrong word again is no guess, but a program that was set up wrongly: it counts once.
    """

    def __init__(self) -> None:
        self._by_address: dict[str, deque[tuple[float, int | None]]] = {}
        self._all: deque[float] = deque(maxlen=_TRIES_OF_ALL)
        self._lock = threading.Lock()

    def wait_s(self, address: str, now: float) -> int:
        """Tell how long an address must wait before its next try; 0 when it may try now."""
        with self._lock:
            own = self._by_address.get(address)
            full = [own[0][0]] if own and len(own) == _TRIES else []
            if len(self._all) == _TRIES_OF_ALL:
                full.append(self._all[0])
        waits = [first + _WINDOW_S - now for first in full]
        return max((int(wait) + 1 for wait in waits if wait > 0), default=0)

    def failed(self, address: str, now: float, word: str | None = None) -> None:
        """Note a wrong try, and of its word no more than a number that means nothing elsewhere."""
        mark = None if word is None else hash(word)
        with self._lock:
            if len(self._by_address) >= _MOST_ADDRESSES:
                self._sweep(now)
            tries = self._by_address.setdefault(address, deque(maxlen=_TRIES))
            if mark is not None and any(mark == known for _, known in tries):
                return
            tries.append((now, mark))
            self._all.append(now)

    def _sweep(self, now: float) -> None:
        old = [address for address, tries in self._by_address.items() if tries[-1][0] < now - _WINDOW_S]
        for address in old or [next(iter(self._by_address))]:
            del self._by_address[address]
