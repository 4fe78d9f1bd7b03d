"""A turn whose worker has died is found in the store, and stored to its end."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import Connection

from webapp.chat import TextPart, Usage
from webapp.conversation import Message
from webapp.errors import NotFound
from webapp.frames import RunResult, new_run
from webapp.store import conversations
from webapp.store.branches import load_messages
from webapp.store.store import Store
from webapp.store.turns import TurnPlan, TurnRequest
from webapp.store.writes import TurnEnd, claim_answer

OWNER = "user:anna"
TIMEOUT_S = 10.0
RESULT = RunResult(
    state="interrupted",
    finish_reason=None,
    usage=Usage(3, 5, estimated=True),
    cost=None,
    sha256="",
    provider="openai",
    model="gpt-4.1",
    error="interrupted",
)


def begin(store: Store, query: str, conversation: str | None = None) -> TurnPlan:
    """Plan a turn, as the worker does that dies."""
    request = TurnRequest(
        owner=OWNER,
        run=new_run(),
        conversation=conversation or new_run(),
        parent=msgspec.UNSET,
        query=query,
        images=(),
        continued=None,
        system="Be brief.",
    )
    return store.plan(request, lambda _: False)


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


def stored(store: Store, conversation: str) -> dict[str, Message]:
    assert store.saver.flush(TIMEOUT_S)
    found = store.read(lambda c: load_messages(c, OWNER, conversation))
    return {message.id: message for message in found}


def test_a_turn_is_found_with_its_branch(store: Store) -> None:
    first = begin(store, "One?")
    assert first.writer.store_question(1)
    second = begin(store, "Two?", first.conversation)
    assert second.writer.store_question(1)
    second.writer.save_progress("Hel", "Hm.", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    lost = store.find_lost(second.start)
    assert lost.answer is not None
    assert (lost.answer.id, lost.answer.state, lost.answer.text) == (
        second.start.answer.id,
        "streaming",
        "Hel",
    )
    assert (lost.system, texts(lost.messages)) == ("Be brief.", ["One?", "", "Two?"])


def test_of_a_turn_that_was_not_stored_the_reference_has_the_question(store: Store) -> None:
    first = begin(store, "One?")
    lost = store.find_lost(first.start)
    assert (lost.answer, lost.system, texts(lost.messages)) == (None, "Be brief.", ["One?"])
    writer = store.writer(first.start, is_stored=False)
    assert writer.store_question(1)
    assert writer.store_answer(RESULT, "Hel", "", epoch=1, wait=True)
    found = stored(store, first.conversation)
    assert texts(list(found.values())) == ["One?", "Hel"]
    assert found[first.start.answer.id].state == "interrupted"


def test_the_end_of_a_stored_turn_leaves_the_conversation_where_it_is(store: Store) -> None:
    first = begin(store, "One?")
    assert first.writer.store_question(1)
    later = begin(store, "Two?", first.conversation)
    assert later.writer.store_question(1)
    assert store.saver.flush(TIMEOUT_S)
    writer = store.writer(first.start, is_stored=True)
    assert writer.store_question(1)
    assert writer.store_answer(RESULT, "Hel", "Hm.", epoch=1, wait=True)
    found = stored(store, first.conversation)
    ended = found[first.start.answer.id]
    assert (ended.state, ended.text, ended.reasoning, ended.usage) == (
        "interrupted",
        "Hel",
        "Hm.",
        RESULT.usage,
    )
    head = store.read(lambda c: conversations.find(c, OWNER, first.conversation))
    assert head.leaf == later.start.answer.id


def test_a_deleted_conversation_and_another_owners_are_not_found(store: Store) -> None:
    first = begin(store, "One?")
    assert first.writer.store_question(1)
    assert store.saver.flush(TIMEOUT_S)
    with pytest.raises(NotFound):
        store.find_lost(msgspec.structs.replace(first.start, owner="user:bert"))
    store.write(lambda c: conversations.remove(c, OWNER, first.conversation))
    with pytest.raises(NotFound):
        store.find_lost(first.start)


def test_its_sealed_reasoning_is_found_and_kept_by_an_answer_that_ends(store: Store) -> None:
    plan = begin(store, "Why?")
    assert plan.writer.store_question(1)
    plan.writer.save_progress("Because", "", "s3cret", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    found = store.find_lost(plan.start)
    assert found.sealed == "s3cret"
    for result, expected in (
        (RESULT, "s3cret"),
        (msgspec.structs.replace(RESULT, finish_reason="stop"), None),
    ):
        writer = store.writer(plan.start, is_stored=True, sealed=found.sealed)
        assert writer.store_answer(result, "Because", "", epoch=1, wait=True)
        assert store.saver.flush(TIMEOUT_S)
        assert store.find_lost(plan.start).sealed == expected


# The epoch of the run.


def test_what_a_worker_writes_after_another_has_claimed_the_answer_changes_nothing(store: Store) -> None:
    plan = begin(store, "One?")
    late = plan.writer
    assert late.store_question(1)
    late.save_progress("Hel", "", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    claimed = store.claim_lost(plan.start, 2)
    assert claimed.answer is not None
    assert (claimed.answer.state, claimed.answer.text) == ("streaming", "Hel")
    late.save_progress("Hello", "", epoch=1)
    assert store.saver.flush(TIMEOUT_S)
    done = msgspec.structs.replace(RESULT, state="done", finish_reason="stop", error=None)
    assert late.store_answer(done, "Hello wor", "", epoch=1, wait=True)
    answer = stored(store, plan.conversation)[plan.start.answer.id]
    assert (answer.state, answer.text) == ("streaming", "Hel")
    writer = store.writer(plan.start, is_stored=True)
    writer.save_progress("Hello you", "", epoch=2)
    assert stored(store, plan.conversation)[plan.start.answer.id].text == "Hello you"
    assert writer.store_answer(done, "Hello you.", "", epoch=2, wait=True)
    assert late.store_answer(RESULT, "Hello wor", "", epoch=1, wait=True)
    answer = stored(store, plan.conversation)[plan.start.answer.id]
    assert (answer.state, answer.text) == ("done", "Hello you.")


def test_an_end_that_was_stored_before_the_answer_was_claimed_stays(store: Store) -> None:
    plan = begin(store, "One?")
    assert plan.writer.store_question(1)
    assert plan.writer.store_answer(RESULT, "Hel", "", epoch=1, wait=True)
    claimed = store.claim_lost(plan.start, 2)
    assert claimed.answer is not None
    assert (claimed.answer.state, claimed.answer.text) == ("interrupted", "Hel")


def test_a_question_that_both_workers_store_is_claimed_by_the_later_epoch(store: Store) -> None:
    """The first worker was frozen before its question was stored, and stores it between the claim and the other's question."""
    plan = begin(store, "One?")
    assert store.claim_lost(plan.start, 2).answer is None
    assert plan.writer.store_question(1)
    assert store.writer(plan.start, is_stored=False).store_question(2)
    assert plan.writer.store_answer(RESULT, "late", "", epoch=1, wait=True)
    answer = stored(store, plan.conversation)[plan.start.answer.id]
    assert (answer.state, answer.text) == ("streaming", "")


def test_the_text_so_far_is_not_stored_after_the_end(store: Store) -> None:
    plan = begin(store, "One?")
    assert plan.writer.store_question(1)
    assert plan.writer.store_answer(RESULT, "Hello", "", epoch=1, wait=True)
    store.writer(plan.start, is_stored=True).save_progress("Hel", "", epoch=1)
    answer = stored(store, plan.conversation)[plan.start.answer.id]
    assert (answer.state, answer.text) == ("interrupted", "Hello")


@pytest.mark.parametrize("first", ["the late write", "the claim"])
def test_of_a_late_write_and_a_claim_at_the_same_time_one_waits_for_the_other(
    store: Store, first: str
) -> None:
    """On Postgres both transactions are open at once, and the database compares the epochs under the row's lock."""
    if store.database.kind == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    plan = begin(store, "One?")
    assert plan.writer.store_question(1)
    message = msgspec.structs.replace(plan.start.answer, content=(TextPart("late"),), state="done")
    late = TurnEnd(owner=OWNER, conversation=plan.conversation, answer=message, epoch=1)
    entered, leave = threading.Event(), threading.Event()

    def write(connection: Connection) -> None:
        if first == "the late write":
            late.apply(connection)
        else:
            claim_answer(connection, plan.conversation, message.id, 2)
        entered.set()
        assert leave.wait(TIMEOUT_S)

    def follow() -> None:
        if first == "the late write":
            store.write(lambda c: claim_answer(c, plan.conversation, message.id, 2))
        else:
            store.write(late.apply)

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(store.write, write)
        assert entered.wait(TIMEOUT_S)
        following = pool.submit(follow)
        with pytest.raises(TimeoutError):
            following.result(0.3)
        leave.set()
        writing.result(TIMEOUT_S)
        following.result(TIMEOUT_S)
    answer = stored(store, plan.conversation)[message.id]
    expected = ("done", "late") if first == "the late write" else ("streaming", "")
    assert (answer.state, answer.text) == expected
