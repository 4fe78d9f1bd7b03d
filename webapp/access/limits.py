"""The counters behind the limits of callers.

The `limits` package counts rates; concurrent answers are counted here. These counters are in the memory of one worker, and a
restart resets them. Starts, imports, documents, searches and new visitors are also counted over all workers, in slots of a minute
or an hour; where the store is away the worker's own counters remain. In local mode nothing is counted, but the maximum sizes of an
`Allowance` apply.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from webapp.access.allowances import Allowance
from webapp.access.principals import Kind, Principal
from webapp.errors import TooLarge, TooManyRequests
from webapp.seams import RateLimit, SharedCounters

_ANSWERS_RETRY_S = 5
_SEARCHES_PER_ANSWER = 4
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 24 * 3_600
_SHARED_S = 0.3  # of a request, which then goes by what its own worker has counted
_CLOCK_JUMP_S = 30.0
_MIN_READERS = 50  # browser tabs
_PRUNE_AT = 2_000  # counters


class _Counters(MemoryStorage):
    """The package's storage, without its scan of all counters for expired ones at every hit; see `prune`."""

    @property
    def size(self) -> int:
        """The number of counters."""
        return len(self.events) + len(self.expirations)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Record a hit, and drop the entries beyond the limit and those that have expired."""
        acquired = super().acquire_entry(key, limit, expiry, amount)
        if acquired:
            hits, now = self.events[key], time.time()  # the newest first
            del hits[limit:]
            while hits[-1].expiry < now:
                hits.pop()
        return acquired

    def prune(self, now: float) -> None:
        """Remove expired counters."""
        expired = [key for key, events in self.events.items() if not events or events[0].expiry < now]
        expired += [key for key, expiry in self.expirations.items() if expiry < now]
        for key in expired:
            self.clear(key)

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  (the package's private name)
        pass


class Limiter:
    """Counts what callers use and refuses what exceeds their limits.

    All visitors of one address together have `address_share` times one visitor's limits of concurrent answers, starts
    and, per day, stored bytes. An address may create `address_visitors` new visitors per hour.
    """

    def __init__(
        self,
        allowances: Mapping[Kind, Allowance],
        *,
        address_share: int,
        address_visitors: int,
        shared: SharedCounters | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._allowances = allowances
        self._share = address_share
        self._visitors = address_visitors
        self._shared = shared
        self._storage: _Counters | None = None  # created at first use, because it starts a thread
        self._prune_at = _PRUNE_AT
        self._running: dict[str, int] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._offset_s = clock() - time.monotonic()

    def allowance(self, caller: Principal) -> Allowance:
        """Return the limits of a caller, those of its key included."""
        allowance = self._allowances[caller.kind]
        if caller.key is None:
            return allowance
        profile = caller.key.profile
        return msgspec.structs.replace(
            allowance,
            answers=min(allowance.answers, profile.answers or allowance.answers),
            starts=min(allowance.starts, profile.starts or allowance.starts),
        )

    def check_start(self, caller: Principal) -> None:
        """Raise `TooManyRequests` if a caller may not start an answer now; count nothing."""
        if not caller.is_counted:
            return
        with self._lock:
            for counter, limit in self._counters(caller, "answers"):
                if self._running.get(counter, 0) >= limit:
                    raise _too_many_answers(limit)
        for counter, limit in self._counters(caller, "starts"):
            self._check(self._moving(), RateLimitItemPerMinute(limit), counter, "starts")

    def count_start(self, caller: Principal) -> None:
        """Count a start over all workers, unless the worker's own counters refuse it. Raises `TooManyRequests`.

        Waits for the store for a moment; `acquire`, which does not wait, counts it in this worker.
        """
        self.check_start(caller)
        if caller.is_counted:
            self._hit_shared(self._counters(caller, "starts"), "starts", _MINUTE_S)
        if caller.key is not None and caller.key.profile.answers_per_day is not None:
            counter = (f"day of key {caller.key.id}", caller.key.profile.answers_per_day)
            self._hit_shared([counter], "day", _DAY_S)

    def acquire(self, caller: Principal, elsewhere: int = 0) -> Callable[[], None]:
        """Count an answer that starts now. Return the function that releases it, to be called once when it has ended.

        `elsewhere` is how many answers the caller has on other workers, whose counters are their own. Raises
        `TooManyRequests`; then nothing is counted.
        """
        if not caller.is_counted:
            return _no_op
        counters = self._counters(caller, "answers")
        with self._lock:
            for counter, limit in counters:
                if self._running.get(counter, 0) + elsewhere >= limit:
                    raise _too_many_answers(limit)
            for counter, _ in counters:
                self._running[counter] = self._running.get(counter, 0) + 1
        acquired = [counter for counter, _ in counters]
        try:
            for counter, limit in self._counters(caller, "starts"):
                self._check(self._moving(), RateLimitItemPerMinute(limit), counter, "starts")
        except TooManyRequests:
            self._release(acquired)
            raise
        for counter, limit in self._counters(caller, "starts"):
            self._moving().hit(RateLimitItemPerMinute(limit), counter)
        return lambda: self._release(acquired)

    def acquire_again(self, caller: Principal) -> Callable[[], None]:
        """Count an answer that another worker has started, whatever the limits; see `acquire`."""
        if not caller.is_counted:
            return _no_op
        counter = f"answers {caller.owner}"
        with self._lock:
            self._running[counter] = self._running.get(counter, 0) + 1
        return lambda: self._release([counter])

    def reader_quota(self, caller: Principal) -> tuple[str, int] | None:
        """Return the counter for a caller's reading connections and its maximum; None where they are not counted."""
        if not caller.is_counted:
            return None
        answers = self.allowance(caller).answers
        if caller.kind != "user":
            return f"address {caller.address}", max(_MIN_READERS, 4 * self._share * answers)
        return str(caller.owner), max(_MIN_READERS, 25 * answers)

    def feed_quota(self, caller: Principal) -> tuple[str, int] | None:
        """Return `reader_quota` for a feed of changes: half of it, so that answers can still be read."""
        quota = self.reader_quota(caller)
        return None if quota is None else (quota[0], quota[1] // 2)

    def count_import(self, caller: Principal) -> None:
        """Count an import; per minute there may be as many as answers. Raises `TooManyRequests`."""
        self._count_per_minute(caller, "imports", 1)

    def count_document(self, caller: Principal) -> None:
        """Count a file that becomes a document; per minute there may be as many as answers. Raises `TooManyRequests`."""
        self._count_per_minute(caller, "documents", 1)

    def count_search(self, caller: Principal) -> None:
        """Count a search of documents; per minute there may be four times as many as answers. Raises `TooManyRequests`."""
        self._count_per_minute(caller, "searches", _SEARCHES_PER_ANSWER)

    def _count_per_minute(self, caller: Principal, kind: str, per_answer: int) -> None:
        """Count one of a kind over all workers. Raises `TooManyRequests`."""
        if not caller.is_counted:
            return
        counters = [
            (f"{kind} {counter}", per_answer * limit) for counter, limit in self._counters(caller, "starts")
        ]
        for counter, limit in counters:
            item = RateLimitItemPerMinute(limit)
            if not self._moving().hit(item, counter):
                self._check(self._moving(), item, counter, kind)
        self._hit_shared(counters, kind, _MINUTE_S)

    def count_visitor(self, address: str) -> None:
        """Count a new visitor of an address. Raises `TooManyRequests`."""
        item, counter = RateLimitItemPerHour(self._visitors), f"visitors {address}"
        if not self._moving().hit(item, counter):
            self._check(self._moving(), item, counter, "visitors")
        self._hit_shared([(counter, self._visitors)], "visitors", _HOUR_S)

    def check_question(self, caller: Principal, size_bytes: int, param: str) -> None:
        """Raise `TooLarge`, naming the field `param`, for a question with its history that is too long."""
        limit = self.allowance(caller).question_bytes
        if size_bytes > limit:
            raise TooLarge(
                f"{param} is too long: a question with its history may have {limit:,} bytes, images not included.",
                param=param,
                code="question_too_large",
                limit=limit,
            )

    def count_stored_bytes(self, caller: Principal, size_bytes: int) -> None:
        """Count the bytes that a visitor is about to store for its address. Raises `TooManyRequests`."""
        if not caller.is_counted or caller.kind == "user" or size_bytes <= 0:
            return
        limit = self._share * self.allowance(caller).stored_bytes
        item, counter = RateLimitItemPerDay(limit), f"bytes {caller.address}"
        limiter = FixedWindowRateLimiter(self._checked_storage())
        self._check(limiter, item, counter, "bytes", min(size_bytes, limit))
        limiter.hit(item, counter, cost=min(size_bytes, limit))

    def _counters(self, caller: Principal, kind: Literal["answers", "starts"]) -> list[tuple[str, int]]:
        """Return the counters of a caller, each with its limit."""
        limit: int = getattr(self.allowance(caller), kind)
        counters = [] if caller.owner is None else [(f"{kind} {caller.owner}", limit)]
        if caller.kind != "user":
            place = caller.address if caller.key is None else f"{caller.address} with {caller.key.id}"
            counters.append((f"{kind} at {place}", self._share * limit))
        return counters

    def _hit_shared(self, counters: Sequence[tuple[str, int]], kind: str, window_s: int) -> None:
        """Count one over all workers. Raises `TooManyRequests`."""
        if self._shared is None or not counters:
            return
        reached = self._shared.hit(
            [RateLimit(name=name, most=most, window_s=window_s) for name, most in counters], _SHARED_S
        )
        if reached is not None:
            raise _too_many(kind, reached.most, reached.wait_s(self._clock()))

    def _release(self, counters: list[str]) -> None:
        with self._lock:
            for counter in counters:
                remaining = self._running[counter] - 1
                if remaining:
                    self._running[counter] = remaining
                else:
                    del self._running[counter]

    def _moving(self) -> RateLimiter:
        return MovingWindowRateLimiter(self._checked_storage())

    def _checked_storage(self) -> _Counters:
        """Return the counters, reset when the system clock was changed: their expiry is in its time."""
        with self._lock:
            offset_s = self._clock() - time.monotonic()
            if self._storage is None:
                self._storage = _Counters()
            elif abs(offset_s - self._offset_s) > _CLOCK_JUMP_S:
                self._storage.reset()
            self._offset_s = offset_s
            if self._storage.size > self._prune_at:
                self._storage.prune(self._clock())
                self._prune_at = max(_PRUNE_AT, 2 * self._storage.size)
            return self._storage

    def _check(
        self, limiter: RateLimiter, item: RateLimitItem, counter: str, kind: str, cost: int = 1
    ) -> None:
        if limiter.test(item, counter, cost=cost):
            return
        stats = limiter.get_window_stats(item, counter)
        wait_s = max(1, int(stats.reset_time - self._clock()) + 1)
        raise _too_many(kind, item.amount, wait_s)


_MESSAGES = {
    "starts": "Too many answers were started: the limit is {limit} per minute.",
    "imports": "Too many conversations were imported: the limit is {limit} per minute.",
    "documents": "Too many files were added: the limit is {limit} per minute.",
    "searches": "Too many searches: the limit is {limit} per minute.",
    "visitors": "Too many new visitors come from your address: the limit is {limit} per hour.",
    "day": "The chat of this site has given its {limit} answers of today. It goes on tomorrow.",
    "bytes": "Too much was stored from your address: the limit is {limit:,} bytes per day.",
}


def _too_many(kind: str, limit: int, wait_s: int) -> TooManyRequests:
    return TooManyRequests(
        _MESSAGES[kind].format(limit=limit), code=f"too_many_{kind}", retry_after_s=wait_s, limit=limit
    )


def _too_many_answers(limit: int) -> TooManyRequests:
    return TooManyRequests(
        f"Too many answers at once: the limit is {limit}. Wait until one has finished, or stop one.",
        code="too_many_answers",
        retry_after_s=_ANSWERS_RETRY_S,
        limit=limit,
    )


def _no_op() -> None:
    pass
