"""A transport and a control that only remember, for providers without a network."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from webapp.errors import Stopped, UpstreamError
from webapp.seams import Call, Control

Outcome = UpstreamError | Iterable[bytes | Exception]


class FakeTransport:
    """Answers each call by the next of `outcomes`: refused by an error, or a body that may break off."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.calls: list[Call] = []
        self.open = 0
        self.reused = 0

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent."""
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
    """Chunks as a body, one a read; an exception among them is raised."""

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

    def close(self, *, reuse: bool) -> None:
        self._transport.closed(reuse=reuse)


class FakeControl:
    """A control that sleeps never; `waits` are the sleeps it was asked for, the last may find a stop."""

    def __init__(self, *, stopped_at_wait: int | None = None) -> None:
        self.waits: list[float] = []
        self._stopped_at = stopped_at_wait

    def opened(self, abort: Callable[[], None]) -> None:
        del abort

    def asked(self, taken: bool) -> None:
        del taken

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self._stopped_at is not None and len(self.waits) >= self._stopped_at:
            raise Stopped


def chunk(text: str | None, finish: str | None = None) -> bytes:
    """One event in OpenAI's dialect."""
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


HELLO = [chunk("Hello"), chunk(None, "stop"), b"data: [DONE]\n\n"]
