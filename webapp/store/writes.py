"""The two database writes of a turn. Both are idempotent, and return whose conversation changed in a way that lists show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from webapp.conversation import UNTITLED, Message, fold
from webapp.events import Source
from webapp.store import images
from webapp.store.conversations import owned
from webapp.store.images import StoredImage
from webapp.store.ownership import find_move_target
from webapp.store.rows import clean_text, message_to_row, now_ms, upsert, upsert_newer
from webapp.store.schema import conversations, documents, messages

_ANSWER_COLUMNS = (
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
    "sources",
    "sealed",
    "epoch",
    "size",
)
_OVERHEAD_BYTES = 1_000

ChangedConversation = tuple[str, str]
"""The owner and the conversation."""


class NotOwned(Exception):
    """The conversation belongs to another owner or was deleted, so nothing was written."""


class TurnStart(msgspec.Struct, frozen=True, kw_only=True):
    """Stores the beginning of a turn: its question, if it has a new one, and the answer that is streaming.

    `epoch` is the run's: an answer that was stored in an earlier one belongs to this one from then on. With `at_leaf` the new
    question goes below the leaf that is stored: the leaf that was in memory may have been older.
    """

    owner: str
    conversation: str
    system: str | None
    title: str
    question: Message | None
    images: Sequence[StoredImage]
    answer: Message
    epoch: int = 1
    at_leaf: bool = False

    @property
    def size_bytes(self) -> int:
        """The approximate size in memory."""
        chars = len(self.system or "") + (0 if self.question is None else len(self.question.text))
        return _OVERHEAD_BYTES + 2 * chars + sum(len(image.content) for image in self.images)

    def apply(self, connection: Connection) -> ChangedConversation | None:
        """Write the rows. Raises `NotOwned`."""
        now = now_ms()
        title = clean_text(self.title)
        conversation = {
            "id": self.conversation,
            "owner": find_move_target(connection, self.owner, self.answer.created_at) or self.owner,
            "title": title,
            "folded": fold(title),
            "system": self.system and clean_text(self.system),
            "leaf": self.answer.id,
            "created_at": now,
            "updated_at": now,
        }
        upsert(connection, conversations, [conversation])
        owner = _require_owner(connection, self.owner, self.conversation)
        images.insert_missing(connection, self.conversation, self.images)
        is_new = _find_state(connection, self.conversation, self.answer.id) is None
        question = self.question
        if question is not None and self.at_leaf and is_new:
            leaf = _find_leaf(connection, self.conversation)
            question = msgspec.structs.replace(
                question, parent=question.parent if leaf in (None, self.answer.id) else leaf
            )
        new_messages = [self.answer] if question is None else [question, self.answer]
        rows = [message_to_row(self.conversation, message, epoch=self.epoch) for message in new_messages]
        upsert(connection, messages, rows)
        if is_new:
            _touch(connection, owner, self.conversation, leaf=self.answer.id, **_of_first_turn(conversation))
        else:  # another worker has stored it, and later turns perhaps
            claim_answer(connection, self.conversation, self.answer.id, self.epoch)
        return owner, self.conversation


class TurnEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Stores the answer of a turn: the final one, or its text so far. `sealed`: see `RunResult`.

    It changes nothing if the stored answer is of a later epoch of its run, or if the text so far is late: the answer has ended.
    """

    owner: str
    conversation: str
    answer: Message
    sealed: str | None = None
    epoch: int = 1

    @property
    def size_bytes(self) -> int:
        """The approximate size in memory."""
        return (
            _OVERHEAD_BYTES
            + 2 * (len(self.answer.text) + len(self.answer.reasoning) + len(self.sealed or ""))
            + sum(map(_source_bytes, self.answer.sources))
        )

    def apply(self, connection: Connection) -> ChangedConversation | None:
        """Write the row; the text so far is no change. Raises `NotOwned`."""
        owner = _require_owner(connection, self.owner, self.conversation)
        row = message_to_row(self.conversation, self.answer, self.sealed, self.epoch)
        if not upsert_newer(connection, messages, row, update=_ANSWER_COLUMNS, is_newer=self._is_newer):
            return None
        _touch(connection, owner, self.conversation)
        return None if self.answer.state == "streaming" else (owner, self.conversation)

    def _is_newer(self, new: Any) -> ColumnElement[bool]:
        """Return the condition under which the stored answer is replaced."""
        stored = messages.c
        is_same = stored.epoch == new.epoch
        if self.answer.state == "streaming":
            is_same = and_(is_same, stored.state == "streaming")
        return or_(stored.epoch < new.epoch, is_same)


TurnWrite = TurnStart | TurnEnd


def claim_answer(connection: Connection, conversation: str, answer: str, epoch: int) -> None:
    """Make a stored answer belong to an epoch of its run: what is written in earlier ones changes nothing from then on."""
    table = messages.c
    where = (table.conversation == conversation, table.id == answer, table.epoch < epoch)
    connection.execute(update(messages).where(*where).values(epoch=epoch))


def _find_state(connection: Connection, conversation: str, message: str) -> str | None:
    """Return the state of a stored message; None if it is not stored."""
    table = messages.c
    query = select(table.state).where(table.conversation == conversation, table.id == message)
    found: str | None = connection.execute(query).scalar()
    return found


def _find_leaf(connection: Connection, conversation: str) -> str | None:
    """Return the leaf of a conversation; None if it has none."""
    query = select(conversations.c.leaf).where(conversations.c.id == conversation)
    found: str | None = connection.execute(query).scalar()
    return found


def _source_bytes(source: Source) -> int:
    return _OVERHEAD_BYTES // 4 + 2 * (len(source.title) + len(source.source) + len(source.snippet))


def _require_owner(connection: Connection, owner: str, conversation: str) -> str:
    """Return a conversation's owner: `owner`, or the one that its conversations moved to. Raises `NotOwned`."""
    table = conversations.c
    found: str | None = connection.execute(select(table.owner).where(table.id == conversation)).scalar()
    if found is None or (found != owner and find_move_target(connection, owner) != found):
        raise NotOwned
    return found


def _of_first_turn(values: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """Return the title and system prompt of a conversation that was created for its documents, before its first turn."""
    table = conversations.c
    of_document = table.title.in_(select(documents.c.source).where(documents.c.conversation == table.id))
    is_first = and_(table.leaf.is_(None), or_(table.title == UNTITLED, of_document))
    return {name: case((is_first, values[name]), else_=table[name]) for name in ("title", "folded")} | {
        "system": case(
            (table.leaf.is_(None), func.coalesce(values["system"], table.system)), else_=table.system
        )
    }


def _touch(connection: Connection, owner: str, conversation: str, **values: object) -> None:
    connection.execute(
        update(conversations).where(owned(owner, conversation)).values(updated_at=now_ms(), **values)
    )
