"""The background saver: writes are saved in order, retried, bounded in memory, and idempotent."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from webapp.chat import TextPart, Usage
from webapp.conversation import Message
from webapp.errors import Unavailable
from webapp.frames import RunResult, new_run
from webapp.store import conversations
from webapp.store.branches import load_messages
from webapp.store.database import DatabaseUnavailable
from webapp.store.saver import Saver
from webapp.store.store import Store
from webapp.store.turns import TurnRequest
from webapp.store.writes import TurnEnd, TurnStart

TIMEOUT_S = 10.0


def answer(run: str, text: str = "", state: str = "done") -> Message:
    content = (TextPart(text),) if text else ()
    return Message(id=run, parent=None, role="assistant", content=content, created_at=2, state=state)  # type: ignore[arg-type]


def turn_start(conversation: str, run: str, owner: str = "anna") -> TurnStart:
    return TurnStart(
        owner=owner,
        conversation=conversation,
        system=None,
        title="Title",
        question=None,
        images=(),
        answer=answer(run, state="streaming"),
    )


def turn_end(conversation: str, run: str, text: str, owner: str = "anna") -> TurnEnd:
    return TurnEnd(owner=owner, conversation=conversation, answer=answer(run, text))


def texts(store: Store, conversation: str, owner: str = "anna") -> list[tuple[str, str]]:
    return [(one.text, one.state) for one in store.read(lambda c: load_messages(c, owner, conversation))]


class Switch:
    """Makes a store's database unavailable while `away` is true. `tries` counts the writes attempted."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        self.tries = 0
        self._tried = threading.Condition()
        write = store.database.write

        def switched(work: Callable[[Any], Any], timeout_s: float = 5.0) -> Any:
            with self._tried:
                self.tries += 1
                self._tried.notify_all()
            if self.away:
                raise DatabaseUnavailable("away")
            return write(work, timeout_s)

        monkeypatch.setattr(store.database, "write", switched)

    def wait_tries(self, count: int) -> None:
        with self._tried:
            assert self._tried.wait_for(lambda: self.tries >= count, TIMEOUT_S)


@pytest.fixture
def switch(store: Store, monkeypatch: pytest.MonkeyPatch) -> Switch:
    return Switch(store, monkeypatch)


def test_a_write_is_stored_when_its_wait_returns_true(store: Store) -> None:
    name, run = new_run(), new_run()
    for write, expected in (
        (turn_start(name, run), ("", "streaming")),
        (turn_end(name, run, "Hi"), ("Hi", "done")),
    ):
        queued = store.saver.enqueue(write)
        assert queued is not None
        assert queued.wait(TIMEOUT_S)
        assert texts(store, name) == [expected]


def test_every_write_is_idempotent(store: Store) -> None:
    name, run = new_run(), new_run()
    for write in (
        turn_start(name, run),
        turn_start(name, run),
        turn_end(name, run, "Hi"),
        turn_start(name, run),
        turn_end(name, run, "Hi"),
    ):
        store.saver.enqueue(write)
    assert store.saver.flush(TIMEOUT_S)
    assert texts(store, name) == [("Hi", "done")]
    assert store.saver.lost == 0


def test_writes_are_retried_in_order_while_the_database_is_away(store: Store, switch: Switch) -> None:
    switch.away = True
    names = [(new_run(), new_run()) for _ in range(50)]
    writes = []
    for name, run in names:
        writes += [
            store.saver.enqueue(turn_start(name, run)),
            store.saver.enqueue(turn_end(name, run, f"to {run}")),
        ]
    assert writes[0] is not None
    assert writes[0].wait(TIMEOUT_S) is False, "it returns after the first attempt, not the last"
    switch.wait_tries(3)
    assert (store.saver.failing, store.saver.pending) == (True, 100)
    switch.away = False
    assert store.saver.flush(TIMEOUT_S)
    assert not store.saver.failing
    for name, run in names:
        assert texts(store, name) == [(f"to {run}", "done")]


def test_settle_retries_at_once(store: Store, switch: Switch) -> None:
    name, run = new_run(), new_run()
    switch.away = True
    store.saver.enqueue(turn_start(name, run))
    switch.wait_tries(4)  # by now the pause between attempts is seconds
    switch.away = False
    assert store.saver.settle(name, 1.0)
    assert texts(store, name) == [("", "streaming")]


def test_the_queue_is_bounded_and_lost_writes_are_counted(store: Store, switch: Switch, caplog: Any) -> None:
    switch.away = True
    saver = Saver(store.database, max_bytes=10_000)
    name = new_run()
    writes = [saver.enqueue(turn_end(name, new_run(), "x" * 1_000)) for _ in range(10)]
    assert [queued is not None for queued in writes] == [True] * 3 + [False] * 7
    assert saver.lost == 7
    assert "a message is lost" in caplog.text
    assert "xxx" not in caplog.text
    switch.away = False
    assert saver.flush(TIMEOUT_S)


def test_a_refused_write_does_not_block_the_others(store: Store) -> None:
    mine, theirs = new_run(), new_run()
    run = new_run()
    store.saver.enqueue(turn_start(theirs, new_run(), owner="ben"))
    assert store.saver.flush(TIMEOUT_S)
    stolen = store.saver.enqueue(turn_start(theirs, run))
    good = [store.saver.enqueue(turn_start(mine, run)), store.saver.enqueue(turn_end(mine, run, "Hi"))]
    assert store.saver.flush(TIMEOUT_S)
    assert stolen is not None
    assert not stolen.saved
    assert all(queued is not None and queued.saved for queued in good)
    assert store.saver.lost == 1
    assert texts(store, mine) == [("Hi", "done")]
    assert len(texts(store, theirs, "ben")) == 1
    assert texts(store, theirs) == []


def test_many_threads_can_write_at_once(store: Store) -> None:
    name = new_run()
    runs = [new_run() for _ in range(64)]

    def turn(run: str) -> None:
        store.saver.enqueue(turn_start(name, run))
        store.saver.enqueue(turn_end(name, run, run))

    threads = [threading.Thread(target=turn, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert store.saver.flush(TIMEOUT_S)
    assert sorted(texts(store, name)) == sorted((run, "done") for run in runs)
    assert store.read(lambda c: conversations.find(c, "anna", name)).leaf in runs


# A turn's writer.


def turn_request(conversation: str, run: str, query: str) -> TurnRequest:
    return TurnRequest(
        owner="anna",
        run=run,
        conversation=conversation,
        parent=None,
        query=query,
        images=(),
        continued=None,
        system=None,
    )


DONE = RunResult(
    state="done",
    finish_reason="stop",
    usage=Usage(),
    cost=None,
    sha256="",
    provider="mock",
    model="m",
)


def test_a_partial_answer_never_overwrites_the_final_one(store: Store) -> None:
    name, run = new_run(), new_run()
    writer = store.plan(turn_request(name, run, "Well?"), lambda _: False).writer
    assert writer.store_question(1)
    writer.save_progress("Half", "", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    assert texts(store, name)[1] == ("Half", "streaming")
    assert writer.store_answer(DONE, "Half and half", "", epoch=1, wait=True)
    writer.save_progress("Half", "", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    assert texts(store, name)[1] == ("Half and half", "done")


def test_partial_answers_are_not_queued_while_the_database_is_away(store: Store, switch: Switch) -> None:
    name, run = new_run(), new_run()
    writer = store.plan(turn_request(name, run, "Well?"), lambda _: False).writer
    switch.away = True
    assert not writer.store_question(1)
    for _ in range(10):
        writer.save_progress("Half", "", epoch=1)
    assert store.saver.pending == 1
    assert not writer.store_answer(DONE, "Whole", "", epoch=1, wait=False)
    switch.away = False
    assert store.saver.flush(TIMEOUT_S)
    assert texts(store, name) == [("Well?", "done"), ("Whole", "done")]


def test_turns_are_planned_from_the_cache_while_the_database_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, run = new_run(), new_run()
    writer = store.plan(turn_request(name, run, "Well?"), lambda _: False).writer
    writer.store_question(1)
    writer.store_answer(DONE, "Yes.", "", epoch=1, wait=True)

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(store.database, "read", away)
    below = msgspec.structs.replace(turn_request(name, new_run(), "And?"), parent=run)
    assert [message.text for message in store.plan(below, lambda _: False).messages] == [
        "Well?",
        "Yes.",
        "And?",
    ]
    store.cache.forget(name)
    with pytest.raises(DatabaseUnavailable):
        store.plan(below, lambda _: False)


def at_leaf(name: str, run: str, query: str) -> TurnRequest:
    return msgspec.structs.replace(turn_request(name, run, query), parent=msgspec.UNSET)


def ask_by_turns(name: str, workers: dict[str, Store]) -> None:
    """Store the turn of each run by its worker: "One?" by the first, "Two?" by the other, which is then closed."""
    for (run, worker), query in zip(workers.items(), ("One?", "Two?"), strict=True):
        writer = worker.plan(at_leaf(name, run, query), lambda _: False).writer
        assert writer.store_question(1)
        assert writer.store_answer(DONE, f"To {query}", "", epoch=1, wait=True)
    worker.close(TIMEOUT_S)


def test_a_question_that_was_planned_from_an_older_cache_goes_below_the_leaf_that_is_stored(
    store: Store, migrated_location: tuple[str | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has stored a turn of which this one knows nothing, and the database is away for a moment."""
    name, first, second, third = (new_run() for _ in range(4))
    ask_by_turns(name, {first: store, second: Store(*migrated_location)})

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "read", away)
        plan = store.plan(at_leaf(name, third, "Three?"), lambda _: False)
        below = msgspec.structs.replace(turn_request(name, new_run(), "Edited?"), parent=first)
        edit = store.plan(below, lambda _: False)
    assert plan.is_cached
    assert [message.text for message in plan.messages] == ["One?", "To One?", "Three?"]
    assert plan.writer.store_question(1)
    assert edit.writer.store_question(1)
    parents = {one.text: one.parent for one in store.read(lambda c: load_messages(c, "anna", name))}
    assert parents["Three?"] == second
    assert parents["Edited?"] == first, "this place was asked for"
    head = store.read(lambda c: conversations.find(c, "anna", name))
    assert head.leaf == edit.start.answer.id
    again = store.plan(
        msgspec.structs.replace(turn_request(name, new_run(), "Four?"), parent=third), lambda _: False
    )
    assert [message.text for message in again.messages][:5] == [
        "One?",
        "To One?",
        "Two?",
        "To Two?",
        "Three?",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_slow_database_is_waited_for_where_another_worker_may_have_stored_the_newest_turn(
    migrated_location: tuple[str | None, str], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Alone, a worker has the newest turns in memory, and a slow database delays nobody."""
    name, first, second = (new_run() for _ in range(3))
    store = Store(*migrated_location, workers=workers)
    ask_by_turns(name, {first: store, second: Store(*migrated_location)})
    read = store.database.read

    def slow(work: Callable[[Any], Any], timeout_s: float = 5.0) -> Any:
        if timeout_s < 2.0:  # as long as it takes
            raise Unavailable("late", code="store_slow", retry_after_s=1)
        return read(work, timeout_s)

    monkeypatch.setattr(store.database, "read", slow)
    plan = store.plan(at_leaf(name, new_run(), "Three?"), lambda _: False)
    below = msgspec.structs.replace(turn_request(name, new_run(), "Edited?"), parent=first)
    assert store.plan(below, lambda _: False).is_cached, "all that it needs is in memory"
    monkeypatch.undo()
    store.close(TIMEOUT_S)
    assert plan.is_cached is (workers == 1)
    assert ("Two?" in [message.text for message in plan.messages]) is (workers > 1)


# Another worker has gone on with the turn, while this one's writes were held up.


def test_the_text_so_far_does_not_replace_the_whole_answer(store: Store) -> None:
    name, run = new_run(), new_run()
    so_far = TurnEnd(owner="anna", conversation=name, answer=answer(run, "So", "streaming"))
    for write in (turn_start(name, run), so_far):
        store.write(write.apply)
    assert texts(store, name) == [("So", "streaming")]
    for write in (turn_end(name, run, "So it is."), so_far):
        store.write(write.apply)
    assert texts(store, name) == [("So it is.", "done")]


def test_the_beginning_of_a_turn_that_is_stored_hides_no_later_one(store: Store) -> None:
    name, first, second = new_run(), new_run(), new_run()
    for run in (first, second, first):
        store.write(turn_start(name, run).apply)
    found = store.read(lambda c: conversations.find(c, "anna", name))
    assert found.leaf == second
