"""Orders made of what a caller asks for, with as much of the services as that needs."""

import json
from typing import Any

from webapp.access.principals import Kind, Principal
from webapp.api.start_request import StartBody, read_json
from webapp.api.start_run import RunStarter
from webapp.catalog.models import ModelTable
from webapp.providers.factory import ProviderFactory
from webapp.providers.registry import ProviderRegistry
from webapp.runs.run import Order
from webapp.settings import Settings
from webapp.wiring import make_limiter

RUN = "AAAAAAAAAAAAAAAAAAAA-_"
PNG = "iVBORw0KGgo="
HI = [{"role": "user", "content": "Hi"}]


def parts(**environ: str) -> RunStarter:
    """Return a starter without runs and store, which an order does not need."""
    settings, models = Settings.read({"OPENAI_API_KEY": "k", "OLLAMA_HOST": "h"} | environ), ModelTable.read()
    missing: Any = None
    return RunStarter(
        providers=ProviderRegistry(settings, models, ProviderFactory(settings, models)),
        limiter=make_limiter(settings),
        runs=missing,
        store=missing,
        image_urls=settings.image_urls,
    )


def user(name: str | None = "owner", kind: Kind = "user") -> Principal:
    """Return a caller whom nobody counts."""
    return Principal(kind=kind, name=name, address="127.0.0.1", is_counted=False)


PARTS = parts(FRESHET_IMAGE_URLS="true", FRESHET_MAX_TOKENS="100000")


def ordered(body: object, caller: Principal | None = None, with_parts: RunStarter = PARTS) -> Order:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return with_parts.order(read_json(raw, StartBody), caller or user())


def image(**part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}
