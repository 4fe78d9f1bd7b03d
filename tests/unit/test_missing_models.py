"""A model that a provider does not have: recognised in any wording, and told with up to three that it has."""

import json
import threading
from typing import Any

import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, refusal, whole
from webapp.catalog.models import ModelTable
from webapp.chat import ModelMessage, ModelRequest
from webapp.errors import UpstreamError
from webapp.providers.errors import error_from_event, error_from_response
from webapp.providers.factory import ProviderFactory
from webapp.providers.missing_models import is_missing_model, missing_model_error
from webapp.providers.registry import ProviderRegistry
from webapp.settings import Settings
from webapp.wiring import create_provider

QUESTION = ModelRequest(messages=(ModelMessage.user("Hi"),))
LISTED = {
    "data": [
        {"id": name}
        for name in ("claude-haiku-5-5", "claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5-5")
    ]
}


def refused(status: int, error: object, **rest: object) -> UpstreamError:
    return error_from_response(status, {}, json.dumps({"error": error, **rest}).encode())


# As Anthropic, OpenAI (404 and 403), vLLM, Groq, DeepSeek, OpenRouter, Mistral, Together, xAI, LiteLLM, Ollama, LM Studio, Azure and
# Bedrock's proxies word it.
WORDINGS: list[tuple[int, dict[str, Any] | str]] = [
    (404, {"type": "not_found_error", "message": "model: claude-3-7-sonnet-20250219"}),
    (404, {"message": "The model `gpt-4-32k` does not exist or you do not have access to it.", "code": "model_not_found"}),
    (403, {"message": "Project `p` does not have access to model `x`", "code": "model_not_found"}),
    (404, {"message": "The model `x` does not exist.", "type": "NotFoundError", "param": "model", "code": 404}),
    (400, {"message": "The model `x` has been decommissioned and is no longer supported.", "code": "model_decommissioned"}),
    (400, {"message": "Model Not Exist", "type": "invalid_request_error", "code": "invalid_request_error"}),
    (400, {"message": "foo/bar is not a valid model ID", "code": 400}),
    (404, {"message": "No endpoints found for foo/bar.", "code": 404}),
    (400, {"message": "Invalid model: x", "type": "invalid_model", "code": "1500"}),
    (404, {"message": "Unable to access model x. Please visit the list.", "code": "model_not_available"}),
    (400, {"message": "Invalid model name passed in model=x. Call `/v1/models` to view available models", "code": "400"}),
    (404, "model 'llama3' not found, try pulling it first"),
    (404, 'model "llama3.9" not found'),
    (404, {"message": "Model not found (x)", "type": "invalid_request_error"}),
    (404, {"message": "The API deployment for this resource does not exist.", "code": "DeploymentNotFound"}),
    (400, {"message": "The provided model identifier is invalid."}),
    (410, {"message": "This model was retired on 2026-02-19."}),
    (410, {"message": "gone"}),
    (400, {"message": "no", "type": "invalid_model", "code": "1500"}),
    (400, {"message": "The requested model is not supported.", "code": "model_not_supported", "param": "model"}),
    (400, {"message": "Not supported model x"}),
    (400, {"message": "Model x not supported"}),
    (400, {"message": "模型不存在，请检查模型代码。", "code": "1211"}),
    (404, {"message": "There are no healthy deployments for this model"}),
    (404, {"message": "Could not resolve the foundation model from the provided model identifier."}),
    (404, {"message": "This model version has reached the end of its life."}),
    (404, {"message": "The requested model 'x' was shut down", "code": 404}),
    (400, {"message": "unexpected model name format, x"}),
    (422, {"detail": [{"loc": ["body", "model"], "msg": "Input should be 'a' or 'b'"}]}),
    (404, {"message": "models/gemini-1.5-pro is not found for API version v1main", "status": "NOT_FOUND"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error"), WORDINGS)
def test_a_missing_model_is_recognised_in_any_wording(status: int, error: dict[str, Any] | str) -> None:
    assert is_missing_model(refused(status, error))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, {"message": "Not Found"}),
        (404, {"message": "Invalid URL (POST /v1/v1/chat/completions)"}),
        (401, {"message": "The model `x` does not exist or you do not have access to it."}),
        (429, {"message": "The model is overloaded", "code": "model_not_found"}),
        (
            400,
            {
                "message": "This model's maximum context length is 8192 tokens.",
                "code": "context_length_exceeded",
            },
        ),
        (400, {"message": "`temperature` is deprecated for this model."}),
        (400, {"message": "Unsupported value: 'effort' is not supported with this model."}),
        (
            404,
            {
                "message": "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
            },
        ),
        (404, {"message": "This model is only supported in v1/responses and not in v1/chat/completions."}),
        (403, {"message": "Your account may not use this model. It does not exist in your region."}),
        (400, {"type": "invalid_request_error", "message": "model: Field required"}),
        (500, {"message": "The model `x` does not exist."}),
        (404, {"message": "No endpoints found that support image input", "code": 404}),
        (400, {"message": "The model expects alternate roles; the last is invalid"}),
        (400, {"message": "parameter `logprobs` not supported by model x"}),
        (400, {"message": "This model does not support tools", "param": "model"}),
    ],
)
def test_other_refusals_are_no_missing_model(status: int, error: dict[str, Any]) -> None:
    assert not is_missing_model(refused(status, error))


def test_an_error_inside_a_stream_is_recognised_too() -> None:
    assert is_missing_model(
        error_from_event({"type": "not_found_error", "message": "model: claude-3-7-sonnet"})
    )
    assert is_missing_model(error_from_event({"message": "model x not found", "code": 404}))
    assert not is_missing_model(error_from_event({"type": "overloaded_error", "message": "Overloaded"}))


@pytest.mark.parametrize(
    ("model", "available", "message"),
    [
        ("gone", ["a", "b", "c", "d"], "The provider has no model called gone. Available: a, b, c."),
        ("gone", ["a"], "The provider has no model called gone. Available: a."),
        ("gpt-5.4-mnii", ["a", "b", "gpt-5.4-mini"], "The provider has no model called gpt-5.4-mnii. Available: gpt-5.4-mini, a, b."),
        ("gone", ["gone", "b"], "The provider has no model called gone. Available: b."),
        ("gone", [], "The provider has no model called gone. Choose another `model`, or set FRESHET_MODEL."),
        ("x" * 300, ["a"], "The provider has no model called this name. Available: a."),
        ("<b>\n", ["a"], "The provider has no model called this name. Available: a."),
    ],
)  # fmt: skip
def test_the_error_names_up_to_three(model: str, available: list[str], message: str) -> None:
    error = missing_model_error(refused(404, {"message": "model not found, key sk-canary"}), model, available)
    assert (error.message, error.code, error.status, error.retryable) == (
        message,
        "upstream_bad_request",
        404,
        False,
    )


def gone(call: object) -> Answer:
    del call
    return refusal(
        404,
        {
            "type": "error",
            "error": {"type": "not_found_error", "message": "model: claude-3-7-sonnet-20250219"},
        },
    )


def test_a_retired_default_of_create_provider_names_models_that_exist() -> None:
    """`create_provider` keeps its documented default and asks nothing; its model was retired in February 2026."""
    with FakeProvider(gone, models=whole(LISTED)) as fake:
        settings = Settings.read({"ANTHROPIC_API_KEY": "sk-x", "ANTHROPIC_BASE_URL": fake.url})
        provider = create_provider("anthropic", settings=settings)
        assert provider.model_name == "claude-3-7-sonnet-20250219"
        assert not fake.listing_calls
        with pytest.raises(UpstreamError) as failed:
            provider.complete(QUESTION)
        assert failed.value.message == (
            "The provider has no model called claude-3-7-sonnet-20250219. "
            "Available: claude-sonnet-5-5, claude-opus-5-5, claude-haiku-5-5."
        )
        with pytest.raises(UpstreamError, match="Available"):
            provider.complete(QUESTION)
        assert (len(fake.calls), len(fake.listing_calls)) == (2, 1)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "claude-sonnet-5-5, claude-opus-5-5, claude-haiku-5-5"),
        ({"FRESHET_FALLBACK": "anthropic/claude-next"}, "claude-next, claude-sonnet-5-5, claude-opus-5-5"),
        ({"FRESHET_VISITOR_MODELS": "all"}, "claude-next, claude-sonnet-5-5, claude-opus-5-5"),
    ],
)
def test_an_error_names_only_models_that_every_caller_may_use(environ: dict[str, str], named: str) -> None:
    """`claude-next` has no known price, and its name is the most similar."""
    with FakeProvider(gone, models=whole({"data": [{"id": "claude-next"}, *LISTED["data"]]})) as fake:
        environ = {"ANTHROPIC_API_KEY": "sk-x", "ANTHROPIC_BASE_URL": fake.url} | environ
        settings, models = Settings.read(environ), ModelTable.read()
        registry = ProviderRegistry(settings, models, ProviderFactory(settings, models))
        provider = registry.resolve("anthropic", "claude-nex")[0]
        with pytest.raises(UpstreamError, match=rf"Available: {named}\."):
            provider.complete(QUESTION)


def test_the_options_of_create_provider_are_those_of_its_listing() -> None:
    with FakeProvider(refusal(404, {"error": "model 'llama3' not found"}), models=refusal(500)) as fake:
        provider = create_provider("ollama", base_url=fake.url, settings=Settings())
        with pytest.raises(UpstreamError, match=r"has no model called llama3\. Choose another"):
            provider.complete(QUESTION)
        assert [call.path for call in fake.listing_calls] == ["/api/tags"]


def test_a_listing_that_hangs_delays_the_error_by_two_seconds_at_most() -> None:
    done = threading.Event()
    with FakeProvider(gone, models=Answer(steps=lambda: iter([b" ", 60.0]))) as fake:
        provider = create_provider("anthropic", api_key="k", base_url=fake.url, settings=Settings())

        def ask() -> None:
            with pytest.raises(UpstreamError, match="Choose another"):
                provider.complete(QUESTION)
            done.set()

        threading.Thread(target=ask, daemon=True).start()
        assert done.wait(15)
