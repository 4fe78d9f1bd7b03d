"""Providers made from settings, and which of them answers what a request names."""

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

QUESTION = ModelRequest(messages=(ModelMessage.user("Hi"),))
KEYS = {"OPENAI_API_KEY": "sk-canary", "ANTHROPIC_API_KEY": "sk-canary"}
PLAYED = Settings.read({"SKIP_API_KEY_CHECK": "true"})


def made(name: str, *, environ: dict[str, str] | None = None, **options: Any) -> Any:
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
def test_the_defaults_that_people_know(name: str, model: str) -> None:
    provider = made(name, environ=KEYS)
    assert (provider.name, provider.model_name) == (name, model)
    assert provider._limit(QUESTION) == 300


def test_a_name_and_a_length_of_one_s_own() -> None:
    provider = made("openai", environ=KEYS, model_name="o3", max_tokens=9)
    assert (provider.model_name, provider._limit(QUESTION)) == ("o3", 9)


@pytest.mark.parametrize(
    ("name", "variable"), [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_names_its_variable(name: str, variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable) as refused:
        made(name)
    assert refused.value.setting == variable
    assert "\n" not in str(refused.value)
    assert made(name, api_key="k").name == name


def test_a_server_of_one_s_own_needs_no_key() -> None:
    assert made("openai", base_url="http://localhost:1234/v1").name == "openai"
    assert made("openai", environ={"OPENAI_BASE_URL": "http://localhost:1234/v1"}).name == "openai"
    with pytest.raises(ConfigurationError):
        made("openai", base_url="https://api.openai.com/v1")


def test_the_environment_is_what_create_provider_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "FRESHET_PROVIDER", "SKIP_API_KEY_CHECK", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        create_provider("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert create_provider("openai").model_name == "gpt-4.1"


@pytest.mark.parametrize("name", ["gpt", "", "OpenAI", "openai/gpt-4.1"])
def test_an_unknown_provider_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigurationError, match="openai, anthropic, ollama, mock"):
        made(name, environ=KEYS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_unknown_option_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match="flavour"):
        made(name, environ=KEYS, flavour="vanilla")


@pytest.mark.parametrize("name", ["openai", "anthropic", "ollama"])
def test_without_a_key_a_recording_is_played_through_the_real_decoder(name: str) -> None:
    provider = create_provider(name, settings=PLAYED)
    heard: list[str] = []

    def callback(delta: str, response: ModelResponse) -> None:
        heard.append(delta)

    answer = provider.stream_with_callback(QUESTION, callback)
    assert answer.content == "".join(heard)
    assert len(heard) > 10
    assert "recording" in answer.content
    assert (answer.finish_reason, answer.usage.estimated, answer.provider) == ("stop", False, name)


def test_a_key_or_a_server_of_one_s_own_beats_the_recording() -> None:
    def plays(**options: str) -> bool:
        return isinstance(
            create_provider("openai", settings=PLAYED, **options)._client._transport, RecordedTransport
        )  # type: ignore[attr-defined]

    assert plays()
    assert not plays(api_key="k")
    assert not plays(base_url="http://localhost:1234/v1")


# The mock.


def test_the_mock_is_deterministic_and_rich() -> None:
    answers = [made("mock", delay_ms=0, max_tokens=4096).complete(QUESTION) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert "You asked: “Hi”" in answers[0].content
    for sign in ("## ", "**", "```python", "|---|", "> ", "- [x]", "你好", "👩‍🚀"):
        assert sign in answers[0].content
    assert (answers[0].finish_reason, answers[0].model, answers[0].cost) == ("stop", "mock-standard", 0)


def test_the_mock_ends_by_length() -> None:
    answer = made("mock", delay_ms=0, max_tokens=5).complete(QUESTION)
    assert (answer.finish_reason, answer.usage.output_tokens) == ("length", 5)
    assert made("mock", delay_ms=0, max_tokens=4096).complete(QUESTION).content.startswith(answer.content)


def test_the_mock_plays_a_script_faults_included() -> None:
    script: list[tuple[float, Event | AnswerError]] = [
        (0, TextDelta("Hel")),
        (0, TextDelta("lo")),
        (0, UpstreamError("upstream_overloaded")),
    ]
    heard: list[str] = []
    with pytest.raises(UpstreamError):
        made("mock", script=script).stream_with_callback(QUESTION, lambda delta, _: heard.append(delta))
    assert heard == ["Hel", "lo"]
    assert made("mock", script=[(0, Finished("stop"))]).complete(QUESTION).content == ""


def test_a_long_or_strange_question_does_not_break_the_mock() -> None:
    for question in ("x" * 10_000, "{question} {0}", "a\nb", "😀" * 200):
        asked = ModelRequest(messages=(ModelMessage.user(question),))
        assert made("mock", delay_ms=0).complete(asked).content


# Who answers what a request names.


def catalog(**environ: str) -> ProviderRegistry:
    settings, models = Settings.read(environ), ModelTable.read()
    return ProviderRegistry(settings, models, ProviderFactory(settings, models))


def answering(found: ProviderRegistry, provider: str | None = None, model: str | None = None) -> list[str]:
    return [f"{link.name}/{link.model_name}" for link in found.resolve(provider, model)]


BOTH = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}


@pytest.mark.parametrize(
    ("provider", "model", "answers"),
    [
        (None, None, "openai/gpt-4.1"),
        ("anthropic", None, "anthropic/claude-3-7-sonnet-20250219"),
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
def test_who_answers(provider: str | None, model: str | None, answers: str) -> None:
    assert answering(catalog(**BOTH), provider, model) == [answers]


def test_the_operator_s_default_answers() -> None:
    found = catalog(**BOTH, FRESHET_PROVIDER="anthropic", FRESHET_MODEL="anthropic/claude-x")
    assert answering(found) == ["anthropic/claude-x"]
    assert answering(found, "openai") == ["openai/gpt-4.1"]
    assert found.default.name == "anthropic"


@pytest.mark.parametrize(
    ("provider", "code", "word"),
    [("gpt", "unknown_provider", "openai"), ("ollama", "provider_not_configured", "OLLAMA_HOST")],
)
def test_a_provider_that_is_not_there_is_refused(provider: str, code: str, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word) as refused:
        catalog(OPENAI_API_KEY="k").resolve(provider, None)
    assert (refused.value.param, refused.value.code) == ("provider", code)


def test_those_who_stand_in() -> None:
    found = catalog(**BOTH, FRESHET_FALLBACK="openai, anthropic/claude-x, mock")
    assert answering(found) == ["openai/gpt-4.1", "anthropic/claude-x", "mock/mock-standard"]
    assert answering(found, "mock") == ["mock/mock-standard", "openai/gpt-4.1", "anthropic/claude-x"]


def test_a_missing_key_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        catalog(FRESHET_PROVIDER="openai")


def test_what_can_be_asked_for_is_listed_once_with_the_defaults_first() -> None:
    listed = list(catalog(**BOTH, FRESHET_MODEL="my-own").listed())
    assert listed[:3] == ["openai/my-own", "anthropic/claude-3-7-sonnet-20250219", "mock/mock-standard"]
    assert len(listed) == len(set(listed))
    assert not any(name.startswith("ollama/") for name in listed)


def test_providers_are_made_once_and_bounded() -> None:
    found = catalog(OPENAI_API_KEY="k")
    assert found.resolve(None, "a")[0] is found.resolve(None, "a")[0]
    for number in range(1_100):
        found.resolve(None, f"model-{number}")
    assert len(found._made) == 1_000
    assert answering(found, None, "model-1099") == ["openai/model-1099"]


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
def test_an_option_is_held_to_what_its_variable_is(option: str, value: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} must be .*{word}") as refused:
        create_provider("openai", settings=Settings(openai_api_key="k"), **{option: value})
    assert "canary" not in str(refused.value)
