"""Orders made of what a caller asks for, with as much of the services as that needs."""

import json
from dataclasses import dataclass
from typing import Any

from webapp.models import Models
from webapp.providers.catalog import ProviderCatalog
from webapp.routes.intake import Asked, make_order, read_json
from webapp.runs.run import Order
from webapp.settings import Settings
from webapp.wiring import Workshop

RUN = "AAAAAAAAAAAAAAAAAAAA-_"
PNG = "iVBORw0KGgo="
HI = [{"role": "user", "content": "Hi"}]


@dataclass
class Parts:
    """As much of the services as an order needs."""

    catalog: ProviderCatalog
    orphan_s: float = 900.0


def parts(**environ: str) -> Any:
    settings, models = Settings.read({"OPENAI_API_KEY": "k", "OLLAMA_HOST": "h"} | environ), Models.read()
    return Parts(ProviderCatalog(settings, models, Workshop(settings, models)))


PARTS = parts()


def ordered(body: object, owner: str | None = None, with_parts: Any = PARTS) -> Order:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return make_order(read_json(raw, Asked), with_parts, owner)


def image(**part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}, part]}]}
