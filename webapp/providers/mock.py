"""A provider without a network or a key: a deterministic demo answer, or a scripted stream."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Unpack

from webapp.chat import ModelRequest, estimate_input_tokens, has_details
from webapp.errors import AnswerError, Interrupted
from webapp.events import Event, Finished, ParameterIgnored, TextDelta, UsageReport
from webapp.providers.base import BaseProvider, ProviderOptions
from webapp.seams import Control, EventStream
from webapp.search.context import without_context

DEFAULT_MODEL = "mock-standard"
DEFAULT_DELAY_MS = 50.0
_PIECE = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")
_QUOTED_CHARS = 80

_OPENING = "You asked: “{question}”\n\n"
_BODY = """\
This is a **demo answer**. No model was called and nothing was spent. The text is always the same and shows \
how an answer streams.

## How an answer streams

1. The provider sends *deltas*, often one word or less at a time.
2. The server groups them into small frames, at most one every 33 milliseconds.
3. The page shows each frame when it arrives, and remembers its position.

> If the connection breaks, the page reconnects and the answer continues at that position.

Some code:

```python
from webapp import create_provider, ModelMessage, ModelRequest

provider = create_provider("mock", delay_ms=20)
request = ModelRequest(messages=[ModelMessage.user("Hello")])
answer = provider.stream_with_callback(request, lambda delta, so_far: print(delta, end=""))
```

And a table:

| what | how often | size |
|---|---|---|
| delta | for each token | a few letters |
| frame | every 33 ms at most | a few words |
| heartbeat | after 10 s of silence | 2 bytes |

Things to try next:

- [ ] press **Stop** in the middle of an answer
- [ ] reload the page while an answer streams
- [x] read a demo answer

To use a real model, set a provider's API key and restart the server. `naïve café, 你好, مرحبا, 👩‍🚀` — other \
scripts work, too.
"""

Step = tuple[float, Event | AnswerError]


class MockProvider(BaseProvider):
    """Answers without a network.

    `delay_ms` is the pause before each delta. `script` replaces the answer by steps: tuples of a delay in seconds and an
    event or error.
    """

    name = "mock"

    def __init__(
        self,
        *,
        delay_ms: float = DEFAULT_DELAY_MS,
        script: Sequence[Step] | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        super().__init__(**options)
        self._delay_s = delay_ms / 1000
        self._script = script

    def open(self, request: ModelRequest, control: Control) -> _ScriptedEvents:
        """Start the answer, or the script; see `seams.Provider`."""
        return _ScriptedEvents(iter(self._script or self._answer(request)), control)

    def _answer(self, request: ModelRequest) -> Iterator[Step]:
        text = _text(request)
        if request.continues:
            text = text.removeprefix(request.messages[-1].text)
        pieces = _PIECE.findall(text)
        max_tokens = self._max_output_tokens(request)
        if request.effort is not None:
            yield 0, ParameterIgnored("effort")
        if has_details(request.messages):
            yield 0, ParameterIgnored("detail")
        yield self._delay_s, UsageReport(estimate_input_tokens(request), 0)
        for piece in pieces[:max_tokens]:
            yield self._delay_s, TextDelta(piece)
        yield 0, UsageReport(None, min(len(pieces), max_tokens))
        yield 0, Finished("length" if len(pieces) > max_tokens else "stop", DEFAULT_MODEL)


class _ScriptedEvents:
    """Steps as a stream of events; see `seams.EventStream`. A step's delay starts when the step before is due."""

    def __init__(self, steps: Iterator[Step], control: Control) -> None:
        self._steps = steps
        self._control = control
        self._next: tuple[float, Event | AnswerError] | None = None
        self._due_at = time.monotonic()

    @property
    def has_more(self) -> bool:
        """Return False: every read returns all events that are due."""
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
            wait_s = self._due_at - time.monotonic()
            if wait_s > 0:
                if events or not wait:
                    return events
                self._control.wait(wait_s)
            elif events and isinstance(self._next[1], AnswerError):
                return events  # the error is raised by the next read
            step, self._next = self._next[1], None
            if isinstance(step, AnswerError):
                raise step
            events.append(step)
            if isinstance(step, Finished):
                return events

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`."""
        return self

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _text(request: ModelRequest) -> str:
    text = next((message.text for message in reversed(request.messages) if message.role == "user"), "")
    question = " ".join(without_context(text).split())
    if len(question) > _QUOTED_CHARS:
        question = question[: _QUOTED_CHARS - 1] + "…"
    return _OPENING.format(question=question) + _BODY if question else _BODY
