"""A fake transport and a fake control, which record their calls, to test providers without a network."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from webapp.errors import Stopped, UpstreamError
from webapp.seams import Call, Control

Outcome = UpstreamError | Iterable[bytes | Exception]


class FakeTransport:
    """Responds to each call with the next of `outcomes`: an error to raise, or the chunks of a body."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.calls: list[Call] = []
        self.open = 0
        self.reused = 0
        self.ends: list[float] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [json.loads(call.body) for call in self.calls]

    def post(self, call: Call, control: Control) -> "FakeBody":
        self.calls.append(call)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, UpstreamError):
            raise outcome
        self.open += 1
        return FakeBody(self, iter(outcome))

    def closed(self, *, reuse: bool) -> None:
        self.open -= 1
        self.reused += reuse


class FakeBody:
    """A body that returns one chunk a read; an exception among the chunks is raised."""

    has_more = False

    def __init__(self, transport: FakeTransport, chunks: Iterator[bytes | Exception]) -> None:
        self._transport = transport
        self._chunks = chunks
        self.ended = False

    def read(self, *, wait: bool = True) -> bytes:
        if not wait:
            return b""
        chunk = next(self._chunks, None)
        if isinstance(chunk, Exception):
            raise chunk
        self.ended = chunk is None
        return chunk or b""

    def end_within(self, seconds: float) -> None:
        self._transport.ends.append(seconds)

    def close(self, *, reuse: bool) -> None:
        self._transport.closed(reuse=reuse)


class FakeControl:
    """A control that never sleeps and records the waits; the wait number `stopped_at_wait` raises `Stopped`."""

    def __init__(self, *, stopped_at_wait: int | None = None) -> None:
        self.waits: list[float] = []
        self.retried: list[str] = []
        self._stopped_at = stopped_at_wait

    def register_abort(self, abort: Callable[[], None]) -> None:
        del abort

    def report_delivery(self, delivered: bool) -> None:
        del delivered

    def report_retry(self, error: UpstreamError) -> None:
        self.retried.append(error.code)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self._stopped_at is not None and len(self.waits) >= self._stopped_at:
            raise Stopped


def chunk(text: str | None, finish: str | None = None) -> bytes:
    """Return one event in OpenAI's format."""
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


HELLO = [chunk("Hello"), chunk(None, "stop"), b"data: [DONE]\n\n"]
