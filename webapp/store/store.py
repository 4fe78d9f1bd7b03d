"""The store of a process: all that endpoints and the engine need of the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from webapp.errors import Unavailable
from webapp.publishable_keys import owner_prefix_of
from webapp.seams import AnswerWriter
from webapp.store import conversations, images, ownership, quota
from webapp.store.change_feeds import ChangeFeeds
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import TIMEOUT_S, Database
from webapp.store.images import StoredImage
from webapp.store.keys import KeyTable
from webapp.store.quota import QuotaCache, StorageLimits
from webapp.store.rate_counters import RateCounters
from webapp.store.rows import now_ms
from webapp.store.saver import Saver
from webapp.store.sessions import SessionTable, SharedSecret
from webapp.store.turns import LostTurn, TurnPlan, TurnRequest, Turns
from webapp.store.writes import TurnStart

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")

_SETTLE_S = 0.2
_READ_S = 0.6
_SEARCH_S = 1.5
_MAX_SEARCHES = 2  # at a time, of Postgres's four connections; SQLite has one thread
_RENAME_S = 30.0
_RENAME_RETRY_S = 60.0
_MAX_RENAME_TRIES = 60
_RENAME_IDLE_MS = 120_000
_PURGE_FIRST_S = 60.0  # after the start, which has better things to do
_PURGE_EVERY_S = 3_600.0
_DAY_MS = 24 * 3_600 * 1_000
_PURGE_COUNT = 20  # conversations in one transaction, which may each have thousands of messages
_PURGE_PAUSE_S = 0.2  # for other writers
_MAX_PURGES = 500  # an hour


class Store:
    """The database with its write queue, caches and quotas."""

    def __init__(
        self, url: str | None, folder: str, limits: StorageLimits | None = None, *, workers: int = 1
    ) -> None:
        """Use Postgres at `url`, or without one a SQLite file in `folder`. Nothing is opened yet.

        `workers` is how many of this server use it.
        """
        self.limits = limits or StorageLimits()
        self.database = Database(url, folder)
        self.sessions = SessionTable(self.database)
        self.keys = KeyTable(self.database)
        self.shared_secret = SharedSecret(self.database)
        self.rate_counters = RateCounters(self.database)
        self.saver = Saver(self.database)
        self.cache = ConversationCache()
        self.feeds = ChangeFeeds(self.database.read)
        self.database.on_change(self.feeds.note_changes)
        self._quota_cache = QuotaCache()
        self._closed = threading.Event()
        self._search_slots = threading.BoundedSemaphore(1 if url is None else _MAX_SEARCHES)
        self._on_open: Callable[[], None] = lambda: None
        self._turns = Turns(self.database, self.saver, self.cache, is_shared=workers > 1)

    def on_open(self, callback: Callable[[], None]) -> None:
        """Set the function that `open` calls."""
        self._on_open = callback

    def open(self) -> None:
        """Open the database in the background, so that the first request need not wait. Raises nothing."""
        threading.Thread(target=self._open, name="freshet-store-open", daemon=True).start()
        self._on_open()

    def plan(self, request: TurnRequest, is_running: Callable[[str], bool]) -> TurnPlan:
        """See `Turns.plan`."""
        return self._turns.plan(request, is_running)

    def find_lost(self, start: TurnStart) -> LostTurn:
        """See `Turns.find_lost`."""
        return self._turns.find_lost(start)

    def claim_lost(self, start: TurnStart, epoch: int) -> LostTurn:
        """See `Turns.claim_lost`."""
        return self._turns.claim_lost(start, epoch)

    def writer(self, start: TurnStart, *, is_stored: bool, sealed: str | None = None) -> AnswerWriter:
        """See `Turns.writer`."""
        return self._turns.writer(start, is_stored=is_stored, sealed=sealed)

    def find_images(self, owner: str, conversation: str, image_ids: Sequence[str]) -> dict[str, StoredImage]:
        """Return images of a conversation by id, from memory or the database; unknown ids are left out.

        Raises `Unavailable`.
        """
        found = self.cache.find_images(owner, conversation, image_ids)
        if len(found) < len(set(image_ids)):
            self.saver.settle(conversation, _SETTLE_S)
            found |= self.database.read(
                lambda c: images.find_many(c, owner, conversation, image_ids), _READ_S
            )
        return found

    def check_quota(
        self,
        owner: str,
        conversation: str,
        new: Sequence[StoredImage],
        text_bytes: int,
        owner_bytes: int,
        *,
        wait: bool = True,
    ) -> None:
        """Raise `TooLarge` if a question with new images exceeds the quota of the conversation or the owner.

        Passes while the database is unavailable, or without `wait` if it would have to be asked.
        """
        if (not new and self._quota_cache.try_add(owner, text_bytes, owner_bytes)) or not wait:
            return

        def work(connection: Connection) -> int:
            added = quota.check_image_quota(connection, conversation, new, self.limits) + text_bytes
            return quota.check_owner_quota(
                connection, owner, added, owner_bytes, "images" if new else "query"
            )

        try:
            self._quota_cache.store(owner, self.database.write(work, _READ_S))
        except Unavailable:
            log_.warning("an owner's quota could not be checked: the database is unavailable")

    def move(self, source: str, target: str) -> int:
        """Transfer everything of one owner to another in one transaction; return the number of conversations."""
        moved = self.database.write(lambda c: ownership.move(c, source, target))
        self.cache.move(source, target)
        return moved

    def rename_legacy_owners(self, password: str | None, user: str, keyed: Callable[[str], str]) -> None:
        """Rename the owners of version 0.1 in the background, as soon as the database is available."""
        threading.Thread(
            target=self._rename_legacy_owners,
            args=(password, user, keyed),
            name="freshet-rename",
            daemon=True,
        ).start()

    def read(self, work: Callable[[Connection], T], timeout_s: float = TIMEOUT_S) -> T:
        """See `Database.read`."""
        return self.database.read(work, timeout_s)

    def search(self, work: Callable[[Connection], T]) -> T:
        """Run an expensive query. Few run at a time and each for 1.5 s at most. Raises `Unavailable`."""
        if not self._search_slots.acquire(timeout=_SEARCH_S):
            raise Unavailable(
                "Too many searches at once. Try again in a moment.", code="store_busy", retry_after_s=1
            )
        try:
            return self.database.search(work, _SEARCH_S)
        finally:
            self._search_slots.release()

    def write(self, work: Callable[[Connection], T], timeout_s: float = TIMEOUT_S) -> T:
        """See `Database.write`."""
        return self.database.write(work, timeout_s)

    def status(self) -> dict[str, object]:
        """Return the kind and state of the database, and the numbers of pending and lost writes, if any."""
        status: dict[str, object] = {"kind": self.database.kind, "state": self.database.state}
        if self.saver.pending:
            status["waiting"] = self.saver.pending
        if self.saver.lost:
            status["lost"] = self.saver.lost
        return status

    def wait_closed(self, timeout_s: float) -> bool:
        """Wait until the store is closed; return whether it is."""
        return self._closed.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Save the pending writes and close the database."""
        self._closed.set()
        self.feeds.close_all()
        if self.saver.pending:
            self.saver.flush(timeout_s)
        self.database.close()

    def _rename_legacy_owners(self, password: str | None, user: str, keyed: Callable[[str], str]) -> None:
        # A server of version 0.1 may still be writing to the same Postgres.
        idle_ms = _RENAME_IDLE_MS if self.database.kind == "postgres" else 0
        for _ in range(_MAX_RENAME_TRIES):
            try:
                keyed("")  # loads the secret from the database, which must not happen inside the transaction
                if self.database.write(
                    lambda c: ownership.rename_legacy_owners(c, password, user, keyed, idle_ms), _RENAME_S
                ):
                    return
            except Unavailable:
                pass  # try again later
            except Exception:  # the server works without the renaming
                log_.exception("the owners of version 0.1 could not be renamed")
                return
            self._closed.wait(_RENAME_RETRY_S)
            if self._closed.is_set():
                return

    def _open(self) -> None:
        try:
            self.database.open()
        except Unavailable:
            pass  # logged already; the next call tries again
        except Exception:  # the server works without a database
            log_.exception("the database could not be opened")
        self._purge_for_ever()

    def _purge_for_ever(self) -> None:
        """Erase deleted conversations that can no longer be restored, hourly, until the store is closed."""
        pause_s = _PURGE_FIRST_S
        while not self._closed.wait(pause_s):
            pause_s = _PURGE_EVERY_S
            try:
                self.purge()
            except Unavailable:
                pass  # logged already; an hour later it is tried again
            except Exception:  # the server works without it
                log_.exception("deleted conversations could not be erased")

    def purge(self) -> int:
        """Erase conversations deleted more than 30 days ago, and those that a key keeps no longer; return how many.

        That is a bounded number, in short transactions.
        """
        erased = self._purge_some(lambda c: conversations.purge(c, _PURGE_COUNT))
        for key in self.keys.list_all():
            if key.profile.retention_days is not None:
                owners = owner_prefix_of(key.id)
                before_ms = now_ms() - key.profile.retention_days * _DAY_MS
                erased += self._purge_some(partial(_purge_older, owners=owners, before_ms=before_ms))
        return erased

    def _purge_some(self, work: Callable[[Connection], int]) -> int:
        erased = 0
        for _ in range(_MAX_PURGES):
            count = self.database.write(work)
            erased += count
            if count < _PURGE_COUNT or self._closed.wait(_PURGE_PAUSE_S):
                break
        return erased


def _purge_older(connection: Connection, owners: str, before_ms: int) -> int:
    return conversations.purge_older(connection, owners, before_ms, _PURGE_COUNT)
