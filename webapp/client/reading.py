"""Decodes the frames of one answer into deltas, each character once although connections may overlap. Pure."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from webapp.chat import ModelResponse, Source, TokenEstimator, Usage
from webapp.codecs.sse import Record
from webapp.errors import AnswerError, Interrupted
from webapp.frames import Cursor

_parse_frame = msgspec.json.Decoder(float_hook=Decimal).decode


class FrameReader:
    """Applies the frames of one answer to its `response`. `cursor` is where to resume, None before the first frame."""

    def __init__(self, response: ModelResponse) -> None:
        self.response = response
        self.cursor: str | None = None
        self.ended = False
        self.error: AnswerError | None = None
        self._position = (0, 0)  # epoch and seq of the last frame
        self._skip = 0  # characters of a reset that were returned before
        self._estimator = TokenEstimator()

    def read(self, record: Record) -> list[str]:
        """Apply the frame of an SSE record and return its new text, in at most one piece. Raises `Interrupted`."""
        try:
            frame = _parse_frame(record.data)
        except msgspec.DecodeError as error:
            raise Interrupted("a frame is not JSON") from error
        cursor = Cursor.parse(record.id.decode("ascii", "replace"))
        if cursor is not None:
            position = (cursor.epoch, cursor.seq)
            if position <= self._position and "reset" not in frame:
                return []
            self._position, self.cursor = position, str(cursor)
        match frame:
            case {"text": str(text)}:
                return self._add_text(text)
            case {"reasoning": str(text)}:
                self.response.reasoning += text
                self._count(text)
            case {"sources": list(sources)}:
                self._set_sources(sources)
            case {"reset": dict(reset)}:
                return self._reset(reset)
            case {"start": dict(start)}:
                self._set_model(start)
            case {"done": _} | {"error": _}:
                self._end(frame)
            case _:
                pass  # a frame of a newer server
        return []

    def _add_text(self, text: str) -> list[str]:
        if self._skip:
            known, text = text[: self._skip], text[self._skip :]
            self._skip -= len(known)
        if not text:
            return []
        self.response.content += text
        self._count(text)
        return [text]

    def _count(self, text: str) -> None:
        self.response.usage = Usage(
            self.response.usage.input_tokens, self._estimator.add(text), estimated=True
        )

    def _reset(self, reset: dict[str, Any]) -> list[str]:
        """Start over, skipping the text that was returned before."""
        self._set_model(reset.get("start") or {})
        if reset.get("replaced"):
            self._skip, self.response.content = 0, ""
        else:
            self._skip = len(self.response.content)
        self.response.reasoning = reset.get("reasoning", "")
        self._set_sources(reset.get("sources"))
        return self._add_text(reset.get("text", ""))

    def _set_sources(self, sources: object) -> None:
        try:
            self.response.sources = msgspec.convert(sources, tuple[Source, ...])
        except msgspec.ValidationError:
            self.response.sources = ()  # of a newer server, in another form

    def _set_model(self, start: dict[str, Any]) -> None:
        self.response.provider = start.get("provider", self.response.provider)
        self.response.model = start.get("model", self.response.model)

    def _end(self, frame: dict[str, Any]) -> None:
        self.ended = True
        response = self.response
        self._set_model(frame)
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
            self.error = Interrupted("the text received does not match the server's digest")
