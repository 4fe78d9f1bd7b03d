"""The endpoints that start, stream, resume and stop answers."""

from __future__ import annotations

from typing import get_args

from webapp.api.openapi.parts import (
    JsonObject,
    header_parameter,
    json_body,
    json_content,
    operation,
    path_parameter,
    query_parameter,
    ref,
    response,
)
from webapp.api.openapi.schemas import TEXT, array, event_stream, struct
from webapp.chat import Effort

_EVENTS = response(
    "The run's frames as SSE records.", {"text/event-stream": {"schema": event_stream(ref("Frame"))}}
)
_ENDED = response("Nothing to resume: the client has the last frame, or there is no such run.")
_RUN = path_parameter("run", "The run's id.")
_LAST_EVENT_ID = header_parameter("Last-Event-ID", "The cursor of the last frame that the client has.", TEXT)
_KEY = header_parameter(
    "Idempotency-Key",
    "Another way to choose the run: the same key from the same caller joins it.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
_QUERY_FIELDS = ("query", "system", "provider", "model", "run", "conversation", "parent")


def answer_paths() -> dict[str, JsonObject]:
    """Return the descriptions of the paths, by path."""
    completion = _completion()
    return {
        "/stream": {"post": _start(), "get": _start_by_query()},
        "/stream/{run}": {
            "get": operation(
                "answers",
                "Resume or join a run",
                {200: _EVENTS, 204: _ENDED},
                errors=(404,),
                parameters=(
                    _RUN,
                    _LAST_EVENT_ID,
                    query_parameter("after", "A cursor, where no header can be sent.", TEXT),
                ),
            )
        },
        "/stream/{run}/stop": {
            "post": operation(
                "answers",
                "Stop a run; idempotent",
                {200: response("How the run stands.", json_content(ref("Receipt")))},
                errors=(404,),
                parameters=(_RUN,),
            )
        },
        "/ws": {
            "get": operation(
                "answers",
                "Open a WebSocket that carries up to four runs; see docs/protocol.md",
                {101: response("The connection is a WebSocket from here on.")},
            )
        },
        "/v1/chat/completions": {"post": completion},
        "/chat/completions": {"post": completion},
        "/v1/models": {
            "get": operation(
                "OpenAI-compatible",
                "List the models that the caller may use",
                {
                    200: response(
                        "The models.",
                        json_content(struct({"object": {"const": "list"}, "data": array(ref("Model"))})),
                    )
                },
            )
        },
        "/v1/models/{name}": {
            "get": operation(
                "OpenAI-compatible",
                "Return one model; its name may contain slashes",
                {200: response("The model.", json_content(ref("Model")))},
                errors=(404,),
                parameters=(path_parameter("name", "`provider/model`, or the model's name alone."),),
            )
        },
        "/models": {
            "get": operation(
                "answers",
                "List the models that the caller may use, with what is known of them",
                {200: response("The models, by provider.", json_content(ref("ModelGroups")))},
            )
        },
    }


def _start() -> JsonObject:
    return operation(
        "answers",
        "Start a run and stream it; with a Last-Event-ID, resume and never start",
        {200: _EVENTS, 204: _ENDED},
        errors=(404, 409, 415),
        parameters=(_LAST_EVENT_ID, _KEY),
        body=json_body("StartBody"),
    )


def _start_by_query() -> JsonObject:
    return operation(
        "answers",
        "Start a run and stream it, for a plain EventSource; with a Last-Event-ID, resume",
        {200: _EVENTS, 204: _ENDED},
        errors=(404, 409, 413),
        parameters=(
            *(query_parameter(name, "As in the body of POST.", TEXT) for name in _QUERY_FIELDS),
            query_parameter("max_tokens", "As in the body of POST.", {"type": "integer", "minimum": 1}),
            query_parameter("temperature", "As in the body of POST.", {"type": "number", "minimum": 0}),
            query_parameter("effort", "As in the body of POST.", {"enum": list(get_args(Effort))}),
            query_parameter("after", "A cursor, where no header can be sent.", TEXT),
            _LAST_EVENT_ID,
            _KEY,
        ),
    )


def _completion() -> JsonObject:
    content = json_content({"oneOf": [ref("Completion"), ref("Error")]})
    chunk = {"oneOf": [ref("CompletionChunk"), ref("Error")]}  # and at last the text [DONE]
    content["text/event-stream"] = {"schema": event_stream(chunk)}
    return operation(
        "OpenAI-compatible",
        "Create a chat completion",
        {200: response("A completion, or its chunks; an error that came late.", content)},
        errors=(404, 409, 415, 500, 502, 504),
        parameters=(_KEY,),
        body=json_body("CompletionBody"),
    )
