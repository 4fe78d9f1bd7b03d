"""The OpenAI-compatible endpoints; https://platform.openai.com/docs/api-reference/chat.

They send `data:` lines and blank lines and nothing else, so that the simplest reader understands all of it.
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
_COMPLETE_S = 10.0
_ORPHAN_S = 1.0  # in case that nobody ever comes to read
_TEXT = len(b'{"text":')
_REASONING = len(b'{"reasoning":')
_EMPTY = (b"", b"null", b"[]")
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
    """Answer in OpenAI's form, as a stream or as one completion."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    body: _CompletionBody = read_json(request.get_data(), _CompletionBody)
    _check_supported(body)
    parts, caller = services(), principal()
    run_id = named_run(body, caller.owner)
    if run_id != body.run:
        body = msgspec.structs.replace(body, run=run_id)
    connection = admit_reader(parts)
    try:
        run = parts.starter.start_without_conversation(body, caller, orphan_s=_ORPHAN_S)
    except BaseException:
        parts.runs.leave(connection)
        raise
    completion = _Completion(run, usage=body.stream_options is not None and body.stream_options.include_usage)
    encode_ = completion.chunks if body.stream else completion.complete
    response_body = RunBody(parts, run, None, encode_, stop=True, connection=connection)
    try:
        completion.wait(
            response_body, _FIRST_EVENT_S if body.stream else _COMPLETE_S, complete=not body.stream
        )
        failure = completion.failure(complete=not body.stream)
    except BaseException:
        response_body.close()
        raise
    if failure is not None:
        response_body.close()
        return failure
    return streaming_response(response_body, "text/event-stream" if body.stream else "application/json")


@blueprint.get("/v1/models")
def models() -> Response:
    """List the models that the caller may use."""
    parts = services()
    priced = parts.limiter.allowance(principal()).models == "priced"
    listed = [
        {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
        for name in parts.providers.listed(priced=priced)
    ]
    return json_response({"object": "list", "data": listed})


def _check_supported(body: _CompletionBody) -> None:
    if body.n is not None and body.n != 1:
        raise InvalidRequest("n must be 1: one answer at a time.", param="n", code="unsupported")
    for name in ("tools", "functions"):
        if bytes(getattr(body, name) or b"").strip() not in _EMPTY:
            raise InvalidRequest(f"{name} are not supported yet.", param=name, code="unsupported")


class _Completion:
    """One answer in OpenAI's form."""

    def __init__(self, run: Run, *, usage: bool) -> None:
        self._run = run
        self._usage = usage
        self._received: list[Delivery] = []
        self._filter = ReplayFilter(run.log)
        self._fields = {"id": f"chatcmpl-{run.id}", "created": int(time.time()), "model": ""}
        self._head = b""
        self._update_model()

    def _update_model(self) -> None:
        """Name the model that answers: it changes when the first provider fails and the next one is asked."""
        if self._fields["model"] != self._run.model:
            self._fields["model"] = self._run.model
            head = encode({**self._fields, "object": "chat.completion.chunk", "choices": []})
            self._head = b"data: " + head[: -len(b"]}")] + b'{"index":0,"delta":{'

    def wait(self, body: RunBody, timeout_s: float, *, complete: bool) -> None:
        """Wait for the first event, or with `complete` for the end, so that a failure can be an HTTP status."""
        until = time.monotonic() + timeout_s
        while not body.connection.gone:
            self._received += body.reader.take()
            if body.reader.ended or (
                not complete and any(frame.kind != "start" for frame, _ in self._received)
            ):
                return
            left_s = until - time.monotonic()
            if left_s <= 0:
                return
            body.connection.wake.wait(left_s)

    def failure(self, *, complete: bool) -> Response | None:
        """Return the response to a failure before the first text, or of a `complete` answer at any time."""
        last = self._received[-1][0] if self._received else None
        if last is None or last.kind != "error":
            return None
        if not complete and any(frame.kind == "text" for frame, _ in self._received):
            return None
        error = msgspec.json.decode(last.payload)
        response = json_response(failed_answer_body(error["error"], error["code"]), status_of(error["code"]))
        if "retry_after" in error:
            response.headers["Retry-After"] = str(int(error["retry_after"]) + 1)
        return response

    def chunks(self, reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        """Yield the answer as chunks, as it comes."""
        self._update_model()
        first = self._head + b'"role":"assistant","content":""' + _TAIL
        yield from split_writes(first + self._chunks(self._received))
        connection.wrote()
        for new in deliveries(reader, connection):
            self._update_model()
            yield from split_writes(self._chunks(new) or self._head + _TAIL)

    def complete(self, reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        """Yield the completion at the end of the run; white space keeps the connection alive until then."""
        while not reader.ended:
            if connection.is_silent():  # asked first: a heartbeat may have been due while the status waited
                yield b" "
                connection.wrote()
            connection.wake.wait()
            self._received += reader.take()
            if connection.gone or connection.leaving:
                break
        if reader.ended:
            yield from split_writes(encode(self._completion()))

    def _chunks(self, new: list[Delivery]) -> bytes:
        return b"".join(self._chunk(sent) for frame, _ in new for sent in self._filter.new(frame))

    def _chunk(self, frame: Frame) -> bytes:
        payload = frame.payload
        match frame.kind:
            case "text":
                return b'%b"content":%b%b' % (self._head, payload[_TEXT:-1], _TAIL)
            case "reasoning":
                return b'%b"reasoning_content":%b%b' % (self._head, payload[_REASONING:-1], _TAIL)
            case "done":
                return self._last_chunks(msgspec.json.decode(payload))
            case "error":
                error = msgspec.json.decode(payload)
                return b"data: %b\n\n" % encode(failed_answer_body(error["error"], error["code"]))
            case _:
                return b""

    def _last_chunks(self, done: dict[str, Any]) -> bytes:
        fields = {**self._fields, "object": "chat.completion.chunk"}
        choice = {"index": 0, "delta": {}, "finish_reason": _finish_reason(done)}
        lines = [encode({**fields, "choices": [choice]})]
        if self._usage:
            lines.append(encode({**fields, "choices": [], "usage": _usage(done)}))
        return b"".join(b"data: %b\n\n" % line for line in [*lines, b"[DONE]"])

    def _completion(self) -> dict[str, Any]:
        self._update_model()
        last = msgspec.json.decode(self._received[-1][0].payload)
        if "error" in last:
            return failed_answer_body(last["error"], last["code"])
        message = {"role": "assistant", "content": self._run.log.text_of("text")}
        reasoning = self._run.log.text_of("reasoning")
        if reasoning:
            message["reasoning_content"] = reasoning
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(last), "logprobs": None}
        return {**self._fields, "object": "chat.completion", "choices": [choice], "usage": _usage(last)}


def _finish_reason(done: dict[str, Any]) -> str:
    reason: str = done["finish_reason"]
    return "stop" if reason == "cancelled" else reason


def _usage(done: dict[str, Any]) -> dict[str, int]:
    input_tokens, output_tokens = done["usage"]["input_tokens"], done["usage"]["output_tokens"]
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
