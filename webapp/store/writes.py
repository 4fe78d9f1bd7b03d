"""The two writes of a turn. Each may be done twice, and does no harm the second time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update

from webapp.conversation import Message, fold
from webapp.store import images
from webapp.store.conversations import owned
from webapp.store.images import StoredImage
from webapp.store.ownership import moved_to
from webapp.store.rows import clean, now_ms, put, row_of
from webapp.store.schema import conversations, messages

_OF_AN_ANSWER = (
    "content",
    "folded",
    "reasoning",
    "state",
    "provider",
    "model",
    "usage",
    "cost",
    "finish_reason",
    "error",
    "thought_ms",
    "size",
)
_OVERHEAD_BYTES = 1_000


class NotOurs(Exception):
    """The conversation turned out to be somebody else's, or is gone: what was to be kept in it is not."""


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """A turn begins: its question, if it is a new one, and the answer that is being made."""

    owner: str
    conversation: str
    system: str | None
    title: str
    question: Message | None
    images: Sequence[StoredImage]
    answer: Message

    @property
    def weight(self) -> int:
        """What it weighs in memory, roughly, in bytes."""
        texts = len(self.system or "") + (0 if self.question is None else len(self.question.text))
        return _OVERHEAD_BYTES + 2 * texts + sum(len(image.content) for image in self.images)

    def apply(self, connection: Connection) -> None:
        """Write it. Raises `NotOurs`."""
        now = now_ms()
        title = clean(self.title)
        conversation = {
            "id": self.conversation,
            "owner": moved_to(connection, self.owner, self.answer.created_at) or self.owner,
            "title": title,
            "folded": fold(title),
            "system": self.system and clean(self.system),
            "leaf": self.answer.id,
            "created_at": now,
            "updated_at": now,
        }
        put(connection, conversations, [conversation])
        owner = _present_owner(connection, self.owner, self.conversation)
        images.put_all(connection, self.conversation, self.images)
        new = [self.answer] if self.question is None else [self.question, self.answer]
        put(connection, messages, [row_of(self.conversation, message) for message in new])
        _touch(connection, owner, self.conversation, leaf=self.answer.id)


class End(msgspec.Struct, frozen=True, kw_only=True):
    """A turn has ended, with all that its answer came to."""

    owner: str
    conversation: str
    answer: Message

    @property
    def weight(self) -> int:
        """What it weighs in memory, roughly, in bytes."""
        return _OVERHEAD_BYTES + 2 * (len(self.answer.text) + len(self.answer.reasoning))

    def apply(self, connection: Connection) -> None:
        """Write it. Raises `NotOurs`."""
        owner = _present_owner(connection, self.owner, self.conversation)
        put(connection, messages, [row_of(self.conversation, self.answer)], update=_OF_AN_ANSWER)
        _touch(connection, owner, self.conversation)


Write = Begin | End


def _present_owner(connection: Connection, owner: str, conversation: str) -> str:
    """Return who owns a conversation: `owner`, or whoever got that one's things meanwhile. Raises `NotOurs`."""
    table = conversations.c
    found: str | None = connection.execute(select(table.owner).where(table.id == conversation)).scalar()
    if found is None or (found != owner and moved_to(connection, owner) != found):
        raise NotOurs
    return found


def _touch(connection: Connection, owner: str, conversation: str, **values: object) -> None:
    connection.execute(
        update(conversations).where(owned(owner, conversation)).values(updated_at=now_ms(), **values)
    )
