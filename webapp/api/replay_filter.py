"""What was told to a reader who takes nothing back: of a reset, only what goes beyond it is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from webapp.frames import Frame, reasoning_frame, text_frame
from webapp.runs.log import RunLog

_MAKERS: dict[str, Callable[[str], Frame]] = {"reasoning": reasoning_frame, "text": text_frame}


class ReplayFilter:
    """Follows one reader of a log from its first frame on. Nothing is counted until a reset comes."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._frames = 0
        self._told: dict[str, int] = {}
        self._at: dict[str, int] = {}

    def new(self, frame: Frame) -> Iterator[Frame]:
        """Give what there is to tell, a reset as the text and reasoning that were not told before."""
        if frame.kind == "reset":
            if not self._told:
                self._told = {kind: len(self._log.said(kind, self._frames)) for kind in _MAKERS}
            self._at = dict.fromkeys(_MAKERS, 0)
            yield from self._beyond(msgspec.json.decode(frame.payload)["reset"])
        elif self._told and frame.kind in _MAKERS:
            yield from self._beyond(msgspec.json.decode(frame.payload))
        else:
            self._frames += 1
            yield frame

    def _beyond(self, said: dict[str, Any]) -> Iterator[Frame]:
        for kind, frame_of in _MAKERS.items():
            text = said.get(kind, "")
            new = text[max(0, self._told[kind] - self._at[kind]) :]
            self._at[kind] += len(text)
            self._told[kind] = max(self._told[kind], self._at[kind])
            if new:
                yield frame_of(new)
