"""Providers of today: each lists its models, and refuses what its newest models refuse.

They check what they are sent with the request types of the official packages; Ollama has none.
"""

import json
from typing import Any

import anthropic.types
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter, ValidationError

from tests.support.dialects import anthropic as anthropic_stream
from tests.support.dialects import ollama as ollama_stream
from tests.support.dialects import openai as openai_stream
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Call, refusal

LISTED = {
    "openai": ["gpt-6.1-sol", "gpt-5.4"],
    "anthropic": ["claude-opus-5-5-20260922", "claude-haiku-5-5", "claude-fable-5-1"],
    "ollama": ["qwen3:8b"],
}
"""The models that each provider shows to people, the default first."""


def listing(body: object, status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(
        steps=[raw], status=status, content_type="application/json", framing="length" if raw else "chunked"
    )


def openai_list(*names: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", "created": 7} for name in names]}


def environment(name: str, provider: FakeProvider) -> dict[str, str]:
    return {
        "openai": {"OPENAI_API_KEY": "sk-canary-1", "OPENAI_BASE_URL": f"{provider.url}/v1"},
        "anthropic": {"ANTHROPIC_API_KEY": "sk-canary-1", "ANTHROPIC_BASE_URL": provider.url},
        "ollama": {"OLLAMA_HOST": provider.url},
    }[name]


ANTHROPIC_PAGES = {
    "": {
        "data": [{"type": "model", "id": "claude-haiku-5-5", "display_name": "Claude Haiku 5.5"}],
        "has_more": True,
        "last_id": "claude-haiku-5-5",
    },
    "claude-haiku-5-5": {
        "data": [
            {"type": "model", "id": "claude-fable-5-1", "display_name": "Claude Fable 5.1"},
            {"type": "model", "id": "claude-opus-5-5-20260922", "display_name": "Claude Opus 5.5"},
        ],
        "has_more": False,
        "last_id": "claude-opus-5-5-20260922",
    },
}
OLLAMA_SHOWN = {
    "qwen3:8b": {
        "capabilities": ["completion", "thinking", "vision"],
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
        "parameters": 'stop "x"\nnum_ctx 16384\n',
    },
    "all-minilm:latest": {"capabilities": ["embedding"], "model_info": {}},
}


def lists_of(call: Call) -> Answer:
    """Answer a question for the list as the provider of that address does, with no model that is retired."""
    if call.path == "/v1/models":
        return listing(
            openai_list("text-embedding-3-large", "gpt-6.1-sol", "gpt-5.4", "gpt-image-2", "gpt-6.1-sol")
        )
    if call.path.startswith("/v1/models?"):
        return listing(ANTHROPIC_PAGES[call.path.partition("after_id=")[2]])
    if call.path == "/api/tags":
        return listing({"models": [{"name": "all-minilm:latest"}, {"name": "qwen3:8b", "model": "qwen3:8b"}]})
    return listing(OLLAMA_SHOWN[json.loads(call.body)["model"]])


ANSWERS = {
    "openai": openai_stream(["Hi"]),
    "anthropic": anthropic_stream(["Hi"]),
    "ollama": ollama_stream(["Hi"]),
}

_PARAMETERS: dict[str, TypeAdapter[Any]] = {
    "openai": TypeAdapter(completion_create_params.CompletionCreateParamsStreaming),
    "anthropic": TypeAdapter(anthropic.types.message_create_params.MessageCreateParamsStreaming),
}
# Of OpenAI's and Anthropic's newest models.
_REFUSED = {
    "openai": ("max_tokens", "temperature", "top_p", "stop"),
    "anthropic": ("temperature", "top_p", "top_k"),
    "ollama": (),
}


def answer_of(call: Call) -> Answer:
    """Answer "Hi" if the provider of that address accepts the request, else refuse it in its wording."""
    name = {"/v1/chat/completions": "openai", "/v1/messages": "anthropic", "/api/chat": "ollama"}[call.path]
    body = json.loads(call.body)
    if body["model"] not in LISTED[name]:
        return refusal(404, _error(name, "not_found_error", f"model: {body['model']}"))
    for parameter in _REFUSED[name]:
        if parameter in body:
            return refusal(
                400, _error(name, "invalid_request_error", f"Unsupported parameter: '{parameter}'.")
            )
    if name == "anthropic" and body.get("thinking", {"type": "adaptive"})["type"] != "adaptive":
        message = f'"thinking.type.{body["thinking"]["type"]}" is not supported for this model.'
        return refusal(400, _error(name, "invalid_request_error", message))
    if name in _PARAMETERS:
        try:
            _PARAMETERS[name].validate_python(body)
        except ValidationError:
            return refusal(400, _error(name, "invalid_request_error", "The body is not valid."))
    return Answer(steps=ANSWERS[name])


def _error(name: str, kind: str, message: str) -> dict[str, Any]:
    if name == "ollama":
        return {"error": message}
    return {"type": "error", "error": {"type": kind, "message": message}}
