"""OpenAI's Responses API: recorded responses, split anywhere, and requests, checked by the types of OpenAI's own package."""

import json
from typing import Any

import pytest
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from tests.unit.recorded import Decoded, decode_recording, recording, recording_names
from tests.unit.transports import FakeControl, FakeTransport
from webapp.chat import Effort, ImagePart, ModelMessage, ModelRequest, TextPart
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ParameterIgnored, Source, TextDelta, UsageReport
from webapp.providers.openai.models import is_reasoning_model, needs_responses
from webapp.providers.openai.responses import OpenAIResponsesProvider
from webapp.providers.openai.responses_decoder import ResponsesDecoder
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient

SOL = "gpt-6.2-sol-2026-10-20"
USED = (30, 12)
OVERLOADED = {"failure": "upstream_overloaded", "retryable": True}
SKY = "https://sky.example/?utm_source=openai"

EXPECTED = {
    "plain": Decoded(text="Hello", usage=USED, reason="stop", model=SOL),
    "reasoning": Decoded(
        text="Hello",
        reasoning="**Greeting**\n\nThey greet me.\n\nSo do I.",
        usage=USED,
        reason="stop",
        model=SOL,
    ),
    "reasoning_text": Decoded(text="Hello", reasoning="They greet me.", reason="stop", model="gpt-oss-120b"),
    "annotations": Decoded(
        text="Blue.",
        usage=USED,
        reason="stop",
        model=SOL,
        sources=(
            Source(n=1, title="The sky", source=SKY),
            Source(n=2, title="sky.pdf"),
            Source(n=3, title="Late", source="https://late.example/"),
        ),
    ),
    "refusal": Decoded(text="I can't help.", usage=USED, reason="content_filter", model=SOL),
    "max_output_tokens": Decoded(text="Hel", usage=USED, reason="length", model=SOL),
    "content_filter": Decoded(text="Hel", reason="content_filter", model=SOL),
    "failed": Decoded(text="Hel", usage=USED, **OVERLOADED),
    "failed_prompt": Decoded(failure="upstream_bad_request", retryable=False),
    "failed_policy": Decoded(failure="upstream_bad_request", retryable=False),
    "error_flat": Decoded(text="Hel", failure="upstream_rate_limited", retryable=True),
    "error_nested": Decoded(text="Hel", failure="upstream_quota", retryable=False),
    "error_bare": Decoded(text="Hel", **OVERLOADED),
    "error_text": Decoded(text="Hel", **OVERLOADED),
    "unknown": Decoded(text="Hello", usage=(3, None), reason="stop", model=SOL),
    "tool_call": Decoded(usage=USED, reason="tool_calls", model=SOL),
    "two_messages": Decoded(text="I look it up.\n\nBlue.", usage=USED, reason="stop", model=SOL),
    "no_deltas": Decoded(text="Hello", usage=USED, reason="stop", model=SOL),
    "only_end": Decoded(
        text="Hello",
        reasoning="**Greeting**\n\nThey greet me.\n\nSo do I.",
        usage=USED,
        reason="stop",
        model=SOL,
    ),
    "done_marker": Decoded(text="Hello", reason="stop", model=SOL),
    "no_end": Decoded(text="Hello", failure="interrupted", retryable=True),
    "cancelled": Decoded(text="Hel", **OVERLOADED),
    "whole_answer": Decoded(
        text="Hello",
        usage=USED,
        reason="stop",
        model=SOL,
        sources=(Source(n=1, title="A", source="https://a.example/"),),
    ),
    "whole_incomplete": Decoded(
        text="Hello",
        usage=USED,
        reason="length",
        model=SOL,
        sources=(Source(n=1, title="A", source="https://a.example/"),),
    ),
    "whole_error": Decoded(failure="upstream_rate_limited", retryable=True),
    "web_page": Decoded(failure="upstream_bad_request", retryable=False),
    "one_damaged": Decoded(text="Hello", usage=USED, reason="stop", model=SOL, damaged=1),
}


def test_every_recording_has_an_expectation() -> None:
    assert recording_names("openai_responses") == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str) -> None:
    assert decode_recording(ResponsesDecoder, recording("openai_responses", name)) == EXPECTED[name]


def test_cached_tokens_are_reported() -> None:
    decoder = ResponsesDecoder(1 << 20)
    events = decoder.decode(recording("openai_responses", "plain"))
    assert [each for each in events if isinstance(each, UsageReport)] == [UsageReport(30, 12, 20, 4)]


def test_the_policy_s_refusal_has_the_content_filter_s_sentence() -> None:
    decoder = ResponsesDecoder(1 << 20)
    decoder.decode(recording("openai_responses", "failed_policy"))
    assert "content filter" in str(decoder.error)


def test_an_error_s_text_is_redacted_in_its_detail() -> None:
    decoder = ResponsesDecoder(1 << 20)
    decoder.decode(recording("openai_responses", "failed"))
    assert isinstance(decoder.error, UpstreamError)
    assert "The server had an error" in decoder.error.detail
    assert "req_abcdef" not in decoder.error.detail


def record(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", ["response.created", "response.queued"])
def test_a_response_that_stays_queued_fails_although_the_server_sends_comments(kind: str) -> None:
    clock = Clock()
    decoder = ResponsesDecoder(1 << 20, queued_s=60, clock=clock)
    decoder.decode(record(kind, response={"status": "queued"}))
    clock.now += 59
    assert decoder.decode(b": keepalive\n\n") == []
    decoder.decode(record("response.queued", response={"status": "queued"}))  # does not prolong it
    assert decoder.error is None
    clock.now += 2
    decoder.decode(b": keepalive\n\n")
    assert decoder.error is not None
    assert decoder.error.code == "upstream_stalled"


@pytest.mark.parametrize(
    "began",
    [
        record("response.in_progress", response={"status": "in_progress"}),
        record("response.created", response={"status": "in_progress"}),
        record("response.output_item.added", item={}),
    ],
)
def test_a_response_that_has_begun_has_no_such_deadline(began: bytes) -> None:
    clock = Clock()
    decoder = ResponsesDecoder(1 << 20, queued_s=60, clock=clock)
    decoder.decode(record("response.created", response={"status": "queued"}))
    decoder.decode(began)
    clock.now += 1_000
    assert decoder.decode(record("response.output_text.delta", delta="x")) == [TextDelta("x")]
    assert decoder.error is None


def test_many_parts_are_bounded() -> None:
    decoder = ResponsesDecoder(1 << 20)
    for index in range(1_500):
        decoder.decode(record("response.output_text.delta", output_index=index, content_index=0, delta="x"))
    assert len(decoder._parts) == 1_000


@pytest.mark.parametrize("nested", [b"[" * 50_000, b"[" * 50_000 + b"]" * 50_000])
def test_deeply_nested_json_is_one_damaged_event(nested: bytes) -> None:
    decoder = ResponsesDecoder(1 << 20)
    decoder.decode(b'data: {"type":"response.output_text.delta","delta":' + nested + b"\n\n")
    events = decoder.decode(record("response.completed", response={}))
    assert isinstance(events[-1], Finished)
    assert events[-1].damaged == 1


# The request.

CHECKER: TypeAdapter[Any] = TypeAdapter(response_create_params.ResponseCreateParamsStreaming)
REQUEST = ModelRequest(
    messages=(
        ModelMessage.system("Be brief."),
        ModelMessage.user("Hi"),
        ModelMessage.assistant("Hello"),
        ModelMessage.system("In French."),
        ModelMessage.user(
            [TextPart("What is this?"), ImagePart(media_type="image/png", data="iVBORw0K", detail="low")]
        ),
    ),
    max_tokens=300,
    effort="high",
)
HELLO = [recording("openai_responses", "plain")]


def send(
    request: ModelRequest,
    *outcomes: Any,
    model: str = "gpt-6.2-sol",
    refused: RefusedParameters | None = None,
) -> tuple[list[dict[str, Any]], list[Event], Any]:
    """Return the bodies of a request's calls, the answer's events and the last call."""
    transport = FakeTransport(*outcomes, HELLO)
    provider = OpenAIResponsesProvider(
        RetryingClient(transport),
        model_name=model,
        max_tokens=4096,
        pricer=lambda *_: None,
        api_key="sk-canary",
        base_url="https://api.openai.com/v1",
        refused=refused,
    )
    events = list(provider.stream(request, FakeControl()))
    for body in transport.bodies:
        assert set(body) <= set(response_create_params.ResponseCreateParamsStreaming.__annotations__)
        CHECKER.validate_python(body)
    return transport.bodies, events, transport.calls[-1]


def asking(**fields: Any) -> ModelRequest:
    return ModelRequest(messages=(ModelMessage.user("Hi"),), **fields)


def ignored(events: list[Event]) -> list[str]:
    return [event.name for event in events if isinstance(event, ParameterIgnored)]


def refusal(message: str, param: str | None = None) -> UpstreamError:
    return UpstreamError("upstream_bad_request", reason=f"{param or ''}\n{message}", status=400)


def test_the_request() -> None:
    bodies, _, call = send(REQUEST)
    assert call.url == "https://api.openai.com/v1/responses"
    assert call.headers["Authorization"] == "Bearer sk-canary"
    assert bodies == [
        {
            "model": "gpt-6.2-sol",
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "developer", "content": "In French."},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What is this?"},
                        {
                            "type": "input_image",
                            "image_url": "data:image/png;base64,iVBORw0K",
                            "detail": "low",
                        },
                    ],
                },
            ],
            "max_output_tokens": 300,
            "stream": True,
            "stream_options": {"include_obfuscation": False},
            "store": False,
            "reasoning": {"summary": "auto", "effort": "high"},
        }
    ]


def test_the_checker_refuses_what_openai_s_types_refuse() -> None:
    (body,), _, _ = send(REQUEST)
    with pytest.raises(ValueError, match="validation error"):
        CHECKER.validate_python(body | {"max_output_tokens": "many"})


def test_a_lone_system_message_is_input() -> None:
    (body,), _, _ = send(ModelRequest(messages=(ModelMessage.system("Say hi."),)))
    assert body["input"] == [{"role": "developer", "content": "Say hi."}]
    assert "instructions" not in body


def test_neighbours_of_one_role_are_merged() -> None:
    messages = (ModelMessage.user("One?"), ModelMessage.user("Two?"))
    (body,), _, _ = send(ModelRequest(messages=messages))
    assert body["input"] == [{"role": "user", "content": "One?\n\nTwo?"}]


def test_a_limit_below_the_api_s_least_is_raised() -> None:
    (body,), _, _ = send(asking(max_tokens=5))
    assert body["max_output_tokens"] == 16


def test_parameters_of_chat_completions_are_mapped_or_named() -> None:
    schema = {"name": "s", "schema": {"type": "object"}, "strict": True}
    given = {
        "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": schema},
        "metadata": {"a": "b"},
        "user": "u",
        "reasoning_effort": "low",
        "logit_bias": {"1": 2},
        "frequency_penalty": 0.5,
        "presence_penalty": 0,
        "n": 1,
        "top_p": 0.5,
    }
    (body,), events, _ = send(asking(parameters=given, stop=("END",), seed=7, temperature=0.5))
    assert body["text"] == {"verbosity": "low", "format": {"type": "json_schema", **schema}}
    assert (body["metadata"], body["user"]) == ({"a": "b"}, "u")
    assert body["reasoning"] == {"summary": "auto", "effort": "low"}
    assert not {"temperature", "top_p", "stop", "seed", "n", "logit_bias"} & set(body)
    assert sorted(ignored(events)) == [
        *("frequency_penalty", "logit_bias", "seed", "stop", "temperature", "top_p"),
    ]


def test_defaults_that_a_model_refuses_are_left_out_without_a_word() -> None:
    (body,), events, _ = send(asking(temperature=1, parameters={"top_p": 1}))
    assert not {"temperature", "top_p"} & set(body)
    assert ignored(events) == []


@pytest.mark.parametrize(
    ("model", "effort", "accepts"),
    [
        ("gpt-4.1", None, True),
        ("gpt-5.2", "none", True),
        ("gpt-5.2", "low", False),
        ("gpt-5", "none", False),
        ("o3-pro", None, False),
        ("gpt-5.3-chat-latest", None, True),
        ("vendor/unknown", None, True),
    ],
)
def test_sampling_is_sent_where_the_model_takes_it(model: str, effort: Effort | None, accepts: bool) -> None:
    (body,), events, _ = send(asking(temperature=0.2, effort=effort), model=model)
    assert ("temperature" in body, ignored(events)) == ((True, []) if accepts else (False, ["temperature"]))


@pytest.mark.parametrize(
    ("message", "param", "path", "name"),
    [
        (
            "Unsupported value: 'none' is not supported with the 'gpt-6.2-sol' model. Supported values are: 'low' and 'high'.",
            "reasoning.effort",
            "reasoning.none",
            ["effort"],
        ),
        (
            "Your organization must be verified to generate reasoning summaries.",
            "reasoning.summary",
            "reasoning.summary",
            [],
        ),
        ("Unknown parameter: 'stream_options'.", "stream_options", "stream_options", []),
        ("verbosity is not supported", None, "text.verbosity", ["verbosity"]),
        ("Unknown parameter: 'reasoning'.", "reasoning", "reasoning", ["effort"]),
        ("Reasoning is not supported for this model", None, "reasoning", ["effort"]),
        ("Unknown parameter: 'store'.", "store", "store", []),
    ],
)
def test_n19_a_refused_parameter_is_left_out_once_and_remembered(
    message: str, param: str | None, path: str, name: list[str]
) -> None:
    request, memory = asking(effort="none", parameters={"verbosity": "low"}), RefusedParameters()
    bodies, events, _ = send(request, refusal(message, param), refused=memory)
    last = path.rpartition(".")[2]
    assert len(bodies) == 2
    assert f'"{last}"' in json.dumps(bodies[0])
    assert f'"{last}"' not in json.dumps(bodies[1])
    assert ignored(events) == name
    again, events, _ = send(request, refused=memory)
    assert again == bodies[1:]
    assert ignored(events) == name


@pytest.mark.parametrize(
    ("asked_for", "sent", "named"), [("none", "low", ["effort"]), ("xhigh", "high", []), ("max", "high", [])]
)
def test_n19_a_refused_effort_becomes_the_nearest_one(asked_for: Effort, sent: str, named: list[str]) -> None:
    request, memory = asking(effort=asked_for), RefusedParameters()
    error = refusal(f"Unsupported value: '{asked_for}' is not supported with this model.", "reasoning.effort")
    bodies, events, _ = send(request, error, refused=memory)
    assert [body["reasoning"]["effort"] for body in bodies] == [asked_for, sent]
    assert ignored(events) == named
    (again,), events, _ = send(request, refused=memory)
    assert again["reasoning"]["effort"] == sent
    assert ignored(events) == named


def test_n19_a_refused_effort_that_every_other_model_has_is_left_out() -> None:
    error = refusal("Unsupported parameter: 'reasoning.effort' is not supported with this model.")
    bodies, events, _ = send(asking(effort="low"), error)
    assert bodies[1]["reasoning"] == {"summary": "auto"}
    assert ignored(events) == ["effort"]


def test_n18_a_limit_that_is_too_large_is_lowered_once() -> None:
    message = "max_output_tokens is too large: 4096. This model supports at most 2000 completion tokens."
    bodies, _, _ = send(asking(), refusal(message, "max_output_tokens"))
    assert [body["max_output_tokens"] for body in bodies] == [4096, 2000]


def test_other_refusals_are_errors() -> None:
    with pytest.raises(UpstreamError):
        send(asking(), refusal("Invalid image."))


@pytest.mark.parametrize(
    "model",
    [
        *(
            "gpt-5.4",
            "gpt-5.4-mini",
            "gpt-5.5",
            "gpt-5.10",
            "gpt-6-luna",
            "gpt-6.2-sol",
            "gpt-6.2-sol-2026-10-20",
        ),
        *(
            "gpt-7",
            "gpt-10",
            "o1-pro",
            "o3-pro-2025-06-10",
            "gpt-5-pro",
            "gpt-5.2-codex",
            "codex-mini-latest",
        ),
        *("o3-deep-research", "openai/gpt-6.1-terra", "ft:gpt-5.4-mini:org::id"),
    ],
)
def test_models_that_need_the_responses_api(model: str) -> None:
    assert needs_responses(model)


@pytest.mark.parametrize(
    "model",
    [
        *(
            "gpt-4.1",
            "gpt-4o",
            "gpt-5",
            "gpt-5.2",
            "gpt-5.3",
            "gpt-5-2025-08-07",
            "gpt-5.4-chat-latest",
            "o3",
            "o4-mini",
        ),
        *(
            "gpt-3.5-turbo",
            "gpt-oss-120b",
            "llama3",
            "my-gpt-6-clone",
            "claude-opus-5-5",
            "product",
            "sonar-profile",
        ),
    ],
)
def test_models_that_do_not(model: str) -> None:
    assert not needs_responses(model)


def test_models_that_reason() -> None:
    reasoning = ["o3", "o4-mini", "gpt-5", "gpt-5.2-codex", "gpt-6.2-sol", "openai/gpt-6-luna"]
    others = ["gpt-4.1", "gpt-4o", "gpt-5-chat-latest", "llama3", "gpt-oss-20b", "foo1"]
    assert [is_reasoning_model(model) for model in reasoning + others] == [True] * 6 + [False] * 6
