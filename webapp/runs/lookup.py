"""Finds runs: those of this process, and through the journal those of other workers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from webapp.errors import JournalUnavailable
from webapp.frames import Cursor
from webapp.journal_records import JournalRun
from webapp.runs.remote_run import RemoteRun
from webapp.runs.remote_runs import AnyRun, RemoteRuns, check_same, run_not_found
from webapp.runs.run import Run
from webapp.runs.run_spec import STOP_S, Receipt


class RunLookup:
    """The runs that can be found by their ids, owners and conversations. Without a journal only those of this process."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._active: set[Run] = set()
        self._remotes: RemoteRuns | None = None

    def has(self, name: str) -> bool:
        """Return whether this process has a run, in progress or ended."""
        return name in self._runs

    def find(self, name: str, owner: str | None) -> AnyRun:
        """Return a run to read.

        Raises `NotFound`, also for another owner's run, and for one of another worker `Unavailable` while the journal is away
        or memory is full.
        """
        run = self._find_owned(name, owner)
        return self._load(run)

    def find_joinable(self, name: str, owner: str | None, fingerprint: str) -> AnyRun | None:
        """Return the run that a request would join, or None if it would start one. Raises as `Runs.start`.

        While the journal is away only this process's runs are known.
        """
        try:
            run = self._find_any(name)
        except JournalUnavailable:
            return None
        if run is None:
            return None
        check_same(run, owner, fingerprint)
        return self._load(run)

    def stop(self, name: str, owner: str | None) -> Receipt:
        """Stop a run, even if others are reading it; takes about a second at most. Idempotent. Raises as `find`."""
        began = time.monotonic()
        run = self._find_owned(name, owner)
        receipt = run.stop("user")
        if isinstance(run, Run) and run.is_lost:
            elsewhere = self._find_owned(name, owner)
            if isinstance(elsewhere, RemoteRun):
                receipt = elsewhere.stop("user", max(0.0, began + STOP_S - time.monotonic()))
        return receipt

    def find_running(self, conversation: str, owner: str | None) -> str | None:
        """Return the id of the most recently started run in progress of a conversation."""
        own = max(self._running(conversation, owner), key=lambda run: run.began_at, default=None)
        if own is not None:
            return own.id
        return next((row.run for row in self._running_elsewhere(owner, conversation)), None)

    def list_running(self, owner: str | None) -> dict[str, str]:
        """Return the id of the most recently started run in progress of each of an owner's conversations."""
        rows = self._running_elsewhere(owner)
        found = {row.conversation: row.run for row in reversed(list(rows)) if row.conversation is not None}
        own = [run for run in list(self._active) if run.owner == owner and run.ended_at is None]
        for run in sorted(own, key=lambda run: run.began_at):
            if run.conversation is not None:
                found[run.conversation] = run.id
        return found

    def count_elsewhere(self, owner: str | None, except_for: str) -> int:
        """Return how many runs of an owner, except one, are in progress on other workers, as far as is known."""
        return sum(row.run != except_for for row in self._running_elsewhere(owner))

    def stop_all(self, conversation: str, owner: str | None) -> None:
        """Stop the runs of a conversation. Those of other workers stop within a second: they are not waited for."""
        for row in self._running_elsewhere(owner, conversation):
            if self._remotes is not None:
                self._remotes.request_stop(row)
        for run in self._running(conversation, owner):
            run.stop("user")

    def is_running(self, name: str) -> bool:
        """Return whether a run is in progress, as far as is known."""
        run = self._runs.get(name)
        if run is not None:
            return run.ended_at is None
        return self._remotes is not None and self._remotes.is_running(name)

    def find_in_conversation(self, name: str, conversation: str) -> AnyRun | None:
        """Return a run if its answer belongs to a conversation and it has not expired. Raises `Unavailable`."""
        run: AnyRun | None = self._runs.get(name)
        if run is None and self._remotes is not None:
            run = self._remotes.find_ended_or_running(name)
        return run if run is not None and run.conversation == conversation else None

    def _find_any(self, name: str) -> AnyRun | None:
        """Return a run of this process or of the journal. Raises `JournalUnavailable`."""
        run = self._runs.get(name)
        if run is not None or self._remotes is None:
            return run
        return self._remotes.find(name)

    def _find_owned(self, name: str, owner: str | None) -> AnyRun:
        """Return a run of this owner, or of none. Raises `NotFound` and `JournalUnavailable`."""
        run = self._find_any(name)
        if run is None:
            raise run_not_found()
        if run.owner not in (None, owner):
            self._update_owner(run)
        if run.owner not in (None, owner):
            raise run_not_found()
        return run

    def _update_owner(self, run: AnyRun) -> None:
        """Learn of a change of owner that another worker has made."""
        row = None if self._remotes is None else self._remotes.find_row(run.id)
        if row is not None:
            run.owner = row.owner

    def _load(self, run: AnyRun) -> AnyRun:
        return self._remotes.load(run) if isinstance(run, RemoteRun) and self._remotes is not None else run

    def _follow(self, run: AnyRun, cursor: Cursor | None) -> None:
        """Bring a run of another worker up to date for a reader, and keep it so; also one that was lost meanwhile."""
        if self._remotes is None:
            return
        if isinstance(run, RemoteRun):
            self._remotes.follow(run, cursor)
            return
        if cursor is not None and cursor.epoch > run.log.epoch:
            run.verify()  # the reader has seen what this worker has not: it may have been frozen
        if run.is_lost:
            self._remotes.follow(self._remotes.adopt(run), cursor)

    def _running(self, conversation: str, owner: str | None) -> list[Run]:
        """Return the runs in progress in this process."""
        return [
            run
            for run in list(self._active)
            if run.conversation == conversation and run.owner == owner and run.ended_at is None
        ]

    def _running_elsewhere(self, owner: str | None, conversation: str | None = None) -> Iterator[JournalRun]:
        """Yield the runs in progress of other workers, the newest first."""
        if self._remotes is not None and owner is not None:
            for row in self._remotes.list_running(owner, conversation):
                if row.run not in self._runs:
                    yield row
