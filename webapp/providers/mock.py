"""A provider that needs no key: a deterministic answer, or a recorded or scripted stream played back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from webapp.chat import ModelRequest, estimate_input_tokens
from webapp.errors import AnswerError, Interrupted
from webapp.events import Event, Finished, TextDelta, UsageReport
from webapp.providers.base import BaseProvider
from webapp.seams import Control, Pricer

DEFAULT_MODEL = "mock-standard"
DEFAULT_DELAY_MS = 50.0
_PIECE = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")
_QUOTED_CHARS = 80

_OPENING = "You asked: “{question}”\n\n"
_BODY = """\
This is a **demo answer**. No model was called and nothing was spent; the text is always the same, so that \
you can see how an answer arrives.

## How it reaches you

1. The provider reports *deltas*, often one word or less at a time.
2. The server gathers them into small frames, at most one every 33 milliseconds.
3. The page shows each frame as it comes, and remembers the last one it has.

> If the connection is cut, the page comes back with its cursor and the answer goes on from there.

A little code, to see how it looks:

```python
from webapp import create_provider, ModelMessage, ModelRequest

provider = create_provider("mock", delay_ms=20)
request = ModelRequest(messages=[ModelMessage.user("Hello")])
answer = provider.stream_with_callback(request, lambda delta, so_far: print(delta, end=""))
```

And a table:

| what | how often | size |
|---|---|---|
| delta | as the model speaks | a few letters |
| frame | every 33 ms at most | a few words |
| heartbeat | after 10 s of silence | 3 bytes |

Things to try next:

- [ ] press **Stop** in the middle of an answer
- [ ] reload the page while it streams
- [x] read this far

To hear a real model, set a provider's key and start the server again. `naïve café, 你好, مرحبا, 👩‍🚀` — other \
scripts arrive whole, too.
"""

Step = tuple[float, Event | AnswerError]


class MockProvider(BaseProvider):
    """Answers without a network.

    `delay_ms` is the pause before each delta. `script` replaces the answer by (delay in seconds, event or
    error) steps, played as they are.
    """

    name = "mock"

    def __init__(
        self,
        *,
        model_name: str,
        max_tokens: int,
        pricer: Pricer,
        delay_ms: float = DEFAULT_DELAY_MS,
        script: Sequence[Step] | None = None,
    ) -> None:
        super().__init__(model_name, max_tokens, pricer)
        self._delay_s = delay_ms / 1000
        self._script = script

    def open(self, request: ModelRequest, control: Control) -> _ScriptedEvents:
        """Start the answer, or the script; see `seams.Provider`."""
        return _ScriptedEvents(iter(self._script or self._answer(request)), control)

    def _answer(self, request: ModelRequest) -> Iterator[Step]:
        pieces = _PIECE.findall(_text(request))
        most = self._limit(request)
        yield self._delay_s, UsageReport(estimate_input_tokens(request), 0)
        for piece in pieces[:most]:
            yield self._delay_s, TextDelta(piece)
        yield 0, UsageReport(None, min(len(pieces), most))
        yield 0, Finished("length" if len(pieces) > most else "stop", DEFAULT_MODEL)


class _ScriptedEvents:
    """Steps as a stream of events; see `seams.EventStream`. A step's delay begins where the one before ended."""

    def __init__(self, steps: Iterator[Step], control: Control) -> None:
        self._steps = steps
        self._control = control
        self._next: tuple[float, Event | AnswerError] | None = None
        self._due_at = time.monotonic()

    @property
    def has_more(self) -> bool:
        """Return False: every read takes all that is due."""
        return False

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that are due; with `wait`, wait for one."""
        events: list[Event] = []
        while True:
            if self._next is None:
                self._next = next(self._steps, None)
                if self._next is None:
                    raise Interrupted("the script has no more steps")
                self._due_at = (
                    max(self._due_at, time.monotonic()) + self._next[0] if self._next[0] else self._due_at
                )
            left_s = self._due_at - time.monotonic()
            if left_s > 0:
                if events or not wait:
                    return events
                self._control.wait(left_s)
            elif events and isinstance(self._next[1], AnswerError):
                return events  # the error is raised by the next read
            step, self._next = self._next[1], None
            if isinstance(step, AnswerError):
                raise step
            events.append(step)
            if isinstance(step, Finished):
                return events

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _text(request: ModelRequest) -> str:
    asked = next((message.text for message in reversed(request.messages) if message.role == "user"), "")
    question = " ".join(asked.split())
    if len(question) > _QUOTED_CHARS:
        question = question[: _QUOTED_CHARS - 1] + "…"
    return _OPENING.format(question=question) + _BODY if question else _BODY
