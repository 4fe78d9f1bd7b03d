"""The feed of an owner's changes, on both databases: every change has a number, in order, and nothing is missed."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from tests.store.people import Person, new_run
from tests.support.server import wait_for
from webapp.errors import Unavailable
from webapp.offload import Wake
from webapp.store import changes, conversations
from webapp.store.change_feeds import ChangeFeed, ChangeFeeds, FeedCursor
from webapp.store.imports import ImportedConversation, insert_conversation
from webapp.store.rows import now_ms
from webapp.store.store import Store

OWNER = "user:anna"


def add(store: Store, name: str, owner: str = OWNER, title: str = "Title") -> None:
    """Store an empty conversation."""
    imported = ImportedConversation(
        id=name, title=title, system=None, leaf=None, created_at=1, messages=(), images=()
    )
    store.write(lambda c: insert_conversation(c, owner, imported, 10**9))


class Follower:
    """A feed and all that it has received."""

    def __init__(self, feeds: ChangeFeeds, owner: str = OWNER, after: FeedCursor | None = None) -> None:
        self._feeds = feeds
        self.feed: ChangeFeed = feeds.open(owner, after, Wake())
        self.events: list[tuple[str, bool] | None] = []
        self.cursor = after

    def take(self) -> list[tuple[str, bool] | None]:
        """Return all events so far: a conversation and whether it is deleted, or None for a resync."""
        for event in self.feed.take():
            self.events.append(None if event.change is None else (event.change.id, event.change.is_deleted))
            self.cursor = event.cursor or self.cursor
        return self.events

    def wait(self, *expected: tuple[str, bool] | None) -> None:
        wait_for(lambda: len(self.take()) >= len(expected), 5.0, f"{expected}, not {self.events}")
        assert self.take() == list(expected)

    def close(self) -> None:
        self._feeds.close(self.feed)


@pytest.fixture
def follower(store: Store) -> Iterator[Follower]:
    """A feed that has received its first resync."""
    following = Follower(store.feeds)
    following.wait(None)
    following.events.clear()
    yield following
    following.close()


@pytest.fixture(autouse=True)
def without_counters(request: pytest.FixtureRequest) -> None:
    if "store" in request.fixturenames:
        request.getfixturevalue("store").write(lambda c: c.execute(text("DELETE FROM change_counters")))


def test_every_change_of_a_conversation_is_an_event(store: Store, follower: Follower) -> None:
    add(store, "a")
    follower.wait(("a", False))
    store.write(lambda c: conversations.change(c, OWNER, "a", {"title": "New"}))
    follower.wait(*[("a", False)] * 2)
    store.write(lambda c: conversations.remove(c, OWNER, "a"))
    follower.wait(*[("a", False)] * 2, ("a", True))
    store.write(lambda c: conversations.restore(c, OWNER, "a"))
    follower.wait(*[("a", False)] * 2, ("a", True), ("a", False))


def test_another_owner_s_changes_are_not_in_the_feed(store: Store, follower: Follower) -> None:
    add(store, "b", "user:ben")
    add(store, "a")
    follower.wait(("a", False))


def test_a_feed_resumes_after_its_cursor_and_gets_each_conversation_once(
    store: Store, follower: Follower
) -> None:
    add(store, "a")
    follower.wait(("a", False))
    for title in ("1", "2", "3"):
        store.write(lambda c, title=title: conversations.change(c, OWNER, "a", {"title": title}))
    add(store, "b")
    resumed = Follower(store.feeds, after=follower.cursor)
    resumed.wait(("a", False), ("b", False))
    again = Follower(store.feeds, after=resumed.cursor)
    add(store, "c")
    again.wait(("c", False))


@pytest.mark.parametrize("cursor", [FeedCursor("0", 7), FeedCursor("beef", 0), FeedCursor("0", 0)])
def test_a_cursor_of_another_database_resyncs(store: Store, cursor: FeedCursor) -> None:
    """That of an owner without any change is the exception: nothing is missing after it."""
    add(store, "a")
    follower = Follower(store.feeds, after=cursor)
    follower.wait(("a", False) if cursor == FeedCursor("0", 0) else None)


def test_a_reader_that_has_missed_too_much_resyncs(store: Store, follower: Follower) -> None:
    cursor = follower.cursor
    follower.close()
    store.write(
        lambda c: [add_in(c, f"c{number}") for number in range(changes.MAX_CHANGES + 1)], timeout_s=30
    )
    late = Follower(store.feeds, after=cursor)
    late.wait(None)
    add(store, "last")
    late.wait(None, ("last", False))


def add_in(connection: Any, name: str) -> None:
    imported = ImportedConversation(
        id=name, title="T", system=None, leaf=None, created_at=1, messages=(), images=()
    )
    insert_conversation(connection, OWNER, imported, 10**9)


def test_a_move_resyncs_both_owners(store: Store, follower: Follower) -> None:
    add(store, "a")
    follower.wait(("a", False))
    target = Follower(store.feeds, "user:ben")
    target.wait(None)
    store.move(OWNER, "user:ben")
    follower.wait(("a", False), None)
    target.wait(None, None)
    add(store, "b", "user:ben")
    target.wait(None, None, ("b", False))


def test_what_was_erased_resyncs_a_reader_that_has_not_seen_its_deletion(
    store: Store, follower: Follower
) -> None:
    add(store, "a")
    follower.wait(("a", False))
    cursor = follower.cursor
    store.write(lambda c: conversations.remove(c, OWNER, "a"))
    follower.wait(("a", False), ("a", True))
    long_ago = now_ms() - 31 * 24 * 3600 * 1000
    store.write(lambda c: c.execute(text(f"UPDATE conversations SET deleted_at = {long_ago}")))
    assert store.purge() == 1
    Follower(store.feeds, after=cursor).wait(None)
    current = Follower(store.feeds, after=follower.cursor)
    add(store, "b")
    current.wait(("b", False))


def test_changes_of_another_process_are_seen(
    store: Store, follower: Follower, migrated_location: tuple[str | None, str]
) -> None:
    other = Store(*migrated_location)
    try:
        began = time.monotonic()
        add(other, "a")
        follower.wait(("a", False))
        assert time.monotonic() - began < 2.0
    finally:
        other.close(5.0)


def test_a_transaction_waits_for_the_number_of_an_earlier_one(
    store: Store, follower: Follower, migrated_location: tuple[str | None, str]
) -> None:
    add(store, "a")
    follower.wait(("a", False))
    add(store, "b")
    follower.wait(("a", False), ("b", False))
    other = Store(*migrated_location)
    recorded, may_commit = threading.Event(), threading.Event()

    def rename(connection: Any, name: str) -> None:
        conversations.change(connection, OWNER, name, {"title": "New"})

    def first(connection: Any) -> None:
        rename(connection, "a")
        recorded.set()
        assert may_commit.wait(10)

    try:
        with ThreadPoolExecutor(2) as pool:
            early = pool.submit(lambda: store.write(first, timeout_s=20))
            assert recorded.wait(10)
            late = pool.submit(lambda: other.write(lambda c: rename(c, "b"), timeout_s=20))
            with pytest.raises(TimeoutError):
                late.result(0.4)
            assert len(follower.take()) == 2
            may_commit.set()
            early.result(20)
            late.result(20)
    finally:
        other.close(5.0)
    follower.wait(*[("a", False), ("b", False)] * 2)
    found = store.read(lambda c: changes.read_changes(c, OWNER, 2))
    assert [(change.number, change.id) for change in found] == [(4, "b"), (3, "a")]


def read_all(store: Store, cursor: FeedCursor | None, count: int) -> set[str]:
    """Read with ever new feeds, each after the cursor of the one before, until `count` conversations were seen."""
    seen: set[str] = set()
    deadline = time.monotonic() + 60
    while len(seen) < count and time.monotonic() < deadline:
        reading = Follower(store.feeds, after=cursor)
        while not reading.take() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert None not in reading.events
        seen.update(event[0] for event in reading.events if event is not None)
        cursor = reading.cursor
        reading.close()
    return seen


def write_all(store: Store, names: list[str], hesitation_s: float) -> None:
    def work(connection: Any, name: str) -> None:
        add_in(connection, name)
        time.sleep(hesitation_s)

    for name in names:
        for _ in range(20):
            with suppress(Unavailable):  # SQLite waits only a second for another process's lock
                store.write(lambda c, name=name: work(c, name), timeout_s=30)
                break


def test_no_change_is_missed_while_several_processes_write(
    store: Store, follower: Follower, migrated_location: tuple[str | None, str]
) -> None:
    """Some transactions wait before they commit, so that a number taken early would become visible late."""
    others = [Store(*migrated_location) for _ in range(3)]
    names = [[f"{place}-{number}" for number in range(12)] for place in range(3)]
    try:
        with ThreadPoolExecutor(4) as pool:
            reader = pool.submit(read_all, store, follower.cursor, 36)
            writers = [pool.submit(write_all, others[p], names[p], 0.01 * p) for p in range(3)]
            for writer in writers:
                writer.result(60)
            assert reader.result(60) == {name for group in names for name in group}
    finally:
        for other in others:
            other.close(5.0)


def test_writers_of_the_same_owners_never_wait_for_each_other_in_a_circle(
    store: Store, migrated_location: tuple[str | None, str]
) -> None:
    """Batches of the queue of writes hold the changes of several owners, in any order."""
    other = Store(*migrated_location)
    owners = ["user:x", "user:y"]
    for owner in owners:
        for place in range(2):
            add(store, f"{owner}{place}", owner)

    def work(connection: Any, place: int) -> None:
        changed = [(owner, f"{owner}{place}") for owner in (owners if place else owners[::-1])]
        changes.record(connection, changed)

    try:
        with ThreadPoolExecutor(2) as pool:
            for future in [
                pool.submit(lambda s=s, p=p: [s.write(lambda c: work(c, p)) for _ in range(40)])
                for s, p in ((store, 0), (other, 1))
            ]:
                future.result(60)
    finally:
        other.close(5.0)


def test_the_thread_ends_with_the_last_feed_and_starts_again(store: Store) -> None:
    first, second = Follower(store.feeds), Follower(store.feeds)
    wait_for(lambda: first.take() == second.take() == [None], 5.0, "two resyncs")
    assert store.feeds._is_running
    first.close()
    second.close()
    wait_for(lambda: not store.feeds._is_running, 5.0, "the end of the thread")
    third = Follower(store.feeds)
    third.wait(None)
    third.close()


def test_a_turn_is_two_changes_and_the_first_names_its_run(parts: Flask, anna: Person) -> None:
    store: Store = parts.extensions["freshet"].store
    owner = "visitor:" + "anna".ljust(22, "-")
    name, run = new_run(), new_run()
    seen: list[tuple[str | None, str | None]] = []
    feed = store.feeds.open(owner, None, Wake())
    wait_for(lambda: bool(feed.take()), 5.0, "a resync")

    def take() -> bool:
        seen.extend((e.change.leaf, e.change.run) for e in feed.take() if e.change is not None)
        return (run, None) in seen

    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(anna.ask, name, "Hello?", run=run)
        wait_for(take, 5.0, "the answer's end")
        turn.result(5)
    store.feeds.close(feed)
    assert set(seen) <= {(run, run), (run, None)}
