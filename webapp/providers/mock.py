"""A provider that needs no key: a deterministic answer, or a recorded or scripted stream played back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from webapp.chat import ModelRequest, estimate_input_tokens
from webapp.errors import AnswerError
from webapp.events import Event, Finished, TextDelta, UsageReport
from webapp.providers.base import BaseProvider, Pricer
from webapp.seams import Control

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

    def stream(self, request: ModelRequest, control: Control) -> Iterator[Event]:
        """Yield the answer, or play the script; see `seams.Provider`."""
        for delay_s, step in self._script or self._answer(request):
            if delay_s > 0:
                control.wait(delay_s)
            if isinstance(step, AnswerError):
                raise step
            yield step

    def _answer(self, request: ModelRequest) -> Iterator[Step]:
        pieces = _PIECE.findall(_text(request))
        most = self._limit(request)
        yield self._delay_s, UsageReport(estimate_input_tokens(request), 0)
        for piece in pieces[:most]:
            yield self._delay_s, TextDelta(piece)
        yield 0, UsageReport(None, min(len(pieces), most))
        yield 0, Finished("length" if len(pieces) > most else "stop", DEFAULT_MODEL)


def _text(request: ModelRequest) -> str:
    asked = next((message.text for message in reversed(request.messages) if message.role == "user"), "")
    question = " ".join(asked.split())
    if len(question) > _QUOTED_CHARS:
        question = question[: _QUOTED_CHARS - 1] + "…"
    return _OPENING.format(question=question) + _BODY if question else _BODY
