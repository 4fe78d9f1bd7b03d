"""A journal in this process's memory: for tests, and to measure what the others cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from webapp.errors import LeaseLapsed
from webapp.frames import Frame, StoppedBy
from webapp.journal.rules import (
    NOTHING,
    Position,
    StoredGroup,
    first_group,
    frames_to_store,
    has_news,
    make_update,
    position_of_reader,
    refuse_append,
    refuse_end,
)
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
from webapp.seams import JournalCondition, JournalKind

_MAX_LISTED = 1_000


class _Run(msgspec.Struct):
    """A run and the groups of its current epoch."""

    row: JournalRun
    groups: list[StoredGroup]

    @property
    def position(self) -> Position:
        row = self.row
        last_seq = self.groups[-1].last_seq if self.groups else NOTHING
        return Position(row.worker, row.epoch, row.state, last_seq, row.temporary)

    def change(self, **values: object) -> None:
        self.row = msgspec.structs.replace(self.row, **values)

    def add(self, group: StoredGroup | None) -> None:
        if group is not None:
            self.groups.append(group)
            self.change(last_seq=group.last_seq)


class MemoryJournal:
    """Implements `seams.Journal`. `clock` returns seconds since 1970."""

    kind: JournalKind = "memory"
    failure = ""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._runs: dict[str, _Run] = {}
        self._leases: dict[str, float] = {}
        self.condition: JournalCondition = "ready"

    def begin(self, entry: JournalEntry) -> JournalRun | None:
        """See `seams.Journal`."""
        with self._changed:
            known = self._runs.get(entry.run)
            if known is not None:
                return known.row
            if not self._has_lease(entry.worker):
                raise LeaseLapsed
            now = self._clock()
            run = _Run(new_row(entry, now), [])
            run.add(first_group(entry.frames, entry.epoch, temporary=entry.temporary))
            self._runs[entry.run] = run
            return None

    def append(self, worker: str, groups: Sequence[JournalGroup]) -> Mapping[str, Refusal]:
        """See `seams.Journal`."""
        check_count(len(groups))
        refused: dict[str, Refusal] = {}
        with self._changed:
            for group in groups:
                run = self._runs.get(group.run)
                position = None if run is None else run.position
                refusal = refused.get(group.run) or refuse_append(position, worker, group)
                if refusal is not None:
                    refused[group.run] = refusal
                elif run is not None and position is not None:
                    run.add(frames_to_store(position, group))
            self._changed.notify_all()
        return refused

    def end(self, worker: str, group: JournalGroup) -> Refusal | None:
        """See `seams.Journal`."""
        with self._changed:
            run = self._runs.get(group.run)
            position = None if run is None else run.position
            stored = run.groups[-1].frames[-1] if run is not None and run.groups else None
            refusal = refuse_end(position, worker, group, stored)
            if refusal is None and run is not None and position is not None and position.state == "running":
                run.add(frames_to_store(position, group))
                run.change(state="ended", ended_at=self._clock(), request=b"")
                self._changed.notify_all()
            return refusal

    def find(self, run: str) -> JournalRun | None:
        """See `seams.Journal`."""
        found = self._runs.get(run)
        return None if found is None else found.row

    def list_running(self, owner: str, conversation: str | None = None) -> list[JournalRun]:
        """See `seams.Journal`."""
        found = [
            row for row in self._running() if row.owner == owner and conversation in (None, row.conversation)
        ]
        return sorted(found, key=lambda row: (row.began_at, row.run), reverse=True)[:_MAX_LISTED]

    def move_owner(self, source: str, target: str) -> None:
        """See `seams.Journal`."""
        with self._changed:
            for run in self._runs.values():
                if run.row.owner == source:
                    run.change(owner=target)

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        """See `seams.Journal`."""
        check_count(len(cursors))
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                updates = self._read(cursors, limit_bytes)
                left_s = deadline - time.monotonic()
                if left_s <= 0 or any(map(has_news, updates.values())):
                    return updates
                self._changed.wait(left_s)

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        """See `seams.Journal`."""
        check_reset(reset)
        with self._changed:
            found = self._runs.get(run)
            if found is None or found.row.state == "ended" or found.row.epoch != epoch:
                return None
            row = found.row
            if row.last_seq != last_seq or (row.worker != worker and self._has_lease(row.worker)):
                return None
            takeovers = row.takeovers + (row.worker != worker)
            found.groups = []
            found.change(epoch=epoch + 1, worker=worker, takeovers=takeovers, last_seq=0)
            found.add(first_group(reset, epoch + 1, temporary=row.temporary))
            self._changed.notify_all()
            return epoch + 1

    def renew(self, worker: str, ttl_s: float) -> bool:
        """See `seams.Journal`."""
        with self._changed:
            if worker in self._leases and not self._has_lease(worker):
                return False
            self._leases[worker] = self._clock() + ttl_s
            return True

    def reclaim(self, worker: str, ttl_s: float) -> list[JournalRun]:
        """See `seams.Journal`."""
        with self._changed:
            self._leases[worker] = self._clock() + ttl_s
            return [row for row in self._running() if row.worker == worker]

    def release(self, worker: str) -> None:
        """See `seams.Journal`."""
        with self._changed:
            self._leases.pop(worker, None)

    def list_lapsed(self, grace_s: float, limit: int = 100) -> list[JournalRun]:
        """See `seams.Journal`."""
        before = self._clock() - grace_s
        found = [row for row in self._running() if self._leases.get(row.worker, before) <= before]
        return sorted(found, key=lambda row: (row.began_at, row.run))[:limit]

    def request_stop(self, run: str, by: StoppedBy) -> bool:
        """See `seams.Journal`."""
        with self._changed:
            found = self._runs.get(run)
            if found is None or found.row.state == "ended":
                return False
            if found.row.stop is None:
                found.change(stop=by)
            return True

    def find_stops(self, worker: str) -> Mapping[str, StoppedBy]:
        """See `seams.Journal`."""
        return {row.run: row.stop for row in self._running() if row.worker == worker and row.stop is not None}

    def mark_read(self, runs: Collection[str]) -> None:
        """See `seams.Journal`."""
        check_count(len(runs))
        with self._changed:
            for name in runs:
                if name in self._runs:
                    self._runs[name].change(read_at=self._clock())

    def measure_unread_s(self, runs: Collection[str]) -> Mapping[str, float]:
        """See `seams.Journal`."""
        check_count(len(runs))
        now = self._clock()
        return {name: now - self._runs[name].row.read_at for name in runs if name in self._runs}

    def expire(self, older_than_s: float, limit: int = 100) -> int:
        """See `seams.Journal`."""
        with self._changed:
            before = self._clock() - older_than_s
            ended = [run.row for run in self._runs.values() if run.row.ended_at is not None]
            old = [row.run for row in ended if row.ended_at is not None and row.ended_at <= before][:limit]
            for name in old:
                del self._runs[name]
            holders = {row.worker for row in self._running()}
            for worker in [name for name in self._leases if not self._has_lease(name)]:
                if worker not in holders:
                    del self._leases[worker]
            return len(old)

    def now(self) -> float:
        """See `seams.Journal`."""
        return self._clock()

    def close(self) -> None:
        """See `seams.Journal`."""
        self.condition = "closed"

    def _has_lease(self, worker: str) -> bool:
        return self._leases.get(worker, 0.0) > self._clock()

    def _running(self) -> list[JournalRun]:
        return [run.row for run in list(self._runs.values()) if run.row.state == "running"]

    def _read(self, cursors: Mapping[str, JournalCursor], limit_bytes: int) -> dict[str, JournalUpdate]:
        known = {name: self._runs[name] for name in cursors if name in self._runs}
        following: dict[str, list[StoredGroup]] = {}
        for name, run in known.items():
            had = position_of_reader(run.position, cursors[name])
            following[name] = [group for group in run.groups if group.last_seq > had]
        taken: dict[str, list[StoredGroup]] = {name: [] for name in known}
        size, number = 0, 0
        while size < limit_bytes and any(number < len(groups) for groups in following.values()):
            for name in sorted(following):
                if number < len(following[name]) and size < limit_bytes:
                    group = following[name][number]
                    taken[name].append(group)
                    size += sum(len(frame.payload) for frame in group.frames)
            number += 1
        return {name: make_update(run.position, cursors[name], taken[name]) for name, run in known.items()}


def new_row(entry: JournalEntry, now: float) -> JournalRun:
    """Return a run as it begins, without frames."""
    return JournalRun(
        run=entry.run,
        owner=entry.owner,
        fingerprint=entry.fingerprint,
        conversation=entry.conversation,
        start=entry.start,
        request=entry.request,
        worker=entry.worker,
        epoch=entry.epoch,
        last_seq=0,
        state="running",
        takeovers=0,
        stop=None,
        read_at=now,
        began_at=now,
        ended_at=None,
        temporary=entry.temporary,
    )
