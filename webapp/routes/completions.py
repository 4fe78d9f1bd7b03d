"""The OpenAI-compatible endpoints; https://platform.openai.com/docs/api-reference/chat.

Streams consist of `data:` lines and blank lines only, because many OpenAI clients do not parse other SSE fields.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from webapp.api.completion_body import caller_names, read_completion, read_parameters
from webapp.api.completion_messages import read_completion_messages
from webapp.api.replay_filter import ReplayFilter
from webapp.errors import Interrupted, RequestError, UnsupportedType
from webapp.events import Source
from webapp.frames import Frame, encode
from webapp.routes.current_principal import current_principal
from webapp.routes.error_responses import failed_answer_body, status_of
from webapp.routes.responses import json_response
from webapp.routes.stream import requested_run_id
from webapp.routes.streaming import RunBody, admit_reader, deliveries, split_writes, streaming_response
from webapp.runs.readers import Delivery, Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.services import services

blueprint = Blueprint("completions", __name__)

# How long the status waits, so that an early failure becomes an HTTP error: for the first event of a stream, or for all
# of a completion.
_FIRST_EVENT_S = 5.0
_COMPLETE_S = 10.0
_ORPHAN_S = 1.0  # ends a run whose reader left before it read anything
_TEXT_PREFIX_BYTES = len(b'{"text":')
_REASONING_PREFIX_BYTES = len(b'{"reasoning":')
_LOGPROBS_PREFIX_BYTES, _LOGPROBS_SUFFIX_BYTES = len(b'{"logprobs":['), len(b"]}")
_IGNORED_HEADER = "Freshet-Ignored"
_IGNORED_FIELD = (
    "freshet_ignored"  # of a chunk or completion, for what was left out after the header had been sent
)
_MAX_IGNORED = 50
_CHUNK_END = b'},"finish_reason":null}]}\n\n'


@blueprint.post("/v1/chat/completions")
@blueprint.post("/chat/completions")
def create_completion() -> Response:
    """Start a run and return its answer in OpenAI's format, streamed or as one completion."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    body = read_completion(request.get_data())
    messages, parameters = read_completion_messages(body), read_parameters(body)
    parts, caller = services(), current_principal()
    run_id = requested_run_id(body, caller.owner)
    if run_id != body.run:
        body = msgspec.structs.replace(body, run=run_id)
    names = caller_names(body)
    connection = admit_reader(parts)
    try:
        spec = parts.starter.build_spec(
            body, caller, orphan_s=_ORPHAN_S, messages=messages, parameters=parameters
        )
        if run_id is None:  # nobody could come back to the answer that another worker continues
            spec = msgspec.structs.replace(spec, reference=b"")
        run, _ = parts.runs.start(spec)
    except BaseException as error:
        parts.runs.disconnect(connection)
        if isinstance(error, RequestError) and error.param in names:
            _use_caller_name(error, names[error.param])
        raise
    completion = _Completion(
        run,
        usage=body.stream_options is not None and bool(body.stream_options.include_usage),
        names=names,
    )
    encoder = completion.chunks if body.stream else completion.complete
    response_body = RunBody(parts, run, None, encoder, connection, stop=True)
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
    response = streaming_response(response_body, "text/event-stream" if body.stream else "application/json")
    if completion.ignored:
        response.headers[_IGNORED_HEADER] = ", ".join(completion.ignored)
    return response


def _use_caller_name(error: RequestError, name: str) -> None:
    """Name a refused field as the caller wrote it."""
    error.message = re.sub(rf"\b{error.param}\b", name, error.message)
    error.param = name


def _cut_off_body() -> dict[str, object]:
    """Return the error for an answer that this server leaves to another: clients of these endpoints cannot resume it."""
    error = Interrupted()
    return failed_answer_body(error.message, error.code)


class _Completion:
    """Encodes one run's answer in OpenAI's format."""

    def __init__(self, run: AnyRun, *, usage: bool, names: Mapping[str, str]) -> None:
        """Encode the answer of `run`. `names` are the caller's names of parameters, where they are others."""
        self._run = run
        self._names = names
        self.ignored: list[str] = []
        self._usage = usage
        self._received: list[Delivery] = []
        self._filter = ReplayFilter(run.log)
        self._fields = {"id": f"chatcmpl-{run.id}", "created": int(time.time()), "model": ""}
        self._chunk_start = b""
        self._tokens: list[bytes] = []  # of the next text, as JSON
        self._update_model()

    def _update_model(self) -> None:
        """Update the model's name in the chunks: it changes when the run falls back to another provider."""
        if self._fields["model"] != self._run.model:
            self._fields["model"] = self._run.model
            start = encode({**self._fields, "object": "chat.completion.chunk", "choices": []})
            self._chunk_start = b"data: " + start[: -len(b"]}")] + b'{"index":0,"delta":{'

    def wait(self, body: RunBody, timeout_s: float, *, complete: bool) -> None:
        """Wait for the first event, or with `complete` for the end, so that a failure can be an HTTP status."""
        deadline = time.monotonic() + timeout_s
        while not body.connection.gone:
            new = body.reader.take()
            self._received += new
            self._note_ignored(new)
            if (
                body.reader.ended
                or body.connection.must_reconnect
                or (
                    not complete and any(frame.kind not in ("start", "notice") for frame, _ in self._received)
                )
            ):
                return
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            body.connection.wake.wait(left_s)

    def _note_ignored(self, new: list[Delivery]) -> list[str]:
        """Add the parameters that a provider has refused, by the notices among `new` frames; return those added."""
        added: list[str] = []
        for frame, _ in new:
            if frame.kind == "notice":
                name = msgspec.json.decode(frame.payload)["notice"].get("parameter")
                name = self._names.get(name, name)
                if name and name not in self.ignored and len(self.ignored) < _MAX_IGNORED:
                    self.ignored.append(name)
                    added.append(name)
        return added

    def failure(self, *, complete: bool) -> Response | None:
        """Return the error response if the run has failed before its first text, or with `complete` at any time."""
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
        """Yield the answer as chunks while it is generated; an empty chunk is the heartbeat."""
        self._update_model()
        first = self._chunk_start + b'"role":"assistant","content":""' + _CHUNK_END
        yield from split_writes(first + self._chunks(self._received))
        connection.note_write()
        for new in deliveries(reader, connection):
            self._update_model()
            late = self._ignored_chunk(self._note_ignored(new))
            yield from split_writes(late + self._chunks(new) or self._chunk_start + _CHUNK_END)
        if connection.must_reconnect and not reader.ended:
            yield b"data: %b\n\n" % encode(_cut_off_body())

    def complete(self, reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        """Yield the completion at the end of the run; until then spaces, which JSON ignores, keep the connection alive."""
        while not reader.ended:
            if connection.is_heartbeat_due():  # checked first: a heartbeat may have become due in `wait`
                yield b" "
                connection.note_write()
            connection.wake.wait()
            new = reader.take()
            self._received += new
            self._note_ignored(new)
            if connection.gone or connection.must_reconnect:
                break
        if reader.ended:
            yield from split_writes(encode(self._completion()))
        elif connection.must_reconnect:
            yield encode(_cut_off_body())

    def _ignored_chunk(self, names: list[str]) -> bytes:
        """Return an empty chunk that names parameters that were left out after the header had been sent."""
        if not names:
            return b""
        choice = {"index": 0, "delta": {}, "finish_reason": None}
        fields = {
            **self._fields,
            "object": "chat.completion.chunk",
            "choices": [choice],
            _IGNORED_FIELD: names,
        }
        return b"data: %b\n\n" % encode(fields)

    def _chunks(self, new: list[Delivery]) -> bytes:
        return b"".join(self._chunk(unseen) for frame, _ in new for unseen in self._filter.unseen(frame))

    def _chunk(self, frame: Frame) -> bytes:
        payload = frame.payload
        match frame.kind:
            case "text":
                end = self._logprobs_end() if self._tokens else _CHUNK_END
                return b'%b"content":%b%b' % (self._chunk_start, payload[_TEXT_PREFIX_BYTES:-1], end)
            case "logprobs":
                self._tokens.append(payload[_LOGPROBS_PREFIX_BYTES:-_LOGPROBS_SUFFIX_BYTES])
                return b""
            case "reasoning":
                return b'%b"reasoning_content":%b%b' % (
                    self._chunk_start,
                    payload[_REASONING_PREFIX_BYTES:-1],
                    _CHUNK_END,
                )
            case "done":
                return self._last_chunks(msgspec.json.decode(payload))
            case "error":
                error = msgspec.json.decode(payload)
                return b"data: %b\n\n" % encode(failed_answer_body(error["error"], error["code"]))
            case _:
                return b""

    def _logprobs_end(self) -> bytes:
        """Return the end of a chunk that has the tokens which have come before its text."""
        tokens, self._tokens = self._tokens, []
        return b'},"logprobs":%b%b' % (_logprobs(tokens), _CHUNK_END[1:])

    def _last_chunks(self, done: dict[str, Any]) -> bytes:
        fields = {**self._fields, "object": "chat.completion.chunk"}
        annotations = self._annotations()
        delta = {"annotations": annotations} if annotations else {}
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": _finish_reason(done)}
        if self._tokens:
            choice["logprobs"] = msgspec.Raw(_logprobs(self._tokens))
        lines = [encode({**fields, "choices": [choice]})]
        if self._usage:
            lines.append(encode({**fields, "choices": [], "usage": _usage(done)}))
        return b"".join(b"data: %b\n\n" % line for line in [*lines, b"[DONE]"])

    def _annotations(self) -> list[dict[str, Any]]:
        """Return the cited sources that have an address, in OpenAI's form."""
        sources = [source for source in self._run.log.sources() if source.source]
        text = self._run.log.text_of("text") if sources else ""
        return [_annotation(source, text) for source in sources]

    def _completion(self) -> dict[str, Any]:
        self._update_model()
        last = msgspec.json.decode(self._received[-1][0].payload)
        if "error" in last:
            return failed_answer_body(last["error"], last["code"])
        message: dict[str, Any] = {"role": "assistant", "content": self._run.log.text_of("text")}
        annotations = self._annotations()
        if annotations:
            message["annotations"] = annotations
        reasoning = self._run.log.text_of("reasoning")
        if reasoning:
            message["reasoning_content"] = reasoning
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": _finish_reason(last),
            "logprobs": self._all_logprobs(),
        }
        completion = {**self._fields, "object": "chat.completion", "choices": [choice], "usage": _usage(last)}
        return completion | ({_IGNORED_FIELD: self.ignored} if self.ignored else {})

    def _all_logprobs(self) -> msgspec.Raw | None:
        tokens = [
            frame.payload[_LOGPROBS_PREFIX_BYTES:-_LOGPROBS_SUFFIX_BYTES]
            for frame, _ in self._received
            if frame.kind == "logprobs"
        ]
        return msgspec.Raw(_logprobs(tokens)) if tokens else None


def _logprobs(tokens: list[bytes]) -> bytes:
    """Return tokens, which are JSON without brackets, in OpenAI's form."""
    return b'{"content":[%b],"refusal":null}' % b",".join(tokens)


def _annotation(source: Source, text: str) -> dict[str, Any]:
    """Return a source as OpenAI's annotation, which covers the first `[n]` in the text, or nothing of it."""
    mark = f"[{source.n}]"
    start = text.find(mark)
    span = (start, start + len(mark)) if start >= 0 else (0, 0)
    citation = {"url": source.source, "title": source.title, "start_index": span[0], "end_index": span[1]}
    return {"type": "url_citation", "url_citation": citation}


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
