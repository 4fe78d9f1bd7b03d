"""One turn: what it stands on, and how it is kept while the engine makes its answer."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence

import msgspec

from webapp.chat import TextPart
from webapp.conversation import Message, title_of
from webapp.errors import Conflict, InvalidRequest, NotFound, Unavailable
from webapp.frames import RunResult
from webapp.seams import AnswerWriter
from webapp.store.branches import Branch, conversation_of, read
from webapp.store.conversation_cache import ConversationCache
from webapp.store.database import Away, Database
from webapp.store.images import StoredImage
from webapp.store.rows import now_ms
from webapp.store.saver import Saver
from webapp.store.writes import Begin, End

log_ = logging.getLogger("freshet.store")

_SETTLE_S = 0.2
_READ_S = 0.6  # with what comes before and after, the first byte leaves within a second
_LAST_S = 4.0  # where nothing else can help: a busy database is no reason to refuse
_BEGIN_S = 1.0
_END_S = 0.5  # below what a stop may take
_AWAY_S = 0.25  # where the last try has failed: time enough to find that it is back
_UNTITLED = "…"


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn is asked to be.

    `parent` is the message to stand on: unset for the leaf, None for before the first. Without a `query` and
    images the answer is made again; `continued` names an answer that is to go on. `conversation` may be None
    with it alone.
    """

    owner: str
    run: str
    conversation: str | None
    parent: str | msgspec.UnsetType | None
    query: str | None
    images: Sequence[StoredImage]
    continued: str | None
    system: str | None


class TurnPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that can begin: what the model is told, what the answer begins with, and who keeps it.

    `question` is the message that is answered.
    """

    conversation: str
    question: str | None
    system: str | None
    messages: Sequence[Message]
    images: dict[str, str]
    kept: str
    keeper: AnswerWriter


class Turns:
    """Makes plans. `alive` tells of a run whether it is being made."""

    def __init__(self, database: Database, saver: Saver, recall: ConversationCache) -> None:
        self._database = database
        self._saver = saver
        self._recall = recall

    def plan(self, wish: TurnRequest, alive: Callable[[str], bool]) -> TurnPlan:
        """Look at what the turn stands on. Takes less than a second, unless only a slow database knows it.

        Raises `NotFound`, `InvalidRequest`, `Conflict`, and `Unavailable` where the earlier messages cannot be
        had; a first message needs none of them.
        """
        conversation = wish.conversation or self._conversation_of(wish)
        base = self._known(wish, conversation)
        last = base.messages[-1] if base.messages else None
        if last is not None and last.state == "streaming" and alive(last.id):
            raise Conflict(
                "The answer before is still being made: wait for it, or stop it.",
                param="continue" if wish.continued else "parent",
                code="answer_running",
            )
        question, parent, kept = self._shape(wish, last)
        now = now_ms()
        answer = Message(
            id=wish.run, parent=parent, role="assistant", content=(), created_at=now + 1, state="streaming"
        )
        told = list(base.messages)
        if question is not None:
            told.append(question)
        begin = Begin(
            owner=wish.owner,
            conversation=conversation,
            system=wish.system,
            title=title_of(wish.query or "") or _UNTITLED,
            question=question,
            images=wish.images,
            answer=answer,
        )
        fresh = {image.id: base64.b64encode(image.content).decode() for image in wish.images}
        return TurnPlan(
            conversation=conversation,
            question=parent,
            system=wish.system or base.system,
            messages=told,
            images=base.images | fresh,
            kept=kept,
            keeper=_Kept(self._saver, self._recall, begin, fresh),
        )

    def _conversation_of(self, wish: TurnRequest) -> str:
        return self._database.read(lambda c: conversation_of(c, wish.owner, wish.continued or ""), _READ_S)

    def _known(self, wish: TurnRequest, conversation: str) -> Branch:
        """Read the branch from the database; from memory what it does not have yet, or cannot tell now."""
        at, param = (wish.continued, "continue") if wish.continued else (wish.parent, "parent")

        def stored(patience_s: float) -> Branch | None:
            return self._database.read(
                lambda c: read(c, wish.owner, conversation, at, wish.run, param), patience_s
            )

        def remembered() -> Branch | None:
            return self._recall.read(wish.owner, conversation, at, wish.run)

        if not self._saver.settle(conversation, _SETTLE_S):
            found = remembered()
        else:
            try:
                found = stored(_READ_S)
            except Unavailable:
                try:
                    found = remembered()
                except Away:
                    found = stored(_LAST_S)  # better late than without what was said before
            if found is not None:
                self._recall.keep(
                    wish.owner, conversation, found.system, found.messages, found.images, found.at
                )
        if found is not None:
            return found
        if at is not None and at is not msgspec.UNSET:
            raise NotFound(
                "There is no such conversation.", param="conversation", code="conversation_not_found"
            )
        return Branch(conversation=conversation, system=None, at=None, messages=(), images={})

    @staticmethod
    def _shape(wish: TurnRequest, last: Message | None) -> tuple[Message | None, str | None, str]:
        """Tell the question, if it is a new one, the answer's parent, and the text that it begins with."""
        if wish.continued is not None:
            if last is None or last.role != "assistant":
                raise InvalidRequest("continue must name an answer.", param="continue", code="not_an_answer")
            return None, last.parent, last.text
        if wish.query is None and not wish.images:
            if last is None or last.role != "user":
                raise InvalidRequest(
                    "Without a query, parent must name a question: it is answered again.",
                    param="parent",
                    code="not_a_question",
                )
            return None, last.id, ""
        text = [TextPart(wish.query)] if wish.query else []
        refs = [image.ref for image in wish.images]
        question = Message(
            id=question_of(wish.run),
            parent=None if last is None else last.id,
            role="user",
            content=(*text, *refs),
            created_at=now_ms(),
        )
        return question, question.id, ""


def question_of(run: str) -> str:
    """Name the question that a run answers; the same each time, so that saving it twice does no harm."""
    digest = hashlib.sha256(f"question of {run}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class _Kept:
    """Keeps one turn; see `seams.AnswerWriter`."""

    def __init__(self, saver: Saver, recall: ConversationCache, begin: Begin, images: dict[str, str]) -> None:
        self._saver = saver
        self._recall = recall
        self._begin = begin
        self._images = images
        self._lock = threading.Lock()
        self._ended = False

    def begin(self) -> bool:
        """Keep the question and the run."""
        begin = self._begin
        new = [begin.answer] if begin.question is None else [begin.question, begin.answer]
        self._recall.keep(
            begin.owner, begin.conversation, begin.system, new, self._images, leaf=begin.answer.id
        )
        self._begin = msgspec.structs.replace(begin, images=())  # they need not live as long as the run
        self._images = {}
        return self._saved(begin, _BEGIN_S)

    def so_far(self, text: str, reasoning: str) -> None:
        """Keep what has been said, where nothing waits already: the end will bring it all the same."""
        begin = self._begin
        message = msgspec.structs.replace(begin.answer, content=(TextPart(text),), reasoning=reasoning)
        with self._lock:
            if not (self._ended or self._saver.behind or self._saver.failing):
                self._saver.put(End(owner=begin.owner, conversation=begin.conversation, answer=message))

    def end(self, result: RunResult, text: str, reasoning: str, *, wait: bool) -> bool:
        """Keep the answer."""
        with self._lock:
            self._ended = True
        begin = self._begin
        message = msgspec.structs.replace(
            begin.answer,
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
        )
        self._recall.keep(begin.owner, begin.conversation, begin.system, [message], {})
        end = End(owner=begin.owner, conversation=begin.conversation, answer=message)
        return self._saved(end, _END_S if wait else 0.0)

    def _saved(self, write: Begin | End, patience_s: float) -> bool:
        try:
            away = self._saver.failing
            ticket = self._saver.put(write)
            if ticket is None:
                return False
            if patience_s <= 0:
                return not away
            return ticket.wait(min(patience_s, _AWAY_S) if away else patience_s)
        except Exception:  # an answer is worth more than its copy
            log_.exception("a turn could not be kept")
            return False
