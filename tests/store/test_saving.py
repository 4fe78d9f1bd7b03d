"""Saving in the background: in order, until it is done, from a bounded memory, and never twice to any harm."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from webapp.chat import TextPart, Usage
from webapp.conversation import Message
from webapp.frames import RunResult, new_run
from webapp.store import conversations
from webapp.store.branches import all_of
from webapp.store.database import Away
from webapp.store.saver import Saver
from webapp.store.store import Store
from webapp.store.turns import TurnRequest
from webapp.store.writes import Begin, End

PATIENCE_S = 10.0


def answer(run: str, text: str = "", state: str = "done") -> Message:
    content = (TextPart(text),) if text else ()
    return Message(id=run, parent=None, role="assistant", content=content, created_at=2, state=state)  # type: ignore[arg-type]


def begin(conversation: str, run: str, owner: str = "anna") -> Begin:
    return Begin(
        owner=owner,
        conversation=conversation,
        system=None,
        title="Title",
        question=None,
        images=(),
        answer=answer(run, state="streaming"),
    )


def end(conversation: str, run: str, text: str, owner: str = "anna") -> End:
    return End(owner=owner, conversation=conversation, answer=answer(run, text))


def texts(store: Store, conversation: str, owner: str = "anna") -> list[tuple[str, str]]:
    return [(one.text, one.state) for one in store.read(lambda c: all_of(c, owner, conversation))]


class Switch:
    """A database that is away while the test says so. `tries` counts the writes that came."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        self.tries = 0
        self._tried = threading.Condition()
        write = store.database.write

        def switched(work: Callable[[Any], Any], patience_s: float = 5.0) -> Any:
            with self._tried:
                self.tries += 1
                self._tried.notify_all()
            if self.away:
                raise Away("away")
            return write(work, patience_s)

        monkeypatch.setattr(store.database, "write", switched)

    def wait_tries(self, count: int) -> None:
        with self._tried:
            assert self._tried.wait_for(lambda: self.tries >= count, PATIENCE_S)


@pytest.fixture
def switch(store: Store, monkeypatch: pytest.MonkeyPatch) -> Switch:
    return Switch(store, monkeypatch)


def test_what_is_saved_is_there_when_its_ticket_says_so(store: Store) -> None:
    name, run = new_run(), new_run()
    for write, expected in ((begin(name, run), ("", "streaming")), (end(name, run, "Hi"), ("Hi", "done"))):
        ticket = store.saver.put(write)
        assert ticket is not None
        assert ticket.wait(PATIENCE_S)
        assert texts(store, name) == [expected]


def test_every_write_may_come_twice(store: Store) -> None:
    name, run = new_run(), new_run()
    for write in (
        begin(name, run),
        begin(name, run),
        end(name, run, "Hi"),
        begin(name, run),
        end(name, run, "Hi"),
    ):
        store.saver.put(write)
    assert store.saver.flush(PATIENCE_S)
    assert texts(store, name) == [("Hi", "done")]
    assert store.saver.lost == 0


def test_while_it_is_away_it_is_tried_again_in_order(store: Store, switch: Switch) -> None:
    switch.away = True
    names = [(new_run(), new_run()) for _ in range(50)]
    tickets = []
    for name, run in names:
        tickets += [store.saver.put(begin(name, run)), store.saver.put(end(name, run, f"to {run}"))]
    assert tickets[0] is not None
    assert tickets[0].wait(PATIENCE_S) is False, "told at its first try, not at its last"
    switch.wait_tries(3)
    assert (store.saver.failing, store.saver.behind) == (True, 100)
    switch.away = False
    assert store.saver.flush(PATIENCE_S)
    assert not store.saver.failing
    for name, run in names:
        assert texts(store, name) == [(f"to {run}", "done")]


def test_a_new_question_tries_again_at_once(store: Store, switch: Switch) -> None:
    name, run = new_run(), new_run()
    switch.away = True
    store.saver.put(begin(name, run))
    switch.wait_tries(4)  # by now its pause is seconds
    switch.away = False
    assert store.saver.settle(name, 1.0)
    assert texts(store, name) == [("", "streaming")]


def test_its_memory_is_bounded_and_what_is_lost_is_counted(store: Store, switch: Switch, caplog: Any) -> None:
    switch.away = True
    saver = Saver(store.database, most_bytes=10_000)
    name = new_run()
    taken = [saver.put(end(name, new_run(), "x" * 1_000)) for _ in range(10)]
    assert [ticket is not None for ticket in taken] == [True] * 3 + [False] * 7
    assert saver.lost == 7
    assert "a message is lost" in caplog.text
    assert "xxx" not in caplog.text
    switch.away = False
    assert saver.flush(PATIENCE_S)


def test_a_write_that_no_database_takes_does_not_hold_up_the_others(store: Store) -> None:
    mine, theirs = new_run(), new_run()
    run = new_run()
    store.saver.put(begin(theirs, new_run(), owner="ben"))
    assert store.saver.flush(PATIENCE_S)
    stolen = store.saver.put(begin(theirs, run))
    good = [store.saver.put(begin(mine, run)), store.saver.put(end(mine, run, "Hi"))]
    assert store.saver.flush(PATIENCE_S)
    assert stolen is not None
    assert not stolen.saved
    assert all(ticket is not None and ticket.saved for ticket in good)
    assert store.saver.lost == 1
    assert texts(store, mine) == [("Hi", "done")]
    assert len(texts(store, theirs, "ben")) == 1
    assert texts(store, theirs) == []


def test_many_threads_write_at_once(store: Store) -> None:
    name = new_run()
    runs = [new_run() for _ in range(64)]

    def turn(run: str) -> None:
        store.saver.put(begin(name, run))
        store.saver.put(end(name, run, run))

    threads = [threading.Thread(target=turn, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert store.saver.flush(PATIENCE_S)
    assert sorted(texts(store, name)) == sorted((run, "done") for run in runs)
    assert store.read(lambda c: conversations.find(c, "anna", name)).leaf in runs


# A turn's keeper.


def wish(conversation: str, run: str, query: str) -> TurnRequest:
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


def test_what_is_said_so_far_never_comes_after_the_end(store: Store) -> None:
    name, run = new_run(), new_run()
    keeper = store.plan(wish(name, run, "Well?"), lambda _: False).keeper
    assert keeper.begin()
    keeper.so_far("Half", "")
    assert store.saver.flush(PATIENCE_S)
    assert texts(store, name)[1] == ("Half", "streaming")
    assert keeper.end(DONE, "Half and half", "", wait=True)
    keeper.so_far("Half", "")
    assert store.saver.flush(PATIENCE_S)
    assert texts(store, name)[1] == ("Half and half", "done")


def test_what_is_said_so_far_is_no_burden_while_the_database_is_away(store: Store, switch: Switch) -> None:
    name, run = new_run(), new_run()
    keeper = store.plan(wish(name, run, "Well?"), lambda _: False).keeper
    switch.away = True
    assert not keeper.begin()
    for _ in range(10):
        keeper.so_far("Half", "")
    assert store.saver.behind == 1
    assert not keeper.end(DONE, "Whole", "", wait=False)
    switch.away = False
    assert store.saver.flush(PATIENCE_S)
    assert texts(store, name) == [("Well?", "done"), ("Whole", "done")]


def test_the_memory_of_conversations_helps_while_the_database_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, run = new_run(), new_run()
    keeper = store.plan(wish(name, run, "Well?"), lambda _: False).keeper
    keeper.begin()
    keeper.end(DONE, "Yes.", "", wait=True)

    def away(*_: object, **__: object) -> None:
        raise Away("away")

    monkeypatch.setattr(store.database, "read", away)
    below = msgspec.structs.replace(wish(name, new_run(), "And?"), parent=run)
    assert [message.text for message in store.plan(below, lambda _: False).messages] == [
        "Well?",
        "Yes.",
        "And?",
    ]
    store.recall.forget(name)
    with pytest.raises(Away):
        store.plan(below, lambda _: False)
