"""Frames and cursors, and their encoding for SSE and WebSocket; see `docs/protocol.md`.

A frame is one JSON object whose first key is its kind. A cursor, `run:epoch:seq`, names the last frame that a reader has
received. `framing.py` turns events into frames; `runs/log.py` stores the frames of a run.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from webapp.chat import FinishReason, Usage
from webapp.errors import AnswerError
from webapp.events import Source, TokenLogprob

FrameKind = Literal["start", "text", "reasoning", "sources", "logprobs", "reset", "notice", "done", "error"]
NoticeCode = Literal["reconnect", "queued", "not_saved", "new_version", "parameter_ignored", "loading_model"]
StoppedBy = Literal["user", "orphan", "budget", "operator"]

VERSION = 1
RESET_BYTES = 64 * 1024
NOT_SAVED_MS = 5_000
_CURSOR_CHARS = 60
_RUN = re.compile(r"[A-Za-z0-9_-]{22}")
_CURSOR = re.compile(r"([A-Za-z0-9_-]{22}):([1-9][0-9]{0,9}):(0|[1-9][0-9]{0,14})")
_ENCODE = msgspec.json.Encoder().encode

# Some clients split lines at these characters, although neither JSON nor SSE does.
_LINE_BREAKS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def new_run() -> str:
    """Return a new run id: 128 random bits in 22 characters."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def is_run_id(name: str) -> bool:
    """Return whether a text has the form of a run id."""
    return _RUN.fullmatch(name) is not None


class Cursor(msgspec.Struct, frozen=True):
    """The last frame that a reader has received; `seq` 0 means none of this epoch yet."""

    run: str
    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.run}:{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Parse `run:epoch:seq`; return None for any other text. Takes constant time."""
        match = _CURSOR.fullmatch(text) if len(text) <= _CURSOR_CHARS else None
        return cls(match[1], int(match[2]), int(match[3])) if match else None


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message to a reader: its kind and its JSON object, encoded once. A `terminal` frame is the last of its run."""

    kind: FrameKind
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
    images: Sequence[str] | msgspec.UnsetType = msgspec.UNSET


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an answer: its state, usage and cost.

    `error` is the cause of a failure; see `AnswerError.cause`. `sha256` is the digest of the whole text in UTF-8. `cost` is in US dollars, None if
    the price is unknown. `thought_ms` is how long the model reasoned before its text began; None without both. `sealed` is the
    data of `events.ReasoningSealed`: it is stored, but part of no frame.
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
    sealed: str | None = None


def encode(body: object) -> bytes:
    """Encode as JSON in which clients find no line breaks."""
    payload = _ENCODE(body)
    if not payload.isascii():
        for raw, escaped in _LINE_BREAKS:
            if raw in payload:
                payload = payload.replace(raw, escaped)
    return payload


def start_frame(start: Start) -> Frame:
    """Return the first frame of a run."""
    return Frame("start", encode({"start": start}))


def text_frame(text: str) -> Frame:
    """Return a frame with a piece of the answer's text."""
    return Frame("text", encode({"text": text}))


def reasoning_frame(text: str) -> Frame:
    """Return a frame with a piece of the model's reasoning."""
    return Frame("reasoning", encode({"reasoning": text}))


def sources_frame(sources: Sequence[Source]) -> Frame:
    """Return a frame with all sources of the answer so far."""
    return Frame("sources", encode({"sources": sources}))


def logprobs_frame(tokens: Sequence[TokenLogprob]) -> Frame:
    """Return a frame with the tokens of the text that follows, and their probabilities."""
    return Frame("logprobs", encode({"logprobs": tokens}))


def notice_frame(code: NoticeCode, after_ms: int = 0, *, parameter: str | None = None) -> Frame:
    """Return a frame about the connection, the storage or the call, not about the answer's text.

    `parameter` names the request's parameter that a `parameter_ignored` notice is about.
    """
    notice: dict[str, object] = {"code": code, "after_ms": after_ms}
    if parameter is not None:
        notice["parameter"] = parameter
    return Frame("notice", encode({"notice": notice}))


def not_saved_frame() -> Frame:
    """Return the notice that the turn is not stored yet, with the time to check again."""
    return notice_frame("not_saved", NOT_SAVED_MS)


def done_frame(result: RunResult) -> Frame:
    """Return the terminal frame of an answer that finished or was stopped."""
    body: dict[str, object] = {"done": True, "finish_reason": result.finish_reason, **_result_body(result)}
    if result.stopped_by is not None:
        body["by"] = result.stopped_by
    return Frame("done", encode(body), True)


def error_frame(error: AnswerError, result: RunResult, *, partial: bool) -> Frame:
    """Return the terminal frame of an answer that failed. `partial` is whether it has text."""
    body: dict[str, object] = {
        "error": error.message,
        "code": error.code,
        "retryable": error.retryable,
        "partial": partial,
        **_result_body(result),
    }
    if error.param is not None:
        body["param"] = error.param
    if error.retry_after_s is not None:
        body["retry_after"] = round(error.retry_after_s, 3)
    return Frame("error", encode(body), True)


def usage_to_json(usage: Usage) -> dict[str, int | bool]:
    """Return usage as a JSON object; `estimated` is present only when true."""
    body: dict[str, int | bool] = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.estimated:
        body["estimated"] = True
    return body


def cost_to_json(amount: Decimal) -> msgspec.Raw:
    """Encode an amount as a JSON number without an exponent: 0.000012, never 1.2e-05."""
    return msgspec.Raw(f"{amount:f}".encode())


def _result_body(result: RunResult) -> dict[str, object]:
    body: dict[str, object] = {
        "usage": usage_to_json(result.usage),
        "cost": None if result.cost is None else cost_to_json(result.cost),
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
    """The whole text and reasoning of a run so far, and its sources as they are in their frame."""

    text: str
    reasoning: str
    start: Start
    sources: Sequence[object] = ()
    replaced: bool = False  # the text is another than before, not the same once more


def reset_frames(reset: Reset) -> list[Frame]:
    """Return a run so far as frames of at most 64 KiB: a `reset`, then `reasoning` and `text` frames.

    Only the last frame may have an id: a reader whose connection breaks before it must start over.
    """
    texts, reasonings = _split(reset.text), _split(reset.reasoning)
    body = {"text": texts[0], "reasoning": reasonings[0], "sources": reset.sources, "start": reset.start}
    if reset.replaced:
        body["replaced"] = True
    if texts[0] and len(reasonings[0].encode()) + len(texts[0].encode()) > RESET_BYTES:
        body["text"] = ""
        texts.insert(0, "")
    frames = [Frame("reset", encode({"reset": body}))]
    frames += [reasoning_frame(piece) for piece in reasonings[1:]]
    frames += [text_frame(piece) for piece in texts[1:]]
    return frames


def _split(text: str) -> list[str]:
    size = RESET_BYTES if text.isascii() else RESET_BYTES // 4
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def encode_sse(frame: Frame, cursor: bytes | None) -> bytes:
    """Encode a frame as an SSE record. `cursor` is its id; with None the client's last id does not change."""
    head = b"id: %b\n" % cursor if cursor else b""
    if frame.terminal:
        head += b"event: %b\n" % frame.kind.encode()
    return b"%bdata: %b\n\n" % (head, frame.payload)


def encode_sse_records(frames: Sequence[Frame], prefix: bytes, first_seq: int) -> bytes:
    """Encode successive frames of an epoch as SSE records, of which only the last may be terminal.

    Their ids are `prefix` and their numbers. A reader that comes back may have missed thousands of frames: encoded all at once,
    a frame costs a fraction of what `encode_sse` takes.
    """
    last = frames[-1:] if frames and frames[-1].terminal else []
    rest = frames[: len(frames) - len(last)]
    parts: list[bytes] = []
    if rest:
        parts = [b"\n\nid: " + prefix] * (3 * len(rest))
        parts[0] = b"id: " + prefix
        parts[1::3] = _numbers(first_seq, first_seq + len(rest))
        parts[2::3] = [frame.payload for frame in rest]
        parts.append(b"\n\n")
    parts += [encode_sse(frame, b"%b%d" % (prefix, first_seq + len(rest))) for frame in last]
    return b"".join(parts)


_FEW_NUMBERS, _MOST_NUMBERS = 1_024, 16_384  # the most take a megabyte
_known_numbers: Sequence[bytes] = ()


def _numbers(first: int, end: int) -> Sequence[bytes]:
    """Return what stands between the prefix and the payload of each frame. Most of it is kept: to write it anew takes half of the time."""
    global _known_numbers  # noqa: PLW0603  (replaced as a whole, so that threads need no lock)
    count = len(_known_numbers)
    if count < min(end, _MOST_NUMBERS):
        _known_numbers = [
            _number(each) for each in range(min(max(end, 2 * count, _FEW_NUMBERS), _MOST_NUMBERS))
        ]
    known = _known_numbers[first:end]
    return [*known, *map(_number, range(first + len(known), end))]


def _number(seq: int) -> bytes:
    return b"%d\ndata: " % seq


def encode_message(frame: Frame, run: str, cursor: str | None, ref: str | int | None = None) -> bytes:
    """Encode a frame as a WebSocket message: the frame's own object with `run`, `id` and `ref` added."""
    tail = f',"run":"{run}"'
    if cursor is not None:
        tail += f',"id":"{cursor}"'
    if ref is not None:
        tail += f',"ref":{_ENCODE(ref).decode()}'
    return b"%b%b}" % (frame.payload[:-1], tail.encode())
