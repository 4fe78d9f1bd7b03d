"""A journal in memory that fails as a test wants, for two workers of one process."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from webapp.errors import JournalUnavailable
from webapp.frames import Frame, StoppedBy
from webapp.journal.memory import MemoryJournal
from webapp.journal_records import (
    JournalCursor,
    JournalEntry,
    JournalGroup,
    JournalRun,
    JournalUpdate,
    Refusal,
)

T = TypeVar("T")

TIMEOUT_S = 10.0
NOTHING = JournalCursor()


class FaultyJournal(MemoryJournal):
    """`calls` counts the calls by name. Times pass by `advance`, besides those of the clock."""

    def __init__(self) -> None:
        super().__init__(lambda: time.time() + self.ahead_s)
        self.ahead_s = 0.0
        self.calls: Counter[str] = Counter()
        self.lost_responses: set[str] = (
            set()
        )  # the calls that are made, but whose responses are lost, once each
        self._refused: set[str] = set()
        self.held: dict[str, threading.Event] = {}  # calls that wait for these events first
        self._is_away = False

    def refuse_once(self, name: str) -> None:
        """Fail the next call of this name, which then does nothing."""
        self._refused.add(name)

    def go_away(self) -> None:
        """Fail all calls until `come_back`."""
        self._is_away = True

    def come_back(self) -> None:
        """Work again."""
        self._is_away = False

    def clear(self) -> None:
        """Forget everything, leases too."""
        with self._changed:
            self._runs.clear()
            self._leases.clear()

    def row(self, run: str) -> JournalRun:
        """Return a run that must be known."""
        row = super().find(run)
        assert row is not None, f"{run} is not in the journal"
        return row

    def frames(self, run: str) -> list[Frame]:
        """Return all stored frames of a run's newest epoch, with its reset."""
        update = super().read({run: NOTHING}, 10**7)[run]
        return [*update.reset, *update.frames]

    def _guard(self, name: str, call: Callable[[], T]) -> T:
        self.calls[name] += 1
        if (event := self.held.get(name)) is not None:
            assert event.wait(TIMEOUT_S), f"{name} was not released"
        if self._is_away:
            self.condition = "away"
            raise JournalUnavailable(detail="the test has taken it away")
        if name in self._refused:
            self._refused.remove(name)
            raise JournalUnavailable(detail="the test has refused it")
        self.condition = "ready"
        result = call()
        if name in self.lost_responses:
            self.lost_responses.remove(name)
            self.condition = "away"
            raise JournalUnavailable(detail="the test has lost the response")
        return result

    def begin(self, entry: JournalEntry) -> JournalRun | None:
        return self._guard("begin", lambda: MemoryJournal.begin(self, entry))

    def append(self, worker: str, groups: Sequence[JournalGroup]) -> Mapping[str, Refusal]:
        return self._guard("append", lambda: MemoryJournal.append(self, worker, groups))

    def end(self, worker: str, group: JournalGroup) -> Refusal | None:
        return self._guard("end", lambda: MemoryJournal.end(self, worker, group))

    def find(self, run: str) -> JournalRun | None:
        return self._guard("find", lambda: MemoryJournal.find(self, run))

    def move_owner(self, source: str, target: str) -> None:
        self._guard("move_owner", lambda: MemoryJournal.move_owner(self, source, target))

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        return self._guard("read", lambda: MemoryJournal.read(self, cursors, limit_bytes, wait_s))

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        return self._guard("seize", lambda: MemoryJournal.seize(self, run, epoch, last_seq, worker, reset))

    def renew(self, worker: str, ttl_s: float) -> bool:
        return self._guard("renew", lambda: MemoryJournal.renew(self, worker, ttl_s))

    def reclaim(self, worker: str, ttl_s: float) -> list[JournalRun]:
        return self._guard("reclaim", lambda: MemoryJournal.reclaim(self, worker, ttl_s))

    def find_stops(self, worker: str) -> Mapping[str, StoppedBy]:
        return self._guard("find_stops", lambda: MemoryJournal.find_stops(self, worker))

    def measure_unread_s(self, runs: Collection[str]) -> Mapping[str, float]:
        return self._guard("measure_unread_s", lambda: MemoryJournal.measure_unread_s(self, runs))

    def expire(self, older_than_s: float, limit: int = 100) -> int:
        return self._guard("expire", lambda: MemoryJournal.expire(self, older_than_s, limit))


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, for a bounded time."""
    until = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.005)
