"""Frames and cursors, and their one wire form.

A frame is one JSON object whose first key says what it is. A cursor, `run:epoch:seq`, names the last
frame that a reader has. How frames are made out of events is `framing.py`'s; where they are kept is the
engine's.
"""

from __future__ import annotations

import base64
import re
import secrets
from decimal import Decimal
from typing import Literal

import msgspec

from webapp.chat import FinishReason, Usage
from webapp.errors import AnswerError

Kind = Literal["start", "text", "reasoning", "sources", "reset", "notice", "done", "error"]
StoppedBy = Literal["user", "orphan", "budget"]

VERSION = 1
RESET_BYTES = 64 * 1024
NOT_SAVED_MS = 5_000
_CURSOR_CHARS = 60
_RUN = re.compile(r"[A-Za-z0-9_-]{22}")
_CURSOR = re.compile(r"([A-Za-z0-9_-]{22}):([1-9][0-9]{0,9}):(0|[1-9][0-9]{0,14})")
_ENCODE = msgspec.json.Encoder().encode

# Some readers split lines at these, though neither JSON nor SSE does.
_LINE_BREAKS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def new_run() -> str:
    """Make a run's name: 128 random bits in 22 characters."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def is_run(name: str) -> bool:
    """Tell whether a text has the form of a run's name."""
    return _RUN.fullmatch(name) is not None


class Cursor(msgspec.Struct, frozen=True):
    """The last frame that a reader has; `seq` 0 means none of this epoch yet."""

    run: str
    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.run}:{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read `run:epoch:seq`; None when it is anything else. Costs the same whatever it holds."""
        match = _CURSOR.fullmatch(text) if len(text) <= _CURSOR_CHARS else None
        return cls(match[1], int(match[2]), int(match[3])) if match else None


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What one write to a reader carries: its kind, and the JSON object, encoded once.

    `terminal` says that nothing comes after it.
    """

    kind: Kind
    payload: bytes
    terminal: bool = False


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the `start` frame."""

    v: int = VERSION
    run: str
    provider: str
    model: str
    conversation: str | None = None
    message: str | None = None
    question: str | msgspec.UnsetType = msgspec.UNSET


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer ended, what it used and what it cost. `error` is the code of its failure.

    `sha256` is of the whole text in UTF-8, `cost` in US dollars (None: the price is not known). `thought_ms` is how long
    the model thought before it answered; None where it did not do both.
    """

    state: Literal["done", "failed", "cancelled", "interrupted"]
    finish_reason: FinishReason | None
    usage: Usage
    cost: Decimal | None
    sha256: str
    provider: str
    model: str
    error: str | None = None
    stopped_by: StoppedBy | None = None
    thought_ms: int | None = None
    damaged: int = 0


def encode(body: object) -> bytes:
    """Encode to JSON that no line reader splits."""
    payload = _ENCODE(body)
    if not payload.isascii():
        for raw, escaped in _LINE_BREAKS:
            if raw in payload:
                payload = payload.replace(raw, escaped)
    return payload


def start_frame(start: Start) -> Frame:
    """Say that the run exists."""
    return Frame("start", encode({"start": start}))


def text_frame(text: str) -> Frame:
    """Carry more of the answer."""
    return Frame("text", encode({"text": text}))


def reasoning_frame(text: str) -> Frame:
    """Carry more of the model's thinking."""
    return Frame("reasoning", encode({"reasoning": text}))


def notice_frame(code: Literal["reconnect", "queued", "not_saved", "new_version"], after_ms: int) -> Frame:
    """Tell a reader something about the connection, not about the answer."""
    return Frame("notice", encode({"notice": {"code": code, "after_ms": after_ms}}))


def not_saved_frame() -> Frame:
    """Tell every reader that what was said so far is not stored yet, and when to look again."""
    return notice_frame("not_saved", NOT_SAVED_MS)


def done_frame(result: RunResult) -> Frame:
    """Return the frame that ends an answer which has finished or was stopped."""
    body: dict[str, object] = {"done": True, "finish_reason": result.finish_reason, **_result_body(result)}
    if result.stopped_by is not None:
        body["by"] = result.stopped_by
    return Frame("done", encode(body), True)


def error_frame(error: AnswerError, result: RunResult, *, partial: bool) -> Frame:
    """Return the frame that ends an answer which failed; the sentence is ours, never the provider's."""
    body: dict[str, object] = {
        "error": error.message,
        "code": error.code,
        "retryable": error.retryable,
        "partial": partial,
        **_result_body(result),
    }
    if error.retry_after_s is not None:
        body["retry_after"] = round(error.retry_after_s, 3)
    return Frame("error", encode(body), True)


def usage_body(usage: Usage) -> dict[str, int | bool]:
    """Write what was used; `estimated` stands there only where it is true."""
    body: dict[str, int | bool] = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.estimated:
        body["estimated"] = True
    return body


def plain_number(amount: Decimal) -> msgspec.Raw:
    """Write an amount as a JSON number without an exponent: 0.000012, never 1.2e-05."""
    return msgspec.Raw(f"{amount:f}".encode())


def _result_body(result: RunResult) -> dict[str, object]:
    body: dict[str, object] = {
        "usage": usage_body(result.usage),
        "cost": None if result.cost is None else plain_number(result.cost),
        "sha256": result.sha256,
        "provider": result.provider,
        "model": result.model,
    }
    if result.thought_ms is not None:
        body["thought_ms"] = result.thought_ms
    if result.damaged:
        body["damaged"] = result.damaged
    return body


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run has said so far, folded into one."""

    text: str
    reasoning: str
    start: Start


def reset_frames(reset: Reset) -> list[Frame]:
    """Fold what has been said into frames of at most 64 KiB.

    The first is `reset`, the rest follow as `reasoning` and `text` frames. Only the last one returned may
    be given an id: a reader that is cut before it must start over.
    """
    texts, thoughts = _cut(reset.text), _cut(reset.reasoning)
    body = {"text": texts[0], "reasoning": thoughts[0], "sources": [], "start": reset.start}
    if texts[0] and len(thoughts[0].encode()) + len(texts[0].encode()) > RESET_BYTES:
        body["text"] = ""
        texts.insert(0, "")
    frames = [Frame("reset", encode({"reset": body}))]
    frames += [reasoning_frame(piece) for piece in thoughts[1:]]
    frames += [text_frame(piece) for piece in texts[1:]]
    return frames


def _cut(text: str) -> list[str]:
    size = RESET_BYTES if text.isascii() else RESET_BYTES // 4
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def encode_sse(frame: Frame, cursor: bytes | None) -> bytes:
    """Write a frame as an SSE record; `cursor` becomes its id, None leaves the reader's id as it is."""
    head = b"id: %b\n" % cursor if cursor else b""
    if frame.terminal:
        head += b"event: %b\n" % frame.kind.encode()
    return b"%bdata: %b\n\n" % (head, frame.payload)


def encode_message(frame: Frame, run: str, cursor: str | None, ref: str | int | None = None) -> bytes:
    """Write a frame as a WebSocket message: the frame's own object with `run`, `id` and `ref` added."""
    tail = f',"run":"{run}"'
    if cursor is not None:
        tail += f',"id":"{cursor}"'
    if ref is not None:
        tail += f',"ref":{_ENCODE(ref).decode()}'
    return b"%b%b}" % (frame.payload[:-1], tail.encode())
