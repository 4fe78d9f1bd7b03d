"""Saving in the background: in order, again and again until it is done, from a bounded memory."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable

from webapp.errors import Unavailable
from webapp.store.database import Database
from webapp.store.writes import NotOurs, Write

log_ = logging.getLogger("freshet.store")

MOST_BYTES = 32 * 1024 * 1024
_AT_ONCE = 32  # writes in one transaction
_PATIENCE_S = 15.0  # above every timeout of the databases: what is given up may still be written
_PAUSES_S = (0.25, 15.0)


class Ticket:
    """A place in the queue: rings when its write was tried for the first time, and when it is saved."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.saved = False
        self._tried = threading.Event()

    def tried(self, *, saved: bool = False) -> None:
        """Note how it went."""
        self.saved = saved
        self._tried.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it was tried; tells whether it is saved."""
        self._tried.wait(seconds)
        return self.saved


class Saver:
    """One thread, which begins with the first write and lives as long as the process."""

    def __init__(self, database: Database, most_bytes: int = MOST_BYTES) -> None:
        self._database = database
        self._most_bytes = most_bytes
        self._waiting: deque[Ticket] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._running = False
        self.failing = False
        self.lost = 0  # writes that were not taken, or that no database takes

    @property
    def behind(self) -> int:
        """How many writes wait."""
        return len(self._waiting)

    def holds(self, conversation: str) -> bool:
        """Tell whether a write of a conversation waits."""
        return any(ticket.write.conversation == conversation for ticket in list(self._waiting))

    def put(self, write: Write) -> Ticket | None:
        """Queue a write; None where the memory is full: it is lost then, and counted."""
        weight = write.weight
        with self._lock:
            if self._bytes + weight > self._most_bytes:
                self.lost += 1
                full = True
            else:
                full = False
                ticket = Ticket(write)
                self._waiting.append(ticket)
                self._bytes += weight
                begin, self._running = not self._running, True
        if full:
            log_.error("a message is lost: the database is away and the memory for what waits is full")
            return None
        if begin:
            threading.Thread(target=self._work, name="freshet-saver", daemon=True).start()
        self._bell.set()
        return ticket

    def settle(self, conversation: str, within_s: float) -> bool:
        """Try again now what waits of a conversation, and wait for it; tells whether nothing is left."""
        last = next(
            (one for one in reversed(list(self._waiting)) if one.write.conversation == conversation), None
        )
        if last is None:
            return True
        self._bell.set()
        return self._wait(lambda: last.saved, within_s)

    def flush(self, within_s: float) -> bool:
        """Save what waits before the process goes; tells whether all of it is saved."""
        self._bell.set()
        done = self._wait(lambda: not self._waiting, within_s)
        if not done:
            log_.error("%d writes to the database are lost: it is away, and the process ends", self.behind)
        return done

    @staticmethod
    def _wait(met: Callable[[], bool], within_s: float) -> bool:
        until = time.monotonic() + within_s
        while not met():
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        return True

    def _work(self) -> None:
        pause = _PAUSES_S[0]
        while True:
            self._bell.wait(pause * random.uniform(0.8, 1.2) if self._waiting else None)
            self._bell.clear()
            while self._waiting:
                try:
                    saved = self._save([self._waiting[place] for place in range(min(_AT_ONCE, self.behind))])
                except Exception:  # the top of a thread that everybody needs
                    log_.exception("saving failed")
                    saved = False
                self.failing = not saved
                if not saved:
                    pause = min(2 * pause, _PAUSES_S[1])
                    break
                pause = _PAUSES_S[0]

    def _save(self, tickets: list[Ticket]) -> bool:
        """Write some in one transaction; one that no database takes is found out and left out."""
        writes = [ticket.write for ticket in tickets]
        try:
            self._database.write(
                lambda connection: [write.apply(connection) for write in writes], _PATIENCE_S
            )
        except Unavailable:
            for ticket in tickets:
                ticket.tried()
            return False
        except Exception as error:  # noqa: BLE001  (whatever it is: one write must not hold up the others)
            if len(tickets) > 1:
                return all(self._save([ticket]) for ticket in tickets)
            self.lost += 1
            if not isinstance(error, NotOurs):
                log_.error("a message cannot be stored: %s", type(error).__name__)
            self._drop(tickets[0], saved=False)
            return True
        for ticket in tickets:
            self._drop(ticket, saved=True)
        return True

    def _drop(self, ticket: Ticket, *, saved: bool) -> None:
        with self._lock:
            self._waiting.remove(ticket)
            self._bytes -= ticket.write.weight
        ticket.tried(saved=saved)
