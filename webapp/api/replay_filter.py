"""Adapts a run's frames for clients that cannot discard text: after a `reset`, yields only the part they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from webapp.frames import Frame, reasoning_frame, text_frame
from webapp.runs.log import RunLog

_FRAMES: dict[str, Callable[[str], Frame]] = {"reasoning": reasoning_frame, "text": text_frame}


class ReplayFilter:
    """Filters the frames of one reader that starts at a log's first frame.

    Characters are counted only from the first reset on: most answers have none.
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._frames = 0
        self._sent: dict[
            str, int
        ] = {}  # characters that the client has, by kind; empty before the first reset
        self._position: dict[str, int] = {}  # characters replayed since the last reset, by kind

    def unseen(self, frame: Frame) -> Iterator[Frame]:
        """Yield the frames to send for `frame`: a reset becomes the text and reasoning that was not sent before."""
        if frame.kind == "reset" and msgspec.json.decode(frame.payload)["reset"].get("replaced"):
            self._frames += 1  # what was sent as text cannot be taken back
        elif frame.kind == "reset":
            if not self._sent:
                self._sent = {kind: len(self._log.text_of(kind, self._frames)) for kind in _FRAMES}
            self._position = dict.fromkeys(_FRAMES, 0)
            yield from self._unseen_frames(msgspec.json.decode(frame.payload)["reset"])
        elif self._sent and frame.kind in _FRAMES:
            yield from self._unseen_frames(msgspec.json.decode(frame.payload))
        else:
            self._frames += 1
            yield frame

    def _unseen_frames(self, body: dict[str, Any]) -> Iterator[Frame]:
        for kind, make_frame in _FRAMES.items():
            text = body.get(kind, "")
            unseen = text[max(0, self._sent[kind] - self._position[kind]) :]
            self._position[kind] += len(text)
            self._sent[kind] = max(self._sent[kind], self._position[kind])
            if unseen:
                yield make_frame(unseen)
