"""Turns: load the branch that a turn continues, and store its question and answer while the engine streams it."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from webapp.chat import TextPart
from webapp.conversation import UNTITLED, Message, make_title
from webapp.errors import Conflict, InvalidRequest, NotFound, Unavailable
from webapp.events import Source
from webapp.frames import RunResult
from webapp.seams import AnswerWriter
from webapp.store.branches import Branch, find_conversation_id, find_message, load_branch, load_sealed
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import Database, DatabaseUnavailable
from webapp.store.images import StoredImage
from webapp.store.rows import now_ms
from webapp.store.saver import Saver
from webapp.store.writes import TurnEnd, TurnStart, claim_answer

log_ = logging.getLogger("freshet.store")

_SETTLE_S = 0.2
_READ_S = 0.6  # together with the other waits, the first byte leaves within a second
_LAST_SETTLE_S = 1.0
_LAST_READ_S = 4.0  # when only the database has the messages: a slow one is no reason to refuse
_START_S = 1.0
_END_S = 0.5  # less than a stop may take
_FAILING_S = 0.25  # after a failed attempt: enough to notice that the database is available again
_OWN_ENDS = ("stop", "tool_calls", "content_filter")


class UnknownConversation(NotFound):
    """Nothing is stored of the conversation that a turn goes on with; it was not deleted, either."""


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a turn.

    `parent` is the message that the turn continues: unset for the leaf, None for an empty branch; with `at_leaf`, the newest
    message below it, which the client may not have seen. Without `query` and
    images, the question `parent` is answered again. `continued` is the id of an answer to continue; `conversation`
    may be None only with it.
    """

    owner: str
    run: str
    conversation: str | None
    parent: str | msgspec.UnsetType | None
    at_leaf: bool = False
    query: str | None
    images: Sequence[StoredImage]
    continued: str | None
    system: str | None


class TurnPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that is ready to start: the prompt's messages, the answer's initial text with its sources, and its writer.

    `question` is the id of the message that is answered; `sealed` is the reasoning stored with an answer to continue; `start`
    is what the writer stores first. `is_cached`: the database did not answer in time, so the branch is from memory.
    """

    conversation: str
    question: str | None
    system: str | None
    messages: Sequence[Message]
    images: dict[str, str]
    prefix: str
    sources: Sequence[Source]
    sealed: str | None = None
    start: TurnStart
    writer: AnswerWriter
    is_cached: bool = False
    has_documents: bool = False


class LostTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn whose worker has died: its answer as it is stored, if it is, and the branch down to its question.

    `sealed` is the reasoning that is stored with the answer.
    """

    answer: Message | None
    system: str | None
    messages: Sequence[Message]
    images: dict[str, str]
    sealed: str | None = None


class Turns:
    """Plans turns from the database, or from the cache while the database is unavailable.

    `is_shared`: other workers store turns in the same database, of which the cache knows nothing.
    """

    def __init__(
        self, database: Database, saver: Saver, cache: ConversationCache, *, is_shared: bool
    ) -> None:
        self._database = database
        self._saver = saver
        self._cache = cache
        self._is_shared = is_shared

    def plan(self, request: TurnRequest, is_running: Callable[[str], bool]) -> TurnPlan:
        """Load the branch and plan the turn. Takes less than a second, unless only a slow database has the messages.

        It may also have the newest of them alone: another worker's, below which a turn without `parent` belongs.

        `is_running` returns whether the engine is making a run's answer. Raises `NotFound`, `InvalidRequest`,
        `Conflict`, and `Unavailable` if the earlier messages cannot be loaded; a first message needs none of them.
        """
        conversation = request.conversation or self._find_conversation(request)
        branch, is_cached = self._load_branch(request, conversation)
        last = branch.messages[-1] if branch.messages else None
        if last is not None and last.state == "streaming" and is_running(last.id):
            raise Conflict(
                "The previous answer is still running. Wait until it ends, or stop it.",
                param="continue" if request.continued else "parent",
                code="answer_running",
            )
        question, parent, prefix = self._build_question(request, last)
        now = now_ms()
        answer = Message(
            id=request.run,
            parent=parent,
            role="assistant",
            content=(),
            created_at=now + 1,
            state="streaming",
        )
        messages = list(branch.messages)
        if question is not None:
            messages.append(question)
        start = TurnStart(
            owner=request.owner,
            conversation=conversation,
            system=request.system,
            title=make_title(request.query or "") or UNTITLED,
            question=question,
            images=request.images,
            answer=answer,
            at_leaf=is_cached and request.parent is msgspec.UNSET and not request.continued,
        )
        new_images = {image.id: base64.b64encode(image.content).decode() for image in request.images}
        return TurnPlan(
            conversation=conversation,
            question=parent,
            system=request.system or branch.system,
            messages=messages,
            images=branch.images | new_images,
            prefix=prefix,
            sources=last.sources if request.continued is not None and last is not None else (),
            sealed=branch.sealed,
            start=start,
            writer=_TurnWriter(self._saver, self._cache, start, new_images),
            is_cached=is_cached,
            has_documents=branch.has_documents,
        )

    def find_lost(self, start: TurnStart) -> LostTurn:
        """Load a turn whose worker has died, from the database alone. The question need not be stored yet.

        Waits up to four seconds. Raises `NotFound` for a conversation that was deleted, and `Unavailable`.
        """
        return self._database.read(lambda connection: _load_lost(connection, start), _LAST_READ_S)

    def claim_lost(self, start: TurnStart, epoch: int) -> LostTurn:
        """Load a turn like `find_lost`, and make its answer belong to the run's new epoch in the same transaction.

        So its former worker, which may only have been frozen, either has stored its end already, or can no longer do so.
        """

        def work(connection: Connection) -> LostTurn:
            claim_answer(connection, start.conversation, start.answer.id, epoch)
            return _load_lost(connection, start)

        return self._database.write(work, _LAST_READ_S)

    def writer(self, start: TurnStart, *, is_stored: bool, sealed: str | None = None) -> AnswerWriter:
        """Return the writer of a turn whose worker has died.

        `is_stored` is whether its question is stored already; `sealed` is the reasoning of an answer that nobody goes on with.
        """
        return _TurnWriter(self._saver, self._cache, start, {}, is_stored=is_stored, sealed=sealed)

    def _find_conversation(self, request: TurnRequest) -> str:
        return self._database.read(
            lambda c: find_conversation_id(c, request.owner, request.continued or ""), _READ_S
        )

    def _load_branch(self, request: TurnRequest, conversation: str) -> tuple[Branch, bool]:
        """Load the branch from the database, or from the cache if the database is late or unavailable; return which it is."""
        continues = bool(request.continued)
        at = request.continued if continues else request.parent

        def from_database(timeout_s: float) -> Branch | None:
            return self._database.read(
                lambda c: load_branch(
                    c,
                    request.owner,
                    conversation,
                    at,
                    request.run,
                    continues=continues,
                    at_leaf=request.at_leaf,
                ),
                timeout_s,
            )

        def from_cache() -> Branch | None:
            return self._cache.load_branch(request.owner, conversation, at, request.run, continues=continues)

        may_lack_turns = self._is_shared and at is msgspec.UNSET
        is_cached = not self._saver.settle(conversation, _LAST_SETTLE_S if may_lack_turns else _SETTLE_S)
        if is_cached:
            found = from_cache()
        else:
            try:
                found = from_database(_LAST_READ_S if may_lack_turns else _READ_S)
            except Unavailable:
                try:
                    found, is_cached = from_cache(), True
                except DatabaseUnavailable:
                    found = from_database(_LAST_READ_S)
            if found is not None:
                sealed = {found.at: found.sealed} if found.at and found.sealed else {}
                self._cache.store(
                    request.owner,
                    conversation,
                    found.system,
                    found.messages,
                    found.images,
                    found.at,
                    sealed,
                    has_documents=found.has_documents,
                )
        if found is not None:
            return found, is_cached
        if at is not None and at is not msgspec.UNSET:
            raise UnknownConversation(
                "There is no such conversation.", param="conversation", code="conversation_not_found"
            )
        return Branch(conversation=conversation, system=None, at=None, messages=(), images={}), is_cached

    @staticmethod
    def _build_question(request: TurnRequest, last: Message | None) -> tuple[Message | None, str | None, str]:
        """Return the question if it is new, the id of the answer's parent, and the answer's initial text."""
        if request.continued is not None:
            if last is None or last.role != "assistant":
                raise InvalidRequest("continue must name an answer.", param="continue", code="not_an_answer")
            return None, last.parent, last.text
        if request.query is None and not request.images:
            if last is None or last.role != "user":
                raise InvalidRequest(
                    "Without a query, parent must name a question: it is answered again.",
                    param="parent",
                    code="not_a_question",
                )
            return None, last.id, ""
        text = [TextPart(request.query)] if request.query else []
        refs = [image.ref for image in request.images]
        question = Message(
            id=make_question_id(request.run),
            parent=None if last is None else last.id,
            role="user",
            content=(*text, *refs),
            created_at=now_ms(),
        )
        return question, question.id, ""


def _load_lost(connection: Connection, start: TurnStart) -> LostTurn:
    answer, question = start.answer, start.question
    at = answer.parent if question is None else question.parent
    branch = load_branch(connection, start.owner, start.conversation, at, run="")
    stored = find_message(connection, start.owner, start.conversation, answer.id)
    earlier = () if branch is None else branch.messages
    return LostTurn(
        answer=stored,
        system=start.system if branch is None else start.system or branch.system,
        messages=earlier if question is None else (*earlier, question),
        images={} if branch is None else branch.images,
        sealed=None if stored is None else load_sealed(connection, start.conversation, answer.id),
    )


def make_question_id(run: str) -> str:
    """Return the id of a run's question. It depends on the run alone, so that a repeated request stores no copy."""
    digest = hashlib.sha256(f"question of {run}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class _TurnWriter:
    """Stores one turn, in the cache and through the saver; implements `seams.AnswerWriter`."""

    def __init__(
        self,
        saver: Saver,
        cache: ConversationCache,
        start: TurnStart,
        images: dict[str, str],
        *,
        is_stored: bool = False,
        sealed: str | None = None,
    ) -> None:
        self._is_stored = is_stored
        self._sealed = sealed
        self._saver = saver
        self._cache = cache
        self._start = start
        self._images = images
        self._lock = threading.Lock()
        self._ended = False

    def store_question(self, epoch: int) -> bool:
        """Store the question and the running answer; return whether they were saved within a second."""
        if self._is_stored:
            return True
        start = msgspec.structs.replace(self._start, epoch=epoch)
        new_messages = [start.answer] if start.question is None else [start.question, start.answer]
        self._cache.store(
            start.owner, start.conversation, start.system, new_messages, self._images, leaf=start.answer.id
        )
        self._start = msgspec.structs.replace(start, images=())  # frees the images before the run ends
        self._images = {}
        return self._save(start, _START_S)

    def save_progress(self, text: str, reasoning: str, sealed: str | None = None, *, epoch: int) -> None:
        """Store the answer so far, unless writes are pending or failing: `store_answer` stores all of it anyway."""
        start = self._start
        message = msgspec.structs.replace(start.answer, content=(TextPart(text),), reasoning=reasoning)
        with self._lock:
            if not (self._ended or self._saver.pending or self._saver.failing):
                self._saver.enqueue(
                    TurnEnd(
                        owner=start.owner,
                        conversation=start.conversation,
                        answer=message,
                        sealed=sealed,
                        epoch=epoch,
                    )
                )

    def store_answer(
        self,
        result: RunResult,
        text: str,
        reasoning: str,
        sources: Sequence[Source] = (),
        *,
        epoch: int,
        wait: bool,
    ) -> bool:
        """Store the answer; return whether it is saved, or without `wait`, likely to be."""
        with self._lock:
            self._ended = True
        start = self._start
        message = msgspec.structs.replace(
            start.answer,
            content=(TextPart(text),) if text else (),
            state=result.state,
            reasoning=reasoning,
            provider=result.provider,
            model=result.model,
            usage=result.usage,
            cost=result.cost,
            finish_reason=result.finish_reason,
            error=result.error,
            thought_ms=result.thought_ms,
            sources=tuple(sources),
        )
        # An answer that came to its own end needs no reasoning to be continued.
        sealed = None if result.finish_reason in _OWN_ENDS else result.sealed or self._sealed
        kept = {message.id: sealed} if sealed else {}
        self._cache.store(start.owner, start.conversation, start.system, [message], {}, sealed=kept)
        end = TurnEnd(
            owner=start.owner,
            conversation=start.conversation,
            answer=message,
            sealed=sealed,
            epoch=epoch,
        )
        return self._save(end, _END_S if wait else 0.0)

    def _save(self, write: TurnStart | TurnEnd, timeout_s: float) -> bool:
        try:
            failing = self._saver.failing
            queued = self._saver.enqueue(write)
            if queued is None:
                return False
            if timeout_s <= 0:
                return not failing
            return queued.wait(min(timeout_s, _FAILING_S) if failing else timeout_s)
        except Exception:  # a failed write must not end the answer
            log_.exception("a turn could not be stored")
            return False
