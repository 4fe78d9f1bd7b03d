"""What each kind of caller may use, and the one place where it is counted.

Rates are counted by the `limits` package, answers at once by ourselves. All of it is in memory, so it begins anew with
the process. In local mode nothing is counted, but the caps of an `Allowance` hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from webapp.access.allowances import Allowance
from webapp.access.principals import Kind, Principal
from webapp.errors import TooLarge, TooManyRequests

_ANSWERS_RETRY_S = 5
_CLOCK_JUMP_S = 30.0
_LEAST_READERS = 50  # tabs
_PRUNE_AT = 2_000  # counters


class _Counts(MemoryStorage):
    """The package's counts, which it walks through at every count to find those that have run out; we do it rarely."""

    @property
    def size(self) -> int:
        """How many counters there are."""
        return len(self.events) + len(self.expirations)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, and keep no more of a counter than its limit needs."""
        acquired = super().acquire_entry(key, limit, expiry, amount)
        if acquired:
            del self.events[key][limit:]
        return acquired

    def prune(self, now: float) -> None:
        """Forget the counters that have run out."""
        gone = [key for key, events in self.events.items() if not events or events[0].expiry < now]
        gone += [key for key, expiry in self.expirations.items() if expiry < now]
        for key in gone:
            self.clear(key)

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  (the package's private name)
        pass


class Limiter:
    """Counts what callers use.

    An address has `address_share` times the answers, the starts and, in a day, the stored bytes of one visitor over
    all its visitors, and may make `address_visitors` new ones an hour.
    """

    def __init__(
        self,
        allowances: Mapping[Kind, Allowance],
        *,
        address_share: int,
        address_visitors: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._allowances = allowances
        self._share = address_share
        self._visitors = address_visitors
        self._storage: _Counts | None = None  # it starts a thread, so not before it is needed
        self._prune_at = _PRUNE_AT
        self._running: dict[str, int] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._offset_s = clock() - time.monotonic()

    def allowance(self, caller: Principal) -> Allowance:
        """Return what a caller may use."""
        return self._allowances[caller.kind]

    def check_start(self, caller: Principal) -> None:
        """See whether a caller may start an answer now, and count nothing. Raises `TooManyRequests`."""
        if not caller.is_counted:
            return
        with self._lock:
            for counter, most in self._counters(caller, "answers"):
                if self._running.get(counter, 0) >= most:
                    raise _too_many_answers(most)
        for counter, most in self._counters(caller, "starts"):
            self._check(self._moving(), RateLimitItemPerMinute(most), counter, "starts")

    def start(self, caller: Principal) -> Callable[[], None]:
        """Count an answer that starts now; what is returned must be called once, when it has ended.

        Raises `TooManyRequests`, and counts nothing then.
        """
        if not caller.is_counted:
            return _nothing
        counters = self._counters(caller, "answers")
        with self._lock:
            for counter, most in counters:
                if self._running.get(counter, 0) >= most:
                    raise _too_many_answers(most)
            for counter, _ in counters:
                self._running[counter] = self._running.get(counter, 0) + 1
        names = [counter for counter, _ in counters]
        try:
            for counter, most in self._counters(caller, "starts"):
                self._check(self._moving(), RateLimitItemPerMinute(most), counter, "starts")
        except TooManyRequests:
            self._ended(names)
            raise
        for counter, most in self._counters(caller, "starts"):
            self._moving().hit(RateLimitItemPerMinute(most), counter)
        return lambda: self._ended(names)

    def readers(self, caller: Principal) -> tuple[str, int] | None:
        """Return as whose a connection counts that follows answers, and how many they may be; None: it is not counted."""
        if not caller.is_counted:
            return None
        answers = self.allowance(caller).answers
        if caller.kind == "visitor":
            return f"address {caller.address}", max(_LEAST_READERS, 4 * self._share * answers)
        return str(caller.owner), max(_LEAST_READERS, 25 * answers)

    def bring(self, caller: Principal) -> None:
        """Count an import that a caller makes: as many a minute as answers. Raises `TooManyRequests`."""
        if not caller.is_counted:
            return
        for counter, most in self._counters(caller, "starts"):
            item = RateLimitItemPerMinute(most)
            if not self._moving().hit(item, f"imports {counter}"):
                self._check(self._moving(), item, f"imports {counter}", "imports")

    def make_visitor(self, address: str) -> None:
        """Count a new visitor of an address. Raises `TooManyRequests`."""
        item, counter = RateLimitItemPerHour(self._visitors), f"visitors {address}"
        if not self._moving().hit(item, counter):
            self._check(self._moving(), item, counter, "visitors")

    def check_question(self, caller: Principal, size_bytes: int, param: str) -> None:
        """See that a question is not too long. Raises `TooLarge` that names the field."""
        most = self.allowance(caller).question_bytes
        if size_bytes > most:
            raise TooLarge(
                f"{param} is too long: a question with its history may have {most:,} bytes here, images apart.",
                param=param,
                code="question_too_large",
                limit=most,
            )

    def store(self, caller: Principal, size_bytes: int) -> None:
        """Count bytes that a visitor is about to store against its address. Raises `TooManyRequests`."""
        if not caller.is_counted or caller.kind != "visitor" or size_bytes <= 0:
            return
        most = self._share * self.allowance(caller).stored_bytes
        item, counter = RateLimitItemPerDay(most), f"bytes {caller.address}"
        limiter = FixedWindowRateLimiter(self._checked_storage())
        self._check(limiter, item, counter, "bytes", min(size_bytes, most))
        limiter.hit(item, counter, cost=min(size_bytes, most))

    def _counters(self, caller: Principal, what: Literal["answers", "starts"]) -> list[tuple[str, int]]:
        """List what a caller counts against, each with its limit."""
        most: int = getattr(self.allowance(caller), what)
        counters = [] if caller.owner is None else [(f"{what} {caller.owner}", most)]
        if caller.kind == "visitor":
            counters.append((f"{what} at {caller.address}", self._share * most))
        return counters

    def _ended(self, counters: list[str]) -> None:
        with self._lock:
            for counter in counters:
                left = self._running[counter] - 1
                if left:
                    self._running[counter] = left
                else:
                    del self._running[counter]

    def _moving(self) -> RateLimiter:
        return MovingWindowRateLimiter(self._checked_storage())

    def _checked_storage(self) -> _Counts:
        """Return the counts; they begin anew when the clock was set, because they are kept by its time."""
        with self._lock:
            offset_s = self._clock() - time.monotonic()
            if self._storage is None:
                self._storage = _Counts()
            elif abs(offset_s - self._offset_s) > _CLOCK_JUMP_S:
                self._storage.reset()
            self._offset_s = offset_s
            if self._storage.size > self._prune_at:
                self._storage.prune(self._clock())
                self._prune_at = max(_PRUNE_AT, 2 * self._storage.size)
            return self._storage

    def _check(
        self, limiter: RateLimiter, item: RateLimitItem, counter: str, what: str, cost: int = 1
    ) -> None:
        if limiter.test(item, counter, cost=cost):
            return
        stats = limiter.get_window_stats(item, counter)
        wait_s = max(1, int(stats.reset_time - self._clock()) + 1)
        raise TooManyRequests(
            _SENTENCES[what].format(most=item.amount),
            code=f"too_many_{what}",
            retry_after_s=wait_s,
            limit=item.amount,
        )


_SENTENCES = {
    "starts": "Too many answers were started: {most} in a minute are allowed.",
    "imports": "Too many conversations were imported: {most} in a minute are allowed.",
    "visitors": "Too many new visitors come from your address: {most} in an hour are allowed.",
    "bytes": "Too much was stored from your address: {most:,} bytes in a day are allowed.",
}


def _too_many_answers(most: int) -> TooManyRequests:
    return TooManyRequests(
        f"Too many answers at once: {most} are allowed. Wait for one to end, or stop one.",
        code="too_many_answers",
        retry_after_s=_ANSWERS_RETRY_S,
        limit=most,
    )


def _nothing() -> None:
    pass
