"""Providers created from settings, and which of them answers a request."""

from typing import Any

import pytest

from webapp.catalog.models import ModelTable
from webapp.chat import ModelMessage, ModelRequest, ModelResponse
from webapp.errors import AnswerError, ConfigurationError, InvalidRequest, UpstreamError
from webapp.events import Event, Finished, TextDelta
from webapp.providers.factory import ProviderFactory
from webapp.providers.recorded import RecordedTransport
from webapp.providers.registry import ProviderRegistry
from webapp.settings import PROVIDERS, Settings
from webapp.wiring import create_provider, make_runs


@pytest.fixture(autouse=True)
def _no_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the providers from being asked which models they have: tests use no network."""
    monkeypatch.setattr(ProviderFactory, "listing", lambda *_, **__: None)


QUESTION = ModelRequest(messages=(ModelMessage.user("Hi"),))
KEYS = {"OPENAI_API_KEY": "sk-canary", "ANTHROPIC_API_KEY": "sk-canary"}
RECORDED = Settings.read({"SKIP_API_KEY_CHECK": "true"})


def make_provider(name: str, *, environ: dict[str, str] | None = None, **options: Any) -> Any:
    return create_provider(name, settings=Settings.read(environ or {}), **options)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai", "gpt-4.1"),
        ("anthropic", "claude-3-7-sonnet-20250219"),
        ("ollama", "llama3"),
        ("mock", "mock-standard"),
    ],
)
def test_each_provider_has_its_default_model_and_length(name: str, model: str) -> None:
    provider = make_provider(name, environ=KEYS)
    assert (provider.name, provider.model_name) == (name, model)
    assert provider._max_output_tokens(QUESTION) == 300


def test_model_and_length_can_be_chosen() -> None:
    provider = make_provider("openai", environ=KEYS, model_name="o3", max_tokens=9)
    assert (provider.model_name, provider._max_output_tokens(QUESTION)) == ("o3", 9)


@pytest.mark.parametrize(
    ("name", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_names_its_variable(name: str, variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable) as refused:
        make_provider(name)
    assert refused.value.setting == variable
    assert "\n" not in str(refused.value)
    assert make_provider(name, api_key="k").name == name


def test_a_custom_server_needs_no_key() -> None:
    assert make_provider("openai", base_url="http://localhost:1234/v1").name == "openai"
    assert make_provider("openai", environ={"OPENAI_BASE_URL": "http://localhost:1234/v1"}).name == "openai"
    with pytest.raises(ConfigurationError):
        make_provider("openai", base_url="https://api.openai.com/v1")


def test_create_provider_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "FRESHET_PROVIDER", "SKIP_API_KEY_CHECK", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        create_provider("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert create_provider("openai").model_name == "gpt-4.1"


@pytest.mark.parametrize("name", ["gpt", "", "OpenAI", "openai/gpt-4.1"])
def test_an_unknown_provider_is_refused_with_a_list_of_the_known(name: str) -> None:
    with pytest.raises(ConfigurationError, match="openai, anthropic, ollama, mock"):
        make_provider(name, environ=KEYS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_unknown_option_is_named_in_the_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match="flavour"):
        make_provider(name, environ=KEYS, flavour="vanilla")


@pytest.mark.parametrize("name", ["openai", "anthropic", "ollama"])
def test_without_a_key_a_recording_is_decoded_by_the_real_decoder(name: str) -> None:
    provider = create_provider(name, settings=RECORDED)
    deltas: list[str] = []

    def callback(delta: str, response: ModelResponse) -> None:
        deltas.append(delta)

    answer = provider.stream_with_callback(QUESTION, callback)
    assert answer.content == "".join(deltas)
    assert len(deltas) > 10
    assert "recording" in answer.content
    assert (answer.finish_reason, answer.usage.estimated, answer.provider) == ("stop", False, name)


def test_a_key_or_a_custom_server_disables_the_recording() -> None:
    def uses_recording(**options: str) -> bool:
        provider = create_provider("openai", settings=RECORDED, **options)
        chat = getattr(provider, "_chat", provider)
        return isinstance(chat._client._transport, RecordedTransport)

    assert uses_recording()
    assert not uses_recording(api_key="k")
    assert not uses_recording(base_url="http://localhost:1234/v1")


# The mock provider.


def test_the_mock_is_deterministic_and_uses_all_of_markdown() -> None:
    answers = [make_provider("mock", delay_ms=0, max_tokens=4096).complete(QUESTION) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert "You asked: “Hi”" in answers[0].content
    for markup in ("## ", "**", "```python", "|---|", "> ", "- [x]", "你好", "👩‍🚀"):
        assert markup in answers[0].content
    assert (answers[0].finish_reason, answers[0].model, answers[0].cost) == ("stop", "mock-standard", 0)


def test_the_mock_stops_at_max_tokens() -> None:
    answer = make_provider("mock", delay_ms=0, max_tokens=5).complete(QUESTION)
    assert (answer.finish_reason, answer.usage.output_tokens) == ("length", 5)
    assert (
        make_provider("mock", delay_ms=0, max_tokens=4096)
        .complete(QUESTION)
        .content.startswith(answer.content)
    )


def test_the_mock_plays_a_script_with_its_errors() -> None:
    script: list[tuple[float, Event | AnswerError]] = [
        (0, TextDelta("Hel")),
        (0, TextDelta("lo")),
        (0, UpstreamError("upstream_overloaded")),
    ]
    deltas: list[str] = []
    with pytest.raises(UpstreamError):
        make_provider("mock", script=script).stream_with_callback(
            QUESTION, lambda delta, _: deltas.append(delta)
        )
    assert deltas == ["Hel", "lo"]
    assert make_provider("mock", script=[(0, Finished("stop"))]).complete(QUESTION).content == ""


def test_a_long_or_strange_question_does_not_break_the_mock() -> None:
    for question in ("x" * 10_000, "{question} {0}", "a\nb", "😀" * 200):
        request = ModelRequest(messages=(ModelMessage.user(question),))
        assert make_provider("mock", delay_ms=0).complete(request).content


# Which provider answers a request.


def make_registry(**environ: str) -> ProviderRegistry:
    settings, models = Settings.read(environ), ModelTable.read()
    return ProviderRegistry(settings, models, ProviderFactory(settings, models))


def resolve(registry: ProviderRegistry, provider: str | None = None, model: str | None = None) -> list[str]:
    return [f"{link.name}/{link.model_name}" for link in registry.resolve(provider, model)]


# The first of the table's lists, where no listing says which models exist.
OPENAI, ANTHROPIC = "gpt-6.2-sol", "claude-sonnet-5-5"
BOTH = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}


@pytest.mark.parametrize(
    ("provider", "model", "answers"),
    [
        (None, None, f"openai/{OPENAI}"),
        ("anthropic", None, f"anthropic/{ANTHROPIC}"),
        ("anthropic", "claude-x", "anthropic/claude-x"),
        ("anthropic", "anthropic/claude-x", "anthropic/claude-x"),
        (None, "anthropic/claude-x", "anthropic/claude-x"),
        (None, "claude-opus-4-20250514", "anthropic/claude-opus-4-20250514"),
        (None, "o3", "openai/o3"),
        (None, "mystery", "openai/mystery"),
        (None, "meta-llama/llama-3.3-70b", "openai/meta-llama/llama-3.3-70b"),
        (None, "ollama/llama3", "openai/ollama/llama3"),
        (None, "openai/", "openai/openai/"),
        (None, "mock/anything", "mock/mock-standard"),
        ("mock", "gpt-4.1", "mock/mock-standard"),
        (None, "mock-standard", "mock/mock-standard"),
    ],
)
def test_provider_and_model_are_resolved(provider: str | None, model: str | None, answers: str) -> None:
    assert resolve(make_registry(**BOTH), provider, model) == [answers]


def test_the_configured_default_answers() -> None:
    registry = make_registry(**BOTH, FRESHET_PROVIDER="anthropic", FRESHET_MODEL="anthropic/claude-x")
    assert resolve(registry) == ["anthropic/claude-x"]
    assert resolve(registry, "openai") == [f"openai/{OPENAI}"]
    assert registry.default.name == "anthropic"


@pytest.mark.parametrize(
    ("provider", "code", "word"),
    [("gpt", "unknown_provider", "openai"), ("ollama", "provider_not_configured", "OLLAMA_HOST")],
)
def test_a_provider_that_is_not_configured_is_refused(provider: str, code: str, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word) as refused:
        make_registry(OPENAI_API_KEY="k").resolve(provider, None)
    assert (refused.value.param, refused.value.code) == ("provider", code)


def test_fallbacks_follow_the_requested_provider() -> None:
    registry = make_registry(**BOTH, FRESHET_FALLBACK="openai, anthropic/claude-x, mock")
    assert resolve(registry) == [f"openai/{OPENAI}", "anthropic/claude-x", "mock/mock-standard"]
    assert resolve(registry, "mock") == ["mock/mock-standard", f"openai/{OPENAI}", "anthropic/claude-x"]


def test_a_missing_key_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        make_registry(FRESHET_PROVIDER="openai")


def test_models_are_listed_once_by_provider_with_its_default_first() -> None:
    registry = make_registry(**BOTH, FRESHET_MODEL="my-own")
    firsts = [group.models[0].id for group in registry.list_groups()]
    assert firsts == ["openai/my-own", f"anthropic/{ANTHROPIC}", "mock/mock-standard"]
    listed = list(registry.list_models())
    assert listed[0] == "openai/my-own"
    assert len(listed) == len(set(listed))
    assert not any(name.startswith("ollama/") for name in listed)


def test_providers_are_cached_and_bounded() -> None:
    registry = make_registry(OPENAI_API_KEY="k")
    assert registry.resolve(None, "a")[0] is registry.resolve(None, "a")[0]
    for number in range(1_100):
        registry.resolve(None, f"model-{number}")
    assert len(registry._cache) == 1_000
    assert resolve(registry, None, "model-1099") == ["openai/model-1099"]


def test_the_engine_takes_its_limits_from_the_settings() -> None:
    settings = Settings.read(
        {"FRESHET_MAX_STREAMS": "7", "FRESHET_RUN_MAX_BYTES": "2048", "FRESHET_EXPIRY_S": "9"}
    )
    limits = make_runs(settings, ModelTable.read()).limits
    assert (limits.max_streams, limits.max_readers, limits.run_max_bytes, limits.expiry_s) == (7, 14, 2048, 9)


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("base_url", "localhost:8080", "http://"),
        ("api_key", "sk-canary\n", "key"),
        ("api_key", "sk-…", "key"),
    ],
)
def test_an_option_is_checked_like_its_variable(option: str, value: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be .*{word}") as refused:
        create_provider("openai", settings=Settings(openai_api_key="k"), **{option: value})
    assert "canary" not in str(refused.value)
