"""Builds run specs from request bodies, without a server."""

import json
from typing import Any

from webapp.access.principals import Kind, Principal
from webapp.api.start_request import StartBody, read_json
from webapp.api.start_run import RunStarter
from webapp.catalog.models import ModelTable
from webapp.providers.factory import ProviderFactory
from webapp.providers.registry import ProviderRegistry
from webapp.runs.run_spec import RunSpec
from webapp.settings import Settings
from webapp.wiring import make_limiter

RUN = "AAAAAAAAAAAAAAAAAAAA-_"
PNG = "iVBORw0KGgo="
# The model is named, so that no provider is asked for its models.
_ENVIRON = {"OPENAI_API_KEY": "k", "OLLAMA_HOST": "h", "FRESHET_MODEL": "gpt-4.1"}
HI = [{"role": "user", "content": "Hi"}]


def run_starter(**environ: str) -> RunStarter:
    """Return a starter without runs and store, which building a spec does not need."""
    settings, models = Settings.read(_ENVIRON | environ), ModelTable.read()
    missing: Any = None
    return RunStarter(
        providers=ProviderRegistry(settings, models, ProviderFactory(settings, models)),
        limiter=make_limiter(settings, None),
        runs=missing,
        store=missing,
        retrieval=missing,
        ended_answers=missing,
        image_urls=settings.image_urls,
    )


def user(name: str | None = "owner", kind: Kind = "user") -> Principal:
    """Return a caller without rate limits."""
    return Principal(kind=kind, name=name, address="127.0.0.1", is_counted=False)


STARTER = run_starter(FRESHET_IMAGE_URLS="true", FRESHET_MAX_TOKENS="100000")


def build_spec(body: object, caller: Principal | None = None, starter: RunStarter = STARTER) -> RunSpec:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return starter.build_spec(read_json(raw, StartBody), caller or user())


def image_message(**part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}
