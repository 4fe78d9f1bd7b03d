"""The choice between Chat Completions and Responses."""

import pytest

from tests.support.dialects import responses
from tests.unit.transports import HELLO, FakeTransport, Outcome
from webapp.catalog.models import ModelTable
from webapp.catalog.rows import Model
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import UpstreamError
from webapp.providers.factory import ProviderFactory
from webapp.providers.openai.addresses import is_own_server
from webapp.settings import Settings

REQUEST = ModelRequest(messages=(ModelMessage.user("Hi"),))
ANSWER = responses(["Hel", "lo"])
CHAT = "https://api.openai.com/v1/chat/completions"
RESPONSES = "https://api.openai.com/v1/responses"
REFUSALS = [
    (
        404,
        "This is not a chat model. This model is only supported in v1/responses and not in v1/chat/completions.",
    ),
    (
        400,
        "Function tools with reasoning_effort are not supported for gpt-9 in /v1/chat/completions. To use function tools, "
        "use /v1/responses or set reasoning_effort to 'none'.",
    ),
    (400, "Please use the Responses API for this model."),
]


def asked(
    monkeypatch: pytest.MonkeyPatch, model: str, *outcomes: Outcome, calls: int = 1, **variables: str
) -> list[str]:
    """Answer questions with a new provider, and return the addresses that were called."""
    transport = FakeTransport(*outcomes)
    monkeypatch.setattr(ProviderFactory, "_transport", lambda _: transport)
    settings = Settings.read({"OPENAI_API_KEY": "k", **variables})
    provider = ProviderFactory(settings, ModelTable.read()).make("openai", model, 100)
    for _ in range(calls):
        assert provider.complete(REQUEST).content == "Hello"
    return [call.url for call in transport.calls]


def refusal(status: int, reason: str) -> UpstreamError:
    return UpstreamError("upstream_bad_request", reason=f"\n{reason}", status=status)


@pytest.mark.parametrize(
    ("model", "api", "expected"),
    [
        ("gpt-4.1", "auto", CHAT),
        ("gpt-5.4", "auto", RESPONSES),
        ("gpt-5.4", "chat", CHAT),
        ("gpt-4.1", "responses", RESPONSES),
        ("gpt-4.1", "RESPONSES", RESPONSES),
    ],
)
def test_the_model_and_the_setting_decide(
    monkeypatch: pytest.MonkeyPatch, model: str, api: str, expected: str
) -> None:
    outcome = ANSWER if expected == RESPONSES else HELLO
    assert asked(monkeypatch, model, outcome, FRESHET_OPENAI_API=api) == [expected]


def test_the_table_of_models_says_what_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Model(provider="openai", name="nova-1-pro", reasoning=True)
    for rows, expected in (([row], {"summary": "auto"}), ([], None)):
        transport = FakeTransport(ANSWER)
        monkeypatch.setattr(ProviderFactory, "_transport", lambda _, found=transport: found)
        factory = ProviderFactory(Settings.read({"OPENAI_API_KEY": "k"}), ModelTable(rows))
        factory.make("openai", "nova-1-pro", 100).complete(REQUEST)
        assert transport.bodies[0].get("reasoning") == expected


def test_another_server_is_called_by_chat_completions(monkeypatch: pytest.MonkeyPatch) -> None:
    called = asked(monkeypatch, "gpt-6.2-sol", HELLO, OPENAI_BASE_URL="https://gateway.example/v1")
    assert called == ["https://gateway.example/v1/chat/completions"]


@pytest.mark.parametrize(("status", "reason"), REFUSALS)
def test_a_refusal_that_names_responses_is_followed_and_remembered(
    monkeypatch: pytest.MonkeyPatch, status: int, reason: str
) -> None:
    called = asked(monkeypatch, "new-model", refusal(status, reason), ANSWER, ANSWER, calls=2)
    assert called == [CHAT, RESPONSES, RESPONSES]


@pytest.mark.parametrize(
    ("status", "reason", "api"),
    [
        (400, "Your responses are impolite.", "auto"),
        (401, REFUSALS[0][1], "auto"),
        (404, REFUSALS[0][1], "chat"),
    ],
)
def test_other_refusals_are_errors(
    monkeypatch: pytest.MonkeyPatch, status: int, reason: str, api: str
) -> None:
    with pytest.raises(UpstreamError):
        asked(monkeypatch, "new-model", refusal(status, reason), FRESHET_OPENAI_API=api)


def test_a_recording_is_played_without_a_key() -> None:
    settings = Settings.read({"SKIP_API_KEY_CHECK": "1"})
    provider = ProviderFactory(settings, ModelTable.read()).make("openai", "gpt-6.2-sol", 100)
    assert provider.complete(REQUEST).content


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.evil.example/v1", False),
        ("https://fakeapi.openai.com/v1", False),
        ("http://127.0.0.1:8000/v1", False),
    ],
)
def test_openai_s_own_addresses(address: str, expected: bool) -> None:
    assert is_own_server(address) is expected
