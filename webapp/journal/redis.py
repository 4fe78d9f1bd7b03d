"""A journal in Redis, with a stream for each run.

Reads and writes have a connection each, and so have the worker's lease and one waiting read: none waits for the others.
What else waits meanwhile looks every 50 ms, so a worker needs four connections however many streams it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from webapp.errors import LeaseLapsed
from webapp.frames import Frame, StoppedBy
from webapp.journal import redis_values as values
from webapp.journal.calls import MAX_QUEUED, TIMEOUT_S, JournalCalls
from webapp.journal.encoding import encode_frames
from webapp.journal.redis_channel import Argument, RedisChannel
from webapp.journal.rules import POLL_S, check_append, check_end, first_group, has_news
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

_MAX_LISTED = 1_000


class RedisJournal(JournalCalls):
    """Implements `seams.Journal` in Redis at `url`.

    With `verify` False the server's certificate is not verified. A call waits for at most `timeout_s`, its place in the
    queue included.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S, *, verify: bool = True) -> None:
        super().__init__("redis", timeout_s)
        make = partial(RedisChannel, url, 0.9 * timeout_s, verify=verify)
        self._reading, self._writing, self._waiting, self._leasing = make(), make(), make(), make()
        self._readers = WorkerPool("freshet-journal-read", max_waiting=MAX_QUEUED)
        self._writer = WorkerPool("freshet-journal-write", max_waiting=MAX_QUEUED)
        self._waiter = WorkerPool("freshet-journal-wait", max_waiting=1)
        self._is_waiting = threading.Lock()

    def begin(self, entry: JournalEntry) -> JournalRun | None:
        """See `seams.Journal`."""
        first = first_group(entry.frames, entry.epoch, temporary=entry.temporary)
        group: tuple[Argument, ...] = (0, -1, b"")
        if first is not None:
            group = (first.first_seq, first.last_seq, encode_frames(first.frames))
        fields = values.fields_of(entry)
        outcome, *known = self._write(
            "begin", [entry.run], entry.run, entry.worker, entry.owner or "", *group, *fields
        )
        if outcome == b"lapsed":
            raise LeaseLapsed
        return values.to_run(entry.run, known[0]) if known else None

    def append(self, worker: str, groups: Sequence[JournalGroup]) -> Mapping[str, Refusal]:
        """See `seams.Journal`."""
        check_count(len(groups))
        numbers: dict[str, int] = {}
        arguments: list[Argument] = []
        for group in groups:
            check_append(group)
            number = numbers.setdefault(group.run, len(numbers) + 1)
            content = encode_frames(group.frames)
            arguments += (number, group.epoch, group.first_seq, group.last_seq, content)
        if not groups:
            return {}
        runs = list(numbers)
        return values.to_refusals(runs, self._write("append", runs, worker, *arguments))

    def end(self, worker: str, group: JournalGroup) -> Refusal | None:
        """See `seams.Journal`."""
        check_end(group)
        contents = (encode_frames(group.frames), encode_frames(group.frames[-1:]))
        place = (group.run, worker, group.epoch, group.first_seq, group.last_seq)
        return values.to_refusal(self._write("end", [group.run], *place, *contents))

    def find(self, run: str) -> JournalRun | None:
        """See `seams.Journal`."""
        return next(iter(self._rows([run])), None)

    def list_running(self, owner: str, conversation: str | None = None) -> list[JournalRun]:
        """See `seams.Journal`."""
        found = self._rows(self._look_up("list_running", [], owner, _MAX_LISTED))
        return [
            run
            for run in found
            if run.state == "running" and run.owner == owner and conversation in (None, run.conversation)
        ]

    def move_owner(self, source: str, target: str) -> None:
        """See `seams.Journal`."""
        self._write("move_owner", [], source, target)

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        """See `seams.Journal`."""
        check_count(len(cursors))
        if not cursors:
            return {}
        deadline = time.monotonic() + wait_s
        runs = list(cursors)
        arguments = [limit_bytes, *(number for one in cursors.values() for number in (one.epoch, one.seq))]
        while True:
            updates, heads = values.to_updates(cursors, self._read("read", runs, *arguments))
            left_s = deadline - time.monotonic()
            if left_s <= 0 or any(map(has_news, updates.values())):
                return updates
            self._wait(heads, left_s)

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        """See `seams.Journal`."""
        check_reset(reset)
        return self._write("seize", [run], run, epoch, last_seq, worker, encode_frames(reset)) or None

    def renew(self, worker: str, ttl_s: float) -> bool:
        """See `seams.Journal`."""
        arguments = (worker, values.to_microseconds(ttl_s))
        return bool(self._note(lambda: self._leasing.run("renew", [], arguments)))

    def reclaim(self, worker: str, ttl_s: float) -> list[JournalRun]:
        """See `seams.Journal`."""
        found = self._rows(self._write("reclaim", [], worker, values.to_microseconds(ttl_s)))
        return [run for run in found if run.state == "running" and run.worker == worker]

    def release(self, worker: str) -> None:
        """See `seams.Journal`."""
        self._write("release", [], worker)

    def list_lapsed(self, grace_s: float, limit: int = 100) -> list[JournalRun]:
        """See `seams.Journal`."""
        found = self._rows(self._read("list_lapsed", [], values.to_microseconds(grace_s), limit))
        return [run for run in found if run.state == "running"]

    def request_stop(self, run: str, by: StoppedBy) -> bool:
        """See `seams.Journal`."""
        return bool(self._write("request_stop", [run], run, by))

    def find_stops(self, worker: str) -> Mapping[str, StoppedBy]:
        """See `seams.Journal`."""
        return values.to_stops(self._read("find_stops", [], worker))

    def mark_read(self, runs: Collection[str]) -> None:
        """See `seams.Journal`."""
        check_count(len(runs))
        if runs:
            self._write("mark_read", list(runs))

    def measure_unread_s(self, runs: Collection[str]) -> Mapping[str, float]:
        """See `seams.Journal`."""
        check_count(len(runs))
        names = list(runs)
        found = self._read("measure_unread", names) if names else []
        return {run: age / 1e6 for run, age in zip(names, found, strict=True) if age >= 0}

    def expire(self, older_than_s: float, limit: int = 100) -> int:
        """See `seams.Journal`."""
        old = values.to_names(self._read("list_expired", [], values.to_microseconds(older_than_s), limit))
        return int(self._write("expire", old, *old))

    def now(self) -> float:
        """See `seams.Journal`."""
        return int(self._read("now", [])) / 1e6

    def close(self) -> None:
        """See `seams.Journal`."""
        self._end(self._readers, self._reading.close)
        self._end(self._writer, self._writing.close)
        self._end(self._waiter, self._waiting.close)
        self._leasing.close()
        self.condition = "closed"

    def _rows(self, found: Sequence[bytes | str]) -> list[JournalRun]:
        """Return these runs in this order, as far as they exist."""
        names = values.to_names(found)
        rows = self._look_up("rows", names, *names) if names else []
        return [values.to_run(name, row) for name, row in zip(names, rows, strict=True) if row]

    def _wait(self, heads: Sequence[tuple[str, str]], seconds: float) -> None:
        """Wait until one of these streams grows; without a free connection or a stream, for a moment."""
        if not heads or not self._is_waiting.acquire(blocking=False):
            time.sleep(min(POLL_S, seconds))
            return
        try:
            self._call(self._waiter, lambda: self._waiting.wait(heads, seconds), seconds)
        finally:
            self._is_waiting.release()

    def _read(self, name: str, runs: Sequence[str], *arguments: Argument) -> Any:
        return self._call(self._readers, lambda: self._reading.run(name, runs, arguments))

    def _look_up(self, name: str, runs: Sequence[str], *arguments: Argument) -> Any:
        return self._call(self._readers, lambda: self._reading.run(name, runs, arguments), is_lookup=True)

    def _write(self, name: str, runs: Sequence[str], *arguments: Argument) -> Any:
        return self._call(self._writer, lambda: self._writing.run(name, runs, arguments))
