"""The parameters of a run, and what is said of it from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from webapp.chat import FinishReason, ModelRequest, TextPart, Usage
from webapp.events import Source
from webapp.frames import Frame, Start
from webapp.journal_records import JournalRun
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.progress import State
from webapp.seams import AnswerWriter, Provider


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a run.

    Args:
        key: The id of the publishable key that it was started with, whose end stops it.
        owner: None for an anonymous caller, who may access the run by its id.
        fingerprint: A digest of the request's body.
        chain: The provider, followed by its fallbacks; see `FallbackEvents`.
        orphan_s: The time after which a run without readers is stopped.
        prefix: Text that the answer begins with.
        sources: What the answer may cite from its beginning; None if nothing was searched.
        writer: Stores the turn in a conversation.
        permit: Counts a new run against its caller's limits and returns a function to call when the run has ended.
            May raise `TooManyRequests`.
        reference: What another worker needs to continue the answer, if this one dies; see `JournalEntry.request`.
    """

    run: str
    owner: str | None
    fingerprint: str
    request: ModelRequest
    chain: Sequence[Provider]
    orphan_s: float
    key: str | None = None
    conversation: str | None = None
    message: str | None = None
    question: str | None = None
    images: Sequence[str] = ()  # the ids of the question's new images
    prefix: str = ""
    sources: Sequence[Source] | None = None
    writer: AnswerWriter | None = None
    permit: Callable[[], Callable[[], None]] | None = None
    reference: bytes = b""

    @property
    def size_bytes(self) -> int:
        """The approximate size of the request in memory."""
        return (
            len(self.request.sealed or "")
            + sum(
                sum(
                    len(part.text) if isinstance(part, TextPart) else len(part.data or "")
                    for part in message.parts
                )
                for message in self.request.messages
            )
            + (len(msgspec.json.encode(self.request.parameters)) if self.request.parameters else 0)
            + len(self.reference)
        )


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """A run that another worker has begun, in the epoch in which this one goes on with it.

    Args:
        row: The run as the journal has it now.
        reset: The frames that begin its epoch in the journal: all that was said so far, as far as that is known there.
        more: The frames that follow at once, if more is known.
        age_s: The time since the run began.
        earlier: The estimated usage so far.
    """

    start: Start
    row: JournalRun
    reset: Sequence[Frame]
    more: Sequence[Frame] = ()
    age_s: float
    earlier: Usage

    def open_log(self, mirror: RunLog | None) -> RunLog:
        """Return the log for the rest: the `mirror` whose readers have followed the other worker, or a new one."""
        if mirror is None or mirror.closed:
            log = RunLog(self.start, self.row.epoch, self.reset)
        else:
            log = mirror
            try:
                log.begin_epoch(self.row.epoch, self.reset)
            except StaleEpoch:
                pass  # the mirror has the epoch from the journal already
        if self.more:
            log.extend(self.more, self.row.epoch)
        return log


STOP_S = 1.0  # the longest that a stop waits for the end of the run


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a run after a stop. `closed_ms` is the time from the stop to the end of the run; 0 before that."""

    run: str
    state: State
    finish_reason: FinishReason | None
    usage: Usage | None
    cost: Decimal | None
    closed_ms: int

    def as_stopped(self) -> Receipt:
        """Return the receipt of a stop that was accepted: a run that has not ended by then will end as cancelled."""
        if self.state not in ("queued", "streaming"):
            return self
        return msgspec.structs.replace(self, state="cancelled", finish_reason="cancelled")
