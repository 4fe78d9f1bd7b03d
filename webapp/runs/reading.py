"""The readers of this process: their connections, and their places in runs."""

from __future__ import annotations

from collections.abc import Callable, Container

from webapp.frames import Cursor
from webapp.measurements import Observer
from webapp.offload import Wake
from webapp.runs.connections import Connections, ReaderQuota
from webapp.runs.journaling import Journaling
from webapp.runs.lookup import RunLookup
from webapp.runs.pulse import Pulse
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.remote_run import RemoteRun
from webapp.runs.remote_runs import AnyRun
from webapp.runs.run import Run
from webapp.runs.run_limits import RunLimits


class RunReading(RunLookup):
    """The runs that can be found, and who reads them here. The pulse starts with the first reader."""

    def __init__(self, limits: RunLimits, observer: Observer, pulse: Pulse) -> None:
        super().__init__()
        self.limits = limits
        self.journaling: Journaling | None = None
        self._observer = observer
        self._pulse = pulse
        self._connections = Connections(limits.max_readers)

    def open_sessions(self) -> set[str]:
        """Return the sign-in sessions of the open connections."""
        return self._connections.sessions()

    def sign_out(self, sessions: Container[str]) -> None:
        """End the connections of these sign-in sessions; the runs continue."""
        self._connections.sign_out(sessions)

    def connect(
        self,
        has_hung_up: Callable[[], bool] | None = None,
        wake: Wake | None = None,
        session: str | None = None,
        quota: ReaderQuota | None = None,
        key: str | None = None,
        *,
        can_resume: bool = False,
    ) -> ReaderConnection:
        """Register a connection that will read runs; the caller must call `disconnect`.

        `wake` is used instead of a new one; `session` and `key` are the connection's sign-in session and publishable key; `quota` limits the connections
        of its caller; `can_resume` says whether its client comes back to what it reads. Raises `Unavailable` and
        `TooManyRequests`.
        """
        connection = ReaderConnection(
            self.limits.heartbeat_s, has_hung_up, wake, session, key, can_resume=can_resume
        )
        self._connections.add(connection, quota)
        self._pulse.start()
        return connection

    def change_quota(self, connection: ReaderConnection, quota: ReaderQuota | None) -> None:
        """Count a connection against another caller, after authentication. Raises `TooManyRequests`."""
        self._connections.change_quota(connection, quota)

    def disconnect(self, connection: ReaderConnection) -> None:
        """Remove a connection."""
        self._connections.remove(connection)

    def attach(
        self, run: AnyRun, connection: ReaderConnection, cursor: Cursor | None, *, resumable: bool = True
    ) -> Reader:
        """Return a reader of a run that starts after a cursor; the caller must call `detach`. See `Reader`."""
        is_first = not run.log.had_readers
        run.log.subscribe(connection.wake)
        self._follow(run, cursor)
        reader = Reader(run.log, cursor, resumable=resumable)
        if reader.needs_reset:
            self._observer.resumed("reset")
        elif cursor is not None:
            self._observer.resumed("continued")
        elif not is_first:
            self._observer.resumed("joined")
        return reader

    def has_read_all(self, run: AnyRun, cursor: Cursor | None) -> bool:
        """Return whether a reader that comes back with `cursor` has the terminal frame already."""
        if isinstance(run, RemoteRun) and self._remotes is not None:
            self._remotes.refresh(run, cursor)
        if not Reader(run.log, cursor, resumable=True).at_end:
            return False
        self._observer.resumed("at_end")
        return True

    def detach(self, run: AnyRun, connection: ReaderConnection, *, stop: bool = False) -> None:
        """Remove a reader from a run. With `stop`, removing the last reader stops a run of this worker."""
        run.log.unsubscribe(connection.wake)
        if stop and run.log.readers == 0 and isinstance(run, Run):
            if self.journaling is None:
                run.request_stop("orphan")
            else:
                self.journaling.watch.leave(run)

    @property
    def _shares_runs(self) -> bool:
        """Whether other workers can read what this one stores."""
        journal = None if self.journaling is None else self.journaling.journal
        return journal is not None and journal.kind != "memory" and journal.condition == "ready"

    def _send_resuming_away(self) -> None:
        """Make readers reconnect that can read on at another worker."""
        if not self._shares_runs:
            return
        only_here = [run.log for run in list(self._active) if not run.is_shared]
        for connection in self._connections.list_all():
            if connection.can_resume and not any(log.is_read_by(connection.wake) for log in only_here):
                connection.request_reconnect()

    def _send_readers_away(self, run: RemoteRun) -> None:
        """Make the readers of a run that the journal has lost reconnect, and find out what became of it."""
        for connection in self._connections.list_all():
            if run.log.is_read_by(connection.wake):
                connection.request_reconnect()
