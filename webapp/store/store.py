"""The store of a process: what the doors and the engine ask of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from webapp.errors import Unavailable
from webapp.store import images, ownership, quota
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import PATIENCE_S, Database
from webapp.store.images import StoredImage
from webapp.store.quota import StorageLimits
from webapp.store.saver import Saver
from webapp.store.sessions import SessionTable, SharedSecret
from webapp.store.turns import TurnPlan, TurnRequest, Turns

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")

_SETTLE_S = 0.2
_READ_S = 0.6
_SEARCH_S = 1.5
_SEARCHES = 2  # at a time, of Postgres's four connections; SQLite has one thread
_RENAMING_S = 30.0
_RENAME_AGAIN_S = 60.0
_MOST_RENAMINGS = 60
_FORMER_IDLE_MS = 120_000


class Store:
    """Conversations and all that belongs to them."""

    def __init__(self, url: str | None, folder: str, limits: StorageLimits | None = None) -> None:
        """Know where the database is; nothing is opened yet."""
        self.limits = limits or StorageLimits()
        self.database = Database(url, folder)
        self.sessions = SessionTable(self.database)
        self.shared_secret = SharedSecret(self.database)
        self.saver = Saver(self.database)
        self.recall = ConversationCache()
        self._remembered = quota.Remembered()
        self._closed = threading.Event()
        self._searching = threading.BoundedSemaphore(1 if url is None else _SEARCHES)
        self._opened: Callable[[], None] = lambda: None
        self._turns = Turns(self.database, self.saver, self.recall)

    def on_open(self, opened: Callable[[], None]) -> None:
        """Call something once, when `open` is called."""
        self._opened = opened

    def open(self) -> None:
        """Open the database in the background, so that the first to ask need not wait; never fails."""
        threading.Thread(target=self._open, name="freshet-store-open", daemon=True).start()
        self._opened()

    def plan(self, wish: TurnRequest, alive: Callable[[str], bool]) -> TurnPlan:
        """See `Turns.plan`."""
        return self._turns.plan(wish, alive)

    def pictures(self, owner: str, conversation: str, names: Sequence[str]) -> dict[str, StoredImage]:
        """Find images that a conversation has shown, in memory or in the database; others are left out.

        Raises `Unavailable`.
        """
        found = self.recall.pictures(owner, conversation, names)
        if len(found) < len(set(names)):
            self.saver.settle(conversation, _SETTLE_S)
            found |= self.database.read(lambda c: images.some(c, owner, conversation, names), _READ_S)
        return found

    def check_room(
        self, owner: str, conversation: str, new: Sequence[StoredImage], text_bytes: int, owner_bytes: int
    ) -> None:
        """See that an owner who may keep `owner_bytes` has room for a question, its new images and its text.

        Where the database cannot tell now they have. Raises `TooLarge`.
        """
        if not new and self._remembered.fits(owner, text_bytes, owner_bytes):
            return

        def work(connection: Connection) -> int:
            added = quota.check_images(connection, conversation, new, self.limits) + text_bytes
            return quota.check_owner(connection, owner, added, owner_bytes, "images" if new else "query")

        try:
            self._remembered.counted(owner, self.database.write(work, _READ_S))
        except Unavailable:
            log_.warning("nobody could tell how much an owner keeps")

    def move(self, source: str, target: str) -> int:
        """Give all that belongs to an owner to another, in one transaction; returns how many conversations."""
        moved = self.database.write(lambda c: ownership.move(c, source, target))
        self.recall.move(source, target)
        return moved

    def rename_former(self, password: str | None, user: str, keyed: Callable[[str], str]) -> None:
        """Replace the owners' names of version 0.1 in the background, as soon as the database is there."""
        threading.Thread(
            target=self._rename_former, args=(password, user, keyed), name="freshet-rename", daemon=True
        ).start()

    def read(self, work: Callable[[Connection], T], patience_s: float = PATIENCE_S) -> T:
        """Ask in one transaction; see `Database.read`."""
        return self.database.read(work, patience_s)

    def search(self, work: Callable[[Connection], T]) -> T:
        """Ask what reads many texts: few at a time, and not for long, because others wait. Raises `Unavailable`."""
        if not self._searching.acquire(timeout=_SEARCH_S):
            raise Unavailable("Other searches are under way.", code="store_busy", retry_after_s=1)
        try:
            return self.database.search(work, _SEARCH_S)
        finally:
            self._searching.release()

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
        self._closed.set()
        if self.saver.behind:
            self.saver.flush(within_s)
        self.database.close()

    def _rename_former(self, password: str | None, user: str, keyed: Callable[[str], str]) -> None:
        # A server of that version may be writing to the same Postgres while this one starts.
        idle_ms = _FORMER_IDLE_MS if self.database.kind == "postgres" else 0
        for _ in range(_MOST_RENAMINGS):
            try:
                keyed("")  # what it needs of the database it must have before the transaction
                if self.database.write(
                    lambda c: ownership.rename_former(c, password, user, keyed, idle_ms), _RENAMING_S
                ):
                    return
            except Unavailable:
                pass  # the database is away
            except Exception:  # the server goes on without
                log_.exception("the owners of version 0.1 could not be renamed")
                return
            self._closed.wait(_RENAME_AGAIN_S)
            if self._closed.is_set():
                return

    def _open(self) -> None:
        try:
            self.database.open()
        except Unavailable:
            pass  # it has been told, and the next call tries again
        except Exception:  # the server goes on without
            log_.exception("the database could not be opened")
