"""Answers that have ended, and whose end is not stored in their conversation: the store is slow, or their worker died before that."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from webapp.chat import FinishReason, TextPart, Usage
from webapp.conversation import Message, MessageState
from webapp.errors import Unavailable
from webapp.logs import run_context
from webapp.runs.log import RunLog
from webapp.runs.registry import Runs
from webapp.runs.remote_run import RemoteRun
from webapp.store.branches import find_message, list_streaming
from webapp.store.rows import now_ms
from webapp.store.store import Store
from webapp.store.turns import TurnPlan
from webapp.store.writes import TurnEnd

log_ = logging.getLogger("freshet.store")

_SWEEP_S = 60.0
_FRESH_MS = 2_000  # an answer that has begun since is being written
_MAX_SWEPT = 500


class _Terminal(msgspec.Struct):
    """What a terminal frame says of an answer."""

    error: str | None = None
    code: str | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    provider: str | None = None
    model: str | None = None
    thought_ms: int | None = None

    @property
    def state(self) -> MessageState:
        if self.error is not None:
            return "interrupted" if self.code == "interrupted" else "failed"
        return "cancelled" if self.finish_reason == "cancelled" else "done"


_decode_terminal = msgspec.json.Decoder(_Terminal).decode


@dataclass(frozen=True, kw_only=True)
class EndedAnswers:
    """Completes messages from their runs, as long as those are known. One instance serves all requests of a server."""

    runs: Runs
    store: Store

    def start_sweeping(self) -> None:
        """Begin to look for such answers about once a minute, until the store is closed: runs are not kept for ever."""
        threading.Thread(target=self._sweep_until_closed, name="freshet-ended-answers", daemon=True).start()

    def sweep(self) -> None:
        """Store the answers that have ended on other workers and are not stored. Raises `Unavailable`."""
        limits = self.runs.limits
        kept_ms = round(1_000 * (limits.total_s + 2 * limits.expiry_s))  # older answers have no run any more
        now = now_ms()
        listed = self.store.read(lambda c: list_streaming(c, now - kept_ms, now - _FRESH_MS, _MAX_SWEPT))
        for owner, conversation, answer in listed:
            if not self.runs.has(answer):
                self._complete_stored(owner, conversation, answer)

    def complete(self, message: Message, conversation: str) -> Message:
        """Return a message in its current state.

        A message stored as `streaming` may have ended since, which its run knows, or was interrupted, if there is no such run.
        The text of a streaming answer is not included: the client reads it from the run. An answer that another worker has
        ended is stored as it is then: that worker may have died before it could.
        """
        if message.state != "streaming":
            return message
        try:
            run = self.runs.find_in_conversation(message.id, conversation)
        except Unavailable:
            return message  # another worker may have the run: the client learns more when it reads it
        if run is None:
            return msgspec.structs.replace(message, state="interrupted", error="interrupted")
        if not run.log.closed:
            return message
        completed = _complete(message, run.log)
        if isinstance(run, RemoteRun) and run.owner is not None:
            self._save(run, run.owner, conversation, completed)
        return completed

    def complete_plan(self, plan: TurnPlan) -> TurnPlan:
        """Return a turn's plan with the messages in their current state, and with all of an answer that it continues."""
        if all(message.state != "streaming" for message in plan.messages):
            return plan
        messages = [self.complete(message, plan.conversation) for message in plan.messages]
        last = messages[-1]
        if last.role != "assistant":
            return msgspec.structs.replace(plan, messages=messages)
        return msgspec.structs.replace(plan, messages=messages, prefix=last.text, sources=last.sources)

    def _sweep_until_closed(self) -> None:
        pause_s = min(_SWEEP_S, self.runs.limits.expiry_s / 3)
        while not self.store.wait_closed(random.uniform(0.5, 1.0) * pause_s):
            try:
                self.sweep()
            except Unavailable:
                pass  # logged already; the next sweep is soon
            except Exception:  # the server works without it
                log_.exception("answers that ended unnoticed could not be looked for")

    def _complete_stored(self, owner: str, conversation: str, answer: str) -> None:
        message = self.store.read(lambda c: find_message(c, owner, conversation, answer))
        if message is not None:
            self.complete(message, conversation)

    def _save(self, run: RemoteRun, owner: str, conversation: str, answer: Message) -> None:
        with run_context(run.id):
            log_.warning("the answer has ended and was not stored; it is stored now")
            self.store.saver.enqueue(
                TurnEnd(owner=owner, conversation=conversation, answer=answer, epoch=run.log.epoch)
            )


def _complete(message: Message, log: RunLog) -> Message:
    """Return a message with the answer of a log that has its terminal frame."""
    end = _decode_terminal(log.frames_from(len(log) - 1)[0].payload)
    text = log.text_of("text")
    return msgspec.structs.replace(
        message,
        state=end.state,
        content=(TextPart(text),) if text else (),
        reasoning=log.text_of("reasoning"),
        sources=log.sources(),
        provider=end.provider,
        model=end.model,
        usage=end.usage,
        cost=end.cost,
        finish_reason=end.finish_reason,
        error=end.code,
        thought_ms=end.thought_ms,
    )
