"""The worker's lease on its runs: while it is valid, no other worker takes them over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from webapp.errors import JournalUnavailable
from webapp.journal_records import JournalRun
from webapp.offload import from_native_thread, short_lock, start_native_thread
from webapp.seams import Journal

log_ = logging.getLogger("freshet.journal")

_RENEWALS = 4  # in the length of a lease
_LINGER_S = 60.0  # so that a worker with a run now and then begins no lease for each
_STOP_S = 0.5
_STOP_CHECK_S = 0.01
_WAIT_S = 1.0  # for a lapsed lease to be begun again; while the journal can be reached it takes milliseconds
_WAIT_CHECK_S = 0.01


class Lease:
    """Holds the lease while it is needed, and renews it from a thread that a busy event loop cannot hold up.

    `is_needed` is called in that thread: it must not block. `on_reclaimed` gets the runs that are still the worker's after
    the lease was begun, each time.
    """

    def __init__(
        self,
        journal: Journal,
        worker: str,
        length_s: float,
        is_needed: Callable[[], bool],
        on_reclaimed: Callable[[Sequence[JournalRun]], None],
    ) -> None:
        self._journal = journal
        self._worker = worker
        self._length_s = length_s
        self._is_needed = is_needed
        self._on_reclaimed = on_reclaimed
        self._valid_until = 0.0  # by this process's clock, and rather too early than too late
        self._is_cut_off = False  # the journal cannot be reached, and not because this process stood still
        self._waits_for = -1.0  # the end of the lease that is waited for
        self._wait_until = 0.0
        self._beginning = threading.Lock()
        self._state_lock = short_lock()
        self._is_renewing = False
        self._stop = short_lock()  # held until the thread is to end; its `acquire` is the thread's sleep
        self._stop.acquire()
        self._is_stopped = False
        self._reclaim_in_loop = from_native_thread(self._reclaim_lapsed, "lease")

    def is_valid(self) -> bool:
        """Return whether the lease is certainly valid."""
        return time.monotonic() < self._valid_until

    def hold(self) -> None:
        """Begin the lease, unless it is being renewed already. Raises `JournalUnavailable`; the thread then goes on trying."""
        if self.is_valid() and self._is_renewing:
            return
        with self._beginning:
            if not (self.is_valid() and self._is_renewing):
                self._start()
                self._reclaim()

    def wait_until_valid(self) -> None:
        """Wait until a lapsed lease is begun again, for at most a second each time that it lapses.

        After the process has stood still, the calls that it was in have failed, which looks like an outage of the journal. In a
        real one this does not wait: nobody takes runs over then.
        """
        lapsed_at = self._valid_until
        if lapsed_at != self._waits_for:
            self._waits_for, self._wait_until = lapsed_at, time.monotonic() + _WAIT_S
        while not (self.is_valid() or self._is_cut_off) and time.monotonic() < self._wait_until:
            time.sleep(_WAIT_CHECK_S)

    def restore(self) -> None:
        """Begin the lease although it seems to be valid: the journal has lost it. Raises `JournalUnavailable`."""
        with self._beginning:
            self._reclaim()

    def stop(self) -> None:
        """End the thread, and the lease: others may take the worker's runs over at once. Raises `JournalUnavailable`."""
        self._is_stopped = True
        try:
            self._stop.release()
        except RuntimeError:
            return  # stopped already
        until = time.monotonic() + _STOP_S
        while self._is_renewing and time.monotonic() < until:
            time.sleep(_STOP_CHECK_S)
        self._valid_until = 0.0
        self._journal.release(self._worker)

    def _reclaim(self) -> None:
        began = time.monotonic()
        rows = self._journal.reclaim(self._worker, self._length_s)
        self._on_reclaimed(rows)  # first: runs that others have taken over must not go on here
        self._valid_until, self._is_cut_off = began + self._length_s, False

    def _reclaim_lapsed(self) -> None:
        try:
            self.restore()
        except JournalUnavailable:
            pass  # the next renewal finds it lapsed again
        else:
            log_.warning("the lease on the running answers had lapsed; it is begun again")

    def _start(self) -> None:
        with self._state_lock:
            if self._is_renewing or self._is_stopped:
                return
            self._is_renewing = True
        try:
            start_native_thread(self._renew_until_idle, "freshet-lease")
        except BaseException:
            self._is_renewing = False
            raise

    def _renew_until_idle(self) -> None:
        """Renew the lease until it is not needed any more. Runs in a thread of its own: no logging, no waiting for others."""
        needed_at = time.monotonic()
        self._renew()  # which opens its connection
        while not self._stop.acquire(timeout=self._length_s / _RENEWALS):
            now = time.monotonic()
            if self._is_needed():
                needed_at = now
            elif now - needed_at > _LINGER_S:
                break
            self._renew()
        else:
            self._stop.release()
        with self._state_lock:
            self._is_renewing = False

    def _renew(self) -> None:
        began = time.monotonic()
        has_lapsed = 0.0 < self._valid_until <= began  # the journal may have forgotten it since
        try:
            if self._journal.renew(self._worker, self._length_s) and not has_lapsed:
                self._valid_until, self._is_cut_off = began + self._length_s, False
            else:
                self._valid_until = min(self._valid_until, began)
                self._reclaim_in_loop()
        except JournalUnavailable:  # tried again a quarter of the lease later
            may_have_stood_still = began < self._valid_until <= time.monotonic()
            self._is_cut_off = not may_have_stood_still
        except Exception:  # noqa: BLE001, S110  (the runs depend on this thread, and it cannot log)
            pass
