"""Moving what one owner has to another, with the writes that were on their way meanwhile."""

import pytest
from sqlalchemy import select

from webapp.chat import TextPart
from webapp.conversation import Message
from webapp.frames import new_run
from webapp.store import ownership
from webapp.store.rows import now_ms
from webapp.store.schema import conversations, messages
from webapp.store.store import Store
from webapp.store.writes import Begin, End, NotOurs

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


def begin(conversation: str, created_at: int, owner: str = VISITOR) -> Begin:
    return Begin(
        owner=owner,
        conversation=conversation,
        system=None,
        title="T",
        question=None,
        images=(),
        answer=answer(created_at),
    )


def owner_of(store: Store, conversation: str) -> str | None:
    chosen = select(conversations.c.owner).where(conversations.c.id == conversation)
    found: str | None = store.read(lambda c: c.execute(chosen).scalar())
    return found


def test_a_turn_that_ends_after_the_move_is_kept(store: Store) -> None:
    name = new_run()
    store.write(begin(name, now_ms()).apply)
    assert store.move(VISITOR, USER) == 1
    end = End(owner=VISITOR, conversation=name, answer=answer(now_ms(), "Whole", "done"))
    store.write(end.apply)
    assert owner_of(store, name) == USER
    assert store.read(lambda c: c.execute(select(messages.c.state)).scalars().all()) == ["done"]


def test_a_turn_that_had_begun_and_is_stored_late_goes_where_the_rest_went(store: Store) -> None:
    """The database was away when it began, and came back for the move first."""
    late, name = begin(new_run(), now_ms() - 1_000), new_run()
    store.write(begin(name, now_ms()).apply)
    store.move(VISITOR, USER)
    store.write(late.apply)
    assert owner_of(store, late.conversation) == USER


def test_what_a_replayed_cookie_begins_later_is_not_the_user_s(store: Store) -> None:
    store.move(VISITOR, USER)
    later = begin(new_run(), now_ms() + 1_000)
    store.write(later.apply)
    assert owner_of(store, later.conversation) == VISITOR


@pytest.mark.parametrize("moved", [False, True])
def test_nobody_else_writes_into_it(store: Store, moved: bool) -> None:
    name = new_run()
    store.write(begin(name, now_ms()).apply)
    if moved:
        store.move(VISITOR, USER)
        store.move(OTHER, "user:another")
    for write in (
        End(owner=OTHER, conversation=name, answer=answer(now_ms(), "Theirs", "done")),
        begin(name, now_ms(), OTHER),
    ):
        with pytest.raises(NotOurs):
            store.write(write.apply)


def test_an_answer_s_end_makes_no_conversation_that_is_gone(store: Store) -> None:
    with pytest.raises(NotOurs):
        store.write(End(owner=VISITOR, conversation=new_run(), answer=answer(1)).apply)


def test_moving_twice_moves_what_came_since(store: Store) -> None:
    store.write(begin(new_run(), now_ms()).apply)
    assert store.move(VISITOR, USER) == 1
    store.write(begin(new_run(), now_ms() + 1_000).apply)
    assert store.move(VISITOR, USER) == 1
    assert store.move(VISITOR, USER) == 0
    assert store.read(lambda c: ownership.count(c, USER)) == 2


def test_what_is_remembered_moves_too(store: Store) -> None:
    name = new_run()
    store.recall.keep(VISITOR, name, None, [answer(1)], {}, leaf="r")
    store.move(VISITOR, USER)
    store.recall.keep(VISITOR, name, None, [answer(1, "Whole", "done")], {})
    found = store.recall.read(USER, name, "r", "another")
    assert found is not None
    assert found.messages[0].text == "Whole"
