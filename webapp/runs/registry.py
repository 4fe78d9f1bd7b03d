"""All runs of this process: started once each, found, stopped, and forgotten when they have expired."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Container

import msgspec

from webapp.errors import AnswerError, Conflict, Interrupted, NotFound, TooManyRequests, Unavailable
from webapp.frames import Cursor
from webapp.framing import Rules
from webapp.offload import Wake, start_thread
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.run import Order, Receipt, Run
from webapp.seams import Pricer

log_ = logging.getLogger("freshet.runs")

Share = tuple[str, int]  # a caller's name, and how many connections it may have

_PULSE_S = 0.25
_RETRY_AFTER_S = 5


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the engine, in seconds and bytes."""

    max_streams: int = 1_000
    max_readers: int = 2_000
    run_max_bytes: int = 4 * 1024 * 1024
    log_max_bytes: int = 96 * 1024 * 1024
    total_s: float = 1_800.0
    expiry_s: float = 600.0
    heartbeat_s: float = 10.0


class Runs:
    """The runs of this process. One thread, the pulse, looks after them; it starts with the first run or reader."""

    def __init__(self, limits: RunLimits, rules: Rules, pricer: Pricer) -> None:
        self.limits = limits
        self._rules = rules
        self._pricer = pricer
        self._runs: dict[str, Run] = {}
        self._active: set[Run] = set()
        self._ended: dict[str, Run] = {}  # oldest first
        self._ended_bytes = 0
        self._held_bytes = 0  # of requests that are being read
        self._shares: dict[str, int] = {}
        self._draining = False
        self._drain_by = math.inf
        self._connections: set[ReaderConnection] = set()
        self._lock = threading.Lock()
        self._pulsing = False

    @property
    def accepting(self) -> bool:
        """Whether a new run would be started."""
        return not self._draining and len(self._active) < self.limits.max_streams

    @property
    def draining(self) -> bool:
        """Whether the process is shutting down."""
        return self._draining

    @property
    def accepts_readers(self) -> bool:
        """Whether another reader would be admitted."""
        return not self._draining and len(self._connections) < self.limits.max_readers

    def start(self, order: Order) -> tuple[Run, bool]:
        """Start a run, or join the one with its id; return it, and whether it is new.

        Raises `NotFound` for another owner's run, `Conflict` for one with another body, `Unavailable` when the server is
        full, and what the order's `permit` raises.
        """
        with self._lock:
            known = self._runs.get(order.run)
            if known is not None:
                return _joined(known, order.owner, order.fingerprint), False
            self._check_capacity()
            self._check_memory(order.size_bytes)
            release = None if order.permit is None else order.permit()
            run = Run(order, rules=self._rules, max_bytes=self.limits.run_max_bytes, pricer=self._pricer)
            if release is not None:
                run.on_end(release)
            self._runs[run.id] = run
            self._active.add(run)
        self._start_pulse()
        try:
            start_thread(lambda: self._produce(run), f"run-{run.id[:8]}")
        except RuntimeError:  # no more threads can be had
            run.fail(AnswerError("internal"))
            self._move_to_ended(run)
        return run, True

    def known(self, name: str, owner: str | None, fingerprint: str) -> Run | None:
        """Return the run that a request would join, None where it would start one. Raises as `start`."""
        run = self._runs.get(name)
        return None if run is None else _joined(run, owner, fingerprint)

    def running(self, conversation: str, owner: str | None) -> Run | None:
        """Return the run that started last of those that are running in a conversation."""
        return max(self._running(conversation, owner), key=lambda run: run.began_at, default=None)

    def stop_all(self, conversation: str, owner: str | None) -> None:
        """Stop the runs of a conversation."""
        for run in self._running(conversation, owner):
            run.stop("user")

    def _running(self, conversation: str, owner: str | None) -> list[Run]:
        return [
            run
            for run in list(self._active)
            if run.conversation == conversation and run.owner == owner and run.ended_at is None
        ]

    def alive(self, name: str) -> bool:
        """Return whether a run is in progress."""
        run = self._runs.get(name)
        return run is not None and run.ended_at is None

    def answering(self, name: str, conversation: str) -> Run | None:
        """Return the run whose answer is a message of a conversation, until it expires."""
        run = self._runs.get(name)
        return run if run is not None and run.conversation == conversation else None

    def find(self, name: str, owner: str | None) -> Run:
        """Return a run. Raises `NotFound`, also for another owner's."""
        run = self._runs.get(name)
        if run is None or run.owner not in (None, owner):
            raise NotFound("There is no such run, or it has expired.", param="run", code="run_not_found")
        return run

    def stop(self, name: str, owner: str | None) -> Receipt:
        """Stop a run, also while others read it. Idempotent."""
        return self.find(name, owner).stop("user")

    def hold(self, size_bytes: int) -> None:
        """Count memory that a request takes while it is read; `release` must be called for it.

        Raises `Unavailable` when the server's memory is full.
        """
        with self._lock:
            self._check_memory(size_bytes)
            self._held_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Stop counting memory that `hold` counted."""
        with self._lock:
            self._held_bytes -= size_bytes

    def transfer(self, source: str, target: str) -> None:
        """Make the runs of one owner another's; their readers go on."""
        for run in list(self._runs.values()):
            if run.owner == source:
                run.owner = target

    def sessions(self) -> set[str]:
        """Return the sign-in sessions by which connections came that are open now."""
        return {
            connection.session for connection in list(self._connections) if connection.session is not None
        }

    def sign_out(self, sessions: Container[str]) -> None:
        """End the connections that came by these sessions; their answers go on."""
        for connection in list(self._connections):
            if connection.session is not None and connection.session in sessions:
                connection.sign_out()

    def connect(
        self,
        has_hung_up: Callable[[], bool] | None = None,
        wake: Wake | None = None,
        session: str | None = None,
        share: Share | None = None,
    ) -> ReaderConnection:
        """Admit a connection that will read runs; `leave` must be called for it.

        `wake` is used instead of a new one; `session` is the connection's sign-in session; `share` is the caller that it
        counts against. Raises `Unavailable` and `TooManyRequests`.
        """
        connection = ReaderConnection(self.limits.heartbeat_s, has_hung_up, wake, session)
        with self._lock:
            if len(self._connections) >= self.limits.max_readers:
                raise Unavailable(
                    "Too many readers at the moment.", retry_after_s=_RETRY_AFTER_S, code="full"
                )
            self._count_share(connection, share)
            self._connections.add(connection)
        self._start_pulse()
        return connection

    def change_share(self, connection: ReaderConnection, share: Share | None) -> None:
        """Count a connection against another caller, once it is known. Raises `TooManyRequests`."""
        with self._lock:
            self._release_share(connection)
            self._count_share(connection, share)

    def leave(self, connection: ReaderConnection) -> None:
        """Remove a connection."""
        with self._lock:
            if connection in self._connections:
                self._connections.discard(connection)
                self._release_share(connection)

    def _count_share(self, connection: ReaderConnection, share: Share | None) -> None:
        if share is None:
            return
        name, most = share
        if self._shares.get(name, 0) >= most:
            raise TooManyRequests(
                f"Too many connections at once: {most} are allowed.",
                code="too_many_readers",
                retry_after_s=_RETRY_AFTER_S,
                limit=most,
            )
        connection.share = name
        self._shares[name] = self._shares.get(name, 0) + 1

    def _release_share(self, connection: ReaderConnection) -> None:
        name, connection.share = connection.share, None
        if name is not None:
            left = self._shares[name] - 1
            if left:
                self._shares[name] = left
            else:
                del self._shares[name]

    def join(
        self, run: Run, connection: ReaderConnection, cursor: Cursor | None, *, prove: bool = True
    ) -> Reader:
        """Return a reader of a run, from a cursor on; `part` must be called for it."""
        with self._lock:
            run.readers += 1
        run.log.subscribe(connection.wake)
        return Reader(run.log, cursor, prove=prove)

    def part(self, run: Run, connection: ReaderConnection, *, stop: bool = False) -> None:
        """Remove a reader of a run. With `stop`, the last one that leaves stops the run."""
        run.log.unsubscribe(connection.wake)
        with self._lock:
            run.readers -= 1
            run.idle_since = time.monotonic()
            last = run.readers == 0
        if stop and last:
            run.request_stop("orphan")

    def drain(self, within_s: float) -> None:
        """Start no more runs; those in progress may end by themselves within `within_s`, then they are ended."""
        self._draining = True
        self._drain_by = time.monotonic() + within_s
        for connection in list(self._connections):
            connection.wake.set()

    def _produce(self, run: Run) -> None:
        try:
            run.produce()
        finally:
            self._move_to_ended(run)

    def _move_to_ended(self, run: Run) -> None:
        """Move a run whose producer has returned to the ended ones."""
        if run.ended_at is None:
            run.fail(AnswerError("internal"))
        with self._lock:
            self._active.discard(run)
            self._ended[run.id] = run
            self._ended_bytes += run.size_bytes

    def _check_capacity(self) -> None:
        """Raise `Unavailable` where no new run is started. Called under the lock."""
        if self._draining:
            raise Unavailable(
                "The server is going away; come back in a moment.", retry_after_s=1, code="draining"
            )
        if len(self._active) >= self.limits.max_streams:
            raise Unavailable("Too many answers at the moment.", retry_after_s=_RETRY_AFTER_S, code="full")

    def _check_memory(self, size_bytes: int) -> None:
        """Check the limit of memory, forgetting the oldest ended runs first. Raises `Unavailable`. Called under the lock."""
        total = (
            sum(run.size_bytes for run in self._active) + self._ended_bytes + self._held_bytes + size_bytes
        )
        for run in list(self._ended.values()):
            if total < self.limits.log_max_bytes:
                return
            self._forget(run)
            total -= run.size_bytes
        if total >= self.limits.log_max_bytes:
            raise Unavailable("The server's memory is full.", retry_after_s=_RETRY_AFTER_S, code="full")

    def _forget(self, run: Run) -> None:
        """Forget an ended run. Called under the lock."""
        del self._ended[run.id]
        del self._runs[run.id]
        self._ended_bytes -= run.size_bytes

    def _start_pulse(self) -> None:
        with self._lock:
            if self._pulsing:
                return
            self._pulsing = True
        threading.Thread(target=self._pulse, name="freshet-pulse", daemon=True).start()

    def _pulse(self) -> None:
        """Check runs and connections a few times a second, for as long as the process lives."""
        while True:
            time.sleep(_PULSE_S)
            try:
                self._check_all(time.monotonic())
            except Exception:  # the top of a thread that every run needs
                log_.exception("runs and readers could not be checked")

    def _check_all(self, now: float) -> None:
        for connection in list(self._connections):
            connection.check(now)
        for run in list(self._active):
            self._check_run(run, now)
        self._expire(now)
        if now >= self._drain_by:
            self._end_all()

    def _check_run(self, run: Run, now: float) -> None:
        if now - run.began_at > self.limits.total_s:
            run.request_stop("limit")
        elif run.readers == 0 and now - run.idle_since >= run.orphan_s:
            run.request_stop("orphan")
        run.end_if_stuck(now)
        run.save_progress(now)

    def _end_all(self) -> None:
        """End what is left when the process must end: every reader gets a terminal frame or a notice to reconnect."""
        for run in list(self._active):
            run.fail(Interrupted("the server went away"))
        for connection in list(self._connections):
            connection.send_away()

    def _expire(self, now: float) -> None:
        while self._ended:
            with self._lock:
                run = next(iter(self._ended.values()), None)
                if run is None or run.ended_at is None or now - run.ended_at <= self.limits.expiry_s:
                    return
                self._forget(run)


def _joined(run: Run, owner: str | None, fingerprint: str) -> Run:
    if run.owner not in (None, owner):
        raise NotFound("There is no such run.", param="run", code="run_not_found")
    if run.fingerprint != fingerprint:
        raise Conflict("This run was started with another body.", param="run", code="run_conflict")
    return run
