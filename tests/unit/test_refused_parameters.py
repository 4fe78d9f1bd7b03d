"""Recognising refused parameters in any wording, leaving them out, and remembering them."""

import json
from typing import Any

import pytest

from tests.unit.transports import HELLO, FakeControl, FakeTransport
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ParameterIgnored, TextDelta
from webapp.providers.errors import error_from_response
from webapp.providers.openai.chat_decoder import OpenAIDecoder
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.refusals.parameters import (
    Parameter,
    caller_parameters,
    find_refused,
    find_refused_value,
)
from webapp.providers.refusals.repeater import Repeater
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.retries import RetryingClient
from webapp.seams import Call

NAMES = (
    "temperature",
    "top_p",
    "stop",
    "seed",
    "user",
    "system",
    "logprobs",
    "frequency_penalty",
    "verbosity",
)
PARAMETERS = (
    *caller_parameters(NAMES),
    Parameter("reasoning_effort", "effort", ("thinking", "reasoning effort")),
    Parameter("stream_options"),
    Parameter("options.think", "effort"),
)


def refusal(error: Any, status: int = 400) -> UpstreamError:
    body = error if isinstance(error, dict) and ("error" in error or "detail" in error) else {"error": error}
    return error_from_response(status, {}, json.dumps(body).encode())


REFUSED: list[tuple[Any, list[str]]] = [
    ({"message": "`temperature` is deprecated for this model."}, ["temperature"]),
    ("temperature: Extra inputs are not permitted", ["temperature"]),
    ("Unrecognized request argument supplied: stop", ["stop"]),
    ("Unsupported parameter: 'stop' is not supported with this model.", ["stop"]),
    ("This model does not support stop sequences. Remove them.", ["stop"]),
    ("The frequency penalty must be left at its default.", ["frequency_penalty"]),
    ({"message": "Unsupported value", "param": "temperature", "code": "unsupported_value"}, ["temperature"]),
    ({"message": "Not supported, try top_p.", "param": "temperature"}, ["temperature"]),
    ({"message": "no", "param": "reasoning.effort"}, ["effort", "effort"]),
    ({"message": "no", "param": "reasoning_effort"}, ["effort"]),
    ('"deepseek" does not support thinking', ["effort"]),
    ("temperature and top_p cannot both be specified for this model. Please use only one.", ["top_p"]),
    ("Sampling parameters are rejected: 'temperature', 'top_p'", ["temperature", "top_p"]),
    ({"detail": [{"loc": ["body", "stop"], "msg": "extra fields not permitted"}]}, ["stop"]),
    (
        {"detail": [{"loc": ["body", "seed"], "msg": "no"}, {"loc": ["body", "top_p"], "msg": "no"}]},
        ["top_p", "seed"],
    ),
    ({"detail": "property 'logprobs' is unsupported"}, ["logprobs"]),
    ("unknown field `verbosity`, expected one of `model`, `messages`", ["verbosity"]),
    ({"message": {"error": {"message": "seed is not available"}}}, ["seed"]),
    ("Value error, temperature must be 1", ["temperature"]),
    ("参数 temperature 目前不可用", ["temperature"]),
    ("不支持 stop 参数", ["stop"]),
    ("Invalid value at 'generation_config.frequencyPenalty'", ["frequency_penalty"]),
    ("Penalty is not enabled for this model: topP", ["top_p"]),
    ("topP is set, but it may be left at its default only", ["top_p"]),
    ("Conversation roles must alternate user/assistant/user/assistant/...", []),
    ("The model stopped. A user may ask again.", []),
    ("your nonstop seedling is not supported", []),
    ("top_percent is not supported", []),
    ("The prompt is too long", []),
    ("", []),
    # OpenRouter, xAI, Bedrock, LiteLLM, vLLM, Cloudflare
    ({"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"no","param":"stop"}}'}}, ["stop"]),
    ("Model grok-4 does not support parameter presencePenalty, frequencyPenalty.", ["frequency_penalty"]),
    ("Malformed input request: #: extraneous key [stop] is not permitted, please reformat your input", ["stop"]),
    ("litellm.UnsupportedParamsError: openai does not support parameters: ['stop'], for model=o3.", ["stop"]),
    ("[{'type': 'extra_forbidden', 'loc': ('body', 'user'), 'msg': 'Extra inputs are not permitted'}]", ["user"]),
    ({"errors": [{"message": "seed is not supported", "code": 8001}], "error": None}, ["seed"]),
    ("'stream_options.include_usage' is unknown", [""]),
    ("Frequency penalties are not supported", ["frequency_penalty"]),
]  # fmt: skip


@pytest.mark.parametrize(("error", "names"), REFUSED, ids=range(len(REFUSED)))
def test_n19_a_refused_parameter_is_recognised_in_any_wording(error: Any, names: list[str]) -> None:
    assert sorted(each.name for each in find_refused(refusal(error), PARAMETERS)) == sorted(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("flex is not available for this model.", ["service_tier"]),
        ("The tier flex is unavailable.", ["service_tier"]),
        ("Flex processing is not available", ["service_tier"]),
        ("Invalid value: 'flex'. Supported values are: 'auto', 'default'.", ["service_tier"]),
        ("The value 'low' is invalid", ["verbosity"]),
        ("xhigh is unsupported", ["effort"]),
        ("the limit is too low, it is not allowed", []),
        ("neither flex nor xhigh is supported", []),
        ("Model gpt-flex not found", []),
        ("ann is not a model", []),
    ],
)
def test_n19_a_refusal_may_name_a_value_instead_of_its_parameter(text: str, names: list[str]) -> None:
    parameters = [Parameter("service_tier", "service_tier"), Parameter("text.verbosity", "verbosity")]
    parameters += [Parameter("reasoning.effort", "effort"), Parameter("user", "user")]
    body = {
        "service_tier": "flex",
        "text": {"verbosity": "low"},
        "reasoning": {"effort": "xhigh"},
        "user": "ann",
    }
    found = find_refused_value(refusal(text), parameters, body)
    assert [each.name for each in found] == names


MODEL = ("openai", "https://a.example", "m")


def open_with(
    memory: RefusedParameters, *outcomes: Any, body: dict[str, Any] | None = None
) -> tuple[list[Event], FakeTransport]:
    transport = FakeTransport(*outcomes)
    body = body or {"temperature": 1, "seed": 7, "options": {"think": True}, "stream_options": {"a": 1}}
    repeater = Repeater(
        memory,
        MODEL,
        RequestBody(body, PARAMETERS),
        lambda each: Call(url="", headers={}, body=json.dumps(each).encode()),
    )
    stream = repeater.open(RetryingClient(transport), lambda: OpenAIDecoder(1000), FakeControl())
    events: list[Event] = []
    while not (events and isinstance(events[-1], Finished)):
        events += stream.read()
    stream.close()
    return events, transport


@pytest.mark.parametrize("status", [400, 422, 501])
def test_n19_a_refused_parameter_is_left_out_named_and_remembered(status: int) -> None:
    memory = RefusedParameters()
    events, transport = open_with(memory, refusal("temperature is not supported", status), HELLO)
    assert events[:2] == [ParameterIgnored("temperature"), TextDelta("Hello")]
    assert [("temperature" in body, "seed" in body) for body in transport.bodies] == [
        (True, True),
        (False, True),
    ]
    events, transport = open_with(memory, HELLO)
    assert events[0] == ParameterIgnored("temperature")
    assert "temperature" not in transport.bodies[0]


def test_n19_a_part_that_the_caller_did_not_set_is_left_out_silently() -> None:
    events, transport = open_with(RefusedParameters(), refusal("stream_options: unknown field"), HELLO)
    assert events[0] == TextDelta("Hello")
    assert "stream_options" not in transport.bodies[1]


def test_n19_a_nested_parameter_leaves_no_empty_object() -> None:
    _, transport = open_with(RefusedParameters(), refusal('"m" does not support think'), HELLO)
    assert "options" not in transport.bodies[1]


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_n19_another_status_is_no_refusal_of_a_parameter(status: int) -> None:
    with pytest.raises(UpstreamError):
        open_with(RefusedParameters(), *[refusal("temperature is not supported", status)] * 3)


def test_n19_the_same_refusal_again_ends_the_call_and_is_not_remembered() -> None:
    memory = RefusedParameters()
    with pytest.raises(UpstreamError):
        open_with(memory, *[refusal("temperature is not supported")] * 2)
    assert memory.recall(MODEL) == frozenset()


def test_n19_refusals_are_forgotten_after_an_hour_and_bounded() -> None:
    now = [0.0]
    memory = RefusedParameters(lambda: now[0])
    memory.remember(MODEL, ["temperature"])
    now[0] = 3599
    assert memory.recall(MODEL) == {"temperature"}
    now[0] = 3601
    assert memory.recall(MODEL) == frozenset()
    for number in range(1_100):
        memory.remember(("m", str(number)), [str(name) for name in range(100)])
    assert memory.recall(("m", "50")) == frozenset()
    assert len(memory.recall(("m", "1099"))) == 64


def test_no_refusal_s_own_text_is_in_its_message_or_log() -> None:
    error = refusal({"message": "stop is not supported, key sk-canary-0123456789"})
    assert "canary" not in error.message + error.detail + repr(error) + str(error)


def in_stream(message: str, **fields: Any) -> list[bytes]:
    return [b"data: " + json.dumps({"error": {"message": message, **fields}}).encode() + b"\n\n"]


@pytest.mark.parametrize(
    "refused",
    [
        in_stream("temperature is not supported", code=400),
        in_stream("Unknown parameter: temperature", type="invalid_request_error"),
        [b'{"error":{"message":"temperature is not supported","code":400}}'],
        [b'{"error":"temperature is not supported"}'],
        [b'data: {"error":"temperature is not supported"}\n\n'],
        [b'event: error\ndata: {"message":"temperature is not supported"}\n\n'],
        in_stream("temperature is not supported", code="invalid_value"),
    ],
)
def test_n19_a_refusal_within_a_successful_response_is_one(refused: list[bytes]) -> None:
    memory = RefusedParameters()
    events, transport = open_with(memory, refused, HELLO)
    assert events[:2] == [ParameterIgnored("temperature"), TextDelta("Hello")]
    assert "temperature" not in transport.bodies[1]
    assert memory.recall(MODEL) == {"temperature"}
    assert transport.open == 0


def test_n19_after_the_first_delta_nothing_is_repeated() -> None:
    refused = [HELLO[0], *in_stream("temperature is not supported", code=400)]
    with pytest.raises(UpstreamError):
        open_with(RefusedParameters(), refused, HELLO)
