"""The limit of an answer that is sent to a provider: room for the reasoning beside the text, and what the operator allows."""

from typing import Any, cast

import pytest

from tests.unit.starting import HI, build_spec, run_starter, user
from tests.unit.transports import FakeTransport
from webapp.access.principals import Kind
from webapp.errors import UpstreamError
from webapp.providers.base import BaseProvider
from webapp.providers.factory import ProviderFactory

TEXT = 4_096
ENVIRON = {"ANTHROPIC_API_KEY": "k", "OLLAMA_HOST": "h"}
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def sent(
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    kind: Kind = "user",
    environ: dict[str, str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return the body that a question leads to at the provider of a model, which refuses it."""
    transport = refusing()
    monkeypatch.setattr(ProviderFactory, "_transport", lambda _: transport)
    monkeypatch.setattr(ProviderFactory, "_listing_transport", lambda _: refusing())
    starter = run_starter(**ENVIRON | {"FRESHET_VISITOR_MODELS": "all"} | (environ or {}))
    spec = build_spec({"messages": HI, "model": model} | fields, user(kind=kind), starter)
    with pytest.raises(UpstreamError):
        list(cast("BaseProvider", spec.chain[0]).stream(spec.request))
    return transport.bodies[0]


def refusing() -> FakeTransport:
    error = UpstreamError("upstream_auth", retryable=False, status=401)
    return FakeTransport(*[error] * 9)


def limit_of(body: dict[str, Any]) -> int:
    found = [body[name] for name in LIMITS if name in body] or [body["options"]["num_predict"]]
    return int(found[0])


@pytest.mark.parametrize(
    ("model", "effort", "room"),
    [
        # Chat Completions.
        ("openai/gpt-4.1", None, 0),
        ("openai/gpt-5", None, 8_192),
        ("openai/gpt-5", "none", 0),
        ("openai/gpt-5", "high", 16_384),
        ("openai/o3", "low", 2_048),
        # Responses.
        ("openai/gpt-6.1-terra", None, 8_192),
        ("openai/gpt-6.1-terra", "none", 0),
        ("openai/gpt-6.1-terra", "max", 65_536),
        # Anthropic: one that always thinks, one that does so by itself, and one only when told to.
        ("anthropic/claude-opus-5-5", None, 8_192),
        ("anthropic/claude-opus-5-5", "xhigh", 32_768),
        ("anthropic/claude-sonnet-5", None, 8_192),
        ("anthropic/claude-sonnet-5", "none", 0),
        ("anthropic/claude-sonnet-4-5", None, 0),
        ("anthropic/claude-sonnet-4-5", "high", 16_384),
        ("anthropic/claude-3-5-haiku", None, 0),
        # Ollama, of whose models only the caller says that they reason as long as they are not listed.
        ("ollama/qwen3", None, 0),
        ("ollama/qwen3", "medium", 8_192),
    ],
)
def test_an_answer_has_room_for_reasoning_beside_its_text(
    monkeypatch: pytest.MonkeyPatch, model: str, effort: str | None, room: int
) -> None:
    fields = {} if effort is None else {"effort": effort}
    assert limit_of(sent(monkeypatch, model, **fields)) == TEXT + room


def test_a_thinking_budget_leaves_the_whole_text_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    body = sent(monkeypatch, "anthropic/claude-sonnet-4-5", effort="high")
    assert body["max_tokens"] - body["thinking"]["budget_tokens"] == TEXT


def test_the_room_ends_at_the_model_s_longest_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_of(sent(monkeypatch, "anthropic/claude-3-7-sonnet", effort="max")) == 64_000


@pytest.mark.parametrize(
    ("kind", "environ", "expected"),
    [
        ("user", {"FRESHET_MAX_TOKENS": "9000"}, 9_000),
        ("user", {"FRESHET_USER_MAX_TOKENS": "9000"}, 9_000),
        ("user", {"FRESHET_USER_MAX_TOKENS": "3000"}, 3_000),
        ("key", {"FRESHET_KEY_MAX_TOKENS": "5000", "FRESHET_MAX_TOKENS": "4500"}, 4_500),
        ("visitor", {}, TEXT + 8_192),
        ("visitor", {"FRESHET_VISITOR_MAX_TOKENS": "2000"}, 2_000),
        ("visitor", {"FRESHET_MAX_TOKENS": "6000"}, 6_000),
        ("visitor", {"FRESHET_MAX_TOKENS": "90000"}, TEXT + 8_192),
    ],
)
def test_reasoning_counts_within_the_limits_that_the_operator_sets(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, environ: dict[str, str], expected: int
) -> None:
    assert limit_of(sent(monkeypatch, "anthropic/claude-opus-5-5", kind, environ, effort="max")) == expected


@pytest.mark.parametrize(
    ("asked", "expected"), [(500, 500), (20_000, TEXT + 16_384), (1_000_000, TEXT + 16_384)]
)
def test_the_caller_s_own_limit_includes_reasoning_and_is_capped(
    monkeypatch: pytest.MonkeyPatch, asked: int, expected: int
) -> None:
    body = sent(monkeypatch, "openai/gpt-5", effort="high", max_tokens=asked)
    assert limit_of(body) == min(asked, expected)
