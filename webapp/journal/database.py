"""A journal in SQLite or Postgres.

Reads and writes have a thread and a connection each, and so has the worker's lease: none waits for the others. On SQLite
they are threads of the operating system, because it never yields to gevent. Reads that wait look again and again; on Postgres,
where it can be, a `Listener` says when.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from webapp.frames import Frame, StoppedBy
from webapp.journal import statements
from webapp.journal.calls import MAX_QUEUED, TIMEOUT_S, JournalCalls
from webapp.journal.channel import Channel
from webapp.journal.listener import Listener
from webapp.journal.places import Mode, PostgresPlace, SqlitePlace, SqlPlace
from webapp.journal.rules import POLL_S, has_news
from webapp.journal.transaction import Transaction
from webapp.journal_records import (
    JournalCursor,
    JournalEntry,
    JournalGroup,
    JournalRun,
    JournalUpdate,
    Refusal,
    check_count,
    check_reset,
)
from webapp.offload import WorkerPool

T = TypeVar("T")

_PAUSE_S = 0.02  # between two looks, however much is stored
_LOOK_S = 0.5  # between two looks of a read that is notified


class DatabaseJournal(JournalCalls):
    """Implements `seams.Journal` in tables: in Postgres at `url`, or without one in a SQLite file in `folder`.

    A call waits for at most `timeout_s`, its place in the queue included.
    """

    def __init__(self, url: str | None, folder: str, timeout_s: float = TIMEOUT_S) -> None:
        place: SqlPlace = (
            SqlitePlace(folder, 0.7 * timeout_s) if url is None else PostgresPlace(url, 0.9 * timeout_s)
        )
        super().__init__("sqlite" if url is None else "postgres", timeout_s)
        self._listener = Listener(place) if isinstance(place, PostgresPlace) else None
        self._reading, self._writing, self._leasing = Channel(place), Channel(place), Channel(place)
        self._readers = WorkerPool("freshet-journal-read", native=place.native, max_waiting=MAX_QUEUED)
        self._writer = WorkerPool("freshet-journal-write", native=place.native, max_waiting=MAX_QUEUED)

    def begin(self, entry: JournalEntry) -> JournalRun | None:
        """See `seams.Journal`."""
        return self._write(partial(statements.begin, entry=entry))

    def append(self, worker: str, groups: Sequence[JournalGroup]) -> Mapping[str, Refusal]:
        """See `seams.Journal`."""
        check_count(len(groups))
        if not groups:
            return {}
        return self._write(partial(statements.append, worker=worker, groups=groups), "lazy news")

    def end(self, worker: str, group: JournalGroup) -> Refusal | None:
        """See `seams.Journal`."""
        return self._write(partial(statements.end, worker=worker, group=group), "news")

    def find(self, run: str) -> JournalRun | None:
        """See `seams.Journal`."""
        return self._read(partial(statements.find, run=run), is_lookup=True)

    def list_running(self, owner: str, conversation: str | None = None) -> list[JournalRun]:
        """See `seams.Journal`."""
        work = partial(statements.list_running, owner=owner, conversation=conversation)
        return self._read(work, is_lookup=True)

    def move_owner(self, source: str, target: str) -> None:
        """See `seams.Journal`."""
        self._write(partial(statements.move_owner, source=source, target=target))

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        """See `seams.Journal`."""
        check_count(len(cursors))
        if not cursors:
            return {}
        deadline = time.monotonic() + wait_s
        work = partial(statements.read, cursors=cursors, limit_bytes=limit_bytes)
        while True:
            count = 0 if self._listener is None else self._listener.count
            updates = self._read(work)
            left_s = deadline - time.monotonic()
            if left_s <= 0 or any(map(has_news, updates.values())):
                return updates
            self._pause(count, left_s)

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        """See `seams.Journal`."""
        check_reset(reset)
        return self._write(
            partial(statements.seize, run=run, epoch=epoch, last_seq=last_seq, worker=worker, reset=reset),
            "news",
        )

    def renew(self, worker: str, ttl_s: float) -> bool:
        """See `seams.Journal`."""
        return self._note(
            lambda: self._leasing.run(partial(statements.renew, worker=worker, ttl_s=ttl_s), "write")
        )

    def reclaim(self, worker: str, ttl_s: float) -> list[JournalRun]:
        """See `seams.Journal`."""
        return self._write(partial(statements.reclaim, worker=worker, ttl_s=ttl_s))

    def release(self, worker: str) -> None:
        """See `seams.Journal`."""
        self._write(partial(statements.release, worker=worker))

    def list_lapsed(self, grace_s: float, limit: int = 100) -> list[JournalRun]:
        """See `seams.Journal`."""
        return self._read(partial(statements.list_lapsed, grace_s=grace_s, limit=limit))

    def request_stop(self, run: str, by: StoppedBy) -> bool:
        """See `seams.Journal`."""
        return self._write(partial(statements.request_stop, run=run, by=by))

    def find_stops(self, worker: str) -> Mapping[str, StoppedBy]:
        """See `seams.Journal`."""
        return self._read(partial(statements.find_stops, worker=worker))

    def mark_read(self, runs: Collection[str]) -> None:
        """See `seams.Journal`."""
        check_count(len(runs))
        if runs:
            self._write(partial(statements.mark_read, runs=runs), "lazy")

    def measure_unread_s(self, runs: Collection[str]) -> Mapping[str, float]:
        """See `seams.Journal`."""
        check_count(len(runs))
        return self._read(partial(statements.measure_unread_s, runs=runs)) if runs else {}

    def expire(self, older_than_s: float, limit: int = 100) -> int:
        """See `seams.Journal`."""
        return self._write(partial(statements.expire, older_than_s=older_than_s, limit=limit), "lazy")

    def now(self) -> float:
        """See `seams.Journal`."""
        return self._read(statements.now)

    def close(self) -> None:
        """See `seams.Journal`."""
        self._end(self._readers, self._reading.close)
        self._end(self._writer, self._writing.close)
        self._leasing.close()
        if self._listener is not None:
            self._listener.close()
        self.condition = "closed"

    def _pause(self, count: int, left_s: float) -> None:
        """Wait until a read should look again."""
        time.sleep(min(_PAUSE_S, left_s))
        if self._listener is None or not self._listener.wait(count, min(_LOOK_S, left_s)):
            time.sleep(min(POLL_S - _PAUSE_S, left_s))

    def _read(self, work: Callable[[Transaction], T], *, is_lookup: bool = False) -> T:
        return self._call(self._readers, lambda: self._reading.run(work, "read"), is_lookup=is_lookup)

    def _write(self, work: Callable[[Transaction], T], mode: Mode = "write") -> T:
        return self._call(self._writer, lambda: self._writing.run(work, mode))
