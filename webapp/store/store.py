"""The store of a process: what the doors and the engine ask of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from webapp.errors import Unavailable
from webapp.store import pictures, room
from webapp.store.database import PATIENCE_S, Database
from webapp.store.pictures import Picture
from webapp.store.recall import Recall
from webapp.store.room import Limits
from webapp.store.saver import Saver
from webapp.store.turns import Plan, Turns, Wish

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")

_SETTLE_S = 0.2
_READ_S = 0.6


class Store:
    """Conversations and all that belongs to them."""

    def __init__(self, url: str | None, folder: str, limits: Limits | None = None) -> None:
        """Know where the database is; nothing is opened yet."""
        self.limits = limits or Limits()
        self.database = Database(url, folder)
        self.saver = Saver(self.database)
        self.recall = Recall()
        self._turns = Turns(self.database, self.saver, self.recall)

    def open(self) -> None:
        """Open the database in the background, so that the first to ask need not wait; never fails."""
        threading.Thread(target=self._open, name="freshet-store-open", daemon=True).start()

    def plan(self, wish: Wish, alive: Callable[[str], bool]) -> Plan:
        """See `Turns.plan`."""
        return self._turns.plan(wish, alive)

    def pictures(self, owner: str, conversation: str, names: Sequence[str]) -> dict[str, Picture]:
        """Find images that a conversation has shown, in memory or in the database; others are left out.

        Raises `Unavailable`.
        """
        found = self.recall.pictures(owner, conversation, names)
        if len(found) < len(set(names)):
            self.saver.settle(conversation, _SETTLE_S)
            found |= self.database.read(lambda c: pictures.some(c, owner, conversation, names), _READ_S)
        return found

    def check_room(self, owner: str, conversation: str, new: Sequence[Picture]) -> None:
        """See that new images have room; where the database cannot tell now they have. Raises `TooLarge`."""
        weight = sum(len(image.content) for image in new)
        limits = self.limits

        def work(connection: Connection) -> None:
            room.check(connection, owner, conversation, new, limits)
            room.clear(connection, owner, weight, limits)

        try:
            self.database.write(work, _READ_S)
        except Unavailable:
            log_.warning("nobody could tell how much an owner keeps")

    def read(self, work: Callable[[Connection], T]) -> T:
        """Ask in one transaction; see `Database.read`."""
        return self.database.read(work)

    def write(self, work: Callable[[Connection], T], patience_s: float = PATIENCE_S) -> T:
        """Change in one transaction; see `Database.write`."""
        return self.database.write(work, patience_s)

    def described(self) -> dict[str, object]:
        """Tell how it stands: which database, its state, and how many writes wait or are lost."""
        told: dict[str, object] = {"kind": self.database.kind, "state": self.database.state}
        if self.saver.behind:
            told["waiting"] = self.saver.behind
        if self.saver.lost:
            told["lost"] = self.saver.lost
        return told

    def close(self, within_s: float) -> None:
        """Save what waits, and let go."""
        if self.saver.behind:
            self.saver.flush(within_s)
        self.database.close()

    def _open(self) -> None:
        try:
            self.database.open()
        except Unavailable:
            pass  # it has been told, and the next call tries again
        except Exception:  # the server goes on without
            log_.exception("the database could not be opened")
