"""Continues an answer that was cut off, on every provider.

Where a model may not be given the beginning of its answer, it is asked for the rest. Then many repeat the last words, the code
block's opening or the whole answer, or introduce the rest, which is trimmed at the seam.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import msgspec

from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import AnswerError, Stopped, release_frames
from webapp.events import Event, Finished, TextDelta
from webapp.providers.code_blocks import open_fence
from webapp.providers.seam import Seam
from webapp.seams import EventStream

# A refusal of messages that end with the beginning of the answer.
REFUSED_PREFILL = re.compile(
    r"pre-?fill|(?:ends?|final|last)\b.{0,60}\b(?:user|assistant)\b|\bassistant\b.{0,40}\b(?:final|last|end)|"
    r"continue from an assistant",
    re.I,
)
_QUOTED_CHARS = 60


def continuation(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """Return the messages with a request for the rest of the last one, an answer that was cut off."""
    return [*messages, ModelMessage.user(instruction(messages[-1].text))]


def instruction(text: str) -> str:
    """Return the request for the rest of an answer with this text."""
    tail = json.dumps(text[-_QUOTED_CHARS:], ensure_ascii=False)
    code = " It stops inside a code block, so do not open that again." if open_fence(text)[0] else ""
    return (
        f"Your last answer was cut off. Its last characters are {tail}. Continue it exactly where it stops, in the middle of "
        f"a word if need be.{code} Repeat nothing of it, and say nothing about this."
    )


def ask_for_rest(request: ModelRequest) -> ModelRequest:
    """Return a request for the rest of an answer, if it is one to continue that, as a question; else the request itself."""
    if not request.continues:
        return request
    return msgspec.structs.replace(request, messages=continuation(request.messages), continues=False)


def continued_events(events: EventStream, request: ModelRequest, *, was_begun: bool = False) -> EventStream:
    """Return the events, without what repeats the beginning of the answer if the request is to continue it."""
    return ContinuedEvents(events, request, was_begun=was_begun) if request.continues else events


class ContinuedEvents:
    """The events of a continued answer, without what repeats its beginning; see `seams.EventStream`.

    `was_begun` is whether the model was given the beginning as its own: then it repeats nothing but space.
    """

    def __init__(self, events: EventStream, request: ModelRequest, *, was_begun: bool = False) -> None:
        self._events = events
        self._seam = Seam(request.messages[-1].text, only_space=was_begun)
        self._failure: AnswerError | Stopped | None = None  # raised after the text before it was returned

    @property
    def has_more(self) -> bool:
        """See `seams.EventStream`."""
        return self._failure is not None or self._events.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; see `seams.EventStream`."""
        while True:
            if self._failure is not None:
                raise self._failure
            try:
                events = self._events.read(wait=wait)
            except (AnswerError, Stopped) as error:
                release_frames(error)  # it may never be raised
                self._failure = error
                events = ()
                text = self._seam.flush(is_complete=False)
                if text:
                    return [TextDelta(text)]
            found = (
                events if self._seam.is_over else [each for event in events for each in self._filter(event)]
            )
            if found or (not wait and self._failure is None):
                return found

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`."""
        is_plain = self._seam.is_over and self._failure is None
        return self._events.rest if is_plain else self

    def close(self) -> None:
        """End the call."""
        self._events.close()

    def _filter(self, event: Event) -> list[Event]:
        if isinstance(event, TextDelta):
            text = self._seam.feed(event.text)
            return [TextDelta(text)] if text else []
        if isinstance(event, Finished):
            text = self._seam.flush(is_complete=event.finish_reason == "stop")
            return [TextDelta(text), event] if text else [event]
        return [event]
