"""One answer being made, and what the engine knows of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from webapp.chat import FinishReason, ModelRequest, TextPart, Usage
from webapp.errors import AnswerError
from webapp.frames import RunResult, Start, StoppedBy, not_saved_frame, start_frame
from webapp.framing import Rules, text_frames
from webapp.runs.log import RunLog, StaleEpoch
from webapp.runs.producer import Producer, Reason
from webapp.runs.progress import Ending, Progress, State
from webapp.seams import AnswerWriter, Pricer, Provider

_STOP_S = 0.7  # how long the producer may take to end a stopped run before it is ended for it
_KEEP_EVERY_S = 5.0
_OVERHEAD_BYTES = 4 * 1024  # what a run weighs besides its frames


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a door asks the engine for.

    `owner` None is an anonymous caller, whose key is the run's own name. `fingerprint` tells two bodies
    apart. `chain` holds the provider, and those to try when it fails before its first delta. `kept` is text
    that the answer begins with, and `keeper` keeps it in a conversation. `permit` counts the run against its
    caller's limits when it is new, may raise `TooManyRequests`, and returns what is called when the run has ended.
    """

    run: str
    owner: str | None
    fingerprint: str
    request: ModelRequest
    chain: Sequence[Provider]
    orphan_s: float
    conversation: str | None = None
    message: str | None = None
    question: str | None = None
    kept: str = ""
    keeper: AnswerWriter | None = None
    permit: Callable[[], Callable[[], None]] | None = None

    @property
    def size_bytes(self) -> int:
        """What the request weighs in memory, roughly."""
        return sum(
            sum(
                len(part.text) if isinstance(part, TextPart) else len(part.data or "")
                for part in message.parts
            )
            for message in self.request.messages
        )


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a stop tells: `closed_ms` is how long it took until the provider was let go."""

    run: str
    state: State
    finish_reason: FinishReason | None
    usage: Usage | None
    cost: Decimal | None
    closed_ms: int


class Run:
    """`queued → streaming → done | failed | cancelled | interrupted`."""

    def __init__(self, order: Order, *, rules: Rules, max_bytes: int, pricer: Pricer) -> None:
        first = order.chain[0]
        start = Start(
            run=order.run,
            provider=first.name,
            model=first.model_name,
            conversation=order.conversation,
            message=order.message,
            question=order.question or msgspec.UNSET,
        )
        self.id = order.run
        self.owner = order.owner
        self.fingerprint = order.fingerprint
        self.orphan_s = order.orphan_s
        self.log = RunLog(start)
        self.log.append(start_frame(start), 1)
        for frame in text_frames(order.kept):
            self.log.append(frame, 1)
        self.began_at = time.monotonic()
        self.idle_since = self.began_at  # since when nobody reads
        self.ended_at: float | None = None
        self.readers = 0
        self._keeper = order.keeper
        self._progress = Progress(self.log, order.request, first, pricer, order.kept)
        self._producer = Producer(
            self.log, order.request, order.chain, self._progress, rules, max_bytes, order.keeper
        )
        self._ended = threading.Event()
        self._result: RunResult | None = None
        self._stopping: float | None = None
        self._reason: Reason = "user"
        self._closed_ms = 0
        self._keep_at = self.began_at + _KEEP_EVERY_S
        self._kept_bytes = self.log.size_bytes
        self._request_bytes = order.size_bytes
        self._release: Callable[[], None] | None = None

    @property
    def state(self) -> State:
        """Where the run stands."""
        if self._result is not None:
            return self._result.state
        return "streaming" if self._producer.started else "queued"

    @property
    def conversation(self) -> str | None:
        """The conversation that its answer is a message of."""
        return self.log.start.conversation

    @property
    def model(self) -> str:
        """The model that answers: the first one's name, or after a fallback another's."""
        return self._progress.asked_model

    @property
    def size_bytes(self) -> int:
        """What the run weighs in memory, roughly."""
        return self.log.size_bytes + self._request_bytes + _OVERHEAD_BYTES

    def permitted(self, release: Callable[[], None]) -> None:
        """Remember what must be called when the run has ended: it counts against its caller's limits."""
        self._release = release

    def produce(self) -> None:
        """Make the answer; the body of the run's own thread."""
        self._producer.produce(self._note)

    def ask_to_stop(self, reason: Reason) -> None:
        """Tell the producer to end, and come back at once; `end_if_stuck` sees to it that it does."""
        if self._result is None:
            if self._stopping is None:
                self._stopping = time.monotonic()
                self._reason = reason
            self._producer.stop(reason)

    def keep_so_far(self, now: float) -> None:
        """Let a long answer be kept now and then, for the case that this process dies."""
        keeper = self._keeper
        if keeper is None or now < self._keep_at or self._result is not None:
            return
        self._keep_at = now + _KEEP_EVERY_S
        if self.log.size_bytes > self._kept_bytes:
            self._kept_bytes = self.log.size_bytes
            keeper.so_far(self.log.said("text"), self.log.said("reasoning"))

    def end_if_stuck(self, now: float) -> None:
        """End a run that was asked to stop, for a producer that does not."""
        if self._result is None and self._stopping is not None and now - self._stopping > _STOP_S:
            self._end_for_it()

    def stop(self, by: StoppedBy) -> Receipt:
        """Stop the run and tell how it ended; idempotent. Takes at most about a second."""
        if self._result is None:
            self.ask_to_stop(by)
            if not self._ended.wait(_STOP_S):
                self._end_for_it()
                self._ended.wait(_STOP_S)
        return self.receipt()

    def fail(self, error: AnswerError) -> None:
        """End the run from outside: its producer could not be started, or must be cut off."""
        self._write_over(lambda: self._progress.failed(error))
        self._producer.stop("limit")

    def receipt(self) -> Receipt:
        """Tell how the run stands."""
        result = self._result
        return Receipt(
            run=self.id,
            state=self.state,
            finish_reason=result.finish_reason if result else None,
            usage=result.usage if result else None,
            cost=result.cost if result else None,
            closed_ms=self._closed_ms,
        )

    def _end_for_it(self) -> None:
        """End a run whose producer is stuck where nothing can reach it, in a name's resolution say."""
        reason = self._reason
        if reason == "limit":
            self._write_over(lambda: self._progress.finished("length", is_complete=False))
        else:
            self._write_over(lambda: self._progress.cancelled(reason))

    def _write_over(self, end: Callable[[], Ending]) -> None:
        """Take the log from the producer, then see what is in it: what comes later is refused."""
        try:
            epoch = self.log.seize(1)
            ending = end()
            result, frame = ending
            text, reasoning = self.log.said("text"), self.log.said("reasoning")
            writer = self._keeper  # nobody may wait here: the pulse ends runs, too
            if writer is not None and not writer.end(result, text, reasoning, wait=False):
                self.log.append(not_saved_frame(), epoch)
            self.log.append(frame, epoch)
        except StaleEpoch:
            return  # it has ended by itself meanwhile
        self._note(ending)

    def _note(self, ending: Ending) -> None:
        self.ended_at = time.monotonic()
        if self._stopping is not None:
            self._closed_ms = round((self.ended_at - self._stopping) * 1000)
        self._result = ending[0]
        self._keeper = None
        self._progress.meter.release_request()
        self._request_bytes = 0
        release, self._release = self._release, None
        if release is not None:
            release()
        self._ended.set()
