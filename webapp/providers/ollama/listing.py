"""Reads which models an Ollama server has: `/api/tags` for their names, `/api/show` for what is known of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args

import msgspec

from webapp.catalog.listing import ListedModel
from webapp.chat import Effort
from webapp.errors import AnswerError, Stopped
from webapp.providers.listings.entries import MAX_MODELS, as_mapping, first_tokens, listed_items, parse_model
from webapp.providers.listings.fetching import fetch_json
from webapp.providers.loose_json import as_string
from webapp.seams import Call, Control, Transport

_MAX_SHOWN = 40  # Ollama is asked for each model's details in turn
_MAX_PARAMETERS_CHARS = 10_000
_OLLAMA_EFFORTS: tuple[Effort, ...] = ("none", "low", "medium", "high")
_CONTEXT_PARAMETER = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.M)


def read_ollama(transport: Transport, control: Control, base_url: str) -> Iterator[list[ListedModel]]:
    """Yield the models of an Ollama server: first their names, then with what `/api/show` says of each.

    Raises `UpstreamError` where the names are refused or not readable, and `Stopped`.
    """
    page = fetch_json(
        transport, control, Call(url=f"{base_url}/api/tags", headers={}, body=b"", method="GET")
    )
    names: dict[str, ListedModel] = {}
    for item in listed_items(page):
        model = parse_model(item)
        if model is not None:
            names.setdefault(model.name, msgspec.structs.replace(model, created=0))
    models = list(names.values())[:MAX_MODELS]
    yield models
    detailed = []
    left = models
    for model in models[:_MAX_SHOWN]:
        try:
            shown = fetch_json(transport, control, show_call(base_url, model.name))
        except Stopped:  # the time for all of them is over
            break
        except AnswerError as error:
            if getattr(error, "status", None) is None:  # not an answer: the others would not come either
                break
            shown = {}
        left = left[1:]
        described = _parse_shown(model, shown)
        if described is not None:
            detailed.append(described)
    if detailed or not left:
        yield detailed + left


def show_call(base_url: str, name: str) -> Call:
    """Return the call that asks for what is known of a model."""
    body = msgspec.json.encode({"model": name})
    return Call(url=f"{base_url}/api/show", headers={"Content-Type": "application/json"}, body=body)


def _parse_shown(model: ListedModel, shown: Any) -> ListedModel | None:
    """Return a model with what `/api/show` says of it; None for one that does not chat."""
    shown = as_mapping(shown)
    capabilities = shown.get("capabilities")
    if not isinstance(capabilities, list):
        capabilities = None
    elif "completion" not in capabilities:
        return None
    info = as_mapping(shown.get("model_info"))
    window = first_tokens(
        info.get(f"{info.get('general.architecture')}.{key}") for key in ("context_length",)
    )
    # A model file may set a smaller window than the model has been trained for.
    parameter = _CONTEXT_PARAMETER.search((as_string(shown.get("parameters")) or "")[:_MAX_PARAMETERS_CHARS])
    if parameter is not None:
        chosen = int(parameter[1])
        window = min(window or chosen, chosen) or None
    thinks = None if capabilities is None else "thinking" in capabilities
    values = as_mapping(shown.get("thinking")).get("values")
    return msgspec.structs.replace(
        model,
        context_window=window,
        input_price=Decimal(0),
        output_price=Decimal(0),
        supports_images=None if capabilities is None else "vision" in capabilities,
        reasoning=thinks,
        efforts=_shown_efforts(values) if isinstance(values, list) else _OLLAMA_EFFORTS if thinks else None,
    )


def _shown_efforts(values: list[Any]) -> tuple[Effort, ...] | None:
    """Return the efforts for the values of `think` that a model takes; of true and false, any effort."""
    levels = tuple(name for name in get_args(Effort) if name in values)
    if not levels and True in values:
        levels = _OLLAMA_EFFORTS[1:]
    return (("none", *levels) if False in values and levels else levels) or None
