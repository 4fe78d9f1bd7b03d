"""What is sent to Claude models, by what each accepts, and what is left out after a refusal.

Every body is parsed with the types of Anthropic's own Python package.
"""

import json
from typing import Any

import pytest

from tests.support.claude import SAMPLING, check_with_package
from tests.unit.starting import run_starter
from tests.unit.transports import FakeControl, FakeTransport
from webapp.chat import Effort, ModelMessage, ModelRequest
from webapp.errors import InvalidRequest, UpstreamError
from webapp.events import Finished, ParameterIgnored, TextDelta
from webapp.providers.anthropic.models import find_claude_model
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.errors import error_from_response
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.retries import RetryingClient

ANSWER = [
    b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hello"}}\n\n'
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'data: {"type":"message_stop"}\n\n'
]
SUMMARIZED = {"type": "adaptive", "display": "summarized"}


def refusal(message: str) -> UpstreamError:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    return error_from_response(400, {}, json.dumps(body).encode())


def ask(
    model: str = "claude-opus-5-5",
    *refusals: str,
    memory: RefusedParameters | None = None,
    messages: tuple[ModelMessage, ...] = (ModelMessage.user("Hi"),),
    max_tokens: int = 4096,
    **options: Any,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the bodies that were sent, each checked with the package, and the parameters that were named as ignored."""
    transport = FakeTransport(*map(refusal, refusals), ANSWER)
    provider = AnthropicProvider(
        RetryingClient(transport),
        model_name=model,
        max_tokens=max_tokens,
        pricer=lambda *_: None,
        api_key=None,
        refused=memory,
    )
    stream = provider.open(ModelRequest(messages=messages, **options), FakeControl())
    events = list(stream.read())
    stream.close()
    assert isinstance(events[-1], Finished)
    assert TextDelta("Hello") in events
    for body in transport.bodies:
        check_with_package(body)
    return transport.bodies, [event.name for event in events if isinstance(event, ParameterIgnored)]


def sent(model: str, **options: Any) -> tuple[Any, Any, list[str]]:
    """Return `thinking` and the effort of the only body that was sent, and what was ignored."""
    (body,), ignored = ask(model, **options)
    return body.get("thinking"), body.get("output_config", {}).get("effort"), ignored


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-opus-5-5", SUMMARIZED),
        ("claude-fable-5-1", SUMMARIZED),
        ("claude-sonnet-5-5", SUMMARIZED),
        ("claude-haiku-5-5", SUMMARIZED),
        ("claude-sonnet-5", SUMMARIZED),
        ("claude-mythos-5-2", SUMMARIZED),
        ("claude-opus-6", SUMMARIZED),
        ("anthropic/claude-opus-5.5", SUMMARIZED),
        ("claude-opus-4-8", None),
        ("claude-opus-4-7", None),
        ("claude-sonnet-4-6", None),
        ("claude-haiku-4-5-20251001", None),
        ("claude-sonnet-4-20250514", None),
        ("claude-3-7-sonnet-20250219", None),
        ("claude-3.5-haiku", None),
        ("kimi-k3", None),
    ],
)
def test_without_an_effort_models_think_as_they_do_by_default(model: str, thinking: Any) -> None:
    """Those that think by default are asked for a summary, which they leave out otherwise."""
    assert sent(model) == (thinking, None, [])


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "level"),
    [
        ("claude-opus-5-5", "xhigh", SUMMARIZED, "xhigh"),
        ("claude-sonnet-5-5", "low", SUMMARIZED, "low"),
        ("claude-opus-4-7", "max", SUMMARIZED, "max"),
        ("claude-opus-4-6", "xhigh", SUMMARIZED, "high"),
        ("claude-sonnet-4-6", "max", SUMMARIZED, "max"),
        ("claude-haiku-4-5", "low", {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-3-7-sonnet-20250219", "high", {"type": "enabled", "budget_tokens": 3072}, None),
        ("kimi-k3", "medium", SUMMARIZED, "medium"),
    ],
)
def test_effort_is_mapped(model: str, effort: Effort, thinking: Any, level: str | None) -> None:
    assert sent(model, effort=effort) == (thinking, level, [])


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-sonnet-5-5", {"type": "between_tools"}),
        ("claude-haiku-5-5", {"type": "disabled"}),
        ("claude-opus-5", {"type": "disabled"}),
        ("claude-opus-4-8", None),
        ("claude-sonnet-4-5", None),
        ("kimi-k3", None),
    ],
)
def test_effort_none_turns_thinking_off(model: str, thinking: Any) -> None:
    assert sent(model, effort="none") == (thinking, None, [])


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("claude-opus-5-5", "none"),
        ("claude-fable-5-1", "none"),
        ("claude-mythos-preview", "none"),
        ("claude-3-5-haiku-latest", "high"),
    ],
)
def test_an_impossible_effort_is_refused_by_name_and_left_out_by_a_fallback(
    model: str, effort: Effort
) -> None:
    provider = AnthropicProvider(
        RetryingClient(FakeTransport()),
        model_name=model,
        max_tokens=9,
        pricer=lambda *_: None,
        api_key=None,
    )
    with pytest.raises(InvalidRequest) as refused:
        provider.check(ModelRequest(messages=(ModelMessage.user("Hi"),), effort=effort))
    assert (refused.value.param, refused.value.code) == ("effort", "unsupported_effort")
    assert sent(model, effort=effort)[2] == ["effort"]


def test_a_budget_that_leaves_no_room_for_the_answer_is_not_sent() -> None:
    assert sent("claude-haiku-4-5", effort="high", max_tokens=1500) == (None, None, ["effort"])


# Sampling.


def test_sampling_parameters_are_left_out_and_named_where_the_model_refuses_them() -> None:
    parameters = {"top_p": 0.5, "top_k": 1}
    (body,), ignored = ask("claude-sonnet-5", temperature=0.3, parameters=parameters)
    assert not SAMPLING & set(body)
    assert ignored == ["temperature", "top_p", "top_k"]
    (body,), ignored = ask("claude-sonnet-4-5", temperature=0.3, parameters=parameters)
    assert {name: body[name] for name in SAMPLING} == {"temperature": 0.3, **parameters}
    assert ignored == []


def test_a_temperature_of_one_is_the_default_of_every_model() -> None:
    (body,), ignored = ask("claude-opus-4-7", temperature=1.5)
    assert ("temperature" in body, ignored) == (False, [])


def test_no_sampling_parameter_is_sent_while_a_model_thinks() -> None:
    (body,), ignored = ask("claude-sonnet-4-6", temperature=0.3, effort="high")
    assert ("temperature" in body, ignored) == (False, ["temperature"])


# Refusals.


@pytest.mark.parametrize(
    "message",
    [
        "`temperature` is deprecated for this model.",
        "temperature: Extra inputs are not permitted",
        "This model does not support the temperature parameter. Remove it.",
        "Sampling parameters are not supported on this model.",
    ],
)
def test_n19_a_refused_temperature_is_left_out_named_and_remembered(message: str) -> None:
    memory = RefusedParameters()
    bodies, ignored = ask("house-model", message, memory=memory, temperature=0.3)
    assert [body.get("temperature") for body in bodies] == [0.3, None]
    assert ignored == ["temperature"]
    bodies, ignored = ask("house-model", memory=memory, temperature=0.3)
    assert (len(bodies), ignored) == (1, ["temperature"])
    bodies, _ = ask("another-model", memory=memory, temperature=0.3)
    assert bodies[0]["temperature"] == 0.3


@pytest.mark.parametrize(
    "message", ["metadata.user_id: not allowed", "metadata: Extra inputs are not permitted"]
)
def test_n19_a_refused_user_is_left_out_and_named(message: str) -> None:
    bodies, ignored = ask("house-model", message, parameters={"user": "u"})
    assert ["metadata" in body for body in bodies] == [True, False]
    assert ignored == ["user"]


@pytest.mark.parametrize(
    "message", ["thinking.type: 'enabled' is not supported", "enabled thinking is not supported"]
)
def test_n19_a_refused_kind_of_thinking_is_left_out(message: str) -> None:
    bodies, ignored = ask("claude-sonnet-4-5", message, effort="high")
    assert ["thinking" in body for body in bodies] == [True, False]
    assert ignored == ["effort"]


ALWAYS_ON = (
    '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.'
)


def test_a_model_that_refuses_to_stop_thinking_thinks_as_little_as_it_can() -> None:
    memory = RefusedParameters()
    bodies, ignored = ask("claude-haiku-5-6", ALWAYS_ON, memory=memory, effort="none")
    assert [body["thinking"]["type"] for body in bodies] == ["disabled", "adaptive"]
    assert bodies[1]["output_config"] == {"effort": "low"}
    assert ignored == ["effort"]
    (body,), ignored = ask("claude-haiku-5-6", memory=memory, effort="none")
    assert (body["thinking"], ignored) == (SUMMARIZED, ["effort"])


@pytest.mark.parametrize(
    "message",
    [
        "adaptive thinking is not supported on this model",
        "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'",
        '"thinking.type.adaptive" is not supported for this model.',
    ],
)
def test_a_model_without_adaptive_thinking_gets_a_budget(message: str) -> None:
    bodies, ignored = ask("house-model", message, effort="low")
    assert bodies[1]["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert ("output_config" in bodies[1], ignored) == (False, [])
    bodies, ignored = ask("claude-opus-7", message)
    assert ("thinking" in bodies[1], ignored) == (False, [])


@pytest.mark.parametrize("effort", ["xhigh", "max"])
@pytest.mark.parametrize(
    "message",
    [
        "output_config.effort: Input should be 'low', 'medium' or 'high'",
        "effort 'max' is not supported for this model",
        "This model does not support the effort level xhigh.",
    ],
)
def test_a_level_that_a_model_does_not_have_becomes_the_next_lower_one_and_is_remembered(
    effort: Effort, message: str
) -> None:
    memory = RefusedParameters()
    for model in ("claude-opus-5-5", "house-model"):
        bodies, ignored = ask(model, message, memory=memory, effort=effort)
        assert [body["output_config"]["effort"] for body in bodies] == [effort, "high"]
        assert (bodies[1]["thinking"], ignored) == (SUMMARIZED, [])
        bodies, _ = ask(model, memory=memory, effort=effort)
        assert [body["output_config"]["effort"] for body in bodies] == ["high"]


def test_where_every_level_is_refused_the_effort_is_left_out_and_named() -> None:
    message = "effort: level is not supported"
    bodies, ignored = ask("claude-opus-5-5", message, message, effort="max")
    assert [body.get("output_config") for body in bodies] == [{"effort": "max"}, {"effort": "high"}, None]
    assert ignored == ["effort"]


def test_a_server_without_thinking_is_asked_without_it() -> None:
    bodies, ignored = ask("house-model", "thinking: Extra inputs are not permitted", effort="high")
    assert not {"thinking", "output_config"} & set(bodies[1])
    assert ignored == ["effort"]


def test_a_server_without_efforts_or_summaries_keeps_the_thinking() -> None:
    bodies, ignored = ask(
        "house-model",
        "output_config.effort: Extra inputs are not permitted",
        "thinking.adaptive.display: Extra inputs are not permitted",
        effort="high",
    )
    assert bodies[1]["thinking"] == SUMMARIZED
    assert "output_config" not in bodies[1]
    assert bodies[2]["thinking"] == {"type": "adaptive"}
    assert ignored == ["effort"]


BEGUN = (ModelMessage.user("Count."), ModelMessage.assistant("One, t"))


@pytest.mark.parametrize(
    "message",
    [
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "messages: the final message must have the role user",
        "Prefilling assistant messages is not supported for this model.",
        "pre-filling is disabled",
    ],
)
def test_n19_a_refused_prefill_becomes_an_instruction(message: str) -> None:
    memory = RefusedParameters()
    bodies, ignored = ask("house-model", message, memory=memory, messages=BEGUN)
    assert [body["messages"][-1]["role"] for body in bodies] == ["assistant", "user"]
    assert bodies[1]["messages"][:2] == bodies[0]["messages"]
    assert ignored == []
    (body,), _ = ask("house-model", memory=memory, messages=BEGUN)
    assert body["messages"][-1]["role"] == "user"


@pytest.mark.parametrize(
    ("model", "last"),
    [("claude-opus-5-5", "user"), ("claude-sonnet-4-6", "user"), ("claude-sonnet-4-5", "assistant")],
)
def test_known_models_are_sent_a_prefill_only_if_they_take_one(model: str, last: str) -> None:
    (body,), _ = ask(model, messages=BEGUN)
    assert body["messages"][-1]["role"] == last


def test_no_answer_is_begun_for_a_model_that_thinks() -> None:
    (body,), _ = ask("claude-sonnet-4-5", messages=BEGUN, effort="low")
    assert (body["thinking"]["type"], body["messages"][-1]["role"]) == ("enabled", "user")
    message = (
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, "
        "a final `assistant` message must start with a thinking block."
    )
    bodies, ignored = ask("claude-3-9-sonnet", message, messages=BEGUN)
    assert [body["messages"][-1]["role"] for body in bodies] == ["assistant", "user"]
    assert ignored == []


def test_n19_a_refused_system_prompt_moves_into_the_first_question() -> None:
    messages = (ModelMessage.system("Be brief."), ModelMessage.user("Hi"))
    bodies, ignored = ask("house-model", "system: Extra inputs are not permitted", messages=messages)
    assert (bodies[0]["system"], "system" in bodies[1]) == ("Be brief.", False)
    assert bodies[1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHi"}]
    assert ignored == []


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("max_tokens: 4096 > 1000, which is the maximum allowed number of output tokens for m", 1000),
        (
            "input length and `max_tokens` exceed context limit: 3000 + 4096 > 5000, decrease input length or "
            "`max_tokens` and try again",
            2000,
        ),
    ],
)
def test_n18_a_limit_that_does_not_fit_is_lowered(message: str, limit: int) -> None:
    bodies, ignored = ask("house-model", message)
    assert [body["max_tokens"] for body in bodies] == [4096, limit]
    assert ignored == []


def test_n18_a_lower_limit_lowers_the_thinking_budget() -> None:
    message = "max_tokens: 4096 > 2500, which is the maximum allowed number of output tokens for m"
    bodies, _ = ask("claude-haiku-4-5", message, effort="max")
    assert bodies[1]["thinking"]["budget_tokens"] < bodies[1]["max_tokens"] == 2500


def test_n20_turns_alternate() -> None:
    messages = (
        ModelMessage.user("One"),
        ModelMessage.user("Two"),
        ModelMessage.system("Be brief."),
        ModelMessage.assistant("A"),
        ModelMessage.system("In French."),
        ModelMessage.user("Three"),
    )
    (body,), _ = ask(messages=messages)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == "One\n\nTwo"


def test_a_refusal_of_something_else_is_not_repeated() -> None:
    with pytest.raises(UpstreamError):
        ask("claude-opus-5-5", "messages: text content blocks must be non-empty", temperature=0.3)


def test_thinking_is_kept_when_something_else_is_refused_beside_it() -> None:
    bodies, _ = ask(
        "claude-opus-5-5",
        "stop_sequences: each stop sequence must contain non-whitespace",
        stop=(" ",),
    )
    assert bodies[1]["thinking"] == SUMMARIZED


def test_the_names_of_models() -> None:
    same = find_claude_model("claude-opus-4-6")
    assert same is not None
    for name in ("us.anthropic.claude-opus-4-6-v1:0", "claude-opus-4.6", "claude-opus-4-6@20260205"):
        assert find_claude_model(name) == same
    assert find_claude_model("claude-sonnet-4-20250514") == find_claude_model("claude-sonnet-4-0")
    assert find_claude_model("claude-instant") is None


def test_newer_models_have_more_tokens_for_the_same_text() -> None:
    scales = {
        name: model.token_scale
        for name in ("claude-opus-5-5", "claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5")
        if (model := find_claude_model(name)) is not None
    }
    assert list(scales.values()) == [1.3, 1.3, 1.0, 1.0]
    registry = run_starter(ANTHROPIC_API_KEY="k").providers
    newer, older = (
        registry.max_input_tokens(registry.resolve("anthropic", name)[0], 8_000)
        for name in ("claude-sonnet-5", "claude-sonnet-4-6")
    )
    assert newer is not None
    assert older is not None
    assert newer < older * 0.8


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/messages", "/v1/messages/", "/v1/models"])
def test_n21_the_address_may_be_that_of_an_endpoint(end: str) -> None:
    transport = FakeTransport(ANSWER)
    provider = AnthropicProvider(
        RetryingClient(transport),
        model_name="m",
        max_tokens=9,
        pricer=lambda *_: None,
        api_key=None,
        base_url=f"https://a.example/x{end}",
    )
    provider.complete(ModelRequest(messages=(ModelMessage.user("Hi"),)))
    assert transport.calls[0].url == "https://a.example/x/v1/messages"
