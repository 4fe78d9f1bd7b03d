"""What is sent to OpenAI and compatible servers: by model, by what the caller set, and after refusals."""

import json
from typing import Any

import pytest
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter

from tests.unit.transports import HELLO, FakeTransport, chunk
from webapp.chat import ImagePart, ModelMessage, ModelRequest, TextPart
from webapp.errors import UpstreamError
from webapp.events import Event, ParameterIgnored
from webapp.providers.base import CallControl
from webapp.providers.errors import error_from_response
from webapp.providers.openai.addresses import BASE_URL, is_azure, join_path, make_headers
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.openai.models import ModelRules
from webapp.providers.retries import RetryingClient

KEY = "k-1234567890"
HI = (ModelMessage.user("Hi"),)
SERVER = "http://localhost:1/v1"
PENALTY = {"frequency_penalty": 0.5, "presence_penalty": 0, "user": "u", "verbosity": "low"}


def refusal(message: str, status: int = 400, **fields: Any) -> UpstreamError:
    return error_from_response(status, {}, json.dumps({"error": {"message": message, **fields}}).encode())


class Asked:
    """A question to a provider whose transport responds with `outcomes`: its bodies and the names that were ignored."""

    def __init__(
        self,
        request: ModelRequest,
        *outcomes: Any,
        model: str = "m",
        base_url: str = SERVER,
        max_tokens: int = 300,
    ) -> None:
        self.transport = FakeTransport(*(outcomes or [HELLO]))
        self.provider = OpenAIProvider(
            RetryingClient(self.transport),
            model_name=model,
            max_tokens=max_tokens,
            pricer=lambda *_: None,
            api_key=KEY,
            base_url=base_url,
        )
        self.events: list[Event] = list(self.provider.stream(request, CallControl()))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return self.transport.bodies

    @property
    def ignored(self) -> list[str]:
        return [event.name for event in self.events if isinstance(event, ParameterIgnored)]


@pytest.mark.parametrize(
    "model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1", "gpt-6.2-sol", "ft:gpt-5.4:org::x"]
)
def test_a_reasoning_model_of_openai_has_its_own_fields(model: str) -> None:
    request = ModelRequest(
        messages=(ModelMessage.system("Be brief."), *HI), temperature=0.5, effort="low", parameters=PENALTY
    )
    asked = Asked(request, model=model, base_url=BASE_URL)
    body = asked.bodies[0]
    assert body["messages"][0] == {"role": "developer", "content": "Be brief."}
    assert (body["max_completion_tokens"], body["reasoning_effort"], body["user"]) == (300, "low", "u")
    assert not {"max_tokens", "temperature", "frequency_penalty", "presence_penalty"} & set(body)
    assert asked.ignored == ["frequency_penalty", "temperature"]


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("gpt-4.1", BASE_URL),
        ("gpt-5-chat-latest", BASE_URL),
        ("gpt-50x", SERVER),
        ("gpt-5", SERVER),
        ("openai/gpt-5", "https://openrouter.ai/api/v1"),
        ("my-model", BASE_URL),
    ],
)
def test_any_other_model_gets_what_the_caller_set(model: str, base_url: str) -> None:
    request = ModelRequest(
        messages=(ModelMessage.system("Be brief."), *HI), temperature=0.5, parameters=PENALTY
    )
    asked = Asked(request, model=model, base_url=base_url)
    body = asked.bodies[0]
    assert body["messages"][0]["role"] == "system"
    assert (body["max_tokens"], body["temperature"]) == (300, 0.5)
    assert {name: body[name] for name in PENALTY} == PENALTY
    assert asked.ignored == []


def test_fields_of_the_call_itself_cannot_be_overridden() -> None:
    parameters = {"model": "x", "messages": [], "stream": False, "n": 4, "stream_options": {}, "top_p": None}
    body = Asked(ModelRequest(messages=HI, parameters=parameters)).bodies[0]
    assert (body["model"], body["stream"], len(body["messages"])) == ("m", True, 1)
    assert not {"n", "top_p"} & set(body)


EFFORTS = [
    ("gpt-6.1-sol", "max", "xhigh"),
    ("gpt-5.4", "none", "none"),
    ("gpt-5.1", "xhigh", "high"),
    ("gpt-5", "none", "minimal"),
    ("gpt-5-mini", "max", "high"),
    ("o3", "xhigh", "high"),
    ("o3", "none", None),
    ("gpt-4.1", "low", None),
    ("my-model", "low", "low"),
]


@pytest.mark.parametrize(("model", "effort", "sent"), EFFORTS)
def test_the_effort_is_mapped_or_named(model: str, effort: Any, sent: str | None) -> None:
    asked = Asked(ModelRequest(messages=HI, effort=effort), model=model, base_url=BASE_URL)
    assert asked.bodies[0].get("reasoning_effort") == sent
    assert asked.ignored == ([] if sent else ["effort"])


def test_sampling_is_accepted_without_reasoning() -> None:
    request = ModelRequest(messages=HI, temperature=0.5, effort="none")
    assert Asked(request, model="gpt-5.1", base_url=BASE_URL).bodies[0]["temperature"] == 0.5
    assert "temperature" not in Asked(request, model="gpt-5", base_url=BASE_URL).bodies[0]
    assert not ModelRules("gpt-5.1", is_own=True).accepts_sampling(None)


def test_the_highest_effort_is_lowered_where_it_is_unknown() -> None:
    request = ModelRequest(messages=HI, effort="max")
    asked = Asked(request, refusal("reasoning_effort must be one of low, medium, high"), HELLO)
    assert [body["reasoning_effort"] for body in asked.bodies] == ["max", "high"]
    assert asked.ignored == []


# N18.

CONTEXT = (
    "This model's maximum context length is 4096 tokens. However, you requested 4108 tokens (12 in the messages, 4096 in the "
    "completion). Please reduce the length of the messages or completion."
)


def test_n18_a_limit_as_long_as_the_window_is_repeated_with_what_fits() -> None:
    asked = Asked(ModelRequest(messages=HI), refusal(CONTEXT), HELLO, max_tokens=4096)
    assert [body["max_tokens"] for body in asked.bodies] == [4096, 4084]
    assert asked.ignored == []


def test_n18_without_numbers_it_is_repeated_without_a_limit() -> None:
    asked = Asked(ModelRequest(messages=HI), refusal("max_tokens exceeds the context window"), HELLO)
    assert "max_tokens" not in asked.bodies[1]


def test_n18_a_second_refusal_leads_to_no_limit_and_a_third_ends_the_call() -> None:
    asked = Asked(ModelRequest(messages=HI), refusal(CONTEXT), refusal(CONTEXT), HELLO, max_tokens=4096)
    assert "max_tokens" not in asked.bodies[2]
    with pytest.raises(UpstreamError, match="too long for this model"):
        Asked(ModelRequest(messages=HI), *[refusal(CONTEXT)] * 3, max_tokens=4096)


# N19.


def test_n19_max_tokens_is_renamed_and_remembered() -> None:
    text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    asked = Asked(ModelRequest(messages=HI), refusal(text, param="max_tokens"), HELLO, HELLO)
    assert (asked.bodies[1]["max_completion_tokens"], "max_tokens" in asked.bodies[1]) == (300, False)
    list(asked.provider.stream(ModelRequest(messages=HI)))
    assert "max_completion_tokens" in asked.bodies[2]


def test_n19_several_refusals_one_after_the_other() -> None:
    request = ModelRequest(messages=HI, temperature=0.5, stop=("END",), seed=1)
    refusals = [
        refusal(f"{name}: Extra inputs are not permitted") for name in ("stop", "seed", "stream_options")
    ]
    asked = Asked(request, *refusals, HELLO)
    assert asked.ignored == ["stop", "seed"]
    assert not {"stop", "seed", "stream_options"} & set(asked.bodies[3])


def test_n19_stop_sequences_are_refused_by_another_name() -> None:
    request = ModelRequest(messages=HI, stop=("END",))
    assert Asked(request, refusal("stopSequences: unknown field"), HELLO).ignored == ["stop"]


@pytest.mark.parametrize(
    "text",
    [
        "System role not supported",
        "This model does not support the system message.",
        "messages[0].role does not support 'system' with this model.",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Only user and assistant roles are supported!",
        "messages.0.role: value is not a valid enumeration member; permitted: 'user', 'assistant'",
        "Conversation must start with a user message",
        "Conversation roles must alternate user/assistant/user/assistant/...",
    ],
)
def test_n19_a_refused_system_role_moves_into_the_question(text: str) -> None:
    asked = Asked(ModelRequest(messages=(ModelMessage.system("Be brief."), *HI)), refusal(text), HELLO, HELLO)
    assert asked.bodies[1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHi"}]
    list(asked.provider.stream(ModelRequest(messages=(ModelMessage.system("Now French."), *HI))))
    assert asked.bodies[2]["messages"] == [{"role": "user", "content": "Now French.\n\nHi"}]


def test_n19_a_refused_developer_role_becomes_that_of_the_system() -> None:
    request = ModelRequest(messages=(ModelMessage.system("Be brief."), *HI))
    asked = Asked(request, refusal("role 'developer' is unknown"), HELLO, model="o9", base_url=BASE_URL)
    assert asked.bodies[1]["messages"][0]["role"] == "system"


@pytest.mark.parametrize(
    "text",
    [
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
        "Cannot continue the final assistant message",
        "Cannot continue from an assistant message",
        "Assistant response pre-filling is incompatible with enable_thinking.",
        "Please ensure that multiturn requests ends with a user role or a function response.",
    ],
)
def test_n19_where_a_beginning_is_refused_an_instruction_continues_the_answer(text: str) -> None:
    request = ModelRequest(messages=(*HI, ModelMessage.assistant("Hel")))
    asked = Asked(request, refusal(text), HELLO)
    assert [message["role"] for message in asked.bodies[1]["messages"]] == ["user", "assistant", "user"]


# N20, N21.


def test_n20_what_is_sent_alternates() -> None:
    messages = (ModelMessage.user("one"), ModelMessage.assistant(""), ModelMessage.user("two"))
    assert Asked(ModelRequest(messages=messages)).bodies[0]["messages"] == [
        {"role": "user", "content": "one\n\ntwo"}
    ]


AZURE = "https://name.openai.azure.com/openai/deployments/name?api-version=2024-10-21"
ADDRESSES = [
    ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
    ("https://a.example/v1/chat/completions/", "https://a.example/v1/chat/completions"),
    ("https://a.example/v1/responses", "https://a.example/v1/chat/completions"),
    ("https://a.example/v1/models?x=1", "https://a.example/v1/chat/completions?x=1"),
    ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
    ("https://eu.api.openai.com/v1", "https://eu.api.openai.com/v1/chat/completions"),
    (
        AZURE.replace("name?", "name/chat/completions?"),
        AZURE.replace("name?", "name/chat/completions?"),
    ),
    ("http://127.0.0.1:1", "http://127.0.0.1:1/chat/completions"),
]


@pytest.mark.parametrize(("base_url", "url"), ADDRESSES)
def test_n21_the_address_may_be_that_of_an_endpoint(base_url: str, url: str) -> None:
    assert join_path(base_url, "/chat/completions") == url


@pytest.mark.parametrize(
    ("base_url", "azure"),
    [
        (AZURE, True),
        ("https://gateway.example/openai/deployments/x", True),
        ("https://name.cognitiveservices.azure.com/openai/v1", True),
        ("https://x.azure-api.net/v1", True),
        (BASE_URL, False),
        ("https://azure.com.example/v1", False),
    ],
)
def test_n21_azure_takes_the_key_in_a_header_of_its_own(base_url: str, azure: bool) -> None:
    headers = make_headers(base_url, KEY)
    assert headers.get("api-key") == (KEY if azure else None)
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert is_azure(base_url) == azure
    assert not {"api-key", "Authorization"} & set(make_headers(base_url, None))


# N17, without a run, and the types of OpenAI's own package.


def test_n17_a_whole_answer_has_its_unopened_reasoning_apart() -> None:
    pieces = [chunk("Let me "), chunk("see\n"), chunk("</think>\n"), chunk("Hel"), chunk("lo", "stop")]
    transport = FakeTransport(pieces, pieces)
    provider = OpenAIProvider(
        RetryingClient(transport),
        model_name="m",
        max_tokens=9,
        pricer=lambda *_: None,
        api_key=None,
        base_url=SERVER,
    )
    for _ in range(2):  # the second time it is known how this model's answers begin
        answer = provider.complete(ModelRequest(messages=HI))
        assert (answer.content, answer.reasoning) == ("Hello", "Let me see")


def check_with_package(body: dict[str, Any]) -> None:
    """Parse a body as OpenAI's package types it; whatever the types do not have would be lost.

    The package types messages and their parts as iterables, which are parsed as they are read.
    """
    assert read_through(PARAMS.validate_python(body)) == body


def read_through(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: read_through(each) for name, each in value.items()}
    return (
        value if isinstance(value, (str, int, float, type(None))) else [read_through(each) for each in value]
    )


def test_the_package_s_types_refuse_a_part_that_they_do_not_have() -> None:
    body: dict[str, Any] = {
        "model": "m",
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "image_url"}]}],
    }
    with pytest.raises(ValueError, match="validation error"):
        check_with_package(body)


PARAMS: TypeAdapter[Any] = TypeAdapter(completion_create_params.CompletionCreateParamsStreaming)


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5", "o3", "gpt-6.2-sol"])
@pytest.mark.parametrize("effort", [None, "none", "low", "max"])
def test_what_is_sent_is_what_the_package_of_openai_sends(model: str, effort: Any) -> None:
    image = ImagePart(media_type="image/png", data="iVBORw0K", detail="low")
    request = ModelRequest(
        messages=(
            ModelMessage.system("Be brief."),
            ModelMessage.user([TextPart("What is this?"), image]),
            ModelMessage.assistant("A cat."),
            *HI,
        ),
        temperature=0.5,
        stop=("END",),
        seed=7,
        effort=effort,
        parameters={
            **PENALTY,
            "response_format": {"type": "json_object"},
            "metadata": {"a": "b"},
            "top_p": 0.5,
        },
    )
    body = Asked(request, model=model, base_url=BASE_URL).bodies[0]
    check_with_package(body)
    assert set(body) <= set(completion_create_params.CompletionCreateParamsStreaming.__annotations__) | set(
        completion_create_params.CompletionCreateParamsBase.__annotations__
    )
