"""A transport and a control that only remember, for providers without a network."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
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

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent."""
        return [json.loads(call.body) for call in self.calls]

    @contextmanager
    def post(self, call: Call, control: Control) -> Iterator[Iterable[bytes]]:
        self.calls.append(call)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, UpstreamError):
            raise outcome
        self.open += 1
        try:
            yield _played(outcome)
        finally:
            self.open -= 1


def _played(chunks: Iterable[bytes | Exception]) -> Iterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


class FakeControl:
    """A control that sleeps never; `waits` are the sleeps it was asked for, the last may find a stop."""

    window_s = 0.0

    def __init__(self, *, stopped_at_wait: int | None = None) -> None:
        self.waits: list[float] = []
        self._stopped_at = stopped_at_wait

    def drained(self) -> bool:
        return False

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
