"""The feeds of changes that clients of this process follow, and the one thread that reads the database for all of them."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from webapp.errors import Unavailable
from webapp.offload import Wake
from webapp.store.changes import MAX_CHANGES, Change, ChangeCounter, read_changes, read_counters

log_ = logging.getLogger("freshet.store")

T = TypeVar("T")
Read = Callable[[Callable[[Connection], T]], T]

_POLL_S = 0.75  # how soon a change made by another process is seen
_GAP_S = 0.05  # between two readings, so that many changes cost few of them
_AWAY_S = (1.0, 8.0)  # while the database is unavailable
_MAX_OWNERS = 50  # whose changes are read in one transaction, which others wait for
_CURSOR = re.compile(r"([0-9a-f]{1,16})-([0-9]{1,18})")
_UNCHANGED = ChangeCounter()


class FeedCursor(msgspec.Struct, frozen=True):
    """A position in an owner's feed: the tag of its counter, and the number of the last change that was seen."""

    tag: str
    number: int

    @classmethod
    def parse(cls, raw: str) -> FeedCursor | None:
        """Parse `tag-number`; None if it is malformed."""
        match = _CURSOR.fullmatch(raw)
        return None if match is None else cls(match[1], int(match[2]))

    def encode(self) -> str:
        """Return `tag-number`."""
        return f"{self.tag}-{self.number}"


class FeedEvent(msgspec.Struct, frozen=True):
    """One event of a feed: a conversation's state, or without one a resync: reload all.

    With a cursor all changes up to it have been seen.
    """

    change: Change | None
    cursor: FeedCursor | None


class ChangeFeed:
    """One client's place in the changes of an owner. Its connection's thread waits on `wake` and calls `take`."""

    def __init__(self, owner: str, after: FeedCursor | None, wake: Wake) -> None:
        """Start after a cursor. Without one the first event is a resync, whose cursor is the present one."""
        self.owner = owner
        self.cursor = after
        self.is_read = False  # whether the database was read at least once
        self._wake = wake
        self._pending: dict[str, Change] = {}  # by conversation: only its last state matters
        self._must_resync = False
        self._lock = threading.Lock()

    def take(self) -> list[FeedEvent]:
        """Return the new events in their order, and forget them."""
        with self._lock:
            cursor, must_resync = self.cursor, self._must_resync
            changes = sorted(self._pending.values(), key=lambda change: change.number)
            self._pending.clear()
            self._must_resync = False
        if cursor is None or not (changes or must_resync):
            return []
        if must_resync:
            return [FeedEvent(None, cursor)]
        following = [*(change.number for change in changes), -1][1:]
        return [
            FeedEvent(change, None if change.number == next_number else FeedCursor(cursor.tag, change.number))
            for change, next_number in zip(changes, following, strict=True)
        ]

    def note_reading(self) -> None:
        """Note that the database was read; wake the connection the first time."""
        if not self.is_read:
            self.is_read = True
            self._wake.set()

    def is_behind(self, counter: ChangeCounter) -> bool:
        """Return whether the owner has changes that this feed does not."""
        return self.cursor is None or self.cursor != FeedCursor(counter.tag, counter.last)

    def update(self, counter: ChangeCounter, newest: list[Change]) -> None:
        """Add what is new, given the owner's counter and newest changes, the last one first; wake the connection."""
        with self._lock:
            if not self._can_continue(counter, newest):
                self._pending.clear()
                self._must_resync = True
            elif not self._must_resync:
                seen = 0 if self.cursor is None else self.cursor.number
                self._pending |= {change.id: change for change in newest if change.number > seen}
                if len(self._pending) > MAX_CHANGES:
                    self._pending.clear()
                    self._must_resync = True
            self.cursor = FeedCursor(counter.tag, counter.last)
            self.is_read = True
        self._wake.set()

    def _can_continue(self, counter: ChangeCounter, newest: list[Change]) -> bool:
        cursor = self.cursor
        if cursor is None or not counter.oldest <= cursor.number <= counter.last:
            return False
        if cursor.tag != counter.tag and cursor != FeedCursor(_UNCHANGED.tag, 0):
            return False
        return len(newest) <= MAX_CHANGES or newest[MAX_CHANGES].number <= cursor.number


class ChangeFeeds:
    """The open feeds of a process. One thread reads for all of them; it starts with the first feed and ends with the last."""

    def __init__(self, read: Read[dict[str, tuple[ChangeCounter, list[Change]]]]) -> None:
        """Read with `read`, which runs a function in a read transaction and may raise `Unavailable`."""
        self._read = read
        self._feeds: dict[str, set[ChangeFeed]] = {}  # by owner
        self._due: set[str] = set()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._is_running = False
        self._is_closed = False

    def open(self, owner: str, after: FeedCursor | None, wake: Wake) -> ChangeFeed:
        """Open a feed, whose events come soon; the caller must call `close`."""
        feed = ChangeFeed(owner, after, wake)
        with self._lock:
            self._feeds.setdefault(owner, set()).add(feed)
            self._due.add(owner)
            is_first, self._is_running = not self._is_running, True
        if is_first:
            threading.Thread(target=self._work, name="freshet-changes", daemon=True).start()
        self._wake.set()
        return feed

    def close(self, feed: ChangeFeed) -> None:
        """Close a feed. Idempotent."""
        with self._lock:
            feeds = self._feeds.get(feed.owner, set())
            feeds.discard(feed)
            if not feeds:
                self._feeds.pop(feed.owner, None)

    def close_all(self) -> None:
        """End the thread: the database is closed. Feeds that are still open stay silent."""
        self._is_closed = True
        self._wake.set()

    def note_changes(self, owners: Collection[str]) -> None:
        """Read the changes of these owners now, if they have open feeds: this process has just made some."""
        with self._lock:
            followed = self._feeds.keys() & owners
            self._due |= followed
        if followed:
            self._wake.set()

    def _work(self) -> None:
        next_poll = time.monotonic()
        away_s = _AWAY_S[0]
        while True:
            self._wake.wait(max(0.0, next_poll - time.monotonic()))
            self._wake.clear()
            is_poll = time.monotonic() >= next_poll
            owners = self._take_owners(is_poll)
            if owners is None:
                return
            try:
                self._update(owners)
                away_s = _AWAY_S[0]
                pause_s = _GAP_S
            except Unavailable:  # the feeds are silent until the next poll reads all that was missed
                pause_s, away_s = away_s, min(2 * away_s, _AWAY_S[1])
            except Exception:  # all feeds depend on this thread
                log_.exception("changes could not be read")
                pause_s = _AWAY_S[1]
            time.sleep(pause_s)
            if is_poll or pause_s > _GAP_S:
                next_poll = time.monotonic() + _POLL_S - _GAP_S

    def _take_owners(self, is_poll: bool) -> list[str] | None:
        """Return the owners to read: those due, or all of them; None when no feed is open: then the thread ends."""
        with self._lock:
            if not self._feeds or self._is_closed:
                self._is_running = False
                self._due.clear()
                return None
            owners = list(self._feeds if is_poll else self._feeds.keys() & self._due)
            self._due.clear()
        return owners

    def _update(self, owners: list[str]) -> None:
        """Read what is new of these owners, and pass it to their feeds."""
        followed = self._list_feeds(owners)
        news = self._read(lambda connection: _read_news(connection, followed))
        left = [owner for owner in followed if owner not in news]
        for owner, (counter, newest) in news.items():
            for feed in followed[owner]:
                if feed.is_behind(counter):
                    feed.update(counter, newest)
                feed.note_reading()
        if left:
            with self._lock:
                self._due.update(left)
            self._wake.set()

    def _list_feeds(self, owners: Iterable[str]) -> dict[str, list[ChangeFeed]]:
        with self._lock:
            return {owner: list(self._feeds[owner]) for owner in owners if owner in self._feeds}


def _read_news(
    connection: Connection, followed: Mapping[str, list[ChangeFeed]]
) -> dict[str, tuple[ChangeCounter, list[Change]]]:
    """Return the counter and the newest changes of each owner; those of too many owners at once are left out."""
    counters = read_counters(connection, list(followed))
    news: dict[str, tuple[ChangeCounter, list[Change]]] = {}
    count = 0
    for owner, feeds in followed.items():
        counter = counters.get(owner, _UNCHANGED)
        newest: list[Change] = []
        seen = [feed.cursor.number for feed in feeds if feed.cursor is not None and feed.is_behind(counter)]
        if seen:
            if count == _MAX_OWNERS:
                continue
            count += 1
            newest = read_changes(connection, owner, min(seen))
            if newest:  # on Postgres another transaction may have committed since the counter was read
                last = max(counter.last, newest[0].number)
                counter = msgspec.structs.replace(counter, last=last)
        news[owner] = (counter, newest)
    return news
