"""A turn whose worker has died is found in the store, and stored to its end."""

from collections.abc import Sequence

import msgspec
import pytest

from webapp.chat import Usage
from webapp.conversation import Message
from webapp.errors import NotFound
from webapp.frames import RunResult, new_run
from webapp.store import conversations
from webapp.store.branches import load_messages
from webapp.store.store import Store
from webapp.store.turns import TurnPlan, TurnRequest

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
    assert first.writer.store_question()
    second = begin(store, "Two?", first.conversation)
    assert second.writer.store_question()
    second.writer.save_progress("Hel", "Hm.")
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
    assert writer.store_question()
    assert writer.store_answer(RESULT, "Hel", "", wait=True)
    found = stored(store, first.conversation)
    assert texts(list(found.values())) == ["One?", "Hel"]
    assert found[first.start.answer.id].state == "interrupted"


def test_the_end_of_a_stored_turn_leaves_the_conversation_where_it_is(store: Store) -> None:
    first = begin(store, "One?")
    assert first.writer.store_question()
    later = begin(store, "Two?", first.conversation)
    assert later.writer.store_question()
    assert store.saver.flush(TIMEOUT_S)
    writer = store.writer(first.start, is_stored=True)
    assert writer.store_question()
    assert writer.store_answer(RESULT, "Hel", "Hm.", wait=True)
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
    assert first.writer.store_question()
    assert store.saver.flush(TIMEOUT_S)
    with pytest.raises(NotFound):
        store.find_lost(msgspec.structs.replace(first.start, owner="user:bert"))
    store.write(lambda c: conversations.remove(c, OWNER, first.conversation))
    with pytest.raises(NotFound):
        store.find_lost(first.start)


def test_its_sealed_reasoning_is_found_and_kept_by_an_answer_that_ends(store: Store) -> None:
    plan = begin(store, "Why?")
    assert plan.writer.store_question()
    plan.writer.save_progress("Because", "", "s3cret")
    assert store.saver.flush(TIMEOUT_S)
    found = store.find_lost(plan.start)
    assert found.sealed == "s3cret"
    for result, expected in (
        (RESULT, "s3cret"),
        (msgspec.structs.replace(RESULT, finish_reason="stop"), None),
    ):
        writer = store.writer(plan.start, is_stored=True, sealed=found.sealed)
        assert writer.store_answer(result, "Because", "", wait=True)
        assert store.saver.flush(TIMEOUT_S)
        assert store.find_lost(plan.start).sealed == expected
