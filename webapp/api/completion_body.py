"""The body of a request to the OpenAI-compatible endpoints; https://platform.openai.com/docs/api-reference/chat/create.

What OpenAI accepts is accepted. A parameter is passed on to the providers that know it (`catalog/parameters.py`) or refused by
name. `completion_messages.py` reads the messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from webapp.api.start_request import (
    MAX_VALUES,
    RequestImageUrl,
    RequestMessage,
    RequestPart,
    StartBody,
    read_json,
    requested_effort,
)
from webapp.chat import MAX_TOKENS
from webapp.errors import InvalidRequest

_MAX_MESSAGES = 4_000
_NAME_CHARS = 64
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]-]")

_INTEGERS = ("n", "max_tokens", "max_completion_tokens", "seed", "top_k", "top_logprobs")
_WHOLE = re.compile(rb"-?[0-9]{1,15}\.0{1,15}")

_Detail = Annotated[str, msgspec.Meta(max_length=32)]
_Tokens = Annotated[int, msgspec.Meta(ge=-1, le=2**53)]  # 0 and -1 mean no limit
_Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
_Bias = Annotated[int, msgspec.Meta(ge=-100, le=100)] | Annotated[float, msgspec.Meta(ge=-100, le=100)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Label = Annotated[str, msgspec.Meta(max_length=512)]
_MetadataKey = Annotated[str, msgspec.Meta(max_length=64)]
_Stop = Annotated[str, msgspec.Meta(max_length=1_000)]


class StreamOptions(msgspec.Struct, frozen=True):
    """Options of a streamed completion; with `include_usage` the last chunk before `[DONE]` has the usage."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # asks for padding, which is not added


class FunctionCall(msgspec.Struct, frozen=True):
    """A function that an earlier answer called; `arguments` is JSON as a text, or the value itself."""

    name: str | None = None
    arguments: Any = None
    input: Any = None


class ToolCall(msgspec.Struct, frozen=True):
    """A tool that an earlier answer called."""

    id: str | None = None
    function: FunctionCall | None = None
    custom: FunctionCall | None = None


class CompletionImageUrl(RequestImageUrl, frozen=True):
    """An image of a message, with how closely the model looks at it."""

    detail: _Detail | None = None


class CompletionPart(RequestPart, frozen=True):
    """A part of a message: also `refusal`, and `input_text`, `output_text` and `input_image` of the Responses API."""

    image_url: CompletionImageUrl | str | None = None  # type: ignore[assignment]  # the Responses API sends the URL alone
    detail: _Detail | None = None
    refusal: str | None = None


class CompletionMessage(RequestMessage, frozen=True):
    """A message of a request: also those of tools, and the calls of tools in an answer."""

    content: str | list[CompletionPart] | None = None  # type: ignore[assignment]
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The form of the answer; `json_schema` has a name and a schema, `schema` is what some servers take with `json_object`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None


class CompletionBody(StartBody, frozen=True, kw_only=True):
    """The body of a request for a chat completion; null means the same as leaving a field out."""

    messages: Annotated[Sequence[CompletionMessage], msgspec.Meta(max_length=_MAX_MESSAGES)] | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    stop: _Stop | Annotated[list[_Stop], msgspec.Meta(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    # Passed on by name.
    top_p: _Share | None = None
    presence_penalty: _Penalty | None = None
    frequency_penalty: _Penalty | None = None
    response_format: ResponseFormat | None = None
    top_k: Annotated[int, msgspec.Meta(ge=-1, le=1_000_000)] | None = None
    min_p: _Share | None = None
    repetition_penalty: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    logit_bias: dict[str, _Bias] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    prediction: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority"] | None = None
    store: bool | None = None
    metadata: Annotated[dict[_MetadataKey, _Label], msgspec.Meta(max_length=16)] | None = None
    user: _Label | None = None
    safety_identifier: _Label | None = None
    prompt_cache_key: _Label | None = None
    prompt_cache_retention: _Label | None = None
    prompt_cache_options: dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    # Refused where they would change anything.
    tools: Any = None
    functions: Any = None
    tool_choice: Any = None
    function_call: Any = None
    parallel_tool_calls: bool | None = None
    modalities: list[str] | None = None
    audio: Any = None


_PASSED_ON = [
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "top_k",
    "min_p",
    "repetition_penalty",
    "logit_bias",
    "verbosity",
    "prediction",
    "web_search_options",
    "service_tier",
    "store",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "logprobs",
    "top_logprobs",
]


def read_completion(raw: bytes) -> CompletionBody:
    """Parse and check a body, and bring fields with several forms into one. Raises `InvalidRequest` that names the field."""
    try:
        body: CompletionBody = read_json(raw, CompletionBody, MAX_VALUES)
    except InvalidRequest:
        whole = _with_integers(raw)
        if whole is None:
            raise
        body = read_json(whole, CompletionBody, MAX_VALUES)
    for name, value in read_json(raw, dict[str, msgspec.Raw]).items():
        if name not in CompletionBody.__struct_encode_fields__ and bytes(value) != b"null":
            shown = _UNSAFE.sub("", name)[:_NAME_CHARS]
            raise InvalidRequest(
                f"{shown} is not a parameter of this endpoint: leave it out.",
                param=shown,
                code="unknown_parameter",
            )
    _check_supported(body)
    if body.effort is not None and requested_effort(replace(body, effort=None)) not in (None, body.effort):
        raise InvalidRequest(
            "Send either effort or reasoning_effort, not both.", param="reasoning_effort", code="asked_twice"
        )
    stop = [body.stop] if isinstance(body.stop, str) else body.stop
    return replace(
        body,
        max_tokens=_limit(body.max_tokens),
        max_completion_tokens=_limit(body.max_completion_tokens),
        stop=[text for text in stop or () if text],
    )


def _with_integers(raw: bytes) -> bytes | None:
    """Return a body with `100.0` as `100` where a field is an integer, as JSON has no integers; None if that changes nothing."""
    try:
        fields = read_json(raw, dict[str, msgspec.Raw])
    except InvalidRequest:
        return None
    floats = {name: bytes(fields[name]) for name in _INTEGERS if name in fields}
    integers = {name: b"%d" % float(value) for name, value in floats.items() if _WHOLE.fullmatch(value)}
    if not integers:
        return None
    return msgspec.json.encode(fields | {name: msgspec.Raw(value) for name, value in integers.items()})


def caller_names(body: CompletionBody) -> dict[str, str]:
    """Return the caller's names of those fields that have two, by the name under which the server reports them."""
    names = {}
    if body.effort is None and body.reasoning_effort is not None:
        names["effort"] = "reasoning_effort"
    if body.max_completion_tokens is not None and body.max_tokens is None:
        names["max_tokens"] = "max_completion_tokens"
    return names


def read_parameters(body: CompletionBody) -> dict[str, Any]:
    """Return the parameters that are passed on by name to a provider that knows them."""
    found = {name: value for name in _PASSED_ON if (value := getattr(body, name)) is not None}
    if not body.logprobs:
        found = {name: value for name, value in found.items() if not name.endswith("logprobs")}
    if body.response_format is not None:
        found["response_format"] = msgspec.to_builtins(body.response_format)
    if body.seed is not None:  # not every provider knows it, although a `ModelRequest` has a field for it
        found["seed"] = body.seed
    return found


def _limit(tokens: int | None) -> int | None:
    return min(tokens, MAX_TOKENS) if tokens is not None and tokens > 0 else None


def _check_supported(body: CompletionBody) -> None:
    """Refuse parameters that cannot be honoured. Raises `InvalidRequest`."""
    if body.n is not None and body.n != 1:
        raise InvalidRequest(
            "n must be 1: this server generates one answer per request.", param="n", code="unsupported"
        )
    refused = [name for name in ("tools", "functions", "audio") if getattr(body, name) not in (None, [])]
    refused += [
        name for name in ("tool_choice", "function_call") if getattr(body, name) not in (None, "none", "auto")
    ]
    if any(modality != "text" for modality in body.modalities or ()):
        refused.append("modalities")
    if refused:
        raise InvalidRequest(
            f"{refused[0]} is not supported by this server: leave it out.",
            param=refused[0],
            code="unsupported",
        )
    if body.top_logprobs and not body.logprobs:
        raise InvalidRequest(
            "top_logprobs needs logprobs: true.", param="top_logprobs", code="missing_logprobs"
        )
    if (
        body.response_format is not None
        and body.response_format.type == "json_schema"
        and not (body.response_format.json_schema or {}).get("schema")
    ):
        raise InvalidRequest(
            "response_format.json_schema.schema is missing.",
            param="response_format.json_schema.schema",
            code="missing",
        )
