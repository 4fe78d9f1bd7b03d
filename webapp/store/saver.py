"""A background queue of database writes: in order, retried until they succeed, bounded in memory."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from webapp.errors import Unavailable
from webapp.logs import current_run, run_context
from webapp.store import changes
from webapp.store.database import Database
from webapp.store.writes import NotOwned, TurnWrite

log_ = logging.getLogger("freshet.store")

MAX_BYTES = 32 * 1024 * 1024
_BATCH = 32  # writes in one transaction
# Above the databases' own timeouts: a write that is given up too early may still be committed.
_TIMEOUT_S = 15.0
_BACKOFF_S = (0.25, 15.0)


class QueuedWrite:
    """A write in the queue, and the result of its latest attempt."""

    def __init__(self, write: TurnWrite) -> None:
        self.write = write
        self.run = current_run()
        self.saved = False
        self._attempted = threading.Event()

    def set_result(self, *, saved: bool) -> None:
        """Store the result of an attempt, and wake the waiters."""
        self.saved = saved
        self._attempted.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the first attempt; return whether the write is saved."""
        self._attempted.wait(timeout_s)
        return self.saved


class Saver:
    """The queue and its one thread, which starts with the first write and never ends."""

    def __init__(self, database: Database, max_bytes: int = MAX_BYTES) -> None:
        self._database = database
        self._max_bytes = max_bytes
        self._queue: deque[QueuedWrite] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._running = False
        self.failing = False
        self.lost = 0  # writes that the full queue or the database refused

    @property
    def pending(self) -> int:
        """The number of writes in the queue."""
        return len(self._queue)

    def has_pending(self, conversation: str) -> bool:
        """Return whether a write of this conversation is in the queue."""
        return any(queued.write.conversation == conversation for queued in list(self._queue))

    def enqueue(self, write: TurnWrite) -> QueuedWrite | None:
        """Queue a write. If the queue is full, the write is lost and counted, and None is returned."""
        size_bytes = write.size_bytes
        with self._lock:
            if self._bytes + size_bytes > self._max_bytes:
                self.lost += 1
                is_full = True
            else:
                is_full = False
                queued = QueuedWrite(write)
                self._queue.append(queued)
                self._bytes += size_bytes
                is_first, self._running = not self._running, True
        if is_full:
            log_.error("a message is lost: the database is unavailable and the queue of writes is full")
            return None
        if is_first:
            threading.Thread(target=self._work, name="freshet-saver", daemon=True).start()
        self._wake.set()
        return queued

    def settle(self, conversation: str, timeout_s: float) -> bool:
        """Retry now, and wait for a conversation's pending writes; return whether all of them are saved."""
        last = next(
            (queued for queued in reversed(list(self._queue)) if queued.write.conversation == conversation),
            None,
        )
        if last is None:
            return True
        self._wake.set()
        return self._wait_until(lambda: last.saved, timeout_s)

    def flush(self, timeout_s: float) -> bool:
        """Save all pending writes before the process ends; return whether that succeeded."""
        self._wake.set()
        is_done = self._wait_until(lambda: not self._queue, timeout_s)
        if not is_done:
            log_.error("%d writes are lost: the database is unavailable, and the process ends", self.pending)
        return is_done

    @staticmethod
    def _wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def _work(self) -> None:
        pause = _BACKOFF_S[0]
        while True:
            self._wake.wait(pause * random.uniform(0.8, 1.2) if self._queue else None)
            self._wake.clear()
            while self._queue:
                try:
                    saved = self._save([self._queue[place] for place in range(min(_BATCH, self.pending))])
                except Exception:  # this thread must survive: all later writes depend on it
                    log_.exception("saving failed")
                    saved = False
                self.failing = not saved
                if not saved:
                    pause = min(2 * pause, _BACKOFF_S[1])
                    break
                pause = _BACKOFF_S[0]

    def _save(self, batch: list[QueuedWrite]) -> bool:
        """Save a batch in one transaction. A write that the database refuses is dropped, the others are saved.

        Returns False if the database is unavailable.
        """
        writes = [queued.write for queued in batch]
        try:
            self._database.write(lambda connection: _apply(connection, writes), _TIMEOUT_S)
        except Unavailable:
            for queued in batch:
                queued.set_result(saved=False)
            return False
        except Exception as error:  # noqa: BLE001  (no write may block the ones behind it)
            if len(batch) > 1:
                return all(self._save([queued]) for queued in batch)
            self.lost += 1
            if not isinstance(error, NotOwned):
                with run_context(batch[0].run):
                    log_.error("a message cannot be stored: %s", type(error).__name__)
            self._dequeue(batch[0], saved=False)
            return True
        for queued in batch:
            self._dequeue(queued, saved=True)
        return True

    def _dequeue(self, queued: QueuedWrite, *, saved: bool) -> None:
        with self._lock:
            self._queue.remove(queued)
            self._bytes -= queued.write.size_bytes
        queued.set_result(saved=saved)


def _apply(connection: Connection, writes: Sequence[TurnWrite]) -> None:
    changed = [write.apply(connection) for write in writes]
    changes.record(connection, [change for change in changed if change is not None])
