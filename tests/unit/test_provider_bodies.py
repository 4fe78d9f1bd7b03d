"""The requests to each provider: body, URL and credentials."""

import json
from typing import Any

import msgspec
import pytest

from tests.unit.transports import HELLO, FakeTransport, chunk
from webapp.chat import ImagePart, ModelMessage, ModelRequest, ModelResponse, TextPart
from webapp.errors import InvalidRequest
from webapp.events import ParameterIgnored
from webapp.providers.anthropic.provider import AnthropicProvider
from webapp.providers.base import BaseProvider
from webapp.providers.ollama.provider import OllamaProvider
from webapp.providers.openai.chat import OpenAIProvider
from webapp.providers.retries import RetryingClient

KEY = "sk-canary-0123456789"
DATA = ImagePart(media_type="image/png", data="iVBORw0K")
LINK = ImagePart(url="https://example.org/cat.png")
REQUEST = ModelRequest(
    messages=(
        ModelMessage.system("Be brief."),
        ModelMessage.user("Hi"),
        ModelMessage.assistant("Hello"),
        ModelMessage.system("In French."),
        ModelMessage.user([TextPart("What is this?"), DATA]),
    ),
    temperature=1.5,
    stop=("END",),
    seed=7,
)
ANTHROPIC_END = [b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n']
OLLAMA_END = [b'{"done":true}\n']


def send_request(
    kind: type[Any], request: ModelRequest = REQUEST, **options: Any
) -> tuple[dict[str, Any], Any]:
    """Return the body and the call of a request to a provider."""
    transport = FakeTransport({"openai": HELLO, "anthropic": ANTHROPIC_END, "ollama": OLLAMA_END}[kind.name])
    if kind is not OllamaProvider:
        options.setdefault("api_key", KEY)
    created = kind(
        RetryingClient(transport), model_name="m", max_tokens=300, pricer=lambda *_: None, **options
    )
    created.complete(request)
    return transport.bodies[0], transport.calls[0]


def test_the_request_to_openai() -> None:
    body, call = send_request(OpenAIProvider)
    assert call.url == "https://api.openai.com/v1/chat/completions"
    assert call.headers["Authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "system", "content": "In French."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
                ],
            },
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 300,
        "temperature": 1.5,
        "stop": ["END"],
        "seed": 7,
    }


def test_the_request_to_anthropic() -> None:
    body, call = send_request(AnthropicProvider)
    assert call.url == "https://api.anthropic.com/v1/messages"
    assert (call.headers["x-api-key"], call.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "Authorization" not in call.headers
    image = {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
    assert body == {
        "model": "m",
        "system": "Be brief.\n\nIn French.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "What is this?"}, {"type": "image", "source": image}],
            },
        ],
        "max_tokens": 300,
        "stream": True,
        "temperature": 1.0,
        "stop_sequences": ["END"],
    }


def test_the_request_to_ollama() -> None:
    body, call = send_request(OllamaProvider)
    assert call.url == "http://127.0.0.1:11434/api/chat"
    assert body["messages"][-1] == {"role": "user", "content": "What is this?", "images": ["iVBORw0K"]}
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "system",
        "user",
    ]
    assert body["options"] == {"num_predict": 300, "temperature": 1.5, "stop": ["END"], "seed": 7}
    assert (body["stream"], body["model"]) == (True, "m")


def request_with(*parts: TextPart | ImagePart) -> ModelRequest:
    return ModelRequest(messages=(ModelMessage.user(parts),))


def test_the_detail_of_an_image_is_passed_on_or_named_as_ignored() -> None:
    request = ModelRequest(messages=[ModelMessage.user([msgspec.structs.replace(DATA, detail="high")])])
    for kind, answer, is_known in (
        (OpenAIProvider, HELLO, True),
        (AnthropicProvider, ANTHROPIC_END, False),
        (OllamaProvider, OLLAMA_END, False),
    ):
        transport = FakeTransport(answer)
        options: dict[str, Any] = {} if kind is OllamaProvider else {"api_key": KEY}
        provider: BaseProvider = kind(
            RetryingClient(transport), model_name="m", max_tokens=300, pricer=lambda *_: None, **options
        )
        ignored = [each.name for each in provider.stream(request) if isinstance(each, ParameterIgnored)]
        assert ignored == ([] if is_known else ["detail"])
        assert ("high" in json.dumps(transport.bodies[0])) == is_known
    assert '"detail"' not in json.dumps(send_request(OpenAIProvider)[0]), (
        "a server that does not know it is sent none"
    )


def test_image_urls_in_the_requests() -> None:
    openai, _ = send_request(OpenAIProvider, request_with(LINK))
    assert openai["messages"][0]["content"] == [{"type": "image_url", "image_url": {"url": LINK.url}}]
    anthropic, _ = send_request(AnthropicProvider, request_with(LINK))
    source = {"type": "url", "url": LINK.url}
    assert anthropic["messages"][0]["content"] == [{"type": "image", "source": source}]
    with pytest.raises(InvalidRequest) as refused:
        send_request(OllamaProvider, request_with(TextPart("?"), LINK))
    assert (refused.value.param, refused.value.code) == ("messages[0].content", "no_image_urls")


@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider, OllamaProvider])
def test_unset_options_are_not_sent(kind: type[Any]) -> None:
    body, call = send_request(kind, ModelRequest(messages=(ModelMessage.user("Hi"),)))
    named = set(body) | set(body.get("options", {}))
    assert not named & {"temperature", "stop", "stop_sequences", "seed", "system"}
    assert KEY not in call.url
    assert KEY.encode() not in call.body


@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider, OllamaProvider])
def test_the_request_s_max_tokens_override_the_default(kind: type[Any]) -> None:
    body, _ = send_request(kind, ModelRequest(messages=(ModelMessage.user("Hi"),), max_tokens=9))
    assert 9 in (body.get("max_tokens"), body.get("options", {}).get("num_predict"))


def test_openai_reasoning_models_use_max_completion_tokens() -> None:
    body, _ = send_request(OpenAIProvider, reasoning=True)
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (300, None)
    body, _ = send_request(OpenAIProvider, reasoning=True, base_url="http://localhost:1234/v1")
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (None, 300)


@pytest.mark.parametrize(
    ("kind", "base_url", "url"),
    [
        (OpenAIProvider, "http://h:1/v1/", "http://h:1/v1/chat/completions"),
        (OpenAIProvider, "http://h", "http://h/chat/completions"),
        (
            OpenAIProvider,
            "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        (AnthropicProvider, "http://h:1", "http://h:1/v1/messages"),
        (AnthropicProvider, "http://h:1/v1/", "http://h:1/v1/messages"),
        (OllamaProvider, "http://h:1/", "http://h:1/api/chat"),
    ],
)
def test_base_urls_of_compatible_servers(kind: type[Any], base_url: str, url: str) -> None:
    assert send_request(kind, base_url=base_url)[1].url == url


@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider])
def test_without_a_key_no_credentials_are_sent(kind: type[Any]) -> None:
    _, call = send_request(kind, api_key=None)
    assert not {"Authorization", "x-api-key"} & set(call.headers)


# Calls without the engine.


def hello_provider(*chunks: bytes) -> tuple[BaseProvider, FakeTransport]:
    transport = FakeTransport(list(chunks) or HELLO)
    created = OpenAIProvider(
        RetryingClient(transport), model_name="gpt-4.1", max_tokens=300, pricer=lambda *_: None, api_key=None
    )
    return created, transport


def test_a_callback_gets_the_growing_response() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2},"model":"gpt-4.1-x"}\n\n'
    created, _ = hello_provider(chunk("Hel"), chunk("lo"), chunk(None, "stop"), usage, b"data: [DONE]\n\n")
    received: list[tuple[str, str, bool]] = []

    def callback(delta: str, response: ModelResponse) -> None:
        received.append((delta, response.content, response.usage.estimated))

    answer = created.stream_with_callback(REQUEST, callback)
    assert received == [("Hel", "Hel", True), ("lo", "Hello", True)]
    assert (answer.content, answer.finish_reason, answer.provider) == ("Hello", "stop", "openai")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.estimated) == (5, 2, False)
    assert answer.cost is None


def test_an_exception_in_the_callback_closes_the_connection() -> None:
    created, transport = hello_provider()

    def callback(delta: str, response: ModelResponse) -> None:
        assert transport.open == 1
        raise LookupError(delta)

    with pytest.raises(LookupError, match="Hello"):
        created.stream_with_callback(REQUEST, callback)
    assert transport.open == 0


def test_complete_returns_the_whole_answer() -> None:
    created, transport = hello_provider()
    assert created.complete(REQUEST).content == "Hello"
    assert created.model_name == "gpt-4.1"
    assert json.loads(transport.calls[0].body)["stream"] is True
