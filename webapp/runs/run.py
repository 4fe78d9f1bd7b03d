"""One run: an answer while it is generated, and for a while after."""

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
_SAVE_EVERY_S = 5.0
_OVERHEAD_BYTES = 4 * 1024  # of a run, besides its frames


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint asks of the engine: one run.

    `owner` None is an anonymous caller, who is recognised by the run's id alone. `fingerprint` is a digest of the
    request's body. `chain` holds the provider, and those to ask when it fails before its first delta. `prefix` is text
    that the answer begins with, and `writer` stores it in a conversation. `permit` counts a new run against its caller's
    limits, may raise `TooManyRequests`, and returns the function to call when the run has ended.
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
    prefix: str = ""
    writer: AnswerWriter | None = None
    permit: Callable[[], Callable[[], None]] | None = None

    @property
    def size_bytes(self) -> int:
        """The size of the request in memory, roughly."""
        return sum(
            sum(
                len(part.text) if isinstance(part, TextPart) else len(part.data or "")
                for part in message.parts
            )
            for message in self.request.messages
        )


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands after a stop. `closed_ms` is how long it took until the call to the provider was ended."""

    run: str
    state: State
    finish_reason: FinishReason | None
    usage: Usage | None
    cost: Decimal | None
    closed_ms: int


class Run:
    """A run and its states: `queued → streaming → done | failed | cancelled | interrupted`."""

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
        for frame in text_frames(order.prefix):
            self.log.append(frame, 1)
        self.began_at = time.monotonic()
        self.idle_since = self.began_at  # since when it has no reader
        self.ended_at: float | None = None
        self.readers = 0
        self._writer = order.writer
        self._progress = Progress(self.log, order.request, first, pricer, order.prefix)
        self._producer = Producer(
            self.log, order.request, order.chain, self._progress, rules, max_bytes, order.writer
        )
        self._ended = threading.Event()
        self._result: RunResult | None = None
        self._stopping: float | None = None
        self._reason: Reason = "user"
        self._closed_ms = 0
        self._save_at = self.began_at + _SAVE_EVERY_S
        self._saved_bytes = self.log.size_bytes
        self._request_bytes = order.size_bytes
        self._release: Callable[[], None] | None = None

    @property
    def state(self) -> State:
        """The state of the run."""
        if self._result is not None:
            return self._result.state
        return "streaming" if self._producer.started else "queued"

    @property
    def conversation(self) -> str | None:
        """The conversation that its answer belongs to, if any."""
        return self.log.start.conversation

    @property
    def model(self) -> str:
        """The model that is asked: the first one's name, or after a fallback another's."""
        return self._progress.asked_model

    @property
    def size_bytes(self) -> int:
        """The size of the run in memory, roughly."""
        return self.log.size_bytes + self._request_bytes + _OVERHEAD_BYTES

    def on_end(self, release: Callable[[], None]) -> None:
        """Store the function to call when the run has ended, because it counts against its caller's limits until then."""
        self._release = release

    def produce(self) -> None:
        """Generate the answer; the body of the run's own thread."""
        self._producer.produce(self._finish)

    def request_stop(self, reason: Reason) -> None:
        """Ask the producer to end, and return at once; `end_if_stuck` ends the run where it does not."""
        if self._result is None:
            if self._stopping is None:
                self._stopping = time.monotonic()
                self._reason = reason
            self._producer.stop(reason)

    def save_progress(self, now: float) -> None:
        """Store what a long answer has so far, every few seconds, in case this process dies."""
        writer = self._writer
        if writer is None or now < self._save_at or self._result is not None:
            return
        self._save_at = now + _SAVE_EVERY_S
        if self.log.size_bytes > self._saved_bytes:
            self._saved_bytes = self.log.size_bytes
            writer.so_far(self.log.text_of("text"), self.log.text_of("reasoning"))

    def end_if_stuck(self, now: float) -> None:
        """End a run that was asked to stop a while ago, and whose producer does not end it."""
        if self._result is None and self._stopping is not None and now - self._stopping > _STOP_S:
            self._end_stuck()

    def stop(self, by: StoppedBy) -> Receipt:
        """Stop the run and return how it ended. Idempotent; takes at most about a second."""
        if self._result is None:
            self.request_stop(by)
            if not self._ended.wait(_STOP_S):
                self._end_stuck()
                self._ended.wait(_STOP_S)
        return self.receipt()

    def fail(self, error: AnswerError) -> None:
        """End the run with an error, because its producer cannot run or must not go on."""
        self._end_from_outside(lambda: self._progress.failed(error))
        self._producer.stop("limit")

    def receipt(self) -> Receipt:
        """Return how the run stands."""
        result = self._result
        return Receipt(
            run=self.id,
            state=self.state,
            finish_reason=result.finish_reason if result else None,
            usage=result.usage if result else None,
            cost=result.cost if result else None,
            closed_ms=self._closed_ms,
        )

    def _end_stuck(self) -> None:
        """End a run whose producer is stuck where nothing can reach it, such as in the lookup of a name."""
        reason = self._reason
        if reason == "limit":
            self._end_from_outside(lambda: self._progress.finished("length", is_complete=False))
        else:
            self._end_from_outside(lambda: self._progress.cancelled(reason))

    def _end_from_outside(self, end: Callable[[], Ending]) -> None:
        """Take the log from the producer, whose later frames are refused, and end it."""
        try:
            epoch = self.log.seize(1)
            ending = end()
            result, frame = ending
            text, reasoning = self.log.text_of("text"), self.log.text_of("reasoning")
            writer = self._writer  # no waiting here: the pulse ends runs too
            if writer is not None and not writer.end(result, text, reasoning, wait=False):
                self.log.append(not_saved_frame(), epoch)
            self.log.append(frame, epoch)
        except StaleEpoch:
            return  # the producer has ended it meanwhile
        self._finish(ending)

    def _finish(self, ending: Ending) -> None:
        self.ended_at = time.monotonic()
        if self._stopping is not None:
            self._closed_ms = round((self.ended_at - self._stopping) * 1000)
        self._result = ending[0]
        self._writer = None
        self._progress.meter.release_request()
        self._request_bytes = 0
        release, self._release = self._release, None
        if release is not None:
            release()
        self._ended.set()
