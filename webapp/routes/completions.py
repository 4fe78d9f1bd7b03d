"""The OpenAI-compatible doors; https://platform.openai.com/docs/api-reference/chat.

They send `data:` lines and blank lines and nothing else, so that the plainest reader understands all of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from webapp.api.replay_filter import ReplayFilter
from webapp.api.start_request import StartBody, read_json
from webapp.errors import InvalidRequest, UnsupportedType
from webapp.frames import Frame, encode
from webapp.routes.authentication import principal
from webapp.routes.error_responses import failed_answer_body, status_of
from webapp.routes.responses import json_response
from webapp.routes.stream import named_run
from webapp.routes.streaming import RunBody, admit_reader, deliveries, split_writes, streaming_response
from webapp.runs.readers import Delivery, Reader, ReaderConnection
from webapp.runs.run import Run
from webapp.services import services

blueprint = Blueprint("completions", __name__)

_FIRST_EVENT_S = 5.0
_WHOLE_S = 10.0
_ORPHAN_S = 1.0  # in case that nobody ever comes to read
_TEXT = len(b'{"text":')
_REASONING = len(b'{"reasoning":')
_NOTHING = (b"", b"null", b"[]")
_TAIL = b'},"finish_reason":null}]}\n\n'


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class _CompletionBody(StartBody, frozen=True, kw_only=True):
    stream: bool = False
    stream_options: _StreamOptions | None = None
    n: int | None = None
    tools: msgspec.Raw | None = None
    functions: msgspec.Raw | None = None


@blueprint.post("/v1/chat/completions")
@blueprint.post("/chat/completions")
def complete() -> Response:
    """Answer in OpenAI's form, streaming or whole."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    asked: _CompletionBody = read_json(request.get_data(), _CompletionBody)
    _refuse(asked)
    parts, caller = services(), principal()
    name = named_run(asked, caller.owner)
    if name != asked.run:
        asked = msgspec.structs.replace(asked, run=name)
    connection = admit_reader(parts)
    try:
        run = parts.starter.start_without_conversation(asked, caller, orphan_s=_ORPHAN_S)
    except BaseException:
        parts.runs.leave(connection)
        raise
    talk = _Talk(run, usage=asked.stream_options is not None and asked.stream_options.include_usage)
    body = RunBody(
        parts, run, None, talk.chunks if asked.stream else talk.whole, stop=True, connection=connection
    )
    try:
        talk.listen(body, _FIRST_EVENT_S if asked.stream else _WHOLE_S, whole=not asked.stream)
        failure = talk.failure(whole=not asked.stream)
    except BaseException:
        body.close()
        raise
    if failure is not None:
        body.close()
        return failure
    return streaming_response(body, "text/event-stream" if asked.stream else "application/json")


@blueprint.get("/v1/models")
def models() -> Response:
    """List what the caller can ask for."""
    parts = services()
    priced = parts.limiter.allowance(principal()).models == "priced"
    listed = [
        {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
        for name in parts.providers.listed(priced=priced)
    ]
    return json_response({"object": "list", "data": listed})


def _refuse(asked: _CompletionBody) -> None:
    if asked.n is not None and asked.n != 1:
        raise InvalidRequest("n must be 1: one answer at a time.", param="n", code="unsupported")
    for name in ("tools", "functions"):
        if bytes(getattr(asked, name) or b"").strip() not in _NOTHING:
            raise InvalidRequest(f"{name} are not supported yet.", param=name, code="unsupported")


class _Talk:
    """One answer told in OpenAI's words."""

    def __init__(self, run: Run, *, usage: bool) -> None:
        self._run = run
        self._usage = usage
        self._heard: list[Delivery] = []
        self._told = ReplayFilter(run.log)
        self._about = {"id": f"chatcmpl-{run.id}", "created": int(time.time()), "model": ""}
        self._head = b""
        self._name()

    def _name(self) -> None:
        """Name the model that answers: it changes when the first provider fails and the next one is asked."""
        if self._about["model"] != self._run.model:
            self._about["model"] = self._run.model
            head = encode({**self._about, "object": "chat.completion.chunk", "choices": []})
            self._head = b"data: " + head[: -len(b"]}")] + b'{"index":0,"delta":{'

    def listen(self, body: RunBody, patience_s: float, *, whole: bool) -> None:
        """Wait for the answer's first words, or with `whole` for its end, so that a failure can be a status."""
        until = time.monotonic() + patience_s
        while not body.connection.gone:
            self._heard += body.reader.take()
            if body.reader.ended or (not whole and any(frame.kind != "start" for frame, _ in self._heard)):
                return
            left = until - time.monotonic()
            if left <= 0:
                return
            body.connection.wake.wait(left)

    def failure(self, *, whole: bool) -> Response | None:
        """Answer with the status of a failure: before the first words, or of a whole answer at any time."""
        last = self._heard[-1][0] if self._heard else None
        if last is None or last.kind != "error":
            return None
        if not whole and any(frame.kind == "text" for frame, _ in self._heard):
            return None
        told = msgspec.json.decode(last.payload)
        response = json_response(failed_answer_body(told["error"], told["code"]), status_of(told["code"]))
        if "retry_after" in told:
            response.headers["Retry-After"] = str(int(told["retry_after"]) + 1)
        return response

    def chunks(self, reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        """Tell the answer as it comes."""
        self._name()
        first = self._head + b'"role":"assistant","content":""' + _TAIL
        yield from split_writes(first + self._chunks(self._heard))
        connection.wrote()
        for new in deliveries(reader, connection):
            self._name()
            yield from split_writes(self._chunks(new) or self._head + _TAIL)

    def whole(self, reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        """Tell the answer at its end; white space keeps the connection alive until then."""
        while not reader.ended:
            if connection.is_silent():  # asked first: the bell may have rung while the status waited
                yield b" "
                connection.wrote()
            connection.wake.wait()
            self._heard += reader.take()
            if connection.gone or connection.leaving:
                break
        if reader.ended:
            yield from split_writes(encode(self._completion()))

    def _chunks(self, new: list[Delivery]) -> bytes:
        return b"".join(self._chunk(told) for frame, _ in new for told in self._told.new(frame))

    def _chunk(self, frame: Frame) -> bytes:
        payload = frame.payload
        match frame.kind:
            case "text":
                return b'%b"content":%b%b' % (self._head, payload[_TEXT:-1], _TAIL)
            case "reasoning":
                return b'%b"reasoning_content":%b%b' % (self._head, payload[_REASONING:-1], _TAIL)
            case "done":
                return self._last(msgspec.json.decode(payload))
            case "error":
                told = msgspec.json.decode(payload)
                return b"data: %b\n\n" % encode(failed_answer_body(told["error"], told["code"]))
            case _:
                return b""

    def _last(self, told: dict[str, Any]) -> bytes:
        about = {**self._about, "object": "chat.completion.chunk"}
        reason = _finish_reason(told)
        last = {**about, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        lines = [encode(last)]
        if self._usage:
            lines.append(encode({**about, "choices": [], "usage": _usage(told)}))
        return b"".join(b"data: %b\n\n" % line for line in [*lines, b"[DONE]"])

    def _completion(self) -> dict[str, Any]:
        self._name()
        told = msgspec.json.decode(self._heard[-1][0].payload)
        if "error" in told:
            return failed_answer_body(told["error"], told["code"])
        message = {"role": "assistant", "content": self._run.log.text_of("text")}
        reasoning = self._run.log.text_of("reasoning")
        if reasoning:
            message["reasoning_content"] = reasoning
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(told), "logprobs": None}
        return {**self._about, "object": "chat.completion", "choices": [choice], "usage": _usage(told)}


def _finish_reason(told: dict[str, Any]) -> str:
    reason: str = told["finish_reason"]
    return "stop" if reason == "cancelled" else reason


def _usage(told: dict[str, Any]) -> dict[str, int]:
    taken, given = told["usage"]["input_tokens"], told["usage"]["output_tokens"]
    return {"prompt_tokens": taken, "completion_tokens": given, "total_tokens": taken + given}
