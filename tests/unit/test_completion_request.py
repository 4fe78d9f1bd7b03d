"""Requests to the OpenAI-compatible endpoints: what OpenAI accepts is accepted; the rest is refused by name."""

import json
from typing import Any

import pytest

from tests.unit.starting import HI, PNG, run_starter, user
from webapp.api.completion_body import CompletionBody, read_completion, read_parameters
from webapp.api.completion_messages import read_completion_messages
from webapp.catalog.parameters import select_known
from webapp.chat import ImagePart, ModelMessage, TextPart
from webapp.errors import Forbidden, InvalidRequest, TooLarge
from webapp.runs.run_spec import RunSpec

STARTER = run_starter(ANTHROPIC_API_KEY="k", FRESHET_IMAGE_URLS="true", FRESHET_MAX_TOKENS="9000")
FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
DATA_URL = f"data:image/png;base64,{PNG}"


def spec(provider: str = "openai", kind: Any = "user", **fields: Any) -> RunSpec:
    body = read_completion(json.dumps({"messages": HI, "provider": provider} | fields).encode())
    return STARTER.build_spec(
        body,
        user(kind=kind),
        messages=read_completion_messages(body),
        parameters=read_parameters(body),
    )


def texts(*messages: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in spec(messages=list(messages)).request.messages]


@pytest.mark.parametrize("empty", ["", None, [], " \n", [{"type": "text", "text": ""}]], ids=repr)
@pytest.mark.parametrize("role", ["system", "developer", "assistant", "user"])
def test_n24_an_empty_message_is_left_out(role: str, empty: object) -> None:
    assert texts(*HI, {"role": role, "content": empty}, {"role": "user", "content": "x"}) == [
        ("user", "Hi"),
        ("user", "x"),
    ]


@pytest.mark.parametrize("name", CompletionBody.__struct_encode_fields__)
def test_n24_null_is_the_same_as_absent(name: str) -> None:
    if name == "messages":
        return
    assert spec(**{name: None, "provider": "openai"}).request == spec().request


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "mock"])
def test_n24_a_limit_of_minus_one_is_none(provider: str, field: str) -> None:
    unlimited = spec(provider, model="x").request.max_tokens
    for asked, granted in ((-1, unlimited), (0, unlimited), (5, 5), (2**40, 9000)):
        assert spec(provider, model="x", **{field: asked}).request.max_tokens == granted


def test_n24_tools_in_the_history_are_text() -> None:
    assert texts(
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": [{"type": "text", "text": "7"}]},
        {"role": "tool", "tool_call_id": "lost", "content": None},
    ) == [
        ("user", "Weather?"),
        ("assistant", '[Called weather with {"city":"Oslo"}]'),
        ("user", "[Result of weather]\nrain"),
        ("assistant", "[Called f with {}]"),
        ("user", "[Result of f]\n7"),
        ("user", "[Result of a tool]"),
    ]


@pytest.mark.parametrize(
    "tool_calls", [[], None, [{}], [{"id": None, "type": "custom", "custom": {"input": {}}}]]
)
def test_n24_calls_of_tools_may_have_any_form(tool_calls: object) -> None:
    assert spec(messages=[*HI, {"role": "assistant", "content": "a", "tool_calls": tool_calls}])


def test_n24_refusals_and_names_are_read() -> None:
    messages = spec(
        messages=[
            {"role": "user", "name": "Ann", "content": "Hi"},
            {"role": "assistant", "content": None, "refusal": "No."},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "Never."}], "audio": None},
            {"role": "user", "content": [{"type": "output_text", "text": "x"}, {"type": "refusal"}]},
        ]
    ).request.messages
    assert list(messages) == [
        ModelMessage("user", "Hi", "Ann"),
        ModelMessage.assistant("No."),
        ModelMessage.assistant("Never."),
        ModelMessage.user("x"),
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": DATA_URL},
        {"type": "image_url", "image_url": DATA_URL},
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "auto"}},
        {"type": "input_image", "image_url": DATA_URL, "detail": "auto"},
    ],
)
def test_n24_images_have_several_forms(part: dict[str, Any]) -> None:
    content = [{"type": "input_text", "text": "What?"}, part]
    (message,) = spec(messages=[{"role": "user", "content": content}]).request.messages
    assert message.content == (TextPart("What?"), ImagePart(media_type="image/png", data=PNG))


@pytest.mark.parametrize(("detail", "expected"), [("high", "high"), ("auto", None), (None, None)])
def test_the_detail_of_an_image_is_kept(detail: str | None, expected: str | None) -> None:
    for part in (
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": detail}},
        {"type": "input_image", "image_url": DATA_URL, "detail": detail},
    ):
        (message,) = spec(messages=[{"role": "user", "content": [part]}]).request.messages
        assert message.content == (ImagePart(media_type="image/png", data=PNG, detail=expected),)


def test_instructions_alone_are_a_question() -> None:
    assert texts(
        {"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Greet me."}
    ) == [
        ("system", "Be brief."),
        ("user", "Greet me."),
    ]


PASSED: list[tuple[str, Any, str]] = [  # with the providers that know it
    ("top_p", 0.5, "openai anthropic ollama mock"),
    ("presence_penalty", -1, "openai ollama mock"),
    ("frequency_penalty", 0.5, "openai ollama mock"),
    ("seed", 7, "openai ollama mock"),
    ("response_format", {"type": "json_object"}, "openai ollama mock"),
    ("response_format", FORMAT, "openai ollama mock"),
    ("logit_bias", {"50256": -100}, "openai mock"),
    ("verbosity", "low", "openai mock"),
    ("prediction", {"type": "content", "content": "x"}, "openai mock"),
    ("web_search_options", {}, "openai mock"),
    ("service_tier", "flex", "openai anthropic mock"),
    ("store", True, "openai mock"),
    ("metadata", {"a": "b"}, "openai mock"),
    ("user", "ann", "openai anthropic mock"),
    ("safety_identifier", "x", "openai mock"),
    ("prompt_cache_key", "x", "openai mock"),
    ("prompt_cache_retention", "24h", "openai mock"),
    ("top_k", 40, "openai anthropic ollama mock"),
    ("min_p", 0.1, "openai ollama mock"),
    ("repetition_penalty", 1.1, "openai ollama mock"),
]


@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "mock"])
@pytest.mark.parametrize(("name", "value", "known"), PASSED, ids=[name for name, *_ in PASSED])
def test_n24_a_parameter_is_passed_on_or_refused_by_name(
    name: str, value: Any, known: str, provider: str
) -> None:
    if provider in known.split():
        parameters = spec(provider, **{name: value}).request.parameters
        assert select_known(provider, parameters) == {name: value}
        return
    with pytest.raises(InvalidRequest) as refused:
        spec(provider, **{name: value})
    assert refused.value.param == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_p", 1),
        ("top_p", 1.0),
        ("presence_penalty", 0),
        ("frequency_penalty", 0.0),
        ("response_format", {"type": "text"}),
        ("logit_bias", {}),
        ("metadata", {}),
        ("store", False),
        ("service_tier", "auto"),
        ("user", ""),
        ("logprobs", False),
        ("top_logprobs", 0),
        ("tools", []),
        ("functions", []),
        ("tool_choice", "none"),
        ("tool_choice", "auto"),
        ("function_call", "none"),
        ("parallel_tool_calls", True),
        ("modalities", ["text"]),
        ("n", 1),
        ("stop", []),
        ("stop", ""),
        ("stop", ["", "END"]),
        ("reasoning_effort", "none"),
        ("stream_options", {"include_usage": None, "include_obfuscation": False}),
        ("unknown", None),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "mock"])
def test_n24_a_value_that_changes_nothing_is_accepted(provider: str, name: str, value: Any) -> None:
    assert spec(provider, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("max_tokens", 100.0, 100),
        ("max_completion_tokens", 100.00, 100),
        ("max_tokens", -1.0, -1),
        ("n", 1.0, 1),
        ("seed", 7.0, 7),
        ("top_k", 40.0, 40),
    ],
)
def test_n24_a_whole_number_may_have_a_point(name: str, value: float, same: int) -> None:
    assert spec(**{name: value}).request == spec(**{name: same}).request


def test_n24_a_body_may_begin_with_a_byte_order_mark() -> None:
    assert read_completion(b"\xef\xbb\xbf" + json.dumps({"messages": HI}).encode()).messages


def test_n24_a_bias_stays_an_integer() -> None:
    bias = spec(logit_bias={"50256": -100, "7": 0.5}).request.parameters["logit_bias"]
    assert json.dumps(bias) == '{"50256": -100, "7": 0.5}'


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_the_effort_has_two_names(effort: str) -> None:
    expected = "low" if effort == "minimal" else effort
    model = {"model": "gpt-6.1-terra"}
    assert spec(reasoning_effort=effort, **model).request.effort == expected
    assert spec(reasoning_effort=expected, effort=expected, **model).request.effort == expected


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("top_p", 1.1, "top_p"),
        ("top_p", "0.5", "top_p"),
        ("top_p", True, "top_p"),
        ("presence_penalty", 2.1, "presence_penalty"),
        ("frequency_penalty", [], "frequency_penalty"),
        ("logit_bias", {"1": 101}, "logit_bias[...]"),
        ("logit_bias", 5, "logit_bias"),
        ("verbosity", "huge", "verbosity"),
        ("metadata", {"a": 1}, "metadata[...]"),
        ("metadata", {str(n): "" for n in range(17)}, "metadata"),
        ("user", 5, "user"),
        ("user", "x" * 513, "user"),
        ("store", "yes", "store"),
        ("service_tier", "gold", "service_tier"),
        ("prediction", "x", "prediction"),
        ("response_format", "json", "response_format"),
        ("response_format", {"type": "xml"}, "response_format.type"),
        ("response_format", {"type": "json_schema"}, "response_format.json_schema.schema"),
        ("reasoning_effort", "huge", "reasoning_effort"),
        ("max_tokens", -2, "max_tokens"),
        ("max_tokens", 1.5, "max_tokens"),
        ("max_tokens", "5", "max_tokens"),
        ("stream", "yes", "stream"),
        ("n", 2, "n"),
        ("n", 0, "n"),
        ("top_logprobs", 2, "top_logprobs"),
        ("logprobs", "yes", "logprobs"),
        ("max_completion_tokens", 100.5, "max_completion_tokens"),
        ("seed", 1e300, "seed"),
        ("response_format", {"type": "json_object", "grammar": "x"}, "response_format"),
        ("messages", None, "messages"),
        ("tools", [{"type": "function"}], "tools"),
        ("tool_choice", "required", "tool_choice"),
        ("function_call", {"name": "f"}, "function_call"),
        ("modalities", ["text", "audio"], "modalities"),
        ("audio", {"voice": "a"}, "audio"),
        ("max_token", 5, "max_token"),
        ("evil\r\nX: y", 5, "evilXy"),
        ("messages", [{"role": "user", "content": None}], "messages[0].content"),
        ("messages", [{"role": "system", "content": ""}, {"role": "user"}], "messages[1].content"),
        ("messages", [{"role": "assistant", "content": "x"}], "messages"),
        ("messages", [{"role": "robot", "content": "x"}], "messages[0].role"),
        ("messages", [{"role": "user", "name": "a b", "content": "x"}], "messages[0].name"),
        ("messages", [{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0]"),
        (
            "messages",
            [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}],
            "messages[0].content[0]",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(field: str, value: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        spec(**{field: value})
    assert refused.value.param == param


def test_two_efforts_are_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        spec(effort="low", reasoning_effort="high")
    assert refused.value.param == "reasoning_effort"


@pytest.mark.parametrize(
    ("name", "value"), [("service_tier", "priority"), ("store", True), ("web_search_options", {})]
)
def test_a_visitor_may_not_buy_extras(name: str, value: object) -> None:
    with pytest.raises(Forbidden) as refused:
        spec("mock", kind="visitor", **{name: value})
    assert refused.value.param == name
    assert spec("mock", kind="visitor", service_tier="flex", store=False)


def test_a_fallback_that_does_not_know_a_parameter_is_left_out() -> None:
    starter = run_starter(
        ANTHROPIC_API_KEY="k", FRESHET_FALLBACK="anthropic,ollama", FRESHET_PROVIDER="openai"
    )
    body = read_completion(json.dumps({"messages": HI, "response_format": FORMAT}).encode())
    chain = starter.build_spec(body, user(), parameters=read_parameters(body)).chain
    assert [provider.name for provider in chain] == ["openai", "ollama"]


def test_parameters_count_as_part_of_the_question() -> None:
    with pytest.raises(TooLarge):
        spec(prediction={"type": "content", "content": "x" * 5_000_000})
    assert spec(prediction={"type": "content", "content": "x" * 1000}).size_bytes > 1000
