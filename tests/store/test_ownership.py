"""Moving one owner's conversations to another, with writes that were queued before the move."""

import pytest
from sqlalchemy import select

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.frames import new_run
from webapp.store import ownership
from webapp.store.rows import now_ms
from webapp.store.schema import conversations, messages
from webapp.store.store import Store
from webapp.store.writes import NotOwned, TurnEnd, TurnStart

VISITOR, USER, OTHER = "visitor:v", "user:owner", "visitor:other"


def answer(created_at: int, text: str = "", state: str = "streaming") -> Message:
    return Message(
        id="r",
        parent=None,
        role="assistant",
        content=(TextPart(text),) if text else (),
        created_at=created_at,
        state=state,  # type: ignore[arg-type]
    )


def turn_start(conversation: str, created_at: int, owner: str = VISITOR) -> TurnStart:
    return TurnStart(
        owner=owner,
        conversation=conversation,
        system=None,
        title="T",
        question=None,
        images=(),
        answer=answer(created_at),
    )


def owner_of(store: Store, conversation: str) -> str | None:
    query = select(conversations.c.owner).where(conversations.c.id == conversation)
    found: str | None = store.read(lambda c: c.execute(query).scalar())
    return found


def test_a_turn_that_ends_after_the_move_is_stored(store: Store) -> None:
    name = new_run()
    store.write(turn_start(name, now_ms()).apply)
    assert store.move(VISITOR, USER) == 1
    end = TurnEnd(owner=VISITOR, conversation=name, answer=answer(now_ms(), "Whole", "done"))
    store.write(end.apply)
    assert owner_of(store, name) == USER
    assert store.read(lambda c: c.execute(select(messages.c.state)).scalars().all()) == ["done"]


def test_a_turn_that_began_before_the_move_is_stored_for_the_new_owner(store: Store) -> None:
    """The database was unavailable when the turn began, and the move was written first."""
    queued, name = turn_start(new_run(), now_ms() - 1_000), new_run()
    store.write(turn_start(name, now_ms()).apply)
    store.move(VISITOR, USER)
    store.write(queued.apply)
    assert owner_of(store, queued.conversation) == USER


def test_a_turn_that_begins_after_the_move_stays_with_the_old_owner(store: Store) -> None:
    store.move(VISITOR, USER)
    later = turn_start(new_run(), now_ms() + 1_000)
    store.write(later.apply)
    assert owner_of(store, later.conversation) == VISITOR


@pytest.mark.parametrize("moved", [False, True])
def test_other_owners_cannot_write_into_a_conversation(store: Store, moved: bool) -> None:
    name = new_run()
    store.write(turn_start(name, now_ms()).apply)
    if moved:
        store.move(VISITOR, USER)
        store.move(OTHER, "user:another")
    for write in (
        TurnEnd(owner=OTHER, conversation=name, answer=answer(now_ms(), "Theirs", "done")),
        turn_start(name, now_ms(), OTHER),
    ):
        with pytest.raises(NotOwned):
            store.write(write.apply)


def test_a_turn_s_end_does_not_recreate_a_conversation(store: Store) -> None:
    with pytest.raises(NotOwned):
        store.write(TurnEnd(owner=VISITOR, conversation=new_run(), answer=answer(1)).apply)


def test_a_second_move_moves_new_conversations(store: Store) -> None:
    store.write(turn_start(new_run(), now_ms()).apply)
    assert store.move(VISITOR, USER) == 1
    store.write(turn_start(new_run(), now_ms() + 1_000).apply)
    assert store.move(VISITOR, USER) == 1
    assert store.move(VISITOR, USER) == 0
    assert store.read(lambda c: ownership.count_conversations(c, USER)) == 2


def test_cached_conversations_move_too(store: Store) -> None:
    name = new_run()
    store.cache.store(VISITOR, name, None, [answer(1)], {}, leaf="r")
    store.move(VISITOR, USER)
    store.cache.store(VISITOR, name, None, [answer(1, "Whole", "done")], {})
    found = store.cache.load_branch(USER, name, "r", "another")
    assert found is not None
    assert found.messages[0].text == "Whole"
