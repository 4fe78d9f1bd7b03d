"""Orders made of what a caller asks for, with as much of the services as that needs."""

import json
from dataclasses import dataclass
from typing import Any

from webapp.access.limits import Limiter
from webapp.access.principals import Kind, Principal
from webapp.models import Models
from webapp.providers.catalog import ProviderCatalog
from webapp.routes.intake import Asked, make_order, read_json
from webapp.runs.run import Order
from webapp.settings import Settings
from webapp.wiring import Workshop, make_limiter

RUN = "AAAAAAAAAAAAAAAAAAAA-_"
PNG = "iVBORw0KGgo="
HI = [{"role": "user", "content": "Hi"}]


@dataclass
class Parts:
    """As much of the services as an order needs."""

    catalog: ProviderCatalog
    limiter: Limiter
    image_urls: bool


def parts(**environ: str) -> Any:
    settings, models = Settings.read({"OPENAI_API_KEY": "k", "OLLAMA_HOST": "h"} | environ), Models.read()
    catalog = ProviderCatalog(settings, models, Workshop(settings, models))
    return Parts(catalog, make_limiter(settings), settings.image_urls)


def user(name: str | None = "owner", kind: Kind = "user") -> Principal:
    """Return a caller whom nobody counts."""
    return Principal(kind=kind, name=name, address="127.0.0.1", is_counted=False)


PARTS = parts(FRESHET_IMAGE_URLS="true", FRESHET_MAX_TOKENS="100000")


def ordered(body: object, caller: Principal | None = None, with_parts: Any = PARTS) -> Order:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return make_order(read_json(raw, Asked), with_parts, caller or user())


def image(**part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}
