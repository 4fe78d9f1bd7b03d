"""Frames in, deltas out: each character once, whatever connection it came by. Pure."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from webapp.chat import ModelResponse, TokenGuess, Usage
from webapp.codecs.sse import Record
from webapp.errors import AnswerError, Interrupted
from webapp.frames import Cursor

_read_frame = msgspec.json.Decoder(float_hook=Decimal).decode


class Reading:
    """What has been read of one answer. `cursor` is where to go on, None before the first frame."""

    def __init__(self, response: ModelResponse) -> None:
        self.response = response
        self.cursor: str | None = None
        self.ended = False
        self.error: AnswerError | None = None
        self._place = (0, 0)  # epoch and seq of the last frame
        self._skip = 0  # characters that a reset repeats
        self._guess = TokenGuess()

    def take(self, record: Record) -> list[str]:
        """Read one SSE record; returns the text that is new in it, in at most one piece."""
        try:
            frame = _read_frame(record.data)
        except msgspec.DecodeError as error:
            raise Interrupted("a frame cannot be read") from error
        cursor = Cursor.parse(record.id.decode("ascii", "replace"))
        if cursor is not None:
            place = (cursor.epoch, cursor.seq)
            if place <= self._place and "reset" not in frame:
                return []
            self._place, self.cursor = place, str(cursor)
        match frame:
            case {"text": str(text)}:
                return self._grow(text)
            case {"reasoning": str(text)}:
                self.response.reasoning += text
                self._count(text)
            case {"reset": dict(reset)}:
                return self._reset(reset)
            case {"start": dict(start)}:
                self._name(start)
            case {"done": _} | {"error": _}:
                self._end(frame)
            case _:
                pass  # a frame of a newer server
        return []

    def _grow(self, text: str) -> list[str]:
        if self._skip:
            known, text = text[: self._skip], text[self._skip :]
            self._skip -= len(known)
        if not text:
            return []
        self.response.content += text
        self._count(text)
        return [text]

    def _count(self, text: str) -> None:
        self.response.usage = Usage(self.response.usage.input_tokens, self._guess.add(text), estimated=True)

    def _reset(self, reset: dict[str, Any]) -> list[str]:
        """Begin anew: what the callback has been told already is not told again."""
        self._name(reset.get("start") or {})
        self._skip = len(self.response.content)
        self.response.reasoning = reset.get("reasoning", "")
        return self._grow(reset.get("text", ""))

    def _name(self, start: dict[str, Any]) -> None:
        self.response.provider = start.get("provider", self.response.provider)
        self.response.model = start.get("model", self.response.model)

    def _end(self, frame: dict[str, Any]) -> None:
        self.ended = True
        response = self.response
        self._name(frame)
        usage, cost = frame.get("usage") or {}, frame.get("cost")
        response.usage = Usage(
            usage.get("input_tokens", 0), usage.get("output_tokens", 0), usage.get("estimated", False)
        )
        response.cost = None if cost is None else Decimal(cost)
        if "error" in frame:
            self.error = AnswerError(
                frame["code"],
                frame["error"],
                retryable=frame["retryable"],
                retry_after_s=frame.get("retry_after"),
            )
            return
        response.finish_reason = frame["finish_reason"]
        if frame.get("sha256") != hashlib.sha256(response.content.encode()).hexdigest():
            self.error = Interrupted("the text is not what the server sent")
